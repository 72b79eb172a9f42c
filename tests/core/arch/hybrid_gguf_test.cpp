// What is read of the hyper-parameters of hybrids and of gpt-oss in GGUF, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/model/model_spec.h"
#include "support/gpt_oss_gguf.h"
#include "support/granite_hybrid_gguf.h"
#include "support/linear_attention_gguf.h"
#include "support/scratch_folder.h"
#include "support/shared_files.h"

namespace vitrine::core::hybrid_gguf_test {
namespace {

using testing::HasSubstr;

class HybridInGguf : public testing::Test {
 protected:
  // Of a row of the zoo.
  std::shared_ptr<const Checkpoint> original(const char* row) {
    const auto checkpoint = Checkpoint::open(*test::sharedDir() / "zoo" / row);
    EXPECT_TRUE(checkpoint) << checkpoint.error().describe();
    return *checkpoint;
  }

  Result<ModelSpec> read(const test::Bytes& bytes) {
    test::writeFile(folder_ / "m.gguf", bytes);
    TRY_ASSIGN(auto checkpoint, Checkpoint::open(folder_ / "m.gguf"));
    return readModelSpec(checkpoint);
  }

  std::string reason(const test::Bytes& bytes) {
    const auto spec = read(bytes);
    return spec ? "accepted" : spec.error().describe();
  }

  test::ScratchFolder folder_;
};

TEST_F(HybridInGguf, HeadsOfGraniteDoNotTurnAndThoseOfBambaDoInPart) {
  VITRINE_SHARED_OR_SKIP(folder, "zoo/bamba");
  const auto hf = original("bamba");
  const auto still = read(test::GraniteHybridGguf(*hf, {.turns = false}).build());
  ASSERT_TRUE(still) << still.error().describe();
  EXPECT_FALSE(std::get<AttentionSpec>(still->blocks[1].mixers[0]).rope);
  const auto turning = read(test::GraniteHybridGguf(*hf, {}).build());
  ASSERT_TRUE(turning) << turning.error().describe();
  const Rope rope = *std::get<AttentionSpec>(turning->blocks[1].mixers[0]).rope;
  EXPECT_EQ(rope.pairing, RopePairing::kHalf);
  EXPECT_EQ(rope.rotary_dim, 16u);
  ASSERT_EQ(rope.inv_freq.size(), 8u);
  EXPECT_EQ(rope.inv_freq[0], 1);
  EXPECT_NEAR(rope.inv_freq[2], 0.1, 1e-12);
  for (std::size_t i = 1; i < 8; i += 2) EXPECT_EQ(rope.inv_freq[i], 0) << i;
  test::GraniteHybridGguf louder(*hf, {});
  louder.builder().set("granitehybrid.rope.scaling.attn_factor", 2.0f);
  EXPECT_THAT(reason(louder.build()), HasSubstr("a magnitude of 2"));
}

TEST_F(HybridInGguf, LinearLayersAreListedOrFollow) {
  VITRINE_SHARED_OR_SKIP(folder, "zoo/qwen3-next");
  const auto hf = original("qwen3-next");
  const auto with = [&](const char* key, auto value) {
    test::Qwen3NextGguf gguf(*hf, test::DeltaInput::kTwoTensors);
    gguf.builder().set(key, value);
    return gguf.build();
  };
  constexpr const char* kList = "qwen3next.attention.recurrent_layers";
  EXPECT_EQ(reason(with(kList, std::vector<bool>{true, true, true, false, false})), "accepted");
  const auto each = HasSubstr("a truth value for each of the 4 blocks");
  EXPECT_THAT(reason(with(kList, std::vector<bool>{true, true, true})), each);
  EXPECT_THAT(reason(with(kList, std::vector<std::uint32_t>{1, 1, 1, 0})), each);
  EXPECT_THAT(reason(with(kList, true)), each);
  EXPECT_THAT(reason(with(kList, std::vector<bool>{false, true, true, false})),
              HasSubstr("tensor blk.0.attn_q.weight is missing"));
}

TEST_F(HybridInGguf, BlocksOfQwen3NextThatPredictFurtherTokensAreUnread) {
  VITRINE_SHARED_OR_SKIP(folder, "zoo/qwen3-next");
  const auto hf = original("qwen3-next");
  test::Qwen3NextGguf gguf(*hf, test::DeltaInput::kTwoTensors);
  gguf.builder().set("qwen3next.nextn_predict_layers", std::uint32_t{1});
  const auto spec = read(gguf.build());
  ASSERT_TRUE(spec) << spec.error().describe();
  EXPECT_EQ(spec->blocks.size(), 3u);
  EXPECT_THAT(spec->unread_tensors, testing::Contains("blk.3.attn_norm.weight"));
}

TEST_F(HybridInGguf, WindowsOfGptOss) {
  VITRINE_SHARED_OR_SKIP(folder, "zoo/gpt-oss");
  const auto hf = original("gpt-oss");
  const auto windows = [&](std::uint32_t period) {
    test::GptOssGguf gguf(*hf);
    if (period != 0) gguf.builder().set("gpt-oss.attention.sliding_window_pattern", period);
    const auto spec = read(gguf.build());
    std::vector<std::uint32_t> found;
    EXPECT_TRUE(spec) << spec.error().describe();
    if (!spec) return found;
    for (const BlockSpec& block : spec->blocks)
      found.push_back(std::get<AttentionSpec>(block.mixers[0]).sliding_window);
    return found;
  };
  EXPECT_THAT(windows(0), testing::ElementsAre(8, 0, 8));
  EXPECT_THAT(windows(3), testing::ElementsAre(8, 8, 0));
}

}  // namespace
}  // namespace vitrine::core::hybrid_gguf_test
