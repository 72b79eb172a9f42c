// Sessions: however a sequence came about, its logits are those of the reference for that sequence; and what
// ends or refuses a sequence does so clearly.
#include "core/engine/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

#include "core/engine/attention_views.h"
#include "core/engine/perplexity.h"
#include "core/reference/reference.h"
#include "support/golden.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"
#include "support/shared_files.h"
#include "support/small_model.h"

namespace vitrine::core::session_test {
namespace {

constexpr double kTolerance = 2e-5;  // relative, float32 weights and cache against double precision

class SessionTest : public test::GpuTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    spec_ = test::expectValue(test::smallModel());
    model_ = test::expectValue(Model::load(device(), spec_));
  }

  std::unique_ptr<Session> session(std::uint32_t context = 96, CacheType cache = CacheType::kF32) {
    return test::expectValue(Session::create(model_, {.context = context, .cache = cache}));
  }

  std::vector<TokenId> randomIds(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<TokenId> ids(count);
    for (TokenId& id : ids) id = static_cast<TokenId>(random() % spec_.vocab_size);
    return ids;
  }

  // After the last token of `ids`.
  std::vector<double> referenceLogits(std::span<const TokenId> ids) {
    auto pass = test::expectValue(referenceForward(spec_, ids, 1));
    return {pass.logits.data(), pass.logits.data() + pass.logits.size()};
  }

  void expectReference(Session& session) {
    SCOPED_TRACE(fmt::format("{} tokens", session.length()));
    EXPECT_CLOSE(test::expectValue(session.logits()), referenceLogits(session.tokens()), kTolerance);
  }

  // `ids` with `count` greedy tokens behind them.
  std::vector<TokenId> greedy(std::vector<TokenId> ids, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      auto logits = referenceLogits(ids);
      ids.push_back(static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
    }
    return ids;
  }

  static std::vector<TokenId> tokensOf(const Session& session) {
    return {session.tokens().begin(), session.tokens().end()};
  }

  ModelSpec spec_;
  std::shared_ptr<const Model> model_;
};

TEST_F(SessionTest, HoweverTheTokensCome) {
  auto ids = randomIds(40, 1);
  auto session = this->session();
  test::expectOk(session->prefill(ids));
  expectReference(*session);
  for (std::uint32_t chunk : {1, 2, 13}) {  // a cache with remains of the sequence before
    test::expectOk(session->truncate(0));
    session->setPrefillChunk(chunk);
    test::expectOk(session->prefill(ids));
    expectReference(*session);
  }
  test::expectOk(session->truncate(0));
  for (TokenId id : std::span(ids).first(5)) {
    test::expectOk(session->prefill({&id, 1}));
    expectReference(*session);
  }
  auto expected = greedy(std::vector<TokenId>(ids.begin(), ids.begin() + 5), 12);
  EXPECT_EQ(test::expectValue(session->decode(12, {}, {}, {})), StopReason::kLength);
  EXPECT_EQ(tokensOf(*session), expected);
  expectReference(*session);
}

TEST_F(SessionTest, TruncateAndContinue) {
  auto session = this->session();
  auto ids = randomIds(30, 2), more = randomIds(5, 3);
  test::expectOk(session->prefill(ids));
  test::expectOk(session->truncate(100));
  EXPECT_EQ(session->length(), 30u);
  test::expectOk(session->truncate(17));
  EXPECT_EQ(session->length(), 17u);
  expectReference(*session);  // reads the last kept token again
  test::expectOk(session->prefill(more));
  expectReference(*session);
  test::expectOk(session->truncate(19));
  auto expected = greedy(tokensOf(*session), 6);
  EXPECT_EQ(test::expectValue(session->decode(6, {}, {}, {})), StopReason::kLength);
  EXPECT_EQ(tokensOf(*session), expected);
}

TEST_F(SessionTest, SeveralOnOneModelDoNotDisturbEachOther) {
  auto one = session(), other = session();
  auto first = randomIds(11, 4), second = randomIds(7, 5);
  test::expectOk(one->prefill(first));
  test::expectOk(other->prefill(second));
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_TRUE(one->decode(2, {}, {}, {}));
    EXPECT_TRUE(other->decode(3, {}, {}, {}));
  }
  EXPECT_EQ(tokensOf(*one), greedy(first, 6));
  EXPECT_EQ(tokensOf(*other), greedy(second, 9));
}

