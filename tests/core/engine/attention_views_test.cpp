// Pictures of attention against the head's whole matrix, and the matrix against the reference.
#include "core/engine/attention_views.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <random>

#include "core/reference/reference.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"
#include "support/small_model.h"

namespace vitrine::core::attention_views_test {
namespace {

constexpr std::uint32_t kTokens = 45, kLayer = 1, kHead = 4;

// A square of cells, -1 where masked.
struct Cells {
  std::vector<float> values;
  std::uint32_t tokens = 0;
  float at(std::uint32_t q, std::uint32_t k) const { return values[q * tokens + k]; }
};

class AttentionViewsTest : public test::GpuTest {
 protected:
  using Change = std::function<void(AttentionSpec&)>;

  void open(const test::SmallSizes& sizes, const SessionOptions& options, const Change& change = {}) {
    spec_ = test::expectValue(test::smallModel(sizes));
    for (BlockSpec& block : spec_.blocks)
      if (change) change(std::get<AttentionSpec>(block.mixers[0]));
    model_ = test::expectValue(Model::load(device(), spec_));
    session_ = test::expectValue(Session::create(model_, options));
    views_ = test::expectValue(AttentionViews::create(device()));
    std::mt19937 random(5);
    std::vector<TokenId> ids(kTokens);
    for (TokenId& id : ids) id = static_cast<TokenId>(random() % 12);  // few, so that some repeat
    test::expectOk(session_->prefill(ids));
  }
  // Scores far from equal, so that a wrong cell is seen.
  static test::SmallSizes sizes(std::uint32_t window = 0) {
    return {.sliding_window = window, .spread = 0.5f};
  }
  static SessionOptions options() { return {.context = 64, .cache = CacheType::kF32, .probes = true}; }

  Cells matrix(std::uint32_t layer = kLayer, std::uint32_t head = kHead) {
    return {test::expectValue(views_->matrix(*session_, layer, head)), session_->length()};
  }

  std::vector<float> pixelsOf(const gpu::Image& image) {
    gpu::Buffer buffer =
        test::expectValue(gpu::Buffer::create(device(), image.bytes(), gpu::MemoryKind::kReadback, "pixels"));
    auto commands = test::expectValue(gpu::Commands::create(device(), "read picture"));
    test::expectOk(commands.begin());
    commands.copyFromImage(image, buffer);
    test::expectOk(commands.end());
    test::expectOk(commands.submitAndWait());
    auto values = contentOf<float>(buffer);
    values.resize(std::size_t(image.width()) * image.height());
    return values;
  }

  // Maximum or mean of the visible cells [q0, q1) x [k0, k1), -1 when there is none.
  static float pooled(const Cells& cells, Pooling pooling, std::uint32_t q0, std::uint32_t q1,
                      std::uint32_t k0, std::uint32_t k1) {
    float highest = -1;
    double sum = 0;
    std::uint32_t count = 0;
    for (std::uint32_t q = q0; q < q1; ++q)
      for (std::uint32_t k = k0; k < k1; ++k) {
        float p = cells.at(q, k);
        if (p < 0) continue;
        highest = std::max(highest, p);
        sum += p;
        ++count;
      }
    return pooling == Pooling::kMax || count == 0 ? highest : static_cast<float>(sum / count);
  }

  // The cells of a picture's pixel: every cell belongs to exactly one.
  static std::uint32_t boundary(std::uint32_t first, std::uint32_t count, std::uint32_t pixel,
                                std::uint32_t pixels) {
    return first + static_cast<std::uint32_t>(std::uint64_t(pixel) * count / pixels);
  }

