// What computes for the Spectra view: a worker a subject and one for the null, so that what one has found
// stays while another is looked at. Lives on the UI thread; the workers have threads of their own.
#pragma once

#include "core/spectra/comparison_source.h"
#include "core/spectra/head_graph_source.h"
#include "core/spectra/spectra_worker.h"
#include "ui/views/spectra/subject.h"

#include <QObject>
#include <QString>

#include <array>
#include <atomic>
#include <list>
#include <optional>

namespace vitrine::ui::spectra {

// What a model is compared with: the base that it is a fine-tune of, or an adapter that is added to it.
struct Reference {
  std::filesystem::path path;
  bool adapter = false;
  float scale = 1;  // of an adapter
  bool operator==(const Reference&) const = default;
};
// A folder with an adapter's configuration is an adapter, everything else a base.
Reference referenceAt(const std::filesystem::path& path);
QString nameOf(const Reference& reference);

class SpectraJobs : public QObject {
  Q_OBJECT

 public:
  SpectraJobs(gpu::Device* device, core::SpectraWorkerOptions options, QObject* parent = nullptr);
  ~SpectraJobs() override;

  // Forgets what belongs to another one. The adapters are those that products are made with.
  void setModel(const std::filesystem::path& model);
  void setAdapters(std::vector<core::AdapterChoice> adapters);
  void setReference(std::optional<Reference> reference);

  const std::filesystem::path& model() const { return model_; }
  const std::vector<core::AdapterChoice>& adapters() const { return adapters_; }
  const std::optional<Reference>& reference() const { return reference_; }

  // Starts what has not been started for what is set now; what was cancelled or failed only `again`.
  void compute(Subject subject, bool again = false);
  // Of matrices of the model; nothing starts again that computes all of them, or has.
  void computeNulls(std::vector<std::string> names);
  void cancel(Subject subject);
  void cancelAll();

  // Never null.
  std::shared_ptr<const core::SpectraSnapshot> snapshot(Subject subject) const;
  // Null before the first compute(kHeadGraph).
  std::shared_ptr<const core::HeadGraphSource> headGraph() const { return graph_; }
  std::shared_ptr<const core::SpectraSnapshot> nulls() const { return null_worker_->snapshot(); }

 signals:
  void changed(vitrine::ui::spectra::Subject subject);
  void nullsChanged();

 private:
  struct Job {
    std::unique_ptr<core::SpectraWorker> worker;
    std::string key;  // of what it was started for; empty: nothing
    std::atomic<bool> woken = false;
  };
  struct Kept {
    std::string key;
    std::shared_ptr<const core::SpectraSnapshot> snapshot;
  };
  Job& of(Subject subject) { return jobs_[std::size_t(subject)]; }
  const Job& of(Subject subject) const { return jobs_[std::size_t(subject)]; }

  void wake(Subject subject);  // from any thread
  void deliver(Subject subject);
  void wakeNulls();
  void clear(Subject subject);
  std::string keyOf(Subject subject) const;
  void start(Subject subject);
  void keep();

  gpu::Device* device_;  // may be null
  core::SpectraWorkerOptions options_;
  std::filesystem::path model_;
  std::vector<core::AdapterChoice> adapters_;
  std::optional<Reference> reference_;
  std::list<Kept> kept_;  // comparisons that are done, the newest first
  std::array<Job, kSubjects.size()> jobs_;
  std::shared_ptr<core::HeadGraphSource> graph_;
  std::atomic<bool> nulls_woken_ = false;
  std::vector<std::string> null_names_;  // that run
  std::unique_ptr<core::SpectraWorker> null_worker_;
};

}  // namespace vitrine::ui::spectra
