#include "core/methods/support/channel_runs.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "core/methods/support/summaries.h"
#include "core/spectra/linear_matrix.h"
#include "core/spectra/replaced_weights.h"

namespace vitrine::core::methods {
namespace {

constexpr double kLeastShown = 1e-4;       // probability
constexpr std::size_t kMostLabelled = 40;  // tokens that a map's axes name

std::string nameOf(const ComponentScore& c) {
  return fmt::format("{} of {}.{} to {}.{} by {}", c.component, c.from_layer, c.from_head, c.to_layer,
                     c.to_head, name(c.through));
}

// A component is zeroed once, whoever reads it.
std::vector<ComponentScore> distinct(const std::vector<ComponentScore>& strongest, std::size_t count) {
  std::vector<ComponentScore> kept;
  for (const ComponentScore& c : strongest) {
    const bool known = std::ranges::any_of(kept, [&](const ComponentScore& k) {
      return k.from_layer == c.from_layer && k.from_head == c.from_head && k.component == c.component;
    });
    if (!known && kept.size() < count) kept.push_back(c);
  }
  return kept;
}

// The left singular vectors of what a head writes.
Result<Eigen::MatrixXd> directionsOf(const ModelSpec& spec, const ComponentScore& channel) {
  TRY_ASSIGN(const LayerFactors factors, LayerFactors::read(spec, channel.from_layer, {}, ProductKind::kOv));
  TRY_ASSIGN(const LowRankProduct product, factors.product(ProductKind::kOv, channel.from_head));
  TRY_ASSIGN(FullSvd svd, productSvd(product));
  return Eigen::MatrixXd(svd.u.leftCols(svd.rank()));
}

Eigen::VectorXd randomDirection(const Eigen::MatrixXd& within, const ComponentScore& channel) {
  std::mt19937_64 random(seedOf(nameOf(channel), 1));
  std::normal_distribution<double> normal;
  const Eigen::VectorXd mix = Eigen::VectorXd::NullaryExpr(within.cols(), [&] { return normal(random); });
  return (within * mix).normalized();
}

// Runs on one prompt, the whole model first.
class Runner {
 public:
  static Result<Runner> create(const AnalysisInput& input, const std::vector<ComponentScore>& channels) {
    TRY_ASSIGN(ModelRuns runs, ModelRuns::open(input, *input.spec->checkpoint));
    TRY_ASSIGN(std::vector<TokenId> ids, runs.tokensOf(input.prompt));
    TRY_ASSIGN(ReplacedWeights whole, ReplacedWeights::of(*input.spec));
    Runner runner(input, std::move(runs), std::move(ids), std::move(whole), 1 + 3 * channels.size());
    for (const ComponentScore& c : channels) {
      const Linear& output = input.spec->blocks[c.from_layer].attention()->output;
      TRY_ASSIGN(const Eigen::MatrixXd matrix, expandLinear(output));
      TRY(runner.whole_.set(output.weight, matrix));  // in float32, as it is without a component
      runner.maps_.push_back({c.to_layer, c.to_head});
    }
    TRY_ASSIGN(runner.reference_, runner.read(runner.whole_, runner.maps_));
    return runner;
  }

  Result<ZeroedChannel> zero(std::size_t index, const ComponentScore& channel) {
    ZeroedChannel zeroed{.channel = channel};
    const AttentionSpec& attention = *input_.spec->blocks[channel.from_layer].attention();
    const std::uint32_t width = attention.latent ? attention.latent->value_dim : attention.head_dim;
    TRY_ASSIGN(const Eigen::MatrixXd output, expandLinear(attention.output));
    TRY_ASSIGN(const Eigen::MatrixXd u, directionsOf(*input_.spec, channel));
    const MapOf map = maps_[index];
    TRY_ASSIGN(PromptReading without, readWith(attention.output,
                                               withoutDirection(output, channel.from_head, width,
                                                                u.col(Eigen::Index{channel.component})),
                                               std::span(&map, 1)));
    TRY_ASSIGN(zeroed.component, drift(without));
    zeroed.map = std::move(reference_.maps[index]);
    zeroed.zeroed_map = std::move(without.maps[0]);
    zeroed.moved = mapChange(zeroed.map, zeroed.zeroed_map, ids_.size());
    TRY_ASSIGN(const PromptReading random,
               readWith(attention.output,
                        withoutDirection(output, channel.from_head, width, randomDirection(u, channel))));
    TRY_ASSIGN(zeroed.random, drift(random));
    Eigen::MatrixXd silent = output;
    silent.middleCols(Eigen::Index{channel.from_head} * width, width).setZero();
    TRY_ASSIGN(const PromptReading off, readWith(attention.output, silent));
    TRY_ASSIGN(zeroed.head, drift(off));
    return zeroed;
  }

