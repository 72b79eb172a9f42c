// A tab whose picture is drawn on a canvas: the canvas window with a view's content, joined to the window's
// selection and settings.
#pragma once

#include <functional>
#include <memory>

#include "ui/canvas/canvas_window.h"
#include "ui/selection.h"
#include "ui/view.h"
#include "ui/view_settings.h"

#include <QPointer>

namespace vitrine::ui {

// What the user asked for that only the window can do.
enum class Wish { kOpenModel, kWritePrompt, kCancelLoad, kCopyError };

// What a view draws. Knows no window, so that tests and benchmarks draw it into images.
class ViewContent : public CanvasContent {
 public:
  void setSnapshot(std::shared_ptr<const core::Snapshot> snapshot) { snapshot_ = std::move(snapshot); }
  void onWish(std::function<void(Wish)> callback) { wish_ = std::move(callback); }
  // What should be computed; valid after a frame has been drawn.
  const core::ProbeRequest& probes() const { return probes_; }

  virtual void fit() {}
  virtual void zoom(double) {}
  virtual void actualSize() {}

 protected:
  std::shared_ptr<const core::Snapshot> snapshot_;
  core::ProbeRequest probes_;
  std::function<void(Wish)> wish_;
};

class CanvasView : public View {
  Q_OBJECT

 public:
  // What a view stands on; all of it outlives the view. `instance`: see ui/canvas/surface.h.
  struct Parts {
    gpu::Device& device;
    QVulkanInstance& instance;
    Selection& selection;
    ViewSettings& settings;
    const Theme& theme;
  };
  static Result<std::unique_ptr<CanvasView>> create(const Parts& parts, QString title,
                                                    std::unique_ptr<ViewContent> content);
  ~CanvasView() override;

  QString title() const override { return title_; }
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
  CanvasView(QString title, CanvasWindow* window, std::unique_ptr<ViewContent> content);
  void grant(Wish wish);
  void publishProbes();

  QString title_;
  std::unique_ptr<ViewContent> content_;
  CanvasWindow* window_ = nullptr;  // owned by the container
  QPointer<QWidget> container_;     // owned by its parent once it has one
  core::ProbeRequest probes_;
};

}  // namespace vitrine::ui
