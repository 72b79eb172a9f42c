#include "ui/canvas/draw_renderer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "ui/draw.params.h"

namespace vitrine::ui {
namespace {

constexpr std::uint32_t kMaxTextures = 256;  // different ones in a frame
constexpr std::uint32_t kColorMapSize = 256;

static_assert(sizeof(ImDrawVert) == 20 && sizeof(ImDrawIdx) == 2, "ui/draw.vert reads these");

void memoryBarrier(VkCommandBuffer commands, VkPipelineStageFlags2 from, VkAccessFlags2 written,
                   VkPipelineStageFlags2 to, VkAccessFlags2 read) {
  VkMemoryBarrier2 barrier{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2};
  barrier.srcStageMask = from;
  barrier.srcAccessMask = written;
  barrier.dstStageMask = to;
  barrier.dstAccessMask = read;
  VkDependencyInfo info{.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO};
  info.memoryBarrierCount = 1;
  info.pMemoryBarriers = &barrier;
  vkCmdPipelineBarrier2(commands, &info);
}

void changeLayout(VkCommandBuffer commands, VkImage image, VkImageLayout from, VkImageLayout to,
                  VkPipelineStageFlags2 after, VkAccessFlags2 written, VkPipelineStageFlags2 before,
                  VkAccessFlags2 used) {
  VkImageMemoryBarrier2 barrier{.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER_2};
  barrier.srcStageMask = after;
  barrier.srcAccessMask = written;
  barrier.dstStageMask = before;
  barrier.dstAccessMask = used;
  barrier.oldLayout = from;
  barrier.newLayout = to;
  barrier.srcQueueFamilyIndex = barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
  barrier.image = image;
  barrier.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
  VkDependencyInfo info{.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO};
  info.imageMemoryBarrierCount = 1;
  info.pImageMemoryBarriers = &barrier;
  vkCmdPipelineBarrier2(commands, &info);
}

// Makes room for `bytes`, a little more than asked so that a growing view does not allocate each frame.
Result<void> reserve(gpu::Device& device, gpu::Buffer& buffer, std::uint64_t bytes, const char* name) {
  if (buffer && buffer.size() >= bytes) return {};
  TRY_ASSIGN(buffer, gpu::Buffer::create(device, std::max<std::uint64_t>(bytes + bytes / 2, 1u << 16),
                                         gpu::MemoryKind::kUpload, name));
  return {};
}

// Device pixels of a clip rectangle, within the target; empty ones have no width or height.
VkRect2D scissorOf(const ImVec4& clip, const ImDrawData& data, const DrawTarget& target) {
  auto pixel = [](float value, std::uint32_t most) { return std::clamp(value, 0.0f, float(most)); };
  const ImVec2 origin = data.DisplayPos, scale = data.FramebufferScale;
  const float x0 = pixel((clip.x - origin.x) * scale.x, target.width);
  const float y0 = pixel((clip.y - origin.y) * scale.y, target.height);
  const float x1 = pixel((clip.z - origin.x) * scale.x, target.width);
  const float y1 = pixel((clip.w - origin.y) * scale.y, target.height);
  VkRect2D rect{};
  rect.offset = {std::int32_t(std::lround(x0)), std::int32_t(std::lround(y0))};
  if (x1 > x0) rect.extent.width = std::uint32_t(std::lround(x1) - rect.offset.x);
  if (y1 > y0) rect.extent.height = std::uint32_t(std::lround(y1) - rect.offset.y);
  return rect;
}

void setMapParams(const MapPaint& paint, shader::DrawParams& params) {
  const bool log = paint.scale == Scale::kLog;
  const auto end = [log](double value) {
    return float(log ? std::log2(std::max(value, kLowestProbability)) : value);
  };
  params.low = end(paint.range.low);
  params.high = end(paint.range.high);
  params.log_scale = log;
  params.lut_row = std::uint32_t(paint.colormap);
  params.masked = paint.masked.abgr();
  params.invalid = paint.invalid.abgr();
}

}  // namespace

Result<std::unique_ptr<DrawRenderer>> DrawRenderer::create(gpu::Device& device) {
  std::unique_ptr<DrawRenderer> renderer(new DrawRenderer(device));
  for (Slot& slot : renderer->slots_) {
    TRY_ASSIGN(slot.commands, gpu::Commands::create(device, "canvas frame"));
    const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 2 * kMaxTextures};
    VkDescriptorPoolCreateInfo info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO};
    info.maxSets = kMaxTextures;
    info.poolSizeCount = 1;
    info.pPoolSizes = &size;
    TRY(gpu::check(vkCreateDescriptorPool(device.handle(), &info, nullptr, &slot.descriptors),
                   "creating the canvas's descriptor pool"));
  }
  TRY(renderer->createColorTable());
  return renderer;
}

