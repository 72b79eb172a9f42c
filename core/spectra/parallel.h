// Independent pieces of work on several threads, each of which leaves BLAS its share of the cores.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

#include "gpu/error.h"

namespace vitrine::core {

// `asked`, or as many as there are cores where that is 0.
unsigned threadsFor(unsigned asked);

// work(0) .. work(count - 1), each once, on at most `threads` threads at a time (0: a core each), in that
// order. kCancelled when stopped, between two.
Result<void> runParallel(std::size_t count, unsigned threads, std::stop_token stop,
                         const std::function<void(std::size_t)>& work);

}  // namespace vitrine::core
