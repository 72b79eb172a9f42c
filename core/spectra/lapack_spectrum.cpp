#include "core/spectra/lapack_spectrum.h"

#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <new>

#include "core/spectra/tridiagonal.h"

// LAPACK's step of dsytrd, which its C interface leaves out: reduces the first nb columns of a symmetric
// matrix and returns in w what the update of the rest needs.
extern "C" void dlatrd_(const char* uplo, const lapack_int* n, const lapack_int* nb, double* a,
                        const lapack_int* lda, double* e, double* tau, double* w, const lapack_int* ldw,
                        std::size_t uplo_length);

namespace vitrine::core {
namespace {

// In column-major order, the lower triangle filled.
struct Gram {
  std::uint64_t n = 0;
  std::vector<double> values;
};

// Floats times floats are exact in double precision and far from its limits: nothing need be scaled.
class GramSum {
 public:
  explicit GramSum(const DenseMatrix& matrix) : matrix_(matrix), wide_(matrix.rows < matrix.columns) {
    gram_.n = matrix.shortSide();
    gram_.values.resize(gram_.n * gram_.n);
    panel_.resize(gram_.n * std::min(kPanel, longSide()));
  }

  Result<Gram> sum(const std::stop_token& stop) {
    for (std::uint64_t first = 0; first < longSide(); first += kPanel) {
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the spectrum was cancelled");
      const std::uint64_t count = std::min(kPanel, longSide() - first);
      fill(first, count);
      // Column-major: a panel of rows is (n, count), of columns (count, n).
      const auto n = static_cast<blasint>(gram_.n), k = static_cast<blasint>(count);
      cblas_dsyrk(CblasColMajor, CblasLower, wide_ ? CblasTrans : CblasNoTrans, n, k, 1, panel_.data(),
                  wide_ ? k : n, first == 0 ? 0 : 1, gram_.values.data(), n);
    }
    return std::move(gram_);
  }

 private:
  static constexpr std::uint64_t kPanel =
      512;  // of the long side: a copy in double precision that stays small

  std::uint64_t longSide() const { return std::max(matrix_.rows, matrix_.columns); }

  void fill(std::uint64_t first, std::uint64_t count) {
    const float* from = matrix_.values.data();
    if (!wide_) {
      std::copy_n(from + first * matrix_.columns, count * matrix_.columns, panel_.begin());
      return;
    }
    for (std::uint64_t row = 0; row < matrix_.rows; ++row)
      std::copy_n(from + row * matrix_.columns + first, count,
                  panel_.begin() + static_cast<std::ptrdiff_t>(row * count));
  }

