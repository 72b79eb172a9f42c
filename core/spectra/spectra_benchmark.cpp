#include "core/spectra/spectra_benchmark.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <random>

#include "core/engine/clock.h"
#include "core/spectra/dense_product.h"
#include "core/spectra/device_spectra.h"
#include "core/spectra/device_svd.h"
#include "core/spectra/small_svd.h"
#include "gpu/commands.h"

namespace vitrine::core {
namespace {

BenchmarkRow rowOf(std::string name, std::vector<double> ms) {
  std::ranges::sort(ms);
  return {.name = std::move(name),
          .unit = "ms",
          .median = ms[ms.size() / 2],
          .min = ms.front(),
          .max = ms.back(),
          .n = static_cast<std::uint32_t>(ms.size())};
}

// DeviceSpectra or SmallSvd.
template <typename Solver>
Result<void> fill(gpu::Device& device, Solver& solver, const SpectraShape& shape) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(std::size_t{shape.rows} * shape.columns);
  for (std::uint32_t i = 0; i < shape.count; ++i) {
    for (float& value : values) value = normal(random);
    TRY(gpu::upload(device, std::as_bytes(std::span(values)), solver.input(i)));
  }
  return {};
}

constexpr std::uint32_t kWarmUp = 2;

// Milliseconds of each compute(); `after` looks at it.
template <typename Solver>
Result<std::vector<double>> time(Solver& solver, std::uint32_t repetitions,
                                 const std::function<Result<void>()>& after = {}) {
  std::vector<double> all;
  for (std::uint32_t i = 0; i < kWarmUp + repetitions; ++i) {
    const auto start = Clock::now();
    TRY(solver.compute());
    const double ms = 1e3 * secondsSince(start);
    if (i < kWarmUp) continue;
    all.push_back(ms);
    if (after) TRY(after());
  }
  return all;
}

Result<void> addVectors(gpu::Device& device, const SpectraShape& shape, std::uint32_t repetitions,
                        std::vector<BenchmarkRow>& rows) {
  const std::pair<SmallSvd::Precision, const char*> kinds[] = {
      {SmallSvd::Precision::kSingle, "  with vectors, f32"},
      {SmallSvd::Precision::kDouble, "  with vectors, f64"}};
  for (const auto& [precision, name] : kinds) {
    TRY_ASSIGN(const auto svd, SmallSvd::create(device, precision));
    TRY(svd->reserve(shape.rows, shape.columns, shape.count));
    TRY(fill(device, *svd, shape));
    TRY_ASSIGN(auto ms, time(*svd, repetitions));
    rows.push_back(rowOf(name, std::move(ms)));
  }
  return {};
}

BenchmarkRow valueRow(std::string name, double value) {
  return {.name = std::move(name), .unit = "", .median = value, .min = value, .max = value, .n = 1};
}

// What the last decomposition is off by.
void addErrors(const Eigen::MatrixXd& a, const FullSvd& svd, std::vector<BenchmarkRow>& rows) {
  const auto fromIdentity = [](const Eigen::MatrixXd& q) {
    const Eigen::MatrixXd products = multiply(q, q, Side::kTransposed);
    return (products - Eigen::MatrixXd::Identity(q.cols(), q.cols())).cwiseAbs().maxCoeff();
  };
  const Eigen::MatrixXd left = multiply(a, svd.v) - svd.u * svd.sigma.asDiagonal();
  rows.push_back(valueRow("    |A V - U S| / |A|", left.norm() / a.norm()));
  rows.push_back(valueRow("    |U^T U - I|", fromIdentity(svd.u)));
  rows.push_back(valueRow("    |V^T V - I|", fromIdentity(svd.v)));
}

// Of one large matrix, from the host and back.
Result<void> addAllVectors(gpu::Device& device, const SpectraShape& shape, std::uint32_t repetitions,
                           std::vector<BenchmarkRow>& rows) {
  TRY_ASSIGN(const auto svd, DeviceSvd::create(device));
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  const Eigen::MatrixXd matrix =
      Eigen::MatrixXd::NullaryExpr(shape.rows, shape.columns, [&] { return normal(random); });
  FullSvd last;
  std::vector<double> all;
  std::map<std::string, std::vector<double>> by_stage;
  for (std::uint32_t i = 0; i < kWarmUp + repetitions; ++i) {
    const auto start = Clock::now();
    TRY_ASSIGN(last, svd->decompose(matrix));
    if (i < kWarmUp) continue;
    all.push_back(1e3 * secondsSince(start));
    for (const auto& [stage, ms] : svd->path().stages) by_stage[stage].push_back(ms);
  }
  rows.push_back(rowOf("  with vectors, f64", std::move(all)));
  for (auto& [stage, ms] : by_stage) rows.push_back(rowOf("    " + stage, std::move(ms)));
  addErrors(matrix, last, rows);
  return {};
}

}  // namespace

Result<SpectraShape> parseSpectraShape(const std::string& text) {
  std::vector<std::uint32_t> numbers;
  for (const char *at = text.data(), *end = at + text.size(); at < end; ++at) {
    std::uint32_t number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc() || number == 0 || (next < end && *next != 'x')) {
      numbers.clear();
      break;
    }
    numbers.push_back(number);
    at = next;
  }
  if (numbers.size() == 2) numbers.insert(numbers.begin(), 1);
  if (numbers.size() != 3)
    return fail(ErrorCode::kInvalidArgument,
                "'{}' is no shape: COUNTxROWSxCOLUMNS or ROWSxCOLUMNS is meant, as 64x128x128", text);
  return SpectraShape{numbers[0], numbers[1], numbers[2]};
}

Result<std::vector<BenchmarkRow>> runSpectraBenchmark(
    gpu::Device& device, const SpectraBenchmarkOptions& options,
    const std::function<void(const std::string&)>& progress) {
  TRY_ASSIGN(const auto spectra, DeviceSpectra::create(device, options.form));
  spectra->reduceBy(options.reduction);
  std::vector<BenchmarkRow> rows;
  for (const SpectraShape& shape : options.shapes) {
    const bool in_pairs = options.form == SumForm::kPair;
    const std::string name =
        fmt::format("spectra {}x{}x{}{}", shape.count, shape.rows, shape.columns, in_pairs ? ", pairs" : "");
    progress(name);
    TRY(spectra->reserve(shape.rows, shape.columns, shape.count));
    TRY(fill(device, *spectra, shape));
    std::map<std::string, std::vector<double>> by_stage;
    TRY_ASSIGN(auto all, time(*spectra, options.repetitions, [&]() -> Result<void> {
                 TRY_ASSIGN(const auto stages, spectra->stages());
                 for (const auto& [stage, ms] : stages)
                   if (ms > 0) by_stage[stage].push_back(ms);
                 return {};
               }));
    rows.push_back(rowOf(name, std::move(all)));
    for (auto& [stage, ms] : by_stage) rows.push_back(rowOf("  " + stage, std::move(ms)));
    if (in_pairs) continue;
    if (std::min(shape.rows, shape.columns) <= kMostSmallSide)
      TRY(addVectors(device, shape, options.repetitions, rows));
    else if (options.vectors && shape.count == 1)
      TRY(addAllVectors(device, shape, options.repetitions, rows));
  }
  return rows;
}

}  // namespace vitrine::core
