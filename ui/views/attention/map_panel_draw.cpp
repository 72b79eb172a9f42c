// What the map panel draws.

#include <algorithm>
#include <cmath>

#include "core/figure/colormap.h"
#include "gpu/log.h"
#include "ui/views/attention/map_panel.h"
#include "ui/views/axis_labels.h"

namespace vitrine::ui::attention {
namespace {

constexpr double kDimmed = 0.55;        // of an old picture while the new one is computed
constexpr double kShowProgress = 0.15;  // seconds of waiting before a progress line appears
constexpr double kProgressStep = 0.05;  // seconds between its frames: the device is busy enough
constexpr double kReaderStep = 0.01;
constexpr float kPositionWidth = 34;  // of a token's position beside a thinned label

int labelSize(double cell) {
  return cell < 12 ? 10 : cell < 16 ? 11 : 12;
}

Rgba colorOf(double probability, const ViewSettings& settings) {
  const core::Rgb8 color = core::sampleColormap(settings.colormap(), settings.position(probability));
  return {color.r, color.g, color.b, 255};
}

Rgba readableOn(Rgba ground) {
  const double luminance = 0.2126 * ground.r + 0.7152 * ground.g + 0.0722 * ground.b;
  return luminance > 120 ? Rgba{16, 16, 20, 255} : Rgba{236, 238, 242, 255};
}

// As many digits as fit: "0.30" or "0.301", "3e-5" or "3.2e-5".
std::string cellNumber(double probability, int digits) {
  if (probability == 0) return "0";
  if (probability >= 0.01) return fmt::format("{:.{}f}", probability, digits);
  const int exponent = int(std::floor(std::log10(probability)));
  return fmt::format("{:.{}f}e{}", probability / std::pow(10.0, exponent), digits - 2, exponent);
}

void addRect(ImDrawList& list, const Rect& rect, Rgba color) {
  list.AddRectFilled(low(rect), high(rect), color.abgr());
}

void addFrame(ImDrawList& list, const Rect& rect, Rgba color, double thickness) {
  const float inset = float((thickness - 1) / 2);  // AddRect itself moves in by half a pixel
  list.AddRect({float(rect.x0) + inset, float(rect.y0) + inset},
               {float(rect.x1) - inset, float(rect.y1) - inset}, color.abgr(), 0, 0, float(thickness));
}

Rgba positionColor(const Colors& colors) {
  return mix(colors.text_disabled, colors.text_secondary, 0.5f);
}

Rect boundsOf(const CanvasFrame& frame) {
  return {4, 4, frame.size.x - 4.0, frame.size.y - 4.0};
}

}  // namespace

void MapPanel::drawPicture(CanvasFrame& frame, const PanelContext& context, const core::MapPicture& picture,
                           float alpha) {
  const core::MapRequest& region = picture.request;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddImage(frame.renderer.map(picture.image, context.paint(frame.theme)),
                {float(viewport_.xOf(region.key0)), float(viewport_.yOf(region.query0))},
                {float(viewport_.xOf(region.key1)), float(viewport_.yOf(region.query1))}, {0, 0}, {1, 1},
                Rgba{255, 255, 255, std::uint8_t(alpha * 255)}.abgr());
}

void MapPanel::drawPreview(CanvasFrame& frame, const PanelContext& context) {
  const auto& atlas = context.snapshot.overview;
  const Head head = context.selection.head();
  if (!atlas || !atlas->image || head.layer >= atlas->layers || head.head >= atlas->heads) return;
  const float u = 1.0f / float(atlas->heads), v = 1.0f / float(atlas->layers);
  ImGui::GetWindowDrawList()->AddImage(
      frame.renderer.map(atlas->image, context.paint(frame.theme)),
      {float(viewport_.xOf(0)), float(viewport_.yOf(0))},
      {float(viewport_.xOf(atlas->tokens)), float(viewport_.yOf(atlas->tokens))},
      {float(head.head) * u, float(head.layer) * v}, {float(head.head + 1) * u, float(head.layer + 1) * v},
      Rgba{255, 255, 255, std::uint8_t(kDimmed * 255)}.abgr());
}

void MapPanel::drawPictures(CanvasFrame& frame, const PanelContext& context, const Rect& plot) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  addRect(list, plot, frame.theme.colors.masked);
  list.PushClipRect(low(plot), high(plot), true);
  const core::MapPicture* current = currentPicture(context);
  const Head head = context.selection.head();
  const bool whole_fits = whole_ && whole_->request.layer == head.layer && whole_->request.head == head.head;
  const auto wanted = request(context);
  const bool fresh = current && wanted && answers(current->request, current->tokens, *wanted);
  // What is there below what is wanted: a thumbnail, then the last whole map, then the newest picture.
  if (!current && !whole_fits) drawPreview(frame, context);
  const float alpha = waiting_seconds_ > kShowProgress ? float(kDimmed) : 1.0f;
  if (whole_fits && whole_.get() != current && !fresh) drawPicture(frame, context, *whole_, alpha);
  if (current) drawPicture(frame, context, *current, alpha);
  list.PopClipRect();
  waiting_seconds_ = fresh || !wanted || context.tokens() == 0 ? 0 : waiting_seconds_ + frame.seconds;
  if (waiting_seconds_ > 0) frame.again(kProgressStep);
  if (waiting_seconds_ > kShowProgress) drawProgress(frame, plot, waiting_seconds_);
  const bool numbers = viewport_.cellSize() >= frame.theme.sizes.map_numbers_from;
  if (current && (hovering_ || numbers))
    if (const auto asked = reader_.want(context.snapshot.map->image); !asked)
      logWarning(fmt::format("values of the map: {}", asked.error().describe()));
  if (reader_.busy()) frame.again(kReaderStep);
}

