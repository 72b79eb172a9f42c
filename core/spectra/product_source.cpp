#include "core/spectra/product_source.h"

#include <algorithm>

#include "core/adapter/attach_adapter.h"

namespace vitrine::core {
namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

std::string normText(const BlockSpec& block, const ProductOptions& options) {
  if (!options.fold_gains) return "left out";
  if (!block.mixer_norm) return "none in front of the layer";
  const bool layer_norm = block.mixer_norm->kind == NormKind::kLayer;
  const std::string gain = block.mixer_norm->weight ? "its gain" : "no gain to fold";
  return layer_norm ? "layer norm: " + gain + " and its centring" : "RMS norm: " + gain;
}

std::string ropeText(const AttentionSpec& attention, std::int64_t offset) {
  if (!attention.rope) return "none";
  return offset == 0 ? "identity (offset 0)" : fmt::format("turned by offset {}", offset);
}

void append(std::string& list, bool there, std::string_view what) {
  if (there) list += (list.empty() ? "" : ", ") + std::string(what);
}

std::string leftOutOf(const BlockSpec& block, ProductKind kind) {
  const AttentionSpec& attention = *block.attention();
  std::string list;
  if (kind == ProductKind::kQk) {
    append(list, bool(attention.query.bias) || bool(attention.key.bias), "biases");
    append(list, attention.soft_cap > 0, "soft cap");
    append(list, !attention.alibi_slopes.empty(), "ALiBi");
    append(list, bool(attention.sinks), "sinks");
  } else {
    append(list, bool(attention.value.bias) || bool(attention.output.bias), "biases");
    append(list, block.mixer_post_norm.has_value(), "norm behind the layer");
    append(list, block.mixer_scale != 1, "residual multiplier");
  }
  return list.empty() ? "nothing" : list;
}

class ProductSource : public SpectraSource {
 public:
  ProductSource(std::shared_ptr<const ModelSpec> spec, ProductRequest request)
      : request_(std::move(request)), spec_(std::move(spec)) {}

  Result<SpectraRows> open() override {
    if (!spec_) {
      TRY_ASSIGN(spec_, read());
    }
    SpectraRows rows{.names = {}, .costs = {}, .solver = lapackSolverText(request_.threads)};
    for (std::uint32_t layer = 0; layer < spec_->blocks.size(); ++layer) addLayer(layer, rows);
    return rows;
  }

  Result<void> compute(const std::stop_token& stop, const Settle& settle) override {
    for (const Layer& layer : layers_) {
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the products were cancelled");
      const auto factors = LayerFactors::read(*spec_, layer.layer, request_.options, request_.kind);
      std::vector<std::size_t> heads(layer.heads);
      for (std::size_t head = 0; head < heads.size(); ++head) heads[head] = head;
      TRY(forRows(heads, request_.threads, stop, [&](std::size_t head) {
        settle(layer.first_row + head, resultOf(factors, layer.layer, std::uint32_t(head)));
      }));
    }
    return {};
  }

 private:
  struct Layer {
    std::uint32_t layer = 0, heads = 0;
    std::size_t first_row = 0;
  };

  Result<std::shared_ptr<const ModelSpec>> read() const {
    TRY_ASSIGN(const auto checkpoint, Checkpoint::open(request_.model));
    TRY_ASSIGN(ModelSpec spec, readModelSpec(checkpoint));
    for (const AdapterChoice& adapter : request_.adapters) TRY(attachAdapter(spec, adapter));
    return std::make_shared<const ModelSpec>(std::move(spec));
  }

  void addLayer(std::uint32_t layer, SpectraRows& rows) {
    const BlockSpec& block = spec_->blocks[layer];
    const AttentionSpec* attention = block.attention();
    const std::string reason = attention ? reasonAgainst(*attention, request_.kind) : "it has no attention";
    if (!reason.empty()) {
      rows.left_out.push_back(fmt::format("Layer {}: {}", layer, reason));
      return;
    }
    const std::uint32_t rank = request_.kind == ProductKind::kOv && attention->latent
                                   ? attention->latent->value_dim
                                   : attention->head_dim;
    const auto folded = std::make_shared<const Facts>(foldedInto(block, request_.kind, request_.options));
    const std::uint64_t width = attention->output.weight.rows;
    layers_.push_back({layer, attention->heads, rows.names.size()});
    for (std::uint32_t head = 0; head < attention->heads; ++head) {
      rows.names.push_back({productName(request_.kind, layer, head), "", width, width,
                            ProductOrigin{layer, head, keyHeadOf(*attention, head), rank, folded}});
      rows.costs.push_back(double(width) * rank * rank);
    }
  }

  MatrixResult resultOf(const Result<LayerFactors>& factors, std::uint32_t layer, std::uint32_t head) const {
    const auto refused = [](const Error& error) {
      return MatrixResult{nullptr, std::make_shared<const std::string>(error.describe())};
    };
    if (!factors) return refused(factors.error());
    const auto product = factors->product(request_.kind, head);
    if (!product) return refused(product.error());
    auto spectrum = productSpectrum(*product);
    if (!spectrum) return refused(spectrum.error());
    return {std::make_shared<const SpectrumReport>(
                reportOf(HeadProduct{request_.kind, layer, head, std::move(*spectrum)})),
            nullptr};
  }

  ProductRequest request_;
  std::shared_ptr<const ModelSpec> spec_;
  std::vector<Layer> layers_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> foldedInto(const BlockSpec& block, ProductKind kind,
                                                            const ProductOptions& options) {
  const AttentionSpec& attention = *block.attention();
  Facts facts{{"Input norm", normText(block, options)}};
  if (attention.latent && kind == ProductKind::kOv)
    facts.emplace_back("Latent's norm", "its gain, between the factors");
  if (kind == ProductKind::kQk) {
    facts.emplace_back("Rotary", ropeText(attention, options.offset));
    facts.emplace_back("Scale of the scores",
                       options.score_scale ? fmt::format("{:.4g}", attention.scale) : "left out");
  }
  facts.emplace_back("Left out", leftOutOf(block, kind));
  return facts;
}

std::shared_ptr<SpectraSource> productSource(ProductRequest request) {
  return std::make_shared<ProductSource>(nullptr, std::move(request));
}

std::shared_ptr<SpectraSource> productSource(std::shared_ptr<const ModelSpec> spec, ProductRequest request) {
  return std::make_shared<ProductSource>(std::move(spec), std::move(request));
}

}  // namespace vitrine::core
