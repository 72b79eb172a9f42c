#include "core/spectra/jacobi_sweeps.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <numeric>
#include <random>

#include "core/spectra/dense_product.h"

namespace vitrine::core {
namespace {

template <typename T>
using Columns = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

template <typename T>
struct RotationIn {
  T c = 1, s = 0, tau = 0;
};

GivensForm givensFormOf(RotationForm form) {
  return form == RotationForm::kReciprocal ? GivensForm::kReciprocal
         : form == RotationForm::kTextbook ? GivensForm::kTextbook
                                           : GivensForm::kDivide;
}

template <typename T>
RotationIn<T> rotationOf(T zeta, RotationForm form) {
  // 1 / |t|; the root is |zeta| to rounding long before its square leaves the range.
  const T large = std::abs(zeta),
          cotangent = large > T(1e8) ? 2 * large : large + std::sqrt(1 + large * large);
  if (!std::isfinite(cotangent)) return {};
  if (form != RotationForm::kRutishauser) {
    const Givens<T> g = givens(cotangent, std::copysign(T(1), zeta), givensFormOf(form));
    return {g.c, g.s, 0};
  }
  const T t = std::copysign(T(1) / cotangent, zeta), c = T(1) / std::sqrt(1 + t * t), s = c * t;
  return {c, s, s / (1 + c)};
}

template <typename T>
class Sweeper {
 public:
  Sweeper(Columns<T>& a, const JacobiOptions& options) : a_(a), options_(options) {}

  // Makes columns i < j orthogonal; false where they are.
  bool meet(Eigen::Index i, Eigen::Index j) {
    T *x = a_.col(i).data(), *y = a_.col(j).data();
    T aa = 0, bb = 0, ab = 0;
    for (Eigen::Index r = 0; r < a_.rows(); ++r) {
      aa += x[r] * x[r];
      bb += y[r] * y[r];
      ab += x[r] * y[r];
    }
    constexpr T kTiny = std::numeric_limits<T>::epsilon();
    if (!(std::abs(ab) > kTiny * std::sqrt(aa) * std::sqrt(bb))) return false;
    if (options_.factor == PairFactor::kTriangular)
      remove(x, y, ab / aa);
    else
      turn(x, y, rotationOf((bb - aa) / (2 * ab), options_.form));
    return true;
  }

 private:
  void remove(const T* x, T* y, T share) {
    for (Eigen::Index r = 0; r < a_.rows(); ++r) y[r] -= share * x[r];
  }

  void turn(T* x, T* y, const RotationIn<T>& by) {
    const bool modified = options_.form == RotationForm::kRutishauser;
    for (Eigen::Index r = 0; r < a_.rows(); ++r) {
      const T p = x[r], q = y[r];
      x[r] = modified ? p - by.s * (q + by.tau * p) : by.c * p - by.s * q;
      y[r] = modified ? q + by.s * (p - by.tau * q) : by.s * p + by.c * q;
    }
  }

  Columns<T>& a_;
  const JacobiOptions& options_;
};

// The pairs of a sweep that do not depend on the matrix.
class Pairs {
 public:
  Pairs(std::uint32_t n, const JacobiOptions& options) : n_(n), rule_(options.rule), random_(options.seed) {}

  template <typename Meet>
  void sweep(const Meet& meet) {
    const std::uint64_t pairs = std::uint64_t{n_} * (n_ - 1) / 2;
    if (rule_ == PivotRule::kCyclic) {
      for (std::uint32_t i = 0; i < n_; ++i)
        for (std::uint32_t j = i + 1; j < n_; ++j) meet(i, j);
    } else if (rule_ == PivotRule::kRandom) {
      for (std::uint64_t k = 0; k < pairs; ++k) {
        const auto i = static_cast<std::uint32_t>(random_() % n_);
        const auto other = static_cast<std::uint32_t>(random_() % (n_ - 1)),
                   j = other < i ? other : other + 1;
        meet(std::min(i, j), std::max(i, j));
      }
    } else {
      for (const auto& round : disjointPairs(n_, n_ % 2 == 0 ? n_ - 1 : n_, random_()))
        for (const auto& [i, j] : round) meet(i, j);
    }
  }

