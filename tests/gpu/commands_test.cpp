#include "gpu/commands.h"

#include "gpu/kernel.h"
#include "support/gpu_fixture.h"
#include "test/increment.params.h"

namespace vitrine::gpu {
namespace {

using shader::IncrementParams;
using test::expectOk;
using test::expectValue;

constexpr std::uint32_t kWidth = 64;
constexpr Specialization kConstants[] = {{0, kWidth}};

class CommandsTest : public test::GpuTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    increment_ = expectValue(Kernel::create(device(), "test/increment", "", kConstants));
    commands_ = expectValue(Commands::create(device(), "test"));
  }

  // Adds `step` to `count` numbers at `at`.
  void increment(const Slice& at, std::uint32_t step = 1) {
    const auto count = static_cast<std::uint32_t>(at.bytes / 4);
    commands_.dispatch(increment_, {(count + kWidth - 1) / kWidth},
                       IncrementParams{at.address(), count, step}, {{}, {at}});
  }

  Kernel increment_;
  Commands commands_;
};

TEST_F(CommandsTest, DependentDispatchesAreOrdered) {
  const Buffer buffer = bufferOf(std::vector<std::uint32_t>(1000, 7));
  expectOk(commands_.begin());
  for (int i = 0; i < 100; ++i) increment(buffer);
  expectOk(commands_.end());
  expectOk(commands_.submitAndWait());
  EXPECT_EQ(contentOf<std::uint32_t>(buffer), std::vector<std::uint32_t>(1000, 107));
  EXPECT_EQ(commands_.dispatches(), 100u);
  EXPECT_EQ(commands_.barriers(), 99u);
}

}  // namespace
}  // namespace vitrine::gpu
