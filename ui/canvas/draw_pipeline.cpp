#include "ui/canvas/draw_pipeline.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gpu/shader_binary.h"
#include "ui/draw.params.h"

namespace vitrine::ui {
namespace {

// A shader module that lives as long as the pipeline's creation.
class ShaderModule {
 public:
  static Result<ShaderModule> create(const gpu::Device& device, std::string_view name) {
    const auto binaries = gpu::shaderBinaries();
    const auto found = std::ranges::find(binaries, name, &gpu::ShaderBinary::name);
    if (found == binaries.end())
      return fail(ErrorCode::kNotFound, "shader {} is not in this build: rebuild Vitrine", name);
    VkShaderModuleCreateInfo info{.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO};
    info.codeSize = found->words.size_bytes();
    info.pCode = found->words.data();
    ShaderModule module;
    module.device_ = device.handle();
    TRY(gpu::check(vkCreateShaderModule(device.handle(), &info, nullptr, &module.handle_),
                   fmt::format("creating shader {}", name)));
    return module;
  }
  ShaderModule(ShaderModule&& other) noexcept
      : device_(other.device_), handle_(std::exchange(other.handle_, VK_NULL_HANDLE)) {}
  ShaderModule& operator=(ShaderModule&&) = delete;
  ~ShaderModule() {
    if (handle_) vkDestroyShaderModule(device_, handle_, nullptr);
  }
  VkShaderModule handle() const { return handle_; }

