// Methods that run the model: what they say of the demonstration models agrees with runs of those models
// themselves, and what they are given is what they take.
#include <gtest/gtest.h>

#include <cmath>

#include "core/checkpoint/mapped_file.h"
#include "core/engine/perplexity.h"
#include "core/methods/analysis_fixtures.h"
#include "core/methods/analysis_source.h"
#include "core/methods/support/ablation_runs.h"
#include "core/methods/support/channel_runs.h"
#include "core/methods/support/locked_runs.h"
#include "core/spectra/linear_matrix.h"
#include "core/spectra/replaced_weights.h"
#include "support/gpu_fixture.h"
#include "support/shared_files.h"

namespace vitrine::test::method_runs_test {
namespace {

using namespace core::methods;
using core::ModelSpec;
using core::TokenId;

std::filesystem::path demo(const char* name) {
  return sourceDir() / "assets/models" / name;
}

class MethodRuns : public GpuTest {
 protected:
  static const Analysis& method(const char* id) { return *expectValue(findAnalysis(id)); }

  AnalysisInput input(const Analysis& method, const AnalysisSource& source,
                      const std::vector<std::pair<std::string, double>>& parameters = {}) {
    AnalysisInput input = expectValue(analysisInput(method, source));
    input.parameters = expectValue(parametersOf(method, {std::string(method.id), parameters}));
    input.open_device = [this]() -> Result<std::shared_ptr<gpu::Device>> {
      return std::shared_ptr<gpu::Device>(std::shared_ptr<void>(), &device());
    };
    return input;
  }

  double perplexityOf(const char* model, const std::filesystem::path& text) {
    const auto checkpoint = expectValue(core::Checkpoint::open(demo(model)));
    const auto loaded =
        expectValue(core::Model::load(device(), expectValue(core::readModelSpec(checkpoint))));
    const auto tokenizer = expectValue(core::Tokenizer::fromCheckpoint(*checkpoint));
    return expectValue(
               core::measurePerplexity(loaded, *tokenizer, expectValue(core::MappedFile::open(text))->text(),
                                       {.context = 16, .windows = 2, .cache = core::CacheType::kF32}, {}))
        .value;
  }

