// The engine against transformers: every zoo model of a supported architecture, read at once, in chunks of 7,
// token by token, with all that a trace holds; and GGUF files that store them in ways of their own.
#include <gtest/gtest.h>

#include <cstring>

#include "core/engine/attention_views.h"
#include "core/engine/session.h"
#include "core/model/model.h"
#include "support/any_gguf.h"
#include "support/golden.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"
#include "support/scratch_folder.h"
#include "support/shared_files.h"

namespace vitrine::core::zoo_test {
namespace {

constexpr double kTolerance = 1e-4;  // relative, float32 weights and cache

std::vector<float> floatsOf(const Checkpoint& golden, const std::string& name) {
  const TensorEntry* tensor = golden.find(name);
  if (!tensor) return {};
  std::vector<float> values(tensor->elements());
  std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
  return values;
}

struct Golden {
  std::shared_ptr<const Checkpoint> file;
  std::vector<TokenId> ids;
};

class ZooTest : public test::GpuTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    auto shared = test::sharedDir();
    if (!shared) GTEST_SKIP() << "no ../shared";
    auto folder = *shared / "zoo" / GetParam();
    auto checkpoint = open(folder);
    ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
    auto spec = readModelSpec(*checkpoint);
    ASSERT_TRUE(spec) << spec.error().describe();
    auto model = Model::load(device(), std::move(*spec));
    ASSERT_TRUE(model) << model.error().describe();
    model_ = *model;
    auto golden = Checkpoint::open(folder / "golden.safetensors");
    ASSERT_TRUE(golden) << golden.error().describe();
    golden_.file = *golden;
    const TensorEntry* ids = golden_.file->find("input_ids");
    ASSERT_NE(ids, nullptr);
    golden_.ids.resize(ids->elements());
    std::memcpy(golden_.ids.data(), ids->bytes.data(), ids->bytes.size());
  }

  virtual Result<std::shared_ptr<const Checkpoint>> open(const std::filesystem::path& folder) {
    return Checkpoint::open(folder);
  }

  std::unique_ptr<Session> session() {
    auto session = Session::create(model_, {.context = 64, .cache = CacheType::kF32, .probes = true});
    EXPECT_TRUE(session) << session.error().describe();
    return session ? std::move(*session) : nullptr;
  }

  void expectGolden(const Capture& capture) {
    EXPECT_CLOSE(capture.logit_rows, floatsOf(*golden_.file, "logits"), kTolerance);
    for (std::size_t layer = 0; layer < capture.hidden_states.size(); ++layer) {
      const std::string name = test::goldenHidden(GetParam(), layer, model_->layers());
      if (name.empty()) continue;
      SCOPED_TRACE(fmt::format("hidden state {}, {}", layer, name));
      EXPECT_CLOSE(capture.hidden_states[layer], floatsOf(*golden_.file, name), kTolerance);
    }
    for (const RouterCapture& router : capture.routers) {
      SCOPED_TRACE(fmt::format("router.{}", router.layer));
      auto expected = floatsOf(*golden_.file, fmt::format("router.{}", router.layer));
      if (!expected.empty()) {
        EXPECT_CLOSE(router.logits, expected, kTolerance);
      }
      EXPECT_EQ(router.chosen.size(), golden_.ids.size() * router.top_k);
      EXPECT_EQ(router.weights.size(), router.chosen.size());
    }
  }

  void expectPrefillIsGolden() {
    for (std::uint32_t chunk : {512u, 7u, 1u}) {
      SCOPED_TRACE(fmt::format("chunks of {}", chunk));
      auto session = this->session();
      ASSERT_NE(session, nullptr);
      session->setPrefillChunk(chunk);
      Capture capture{.hidden = true, .logits = true, .hidden_states = {}, .logit_rows = {}, .router = true};
      auto done = session->prefill(golden_.ids, {}, {}, &capture);
      ASSERT_TRUE(done) << done.error().describe();
      expectGolden(capture);
    }
  }

  std::shared_ptr<const Model> model_;
  Golden golden_;
};

