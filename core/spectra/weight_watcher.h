// A layer's numbers as WeightWatcher 0.7.7 names and computes them, for comparison with what was published
// with it. In: singular values s_1 >= .. >= s_n >= 0 of a matrix; x = s^2, not divided by the matrix's size;
// logarithms to base 10, as there. Most depend on the matrix's scale: that is the definition, not a slip.
// Martin & Mahoney, "Implicit self-regularization in deep neural networks", JMLR 22 (2021), arXiv:1810.01075;
// Martin, Peng & Mahoney, "Predicting trends in the quality of state-of-the-art neural networks without
// access to training or testing data", Nature Communications 12 (2021), arXiv:2002.06716.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "core/spectra/power_law.h"

namespace vitrine::core {

enum class TrainingFlag { kNone, kOverTrained, kUnderTrained };

// Over-trained: alpha < 2. Under-trained: alpha > 6. Rules of thumb of WeightWatcher.
TrainingFlag trainingFlag(double alpha);

struct WeightWatcherNumbers {
  double log_norm = 0;           // log sum x
  double log_spectral_norm = 0;  // log x_1
  double alpha_weighted = 0;     // alpha log x_1
  double log_alpha_norm = 0;     // log sum x^alpha
  double entropy = 0;            // -sum p ln p / ln rank with p = x / sum x, in [0, 1]; 0 where the rank is 1
  std::size_t rank = 0;          // values above s_1 (long side) 2^-52, as NumPy counts them
  TrainingFlag flag = TrainingFlag::kNone;
};

// `fit` by PowerLawRules::kWeightWatcher, of the same values. Nothing for a zero matrix.
std::optional<WeightWatcherNumbers> weightWatcherNumbers(std::span<const double> sigma, std::size_t long_side,
                                                         const PowerLaw& fit);

}  // namespace vitrine::core