 private:
  std::uint32_t n_;
  PivotRule rule_;
  std::mt19937_64 random_;
};

// Keeps A^T A beside the columns, in double precision and anew for each sweep, to find its largest entry.
template <typename T>
void greedySweep(const Columns<T>& a, Sweeper<T>& sweeper) {
  const Eigen::Index n = a.cols();
  const Eigen::MatrixXd start = a.template cast<double>();
  Eigen::MatrixXd gram = multiply(start, start, Side::kTransposed);
  for (Eigen::Index k = 0; k < n * (n - 1) / 2; ++k) {
    Eigen::Index row = 0, column = 0;
    double largest = 0;
    for (Eigen::Index j = 1; j < n; ++j)
      for (Eigen::Index i = 0; i < j; ++i)
        if (const double g = std::abs(gram(i, j)); g > largest) largest = g, row = i, column = j;
    if (largest == 0) return;
    if (!sweeper.meet(row, column)) {
      gram(row, column) = 0;  // at rounding level
      continue;
    }
    for (const Eigen::Index changed : {row, column}) {
      const Eigen::VectorXd x = a.col(changed).template cast<double>();
      for (Eigen::Index i = 0; i < n; ++i) {
        double dot = 0;
        for (Eigen::Index r = 0; r < a.rows(); ++r) dot += double{a(r, i)} * x[r];
        gram(std::min(i, changed), std::max(i, changed)) = dot;
      }
    }
    gram(row, column) = 0;
  }
}

template <typename T>
void measure(const Columns<T>& a, JacobiHistory<T>& history) {
  const Eigen::MatrixXd columns = a.template cast<double>();
  Eigen::MatrixXd gram = multiply(columns, columns, Side::kTransposed);
  const double all = gram.squaredNorm();
  const Eigen::VectorXd lengths = gram.diagonal().cwiseSqrt();
  gram.diagonal().setZero();
  history.off.push_back(all > 0 ? gram.squaredNorm() / all : 0);
  double potential = std::numeric_limits<double>::infinity();
  if ((lengths.array() > 0).all()) {
    const Eigen::VectorXd inverse = lengths.cwiseInverse();
    gram = inverse.asDiagonal() * gram * inverse.asDiagonal();
    gram.diagonal().setOnes();
    const Eigen::LLT<Eigen::MatrixXd> factor(gram);
    if (factor.info() == Eigen::Success)
      potential = -2 * Eigen::MatrixXd(factor.matrixL()).diagonal().array().log().sum();
  }
  history.potential.push_back(potential);
}

}  // namespace

std::string_view name(GivensForm form) {
  switch (form) {
    case GivensForm::kDivide:
      return "divide";
    case GivensForm::kReciprocal:
      return "reciprocal";
    case GivensForm::kTextbook:
      return "textbook";
  }
  return "";
}

std::string_view name(PivotRule rule) {
  switch (rule) {
    case PivotRule::kCyclic:
      return "cyclic";
    case PivotRule::kGreedy:
      return "greedy";
    case PivotRule::kRandom:
      return "random";
    case PivotRule::kRandomDisjoint:
      return "random disjoint";
  }
  return "";
}

std::string_view name(RotationForm form) {
  return form == RotationForm::kRutishauser ? "Rutishauser" : name(givensFormOf(form));
}

std::vector<PairRound> roundRobinPairs(std::uint32_t n) {
  // Column `even - 1` sits still while the others go round; it is no column where n is odd.
  const std::uint32_t even = n + n % 2;
  std::vector<PairRound> all(even > 1 ? even - 1 : 0);
  for (std::uint32_t r = 0; r < all.size(); ++r)
    for (std::uint32_t k = 0; k < even / 2; ++k) {
      const std::uint32_t i = k == 0 ? even - 1 : (r + k) % (even - 1), j = (r + even - 1 - k) % (even - 1);
      if (std::max(i, j) < n) all[r].emplace_back(std::min(i, j), std::max(i, j));
    }
  return all;
}

std::vector<PairRound> disjointPairs(std::uint32_t n, std::size_t rounds, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  std::vector<PairRound> all(rounds);
  for (auto& round : all) {
    for (std::uint32_t left = n; left > 1; --left) std::swap(order[left - 1], order[random() % left]);
    for (std::uint32_t i = 0; i + 1 < n; i += 2)
      round.emplace_back(std::min(order[i], order[i + 1]), std::max(order[i], order[i + 1]));
  }
  return all;
}

template <typename T>
JacobiHistory<T> jacobiSweeps(Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> matrix,
                              const JacobiOptions& options, const std::stop_token& stop) {
  JacobiHistory<T> history;
  measure(matrix, history);
  Sweeper<T> sweeper(matrix, options);
  Pairs pairs(static_cast<std::uint32_t>(matrix.cols()), options);
  for (; history.sweeps < options.sweeps && !stop.stop_requested(); ++history.sweeps) {
    if (options.rule == PivotRule::kGreedy)
      greedySweep(matrix, sweeper);
    else if (matrix.cols() > 1)
      pairs.sweep([&](std::uint32_t i, std::uint32_t j) { sweeper.meet(i, j); });
    measure(matrix, history);
  }
  for (Eigen::Index i = 0; i < matrix.cols(); ++i)
    history.sigma.push_back(matrix.col(i).template cast<double>().norm());
  std::ranges::sort(history.sigma, std::greater<>());
  history.columns = std::move(matrix);
  return history;
}

template JacobiHistory<float> jacobiSweeps(Eigen::MatrixXf, const JacobiOptions&, const std::stop_token&);
template JacobiHistory<double> jacobiSweeps(Eigen::MatrixXd, const JacobiOptions&, const std::stop_token&);

}  // namespace vitrine::core
