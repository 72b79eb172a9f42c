#include "core/engine/memory_budget.h"

#include <gtest/gtest.h>

#include "support/small_model.h"

namespace vitrine::core::memory_budget_test {
namespace {

class MemoryBudget : public testing::Test {
 protected:
  void SetUp() override {
    const test::SmallSizes sizes{.context = 4096};
    auto spec = test::randomSpec(test::smallConfig(sizes), test::smallTensors(sizes));
    ASSERT_TRUE(spec) << spec.error().describe();
    spec_ = std::move(*spec);
    weights_ = packedWeightBytes(spec_).value();
  }
  std::uint64_t needed(SessionOptions options) {
    const SessionMemory memory = sessionMemory(spec_, options);
    return weights_ + memory.cache + memory.scratch;
  }
  std::string error(const SessionOptions& options, std::uint64_t available) {
    const auto done = checkMemory(spec_, options, available, "the device");
    if (done) return "";
    EXPECT_EQ(done.error().code, ErrorCode::kOutOfMemory);
    return done.error().message;
  }

  ModelSpec spec_;
  std::uint64_t weights_ = 0;
};

TEST_F(MemoryBudget, AcceptsExactlyWhatFits) {
  const SessionOptions options{.context = 2000, .cache = CacheType::kF32};
  EXPECT_EQ(error(options, needed(options)), "");
  EXPECT_NE(error(options, needed(options) - 1), "");
  EXPECT_EQ(error({}, needed({.context = 4096})), "");
}

TEST_F(MemoryBudget, NamesTheContextThatFits) {
  const SessionOptions wanted{.context = 4000};
  const std::string text = error(wanted, needed({.context = 1024}));
  EXPECT_NE(text.find("--context 1024 fits"), std::string::npos) << text;
  EXPECT_NE(text.find("4000 tokens"), std::string::npos) << text;
  EXPECT_EQ(text.find("f16"), std::string::npos) << text;
}

TEST_F(MemoryBudget, NamesTheCacheThatFits) {
  const std::string text =
      error({.context = 4000, .cache = CacheType::kF32}, needed({.context = 4000, .cache = CacheType::kF16}));
  EXPECT_NE(text.find(", or --cache-type f16 does"), std::string::npos) << text;
}

TEST_F(MemoryBudget, SaysWhenNothingFits) {
  const std::string text = error({.context = 64}, weights_ / 2);
  EXPECT_NE(text.find("smaller model"), std::string::npos) << text;
}

}  // namespace
}  // namespace vitrine::core::memory_budget_test
