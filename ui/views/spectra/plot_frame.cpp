#include "ui/views/spectra/plot_frame.h"

#include <array>
#include <cmath>

namespace vitrine::ui::spectra {
namespace {

constexpr double kTitleRow = 28, kLegendRow = 20, kLeft = 62, kBottom = 42, kRight = 16, kTop = 8;
constexpr double kLow =
    250;  // below this height a plot has one row of legend, and its title names the x axis
constexpr double kLowBottom = 24;  // for the ticks alone
constexpr int kSmall = 11;
constexpr double kTickPitch = 64, kTickRows = 36;
constexpr float kDash = 5, kGap = 4;
constexpr float kEntryGap = 20, kMarkerRoom = 16, kLongestEntry = 220;

// Six that stand out from the ground, then what is left of Okabe and Ito's.
constexpr std::array<Rgba, 8> kOnDark = {rgb(0x56b4e9), rgb(0xe69f00), rgb(0x2fc191), rgb(0xcc79a7),
                                         rgb(0xf0e442), rgb(0xd55e00), rgb(0x9a86d8), rgb(0xe8eaee)};
constexpr std::array<Rgba, 8> kOnLight = {rgb(0x0072b2), rgb(0xd55e00), rgb(0x009e73), rgb(0xcc79a7),
                                          rgb(0xe69f00), rgb(0x56b4e9), rgb(0x6a52b3), rgb(0x1b1e24)};

void smallText(CanvasFrame& frame, ImVec2 at, Align align, Rgba color, const std::string& text,
               float width = 400) {
  drawLabel(*ImGui::GetWindowDrawList(), frame, at, align, {kSmall, width, color, LabelFont::kInterface},
            text);
}

float entryWidth(CanvasFrame& frame, const LegendEntry& entry) {
  return kMarkerRoom + frame.labels.get(entry.text, kSmall, kLongestEntry, LabelFont::kInterface).width +
         kEntryGap;
}

bool isLow(const Rect& area) {
  return area.height() < kLow;
}

std::string titleOf(const Rect& area, const PlotTexts& texts) {
  const bool named = texts.title.find(texts.x_label) != std::string::npos;
  return isLow(area) && !named ? texts.title + " by " + texts.x_label : texts.title;
}

void drawXTicks(CanvasFrame& frame, const PlotArea& plot, const PlotTexts& texts) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Colors& colors = frame.theme.colors;
  const auto most = std::size_t(std::max(2.0, plot.rect.width() / kTickPitch));
  const std::vector<core::Tick> ticks =
      texts.whole_x ? core::integerTicks(plot.x.low, plot.x.high, most) : plot.x.ticks(most);
  for (const core::Tick& tick : ticks) {
    if (tick.label.empty()) continue;
    const float x = float(std::round(plot.at(tick.value, plot.y.low).x));
    list.AddLine({x, float(plot.rect.y1)}, {x, float(plot.rect.y1 + 4)}, colors.control_border.abgr());
    smallText(frame, {x, float(plot.rect.y1 + 13)}, Align::kCenter, colors.text_secondary, tick.label);
  }
}

void drawYTicks(CanvasFrame& frame, const PlotArea& plot) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Colors& colors = frame.theme.colors;
  const auto most = std::size_t(std::max(2.0, plot.rect.height() / kTickRows));
  for (const core::Tick& tick : plot.y.ticks(most)) {
    if (tick.label.empty()) continue;
    const float y = float(std::round(plot.at(plot.x.low, tick.value).y));
    list.AddLine({float(plot.rect.x0), y}, {float(plot.rect.x1), y}, colors.field.abgr());
    smallText(frame, {float(plot.rect.x0 - 8), y}, Align::kRight, colors.text_secondary, tick.label);
  }
}

}  // namespace

Rgba seriesColor(const Theme& theme, std::size_t number) {
  const auto& colors = theme.appearance == Appearance::kDark ? kOnDark : kOnLight;
  return colors[number % colors.size()];
}

void drawMarker(ImDrawList& list, std::size_t number, ImVec2 at, float radius, Rgba color) {
  const ImU32 ink = color.abgr();
  const float r = radius, x = at.x, y = at.y;
  switch (number % 8) {
    case 0:
      return list.AddCircleFilled(at, r, ink);
    case 1:
      return list.AddTriangleFilled({x - r, y + r * 0.8f}, {x + r, y + r * 0.8f}, {x, y - r}, ink);
    case 2:
      return list.AddQuadFilled({x - r * 1.15f, y}, {x, y - r * 1.15f}, {x + r * 1.15f, y},
                                {x, y + r * 1.15f}, ink);
    case 3:
      return list.AddRectFilled({x - r * 0.9f, y - r * 0.9f}, {x + r * 0.9f, y + r * 0.9f}, ink);
    case 4:
      return list.AddTriangleFilled({x - r, y - r * 0.8f}, {x + r, y - r * 0.8f}, {x, y + r}, ink);
    case 5:
      list.AddLine({x - r, y - r}, {x + r, y + r}, ink, 2);
      return list.AddLine({x - r, y + r}, {x + r, y - r}, ink, 2);
    case 6:
      list.AddLine({x - r, y}, {x + r, y}, ink, 2);
      return list.AddLine({x, y - r}, {x, y + r}, ink, 2);
    default:
      return list.AddCircle(at, r - 0.5f, ink, 0, 1.5f);
  }
}

