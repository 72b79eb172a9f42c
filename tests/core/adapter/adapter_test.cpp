// Adapters in the reference, against the same model with the updates in its stored weights; and everything
// that is refused.
#include <gtest/gtest.h>

#include "core/adapter/attach_adapter.h"
#include "core/reference/reference.h"
#include "support/golden.h"
#include "support/numeric.h"
#include "support/random_adapter.h"
#include "support/shared_files.h"
#include "support/small_model.h"

namespace vitrine::core {
namespace {

std::span<const double> numbersOf(const ReferenceMatrix& matrix) {
  return {matrix.data(), static_cast<std::size_t>(matrix.size())};
}

ReferenceMatrix logitsOf(const ModelSpec& spec) {
  const std::vector<std::int32_t> ids = {3, 1, 4, 1, 5, 9, 2, 6};
  const auto pass = referenceForward(spec, ids);
  EXPECT_TRUE(pass) << pass.error().describe();
  return pass ? pass->logits : ReferenceMatrix();
}

struct ZooCase {
  const char* zoo;
  test::AdapterPlan plan;
};

class AdapterZoo : public testing::TestWithParam<ZooCase> {};

TEST_P(AdapterZoo, AddsWhatTheMergedWeightsHold) {
  VITRINE_SHARED_OR_SKIP(folder, std::string("zoo/") + GetParam().zoo);
  const test::AdapterPlan& plan = GetParam().plan;
  const auto base = Checkpoint::open(folder);
  ASSERT_TRUE(base) << base.error().describe();
  const test::ScratchFolder scratch;
  ASSERT_GT(test::writeRandomAdapter(scratch / "adapter", **base, plan), 0);
  const auto adapter = readAdapter(scratch / "adapter");
  ASSERT_TRUE(adapter) << adapter.error().describe();
  EXPECT_EQ(adapter->name, "adapter");
  for (const float scale : {0.0f, 1.0f, -0.75f}) {
    SCOPED_TRACE(scale);
    auto spec = readModelSpec(*base);
    ASSERT_TRUE(spec) << spec.error().describe();
    const auto attached = attachAdapter(*spec, *adapter, scale);
    ASSERT_TRUE(attached) << attached.error().describe();
    ASSERT_EQ(spec->adapters.size(), 1u);
    EXPECT_EQ(spec->adapters[0].modules, adapter->modules.size());
    const auto folder_of_scale = scratch / std::to_string(scale);
    test::writeWithAdapter(folder_of_scale, **base, *adapter->checkpoint, plan, scale);
    const auto merged_file = Checkpoint::open(folder_of_scale);
    ASSERT_TRUE(merged_file) << merged_file.error().describe();
    const auto merged = readModelSpec(*merged_file), untouched = readModelSpec(*base);
    ASSERT_TRUE(merged) << merged.error().describe();
    const ReferenceMatrix with = logitsOf(*spec), expected = logitsOf(*merged),
                          without = logitsOf(*untouched);
    EXPECT_CLOSE(numbersOf(with), numbersOf(expected), 1e-5);
    if (scale == 0) {
      EXPECT_EQ(with, without);
    } else {
      EXPECT_GT(test::compare(numbersOf(with), numbersOf(without)).relative, 1e-2);
    }
  }
}

const test::AdapterPlan kEveryLlamaLinear{
    .targets = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "lm_head"}};

INSTANTIATE_TEST_SUITE_P(
    Zoo, AdapterZoo,
    testing::Values(ZooCase{"llama", kEveryLlamaLinear},
                    ZooCase{"llama", {.targets = {"q_proj", "v_proj"}, .rank = 3, .rank_stabilized = true}},
                    ZooCase{"gpt2", {.targets = {"c_attn", "c_proj", "c_fc"}, .transposed = true}},
                    ZooCase{"phi3", {.targets = {"qkv_proj", "gate_up_proj", "o_proj", "down_proj"}}},
                    ZooCase{"gpt-neox", {.targets = {"query_key_value", "dense", "dense_h_to_4h"}}},
                    ZooCase{"qwen3-moe", {.targets = {"q_proj", "k_proj", "v_proj", "o_proj"}}},
                    ZooCase{"mamba", {.targets = {"in_proj", "x_proj", "dt_proj", "out_proj"}}},
                    ZooCase{"mamba2", {.targets = {"in_proj", "out_proj"}}},
                    ZooCase{"deepseek-v2",
                            {.targets = {"q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj"}}}),
    [](const auto& info) {
      std::string name = fmt::format("{}{}", info.param.zoo, info.index);
      std::erase(name, '-');
      return name;
    });

// A small Llama with an adapter whose files the tests break.
class BrokenAdapter : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(scratch_ / "base");
    test::writeSmallModel(scratch_ / "base", {.layers = 1});
    base_ = Checkpoint::open(scratch_ / "base").value();
    test::writeRandomAdapter(scratch_ / "adapter", *base_, plan_);
  }

  void rewriteConfig(const nlohmann::json& changes) {
    test::AdapterPlan plan = plan_;
    plan.extra = changes;
    test::writeText(scratch_ / "adapter/adapter_config.json", test::adapterConfig(plan).dump());
  }
  void rewriteTensors(const std::function<void(test::NamedValues&)>& change) {
    const auto file = Checkpoint::open(scratch_ / "adapter/adapter_model.safetensors").value();
    test::NamedValues tensors;
    for (const TensorEntry& tensor : file->tensors())
      tensors.emplace_back(tensor.name, tensor.shape, test::valuesOf(tensor));
    change(tensors);
    test::writeTensors(scratch_ / "adapter/adapter_model.safetensors", tensors);
  }
  // The error of reading and attaching; empty where there is none.
  std::string error(float scale = 1) {
    auto spec = readModelSpec(base_).value();
    const auto done = attachAdapter(spec, {scratch_ / "adapter", scale});
    EXPECT_EQ(spec.adapters.size(), done ? 1u : 0u);
    return done ? "" : done.error().describe();
  }
  void expectError(std::initializer_list<const char*> parts) {
    const std::string text = error();
    for (const char* part : parts) EXPECT_NE(text.find(part), std::string::npos) << part << "\n in: " << text;
  }

  static constexpr const char* kA = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
  static constexpr const char* kB = "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight";
  test::AdapterPlan plan_{.targets = {"q_proj"}};
  test::ScratchFolder scratch_;
  std::shared_ptr<const Checkpoint> base_;
};

