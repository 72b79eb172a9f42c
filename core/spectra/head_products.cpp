#include "core/spectra/head_products.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/reference/reference.h"
#include "core/spectra/dense_product.h"
#include "core/spectra/linear_matrix.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

// W -> W diag(gain), and W diag(gain) (1 - mean) for a layer norm, which subtracts the mean of x first.
Result<void> foldNorm(const std::optional<Norm>& norm, MatrixXd& weight) {
  if (!norm) return {};
  if (norm->weight) {
    TRY_ASSIGN(const MatrixXd stored, expandBase(norm->weight));
    const Eigen::VectorXd gain = stored.col(0).array() + double{norm->gain_offset};
    weight = weight * gain.asDiagonal();
  }
  if (norm->kind == NormKind::kLayer) weight.colwise() -= weight.rowwise().mean().eval();
  return {};
}

// What stands for W_V in a latent attention: W_UV diag(gain) W_down, (heads * value_dim, d).
Result<MatrixXd> latentValues(const LatentSpec& latent) {
  TRY_ASSIGN(MatrixXd up, expandLinear(latent.value_up));
  TRY_ASSIGN(const MatrixXd down, expandLinear(latent.down));
  TRY(foldNorm(latent.norm, up));
  return multiply(up, down);
}

}  // namespace

std::uint32_t keyHeadOf(const AttentionSpec& attention, std::uint32_t head) {
  return attention.latent ? head : head / (attention.heads / attention.kv_heads);
}

std::string productName(ProductKind kind, std::uint32_t layer, std::uint32_t head) {
  return fmt::format("{}.{}.{}", name(kind), layer, head);
}

std::string_view name(ProductKind kind) {
  return kind == ProductKind::kQk ? "qk" : "ov";
}

Result<std::vector<ProductKind>> parseProductKinds(std::string_view list) {
  std::vector<ProductKind> kinds;
  while (!list.empty()) {
    const std::string_view word = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), word.size() + 1));
    if (word != "qk" && word != "ov")
      return fail(ErrorCode::kInvalidArgument, "a product '{}', expected qk or ov", word);
    const ProductKind kind = word == "qk" ? ProductKind::kQk : ProductKind::kOv;
    if (std::ranges::find(kinds, kind) == kinds.end()) kinds.push_back(kind);
  }
  return kinds;
}

std::string reasonAgainst(const AttentionSpec& attention, ProductKind kind) {
  if (kind == ProductKind::kOv)
    return attention.gate ? "the outputs of its heads are gated by the input" : "";
  if (attention.latent) return "its queries and keys are made of normed latents";
  if (attention.query_norm || attention.key_norm) return "it norms queries or keys";
  return "";
}

MatrixXd rotation(const Rope& rope, std::uint32_t head_dim, std::int64_t offset) {
  MatrixXd r = MatrixXd::Identity(head_dim, head_dim);
  const double gain = rope.magnitude * rope.magnitude;
  for (std::size_t i = 0; i < rope.inv_freq.size(); ++i) {
    const bool interleaved = rope.pairing == RopePairing::kInterleaved;
    const auto a = static_cast<Index>(interleaved ? 2 * i : i);
    const auto b = interleaved ? a + 1 : a + static_cast<Index>(rope.inv_freq.size());
    // R(query)^T R(key) turns by the key's angle less the query's.
    const double angle = -static_cast<double>(offset) * rope.inv_freq[i];
    r(a, a) = r(b, b) = gain * std::cos(angle);
    r(a, b) = -gain * std::sin(angle);
    r(b, a) = gain * std::sin(angle);
  }
  return r;
}

Result<LayerFactors> LayerFactors::read(const ModelSpec& spec, std::uint32_t layer,
                                        const ProductOptions& options, std::optional<ProductKind> only) {
  if (layer >= spec.blocks.size() || !spec.blocks[layer].attention())
    return fail(ErrorCode::kInvalidArgument, "layer {} has no attention", layer);
  const BlockSpec& block = spec.blocks[layer];
  LayerFactors factors;
  factors.attention_ = block.attention();
  factors.layer_ = layer;
  factors.options_ = options;
  const AttentionSpec& attention = *factors.attention_;
  const auto folded = [&](Result<MatrixXd> weight) -> Result<MatrixXd> {
    if (weight && options.fold_gains) TRY(foldNorm(block.mixer_norm, *weight));
    return weight;
  };
  const auto wanted = [&](ProductKind kind) {
    return only.value_or(kind) == kind && reasonAgainst(attention, kind).empty();
  };
  if (wanted(ProductKind::kQk)) {
    TRY_ASSIGN(factors.query_, folded(expandLinear(attention.query)));
    TRY_ASSIGN(factors.key_, folded(expandLinear(attention.key)));
  }
  if (wanted(ProductKind::kOv)) {
    TRY_ASSIGN(factors.value_,
               folded(attention.latent ? latentValues(*attention.latent) : expandLinear(attention.value)));
    TRY_ASSIGN(factors.output_, expandLinear(attention.output));
  }
  return factors;
}