void dashedLine(ImDrawList& list, ImVec2 from, ImVec2 to, Rgba color) {
  const float dx = to.x - from.x, dy = to.y - from.y, length = std::hypot(dx, dy);
  for (float at = 0; at < length; at += kDash + kGap) {
    const float a = at / length, b = std::min(1.0f, (at + kDash) / length);
    list.AddLine({from.x + dx * a, from.y + dy * a}, {from.x + dx * b, from.y + dy * b}, color.abgr());
  }
}

void dashedPath(ImDrawList& list, const std::vector<ImVec2>& path, Rgba color) {
  float along = 0;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    const ImVec2 from = path[i], to = path[i + 1];
    const float length = std::hypot(to.x - from.x, to.y - from.y);
    for (float at = 0; at < length;) {
      const float phase = std::fmod(along + at, kDash + kGap);
      const float step = std::min(length - at, (phase < kDash ? kDash : kDash + kGap) - phase + 1e-3f);
      const auto place = [&](float t) {
        return ImVec2{from.x + (to.x - from.x) * t / length, from.y + (to.y - from.y) * t / length};
      };
      if (phase < kDash) list.AddLine(place(at), place(at + step), color.abgr(), 1.3f);
      at += step;
    }
    along += length;
  }
}

Point PlotArea::at(double x_value, double y_value) const {
  const auto place = [](const core::ValueScale& scale, double value) {
    const double position = scale.position(value);
    return std::isnan(position) ? 0 : std::clamp(position, -1.0, 2.0);
  };
  return {rect.x0 + rect.width() * place(x, x_value), rect.y1 - rect.height() * place(y, y_value)};
}

Rect plotRect(const Rect& area, std::size_t legend_rows) {
  return {area.x0 + kLeft, area.y0 + kTitleRow + kLegendRow * double(legend_rows) + kTop, area.x1 - kRight,
          area.y1 - (isLow(area) ? kLowBottom : kBottom)};
}

void drawAxes(CanvasFrame& frame, const Rect& area, const PlotArea& plot, const PlotTexts& texts) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Colors& colors = frame.theme.colors;
  const float title_y = float(area.y0 + 18);
  const float title = textSize(frame.fonts.interface(), titleOf(area, texts)).x;
  drawLabel(list, frame, {float(area.x0 + 16), title_y}, Align::kLeft,
            {13, float(area.width() - 32), colors.text, LabelFont::kInterface}, titleOf(area, texts));
  const float room = float(area.width()) - title - 64;
  if (room > 60)
    smallText(frame, {float(area.x1 - 16), title_y}, Align::kRight, colors.text_secondary, texts.note, room);
  if (plot.rect.width() < 40 || plot.rect.height() < 30) return;
  drawYTicks(frame, plot);
  drawXTicks(frame, plot, texts);
  const ImU32 axis = colors.control_border.abgr();
  list.AddLine({float(plot.rect.x0), float(plot.rect.y0)}, {float(plot.rect.x0), float(plot.rect.y1)}, axis);
  list.AddLine({float(plot.rect.x0), float(plot.rect.y1)}, {float(plot.rect.x1), float(plot.rect.y1)}, axis);
  if (!isLow(area))
    smallText(frame, {float(plot.rect.center().x), float(plot.rect.y1 + 31)}, Align::kCenter,
              colors.text_secondary, texts.x_label);
  const LabelStyle down{kSmall, float(plot.rect.height()), colors.text_secondary, LabelFont::kInterface};
  const float length = frame.labels.get(texts.y_label, kSmall, down.max_width, LabelFont::kInterface).width;
  drawLabelDown(list, frame, {float(area.x0 + 16), float(plot.rect.center().y) - length / 2}, down,
                texts.y_label);
}

std::size_t legendRows(CanvasFrame& frame, const Rect& area, const std::vector<LegendEntry>& entries) {
  std::size_t rows = entries.empty() ? 0 : 1;
  double x = 0;
  for (const LegendEntry& entry : entries) {
    const float width = entryWidth(frame, entry);
    if (x > 0 && x + double(width) > area.width() - kLeft - kRight) ++rows, x = 0;
    x += double(width);
  }
  return isLow(area) ? std::min<std::size_t>(rows, 1) : rows;
}

std::optional<std::size_t> drawLegend(CanvasFrame& frame, const Rect& area,
                                      const std::vector<LegendEntry>& entries) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  std::optional<std::size_t> hovered;
  const double left = area.x0 + kLeft;
  double x = left, y = area.y0 + kTitleRow + kLegendRow / 2 + 4;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const LegendEntry& entry = entries[i];
    const float width = entryWidth(frame, entry);
    if (x > left && x + double(width) > area.x1 - kRight) {
      if (isLow(area)) {  // the table and the points' tooltips tell the others
        smallText(frame, {float(x), float(y)}, Align::kLeft, frame.theme.colors.text_secondary,
                  fmt::format("+{}", entries.size() - i));
        break;
      }
      x = left;
      y += kLegendRow;
    }
    const Rgba color = seriesColor(frame.theme, entry.number);
    drawMarker(list, entry.number, {float(x + 5), float(y)}, 4, entry.dimmed ? color.withAlpha(110) : color);
    smallText(frame, {float(x) + kMarkerRoom, float(y)}, Align::kLeft,
              entry.dimmed ? frame.theme.colors.text_disabled : frame.theme.colors.text_secondary, entry.text,
              kLongestEntry);
    const Rect place{x, y - kLegendRow / 2, x + double(width) - 8, y + kLegendRow / 2};
    if (place.contains(toPoint(ImGui::GetIO().MousePos)) && ImGui::IsWindowHovered()) hovered = i;
    x += double(width);
  }
  return hovered;
}

}  // namespace vitrine::ui::spectra
