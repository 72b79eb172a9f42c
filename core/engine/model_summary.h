// What a view and `vitrine info` say of a model.
#pragma once

#include "core/engine/engine_types.h"
#include "core/engine/session.h"

namespace vitrine::core {

// Without a session: memory as the given options would need it.
ModelSummary summarize(const ModelSpec& spec, const Tokenizer* tokenizer, const SessionOptions& options,
                       std::uint64_t weight_bytes);
ModelSummary summarize(const Session& session, const Tokenizer& tokenizer);

}  // namespace vitrine::core