DrawRenderer::~DrawRenderer() {
  for (Slot& slot : slots_) {
    if (!slot.descriptors) continue;
    // The pictures of frames in flight live as long as those frames.
    auto maps = std::make_shared<std::deque<CanvasTexture>>(std::move(slot.maps));
    device_.destroyLater([device = device_.handle(), pool = slot.descriptors, maps] {
      vkDestroyDescriptorPool(device, pool, nullptr);
    });
  }
}

Result<void> DrawRenderer::createColorTable() {
  std::vector<std::byte> pixels;
  for (core::ColormapId map : core::colormaps())  // row by row, in the order of the ids
    for (const core::Rgb8& color : core::colormap(map))
      for (std::uint8_t channel : {color.r, color.g, color.b, std::uint8_t(255)})
        pixels.push_back(std::byte(channel));
  const auto rows = std::uint32_t(core::colormaps().size());
  TRY_ASSIGN(gpu::Image table,
             gpu::Image::create(device_, kColorMapSize, rows, VK_FORMAT_R8G8B8A8_UNORM, "colour maps"));
  color_table_ = std::make_shared<gpu::Image>(std::move(table));
  upload(color_table_, 0, 0, kColorMapSize, rows, pixels);
  return {};
}

ImTextureID DrawRenderer::map(std::shared_ptr<const gpu::Image> picture, const MapPaint& paint) {
  return &maps_.emplace_back(CanvasTexture{std::move(picture), true, paint});
}

void DrawRenderer::upload(std::shared_ptr<const gpu::Image> image, std::uint32_t x, std::uint32_t y,
                          std::uint32_t width, std::uint32_t height, std::span<const std::byte> pixels) {
  VITRINE_ASSERT(pixels.size() == std::size_t(width) * height * 4);
  uploads_.push_back({std::move(image), x, y, width, height, {pixels.begin(), pixels.end()}});
}

Result<bool> DrawRenderer::ready() const {
  TRY_ASSIGN(const std::uint64_t completed, device_.completed());
  return completed >= slots_[next_slot_].done;
}

Result<std::uint64_t> DrawRenderer::render(const ImDrawData& data, const DrawTarget& target) {
  if (pipelines_.target() != target.format) {
    TRY_ASSIGN(pipelines_, DrawPipelines::create(device_, target.format));
  }
  Slot& slot = slots_[next_slot_];
  TRY(device_.wait(slot.done));
  if (slot.done > 0) {
    TRY_ASSIGN(const auto marks, slot.commands.marks());
    if (marks.size() > 1) last_frame_ms_ = marks.back().ms;
  }
  slot.maps = std::exchange(maps_, {});
  TRY(gpu::check(vkResetDescriptorPool(device_.handle(), slot.descriptors, 0), "resetting descriptors"));
  TRY(copyGeometry(data, slot));
  TRY(slot.commands.begin());
  slot.commands.mark("start");
  TRY(recordUploads(slot));
  const VkCommandBuffer commands = slot.commands.handle();
  beginRendering(commands, target);
  const auto drawn = drawLists(data, slot, target);
  endRendering(commands, target);
  TRY(drawn);
  slot.commands.mark("drawn");
  TRY(slot.commands.end());
  TRY_ASSIGN(slot.done, slot.commands.submit(target.wait, VK_PIPELINE_STAGE_2_COLOR_ATTACHMENT_OUTPUT_BIT,
                                             target.signal));
  next_slot_ = (next_slot_ + 1) % slots_.size();
  return slot.done;
}