void MapPanel::drawProgress(CanvasFrame& frame, const Rect& plot, double seconds) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const double width = plot.width() / 4;
  const double at = std::fmod(seconds * 0.8, 1.25) * plot.width() - width;
  list.PushClipRect(low(plot), high(plot), true);
  addRect(list, {plot.x0 + at, plot.y0, plot.x0 + at + width, plot.y0 + 2}, frame.theme.colors.accent);
  list.PopClipRect();
}

void MapPanel::drawGrid(CanvasFrame& frame, const PanelContext& context, const Rect& plot) {
  if (viewport_.cellSize() < frame.theme.sizes.map_grid_from) return;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ImU32 color = frame.theme.colors.canvas.withAlpha(110).abgr();
  const float line = float(1 / frame.pixel_ratio);
  const Rect seen = viewport_.visibleCells();
  const double tokens = context.tokens();
  // Only between cells that have a key: the masked triangle stays calm.
  for (double query = std::ceil(seen.y0); query <= std::min(seen.y1, tokens); ++query) {
    const float y = float(viewport_.yOf(query)), x1 = float(std::min(viewport_.xOf(query + 1), plot.x1));
    if (x1 > plot.x0) list.AddRectFilled({float(plot.x0), y}, {x1, y + line}, color);
  }
  for (double key = std::ceil(seen.x0); key <= std::min(seen.x1, tokens); ++key) {
    const float x = float(viewport_.xOf(key)), y0 = float(std::max(viewport_.yOf(key - 1), plot.y0));
    const float y1 = float(std::min(viewport_.yOf(tokens), plot.y1));
    if (y1 > y0) list.AddRectFilled({x, y0}, {x + line, y1}, color);
  }
}

