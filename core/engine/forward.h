// Records a model's forward pass for a batch of tokens. A plain decoder's layer is five stages: norm + qkv +
// rope + cache | attention | output + residual | norm + gate and up + activation | down + residual. What
// deviates (layer norms, norms behind, parallel blocks, several mixers) takes stages of its own. Each kind of
// mixer and channel mixer has its record(), in forward_<kind>.cpp.
#pragma once

#include "core/engine/kernels.h"
#include "core/engine/session_buffers.h"

namespace vitrine::core {

struct MapSource;

// Columns of rows of floats from one on.
struct Columns {
  gpu::Slice rows;
  std::uint32_t stride = 0;
  std::uint32_t first = 0;

  std::uint64_t address() const { return rows.address() + std::uint64_t{first} * sizeof(float); }
  explicit operator bool() const { return bool(rows); }
};

class Forward {
 public:
  Forward(const Model& model, const SessionOptions& options, const SessionBuffers& buffers, Kernels& kernels)
      : model_(model), options_(options), buffers_(buffers), kernels_(kernels) {}

  // x = embedding of `tokens` ids.
  Result<void> embed(gpu::Commands& commands, std::uint32_t tokens);
  // x through one block; `splits` workgroups share the keys of a head (1: none, only for a single token).
  Result<void> block(gpu::Commands& commands, std::uint32_t layer, std::uint32_t tokens,
                     std::uint32_t splits);
  // logits = head(norm(x)) for `tokens` rows of x from `first_row` on, into `logits` (tokens, vocab_stride).
  Result<void> head(gpu::Commands& commands, std::uint32_t first_row, std::uint32_t tokens,
                    const gpu::Buffer& logits);
  // y = norm(x): the final norm alone, for traces; y has x's stride.
  Result<void> finalNorm(gpu::Commands& commands, std::uint32_t tokens, gpu::Slice y);
  // The sums and summaries of rows [first, first + tokens) of a layer's implied map, from what is kept of its
  // queries. Where every query is kept no step sums its own.
  Result<void> sumImplied(gpu::Commands& commands, std::uint32_t layer, std::uint32_t first,
                          std::uint32_t tokens);
  bool keepsQueries() const { return buffers_.q_step == 1; }
  // The next id from buffers.logits, into ids[0], the ring and the state.
  Result<void> sample(gpu::Commands& commands);

 private:
  // What a mixer reads: rows of x_stride floats, with the gain of an RMS norm that its first products take
  // along.
  struct Input {
    gpu::Slice x;
    const gpu::Buffer* gain = nullptr;
    float epsilon = 0;
  };
  // Where its output goes.
  struct Output {
    const gpu::Buffer* to = nullptr;  // (batch, x_stride)
    bool add = true;
    float scale = 1;
  };
  struct Pass {
    gpu::Commands& commands;
    std::uint32_t layer, tokens, splits;
    Input in;
    Output out;
    const gpu::Buffer* state = nullptr;  // of a recurrent mixer
    bool shown = false;                  // whether its decays are kept, where the session keeps them
  };

  Result<void> record(const Pass& pass, const AttentionSpec& spec, const AttentionWeights& weights);
  Result<void> record(const Pass& pass, const MambaSpec& spec, const MambaWeights& weights);
  Result<void> record(const Pass& pass, const Mamba2Spec& spec, const Mamba2Weights& weights);
  Result<void> record(const Pass& pass, const ShortConvSpec& spec, const ShortConvWeights& weights);
  Result<void> record(const Pass& pass, const Rwkv4Spec& spec, const Rwkv4Weights& weights);
  Result<void> record(const Pass& pass, const Rwkv7Spec& spec, const Rwkv7Weights& weights);
  Result<void> record(const Pass& pass, const RgLruSpec& spec, const RgLruWeights& weights);
  Result<void> record(const Pass& pass, const MlstmSpec& spec, const MlstmWeights& weights);
  Result<void> record(const Pass& pass, const LightningSpec& spec, const LightningWeights& weights);
  Result<void> record(const Pass& pass, const DeltaNetSpec& spec, const DeltaNetWeights& weights);
  Result<void> record(const Pass& pass, const DenseMlpSpec& spec, const MlpWeights& weights);
  Result<void> record(const Pass& pass, const MoeSpec& spec, const MoeWeights& weights);
  Result<void> record(const Pass& pass, const RwkvChannelSpec& spec, const RwkvChannelWeights& weights);

  Result<void> qkv(const Pass& pass, const AttentionSpec& spec, const AttentionWeights& weights);
  Result<void> scatter(const Pass& pass, const AttentionSpec& spec, const AttentionWeights& weights);
  Result<void> attend(const Pass& pass, const AttentionSpec& spec, const AttentionWeights& weights);
  Result<void> latentQkv(const Pass& pass, const AttentionSpec& spec, const LatentWeights& weights);
  Result<void> latentQuery(const Pass& pass, const LatentWeights& weights);
  Result<void> latentScatter(const Pass& pass, const AttentionSpec& spec, const LatentWeights& weights);
  Result<void> latentOutput(const Pass& pass, const AttentionSpec& spec, const AttentionWeights& weights);
  struct HeadProduct;  // see forward_latent.cpp
  Result<void> headProduct(const Pass& pass, const HeadProduct& call);

