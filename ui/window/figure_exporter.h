// Makes a figure of the selected head's map, as it is shown, or takes one that a view has made: asks the
// engine for the numbers, and writes, renders or copies on a worker thread. Must outlive the engine's
// callbacks: make it before the engine.
#pragma once

#include "core/engine/engine.h"
#include "core/figure/attention_figures.h"
#include "core/figure/provenance.h"
#include "ui/docks/figure_dock.h"
#include "ui/selection.h"
#include "ui/view.h"
#include "ui/view_settings.h"

#include <QImage>
#include <QObject>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vitrine::ui {

class FigureExporter : public QObject {
  Q_OBJECT

 public:
  FigureExporter(const Selection& selection, const ViewSettings& settings, std::string device,
                 QObject* parent = nullptr);
  ~FigureExporter() override;  // waits for the files that are being written
  void setEngine(core::Engine* engine) { engine_ = engine; }
  void setSampling(core::SamplingSettings sampling) { sampling_ = sampling; }  // what the sidecar says

  // Of the selected head's map, or of what a view has made.
  void write(const FigureChoice& choice, std::optional<ViewFigure> made = {});
  void render(const FigureChoice& choice, int dpi, std::optional<ViewFigure> made = {});

 signals:
  void written(const QStringList& files);
  void rendered(const QImage& image);
  void failed(const QString& message);

 private:
  // All that a figure is made of, so that the worker needs nothing of the UI's.
  struct Job {
    std::vector<float> values;
    std::vector<std::string> labels;
    std::vector<std::int64_t> ids;
    core::AttentionFigureOptions options;
    core::Provenance provenance;
    std::filesystem::path model_path;
    FigureChoice choice;
    std::optional<ViewFigure> made;  // and then neither values nor labels
  };
  using Work = std::function<void(const Job&)>;

  void start(const FigureChoice& choice, std::optional<ViewFigure> made, Work work);
  void startMade(const FigureChoice& choice, ViewFigure made, Work work);
  static Result<core::Figure> figureOf(const Job& job);
  Job prepare(const core::Snapshot& snapshot, const FigureChoice& choice) const;
  void run(std::shared_ptr<Job> job, Work work);
  void report(const Error& error);

  const Selection& selection_;
  const ViewSettings& settings_;
  std::string device_;
  core::SamplingSettings sampling_;
  core::Engine* engine_ = nullptr;
};

}  // namespace vitrine::ui
