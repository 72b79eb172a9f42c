// The two graphics pipelines of the canvas: coloured textures, and maps of probabilities. Dynamic rendering,
// straight alpha, viewport and scissor dynamic; vertices are fetched by device address.
#pragma once

#include "gpu/device.h"
#include "gpu/image.h"

namespace vitrine::ui {

class DrawPipelines {
 public:
  // `target`: format of the images that are drawn into (UNORM: Dear ImGui's colours are sRGB values already).
  static Result<DrawPipelines> create(gpu::Device& device, VkFormat target);
  DrawPipelines() = default;
  DrawPipelines(DrawPipelines&& other) noexcept;
  DrawPipelines& operator=(DrawPipelines&& other) noexcept;
  ~DrawPipelines();

  VkFormat target() const { return target_; }
  VkPipeline colors() const { return colors_; }
  VkPipeline map() const { return map_; }
  VkPipelineLayout layout() const { return layout_; }
  // Set 0: binding 0 the picture, binding 1 the colour map table; both combined image samplers.
  VkDescriptorSetLayout setLayout() const { return set_layout_; }
  VkSampler smooth() const { return smooth_; }    // for glyphs
  VkSampler nearest() const { return nearest_; }  // for cells

 private:
  Result<void> createLayout();
  Result<VkSampler> createSampler(VkFilter filter) const;
  Result<VkPipeline> createPipeline(const char* fragment_shader) const;
  void release();

  gpu::Device* device_ = nullptr;
  VkFormat target_ = VK_FORMAT_UNDEFINED;
  VkPipeline colors_ = VK_NULL_HANDLE, map_ = VK_NULL_HANDLE;
  VkPipelineLayout layout_ = VK_NULL_HANDLE;
  VkDescriptorSetLayout set_layout_ = VK_NULL_HANDLE;
  VkSampler smooth_ = VK_NULL_HANDLE, nearest_ = VK_NULL_HANDLE;
};

}  // namespace vitrine::ui
