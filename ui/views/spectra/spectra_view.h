// The Spectra tab: a bar of what is shown and how far it is, the canvas beneath, and the worker that
// computes. It starts when the tab is first shown with a model, and again when another one is loaded.
#pragma once

#include "core/spectra/spectra_worker.h"
#include "ui/theme/theme_controller.h"
#include "ui/views/canvas_view.h"
#include "ui/views/spectra/spectra_state.h"
#include "ui/widgets/elided_label.h"

#include <QComboBox>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>

#include <atomic>

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
  core::ProbeRequest probes() const override { return {}; }
  QImage grabImage() override { return canvas_->grabImage(); }
  void fit() override {}
  void zoom(double) override {}
  void actualSize() override {}

  bool needsTokens() const override { return false; }
  QString note() const override;
  std::optional<std::vector<InspectorSection>> inspection() const override;
  QStringList figures() const override;
  bool hasFigure() const override { return state_.snapshot().done > state_.snapshot().failed; }
  std::optional<ViewFigure> figure(int content) const override;

  CanvasView& canvas() { return *canvas_; }
  SpectraState& state() { return state_; }
  bool isComplete() const { return state_.snapshot().state == core::SpectraState::kDone; }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  SpectraView(const CanvasView::Parts& parts, const ThemeController& theme,
              core::SpectraWorkerOptions options);
  void build(const ThemeController& theme);
  void fillSorting();
  void compute();
  void computeOnceShown();
  void wake();  // from any thread
  void deliver();
  void showState();

  Selection& selection_;
  SpectraState state_;
  std::filesystem::path model_, computed_;  // loaded; of which there are spectra, or will be
  std::string model_name_;
  std::unique_ptr<CanvasView> canvas_;
  QPointer<QWidget> page_;  // its parent's once it has one
  QComboBox *sort_ = nullptr, *mode_ = nullptr;
  QLineEdit* filter_ = nullptr;
  ElidedLabel* progress_text_ = nullptr;
  QPushButton* button_ = nullptr;
  QProgressBar* progress_ = nullptr;
  std::atomic<bool> woken_ = false;
  std::unique_ptr<core::SpectraWorker> worker_;  // last: it wakes this
};

// "149 of 211 · 6 s left", "211 of 211 in 4.8 s · 1 refused".
QString progressText(const core::SpectraSnapshot& snapshot);

}  // namespace vitrine::ui::spectra
