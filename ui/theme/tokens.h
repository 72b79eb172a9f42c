// The design tokens: every colour, size and font of the window, for Qt widgets, Dear ImGui and figures alike,
// so that one cannot see where one toolkit ends and the other begins. Plain values, no toolkit's types.
// Colours are sRGB, sizes are logical pixels at 100 %. Text has a contrast of at least 4.5 : 1 against its
// ground.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace vitrine::ui {

struct Rgba {
  std::uint8_t r = 0, g = 0, b = 0, a = 255;

  constexpr bool operator==(const Rgba&) const = default;
  constexpr Rgba withAlpha(std::uint8_t alpha) const { return {r, g, b, alpha}; }
  // Dear ImGui's ImU32: red in the lowest byte.
  constexpr std::uint32_t abgr() const {
    return std::uint32_t(a) << 24 | std::uint32_t(b) << 16 | std::uint32_t(g) << 8 | r;
  }
  // Qt's QRgb: 0xAARRGGBB.
  constexpr std::uint32_t argb() const {
    return std::uint32_t(a) << 24 | std::uint32_t(r) << 16 | std::uint32_t(g) << 8 | b;
  }
  // Components from 0 to 1, red first (ImVec4, VkClearColorValue).
  constexpr std::array<float, 4> floats() const { return {r / 255.0f, g / 255.0f, b / 255.0f, a / 255.0f}; }
};

// rgb(0x16181d)
constexpr Rgba rgb(std::uint32_t hex) {
  return {std::uint8_t(hex >> 16), std::uint8_t(hex >> 8), std::uint8_t(hex), 255};
}

// `t` of the way from `from` to `to`, alpha included.
constexpr Rgba mix(Rgba from, Rgba to, float t) {
  auto channel = [t](std::uint8_t a, std::uint8_t b) {
    return std::uint8_t(float(a) + (float(b) - float(a)) * t + 0.5f);
  };
  return {channel(from.r, to.r), channel(from.g, to.g), channel(from.b, to.b), channel(from.a, to.a)};
}

struct Colors {
  Rgba window, dock, header, line;  // grounds, from the back to the front, and what divides them
  Rgba field, hover, pressed,
      selected;         // ground of inputs and buttons, of hovered and pressed ones, of a chosen row
  Rgba control_border;  // outline of inputs and buttons
  Rgba text, text_secondary, text_disabled;
  Rgba query, key;                                  // the selection: query always amber, key always green
  Rgba accent, accent_text, primary, primary_text;  // focus ring and links; text on them; primary button
  Rgba second_series;
  Rgba warning, error;
  Rgba canvas, masked;  // ground of the pictures, cells with no key
  Rgba tooltip, shadow;
};

// Sizes in logical pixels; spacing in steps of 4.
struct Sizes {
  int menu = 28, left_dock = 236, right_dock = 292;
  int strip = 84;  // token strip: grows to three lines, then scrolls
  int tabs = 34, view_bar = 36, timeline = 40, status = 28;
  int row = 24, corner = 4, step = 4, line = 1;
  int dock_header = 30, control = 24;
  int map_grid_from = 12, map_numbers_from = 44;  // cell size from which the grid and the numbers are drawn
  int thumbnail_min = 20;
  int narrow = 1100, tiny = 800;  // window widths below which docks merge, then go
  int min_width = 640, min_height = 480;
};

// Families in the order in which they are tried; sizes in logical pixels.
struct Fonts {
  const char* interface_family = "Inter";
  const char* mono_family = "JetBrains Mono";
  int interface_size = 13, small_size = 12, header_size = 11, mono_size = 12;
  double header_spacing = 0.06;  // of the letter's width, headers are upper case
  // Files for Dear ImGui, which knows no font configuration; the first that exists is used.
  std::array<const char*, 4> interface_files = {
      "/usr/share/fonts/opentype/inter/Inter-Regular.otf",
      "/usr/share/fonts/truetype/inter/Inter-Regular.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
      "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf"};
  std::array<const char*, 4> mono_files = {
      "/usr/share/fonts/truetype/jetbrains-mono/JetBrainsMono-Regular.ttf",
      "/usr/share/fonts/opentype/jetbrains-mono/JetBrainsMono-Regular.otf",
      "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
      "/usr/share/fonts/truetype/liberation/LiberationMono-Regular.ttf"};
  std::array<const char*, 2> cjk_files = {"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
                                          "/usr/share/fonts/truetype/noto/NotoSansCJK-Regular.ttc"};
};