  const std::filesystem::path base_text_ = demo("demo-dense") / "README.md",
                              passage_ = sourceDir() / "assets/prompts/repeated-passage.txt",
                              tuned_text_ = demo("demo-dense-shakespeare") / "README.md";
};

double numberAt(const Table& table, std::size_t row, std::size_t column) {
  return std::get<double>(table.rows.at(row).at(column));
}

const Table& tableOf(const AnalysisResult& result, std::string_view title) {
  for (const Table& table : result.tables)
    if (table.title.starts_with(title)) return table;
  ADD_FAILURE() << title;
  return result.tables.front();
}

// The base, and the fine-tune at lambda = 1, are the models themselves.
TEST_F(MethodRuns, IntrudersAreScaledFromNoneToTheFineTune) {
  const Analysis& intruders = method("intruder-dimensions");
  AnalysisInput run = input(intruders,
                            {.model = demo("demo-dense"),
                             .matrices = "*layers.0.self_attn*",
                             .tuned = demo("demo-dense-shakespeare"),
                             .text = base_text_,
                             .tuned_text = tuned_text_},
                            {{"k", 20}, {"epsilon", 0.9}, {"steps", 1}, {"window", 16}, {"windows", 2}});
  std::size_t told = 0;
  run.progress = [&](std::size_t, std::size_t) { ++told; };
  const auto result = expectValue(runAnalysis(intruders, run));
  EXPECT_GE(told, 3u);
  const Table& table = tableOf(result, "Perplexity");
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_EQ(numberAt(table, 0, 2), perplexityOf("demo-dense", base_text_));
  EXPECT_EQ(numberAt(table, 0, 3), perplexityOf("demo-dense", tuned_text_));
  EXPECT_EQ(numberAt(table, 1, 1), 0);
  EXPECT_EQ(numberAt(table, 2, 1), 1);
  const double tuned = perplexityOf("demo-dense-shakespeare", tuned_text_);
  EXPECT_NEAR(numberAt(table, 2, 3), tuned, 1e-4 * tuned);
  EXPECT_GT(std::abs(numberAt(table, 1, 3) - tuned), 1e-3 * tuned);  // 20 of 20 directions, nearly, are off
  EXPECT_EQ(result.figures.back().name, "intruder-dimensions-loss");
}

TEST_F(MethodRuns, LockedHeadsPredictTheSameUntilTheyAreAveraged) {
  const Analysis& lock = method("mergelock");
  const auto result = expectValue(runAnalysis(
      lock,
      input(lock, {.model = demo("demo-dense"), .text = passage_, .sibling = demo("demo-dense-shakespeare")},
            {{"window", 32}, {"windows", 2}})));
  const Table& outputs = tableOf(result, "Logits");
  EXPECT_GT(numberAt(outputs, 0, 1), 0);
  EXPECT_LT(numberAt(outputs, 0, 2), 1e-5);
  EXPECT_EQ(numberAt(outputs, 0, 4), 0);
  EXPECT_GT(numberAt(outputs, 2, 3), 2 * numberAt(outputs, 1, 3));
  const Table& merged = tableOf(result, "Perplexity");
  ASSERT_EQ(merged.rows.size(), 5u);
  EXPECT_NEAR(numberAt(merged, 0, 2), numberAt(merged, 0, 1), 1e-4 * numberAt(merged, 0, 1));
  EXPECT_GT(numberAt(merged, 2, 2), 1.2 * numberAt(merged, 2, 1));
  EXPECT_EQ(numberAt(merged, 4, 2), numberAt(merged, 4, 1));  // the sibling alone
}

std::map<std::uint32_t, core::AttentionLocks> someLocks(const ModelSpec& spec) {
  std::mt19937_64 random(3);
  return {{1, core::randomLocks(*spec.blocks[1].attention(), 0.5, random)}};
}

// Without a sibling the plain average is the model.
TEST_F(MethodRuns, AreAveragedWithThemselvesWithoutASibling) {
  const AnalysisInput run = input(method("mergelock"), {.model = demo("demo-dense"), .text = passage_},
                                  {{"window", 32}, {"windows", 1}});
  const LockedRuns found = expectValue(runLocked(run, someLocks(*run.spec)));
  EXPECT_EQ(found.averaged.most, 0);
  EXPECT_EQ(found.plain, std::vector<double>(5, found.plain[0]));
  EXPECT_LT(found.locked.most, 1e-5 * found.locked.scale);
  EXPECT_GT(found.locked_averaged.kl, 0.01);
}

TEST_F(MethodRuns, AZeroedComponentMovesItsReader) {
  const Analysis& heads = method("talking-heads");
  const auto result = expectValue(runAnalysis(
      heads, input(heads, {.model = demo("demo-dense"), .prompt = "It was a cold day. It was a cold"},
                   {{"zeroed", 2}, {"components", 2}})));
  const Table& table = tableOf(result, "The strongest components zeroed");
  ASSERT_EQ(table.rows.size(), 2u);
  for (std::size_t row = 0; row < 2; ++row) {
    EXPECT_GT(numberAt(table, row, 6), 0);
    EXPECT_GE(numberAt(table, row, 5), 0);
    EXPECT_LE(numberAt(table, row, 5), 1);
    EXPECT_GT(numberAt(table, row, 9), 0);
  }
  EXPECT_GT(numberAt(table, 0, 5), 0.01);
}

TEST_F(MethodRuns, SwitchedOffChangesAreTheBases) {
  const Analysis& unipano = method("unipano");
  const std::string prompt = "MACBETH:\nIs this a dagger which I see before me?";
  const AnalysisInput run = input(
      unipano,
      {.model = demo("demo-dense"), .adapters = {{demo("demo-dense-shakespeare-lora"), 1}}, .prompt = prompt},
      {{"each", 0}});
  const auto result = expectValue(runAnalysis(unipano, run));
  const Table& table = tableOf(result, "Changes switched off");
  ASSERT_EQ(table.rows.size(), 10u);
  EXPECT_EQ(numberAt(table, 0, 2), 0);
  // Without any change it is the base.
  const auto base = expectValue(core::readModelSpec(expectValue(core::Checkpoint::open(demo("demo-dense")))));
  const ModelRuns runs = expectValue(ModelRuns::open(run, *base.checkpoint));
  const std::vector<TokenId> ids = expectValue(runs.tokensOf(prompt));
  const auto logits = expectValue(runs.read(expectValue(runs.load(base)), ids)).logits;
  EXPECT_NEAR(numberAt(table, 9, 4), nextTokenLoss(logits, ids, base.vocab_size), 1e-4);
  EXPECT_GT(numberAt(table, 9, 4), numberAt(table, 0, 4));
  EXPECT_GT(numberAt(table, 9, 2), numberAt(table, 5, 2));  // to none, to Q and K alone
}

// An adapter's change has the form itself where the basis is as wide as its rank.
TEST_F(MethodRuns, OneAdapterIsItsSharedForm) {
  const Analysis& fairlora = method("fairlora");
  const auto result = expectValue(runAnalysis(
      fairlora, input(fairlora, {.model = demo("demo-dense"),
                                 .adapters = {{demo("demo-dense-shakespeare-lora"), 1}},
                                 .prompt = "MACBETH:\nIs this a dagger which I see before me?"})));
  const Table& table = tableOf(result, "Predictions");
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_GT(numberAt(table, 0, 1), 0.1);
  EXPECT_LT(numberAt(table, 0, 2), 1e-6);
}

TEST_F(MethodRuns, Stop) {
  std::stop_source stop;
  AnalysisInput run =
      input(method("mergelock"), {.model = demo("demo-dense"), .text = passage_}, {{"window", 32}});
  run.stop = stop.get_token();
  std::size_t runs = 0;
  run.progress = [&](std::size_t done, std::size_t of) {
    EXPECT_EQ(of, 10u);
    runs = done;
    stop.request_stop();
  };
  const auto result = runLocked(run, someLocks(*run.spec));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCancelled) << result.error().describe();
  EXPECT_EQ(runs, 1u);
}

// A direction of a singular value of zero carries nothing.
TEST_F(MethodRuns, AChannelOfNoStrengthIsSilent) {
  const auto spec = smallSpec();
  const core::AttentionSpec& attention = *spec->blocks[0].attention();
  Columns value = expectValue(core::expandLinear(attention.value));
  value.row(3).setZero();  // of kv head 0, on which heads 0 to 2 are
  core::ReplacedWeights silent(spec->checkpoint);
  expectOk(silent.set(attention.value.weight, value));
  const ModelSpec before = expectValue(silent.spec());
  const auto factors = expectValue(core::LayerFactors::read(before, 0, {}));
  const auto product = expectValue(factors.product(core::ProductKind::kOv, 1));
  const auto svd = expectValue(core::productSvd(product));
  ASSERT_LT(svd.sigma[7], 1e-12 * svd.sigma[0]);
  ASSERT_GT(svd.sigma[6], 1e-3 * svd.sigma[0]);
  const auto logitsWithout = [&](Eigen::Index component) {
    core::ReplacedWeights weights = silent;
    const Columns output = expectValue(core::expandLinear(attention.output));
    expectOk(weights.set(attention.output.weight,
                         core::withoutDirection(output, 1, attention.head_dim, svd.u.col(component))));
    const auto model = expectValue(core::Model::load(device(), expectValue(weights.spec())));
    const auto session =
        expectValue(core::Session::create(model, {.context = 16, .cache = core::CacheType::kF32}));
    core::Capture capture{.logits = true};
    expectOk(session->prefill(std::vector<TokenId>{3, 1, 4, 1, 5, 9}, {}, {}, &capture));
    return capture.logit_rows;
  };
  core::ReplacedWeights whole = silent;
  const auto model = expectValue(core::Model::load(device(), expectValue(whole.spec())));
  const auto session =
      expectValue(core::Session::create(model, {.context = 16, .cache = core::CacheType::kF32}));
  core::Capture capture{.logits = true};
  expectOk(session->prefill(std::vector<TokenId>{3, 1, 4, 1, 5, 9}, {}, {}, &capture));
  const auto vocab = std::size_t{before.vocab_size};
  const auto none = expectValue(driftOf(capture.logit_rows, logitsWithout(7), vocab));
  EXPECT_LT(none.most, 1e-5 * none.scale);
  const auto first = expectValue(driftOf(capture.logit_rows, logitsWithout(0), vocab));
  EXPECT_GT(first.most, 1e-3 * first.scale);
}

TEST(ComponentChannels, ZeroedAreGoneFromTheProduct) {
  const Columns output = core::toDouble(gaussian(14, 12, 1)), value = core::toDouble(gaussian(4, 14, 2));
  const auto svd = expectValue(core::productSvd({output.middleCols(4, 4), value}));
  const Columns zeroed = core::withoutDirection(output, 1, 4, svd.u.col(2));
  const Columns expected =
      output.middleCols(4, 4) * value - svd.sigma[2] * svd.u.col(2) * svd.v.col(2).transpose();
  EXPECT_LT((zeroed.middleCols(4, 4) * value - expected).norm(), 1e-13 * expected.norm());
  EXPECT_EQ(Columns(zeroed.leftCols(4)), Columns(output.leftCols(4)));
  EXPECT_EQ(Columns(zeroed.rightCols(4)), Columns(output.rightCols(4)));
}

TEST(LogitDrift, IsThatOfTwoSmallDistributions) {
  // p = (1/2, 1/2), q = (3/4, 1/4), then the same twice.
  const std::vector<float> p = {0, 0, 1, 2}, q = {std::log(3.0f), 0, 1, 2};
  const LogitDrift drift = expectValue(driftOf(p, q, 2));
  EXPECT_NEAR(drift.kl, 0.5 * (std::log(0.5 / 0.75) + std::log(0.5 / 0.25)) / 2, 1e-7);
  EXPECT_NEAR(drift.most, std::log(3), 1e-6);
  EXPECT_EQ(drift.scale, 2);
  EXPECT_EQ(drift.changed, 0);
  EXPECT_EQ(expectValue(driftOf(p, std::vector<float>{0, 1, 2, 1}, 2)).changed, 1);
  EXPECT_EQ(driftOf(p, std::vector<float>{0, NAN, 1, 2}, 2).error().code, ErrorCode::kInvalidFile);
  EXPECT_NEAR(nextTokenLoss(p, std::vector<TokenId>{0, 1}, 2), std::log(2), 1e-12);
}

TEST(LogitDrift, OfMapsIsTheMassThatMoved) {
  const std::vector<float> before = {1, -1, 0.25f, 0.75f}, after = {1, -1, 0.5f, 0.5f};
  EXPECT_NEAR(mapChange(before, after, 2), 0.125, 1e-7);
}

// What a method does not take is refused, and what it could take and was not given is told.
TEST(MethodRunInputs, AreThoseOfTheMethod) {
  for (const Analysis* analysis : analyses()) {
    AnalysisInput run = inputFor(*analysis);
    run.prompt = "a prompt";
    const auto refused = runAnalysis(*analysis, run);
    ASSERT_FALSE(refused) << analysis->id;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument) << analysis->id;
    const bool takes = !analysis->runs.prompt.empty();
    const char* said = !takes ? "prompt" : run.tunes.empty() ? "no device" : "matrices alone";
    EXPECT_NE(refused.error().describe().find(said), std::string::npos) << refused.error().describe();
    const auto plain = expectValue(runAnalysis(*analysis, inputFor(*analysis)));
    const bool told = std::ranges::any_of(
        plain.notes, [](const std::string& note) { return note.find("not run") != std::string::npos; });
    EXPECT_EQ(told, analysis->runs.any()) << analysis->id;
  }
  const Analysis& intruders = **findAnalysis("intruder-dimensions");
  AnalysisInput one = inputFor(intruders);
  one.text = "one text";
  EXPECT_NE(runAnalysis(intruders, one).error().describe().find("one text alone"), std::string::npos);
  const Analysis& lock = **findAnalysis("mergelock");
  AnalysisInput sibling = inputFor(lock);
  sibling.sibling = sibling.spec->checkpoint;
  EXPECT_NE(runAnalysis(lock, sibling).error().describe().find("without a text"), std::string::npos);
}

}  // namespace
}  // namespace vitrine::test::method_runs_test
