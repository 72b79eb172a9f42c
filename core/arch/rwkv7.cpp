// RWKV-7 (arXiv:2503.14456) in the files of its author, which have no config.json: low ranks as x_r, x_w ..
// and (width, rank), or, as rwkv.cpp converts them, with the six mixes in x_rwkvag and (rank, width); and in
// llama.cpp's, which are of the second kind.
#include "core/arch/support/mamba.h"
#include "core/arch/support/parts.h"
#include "core/arch/support/rwkv.h"

namespace vitrine::core::arch::rwkv7 {
namespace {

constexpr Key kEmbedding = {"", "embedding_length"}, kInner = {"", "feed_forward_length"};
constexpr Key kHeadDim = {"", "wkv.head_size"}, kEpsilon = {"", "attention.layer_norm_epsilon"};
constexpr Key kContext = {"", "context_length"}, kShifts = {"", "token_shift_count"};
constexpr float kHeadEpsilon = 64e-5f;
constexpr std::string_view kMixes[] = {"x_r", "x_w", "x_k", "x_v", "x_a", "x_g"};

struct Names {
  std::string_view embedding, embedding_norm, final_norm, head, block, mixer_norm, channel_norm;
  std::string_view time, channel;                     // in front of the mixers' tensors
  std::string_view fused_mixes, head_norm, past_mix;  // behind them; past_mix: the channel mixer's
  std::string_view suffix;                            // of what is no layer
};
constexpr Names kOriginal = {"emb",  "blocks.0.ln0", "ln_out",   "head", "blocks.", "ln1", "ln2",
                             "att.", "ffn.",         "x_rwkvag", "ln_x", "x_k",     ""};
constexpr Names kGguf = {"token_embd", "token_embd_norm", "output_norm", "output",       "blk.",
                         "attn_norm",  "attn_norm_2",     "time_mix_",   "channel_mix_", "lerp_fused",
                         "ln",         "lerp_k",          ".weight"};

struct Sizes {
  std::uint32_t width = 0, heads = 0, head_dim = 0, inner = 0, layers = 0, context = kEndlessContext;
  float epsilon = kRwkvEpsilon;
};

bool recognizes(const Weights& weights) {
  return weights.has("blocks.0.att.r_k") && weights.has("blocks.0.att.k_a") &&
         weights.has("blocks.0.att.ln_x.weight");
}

enum class Bias { kNone, kVector };

class Reader {
 public:
  explicit Reader(const Source& source)
      : hparams_(source.hparams),
        weights_(source.weights),
        gguf_(hparams_.isGguf()),
        names_(gguf_ ? kGguf : kOriginal) {}

  Result<ModelSpec> read() {
    ModelSpec spec;
    TRY(gguf_ ? readSizes() : storedSizes());
    const RwkvEnds ends = {.embedding = std::string(names_.embedding),
                           .embedding_norm = std::string(names_.embedding_norm),
                           .final_norm = std::string(names_.final_norm),
                           .head = std::string(names_.head)};
    TRY_ASSIGN(const std::uint32_t vocabulary,
               storedRows(weights_, ends.embedding + ".weight", kLargestVocabulary));
    spec.context_length = sizes_.context;
    TRY(readRwkvEnds(weights_, ends, vocabulary, sizes_.width, sizes_.epsilon, false, spec));
    spec.final_norm.epsilon = sizes_.epsilon;
    for (std::uint32_t layer = 0; layer < sizes_.layers; ++layer) {
      TRY_ASSIGN(BlockSpec next, block(layer));
      spec.blocks.push_back(std::move(next));
    }
    return spec;
  }

