// Does a later head read what an earlier one writes? For heads 1 (earlier layer) and 2, with the products of
// head_products.h:
//   through the query  ||QK_2^T OV_1||_F / (||QK_2||_F ||OV_1||_F)
//   through the key    ||QK_2   OV_1||_F / (||QK_2||_F ||OV_1||_F)
//   through the value  ||OV_2   OV_1||_F / (||OV_2||_F ||OV_1||_F)
// all in [0, 1]. Elhage et al., "A mathematical framework for transformer circuits" (2021); by component:
// Merullo et al., "Talking Heads", arXiv:2406.09519. No d x d product is formed.
#pragma once

#include <Eigen/Core>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <vector>

#include "core/spectra/head_products.h"

namespace vitrine::core {

// A product as it looks from the side where another one meets it: of the other side only lengths and angles
// are left, so that ||M_2 M_1||_F = ||reader^T writer||_F.
struct CompositionEnd {
  Eigen::MatrixXd vectors;  // (d, k), k <= r; of a writer M M^T = vectors vectors^T, of a reader M^T M
  double norm = 0;          // ||M||_F
  double fourth = 0;        // ||M M^T||_F^2
};

// How a later head's product reads the stream, and how an earlier one's writes it. kOutOfMemory.
Result<CompositionEnd> readerOf(const LowRankProduct& product);
Result<CompositionEnd> writerOf(const LowRankProduct& product);
// x^T M y read from the side of x.
LowRankProduct transposed(LowRankProduct product);

struct CompositionScore {
  double score = 0;  // 0 where a norm is 0
  // Of score^2, in standard deviations over all rotations of the stream between the two: the mean is 1 / d,
  // the variance 2 (d a - 1)(d b - 1) / (d^2 (d - 1)(d + 2)) with a = ||M M^T||_F^2 / ||M||_F^4 of either.
  double z = 0;
};
CompositionScore compose(const CompositionEnd& reader, const CompositionEnd& writer);

// The same for each component s_i u_i v_i^T of the earlier product alone: ||M_2 u_i|| / ||M_2||_F. `u`:
// (d, k).
Eigen::VectorXd composeComponents(const CompositionEnd& reader, const Eigen::MatrixXd& u);

enum class CompositionThrough { kQuery, kKey, kValue };
std::string_view name(CompositionThrough through);  // "query", "key", "value"

struct CompositionEdge {
  std::uint32_t from_layer = 0, from_head = 0, to_layer = 0, to_head = 0;
  CompositionThrough through = CompositionThrough::kQuery;
  CompositionScore score;
  // Of the strongest kDetailedEdges only: composeComponents of OV_1's, strongest first. A channel of low rank
  // is where few of them stand out.
  std::vector<double> components = {};
};

// What of OV_1 an edge goes through.
struct EdgeComponents {
  Eigen::VectorXd sigma;  // (r) of OV_1
  Eigen::VectorXd score;  // (r): composeComponents
};
// Of an edge of compositionGraph(); kUnsupported where a layer lacks a product, errors of reading.
Result<EdgeComponents> componentsOf(const ModelSpec& spec, const CompositionEdge& edge,
                                    const ProductOptions& options = {});

inline constexpr std::size_t kDetailedEdges = 20;

struct CompositionGraph {
  std::uint32_t dimension = 0;         // d
  std::vector<CompositionEdge> edges;  // all pairs of layers, the strongest z first
  std::vector<std::string> left_out;   // as HeadProducts::left_out
};

// The offset and score scale of `options`: the latter changes no score. kCancelled when stopped.
Result<CompositionGraph> compositionGraph(const ModelSpec& spec, const ProductOptions& options = {},
                                          std::stop_token stop = {}, const LayerProgress& progress = {});

// {dimension, expected, edges: [{from: [layer, head], to: [layer, head], through, score, z, components}],
//  left_out}
nlohmann::ordered_json toJson(const CompositionGraph& graph);

}  // namespace vitrine::core
