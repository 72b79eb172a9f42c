// The products of a model's heads (head_products.h) as what SpectraWorker computes, a row a head.
#pragma once

#include "core/adapter/adapter_choice.h"
#include "core/spectra/head_products.h"
#include "core/spectra/spectra_source.h"

namespace vitrine::core {

struct ProductRequest {
  std::filesystem::path model;
  std::vector<AdapterChoice> adapters;
  ProductKind kind = ProductKind::kQk;
  ProductOptions options;
  unsigned threads = 0;  // 0: as many as there are cores
};

// Rows "qk.LAYER.HEAD" by layer and head; layers without such a product are left out with the reason.
std::shared_ptr<SpectraSource> productSource(ProductRequest request);
std::shared_ptr<SpectraSource> productSource(std::shared_ptr<const ModelSpec> spec, ProductRequest request);

// What the factors of a layer's products are made with, and what of its attention they leave out.
std::vector<std::pair<std::string, std::string>> foldedInto(const BlockSpec& block, ProductKind kind,
                                                            const ProductOptions& options);

}  // namespace vitrine::core