TEST_F(BrokenAdapter, IsReadWhereNothingIsBroken) {
  EXPECT_EQ(error(), "");
}

TEST_F(BrokenAdapter, NamesTheKeyThatIsNotImplemented) {
  const std::vector<std::pair<const char*, nlohmann::json>> refused = {
      {"use_dora", true},
      {"modules_to_save", {"lm_head"}},
      {"bias", "all"},
      {"peft_type", "IA3"},
      {"trainable_token_indices", {1, 2}},
      {"layer_replication", {{0, 1}}},
      {"target_parameters", {"mlp.experts.gate_up_proj"}},
      {"lora_bias", true},
      {"init_lora_weights", "pissa"},
      {"some_new_key", 3},
  };
  for (const auto& [key, value] : refused) {
    SCOPED_TRACE(key);
    rewriteConfig({{key, value}});
    expectError({key, "reading the adapter"});
  }
  for (const char* key : {"r", "lora_alpha"}) {
    rewriteConfig({{key, -1}});
    expectError({key, "expected a positive"});
  }
  rewriteConfig({{"rank_pattern", {{"q_proj", 2.5}}}});
  expectError({"rank_pattern", "whole number"});
  rewriteConfig({{"target_modules", {"k_proj"}}});
  expectError({"target_modules", "q_proj"});
}

TEST_F(BrokenAdapter, TakesWhatChangesNothing) {
  rewriteConfig({{"loftq_config", nlohmann::json::object()},
                 {"trainable_token_indices", nullptr},
                 {"init_lora_weights", "gaussian"},
                 {"megatron_core", "megatron.core"},
                 {"target_modules", ".*\\.q_proj"}});
  EXPECT_EQ(error(), "");
  rewriteConfig({{"target_modules", "all-linear"}});
  EXPECT_EQ(error(), "");
}

