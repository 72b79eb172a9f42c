// Turns an RWKV-7 with rwkv.cpp's names into a GGUF file as llama.cpp's converter does: vectors flat, the six
// mixes in one tensor of four dimensions, and in the first block, which has no residual, a copy of the rate's
// tensors where the residual's would be.
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "support/gguf_builder.h"

namespace vitrine::test {

Bytes rwkv7AsGguf(const core::Checkpoint& original);

}  // namespace vitrine::test
