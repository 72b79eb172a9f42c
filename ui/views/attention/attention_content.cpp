#include "ui/views/attention/attention_content.h"

#include <algorithm>
#include <cmath>

namespace vitrine::ui::attention {
namespace {

constexpr double kNarrowCanvas = 460;  // below this width there is room for the map only
constexpr int kPage = 10;              // tokens that Page Up and Page Down move

bool isArrow(int key) {
  return key == Qt::Key_Left || key == Qt::Key_Right || key == Qt::Key_Up || key == Qt::Key_Down;
}

Direction directionOf(int key) {
  switch (key) {
    case Qt::Key_Left:
      return Direction::kLeft;
    case Qt::Key_Right:
      return Direction::kRight;
    case Qt::Key_Up:
      return Direction::kUp;
    default:
      return Direction::kDown;
  }
}

}  // namespace

void AttentionContent::draw(CanvasFrame& frame) {
  static const core::Snapshot kNothing;
  const auto snapshot = snapshot_;  // the same for the whole frame
  const PanelContext context{snapshot ? *snapshot : kNothing, selection_, settings_};
  for (const KeyPress& press : frame.keys) handleKey(press, context);
  const double bar_height = frame.theme.sizes.view_bar;
  const Rect area{0, 0, frame.size.x, frame.size.y};
  const Rect bar{0, 0, area.x1, std::min(bar_height, area.y1)};
  const Rect pictures{0, bar.y1, area.x1, area.y1};
  probes_ = {};
  if (!drawState(frame, context, pictures) && !pictures.empty()) drawPanels(frame, context, pictures);
  drawViewBar(frame, context, bar, bar_);
  overview_.setSort(bar_.sort);
}

void AttentionContent::drawPanels(CanvasFrame& frame, const PanelContext& context, const Rect& area) {
  const bool room = area.width() >= kNarrowCanvas && bar_.overview == OverviewState::kShown;
  double split = area.x0;
  if (room) {
    const double preferred = overview_.preferredWidth(context, area.width(), area.height());
    split = area.x0 + std::clamp(overview_width_.value_or(preferred), 120.0, area.width() * 0.7);
    const Rect left{area.x0, area.y0, split, area.y1};
    if (overview_.draw(frame, context, left)) bar_.overview = OverviewState::kHidden;
    drawSplitter(frame, area, split);
  }
  const Rect right{split, area.y0, area.x1, area.y1};
  if (room) probes_.overview = overview_.request(context);
  if (!context.hasMap(selection_.head())) {
    drawNoMap(frame, context, right);
    return;
  }
  map_.draw(frame, context, right);
  const std::string mixer = context.snapshot.model->impliedBy(selection_.head().layer);
  if (!mixer.empty())
    drawLabel(
        *ImGui::GetWindowDrawList(), frame, {float(right.x0 + 12), float(right.y0 + 9)}, Align::kLeft,
        {11, float(right.width() - 24), frame.theme.colors.text_secondary, LabelFont::kInterface},
        fmt::format("Map implied by {}: |weight of a key's value in the output|, each row divided by its sum",
                    mixer));
  probes_.map = map_.request(context);
}

void AttentionContent::drawNoMap(CanvasFrame& frame, const PanelContext& context, const Rect& area) {
  const Head head = selection_.head();
  const core::LayerSummary& layer = context.snapshot.model->layer_kinds[head.layer];
  const std::string why =
      layer.heads > 0 ? fmt::format("It has {} heads, fewer than others.", layer.heads) : layer.no_map;
  drawMessage(frame,
              {.title = layer.heads > 0 ? fmt::format("Layer {} has no head {}", head.layer, head.head)
                                        : fmt::format("Layer {} has no map", head.layer),
               .text = why + " Choose another layer on the left.",
               .color = frame.theme.colors.text},
              area);
}

void AttentionContent::drawSplitter(CanvasFrame& frame, const Rect& area, double x) {
  constexpr double kGrip = 4;
  const Colors& colors = frame.theme.colors;
  ImGui::SetCursorScreenPos({float(x - kGrip), float(area.y0)});
  ImGui::InvisibleButton("splitter", {float(2 * kGrip), float(area.height())});
  const bool used = ImGui::IsItemHovered() || ImGui::IsItemActive();
  if (used) frame.cursor = ImGuiMouseCursor_ResizeEW;
  if (ImGui::IsItemActive()) overview_width_ = ImGui::GetIO().MousePos.x - area.x0;
  if (ImGui::IsItemHovered() && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) overview_width_.reset();
  ImGui::GetWindowDrawList()->AddRectFilled({float(x - 1), float(area.y0)}, {float(x), float(area.y1)},
                                            (used ? colors.accent : colors.line).abgr());
}

bool AttentionContent::wantsKey(const KeyPress& press) const {
  const auto modifiers = press.modifiers & ~(Qt::KeypadModifier | Qt::ShiftModifier);
  if (isArrow(press.key)) return modifiers == Qt::NoModifier || modifiers == Qt::ControlModifier;
  if (modifiers != Qt::NoModifier) return false;
  switch (press.key) {
    case Qt::Key_Escape:
      return selection_.isLocked() || bar_.overview == OverviewState::kHidden ||
             ImGui::IsPopupOpen(nullptr, ImGuiPopupFlags_AnyPopup);
    case Qt::Key_F:
    case Qt::Key_Plus:
    case Qt::Key_Equal:
    case Qt::Key_Minus:
    case Qt::Key_Home:
    case Qt::Key_End:
    case Qt::Key_PageUp:
    case Qt::Key_PageDown:
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_O:
    case Qt::Key_S:
    case Qt::Key_L:
    case Qt::Key_C:
    case Qt::Key_P:
      return true;
    default:
      return false;
  }
}

void AttentionContent::handleKey(const KeyPress& press, const PanelContext& context) {
  if (ImGui::IsPopupOpen(nullptr, ImGuiPopupFlags_AnyPopup)) return;  // the list takes it
  const bool control = press.modifiers.testFlag(Qt::ControlModifier);
  if (isArrow(press.key)) {
    // Arrows move the locked cell, or the head while nothing is locked; with Ctrl always the head.
    if (control || !selection_.isLocked())
      overview_.move(selection_, directionOf(press.key));
    else
      moveCell(press);
    return;
  }
  const Point middle = map_.viewport().plot().center();
  switch (press.key) {
    case Qt::Key_Escape:
      if (selection_.isLocked())
        selection_.unlock();
      else
        bar_.overview = OverviewState::kShown;
      break;
    case Qt::Key_F:
      map_.viewport().fit();
      break;
    case Qt::Key_Plus:
    case Qt::Key_Equal:
      map_.viewport().zoomAt(middle, 1.25);
      break;
    case Qt::Key_Minus:
      map_.viewport().zoomAt(middle, 1 / 1.25);
      break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_O:
      bar_.overview = bar_.overview == OverviewState::kShown ? OverviewState::kHidden : OverviewState::kShown;
      break;
    case Qt::Key_S:
      bar_.sort = nextSort(bar_.sort);
      break;
    case Qt::Key_L:
      settings_.setScale(settings_.scale() == Scale::kLog ? Scale::kLinear : Scale::kLog);
      break;
    case Qt::Key_C:
      settings_.setColormap(nextColormap(settings_.colormap()));
      break;
    case Qt::Key_P:
      settings_.setPooling(settings_.pooling() == core::Pooling::kMax ? core::Pooling::kMean
                                                                      : core::Pooling::kMax);
      break;
    default:
      if (context.tokens() > 0) moveCell(press);
      break;
  }
}

void AttentionContent::moveCell(const KeyPress& press) {
  const int step = press.modifiers.testFlag(Qt::ShiftModifier) ? kPage : 1;
  constexpr int kFar = 1 << 24;
  switch (press.key) {
    case Qt::Key_Left:
      selection_.moveKey(-step);
      break;
    case Qt::Key_Right:
      selection_.moveKey(step);
      break;
    case Qt::Key_Up:
      selection_.moveQuery(-step);
      break;
    case Qt::Key_Down:
      selection_.moveQuery(step);
      break;
    case Qt::Key_PageUp:
      selection_.moveQuery(-kPage);
      break;
    case Qt::Key_PageDown:
      selection_.moveQuery(kPage);
      break;
    case Qt::Key_Home:
      selection_.moveQuery(-kFar);
      break;
    case Qt::Key_End:
      selection_.moveQuery(kFar);
      break;
    default:
      return;
  }
  map_.showLocked();
}

bool AttentionContent::drawState(CanvasFrame& frame, const PanelContext& context, const Rect& area) {
  auto message = missingSubject(context, frame.theme.colors, "every head's attention");
  if (!message && (context.layers() == 0 || context.heads() == 0))
    message = {.title = "No layer of this model has a map",
               .text = fmt::format("{} Its state is seen in Memory.",
                                   context.layers() > 0 ? context.snapshot.model->layer_kinds[0].no_map : ""),
               .color = frame.theme.colors.text};
  if (!message) return false;
  if (drawMessage(frame, *message, area) && wish_) wish_(message->wish);
  return true;
}

}  // namespace vitrine::ui::attention
