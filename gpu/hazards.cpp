#include "gpu/hazards.h"

namespace vitrine::gpu {
namespace {

constexpr std::size_t kMostRetired =
    4096;  // then one barrier orders everything, so that the list stays short

bool conflict(const Touch& a, const Touch& b) {
  return a.object == b.object && (a.use == Use::kWrite || b.use == Use::kWrite) && a.begin < b.end &&
         b.begin < a.end;
}

bool conflict(const std::vector<Touch>& earlier, const std::vector<Touch>& next) {
  for (const Touch& b : next)
    for (const Touch& a : earlier)
      if (conflict(a, b)) return true;
  return false;
}

VkPipelineStageFlags2 stagesOf(const std::vector<Touch>& touches) {
  VkPipelineStageFlags2 stages = 0;
  for (const Touch& it : touches) stages |= it.stage;
  return stages;
}

}  // namespace

std::optional<Dependency> Hazards::order() {
  std::optional<Dependency> barrier;
  const bool only_compute = (stagesOf(next_) & ~kComputeStage) == 0;
  const bool fresh = conflict(since_barrier_, next_);
  if (only_compute && fresh && retired_.size() < kMostRetired) {
    barrier = {stagesOf(since_barrier_), kComputeStage};
    retired_.insert(retired_.end(), since_barrier_.begin(), since_barrier_.end());
    since_barrier_.clear();
  } else if (fresh || (!only_compute && conflict(retired_, next_))) {
    barrier = {stagesOf(since_barrier_) | stagesOf(retired_), kRecordedStages};
    since_barrier_.clear();
    retired_.clear();
  }
  since_barrier_.insert(since_barrier_.end(), next_.begin(), next_.end());
  next_.clear();
  return barrier;
}

void Hazards::clear() {
  next_.clear();
  since_barrier_.clear();
  retired_.clear();
}

}  // namespace vitrine::gpu
