// xLSTM with matrix memories (arXiv:2405.04517) in the shape of xLSTM 7B (arXiv:2503.13427).
#include <cmath>

#include "core/arch/support/mamba.h"
#include "core/arch/support/parts.h"

namespace vitrine::core::arch::xlstm {
namespace {

constexpr Key kLayers = {"num_hidden_layers", ""}, kBlocks = {"num_blocks", ""};
constexpr Key kWidth = {"hidden_size", ""}, kEmbedding = {"embedding_dim", ""};
constexpr Key kHeads = {"num_heads", ""}, kBias = {"use_bias", ""}, kOutNorm = {"add_out_norm", ""};
constexpr Key kKeyPart = {"qk_dim_factor", ""}, kValuePart = {"v_dim_factor", ""};
constexpr Key kMlpPart = {"ffn_proj_factor", ""}, kMlpMultiple = {"ffn_round_up_to_multiple_of", ""};
constexpr Key kNormEpsilon = {"norm_eps", ""}, kLeast = {"eps", ""};
constexpr Key kGateCap = {"gate_soft_cap", ""}, kLogitCap = {"output_logit_soft_cap", ""};
constexpr Key kWeightMode = {"weight_mode", ""};

struct Sizes {
  std::uint32_t layers = 0, width = 0, heads = 0, keys = 0, values = 0, mlp = 0;  // of all heads together
  float epsilon = 0, least = 0, gate_cap = 0, logit_cap = 0;
  bool bias = false, fused = false;
};

// A part of the width that the heads share evenly.
Result<std::uint32_t> shareOfWidth(const Hparams& hparams, Key key, double otherwise, const Sizes& sizes) {
  TRY_ASSIGN(const double part, hparams.positiveOr(key, otherwise));
  const double rows = std::floor(part * sizes.width);
  if (rows < 1 || rows > kWidestLayer || static_cast<std::uint32_t>(rows) % sizes.heads != 0)
    return hparams.refuse(
        key, fmt::format("a factor that makes of {} a multiple of the {} heads", sizes.width, sizes.heads));
  return static_cast<std::uint32_t>(rows);
}

Result<std::uint32_t> mlpWidth(const Hparams& hparams, std::uint32_t width) {
  TRY_ASSIGN(const double part, hparams.positiveOr(kMlpPart, 2.667));
  TRY_ASSIGN(const std::uint32_t multiple, hparams.countOr(kMlpMultiple, 64, kWidestLayer));
  const double rows = std::floor((part * width + multiple - 1) / multiple) * multiple;
  if (rows < 1 || rows > kWidestLayer) return hparams.refuse(kMlpPart, "a sensible factor of the width");
  return static_cast<std::uint32_t>(rows);
}

Result<Sizes> readSizes(const Hparams& hparams) {
  Sizes sizes;
  TRY_ASSIGN(sizes.layers, hparams.count(hparams.has(kLayers) ? kLayers : kBlocks, kMostLayers));
  TRY_ASSIGN(sizes.width, hparams.count(hparams.has(kWidth) ? kWidth : kEmbedding, kWidestLayer));
  TRY_ASSIGN(sizes.heads, hparams.count(kHeads, kMostHeads));
  TRY_ASSIGN(sizes.keys, shareOfWidth(hparams, kKeyPart, 0.5, sizes));
  if (sizes.keys / sizes.heads > kMostStates)
    return hparams.refuse(kKeyPart, fmt::format("a factor for at most {} keys a head", kMostStates));
  TRY_ASSIGN(sizes.values, shareOfWidth(hparams, kValuePart, 1, sizes));
  TRY_ASSIGN(sizes.mlp, mlpWidth(hparams, sizes.width));
  TRY_ASSIGN(sizes.epsilon, readEpsilon(hparams, kNormEpsilon, 1e-6));
  TRY_ASSIGN(sizes.least, readEpsilon(hparams, kLeast, 1e-6));
  TRY_ASSIGN(const double gate_cap, hparams.positiveOr(kGateCap, 15));
  TRY_ASSIGN(const double logit_cap, hparams.positiveOr(kLogitCap, 30));
  sizes.gate_cap = static_cast<float>(gate_cap);
  sizes.logit_cap = static_cast<float>(logit_cap);
  TRY_ASSIGN(sizes.bias, hparams.flagOr(kBias, false));
  TRY_ASSIGN(const bool out_norm, hparams.flagOr(kOutNorm, true));
  if (!out_norm) return hparams.refuse(kOutNorm, "true");
  TRY_ASSIGN(const std::string mode, hparams.textOr(kWeightMode, "single"));
  if (mode != "single" && mode != "fused") return hparams.refuse(kWeightMode, "single or fused");
  sizes.fused = mode == "fused";
  return sizes;
}

Linear rowsOf(const Linear& fused, std::uint64_t first, std::uint64_t rows) {
  Linear part = fused;
  for (WeightRef* weight : {&part.weight, &part.bias}) {
    if (!*weight) continue;
    weight->first_row = first;
    weight->rows = rows;
  }
  return part;
}

Result<Norm> readNorm(Weights& weights, const std::string& name, std::uint64_t length, const Sizes& sizes) {
  TRY_ASSIGN(Norm norm, readRmsNorm(weights, name, length, sizes.epsilon));
  if (sizes.bias) {
    TRY_ASSIGN(norm.bias, weights.vector(name + ".bias", length));
  }
  return norm;
}

Result<void> readProjections(Weights& weights, const std::string& in, const Sizes& sizes, MlstmSpec& spec) {
  const std::uint64_t keys = sizes.keys, values = sizes.values, heads = sizes.heads, width = sizes.width;
  if (sizes.fused) {
    TRY_ASSIGN(const Linear all,
               readLinear(weights, in + "qkv_opreact", 2 * keys + 2 * values, width, sizes.bias));
    TRY_ASSIGN(const Linear gates, readLinear(weights, in + "ifgate_preact", 2 * heads, width, true));
    spec.query = rowsOf(all, 0, keys);
    spec.key = rowsOf(all, keys, keys);
    spec.value = rowsOf(all, 2 * keys, values);
    spec.output_gate = rowsOf(all, 2 * keys + values, values);
    spec.input_gate = rowsOf(gates, 0, heads);
    spec.forget_gate = rowsOf(gates, heads, heads);
    return {};
  }
  TRY_ASSIGN(spec.query, readLinear(weights, in + "q", keys, width, sizes.bias));
  TRY_ASSIGN(spec.key, readLinear(weights, in + "k", keys, width, sizes.bias));
  TRY_ASSIGN(spec.value, readLinear(weights, in + "v", values, width, sizes.bias));
  TRY_ASSIGN(spec.output_gate, readLinear(weights, in + "ogate_preact", values, width, sizes.bias));
  TRY_ASSIGN(spec.input_gate, readLinear(weights, in + "igate_preact", heads, width, true));
  TRY_ASSIGN(spec.forget_gate, readLinear(weights, in + "fgate_preact", heads, width, true));
  return {};
}

Result<MlstmSpec> readMixer(Weights& weights, const std::string& in, const Sizes& sizes) {
  MlstmSpec spec{.width = sizes.width,
                 .heads = sizes.heads,
                 .key_dim = sizes.keys / sizes.heads,
                 .value_dim = sizes.values / sizes.heads};
  TRY(readProjections(weights, in, sizes, spec));
  spec.gate_soft_cap = sizes.gate_cap;
  spec.least = sizes.least;
  TRY_ASSIGN(spec.norm, readNorm(weights, in + "multihead_norm", sizes.values, sizes));
  spec.norm.kind = NormKind::kLayer;
  TRY_ASSIGN(spec.output, readLinear(weights, in + "out_proj", sizes.width, sizes.values, sizes.bias));
  return spec;
}

Result<DenseMlpSpec> readChannel(Weights& weights, const std::string& in, const Sizes& sizes) {
  if (!sizes.fused)
    return readMlp(weights, {in + "proj_up_gate", in + "proj_up", in + "proj_down"}, sizes.width, sizes.mlp,
                   Activation::kSilu, sizes.bias);
  DenseMlpSpec spec;
  spec.width = sizes.mlp;
  TRY_ASSIGN(const Linear both, readLinear(weights, in + "proj_up_gate_z", 2 * std::uint64_t{sizes.mlp},
                                           sizes.width, sizes.bias));
  spec.gate = rowsOf(both, 0, sizes.mlp);
  spec.up = rowsOf(both, sizes.mlp, sizes.mlp);
  TRY_ASSIGN(spec.down, readLinear(weights, in + "proj_down", sizes.width, sizes.mlp, sizes.bias));
  return spec;
}

Result<ModelSpec> read(const Source& source) {
  ModelSpec spec;
  TRY_ASSIGN(const Sizes sizes, readSizes(source.hparams));
  spec.context_length = kEndlessContext;
  TRY(readEnds(source, {"backbone.embeddings", "backbone.out_norm", "lm_head"}, sizes.width, sizes.epsilon,
               false, spec));
  spec.logit_soft_cap = sizes.logit_cap;
  for (std::uint32_t layer = 0; layer < sizes.layers; ++layer) {
    const std::string in = fmt::format("backbone.blocks.{}.", layer);
    BlockSpec block;
    TRY_ASSIGN(block.mixer_norm, readNorm(source.weights, in + "norm_mlstm", sizes.width, sizes));
    TRY_ASSIGN(MlstmSpec mixer, readMixer(source.weights, in + "mlstm_layer.", sizes));
    block.mixers.emplace_back(std::move(mixer));
    TRY_ASSIGN(block.channel_norm, readNorm(source.weights, in + "norm_ffn", sizes.width, sizes));
    TRY_ASSIGN(block.channel, readChannel(source.weights, in + "ffn.", sizes));
    spec.blocks.push_back(std::move(block));
  }
  return spec;
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"xlstm"}, .gguf_names = {}, .read = read};

}  // namespace vitrine::core::arch::xlstm
