// Draws Dear ImGui's draw data, with maps of probabilities as textures of their own kind, into any image of
// the engine's device. In the place of imgui_impl_vulkan, which in 1.86 knows one texture and waits for the
// whole device when that changes.
#pragma once

#include <imgui.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "gpu/buffer.h"
#include "gpu/commands.h"
#include "ui/canvas/draw_pipeline.h"
#include "ui/canvas/texture.h"

namespace vitrine::ui {

// What a frame is drawn into; `after` is the layout that it is left in.
struct DrawTarget {
  VkImage image = VK_NULL_HANDLE;
  VkImageView view = VK_NULL_HANDLE;
  VkFormat format = VK_FORMAT_UNDEFINED;
  VkImageLayout after = VK_IMAGE_LAYOUT_GENERAL;
  std::uint32_t width = 0, height = 0;  // device pixels
  Rgba clear;
  VkSemaphore wait = VK_NULL_HANDLE, signal = VK_NULL_HANDLE;  // acquired, may be presented
};

class DrawRenderer {
 public:
  static Result<std::unique_ptr<DrawRenderer>> create(gpu::Device& device);
  ~DrawRenderer();
  DrawRenderer(const DrawRenderer&) = delete;
  DrawRenderer& operator=(const DrawRenderer&) = delete;

  // A texture id for the frame that is being built; the picture is kept until that frame has been drawn.
  ImTextureID map(std::shared_ptr<const gpu::Image> picture, const MapPaint& paint);

  // Copies `pixels` (RGBA, rows of `width`) to (x, y) of `image` at the start of the next frame.
  void upload(std::shared_ptr<const gpu::Image> image, std::uint32_t x, std::uint32_t y, std::uint32_t width,
              std::uint32_t height, std::span<const std::byte> pixels);

  // Whether render() would not have to wait for an earlier frame.
  Result<bool> ready() const;
  // Submits the frame; returns the timeline value at which it is complete.
  Result<std::uint64_t> render(const ImDrawData& data, const DrawTarget& target);
  double lastFrameMs() const { return last_frame_ms_; }  // GPU time of the newest frame known

 private:
  struct Upload {
    std::shared_ptr<const gpu::Image> image;
    std::uint32_t x = 0, y = 0, width = 0, height = 0;
    std::vector<std::byte> pixels;
  };
  // What a frame in flight needs; used again once the device has passed `done`.
  struct Slot {
    gpu::Commands commands;
    gpu::Buffer vertices, indices, staging;
    VkDescriptorPool descriptors = VK_NULL_HANDLE;
    std::deque<CanvasTexture> maps;
    std::uint64_t done = 0;
  };

  explicit DrawRenderer(gpu::Device& device) : device_(device) {}
  Result<void> createColorTable();
  Result<void> recordUploads(Slot& slot);
  Result<void> copyGeometry(const ImDrawData& data, Slot& slot);
  void beginRendering(VkCommandBuffer commands, const DrawTarget& target) const;
  void endRendering(VkCommandBuffer commands, const DrawTarget& target) const;
  Result<void> drawLists(const ImDrawData& data, Slot& slot, const DrawTarget& target);
  Result<void> bindTexture(Slot& slot, const CanvasTexture& texture, VkDescriptorSet& set) const;

  gpu::Device& device_;
  DrawPipelines pipelines_;
  std::shared_ptr<const gpu::Image> color_table_;
  std::array<Slot, 2> slots_;
  std::size_t next_slot_ = 0;
  std::deque<CanvasTexture> maps_;  // of the frame that is being built
  std::vector<Upload> uploads_;
  double last_frame_ms_ = 0;
};

}  // namespace vitrine::ui