TEST_F(BrokenAdapter, FollowsItsPatterns) {
  rewriteConfig({{"rank_pattern", {{"self_attn.q_proj", 4}}},
                 {"r", 16},
                 {"alpha_pattern", {{"layers.\\d+.self_attn.q_proj", 12}}}});
  const auto adapter = readAdapter(scratch_ / "adapter");
  ASSERT_TRUE(adapter) << adapter.error().describe();
  ASSERT_EQ(adapter->modules.size(), 1u);
  EXPECT_EQ(adapter->rank, 16u);
  EXPECT_DOUBLE_EQ(adapter->modules[0].factor, 3);
  rewriteConfig({{"alpha_pattern", {{"q_proj", 12}, {"self_attn.q_proj", 13}}}});
  expectError({"alpha_pattern", "expected one of them"});
}

TEST_F(BrokenAdapter, NamesTheTensorThatDoesNotFit) {
  const auto original = [this] { test::writeRandomAdapter(scratch_ / "adapter", *base_, plan_); };
  rewriteTensors([](auto& tensors) { std::erase_if(tensors, [](auto& t) { return std::get<0>(t) == kB; }); });
  expectError({kA, "lacks its partner", kB});
  original();
  rewriteConfig({{"r", 5}});
  expectError({kA, "expected the shape (5, in)", "(4, 48)"});
  original();
  rewriteTensors([](auto& tensors) { std::get<2>(tensors[0])[3] = NAN; });
  expectError({kA, "NaN"});
  original();
  rewriteTensors([](auto& tensors) {
    auto& [name, shape, values] = tensors[0];
    shape[1] += 1;
    values.resize(shape[0] * shape[1]);
  });
  expectError({kA, "expected the shape (4, 48)", "(4, 49)"});
  original();
  rewriteTensors([](auto& tensors) {
    auto& [name, shape, values] = tensors[1];
    shape[0] -= 2;
    values.resize(shape[0] * shape[1]);
  });
  expectError({kB, "expected the shape (48, 4)", "(46, 4)"});
  original();
  rewriteTensors([](auto& tensors) {
    for (auto& tensor : tensors) {
      std::string& name = std::get<0>(tensor);
      name.replace(name.find("layers.0"), 8, "layers.7");
    }
  });
  expectError({"layers.7", "found none"});
  original();
  rewriteTensors([](auto& tensors) { std::get<0>(tensors[0]) = "base_model.model.x.lora_embedding_A"; });
  expectError({"lora_embedding_A", "nothing else is implemented"});
}

TEST_F(BrokenAdapter, NeedsFilesAndAFiniteScale) {
  EXPECT_NE(error(INFINITY).find("finite"), std::string::npos);
  std::filesystem::remove(scratch_ / "adapter/adapter_config.json");
  expectError({"adapter_config.json"});
  std::filesystem::remove(scratch_ / "adapter/adapter_model.safetensors");
  expectError({"no adapter_model.safetensors"});
}

TEST(AdapterChoices, AreAFolderAndAScale) {
  const auto choice = [](const char* text) { return parseAdapterChoice(text).value(); };
  EXPECT_EQ(choice("a/b").scale, 1);
  EXPECT_EQ(choice("a/b:0.5").scale, 0.5f);
  EXPECT_EQ(choice("a/b:-2").folder, "a/b");
  EXPECT_EQ(choice("a:b/c").folder, "a:b/c");
  EXPECT_EQ(choice("demo-dense-shakespeare-lora:2").folder.filename(), "demo-dense-shakespeare-lora");
  EXPECT_TRUE(choice("demo-dense-shakespeare-lora").folder.has_parent_path());
  EXPECT_FALSE(parseAdapterChoice("a/b:x"));
  EXPECT_FALSE(parseAdapterChoice("a/b:inf"));
  const test::ScratchFolder scratch;
  std::filesystem::create_directories(scratch / "run:2");
  EXPECT_EQ(choice((scratch / "run:2").c_str()).scale, 1);
}

}  // namespace
}  // namespace vitrine::core