 private:
  ShaderModule() = default;
  VkDevice device_ = VK_NULL_HANDLE;
  VkShaderModule handle_ = VK_NULL_HANDLE;
};

VkPipelineShaderStageCreateInfo stage(VkShaderStageFlagBits which, const ShaderModule& module) {
  VkPipelineShaderStageCreateInfo info{.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO};
  info.stage = which;
  info.module = module.handle();
  info.pName = "main";
  return info;
}

VkPipelineColorBlendAttachmentState straightAlpha() {
  VkPipelineColorBlendAttachmentState blend{};
  blend.blendEnable = VK_TRUE;
  blend.srcColorBlendFactor = VK_BLEND_FACTOR_SRC_ALPHA;
  blend.dstColorBlendFactor = VK_BLEND_FACTOR_ONE_MINUS_SRC_ALPHA;
  blend.srcAlphaBlendFactor = VK_BLEND_FACTOR_ONE;
  blend.dstAlphaBlendFactor = VK_BLEND_FACTOR_ONE_MINUS_SRC_ALPHA;
  blend.colorWriteMask = VK_COLOR_COMPONENT_R_BIT | VK_COLOR_COMPONENT_G_BIT | VK_COLOR_COMPONENT_B_BIT |
                         VK_COLOR_COMPONENT_A_BIT;
  return blend;
}

}  // namespace

Result<DrawPipelines> DrawPipelines::create(gpu::Device& device, VkFormat target) {
  DrawPipelines pipelines;
  pipelines.device_ = &device;
  pipelines.target_ = target;
  TRY_ASSIGN(pipelines.smooth_, pipelines.createSampler(VK_FILTER_LINEAR));
  TRY_ASSIGN(pipelines.nearest_, pipelines.createSampler(VK_FILTER_NEAREST));
  TRY(pipelines.createLayout());
  TRY_ASSIGN(pipelines.colors_, pipelines.createPipeline("ui/draw.frag"));
  TRY_ASSIGN(pipelines.map_, pipelines.createPipeline("ui/map.frag"));
  return pipelines;
}

DrawPipelines::DrawPipelines(DrawPipelines&& other) noexcept {
  *this = std::move(other);
}

DrawPipelines& DrawPipelines::operator=(DrawPipelines&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(target_, other.target_);
  std::swap(colors_, other.colors_);
  std::swap(map_, other.map_);
  std::swap(layout_, other.layout_);
  std::swap(set_layout_, other.set_layout_);
  std::swap(smooth_, other.smooth_);
  std::swap(nearest_, other.nearest_);
  return *this;
}

DrawPipelines::~DrawPipelines() {
  release();
}

void DrawPipelines::release() {
  if (!device_) return;
  device_->destroyLater([device = device_->handle(), colors = colors_, map = map_, layout = layout_,
                         set_layout = set_layout_, smooth = smooth_, nearest = nearest_] {
    vkDestroyPipeline(device, colors, nullptr);
    vkDestroyPipeline(device, map, nullptr);
    vkDestroyPipelineLayout(device, layout, nullptr);
    vkDestroyDescriptorSetLayout(device, set_layout, nullptr);
    vkDestroySampler(device, smooth, nullptr);
    vkDestroySampler(device, nearest, nullptr);
  });
  device_ = nullptr;
}

Result<VkSampler> DrawPipelines::createSampler(VkFilter filter) const {
  VkSamplerCreateInfo info{.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
  info.magFilter = info.minFilter = filter;
  info.addressModeU = info.addressModeV = info.addressModeW = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE;
  VkSampler sampler = VK_NULL_HANDLE;
  TRY(gpu::check(vkCreateSampler(device_->handle(), &info, nullptr, &sampler),
                 "creating the canvas's sampler"));
  return sampler;
}

Result<void> DrawPipelines::createLayout() {
  std::array<VkDescriptorSetLayoutBinding, 2> bindings{};
  for (std::uint32_t index = 0; index < bindings.size(); ++index) {
    bindings[index].binding = index;
    bindings[index].descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER;
    bindings[index].descriptorCount = 1;
    bindings[index].stageFlags = VK_SHADER_STAGE_FRAGMENT_BIT;
  }
  VkDescriptorSetLayoutCreateInfo set{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
  set.bindingCount = std::uint32_t(bindings.size());
  set.pBindings = bindings.data();
  TRY(gpu::check(vkCreateDescriptorSetLayout(device_->handle(), &set, nullptr, &set_layout_),
                 "creating the canvas's descriptor layout"));
  VkPushConstantRange push{};
  push.stageFlags = VK_SHADER_STAGE_VERTEX_BIT | VK_SHADER_STAGE_FRAGMENT_BIT;
  push.size = sizeof(shader::DrawParams);
  VkPipelineLayoutCreateInfo info{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
  info.setLayoutCount = 1;
  info.pSetLayouts = &set_layout_;
  info.pushConstantRangeCount = 1;
  info.pPushConstantRanges = &push;
  return gpu::check(vkCreatePipelineLayout(device_->handle(), &info, nullptr, &layout_),
                    "creating the canvas's pipeline layout");
}

Result<VkPipeline> DrawPipelines::createPipeline(const char* fragment_shader) const {
  TRY_ASSIGN(const ShaderModule vertex, ShaderModule::create(*device_, "ui/draw.vert"));
  TRY_ASSIGN(const ShaderModule fragment, ShaderModule::create(*device_, fragment_shader));
  const std::array stages = {stage(VK_SHADER_STAGE_VERTEX_BIT, vertex),
                             stage(VK_SHADER_STAGE_FRAGMENT_BIT, fragment)};

  const VkPipelineVertexInputStateCreateInfo no_vertices{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO};
  VkPipelineInputAssemblyStateCreateInfo assembly{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO};
  assembly.topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST;
  VkPipelineViewportStateCreateInfo viewport{.sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO};
  viewport.viewportCount = viewport.scissorCount = 1;
  VkPipelineRasterizationStateCreateInfo raster{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO};
  raster.polygonMode = VK_POLYGON_MODE_FILL;
  raster.cullMode = VK_CULL_MODE_NONE;
  raster.lineWidth = 1;
  VkPipelineMultisampleStateCreateInfo samples{.sType =
                                                   VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO};
  samples.rasterizationSamples = VK_SAMPLE_COUNT_1_BIT;
  const VkPipelineColorBlendAttachmentState blend = straightAlpha();
  VkPipelineColorBlendStateCreateInfo blending{.sType =
                                                   VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO};
  blending.attachmentCount = 1;
  blending.pAttachments = &blend;
  const std::array dynamic_states = {VK_DYNAMIC_STATE_VIEWPORT, VK_DYNAMIC_STATE_SCISSOR};
  VkPipelineDynamicStateCreateInfo dynamic{.sType = VK_STRUCTURE_TYPE_PIPELINE_DYNAMIC_STATE_CREATE_INFO};
  dynamic.dynamicStateCount = std::uint32_t(dynamic_states.size());
  dynamic.pDynamicStates = dynamic_states.data();
  VkPipelineRenderingCreateInfo rendering{.sType = VK_STRUCTURE_TYPE_PIPELINE_RENDERING_CREATE_INFO};
  rendering.colorAttachmentCount = 1;
  rendering.pColorAttachmentFormats = &target_;

  VkGraphicsPipelineCreateInfo info{.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO};
  info.pNext = &rendering;
  info.stageCount = std::uint32_t(stages.size());
  info.pStages = stages.data();
  info.pVertexInputState = &no_vertices;
  info.pInputAssemblyState = &assembly;
  info.pViewportState = &viewport;
  info.pRasterizationState = &raster;
  info.pMultisampleState = &samples;
  info.pColorBlendState = &blending;
  info.pDynamicState = &dynamic;
  info.layout = layout_;
  VkPipeline pipeline = VK_NULL_HANDLE;
  TRY(gpu::check(
      vkCreateGraphicsPipelines(device_->handle(), device_->pipelineCache(), 1, &info, nullptr, &pipeline),
      fmt::format("creating the canvas's pipeline for {}", fragment_shader)));
  return pipeline;
}

}  // namespace vitrine::ui
