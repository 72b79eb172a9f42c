// Maps that recurrent mixers imply, against the reference in double precision: however the tokens come, after
// a sequence was cut, over long sequences; and what the summaries say of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "core/engine/attention_views.h"
#include "core/engine/model_summary.h"
#include "core/model/map_source.h"
#include "core/reference/implied_map.h"
#include "core/trace/record_trace.h"
#include "support/golden.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"
#include "support/scratch_folder.h"
#include "support/shared_files.h"

namespace vitrine::core::implied_maps_test {
namespace {

constexpr double kTolerance = 1e-4;  // relative, float32 against double precision

ModelSpec zooSpec(const std::filesystem::path& folder) {
  return test::expectValue(readModelSpec(test::expectValue(Checkpoint::open(folder))));
}

class ImpliedMapsTest : public test::GpuTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    VITRINE_SHARED_OR_SKIP(folder, std::string("zoo/") + GetParam());
    model_ = test::expectValue(Model::load(device(), zooSpec(folder)));
    views_ = test::expectValue(AttentionViews::create(device()));
    for (std::uint32_t layer = 0; layer < model_->layers(); ++layer)
      if (auto source = mapSource(model_->spec().blocks[layer]); source && source->implied)
        layers_.emplace_back(layer, *source);
    ASSERT_FALSE(layers_.empty());
  }

  std::unique_ptr<Session> session(std::uint32_t context = 96) {
    return test::expectValue(Session::create(
        model_,
        {.context = context, .cache = CacheType::kF32, .probes = true, .query_store_bytes = ~0ull >> 1}));
  }

  std::vector<TokenId> randomIds(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<TokenId> ids(count);
    for (TokenId& id : ids) id = static_cast<TokenId>(random() % model_->spec().vocab_size);
    return ids;
  }

  // The map of every head of the session's sequence against the reference's.
  void expectReference(Session& session) {
    SCOPED_TRACE(fmt::format("{} tokens", session.length()));
    const auto pass = test::expectValue(referenceForward(model_->spec(), session.tokens(), 1));
    for (const auto& [layer, source] : layers_)
      for (std::uint32_t head = 0; head < source.heads; ++head) {
        SCOPED_TRACE(fmt::format("layer {} head {}", layer, head));
        std::vector<float> map = test::expectValue(views_->matrix(session, layer, head));
        for (std::size_t i = 0; i < map.size(); ++i) {
          ASSERT_EQ(map[i]<0, i % session.length()> i / session.length()) << "cell " << i;
          map[i] = std::max(map[i], 0.0f);
        }
        const ReferenceMatrix expected = impliedMap(pass.layers[layer].linear, head);
        EXPECT_CLOSE(map, (std::span(expected.data(), std::size_t(expected.size()))), kTolerance);
      }
  }

  std::shared_ptr<const Model> model_;
  std::unique_ptr<AttentionViews> views_;
  std::vector<std::pair<std::uint32_t, MapSource>> layers_;
};

TEST_P(ImpliedMapsTest, HoweverTheTokensCome) {
  const auto ids = randomIds(61, 1);
  for (const std::uint32_t chunk : {512, 7, 1}) {
    SCOPED_TRACE(fmt::format("chunks of {}", chunk));
    auto session = this->session();
    session->setPrefillChunk(chunk);
    test::expectOk(session->prefill(ids));
    expectReference(*session);
  }
  auto session = this->session();
  test::expectOk(session->prefill(std::span(ids).first(20)));
  test::expectValue(session->decode(17, {}, {}, {}));
  expectReference(*session);
}

TEST_P(ImpliedMapsTest, GoOnAfterACut) {
  auto session = this->session();
  test::expectOk(session->prefill(randomIds(40, 2)));
  test::expectOk(session->truncate(13));
  expectReference(*session);
  test::expectOk(session->prefill(randomIds(9, 3)));
  expectReference(*session);
}

// Their rows are summed when somebody looks: as they come, all at once, and again where tokens were replaced.
TEST_P(ImpliedMapsTest, LookedAtNowAndThenOrOnceAtTheEnd) {
  auto often = this->session(), once = this->session();
  const std::uint32_t layer = layers_.front().first;
  const auto look = [&] { test::expectValue(views_->row(*often, {layer, 0, often->length() - 1})); };
  const auto ids = randomIds(23, 10);
  for (std::uint32_t first = 0; const std::uint32_t count : {5, 1, 9, 8}) {
    for (Session* session : {often.get(), once.get()})
      test::expectOk(session->prefill(std::span(ids).subspan(first, count)));
    first += count;
    look();
  }
  for (int step = 0; step < 6; ++step) {
    for (Session* session : {often.get(), once.get()}) test::expectValue(session->decode(1, {}, {}, {}));
    if (step % 2 == 0) look();
  }
  for (const auto& [of, source] : layers_)
    EXPECT_CLOSE(test::expectValue(views_->matrix(*often, of, source.heads - 1)),
                 test::expectValue(views_->matrix(*once, of, source.heads - 1)), 1e-5);
  expectReference(*often);
  test::expectOk(often->truncate(11));
  test::expectOk(often->prefill(randomIds(18, 11)));
  look();
  expectReference(*often);
}

