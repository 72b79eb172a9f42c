#include "ui/views/memory/memory_content.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace vitrine::ui::memory {
namespace {

constexpr double kMargin = 16, kTotals = 52, kHeader = 26, kRow = 26;
constexpr double kWidestBar = 10;

std::string counted(std::uint64_t n, const char* what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

void fill(const Rect& rect, Rgba color, float rounding = 0) {
  ImGui::GetWindowDrawList()->AddRectFilled(low(rect), high(rect), color.abgr(), rounding);
}

// A bar of each head from the place's left edge on; the number beside them takes `text`.
struct HeadBars {
  double x0 = 0, width = 0;

  HeadBars(const Rect& place, std::size_t heads, double text)
      : x0(place.x0), width(std::min(kWidestBar, (place.width() - text) / double(heads))) {}
  double end(std::size_t heads) const { return x0 + width * double(heads); }
  Rect column(const Rect& place, std::size_t head) const {
    return {end(head), place.y0, end(head + 1), place.y1};
  }
  // Standing on the row's floor; height in parts of the largest.
  Rect bar(const Rect& place, std::size_t head, double height) const {
    const double x = end(head), floor = place.y1 - 4;
    return {x, floor - std::max(1.0, (kRow - 8) * height), x + width - (width >= 3 ? 1 : 0), floor};
  }
};

void label(CanvasFrame& frame, const Rect& place, double y, const std::string& text, Rgba color) {
  drawLabel(*ImGui::GetWindowDrawList(), frame, {float(place.x0), float(y)}, Align::kLeft,
            {12, float(place.width() - 12), color, LabelFont::kInterface}, text);
}

}  // namespace

std::string bytesText(std::uint64_t bytes) {
  const double value = double(bytes);
  if (value < 1e3) return fmt::format("{} B", bytes);
  if (value < 1e6) return fmt::format("{} kB", number(value / 1e3));
  if (value < 1e9) return fmt::format("{} MB", number(value / 1e6));
  return fmt::format("{} GB", number(value / 1e9));
}

std::string keptText(const core::LayerSummary& layer, const core::LayerState* state) {
  std::string text;
  if (layer.latent > 0)
    text = fmt::format("latent of {} + {} rotary", layer.latent, layer.row_width - layer.latent);
  else if (layer.row_width > 0)
    text = fmt::format("{} × {}, k and v", counted(layer.kv_heads, "kv head"), layer.row_width / 2);
  if (!state) return text.empty() ? "nothing" : text;
  if (!text.empty()) text += " + ";
  return text + fmt::format("state {}", fmt::join(state->shape, " × "));
}

std::string decaysText(const core::LayerState& state) {
  if (state.decays.empty()) return "";
  const auto [least, most] = std::ranges::minmax_element(state.decays);
  const std::string from = fmt::format("{:.3f}", *least), to = fmt::format("{:.3f}", *most);
  return from == to ? from : from + " – " + to;
}

std::string decayMeanText(const core::LayerState& state) {
  if (state.decay_shape.empty()) return "";
  constexpr std::size_t kMatrices = 3;  // dimensions of a state of heads
  if (state.shape.size() == kMatrices)
    return state.decay_shape.size() == 1 ? "" : fmt::format("mean over {} keys", state.decay_shape.back());
  const std::string channels = counted(state.decay_shape.front(), "channel");
  return state.decay_shape.size() == 1 ? "mean over " + channels
                                       : fmt::format("mean over {} × {}", channels, state.decay_shape.back());
}

struct MemoryContent::Row {
  std::uint32_t layer = 0;
  const core::LayerState* state = nullptr;
  double y0 = 0, y1 = 0;
};

// Left edges; the last is the right end. The decays' column is there where some state decays and both columns
// of states keep room for their titles: the others give what they can spare.
struct MemoryContent::Columns {
  static constexpr double kStates = 180;
  double layer, mixer, keeps, reach, memory, norms, decays, end;

