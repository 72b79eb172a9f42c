#include "core/arch/support/decoder.h"

#include "core/arch/support/decoder_sizes.h"
#include "core/arch/support/decoder_weights.h"
#include "core/arch/support/rope.h"

namespace vitrine::core::arch {
namespace {

constexpr Key kVocabulary = {"vocab_size", "vocab_size"};
constexpr Key kTied = {"tie_word_embeddings", ""};

class DecoderReader {
 public:
  DecoderReader(const Source& source, const DecoderTraits& traits, const DecoderSizes& sizes,
                const DecoderWeights& parts)
      : source_(source), traits_(traits), sizes_(sizes), parts_(parts) {}

  Result<ModelSpec> read();

 private:
  Result<void> readTableRope(ModelSpec& spec);
  Result<ChannelMixerSpec> channel(std::uint32_t layer);
  Result<BlockSpec> block(std::uint32_t layer, std::uint32_t window);
  Result<void> readEmbedding(ModelSpec& spec);
  Result<void> readHead(ModelSpec& spec);

  const Source& source_;
  const DecoderTraits& traits_;
  const DecoderSizes& sizes_;
  const DecoderWeights& parts_;
  Activation activation_ = Activation::kSilu;
  std::optional<Rope> rope_;
  std::optional<MoeReader> moe_;
};

Result<void> DecoderReader::readTableRope(ModelSpec& spec) {
  spec.context_length = sizes_.context;
  if (traits_.rotary == Rotary::kNone) return {};
  const Hparams& hparams = source_.hparams;
  RopeShape shape{.pairing = hparams.isGguf() ? traits_.gguf_pairing : traits_.pairing,
                  .context_length = sizes_.context,
                  .partial = traits_.rotary == Rotary::kPart,
                  .layer_type = traits_.rope_layer_type,
                  .gguf_truncates = traits_.gguf_truncates};
  if (!hparams.isGguf()) shape.default_theta = traits_.default_theta;
  TRY_ASSIGN(shape.rotary_dim, readRotaryDim(hparams, shape, sizes_.head_dim, traits_.default_rotary_part));
  TRY_ASSIGN(FoldedRope folded, readRope(hparams, source_.weights, shape));
  rope_ = std::move(folded.rope);
  spec.context_length = folded.context_length;
  return {};
}

Result<ChannelMixerSpec> DecoderReader::channel(std::uint32_t layer) {
  if (!moe_ || !moe_->isSparse(layer)) return parts_.mlp(layer, activation_);
  return moe_->read(parts_.block(layer));
}

Result<BlockSpec> DecoderReader::block(std::uint32_t layer, std::uint32_t window) {
  BlockSpec spec;
  TRY_ASSIGN(spec.mixer_norm, parts_.blockNorm(layer, traits_.names.mixer_norm));
  TRY_ASSIGN(AttentionSpec mixer, parts_.attention(layer));
  mixer.rope = rope_;
  mixer.sliding_window = window;
  spec.mixers.emplace_back(std::move(mixer));
  TRY_ASSIGN(spec.mixer_post_norm, parts_.blockNorm(layer, traits_.names.mixer_post_norm));
  TRY_ASSIGN(spec.channel_norm, parts_.blockNorm(layer, traits_.names.channel_norm));
  TRY_ASSIGN(spec.channel, channel(layer));
  TRY_ASSIGN(spec.channel_post_norm, parts_.blockNorm(layer, traits_.names.channel_post_norm));
  return spec;
}

// GGUF need not store the size of the vocabulary: the embedding's rows tell it.
Result<void> DecoderReader::readEmbedding(ModelSpec& spec) {
  const Hparams& hparams = source_.hparams;
  const DecoderNames& names = traits_.names;
  const std::string name = parts_.name(names.embedding) + ".weight";
  std::uint32_t rows = 0;
  if (hparams.isGguf() && !hparams.has(kVocabulary)) {
    const TensorEntry* tensor = source_.weights.find(name);
    const std::uint64_t found = tensor && !tensor->shape.empty() ? tensor->shape[0] : 0;
    if (tensor && (found == 0 || found > kLargestVocabulary))
      return fail(ErrorCode::kInvalidFile, "tensor {}: a vocabulary of {} tokens", name, found);
    rows = static_cast<std::uint32_t>(found);
  } else {
    TRY_ASSIGN(rows, hparams.count(kVocabulary, kLargestVocabulary));
  }
  TRY_ASSIGN(spec.token_embedding, source_.weights.matrix(name, rows, sizes_.embedding));
  spec.vocab_size = rows;
  if (parts_.has(names.positions)) {
    TRY_ASSIGN(spec.position_embedding, source_.weights.matrix(parts_.name(names.positions) + ".weight",
                                                               sizes_.context, sizes_.embedding));
  }
  if (parts_.has(names.embedding_norm)) {
    TRY_ASSIGN(spec.embedding_norm, parts_.norm(parts_.name(names.embedding_norm), sizes_.embedding));
  }
  return {};
}

Result<void> DecoderReader::readHead(ModelSpec& spec) {
  const Hparams& hparams = source_.hparams;
  const TensorName& names = traits_.names.head;
  const std::string name = fmt::format("{}.weight", hparams.isGguf() ? names.gguf : names.hf);
  const bool stored = source_.weights.has(name);
  TRY_ASSIGN(spec.head.bias, parts_.headBias(spec.vocab_size));
  // config.json rules; a file without a head and without a word about it is tied.
  TRY_ASSIGN(spec.tied_head, hparams.flagOr(kTied, !stored && !hparams.isGguf()));
  if (hparams.isGguf()) spec.tied_head = !stored;
  if (spec.tied_head) {
    spec.head.weight = spec.token_embedding;
    source_.weights.ignore(name);
    return {};
  }
  TRY_ASSIGN(spec.head.weight, source_.weights.matrix(name, spec.vocab_size, sizes_.embedding));
  return {};
}

Result<ModelSpec> DecoderReader::read() {
  ModelSpec spec;
  spec.embedding_dim = sizes_.embedding;
  TRY_ASSIGN(activation_, readActivation(source_.hparams, traits_));
  if (traits_.moe) {
    moe_.emplace(source_.hparams, source_.weights, *traits_.moe);
    TRY(moe_->readSizes(sizes_.layers, sizes_.embedding, activation_));
  }
  TRY(readTableRope(spec));
  TRY(readEmbedding(spec));
  TRY_ASSIGN(const std::vector<std::uint32_t> windows, traits_.windows(source_.hparams, sizes_.layers));
  for (std::uint32_t layer = 0; layer < sizes_.layers; ++layer) {
    TRY_ASSIGN(BlockSpec next, block(layer, windows[layer]));
    spec.blocks.push_back(std::move(next));
  }
  TRY_ASSIGN(spec.final_norm, parts_.norm(parts_.name(traits_.names.final_norm), sizes_.embedding));
  TRY(readHead(spec));
  return spec;
}

}  // namespace

Result<ModelSpec> readDecoder(const Source& source, const DecoderTraits& traits) {
  TRY_ASSIGN(const DecoderSizes sizes, readSizes(source.hparams, traits));
  TRY_ASSIGN(const DecoderWeights parts, DecoderWeights::create(source, traits, sizes));
  return DecoderReader(source, traits, sizes, parts).read();
}

void runInParallel(ModelSpec& spec) {
  for (BlockSpec& block : spec.blocks) {
    block.parallel = true;
    if (!block.channel_norm) block.channel_norm = block.mixer_norm;
  }
}

}  // namespace vitrine::core::arch
