// Rotary tables against those of Hugging Face transformers (tests/data/make_rope.py), and GGUF's spelling of
// them.
#include "core/arch/support/rope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>

#include "core/arch/support/rope_scaling.h"
#include "support/gguf_builder.h"
#include "support/numeric.h"
#include "support/scratch_folder.h"
#include "support/shared_files.h"

namespace vitrine::core::arch::rope_test {
namespace {

using nlohmann::json;
using test::GgufBuilder;
using testing::HasSubstr;

constexpr std::uint32_t kDim = 32, kContext = 32'768;

class Rope : public testing::Test {
 protected:
  void SetUp() override { none_ = openWith({}); }
  std::shared_ptr<const Checkpoint> openWith(GgufBuilder builder) {
    test::writeFile(folder_ / "m.gguf", builder.build());
    auto checkpoint = Checkpoint::open(folder_ / "m.gguf");
    VITRINE_ASSERT(checkpoint.has_value());
    return *checkpoint;
  }
  Result<FoldedRope> fromConfig(const json& config) {
    Weights weights(*none_);
    return readRope(Hparams(CheckpointFormat::kSafetensors, config, ""), weights,
                    {RopePairing::kHalf, kDim, kContext});
  }
  Result<FoldedRope> fromGguf(const GgufBuilder& builder) {
    const auto checkpoint = openWith(builder);
    Weights weights(*checkpoint);
    auto folded = readRope(Hparams(CheckpointFormat::kGguf, checkpoint->metadata(), "llama."), weights,
                           {RopePairing::kInterleaved, kDim, kContext});
    unread_ = weights.unread();
    return folded;
  }
  // The table that the config.json of a case in rope.json gives, for comparison.
  Frequencies table(const json& rope_parameters) {
    const auto folded = fromConfig({{"rope_parameters", rope_parameters}});
    EXPECT_TRUE(folded) << folded.error().describe();
    return folded ? folded->rope.inv_freq : Frequencies();
  }

  test::ScratchFolder folder_;
  std::shared_ptr<const Checkpoint> none_;
  std::vector<std::string> unread_;
};

TEST_F(Rope, EqualsTransformersInEveryScalingAndSpelling) {
  std::ifstream file(test::testData("rope.json"));
  const json cases = json::parse(file);
  ASSERT_GT(cases.size(), 20u);
  for (const json& one : cases) {
    const std::string name = one["name"];
    const auto folded = fromConfig(one["config"]);
    ASSERT_TRUE(folded) << name << ": " << folded.error().describe();
    const auto wanted = one["inv_freq"].get<std::vector<double>>();
    ASSERT_EQ(folded->rope.inv_freq.size(), wanted.size()) << name;
    for (std::size_t i = 0; i < wanted.size(); ++i)  // transformers computes them in float32
      ASSERT_NEAR(folded->rope.inv_freq[i] / wanted[i], 1, 1e-6) << name << ", frequency " << i;
    EXPECT_NEAR(folded->rope.magnitude, one["magnitude"].get<double>(), 1e-12) << name;
    const bool longrope = name.starts_with("longrope");
    EXPECT_EQ(folded->context_length, longrope ? 4096u : kContext) << name;
    EXPECT_EQ(folded->rope.rotary_dim, kDim);
    EXPECT_EQ(folded->rope.pairing, RopePairing::kHalf);
  }
}

TEST_F(Rope, ReadsTheKeysOfGguf) {
  GgufBuilder plain;
  plain.set("llama.rope.freq_base", 500000.0f);
  auto folded = fromGguf(plain);
  ASSERT_TRUE(folded) << folded.error().describe();
  EXPECT_CLOSE(folded->rope.inv_freq, plainFrequencies(500000, kDim), 1e-15);
  EXPECT_EQ(folded->rope.pairing, RopePairing::kInterleaved);

  GgufBuilder linear;
  linear.set("llama.rope.scaling.type", "linear").set("llama.rope.scaling.factor", 4.0f);
  EXPECT_CLOSE(fromGguf(linear)->rope.inv_freq, table({{"rope_type", "linear"}, {"factor", 4.0}}), 1e-15);
  GgufBuilder old_linear;
  old_linear.set("llama.rope.scale_linear", 4.0f);
  EXPECT_CLOSE(fromGguf(old_linear)->rope.inv_freq, table({{"rope_type", "linear"}, {"factor", 4.0}}), 1e-15);
  GgufBuilder none;
  none.set("llama.rope.scaling.type", "none").set("llama.rope.scaling.factor", 4.0f);
  EXPECT_CLOSE(fromGguf(none)->rope.inv_freq, plainFrequencies(10000, kDim), 1e-15);

  GgufBuilder yarn;
  yarn.set("llama.rope.scaling.type", "yarn").set("llama.rope.scaling.factor", 4.0f);
  yarn.set("llama.rope.scaling.original_context_length", std::uint32_t{4096});
  folded = fromGguf(yarn);
  ASSERT_TRUE(folded) << folded.error().describe();
  EXPECT_CLOSE(folded->rope.inv_freq,
               table({{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 4096}}),
               1e-15);
  EXPECT_NEAR(folded->rope.magnitude, 0.1 * std::log(4.0) + 1, 1e-12);
}

TEST_F(Rope, DividesByTheFrequencyFactorsOfGguf) {
  test::Bytes divisors;
  for (std::uint32_t i = 0; i < kDim / 2; ++i) GgufBuilder::append(divisors, 1.0f + static_cast<float>(i));
  Frequencies wanted = plainFrequencies(10000, kDim);
  for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] /= 1.0 + static_cast<double>(i);