TEST_F(SessionTest, StopsWithinOneToken) {
  auto session = this->session();
  auto ids = randomIds(4, 6);
  test::expectOk(session->prefill(ids));
  std::stop_source stop;
  std::uint32_t seen = 0;
  auto count = [&](TokenId) {
    if (++seen == 3) stop.request_stop();
    return true;
  };
  EXPECT_EQ(test::expectValue(session->decode(50, {}, {}, count, stop.get_token())), StopReason::kUser);
  EXPECT_EQ(seen, 3u);
  EXPECT_EQ(session->length(), 7u);
  EXPECT_EQ(test::expectValue(session->decode(50, {}, {}, [](TokenId) { return false; })), StopReason::kUser);
  EXPECT_EQ(session->length(), 8u);
  expectReference(*session);

  auto next = greedy(tokensOf(*session), 4);
  std::vector<TokenId> ends = {next.back()};
  auto first_end = std::find(next.begin() + 8, next.end(), ends[0]);
  EXPECT_EQ(test::expectValue(session->decode(50, {}, ends, {})), StopReason::kEndOfText);
  EXPECT_EQ(tokensOf(*session), std::vector<TokenId>(next.begin(), first_end + 1)) << "the end stays";
}

TEST_F(SessionTest, ACancelledPromptKeepsItsWholeChunks) {
  auto session = this->session();
  session->setPrefillChunk(8);
  auto ids = randomIds(30, 7);
  std::stop_source stop;
  auto progress = [&](std::uint32_t done, std::uint32_t total) {
    EXPECT_EQ(total, 30u);
    if (done == 16) stop.request_stop();
  };
  auto read = session->prefill(ids, stop.get_token(), progress);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(session->length(), 16u);
  expectReference(*session);
  test::expectOk(session->prefill(std::span(ids).subspan(16)));
  expectReference(*session);
}

TEST_F(SessionTest, TheContextEndsASequence) {
  auto session = this->session(20);
  test::expectOk(session->prefill(randomIds(15, 8)));
  auto expected = greedy(tokensOf(*session), 5);
  EXPECT_EQ(test::expectValue(session->decode(100, {}, {}, {})), StopReason::kContextFull);
  EXPECT_EQ(tokensOf(*session), expected);
  EXPECT_EQ(test::expectValue(session->decode(1, {}, {}, {})), StopReason::kContextFull);
  EXPECT_EQ(session->length(), 20u);
  expectReference(*session);
  test::expectOk(session->truncate(10));
  auto refused = session->prefill(randomIds(11, 9));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.error().message.find("11 tokens"), std::string::npos) << refused.error().message;
  EXPECT_NE(refused.error().message.find("10 of the context's 20"), std::string::npos);
  EXPECT_EQ(session->length(), 10u);
  test::expectOk(session->prefill(randomIds(10, 9)));  // fits exactly
  expectReference(*session);
}

TEST_F(SessionTest, NonsenseIsRefusedAndChangesNothing) {
  auto session = this->session();
  for (TokenId bad : {-1, 61, 1 << 30}) {
    std::vector<TokenId> ids = {1, 2, bad};
    auto refused = session->prefill(ids);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(refused.error().message.find(std::to_string(bad)), std::string::npos)
        << refused.error().message;
    EXPECT_EQ(session->length(), 0u);
  }
  EXPECT_FALSE(session->decode(1, {}, {}, {}));
  EXPECT_FALSE(session->logits());
  test::expectOk(session->prefill({}));
  EXPECT_EQ(session->length(), 0u);
}

TEST_F(SessionTest, HalfPrecisionCacheIsClose) {
  auto session = this->session(96, CacheType::kF16);
  EXPECT_EQ(2 * session->cacheBytes(), this->session()->cacheBytes());
  test::expectOk(session->prefill(randomIds(60, 10)));
  EXPECT_CLOSE(test::expectValue(session->logits()), referenceLogits(session->tokens()), 5e-3);
}