enum class Appearance { kDark, kLight };

struct Theme {
  Appearance appearance = Appearance::kDark;
  Colors colors;
  Sizes sizes;
  Fonts fonts;
  double zoom = 1;  // of the interface, in sizes and fonts already
};

inline constexpr Theme kDarkTheme{.appearance = Appearance::kDark,
                                  .colors = {.window = rgb(0x16181d),
                                             .dock = rgb(0x1a1c22),
                                             .header = rgb(0x20232a),
                                             .line = rgb(0x0e0f12),
                                             .field = rgb(0x22252d),
                                             .hover = rgb(0x2b2f38),
                                             .pressed = rgb(0x343944),
                                             .selected = rgb(0x25405c),
                                             .control_border = rgb(0x363b46),
                                             .text = rgb(0xe8eaee),
                                             .text_secondary = rgb(0x9aa1ad),
                                             .text_disabled = rgb(0x6b7280),
                                             .query = rgb(0xe5a33b),
                                             .key = rgb(0x5ec996),
                                             .accent = rgb(0x5ea9e5),
                                             .accent_text = rgb(0x0e0f12),
                                             .primary = rgb(0x2a6db0),
                                             .primary_text = rgb(0xffffff),
                                             .second_series = rgb(0x9a86d8),
                                             .warning = rgb(0xe0b341),
                                             .error = rgb(0xe5675e),
                                             .canvas = rgb(0x16181d),
                                             .masked = rgb(0x181a1f),
                                             .tooltip = rgb(0x0e0f12),
                                             .shadow = Rgba{0, 0, 0, 120}},
                                  .sizes = {},
                                  .fonts = {}};

inline constexpr Theme kLightTheme{.appearance = Appearance::kLight,
                                   .colors = {.window = rgb(0xffffff),
                                              .dock = rgb(0xf6f7f9),
                                              .header = rgb(0xeceef2),
                                              .line = rgb(0xd5d9e0),
                                              .field = rgb(0xffffff),
                                              .hover = rgb(0xe6e9ee),
                                              .pressed = rgb(0xd9dde4),
                                              .selected = rgb(0xd3e4f5),
                                              .control_border = rgb(0xc3c9d3),
                                              .text = rgb(0x1b1e24),
                                              .text_secondary = rgb(0x545b68),
                                              .text_disabled = rgb(0x8b93a1),
                                              .query = rgb(0xb36b00),
                                              .key = rgb(0x1b8a57),
                                              .accent = rgb(0x1f6fb5),
                                              .accent_text = rgb(0xffffff),
                                              .primary = rgb(0x1f6fb5),
                                              .primary_text = rgb(0xffffff),
                                              .second_series = rgb(0x6a52b3),
                                              .warning = rgb(0x946200),
                                              .error = rgb(0xb3261e),
                                              .canvas = rgb(0xffffff),
                                              .masked = rgb(0xe6e8ec),
                                              .tooltip = rgb(0xffffff),
                                              .shadow = Rgba{0, 0, 0, 50}},
                                   .sizes = {},
                                   .fonts = {}};

constexpr const Theme& themeOf(Appearance appearance) {
  return appearance == Appearance::kDark ? kDarkTheme : kLightTheme;
}

// Okabe and Ito's series colours, told apart by all common colour visions; always with a marker or a dash
// besides.
inline constexpr std::array<Rgba, 8> kSeries = {rgb(0x0072b2), rgb(0xe69f00), rgb(0x009e73), rgb(0xcc79a7),
                                                rgb(0x56b4e9), rgb(0xd55e00), rgb(0xf0e442), rgb(0x000000)};

}  // namespace vitrine::ui
