#include "ui/views/spectra/live_content.h"

#include <algorithm>
#include <cmath>

#include "ui/views/spectra/live_plots.h"
#include "ui/views/view_message.h"

namespace vitrine::ui::spectra {
namespace {

using core::SpectraOf;

constexpr double kRowHeight = 26, kHeaderHeight = 26, kLiveTitleHeight = 44, kSide = 16;
constexpr double kNarrowRows = 400;
constexpr double kLeastRows = 300, kMostRows = 560, kLeastPlots = 240, kLeastPlotHeight = 180;
constexpr std::uint32_t kEarlier = 6;  // lengths that a new sequence is looked at

void paint(const Rect& rect, Rgba color) {
  ImGui::GetWindowDrawList()->AddRectFilled(low(rect), high(rect), color.abgr());
}

// Narrow rows leave some room to the bars.
struct LiveColumns {
  double layer = 84, number = 76;  // widths
};
LiveColumns liveColumns(const Rect& rows) {
  return rows.width() < kNarrowRows ? LiveColumns{.layer = 70, .number = 60} : LiveColumns{};
}

std::string energyText(const core::StreamSpectrum& spectrum) {
  const std::uint32_t rank = spectrum.energy_rank[0];
  return rank > 0 ? fmt::format("{}", rank) : fmt::format("> {}", spectrum.sigma.size());
}

std::string effectiveText(const core::StreamSpectrum& spectrum) {
  return (spectrum.sketch ? "≥ " : "") + number(spectrum.effective_rank);
}

}  // namespace

LiveLayout liveLayoutOf(const Rect& area) {
  LiveLayout layout;
  double width = std::round(std::clamp(area.width() * 0.42, kLeastRows, kMostRows));
  if (area.width() - width < kLeastPlots) width = area.width();
  layout.rows = {area.x0, area.y0, area.x0 + width, area.y1};
  const Rect right{layout.rows.x1 + 1, area.y0, area.x1, area.y1};
  if (right.width() < kLeastPlots) return layout;
  const bool both = right.height() >= 2 * kLeastPlotHeight;
  const double middle = both ? std::round(right.center().y) : right.y1;
  layout.ranks = {right.x0, right.y0, right.x1, middle};
  if (both) layout.values = {right.x0, middle, right.x1, right.y1};
  return layout;
}

std::size_t LiveContent::selectedRow() const {
  const std::uint32_t layer = selection_.head().layer;
  if (of_ == SpectraOf::kActivations && embedding_ && layer == 0) return 0;
  return rowOfLayer(of_, layer);
}

std::size_t LiveContent::selectedHead() const {
  const Head head = selection_.head();
  if (of_ == SpectraOf::kActivations || !model_) return 0;
  if (const auto keys = model_->sharedKeys(head.layer, head.head)) return *keys;
  return head.head;
}

bool LiveContent::isCurrent() const {
  const core::SpectraPicture* picture = series_.newest();
  return picture && picture->request.of == of_ && picture->request.window == window_;
}

const core::StreamSpectrum* LiveContent::selected() const {
  if (!isCurrent()) return nullptr;
  const auto& layers = series_.newest()->layers;
  const std::size_t row = selectedRow();
  if (row >= layers.size() || layers[row].heads.empty()) return nullptr;
  return &layers[row].heads[std::min(selectedHead(), layers[row].heads.size() - 1)];
}

std::string LiveContent::selectedName() const {
  const core::SpectraPicture& picture = *series_.newest();
  const std::size_t row = selectedRow();
  if (row >= picture.layers.size()) return "";
  std::string text = rowName(picture, row);
  if (text.front() >= '0' && text.front() <= '9') text = "layer " + text;
  if (picture.layers[row].heads.size() > 1) text += fmt::format(", kv head {}", selectedHead());
  return text;
}

void LiveContent::draw(CanvasFrame& frame) {
  static const core::Snapshot kNothing;
  const auto snapshot = snapshot_;
  const PanelContext context{snapshot ? *snapshot : kNothing, selection_, settings_};
  const Rect area{0, 0, frame.size.x, frame.size.y};
  probes_ = {};
  const Colors& colors = frame.theme.colors;
  if (context.snapshot.model != model_) series_.clear();
  model_ = context.snapshot.model;
  if (const auto message = missingSubject(context, colors, "the spectra of what it computes")) {
    series_.clear();
    if (drawMessage(frame, *message, area) && wish_) wish_(message->wish);
    return;
  }
  for (const KeyPress& press : frame.keys) handleKey(press, context);
  probes_.spectra = core::SpectraRequest{.of = of_, .window = window_, .earlier = kEarlier};
  series_.take(context.snapshot.spectra);
  if (!isCurrent()) {
    const std::string why = context.snapshot.error ? context.snapshot.error->describe() : "";
    drawMessage(frame,
                {.title = why.empty() ? "Computing spectra of " + name(of_) : "There are no spectra",
                 .text = why.empty() ? context.snapshot.activity : why,
                 .color = why.empty() ? colors.text : colors.error},
                area);
    return;
  }
  const LiveLayout layout = liveLayoutOf(area);
  drawRows(frame, layout.rows);
  const ImU32 line = colors.line.abgr();
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddLine({float(layout.rows.x1), 0}, {float(layout.rows.x1), frame.size.y}, line);
  const LivePlots plots{{of_, series_, selectedRow(), selectedHead(), selectedName(), selected()},
                        selection_};
  if (!layout.ranks.empty()) plots.drawRanks(frame, layout.ranks);
  if (layout.values.empty()) return;
  list.AddLine(low(layout.values), {float(layout.values.x1), float(layout.values.y0)}, line);
  plots.drawValues(frame, layout.values);
}

void LiveContent::drawRows(CanvasFrame& frame, const Rect& area) {
  const Colors& colors = frame.theme.colors;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const core::SpectraPicture& picture = *series_.newest();
  const std::string what = of_ == SpectraOf::kActivations ? "Hidden states"
                           : of_ == SpectraOf::kKeys      ? "Keys"
                                                          : "Values";
  drawText(list, frame.fonts.interface(), {float(area.x0 + kSide), 16}, Align::kLeft, colors.text,
           fmt::format("{} of {} tokens", what, picture.tokens));
  std::string note = window_ > 0 ? fmt::format("of the last {}", window_) : "of all so far";
  if (picture.layers.back().first > 0) note = fmt::format("from token {} on", picture.layers.back().first);
  drawLabel(list, frame, {float(area.x0 + kSide), 34}, Align::kLeft,
            {11, float(area.width() - 2 * kSide), colors.text_secondary, LabelFont::kInterface},
            note + (of_ == SpectraOf::kActivations ? " · bars: effective ranks"
                                                   : " · bars: kv heads, numbers: median"));
  const Rect header{area.x0, kLiveTitleHeight, area.x1, kLiveTitleHeight + kHeaderHeight};
  paint(header, colors.header);
  const double y = header.center().y, number_width = liveColumns(area).number;
  const auto title = [&](double x, Align align, const char* text) {
    drawText(list, frame.fonts.header(), {float(x), float(y)}, align, colors.text_secondary, text);
  };
  title(area.x0 + kSide, Align::kLeft, "Layer");
  title(area.x1 - kSide - 2 * number_width, Align::kRight, "Effective");
  title(area.x1 - kSide - number_width, Align::kRight, "Stable");
  title(area.x1 - kSide, Align::kRight, "90 % σ²");
  ImGui::SetCursorScreenPos({float(area.x0), float(header.y1)});
  ImGui::BeginChild("live rows", {float(area.width()), std::max(1.0f, float(area.y1 - header.y1))});
  const double top = ImGui::GetCursorScreenPos().y;
  ImGui::Dummy({float(area.width() - 2 * kSide), float(kRowHeight * double(picture.layers.size()) + kSide)});
  for (std::size_t row = 0; row < picture.layers.size(); ++row) {
    const Rect place{area.x0, top + kRowHeight * double(row), area.x1, top + kRowHeight * double(row + 1)};
    if (place.y1 > header.y1 && place.y0 < area.y1) drawRow(frame, place, row);
  }
  ImGui::EndChild();
}

void LiveContent::drawRow(CanvasFrame& frame, const Rect& place, std::size_t row) {
  const Colors& colors = frame.theme.colors;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const core::LayerSpectra& layer = series_.newest()->layers[row];
  const bool chosen = row == selectedRow();
  const bool hovered = place.contains(toPoint(ImGui::GetIO().MousePos)) && ImGui::IsWindowHovered();
  if (chosen || hovered) paint(place, chosen ? colors.selected : colors.hover);
  if (hovered && ImGui::IsMouseClicked(ImGuiMouseButton_Left)) selectRow(row);
  const float y = float(place.center().y);
  const LiveColumns columns = liveColumns(place);
  drawLabel(
      list, frame, {float(place.x0 + kSide), y}, Align::kLeft,
      {12, float(columns.layer - 8), chosen ? colors.query : colors.text_secondary, LabelFont::kInterface},
      rowName(*series_.newest(), row));
  const double x0 = place.x0 + kSide + columns.layer, x1 = place.x1 - kSide - 3 * columns.number + 12;
  const auto words = [&](const std::string& text, Rgba color) {
    drawLabel(list, frame, {float(x0), y}, Align::kLeft,
              {11, float(place.x1 - kSide - x0), color, LabelFont::kInterface}, text);
  };
  if (layer.heads.empty()) return words(layer.none, colors.text_disabled);
  const std::size_t head = std::min(chosen ? selectedHead() : 0, layer.heads.size() - 1);
  const core::StreamSpectrum* shown = &layer.heads[head];
  if (!chosen && shown->refused.empty() && layer.heads.size() > 1) {
    // Of several heads the middle one by effective rank.
    std::vector<const core::StreamSpectrum*> order;
    for (const auto& each : layer.heads) order.push_back(&each);
    std::ranges::sort(order, {}, [](const auto* each) { return each->effective_rank; });
    shown = order[order.size() / 2];
  }
  if (!shown->refused.empty()) return words(shown->refused, colors.error);
  drawBars(frame, {x0, place.y0, x1, place.y1}, row);
  const auto cell = [&](double right, const std::string& text) {
    drawText(list, frame.fonts.monoSmall(), {float(right), y}, Align::kRight, colors.text, text);
  };
  cell(place.x1 - kSide - 2 * columns.number, effectiveText(*shown));
  cell(place.x1 - kSide - columns.number, number(shown->stable_rank));
  cell(place.x1 - kSide, energyText(*shown));
}

// Full height is as much as the rows' number and width allow.
void LiveContent::drawBars(CanvasFrame& frame, const Rect& place, std::size_t row) {
  const Colors& colors = frame.theme.colors;
  const core::LayerSpectra& layer = series_.newest()->layers[row];
  if (place.width() < 24) return;
  const double most = std::max(1u, std::min(layer.width, layer.end - layer.first));
  const double each =
      std::min(place.width() / double(layer.heads.size()), layer.heads.size() == 1 ? 1e9 : 28.0);
  for (std::size_t head = 0; head < layer.heads.size(); ++head) {
    const core::StreamSpectrum& spectrum = layer.heads[head];
    const bool chosen = row == selectedRow() && head == selectedHead();
    const double share = std::clamp(spectrum.effective_rank / most, 0.0, 1.0);
    const double left = place.x0 + each * double(head);
    const Rect column{left, place.y0, left + each, place.y1};
    const Rgba color = chosen ? colors.query : seriesColor(frame.theme, kEffectiveColor);
    if (layer.heads.size() == 1) {
      const double y = place.center().y;
      paint({left, y - 3, left + each, y + 3}, colors.field);
      paint({left, y - 3, left + std::max(2.0, each * share), y + 3}, color);
    } else {
      const double floor = place.y1 - 4, height = kRowHeight - 8, gap = each >= 3 ? 1 : 0;
      paint({left, floor - height, left + each - gap, floor}, colors.field);
      paint({left, floor - std::max(1.0, height * share), left + each - gap, floor}, color);
    }
    if (!column.contains(toPoint(ImGui::GetIO().MousePos)) || !ImGui::IsWindowHovered()) continue;
    std::vector<TooltipRow> rows{
        {"effective rank", effectiveText(spectrum), seriesColor(frame.theme, kEffectiveColor)},
        {"stable rank", number(spectrum.stable_rank), seriesColor(frame.theme, kStableColor)},
        {"90, 95, 99 % of σ²", fmt::format("{}", fmt::join(spectrum.energy_rank, ", ")), colors.text},
        {"σ₁", spectrum.sigma.empty() ? "" : number(spectrum.sigma.front()), colors.text},
        {"at most", fmt::format("{} of {}", std::uint32_t(most), layer.width), colors.text}};
    std::string title = rowName(*series_.newest(), row);
    if (layer.heads.size() > 1) title = fmt::format("Layer {} · kv head {}", title, head);
    drawTooltip(frame, {.title = title, .rows = std::move(rows), .hint = spectrum.refused}, column,
                {4, 4, frame.size.x - 4.0, frame.size.y - 4.0});
  }
}

void LiveContent::selectRow(std::size_t row) {
  embedding_ = of_ == SpectraOf::kActivations && row == 0;
  selection_.setHead({layerOfRow(of_, row), selection_.head().head});
}

// By kv heads: to the first of the heads that share the next one's keys.
void LiveContent::moveHead(int by, const PanelContext& context) {
  const std::uint32_t layer = selection_.head().layer;
  if (layer >= context.snapshot.model->layer_kinds.size()) return;
  const core::LayerSummary& kind = context.snapshot.model->layer_kinds[layer];
  const std::uint32_t group = kind.kv_heads > 0 ? std::max(1u, kind.heads / kind.kv_heads) : 1;
  const std::int64_t next = std::int64_t(selectedHead()) + by;
  if (next < 0 || next >= std::int64_t(kind.kv_heads)) return;
  selection_.setHead({layer, std::uint32_t(next) * group});
}

bool LiveContent::wantsKey(const KeyPress& press) const {
  if ((press.modifiers & ~Qt::KeypadModifier) != Qt::NoModifier || !series_.newest()) return false;
  switch (press.key) {
    case Qt::Key_Left:
    case Qt::Key_Right:
      return of_ != SpectraOf::kActivations;
    case Qt::Key_Up:
    case Qt::Key_Down:
    case Qt::Key_Home:
    case Qt::Key_End:
    case Qt::Key_O:
      return true;
    default:
      return false;
  }
}

void LiveContent::handleKey(const KeyPress& press, const PanelContext& context) {
  if (!series_.newest()) return;
  const std::size_t last = series_.newest()->layers.size() - 1, row = std::min(selectedRow(), last);
  switch (press.key) {
    case Qt::Key_Up:
      return selectRow(row > 0 ? row - 1 : 0);
    case Qt::Key_Down:
      return selectRow(std::min(row + 1, last));
    case Qt::Key_Home:
      return selectRow(0);
    case Qt::Key_End:
      return selectRow(last);
    case Qt::Key_Left:
      return moveHead(-1, context);
    case Qt::Key_Right:
      return moveHead(1, context);
    case Qt::Key_O:
      of_ = SpectraOf((int(of_) + 1) % 3);
      if (of_changed_) of_changed_(of_);
      return;
    default:
      return;
  }
}

}  // namespace vitrine::ui::spectra
