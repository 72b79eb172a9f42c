#include "ui/window/responsive_layout.h"

#include <QDockWidget>

#include <algorithm>
#include <numeric>

namespace vitrine::ui {
namespace {

constexpr int kStateVersion = 1;
constexpr double kLeastShare = 0.4;  // of the height, for the first dock of a side

}  // namespace

LayoutMode layoutModeFor(int width, const Sizes& sizes) {
  if (width < sizes.tiny) return LayoutMode::kTiny;
  return width < sizes.narrow ? LayoutMode::kNarrow : LayoutMode::kWide;
}

ResponsiveLayout::ResponsiveLayout(QMainWindow& area, std::vector<QDockWidget*> left,
                                   std::vector<QDockWidget*> right)
    : area_(area), left_(std::move(left)), right_(std::move(right)) {
  placeWide();
}

void ResponsiveLayout::placeWide() {
  auto place = [this](const std::vector<QDockWidget*>& docks, Qt::DockWidgetArea side) {
    for (QDockWidget* dock : docks) {
      dock->setFloating(false);
      area_.removeDockWidget(dock);
      area_.addDockWidget(side, dock);
      dock->show();
    }
  };
  place(left_, Qt::LeftDockWidgetArea);
  place(right_, Qt::RightDockWidgetArea);
  area_.resizeDocks({left_.front(), right_.front()}, {sizes_.left_dock, sizes_.right_dock}, Qt::Horizontal);
}

void ResponsiveLayout::distribute() {
  if (mode_ == LayoutMode::kTiny) return;
  auto stack = [this](const std::vector<QDockWidget*>& side) {
    QList<QDockWidget*> docks;
    QList<int> heights;
    for (QDockWidget* dock : side) {
      if (dock->isFloating() || !dock->isVisible()) continue;
      docks << dock;
      heights << dock->sizeHint().height();
    }
    if (docks.isEmpty()) return;
    const int rest = area_.height() - std::accumulate(heights.begin() + 1, heights.end(), 0);
    heights.front() = std::max(rest, int(area_.height() * kLeastShare));
    area_.resizeDocks(docks, heights, Qt::Vertical);
  };
  stack(left_);
  area_.resizeDocks({left_.front()}, {sizes_.left_dock}, Qt::Horizontal);
  if (mode_ != LayoutMode::kWide) return;
  stack(right_);
  area_.resizeDocks({right_.front()}, {sizes_.right_dock}, Qt::Horizontal);
}

bool ResponsiveLayout::update(int width, const Sizes& sizes) {
  sizes_ = sizes;
  const LayoutMode mode = layoutModeFor(width, sizes);
  if (mode == mode_) return false;
  apply(mode);
  return true;
}

void ResponsiveLayout::apply(LayoutMode mode) {
  if (mode_ == LayoutMode::kWide) wide_ = area_.saveState(kStateVersion);
  if (mode_ != LayoutMode::kWide) area_.restoreState(wide_, kStateVersion);
  mode_ = mode;
  const auto attached = [](const QDockWidget* dock) {
    return dock->isVisibleTo(dock->parentWidget()) && !dock->isFloating();
  };
  if (mode == LayoutMode::kTiny)
    for (const auto& side : {left_, right_})
      for (QDockWidget* dock : side)
        if (attached(dock)) dock->hide();
  if (mode != LayoutMode::kNarrow) return;
  // The right docks join the left ones: the first with the first, the others with the last.
  std::vector<QDockWidget*> hosts;
  std::copy_if(left_.begin(), left_.end(), std::back_inserter(hosts), attached);
  bool first = true;
  for (QDockWidget* dock : right_) {
    if (!attached(dock)) continue;
    if (hosts.empty()) {
      area_.addDockWidget(Qt::LeftDockWidgetArea, dock);
      hosts.push_back(dock);
    } else {
      area_.tabifyDockWidget(first ? hosts.front() : hosts.back(), dock);
    }
    first = false;
  }
  for (QDockWidget* host : hosts) host->raise();
}

void ResponsiveLayout::reset(const Sizes& sizes) {
  sizes_ = sizes;
  placeWide();
  const LayoutMode mode = mode_;
  mode_ = LayoutMode::kWide;
  if (mode != LayoutMode::kWide) apply(mode);
}

QByteArray ResponsiveLayout::save() const {
  return mode_ == LayoutMode::kWide ? area_.saveState(kStateVersion) : wide_;
}

bool ResponsiveLayout::restore(const QByteArray& state) {
  if (state.isEmpty()) return false;
  const LayoutMode mode = mode_;
  if (!area_.restoreState(state, kStateVersion)) return false;
  mode_ = LayoutMode::kWide;
  if (mode != LayoutMode::kWide) apply(mode);
  return true;
}

}  // namespace vitrine::ui
