#include "core/spectra/spectra_worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <fstream>
#include <random>
#include <thread>

#include "core/checkpoint/safetensors_writer.h"
#include "core/engine/clock.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"
#include "support/scratch_folder.h"

namespace vitrine::core {
namespace {

// Layers of a wide and a tall matrix; where `poisoned`, layer 1's first has a NaN.
std::shared_ptr<const Checkpoint> checkpointOf(const std::filesystem::path& folder, std::uint64_t layers,
                                               bool poisoned = false, std::uint64_t size = 24) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> values;
  std::vector<SafetensorsItem> items;
  values.reserve(2 * layers);
  for (std::uint64_t layer = 0; layer < layers; ++layer)
    for (const char* name : {"a", "b"}) {
      const std::vector<std::uint64_t> shape =
          *name == 'a' ? std::vector{size, size * 2} : std::vector{size * 3, size};
      std::vector<float>& own = values.emplace_back(shape[0] * shape[1]);
      for (float& value : own) value = normal(random);
      if (poisoned && layer == 1 && *name == 'a') own[7] = std::nanf("");
      items.push_back(safetensorsItem(fmt::format("layers.{}.{}.weight", layer, name), shape, own));
    }
  test::expectOk(writeSafetensors(folder / "model.safetensors", items));
  return test::expectValue(Checkpoint::open(folder / "model.safetensors"));
}

std::shared_ptr<const SpectraSnapshot> waitFor(const SpectraWorker& worker,
                                               const std::function<bool(const SpectraSnapshot&)>& condition) {
  for (const auto start = Clock::now(); secondsSince(start) < 60;) {
    if (auto snapshot = worker.snapshot(); condition(*snapshot)) return snapshot;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ADD_FAILURE() << "nothing happened within a minute";
  return worker.snapshot();
}

bool ended(const SpectraSnapshot& snapshot) {
  return snapshot.state != SpectraState::kRunning && snapshot.state != SpectraState::kIdle;
}

TEST(SpectraWorkerTest, ComputesAllMatricesOfAModel) {
  const test::ScratchFolder folder;
  std::atomic<int> told = 0;
  SpectraWorker worker(nullptr, [&] { ++told; });
  EXPECT_EQ(worker.snapshot()->state, SpectraState::kIdle);
  worker.start(checkpointOf(folder.path(), 12));
  const auto snapshot = waitFor(worker, ended);
  EXPECT_EQ(snapshot->state, SpectraState::kDone);
  ASSERT_EQ(snapshot->total(), 24u);
  EXPECT_EQ(snapshot->done, 24u);
  EXPECT_EQ(snapshot->failed + snapshot->cached, 0u);
  EXPECT_TRUE(snapshot->solver.starts_with("LAPACK on ")) << snapshot->solver;
  EXPECT_EQ((*snapshot->matrices)[5].name, "layers.2.b.weight");
  EXPECT_EQ((*snapshot->matrices)[5].rows, 72u);
  for (std::size_t i = 0; i < 24; ++i) {
    ASSERT_TRUE(snapshot->results[i].report) << i;
    EXPECT_EQ(snapshot->results[i].report->name, (*snapshot->matrices)[i].name);
    EXPECT_EQ(snapshot->results[i].report->spectrum.sigma.size(), 24u);
    EXPECT_LT(snapshot->results[i].report->spectrum.certificate.energy, 1e-12);
  }
  EXPECT_GE(told, 2);
  EXPECT_GT(snapshot->matricesPerSecond(), 0);
}

TEST(SpectraWorkerTest, ANaNIsTheErrorOfItsMatrixAlone) {
  const test::ScratchFolder folder;
  SpectraWorker worker(nullptr, [] {});
  worker.start(checkpointOf(folder.path(), 3, true));
  const auto snapshot = waitFor(worker, ended);
  EXPECT_EQ(snapshot->state, SpectraState::kDone);
  EXPECT_EQ(snapshot->done, 6u);
  EXPECT_EQ(snapshot->failed, 1u);
  ASSERT_TRUE(snapshot->results[2].error);
  EXPECT_NE(snapshot->results[2].error->find("layers.1.a.weight"), std::string::npos)
      << *snapshot->results[2].error;
  EXPECT_FALSE(snapshot->results[2].report);
  EXPECT_TRUE(snapshot->results[3].report);
}

TEST(SpectraWorkerTest, TakesAGlobAndReplacesWhatRuns) {
  const test::ScratchFolder folder;
  const auto checkpoint = checkpointOf(folder.path(), 4);
  SpectraWorker worker(nullptr, [] {});
  worker.start(checkpoint);
  worker.start(checkpoint, "*.b.*");
  const auto snapshot = waitFor(worker, ended);
  EXPECT_EQ(snapshot->total(), 4u);
  worker.clear();
  EXPECT_EQ(worker.snapshot()->state, SpectraState::kIdle);
  EXPECT_EQ(worker.snapshot()->total(), 0u);
}

TEST(SpectraWorkerTest, AMissingModelIsAnErrorOfTheRun) {
  SpectraWorker worker(nullptr, [] {});
  worker.start(std::filesystem::path("/nowhere/model.gguf"));
  const auto snapshot = waitFor(worker, ended);
  EXPECT_EQ(snapshot->state, SpectraState::kFailed);
  ASSERT_TRUE(snapshot->error);
  EXPECT_NE(snapshot->error->describe().find("/nowhere/model.gguf"), std::string::npos);
}

TEST(SpectraWorkerTest, CancelKeepsWhatWasFoundAndEndsSoon) {
  const test::ScratchFolder folder;
  const auto checkpoint = checkpointOf(folder.path(), 200, false, 96);
  const auto start = Clock::now();
  {
    SpectraWorker worker(nullptr, [] {}, {.threads = 1});
    worker.start(checkpoint);
    const auto some = waitFor(worker, [](const SpectraSnapshot& s) { return s.done > 0; });
    worker.cancel();
    const auto snapshot = worker.snapshot();
    EXPECT_EQ(snapshot->state, SpectraState::kCancelled);
    EXPECT_GE(snapshot->done, some->done);
    EXPECT_LT(snapshot->done, snapshot->total());
    EXPECT_EQ(std::ranges::count_if(snapshot->results, &MatrixResult::settled),
              std::ptrdiff_t(snapshot->done));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(worker.snapshot(), snapshot);  // nobody speaks after that
    worker.start(checkpoint);
  }
  EXPECT_LT(secondsSince(start), 20);
}

TEST(SpectraWorkerTest, FindsWhatWasComputedBefore) {
  const test::ScratchFolder folder, cache;
  const auto compute = [&](const std::shared_ptr<const Checkpoint>& checkpoint) {
    SpectraWorker worker(nullptr, [] {}, {.cache_folder = cache.path()});
    worker.start(checkpoint);
    return waitFor(worker, ended);
  };
  const auto first = compute(checkpointOf(folder.path(), 3));
  EXPECT_EQ(first->cached, 0u);
  const test::ScratchFolder elsewhere;
  const auto again = compute(checkpointOf(elsewhere.path(), 3));
  EXPECT_EQ(again->cached, 6u);
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_EQ(again->results[i].report->spectrum.sigma, first->results[i].report->spectrum.sigma);

  // A damaged file, and one of another version, are as good as none, and are written anew.
  int number = 0;
  for (const auto& file : std::filesystem::directory_iterator(cache.path())) {
    if (number >= 2) break;
    std::fstream stream(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(number++ == 0 ? 200 : 6);
    stream.put('x');
  }
  const auto third = compute(checkpointOf(elsewhere.path(), 3));
  EXPECT_EQ(third->cached, 4u);
  EXPECT_EQ(third->failed, 0u);
  EXPECT_EQ(compute(checkpointOf(elsewhere.path(), 3))->cached, 6u);
}

// Every snapshot that was published.
class Recorder {
 public:
  explicit Recorder(SpectraWorkerOptions options)
      : worker_(
            nullptr, [this] { record(); }, options) {}
  SpectraWorker& worker() { return worker_; }
  std::vector<std::shared_ptr<const SpectraSnapshot>> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  // Called with each one, on the thread that published it.
  std::function<void(const SpectraSnapshot&)> on_snapshot = [](const SpectraSnapshot&) {};

 private:
  void record() {
    const auto snapshot = worker_.snapshot();
    {
      const std::lock_guard lock(mutex_);
      all_.push_back(snapshot);
    }
    on_snapshot(*snapshot);
  }

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const SpectraSnapshot>> all_;
  SpectraWorker worker_;
};

// One small and two large matrices, where 48 is large.
std::shared_ptr<const Checkpoint> checkpointOfSizes(const std::filesystem::path& folder) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> values;
  std::vector<SafetensorsItem> items;
  values.reserve(3);
  for (const auto& [name, shape] : std::map<std::string, std::vector<std::uint64_t>>{
           {"large.square", {60, 60}}, {"large.tall", {150, 48}}, {"small", {47, 300}}}) {
    std::vector<float>& own = values.emplace_back(shape[0] * shape[1]);
    for (float& value : own) value = normal(random);
    items.push_back(safetensorsItem(name, shape, own));
  }
  test::expectOk(writeSafetensors(folder / "model.safetensors", items));
  return test::expectValue(Checkpoint::open(folder / "model.safetensors"));
}

SpectraWorkerOptions previewing(const std::filesystem::path& cache = {}) {
  return {.cache_folder = cache, .preview = {.least_side = 48, .top = {.k = 5, .most_blocks = 2}}};
}

TEST(SpectraWorkerPreviewTest, LargeMatricesHaveAPreviewUntilTheyAreKnown) {
  const test::ScratchFolder folder;
  Recorder recorder(previewing());
  recorder.worker().start(checkpointOfSizes(folder.path()));
  const auto end = waitFor(recorder.worker(), ended);
  EXPECT_EQ(end->state, SpectraState::kDone);
  EXPECT_EQ(end->done, 3u);
  EXPECT_EQ(end->previews(), 0u);
  std::shared_ptr<const SpectraSnapshot> previewed;
  for (const auto& snapshot : recorder.all())
    if (snapshot->previews() == 2) previewed = snapshot;
  ASSERT_TRUE(previewed) << "nothing was shown before the exact values";
  EXPECT_EQ(previewed->state, SpectraState::kRunning);
  EXPECT_EQ(previewed->done, 1u);  // the small one came before
  EXPECT_TRUE(previewed->results[2].report);
  for (std::size_t i = 0; i < 2; ++i) {
    SCOPED_TRACE(i);
    const MatrixResult& result = previewed->results[i];
    ASSERT_TRUE(result.preview);
    EXPECT_FALSE(result.settled());
    const Spectrum& exact = end->results[i].report->spectrum;
    EXPECT_EQ(result.preview->all(), exact.sigma.size());
    EXPECT_DOUBLE_EQ(result.preview->frobenius, exact.frobenius);
    ASSERT_EQ(result.preview->sigma.size(), 5u);
    for (std::size_t k = 0; k < 5; ++k) {
      const double off = exact.sigma[k] - result.preview->sigma[k];
      EXPECT_GE(off, -1e-9 * exact.sigma[0]) << k;
      EXPECT_LE(off, result.preview->residuals[k] + 1e-9 * exact.sigma[0]) << k;
    }
  }
}

TEST(SpectraWorkerPreviewTest, OnlyExactValuesAreCachedAndThenNothingIsPreviewed) {
  const test::ScratchFolder folder, cache;
  const auto checkpoint = checkpointOfSizes(folder.path());
  {
    Recorder recorder(previewing(cache.path()));
    recorder.on_snapshot = [&](const SpectraSnapshot& snapshot) {
      if (snapshot.previews() == 2) recorder.worker().cancel();
    };
    recorder.worker().start(checkpoint);
    const auto cancelled = waitFor(recorder.worker(), ended);
    EXPECT_EQ(cancelled->state, SpectraState::kCancelled);
    EXPECT_EQ(cancelled->previews(), 2u);  // it keeps what has been found
    EXPECT_EQ(cancelled->done, 1u);
  }
  std::size_t kept = 0;
  for (const auto& file : std::filesystem::directory_iterator(cache.path())) kept += file.is_regular_file();
  EXPECT_EQ(kept, 1u);
  for (const std::size_t cached : {1u, 3u}) {
    Recorder recorder(previewing(cache.path()));
    recorder.worker().start(checkpoint);
    const auto end = waitFor(recorder.worker(), ended);
    EXPECT_EQ(end->state, SpectraState::kDone);
    EXPECT_EQ(end->cached, cached);
    EXPECT_EQ(end->done, 3u);
    bool previewed = false;
    for (const auto& snapshot : recorder.all()) previewed |= snapshot->previews() > 0;
    EXPECT_EQ(previewed, cached == 1);
  }
}

TEST(SpectraWorkerPreviewTest, ANaNIsRefusedByTheExactRun) {
  const test::ScratchFolder folder;
  SpectraWorker worker(
      nullptr, [] {}, previewing());
  worker.start(checkpointOf(folder.path(), 2, true, 50));
  const auto snapshot = waitFor(worker, ended);
  EXPECT_EQ(snapshot->done, 4u);
  EXPECT_EQ(snapshot->failed, 1u);
  EXPECT_TRUE(snapshot->results[2].error);
  EXPECT_FALSE(snapshot->results[2].preview);
}

TEST(SpectrumCacheTest, StaysWithinItsBoundsAndKnowsContents) {
  const test::ScratchFolder folder, cache_folder;
  const auto checkpoint = checkpointOf(folder.path(), 2);
  const auto matrices = matricesOf(*checkpoint);
  EXPECT_NE(contentHash(matrices[0]), contentHash(matrices[2]));
  const Spectrum spectrum{.rows = 3, .columns = 2, .sigma = {2, 1}, .certificate = {}};
  const SpectrumCache cache(cache_folder.path(), 400);
  for (const char* hash : {"one", "two", "three"}) {
    cache.keep(hash, spectrum);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(cache.find("one", 3, 2));  // used last from now on
  EXPECT_FALSE(cache.find("one", 2, 3));
  cache.trim();
  EXPECT_TRUE(cache.find("one", 3, 2));
  EXPECT_FALSE(cache.find("two", 3, 2));
  SpectrumCache({}).keep("one", spectrum);
  EXPECT_FALSE(SpectrumCache({}).find("one", 3, 2));
}

class SpectraWorkerDeviceTest : public test::GpuTest {};

TEST_F(SpectraWorkerDeviceTest, ComputesOnADevice) {
  const test::ScratchFolder folder, cache;
  const auto checkpoint = checkpointOf(folder.path(), 3, true, 16);
  SpectraWorker worker(&device(), [] {},
                       {.solver = SpectraWorkerOptions::Solver::kDevice, .cache_folder = cache.path()});
  worker.start(checkpoint);
  const auto snapshot = waitFor(worker, ended);
  EXPECT_EQ(snapshot->state, SpectraState::kDone);
  EXPECT_TRUE(snapshot->solver.starts_with(device().info().name)) << snapshot->solver;
  EXPECT_EQ(snapshot->done, 6u);
  EXPECT_EQ(snapshot->failed, 1u);
  worker.start(checkpoint);
  EXPECT_EQ(waitFor(worker, ended)->cached, 5u);
}

TEST_F(SpectraWorkerDeviceTest, SharesTheDeviceWithOtherThreads) {
  const test::ScratchFolder folder;
  SpectraWorker worker(&device(), [] {}, {.solver = SpectraWorkerOptions::Solver::kDevice});
  worker.start(checkpointOf(folder.path(), 8, false, 20));
  const std::vector<float> values(1000, 0.5f);
  int uploads = 0;
  for (const auto start = Clock::now(); !ended(*worker.snapshot()) && secondsSince(start) < 60; ++uploads)
    bufferOf(std::span(values));
  EXPECT_EQ(worker.snapshot()->done, 16u);
  EXPECT_GT(uploads, 0);
}

}  // namespace
}  // namespace vitrine::core
