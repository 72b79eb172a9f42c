#include "ui/canvas/style.h"

#include <imgui_freetype.h>

#include <filesystem>
#include <span>

namespace vitrine::ui {
namespace {

// Latin with its extensions, Greek, and the signs that the interface writes (· × – — … ⏎ ⟨ ⟩ ≤ ≥ → ∑ √).
constexpr ImWchar kGlyphs[] = {0x20,   0x17f,  0x370,  0x3ff,  0x2010, 0x2027, 0x2030, 0x205f, 0x2190, 0x2199,
                               0x2200, 0x2265, 0x23ce, 0x23ce, 0x25b8, 0x25be, 0x27e8, 0x27e9, 0};

ImFont* addFont(ImFontAtlas& atlas, std::span<const char* const> files, float pixels) {
  ImFontConfig config;
  config.PixelSnapH = true;
  for (const char* file : files)
    if (std::filesystem::exists(file)) return atlas.AddFontFromFileTTF(file, pixels, &config, kGlyphs);
  config.SizePixels = pixels;
  return atlas.AddFontDefault(&config);
}

}  // namespace

void applyStyle(const Theme& theme, ImGuiStyle& style) {
  style = ImGuiStyle();
  const Sizes& sizes = theme.sizes;
  const float step = float(sizes.step), corner = float(sizes.corner);
  style.WindowPadding = {0, 0};
  style.FramePadding = {2 * step, step + 0.5f};
  style.ItemSpacing = {2 * step, step};
  style.ItemInnerSpacing = {step, step};
  style.WindowRounding = style.ChildRounding = 0;
  style.FrameRounding = style.PopupRounding = style.GrabRounding = corner;
  style.ScrollbarRounding = corner;
  style.ScrollbarSize = 10;
  style.WindowBorderSize = style.ChildBorderSize = 0;
  style.PopupBorderSize = style.FrameBorderSize = 1;
  const Colors& c = theme.colors;
  const auto set = [&style](ImGuiCol which, Rgba color) { style.Colors[which] = toImVec4(color); };
  set(ImGuiCol_Text, c.text);
  set(ImGuiCol_TextDisabled, c.text_disabled);
  set(ImGuiCol_WindowBg, c.canvas);
  set(ImGuiCol_ChildBg, c.canvas.withAlpha(0));
  set(ImGuiCol_PopupBg, c.field);
  set(ImGuiCol_Border, c.control_border);
  set(ImGuiCol_FrameBg, c.field);
  set(ImGuiCol_FrameBgHovered, c.hover);
  set(ImGuiCol_FrameBgActive, c.pressed);
  set(ImGuiCol_Button, c.field);
  set(ImGuiCol_ButtonHovered, c.hover);
  set(ImGuiCol_ButtonActive, c.pressed);
  set(ImGuiCol_Header, c.selected);
  set(ImGuiCol_HeaderHovered, c.hover);
  set(ImGuiCol_HeaderActive, c.pressed);
  set(ImGuiCol_Separator, c.line);
  set(ImGuiCol_CheckMark, c.accent);
  set(ImGuiCol_SliderGrab, c.accent);
  set(ImGuiCol_SliderGrabActive, c.accent);
  set(ImGuiCol_ScrollbarBg, c.canvas.withAlpha(0));
  set(ImGuiCol_ScrollbarGrab, c.control_border);
  set(ImGuiCol_ScrollbarGrabHovered, c.text_disabled);
  set(ImGuiCol_ScrollbarGrabActive, c.text_secondary);
  set(ImGuiCol_NavHighlight, c.accent);
}

Result<void> CanvasFonts::prepare(gpu::Device& device, DrawRenderer& renderer, const Fonts& fonts,
                                  double pixel_ratio) {
  if (interface_ && pixel_ratio == pixel_ratio_) return {};
  pixel_ratio_ = pixel_ratio;
  ImGuiIO& io = ImGui::GetIO();
  ImFontAtlas& atlas = *io.Fonts;
  atlas.Clear();
  atlas.FontBuilderIO = ImGuiFreeType::GetBuilderForFreeType();
  atlas.Flags |= ImFontAtlasFlags_NoPowerOfTwoHeight | ImFontAtlasFlags_NoMouseCursors;
  // Qt counts a font's size as its em square, Dear ImGui as ascent + descent: 1.21 em for Inter, 1.32 for the
  // mono.
  constexpr double kInterfaceEm = 1.21, kMonoEm = 1.32;
  const auto pixels = [&](int size, double em) { return float(std::round(size * em * pixel_ratio)); };
  interface_ = addFont(atlas, fonts.interface_files, pixels(fonts.interface_size, kInterfaceEm));
  header_ = addFont(atlas, fonts.interface_files, pixels(fonts.header_size, kInterfaceEm));
  mono_ = addFont(atlas, fonts.mono_files, pixels(fonts.mono_size, kMonoEm));
  mono_small_ = addFont(atlas, fonts.mono_files, pixels(10, kMonoEm));
  io.FontGlobalScale = float(1 / pixel_ratio);
  io.FontDefault = interface_;

  unsigned char* data = nullptr;
  int width = 0, height = 0;
  atlas.GetTexDataAsRGBA32(&data, &width, &height);
  if (!data || width <= 0 || height <= 0)
    return fail(ErrorCode::kNotFound,
                "no usable font for the canvas: install fonts-inter and fonts-jetbrains-mono");
  TRY_ASSIGN(gpu::Image image, gpu::Image::create(device, std::uint32_t(width), std::uint32_t(height),
                                                  VK_FORMAT_R8G8B8A8_UNORM, "canvas fonts"));
  texture_.image = std::make_shared<gpu::Image>(std::move(image));
  renderer.upload(texture_.image, 0, 0, std::uint32_t(width), std::uint32_t(height),
                  std::as_bytes(std::span(data, std::size_t(width) * std::size_t(height) * 4)));
  atlas.ClearTexData();
  atlas.SetTexID(&texture_);
  return {};
}

}  // namespace vitrine::ui
