// The GGUF file of any model of the zoo whose family llama.cpp has.
#pragma once

#include <optional>

#include "core/checkpoint/checkpoint.h"
#include "support/gguf_builder.h"

namespace vitrine::test {

std::optional<Bytes> anyAsGguf(const core::Checkpoint& hf);

}  // namespace vitrine::test
