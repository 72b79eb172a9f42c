// Which matrices a checkpoint holds, and their numbers on demand.
#pragma once

#include <string>

#include "core/model/weight_ref.h"
#include "core/spectra/dense_matrix.h"

namespace vitrine::core {

// A stored tensor with two dimensions besides those of length 1, or one of a stack of such (experts), then
// "name[i]". Vectors are none.
struct StoredMatrix {
  std::string name;
  const TensorEntry* tensor = nullptr;  // of the checkpoint
  std::uint64_t first_row = 0, rows = 0, columns = 0;

  std::uint64_t shortSide() const { return rows < columns ? rows : columns; }
};

// Sorted as a reader counts: layer 2 before layer 10. `glob`: * and ? over the whole name, several globs
// apart by spaces or commas are alternatives; empty: all. Integer tensors are left out.
std::vector<StoredMatrix> matricesOf(const Checkpoint& checkpoint, std::string_view glob = "");

WeightRef placeOf(const StoredMatrix& matrix);

// Expanded exactly; an element that is not finite is an error that names tensor and place.
Result<DenseMatrix> readMatrix(const StoredMatrix& matrix);

bool matchesGlob(std::string_view text, std::string_view glob);
// Of one of several globs, as matricesOf takes them.
bool matchesAnyGlob(std::string_view text, std::string_view globs);
// Numbers in texts compare by value.
bool naturallyLess(std::string_view a, std::string_view b);

}  // namespace vitrine::core