  void expectPicture(const MapRequest& request) {
    SCOPED_TRACE(fmt::format("queries {}..{} keys {}..{} in {} x {}", request.query0, request.query1,
                             request.key0, request.key1, request.width, request.height));
    MapPicture picture = test::expectValue(views_->map(*session_, request));
    const MapRequest& shown = picture.request;
    Cells cells = matrix();
    ASSERT_EQ(picture.image->width(), shown.width);
    ASSERT_EQ(picture.image->height(), shown.height);
    EXPECT_LE(shown.query0, std::max(0.0, std::floor(request.query0)));
    EXPECT_GE(shown.query1, std::min(std::ceil(request.query1), double(cells.tokens)));
    auto q0 = static_cast<std::uint32_t>(shown.query0),
         queries = static_cast<std::uint32_t>(shown.query1) - q0;
    auto k0 = static_cast<std::uint32_t>(shown.key0), keys = static_cast<std::uint32_t>(shown.key1) - k0;
    ASSERT_LE(q0 + queries, cells.tokens);
    ASSERT_LE(k0 + keys, cells.tokens);
    std::vector<float> expected;
    std::uint32_t visible = 0;
    for (std::uint32_t y = 0; y < shown.height; ++y)
      for (std::uint32_t x = 0; x < shown.width; ++x) {
        expected.push_back(pooled(cells, request.pooling, boundary(q0, queries, y, shown.height),
                                  boundary(q0, queries, y + 1, shown.height),
                                  boundary(k0, keys, x, shown.width),
                                  boundary(k0, keys, x + 1, shown.width)));
        visible += expected.back() >= 0;
      }
    std::vector<float> pixels = pixelsOf(*picture.image);
    ASSERT_EQ(pixels.size(), expected.size());
    for (std::size_t i = 0; i < pixels.size(); ++i)
      ASSERT_NEAR(pixels[i], expected[i], 1e-6) << "pixel " << i % shown.width << ", " << i / shown.width;
    std::uint32_t counted = 0;
    for (std::uint32_t bin : picture.histogram) counted += bin;
    EXPECT_EQ(counted, visible);
  }

  // The mean of the cells behind the latest earlier occurrence of each token, where those are not its own.
  double inductionOf(const Cells& cells) const {
    std::map<TokenId, std::uint32_t> seen;
    double sum = 0;
    std::uint32_t pairs = 0;
    for (std::uint32_t q = 0; q < cells.tokens; ++q) {
      const TokenId token = session_->tokens()[q];
      if (auto earlier = seen.find(token); earlier != seen.end() && earlier->second + 1 < q) {
        sum += cells.at(q, earlier->second + 1);
        ++pairs;
      }
      seen[token] = q;
    }
    return pairs == 0 ? 0 : sum / pairs;
  }

