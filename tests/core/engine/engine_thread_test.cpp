// The engine's thread as a window sees it: requests go in from here, snapshots come out.
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>

#include "core/engine/engine.h"
#include "core/engine/session.h"
#include "support/gpu_fixture.h"
#include "support/shared_files.h"

namespace vitrine::core::engine_thread_test {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 120s;  // machines can be loaded; a failure takes this long, a success does not

std::filesystem::path demo() {
  return test::sourceDir() / "assets/models/demo-dense/demo-dense-q8_0.gguf";
}

class EngineThreadTest : public test::GpuTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    if (!std::filesystem::exists(demo())) GTEST_SKIP() << "no " << demo();
    engine_ = Engine::start(device(), [this] {
      std::lock_guard lock(mutex_);
      ++published_;
      arrived_.notify_all();
    });
  }
  void TearDown() override {
    engine_.reset();
    GpuTest::TearDown();
  }

  // The first snapshot for which `done` holds; a failure when none comes.
  template <typename Condition>
  std::shared_ptr<const Snapshot> waitUntil(const char* what, Condition done) {
    auto deadline = std::chrono::steady_clock::now() + kPatience;
    std::unique_lock lock(mutex_);
    while (true) {
      std::shared_ptr<const Snapshot> snapshot = engine_->snapshot();
      if (done(*snapshot)) return snapshot;
      if (arrived_.wait_until(lock, deadline) == std::cv_status::timeout) {
        ADD_FAILURE() << "waited in vain for: " << what;
        return engine_->snapshot();
      }
    }
  }
  static bool idle(const Snapshot& s) {
    return s.state == EngineState::kReady || s.state == EngineState::kEmpty;
  }

  std::shared_ptr<const Snapshot> load(std::uint32_t context = 128) {
    engine_->loadModel(demo(), {.context = context});
    return waitUntil("a model", [](const Snapshot& s) { return idle(s) && (s.model || s.error); });
  }

  static std::size_t lengthOf(const Snapshot& s) { return s.tokens ? s.tokens->size() : 0; }

  std::unique_ptr<Engine> engine_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::uint64_t published_ = 0;
};

TEST_F(EngineThreadTest, LoadsGeneratesAndContinues) {
  ASSERT_NE(engine_->snapshot(), nullptr);
  EXPECT_EQ(engine_->snapshot()->state, EngineState::kEmpty);
  auto loaded = load();
  ASSERT_TRUE(loaded->model);
  EXPECT_EQ(loaded->model->layers, 6u);
  EXPECT_EQ(loaded->model->session_context, 128u);
  EXPECT_EQ(lengthOf(*loaded), 0u);

  const std::string prompt = "It is a truth";
  std::size_t prompt_tokens = test::expectValue(loaded->tokenizer->encodePrompt(prompt)).size();
  engine_->generate({.prompt = prompt, .max_tokens = 12, .sampling = {}});
  auto done =
      waitUntil("12 tokens", [](const Snapshot& s) { return idle(s) && s.stop == StopReason::kLength; });
  ASSERT_EQ(lengthOf(*done), prompt_tokens + 12);
  EXPECT_FALSE(done->error);
  for (std::size_t i = 0; i < done->tokens->size(); ++i)
    EXPECT_EQ((*done->tokens)[i].prompt, i < prompt_tokens);
  ASSERT_EQ(done->next.size(), 5u);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_GE(done->next[i - 1].probability, done->next[i].probability);
  EXPECT_GT(done->timings.tokens_per_s, 0);

  // A session of our own says the same.
  auto checkpoint = test::expectValue(Checkpoint::open(demo()));
  auto model = test::expectValue(Model::load(device(), test::expectValue(readModelSpec(checkpoint))));
  auto session = test::expectValue(Session::create(model, {.context = 128}));
  test::expectOk(session->prefill(test::expectValue(loaded->tokenizer->encodePrompt(prompt))));
  ASSERT_TRUE(session->decode(13, {}, {}, {}));
  for (std::size_t i = 0; i < done->tokens->size(); ++i)
    EXPECT_EQ((*done->tokens)[i].id, session->tokens()[i]);
  EXPECT_EQ(done->next[0].id, session->tokens().back()) << "the greedy choice is the most probable";

  engine_->step({});
  auto stepped =
      waitUntil("a step", [&](const Snapshot& s) { return idle(s) && lengthOf(s) == prompt_tokens + 13; });
  EXPECT_EQ(stepped->tokens->back().id, session->tokens().back());
  engine_->truncate(2);
  EXPECT_EQ(lengthOf(*waitUntil("2 tokens", [](const Snapshot& s) { return idle(s) && lengthOf(s) == 2; })),
            2u);
  engine_->unloadModel();
  auto empty = waitUntil("no model", [](const Snapshot& s) { return s.state == EngineState::kEmpty; });
  EXPECT_FALSE(empty->model);
  EXPECT_EQ(lengthOf(*empty), 0u);
}

