// The weights of a decoder, whichever way they are stored: apart or fused, as they are or transposed.
#pragma once

#include <string>

#include "core/arch/support/decoder_sizes.h"

namespace vitrine::core::arch {

class DecoderWeights {
 public:
  // Reads which biases there are. What is passed must outlive this.
  static Result<DecoderWeights> create(const Source& source, const DecoderTraits& traits,
                                       const DecoderSizes& sizes);

  // The full names of a tensor beside the blocks, without ".weight".
  std::string name(TensorName name) const;
  // What stands in front of a layer's tensors: "model.layers.3.".
  std::string block(std::uint32_t layer) const;
  bool has(TensorName name) const { return !spelling(name).empty(); }
  Result<Norm> norm(const std::string& name, std::uint64_t length) const;
  // None where the family has no such norm.
  Result<std::optional<Norm>> blockNorm(std::uint32_t layer, TensorName name) const;
  Result<AttentionSpec> attention(std::uint32_t layer) const;
  Result<DenseMlpSpec> mlp(std::uint32_t layer, Activation activation) const;
  Result<WeightRef> headBias(std::uint64_t length) const;  // empty where there is none

 private:
  enum class Bias { kNone, kRequired, kIfPresent };

  DecoderWeights(const Source& source, const DecoderTraits& traits, const DecoderSizes& sizes);
  std::string_view spelling(TensorName name) const { return gguf_ ? name.gguf : name.hf; }
  std::string in(std::uint32_t layer, TensorName part) const;
  Bias biasWhere(bool configured) const;
  Result<WeightRef> bias(const std::string& name, std::uint64_t length, const RowPart& part, Bias bias) const;
  Result<Linear> linear(const std::string& name, std::uint64_t rows, std::uint64_t columns, Bias bias) const;
  // Rows of a fused tensor of `stored` rows.
  Result<Linear> part(const std::string& name, std::uint64_t stored, std::uint64_t columns,
                      const RowPart& part, Bias bias) const;
  Result<void> queryKeyValue(std::uint32_t layer, AttentionSpec& spec) const;
  Result<void> fusedQueryKeyValue(const std::string& name, QkvLayout layout, AttentionSpec& spec) const;
  Result<void> queryKeyNorms(std::uint32_t layer, AttentionSpec& spec) const;

  Weights* weights_;
  const DecoderTraits* traits_;
  const DecoderSizes* sizes_;
  bool gguf_;
  std::string_view prefix_ = "";
  Bias qkv_bias_ = Bias::kNone, output_bias_ = Bias::kNone, mlp_bias_ = Bias::kNone;
};

}  // namespace vitrine::core::arch
