#include "ui/views/routing/routing_content.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/figure/colormap.h"
#include "ui/views/attention/view_bar.h"

namespace vitrine::ui::routing {
namespace {

constexpr double kTitle = 44;      // room of a panel's heading
constexpr double kRowLabels = 34;  // layer or expert numbers
constexpr double kColumnLabels = 20;
constexpr double kShares = 96;  // bars at the right of the tokens
constexpr double kMargin = 12;
constexpr double kLabelPitch = 14;  // least room of a number beside a row
constexpr double kLeastColumn = 3;  // pixels of a column of tokens
constexpr double kMostColumn = 18;
constexpr double kMostRow = 40;
constexpr int kPage = 10;

void fill(const Rect& rect, Rgba color) {
  ImGui::GetWindowDrawList()->AddRectFilled(low(rect), high(rect), color.abgr());
}

void frameAround(const Rect& rect, Rgba color) {
  ImGui::GetWindowDrawList()->AddRect(low(rect.expanded(1)), high(rect.expanded(1)), color.abgr(), 1, 0, 2);
}

std::string percent(double share) {
  return fmt::format("{:.1f} %", 100 * share);
}

void heading(CanvasFrame& frame, const Rect& area, const std::string& title, const std::string& text) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  drawText(list, frame.fonts.interface(), {float(area.x0 + kMargin), float(area.y0 + 14)}, Align::kLeft,
           frame.theme.colors.text, title);
  drawLabel(list, frame, {float(area.x0 + kMargin), float(area.y0 + 32)}, Align::kLeft,
            {11, float(area.width() - 2 * kMargin), frame.theme.colors.text_secondary, LabelFont::kInterface},
            text);
}

// Every so many of `count` labels, so that they have room.
std::uint32_t labelStep(double pitch) {
  std::uint32_t step = 1;
  while (step * pitch < kLabelPitch) step *= step == 1 || step % 5 == 0 ? (step == 1 ? 5 : 2) : 2;
  return step;
}

// Tokens of a column: one, or as many as keep the columns at their least width.
struct Columns {
  std::uint32_t tokens = 0, each = 1, count = 0;
  double width = 0;

  Columns(std::uint32_t all, double room) : tokens(all) {
    const double fits = std::max(1.0, std::floor(room / kLeastColumn));
    each = std::max(1u, std::uint32_t(std::ceil(all / fits)));
    count = (all + each - 1) / each;
    width = std::min(kMostColumn, room / std::max(1u, count));
  }
  std::uint32_t of(std::uint32_t token) const { return token / each; }
};

}  // namespace

Rgba RoutingContent::color(double position) const {
  const core::Rgb8 c = core::sampleColormap(settings_.colormap(), position);
  return {c.r, c.g, c.b, 255};
}

void RoutingContent::draw(CanvasFrame& frame) {
  static const core::Snapshot kNothing;
  const auto snapshot = snapshot_;  // the same for the whole frame
  const PanelContext context{snapshot ? *snapshot : kNothing, selection_, settings_};
  const Rect area{0, 0, frame.size.x, frame.size.y};
  const Colors& colors = frame.theme.colors;
  probes_ = {};
  auto message = missingSubject(context, colors, "which experts its tokens go to");
  if (!message) {
    probes_.routing = true;
    update(context.snapshot.routing);
    if (routing_ && routing_->layers.empty())
      message = {.title = "This model has no experts",
                 .text = fmt::format("{} gives every token the same weights: there is no router to watch.",
                                     context.snapshot.model->name),
                 .color = colors.text};
  }
  if (message) {
    if (drawMessage(frame, *message, area) && wish_) wish_(message->wish);
    return;
  }
  if (!routing_ || routing_->tokens == 0) return;  // on its way
  for (const KeyPress& press : frame.keys) handleKey(press);
  const Scene scene{frame, context, *routing_, shownLayer()};
  order_ = byLoad(loads_[scene.shown]);
  if (!by_load_) std::ranges::sort(order_);
  const double split = std::round(std::clamp(area.width() * 0.38, 220.0, 620.0));
  drawLoads(scene, {0, 0, split, area.y1});
  fill({split - 1, 0, split, area.y1}, colors.line);
  drawTokens(scene, {split, 0, area.x1, area.y1});
}