Result<void> DrawRenderer::copyGeometry(const ImDrawData& data, Slot& slot) {
  // An even number of indices a list keeps the pairs that the shader reads aligned.
  std::uint64_t index_count = 0;
  for (int list = 0; list < data.CmdListsCount; ++list)
    index_count += std::uint64_t(data.CmdLists[list]->IdxBuffer.Size + 1) / 2 * 2;
  TRY(reserve(device_, slot.vertices, std::uint64_t(data.TotalVtxCount) * sizeof(ImDrawVert),
              "canvas vertices"));
  TRY(reserve(device_, slot.indices, index_count * sizeof(ImDrawIdx), "canvas indices"));
  std::byte* vertices = slot.vertices.mapped().data();
  std::byte* indices = slot.indices.mapped().data();
  for (int list = 0; list < data.CmdListsCount; ++list) {
    const ImDrawList& from = *data.CmdLists[list];
    std::memcpy(vertices, from.VtxBuffer.Data, std::size_t(from.VtxBuffer.size_in_bytes()));
    std::memcpy(indices, from.IdxBuffer.Data, std::size_t(from.IdxBuffer.size_in_bytes()));
    vertices += from.VtxBuffer.size_in_bytes();
    indices += std::size_t(from.IdxBuffer.Size + 1) / 2 * 2 * sizeof(ImDrawIdx);
  }
  return {};
}

Result<void> DrawRenderer::recordUploads(Slot& slot) {
  const VkCommandBuffer commands = slot.commands.handle();
  // Pictures were written by compute or copies in earlier submissions; textures may still be read by the last
  // frame.
  memoryBarrier(commands,
                VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_2_TRANSFER_BIT |
                    VK_PIPELINE_STAGE_2_FRAGMENT_SHADER_BIT,
                VK_ACCESS_2_SHADER_WRITE_BIT | VK_ACCESS_2_TRANSFER_WRITE_BIT,
                VK_PIPELINE_STAGE_2_FRAGMENT_SHADER_BIT | VK_PIPELINE_STAGE_2_TRANSFER_BIT,
                VK_ACCESS_2_SHADER_READ_BIT | VK_ACCESS_2_TRANSFER_WRITE_BIT);
  if (uploads_.empty()) return {};
  std::uint64_t bytes = 0;
  for (const Upload& upload : uploads_) bytes += upload.pixels.size();
  TRY(reserve(device_, slot.staging, bytes, "canvas uploads"));
  std::uint64_t offset = 0;
  for (const Upload& upload : uploads_) {
    std::memcpy(slot.staging.mapped().data() + offset, upload.pixels.data(), upload.pixels.size());
    VkBufferImageCopy region{};
    region.bufferOffset = offset;
    region.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
    region.imageOffset = {std::int32_t(upload.x), std::int32_t(upload.y), 0};
    region.imageExtent = {upload.width, upload.height, 1};
    vkCmdCopyBufferToImage(commands, slot.staging.handle(), upload.image->handle(), VK_IMAGE_LAYOUT_GENERAL,
                           1, &region);
    offset += upload.pixels.size();
  }
  uploads_.clear();
  memoryBarrier(commands, VK_PIPELINE_STAGE_2_TRANSFER_BIT, VK_ACCESS_2_TRANSFER_WRITE_BIT,
                VK_PIPELINE_STAGE_2_FRAGMENT_SHADER_BIT, VK_ACCESS_2_SHADER_READ_BIT);
  return {};
}

void DrawRenderer::beginRendering(VkCommandBuffer commands, const DrawTarget& target) const {
  changeLayout(commands, target.image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
               VK_PIPELINE_STAGE_2_COLOR_ATTACHMENT_OUTPUT_BIT | VK_PIPELINE_STAGE_2_TRANSFER_BIT, 0,
               VK_PIPELINE_STAGE_2_COLOR_ATTACHMENT_OUTPUT_BIT, VK_ACCESS_2_COLOR_ATTACHMENT_WRITE_BIT);
  VkRenderingAttachmentInfo color{.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO};
  color.imageView = target.view;
  color.imageLayout = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL;
  color.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR;
  color.storeOp = VK_ATTACHMENT_STORE_OP_STORE;
  std::ranges::copy(target.clear.floats(), color.clearValue.color.float32);
  VkRenderingInfo info{.sType = VK_STRUCTURE_TYPE_RENDERING_INFO};
  info.renderArea.extent = {target.width, target.height};
  info.layerCount = 1;
  info.colorAttachmentCount = 1;
  info.pColorAttachments = &color;
  vkCmdBeginRendering(commands, &info);
  const VkViewport viewport{0, 0, float(target.width), float(target.height), 0, 1};
  vkCmdSetViewport(commands, 0, 1, &viewport);
}

