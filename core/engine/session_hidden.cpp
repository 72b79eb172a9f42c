// What a session does so that the spectra of its hidden states can be followed.
#include <atomic>

#include "core/engine/session_impl.h"

namespace vitrine::core {

std::uint64_t newRevision() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

std::uint64_t Session::revision() const {
  return impl_->revision;
}

HiddenStream* Session::hidden() const {
  return impl_->hidden ? &*impl_->hidden : nullptr;
}

Result<void> Session::followHidden(const std::optional<HiddenStreamOptions>& options) {
  Impl& impl = *impl_;
  if (options && impl.hidden && impl.hidden->options() == *options) return {};
  if (!options && !impl.hidden) return {};
  TRY(impl.device().waitIdle());
  impl.hidden.reset();
  impl.step_bucket = 0;  // decode steps are recorded with it, or without
  if (!options) return {};
  TRY_ASSIGN(auto hidden, HiddenStream::create(*impl.kernels, impl.layers() + 1, model().spec().embedding_dim,
                                               impl.buffers.x_stride, kMaxBatch, *options));
  impl.hidden.emplace(std::move(hidden));
  return {};
}

Result<void> Session::readAgain(std::stop_token stop, const ProgressCallback& progress) {
  Impl& impl = *impl_;
  if (impl.tokens.empty()) return {};
  const std::vector<TokenId> all = std::exchange(impl.tokens, {});
  impl.logits_valid = false;
  if (impl.hidden) impl.hidden->cut(0);
  auto read = prefill(all, std::move(stop), progress);
  // The cache still has the rest as it was; of recurrent states the next token reads everything again.
  if (impl.tokens.size() < all.size()) impl.tokens = all;
  return read;
}

// Of a slot, behind what was recorded last.
Result<void> Session::Impl::storeHidden(gpu::Commands& commands, std::uint32_t slot, std::uint32_t count) {
  if (!hidden) return {};
  gpu::Slice x = rowsOf(buffers.x, 0, count, buffers.x_stride);
  if (slot == layers()) {
    const gpu::Slice y = rowsOf(buffers.normed, 0, count, buffers.x_stride);
    TRY(forward->finalNorm(commands, count, y));
    x = y;
  }
  return hidden->store(commands, slot, x, count, buffers.state);
}

Result<void> Session::Impl::takeHidden(std::uint32_t first, std::uint32_t end) {
  if (!hidden) return {};
  // The last token once more, for its logits.
  const bool known = first < hidden->end() && end == hidden->end() && end - first == 1;
  return known ? Result<void>{} : hidden->take(first, end);
}

}  // namespace vitrine::core