TEST_P(ZooTest, PrefillMatchesTransformers) {
  expectPrefillIsGolden();
}

class ZooInGgufTest : public ZooTest {
 protected:
  Result<std::shared_ptr<const Checkpoint>> open(const std::filesystem::path& folder) override {
    TRY_ASSIGN(const auto original, Checkpoint::open(folder));
    const auto bytes = test::anyAsGguf(*original);
    VITRINE_ASSERT(bytes.has_value());
    test::writeFile(scratch_ / "m.gguf", *bytes);
    return Checkpoint::open(scratch_ / "m.gguf");
  }

 private:
  test::ScratchFolder scratch_;
};

TEST_P(ZooInGgufTest, PrefillMatchesTransformers) {
  expectPrefillIsGolden();
}

// A decode step is recorded once and repeated.
TEST_P(ZooTest, DecodingLeavesThePrefillsLogits) {
  auto decoded = session(), read = session();
  ASSERT_NE(decoded, nullptr);
  ASSERT_NE(read, nullptr);
  ASSERT_TRUE(decoded->prefill(std::span(golden_.ids).first(5)));
  auto done = decoded->decode(6, {}, {}, {});
  ASSERT_TRUE(done) << done.error().describe();
  ASSERT_EQ(decoded->length(), 11u);
  auto after = decoded->logits();
  ASSERT_TRUE(after) << after.error().describe();
  ASSERT_TRUE(read->prefill(decoded->tokens()));
  auto expected = read->logits();
  ASSERT_TRUE(expected) << expected.error().describe();
  EXPECT_CLOSE(*after, *expected, kTolerance);
}

TEST_P(ZooTest, AttentionMatchesTransformers) {
  auto session = this->session();
  ASSERT_NE(session, nullptr);
  ASSERT_TRUE(session->prefill(golden_.ids));
  auto views = AttentionViews::create(device());
  ASSERT_TRUE(views) << views.error().describe();
  std::size_t tokens = golden_.ids.size();
  int attention = 0;  // the file numbers the layers that have one
  for (std::uint32_t layer = 0; layer < model_->layers(); ++layer) {
    if (!model_->attention(layer)) {
      attention += test::statesCountAsAttention(GetParam());
      continue;
    }
    auto expected = floatsOf(*golden_.file, fmt::format("attention.{}", attention++));
    std::vector<float> maps;
    for (std::uint32_t head = 0; head < model_->attention(layer)->heads; ++head) {
      auto map = (*views)->matrix(*session, layer, head);
      ASSERT_TRUE(map) << map.error().describe();
      for (float p : *map) maps.push_back(p < 0 ? 0 : p);
    }
    ASSERT_EQ(maps.size(), expected.size());
    SCOPED_TRACE(fmt::format("attention.{} of {} tokens", layer, tokens));
    EXPECT_CLOSE(maps, expected, kTolerance);
  }
}

std::string nameOf(const ::testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Zoo, ZooInGgufTest,
                         ::testing::Values("mixtral", "gpt-oss", "bamba", "minimax", "qwen3-next"), nameOf);

INSTANTIATE_TEST_SUITE_P(Zoo, ZooTest,
                         ::testing::Values("llama", "llama-tied-headdim", "llama3-rope", "llama-yarn",
                                           "mistral-swa", "qwen2", "qwen3", "gemma2", "gemma3", "phi3",
                                           "phi-partial", "gpt2", "gpt-neox", "bloom-alibi", "stablelm",
                                           "starcoder2", "olmo2", "smollm3", "granite", "glm4", "mamba",
                                           "falcon-mamba", "mamba2", "bamba", "nemotron-h", "falcon-h1",
                                           "lfm2", "mixtral", "olmoe", "qwen2-moe", "qwen3-moe", "granitemoe",
                                           "gpt-oss", "jetmoe-like-dots1", "rwkv4", "recurrent-gemma",
                                           "xlstm", "minimax", "qwen3-next", "deepseek-v2", "deepseek-v3"),
                         nameOf);

}  // namespace
}  // namespace vitrine::core::zoo_test
