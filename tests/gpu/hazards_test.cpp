#include "gpu/hazards.h"

#include <gtest/gtest.h>

namespace vitrine::gpu {
namespace {

constexpr auto kCompute = kComputeStage, kCopy = kTransferStage, kIndirect = kIndirectStage;

class HazardsTest : public ::testing::Test {
 protected:
  // The barrier in front of a command that touches all of `touches`.
  std::optional<Dependency> command(std::initializer_list<Touch> touches) {
    for (const Touch& touch : touches) hazards_.touch(touch);
    return hazards_.order();
  }
  static Touch read(std::uint64_t object, std::uint64_t begin = 0, std::uint64_t end = 100) {
    return {object, begin, end, Use::kRead, kCompute};
  }
  static Touch write(std::uint64_t object, std::uint64_t begin = 0, std::uint64_t end = 100) {
    return {object, begin, end, Use::kWrite, kCompute};
  }
  static Touch in(VkPipelineStageFlags2 stage, Touch touch) {
    touch.stage = stage;
    return touch;
  }
  static void expectBarrier(const std::optional<Dependency>& found, VkPipelineStageFlags2 from,
                            VkPipelineStageFlags2 to) {
    ASSERT_TRUE(found);
    EXPECT_EQ(found->from, from);
    EXPECT_EQ(found->to, to);
  }

  Hazards hazards_;
};

TEST_F(HazardsTest, RangesThatOnlyTouchEachOtherAreIndependent) {
  EXPECT_FALSE(command({write(1, 0, 50)}));
  EXPECT_FALSE(command({write(1, 50, 100)}));
  EXPECT_FALSE(command({write(2, 0, 100), read(3)}));
  EXPECT_FALSE(command({read(3)}));
  expectBarrier(command({read(1, 49, 51)}), kCompute, kCompute);
}

TEST_F(HazardsTest, DispatchesNameComputeAlone) {
  EXPECT_FALSE(command({write(1)}));
  expectBarrier(command({read(1), write(2)}), kCompute, kCompute);
  expectBarrier(command({write(1)}), kCompute, kCompute);  // write after read
  expectBarrier(command({write(1)}), kCompute, kCompute);  // write after write
  EXPECT_FALSE(command({read(2)}));                        // ordered long ago
}

TEST_F(HazardsTest, CopiesNameWhatTheyNeed) {
  EXPECT_FALSE(command({in(kCopy, write(1))}));
  expectBarrier(command({read(1), write(2)}), kCopy, kCompute);
  expectBarrier(command({in(kCopy, read(2)), in(kCopy, write(3))}), kCompute | kCopy, kRecordedStages);
}

TEST_F(HazardsTest, AComputeBarrierDoesNotServeLaterCopies) {
  EXPECT_FALSE(command({write(1)}));
  EXPECT_FALSE(command({write(2)}));
  expectBarrier(command({write(2)}), kCompute, kCompute);
  expectBarrier(command({in(kCopy, read(1))}), kCompute, kRecordedStages);
  EXPECT_FALSE(command({in(kCopy, write(2))}));  // the last barrier ordered everything
}

TEST_F(HazardsTest, IndirectReadsWaitForTheirCounts) {
  EXPECT_FALSE(command({write(1, 0, 12)}));
  expectBarrier(command({in(kIndirect, read(1, 0, 12)), write(2)}), kCompute, kRecordedStages);
  expectBarrier(command({write(1, 0, 12)}), kCompute | kIndirect, kCompute);
}

TEST_F(HazardsTest, LongRecordingsStayOrdered) {
  EXPECT_FALSE(command({write(1)}));
  std::size_t full = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto barrier = command({write(2)});
    EXPECT_EQ(barrier.has_value(), i > 0);
    full += barrier && barrier->to != kCompute;
  }
  EXPECT_EQ(full, 2u);  // one in 4096 dispatches
  expectBarrier(command({in(kCopy, read(2))}), kCompute, kRecordedStages);
}

TEST_F(HazardsTest, ClearForgets) {
  EXPECT_FALSE(command({write(1)}));
  hazards_.clear();
  EXPECT_FALSE(command({write(1)}));
}

}  // namespace
}  // namespace vitrine::gpu
