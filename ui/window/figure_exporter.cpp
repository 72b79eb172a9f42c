#include "ui/window/figure_exporter.h"

#include "core/figure/model_hash.h"
#include "core/figure/preset.h"
#include "ui/figure/export_figure.h"

#include <QThreadPool>

#include <fmt/format.h>

namespace vitrine::ui {
namespace {

std::string promptOf(const std::vector<core::Token>& tokens, const core::Tokenizer* tokenizer) {
  std::vector<core::TokenId> ids;
  for (const core::Token& token : tokens)
    if (token.prompt) ids.push_back(token.id);
  return tokenizer ? tokenizer->decode(ids) : std::string();
}

}  // namespace

FigureExporter::FigureExporter(const Selection& selection, const ViewSettings& settings, std::string device,
                               QObject* parent)
    : QObject(parent), selection_(selection), settings_(settings), device_(std::move(device)) {}

FigureExporter::~FigureExporter() {
  QThreadPool::globalInstance()->waitForDone();
}

FigureExporter::Job FigureExporter::prepare(const core::Snapshot& snapshot,
                                            const FigureChoice& choice) const {
  Job job;
  for (const core::Token& token : *snapshot.tokens) {
    job.labels.push_back(token.display);
    job.ids.push_back(token.id);
  }
  job.choice = choice;
  job.model_path = snapshot.model->path;
  const Range range = settings_.range();
  core::AttentionFigureOptions& options = job.options;
  options.layer = selection_.head().layer;
  options.head = selection_.head().head;
  options.scale = settings_.scale() == Scale::kLog ? core::AxisScale::kLog : core::AxisScale::kLinear;
  options.minimum = range.low;
  options.maximum = range.high;
  options.colormap = settings_.colormap();
  options.model = snapshot.model->name;
  options.implied_by = snapshot.model->impliedBy(options.layer);
  if (const auto& locked = selection_.locked()) {
    options.query = locked->query;
    options.key = locked->key;
  }
  core::Provenance& provenance = job.provenance;
  provenance.model_path = snapshot.model->path.string();
  provenance.prompt = promptOf(*snapshot.tokens, snapshot.tokenizer.get());
  provenance.seed = sampling_.seed;
  provenance.method = "exact";
  provenance.parameters = {{"layer", std::to_string(options.layer)},
                           {"head", std::to_string(options.head)},
                           {"temperature", fmt::format("{}", sampling_.temperature)},
                           {"top_k", std::to_string(sampling_.top_k)},
                           {"top_p", fmt::format("{}", sampling_.top_p)},
                           {"min_p", fmt::format("{}", sampling_.min_p)}};
  if (!options.implied_by.empty()) provenance.parameters.emplace_back("implied_by", options.implied_by);
  provenance.device = device_;
  return job;
}

void FigureExporter::startMade(const FigureChoice& choice, ViewFigure made, Work work) {
  auto job = std::make_shared<Job>();
  job->choice = choice;
  job->model_path = made.model_path;
  job->provenance.model_path = made.model_path.string();
  job->provenance.method = "exact";
  job->provenance.parameters = made.parameters;
  job->provenance.device = device_;
  job->made = std::move(made);
  QThreadPool::globalInstance()->start([job, work = std::move(work)] {
    job->provenance.model_sha256 = core::modelHash(job->model_path);
    work(*job);
  });
}

Result<core::Figure> FigureExporter::figureOf(const Job& job) {
  if (job.made) return job.made->figure;
  const core::AttentionMatrix matrix{job.labels.size(), job.values};
  return core::attentionMapFigure(matrix, job.labels, job.ids, job.options);
}

void FigureExporter::start(const FigureChoice& choice, std::optional<ViewFigure> made, Work work) {
  if (made) return startMade(choice, *std::move(made), std::move(work));
  const auto snapshot = engine_->snapshot();
  if (!snapshot->model || !snapshot->tokens || snapshot->tokens->empty())
    return report({ErrorCode::kInvalidArgument, "there is no map to export yet: generate first", nullptr});
  auto job = std::make_shared<Job>(prepare(*snapshot, choice));
  engine_->readMap(job->options.layer, job->options.head,
                   [this, job, work = std::move(work)](Result<std::vector<float>> values) {
                     if (!values) return report(values.error());
                     job->values = std::move(*values);
                     QThreadPool::globalInstance()->start([this, job, work] { run(job, work); });
                   });
}

void FigureExporter::run(std::shared_ptr<Job> job, Work work) {
  // The sequence may have grown between the request and the answer: the map says how long it was.
  std::size_t tokens = 0;
  while ((tokens + 1) * (tokens + 1) <= job->values.size()) ++tokens;
  if (tokens > job->labels.size()) {
    const std::size_t known = job->labels.size();
    std::vector<float> first(known * known);
    for (std::size_t query = 0; query < known; ++query)
      std::copy_n(job->values.begin() + std::ptrdiff_t(query * tokens), known,
                  first.begin() + std::ptrdiff_t(query * known));
    job->values = std::move(first);
  } else {
    job->labels.resize(tokens);
    job->ids.resize(tokens);
  }
  job->provenance.model_sha256 = core::modelHash(job->model_path);
  work(*job);
}

// From any thread.
void FigureExporter::report(const Error& error) {
  const QString message = QString::fromStdString(error.describe());
  QMetaObject::invokeMethod(
      this, [this, message] { emit failed(message); }, Qt::QueuedConnection);
}

void FigureExporter::write(const FigureChoice& choice, std::optional<ViewFigure> made) {
  start(choice, std::move(made), [this](const Job& job) {
    auto files = [&]() -> Result<std::vector<std::filesystem::path>> {
      TRY_ASSIGN(const core::FigurePreset preset, core::findFigurePreset(job.choice.preset.toStdString()));
      TRY_ASSIGN(const auto formats, core::parseFigureFormats(job.choice.formats.join(',').toStdString()));
      TRY_ASSIGN(const core::Figure figure, figureOf(job));
      const core::FigureTarget target{
          job.choice.folder.toStdString(),
          job.made ? job.made->base_name
                   : fmt::format("{}-L{}-H{}", figure.name, job.options.layer, job.options.head)};
      return exportFigure(figure, preset, formats, target, job.provenance, {.png_dpi = job.choice.dpi});
    }();
    if (!files) return report(files.error());
    QStringList names;
    for (const auto& file : *files) names << QString::fromStdString(file.string());
    QMetaObject::invokeMethod(
        this, [this, names] { emit written(names); }, Qt::QueuedConnection);
  });
}

void FigureExporter::render(const FigureChoice& choice, int dpi, std::optional<ViewFigure> made) {
  start(choice, std::move(made), [this, dpi](const Job& job) {
    auto image = [&]() -> Result<QImage> {
      TRY_ASSIGN(const core::FigurePreset preset, core::findFigurePreset(job.choice.preset.toStdString()));
      TRY_ASSIGN(const core::Figure figure, figureOf(job));
      return renderFigure(figure, preset, dpi);
    }();
    if (!image) return report(image.error());
    QMetaObject::invokeMethod(
        this, [this, picture = *image] { emit rendered(picture); }, Qt::QueuedConnection);
  });
}

}  // namespace vitrine::ui
