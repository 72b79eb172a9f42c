// A decoder's sizes and its activation, checked against each other.
#pragma once

#include <cstdint>

#include "core/arch/support/decoder.h"

namespace vitrine::core::arch {

struct DecoderSizes {
  std::uint32_t layers = 0, embedding = 0, heads = 0, kv_heads = 0, head_dim = 0, mlp_width = 0;
  std::uint32_t context = 0;
  float epsilon = 0;

  std::uint64_t queryWidth() const { return std::uint64_t{heads} * head_dim; }
  std::uint64_t keyWidth() const { return std::uint64_t{kv_heads} * head_dim; }
};

Result<DecoderSizes> readSizes(const Hparams& hparams, const DecoderTraits& traits);
Result<Activation> readActivation(const Hparams& hparams, const DecoderTraits& traits);

}  // namespace vitrine::core::arch