Result<LowRankProduct> LayerFactors::product(ProductKind kind, std::uint32_t head) const {
  if (head >= heads())
    return fail(ErrorCode::kInvalidArgument, "layer {} has {} heads, no head {}", layer_, heads(), head);
  if (const std::string reason = reasonAgainst(*attention_, kind); !reason.empty())
    return fail(ErrorCode::kUnsupported, "layer {} has no product {}: {}", layer_,
                kind == ProductKind::kQk ? "QK" : "OV", reason);
  return kind == ProductKind::kQk ? qk(head) : ov(head);
}

Result<LowRankProduct> LayerFactors::qk(std::uint32_t head) const {
  const auto width = static_cast<Index>(attention_->head_dim);
  MatrixXd left = query_.middleRows(Index{head} * width, width).transpose();
  if (attention_->rope)
    left = multiply(left, rotation(*attention_->rope, attention_->head_dim, options_.offset));
  if (options_.score_scale) left *= double{attention_->scale};
  return LowRankProduct{std::move(left), key_.middleRows(Index{keyHeadOf(*attention_, head)} * width, width)};
}

Result<LowRankProduct> LayerFactors::ov(std::uint32_t head) const {
  const auto width =
      static_cast<Index>(attention_->latent ? attention_->latent->value_dim : attention_->head_dim);
  const std::uint32_t kv_head = keyHeadOf(*attention_, head);
  return LowRankProduct{output_.middleCols(Index{head} * width, width),
                        value_.middleRows(Index{kv_head} * width, width)};
}

Result<HeadProducts> headProducts(const ModelSpec& spec, std::span<const ProductKind> kinds,
                                  const ProductOptions& options, std::stop_token stop,
                                  const LayerProgress& progress) {
  HeadProducts found;
  bool any = false;
  for (std::uint32_t layer = 0; layer < spec.blocks.size(); ++layer) {
    const AttentionSpec* attention = spec.blocks[layer].attention();
    if (!attention) continue;
    any = true;
    if (progress) progress(layer, spec.blocks.size());
    TRY_ASSIGN(const LayerFactors factors, LayerFactors::read(spec, layer, options));
    for (const ProductKind kind : kinds) {
      if (const std::string reason = reasonAgainst(*attention, kind); !reason.empty()) {
        found.left_out.push_back(fmt::format("layer {}: no {}: {}", layer, name(kind), reason));
        continue;
      }
      for (std::uint32_t head = 0; head < attention->heads; ++head) {
        if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the products were cancelled");
        TRY_ASSIGN(const LowRankProduct product, factors.product(kind, head));
        TRY_ASSIGN(Spectrum spectrum, productSpectrum(product));
        found.products.push_back({kind, layer, head, std::move(spectrum)});
      }
    }
  }
  if (!any) found.left_out.push_back("no layer has attention, and none a product");
  return found;
}

SpectrumReport reportOf(const HeadProduct& product) {
  SpectrumReport report = reportOf(productName(product.kind, product.layer, product.head), "F64",
                                   product.spectrum, {.replicates = 0});
  report.noise.reset();
  report.power_law.reset();
  return report;
}

nlohmann::ordered_json toJson(const HeadProduct& product, const ModelSpec& spec,
                              const ProductOptions& options) {
  nlohmann::ordered_json out = toJson(reportOf(product));
  const AttentionSpec& attention = *spec.blocks[product.layer].attention();
  out["product"] = name(product.kind);
  out["layer"] = product.layer;
  out["head"] = product.head;
  out["kv_head"] = keyHeadOf(attention, product.head);
  out["gains_folded"] = options.fold_gains;
  if (product.kind == ProductKind::kQk) {
    out["offset"] = options.offset;
    out["score_scale"] =
        options.score_scale ? nlohmann::ordered_json(attention.scale) : nlohmann::ordered_json(1);
  }
  return out;
}

}  // namespace vitrine::core
