#include "ui/views/spectra/head_graph_draw.h"

#include "core/figure/value_scale.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace vitrine::ui::spectra {
namespace {

constexpr float kMostDashes = 60;  // of one curve: long ones have longer dashes

struct DashLengths {
  float on, off;
};
DashLengths dashesOf(core::CompositionThrough kind, float width) {
  return kind == core::CompositionThrough::kKey ? DashLengths{7 + width, 4 + width}
                                                : DashLengths{1 + width, 2 + 1.5f * width};
}

void strokePath(ImDrawList& list, std::span<const ImVec2> path, Rgba color, float width,
                core::CompositionThrough kind) {
  if (kind == core::CompositionThrough::kQuery) {
    list.AddPolyline(path.data(), int(path.size()), color.abgr(), 0, width);
    return;
  }
  float whole = 0;
  for (std::size_t i = 0; i + 1 < path.size(); ++i)
    whole += std::hypot(path[i + 1].x - path[i].x, path[i + 1].y - path[i].y);
  DashLengths dash = dashesOf(kind, width);
  const float stretch = std::max(1.0f, whole / (kMostDashes * (dash.on + dash.off)));
  dash = {dash.on * stretch, dash.off * stretch};
  float along = 0;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    const ImVec2 from = path[i], to = path[i + 1];
    const float length = std::hypot(to.x - from.x, to.y - from.y);
    const auto place = [&](float at) {
      return ImVec2{from.x + (to.x - from.x) * at / length, from.y + (to.y - from.y) * at / length};
    };
    for (float at = 0; at < length;) {
      const float phase = std::fmod(along + at, dash.on + dash.off);
      const bool on = phase < dash.on;
      const float step = std::min(length - at, (on ? dash.on : dash.on + dash.off) - phase + 1e-3f);
      if (on) list.AddLine(place(at), place(at + step), color.abgr(), width);
      at += step;
    }
    along += length;
  }
}

}  // namespace

Rgba kindColor(const Theme& theme, core::CompositionThrough kind) {
  const Colors& colors = theme.colors;
  return kind == core::CompositionThrough::kQuery ? colors.query
         : kind == core::CompositionThrough::kKey ? colors.key
                                                  : colors.accent;
}

std::string_view formulaOf(core::CompositionThrough kind) {
  return kind == core::CompositionThrough::kQuery ? "‖QK₂ᵀ OV₁‖ / (‖QK₂‖ ‖OV₁‖)"
         : kind == core::CompositionThrough::kKey ? "‖QK₂ OV₁‖ / (‖QK₂‖ ‖OV₁‖)"
                                                  : "‖OV₂ OV₁‖ / (‖OV₂‖ ‖OV₁‖)";
}

std::string arrowText(const core::CompositionEdge& edge) {
  return fmt::format("{}.{} → {}.{}", edge.from_layer, edge.from_head, edge.to_layer, edge.to_head);
}

void strokeCurve(ImDrawList& list, const Curve& curve, Rgba color, float width,
                 core::CompositionThrough kind) {
  std::array<ImVec2, kCurvePoints> path;
  std::ranges::transform(curve, path.begin(), toIm);
  strokePath(list, path, color, width, kind);
}

void strokeLine(ImDrawList& list, ImVec2 from, ImVec2 to, Rgba color, float width,
                core::CompositionThrough kind) {
  strokePath(list, std::array{from, to}, color, width, kind);
}

void graphText(CanvasFrame& frame, ImVec2 at, Align align, Rgba color, const std::string& text, double width,
               int size) {
  drawLabel(*ImGui::GetWindowDrawList(), frame, at, align, {size, float(width), color, LabelFont::kInterface},
            text);
}

void graphDownText(CanvasFrame& frame, double x, double middle, double room, Rgba color,
                   const std::string& text) {
  const LabelStyle style{11, float(room), color, LabelFont::kInterface};
  const float length = frame.labels.get(text, 11, style.max_width, LabelFont::kInterface).width;
  drawLabelDown(*ImGui::GetWindowDrawList(), frame, {float(x), float(middle) - length / 2}, style, text);
}