void RoutingContent::update(const std::shared_ptr<const core::RoutingPicture>& routing) {
  if (routing == routing_) return;
  routing_ = routing;
  loads_.clear();
  largest_share_ = 0;
  if (!routing_) return;
  for (const core::LayerRouting& layer : routing_->layers) {
    loads_.push_back(loadOf(layer));
    for (const double share : loads_.back().share) largest_share_ = std::max(largest_share_, share);
  }
}

std::size_t RoutingContent::shownLayer() const {
  const auto& layers = routing_->layers;
  const auto found =
      std::ranges::lower_bound(layers, selection_.head().layer, {}, &core::LayerRouting::layer);
  return std::size_t(std::min(found, layers.end() - 1) - layers.begin());
}

void RoutingContent::drawLoads(const Scene& scene, const Rect& area) {
  CanvasFrame& frame = scene.frame;
  const Colors& colors = frame.theme.colors;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  heading(frame, area, "Load of the experts",
          fmt::format("share of the choices of {} tokens, 0 to {}", scene.routing.tokens,
                      percent(largest_share_)));
  std::uint32_t most = 0;
  for (const core::LayerRouting& layer : scene.routing.layers) most = std::max(most, layer.experts);
  const std::size_t rows = scene.routing.layers.size();
  Rect plot{area.x0 + kRowLabels, area.y0 + kTitle + kColumnLabels, area.x1 - kMargin, area.y1 - kMargin};
  const double height = std::min(kMostRow, plot.height() / double(rows));
  plot.y1 = plot.y0 + height * double(rows);
  if (plot.empty()) return;
  const double width = plot.width() / most;
  const double gap = std::min(width, height) >= 8 ? 1 : 0;
  const auto query = selection_.query();
  for (std::size_t row = 0; row < rows; ++row) {
    const core::LayerRouting& layer = scene.routing.layers[row];
    const double y = plot.y0 + height * double(row);
    for (std::uint32_t expert = 0; expert < layer.experts; ++expert) {
      const double x = plot.x0 + width * expert;
      const Rect cell{x, y, x + width - gap, y + height - gap};
      fill(cell, color(loads_[row].share[expert] / largest_share_));
      if (query && *query < scene.routing.tokens && weightOf(layer, *query, expert) && gap > 0)
        frameAround(cell.expanded(-1), colors.query);
    }
    if (row % labelStep(height) == 0 || row == scene.shown)
      drawText(list, frame.fonts.header(), {float(plot.x0 - 7), float(y + height / 2)}, Align::kRight,
               row == scene.shown ? colors.query : colors.text_secondary, fmt::format("{}", layer.layer));
  }
  for (std::uint32_t expert = 0; expert < most; expert += labelStep(width * 0.7))
    drawText(list, frame.fonts.header(), {float(plot.x0 + width * (expert + 0.5)), float(plot.y0 - 9)},
             Align::kCenter, colors.text_secondary, fmt::format("{}", expert));
  const double y = plot.y0 + height * double(scene.shown);
  list.AddRect({float(plot.x0 - 1), float(y - 1)}, {float(plot.x1 + 1), float(y + height)},
               colors.text_secondary.abgr(), 2);
  drawLoadHover(scene, plot);
}

void RoutingContent::drawLoadHover(const Scene& scene, const Rect& plot) {
  const Point mouse = toPoint(ImGui::GetIO().MousePos);
  if (!plot.contains(mouse)) return;
  const double height = plot.height() / double(scene.routing.layers.size());
  const auto row = std::size_t((mouse.y - plot.y0) / height);
  const core::LayerRouting& layer = scene.routing.layers[row];
  std::uint32_t most = 0;
  for (const core::LayerRouting& other : scene.routing.layers) most = std::max(most, other.experts);
  const double width = plot.width() / most;
  const auto expert = std::uint32_t((mouse.x - plot.x0) / width);
  if (expert >= layer.experts) return;
  if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) selection_.setHead({layer.layer, selection_.head().head});
  const Rgba text = scene.frame.theme.colors.text;
  const double x = plot.x0 + width * expert, y = plot.y0 + height * double(row);
  drawTooltip(scene.frame,
              {.title = fmt::format("Layer {} · Expert {}", layer.layer, expert),
               .rows = {{"Share of choices", percent(loads_[row].share[expert]), text},
                        {"If all were used alike", percent(1.0 / layer.experts), text}},
               .hint = "click: show the layer's tokens"},
              {x, y, x + width, y + height}, {4, 4, scene.frame.size.x - 4.0, scene.frame.size.y - 4.0});
}