  ModelSpec spec_;
  std::shared_ptr<const Model> model_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<AttentionViews> views_;
};

TEST_F(AttentionViewsTest, TheMatrixIsTheReferences) {
  for (std::uint32_t window : {0, 9}) {
    open(sizes(window), options());
    auto pass = test::expectValue(referenceForward(spec_, session_->tokens(), 1));
    for (std::uint32_t layer : {0, 1})
      for (std::uint32_t head : {0, 4, 5}) {
        SCOPED_TRACE(fmt::format("window {} layer {} head {}", window, layer, head));
        Cells cells = matrix(layer, head);
        std::vector<float> plain = cells.values;
        for (float& p : plain) p = std::max(p, 0.0f);
        const auto& expected = pass.layers[layer].attention[head];
        EXPECT_CLOSE(plain, std::span(expected.data(), static_cast<std::size_t>(expected.size())), 1e-5);
        for (std::uint32_t q = 0; q < kTokens; ++q)
          for (std::uint32_t k = 0; k < kTokens; ++k)
            ASSERT_EQ(cells.at(q, k) == -1, k > q || (window && k + window <= q)) << q << ", " << k;
      }
  }
}

// What enters a score beside q . k must reach every kernel that computes it once more.
TEST_F(AttentionViewsTest, CapsSlopesAndSinks) {
  open(sizes(), options(), [this](AttentionSpec& attention) {
    attention.soft_cap = 1.5f;
    attention.alibi_slopes = {0.5f, 0.25f, 0.125f, 0.3f, 0.2f, 0.1f};
    attention.sinks = spec_.final_norm.weight;
    attention.sinks.rows = attention.heads;
  });
  auto pass = test::expectValue(referenceForward(spec_, session_->tokens(), 1));
  OverviewPicture picture = test::expectValue(views_->overview(*session_, {.tile = kTokens}));
  std::vector<float> pixels = pixelsOf(*picture.image);
  auto heads = test::expectValue(views_->heads(*session_));
  for (std::uint32_t layer : {0, 1})
    for (std::uint32_t head = 0; head < 6; ++head) {
      SCOPED_TRACE(fmt::format("layer {} head {}", layer, head));
      Cells cells = matrix(layer, head);
      const auto& expected = pass.layers[layer].attention[head];
      std::vector<float> plain = cells.values;
      for (float& p : plain) p = std::max(p, 0.0f);
      EXPECT_CLOSE(plain, std::span(expected.data(), static_cast<std::size_t>(expected.size())), 1e-5);
      for (std::uint32_t q = 0; q < kTokens; ++q)
        for (std::uint32_t k = 0; k < kTokens; ++k)
          ASSERT_NEAR(pixels[(layer * kTokens + q) * 6 * kTokens + head * kTokens + k], cells.at(q, k), 1e-6);
      EXPECT_NEAR(heads[layer * 6 + head].induction, inductionOf(cells), 1e-5);
      EXPECT_NEAR(heads[layer * 6 + head].first_mass, expected.col(0).mean(), 1e-3);
    }
}

TEST_F(AttentionViewsTest, RegionsAndPooling) {
  open(sizes(), options());
  MapRequest at{.layer = kLayer, .head = kHead};
  auto ask = [&](double query0, double query1, double key0, double key1, std::uint32_t width,
                 std::uint32_t height) {
    MapRequest request = at;
    request.query0 = query0, request.query1 = query1, request.key0 = key0, request.key1 = key1;
    request.width = width, request.height = height;
    expectPicture(request);
  };
  for (Pooling pooling : {Pooling::kMax, Pooling::kMean}) {
    at.pooling = pooling;
    ask(0, kTokens, 0, kTokens, 500, 500);  // cells larger than pixels
    ask(10, 30, 5, 20, 100, 100);           // a crop
    ask(10.4, 29.2, 5.9, 19.1, 100, 100);   // snapped outwards
    ask(0, kTokens, 0, kTokens, 10, 7);     // pooled
    ask(0, kTokens, 0, kTokens, 1, 1);      // all of it
    ask(3, 44, 1, 40, 13, 40);              // pooled one way
    ask(-20, 300, -3, 90, 60, 60);          // clipped
    ask(2, 3, 30, 40, 20, 20);              // masked altogether
    ask(0, 31, 0, 31, 7, 28);               // 31 / 7 is a little too small in float32
    for (std::uint32_t pixels = 20; pixels < kTokens; ++pixels) ask(0, kTokens, 0, 41, pixels, pixels);
  }
}

TEST_F(AttentionViewsTest, ReceivedEntropyAndRows) {
  for (std::uint32_t window : {0, 9}) {
    open(sizes(window), options());
    Cells cells = matrix();
    MapRequest request{.layer = kLayer, .head = kHead, .query1 = 5, .key1 = 5, .width = 10, .height = 10};
    MapPicture picture = test::expectValue(views_->map(*session_, request));
    ASSERT_EQ(picture.received.size(), kTokens);
    ASSERT_EQ(picture.entropy.size(), kTokens);
    for (std::uint32_t i = 0; i < kTokens; ++i) {
      EXPECT_NEAR(picture.received[i], pooled(cells, Pooling::kMean, i, kTokens, i, i + 1), 1e-6);
      double entropy = 0;
      for (std::uint32_t k = 0; k < kTokens; ++k)
        if (double p = cells.at(i, k); p > 0) entropy -= p * std::log2(p);
      EXPECT_NEAR(picture.entropy[i], entropy, 1e-4 + entropy / 1024) << i;  // kept as halves
    }
    for (std::uint32_t query : {0u, 20u, kTokens - 1}) {
      RowValues row =
          test::expectValue(views_->row(*session_, {.layer = kLayer, .head = kHead, .query = query}));
      EXPECT_EQ(row.probability, std::vector<float>(cells.values.begin() + query * kTokens,
                                                    cells.values.begin() + (query + 1) * kTokens));
      EXPECT_TRUE(std::isfinite(row.lse));
    }
  }
}

TEST_F(AttentionViewsTest, OverviewTiles) {
  open(sizes(), options());
  for (std::uint32_t tokens : {kTokens, 31u}) {
    test::expectOk(session_->truncate(tokens));
    for (Pooling pooling : {Pooling::kMax, Pooling::kMean})
      for (std::uint32_t tile : {7u, 45u, 64u}) {
        SCOPED_TRACE(tile);
        OverviewPicture picture =
            test::expectValue(views_->overview(*session_, {.tile = tile, .pooling = pooling}));
        ASSERT_EQ(picture.image->width(), 6 * tile);
        ASSERT_EQ(picture.image->height(), 2 * tile);
        std::vector<float> pixels = pixelsOf(*picture.image);
        for (std::uint32_t layer = 0; layer < 2; ++layer)
          for (std::uint32_t head = 0; head < 6; ++head) {
            Cells cells = matrix(layer, head);
            for (std::uint32_t y = 0; y < tile; ++y)
              for (std::uint32_t x = 0; x < tile; ++x) {
                // The last query of the pixel's range stands for it; a pixel within a cell shows that cell.
                std::uint32_t q1 =
                    std::max(boundary(0, tokens, y, tile) + 1, boundary(0, tokens, y + 1, tile));
                std::uint32_t k0 = boundary(0, tokens, x, tile);
                std::uint32_t k1 = std::max(k0 + 1, boundary(0, tokens, x + 1, tile));
                ASSERT_NEAR(pixels[(layer * tile + y) * 6 * tile + head * tile + x],
                            pooled(cells, pooling, q1 - 1, q1, k0, k1), 1e-6)
                    << "layer " << layer << " head " << head << " pixel " << x << ", " << y;
              }
          }
      }
  }
}

TEST_F(AttentionViewsTest, SummariesOfHeads) {
  open(sizes(), options());
  auto heads = test::expectValue(views_->heads(*session_));
  ASSERT_EQ(heads.size(), 12u);
  for (std::uint32_t i = 0; i < 12; ++i) {
    SCOPED_TRACE(i);
    Cells cells = matrix(i / 6, i % 6);
    double entropy = 0, first = 0, local = 0, previous = 0, induction = 0;
    std::map<TokenId, std::uint32_t> seen;
    std::uint32_t pairs = 0;
    for (std::uint32_t q = 0; q < kTokens; ++q) {
      for (std::uint32_t k = 0; k <= q; ++k) {
        double p = cells.at(q, k);
        if (p > 0) entropy -= p * std::log2(p);
        if (k + 8 > q) local += p;
      }
      first += cells.at(q, 0);
      if (q > 0) previous += cells.at(q, q - 1);
      // The token after the latest earlier occurrence, where that is not the query itself.
      auto earlier = seen.find(session_->tokens()[q]);
      if (earlier != seen.end() && earlier->second + 1 < q) {
        induction += cells.at(q, earlier->second + 1);
        ++pairs;
      }
      seen[session_->tokens()[q]] = q;
    }
    ASSERT_GT(pairs, 5u);
    EXPECT_NEAR(heads[i].entropy, entropy / kTokens, 2e-3);
    EXPECT_NEAR(heads[i].first_mass, first / kTokens, 1e-3);
    EXPECT_NEAR(heads[i].local_mass, local / kTokens, 1e-3);
    EXPECT_NEAR(heads[i].previous, previous / kTokens, 1e-3);
    EXPECT_NEAR(heads[i].induction, induction / pairs, 1e-5);
  }
  // Without a repeated token there is no induction to speak of.
  test::expectOk(session_->truncate(0));
  test::expectOk(session_->prefill(std::vector<TokenId>{1, 2, 3, 4, 5}));
  for (const HeadSummary& head : test::expectValue(views_->heads(*session_)))
    EXPECT_TRUE(std::isnan(head.induction));
}

TEST_F(AttentionViewsTest, AThinnedQueryStoreKeepsItsQueriesRight) {
  open(sizes(), options());
  Cells whole = matrix();
  SessionOptions thin = options();
  thin.query_store_bytes = 2 * 6 * 8 * 4 * 20;  // room for 20 queries of both layers, for 64 positions
  open(sizes(), thin);
  std::uint32_t step = session_->record(0).q_step;
  EXPECT_EQ(step, 4u);
  Cells cells = matrix();
  for (std::uint32_t q = 0; q < kTokens; ++q)
    for (std::uint32_t k = 0; k < kTokens; ++k)  // the stored query at or before stands for one that is not
      ASSERT_EQ(cells.at(q, k), whole.at(q / step * step, k)) << q << ", " << k;
  MapRequest all{.layer = kLayer, .head = kHead, .query1 = kTokens, .key1 = kTokens, .width = 9, .height = 9};
  MapPicture picture = test::expectValue(views_->map(*session_, all));
  for (std::uint32_t i = 0; i < kTokens; ++i) {
    double sum = 0;
    std::uint32_t count = 0;
    for (std::uint32_t q = (i + step - 1) / step * step; q < kTokens; q += step, ++count)
      sum += whole.at(q, i);
    EXPECT_NEAR(picture.received[i], count ? sum / count : -1, 1e-6) << i;
  }
}

TEST_F(AttentionViewsTest, NonsenseIsRefused) {
  SessionOptions blind = options();
  blind.probes = false;
  open(sizes(), blind);
  EXPECT_FALSE(views_->matrix(*session_, 0, 0));
  open(sizes(), options());
  EXPECT_FALSE(views_->matrix(*session_, 2, 0));
  EXPECT_FALSE(views_->matrix(*session_, 0, 6));
  EXPECT_FALSE(views_->row(*session_, {.query = kTokens}));
  test::expectOk(session_->truncate(0));
  EXPECT_FALSE(views_->heads(*session_));
}

}  // namespace
}  // namespace vitrine::core::attention_views_test
