#include "core/spectra/spectra_benchmark.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <random>

#include "core/engine/clock.h"
#include "core/spectra/device_spectra.h"
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

Result<void> fill(gpu::Device& device, const DeviceSpectra& spectra, const SpectraShape& shape) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(std::size_t{shape.rows} * shape.columns);
  for (std::uint32_t i = 0; i < shape.count; ++i) {
    for (float& value : values) value = normal(random);
    TRY(gpu::upload(device, std::as_bytes(std::span(values)), spectra.input(i)));
  }
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
  constexpr std::uint32_t kWarmUp = 2;
  TRY_ASSIGN(const auto spectra, DeviceSpectra::create(device));
  std::vector<BenchmarkRow> rows;
  for (const SpectraShape& shape : options.shapes) {
    const std::string name = fmt::format("spectra {}x{}x{}", shape.count, shape.rows, shape.columns);
    progress(name);
    TRY(spectra->reserve(shape.rows, shape.columns, shape.count));
    TRY(fill(device, *spectra, shape));
    std::vector<double> all;
    std::map<std::string, std::vector<double>> by_stage;
    for (std::uint32_t i = 0; i < kWarmUp + options.repetitions; ++i) {
      const auto start = Clock::now();
      TRY(spectra->compute());
      const double ms = 1e3 * secondsSince(start);
      if (i < kWarmUp) continue;
      all.push_back(ms);
      TRY_ASSIGN(const auto stages, spectra->stages());
      for (const auto& [stage, of_stage] : stages) by_stage[stage].push_back(of_stage);
    }
    rows.push_back(rowOf(name, std::move(all)));
    for (auto& [stage, ms] : by_stage) rows.push_back(rowOf("  " + stage, std::move(ms)));
  }
  return rows;
}

}  // namespace vitrine::core
