// Where a model's numbers are in its checkpoint, and the two smallest things made of them. Linear weights are
// (out_features, in_features): y = W x + b.
#pragma once

#include <cstdint>
#include <vector>

#include "core/checkpoint/checkpoint.h"

namespace vitrine::core {

// A matrix inside a stored tensor, which counts as two-dimensional: its last dimension is a row's length, all
// others are rows (experts stacked in one tensor lie below each other). Lets fused projections (qkv in one
// tensor), interleaved ones (q, k, v of each head in turn) and split ones look the same to the engine.
struct WeightRef {
  const TensorEntry* tensor = nullptr;  // owned by the spec's checkpoint
  std::uint64_t first_row = 0;
  std::uint64_t rows = 0;     // out_features, or the length of a vector
  std::uint64_t columns = 0;  // in_features, 1 for a vector
  // Rows come in runs of `run`, the starts of which are `stride` stored rows apart; 0: one run.
  std::uint64_t run = 0, stride = 0;
  // Stored the other way round (GPT-2's Conv1D, gpt-oss's experts): element (r, c) of the matrix is in stored
  // row first_row + c at column storedColumn(r); runs are then of columns. Not for quantized types.
  bool transposed = false;
  std::uint64_t first_column = 0;  // of a transposed matrix

  explicit operator bool() const { return tensor != nullptr; }
  // Where row r lies among the stored rows, or columns, from the first one on.
  std::uint64_t place(std::uint64_t r) const { return run == 0 ? r : r / run * stride + r % run; }
  std::uint64_t storedRow(std::uint64_t r) const { return first_row + place(r); }
  std::uint64_t storedColumn(std::uint64_t r) const { return first_column + place(r); }
};

// What an adapter adds to a linear (LoRA, arXiv:2106.09685): y += scale * factor * B (A x).
struct LowRankUpdate {
  WeightRef a;                // (rank, in)
  WeightRef b;                // (out, rank); of a fused tensor's rows those that the linear takes
  double factor = 1;          // alpha / rank, or alpha / sqrt(rank)
  float scale = 1;            // as it was attached; a session can change it
  std::uint32_t adapter = 0;  // index into ModelSpec::adapters
};

struct Linear {
  WeightRef weight;  // (out, in)
  WeightRef bias;    // (out), may be empty
  std::vector<LowRankUpdate> updates = {};
};

enum class NormKind { kRms, kLayer };
struct Norm {
  NormKind kind = NormKind::kRms;
  WeightRef weight;  // (d), empty for a norm without gain
  WeightRef bias;    // (d), layer norm only
  float epsilon = 1e-5f;
  float gain_offset = 0;  // added to the stored gain: 1 in Gemma's Hugging Face files
};

}  // namespace vitrine::core