void MapPanel::drawNumbers(CanvasFrame& frame, const PanelContext& context, const Rect& plot) {
  const double cell = viewport_.cellSize();
  if (cell < frame.theme.sizes.map_numbers_from) return;
  const core::MapPicture* picture = currentPicture(context);
  if (!picture || !isExact(picture->request) || reader_.values(picture->image.get()).empty()) return;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.PushClipRect(low(plot), high(plot), true);
  const Rect seen = viewport_.visibleCells();
  const auto last = [&](double end) { return std::min(std::uint32_t(std::ceil(end)), context.tokens()); };
  ImFont* font = cell >= 64 ? frame.fonts.mono() : frame.fonts.monoSmall();
  for (auto query = std::uint32_t(seen.y0); query < last(seen.y1); ++query)
    for (auto key = std::uint32_t(seen.x0); key < std::min(last(seen.x1), query + 1); ++key) {
      const auto value = valueAt(context, query, key);
      if (!value || value->probability < 0) continue;
      drawText(list, font, toIm(viewport_.cellRect(query, key).center()), Align::kCenter,
               readableOn(colorOf(value->probability, context.settings)),
               cellNumber(value->probability, cell >= 64 ? 3 : 2));
    }
  list.PopClipRect();
}

void MapPanel::drawMarginals(CanvasFrame& frame, const PanelContext& context, const Rect& plot) {
  const core::MapPicture* picture = currentPicture(context);
  if (layout_.received <= 0 || !picture) return;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Colors& colors = frame.theme.colors;
  const double cell = viewport_.cellSize(), pixel = 1 / frame.pixel_ratio;
  const double gap = cell >= 6 ? 1 : 0;
  // One bar a cell, or, of cells that share a device pixel, the largest.
  const auto bars = [&](std::size_t count, double from, double to, auto start, auto value, auto bar) {
    double place = -1, largest = 0;
    for (auto index = std::size_t(std::max(0.0, std::floor(from)));
         index < std::min<double>(count, std::ceil(to)); ++index) {
      const double at = cell >= 1 ? start(index) : std::floor(start(index) / pixel) * pixel;
      if (at != place && place >= 0) bar(place, largest);
      largest = at == place ? std::max<double>(largest, value(index)) : value(index);
      place = at;
    }
    if (place >= 0) bar(place, largest);
  };
  const double extent = std::max(cell - gap, pixel);
  const Rect seen = viewport_.visibleCells();
  const double base = plot.y0 - MapLayout::kGap;
  bars(
      picture->received.size(), seen.x0, seen.x1, [&](std::size_t key) { return viewport_.xOf(double(key)); },
      [&](std::size_t key) { return context.settings.position(picture->received[key]); },
      [&](double x, double value) {
        const double height = std::max(value * layout_.received, pixel);
        const Rect bar{std::max(x, plot.x0), base - height, std::min(x + extent, plot.x1), base};
        addRect(list, bar, colors.accent);
      });
  // Whole bits, so that the bars keep their scale while tokens arrive.
  const auto highest = std::ranges::max_element(picture->entropy);
  const double most = highest == picture->entropy.end() ? 1 : std::max(1.0, std::ceil(double(*highest)));
  const double left = plot.x1 + MapLayout::kGap;
  bars(
      picture->entropy.size(), seen.y0, seen.y1,
      [&](std::size_t query) { return viewport_.yOf(double(query)); },
      [&](std::size_t query) { return std::clamp(picture->entropy[query] / most, 0.0, 1.0); },
      [&](double y, double value) {
        const double width = std::max(value * layout_.entropy, pixel);
        addRect(list, {left, std::max(y, plot.y0), left + width, std::min(y + extent, plot.y1)},
                colors.second_series);
      });
}