  const DenseMatrix& matrix_;
  bool wide_;
  Gram gram_;
  std::vector<double> panel_;
};

// Of the whole symmetric matrix.
double sumOfSquares(const Gram& gram) {
  double sum = 0;
  for (std::uint64_t c = 0; c < gram.n; ++c) {
    const double* column = &gram.values[c * gram.n];
    double beside = 0;
    for (std::uint64_t r = c + 1; r < gram.n; ++r) beside += column[r] * column[r];
    sum += column[c] * column[c] + 2 * beside;
  }
  return sum;
}

// As dsytrd does it, panel by panel, so that it can be stopped between them.
Result<Tridiagonal> reduce(Gram gram, const std::stop_token& stop) {
  constexpr lapack_int kColumns = 32;  // of a panel
  const auto n = static_cast<lapack_int>(gram.n);
  Tridiagonal t{.diagonal = std::vector<double>(gram.n), .beside = std::vector<double>(gram.n)};
  std::vector<double> tau(gram.n), w(gram.n * kColumns);
  const auto at = [&](lapack_int row, lapack_int column) {
    return gram.values.data() + static_cast<std::size_t>(column) * gram.n + static_cast<std::size_t>(row);
  };
  lapack_int first = 0;
  for (; first + 2 * kColumns <= n; first += kColumns) {
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the spectrum was cancelled");
    const lapack_int left = n - first, rest = left - kColumns;
    dlatrd_("L", &left, &kColumns, at(first, first), &n, &t.beside[static_cast<std::size_t>(first)],
            &tau[static_cast<std::size_t>(first)], w.data(), &left, 1);
    cblas_dsyr2k(CblasColMajor, CblasLower, CblasNoTrans, rest, kColumns, -1, at(first + kColumns, first), n,
                 w.data() + kColumns, left, 1, at(first + kColumns, first + kColumns), n);
    for (lapack_int i = first; i < first + kColumns; ++i) t.diagonal[static_cast<std::size_t>(i)] = *at(i, i);
  }
  const auto from = static_cast<std::size_t>(first);
  if (LAPACKE_dsytrd(LAPACK_COL_MAJOR, 'L', n - first, at(first, first), n, &t.diagonal[from],
                     &t.beside[from], &tau[from]) != 0)
    return fail(ErrorCode::kOutOfMemory, "LAPACK has no room to reduce a matrix of {0} x {0}", gram.n);
  t.beside.resize(gram.n - 1);
  return t;
}

// Descending.
Result<std::vector<double>> eigenvalues(const Tridiagonal& t) {
  std::vector<double> values = t.diagonal, beside = t.beside;
  beside.resize(values.size());
  if (const lapack_int left =
          LAPACKE_dsterf(static_cast<lapack_int>(values.size()), values.data(), beside.data());
      left != 0)
    return fail(ErrorCode::kUnsupported, "LAPACK's dsterf left {} eigenvalues of {} without convergence",
                left, values.size());
  std::ranges::reverse(values);
  return values;
}

Result<void> requireElements(const DenseMatrix& matrix) {
  if (matrix.shortSide() == 0)
    return fail(ErrorCode::kInvalidArgument, "a matrix of {} x {} has no singular values", matrix.rows,
                matrix.columns);
  return requireFinite(matrix);
}

}  // namespace

void setBlasThreads(int threads) {
  openblas_set_num_threads(threads);
}

Result<Spectrum> lapackSpectrum(const DenseMatrix& matrix, const std::stop_token& stop) try {
  TRY(requireElements(matrix));
  Spectrum spectrum{.rows = matrix.rows, .columns = matrix.columns, .sigma = {}, .certificate = {}};
  const double squares = sumOfSquares(matrix.values);
  TRY_ASSIGN(Gram gram, GramSum(matrix).sum(stop));
  const double fourth = sumOfSquares(gram);
  TRY_ASSIGN(const Tridiagonal t, reduce(std::move(gram), stop));
  TRY_ASSIGN(const std::vector<double> squared, eigenvalues(t));
  certifyByCounts(t, squared, spectrum.certificate);
  for (const double value : squared) spectrum.sigma.push_back(std::sqrt(std::max(value, 0.0)));
  spectrum.floor = gramFloor(spectrum.sigma.front());
  certifyBySums(spectrum, squares, fourth);
  return spectrum;
} catch (const std::bad_alloc&) {
  return fail(ErrorCode::kOutOfMemory,
              "the Gram matrix of a matrix of {} x {} needs {:.1f} GB, which are not free", matrix.rows,
              matrix.columns, 8e-9 * static_cast<double>(matrix.shortSide() * matrix.shortSide()));
}

Result<Spectrum> jacobiSpectrum(const DenseMatrix& matrix) {
  TRY(requireElements(matrix));
  Spectrum spectrum{.rows = matrix.rows, .columns = matrix.columns, .sigma = {}, .certificate = {}};
  // dgesvj wants a tall matrix in column-major order: a wide one is that as it lies.
  const std::uint64_t n = matrix.shortSide(), m = std::max(matrix.rows, matrix.columns);
  std::vector<double> a(n * m);
  if (matrix.rows < matrix.columns)
    std::ranges::copy(matrix.values, a.begin());
  else
    for (std::uint64_t r = 0; r < m; ++r)
      for (std::uint64_t c = 0; c < n; ++c) a[c * m + r] = double{matrix.values[r * n + c]};
  spectrum.sigma.resize(n);
  double stat[6] = {}, unused = 0;
  const auto rows = static_cast<lapack_int>(m), columns = static_cast<lapack_int>(n);
  if (const lapack_int error = LAPACKE_dgesvj(LAPACK_COL_MAJOR, 'G', 'N', 'N', rows, columns, a.data(), rows,
                                              spectrum.sigma.data(), 0, &unused, 1, stat);
      error != 0)
    return fail(ErrorCode::kUnsupported, "LAPACK's dgesvj did not converge (info {})", error);
  for (double& value : spectrum.sigma) value *= stat[0];
  std::ranges::sort(spectrum.sigma, std::greater<>());
  const double squares = sumOfSquares(matrix.values);
  TRY_ASSIGN(const Gram gram, GramSum(matrix).sum({}));
  const double fourth = sumOfSquares(gram);
  certifyBySums(spectrum, squares, fourth);
  return spectrum;
}

}  // namespace vitrine::core
