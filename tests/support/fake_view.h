// A view without a picture, for tests of the window.
#pragma once

#include "ui/view.h"

#include <QLabel>

namespace vitrine::tests {

class FakeView : public ui::View {
 public:
  FakeView() : widget_(new QLabel("picture")) {}
  QString title() const override { return "Attention"; }
  QWidget* widget() override { return widget_; }
  void setSnapshot(std::shared_ptr<const core::Snapshot> snapshot) override {
    snapshot_ = std::move(snapshot);
  }
  void setTheme(const ui::Theme& theme) override { appearance = theme.appearance; }
  core::ProbeRequest probes() const override {
    return {.overview = core::OverviewRequest{}, .map = {}, .row = {}};
  }
  QImage grabImage() override { return {}; }
  void fit() override { ++fits; }
  void zoom(double factor) override { zoomed *= factor; }
  void actualSize() override {}

  int fits = 0;
  double zoomed = 1;
  ui::Appearance appearance{};

 private:
  QWidget* widget_;
  std::shared_ptr<const core::Snapshot> snapshot_;
};

}  // namespace vitrine::tests