 private:
  Result<void> storedSizes() {
    const std::string bonus = "blocks.0.att.r_k";
    TRY_ASSIGN(sizes_.width, storedColumns(weights_, "emb.weight", kWidestLayer));
    TRY_ASSIGN(sizes_.heads, storedRows(weights_, bonus, kMostHeads));
    TRY_ASSIGN(sizes_.head_dim, storedColumns(weights_, bonus, kWidestHead));
    TRY_ASSIGN(sizes_.inner, storedRows(weights_, "blocks.0.ffn.key.weight", kWidestLayer));
    TRY_ASSIGN(sizes_.layers, storedBlocks(weights_, "att.r_k"));
    if (std::uint64_t{sizes_.heads} * sizes_.head_dim != sizes_.width)
      return fail(ErrorCode::kInvalidFile, "tensor {}: expected {} numbers in all, found shape ({}, {})",
                  bonus, sizes_.width, sizes_.heads, sizes_.head_dim);
    return {};
  }

  Result<void> readSizes() {
    TRY_ASSIGN(sizes_.width, hparams_.count(kEmbedding, kWidestLayer));
    TRY_ASSIGN(sizes_.head_dim, hparams_.count(kHeadDim, kWidestHead));
    if (sizes_.width % sizes_.head_dim != 0 || sizes_.width / sizes_.head_dim > kMostHeads)
      return hparams_.refuse(kHeadDim, fmt::format("a divisor of the {} dimensions", sizes_.width));
    sizes_.heads = sizes_.width / sizes_.head_dim;
    TRY_ASSIGN(sizes_.inner, hparams_.count(kInner, kWidestLayer));
    TRY_ASSIGN(sizes_.layers, readBlockCount(hparams_));
    TRY_ASSIGN(sizes_.context, hparams_.countOr(kContext, kEndlessContext, kLongestContext));
    TRY_ASSIGN(sizes_.epsilon, readEpsilon(hparams_, kEpsilon, kRwkvEpsilon));
    TRY_ASSIGN(const std::uint32_t shifts, hparams_.countOr(kShifts, 2, kMostLayers));
    if (shifts != 2) return hparams_.refuse(kShifts, "2, one for each mixer");
    return {};
  }

  Result<std::vector<WeightRef>> mixes(const std::string& in) {
    std::vector<WeightRef> mixes;
    const std::string all_name = fmt::format("{}{}{}", in, names_.fused_mixes, names_.suffix);
    const bool fused = gguf_ || weights_.has(all_name);
    WeightRef all;
    if (fused) {
      std::vector<std::uint64_t> shape = {std::size(kMixes), 1, sizes_.width};
      if (gguf_) shape.insert(shape.begin() + 1, 1);
      TRY_ASSIGN(all, weights_.vector(all_name, shape));
    }
    for (std::uint64_t i = 0; i < std::size(kMixes); ++i) {
      WeightRef mix = all;
      if (fused) {
        mix.first_row = i * sizes_.width;
        mix.rows = sizes_.width;
      } else {
        TRY_ASSIGN(mix, readVector(weights_, in + std::string(kMixes[i]), sizes_.width));
      }
      mixes.push_back(mix);
    }
    return mixes;
  }

  // w1, w2 and the bias w0, for w of w, a, v, g.
  Result<LowRank> lowRank(const std::string& name, bool transposed, Bias bias) {
    const auto part = [&](char number) { return fmt::format("{}{}{}", name, number, names_.suffix); };
    const std::uint64_t width = sizes_.width;
    LowRank spec;
    TRY_ASSIGN(spec.rank, transposed ? storedColumns(weights_, part('1'), kWidestLayer)
                                     : storedRows(weights_, part('1'), kWidestLayer));
    const std::uint64_t rank = spec.rank;
    TRY_ASSIGN(spec.inner.weight, transposed ? weights_.matrix(part('1'), width, rank)
                                             : weights_.matrix(part('1'), rank, width));
    TRY_ASSIGN(spec.outer.weight, transposed ? weights_.matrix(part('2'), rank, width)
                                             : weights_.matrix(part('2'), width, rank));
    if (transposed) {
      for (WeightRef* weight : {&spec.inner.weight, &spec.outer.weight}) {
        std::swap(weight->rows, weight->columns);
        weight->transposed = true;
      }
    }
    if (bias == Bias::kVector) {
      TRY_ASSIGN(spec.outer.bias, readVector(weights_, part('0'), width));
    }
    return spec;
  }