void drawComponentBars(CanvasFrame& frame, const Rect& area, const core::ComponentChannel& channel,
                       double chance, double edge, Rgba color) {
  const Colors& colors = frame.theme.colors;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Rect plot{area.x0 + 48, area.y0 + 18, area.x1 - 16, area.y1 - 38};
  if (plot.width() < 40 || plot.height() < 30) return;
  const double most = std::max({channel.score.maxCoeff(), chance, edge}) * 1.05;
  const core::ValueScale scale{core::AxisScale::kLinear, 0, most};
  const auto yOf = [&](double value) { return plot.y1 - plot.height() * scale.position(value); };
  for (const core::Tick& tick : scale.ticks(std::size_t(std::max(2.0, plot.height() / 32)))) {
    if (tick.label.empty()) continue;
    const float y = float(yOf(tick.value));
    list.AddLine({float(plot.x0), y}, {float(plot.x1), y}, colors.hover.abgr());
    graphText(frame, {float(plot.x0 - 6), y}, Align::kRight, colors.text_secondary, tick.label);
  }
  const Eigen::Index count = channel.score.size(), best = channel.strongest();
  const double pitch = plot.width() / double(count);
  const double gap = pitch > 4 ? 1 : 0;
  const Point mouse = toPoint(ImGui::GetIO().MousePos);
  std::optional<Eigen::Index> hovered;
  if (plot.contains(mouse) && ImGui::IsWindowHovered())
    hovered = std::min(count - 1, Eigen::Index((mouse.x - plot.x0) / pitch));
  for (Eigen::Index i = 0; i < count; ++i) {
    const double x = plot.x0 + pitch * double(i);
    const bool strong = i == best || i == hovered;
    list.AddRectFilled({float(x), float(yOf(channel.score[i]))}, {float(x + pitch - gap), float(plot.y1)},
                       color.withAlpha(strong ? 255 : 120).abgr());
  }
  const auto mark = [&](double value, const std::string& text, Rgba of) {
    const float y = float(yOf(value));
    strokeLine(list, {float(plot.x0), y}, {float(plot.x1), y}, of, 1, core::CompositionThrough::kKey);
    const float wide = frame.labels.get(text, 11, 300, LabelFont::kInterface).width;
    list.AddRectFilled({float(plot.x1) - wide - 4, y - 16}, {float(plot.x1) + 2, y - 1},
                       colors.canvas.withAlpha(220).abgr(), 3);
    graphText(frame, {float(plot.x1), y - 8}, Align::kRight, of, text);
  };
  mark(edge, "edge", colors.text);
  if (std::abs(yOf(edge) - yOf(chance)) > 14) mark(chance, "chance", colors.text_secondary);
  graphText(frame, {float(plot.x0), float(plot.y1 + 10)}, Align::kLeft, colors.text_secondary, "0");
  graphText(frame, {float(plot.x1), float(plot.y1 + 10)}, Align::kRight, colors.text_secondary,
            std::to_string(count - 1));
  graphText(frame, {float(plot.center().x), float(plot.y1 + 26)}, Align::kCenter, colors.text_secondary,
            "component i of OV₁, the largest s first", plot.width() + 40);
  graphDownText(frame, area.x0 + 12, plot.center().y, plot.height(), colors.text_secondary, "score");
  if (!hovered) return;
  const Eigen::Index i = *hovered;
  drawTooltip(frame,
              {.title = fmt::format("Component {}", i),
               .rows = {{"its score ‖C₂ u‖ / ‖C₂‖", fmt::format("{:.4f}", channel.score[i]), colors.text},
                        {"share of score²", fmt::format("{:.1f} %", 100 * channel.share[i]), colors.text},
                        {"share of ‖OV₁‖²", fmt::format("{:.1f} %", 100 * channel.energy[i]), colors.text},
                        {"edge without it", fmt::format("{:.4f}", channel.without[i]), colors.text}},
               .hint = {}},
              {plot.x0 + pitch * double(i), yOf(channel.score[i]), plot.x0 + pitch * double(i + 1), plot.y1},
              {4, 4, frame.size.x - 4.0, frame.size.y - 4.0});
}

}  // namespace vitrine::ui::spectra