void RoutingContent::drawSummary(const Scene& scene, const Rect& area) {
  const core::LayerRouting& layer = scene.layer();
  const ExpertLoad& load = loads_[scene.shown];
  heading(scene.frame, area,
          fmt::format("Layer {} · {} experts, top {}", layer.layer, layer.experts, layer.top_k),
          fmt::format("load entropy {:.2f} of {:.2f} bit · busiest: expert {} with {}, {:.1f} × the mean · "
                      "colour: weight, 0 to 1 · order: {} (S)",
                      load.entropy, std::log2(double(layer.experts)), load.busiest,
                      percent(load.share[load.busiest]), load.imbalance, by_load_ ? "load" : "number"));
}

void RoutingContent::drawTokens(const Scene& scene, const Rect& area) {
  drawSummary(scene, area);
  const core::LayerRouting& layer = scene.layer();
  const Colors& colors = scene.frame.theme.colors;
  Rect plot{area.x0 + kRowLabels, area.y0 + kTitle + kColumnLabels, area.x1 - kShares - kMargin,
            area.y1 - kMargin};
  const double height = std::min(kMostRow, plot.height() / layer.experts);
  plot.y1 = plot.y0 + height * layer.experts;
  if (plot.empty()) return;
  const Columns columns(scene.routing.tokens, plot.width());
  plot.x1 = plot.x0 + columns.width * columns.count;
  fill(plot, colors.masked);
  std::vector<std::uint32_t> row_of(layer.experts);
  for (std::uint32_t row = 0; row < layer.experts; ++row) row_of[order_[row]] = row;
  const double gap = std::min(height, columns.width) >= 6 ? 1 : 0;
  std::vector<float> largest(layer.experts);
  for (std::uint32_t column = 0; column < columns.count; ++column) {
    std::ranges::fill(largest, -1.0f);
    const std::size_t first = std::size_t(column) * columns.each * layer.top_k;
    const std::size_t last = std::min(first + std::size_t(columns.each) * layer.top_k, layer.chosen.size());
    for (std::size_t i = first; i < last; ++i)
      if (layer.chosen[i] < layer.experts)
        largest[layer.chosen[i]] = std::max(largest[layer.chosen[i]], layer.weights[i]);
    const double x = plot.x0 + columns.width * column;
    for (std::uint32_t expert = 0; expert < layer.experts; ++expert) {
      if (largest[expert] < 0) continue;
      const double y = plot.y0 + height * row_of[expert];
      fill({x, y, x + columns.width - gap, y + height - gap}, color(double(largest[expert])));
    }
  }
  ImDrawList& list = *ImGui::GetWindowDrawList();
  if (const auto query = selection_.query(); query && *query < scene.routing.tokens) {
    const double x = plot.x0 + columns.width * columns.of(*query);
    list.AddRect({float(x - 1), float(plot.y0 - 1)}, {float(x + columns.width + 1), float(plot.y1 + 1)},
                 colors.query.abgr(), 1);
    drawText(list, scene.frame.fonts.header(), {float(x + columns.width / 2), float(plot.y0 - 9)},
             Align::kCenter, colors.query, fmt::format("{}", *query));
  }
  drawShares(scene, area, plot);
  drawTokenHover(scene, plot);
}

void RoutingContent::drawShares(const Scene& scene, const Rect& area, const Rect& plot) {
  const core::LayerRouting& layer = scene.layer();
  const Colors& colors = scene.frame.theme.colors;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ExpertLoad& load = loads_[scene.shown];
  const double height = plot.height() / layer.experts, x = plot.x1 + 8;
  const double room = std::min(area.x1 - kMargin, x + kShares - 8) - x - 40;
  const auto query = selection_.query();
  drawText(list, scene.frame.fonts.header(), {float(x), float(plot.y0 - 9)}, Align::kLeft,
           colors.text_secondary, "share");
  for (std::uint32_t row = 0; row < layer.experts; ++row) {
    const std::uint32_t expert = order_[row];
    const double y = plot.y0 + height * row, share = load.share[expert];
    const bool used = query && *query < scene.routing.tokens && weightOf(layer, *query, expert);
    const double bar = std::max(1.0, room * share / load.share[load.busiest]);
    fill({x, y + height * 0.2, x + bar, y + std::max(height * 0.8, height * 0.2 + 1)}, colors.text_secondary);
    if (row % labelStep(height) != 0 && !(used && height >= kLabelPitch)) continue;
    const float middle = float(y + height / 2);
    drawText(list, scene.frame.fonts.header(), {float(plot.x0 - 7), middle}, Align::kRight,
             used ? colors.query : colors.text_secondary, fmt::format("{}", expert));
    drawText(list, scene.frame.fonts.header(), {float(x + bar + 5), middle}, Align::kLeft,
             colors.text_secondary, percent(share));
  }
}

