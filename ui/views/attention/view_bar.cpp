#include "ui/views/attention/view_bar.h"

#include <algorithm>
#include <array>
#include <functional>

namespace vitrine::ui::attention {
namespace {

template <typename Value, std::size_t count>
Value nextOf(const Value (&values)[count], Value value) {
  const auto found = std::ranges::find(values, value);
  return found == std::end(values) || found + 1 == std::end(values) ? values[0] : *(found + 1);
}

constexpr core::Pooling kPoolings[] = {core::Pooling::kMax, core::Pooling::kMean};
constexpr Scale kScales[] = {Scale::kLinear, Scale::kLog};

std::string_view name(core::ColormapId map) {
  return core::colormapName(map);
}
std::string_view name(core::Pooling pooling) {
  return pooling == core::Pooling::kMax ? "largest" : "mean";
}

// Lays out controls from left to right and leaves out what there is no room for.
class Bar {
 public:
  Bar(CanvasFrame& frame, const Rect& area) : frame_(frame), area_(area), x_(area.x0 + 12) {}

  template <typename Values, typename Value>
  void choice(const char* label, const Values& values, Value current, const char* help,
              const std::function<std::string(Value)>& describe, const std::function<void(Value)>& choose) {
    float widest = 0;
    for (Value value : values) widest = std::max(widest, textSize(frame_.fonts.interface(), name(value)).x);
    const float width = widest + 34, label_width = textSize(frame_.fonts.interface(), label).x + 8;
    const bool labelled = x_ + label_width + width + 8 < area_.x1;
    if (!labelled && x_ + width + 8 > area_.x1) return;
    const float y = float(area_.center().y);
    if (labelled) {
      drawText(*ImGui::GetWindowDrawList(), frame_.fonts.interface(), {float(x_), y}, Align::kLeft,
               frame_.theme.colors.text_secondary, label);
      x_ += label_width;
    }
    ImGui::SetCursorScreenPos({float(x_), y - 12});
    ImGui::SetNextItemWidth(width);
    combo(label, width, std::string(name(current)), [&] {
      for (Value value : values) {
        const std::string text(name(value));
        if (ImGui::Selectable(text.c_str(), value == current, 0, {0, 20})) choose(value);
        if (ImGui::IsItemHovered()) tip(describe(value));
      }
    });
    if (ImGui::IsItemHovered() && !ImGui::IsPopupOpen(nullptr, ImGuiPopupFlags_AnyPopup)) tip(help);
    x_ += width + 16;
  }

 private:
  void combo(const char* id, float width, const std::string& preview, const std::function<void()>& items) {
    const Colors& colors = frame_.theme.colors;
    ImGui::PushID(id);
    const ImVec2 corner = ImGui::GetCursorScreenPos(), size{width, 24};
    const bool pressed = ImGui::Button("##open", size);
    const ImVec2 end{corner.x + size.x, corner.y + size.y};
    ImDrawList& list = *ImGui::GetWindowDrawList();
    drawText(list, frame_.fonts.interface(), {corner.x + 10, corner.y + 12}, Align::kLeft, colors.text,
             preview);
    const ImVec2 arrow{end.x - 14, corner.y + 12};
    list.AddTriangleFilled({arrow.x - 4, arrow.y - 2}, {arrow.x + 4, arrow.y - 2}, {arrow.x, arrow.y + 3},
                           colors.text_secondary.abgr());
    hovered_ = ImGui::IsItemHovered();
    if (pressed) ImGui::OpenPopup("list");
    ImGui::SetNextWindowPos({corner.x, end.y + 2});
    ImGui::SetNextWindowSize({std::max(width, 120.0f), 0});
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {6, 6});
    ImGui::PushStyleVar(ImGuiStyleVar_SelectableTextAlign, {0.0f, 0.5f});
    if (ImGui::BeginPopup("list", ImGuiWindowFlags_NoMove)) {
      items();
      const bool escape =
          std::ranges::any_of(frame_.keys, [](const KeyPress& k) { return k.key == Qt::Key_Escape; });
      if (escape) ImGui::CloseCurrentPopup();
      ImGui::EndPopup();
    }
    ImGui::PopStyleVar(2);
    ImGui::PopID();
    // The button is the last item again, for the caller's tooltip.
    ImGui::SetCursorScreenPos(corner);
    ImGui::Dummy(size);
  }

  void tip(const std::string& text) {
    const ImVec2 a = ImGui::GetItemRectMin(), b = ImGui::GetItemRectMax();
    Tooltip tooltip{.title = text};
    drawTooltip(frame_, tooltip, {a.x, a.y, b.x, b.y}, {4, 4, frame_.size.x - 4.0, frame_.size.y - 4.0});
  }

  CanvasFrame& frame_;
  Rect area_;
  double x_;
  bool hovered_ = false;
};

}  // namespace

HeadSort nextSort(HeadSort sort) {
  return nextOf(kHeadSorts, sort);
}
core::ColormapId nextColormap(core::ColormapId map) {
  return nextOf(kSequentialMaps, map);
}

void drawViewBar(CanvasFrame& frame, const PanelContext& context, const Rect& area, ViewBarState& state) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Colors& colors = frame.theme.colors;
  list.AddRectFilled(low(area), high(area), colors.dock.abgr());
  list.AddRectFilled({float(area.x0), float(area.y1 - 1)}, high(area), colors.line.abgr());
  ViewSettings& settings = context.settings;
  Bar bar(frame, area);
  bar.choice<decltype(kHeadSorts), HeadSort>(
      "Sort", kHeadSorts, state.sort, "Order of the heads (S)",
      [](HeadSort sort) { return std::string(formula(sort)); }, [&](HeadSort sort) { state.sort = sort; });
  bar.choice<decltype(kScales), Scale>(
      "Scale", kScales, settings.scale(), "Colours follow the probability or its logarithm (L)",
      [](Scale scale) {
        return std::string(scale == Scale::kLog ? "Equal ratios of probability, equal steps of colour"
                                                : "Equal differences of probability, equal steps of colour");
      },
      [&](Scale scale) { settings.setScale(scale); });
  bar.choice<decltype(kSequentialMaps), core::ColormapId>(
      "Colour", kSequentialMaps, settings.colormap(), "Colour map (C)",
      [](core::ColormapId map) { return fmt::format("Colour map {}", name(map)); },
      [&](core::ColormapId map) { settings.setColormap(map); });
  bar.choice<decltype(kPoolings), core::Pooling>(
      "Pool", kPoolings, settings.pooling(), "What a pixel shows where several cells share it (P)",
      [](core::Pooling pooling) {
        return std::string(pooling == core::Pooling::kMax
                               ? "The largest probability: single peaks stay visible"
                               : "The mean probability: areas compare truly");
      },
      [&](core::Pooling pooling) { settings.setPooling(pooling); });
}

}  // namespace vitrine::ui::attention
