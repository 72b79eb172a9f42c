// Writes a method's figure on a thread of its own, so that the window goes on: the sidecar needs the hash of
// the model, which is read for it.
#pragma once

#include "core/figure/export_data.h"
#include "ui/methods/method_runner.h"

#include <QStringList>
#include <QThreadPool>

namespace vitrine::ui {

struct MethodExport {
  core::Figure figure;
  core::FigurePreset preset;
  std::vector<core::FigureFormat> formats;
  std::filesystem::path folder;
  core::methods::AnalysisSource source;  // what the figure is of
  core::Provenance provenance;           // without the hashes
};

// What the sidecar of a run's figure says.
core::Provenance provenanceOf(const core::methods::Analysis& analysis, const MethodRun& run,
                              std::string device);

class MethodExporter : public QObject {
  Q_OBJECT

 public:
  explicit MethodExporter(QObject* parent = nullptr);
  ~MethodExporter() override;  // waits for the files in hand

  // False while another figure is being written.
  bool start(MethodExport figure);
  bool isRunning() const { return running_; }

 signals:
  void progressed(int done, int of);
  // The files, pictures first, or why there are none.
  void finished(const QStringList& files, const QString& error);

 private:
  void post(int done, int of);  // from the export's thread

  bool running_ = false;
  QThreadPool thread_;
};

}  // namespace vitrine::ui
