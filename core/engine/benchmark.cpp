#include "core/engine/benchmark.h"

#include "core/engine/clock.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "core/engine/view_refresher.h"
#include "core/model/map_source.h"

namespace vitrine::core {
namespace {

BenchmarkRow row(std::string name, std::string unit, std::vector<double> values) {
  std::ranges::sort(values);
  return {.name = std::move(name),
          .unit = std::move(unit),
          .median = values[values.size() / 2],
          .min = values.front(),
          .max = values.back(),
          .n = static_cast<std::uint32_t>(values.size())};
}

// Ids that are spread over the vocabulary, the same in every run.
std::vector<TokenId> someIds(std::uint32_t count, std::uint32_t vocab) {
  std::vector<TokenId> ids(count);
  std::uint64_t state = 1;
  for (TokenId& id : ids) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    id = static_cast<TokenId>((state >> 33) % vocab);
  }
  return ids;
}

// An open attention view: the overview, the map and one row of a head of the middle layer that has a map.
ProbeRequest openView(const Model& model) {
  std::vector<std::uint32_t> layers;
  for (std::uint32_t layer = 0; layer < model.layers(); ++layer)
    if (mapSource(model.spec().blocks[layer])) layers.push_back(layer);
  if (layers.empty()) return {};
  const std::uint32_t layer = layers[layers.size() / 2];
  return {.overview = OverviewRequest{.tile = 32},
          .map = MapRequest{.layer = layer,
                            .head = 0,
                            .query0 = 0,
                            .query1 = 1e9,
                            .key0 = 0,
                            .key1 = 1e9,
                            .width = 700,
                            .height = 600},
          .row = RowRequest{.layer = layer, .head = 0, .query = 0}};
}

class Benchmark {
 public:
  Benchmark(std::shared_ptr<const Model> model, const BenchmarkOptions& options,
            const std::function<void(const std::string&)>& progress)
      : model_(std::move(model)), options_(options), progress_(progress) {}

  Result<std::vector<BenchmarkRow>> run() {
    for (std::uint32_t tokens : options_.prefill) TRY(prefill(tokens));
    for (std::uint32_t tokens : options_.decode)
      for (std::uint32_t depth : options_.depths) TRY(decode(tokens, depth));
    return rows_;
  }

 private:
  Result<void> prefill(std::uint32_t tokens) {
    TRY_ASSIGN(auto session, Session::create(model_, {.context = tokens, .cache = options_.cache}));
    std::vector<TokenId> ids = someIds(tokens, model_->spec().vocab_size);
    std::vector<double> speeds;
    for (std::uint32_t i = 0; i <= options_.repetitions; ++i) {
      report(fmt::format("pp{}", tokens), i);
      TRY(session->truncate(0));
      auto start = Clock::now();
      TRY(session->prefill(ids));
      if (i > 0) speeds.push_back(tokens / secondsSince(start));
    }
    rows_.push_back(row(fmt::format("pp{}", tokens), "tokens/s", speeds));
    return {};
  }

  // Plain, with probes and with the view in turn, so that a drifting machine changes all alike.
  Result<void> decode(std::uint32_t tokens, std::uint32_t depth) {
    const std::string name =
        depth == 0 ? fmt::format("tg{}", tokens) : fmt::format("tg{} @ d{}", tokens, depth);
    const std::vector<TokenId> before = someIds(std::max(depth, 1u), model_->spec().vocab_size);
    const auto context = static_cast<std::uint32_t>(tokens + before.size());
    TRY_ASSIGN(auto plain, Session::create(model_, {.context = context, .cache = options_.cache}));
    TRY_ASSIGN(auto probed,
               Session::create(model_, {.context = context, .cache = options_.cache, .probes = true}));
    std::vector<double> speeds, seen_speeds, probe_costs, costs;
    for (std::uint32_t i = 0; i <= options_.repetitions; ++i) {
      report(name, i);
      TRY_ASSIGN(double seconds, generate(*plain, before, tokens, false));
      double kept = seconds, seen = seconds;
      if (options_.probes) {
        TRY_ASSIGN(kept, generate(*probed, before, tokens, false));
        TRY_ASSIGN(seen, generate(*probed, before, tokens, true));
      }
      if (i == 0) continue;
      speeds.push_back(tokens / seconds);
      seen_speeds.push_back(tokens / seen);
      probe_costs.push_back(100 * (kept - seconds) / seconds);
      costs.push_back(100 * (seen - seconds) / seconds);
    }
    rows_.push_back(row(name, "tokens/s", speeds));
    if (!options_.probes) return {};
    rows_.push_back(row(name + " + view", "tokens/s", seen_speeds));
    rows_.push_back(row(name + " probe cost", "%", probe_costs));  // of keeping queries and summaries alone
    rows_.push_back(row(name + " view cost", "%", costs));         // and of the pictures
    return {};
  }

  // As the engine's thread does it: slices of about 25 ms, pictures between them.
  Result<double> generate(Session& session, std::span<const TokenId> before, std::uint32_t tokens,
                          bool with_view) {
    TRY(session.truncate(0));
    TRY(session.prefill(before));
    std::optional<ViewRefresher> views;
    if (with_view) {
      TRY_ASSIGN(auto made, ViewRefresher::create(model_->device()));
      views.emplace(std::move(made));
      views->setRequest(openView(*model_));
      TRY(views->refresh(session, ViewRefresher::Pace::kIdle));  // its kernels exist before the clock starts
    }
    auto start = Clock::now();
    std::uint32_t slice = with_view ? 1 : tokens;
    for (std::uint32_t done = 0; done < tokens;) {
      DecodeTimings timings;
      auto slice_start = Clock::now();
      TRY(session.decode(std::min(slice, tokens - done), {}, {}, {}, {}, &timings));
      done += timings.tokens;
      if (!views) continue;
      double per_token = secondsSince(slice_start) / timings.tokens;
      slice = std::clamp(static_cast<std::uint32_t>(0.025 / per_token), 1u, 64u);
      TRY(views->refresh(session, ViewRefresher::Pace::kGenerating));
    }
    return secondsSince(start);
  }

  void report(const std::string& name, std::uint32_t repetition) {
    if (progress_)
      progress_(repetition == 0 ? name + ": warm-up"
                                : fmt::format("{}: {} of {}", name, repetition, options_.repetitions));
  }

  std::shared_ptr<const Model> model_;
  const BenchmarkOptions& options_;
  const std::function<void(const std::string&)>& progress_;
  std::vector<BenchmarkRow> rows_;
};

}  // namespace

SessionOptions largestSession(const BenchmarkOptions& options) {
  std::uint32_t longest = 1;
  for (const std::uint32_t tokens : options.prefill) longest = std::max(longest, tokens);
  for (const std::uint32_t tokens : options.decode)
    for (const std::uint32_t depth : options.depths)
      longest = std::max(longest, tokens + std::max(depth, 1u));
  return {.context = longest, .cache = options.cache, .probes = options.probes};
}

Result<std::vector<BenchmarkRow>> runBenchmark(std::shared_ptr<const Model> model,
                                               const BenchmarkOptions& options,
                                               const std::function<void(const std::string&)>& progress) {
  if (options.repetitions == 0)
    return fail(ErrorCode::kInvalidArgument, "--repetitions: expected at least 1");
  return Benchmark(std::move(model), options, progress).run();
}

}  // namespace vitrine::core
