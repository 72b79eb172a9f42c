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
  bool needsTokens() const override { return needs_tokens; }
  QString note() const override { return own_note; }
  std::optional<std::vector<ui::InspectorSection>> inspection() const override { return sections; }
  QStringList figures() const override { return own_figures; }
  bool hasFigure() const override { return !own_figures.isEmpty(); }
  std::optional<ui::ViewFigure> figure(int content) const override {
    if (own_figures.isEmpty()) return std::nullopt;
    return ui::ViewFigure{.figure = {}, .base_name = own_figures[content].toStdString()};
  }

  bool needs_tokens = true;
  QString own_note;
  std::optional<std::vector<ui::InspectorSection>> sections;
  QStringList own_figures;
  int fits = 0;
  double zoomed = 1;
  ui::Appearance appearance{};

 private:
  QWidget* widget_;
  std::shared_ptr<const core::Snapshot> snapshot_;
};

}  // namespace vitrine::tests
