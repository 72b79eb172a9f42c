// Spectra of rows that arrive one after another: the hidden states of a growing sequence, a head's keys and
// values. What is kept is a Gram matrix in double precision, so that no row is looked at twice and the
// singular values are there when they are asked for. These are the plain references of what the engine does
// on the device (core/engine/live_spectra.h).
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <span>
#include <vector>

#include "gpu/error.h"

namespace vitrine::core {

// Of all rows so far, exactly: G = sum of x x^T, (width, width). A Gram matrix cannot give rows back without
// losing digits: where rows leave (a window that slides, a sequence that is cut), start over from those that
// stay.
class RunningGram {
 public:
  explicit RunningGram(std::uint32_t width);

  // `rows` is (n, width). kInvalidFile with the row, counted from the first ever added, and the column of a
  // NaN or infinity; nothing is taken then. kInvalidArgument where it does not consist of whole rows.
  Result<void> add(std::span<const float> rows);
  void reset();

  std::uint64_t rows() const { return rows_; }
  const Eigen::MatrixXd& gram() const { return gram_; }
  Result<std::vector<double>> sigma() const;  // (min(rows, width)), as gramSigma()

 private:
  std::uint64_t rows_ = 0;
  Eigen::MatrixXd gram_;
};

// Of the last `window` rows, exactly, however many there were: G = X X^T of the rows in a ring, of which each
// new row replaces a row and a column. Nothing is subtracted, so nothing is lost.
class WindowGram {
 public:
  WindowGram(std::uint32_t width, std::uint32_t window);

  Result<void> add(std::span<const float> rows);  // errors as RunningGram's
  void reset();

  std::uint64_t rows() const { return rows_; }  // ever added
  std::uint32_t held() const;                   // in the window
  Result<std::vector<double>> sigma() const;    // (min(held, width))

 private:
  std::uint32_t width_, window_;
  std::uint64_t rows_ = 0;
  Eigen::MatrixXd ring_;  // (width, window): a row of the stream is a column
  Eigen::MatrixXd gram_;  // (window, window)
};

// The first `count` singular values, descending, of a matrix with this Gram matrix, of which the lower
// triangle is read: roots of its eigenvalues, 0 for what rounding made negative. At or below
// gramFloor(sigma[0]) (spectrum.h) they are known to be small, not how small. kInvalidFile where the matrix
// is not finite, kUnsupported where LAPACK does not converge.
Result<std::vector<double>> gramSigma(Eigen::MatrixXd gram, std::size_t count);

// As many singular values as the matrix has rows, and in its place the vectors: row i, of unit length, is
// that of value i along its rows. Errors as gramSigma's, and then the matrix is undefined.
Result<std::vector<double>> gramVectors(std::span<double> gram);

// Errors as RunningGram::add's; `first` is the number of the first row.
Result<void> requireFiniteRows(std::span<const float> rows, std::uint32_t width, std::uint64_t first);

}  // namespace vitrine::core