void DrawRenderer::endRendering(VkCommandBuffer commands, const DrawTarget& target) const {
  vkCmdEndRendering(commands);
  changeLayout(commands, target.image, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL, target.after,
               VK_PIPELINE_STAGE_2_COLOR_ATTACHMENT_OUTPUT_BIT, VK_ACCESS_2_COLOR_ATTACHMENT_WRITE_BIT,
               VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, VK_ACCESS_2_MEMORY_READ_BIT);
}

Result<void> DrawRenderer::bindTexture(Slot& slot, const CanvasTexture& texture, VkDescriptorSet& set) const {
  if (!set) {
    const VkDescriptorSetLayout layout = pipelines_.setLayout();
    VkDescriptorSetAllocateInfo info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO};
    info.descriptorPool = slot.descriptors;
    info.descriptorSetCount = 1;
    info.pSetLayouts = &layout;
    TRY(gpu::check(vkAllocateDescriptorSets(device_.handle(), &info, &set),
                   "binding a picture of the canvas"));
    const VkDescriptorImageInfo images[] = {
        {texture.is_map ? pipelines_.nearest() : pipelines_.smooth(), texture.image->view(),
         VK_IMAGE_LAYOUT_GENERAL},
        {pipelines_.nearest(), color_table_->view(), VK_IMAGE_LAYOUT_GENERAL}};
    VkWriteDescriptorSet write{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET};
    write.dstSet = set;
    write.descriptorCount = 2;  // runs on into binding 1
    write.descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER;
    write.pImageInfo = images;
    vkUpdateDescriptorSets(device_.handle(), 1, &write, 0, nullptr);
  }
  vkCmdBindDescriptorSets(slot.commands.handle(), VK_PIPELINE_BIND_POINT_GRAPHICS, pipelines_.layout(), 0, 1,
                          &set, 0, nullptr);
  return {};
}

Result<void> DrawRenderer::drawLists(const ImDrawData& data, Slot& slot, const DrawTarget& target) {
  const VkCommandBuffer commands = slot.commands.handle();
  std::map<const CanvasTexture*, VkDescriptorSet> sets;
  const CanvasTexture* bound = nullptr;
  shader::DrawParams params{};
  params.vertices = slot.vertices.address();
  params.indices = slot.indices.address();
  params.scale_x = 2 / data.DisplaySize.x;
  params.scale_y = 2 / data.DisplaySize.y;
  params.translate_x = -1 - data.DisplayPos.x * params.scale_x;
  params.translate_y = -1 - data.DisplayPos.y * params.scale_y;
  std::uint32_t first_vertex = 0, first_index = 0;
  for (int list = 0; list < data.CmdListsCount; ++list) {
    const ImDrawList& from = *data.CmdLists[list];
    for (const ImDrawCmd& command : from.CmdBuffer) {
      const VkRect2D scissor = scissorOf(command.ClipRect, data, target);
      const auto* texture = static_cast<const CanvasTexture*>(command.TextureId);
      if (command.ElemCount == 0 || !texture || scissor.extent.width == 0 || scissor.extent.height == 0)
        continue;
      if (texture != bound) {
        vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS,
                          texture->is_map ? pipelines_.map() : pipelines_.colors());
        TRY(bindTexture(slot, *texture, sets[texture]));
        if (texture->is_map) setMapParams(texture->paint, params);
        bound = texture;
      }
      params.first_vertex = first_vertex + command.VtxOffset;
      vkCmdPushConstants(commands, pipelines_.layout(),
                         VK_SHADER_STAGE_VERTEX_BIT | VK_SHADER_STAGE_FRAGMENT_BIT, 0, sizeof(params),
                         &params);
      vkCmdSetScissor(commands, 0, 1, &scissor);
      vkCmdDraw(commands, command.ElemCount, 1, first_index + command.IdxOffset, 0);
    }
    first_vertex += std::uint32_t(from.VtxBuffer.Size);
    first_index += std::uint32_t(from.IdxBuffer.Size + 1) / 2 * 2;
  }
  return {};
}

}  // namespace vitrine::ui