  // For the map that a mixer implies; nothing where the session does not look at it.
  struct ImpliedCall;  // see forward_implied.h
  Result<void> imply(const Pass& pass, const ImpliedCall& call);
  Result<void> impliedTerms(const Pass& pass, const MapSource& source, const ImpliedCall& call);
  Result<void> impliedStore(const Pass& pass, const MapSource& source, const ImpliedCall& call);
  Result<void> impliedMass(const Pass& pass, const MapSource& source, const ImpliedCall& call);
  struct ImpliedRows;  // see forward_implied.cpp
  Result<void> impliedMass(gpu::Commands& commands, std::uint32_t layer, const ImpliedRows& rows);

  // What the steps keep of the mixer's state, for the session's views; nothing where it keeps no decays.
  struct DecayCall;  // see forward_decays.h
  Result<void> storeDecays(const Pass& pass, const DecayCall& call);

  struct ConvCall;   // see forward_scan.h
  struct GatedCall;  // see forward_mamba.cpp
  Result<void> convolve(const Pass& pass, const ConvCall& call);
  Result<void> gatedNorm(const Pass& pass, const GatedCall& call);
  Result<void> mambaScan(const Pass& pass, const MambaSpec& spec, const MambaWeights& weights);
  Result<void> mamba2Scan(const Pass& pass, const Mamba2Spec& spec, const Mamba2Weights& weights);
  // `mixes` blends of width floats into the planes of scratch buffer 0; the last input goes into the state
  // from `past` on.
  Result<void> tokenShift(const Pass& pass, const gpu::Buffer& mix, std::uint32_t width, std::uint32_t mixes,
                          std::uint64_t past);
  // From plane `plane` of scratch buffer 0 into another.
  MatmulCall shifted(const Pass& pass, const Matrix& matrix, std::uint32_t width, std::uint32_t plane,
                     std::size_t to) const;
  struct LowRankCall {
    const LowRankWeights& weights;
    std::uint32_t width, plane;
    std::size_t rank, to;  // scratch buffers
    Epilogue epilogue = Epilogue::kStore;
    float soft_cap = 0;
  };
  Result<void> lowRank(const Pass& pass, const LowRankCall& call);
  Result<void> valueResidual(const Pass& pass, const Rwkv7Spec& spec);
  Result<void> prepareRwkv7(const Pass& pass, const Rwkv7Spec& spec, const Rwkv7Weights& weights);
  struct MatrixScan;  // see forward_scan.h
  Result<void> scan(const Pass& pass, const MatrixScan& call);
  struct HeadNorm;  // see forward_scan.h
  Result<void> headNorm(const Pass& pass, const HeadNorm& call);

  Result<void> mlstmGates(const Pass& pass, const MlstmSpec& spec, const Columns& input,
                          const Columns& forget, const Columns& tops);
  Result<void> prepareDelta(const Pass& pass, const DeltaNetSpec& spec, const DeltaNetWeights& weights,
                            const Columns& qkv, const Columns& beta, const Columns& step);
  // A product of the mixer's input into a scratch buffer.
  MatmulCall productInto(const Pass& pass, const Matrix& matrix, std::size_t to) const;

  // The rows of a scratch buffer that the batch uses.
  gpu::Slice scratchRows(const Pass& pass, std::size_t index) const;
  Columns scratchColumns(const Pass& pass, std::size_t index, std::uint32_t first = 0) const;

  // y = W norm(in) + bias, (tokens, y_stride), with an epilogue if wanted.
  MatmulCall product(const Pass& pass, const Matrix& matrix, const gpu::Buffer& y,
                     std::uint32_t y_stride) const;
  // The mixer's last product: from (tokens, stride) of `from` to where the pass's output goes.
  Result<void> project(const Pass& pass, const Matrix& matrix, const gpu::Buffer& from, std::uint32_t stride);

  // How norm(x) reaches the mixer: taken along by its products where those can, or computed into `to`
  // beforehand.
  enum class Fuse { kWherePossible, kNever };
  Result<Input> normed(gpu::Commands& commands, const std::optional<NormWeights>& norm, std::uint32_t tokens,
                       const gpu::Buffer& to, Fuse fuse);
  // y = norm(x), or y = skip y + scale norm(x) where `add`; no norm: the identity.
  struct NormCall {
    const NormWeights* norm = nullptr;
    gpu::Slice x, y;
    bool add = false;
    float scale = 1, skip = 1;
    std::uint32_t columns = 0, stride = 0;  // of x and y; 0: the residual stream's
  };
  Result<void> norm(gpu::Commands& commands, const NormCall& call, std::uint32_t tokens);
  struct Branch;  // the mixers, or the channel mixer, of a block
  template <typename Body>
  Result<void> branch(gpu::Commands& commands, const Branch& branch, std::uint32_t layer,
                      std::uint32_t tokens, std::uint32_t splits, Body body);
  gpu::Slice xRows(std::uint32_t tokens) const;

  const Model& model_;
  const SessionOptions& options_;
  const SessionBuffers& buffers_;
  Kernels& kernels_;
};

// The part of an activation buffer that a batch of `tokens` uses.
inline gpu::Slice rowsOf(const gpu::Buffer& buffer, std::uint32_t first, std::uint32_t tokens,
                         std::uint32_t stride) {
  return {buffer, std::uint64_t(first) * stride * 4, std::uint64_t(tokens) * stride * 4};
}

constexpr std::uint32_t kPlainSubgroups = 1;  // of the small kernels: one subgroup does one row

}  // namespace vitrine::core