  Columns(const Rect& area, bool decaying) {
    place(area, {96, 120, 110, 76}, {0.13, 0.17, 0.14, 0.08});
    decays = (norms + end) / 2;
    if (decaying && end - decays >= kStates) return;
    place(area, {96, 120, 110, 110}, {0.16, 0.2, 0.18, 0.14});
    decays = end;
  }
  bool hasDecays() const { return decays < end; }

 private:
  // Of mixer, keeps, reach and memory the least widths, and parts of the whole.
  void place(const Rect& area, const std::array<double, 4>& least, const std::array<double, 4>& parts) {
    const double width = area.width() - 2 * kMargin;
    layer = area.x0 + kMargin;
    mixer = layer + 52;
    keeps = mixer + std::max(least[0], width * parts[0]);
    reach = keeps + std::max(least[1], width * parts[1]);
    memory = reach + std::max(least[2], width * parts[2]);
    norms = memory + std::max(least[3], width * parts[3]);
    end = area.x1 - kMargin;
  }
};

void MemoryContent::draw(CanvasFrame& frame) {
  static const core::Snapshot kNothing;
  const auto snapshot = snapshot_;
  const PanelContext context{snapshot ? *snapshot : kNothing, selection_, settings_};
  const Rect area{0, 0, frame.size.x, frame.size.y};
  probes_ = {};
  if (const auto message =
          missingSubject(context, frame.theme.colors, "what each layer keeps of its tokens")) {
    if (drawMessage(frame, *message, area) && wish_) wish_(message->wish);
    return;
  }
  probes_.states = true;
  states_ = context.snapshot.states;
  for (const KeyPress& press : frame.keys) selection_.moveHead(press.key == Qt::Key_Up ? -1 : 1, 0);
  const bool decaying = states_ && std::ranges::any_of(states_->layers, [](const core::LayerState& state) {
                          return !state.decays.empty();
                        });
  const Columns columns(area, decaying);
  drawTotals(frame, context, area);
  drawHeader(frame, columns, kTotals);
  ImGui::SetCursorScreenPos({0, float(kTotals + kHeader)});
  ImGui::BeginChild("rows", {frame.size.x, std::max(1.0f, frame.size.y - float(kTotals + kHeader))});
  const auto& layers = context.snapshot.model->layer_kinds;
  const double top = ImGui::GetCursorScreenPos().y;
  ImGui::Dummy({float(area.width() - 2 * kMargin), float(kRow * double(layers.size()) + kMargin)});
  for (std::uint32_t layer = 0; layer < layers.size(); ++layer) {
    Row row{.layer = layer, .y0 = top + kRow * layer, .y1 = top + kRow * (layer + 1)};
    if (states_)
      for (const core::LayerState& state : states_->layers)
        if (state.layer == layer) row.state = &state;
    if (row.y1 > kTotals && row.y0 < frame.size.y) drawRow(frame, context, columns, row);
  }
  ImGui::EndChild();
}

void MemoryContent::drawTotals(CanvasFrame& frame, const PanelContext& context, const Rect& area) {
  const core::ModelSummary& model = *context.snapshot.model;
  const Colors& colors = frame.theme.colors;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  std::uint64_t token = 0, state = 0;
  for (const core::LayerSummary& layer : model.layer_kinds) {
    token += layer.token_bytes;
    state += layer.state_bytes;
  }
  drawText(list, frame.fonts.interface(), {float(area.x0 + kMargin), 16}, Align::kLeft, colors.text,
           "What the layers keep");
  std::string text;
  if (token > 0)
    text = fmt::format("cache: {} for {}, {} each · {} reserved for {}", bytesText(token * context.tokens()),
                       counted(context.tokens(), "token"), bytesText(token),
                       bytesText(token * model.session_context), model.session_context);
  if (state > 0)
    text += fmt::format("{}states: {}, whatever the length", text.empty() ? "" : " · ", bytesText(state));
  drawLabel(list, frame, {float(area.x0 + kMargin), 36}, Align::kLeft,
            {11, float(area.width() - 2 * kMargin), colors.text_secondary, LabelFont::kInterface}, text);
}

void MemoryContent::drawHeader(CanvasFrame& frame, const Columns& c, double y) {
  const Colors& colors = frame.theme.colors;
  fill({0, y, frame.size.x, y + kHeader}, colors.header);
  const std::pair<double, const char*> titles[] = {{c.layer, "Layer"},
                                                   {c.mixer, "Mixer"},
                                                   {c.keeps, "Keeps"},
                                                   {c.reach, "Tokens in reach"},
                                                   {c.memory, "Memory"},
                                                   {c.norms, "Norm of the state, by head"},
                                                   {c.decays, "Kept of it by a step, by head"}};
  for (const auto& [x, title] : std::span(titles).first(c.hasDecays() ? 7 : 6))
    drawText(*ImGui::GetWindowDrawList(), frame.fonts.header(), {float(x), float(y + kHeader / 2)},
             Align::kLeft, colors.text_secondary, title);
}

void MemoryContent::drawRow(CanvasFrame& frame, const PanelContext& context, const Columns& c,
                            const Row& row) {
  const Colors& colors = frame.theme.colors;
  const core::LayerSummary& layer = context.snapshot.model->layer_kinds[row.layer];
  const Point mouse = toPoint(ImGui::GetIO().MousePos);
  const Rect whole{0, row.y0, frame.size.x, row.y1};
  const bool selected = selection_.head().layer == row.layer && selection_.layers() > 0;
  const bool hovered = whole.contains(mouse) && ImGui::IsWindowHovered();
  if (selected || hovered) fill(whole, selected ? colors.selected : colors.hover);
  if (hovered && ImGui::IsMouseClicked(ImGuiMouseButton_Left))
    selection_.setHead({row.layer, selection_.head().head});
  const double y = (row.y0 + row.y1) / 2;
  drawText(*ImGui::GetWindowDrawList(), frame.fonts.monoSmall(), {float(c.layer + 24), float(y)},
           Align::kRight, selected ? colors.query : colors.text_secondary, fmt::format("{}", row.layer));
  label(frame, {c.mixer, row.y0, c.keeps, row.y1}, y, layer.mixer.empty() ? "none" : layer.mixer,
        colors.text);
  label(frame, {c.keeps, row.y0, c.reach, row.y1}, y, keptText(layer, row.state), colors.text_secondary);
  drawReach(frame, context, {c.reach, row.y0, c.memory - 12, row.y1}, layer);
  const std::uint64_t bytes = layer.token_bytes * context.tokens() + layer.state_bytes;
  label(frame, {c.memory, row.y0, c.norms, row.y1}, y, bytesText(bytes), colors.text_secondary);
  drawNorms(frame, {c.norms, row.y0, c.decays - (c.hasDecays() ? 12 : 0), row.y1}, row);
  if (c.hasDecays()) drawDecays(frame, {c.decays, row.y0, c.end, row.y1}, row);
}

// A bar of the window's occupancy, or of the cache's where there is no window.
void MemoryContent::drawReach(CanvasFrame& frame, const PanelContext& context, const Rect& place,
                              const core::LayerSummary& layer) {
  const Colors& colors = frame.theme.colors;
  const double y = place.center().y;
  if (layer.row_width == 0) {
    if (layer.state_bytes > 0) label(frame, place, y, "all, in the state", colors.text_secondary);
    return;
  }
  const std::uint32_t tokens = context.tokens();
  const std::uint32_t most = layer.window > 0 ? layer.window : context.snapshot.model->session_context;
  const std::uint32_t held = std::min(tokens, most);
  const double text = 92, room = std::max(0.0, place.width() - text);
  if (room >= 12) {
    fill({place.x0, y - 2, place.x0 + room, y + 2}, colors.field, 2);
    fill({place.x0, y - 2, place.x0 + std::max(2.0, room * held / most), y + 2}, colors.accent, 2);
  }
  label(frame, {place.x0 + room + (room >= 12 ? 8 : 0), place.y0, place.x1 + 12, place.y1}, y,
        fmt::format("{} of {}", held, most), layer.window > 0 ? colors.text : colors.text_secondary);
  const Point mouse = toPoint(ImGui::GetIO().MousePos);
  if (!place.contains(mouse) || !ImGui::IsWindowHovered()) return;
  drawTooltip(frame,
              {.title = layer.window > 0 ? fmt::format("Sliding window of {} tokens", layer.window)
                                         : "Every token is in reach",
               .rows = {{"Tokens read", fmt::format("{}", tokens), colors.text},
                        {"Seen by the newest query", fmt::format("{}", held), colors.text}}},
              place, {4, 4, frame.size.x - 4.0, frame.size.y - 4.0});
}

void MemoryContent::drawNorms(CanvasFrame& frame, const Rect& place, const Row& row) {
  if (!row.state || row.state->norms.empty() || place.width() < 40) return;
  constexpr double kNumber = 64;
  const std::vector<float>& norms = row.state->norms;
  const float largest = std::max(*std::ranges::max_element(norms), 1e-30f);
  const HeadBars bars(place, norms.size(), kNumber);
  for (std::size_t head = 0; head < norms.size(); ++head) {
    fill(bars.bar(place, head, double(norms[head] / largest)), frame.theme.colors.second_series);
    drawHeadTip(frame, bars.column(place, head), row, head);
  }
  drawText(*ImGui::GetWindowDrawList(), frame.fonts.monoSmall(),
           {float(bars.end(norms.size()) + 6), float(place.center().y)}, Align::kLeft,
           frame.theme.colors.text_secondary,
           norms.size() > 1 ? fmt::format("≤ {}", number(double(largest))) : number(double(largest)));
}

// A track as high as 1 behind each bar.
void MemoryContent::drawDecays(CanvasFrame& frame, const Rect& place, const Row& row) {
  if (!row.state || row.state->decays.empty()) return;
  constexpr double kNumber = 104;
  const std::vector<float>& decays = row.state->decays;
  const HeadBars bars(place, decays.size(), kNumber);
  for (std::size_t head = 0; head < decays.size(); ++head) {
    fill(bars.bar(place, head, 1), frame.theme.colors.field);
    fill(bars.bar(place, head, std::clamp(double(decays[head]), 0.0, 1.0)), frame.theme.colors.accent);
    drawHeadTip(frame, bars.column(place, head), row, head);
  }
  drawText(*ImGui::GetWindowDrawList(), frame.fonts.monoSmall(),
           {float(bars.end(decays.size()) + 6), float(place.center().y)}, Align::kLeft,
           frame.theme.colors.text_secondary, decaysText(*row.state));
}

// What both columns say of a head under the pointer.
void MemoryContent::drawHeadTip(CanvasFrame& frame, const Rect& target, const Row& row, std::size_t head) {
  if (!target.contains(toPoint(ImGui::GetIO().MousePos)) || !ImGui::IsWindowHovered()) return;
  const Colors& colors = frame.theme.colors;
  const core::LayerState& state = *row.state;
  std::vector<TooltipRow> rows{{"Frobenius norm", number(double(state.norms[head])), colors.text},
                               {"Shape", fmt::format("{}", fmt::join(state.shape, " × ")), colors.text}};
  std::string hint;
  if (head < state.decays.size()) {
    rows.push_back({"Kept of it by the newest step", fmt::format("{:.5f}", state.decays[head]), colors.text});
    hint = decayMeanText(state);
  }
  drawTooltip(frame,
              {.title = state.norms.size() > 1 ? fmt::format("Layer {} · State of head {}", row.layer, head)
                                               : fmt::format("Layer {} · State", row.layer),
               .rows = std::move(rows),
               .hint = std::move(hint)},
              target, {4, 4, frame.size.x - 4.0, frame.size.y - 4.0});
}

bool MemoryContent::wantsKey(const KeyPress& press) const {
  return press.modifiers == Qt::NoModifier && (press.key == Qt::Key_Up || press.key == Qt::Key_Down);
}

}  // namespace vitrine::ui::memory
