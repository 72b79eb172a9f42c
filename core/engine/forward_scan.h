// Steps that several recurrent mixers share: the causal convolution, the scan over a matrix state and the
// norm behind it (shaders/mixers/causal_conv.comp, matrix_scan.comp, head_norm.comp).
#pragma once

#include "core/engine/forward.h"

namespace vitrine::core {

// In the rows of a scratch buffer.
struct Forward::ConvCall {
  enum class After { kSilu, kNone };
  const CausalConv& spec;
  const ConvWeights& weights;
  std::size_t scratch = 0;
  std::uint64_t matrix_floats = 0;  // of the state in front of the convolution's
  std::uint32_t x = 0, y = 0;       // first columns
  std::optional<std::pair<std::uint32_t, std::uint32_t>> gates = {};  // columns of b and c; otherwise `after`
  After after = After::kSilu;
};

struct Forward::MatrixScan {
  enum class Rule : std::uint32_t { kDecay, kDelta, kErase };  // RULE of matrix_scan.comp
  Rule rule = Rule::kDecay;
  std::uint32_t heads = 0, columns = 0, keys = 0;  // the state is (heads, columns, keys)
  std::uint32_t key_group = 1;                     // heads that share q and k
  bool ones = false;                               // the last column's value is 1
  Columns q, k, v, y;
  Columns decay,
      beta;  // a head each (kErase: decay a key each); a stride of 0: for all tokens; beta may be empty
  Columns erase, write;  // kErase; of one stride
  float scale = 1;
};

struct Forward::HeadNorm {
  enum class Gate : std::uint32_t { kNone, kPlain, kSigmoid, kSilu };  // GATE of head_norm.comp
  NormKind kind = NormKind::kRms;
  float epsilon = 0;
  const gpu::Buffer* gain = nullptr;
  const gpu::Buffer* bias = nullptr;  // or none
  std::uint32_t groups = 1, columns = 0;
  Columns x, y;
  Gate gate_kind = Gate::kNone;
  Columns gate;
  // mLSTM's division: a column n behind each group of x, and m of each group.
  Columns tops;
  float least = 0;
  // Bonus of each group, times the values.
  Columns bonus, values;
};

}  // namespace vitrine::core
