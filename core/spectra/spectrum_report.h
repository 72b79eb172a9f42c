// A matrix's spectrum with all that is read off it, as tables, JSON and figures show it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "core/spectra/marchenko_pastur.h"
#include "core/spectra/metrics.h"
#include "core/spectra/power_law.h"
#include "core/spectra/spectrum.h"
#include "core/spectra/weight_watcher.h"

namespace vitrine::core {

struct SpectrumReport {
  std::string name, dtype;  // "blk.3.attn_q.weight", "Q4_1"
  Spectrum spectrum;
  SpectrumMetrics metrics;
  std::optional<PowerLaw> power_law;        // Clauset's rules
  std::optional<MarchenkoPasturFit> noise;  // of the bulk
  // As WeightWatcher computes them, where that was asked for.
  std::optional<PowerLaw> weight_watcher_fit;
  std::optional<WeightWatcherNumbers> weight_watcher;
  // Singular values of the same elements in random order (shuffled.h), where those were asked for.
  std::vector<double> shuffled = {};
};

struct ReportOptions {
  bool weight_watcher = false;
  std::size_t replicates = 100;  // of the power law's bootstrap
};

SpectrumReport reportOf(std::string name, std::string dtype, Spectrum spectrum,
                        const ReportOptions& options = {});

// {name, dtype, shape, sigma, frobenius, stable_rank, effective_rank, participation, alpha, residual, ..};
// what could not be fitted is null.
nlohmann::ordered_json toJson(const SpectrumReport& report);

}  // namespace vitrine::core
