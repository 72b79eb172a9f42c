// From a checkpoint to its ModelSpec: what is read, and what is refused with which words.
#include "core/model/model_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/arch/support/decoder.h"
#include "core/checkpoint/safetensors_writer.h"
#include "support/scratch_folder.h"
#include "support/tiny_model.h"

namespace vitrine::core::model_spec_test {
namespace {

using nlohmann::json;
using test::TinySizes;
using testing::ElementsAre;
using testing::HasSubstr;

class ReadModelSpec : public testing::Test {
 protected:
  void SetUp() override { test::writeTinySafetensors(folder_ / "model.safetensors"); }
  Result<ModelSpec> read(const json& config) {
    test::writeFile(folder_ / "config.json", config.dump());
    const auto checkpoint = Checkpoint::open(folder_.path());
    VITRINE_ASSERT(checkpoint.has_value());
    return readModelSpec(*checkpoint);
  }
  Result<ModelSpec> readGguf(const test::Bytes& bytes) {
    test::writeFile(folder_ / "m.gguf", bytes);
    const auto checkpoint = Checkpoint::open(folder_ / "m.gguf");
    VITRINE_ASSERT(checkpoint.has_value());
    return readModelSpec(*checkpoint);
  }
  // The error that a changed configuration gives, or "accepted".
  std::string reason(const json& changes) {
    json config = test::tinyConfig();
    config.merge_patch(changes);
    const auto spec = read(config);
    return spec ? "accepted" : spec.error().describe();
  }
  test::ScratchFolder folder_;
};

const AttentionSpec& attentionOf(const ModelSpec& spec, std::size_t layer = 0) {
  return *spec.blocks.at(layer).attention();
}

TEST_F(ReadModelSpec, ReadsAHuggingFaceLlama) {
  const auto spec = read(test::tinyConfig());
  ASSERT_TRUE(spec) << spec.error().describe();
  EXPECT_EQ(spec->architecture, "llama");
  EXPECT_EQ(spec->vocab_size, TinySizes::kVocabulary);
  EXPECT_EQ(spec->embedding_dim, TinySizes::kWidth);
  EXPECT_EQ(spec->context_length, 64u);
  EXPECT_FALSE(spec->tied_head);
  EXPECT_TRUE(spec->unread_tensors.empty());
  ASSERT_EQ(spec->blocks.size(), 1u);
  const AttentionSpec& attention = attentionOf(*spec);
  EXPECT_EQ(attention.heads, 4u);
  EXPECT_EQ(attention.kv_heads, 2u);
  EXPECT_EQ(attention.head_dim, 8u);
  EXPECT_EQ(attention.query.weight.tensor->name, "model.layers.0.self_attn.q_proj.weight");
  EXPECT_EQ(attention.key.weight.rows, 16u);
  EXPECT_EQ(attention.key.weight.columns, 32u);
  EXPECT_FLOAT_EQ(attention.scale, 1 / std::sqrt(8.0f));
  EXPECT_EQ(attention.sliding_window, 0u);
  EXPECT_EQ(attention.rope->pairing, RopePairing::kHalf);
  EXPECT_FALSE(attention.query.bias);
  EXPECT_FLOAT_EQ(spec->final_norm.epsilon, 1e-5f);
}

TEST_F(ReadModelSpec, ReadsAGgufLlama) {
  const auto spec = readGguf(test::tinyGguf(DType::kQ4_K));
  ASSERT_TRUE(spec) << spec.error().describe();
  EXPECT_EQ(spec->vocab_size, TinySizes::kVocabulary);
  EXPECT_EQ(attentionOf(*spec).rope->pairing, RopePairing::kInterleaved);
  EXPECT_TRUE(spec->unread_tensors.empty());
  EXPECT_EQ(std::get<DenseMlpSpec>(*spec->blocks[0].channel).down.weight.tensor->dtype, DType::kQ4_K);
}

TEST_F(ReadModelSpec, KnowsTheWindowsOfMistral) {
  json config = test::tinyConfig();
  config["model_type"] = "mistral";
  EXPECT_EQ(attentionOf(*read(config)).sliding_window, 4096u) << "transformers' default";
  config["sliding_window"] = nullptr;
  EXPECT_EQ(attentionOf(*read(config)).sliding_window, 0u);
  config["sliding_window"] = 8;
  EXPECT_EQ(attentionOf(*read(config)).sliding_window, 8u);
  test::GgufBuilder gguf = test::tinyGgufKeys();
  config["sliding_window"] = -8;
  EXPECT_THAT(read(config).error().describe(), HasSubstr("sliding_window must be a whole number"));
}

TEST_F(ReadModelSpec, KnowsTheWindowsOfQwen) {
  const auto windows = [](json config) {
    config["num_hidden_layers"] = 4;
    const arch::Hparams hparams(CheckpointFormat::kSafetensors, config, "");
    return arch::qwenWindows(hparams, 4);
  };
  using Windows = std::vector<std::uint32_t>;
  EXPECT_EQ(windows(json::object()), (Windows{0, 0, 0, 0}));
  EXPECT_EQ(windows({{"sliding_window", 16}, {"max_window_layers", 2}}), (Windows{0, 0, 0, 0}))
      << "not in use";
  EXPECT_EQ(windows({{"use_sliding_window", true}, {"sliding_window", 16}, {"max_window_layers", 2}}),
            (Windows{0, 0, 16, 16}));
  EXPECT_EQ(windows({{"use_sliding_window", true}, {"max_window_layers", 0}}),
            (Windows{4096, 4096, 4096, 4096}));
  const json types = {"sliding_attention", "full_attention", "full_attention", "sliding_attention"};
  EXPECT_EQ(windows({{"use_sliding_window", true}, {"sliding_window", 16}, {"layer_types", types}}),
            (Windows{16, 0, 0, 16}));
  EXPECT_FALSE(windows({{"layer_types", {"full_attention"}}}));
  EXPECT_FALSE(windows({{"layer_types", {"full_attention", "linear_attention", "x", "y"}}}));
}

TEST_F(ReadModelSpec, TiesTheHeadWhereTheFileSaysSo) {
  json config = test::tinyConfig();
  config["tie_word_embeddings"] = true;
  auto spec = read(config);
  ASSERT_TRUE(spec) << spec.error().describe();
  EXPECT_TRUE(spec->tied_head);
  EXPECT_EQ(spec->head.weight.tensor->name, "model.embed_tokens.weight");

  test::writeTinySafetensors(folder_ / "model.safetensors",
                             [](const std::string& name) { return name != "lm_head.weight"; });
  EXPECT_TRUE(read(config)->tied_head);
  config["tie_word_embeddings"] = false;
  EXPECT_THAT(read(config).error().describe(), HasSubstr("tensor lm_head.weight is missing"));
  config.erase("tie_word_embeddings");
  EXPECT_TRUE(read(config)->tied_head);
}

TEST_F(ReadModelSpec, ListsWhatNobodyReads) {
  test::writeTinySafetensors(folder_ / "model.safetensors");
  json config = test::tinyConfig();
  config["num_hidden_layers"] = 1;
  const std::vector<float> table(4, 1.0f);
  const SafetensorsItem extra = safetensorsItem("model.layers.0.self_attn.rotary_emb.inv_freq", {4}, table);
  const SafetensorsItem adapter = safetensorsItem("adapter.weight", {4}, table);
  // Both beside the model's own tensors, through an index.
  ASSERT_TRUE(writeSafetensors(folder_ / "more.safetensors", std::vector{extra, adapter}));
  json map = {{extra.name, "more.safetensors"}, {adapter.name, "more.safetensors"}};
  for (const auto& [name, shape] : test::tinyTensors()) map[name] = "model.safetensors";
  test::writeFile(folder_ / "model.safetensors.index.json", json{{"weight_map", map}}.dump());
  const auto spec = read(config);
  ASSERT_TRUE(spec) << spec.error().describe();
  EXPECT_THAT(spec->unread_tensors, ElementsAre("adapter.weight"));
}

TEST_F(ReadModelSpec, RefusesHyperParametersThatLie) {
  EXPECT_EQ(reason(json::object()), "accepted");
  EXPECT_THAT(reason({{"num_attention_heads", 0}}),
              HasSubstr("num_attention_heads must be a whole number from 1"));
  EXPECT_THAT(reason({{"num_attention_heads", -4}}), HasSubstr("found -4"));
  EXPECT_THAT(reason({{"num_attention_heads", 4.5}}), HasSubstr("found 4.5"));
  EXPECT_THAT(reason({{"num_attention_heads", "four"}}), HasSubstr("found \"four\""));
  EXPECT_THAT(reason({{"num_attention_heads", nullptr}}), HasSubstr("num_attention_heads is missing"));
  EXPECT_THAT(reason({{"num_attention_heads", 1ull << 60}}), HasSubstr("num_attention_heads must be"));
  EXPECT_THAT(reason({{"num_key_value_heads", 3}}), HasSubstr("a divisor of the 4 heads"));
  EXPECT_THAT(reason({{"head_dim", nullptr}, {"num_attention_heads", 5}, {"num_key_value_heads", 1}}),
              HasSubstr("hidden_size must be a multiple of the 5 heads"));
  EXPECT_THAT(reason({{"head_dim", 7}}), HasSubstr("rotary embeddings over 7 of 7"));
  EXPECT_THAT(reason({{"hidden_size", 48}, {"head_dim", 8}}),
              HasSubstr("tensor model.embed_tokens.weight: expected shape (24, 48), found (24, 32)"));
  EXPECT_THAT(reason({{"num_hidden_layers", 2}}),
              HasSubstr("tensor model.layers.1.input_layernorm.weight is missing"));
  EXPECT_THAT(reason({{"num_hidden_layers", 1u << 31}}), HasSubstr("num_hidden_layers must be"));
  EXPECT_THAT(reason({{"rms_norm_eps", -1e-5}}), HasSubstr("rms_norm_eps must be a number greater than 0"));
  EXPECT_THAT(reason({{"rms_norm_eps", 2}}), HasSubstr("rms_norm_eps must be less than 1"));
  EXPECT_THAT(reason({{"hidden_act", "tanh"}}), HasSubstr("hidden_act must be silu"));
  EXPECT_THAT(reason({{"attention_bias", true}}), HasSubstr("self_attn.q_proj.bias is missing"));
  EXPECT_THAT(reason({{"mlp_bias", 1}}), HasSubstr("mlp_bias must be true or false"));
  EXPECT_THAT(reason({{"max_position_embeddings", 0}}), HasSubstr("max_position_embeddings must be"));
  EXPECT_THAT(reason({{"num_local_experts", 8}}), HasSubstr("8 experts"));
  EXPECT_THAT(reason({{"quantization_config", {{"quant_method", "gptq"}}}}),
              HasSubstr("quantized by \"gptq\""));
}

TEST_F(ReadModelSpec, RefusesGgufHyperParametersThatLie) {
  const auto refused = [&](test::GgufBuilder builder) {
    const auto spec = readGguf(builder.build());
    return spec ? "accepted" : spec.error().describe();
  };
  test::GgufBuilder nan;
  nan.set("general.architecture", "llama").set("llama.block_count", std::uint32_t{1});
  nan.set("llama.embedding_length", std::uint32_t{32}).set("llama.attention.head_count", std::uint32_t{4});
  nan.set("llama.feed_forward_length", std::uint32_t{256}).set("llama.context_length", std::uint32_t{64});
  nan.set("llama.attention.layer_norm_rms_epsilon", std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(refused(nan),
              HasSubstr("llama.attention.layer_norm_rms_epsilon must be a number greater than 0"));
  test::GgufBuilder experts;
  experts.set("general.architecture", "qwen2").set("qwen2.expert_count", std::uint32_t{8});
  EXPECT_THAT(refused(experts), HasSubstr("8 experts"));
  test::GgufBuilder wide = test::tinyGgufKeys();
  wide.set("llama.attention.value_length", std::uint32_t{16})
      .set("llama.attention.key_length", std::uint32_t{8});
  EXPECT_THAT(refused(wide), HasSubstr("llama.attention.value_length must be equal to 8"));
  EXPECT_THAT(refused(test::tinyGgufKeys()), HasSubstr("tensor token_embd.weight is missing"));
  EXPECT_THAT(refused(test::GgufBuilder()), HasSubstr("general.architecture is missing"));
}

TEST_F(ReadModelSpec, NamesTheClosestArchitectureThatItKnows) {
  EXPECT_THAT(reason({{"model_type", "qwen2_mo"}}),
              HasSubstr("\"qwen2_mo\" is not known; the closest one is qwen2_moe (known: "));
  EXPECT_THAT(reason({{"model_type", "mistrall"}}), HasSubstr("the closest one is mistral"));
  EXPECT_THAT(reason({{"model_type", "mistrall"}}),
              HasSubstr("12 tensors would go unread: lm_head.weight, model.embed_tokens.weight, "));
  EXPECT_THAT(reason({{"model_type", "mistrall"}}), testing::EndsWith(" .."));
  EXPECT_THAT(reason({{"model_type", nullptr}}), HasSubstr("needs its config.json"));
  test::GgufBuilder gguf;
  gguf.set("general.architecture", "llama4");
  EXPECT_THAT(readGguf(gguf.build()).error().describe(), HasSubstr("the closest one is llama"));
}

}  // namespace
}  // namespace vitrine::core::model_spec_test
