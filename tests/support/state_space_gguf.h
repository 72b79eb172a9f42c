// Turns a Hugging Face checkpoint of a mamba, falcon_mamba, mamba2, lfm2, nemotron_h or falcon_h1 into a GGUF
// file as llama.cpp's converter does (F32 tensors; A instead of its logarithm; kernels of convolutions
// without their middle dimension), so that both ways of storing a model can be held against the same
// reference values.
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "support/gguf_builder.h"

namespace vitrine::test {

Bytes stateSpaceAsGguf(const core::Checkpoint& hf);

}  // namespace vitrine::test
