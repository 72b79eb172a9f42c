#include "gpu/commands.h"

#include <array>
#include <thread>

#include "gpu/kernel.h"
#include "support/gpu_fixture.h"
#include "test/increment.params.h"
#include "test/indirect.params.h"

namespace vitrine::gpu {
namespace {

using shader::IncrementParams;
using test::expectOk;
using test::expectValue;

constexpr std::uint32_t kWidth = 64;
constexpr Specialization kConstants[] = {{0, kWidth}};
using Numbers = std::vector<std::uint32_t>;

class CommandsTest : public test::GpuTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    increment_ = expectValue(Kernel::create(device(), "test/increment", "", kConstants));
    commands_ = expectValue(Commands::create(device(), "test"));
  }

  // Adds `step` to the numbers at `at`, which the dispatch declares that it writes.
  void increment(const Slice& at, std::uint32_t step = 1) { dispatch(at, step, {{}, {at}}); }

  void dispatch(const Slice& at, std::uint32_t step, const Access& access) {
    const auto count = static_cast<std::uint32_t>(at.bytes / 4);
    commands_.dispatch(increment_, {(count + kWidth - 1) / kWidth},
                       IncrementParams{at.address(), count, step}, access);
  }

  void run() {
    expectOk(commands_.end());
    expectOk(commands_.submitAndWait());
  }

  Kernel increment_;
  Commands commands_;
};