  GgufBuilder llama3;
  llama3.tensor("rope_freqs.weight", DType::kF32, {kDim / 2}, divisors);
  EXPECT_CLOSE(fromGguf(llama3)->rope.inv_freq, wanted, 1e-7);
  EXPECT_TRUE(unread_.empty());

  GgufBuilder longrope;
  longrope.set("llama.rope.scaling.type", "longrope").set("llama.rope.scaling.attn_factor", 1.25f);
  longrope.set("llama.rope.scaling.original_context_length", std::uint32_t{4096});
  longrope.tensor("rope_factors_short.weight", DType::kF32, {kDim / 2}, divisors);
  longrope.tensor("rope_factors_long.weight", DType::kF32, {kDim / 2}, divisors);
  const auto folded = fromGguf(longrope);
  ASSERT_TRUE(folded) << folded.error().describe();
  EXPECT_CLOSE(folded->rope.inv_freq, wanted, 1e-7);
  EXPECT_EQ(folded->rope.magnitude, 1.25);
  EXPECT_EQ(folded->context_length, 4096u);
  EXPECT_TRUE(unread_.empty());

  GgufBuilder phi3;  // whose converter leaves the type out
  phi3.set("llama.rope.scaling.attn_factor", 1.25f);
  phi3.set("llama.rope.scaling.original_context_length", std::uint32_t{4096});
  phi3.tensor("rope_factors_short.weight", DType::kF32, {kDim / 2}, divisors);
  phi3.tensor("rope_factors_long.weight", DType::kF32, {kDim / 2}, divisors);
  const auto untyped = fromGguf(phi3);
  ASSERT_TRUE(untyped) << untyped.error().describe();
  EXPECT_CLOSE(untyped->rope.inv_freq, wanted, 1e-7);
  EXPECT_EQ(untyped->rope.magnitude, 1.25);
  EXPECT_EQ(untyped->context_length, 4096u);

  GgufBuilder wrong_size;
  wrong_size.tensor("rope_freqs.weight", DType::kF32, {4}, divisors);
  EXPECT_THAT(fromGguf(wrong_size).error().message, HasSubstr("expected shape (16), found (4)"));
  GgufBuilder zeros;
  zeros.tensor("rope_freqs.weight", DType::kF32, {kDim / 2}, test::Bytes(2 * kDim));
  EXPECT_THAT(fromGguf(zeros).error().message, HasSubstr("expected numbers greater than 0"));
}

TEST_F(Rope, RefusesParametersThatLie) {
  const auto reason = [&](const json& parameters) {
    const auto folded = fromConfig({{"rope_parameters", parameters}});
    return folded ? "accepted" : folded.error().describe();
  };
  EXPECT_THAT(reason("yarn"), HasSubstr("rope_parameters must be an object"));
  EXPECT_THAT(reason({{"rope_type", "su"}}), HasSubstr("default, linear, dynamic, llama3, yarn or longrope"));
  EXPECT_THAT(reason({{"rope_type", 3}}), HasSubstr("rope_type must be a text"));
  EXPECT_THAT(reason({{"rope_theta", -1}}), HasSubstr("rope_theta must be a number greater than 0"));
  EXPECT_THAT(reason({{"rope_type", "linear"}}), HasSubstr("factor is missing"));
  EXPECT_THAT(reason({{"rope_type", "linear"}, {"factor", 0}}), HasSubstr("factor must be"));
  EXPECT_THAT(reason({{"rope_type", "linear"}, {"factor", 1e-308}}), HasSubstr("no usable frequencies"));
  EXPECT_THAT(reason({{"rope_type", "yarn"}, {"factor", 4}, {"rope_theta", 1.0}}),
              HasSubstr("no usable frequencies"));
  EXPECT_THAT(
      reason({{"rope_type", "llama3"}, {"factor", 8}, {"low_freq_factor", 4}, {"high_freq_factor", 1}}),
      HasSubstr("greater than low_freq_factor"));
  EXPECT_THAT(reason({{"rope_type", "longrope"}, {"short_factor", {1, 2}}, {"long_factor", {1, 2}}}),
              HasSubstr("short_factor must be a list of 16 numbers"));
  EXPECT_THAT(reason({{"full_attention", {{"rope_theta", 1e6}}}}), HasSubstr("for each kind of layer"));
  EXPECT_THAT(reason({{"rope_type", "linear"}, {"factor", 2}, {"partial_rotary_factor", 0.5}}),
              HasSubstr("partial_rotary_factor must be 1"));
}

}  // namespace
}  // namespace vitrine::core::arch::rope_test