class TrainedModelTest : public test::GpuTest {
 protected:
  void load(const std::filesystem::path& path) {
    auto checkpoint = test::expectValue(Checkpoint::open(path));
    tokenizer_ = test::expectValue(Tokenizer::fromCheckpoint(*checkpoint));
    model_ = test::expectValue(Model::load(device(), test::expectValue(readModelSpec(checkpoint))));
  }
  static std::string contentOf(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::shared_ptr<const Model> model_;
};

TEST_F(TrainedModelTest, Stories260KTellsItsStory) {
  VITRINE_SHARED_OR_SKIP(folder, "models/stories260K");
  load(folder / "stories260K.gguf");
  std::string readme = contentOf(folder / "README.md");
  std::size_t begin = readme.find("Once upon a time"), end = readme.rfind("...");
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos && begin < end);
  std::string expected = readme.substr(begin, end - begin), story;
  auto session = test::expectValue(Session::create(model_, {.context = 256}));
  std::vector<TokenId> prompt = {*tokenizer_->beginningOfText()};
  test::expectOk(session->prefill(prompt));
  StreamingDetokenizer stream(tokenizer_);
  stream.push(prompt[0]);
  auto append = [&](TokenId id) {
    story += stream.push(id);
    return story.size() < expected.size();
  };
  ASSERT_TRUE(session->decode(255, {}, {}, append));
  EXPECT_EQ(story.substr(0, expected.size()), expected);
}

TEST_F(TrainedModelTest, SmolLm2MatchesItsGoldenTrace) {
  VITRINE_SHARED_OR_SKIP(folder, "models/smollm2-135m-instruct");
  load(folder / "model-q4_1.gguf");
  auto golden = test::expectValue(Checkpoint::open(folder / "golden.safetensors"));
  auto ids = test::goldenIds(*golden);
  auto session =
      test::expectValue(Session::create(model_, {.context = 64, .cache = CacheType::kF32, .probes = true}));
  Capture capture{.hidden = true, .logits = true, .hidden_states = {}, .logit_rows = {}};
  test::expectOk(session->prefill(ids, {}, {}, &capture));
  auto logits = test::goldenFloats(*golden, "logits");  // of the last positions
  ASSERT_LE(logits.size(), capture.logit_rows.size());
  EXPECT_CLOSE(std::span(capture.logit_rows).last(logits.size()), logits, 1e-3);
  for (std::size_t layer : {0, 1, 15, 30}) {
    SCOPED_TRACE(layer);
    EXPECT_CLOSE(capture.hidden_states[layer], test::goldenFloats(*golden, fmt::format("hidden.{}", layer)),
                 1e-3);
  }
  auto views = test::expectValue(AttentionViews::create(device()));
  for (std::uint32_t layer : {0, 13, 29}) {
    SCOPED_TRACE(layer);
    std::vector<float> maps;
    for (std::uint32_t head = 0; head < model_->attention(layer)->heads; ++head)
      for (float p : test::expectValue(views->matrix(*session, layer, head)))
        maps.push_back(std::max(p, 0.0f));
    EXPECT_CLOSE(maps, test::goldenFloats(*golden, fmt::format("attention.{}", layer)), 1e-3);
  }

  // Greedy, with the cache that generation uses: the README's ids.
  auto half = test::expectValue(Session::create(model_, {.context = 64}));
  std::vector<TokenId> prompt = {6403, 1980, 253, 655};
  const std::vector<TokenId> expected = {28,  260, 2240,  282,   23324, 27108, 436,  253,  15114, 39228,
                                         28,  351, 25854, 41658, 284,   14055, 9018, 30,   1249,  347,
                                         260, 929, 3514,  411,   28,    260,   2240, 2585, 288};
  test::expectOk(half->prefill(prompt));
  ASSERT_TRUE(half->decode(29, {}, {}, {}));
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), half->tokens().begin() + 4, half->tokens().end()));
}

TEST_F(TrainedModelTest, SmolLm2Perplexity) {
  VITRINE_SHARED_OR_SKIP(folder, "models/smollm2-135m-instruct");
  VITRINE_SHARED_OR_SKIP(file, "text/wiki.test.raw");
  load(folder / "model-q4_1.gguf");
  std::string text = contentOf(file).substr(0, 20000);  // two windows lie well within
  auto measured = measurePerplexity(model_, *tokenizer_, text, {.windows = 2}, {});
  ASSERT_TRUE(measured) << measured.error().describe();
  EXPECT_NEAR(measured->running[0], 12.954, 12.954e-3);
  EXPECT_NEAR(measured->value, 21.372, 21.372e-3);
  EXPECT_EQ(measured->tokens, 510u);
}

}  // namespace
}  // namespace vitrine::core::session_test
