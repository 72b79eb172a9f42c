// Eigenvalues of a symmetric matrix under symmetric noise. H (P, P) has eigenvalues l_i; the noise has
// independent entries of variance v above the diagonal, 2 v on it, and r = sqrt(P v) is half its spectrum's
// radius. In the limit of large P, few spikes on zeros give (Granziol, Zohren & Roberts, arXiv:2006.09092,
// with v = sigma^2 / b for a batch of b; Féral & Péché 2007)
//   l -> l + r^2 / l  where l > r,  the edge 2 r of the noise where not
// and of any other spectrum, by the free convolution with the semicircle (Capitaine et al., arXiv:1006.3684)
//   l_k -> l_k + r^2 mean_{i != k} 1 / (l_k - l_i)  where r^2 mean 1 / (l_k - l_i)^2 < 1
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gpu/error.h"

namespace vitrine::core {

// sqrt(P v) of sigma^2 / b.
double noiseRadius(double sigma, double size, double batch);

// l > 0 of few spikes on zeros.
double spikedValue(double l, double radius);

// Of l = values[k], descending. NaN where it has merged with what lies below it.
double spikeAboveBulk(std::span<const double> values, std::size_t k, double radius);
// The upper edge of values[first] .. under the noise: x + r^2 mean 1 / (x - l_i) where it is least above
// values[first]. The mean is over all P = values.size(), so that spikes before `first` carry no mass.
double bulkEdge(std::span<const double> values, std::size_t first, double radius);

// The first `count` eigenvalues, descending, of diag(values) + noise of radius r: what any H with these
// values has under noise that looks the same in every basis. -r is the same noise with its sign turned: the
// mean of both lacks what noise does in first order. (values.size())^3 4/3 multiplications.
Result<std::vector<double>> noisyEigenvalues(std::span<const double> values, double radius, std::size_t count,
                                             std::uint64_t seed);

}  // namespace vitrine::core
