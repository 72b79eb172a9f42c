// A fine-tune against its base as what SpectraWorker computes: a row a matrix that both have.
#pragma once

#include "core/adapter/adapter_choice.h"
#include "core/spectra/model_comparison.h"
#include "core/spectra/spectra_source.h"
#include "gpu/device.h"

namespace vitrine::core {

// Of a row: MatrixResult::report is of the fine-tune's matrix.
struct ComparedMatrix {
  MatrixComparison comparison;
  SpectrumReport base;
};

struct ComparisonRequest {
  std::filesystem::path base;
  std::filesystem::path tuned;          // a model; not looked at where there are adapters
  std::vector<AdapterChoice> adapters;  // added to the base
  ComparisonOptions options;
  gpu::Device* device =
      nullptr;           // decomposes where it is faster (DeviceSvd::isFaster), and outlives the source
  unsigned threads = 0;  // 0: as many as there are cores; one a matrix
};

// The cheapest matrices first. The maps of the change are kept element by element where all of them fit into
// about 400 MB, otherwise as options.map_cells says. Refuses models without a matrix in common: kNotFound.
std::shared_ptr<SpectraSource> comparisonSource(ComparisonRequest request);

// {comparison, the fine-tune's spectrum}; nothing is fitted to spectra of comparisons.
MatrixResult comparedResult(MatrixComparison comparison);

}  // namespace vitrine::core
