// Puts an adapter's updates into the linears of a spec, by the names of the tensors that these were read
// from.
#pragma once

#include "core/adapter/adapter.h"
#include "core/adapter/adapter_choice.h"
#include "core/model/model_spec.h"

namespace vitrine::core {

// `scale` multiplies alpha / rank; 0 leaves the base as it is. The spec keeps the adapter's file open;
// several adapters add up. Where tensors are fused in the file (phi3's qkv_proj), each linear takes its rows
// of B. Errors, which leave the spec as it was: kUnsupported for a GGUF base, whose tensors have other names,
// and for a tensor that only partly belongs to linears; kInvalidFile names a tensor that no linear was read
// from, or whose shape differs, with what was expected and found; kInvalidArgument for a scale that is not
// finite.
Result<void> attachAdapter(ModelSpec& spec, const Adapter& adapter, float scale);

// The folder's adapter, read and attached.
Result<void> attachAdapter(ModelSpec& spec, const AdapterChoice& choice);

}  // namespace vitrine::core
