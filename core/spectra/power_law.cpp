#include "core/spectra/power_law.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace vitrine::core {
namespace {

constexpr double kWeightWatcherFloor = 1e-5;     // of x
constexpr std::size_t kWeightWatcherSmall = 20;  // values; below, its other rules hold
constexpr double kLeastSpread = 1e-9;  // mean ln(x / xmin); a tail of less is one value and rounding

// ln x, ascending, of the values that the rules keep.
std::vector<double> keptLogs(std::span<const double> sigma, const PowerLawOptions& options) {
  bool weight_watcher = options.rules == PowerLawRules::kWeightWatcher;
  std::vector<double> logs;
  for (std::size_t i = sigma.size(); i-- > 0;) {
    double x = sigma[i] * sigma[i];
    bool keep = weight_watcher ? x > kWeightWatcherFloor : sigma[i] > options.floor;
    if (keep && x >= std::numeric_limits<double>::min()) logs.push_back(2 * std::log(sigma[i]));
  }
  return logs;
}

// The Kolmogorov-Smirnov distance between a tail and its law. Both distributions grow along the tail, so the
// ends of a range bound what lies between: a tail is looked at in O(sqrt k) places or so, not in k.
class TailDistance {
 public:
  TailDistance(std::span<const double> logs, double alpha, bool both_sides)
      : logs_(logs),
        slope_(1 - alpha),
        count_(static_cast<double>(logs.size())),
        upper_(both_sides ? 1 : 0) {}

  // Exact where it is under `limit`; otherwise any number from `limit` up.
  double upTo(double limit) {
    limit_ = limit;
    std::size_t last = logs_.size() - 1;
    between(0, last, look(0), look(last));
    return worst_;
  }

 private:
  double look(std::size_t i) {
    double law = -std::expm1(slope_ * (logs_[i] - logs_.front()));
    double below = static_cast<double>(i) / count_;
    worst_ = std::max({worst_, law - below, below + upper_ / count_ - law});
    return law;
  }

  void between(std::size_t low, std::size_t high, double law_low, double law_high) {
    if (high - low < 2 || worst_ >= limit_) return;
    double above_steps = law_high - static_cast<double>(low + 1) / count_;
    double under_steps = (static_cast<double>(high - 1) + upper_) / count_ - law_low;
    if (std::max(above_steps, under_steps) <= worst_) return;
    std::size_t middle = low + (high - low) / 2;
    double law = look(middle);
    between(low, middle, law_low, law);
    between(middle, high, law, law_high);
  }

  std::span<const double> logs_;
  double slope_;
  double count_;
  double upper_;
  double limit_ = 1;
  double worst_ = 0;
};

// Which tails are tried, how alpha follows from one, and what its distance is.
struct TailRules {
  bool distinct = true;
  bool both_sides = true;
  std::size_t least = kLeastTail;
  double lost = 0;  // values that alpha's numerator lacks

  TailRules(PowerLawRules rules, std::size_t values) {
    if (rules == PowerLawRules::kClauset) return;
    distinct = false;
    both_sides = false;
    bool small = values < kWeightWatcherSmall;
    least = small ? kLeastTail : 2;
    lost = small ? 1 : 0;
  }

  double alpha(double count, double sum) const { return 1 + (count - lost) / sum; }
};

struct ChosenTail {
  std::size_t start = 0;
  double alpha = 0;
  double distance = std::numeric_limits<double>::infinity();
};

// The first of the candidates that are nearest to their law.
std::optional<ChosenTail> chooseTail(std::span<const double> logs, const TailRules& rules) {
  std::size_t values = logs.size();
  std::vector<double> sums(values + 1);  // of ln(x / x_max) from i upwards
  for (std::size_t i = values; i-- > 0;) sums[i] = sums[i + 1] + (logs[i] - logs.back());
  ChosenTail best;
  for (std::size_t i = 0; i + rules.least <= values; ++i) {
    if (rules.distinct && i > 0 && logs[i] == logs[i - 1]) continue;
    double count = static_cast<double>(values - i);
    double sum = sums[i] - count * (logs[i] - logs.back());
    if (!(sum > kLeastSpread * count)) continue;
    double alpha = rules.alpha(count, sum);
    double distance = TailDistance(logs.subspan(i), alpha, rules.both_sides).upTo(best.distance);
    if (distance < best.distance) best = {i, alpha, distance};
  }
  if (!std::isfinite(best.distance)) return std::nullopt;
  return best;
}

std::uint64_t splitMix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

double quantileOfSorted(const std::vector<double>& sorted, double share) {
  double place = share * static_cast<double>(sorted.size() - 1);
  auto below = static_cast<std::size_t>(place);
  std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

void bootstrapBand(std::span<const double> tail, const TailRules& rules, const PowerLawOptions& options,
                   PowerLaw& fit) {
  double count = static_cast<double>(tail.size());
  std::vector<double> alphas;
  for (std::size_t replicate = 0; replicate < options.replicates; ++replicate) {
    std::uint64_t stream = splitMix(splitMix(options.seed) + replicate);
    double sum = 0;
    for (std::size_t draw = 0; draw < tail.size(); ++draw) {
      double uniform = static_cast<double>(splitMix(stream + draw) >> 11) * 0x1p-53;
      sum += tail[static_cast<std::size_t>(uniform * count)] - tail.front();
    }
    if (sum > kLeastSpread * count) alphas.push_back(rules.alpha(count, sum));
  }
  if (alphas.empty()) return;
  std::sort(alphas.begin(), alphas.end());
  fit.alpha_low = quantileOfSorted(alphas, 0.05);
  fit.alpha_high = quantileOfSorted(alphas, 0.95);
}

}  // namespace

std::optional<PowerLaw> fitPowerLaw(std::span<const double> sigma, const PowerLawOptions& options) {
  if (sigma.empty() || !std::isfinite(sigma.front() * sigma.front())) return std::nullopt;
  std::vector<double> logs = keptLogs(sigma, options);
  if (logs.size() < kLeastTail) return std::nullopt;
  TailRules rules(options.rules, logs.size());
  std::optional<ChosenTail> chosen = chooseTail(logs, rules);
  if (!chosen) return std::nullopt;

  PowerLaw fit;
  double smallest = sigma[logs.size() - 1 - chosen->start];
  // A candidate inside a run of equal values stands for the whole run.
  auto first = std::lower_bound(logs.begin(), logs.end(), logs[chosen->start]);
  std::span<const double> tail(first, logs.end());
  fit.alpha = fit.alpha_low = fit.alpha_high = chosen->alpha;
  fit.xmin = smallest * smallest;
  fit.distance = chosen->distance;
  fit.tail = tail.size();
  fit.sigma = (fit.alpha - 1) / std::sqrt(static_cast<double>(logs.size() - chosen->start));
  bootstrapBand(tail, rules, options, fit);
  return fit;
}

}  // namespace vitrine::core
