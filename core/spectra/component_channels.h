// Which components of an earlier head's product carry a composition score (composition.h): OV_1 = sum s_i u_i
// v_i^T (r components), c_i = ||C_2 u_i|| / ||C_2||_F. The v_i are orthonormal, so that
//   score^2 = ||C_2 OV_1||_F^2 / (||C_2||_F^2 ||OV_1||_F^2) = sum s_i^2 c_i^2 / sum s_i^2,
// and with component i zeroed, OV_1 - s_i u_i v_i^T, both sums without i. Merullo et al., "Talking heads",
// arXiv:2406.09519.
#pragma once

#include <array>

#include "core/spectra/composition.h"

namespace vitrine::core {

struct ComponentChannel {
  Eigen::VectorXd score;    // (r): c_i
  Eigen::VectorXd share;    // s_i^2 c_i^2 over their sum; 0 where that is
  Eigen::VectorXd energy;   // s_i^2 over their sum
  Eigen::VectorXd without;  // the edge's score with component i zeroed; 0 where nothing is left
  double effective = 0;     // exp of the entropy of `share`: 1 where one component carries all; 0 of none

  Eigen::Index strongest() const;  // by share
};

// Of one length, at least 1.
ComponentChannel componentChannel(const Eigen::VectorXd& sigma, const Eigen::VectorXd& score);

// Of an edge of compositionGraph(); kUnsupported where a layer lacks a product, errors of reading.
Result<ComponentChannel> channelOf(const ModelSpec& spec, const CompositionEdge& edge,
                                   const ProductOptions& options = {});

// W_O (d, heads * width) of a layer with direction u (d, unit) taken out of what head `head` writes: its OV
// becomes (I - u u^T) OV, and with u = u_i that is OV - s_i u_i v_i^T.
Eigen::MatrixXd withoutDirection(Eigen::MatrixXd output, std::uint32_t head, std::uint32_t width,
                                 const Eigen::VectorXd& u);

// One component of an earlier head's OV against one way in which a later head reads.
struct ComponentScore {
  std::uint32_t from_layer = 0, from_head = 0, component = 0, to_layer = 0, to_head = 0;
  CompositionThrough through = CompositionThrough::kQuery;
  double energy = 0;  // s_i^2 / sum s_i^2 of OV_1
  double score = 0;   // c_i; 0 where C_2 is
  // Of c_i^2, in standard deviations over random directions u in place of u_i: the mean is 1 / d, the
  // variance 2 (d a - 1) / (d^2 (d + 2)) with a = ||C_2^T C_2||_F^2 / ||C_2||_F^4.
  double z = 0;
};

struct ComponentSearch {
  std::uint32_t dimension = 0;               // d
  std::vector<ComponentScore> strongest;     // by z
  std::array<std::vector<float>, 3> scores;  // all c_i, by CompositionThrough
};

// Of all pairs of an earlier and a later layer with attention, the first `components` of each OV; the `count`
// strongest are kept. Layers that lack a product are passed over. kCancelled; errors of reading.
Result<ComponentSearch> searchComponents(const ModelSpec& spec, std::size_t components, std::size_t count,
                                         std::stop_token stop = {}, const LayerProgress& progress = {});

}  // namespace vitrine::core
