#include "ui/views/memory/memory_content.h"

#include <algorithm>
#include <cmath>

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

struct MemoryContent::Row {
  std::uint32_t layer = 0;
  const core::LayerState* state = nullptr;
  double y0 = 0, y1 = 0;
};

// Left edges; the last is the right end.
struct MemoryContent::Columns {
  double layer, mixer, keeps, reach, memory, norms, end;

  explicit Columns(const Rect& area) {
    const double width = area.width() - 2 * kMargin;
    layer = area.x0 + kMargin;
    mixer = layer + 52;
    keeps = mixer + std::max(96.0, width * 0.16);
    reach = keeps + std::max(120.0, width * 0.2);
    memory = reach + std::max(110.0, width * 0.18);
    norms = memory + std::max(110.0, width * 0.14);
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
  const Columns columns(area);
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
  const std::pair<double, const char*> titles[] = {
      {c.layer, "Layer"},           {c.mixer, "Mixer"},   {c.keeps, "Keeps"},
      {c.reach, "Tokens in reach"}, {c.memory, "Memory"}, {c.norms, "Norm of the state, by head"}};
  for (const auto& [x, title] : titles)
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
  drawNorms(frame, {c.norms, row.y0, c.end, row.y1}, row);
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
  const Colors& colors = frame.theme.colors;
  const std::vector<float>& norms = row.state->norms;
  const float largest = std::max(*std::ranges::max_element(norms), 1e-30f);
  constexpr double kNumber = 64;
  const double width = std::min(kWidestBar, (place.width() - kNumber) / double(norms.size()));
  const Point mouse = toPoint(ImGui::GetIO().MousePos);
  for (std::size_t head = 0; head < norms.size(); ++head) {
    const double x = place.x0 + width * double(head);
    const double height = std::max(1.0, (kRow - 8) * double(norms[head] / largest));
    const Rect bar{x, row.y1 - 4 - height, x + width - (width >= 3 ? 1 : 0), row.y1 - 4};
    fill(bar, colors.second_series);
    const Rect target{x, row.y0, x + width, row.y1};
    if (!target.contains(mouse) || !ImGui::IsWindowHovered()) continue;
    drawTooltip(frame,
                {.title = norms.size() > 1 ? fmt::format("Layer {} · State of head {}", row.layer, head)
                                           : fmt::format("Layer {} · State", row.layer),
                 .rows = {{"Frobenius norm", number(double(norms[head])), colors.text},
                          {"Shape", fmt::format("{}", fmt::join(row.state->shape, " × ")), colors.text}}},
                target, {4, 4, frame.size.x - 4.0, frame.size.y - 4.0});
  }
  drawText(*ImGui::GetWindowDrawList(), frame.fonts.monoSmall(),
           {float(place.x0 + width * double(norms.size()) + 6), float((row.y0 + row.y1) / 2)}, Align::kLeft,
           colors.text_secondary,
           norms.size() > 1 ? fmt::format("≤ {}", number(double(largest))) : number(double(largest)));
}

bool MemoryContent::wantsKey(const KeyPress& press) const {
  return press.modifiers == Qt::NoModifier && (press.key == Qt::Key_Up || press.key == Qt::Key_Down);
}

}  // namespace vitrine::ui::memory
