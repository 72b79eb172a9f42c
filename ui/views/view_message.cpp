#include "ui/views/view_message.h"

#include <algorithm>
#include <cmath>

namespace vitrine::ui {
namespace {

std::string megabytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MB", double(bytes) / 1e6);
}

ViewMessage loadingMessage(const core::Snapshot& snapshot, Rgba color) {
  const double total = double(std::max<std::uint64_t>(snapshot.progress_total, 1));
  return {
      .title = snapshot.activity.empty() ? "Loading" : snapshot.activity,
      .text = fmt::format("{} of {}", megabytes(snapshot.progress_done), megabytes(snapshot.progress_total)),
      .button = "Cancel",
      .wish = Wish::kCancelLoad,
      .progress = double(snapshot.progress_done) / total,
      .color = color};
}

}  // namespace

bool drawMessage(CanvasFrame& frame, const ViewMessage& message, const Rect& area) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Colors& colors = frame.theme.colors;
  const Point middle = area.center();
  const float x = float(middle.x);
  float y = float(std::max(area.y0 + 30, middle.y - 44));
  drawText(list, frame.fonts.interface(), {x, y}, Align::kCenter, message.color, message.title);
  y += 24;
  // One line, elided in the middle: an error names a path, and both of its ends tell something.
  drawLabel(list, frame, {x, y}, Align::kCenter,
            {12, float(area.width() - 48), colors.text_secondary, LabelFont::kInterface}, message.text);
  y += 24;
  if (message.progress >= 0) {
    const float width = float(std::min(320.0, area.width() - 48)), left = std::round(x - width / 2);
    list.AddRectFilled({left, y}, {left + width, y + 3}, colors.field.abgr(), 1.5f);
    const float done = width * float(std::clamp(message.progress, 0.0, 1.0));
    list.AddRectFilled({left, y}, {left + done, y + 3}, colors.accent.abgr(), 1.5f);
    y += 20;
  }
  if (message.button.empty()) return false;
  const float width = textSize(frame.fonts.interface(), message.button).x + 32;
  ImGui::SetCursorScreenPos({std::round(x - width / 2), y});
  const bool primary = message.wish == Wish::kOpenModel || message.wish == Wish::kWritePrompt;
  if (primary) {
    ImGui::PushStyleColor(ImGuiCol_Button, toImVec4(colors.primary));
    ImGui::PushStyleColor(ImGuiCol_ButtonHovered, toImVec4(mix(colors.primary, colors.primary_text, 0.12f)));
    ImGui::PushStyleColor(ImGuiCol_ButtonActive, toImVec4(mix(colors.primary, colors.line, 0.2f)));
    ImGui::PushStyleColor(ImGuiCol_Text, toImVec4(colors.primary_text));
  }
  const bool pressed = ImGui::Button(message.button.c_str(), {width, 28});
  if (primary) ImGui::PopStyleColor(4);
  return pressed;
}

std::optional<ViewMessage> missingSubject(const PanelContext& context, const Colors& colors,
                                          const std::string& seen) {
  const core::Snapshot& snapshot = context.snapshot;
  if (!snapshot.model && snapshot.state == core::EngineState::kLoading)
    return loadingMessage(snapshot, colors.text);
  if (!snapshot.model && snapshot.error)
    return ViewMessage{.title = "The model could not be opened",
                       .text = snapshot.error->describe(),
                       .button = "Copy details",
                       .wish = Wish::kCopyError,
                       .color = colors.error};
  if (!snapshot.model)
    return ViewMessage{.title = "No model is open",
                       .text = fmt::format("Open a GGUF file or a Hugging Face folder to watch {}.", seen),
                       .button = "Open…",
                       .wish = Wish::kOpenModel,
                       .color = colors.text};
  if (context.tokens() == 0)
    return ViewMessage{.title = "Nothing has been read yet",
                       .text = fmt::format("Write a prompt and press Generate to watch {}.", seen),
                       .button = "Write a prompt",
                       .wish = Wish::kWritePrompt,
                       .color = colors.text};
  return std::nullopt;
}

}  // namespace vitrine::ui
