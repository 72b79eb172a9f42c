// Where a matrix stands in a model, read off its name. Pure arithmetic, no drawing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/spectra/spectra_source.h"

namespace vitrine::ui::spectra {

struct MatrixPlace {
  std::optional<std::uint32_t> layer;  // nothing outside of the layers: embeddings, the head
  std::string kind;  // what all layers have: "attn_q", "self_attn.q_proj", "mlp.experts.*.w1"
};

// The first part of the name that is a number is the layer's; what follows, without ".weight" and with later
// numbers as *, is the kind. Without a number the whole name is.
MatrixPlace placeOf(std::string_view name);

// Of a row; the heads of a product are all of one kind.
MatrixPlace placeOf(const core::MatrixName& matrix);

// Without ".weight", which says nothing in a list of weights; of experts "name[3]".
std::string shortName(std::string_view name);

// For rows and legends: what stands before the layer's number is left out too where it is long, so that the
// number is not what an elision hides, nor an expert's. "model.layers.3.mlp.up_proj.weight" ->
// "3.mlp.up_proj"; "3.experts.12.up_proj"; "blk.3.attn_q".
std::string rowName(std::string_view name);

}  // namespace vitrine::ui::spectra
