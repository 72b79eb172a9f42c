// The Attention tab: the canvas window with the Attention content, joined to the window's selection and
// settings.
//
// The view bar (36 px: sort, scale, colour, pooling) is drawn by the canvas itself; scale, colour,
// range and pooling live in ViewSettings, the sort order and whether the overview is shown live here. Keys of
// the canvas, while it has the focus: arrows move the head, or the locked cell (Shift: by ten); Ctrl + arrows
// always the head; Home, End, Page Up, Page Down move the query; Esc unlocks, then shows the overview again;
// Enter or O hides and shows the overview; F fits, + and - zoom; S sort, L linear or log, C colour map, P
// pooling. Others go on to the window.
#pragma once

#include <memory>

#include "ui/canvas/canvas_window.h"
#include "ui/view.h"
#include "ui/views/attention/attention_content.h"

#include <QPointer>

namespace vitrine::ui {

class AttentionView : public View {
  Q_OBJECT

 public:
  // `device`, `instance` (see ui/canvas/surface.h), `selection` and `settings` must outlive the view.
  static Result<std::unique_ptr<AttentionView>> create(gpu::Device& device, QVulkanInstance& instance,
                                                       Selection& selection, ViewSettings& settings,
                                                       const Theme& theme);
  ~AttentionView() override;

  QString title() const override { return tr("Attention"); }
  QWidget* widget() override { return container_; }
  void setSnapshot(std::shared_ptr<const core::Snapshot> snapshot) override;
  void setTheme(const Theme& theme) override;
  core::ProbeRequest probes() const override { return probes_; }
  QImage grabImage() override;
  void fit() override;
  void zoom(double factor) override;
  void actualSize() override;

  CanvasWindow& canvasWindow() { return *window_; }

 signals:
  void openRequested();  // the buttons of the states in which there is nothing to see
  void promptRequested();
  void cancelLoadRequested();
  void copyErrorRequested();

 private:
  AttentionView(CanvasWindow* window, std::unique_ptr<attention::AttentionContent> content);
  void grant(attention::Wish wish);
  void publishProbes();

  std::unique_ptr<attention::AttentionContent> content_;
  CanvasWindow* window_ = nullptr;  // owned by the container
  QPointer<QWidget> container_;     // owned by its parent once it has one
  core::ProbeRequest probes_;
};

}  // namespace vitrine::ui
