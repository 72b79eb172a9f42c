#include "core/figure/colorbar_layout.h"

#include <algorithm>

#include "core/figure/axis_layout.h"
#include "core/figure/heat_map_layout.h"
#include "core/figure/ink.h"

namespace vitrine::core {
namespace {

constexpr double kThickness = 6.5;
constexpr double kArrow = 5;      // length of an arrow head
constexpr double kShortest = 48;  // a bar shorter than this says nothing
constexpr std::string_view kMaskedLabel = "masked";

// The bar as it runs: `along` from its low end to its high end, `across` from the plot's side outwards.
class Bar {
 public:
  Bar(ColorbarSide side, Point origin, double length) : side_(side), origin_(origin), length_(length) {}

  double length() const { return length_; }
  Point at(double along, double across) const {
    return side_ == ColorbarSide::kRight ? Point{origin_.x + across, origin_.y - along}
                                         : Point{origin_.x + along, origin_.y + across};
  }
  Rect box() const {
    return side_ == ColorbarSide::kRight ? Rect{origin_.x, origin_.y - length_, kThickness, length_}
                                         : Rect{origin_.x, origin_.y, length_, kThickness};
  }

 private:
  ColorbarSide side_;
  Point origin_;  // of the low end, at the side of the plot
  double length_;
};

void layoutColors(DrawingBuilder& out, const Bar& bar, ColorbarSide side, const ColorScale& color,
                  const ResolvedColors& colors) {
  std::span<const Rgb8> entries = colormap(color.map);
  Raster raster = {bar.box(), 1, entries.size(), {entries.begin(), entries.end()}};
  if (side == ColorbarSide::kRight)
    std::reverse(raster.pixels.begin(), raster.pixels.end());
  else
    std::swap(raster.width, raster.height);
  out.raster(std::move(raster));

  double middle = kThickness / 2, end = bar.length();
  std::vector<Point> outline = {bar.at(0, 0)};
  if (colors.below > 0) {
    out.polygon({bar.at(0, 0), bar.at(-kArrow, middle), bar.at(0, kThickness)}, entries.front());
    outline.push_back(bar.at(-kArrow, middle));
  }
  outline.insert(outline.end(), {bar.at(0, kThickness), bar.at(end, kThickness)});
  if (colors.above > 0) {
    out.polygon({bar.at(end, 0), bar.at(end + kArrow, middle), bar.at(end, kThickness)}, entries.back());
    outline.push_back(bar.at(end + kArrow, middle));
  }
  outline.insert(outline.end(), {bar.at(end, 0), bar.at(0, 0)});
  out.polyline(std::move(outline), {ink::kText, ink::kMinorWidth, {}});
}

// Returns how far the ticks and their labels reach from the plot's side of the bar.
double layoutTicks(DrawingBuilder& out, const Bar& bar, ColorbarSide side, const ValueScale& scale,
                   const TextFont& font) {
  TickLabels labels = side == ColorbarSide::kRight ? TickLabels::kStacked : TickLabels::kSideBySide;
  double reach = kThickness + ink::kTick;
  for (const Tick& t : fitTicks(scale, bar.length(), labels, TickCounting::kReal, font, out.measure())) {
    double along = scale.position(t.value) * bar.length();
    bool minor = t.label.empty();
    out.line(bar.at(along, kThickness), bar.at(along, kThickness + (minor ? ink::kMinorTick : ink::kTick)),
             {ink::kText, minor ? ink::kMinorWidth : ink::kAxisWidth, {}});
    if (minor) continue;
    Point place = bar.at(along, kThickness + ink::kTick + ink::kPad);
    TextExtent extent = out.measure().measure(t.label, font);
    bool right = side == ColorbarSide::kRight;
    out.text(t.label, place, font, ink::kText, right ? HorizontalAlign::kLeft : HorizontalAlign::kCenter,
             right ? VerticalAlign::kMiddle : VerticalAlign::kTop);
    double size = right ? extent.width : extent.ascent + extent.descent;
    reach = std::max(reach, kThickness + ink::kTick + ink::kPad + size);
  }
  return reach;
}

struct TitleLine {
  std::string text;
  TextFont font;
};

// Quantity and details on one line where there is room, else one below the other.
std::vector<TitleLine> titleLines(const ColorScale& color, double room, const LayoutContext& context) {
  TextFont font = {FontRole::kSans, context.preset.label_pt},
           small = {FontRole::kSans, context.preset.tick_pt};
  std::string quantity = labelWithUnit(color.quantity, color.unit), details = colorbarDetails(color);
  std::string whole = quantity.empty() ? details : quantity + ", " + details;
  if (context.measure.measure(whole, font).width <= room) return {{whole, font}};
  std::vector<TitleLine> lines;
  for (std::string& line : wrapText(quantity, font, room, context.measure))
    lines.push_back({std::move(line), font});
  for (std::string& line : wrapText(details, small, room, context.measure))
    lines.push_back({std::move(line), small});
  return lines;
}

void layoutTitle(DrawingBuilder& out, Point middle, const ColorScale& color, double room, double reach,
                 const LayoutContext& context) {
  bool right = context.colorbar == ColorbarSide::kRight;
  for (const TitleLine& line : titleLines(color, room, context)) {
    TextExtent extent = out.measure().measure(line.text, line.font);
    reach += ink::kPad / 2;
    if (right)
      out.verticalText(line.text, {middle.x + reach, middle.y}, line.font, ink::kText, HorizontalAlign::kLeft,
                       VerticalAlign::kMiddle);
    else
      out.text(line.text, {middle.x, middle.y + reach}, line.font, ink::kText, HorizontalAlign::kCenter,
               VerticalAlign::kTop);
    reach += extent.ascent + extent.descent;
  }
}

void layoutSwatch(DrawingBuilder& out, Point corner, MaskStyle style, const TextFont& font) {
  Rect box = {corner.x, corner.y, kThickness * 1.4, kThickness};
  out.rectangle(box, ink::kMasked);
  if (style == MaskStyle::kHatched)
    layoutHatching(out, box, 1, 1, [](std::size_t, std::size_t) { return true; });
  out.frame(box, {ink::kText, ink::kMinorWidth, {}});
  out.text(kMaskedLabel, {box.right() + ink::kPad, box.y + box.height / 2}, font, ink::kText,
           HorizontalAlign::kLeft, VerticalAlign::kMiddle);
}

}  // namespace

std::string colorbarDetails(const ColorScale& color) {
  std::string scale = color.scale == AxisScale::kLog ? "log scale" : "linear scale";
  return scale + (color.normalization.empty() ? "" : ", " + color.normalization);
}

void layoutColorbar(DrawingBuilder& out, const ColorScale& color, const ResolvedColors& colors,
                    const Rect& plot, double distance, MaskStyle mask, const LayoutContext& context) {
  TextFont tick_font = {FontRole::kSans, context.preset.tick_pt};
  bool swatch = colors.masked + colors.not_finite > 0;
  bool right = context.colorbar == ColorbarSide::kRight;
  double swatch_room = 0;
  if (swatch)
    swatch_room = right ? context.preset.tick_pt + 2 * ink::kGap
                        : kThickness * 1.4 + ink::kPad + 2 * ink::kGap +
                              context.measure.measure(kMaskedLabel, tick_font).width;
  double room = std::max(kShortest, (right ? plot.height : plot.width) - swatch_room);
  double low_arrow = colors.below > 0 ? kArrow : 0, high_arrow = colors.above > 0 ? kArrow : 0;
  double length = room - low_arrow - high_arrow;

  Point origin = right ? Point{plot.right() + distance, plot.y + room - low_arrow}
                       : Point{plot.x + low_arrow, plot.bottom() + distance};
  Bar bar(context.colorbar, origin, length);
  layoutColors(out, bar, context.colorbar, color, colors);
  double reach = layoutTicks(out, bar, context.colorbar, colors.scale, tick_font);
  // Below the bar the title may use the whole width of the plot, swatch included.
  Point middle = right ? bar.at(length / 2, 0) : Point{plot.x + plot.width / 2, origin.y};
  layoutTitle(out, middle, color, right ? plot.height : plot.width, reach, context);
  if (!swatch) return;
  if (right)
    layoutSwatch(out, {origin.x, plot.y + room + swatch_room - kThickness - 0.5}, mask, tick_font);
  else
    layoutSwatch(out, {plot.x + room + 2 * ink::kGap, origin.y}, mask, tick_font);
}

}  // namespace vitrine::core
