// All linears of a spec, wherever they are: for what concerns every one of them alike.
#pragma once

#include <functional>

#include "core/model/model_spec.h"

namespace vitrine::core {

// In no particular order. A head that is tied to the embedding is not visited.
void forEachLinear(ModelSpec& spec, const std::function<void(Linear&)>& visit);

}  // namespace vitrine::core
