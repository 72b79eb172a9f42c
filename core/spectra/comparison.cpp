#include "core/spectra/comparison.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/spectra/dense_product.h"
#include "core/spectra/metrics.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using Json = nlohmann::ordered_json;

Result<void> goOn(const std::stop_token& stop) {
  if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the comparison was cancelled");
  return {};
}

// The ranks: directions beyond them are none of the matrix, but what is left over.
void findIntruders(const MatrixXd& cosines, Index base_rank, Index tuned_rank,
                   const ComparisonOptions& options, MatrixComparison& to) {
  to.best_single = to.best_match = VectorXd::Zero(cosines.cols());
  if (base_rank > 0) {
    const MatrixXd present = cosines.topRows(base_rank);
    to.best_match = bestMatch(present, clustersOf(to.base_sigma.head(base_rank), options.cluster_width));
    to.best_single = present.cwiseAbs().colwise().maxCoeff();
  }
  for (VectorXd* best : {&to.best_match, &to.best_single}) best->tail(cosines.cols() - tuned_rank).setOnes();
  for (const std::size_t k : options.intruder_k)
    if (static_cast<Index>(k) <= cosines.cols()) to.intruder_k.push_back(k);
  to.intruder_epsilon = options.intruder_epsilon;
  to.intruders = intruderCounts(to.best_match, to.intruder_k, to.intruder_epsilon);
  to.intruders_single = intruderCounts(to.best_single, to.intruder_k, to.intruder_epsilon);
}

Result<void> measureChange(const FullSvd& base, const MatrixXd& change, const ComparisonOptions& options,
                           MatrixComparison& to) {
  to.change_norm = change.norm();
  to.change = changeMap(base, change, options.map_cells);
  TRY_ASSIGN(const FullSvd svd, options.svd(change));
  const std::vector<double> sigma(svd.sigma.begin(), svd.sigma.end());
  const SpectrumMetrics metrics = spectrumMetrics(sigma, svd.floor());
  to.change_s1 = metrics.s1;
  to.change_stable_rank = metrics.stable_rank;
  to.change_effective_rank = metrics.effective_rank;
  return {};
}

// Of all (i, j) in (n, n) with |i - j| <= band.
double bandElements(double n, double band) {
  return n + 2 * (n * band - band * (band + 1) / 2);
}

std::vector<double> listOf(const VectorXd& values) {
  return {values.begin(), values.end()};
}

Json countsJson(const Eigen::MatrixXi& counts) {
  Json rows = Json::array();
  for (Index e = 0; e < counts.rows(); ++e) {
    Json row = Json::array();
    for (Index k = 0; k < counts.cols(); ++k) row.push_back(counts(e, k));
    rows.push_back(std::move(row));
  }
  return rows;
}

Json changeJson(const MatrixComparison& c) {
  const ChangeMap& map = c.change;
  return {{"frobenius", c.change_norm},
          {"relative", c.base_norm > 0 ? Json(c.change_norm / c.base_norm) : Json(nullptr)},
          {"s1", c.change_s1},
          {"stable_rank", c.change_stable_rank},
          {"effective_rank", c.change_effective_rank},
          {"diagonal", {{"share", map.diagonal_share}, {"expected", map.diagonal_expected}}},
          {"band", {{"width", map.band}, {"share", map.band_share}, {"expected", map.band_expected}}},
          {"corner", {{"side", map.corner}, {"share", map.corner_share}, {"expected", map.corner_expected}}},
          {"outside_share", map.outside_share}};
}

}  // namespace