void MapPanel::drawCrosshair(CanvasFrame& frame, const PanelContext& context, const Rect& plot) {
  const auto query = context.selection.query(), key = context.selection.key();
  const bool locked = context.selection.isLocked();
  const bool shown = locked || context.selection.hovered().query || context.selection.hovered().key;
  if (!shown || context.tokens() == 0) return;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Colors& colors = frame.theme.colors;
  const double cell = viewport_.cellSize(), line = 1;
  const double tokens = context.tokens();
  list.PushClipRect(low(plot.expanded(1)), high(plot.expanded(1)), true);
  if (query && *query < tokens) {
    const double y0 = viewport_.yOf(*query), y1 = viewport_.yOf(*query + 1.0),
                 x1 = viewport_.xOf(*query + 1.0);
    if (cell >= 6)
      addFrame(list, Rect{viewport_.xOf(0), y0, x1, y1}.expanded(line), colors.query, line);
    else
      addRect(list, {plot.x0, (y0 + y1 - line) / 2, x1, (y0 + y1 + line) / 2}, colors.query);
  }
  if (key && *key < tokens) {
    const double x0 = viewport_.xOf(*key), x1 = viewport_.xOf(*key + 1.0), y0 = viewport_.yOf(*key);
    if (cell >= 6)
      addFrame(list, Rect{x0, y0, x1, viewport_.yOf(tokens)}.expanded(line), colors.key, line);
    else
      addRect(list, {(x0 + x1 - line) / 2, y0, (x0 + x1 + line) / 2, viewport_.yOf(tokens)}, colors.key);
  }
  if (query && key && *query < tokens && *key < tokens) {
    const Rect rect = viewport_.cellRect(*query, *key);
    const Rect mark = rect.expanded(std::max(1.0, (5 - cell) / 2));
    addFrame(list, mark.expanded(1), {0, 0, 0, 160}, 1);
    addFrame(list, mark, {255, 255, 255, 255}, locked ? 2 : 1);
  }
  const Cell& hovered = context.selection.hovered();
  if (locked && hovered.query && hovered.key && hovered != context.selection.locked())
    addFrame(list, viewport_.cellRect(*hovered.query, *hovered.key), {255, 255, 255, 190}, 1);
  list.PopClipRect();
}

void MapPanel::drawQueryLabels(CanvasFrame& frame, const PanelContext& context, const Rect& plot) {
  if (!context.snapshot.tokens) return;
  const auto& tokens = *context.snapshot.tokens;
  const Colors& colors = frame.theme.colors;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const double cell = viewport_.cellSize();
  const int size = labelSize(cell);
  const bool marking = context.selection.isLocked() || context.selection.hovered().query.has_value();
  const auto labels = axisLabels({.first_at = viewport_.yOf(0.5),
                                  .cell = cell,
                                  .from = plot.y0,
                                  .to = plot.y1,
                                  .count = std::uint32_t(tokens.size()),
                                  .spacing = size - 0.5,
                                  .marked = marking ? context.selection.query() : std::nullopt});
  const float right = float(plot.x0 - MapLayout::kGap);
  const bool thinned = labelStep(cell, size - 0.5) > 1;
  const float width = float(layout_.query_labels) - (thinned ? kPositionWidth : 0);
  for (const AxisLabel& label : labels) {
    const float y = float(label.at);
    const Rgba color = label.marked ? colors.query : colors.text_secondary;
    const std::string& token = tokens[label.index].display;
    const float drawn = drawLabel(list, frame, {right, y}, Align::kRight, {size, width, color}, token);
    // Where tokens are left out, a position says where one is.
    if (thinned)
      drawText(list, frame.fonts.monoSmall(), {right - drawn - 4, y}, Align::kRight, positionColor(colors),
               std::to_string(label.index));
  }
}

void MapPanel::drawKeyLabels(CanvasFrame& frame, const PanelContext& context, const Rect& plot) {
  if (!context.snapshot.tokens) return;
  const auto& tokens = *context.snapshot.tokens;
  const Colors& colors = frame.theme.colors;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const double cell = viewport_.cellSize();
  const int size = labelSize(cell);
  const bool marking = context.selection.isLocked() || context.selection.hovered().key.has_value();
  const auto labels = axisLabels({.first_at = viewport_.xOf(0.5),
                                  .cell = cell,
                                  .from = plot.x0,
                                  .to = plot.x1,
                                  .count = std::uint32_t(tokens.size()),
                                  .spacing = size - 0.5,
                                  .marked = marking ? context.selection.key() : std::nullopt});
  const float top = float(plot.y1 + MapLayout::kGap);
  const bool thinned = labelStep(cell, size - 0.5) > 1;
  const float width = float(layout_.key_labels) - (thinned ? kPositionWidth : 0);
  for (const AxisLabel& label : labels) {
    const float x = float(label.at);
    const Rgba color = label.marked ? colors.key : colors.text_secondary;
    const std::string& token = tokens[label.index].display;
    const float drawn = drawLabelDown(list, frame, {x, top}, {size, width, color}, token);
    if (thinned)
      drawLabelDown(list, frame, {x, top + drawn + 2}, {10, kPositionWidth, positionColor(colors)},
                    std::to_string(label.index));
  }
}

