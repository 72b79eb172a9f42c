#include "ui/methods/method_exporter.h"

#include "core/figure/model_hash.h"
#include "ui/figure/export_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace vitrine::ui {
namespace {

// Of the model, and of what was compared with it.
void addHashes(const core::methods::AnalysisSource& source, core::Provenance& provenance) {
  provenance.model_sha256 = core::modelHash(source.model);
  if (!source.tuned.empty())
    provenance.parameters.emplace_back("tuned_sha256", core::modelHash(source.tuned));
  for (const core::AdapterChoice& adapter : source.adapters)
    provenance.parameters.emplace_back(
        source.adapters.size() == 1 ? "adapter_sha256"
                                    : fmt::format("adapter_sha256 {}", adapter.folder.filename().string()),
        core::modelHash(adapter.folder));
}

}  // namespace

core::Provenance provenanceOf(const core::methods::Analysis& analysis, const MethodRun& run,
                              std::string device) {
  core::Provenance provenance;
  provenance.model_path = run.source.model.string();
  provenance.method = analysis.id;
  for (const core::methods::Parameter& parameter : run.parameters.list())
    provenance.parameters.emplace_back(parameter.name,
                                       fmt::format("{}", run.parameters.value(parameter.name)));
  if (analysis.subject != core::methods::Subject::kHeads)
    provenance.parameters.emplace_back("matrices", run.source.matrices.empty() ? "*" : run.source.matrices);
  if (!run.source.tuned.empty()) provenance.parameters.emplace_back("tuned", run.source.tuned.string());
  for (const core::AdapterChoice& adapter : run.source.adapters)
    provenance.parameters.emplace_back(run.source.adapters.size() == 1
                                           ? "adapter"
                                           : fmt::format("adapter {}", adapter.folder.filename().string()),
                                       fmt::format("{}:{}", adapter.folder.string(), adapter.scale));
  provenance.device = std::move(device);
  return provenance;
}

MethodExporter::MethodExporter(QObject* parent) : QObject(parent) {
  thread_.setMaxThreadCount(1);
}

MethodExporter::~MethodExporter() {
  thread_.waitForDone();
}

bool MethodExporter::start(MethodExport figure) {
  if (running_) return false;
  running_ = true;
  thread_.start([this, job = std::make_shared<MethodExport>(std::move(figure))] {
    // The hashes, each picture, and the data with the sidecar.
    const int of = 2 + int(std::ranges::count_if(job->formats, core::isPicture));
    int done = 0;
    post(done, of);
    addHashes(job->source, job->provenance);
    post(++done, of);
    const auto files = exportFigure(job->figure, job->preset, job->formats, {job->folder, job->figure.name},
                                    job->provenance, {.written = [&] { post(++done, of); }});
    QStringList names;
    if (files)
      for (const auto& file : *files) names << QString::fromStdString(file.string());
    const QString error = files ? QString() : QString::fromStdString(files.error().describe());
    QMetaObject::invokeMethod(
        this,
        [this, names, error] {
          running_ = false;
          emit finished(names, error);
        },
        Qt::QueuedConnection);
  });
  return true;
}

void MethodExporter::post(int done, int of) {
  QMetaObject::invokeMethod(
      this, [this, done, of] { emit progressed(done, of); }, Qt::QueuedConnection);
}

}  // namespace vitrine::ui
