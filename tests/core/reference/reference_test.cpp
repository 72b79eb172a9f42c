// The reference against what Hugging Face transformers computed (shared/zoo) and against trained models.
#include "core/reference/reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/dense_gguf.h"
#include "support/golden.h"
#include "support/gpt_oss_gguf.h"
#include "support/granite_hybrid_gguf.h"
#include "support/latent_gguf.h"
#include "support/linear_attention_gguf.h"
#include "support/numeric.h"
#include "support/rwkv_gguf.h"
#include "support/scratch_folder.h"
#include "support/shared_files.h"
#include "support/state_space_gguf.h"
#include "support/zoo_gguf.h"

namespace vitrine::core::reference_test {
namespace {

std::span<const double> numbers(const ReferenceMatrix& matrix) {
  return {matrix.data(), static_cast<std::size_t>(matrix.size())};
}

std::vector<double> stacked(const std::vector<ReferenceMatrix>& heads) {
  std::vector<double> all;
  for (const ReferenceMatrix& head : heads) all.insert(all.end(), head.data(), head.data() + head.size());
  return all;
}

// A state of square heads (values, keys), one below the other, as (keys, values).
std::vector<double> keysFirst(const ReferenceMatrix& state) {
  std::vector<double> all;
  for (Eigen::Index head = 0; head < state.rows(); head += state.cols())
    for (Eigen::Index key = 0; key < state.cols(); ++key)
      for (Eigen::Index value = 0; value < state.cols(); ++value) all.push_back(state(head + value, key));
  return all;
}

// Compares what the golden file holds of hidden states, attention and routers, and the logits; how many
// tensors that were.
int compareWithGolden(const ReferencePass& pass, const Checkpoint& golden, double tolerance,
                      std::string_view zoo = "") {
  int compared = 0;
  const auto hold = [&](const std::string& name, const auto& out) {
    const std::vector<float> wanted = test::goldenFloats(golden, name);
    if (wanted.empty()) return;
    EXPECT_CLOSE(out, wanted, tolerance) << name;
    ++compared;
  };
  hold("logits", numbers(pass.logits));
  for (std::size_t i = 0; i < pass.hidden.size(); ++i)
    hold(test::goldenHidden(zoo, i, pass.layers.size()), numbers(pass.hidden[i]));
  int attention = 0;  // the file numbers the layers that have one
  for (const ReferenceLayer& layer : pass.layers) {
    if (!layer.attention.empty()) {
      hold(fmt::format("attention.{}", attention++), stacked(layer.attention));
    } else if (test::statesCountAsAttention(zoo)) {
      hold(fmt::format("attention.{}", attention++), keysFirst(layer.state));
    }
  }
  for (std::size_t i = 0; i < pass.layers.size(); ++i)
    hold(fmt::format("router.{}", i), numbers(pass.layers[i].router));
  return compared;
}

// The tensors of a golden file that a pass can be compared with.
int comparable(const Checkpoint& golden, std::string_view zoo) {
  const auto count = std::ranges::count_if(golden.tensors(), [](const TensorEntry& tensor) {
    return tensor.name == "logits" || tensor.name.starts_with("hidden.") ||
           (tensor.name.starts_with("attention.") &&
            tensor.shape.size() == 3) ||  // RWKV's are the mixers' outputs
           tensor.name.starts_with("router.");
  });
  return static_cast<int>(count) - test::countsFromFirstBlock(zoo);
}

class Zoo : public testing::TestWithParam<const char*> {
 protected:
  // Runs `model` on the golden input of `folder` and compares; nothing in the file may be left over.
  static void hold(const std::filesystem::path& model, const std::filesystem::path& folder) {
    const auto checkpoint = Checkpoint::open(model);
    ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
    const auto spec = readModelSpec(*checkpoint);
    ASSERT_TRUE(spec) << spec.error().describe();
    EXPECT_EQ(spec->unread_tensors, std::vector<std::string>());
    const auto golden = Checkpoint::open(folder / "golden.safetensors");
    ASSERT_TRUE(golden) << golden.error().describe();
    const auto pass = referenceForward(*spec, test::goldenIds(**golden));
    ASSERT_TRUE(pass) << pass.error().describe();
    const std::string zoo = folder.filename().string();
    EXPECT_EQ(compareWithGolden(*pass, **golden, 1e-5, zoo), comparable(**golden, zoo));
  }
};

TEST_P(Zoo, GivesWhatTransformersGives) {
  VITRINE_SHARED_OR_SKIP(folder, std::string("zoo/") + GetParam());
  hold(folder, folder);
}

using DenseInGguf = Zoo;
TEST_P(DenseInGguf, GivesTheSame) {
  VITRINE_SHARED_OR_SKIP(folder, std::string("zoo/") + GetParam());
  const auto checkpoint = Checkpoint::open(folder);
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  const test::ScratchFolder scratch;
  test::writeFile(scratch / "m.gguf", test::DenseGguf(**checkpoint).build());
  hold(scratch / "m.gguf", folder);
}

using StateSpaceInGguf = Zoo;
TEST_P(StateSpaceInGguf, GivesTheSame) {
  VITRINE_SHARED_OR_SKIP(folder, std::string("zoo/") + GetParam());
  const auto checkpoint = Checkpoint::open(folder);
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  const test::ScratchFolder scratch;
  test::writeFile(scratch / "m.gguf", test::stateSpaceAsGguf(**checkpoint));
  hold(scratch / "m.gguf", folder);
}

using ZooInGguf = Zoo;
TEST_P(ZooInGguf, GivesTheSame) {
  VITRINE_SHARED_OR_SKIP(folder, std::string("zoo/") + GetParam());
  const auto checkpoint = Checkpoint::open(folder);
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  const test::ScratchFolder scratch;
  test::writeFile(scratch / "m.gguf", test::zooAsGguf(**checkpoint));
  hold(scratch / "m.gguf", folder);
}

using MixtureInGguf = Zoo;
TEST_P(MixtureInGguf, GivesTheSameHoweverExpertsAreStored) {
  VITRINE_SHARED_OR_SKIP(folder, std::string("zoo/") + GetParam());
  const auto checkpoint = Checkpoint::open(folder);
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  for (const auto stored : {test::ExpertsInGguf::kGateUpFused, test::ExpertsInGguf::kOneByOne}) {
    const test::ScratchFolder scratch;
    test::writeFile(scratch / "m.gguf", test::zooAsGguf(**checkpoint, stored));
    hold(scratch / "m.gguf", folder);
  }
}

using GptOssInGguf = Zoo;
TEST_P(GptOssInGguf, GivesTheSame) {
  VITRINE_SHARED_OR_SKIP(folder, std::string("zoo/") + GetParam());
  const auto checkpoint = Checkpoint::open(folder);
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  const test::ScratchFolder scratch;
  test::writeFile(scratch / "m.gguf", test::GptOssGguf(**checkpoint).build());
  hold(scratch / "m.gguf", folder);
}

using Qwen3NextInGguf = Zoo;
TEST_P(Qwen3NextInGguf, GivesTheSameInTwoTensorsOrOne) {
  VITRINE_SHARED_OR_SKIP(folder, std::string("zoo/") + GetParam());
  const auto checkpoint = Checkpoint::open(folder);
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  for (const auto stored : {test::DeltaInput::kTwoTensors, test::DeltaInput::kOneTensor}) {
    const test::ScratchFolder scratch;
    test::Qwen3NextGguf gguf(**checkpoint, stored);
    if (stored == test::DeltaInput::kOneTensor)  // the kinds of the layers may be told, or follow
      gguf.builder().set("qwen3next.attention.recurrent_layers", std::vector<bool>{true, true, true, false});
    test::writeFile(scratch / "m.gguf", gguf.build());
    hold(scratch / "m.gguf", folder);
  }
}

using MinimaxInGguf = Zoo;
TEST_P(MinimaxInGguf, GivesTheSame) {
  VITRINE_SHARED_OR_SKIP(folder, std::string("zoo/") + GetParam());
  const auto checkpoint = Checkpoint::open(folder);
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  const test::ScratchFolder scratch;
  test::writeFile(scratch / "m.gguf", test::minimaxAsGguf(**checkpoint));
  hold(scratch / "m.gguf", folder);
}

using GraniteHybridInGguf = Zoo;
TEST_P(GraniteHybridInGguf, GivesTheSameWithWhatGraniteAdds) {
  VITRINE_SHARED_OR_SKIP(folder, std::string("zoo/") + GetParam());
  const auto checkpoint = Checkpoint::open(folder);
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  for (const test::GraniteParts parts : {test::GraniteParts{}, test::GraniteParts{.multipliers = true},
                                         test::GraniteParts{.multipliers = true, .experts = true}}) {
    const test::ScratchFolder scratch;
    test::writeFile(scratch / "m.gguf", test::GraniteHybridGguf(**checkpoint, parts).build());
    hold(scratch / "m.gguf", folder);
  }
}

using LatentInGguf = Zoo;
TEST_P(LatentInGguf, GivesTheSameInOneTensorOrTwo) {
  VITRINE_SHARED_OR_SKIP(folder, std::string("zoo/") + GetParam());
  const auto checkpoint = Checkpoint::open(folder);
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  for (const auto stored : {test::KeyValueUp::kOneTensor, test::KeyValueUp::kTwoTensors}) {
    const test::ScratchFolder scratch;
    test::writeFile(scratch / "m.gguf", test::LatentGguf(**checkpoint, stored).build());
    hold(scratch / "m.gguf", folder);
  }
}

std::string nameOf(const testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  std::erase(name, '-');
  return name;
}

const auto kInGguf = testing::Values("llama", "llama-tied-headdim", "llama3-rope", "llama-yarn",
                                     "mistral-swa", "qwen2", "qwen3");
INSTANTIATE_TEST_SUITE_P(Reference, Zoo, kInGguf, nameOf);
INSTANTIATE_TEST_SUITE_P(Reference, ZooInGguf, kInGguf, nameOf);
const auto kDense =
    testing::Values("gemma2", "gemma3", "phi3", "phi-partial", "gpt2", "gpt-neox", "bloom-alibi", "stablelm",
                    "starcoder2", "olmo2", "smollm3", "granite", "glm4");
INSTANTIATE_TEST_SUITE_P(Dense, Zoo, kDense, nameOf);
INSTANTIATE_TEST_SUITE_P(Dense, DenseInGguf, kDense, nameOf);
INSTANTIATE_TEST_SUITE_P(StateSpaces, Zoo,
                         testing::Values("mamba", "falcon-mamba", "mamba2", "bamba", "nemotron-h",
                                         "falcon-h1", "lfm2"),
                         nameOf);

INSTANTIATE_TEST_SUITE_P(StateSpaces, GraniteHybridInGguf, testing::Values("bamba"), nameOf);
INSTANTIATE_TEST_SUITE_P(Reference, StateSpaceInGguf, testing::Values("mamba", "mamba2", "falcon-h1", "lfm2"),
                         nameOf);

// llama.cpp's files leave out a constant of these two: it norms dt, B and C with the blocks' epsilon, and has
// no least step.
TEST(StateSpaceInGgufWithout, GivesTheSameAsConfigurationsThatSaySo) {
  const std::pair<const char*, nlohmann::json> kCases[] = {{"falcon-mamba", {{"mixer_rms_eps", 1e-5}}},
                                                           {"nemotron-h", {{"time_step_min", 1e-30}}}};
  for (const auto& [name, changes] : kCases) {
    SCOPED_TRACE(name);
    VITRINE_SHARED_OR_SKIP(folder, std::string("zoo/") + name);
    const auto original = Checkpoint::open(folder);
    ASSERT_TRUE(original) << original.error().describe();
    const test::ScratchFolder scratch;
    nlohmann::json config = (*original)->metadata();
    config.update(changes);
    test::writeFile(scratch / "config.json", config.dump());
    std::filesystem::copy_file(folder / "model.safetensors", scratch / "model.safetensors");
    test::writeFile(scratch / "m.gguf", test::stateSpaceAsGguf(**original));
    std::vector<double> logits[2];
    for (const auto& [path, found] :
         {std::pair(scratch.path(), &logits[0]), {scratch / "m.gguf", &logits[1]}}) {
      const auto checkpoint = Checkpoint::open(path);
      ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
      const auto spec = readModelSpec(*checkpoint);
      ASSERT_TRUE(spec) << spec.error().describe();
      EXPECT_EQ(spec->unread_tensors, std::vector<std::string>());
      const auto pass = referenceForward(*spec, std::vector<std::int32_t>{5, 17, 120, 44, 9, 260, 3});
      ASSERT_TRUE(pass) << pass.error().describe();
      found->assign(numbers(pass->logits).begin(), numbers(pass->logits).end());
    }
    EXPECT_CLOSE(logits[1], logits[0], 1e-6);
  }
}
INSTANTIATE_TEST_SUITE_P(Mixtures, Zoo,
                         testing::Values("mixtral", "olmoe", "qwen2-moe", "qwen3-moe", "granitemoe",
                                         "gpt-oss", "jetmoe-like-dots1", "deepseek-v2", "deepseek-v3"),
                         nameOf);
INSTANTIATE_TEST_SUITE_P(Mixtures, ZooInGguf,
                         testing::Values("mixtral", "olmoe", "qwen2-moe", "qwen3-moe", "granitemoe",
                                         "jetmoe-like-dots1"),
                         nameOf);
INSTANTIATE_TEST_SUITE_P(Mixtures, MixtureInGguf, testing::Values("mixtral", "qwen3-moe"), nameOf);
// As llama.cpp keeps the released ones.
TEST(GptOssInGgufOf4Bits, GivesWhatItsNumbersGive) {
  VITRINE_SHARED_OR_SKIP(folder, "zoo/gpt-oss");
  const auto hf = Checkpoint::open(folder);
  ASSERT_TRUE(hf) << hf.error().describe();
  std::vector<double> logits[2];
  for (const auto& [stored, found] :
       {std::pair(test::GateAndUp::kMxfp4, &logits[0]), {test::GateAndUp::kExpandedMxfp4, &logits[1]}}) {
    const test::ScratchFolder scratch;
    test::writeFile(scratch / "m.gguf", test::GptOssGguf(**hf, stored).build());
    const auto checkpoint = Checkpoint::open(scratch / "m.gguf");
    ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
    const auto spec = readModelSpec(*checkpoint);
    ASSERT_TRUE(spec) << spec.error().describe();
    const auto pass = referenceForward(*spec, std::vector<std::int32_t>{5, 17, 120, 44, 9, 260, 3});
    ASSERT_TRUE(pass) << pass.error().describe();
    found->assign(numbers(pass->logits).begin(), numbers(pass->logits).end());
  }
  EXPECT_CLOSE(logits[0], logits[1], 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Mixtures, GptOssInGguf, testing::Values("gpt-oss"), nameOf);
INSTANTIATE_TEST_SUITE_P(Mixtures, LatentInGguf, testing::Values("deepseek-v2", "deepseek-v3"), nameOf);
INSTANTIATE_TEST_SUITE_P(Recurrent, Zoo,
                         testing::Values("rwkv4", "recurrent-gemma", "xlstm", "minimax", "qwen3-next"),
                         nameOf);

INSTANTIATE_TEST_SUITE_P(Recurrent, Qwen3NextInGguf, testing::Values("qwen3-next"), nameOf);

INSTANTIATE_TEST_SUITE_P(Recurrent, MinimaxInGguf, testing::Values("minimax"), nameOf);

// From shared/models/stories260K/README.md; the pieces of a SentencePiece vocabulary joined, "▁" for a space.
TEST(Reference, Stories260KBeginsItsStory) {
  VITRINE_SHARED_OR_SKIP(path, "models/stories260K/stories260K.gguf");
  const auto checkpoint = Checkpoint::open(path);
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  const auto spec = readModelSpec(*checkpoint);
  ASSERT_TRUE(spec) << spec.error().describe();
  const auto& pieces = (*checkpoint)->metadata()["tokenizer.ggml.tokens"];
  std::vector<std::int32_t> ids = {1};
  std::string text;
  while (ids.size() < 40) {
    const auto pass = referenceForward(*spec, ids, 1);
    ASSERT_TRUE(pass) << pass.error().describe();
    Eigen::Index best = 0;
    pass->logits.row(0).maxCoeff(&best);
    ids.push_back(static_cast<std::int32_t>(best));
    text += pieces[static_cast<std::size_t>(best)].get<std::string>();
  }
  EXPECT_TRUE(text.starts_with("▁Once▁upon▁a▁time,▁there▁was▁a▁little▁girl▁named▁L")) << text;
}

// Trained models in the files of RWKV's author: no config.json, names and layouts of their own.
void holdRwkv(const std::filesystem::path& model, const std::filesystem::path& folder) {
  const auto checkpoint = Checkpoint::open(model);
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  const auto spec = readModelSpec(*checkpoint);
  ASSERT_TRUE(spec) << spec.error().describe();
  EXPECT_EQ(spec->unread_tensors, std::vector<std::string>());
  const auto pass = referenceForward(*spec, std::vector<std::int32_t>{'"', 'i', 'n'}, 1);
  ASSERT_TRUE(pass) << pass.error().describe();
  EXPECT_CLOSE(numbers(pass->logits), test::floatsOfFile(folder / "expected-logits.f32"), 1e-4);
}

using OriginalRwkv = testing::TestWithParam<const char*>;
TEST_P(OriginalRwkv, GivesItsExpectedLogits) {
  VITRINE_SHARED_OR_SKIP(folder, std::string("models/") + GetParam());
  holdRwkv(folder / "model.safetensors", folder);
}
INSTANTIATE_TEST_SUITE_P(Reference, OriginalRwkv, testing::Values("rwkv-4v0-660K", "rwkv-7v0-834K"), nameOf);

TEST(Reference, Rwkv7GivesTheSameInGguf) {
  VITRINE_SHARED_OR_SKIP(folder, "models/rwkv-7v0-834K");
  const auto original = Checkpoint::open(folder / "model.safetensors");
  ASSERT_TRUE(original) << original.error().describe();
  const test::ScratchFolder scratch;
  test::writeFile(scratch / "m.gguf", test::rwkv7AsGguf(**original));
  holdRwkv(scratch / "m.gguf", folder);
}

TEST(Reference, SmolLM2GivesItsExactValues) {
  VITRINE_SHARED_OR_SKIP(folder, "models/smollm2-135m-instruct");
  const auto checkpoint = Checkpoint::open(folder / "model-q4_1.gguf");
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  const auto spec = readModelSpec(*checkpoint);
  ASSERT_TRUE(spec) << spec.error().describe();
  const auto golden = Checkpoint::open(folder / "golden.safetensors");
  ASSERT_TRUE(golden) << golden.error().describe();
  const auto pass = referenceForward(*spec, test::goldenIds(**golden), 8);
  ASSERT_TRUE(pass) << pass.error().describe();
  EXPECT_EQ(compareWithGolden(*pass, **golden, 1e-4), 1 + 4 + 30);
}

TEST(Reference, RefusesIdsOutsideTheVocabularyAndEmptySequences) {
  ModelSpec spec;
  spec.vocab_size = 10;
  for (const std::vector<std::int32_t>& ids : {std::vector<std::int32_t>{}, {3, -1}, {10}})
    EXPECT_FALSE(referenceForward(spec, ids));
}

}  // namespace
}  // namespace vitrine::core::reference_test
