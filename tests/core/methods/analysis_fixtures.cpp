#include "core/methods/analysis_fixtures.h"

#include <algorithm>
#include <random>
#include <utility>

#include "support/small_model.h"

namespace vitrine::test {

namespace {

std::string matrixName(std::size_t index) {
  return "layers." + std::to_string(index) + ".proj.weight";
}

}  // namespace

std::vector<DenseMatrix> hostileMatrices() {
  std::mt19937 random(7);
  DenseMatrix outliers = gaussian(33, 20, 3);
  outliers.values[5] = 400;
  outliers.values[300] = -900;
  return {gaussian(24, 24, 1), gaussian(17, 31, 2),
          std::move(outliers), toDense(orthonormal(30, 3, random) * orthonormal(12, 3, random).transpose()),
          gaussian(1, 9, 4),   DenseMatrix{8, 6, std::vector<float>(48)}};
}

NamedMatrix namedMatrix(std::string name, DenseMatrix matrix) {
  const std::uint64_t rows = matrix.rows, columns = matrix.columns;
  return {std::move(name), rows, columns,
          [matrix = std::move(matrix)]() -> Result<DenseMatrix> { return matrix; }};
}

core::MatrixPair namedPair(std::string name, const Columns& base, const Columns& tuned) {
  return {std::move(name), std::uint64_t(base.rows()), std::uint64_t(base.cols()),
          [base, tuned]() -> Result<core::TunedMatrix> {
            return core::TunedMatrix{base, tuned, {}};
          }};
}

std::vector<FineTune> hostileTunes() {
  FineTune full{"full", {}}, adapter{"rank 2", {}};
  const std::vector<DenseMatrix> matrices = hostileMatrices();
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    const Columns base = core::toDouble(matrices[i]);
    std::mt19937 random(100 + std::uint32_t(i));
    const Eigen::Index rank = std::min<Eigen::Index>(2, std::min(base.rows(), base.cols()));
    const Columns change = core::toDouble(gaussian(matrices[i].rows, matrices[i].columns, 50));
    full.pairs.push_back(namedPair(matrixName(i), base, base + 0.1 * change));
    adapter.pairs.push_back(namedPair(matrixName(i), base,
                                      base + 2 * orthonormal(base.rows(), rank, random) *
                                                 orthonormal(base.cols(), rank, random).transpose()));
  }
  return {std::move(full), std::move(adapter)};
}

std::shared_ptr<const core::ModelSpec> smallSpec() {
  const ScratchFolder folder;
  writeSmallModel(folder.path(), {});
  const auto checkpoint = core::Checkpoint::open(folder.path());
  VITRINE_ASSERT(checkpoint.has_value());
  auto spec = core::readModelSpec(*checkpoint);
  VITRINE_ASSERT(spec.has_value());
  return std::make_shared<const core::ModelSpec>(std::move(*spec));
}

AnalysisInput inputFor(const Analysis& analysis) {
  AnalysisInput input{.model = "hostile", .parameters = Parameters(analysis.parameters)};
  if (analysis.subject == Subject::kMatrices) {
    std::vector<DenseMatrix> matrices = hostileMatrices();
    for (std::size_t i = 0; i < matrices.size(); ++i)
      input.matrices.push_back(namedMatrix(matrixName(i), std::move(matrices[i])));
    // A mixture of three experts, one of them zero.
    for (std::uint32_t e = 0; e < 3; ++e)
      input.matrices.push_back(
          namedMatrix("layers.0.experts." + std::to_string(e) + ".proj.weight",
                      e == 2 ? DenseMatrix{5, 7, std::vector<float>(35)} : gaussian(5, 7, e)));
  }
  if (analysis.subject == Subject::kFineTunes) input.tunes = hostileTunes();
  if (analysis.subject == Subject::kHeads) input.spec = smallSpec();
  return input;
}

}  // namespace vitrine::test