TEST_F(EngineThreadTest, StopTakesBackWhatHasNotStarted) {
  ASSERT_TRUE(load()->model);
  std::promise<void> reached, go_on;
  engine_->readMap(0, 0, [&](const Result<std::vector<float>>&) {
    reached.set_value();
    go_on.get_future().wait();
  });
  reached.get_future().wait();  // the engine's thread is busy: what follows queues up
  engine_->generate({.prompt = "It is a truth universally acknowledged", .max_tokens = 12, .sampling = {}});
  engine_->stop();
  std::promise<void> all_done;
  engine_->readMap(0, 1, [&](const Result<std::vector<float>>&) { all_done.set_value(); });
  go_on.set_value();
  all_done.get_future().wait();
  auto after = waitUntil("rest", idle);
  EXPECT_EQ(lengthOf(*after), 0u) << "neither read nor continued";
  EXPECT_FALSE(after->error);

  engine_->generate({.prompt = "It is", .max_tokens = 3, .sampling = {}});
  waitUntil("the next request", [](const Snapshot& s) { return idle(s) && s.stop == StopReason::kLength; });
}

TEST_F(EngineThreadTest, PicturesFollowTheNewestRequest) {
  auto loaded = load();
  ASSERT_TRUE(loaded->model);
  engine_->setPrompt("There was a man in the land of Uz");
  ProbeRequest probes;
  for (std::uint32_t head = 0; head < 8; ++head) {  // as a dragged slider does: only the last one counts
    probes.map = MapRequest{.layer = 3, .head = head, .query1 = 100, .key1 = 100, .width = 64, .height = 64};
    engine_->setProbes(probes);
  }
  probes.row = RowRequest{.layer = 3, .head = 7, .query = 2};
  probes.overview = OverviewRequest{.tile = 16};
  engine_->setProbes(probes);
  auto drawn = waitUntil("all pictures", [](const Snapshot& s) {
    return idle(s) && s.map && s.map->request.head == 7 && s.row && s.overview && s.heads &&
           s.map->tokens == lengthOf(s) && lengthOf(s) > 0;
  });
  ASSERT_TRUE(drawn->map);
  EXPECT_EQ(drawn->map->entropy.size(), lengthOf(*drawn));
  EXPECT_EQ(drawn->heads->size(), 48u);
  EXPECT_EQ(drawn->row->request, *probes.row);

  std::promise<Result<std::vector<float>>> promise;
  engine_->readMap(3, 7, [&](Result<std::vector<float>> map) { promise.set_value(std::move(map)); });
  auto future = promise.get_future();
  ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
  auto map = test::expectValue(future.get());
  std::size_t tokens = lengthOf(*drawn);
  ASSERT_EQ(map.size(), tokens * tokens);
  EXPECT_TRUE(
      std::equal(drawn->row->probability.begin(), drawn->row->probability.end(), map.begin() + 2 * tokens));

  engine_->step({});
  waitUntil("a map of the longer sequence", [&](const Snapshot& s) {
    return s.map && s.map->tokens == tokens + 1 && lengthOf(s) == tokens + 1;
  });
}

TEST_F(EngineThreadTest, StopsAGeneration) {
  ASSERT_TRUE(load(1024)->model);
  // At a pace at which no device is done before the stop.
  engine_->generate(
      {.prompt = "And", .max_tokens = 1000, .sampling = {.temperature = 1}, .tokens_per_s_limit = 50});
  waitUntil("some tokens", [](const Snapshot& s) { return lengthOf(s) >= 5; });
  engine_->stop();
  auto stopped = waitUntil("the stop", [](const Snapshot& s) { return idle(s); });
  EXPECT_EQ(stopped->stop, StopReason::kUser);
  EXPECT_LT(lengthOf(*stopped), 1000u);
  EXPECT_GE(lengthOf(*stopped), 5u);
}

TEST_F(EngineThreadTest, APromptWaitsForTheModel) {
  engine_->loadModel(demo(), {.context = 64});
  waitUntil("loading", [](const Snapshot& s) { return s.state == EngineState::kLoading || s.model; });
  engine_->generate({.prompt = "And", .max_tokens = 2, .sampling = {}});
  auto done =
      waitUntil("2 tokens", [](const Snapshot& s) { return s.error || s.stop == StopReason::kLength; });
  EXPECT_TRUE(done->model);
  EXPECT_FALSE(done->error) << done->error->describe();
}

