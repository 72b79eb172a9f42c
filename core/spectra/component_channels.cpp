#include "core/spectra/component_channels.h"

#include <algorithm>
#include <cmath>

#include "gpu/error.h"

namespace vitrine::core {

using Eigen::Index;
using Eigen::VectorXd;

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

}  // namespace vitrine::core
