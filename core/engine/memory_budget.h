// What a model and a session will take on a device, held against what is free before anything is allocated.
#pragma once

#include <string_view>

#include "core/engine/session.h"

namespace vitrine::core {

// kOutOfMemory gives the numbers (weights, cache, scratch, free) and what would help: the longest context
// that fits, or an F16 cache, or that no context does. Otherwise errors as packedWeightBytes().
Result<void> checkMemory(const ModelSpec& spec, SessionOptions options, std::uint64_t available,
                         std::string_view device_name);

}  // namespace vitrine::core