  std::vector<std::string> labels() const { return runs_.labelsOf(ids_); }

 private:
  Runner(const AnalysisInput& input, ModelRuns runs, std::vector<TokenId> ids, ReplacedWeights whole,
         std::size_t count)
      : input_(input),
        runs_(std::move(runs)),
        ids_(std::move(ids)),
        whole_(std::move(whole)),
        count_(count) {}

  Result<PromptReading> read(const ReplacedWeights& weights, std::span<const MapOf> maps) {
    TRY_ASSIGN(ModelSpec spec, weights.spec());
    TRY_ASSIGN(const auto model, runs_.load(std::move(spec)));
    TRY_ASSIGN(PromptReading reading, runs_.read(model, ids_, maps));
    if (input_.progress) input_.progress(++done_, count_);
    return reading;
  }
  Result<PromptReading> readWith(const Linear& output, const Eigen::MatrixXd& changed,
                                 std::span<const MapOf> maps = {}) {
    ReplacedWeights weights = whole_;
    TRY(weights.set(output.weight, changed));
    return read(weights, maps);
  }
  Result<LogitDrift> drift(const PromptReading& other) const {
    return driftOf(reference_.logits, other.logits, input_.spec->vocab_size);
  }

  const AnalysisInput& input_;
  ModelRuns runs_;
  std::vector<TokenId> ids_;
  ReplacedWeights whole_;
  std::vector<MapOf> maps_;  // the later heads', a channel each
  PromptReading reference_;
  std::size_t done_ = 0, count_ = 0;
};

Panel mapPanel(const ChannelRuns& runs, std::vector<float> values, const std::vector<float>& masked_as,
               std::string title) {
  const std::size_t tokens = runs.labels.size();
  Panel panel{.title = std::move(title)};
  panel.x.label = "key";
  panel.y.label = "query";
  if (tokens <= kMostLabelled) panel.x.categories = panel.y.categories = runs.labels;
  HeatMap map{.rows = tokens, .columns = tokens, .values = std::move(values), .mask = {}, .color = {}};
  for (const float value : masked_as) map.mask.push_back(value < 0);
  map.color = {
      .scale = AxisScale::kLog, .minimum = kLeastShown, .maximum = 1, .quantity = "attention probability"};
  panel.heat_map = std::move(map);
  return panel;
}

}  // namespace

double mapChange(std::span<const float> before, std::span<const float> after, std::size_t tokens) {
  VITRINE_ASSERT(before.size() == tokens * tokens && after.size() == before.size());
  double moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i)
    if (before[i] >= 0) moved += std::abs(double{after[i]} - before[i]);
  return moved / 2 / static_cast<double>(tokens);
}

Result<ChannelRuns> runChannels(const AnalysisInput& input, const std::vector<ComponentScore>& strongest,
                                std::size_t count) {
  const std::vector<ComponentScore> channels = distinct(strongest, count);
  TRY_ASSIGN(Runner runner, Runner::create(input, channels));
  ChannelRuns runs{.labels = runner.labels(), .channels = {}};
  for (std::size_t i = 0; i < channels.size(); ++i) {
    TRY_ASSIGN(ZeroedChannel zeroed, runner.zero(i, channels[i]));
    runs.channels.push_back(std::move(zeroed));
  }
  return runs;
}

