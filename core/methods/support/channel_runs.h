// A channel between two heads, zeroed while the model runs: what that does to the later head's attention and
// to the model's predictions. Merullo et al., "Talking heads", arXiv:2406.09519.
#pragma once

#include <string>
#include <vector>

#include "core/methods/support/model_runs.h"
#include "core/spectra/component_channels.h"

namespace vitrine::core::methods {

struct ZeroedChannel {
  ComponentScore channel;
  // Against the whole model: without the component; without a random direction of the head's output, for
  // comparison; without all that the head writes.
  LogitDrift component, random, head;
  // Of the later head's map: mean over the queries of half of sum |p' - p|, in [0, 1].
  double moved = 0;
  std::vector<float> map, zeroed_map;  // (tokens, tokens), -1 masked: with the component, without
};

struct ChannelRuns {
  std::vector<std::string> labels;      // of the prompt's tokens
  std::vector<ZeroedChannel> channels;  // the strongest first, at least one

  const ZeroedChannel& mostMoved() const;
};

// Of the first `count` channels that differ by component, on the input's prompt. Tells progress by run.
// Errors of running.
Result<ChannelRuns> runChannels(const AnalysisInput& input, const std::vector<ComponentScore>& strongest,
                                std::size_t count);

// ZeroedChannel::moved of two maps (tokens, tokens).
double mapChange(std::span<const float> before, std::span<const float> after, std::size_t tokens);

Table channelRunTable(const ChannelRuns& runs);
Figure channelMapFigure(const AnalysisInput& input, const ChannelRuns& runs);
Figure channelEffectFigure(const AnalysisInput& input, const ChannelRuns& runs);
std::string noteOf(const ChannelRuns& runs);

}  // namespace vitrine::core::methods