void RoutingContent::drawTokenHover(const Scene& scene, const Rect& plot) {
  const core::LayerRouting& layer = scene.layer();
  const Point mouse = toPoint(ImGui::GetIO().MousePos);
  const bool inside = plot.contains(mouse);
  if (!inside) {
    if (std::exchange(was_hovered_, false)) selection_.hover({});
    return;
  }
  const Columns columns(scene.routing.tokens, plot.width());
  const double height = plot.height() / layer.experts, width = plot.width() / columns.count;
  const auto column = std::min(std::uint32_t((mouse.x - plot.x0) / width), columns.count - 1);
  const std::uint32_t token = std::min(column * columns.each, scene.routing.tokens - 1);
  const auto row = std::min(std::uint32_t((mouse.y - plot.y0) / height), layer.experts - 1);
  was_hovered_ = true;
  selection_.hover({.query = token, .key = std::nullopt});
  if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) selection_.lockQuery(token);
  const Rgba text = scene.frame.theme.colors.text;
  Tooltip tooltip{.title = fmt::format("Token {} · Expert {}", token, order_[row])};
  if (scene.context.snapshot.tokens && token < scene.context.snapshot.tokens->size())
    tooltip.rows.push_back({"Token", (*scene.context.snapshot.tokens)[token].display, text});
  const auto weight = weightOf(layer, token, order_[row]);
  tooltip.rows.push_back({"Weight", weight ? number(double(*weight)) : "not chosen", text});
  for (std::uint32_t k = 0; k < std::min(layer.top_k, 8u); ++k) {
    const std::size_t i = std::size_t(token) * layer.top_k + k;
    tooltip.rows.push_back({fmt::format("Choice {}", k + 1),
                            fmt::format("{} · {}", layer.chosen[i], number(double(layer.weights[i]))), text});
  }
  tooltip.hint = "click: lock the token";
  const double x = plot.x0 + width * column, y = plot.y0 + height * row;
  drawTooltip(scene.frame, tooltip, {x, y, x + width, y + height},
              {4, 4, scene.frame.size.x - 4.0, scene.frame.size.y - 4.0});
}

bool RoutingContent::wantsKey(const KeyPress& press) const {
  const auto modifiers = press.modifiers & ~(Qt::KeypadModifier | Qt::ShiftModifier);
  if (modifiers != Qt::NoModifier || !routing_ || routing_->layers.empty()) return false;
  switch (press.key) {
    case Qt::Key_Up:
    case Qt::Key_Down:
    case Qt::Key_Left:
    case Qt::Key_Right:
    case Qt::Key_Home:
    case Qt::Key_End:
    case Qt::Key_S:
    case Qt::Key_C:
      return true;
    case Qt::Key_Escape:
      return selection_.isLocked();
    default:
      return false;
  }
}

void RoutingContent::handleKey(const KeyPress& press) {
  const int step = press.modifiers.testFlag(Qt::ShiftModifier) ? kPage : 1;
  const std::size_t shown = shownLayer();
  const auto showLayer = [&](std::size_t index) {
    if (index < routing_->layers.size())
      selection_.setHead({routing_->layers[index].layer, selection_.head().head});
  };
  switch (press.key) {
    case Qt::Key_Up:
      return showLayer(shown - 1);  // below the first: beyond the last, so nothing
    case Qt::Key_Down:
      return showLayer(shown + 1);
    case Qt::Key_Left:
      return selection_.moveQuery(-step);
    case Qt::Key_Right:
      return selection_.moveQuery(step);
    case Qt::Key_Home:
      return selection_.lockQuery(0);
    case Qt::Key_End:
    case Qt::Key_Escape:
      return selection_.unlock();
    case Qt::Key_S:
      by_load_ = !by_load_;
      return;
    case Qt::Key_C:
      return settings_.setColormap(attention::nextColormap(settings_.colormap()));
    default:
      return;
  }
}

}  // namespace vitrine::ui::routing
