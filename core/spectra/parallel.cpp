#include "core/spectra/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "core/spectra/lapack_spectrum.h"

namespace vitrine::core {

unsigned threadsFor(unsigned asked) {
  return asked > 0 ? asked : std::max(1u, std::thread::hardware_concurrency());
}

Result<void> runParallel(std::size_t count, unsigned threads, std::stop_token stop,
                         const std::function<void(std::size_t)>& work) {
  const unsigned cores = threadsFor(threads);
  const auto used = static_cast<unsigned>(std::clamp<std::size_t>(count, 1, cores));
  setBlasThreads(static_cast<int>(cores / used));
  std::atomic<std::size_t> next = 0;
  const auto take = [&] {
    for (std::size_t i = next++; i < count && !stop.stop_requested(); i = next++) work(i);
  };
  {
    std::vector<std::jthread> others;
    for (unsigned i = 1; i < used; ++i) others.emplace_back(take);
    take();
  }
  if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "cancelled");
  return {};
}

}  // namespace vitrine::core
