// What an attention head multiplies: not W_Q, W_K, W_V and W_O, whose spectra move with any change of basis
// inside of the head (W_Q -> A W_Q, W_K -> A^-T W_K leaves all scores as they are), but the two products
//   QK = W_Q,h^T R W_K,g    (d, d): score = x_query^T QK x_key
//   OV = W_O,h W_V,g        (d, d): what head h adds to the stream of a token, per weight, is OV x_key
// of rank head_dim, h a query head and g = h / (heads / kv_heads) its kv head; Elhage et al., "A mathematical
// framework for transformer circuits" (2021). Never formed: low_rank_product.h.
//
// x is the block's input over its root mean square (or deviation): a factor of each token. Folded in are the
// gain of the block's input norm and, of a layer norm, its centring. Left out are biases, and everything
// after the products: soft caps, ALiBi, sinks, the norm behind the mixer, residual multipliers.
//   R = R(query)^T R(key): the rotary embedding at `offset` = query position - key position, magnitudes
//       included; the identity where the model has none.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>

#include "core/model/model_spec.h"
#include "core/spectra/low_rank_product.h"
#include "core/spectra/spectrum_report.h"

namespace vitrine::core {

// Of work that goes layer by layer.
using LayerProgress = std::function<void(std::size_t layer, std::size_t layers)>;

enum class ProductKind { kQk, kOv };
std::string_view name(ProductKind kind);  // "qk", "ov"
// "qk,ov", each once.
Result<std::vector<ProductKind>> parseProductKinds(std::string_view list);

struct ProductOptions {
  bool fold_gains = true;
  bool score_scale = true;  // QK times the scores' factor, AttentionSpec::scale: what the softmax then sees
  std::int64_t offset = 0;  // in tokens
};

// The factors of one layer, expanded and with adapters added.
class LayerFactors {
 public:
  // Those of one kind of product alone, where it is named. kInvalidArgument for a layer without attention;
  // errors of reading.
  static Result<LayerFactors> read(const ModelSpec& spec, std::uint32_t layer, const ProductOptions& options,
                                   std::optional<ProductKind> only = {});

  std::uint32_t heads() const { return attention_->heads; }
  // kUnsupported with the reason where a layer has no such product:
  //   QK  norms of queries or keys, a latent's norms: the score is not bilinear in x
  //   OV  a gate on the heads' outputs
  Result<LowRankProduct> product(ProductKind kind, std::uint32_t head) const;

 private:
  LayerFactors() = default;
  Result<LowRankProduct> qk(std::uint32_t head) const;
  Result<LowRankProduct> ov(std::uint32_t head) const;

  const AttentionSpec* attention_ = nullptr;  // of the spec, which outlives this
  std::uint32_t layer_ = 0;
  ProductOptions options_;
  Eigen::MatrixXd query_, key_, value_;  // (heads * width, d)
  Eigen::MatrixXd output_;               // (d, heads * width)
};

// Why a layer has no such product, or empty.
std::string reasonAgainst(const AttentionSpec& attention, ProductKind kind);

// The kv head of a query head, in a latent attention the head itself.
std::uint32_t keyHeadOf(const AttentionSpec& attention, std::uint32_t head);

// "qk.LAYER.HEAD"
std::string productName(ProductKind kind, std::uint32_t layer, std::uint32_t head);

// (head_dim, head_dim), R above for an offset.
Eigen::MatrixXd rotation(const Rope& rope, std::uint32_t head_dim, std::int64_t offset);

struct HeadProduct {
  ProductKind kind = ProductKind::kQk;
  std::uint32_t layer = 0, head = 0;
  Spectrum spectrum;
};

struct HeadProducts {
  std::vector<HeadProduct> products;  // by layer, kind, head
  std::vector<std::string> left_out;  // a sentence a layer and kind
};

// Of all layers with attention. kCancelled when stopped, between heads.
Result<HeadProducts> headProducts(const ModelSpec& spec, std::span<const ProductKind> kinds,
                                  const ProductOptions& options = {}, std::stop_token stop = {},
                                  const LayerProgress& progress = {});

// Named "qk.LAYER.HEAD". Products of noise do not follow Marchenko and Pastur's law: nothing is fitted.
SpectrumReport reportOf(const HeadProduct& product);
// reportOf's JSON with {product, layer, head, kv_head, offset, gains_folded, score_scale}.
nlohmann::ordered_json toJson(const HeadProduct& product, const ModelSpec& spec,
                              const ProductOptions& options);

}  // namespace vitrine::core