void MapPanel::drawHover(CanvasFrame& frame, const PanelContext& context) {
  const Cell& cell = context.selection.hovered();
  const std::uint32_t tokens = context.tokens();
  if (cell.query.value_or(0) >= tokens || cell.key.value_or(0) >= tokens) return;
  if (cell.query && cell.key)
    drawCellTooltip(frame, context, *cell.query, *cell.key);
  else if (cell.query || cell.key)
    drawMarginalTooltip(frame, context, cell);
}

void MapPanel::drawCellTooltip(CanvasFrame& frame, const PanelContext& context, std::uint32_t query,
                               std::uint32_t key) {
  const auto& tokens = *context.snapshot.tokens;
  const Colors& colors = frame.theme.colors;
  Tooltip tooltip{.mono_title = true};
  const auto value = valueAt(context, query, key);
  if (key > query || (value && value->probability < 0)) {
    tooltip.title = "masked";
    tooltip.hint = "the query cannot see this key";
  } else if (!value) {
    tooltip.title = "…";
  } else {
    const double p = value->probability;
    tooltip.title = number(p);
    if (value->lse && p > 0)
      tooltip.hint = fmt::format("score {:.2f} · ln p {:.2f}", std::log(p) + *value->lse, std::log(p));
    else if (value->pooled > 1)
      tooltip.hint = fmt::format("{} of {} × {} cells",
                                 context.settings.pooling() == core::Pooling::kMax ? "largest" : "mean",
                                 value->pooled, value->pooled);
  }
  const bool locked = context.selection.locked() == Cell{query, key};
  const std::string action = locked ? "Esc to unlock" : "click to lock";
  tooltip.hint = tooltip.hint.empty() ? action : tooltip.hint + " · " + action;
  tooltip.rows = {{fmt::format("query {}", query), tokens[query].display, colors.query},
                  {fmt::format("key {}", key), tokens[key].display, colors.key}};
  drawTooltip(frame, tooltip, viewport_.cellRect(query, key), boundsOf(frame));
}

void MapPanel::drawMarginalTooltip(CanvasFrame& frame, const PanelContext& context, const Cell& cell) {
  const core::MapPicture* picture = currentPicture(context);
  const auto& tokens = *context.snapshot.tokens;
  const Colors& colors = frame.theme.colors;
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  Tooltip tooltip{.mono_title = true};
  if (cell.query) {
    const bool known = picture && *cell.query < picture->entropy.size();
    tooltip.title = known ? fmt::format("{:.2f} bit", picture->entropy[*cell.query]) : "…";
    tooltip.hint = "entropy: -sum p log2 p over the keys of this query";
    tooltip.rows = {{fmt::format("query {}", *cell.query), tokens[*cell.query].display, colors.query}};
  } else {
    const bool known = picture && *cell.key < picture->received.size();
    tooltip.title = known ? number(picture->received[*cell.key]) : "…";
    tooltip.hint = "received: mean p over the queries that see this key";
    tooltip.rows = {{fmt::format("key {}", *cell.key), tokens[*cell.key].display, colors.key}};
  }
  drawTooltip(frame, tooltip, Rect{mouse.x, mouse.y, mouse.x, mouse.y}.expanded(6), boundsOf(frame));
}

}  // namespace vitrine::ui::attention
