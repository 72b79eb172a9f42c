#include "core/engine/recurrent_examples.h"

#include "core/arch/support/linear_attention.h"
#include "core/arch/support/parts.h"

namespace vitrine::core::test_models {
namespace {

using nlohmann::json;
using Shape = std::vector<std::uint64_t>;

void addMatrix(Example& to, const std::string& name, std::uint64_t rows, std::uint64_t columns) {
  to.tensors.push_back({name + ".weight", {rows, columns}});
}

void addLayerNorm(Example& to, const std::string& name, std::uint64_t width) {
  for (const char* part : {".weight", ".bias"}) to.tensors.push_back({name + part, {width}});
}

// A model of nothing but linear attention, from what readers of whole families read of a layer.
constexpr std::uint32_t kLinearLayers = 2;

Example linearEnds() {
  Example model{json::object(), {}};
  addMatrix(model, "emb", kVocabulary, kLinearWidth);
  addMatrix(model, "head", kVocabulary, kLinearWidth);
  model.tensors.push_back({"norm.weight", {kLinearWidth}});
  for (std::uint32_t layer = 0; layer < kLinearLayers; ++layer)
    model.tensors.push_back({fmt::format("{}.norm.weight", layer), {kLinearWidth}});
  return model;
}

template <typename ReadMixer>
Result<ModelSpec> linearModel(const Example& model, ReadMixer mixer) {
  const test::ScratchFolder folder;
  test::writeRandomCheckpoint(folder.path(), model.config, model.tensors, 0.25f, 1);
  ModelSpec spec;
  TRY_ASSIGN(spec.checkpoint, Checkpoint::open(folder.path()));
  arch::Weights weights(*spec.checkpoint);
  spec.embedding_dim = kLinearWidth;
  spec.vocab_size = kVocabulary;
  spec.context_length = 64;
  TRY_ASSIGN(spec.token_embedding, weights.matrix("emb.weight", kVocabulary, kLinearWidth));
  TRY_ASSIGN(spec.head.weight, weights.matrix("head.weight", kVocabulary, kLinearWidth));
  TRY_ASSIGN(spec.final_norm, arch::readRmsNorm(weights, "norm", kLinearWidth, 1e-5f));
  for (std::uint32_t layer = 0; layer < kLinearLayers; ++layer) {
    BlockSpec block;
    TRY_ASSIGN(block.mixer_norm,
               arch::readRmsNorm(weights, fmt::format("{}.norm", layer), kLinearWidth, 1e-5f));
    TRY_ASSIGN(auto one, mixer(*spec.checkpoint, weights, fmt::format("{}.attention.", layer), layer));
    block.mixers.emplace_back(std::move(one));
    spec.blocks.push_back(std::move(block));
  }
  spec.unread_tensors = weights.unread();
  return spec;
}

constexpr arch::LightningSizes kLightning = {
    .embedding = kLinearWidth, .heads = 3, .head_dim = 13, .layers = kLinearLayers};

}  // namespace

Example rwkv4() {
  constexpr std::uint64_t kWidth = 36, kChannels = 52, kInner = 75;
  Example model{{{"model_type", "rwkv"},
                 {"num_hidden_layers", 2},
                 {"hidden_size", kWidth},
                 {"attention_hidden_size", kChannels},
                 {"intermediate_size", kInner},
                 {"vocab_size", kVocabulary}},
                {}};
  addMatrix(model, "rwkv.embeddings", kVocabulary, kWidth);
  addLayerNorm(model, "rwkv.blocks.0.pre_ln", kWidth);
  addLayerNorm(model, "rwkv.ln_out", kWidth);
  addMatrix(model, "head", kVocabulary, kWidth);
  for (int layer = 0; layer < 2; ++layer) {
    const std::string in = fmt::format("rwkv.blocks.{}.", layer), time = in + "attention.",
                      channel = in + "feed_forward.";
    addLayerNorm(model, in + "ln1", kWidth);
    addLayerNorm(model, in + "ln2", kWidth);
    for (const char* name : {"key", "value", "receptance"}) addMatrix(model, time + name, kChannels, kWidth);
    addMatrix(model, time + "output", kWidth, kChannels);
    for (const char* name : {"time_decay", "time_first"}) model.tensors.push_back({time + name, {kChannels}});
    for (const char* name : {"key", "value", "receptance"})
      model.tensors.push_back({time + "time_mix_" + name, {1, 1, kWidth}});
    addMatrix(model, channel + "key", kInner, kWidth);
    addMatrix(model, channel + "value", kWidth, kInner);
    addMatrix(model, channel + "receptance", kWidth, kWidth);
    for (const char* name : {"key", "receptance"})
      model.tensors.push_back({channel + "time_mix_" + name, {1, 1, kWidth}});
  }
  return model;
}

// In the layout of RWKV's author, or as rwkv.cpp converts it.
Example rwkv7(bool converted) {
  constexpr std::uint64_t kHeads = 3, kHeadDim = 13, kWidth = kHeads * kHeadDim, kInner = 75;
  Example model{json::object(), {}};
  addMatrix(model, "emb", kVocabulary, kWidth);
  addMatrix(model, "head", kVocabulary, kWidth);
  addLayerNorm(model, "ln_out", kWidth);
  addLayerNorm(model, "blocks.0.ln0", kWidth);
  for (int layer = 0; layer < 3; ++layer) {
    const std::string in = fmt::format("blocks.{}.", layer), time = in + "att.", channel = in + "ffn.";
    for (const char* name : {"ln1", "ln2", "att.ln_x"}) addLayerNorm(model, in + name, kWidth);
    for (const char* name : {"receptance", "key", "value", "output"})
      addMatrix(model, time + name, kWidth, kWidth);
    if (converted) model.tensors.push_back({time + "x_rwkvag", {6, 1, kWidth}});
    for (const char* name : {"x_r", "x_w", "x_k", "x_v", "x_a", "x_g"})
      if (!converted) model.tensors.push_back({time + name, {1, 1, kWidth}});
    for (const auto& [name, rank] : {std::pair{"w", 5ull}, {"a", 7ull}, {"v", 3ull}, {"g", 9ull}}) {
      const Shape inner = converted ? Shape{rank, kWidth} : Shape{kWidth, rank};
      model.tensors.push_back({time + name + "1", inner});
      model.tensors.push_back({time + name + "2", {inner[1], inner[0]}});
      if (*name != 'g') model.tensors.push_back({time + name + "0", {1, 1, kWidth}});
    }
    for (const char* name : {"k_k", "k_a"}) model.tensors.push_back({time + name, {1, 1, kWidth}});
    model.tensors.push_back({time + "r_k", {kHeads, kHeadDim}});
    model.tensors.push_back({channel + "x_k", {1, 1, kWidth}});
    addMatrix(model, channel + "key", kInner, kWidth);
    addMatrix(model, channel + "value", kWidth, kInner);
  }
  return model;
}

Example recurrentGemma() {
  constexpr std::uint64_t kWidth = 36, kHeads = 3, kChannels = 51, kBlock = kChannels / kHeads, kMlp = 25;
  Example model{{{"model_type", "recurrent_gemma"},
                 {"num_hidden_layers", 4},
                 {"hidden_size", kWidth},
                 {"num_attention_heads", kHeads},
                 {"num_key_value_heads", 1},
                 {"lru_width", kChannels},
                 {"conv1d_width", 3},
                 {"attention_window_size", 9},
                 {"intermediate_size", 2 * kMlp},
                 {"logits_soft_cap", 5.0},
                 {"partial_rotary_factor", 0.5},
                 {"vocab_size", kVocabulary}},
                {}};
  addMatrix(model, "model.embed_tokens", kVocabulary, kWidth);
  model.tensors.push_back({"model.final_norm.weight", {kWidth}});
  const auto biased = [&model](const std::string& name, std::uint64_t rows, std::uint64_t columns) {
    addMatrix(model, name, rows, columns);
    model.tensors.push_back({name + ".bias", {rows}});
  };
  for (int layer = 0; layer < 4; ++layer) {
    const std::string in = fmt::format("model.layers.{}.", layer), mixer = in + "temporal_block.";
    for (const char* norm : {"temporal_pre_norm", "channel_pre_norm"})
      model.tensors.push_back({in + norm + ".weight", {kWidth}});
    biased(in + "mlp_block.gate_proj", kMlp, kWidth);
    biased(in + "mlp_block.up_proj", kMlp, kWidth);
    biased(in + "mlp_block.down_proj", kWidth, kMlp);
    if (layer % 3 == 2) {
      addMatrix(model, mixer + "q_proj", kWidth, kWidth);
      addMatrix(model, mixer + "k_proj", kWidth / kHeads, kWidth);
      addMatrix(model, mixer + "v_proj", kWidth / kHeads, kWidth);
      biased(mixer + "o_proj", kWidth, kWidth);
      continue;
    }
    biased(mixer + "linear_x", kChannels, kWidth);
    biased(mixer + "linear_y", kChannels, kWidth);
    biased(mixer + "linear_out", kWidth, kChannels);
    model.tensors.push_back({mixer + "conv_1d.weight", {kChannels, 1, 3}});
    model.tensors.push_back({mixer + "conv_1d.bias", {kChannels}});
    for (const char* gate : {"input_gate", "recurrent_gate"}) {
      model.tensors.push_back({mixer + "rg_lru." + gate + "_weight", {kHeads, kBlock, kBlock}});
      model.tensors.push_back({mixer + "rg_lru." + gate + "_bias", {kHeads, kBlock}});
    }
    model.tensors.push_back({mixer + "rg_lru.recurrent_param", {kChannels}});
  }
  return model;
}

Example xlstm(bool fused) {
  constexpr std::uint64_t kWidth = 36, kHeads = 3, kKeys = 27, kValues = 45, kMlp = 110;
  Example model{{{"model_type", "xlstm"},
                 {"num_hidden_layers", 2},
                 {"hidden_size", kWidth},
                 {"num_heads", kHeads},
                 {"qk_dim_factor", 0.75},
                 {"v_dim_factor", 1.25},
                 {"ffn_round_up_to_multiple_of", 10},
                 {"ffn_proj_factor", 3.01},
                 {"use_bias", fused},
                 {"weight_mode", fused ? "fused" : "single"},
                 {"gate_soft_cap", 3.0},
                 {"output_logit_soft_cap", 5.0},
                 {"vocab_size", kVocabulary}},
                {}};
  const auto linear = [&model](const std::string& name, std::uint64_t rows, std::uint64_t columns,
                               bool bias) {
    addMatrix(model, name, rows, columns);
    if (bias) model.tensors.push_back({name + ".bias", {rows}});
  };
  addMatrix(model, "backbone.embeddings", kVocabulary, kWidth);
  addMatrix(model, "lm_head", kVocabulary, kWidth);
  model.tensors.push_back({"backbone.out_norm.weight", {kWidth}});
  for (int layer = 0; layer < 2; ++layer) {
    const std::string in = fmt::format("backbone.blocks.{}.", layer), mixer = in + "mlstm_layer.";
    for (const auto& [norm, length] : {std::pair{"norm_mlstm", kWidth}, std::pair{"norm_ffn", kWidth},
                                       std::pair{"mlstm_layer.multihead_norm", kValues}}) {
      model.tensors.push_back({in + norm + ".weight", {length}});
      if (fused) model.tensors.push_back({in + norm + ".bias", {length}});
    }
    if (fused) {
      linear(mixer + "qkv_opreact", 2 * kKeys + 2 * kValues, kWidth, true);
      linear(mixer + "ifgate_preact", 2 * kHeads, kWidth, true);
      linear(in + "ffn.proj_up_gate_z", 2 * kMlp, kWidth, true);
    } else {
      for (const char* name : {"q", "k"}) linear(mixer + name, kKeys, kWidth, false);
      for (const char* name : {"v", "ogate_preact"}) linear(mixer + name, kValues, kWidth, false);
      for (const char* name : {"igate_preact", "fgate_preact"}) linear(mixer + name, kHeads, kWidth, true);
      for (const char* name : {"proj_up_gate", "proj_up"}) linear(in + "ffn." + name, kMlp, kWidth, false);
    }
    linear(mixer + "out_proj", kWidth, kValues, fused);
    linear(in + "ffn.proj_down", kWidth, kMlp, fused);
  }
  return model;
}

Example lightningExample() {
  Example model = linearEnds();
  const std::uint64_t rows = kLightning.heads * kLightning.head_dim;
  for (std::uint32_t layer = 0; layer < kLinearLayers; ++layer) {
    const std::string in = fmt::format("{}.attention.", layer);
    addMatrix(model, in + "qkv_proj", 3 * rows, kLinearWidth);
    addMatrix(model, in + "output_gate", rows, kLinearWidth);
    addMatrix(model, in + "out_proj", kLinearWidth, rows);
    model.tensors.push_back({in + "norm.weight", {rows}});
  }
  return model;
}

// In blocks whose stream is the normalized one, as MiniMax has them.
Result<ModelSpec> lightning(const Example& model) {
  TRY_ASSIGN(ModelSpec spec, linearModel(model, [](const Checkpoint&, arch::Weights& weights,
                                                   const std::string& in, std::uint32_t layer) {
               return arch::readLightning(weights,
                                          {in + "qkv_proj", in + "output_gate", in + "norm", in + "out_proj"},
                                          kLightning, layer);
             }));
  for (BlockSpec& block : spec.blocks) {
    block.residual = Residual::kNormalized;
    block.mixer_skip = 1.3f;
    block.mixer_scale = 0.7f;
  }
  return spec;
}

Example deltaNetExample() {
  constexpr std::uint64_t kKeyHeads = 2, kValueHeads = 6, kKeyDim = 13, kValueDim = 7;
  constexpr std::uint64_t kKeys = kKeyHeads * kKeyDim, kValues = kValueHeads * kValueDim;
  Example model = linearEnds();
  model.config = {{"linear_num_key_heads", kKeyHeads},
                  {"linear_num_value_heads", kValueHeads},
                  {"linear_key_head_dim", kKeyDim},
                  {"linear_value_head_dim", kValueDim},
                  {"linear_conv_kernel_dim", 3}};
  for (std::uint32_t layer = 0; layer < kLinearLayers; ++layer) {
    const std::string in = fmt::format("{}.attention.", layer);
    addMatrix(model, in + "in_proj_qkvz", 2 * kKeys + 2 * kValues, kLinearWidth);
    addMatrix(model, in + "in_proj_ba", 2 * kValueHeads, kLinearWidth);
    model.tensors.push_back({in + "conv1d.weight", {2 * kKeys + kValues, 1, 3}});
    for (const char* name : {"A_log", "dt_bias"}) model.tensors.push_back({in + name, {kValueHeads}});
    model.tensors.push_back({in + "norm.weight", {kValueDim}});
    addMatrix(model, in + "out_proj", kLinearWidth, kValues);
  }
  return model;
}

Result<ModelSpec> deltaNet(const Example& model) {
  return linearModel(model,
                     [](const Checkpoint& checkpoint, arch::Weights& weights, const std::string& in,
                        std::uint32_t) -> Result<DeltaNetSpec> {
                       const arch::Hparams hparams(CheckpointFormat::kSafetensors, checkpoint.metadata(), "");
                       TRY_ASSIGN(const auto sizes, arch::readDeltaNetSizes(hparams, kLinearWidth, 1e-6f));
                       return arch::readDeltaNet(weights, in, sizes);
                     });
}

Result<ModelSpec> whole(const Example& model) {
  return test::randomSpec(model.config, model.tensors);
}

}  // namespace vitrine::core::test_models