TEST_F(CommandsTest, DependentDispatchesAreOrdered) {
  const Buffer buffer = bufferOf(Numbers(100'000, 7));
  expectOk(commands_.begin());
  for (int i = 0; i < 100; ++i) increment(buffer);
  run();
  EXPECT_EQ(contentOf<std::uint32_t>(buffer), Numbers(100'000, 107));
  EXPECT_EQ(commands_.dispatches(), 100u);
  EXPECT_EQ(commands_.barriers(), 99u);
}

TEST_F(CommandsTest, IndependentDispatchesHaveNoBarrier) {
  const Buffer first = bufferOf(Numbers(100)), second = bufferOf(Numbers(100)),
               shared = bufferOf(Numbers(10));
  expectOk(commands_.begin());
  dispatch(first, 1, {{shared}, {first}});
  dispatch(Slice(second, 0, 200), 2, {{shared}, {Slice(second, 0, 200)}});
  dispatch(Slice(second, 200, 200), 3, {{shared}, {Slice(second, 200, 200)}});
  EXPECT_EQ(commands_.barriers(), 0u);
  run();
  EXPECT_EQ(contentOf<std::uint32_t>(first), Numbers(100, 1));
  EXPECT_EQ(contentOf<std::uint32_t>(Slice(second, 196, 8)), (Numbers{2, 3}));
}

TEST_F(CommandsTest, EveryKindOfHazardHasOneBarrier) {
  const Buffer a = bufferOf(Numbers(100)), b = bufferOf(Numbers(100)), c = bufferOf(Numbers(100));
  expectOk(commands_.begin());
  dispatch(a, 1, {{}, {a}});
  EXPECT_EQ(commands_.barriers(), 0u);
  dispatch(b, 1, {{Slice(a, 396, 4)}, {b}});  // read after write, on the last number
  EXPECT_EQ(commands_.barriers(), 1u);
  dispatch(a, 1, {{}, {a}});  // write after read
  EXPECT_EQ(commands_.barriers(), 2u);
  dispatch(a, 1, {{}, {a}});  // write after write
  EXPECT_EQ(commands_.barriers(), 3u);
  dispatch(c, 1, {{b}, {c}});  // b was ordered by an earlier barrier
  EXPECT_EQ(commands_.barriers(), 3u);
  commands_.barrier();
  EXPECT_EQ(commands_.barriers(), 4u);
  dispatch(a, 1, {{b}, {a, c}});
  EXPECT_EQ(commands_.barriers(), 4u);
  run();
  EXPECT_EQ(contentOf<std::uint32_t>(a), Numbers(100, 4));
}

TEST_F(CommandsTest, TransfersTakePartInTheOrder) {
  Buffer a = bufferOf(Numbers(100)), b = bufferOf(Numbers(100)), c = bufferOf(Numbers(100));
  expectOk(commands_.begin());
  commands_.fill(a, 5);
  increment(a);  // after the fill
  EXPECT_EQ(commands_.barriers(), 1u);
  const Buffer moved = std::move(a);  // a barrier follows the VkBuffer, not the object that holds it
  increment(moved);
  EXPECT_EQ(commands_.barriers(), 2u);
  commands_.fill(c, 1);  // nobody touched c
  EXPECT_EQ(commands_.barriers(), 2u);
  commands_.copy(moved, b);  // after the increments
  EXPECT_EQ(commands_.barriers(), 3u);
  const std::array<std::uint32_t, 3> patch = {70, 80, 90};
  commands_.update(Slice(b, 8, 12), std::as_bytes(std::span(patch)));  // after the copy
  EXPECT_EQ(commands_.barriers(), 4u);
  increment(b);
  EXPECT_EQ(commands_.barriers(), 5u);
  run();
  Numbers expected(100, 8);
  expected[2] = 71, expected[3] = 81, expected[4] = 91;
  EXPECT_EQ(contentOf<std::uint32_t>(b), expected);
  EXPECT_EQ(contentOf<std::uint32_t>(c), Numbers(100, 1));
}

// A barrier between dispatches orders what came before it for later dispatches only; a copy still needs its
// own.
TEST_F(CommandsTest, ACopyWaitsForWorkBehindAnEarlierComputeBarrier) {
  const Buffer a = bufferOf(Numbers(100)), b = bufferOf(Numbers(100)), out = bufferOf(Numbers(100));
  expectOk(commands_.begin());
  increment(a);
  increment(b);
  increment(b);
  EXPECT_EQ(commands_.barriers(), 1u);
  commands_.copy(a, out);
  EXPECT_EQ(commands_.barriers(), 2u);
  commands_.fill(b, 9);  // the barrier in front of the copy ordered everything
  EXPECT_EQ(commands_.barriers(), 2u);
  run();
  EXPECT_EQ(contentOf<std::uint32_t>(out), Numbers(100, 1));
  EXPECT_EQ(contentOf<std::uint32_t>(b), Numbers(100, 9));
}

TEST_F(CommandsTest, OddSizesFillAndUpdateToTheEndOfABuffer) {
  const Buffer buffer = bufferOf(std::vector<std::byte>(103, std::byte{1}));
  expectOk(commands_.begin());
  commands_.fill(Slice(buffer, 48, 55), 0x02020202);
  commands_.update(Slice(buffer, 96, 7), std::vector<std::byte>(7, std::byte{3}));
  run();
  std::vector<std::byte> expected(103, std::byte{1});
  std::fill(expected.begin() + 48, expected.end(), std::byte{2});
  std::fill(expected.begin() + 96, expected.end(), std::byte{3});
  EXPECT_EQ(contentOf<std::byte>(buffer), expected);
}

TEST_F(CommandsTest, OneRecordingRunsAThousandTimes) {
  const Buffer buffer = bufferOf(Numbers(1000));
  expectOk(commands_.begin());
  increment(buffer);
  expectOk(commands_.end());
  std::uint64_t last = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = expectValue(commands_.submit());
    EXPECT_GT(value, last);
    last = value;
  }
  expectOk(commands_.wait());
  EXPECT_GE(expectValue(device().completed()), last);
  EXPECT_EQ(contentOf<std::uint32_t>(buffer), Numbers(1000, 1000));
}

TEST_F(CommandsTest, RecordsAgainWhileItsLastSubmissionRuns) {
  const Buffer buffer = bufferOf(Numbers(1000));
  for (int i = 0; i < 20; ++i) {
    expectOk(commands_.begin());
    increment(buffer, 2);
    expectOk(commands_.end());
    expectValue(commands_.submit());
  }
  EXPECT_EQ(contentOf<std::uint32_t>(buffer), Numbers(1000, 40));
}

TEST_F(CommandsTest, GroupCountsComeFromABuffer) {
  const Kernel write = expectValue(Kernel::create(device(), "test/indirect"));
  const Buffer command = bufferOf(Numbers{0, 0, 0, 0, 0, 0, 0, 0});
  const Buffer numbers = bufferOf(Numbers(kWidth * 8));
  const Slice groups(command, 16, 12);
  expectOk(commands_.begin());
  commands_.dispatch(write, {}, shader::IndirectParams{groups.address(), 3, 0}, {{}, {groups}});
  commands_.dispatchIndirect(increment_, groups, IncrementParams{numbers.address(), kWidth * 8, 1},
                             {{}, {numbers}});
  EXPECT_EQ(commands_.barriers(), 1u);
  // The numbers were written behind a barrier's back? No: only the group counts were; so one more, for the
  // counts.
  commands_.dispatch(write, {}, shader::IndirectParams{groups.address(), 1, 0}, {{}, {groups}});
  commands_.dispatchIndirect(increment_, groups, IncrementParams{numbers.address(), kWidth * 8, 1},
                             {{}, {numbers}});
  EXPECT_EQ(commands_.barriers(), 3u);
  run();
  Numbers expected(kWidth * 8, 0);
  std::fill_n(expected.begin(), kWidth * 3, 1);
  std::fill_n(expected.begin(), kWidth, 2);
  EXPECT_EQ(contentOf<std::uint32_t>(numbers), expected);
}

TEST_F(CommandsTest, TimestampsIncrease) {
  const Buffer buffer = bufferOf(Numbers(100'000));
  constexpr int kMarks = 300;  // more than one pool of queries
  expectOk(commands_.begin());
  for (int i = 0; i < kMarks; ++i) {
    commands_.mark(fmt::format("mark {}", i));
    if (i % 10 == 0) increment(buffer);
  }
  expectOk(commands_.end());
  for (int run = 0; run < 2; ++run) {
    expectOk(commands_.submitAndWait());
    const std::vector<Commands::Mark> marks = expectValue(commands_.marks());
    ASSERT_EQ(marks.size(), std::size_t{kMarks});
    EXPECT_EQ(marks[0].ms, 0);
    EXPECT_EQ(marks[299].label, "mark 299");
    for (int i = 1; i < kMarks; ++i) EXPECT_GE(marks[i].ms, marks[i - 1].ms) << i;
    if (device().info().features.timestamps) {
      EXPECT_GT(marks[299].ms, 0);
      EXPECT_LT(marks[299].ms, 60'000);
    }
  }
}

TEST_F(CommandsTest, EmptyDispatchesAndCopiesRecordNothing) {
  const Buffer buffer = bufferOf(Numbers(4));
  expectOk(commands_.begin());
  commands_.dispatch(increment_, {0}, IncrementParams{}, {{}, {buffer}});
  commands_.copy(Slice(buffer, 0, 0), Slice(buffer, 8, 8));
  commands_.fill(Slice(buffer, 4, 0), 1);
  EXPECT_EQ(commands_.dispatches(), 0u);
  run();
  EXPECT_EQ(contentOf<std::uint32_t>(buffer), Numbers(4));
}

TEST_F(CommandsTest, ErrorsOfARecordingComeOutOfEnd) {
  const std::uint64_t range = device().info().max_storage_buffer_range;
  if (range >= device().info().max_allocation_bytes || range > (1u << 30))
    GTEST_SKIP() << "every buffer of this device may be bound whole";
  const Buffer large = expectValue(Buffer::create(device(), range + 16, MemoryKind::kDevice, "large"));
  const Buffer small = bufferOf(Numbers(64));
  const Kernel kernel = expectValue(Kernel::create(device(), "test/texel_sum"));
  const VkBufferView texels = expectValue(small.texelView(VK_FORMAT_R32G32B32A32_UINT, 0, 256));
  struct None {};
  const Bound bound[] = {texels, Slice(large), Slice(small)};
  expectOk(commands_.begin());
  commands_.dispatch(kernel, {}, None{}, {}, bound);
  const auto ended = commands_.end();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(ended.error().describe().find("test/texel_sum"), std::string::npos) << ended.error().describe();
  expectOk(commands_.begin());  // usable again
  increment(small);
  run();
}

using CommandsDeathTest = CommandsTest;

TEST_F(CommandsDeathTest, BrokenPromisesNameTheObject) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const Buffer buffer = bufferOf(Numbers(16));
  expectOk(commands_.begin());
  EXPECT_DEATH(commands_.fill(Slice(buffer, 2, 8), 0), "test.*whole words");
  EXPECT_DEATH(commands_.copy(Slice(buffer, 32, 64), buffer), "outside buffer test");
  EXPECT_DEATH(commands_.copy(Slice(buffer, 0, 16), Slice(buffer, 8, 16)), "overlaps");
  EXPECT_DEATH((void)commands_.submit(), "end\\(\\) comes first");
  expectOk(commands_.end());
}

}  // namespace
}  // namespace vitrine::gpu
