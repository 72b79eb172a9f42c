#include "core/figure/axis_layout.h"

#include <algorithm>
#include <cmath>

#include "core/figure/ink.h"

namespace vitrine::core {
namespace {

constexpr std::size_t kMostNamesSkipped = 3;  // beyond every third name, numbers say more
constexpr double kLongestName = 0.22;         // of the preset's width; longer names are elided

double lengthOf(const Rect& plot, AxisSide side) {
  return side == AxisSide::kBottom ? plot.width : plot.height;
}

Point outside(const Rect& plot, AxisSide side, double along, double distance) {
  return side == AxisSide::kBottom ? Point{along, plot.bottom() + distance} : Point{plot.x - distance, along};
}

void tick(DrawingBuilder& out, const Rect& plot, AxisSide side, double along, double length, double width) {
  out.line(outside(plot, side, along, 0), outside(plot, side, along, length), {ink::kText, width, {}});
}

double layoutNumbers(DrawingBuilder& out, const AxisMap& map, AxisSide side, TickCounting counting,
                     const Rect& plot, const FigurePreset& preset) {
  TextFont font = {FontRole::kSans, preset.tick_pt};
  TickLabels labels = side == AxisSide::kBottom ? TickLabels::kSideBySide : TickLabels::kStacked;
  double reach = ink::kTick;
  for (const Tick& t : fitTicks(map.scale, lengthOf(plot, side), labels, counting, font, out.measure())) {
    double at = map.at(t.value);
    bool minor = t.label.empty();
    tick(out, plot, side, at, minor ? ink::kMinorTick : ink::kTick,
         minor ? ink::kMinorWidth : ink::kAxisWidth);
    if (minor) continue;
    Point place = outside(plot, side, at, ink::kTick + ink::kPad);
    TextExtent extent = out.measure().measure(t.label, font);
    if (side == AxisSide::kBottom)
      out.text(t.label, place, font, ink::kText, HorizontalAlign::kCenter, VerticalAlign::kTop);
    else
      out.text(t.label, place, font, ink::kText, HorizontalAlign::kRight, VerticalAlign::kMiddle);
    double size = side == AxisSide::kBottom ? extent.ascent + extent.descent : extent.width;
    reach = std::max(reach, ink::kTick + ink::kPad + size);
  }
  return reach;
}

double layoutNames(DrawingBuilder& out, const Axis& axis, const AxisMap& map, AxisSide side, const Rect& plot,
                   const FigurePreset& preset, const CategoryFit& fit) {
  TextFont font = {axis.category_font, fit.font_size};
  double pitch = lengthOf(plot, side) / static_cast<double>(axis.categories.size());
  double longest = kLongestName * preset.width_in * 72;
  std::vector<std::string> names;
  double widest = 0;
  for (std::size_t i = 0; i < axis.categories.size(); i += fit.stride) {
    names.push_back(elideMiddle(axis.categories[i], font, longest, out.measure()));
    widest = std::max(widest, out.measure().measure(names.back(), font).width);
  }
  bool lying = side == AxisSide::kBottom && widest <= pitch * static_cast<double>(fit.stride) * 0.85;
  double pad = fit.stride > 1 ? ink::kTick + ink::kPad : ink::kPad;
  for (std::size_t i = 0; i < names.size(); ++i) {
    double at = map.at(static_cast<double>(i * fit.stride));
    if (fit.stride > 1) tick(out, plot, side, at, ink::kTick, ink::kMinorWidth);
    Point place = outside(plot, side, at, pad);
    if (side == AxisSide::kLeft)
      out.text(names[i], place, font, ink::kText, HorizontalAlign::kRight, VerticalAlign::kMiddle);
    else if (lying)
      out.text(names[i], place, font, ink::kText, HorizontalAlign::kCenter, VerticalAlign::kTop);
    else
      out.verticalText(names[i], place, font, ink::kText, HorizontalAlign::kCenter, VerticalAlign::kTop);
  }
  TextExtent line = out.measure().measure("Ag", font);
  return pad + (lying ? line.ascent + line.descent : widest);
}

}  // namespace

CategoryFit fitCategories(std::size_t count, double pitch, const FigurePreset& preset) {
  CategoryFit fit;
  if (count > 0 && pitch < preset.min_token_pt)
    fit.stride = static_cast<std::size_t>(std::ceil(preset.min_token_pt / std::max(pitch, 1e-6)));
  fit.font_size =
      std::clamp(pitch * static_cast<double>(fit.stride), preset.min_token_pt, preset.max_token_pt);
  fit.names = fit.stride <= kMostNamesSkipped;
  return fit;
}

std::vector<Tick> fitTicks(const ValueScale& scale, double length, TickLabels labels, TickCounting counting,
                           const TextFont& font, const TextMeasure& measure) {
  auto ticksFor = [&](std::size_t most) {
    return counting == TickCounting::kWhole ? integerTicks(scale.low, scale.high, most) : scale.ticks(most);
  };
  auto touching = [&](const std::vector<Tick>& ticks) {
    double end = -1e300;
    for (const Tick& t : ticks) {
      if (t.label.empty()) continue;
      TextExtent extent = measure.measure(t.label, font);
      double size = labels == TickLabels::kSideBySide ? extent.width + font.size * 0.8 : font.size * 1.6;
      double center = scale.position(t.value) * length;
      if (center - size / 2 < end) return true;
      end = center + size / 2;
    }
    return false;
  };
  std::size_t most = std::clamp<std::size_t>(static_cast<std::size_t>(length / (font.size * 2.2)), 2, 7);
  std::vector<Tick> ticks = ticksFor(most);
  while (most > 1 && touching(ticks)) ticks = ticksFor(--most);
  return ticks;
}

double layoutAxis(DrawingBuilder& out, const Axis& axis, const AxisMap& map, AxisSide side,
                  TickCounting counting, const Rect& plot, const FigurePreset& preset) {
  double length = lengthOf(plot, side), reach = 0;
  CategoryFit fit =
      fitCategories(axis.categories.size(), length / std::max<double>(1, axis.categories.size()), preset);
  if (!axis.categories.empty() && fit.names)
    reach = layoutNames(out, axis, map, side, plot, preset, fit);
  else
    reach = layoutNumbers(out, map, side, axis.categories.empty() ? counting : TickCounting::kWhole, plot,
                          preset);

  TextFont font = {FontRole::kSans, preset.label_pt};
  std::vector<std::string> lines =
      wrapText(labelWithUnit(axis.label, axis.unit), font, std::max(length, 60.0), out.measure());
  if (side == AxisSide::kLeft) std::reverse(lines.begin(), lines.end());
  for (const std::string& line : lines) {
    TextExtent extent = out.measure().measure(line, font);
    reach += ink::kPad;
    if (side == AxisSide::kBottom)
      out.text(line, {plot.x + plot.width / 2, plot.bottom() + reach}, font, ink::kText,
               HorizontalAlign::kCenter, VerticalAlign::kTop);
    else
      out.verticalText(line, {plot.x - reach, plot.y + plot.height / 2}, font, ink::kText,
                       HorizontalAlign::kRight, VerticalAlign::kMiddle);
    reach += extent.ascent + extent.descent;
  }
  return reach;
}

}  // namespace vitrine::core