ChangeMap changeMap(const FullSvd& base, const MatrixXd& change, std::size_t most_cells) {
  const MatrixXd d = multiply(multiply(base.u, change, Side::kTransposed, Side::kAsIs), base.v);
  const Index r = d.rows();
  ChangeMap map{.side = static_cast<std::size_t>(r), .largest = {}};
  map.cells = std::min(map.side, most_cells);
  map.largest.resize(map.cells * map.cells);
  map.band = (map.side + 19) / 20;
  map.corner = (map.side + 9) / 10;
  double diagonal = 0, band = 0, corner = 0;
  for (Index j = 0; j < r; ++j)
    for (Index i = 0; i < r; ++i) {
      const double energy = d(i, j) * d(i, j);
      const auto row = static_cast<std::size_t>(i), column = static_cast<std::size_t>(j);
      if (i == j) diagonal += energy;
      if (static_cast<std::size_t>(std::abs(i - j)) <= map.band) band += energy;
      if (row < map.corner && column < map.corner) corner += energy;
      float& cell = map.largest[row * map.cells / map.side * map.cells + column * map.cells / map.side];
      cell = std::max(cell, static_cast<float>(std::abs(d(i, j))));
    }
  if (const double all = change.squaredNorm(); all > 0) {
    map.diagonal_share = diagonal / all;
    map.band_share = band / all;
    map.corner_share = corner / all;
    map.outside_share = std::max(0.0, 1 - d.squaredNorm() / all);
  }
  const double elements = static_cast<double>(change.size()), n = static_cast<double>(r);
  map.diagonal_expected = n / elements;
  map.band_expected = bandElements(n, std::min(static_cast<double>(map.band), n - 1)) / elements;
  map.corner_expected = static_cast<double>(map.corner * map.corner) / elements;
  return map;
}

Result<MatrixComparison> compareMatrices(const MatrixXd& base, const MatrixXd& tuned,
                                         const ComparisonOptions& options) {
  if (base.rows() != tuned.rows() || base.cols() != tuned.cols())
    return fail(ErrorCode::kInvalidArgument, "matrices of {} x {} and {} x {} cannot be compared",
                base.rows(), base.cols(), tuned.rows(), tuned.cols());
  TRY(goOn(options.stop));
  auto svd0 = options.svd(base);
  if (!svd0) return within("the base", svd0.error());
  TRY(goOn(options.stop));
  auto svd1 = options.svd(tuned);
  if (!svd1) return within("the tuned matrix", svd1.error());
  MatrixComparison to{.rows = static_cast<std::uint64_t>(base.rows()),
                      .columns = static_cast<std::uint64_t>(base.cols()),
                      .base_sigma = svd0->sigma,
                      .tuned_sigma = svd1->sigma,
                      .base_norm = base.norm()};
  const MatrixXd cosines = cosinesOf(svd0->u, svd1->u);
  findIntruders(cosines, svd0->rank(), svd1->rank(), options, to);
  const Index block = std::min(static_cast<Index>(options.block), cosines.rows());
  to.similarity = cosines.topLeftCorner(block, block).cwiseAbs();
  to.phi = subspaceSimilarity(cosines, block);
  const Index k = std::min(static_cast<Index>(options.angle_rank), cosines.rows());
  TRY_ASSIGN(to.angles, principalAngles(svd0->u.leftCols(k), svd1->u.leftCols(k)));
  TRY(goOn(options.stop));
  TRY(measureChange(*svd0, tuned - base, options, to));
  return to;
}

int intrudersAt(const MatrixComparison& comparison, std::size_t k, double epsilon) {
  return intruderCounts(comparison.best_match, {k}, {epsilon})(0, 0);
}

Json toJson(const MatrixComparison& c) {
  const VectorXd moved = c.tuned_sigma - c.base_sigma;
  Json out{{"name", c.name}, {"shape", {c.rows, c.columns}}};
  out["intruders"] = {{"k", c.intruder_k},
                      {"epsilon", c.intruder_epsilon},
                      {"count", countsJson(c.intruders)},
                      {"count_single", countsJson(c.intruders_single)},
                      {"best_match", listOf(c.best_match)}};
  out["sigma_change"] = {{"base", listOf(c.base_sigma)},
                         {"tuned", listOf(c.tuned_sigma)},
                         {"largest", moved.cwiseAbs().maxCoeff()},
                         {"nuclear", moved.sum()}};
  out["phi_diagonal"] = listOf(c.phi.diagonal());
  out["delta"] = changeJson(c);
  out["angles"] = c.angles;
  if (c.adapter)
    out["adapter"] = {{"nominal_rank", c.adapter->nominal},
                      {"rank", c.adapter->rank},
                      {"stable_rank", c.adapter->stable},
                      {"effective_rank", c.adapter->effective},
                      {"sigma", c.adapter->sigma}};
  return out;
}

}  // namespace vitrine::core