TEST_P(ImpliedMapsTest, RowsSumToOneAndSummariesAreTheMaps) {
  auto session = this->session();
  test::expectOk(session->prefill(randomIds(50, 4)));
  const std::size_t tokens = session->length();
  const auto summaries = test::expectValue(views_->heads(*session));
  const std::size_t most = summaries.size() / model_->layers();
  for (const auto& [layer, source] : layers_)
    for (std::uint32_t head = 0; head < source.heads; ++head) {
      SCOPED_TRACE(fmt::format("layer {} head {}", layer, head));
      const std::vector<float> map = test::expectValue(views_->matrix(*session, layer, head));
      double entropy = 0, first = 0, local = 0, previous = 0;
      for (std::size_t q = 0; q < tokens; ++q) {
        const std::span row = std::span(map).subspan(q * tokens, q + 1);
        double sum = 0;
        for (std::size_t k = 0; k <= q; ++k) {
          sum += row[k];
          if (row[k] > 0) entropy -= row[k] * std::log2(row[k]);
          if (k + 8 > q) local += row[k];
        }
        EXPECT_NEAR(sum, 1, 1e-5);
        first += row[0];
        if (q > 0) previous += row[q - 1];
      }
      const auto count = static_cast<double>(tokens);
      const HeadSummary& summary = summaries[layer * most + head];  // of halves
      EXPECT_NEAR(summary.entropy, entropy / count, 3e-3);
      EXPECT_NEAR(summary.first_mass, first / count, 1e-3);
      EXPECT_NEAR(summary.local_mass, local / count, 1e-3);
      EXPECT_NEAR(summary.previous, previous / count, 1e-3);
    }
}

TEST_P(ImpliedMapsTest, PicturesAndRowsAreTheMaps) {
  auto session = this->session();
  test::expectOk(session->prefill(randomIds(48, 5)));
  const std::uint32_t tokens = session->length();
  const auto overview = test::expectValue(views_->overview(*session, {.tile = 48}));
  gpu::Buffer pixels = test::expectValue(
      gpu::Buffer::create(device(), overview.image->bytes(), gpu::MemoryKind::kReadback, "pixels"));
  auto commands = test::expectValue(gpu::Commands::create(device(), "read picture"));
  test::expectOk(commands.begin());
  commands.copyFromImage(*overview.image, pixels);
  commands.hostBarrier();
  test::expectOk(commands.end());
  test::expectOk(commands.submitAndWait());
  const auto atlas = pixels.mappedAs<float>();
  for (const auto& [layer, source] : layers_)
    for (std::uint32_t head = 0; head < source.heads; ++head) {
      SCOPED_TRACE(fmt::format("layer {} head {}", layer, head));
      const auto map = test::expectValue(views_->matrix(*session, layer, head));
      const auto row = test::expectValue(views_->row(*session, {layer, head, tokens - 2}));
      double received = 0;
      for (std::uint32_t k = 0; k < tokens; ++k) {
        EXPECT_EQ(row.probability[k], map[(tokens - 2) * tokens + k]);
        received += map[k * tokens] / tokens;
        for (std::uint32_t q = 0; q < tokens; ++q)
          ASSERT_EQ(atlas[(layer * tokens + q) * overview.image->width() + head * tokens + k],
                    map[q * tokens + k]);
      }
      const auto picture = test::expectValue(views_->map(
          *session, {.layer = layer, .head = head, .query1 = 48, .key1 = 48, .width = 48, .height = 48}));
      EXPECT_NEAR(picture.received[0], received, 1e-5);
    }
}

// The decays sum to numbers of which a float would keep too few digits. One block is enough.
TEST_P(ImpliedMapsTest, LongSequencesKeepTheirDigits) {
  constexpr std::uint32_t kTokens = 3000, kStep = 101;
  ModelSpec spec = model_->spec();
  spec.blocks = {spec.blocks[layers_.front().first]};
  model_ = test::expectValue(Model::load(device(), spec));
  auto session = this->session(kTokens);
  test::expectOk(session->prefill(randomIds(kTokens, 6)));
  const auto pass = test::expectValue(referenceForward(spec, session->tokens(), 1));
  const ReferenceLinearForm& form = pass.layers[0].linear;
  for (const std::uint32_t head : {0u, form.heads - 1}) {
    const ReferenceMatrix map = impliedMap(form, head);
    for (std::uint32_t query = kTokens - 1; query > kStep; query -= kStep) {
      SCOPED_TRACE(fmt::format("head {} query {}", head, query));
      const auto row = test::expectValue(views_->row(*session, {0, head, query})).probability;
      const std::span expected(map.data() + std::size_t{query} * kTokens, query + 1);
      EXPECT_CLOSE(std::span(row).first(query + 1), expected, kTolerance);
    }
  }
}

