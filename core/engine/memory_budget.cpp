#include "core/engine/memory_budget.h"

namespace vitrine::core {
namespace {

constexpr std::uint32_t kContextStep = 64;  // a suggested context is a multiple of it

std::uint64_t sessionBytes(const ModelSpec& spec, SessionOptions options, std::uint32_t context) {
  options.context = context;
  const SessionMemory memory = sessionMemory(spec, options);
  return memory.cache + memory.scratch;
}

// The longest context up to the wanted one that takes at most `bytes`; 0: none.
std::uint32_t longestContext(const ModelSpec& spec, const SessionOptions& options, std::uint64_t bytes) {
  if (sessionBytes(spec, options, options.context) <= bytes) return options.context;
  std::uint32_t fits = 0, too_long = (options.context + kContextStep - 1) / kContextStep;
  while (too_long - fits > 1) {
    const std::uint32_t middle = fits + (too_long - fits) / 2;
    (sessionBytes(spec, options, middle * kContextStep) <= bytes ? fits : too_long) = middle;
  }
  return fits * kContextStep;
}

std::string whatHelps(const ModelSpec& spec, const SessionOptions& options, std::uint64_t left) {
  SessionOptions halves = options;
  halves.cache = CacheType::kF16;
  const std::uint32_t same = longestContext(spec, options, left),
                      in_halves = longestContext(spec, halves, left);
  if (in_halves == 0) return "choose a smaller model, a smaller quantization or another device";
  std::string help;
  if (same > 0) help = fmt::format("--context {} fits", same);
  if (in_halves > same)
    help +=
        fmt::format("{}--cache-type f16{}", same > 0 ? ", or " : "",
                    in_halves == options.context ? " does" : fmt::format(" with --context {}", in_halves));
  return help;
}

}  // namespace

Result<void> checkMemory(const ModelSpec& spec, SessionOptions options, std::uint64_t available,
                         std::string_view device_name) {
  if (options.context == 0) options.context = defaultContext(spec);
  TRY_ASSIGN(const std::uint64_t weights, packedWeightBytes(spec));
  const SessionMemory session = sessionMemory(spec, options);
  if (weights + session.cache + session.scratch <= available) return {};
  const std::uint64_t left = available > weights ? available - weights : 0;
  return fail(
      ErrorCode::kOutOfMemory,
      "{} needs {:.3f} GB of weights, {:.3f} GB of cache for {} tokens and {:.3f} GB of scratch; {:.3f} "
      "GB are free on {}: {}",
      spec.checkpoint->displayName(), weights / 1e9, session.cache / 1e9, options.context,
      session.scratch / 1e9, available / 1e9, device_name, whatHelps(spec, options, left));
}

}  // namespace vitrine::core