TEST_F(EngineThreadTest, WhatFailsKeepsTheOldModel) {
  auto loaded = load(64);
  ASSERT_TRUE(loaded->model);
  engine_->setPrompt("And");
  auto before = waitUntil("the prompt", [](const Snapshot& s) { return idle(s) && lengthOf(s) > 0; });
  engine_->loadModel("/no/such/model.gguf", {});
  auto failed = waitUntil("an error", [](const Snapshot& s) { return idle(s) && s.error.has_value(); });
  EXPECT_EQ(failed->error->code, ErrorCode::kNotFound) << failed->error->describe();
  EXPECT_EQ(failed->model, before->model);
  EXPECT_EQ(lengthOf(*failed), lengthOf(*before));
  engine_->clearError();
  waitUntil("no error", [](const Snapshot& s) { return !s.error; });

  engine_->loadModel(demo(), {.context = 32});
  engine_->cancelLoad();  // perhaps before it has started
  auto sequence = engine_->snapshot()->sequence;
  engine_->step({});
  auto stepped = waitUntil("a step after the cancelled load", [&](const Snapshot& s) {
    return s.sequence > sequence && idle(s) && lengthOf(s) == lengthOf(*before) + 1;
  });
  EXPECT_EQ(stepped->model, before->model);
  EXPECT_FALSE(stepped->error) << "a cancelled load is no error";
}

TEST_F(EngineThreadTest, WithoutAModelRequestsFailClearly) {
  engine_->generate({.prompt = "And", .max_tokens = 2, .sampling = {}});
  auto failed = waitUntil("an error", [](const Snapshot& s) { return s.error.has_value(); });
  EXPECT_NE(failed->error->message.find("no model"), std::string::npos);
  std::promise<bool> refused;
  engine_->readMap(0, 0, [&](const Result<std::vector<float>>& map) { refused.set_value(!map); });
  auto future = refused.get_future();
  ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(future.get());
}

// Of hidden states also those of tokens that were read before anybody asked.
TEST_F(EngineThreadTest, FollowsSpectra) {
  auto loaded = load();
  const auto covers = [](SpectraOf of) {
    return [of](const Snapshot& s) {
      return idle(s) && s.spectra && s.spectra->request.of == of && s.spectra->tokens == lengthOf(s) &&
             lengthOf(s) > 0 && s.spectra->layers.back().first == 0 &&
             s.spectra->layers.back().end == lengthOf(s);
    };
  };
  engine_->setPrompt("It is a truth universally acknowledged");
  waitUntil("the prompt", [](const Snapshot& s) { return idle(s) && lengthOf(s) > 0; });
  EXPECT_EQ(engine_->snapshot()->spectra, nullptr);
  engine_->setProbes({.spectra = SpectraRequest{.of = SpectraOf::kActivations}});
  auto read = waitUntil("spectra of the prompt", covers(SpectraOf::kActivations));
  ASSERT_TRUE(read->spectra);
  EXPECT_EQ(read->spectra->layers.size(), loaded->model->layers + 1);
  EXPECT_EQ(read->spectra->layers[3].heads[0].sigma.size(),
            std::min<std::size_t>(lengthOf(*read), loaded->model->embedding));
  EXPECT_GT(read->spectra->layers[3].heads[0].effective_rank, 1);

  engine_->continueGeneration(30, {});
  waitUntil("30 tokens", [&](const Snapshot& s) { return lengthOf(s) == lengthOf(*read) + 30; });
  auto grown = waitUntil("their spectra", covers(SpectraOf::kActivations));
  engine_->setPrompt("It is a truth, isn't it");  // shares a beginning
  waitUntil("the other prompt", [&](const Snapshot& s) { return idle(s) && lengthOf(s) < lengthOf(*grown); });
  waitUntil("its spectra", covers(SpectraOf::kActivations));

  engine_->setProbes({.spectra = SpectraRequest{.of = SpectraOf::kValues}});
  auto values = waitUntil("spectra of values", covers(SpectraOf::kValues));
  ASSERT_TRUE(values->spectra);
  EXPECT_EQ(values->spectra->layers.size(), loaded->model->layers);
  EXPECT_EQ(values->spectra->layers[0].heads.size(), loaded->model->kv_heads);
  EXPECT_FALSE(values->error);
}

}  // namespace
}  // namespace vitrine::core::engine_thread_test
