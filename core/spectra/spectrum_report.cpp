#include "core/spectra/spectrum_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace vitrine::core {
namespace {

using Json = nlohmann::ordered_json;

// JSON knows no infinity.
Json finite(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json powerLawJson(const std::optional<PowerLaw>& fit) {
  if (!fit) return nullptr;
  return {{"alpha", fit->alpha},         {"alpha_low", fit->alpha_low}, {"alpha_high", fit->alpha_high},
          {"xmin", fit->xmin},           {"distance", fit->distance},   {"tail", fit->tail},
          {"standard_error", fit->sigma}};
}

Json noiseJson(const std::optional<MarchenkoPasturFit>& fit) {
  if (!fit) return nullptr;
  return {{"variance", fit->law.variance},   {"lower_sigma", fit->lower_sigma},
          {"upper_sigma", fit->upper_sigma}, {"spike_sigma", fit->spike_sigma},
          {"spikes", fit->spikes},           {"distance", fit->distance}};
}

Json weightWatcherJson(const SpectrumReport& report) {
  if (!report.weight_watcher) return nullptr;
  const WeightWatcherNumbers& numbers = *report.weight_watcher;
  const char* const flags[] = {"", "over-trained", "under-trained"};
  return {{"alpha", report.weight_watcher_fit->alpha},
          {"D", report.weight_watcher_fit->distance},
          {"xmin", report.weight_watcher_fit->xmin},
          {"num_pl_spikes", report.weight_watcher_fit->tail},
          {"sigma", report.weight_watcher_fit->sigma},
          {"log_norm", finite(numbers.log_norm)},
          {"log_spectral_norm", finite(numbers.log_spectral_norm)},
          {"alpha_weighted", finite(numbers.alpha_weighted)},
          {"log_alpha_norm", finite(numbers.log_alpha_norm)},
          {"entropy", numbers.entropy},
          {"rank", numbers.rank},
          {"flag", flags[static_cast<int>(numbers.flag)]}};
}

Json certificateJson(const SpectrumCertificate& certificate) {
  return {{"energy", certificate.energy},
          {"fourth", certificate.fourth},
          {"sturm_shifts", certificate.shifts},
          {"sturm_agreeing", certificate.agreeing},
          {"upper_bound", certificate.upper_bound}};
}

}  // namespace

SpectrumReport reportOf(std::string name, std::string dtype, Spectrum spectrum,
                        const ReportOptions& options) {
  SpectrumReport report{.name = std::move(name), .dtype = std::move(dtype), .spectrum = std::move(spectrum)};
  const std::vector<double>& sigma = report.spectrum.sigma;
  const std::size_t long_side = std::max(report.spectrum.rows, report.spectrum.columns);
  report.metrics = spectrumMetrics(sigma, report.spectrum.floor);
  report.power_law = fitPowerLaw(sigma, {.floor = report.spectrum.floor, .replicates = options.replicates});
  report.noise = fitMarchenkoPastur(sigma, long_side);
  if (!options.weight_watcher) return report;
  report.weight_watcher_fit = fitPowerLaw(sigma, {.rules = PowerLawRules::kWeightWatcher, .replicates = 0});
  if (report.weight_watcher_fit)
    report.weight_watcher = weightWatcherNumbers(sigma, long_side, *report.weight_watcher_fit);
  return report;
}

Json toJson(const SpectrumReport& report) {
  const SpectrumMetrics& m = report.metrics;
  Json out{
      {"name", report.name},
      {"dtype", report.dtype},
      {"shape", {report.spectrum.rows, report.spectrum.columns}},
      {"sigma", report.spectrum.sigma},
      {"floor", report.spectrum.floor},
      {"frobenius", report.spectrum.frobenius},
      {"nuclear", m.nuclear},
      {"stable_rank", m.stable_rank},
      {"effective_rank", m.effective_rank},
      {"effective_rank_energy", m.effective_rank_energy},
      {"participation", m.participation},
      {"energy_rank", {{"0.90", m.energy_rank[0]}, {"0.95", m.energy_rank[1]}, {"0.99", m.energy_rank[2]}}},
      {"rank", m.rank},
      {"condition", finite(m.condition)},
      {"condition_is_bound", m.condition_is_bound},
      {"alpha", report.power_law ? Json(report.power_law->alpha) : Json(nullptr)},
      {"power_law", powerLawJson(report.power_law)},
      {"marchenko_pastur", noiseJson(report.noise)},
      {"residual", report.spectrum.certificate.energy},
      {"certificate", certificateJson(report.spectrum.certificate)},
      {"solver", name(report.spectrum.path)}};
  if (!report.shuffled.empty()) out["shuffled"] = {{"sigma", report.shuffled}};
  if (report.weight_watcher) out["weightwatcher"] = weightWatcherJson(report);
  return out;
}

}  // namespace vitrine::core
