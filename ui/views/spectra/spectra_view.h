// The Spectra tab: a bar of what is shown and how far it is, the canvas beneath, and the workers that
// compute. They start when the tab is first shown with a model, or another subject is chosen; what one has
// found stays.
#pragma once

#include "ui/theme/theme_controller.h"
#include "ui/views/canvas_view.h"
#include "ui/views/spectra/spectra_bar.h"
#include "ui/views/spectra/spectra_content.h"
#include "ui/views/spectra/spectra_jobs.h"
#include "ui/views/spectra/spectra_state.h"

#include <QProgressBar>
#include <QTimer>

namespace vitrine::ui::spectra {

class SpectraView : public View {
  Q_OBJECT

 public:
  static Result<std::unique_ptr<SpectraView>> create(const CanvasView::Parts& parts,
                                                     const ThemeController& theme,
                                                     core::SpectraWorkerOptions options);
  ~SpectraView() override;

  QString title() const override { return tr("Spectra"); }
  QWidget* widget() override { return page_; }
  QWidget* pictureWidget() override { return canvas_->widget(); }
  void setSnapshot(std::shared_ptr<const core::Snapshot> snapshot) override;
  void setTheme(const Theme& theme) override { canvas_->setTheme(theme); }
  core::ProbeRequest probes() const override;
  QImage grabImage() override { return canvas_->grabImage(); }
  void fit() override { canvas_->fit(); }
  void zoom(double factor) override { canvas_->zoom(factor); }
  void actualSize() override { canvas_->actualSize(); }

  bool needsTokens() const override { return false; }
  QString note() const override;
  std::optional<std::vector<InspectorSection>> inspection() const override;
  QStringList figures() const override;
  bool hasFigure() const override;
  std::optional<ViewFigure> figure(int content) const override;

  CanvasView& canvas() { return *canvas_; }
  SpectraState& state() { return state_; }
  SpectraJobs& jobs() { return jobs_; }
  const LiveContent& live() const { return content_->live(); }
  bool isComplete() const { return state_.snapshot().state == core::SpectraState::kDone; }

  void chooseSubject(Subject subject);
  // Compares with it; nothing: goes back to the weights.
  void chooseReference(const std::optional<Reference>& reference);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  SpectraView(const CanvasView::Parts& parts, const ThemeController& theme,
              core::SpectraWorkerOptions options);
  void build(const ThemeController& theme);
  void connectState();
  void setAdapters(const core::Snapshot& snapshot);
  void applyAdapters();
  void offerReferences();
  void chooseFile(bool folder);
  void computeOnceShown();
  void showState();
  void describeLive();
  QString baseName() const;

  Selection& selection_;
  const ViewSettings& settings_;
  SpectraState state_;
  SpectraJobs jobs_;
  std::string model_name_;
  std::vector<Reference> of_adapters_, chosen_;  // of the loaded model; that the user has named
  std::unique_ptr<CanvasView> canvas_;
  const SpectraContent* content_ = nullptr;  // of the canvas
  std::shared_ptr<const core::Snapshot> newest_;
  const core::StreamSpectrum* described_ = nullptr;  // only compared: the live spectrum told of last
  std::size_t described_row_ = 0;
  QString described_note_;
  QPointer<QWidget> page_;  // its parent's once it has one
  SpectraBar* bar_ = nullptr;
  QProgressBar* progress_ = nullptr;
  QTimer adapters_timer_;  // while a scale is dragged nothing is computed
  std::vector<core::AdapterChoice> adapters_;
};

}  // namespace vitrine::ui::spectra