  Result<Rwkv7Spec> timeMixing(const std::string& in, bool first) {
    const std::uint64_t width = sizes_.width;
    const auto vector = [&](const char* name) {
      return readVector(weights_, fmt::format("{}{}{}", in, name, names_.suffix), width);
    };
    const bool transposed = !gguf_ && !weights_.has(in + std::string(names_.fused_mixes));
    Rwkv7Spec spec{.width = sizes_.width, .heads = sizes_.heads, .head_dim = sizes_.head_dim};
    TRY_ASSIGN(spec.mixes, mixes(in));
    TRY_ASSIGN(spec.receptance, readLinear(weights_, in + "receptance", width, width, false));
    TRY_ASSIGN(spec.key, readLinear(weights_, in + "key", width, width, false));
    TRY_ASSIGN(spec.value, readLinear(weights_, in + "value", width, width, false));
    TRY_ASSIGN(spec.output, readLinear(weights_, in + "output", width, width, false));
    TRY_ASSIGN(spec.decay, lowRank(in + "w", transposed, Bias::kVector));
    TRY_ASSIGN(spec.rate, lowRank(in + "a", transposed, Bias::kVector));
    TRY_ASSIGN(spec.gate, lowRank(in + "g", transposed, Bias::kNone));
    if (first) {  // stored by some, without a use
      for (const char* name : {"v0", "v1", "v2"})
        weights_.ignore(fmt::format("{}{}{}", in, name, names_.suffix));
    } else {
      TRY_ASSIGN(spec.residual, lowRank(in + "v", transposed, Bias::kVector));
    }
    TRY_ASSIGN(spec.key_scale, vector("k_k"));
    TRY_ASSIGN(spec.key_rate, vector("k_a"));
    TRY_ASSIGN(spec.bonus,
               gguf_ ? vector("r_k") : weights_.vector(in + "r_k", {sizes_.heads, sizes_.head_dim}));
    TRY_ASSIGN(spec.norm, readLayerNorm(weights_, in + std::string(names_.head_norm), width, kHeadEpsilon));
    return spec;
  }

  Result<RwkvChannelSpec> channelMixing(const std::string& in) {
    const std::uint64_t width = sizes_.width, inner = sizes_.inner;
    RwkvChannelSpec spec{.width = sizes_.width, .inner = sizes_.inner, .mixes_past = true};
    TRY_ASSIGN(const WeightRef mix,
               readVector(weights_, fmt::format("{}{}{}", in, names_.past_mix, names_.suffix), width));
    spec.mixes = {mix};
    TRY_ASSIGN(spec.key, readLinear(weights_, in + "key", inner, width, false));
    TRY_ASSIGN(spec.value, readLinear(weights_, in + "value", width, inner, false));
    return spec;
  }

  Result<BlockSpec> block(std::uint32_t layer) {
    const auto name = [&](std::string_view part) {
      return fmt::format("{}{}.{}", names_.block, layer, part);
    };
    BlockSpec block;
    TRY_ASSIGN(block.mixer_norm,
               readLayerNorm(weights_, name(names_.mixer_norm), sizes_.width, sizes_.epsilon));
    TRY_ASSIGN(Rwkv7Spec mixer, timeMixing(name(names_.time), layer == 0));
    block.mixers.emplace_back(std::move(mixer));
    TRY_ASSIGN(block.channel_norm,
               readLayerNorm(weights_, name(names_.channel_norm), sizes_.width, sizes_.epsilon));
    TRY_ASSIGN(block.channel, channelMixing(name(names_.channel)));
    return block;
  }

  const Hparams& hparams_;
  Weights& weights_;
  bool gguf_;
  const Names& names_;
  Sizes sizes_;
};

Result<ModelSpec> read(const Source& source) {
  return Reader(source).read();
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {
    .model_types = {"rwkv7"}, .gguf_names = {"rwkv7"}, .read = read, .recognizes = recognizes};

}  // namespace vitrine::core::arch::rwkv7
