// What `vitrine spectra` was asked for, and the parts of it that have a file of their own.
#pragma once

#include <string>
#include <vector>

#include "app/context.h"
#include "core/figure/figure.h"
#include "core/spectra/composition.h"
#include "core/spectra/fine_tunes.h"
#include "core/spectra/head_products.h"
#include "core/spectra/matrix_catalogue.h"

namespace vitrine::app {

struct SpectraOptions {
  std::string model, tensors, solver = "auto";
  unsigned threads = 0;
  core::ReportOptions report;
  bool json = false;
  bool shuffled = false;
  std::string products;  // "qk,ov"
  bool composition = false;
  bool raw_products = false;  // without gains and score scale
  std::int64_t rope_offset = 0;
  std::string base;  // compares with it instead
  double epsilon = 0.5;
  std::size_t first = 10;
  std::int64_t top = 0;                           // only so many of the largest, with vectors
  double tolerance = 1e-4;                        // of their residuals, relative to the largest value
  std::string method;                             // ID:key=value,.. of family analysis, instead
  std::string prompt, text, tuned_text, sibling;  // what the method runs the model on
  std::string figure, metric = "stable_rank", preset = "icml-column", formats = "pdf,svg,csv,npz",
                      out = "figures";
  std::string colormap = "viridis";

  core::ProductOptions productOptions() const {
    return {.fold_gains = !raw_products, .score_scale = !raw_products, .offset = rope_offset};
  }
};

// Products of heads and their composition, of a model with its adapters.
struct SpectraOfHeads {
  std::shared_ptr<core::ModelSpec> spec;  // null: none were asked for
  core::HeadProducts products;
  std::optional<core::CompositionGraph> composition;

  std::vector<core::SpectrumReport> reports() const;
};
Result<SpectraOfHeads> computeHeads(const Common& common, const SpectraOptions& options);
void addToJson(const SpectraOfHeads& heads, const SpectraOptions& options, nlohmann::ordered_json& out);
// The strongest edges, and what was left out and why.
void printHeads(const SpectraOfHeads& heads);

// MODEL and, where the method looks at those, its fine-tunes; app/spectra_method.cpp.
Result<void> runMethod(const Common& common, const SpectraOptions& options);

// MODEL where it is a fine-tune of `options.base` beside what --adapter adds to that; empty where it is the
// base.
std::filesystem::path tunedPath(const Common& common, const SpectraOptions& options);
// For what needs double precision. Null: LAPACK is meant, or auto and no device computes faster.
Result<std::unique_ptr<gpu::Device>> doublesDevice(const Common& common, const std::string& solver);
// Those that `options.tensors` names; kNotFound where there is none.
Result<std::vector<core::StoredMatrix>> chosenMatrices(const core::Checkpoint& checkpoint,
                                                       const SpectraOptions& options);
Result<void> findTop(const Common& common, const SpectraOptions& options);

// A device's where `solver` asks for it, or, being auto, one computes faster than LAPACK; else LAPACK's. What
// it needs lives as long as it does.
Result<core::SvdSolver> svdSolver(const Common& common, const std::string& solver);
Result<void> compareWithBase(const Common& common, const SpectraOptions& options);

// In the formats that were asked for; prints the files.
Result<void> writeSpectraFigure(const Common& common, const SpectraOptions& options,
                                const core::Figure& figure);

}  // namespace vitrine::app
