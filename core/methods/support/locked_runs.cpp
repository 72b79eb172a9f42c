#include "core/methods/support/locked_runs.h"

namespace vitrine::core::methods {
namespace {

constexpr double kShares[] = {0, 0.25, 0.5, 0.75, 1};
constexpr std::size_t kHalf = 2;  // of kShares

// Runs of one model after another.
class Runner {
 public:
  Runner(const AnalysisInput& input, ModelRuns runs, std::vector<TokenId> ids)
      : input_(input), runs_(std::move(runs)), ids_(std::move(ids)) {}

  struct Outputs {
    std::vector<float> logits;
    double perplexity = 0;
  };
  Result<Outputs> run(const ReplacedWeights& weights) {
    TRY_ASSIGN(ModelSpec spec, weights.spec());
    vocab_ = spec.vocab_size;
    TRY_ASSIGN(const auto model, runs_.load(std::move(spec)));
    TRY_ASSIGN(PromptReading reading, runs_.read(model, ids_));
    const auto window = static_cast<std::uint32_t>(input_.parameters.count("window")),
               windows = static_cast<std::uint32_t>(input_.parameters.count("windows"));
    TRY_ASSIGN(const double perplexity, runs_.perplexity(model, input_.text, window, windows));
    if (input_.progress) input_.progress(++done_, 2 * std::size(kShares));
    return Outputs{std::move(reading.logits), perplexity};
  }
  Result<LogitDrift> drift(const Outputs& reference, const Outputs& other) const {
    return driftOf(reference.logits, other.logits, vocab_);
  }

 private:
  const AnalysisInput& input_;
  ModelRuns runs_;
  std::vector<TokenId> ids_;
  std::size_t done_ = 0, vocab_ = 0;
};

struct Path {
  std::vector<Runner::Outputs> at;  // kShares
};

Result<Path> pathOf(Runner& runner, const ReplacedWeights& from, const Checkpoint& sibling) {
  Path path;
  for (const double share : kShares) {
    ReplacedWeights weights = from;
    TRY(weights.blend(sibling, share));
    TRY_ASSIGN(Runner::Outputs outputs, runner.run(weights));
    path.at.push_back(std::move(outputs));
  }
  return path;
}

}  // namespace

Result<LockedRuns> runLocked(const AnalysisInput& input,
                             const std::map<std::uint32_t, AttentionLocks>& locks) {
  // The original's heads are set too, and every tensor is blended at every share: all runs are in float32, so
  // that only locks and averages make a difference.
  TRY_ASSIGN(ReplacedWeights original, ReplacedWeights::of(*input.spec));
  for (const auto& [layer, lock] : locks)
    TRY(setLocked(*input.spec->blocks[layer].attention(), {}, original));
  ReplacedWeights locked = original;
  for (const auto& [layer, lock] : locks)
    TRY(setLocked(*input.spec->blocks[layer].attention(), lock, locked));
  std::shared_ptr<const Checkpoint> sibling = input.sibling;
  if (!sibling) {
    TRY_ASSIGN(const ModelSpec itself, original.spec());
    sibling = itself.checkpoint;
  }
  TRY_ASSIGN(ModelRuns runs, ModelRuns::open(input, *input.spec->checkpoint));
  TRY_ASSIGN(std::vector<TokenId> ids, runs.tokensOf(input.text));
  LockedRuns found{.sibling = input.sibling ? input.sibling->displayName() : "itself", .tokens = ids.size()};
  Runner runner(input, std::move(runs), std::move(ids));
  TRY_ASSIGN(const Path plain, pathOf(runner, original, *sibling));
  TRY_ASSIGN(const Path merged, pathOf(runner, locked, *sibling));
  TRY_ASSIGN(found.locked, runner.drift(plain.at[0], merged.at[0]));
  TRY_ASSIGN(found.averaged, runner.drift(plain.at[0], plain.at[kHalf]));
  TRY_ASSIGN(found.locked_averaged, runner.drift(plain.at[0], merged.at[kHalf]));
  for (std::size_t i = 0; i < std::size(kShares); ++i) {
    found.shares.push_back(kShares[i]);
    found.plain.push_back(plain.at[i].perplexity);
    found.merged.push_back(merged.at[i].perplexity);
  }
  return found;
}

Table outputTable(const LockedRuns& runs) {
  Table table{.title = fmt::format("Logits of {} tokens, against the original's", runs.tokens),
              .columns = {{"model", "", ""},
                          {"largest error", "", "max |l' - l| over all tokens"},
                          {"relative", "", "the same over max |l|"},
                          {"KL", "nats", "sum p log(p / p'), p the original's, mean over the tokens"},
                          {"changed", "", "share of tokens after which another one is the most probable"}},
              .rows = {}};
  const auto add = [&](std::string name, const LogitDrift& drift) {
    table.rows.push_back({std::move(name), drift.most, drift.most / drift.scale, drift.kl, drift.changed});
  };
  add("locked", runs.locked);
  add(fmt::format("average with {}", runs.sibling), runs.averaged);
  add(fmt::format("locked, average with {}", runs.sibling), runs.locked_averaged);
  return table;
}

Table mergeTable(const LockedRuns& runs) {
  Table table{.title = fmt::format("Perplexity of (1 - a) W + a W of {}", runs.sibling),
              .columns = {{"a", "", "share of the sibling"},
                          {"original", "", "W as it is"},
                          {"locked", "", "W with locked heads"}},
              .rows = {}};
  for (std::size_t i = 0; i < runs.shares.size(); ++i)
    table.rows.push_back({runs.shares[i], runs.plain[i], runs.merged[i]});
  return table;
}

Figure mergeFigure(const AnalysisInput& input, const LockedRuns& runs) {
  Panel panel;
  panel.x.label = "share of the sibling";
  panel.y = {.label = "perplexity", .scale = AxisScale::kLog};
  panel.lines = {{.label = "original", .x = runs.shares, .y = runs.plain},
                 {.label = "locked", .x = runs.shares, .y = runs.merged}};
  return {.name = "mergelock-merge",
          .caption = fmt::format(
              "Perplexity of averages of {} and {}, every tensor alike, with heads as they are and locked "
              "(strength {}); {} windows of {} tokens. At a share of 0 both compute the same.",
              input.model, runs.sibling, input.parameters.value("strength"),
              input.parameters.count("windows"), input.parameters.count("window")),
          .panels = {std::move(panel)}};
}

std::string noteOf(const LockedRuns& runs) {
  return fmt::format(
      "Run on {} tokens, no logit of the locked model is off by more than {:.2g} (of at most {:.3g}); its "
      "perplexity is {:.4f}, the original's {:.4f}. Averaged with {} it is {:.1f}, the original's average "
      "{:.2f}.",
      runs.tokens, runs.locked.most, runs.locked.scale, runs.merged[0], runs.plain[0], runs.sibling,
      runs.merged[kHalf], runs.plain[kHalf]);
}

}  // namespace vitrine::core::methods
