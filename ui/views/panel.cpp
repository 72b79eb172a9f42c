#include "ui/views/panel.h"

#include <algorithm>
#include <cmath>

#include "ui/views/tooltip_place.h"

namespace vitrine::ui {

std::string headName(const core::ModelSummary& model, Head head) {
  std::string name = fmt::format("Layer {} · Head {}", head.layer, head.head);
  if (const auto keys = model.sharedKeys(head.layer, head.head)) name += fmt::format(" (kv {})", *keys);
  return name;
}

std::string number(double value) {
  if (std::isnan(value)) return "–";
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size >= 100) return fmt::format("{:.0f}", value);
  if (size >= 10) return fmt::format("{:.1f}", value);
  if (size >= 0.1) return fmt::format("{:.3f}", value);
  const int exponent = int(std::floor(std::log10(size)));
  if (exponent >= -3) return fmt::format("{:.{}f}", value, 2 - exponent);
  return fmt::format("{:.2f}e{}", value / std::pow(10.0, exponent), exponent);
}

void drawTooltip(CanvasFrame& frame, const Tooltip& tooltip, const Rect& target, const Rect& bounds) {
  constexpr float kPad = 10, kRow = 20, kTitle = 22, kColumnGap = 16, kTokenWidth = 170;
  constexpr int kTokenSize = 12, kNameSize = 13, kHintSize = 11;
  constexpr float kLongest = 460;
  const Colors& colors = frame.theme.colors;
  // All of it may have letters that the atlas lacks: σ₁, or a name in any script.
  const LabelStyle title{tooltip.mono_title ? kTokenSize : kNameSize, kLongest, colors.text,
                         tooltip.mono_title ? LabelFont::kMono : LabelFont::kInterface};
  const LabelStyle name{kNameSize, kLongest, colors.text_secondary, LabelFont::kInterface};
  const LabelStyle hint{kHintSize, kLongest, colors.text_secondary, LabelFont::kInterface};
  const auto widthOf = [&](const LabelStyle& style, const std::string& text) {
    return text.empty() ? 0 : frame.labels.get(text, style.size, style.max_width, style.font).width;
  };
  float names = 0, values = 0;
  for (const TooltipRow& row : tooltip.rows) {
    names = std::max(names, widthOf(name, row.name));
    values = std::max(values, frame.labels.get(row.value, kTokenSize, kTokenWidth).width);
  }
  float inner = tooltip.rows.empty() ? 0 : names + kColumnGap + values;
  inner = std::max(inner, widthOf(title, tooltip.title));
  inner = std::max(inner, widthOf(hint, tooltip.hint));
  const float width = std::ceil(inner) + 2 * kPad;
  const float height =
      kTitle + kRow * float(tooltip.rows.size()) + (tooltip.hint.empty() ? 0 : kRow) + 2 * kPad - 6;
  const ImVec2 corner = toIm(placeTooltip(target, width, height, bounds));
  const ImVec2 at{std::round(corner.x), std::round(corner.y)}, end{at.x + width, at.y + height};

  ImDrawList& list = *ImGui::GetForegroundDrawList();
  const float rounding = float(frame.theme.sizes.corner);
  for (float spread : {6.0f, 3.0f, 1.0f})  // a soft shadow
    list.AddRectFilled({at.x - spread, at.y - spread + 2}, {end.x + spread, end.y + spread + 2},
                       colors.shadow.withAlpha(std::uint8_t(colors.shadow.a / 5)).abgr(), rounding + spread);
  list.AddRectFilled(at, end, colors.tooltip.abgr(), rounding);
  list.AddRect(at, end, colors.control_border.abgr(), rounding);
  float y = at.y + kPad - 3 + kTitle / 2;
  drawLabel(list, frame, {at.x + kPad, y}, Align::kLeft, title, tooltip.title);
  y += kTitle / 2 + kRow / 2;
  for (const TooltipRow& row : tooltip.rows) {
    drawLabel(list, frame, {at.x + kPad, y}, Align::kLeft, name, row.name);
    drawLabel(list, frame, {end.x - kPad, y}, Align::kRight, {kTokenSize, kTokenWidth, row.color}, row.value);
    y += kRow;
  }
  if (!tooltip.hint.empty()) drawLabel(list, frame, {at.x + kPad, y}, Align::kLeft, hint, tooltip.hint);
}

}  // namespace vitrine::ui
