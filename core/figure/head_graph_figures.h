// The figures of composing heads (core/spectra/composition.h), of a window's graph and of the method "talking
// heads" alike.
#pragma once

#include <span>

#include "core/figure/figure.h"
#include "core/spectra/component_channels.h"

namespace vitrine::core {

struct HeadChannel {
  CompositionEdge edge;
  ComponentChannel parts;
};

// "3.1 to 5.0 (query)": layer.head each.
std::string edgeName(const CompositionEdge& edge);

// z of all pairs of heads, a panel for each way of composition that there is.
Figure headMapFigure(const CompositionGraph& graph, const std::string& model);

// Of the first six: each component's own score and the edge's without it, of the strongest 32 by s.
// `dimension`: of the stream.
Figure headChannelFigure(std::uint32_t dimension, std::span<const HeadChannel> channels,
                         const std::string& model);

}  // namespace vitrine::core
