#include "core/spectra/component_channels.h"

#include <algorithm>
#include <cmath>

#include "core/spectra/dense_product.h"

namespace vitrine::core {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

// The first components of all heads of a layer, side by side.
struct WrittenComponents {
  std::uint32_t layer = 0;
  MatrixXd directions;                           // (d, columns): u_i
  std::vector<std::uint32_t> heads, components;  // of each column
  std::vector<double> energy;
};

struct LayerReader {
  CompositionThrough through = CompositionThrough::kQuery;
  std::uint32_t head = 0;
  CompositionEnd end;
};

Result<WrittenComponents> writtenBy(const LayerFactors& factors, std::uint32_t layer,
                                    std::size_t components) {
  WrittenComponents written{.layer = layer};
  std::vector<MatrixXd> parts;
  Index columns = 0;
  for (std::uint32_t head = 0; head < factors.heads(); ++head) {
    TRY_ASSIGN(const LowRankProduct ov, factors.product(ProductKind::kOv, head));
    TRY_ASSIGN(const FullSvd svd, productSvd(ov));
    const Index kept = std::min(static_cast<Index>(components), svd.rank());
    parts.push_back(svd.u.leftCols(kept));
    columns += kept;
    for (Index i = 0; i < kept; ++i) {
      written.heads.push_back(head);
      written.components.push_back(static_cast<std::uint32_t>(i));
      written.energy.push_back(svd.sigma[i] * svd.sigma[i] / svd.sigma.squaredNorm());
    }
  }
  written.directions.resize(parts[0].rows(), columns);
  Index at = 0;
  for (const MatrixXd& part : parts) {
    written.directions.middleCols(at, part.cols()) = part;
    at += part.cols();
  }
  return written;
}

Result<std::vector<LayerReader>> readersIn(const LayerFactors& factors, const AttentionSpec& attention) {
  std::vector<LayerReader> readers;
  for (std::uint32_t head = 0; head < attention.heads; ++head) {
    if (reasonAgainst(attention, ProductKind::kQk).empty()) {
      TRY_ASSIGN(const LowRankProduct qk, factors.product(ProductKind::kQk, head));
      TRY_ASSIGN(CompositionEnd query, readerOf(transposed(qk)));
      TRY_ASSIGN(CompositionEnd key, readerOf(qk));
      readers.push_back({CompositionThrough::kQuery, head, std::move(query)});
      readers.push_back({CompositionThrough::kKey, head, std::move(key)});
    }
    if (reasonAgainst(attention, ProductKind::kOv).empty()) {
      TRY_ASSIGN(const LowRankProduct ov, factors.product(ProductKind::kOv, head));
      TRY_ASSIGN(CompositionEnd value, readerOf(ov));
      readers.push_back({CompositionThrough::kValue, head, std::move(value)});
    }
  }
  return readers;
}

void keepStrongest(std::vector<ComponentScore>& scores, std::size_t count) {
  const auto stronger = [](const ComponentScore& a, const ComponentScore& b) { return a.z > b.z; };
  std::ranges::stable_sort(scores, stronger);
  if (scores.size() > count) scores.resize(count);
}

void addScores(const WrittenComponents& written, const LayerReader& reader, std::uint32_t layer,
               std::size_t count, ComponentSearch& to) {
  const VectorXd scores = composeComponents(reader.end, written.directions);
  const double d = to.dimension;
  const double spread = d * reader.end.fourth / std::pow(reader.end.norm, 4) - 1;
  const double deviation = std::sqrt(2 * spread / (d * d * (d + 2)));
  for (Index i = 0; i < scores.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    to.scores[static_cast<std::size_t>(reader.through)].push_back(static_cast<float>(scores[i]));
    const double z = deviation > 0 ? (scores[i] * scores[i] - 1 / d) / deviation : 0;
    to.strongest.push_back({written.layer, written.heads[at], written.components[at], layer, reader.head,
                            reader.through, written.energy[at], scores[i], z});
  }
  if (to.strongest.size() > 100 * count) keepStrongest(to.strongest, count);
}

}  // namespace

Index ComponentChannel::strongest() const {
  Index at = 0;
  share.maxCoeff(&at);
  return at;
}

ComponentChannel componentChannel(const VectorXd& sigma, const VectorXd& score) {
  VITRINE_ASSERT(sigma.size() == score.size() && sigma.size() > 0);
  const VectorXd squares = sigma.cwiseAbs2(), carried = squares.cwiseProduct(score.cwiseAbs2());
  ComponentChannel to{
      .score = score, .share = carried, .energy = squares, .without = VectorXd::Zero(sigma.size())};
  if (const double all = carried.sum(); all > 0) to.share /= all;
  if (const double all = squares.sum(); all > 0) to.energy /= all;
  double entropy = 0;
  for (const double p : to.share)
    if (p > 0) entropy -= p * std::log(p);
  to.effective = carried.sum() > 0 ? std::exp(entropy) : 0;
  // Summed anew without i: differences would leave rounding where one component is nearly all.
  for (Index i = 0; i < sigma.size(); ++i) {
    double rest = 0, rest_carried = 0;
    for (Index j = 0; j < sigma.size(); ++j) {
      rest += j == i ? 0 : squares[j];
      rest_carried += j == i ? 0 : carried[j];
    }
    if (rest > 0) to.without[i] = std::sqrt(rest_carried / rest);
  }
  return to;
}

Result<ComponentChannel> channelOf(const ModelSpec& spec, const CompositionEdge& edge,
                                   const ProductOptions& options) {
  TRY_ASSIGN(const EdgeComponents of, componentsOf(spec, edge, options));
  return componentChannel(of.sigma, of.score);
}

MatrixXd withoutDirection(MatrixXd output, std::uint32_t head, std::uint32_t width, const VectorXd& u) {
  auto written = output.middleCols(Index{head} * width, width);
  const Eigen::RowVectorXd along = u.transpose() * written;
  written -= u * along;
  return output;
}

Result<ComponentSearch> searchComponents(const ModelSpec& spec, std::size_t components, std::size_t count,
                                         std::stop_token stop, const LayerProgress& progress) {
  ComponentSearch found{.dimension = spec.embedding_dim};
  std::vector<WrittenComponents> earlier;
  for (std::uint32_t layer = 0; layer < spec.blocks.size(); ++layer) {
    const AttentionSpec* attention = spec.blocks[layer].attention();
    if (!attention) continue;
    if (progress) progress(layer, spec.blocks.size());
    TRY_ASSIGN(const LayerFactors factors, LayerFactors::read(spec, layer, {}));
    TRY_ASSIGN(const std::vector<LayerReader> readers, readersIn(factors, *attention));
    for (const LayerReader& reader : readers) {
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the search for channels was cancelled");
      for (const WrittenComponents& written : earlier) addScores(written, reader, layer, count, found);
    }
    if (!reasonAgainst(*attention, ProductKind::kOv).empty()) continue;
    TRY_ASSIGN(WrittenComponents written, writtenBy(factors, layer, components));
    earlier.push_back(std::move(written));
  }
  keepStrongest(found.strongest, count);
  return found;
}

}  // namespace vitrine::core
