// Truncated SVD of rows as they arrive, against the decomposition of all rows so far.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/methods/support/for_each.h"
#include "core/methods/support/panels.h"
#include "core/methods/support/summaries.h"
#include "core/spectra/full_svd.h"
#include "core/spectra/lapack_spectrum.h"
#include "core/spectra/streaming_svd.h"
#include "core/spectra/subspaces.h"

namespace vitrine::core::methods::fast_tsvd_update {
namespace {

// Exact decompositions stand beside it.
constexpr SizeLimit kLimit{.elements = std::uint64_t{1} << 24, .short_side = 2'048};
constexpr std::size_t kPlaces = 10;               // of the stream at which both are looked at
constexpr std::size_t kLeading = 8;               // values and directions
constexpr double kOversampling = 8, kPasses = 6;  // of a randomized SVD with two power iterations

constexpr Parameter kParameters[] = {
    {.name = "rank",
     .fallback = 48,
     .least = 1,
     .most = 512,
     .unit = "",
     .help = "values and vectors that are kept"},
    {.name = "block", .fallback = 16, .least = 1, .most = 256, .unit = "rows", .help = "of an update"},
};

struct Stream {
  std::vector<double> leading,
      kept;  // (places): largest |s' - s| / s1 of the first values, of all that are kept
  std::vector<double> exact, tracked, upper;  // at the end
  double angle = 0;                           // the largest between the leading right directions, radians
  double work = 0;                            // multiplications against a randomized SVD after each block
  std::uint32_t reorthogonalized = 0;
};

double worstOf(const std::vector<double>& found, const std::vector<double>& exact, std::size_t count) {
  double worst = 0;
  for (std::size_t i = 0; i < std::min({count, found.size(), exact.size()}); ++i)
    worst = std::max(worst, std::abs(found[i] - exact[i]));
  return exact.front() > 0 ? worst / exact.front() : 0;
}

// Leading terms: projection, QR of what is left and rotation of the basis against six products with what has
// come.
double workOf(std::uint64_t rows, std::uint64_t width, double rank, double block) {
  const double n = static_cast<double>(width), kept = std::min(rank, n);
  const double update = n * (2 * block * kept + 2 * block * block + (kept + block) * kept);
  const double blocks = std::ceil(static_cast<double>(rows) / block);
  const double again = kPasses * n * (kept + kOversampling) * static_cast<double>(rows) * (blocks + 1) / 2;
  return update * blocks / again;
}

Result<double> angleAtEnd(const DenseMatrix& matrix, const Eigen::MatrixXd& vectors) {
  TRY_ASSIGN(const FullSvd svd, fullSvd(matrix));
  constexpr double kLeast = 1e-5;  // of the largest: below it directions are those of rounding to float32
  const Eigen::Index present = (svd.sigma.array() > kLeast * svd.sigma[0]).count();
  const auto count = std::min({static_cast<Eigen::Index>(kLeading), present, vectors.cols()});
  if (count == 0) return 0.0;
  TRY_ASSIGN(const auto angles, principalAngles(svd.v.leftCols(count), vectors.leftCols(count)));
  return angles.back();
}

Result<Stream> follow(const DenseMatrix& matrix, const AnalysisInput& input) {
  const auto rank = static_cast<std::uint32_t>(input.parameters.count("rank"));
  const auto block = static_cast<std::uint32_t>(input.parameters.count("block"));
  StreamingSvd svd(static_cast<std::uint32_t>(matrix.columns), {.rank = rank, .block = block});
  Stream stream;
  std::uint64_t seen = 0;
  for (std::size_t place = 1; place <= kPlaces; ++place) {
    if (input.stop.stop_requested()) return fail(ErrorCode::kCancelled, "cancelled");
    const std::uint64_t until = std::max<std::uint64_t>(1, matrix.rows * place / kPlaces);
    TRY(svd.add(std::span(matrix.values).subspan(seen * matrix.columns, (until - seen) * matrix.columns)));
    seen = until;
    const DenseMatrix so_far{
        seen,
        matrix.columns,
        {matrix.values.begin(), matrix.values.begin() + static_cast<std::ptrdiff_t>(seen * matrix.columns)}};
    TRY_ASSIGN(const Spectrum exact, lapackSpectrum(so_far, input.stop));
    TRY_ASSIGN(stream.tracked, svd.sigma());
    stream.leading.push_back(worstOf(stream.tracked, exact.sigma, kLeading));
    stream.kept.push_back(worstOf(stream.tracked, exact.sigma, rank));
    stream.exact = exact.sigma;
  }
  for (const double sigma : stream.tracked) stream.upper.push_back(svd.upperBound(sigma));
  TRY_ASSIGN(stream.angle, angleAtEnd(matrix, svd.vectors()));
  stream.work = workOf(matrix.rows, matrix.columns, rank, block);
  stream.reorthogonalized = svd.reorthogonalized();
  return stream;
}

Table tableOf(const AnalysisInput& input, const std::vector<Stream>& all) {
  Table table{.title = "Truncated SVD of rows as they arrive, after the last one",
              .columns = {{"tensor", "", ""},
                          {"rows", "", "of the stream"},
                          {"width", "", ""},
                          {"leading error / s1", "", "largest |s' - s| of the first 8 values, over s1"},
                          {"kept error / s1", "", "of all values that are kept"},
                          {"bound / s", "", "of the eighth value: how far the proven upper bound is above"},
                          {"angle", "rad", "largest principal angle between the first 8 right directions"},
                          {"work", "", "multiplications over those of a randomized SVD after each block"},
                          {"re-orthogonalized", "", "times"}},
              .rows = {}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Stream& s = all[i];
    const std::size_t at = std::min(kLeading, s.tracked.size()) - 1;
    table.rows.push_back({input.matrices[i].name, std::int64_t(input.matrices[i].rows),
                          std::int64_t(input.matrices[i].columns), s.leading.back(), s.kept.back(),
                          s.tracked[at] > 0 ? s.upper[at] / s.tracked[at] : std::nan(""), s.angle, s.work,
                          std::int64_t{s.reorthogonalized}});
  }
  return table;
}

std::vector<double> numbered(std::size_t count) {
  std::vector<double> numbers;
  for (std::size_t i = 1; i <= count; ++i) numbers.push_back(static_cast<double>(i));
  return numbers;
}

// A logarithmic axis has no place for an error of zero.
std::vector<std::vector<double>> drawn(const std::vector<Stream>& all, std::vector<double> Stream::*errors) {
  std::vector<std::vector<double>> curves;
  for (const Stream& stream : all) {
    curves.push_back(stream.*errors);
    for (double& error : curves.back()) error = error > 1e-16 ? error : std::nan("");
  }
  return curves;
}

Figure figureOf(const AnalysisInput& input, const std::vector<Stream>& all) {
  std::vector<double> shares;
  for (std::size_t place = 1; place <= kPlaces; ++place)
    shares.push_back(static_cast<double>(place) / kPlaces);
  Panel errors;
  errors.x = {.label = "share of the rows"};
  errors.y = {.label = "largest error / s1", .scale = AxisScale::kLog};
  errors.lines = {medianWithRange("first 8 values", shares, drawn(all, &Stream::leading)),
                  medianWithRange("all that are kept", shares, drawn(all, &Stream::kept))};
  const Stream& first = all.front();
  const std::size_t kept = first.tracked.size();
  Panel values;
  values.x = {.label = "number"};
  values.y = {.label = "singular value"};
  values.lines = {unmarked({.label = "all rows",
                            .x = numbered(kept),
                            .y = {first.exact.begin(), first.exact.begin() + std::ptrdiff_t(kept)}},
                           0),
                  unmarked({.label = "tracked", .x = numbered(kept), .y = first.tracked}, 1),
                  dashed({.label = "its upper bound", .x = numbered(kept), .y = first.upper}, 1)};
  return {.name = "fast-tsvd-update",
          .caption = fmt::format(
              "Truncated SVD ({}) of the rows of {} matrices of {} as they arrive: errors of its values "
              "against all rows so far (median, range over the matrices); right, {} after the last row.",
              input.parameters.text(), all.size(), input.model, input.matrices.front().name),
          .panels = {std::move(errors), std::move(values)}};
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  TRY_ASSIGN(const auto all, forEachMatrix<Stream>(input, [&](const DenseMatrix& matrix, const NamedMatrix&) {
               return follow(matrix, input);
             }));
  std::vector<double> leading, angles, work;
  for (const Stream& stream : all) {
    leading.push_back(stream.leading.back());
    angles.push_back(stream.angle * 180 / std::numbers::pi);
    work.push_back(stream.work);
  }
  std::string note = fmt::format(
      "After the last row the first {} values are off by {:.1e} of s1 and their directions by {:.2g} "
      "degrees (medians), for {:.2g} of the multiplications of a randomized SVD after each block.",
      kLeading, finiteMedian(leading), finiteMedian(angles), finiteMedian(work));
  return AnalysisResult{
      .tables = {tableOf(input, all)}, .figures = {figureOf(input, all)}, .notes = {std::move(note)}};
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "fast-tsvd-update",
    .title = "Updated truncated SVD",
    .paper =
        "Deng et al.: Fast Updating Truncated SVD for Representation Learning with Sparse Matrices "
        "(arXiv:2401.09703); Zha & Simon 1999; Brand 2006",
    .summary =
        "A truncated SVD that takes in rows by blocks: drift of its values and directions from the exact "
        "ones, a "
        "proven bound, and its work beside decomposing again.",
    .equation =
        "[S V^T; E] = [S 0; E V, R^T] [V, Q]^T with (I - V V^T) E^T = Q R; SVD of the core, cut to rank k; "
        "s' <= s <= sqrt(s'^2 + slack), slack the smaller of sum ||D_t||^2 and sum ||D_t||_F^2 of what was "
        "cut",
    .cost =
        "n (2 b k + 2 b^2 + (k + b) k) multiplications a block of b rows, n (k + b) doubles; exact SVDs "
        "beside it",
    .unchecked =
        "The paper's own saving on sparse rows (residuals kept implicitly, factors rotated lazily): weights "
        "and "
        "activations are dense. Accuracy of representations learned with it.",
    .subject = Subject::kMatrices,
    .parameters = kParameters,
    .limit = kLimit,
    .run = run,
};

}  // namespace vitrine::core::methods::fast_tsvd_update
