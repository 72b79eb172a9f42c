#include "ui/views/spectra/spectra_jobs.h"

#include "core/spectra/null_source.h"
#include "core/spectra/product_source.h"

#include <algorithm>

namespace vitrine::ui::spectra {
namespace {

constexpr std::size_t kMostKept = 3;  // comparisons: each may hold hundreds of megabytes of maps

std::string textOf(const std::vector<core::AdapterChoice>& adapters) {
  std::string text;
  for (const core::AdapterChoice& adapter : adapters)
    text += fmt::format("|{}:{}", adapter.folder.string(), adapter.scale);
  return text;
}

}  // namespace

Reference referenceAt(const std::filesystem::path& path) {
  std::error_code ignored;
  return {.path = path, .adapter = std::filesystem::exists(path / "adapter_config.json", ignored)};
}

QString nameOf(const Reference& reference) {
  const std::filesystem::path& path = reference.path;
  const std::string name = (path.has_filename() ? path.filename() : path.parent_path().filename()).string();
  return QString::fromStdString(
      reference.adapter && reference.scale != 1 ? fmt::format("{} × {:.3g}", name, reference.scale) : name);
}

SpectraJobs::SpectraJobs(gpu::Device* device, core::SpectraWorkerOptions options, QObject* parent)
    : QObject(parent), device_(device), options_(std::move(options)) {
  for (const Subject subject : kSubjects)
    of(subject).worker = std::make_unique<core::SpectraWorker>(
        subject == Subject::kWeights ? device : nullptr, [this, subject] { wake(subject); }, options_);
  null_worker_ = std::make_unique<core::SpectraWorker>(
      nullptr, [this] { wakeNulls(); }, core::SpectraWorkerOptions{.threads = options_.threads});
}

SpectraJobs::~SpectraJobs() {
  cancelAll();
}

void SpectraJobs::cancelAll() {
  for (const Subject subject : kSubjects) of(subject).worker->cancel();
  null_worker_->cancel();
}

void SpectraJobs::clear(Subject subject) {
  of(subject).key.clear();
  of(subject).worker->clear();
  if (subject == Subject::kHeadGraph) graph_.reset();
}

void SpectraJobs::setModel(const std::filesystem::path& model) {
  if (model == model_) return;
  model_ = model;
  reference_.reset();
  adapters_.clear();
  null_names_.clear();
  null_worker_->clear();
  for (const Subject subject : kSubjects) clear(subject);
}

void SpectraJobs::setAdapters(std::vector<core::AdapterChoice> adapters) {
  if (textOf(adapters) == textOf(adapters_)) return;
  adapters_ = std::move(adapters);
  clear(Subject::kQk);
  clear(Subject::kOv);
  clear(Subject::kHeadGraph);
}

void SpectraJobs::setReference(std::optional<Reference> reference) {
  if (reference == reference_) return;
  keep();
  reference_ = std::move(reference);
  clear(Subject::kComparison);
}

// A finished comparison is there again when its reference is chosen again.
void SpectraJobs::keep() {
  const Job& job = of(Subject::kComparison);
  auto snapshot = this->snapshot(Subject::kComparison);
  if (job.key.empty() || snapshot->state != core::SpectraState::kDone) return;
  kept_.remove_if([&](const Kept& kept) { return kept.key == job.key; });
  kept_.push_front({job.key, std::move(snapshot)});
  while (kept_.size() > kMostKept) kept_.pop_back();
}

std::string SpectraJobs::keyOf(Subject subject) const {
  if (model_.empty()) return {};
  std::string key = model_.string();
  if (isProduct(subject) || subject == Subject::kHeadGraph) return key + textOf(adapters_);
  if (subject == Subject::kWeights) return key;
  if (!reference_ || isLive(subject)) return {};
  return fmt::format("{}|{}|{}|{}", key, reference_->path.string(), reference_->adapter, reference_->scale);
}

void SpectraJobs::compute(Subject subject, bool again) {
  const std::string key = keyOf(subject);
  Job& job = of(subject);
  if (key.empty() || (job.key == key && !again)) return;
  job.key = key;
  const auto found = std::ranges::find(kept_, key, &Kept::key);
  if (subject == Subject::kComparison && found != kept_.end())
    emit changed(subject);
  else
    start(subject);
}

void SpectraJobs::start(Subject subject) {
  core::SpectraWorker& worker = *of(subject).worker;
  switch (subject) {
    case Subject::kWeights:
      return worker.start(model_);
    case Subject::kQk:
    case Subject::kOv:
      return worker.start(core::productSource(
          {.model = model_,
           .adapters = adapters_,
           .kind = subject == Subject::kQk ? core::ProductKind::kQk : core::ProductKind::kOv,
           .options = {},
           .threads = options_.threads}));
    case Subject::kHeadGraph:
      graph_ = std::make_shared<core::HeadGraphSource>(model_, adapters_);
      return worker.start(graph_);
    case Subject::kComparison: {
      core::ComparisonRequest request{.base = model_,
                                      .tuned = {},
                                      .adapters = {},
                                      .options = {},
                                      .device = device_,
                                      .threads = options_.threads};
      if (reference_->adapter)
        request.adapters = {{reference_->path, reference_->scale}};
      else
        request.base = reference_->path, request.tuned = model_;
      return worker.start(core::comparisonSource(std::move(request)));
    }
    default:
      return;  // live: keyOf() has none
  }
}

void SpectraJobs::computeNulls(std::vector<std::string> names) {
  const core::SpectraState state = null_worker_->snapshot()->state;
  const bool valid = state == core::SpectraState::kRunning || state == core::SpectraState::kDone;
  const auto known = [&](const std::string& name) {
    return std::ranges::find(null_names_, name) != null_names_.end();
  };
  if (names.empty() || (valid && std::ranges::all_of(names, known))) return;
  null_names_ = std::move(names);
  null_worker_->start(core::nullSource({.model = model_, .names = null_names_, .threads = options_.threads}));
}

void SpectraJobs::cancel(Subject subject) {
  of(subject).worker->cancel();
}

std::shared_ptr<const core::SpectraSnapshot> SpectraJobs::snapshot(Subject subject) const {
  const Job& job = of(subject);
  if (subject == Subject::kComparison && !job.key.empty())
    if (const auto found = std::ranges::find(kept_, job.key, &Kept::key); found != kept_.end())
      return found->snapshot;
  return job.worker->snapshot();
}

void SpectraJobs::wake(Subject subject) {
  if (of(subject).woken.exchange(true)) return;
  QMetaObject::invokeMethod(
      this, [this, subject] { deliver(subject); }, Qt::QueuedConnection);
}

void SpectraJobs::deliver(Subject subject) {
  of(subject).woken = false;  // before reading: what is published from here on wakes again
  emit changed(subject);
}

void SpectraJobs::wakeNulls() {
  if (nulls_woken_.exchange(true)) return;
  QMetaObject::invokeMethod(
      this,
      [this] {
        nulls_woken_ = false;
        emit nullsChanged();
      },
      Qt::QueuedConnection);
}

}  // namespace vitrine::ui::spectra
