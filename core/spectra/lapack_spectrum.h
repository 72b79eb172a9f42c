// Spectra on the CPU: OpenBLAS and LAPACKE.
#pragma once

#include <stop_token>

#include "core/spectra/dense_matrix.h"
#include "core/spectra/spectrum.h"

namespace vitrine::core {

// Gram matrix of the short side, its tridiagonal form, its eigenvalues. Runs on the calling thread alone when
// setBlasThreads(1) was called, and then several calls may run at once.
// kInvalidFile for NaN or infinity (requireFinite); kInvalidArgument for a matrix without elements;
// kOutOfMemory where the Gram matrix does not fit; kCancelled when stopped, for a short side of 4,096 within
// a second.
Result<Spectrum> lapackSpectrum(const DenseMatrix& matrix, const std::stop_token& stop = {});

// By one-sided Jacobi rotations on the matrix in double precision (dgesvj): each value to its own relative
// accuracy as far as the matrix determines it, also far below the floor of the above (whose `floor` becomes
// 0 here), in many times the time.
Result<Spectrum> jacobiSpectrum(const DenseMatrix& matrix);

// How many threads a call of BLAS uses from now on, in the whole process.
void setBlasThreads(int threads);

}  // namespace vitrine::core
