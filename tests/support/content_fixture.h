// A view's content drawn into images, with pointer and keys, and a snapshot made up by the test.
#pragma once

#include "support/gpu_fixture.h"
#include "support/qt_application.h"
#include "ui/views/canvas_view.h"
#include "ui/views/geometry.h"

#include <QMouseEvent>

namespace vitrine::tests {

class ContentTest : public test::GpuTest {
 protected:
  static constexpr QSize kSize{1100, 700};

  void show(std::unique_ptr<ui::ViewContent> content) {
    qtApplication();
    content_ = std::move(content);
    canvas_ = test::expectValue(ui::Canvas::create(device(), ui::kDarkTheme));
    canvas_->setContent(content_.get());
  }
  void TearDown() override {
    canvas_.reset();
    content_.reset();
    GpuTest::TearDown();
  }

  // Of a ready model with these layers and tokens.
  std::shared_ptr<core::Snapshot> snapshotOf(std::vector<core::LayerSummary> layers, std::uint32_t tokens) {
    auto model = std::make_shared<core::ModelSummary>();
    model->name = "test-model";
    model->layers = std::uint32_t(layers.size());
    model->heads = 2;
    model->session_context = 64;
    model->layer_kinds = std::move(layers);
    auto snapshot = std::make_shared<core::Snapshot>();
    snapshot->state = core::EngineState::kReady;
    selection_.setExtent(model->layers, model->heads, tokens);
    snapshot->model = std::move(model);
    std::vector<core::Token> words(tokens);
    for (std::uint32_t i = 0; i < tokens; ++i) words[i].display = fmt::format("·w{}", i);
    snapshot->tokens = std::make_shared<const std::vector<core::Token>>(std::move(words));
    return snapshot;
  }

  QImage draw() { return test::expectValue(canvas_->image(kSize, 1)); }
  void moveTo(ui::Point at) { send(QEvent::MouseMove, at, Qt::NoButton); }
  void click(ui::Point at, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
    moveTo(at);
    draw();
    send(QEvent::MouseButtonPress, at, Qt::LeftButton, modifiers);
    draw();
    send(QEvent::MouseButtonRelease, at, Qt::LeftButton, modifiers);
    draw();
  }
  void press(int key, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
    const ui::KeyPress pressed{key, modifiers};
    if (!content_->wantsKey(pressed)) return;
    canvas_->input().addKey(pressed);
    draw();
    draw();
  }

  void send(QEvent::Type type, ui::Point at, Qt::MouseButton button,
            Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
    const QPointF point(at.x, at.y);
    canvas_->input().add(QMouseEvent(type, point, point, button, button, modifiers));
  }

  ui::Selection selection_;
  ui::ViewSettings settings_;
  std::unique_ptr<ui::ViewContent> content_;
  std::unique_ptr<ui::Canvas> canvas_;
};

}  // namespace vitrine::tests
