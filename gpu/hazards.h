// Which barriers a sequence of commands needs, from what each of them touches. No Vulkan calls.
//
// On NVIDIA a barrier that names the compute stage alone costs half of one that names more. So dispatches
// among themselves get that, and what it leaves unordered (later copies and indirect reads) is remembered
// apart.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gpu/vulkan.h"

namespace vitrine::gpu {

// The stages of Vitrine's commands.
constexpr VkPipelineStageFlags2 kComputeStage = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT;
constexpr VkPipelineStageFlags2 kTransferStage = VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT;
constexpr VkPipelineStageFlags2 kIndirectStage = VK_PIPELINE_STAGE_2_DRAW_INDIRECT_BIT;
constexpr VkPipelineStageFlags2 kRecordedStages = kComputeStage | kTransferStage | kIndirectStage;

enum class Use { kRead, kWrite };

// A part of a buffer or image that a command uses in a stage.
struct Touch {
  std::uint64_t object = 0;  // the VkBuffer or VkImage: outlives moves of what holds it
  std::uint64_t begin = 0, end = 0;
  Use use = Use::kRead;
  VkPipelineStageFlags2 stage = 0;
};

struct Dependency {  // work of stages `from` before work of stages `to`
  VkPipelineStageFlags2 from = 0, to = 0;
};

class Hazards {
 public:
  // Of the command that comes next, as many as it has.
  void touch(const Touch& touch) { next_.push_back(touch); }
  // The barrier that must stand in front of that command, if any.
  std::optional<Dependency> order();
  // Everything so far is ordered before everything that follows.
  void clear();

 private:
  std::vector<Touch> next_;           // of the command that comes next
  std::vector<Touch> since_barrier_;  // not yet ordered before anything
  std::vector<Touch> retired_;        // ordered before later dispatches, not before copies and indirect reads
};

}  // namespace vitrine::gpu
