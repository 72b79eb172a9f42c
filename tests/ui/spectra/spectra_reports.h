// Snapshots of spectra made up by formulas, for the tests of the Spectra view.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "core/spectra/spectra_worker.h"

namespace vitrine::tests {

// `n` values from `largest` down to `largest` / `spread`, evenly in their logarithm.
inline core::Spectrum gradedSpectrum(std::size_t n, double largest, double spread) {
  core::Spectrum spectrum{
      .rows = n, .columns = 2 * n, .sigma = {}, .floor = largest * 1e-8, .certificate = {}};
  for (std::size_t i = 0; i < n; ++i)
    spectrum.sigma.push_back(largest * std::pow(spread, -double(i) / double(n - 1)));
  for (const double s : spectrum.sigma) spectrum.frobenius += s * s;
  spectrum.frobenius = std::sqrt(spectrum.frobenius);
  spectrum.certificate.shifts = spectrum.certificate.agreeing = std::uint32_t(n);
  return spectrum;
}

inline std::shared_ptr<const core::SpectrumReport> gradedReport(const std::string& name, double largest,
                                                                double spread, std::size_t n = 32) {
  return std::make_shared<const core::SpectrumReport>(
      core::reportOf(name, "F32", gradedSpectrum(n, largest, spread), {.replicates = 2}));
}

// The first 8 of 4096 values, from `largest` down by halves.
inline std::shared_ptr<const core::SpectrumPreview> halvingPreview(double largest) {
  core::SpectrumPreview preview{.rows = 4096, .columns = 8192, .sigma = {}, .residuals = {}};
  for (int i = 0; i < 8; ++i) {
    preview.sigma.push_back(std::ldexp(largest, -i));
    preview.residuals.push_back(0.001 * (i + 1) * largest);
  }
  preview.frobenius = 2 * largest;
  return std::make_shared<const core::SpectrumPreview>(std::move(preview));
}

// Of `layers` layers with attn_q, attn_v and ffn_down, and an embedding; all done but the embedding.
inline std::shared_ptr<core::SpectraSnapshot> spectraOf(std::uint32_t layers) {
  auto names = std::make_shared<std::vector<core::MatrixName>>();
  auto snapshot = std::make_shared<core::SpectraSnapshot>();
  for (std::uint32_t layer = 0; layer < layers; ++layer)
    for (const char* kind : {"attn_q", "attn_v", "ffn_down"}) {
      names->push_back({fmt::format("blk.{}.{}.weight", layer, kind), "F32", 32, 64});
      const double spread = 2 + layer + (kind[5] == 'q' ? 10 : kind[5] == 'v' ? 100 : 1000);
      snapshot->results.push_back({gradedReport(names->back().name, 1 + layer, spread), nullptr});
    }
  names->push_back({"token_embd.weight", "F32", 100, 64});
  snapshot->results.emplace_back();
  snapshot->matrices = std::move(names);
  snapshot->done = snapshot->total() - 1;
  snapshot->state = core::SpectraState::kRunning;
  snapshot->solver = "LAPACK on 2 cores";
  snapshot->seconds = 2;
  snapshot->seconds_left = 1;
  return snapshot;
}

}  // namespace vitrine::tests