TEST_P(ImpliedMapsTest, ThinnedQueriesAreTheirOwnRows) {
  const std::uint32_t tokens = 40;
  auto thin = test::expectValue(Session::create(
      model_, {.context = 64, .cache = CacheType::kF16, .probes = true, .query_store_bytes = 4096}));
  const std::uint32_t step = thin->queryStep();
  ASSERT_GT(step, 1u);
  auto full = test::expectValue(Session::create(
      model_, {.context = 64, .cache = CacheType::kF16, .probes = true, .query_store_bytes = ~0ull >> 1}));
  for (Session* session : {thin.get(), full.get()}) test::expectOk(session->prefill(randomIds(tokens, 7)));
  const auto& [layer, source] = layers_.front();
  for (std::uint32_t query = 0; query < tokens; query += step)
    EXPECT_EQ(test::expectValue(views_->row(*thin, {layer, 0, query})).probability,
              test::expectValue(views_->row(*full, {layer, 0, query})).probability);
}

// What the session says it takes and what it refuses without probes.
TEST_P(ImpliedMapsTest, CostsNothingWithoutProbes) {
  const SessionOptions plain{.context = 64, .cache = CacheType::kF32};
  SessionOptions probed = plain;
  probed.probes = true;
  auto session = test::expectValue(Session::create(model_, plain));
  test::expectOk(session->prefill(randomIds(12, 8)));
  for (const auto& [layer, source] : layers_) {
    const AttentionRecord record = session->record(layer);
    for (const gpu::Slice* slice : {&record.k, &record.q_store, &record.lse, &record.summary, &record.terms})
      EXPECT_TRUE(!*slice || slice->bytes == 0);
  }
  auto seen = this->session();
  test::expectOk(seen->prefill(session->tokens()));
  EXPECT_CLOSE(test::expectValue(seen->logits()), test::expectValue(session->logits()), 1e-6);
  EXPECT_LT(sessionMemory(model_->spec(), plain).scratch, sessionMemory(model_->spec(), probed).scratch);
  EXPECT_FALSE(views_->matrix(*session, layers_.front().first, 0));
}

TEST_P(ImpliedMapsTest, TracesThemApartFromAttention) {
  const test::ScratchFolder folder;
  const auto ids = randomIds(12, 9);
  TraceOptions options = test::expectValue(parseCapture("attention,implied"));
  test::expectOk(recordTrace(model_, ids, options, folder / "trace.safetensors", {}));
  const auto file = test::expectValue(Checkpoint::open(folder / "trace.safetensors"));
  for (std::uint32_t layer = 0; layer < model_->layers(); ++layer) {
    const bool implied = std::ranges::any_of(layers_, [&](const auto& one) { return one.first == layer; });
    EXPECT_EQ(file->find(fmt::format("implied_attention.{}", layer)) != nullptr, implied);
    EXPECT_EQ(file->find(fmt::format("attention.{}", layer)) != nullptr, model_->attention(layer) != nullptr);
  }
}

INSTANTIATE_TEST_SUITE_P(Zoo, ImpliedMapsTest,
                         testing::Values("mamba2", "bamba", "nemotron-h", "minimax", "xlstm"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// Attention beside Mamba-2 keeps its own map; other mixers have none and say why.
TEST(MapSourceTest, SaysWhatABlockShows) {
  VITRINE_SHARED_OR_SKIP(zoo, "zoo");
  const ModelSpec parallel = zooSpec(zoo / "falcon-h1");
  ASSERT_TRUE(mapSource(parallel.blocks[0]));
  EXPECT_FALSE(mapSource(parallel.blocks[0])->implied);
  EXPECT_EQ(mapSource(parallel.blocks[0])->heads, parallel.blocks[0].attention()->heads);
  for (const char* name : {"mamba", "rwkv4", "recurrent-gemma", "qwen3-next"}) {
    const ModelSpec spec = zooSpec(zoo / name);
    const auto summary = summarize(spec, nullptr, {.context = 64, .probes = true}, 0);
    bool some = false;
    for (std::size_t layer = 0; layer < spec.blocks.size(); ++layer) {
      if (spec.blocks[layer].attention()) continue;
      some = true;
      EXPECT_FALSE(mapSource(spec.blocks[layer])) << name;
      EXPECT_EQ(summary.layer_kinds[layer].heads, 0u);
      EXPECT_NE(summary.layer_kinds[layer].no_map.find("no single weight"), std::string::npos)
          << summary.layer_kinds[layer].no_map;
    }
    EXPECT_TRUE(some) << name;
  }
  const auto summary = summarize(zooSpec(zoo / "bamba"), nullptr, {.context = 64, .probes = true}, 0);
  EXPECT_TRUE(summary.layer_kinds[0].implied);
  EXPECT_EQ(summary.layer_kinds[0].heads, 8u);
  EXPECT_EQ(summary.layer_kinds[0].kv_heads, 1u);
  EXPECT_EQ(summary.heads, 8u);
  EXPECT_EQ(summary.attention_heads, 4u);
}

}  // namespace
}  // namespace vitrine::core::implied_maps_test
