// Matrices with chosen singular values, and what LAPACK in double precision finds in them.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "core/spectra/dense_matrix.h"
#include "core/spectra/spectrum.h"

namespace vitrine::test {

using core::DenseMatrix;
using core::Spectrum;
using core::SpectrumCertificate;

using Columns = Eigen::MatrixXd;
using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Orthonormal columns.
Columns orthonormal(Eigen::Index rows, Eigen::Index columns, std::mt19937& random);

// Products: each of Eigen's own is a second of compiling in every file that writes it out.
Columns product(const Columns& a, const Columns& b);
Columns fromSvd(const Columns& u, const Eigen::VectorXd& sigma, const Columns& v);  // u diag(sigma) v^T
Columns gramMinusIdentity(const Columns& a);                                        // a^T a - 1

DenseMatrix toDense(const Columns& a);

DenseMatrix withSigma(Eigen::Index rows, Eigen::Index columns, const Eigen::VectorXd& sigma,
                      std::uint32_t seed = 1);

DenseMatrix gaussian(std::uint64_t rows, std::uint64_t columns, std::uint32_t seed = 1);

DenseMatrix bfloat16Matrix();

// A block a row, random but for its scales.
DenseMatrix q4kMatrix();

// The spectra of the gates in research/svd.md: those of weights, and those that break solvers.
struct Shape {
  std::string name;
  Eigen::VectorXd sigma;
};
std::vector<Shape> hostileSpectra(Eigen::Index n);

// By dgesdd on the same numbers.
std::vector<double> referenceSigma(const DenseMatrix& matrix);

// Worst errors of a spectrum against the reference, with s1 the largest of the latter.
struct SigmaErrors {
  double absolute = 0;    // / s1, of all
  double certain = 0;     // / s1, where s >= 1e-6 s1
  double relative_3 = 0;  // / s, where s >= 1e-3 s1
  double relative_5 = 0;  // / s, where s >= 1e-5 s1
};
SigmaErrors errorsOf(const std::vector<double>& sigma, const std::vector<double>& expected);

// How far spectra may be off: the errors above, ||s - s'|| / ||s||, the certificate's residuals.
struct SigmaGates {
  SigmaErrors errors;
  double norm = 0, residual = 0;
};
// Of research/svd.md, section 4, for spectra through a Gram matrix in double precision.
inline constexpr SigmaGates kDoubleGates{{5e-8, 1e-9, 1e-9, 5e-6}, 1e-7, 1e-12};
// In pairs of floats, 64 times as coarse; what is far below the largest value is off by the root of that. A
// few times what was found.
inline constexpr SigmaGates kPairGates{{2e-7, 1e-9, 1e-9, 1e-5}, 1e-7, 1e-12};

double normError(const std::vector<double>& sigma, const std::vector<double>& expected);
void expectGates(const Spectrum& spectrum, const DenseMatrix& matrix, const SigmaGates& gates = kDoubleGates);

}  // namespace vitrine::test