Table channelRunTable(const ChannelRuns& runs) {
  Table table{
      .title = fmt::format("The strongest components zeroed, read on {} tokens", runs.labels.size()),
      .columns = {{"from", "", "layer.head"},
                  {"component", "", "s_i u_i v_i^T of OV_1, counted from 0 by s"},
                  {"its energy", "", "its share of ||OV_1||_F^2"},
                  {"to", "", "layer.head"},
                  {"through", "", ""},
                  {"map moved", "",
                   "of the later head's attention: mean over the queries of half of sum |p' - p|"},
                  {"KL", "nats", "sum p log(p / p') of the next token, mean over the tokens"},
                  {"changed", "", "share of tokens after which another one is the most probable"},
                  {"KL, random", "nats", "with a random direction of the head's output zeroed instead"},
                  {"KL, head", "nats", "with all of the head's output zeroed"}},
      .rows = {}};
  for (const ZeroedChannel& z : runs.channels)
    table.rows.push_back({fmt::format("{}.{}", z.channel.from_layer, z.channel.from_head),
                          static_cast<std::int64_t>(z.channel.component), z.channel.energy,
                          fmt::format("{}.{}", z.channel.to_layer, z.channel.to_head),
                          std::string(name(z.channel.through)), z.moved, z.component.kl, z.component.changed,
                          z.random.kl, z.head.kl});
  return table;
}

const ZeroedChannel& ChannelRuns::mostMoved() const {
  return *std::ranges::max_element(channels, {}, &ZeroedChannel::moved);
}

Figure channelMapFigure(const AnalysisInput& input, const ChannelRuns& runs) {
  const ZeroedChannel& z = runs.mostMoved();
  std::vector<float> difference(z.map.size());
  for (std::size_t i = 0; i < difference.size(); ++i) difference[i] = z.zeroed_map[i] - z.map[i];
  const std::string head = fmt::format("{}.{}", z.channel.to_layer, z.channel.to_head);
  Panel change = mapPanel(runs, std::move(difference), z.map, "zeroed less whole");
  change.heat_map->color = {.map = ColormapId::kDiverging, .quantity = "change of probability"};
  return {.name = "talking-heads-map",
          .caption = fmt::format(
              "Attention of head {} of {} on a prompt, with component {} of head {}.{}'s output, which it "
              "reads through its {}, and with that component zeroed: of the zeroed components the one that "
              "moves its reader's attention the most.",
              head, input.model, z.channel.component, z.channel.from_layer, z.channel.from_head,
              name(z.channel.through)),
          .panels = {mapPanel(runs, z.map, z.map, fmt::format("head {}", head)),
                     mapPanel(runs, z.zeroed_map, z.map, fmt::format("head {}, zeroed", head)),
                     std::move(change)},
          .panel_columns = 1};
}

Figure channelEffectFigure(const AnalysisInput& input, const ChannelRuns& runs) {
  Panel panel;
  panel.x.category_font = FontRole::kSans;
  panel.y = {.label = "KL of the next token", .unit = "nats"};
  panel.bars = {{.label = "component", .values = {}},
                {.label = "random direction", .values = {}},
                {.label = "whole head", .values = {}}};
  for (const ZeroedChannel& z : runs.channels) {
    panel.x.categories.push_back(
        fmt::format("{}.{}:{}", z.channel.from_layer, z.channel.from_head, z.channel.component));
    panel.bars[0].values.push_back(z.component.kl);
    panel.bars[1].values.push_back(z.random.kl);
    panel.bars[2].values.push_back(z.head.kl);
  }
  panel.x.label = "layer.head:component";
  double least = 1;
  for (const BarSeries& bars : panel.bars)
    for (const double value : bars.values) least = std::min(least, value);
  // A log axis begins at a decade below all bars; where a bar is zero there is none.
  if (least > 0) panel.y.scale = AxisScale::kLog;
  panel.y.minimum = least > 0 ? std::pow(10, std::floor(std::log10(least))) : 0;
  return {.name = "talking-heads-effect",
          .caption = fmt::format(
              "What {} predicts after each of {} tokens of a prompt with a component of a head's output "
              "zeroed, with a random direction of that output zeroed, and without the head.",
              input.model, runs.labels.size()),
          .panels = {std::move(panel)}};
}

std::string noteOf(const ChannelRuns& runs) {
  const ZeroedChannel& z = runs.mostMoved();
  return fmt::format(
      "Of {} components zeroed while {} tokens are read, component {} moves its reader's attention the most, "
      "by {:.3f}, and the predictions by {:.3g} nats (a random direction of the head's output {:.3g}, the "
      "whole head {:.3g}).",
      runs.channels.size(), runs.labels.size(), nameOf(z.channel), z.moved, z.component.kl, z.random.kl,
      z.head.kl);
}

}  // namespace vitrine::core::methods
