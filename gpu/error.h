// Error and Result: how every floor of Vitrine reports an expected failure (file, format, device, memory).
// They live on the lowest floor so that all floors can use them; programmer errors use VITRINE_ASSERT
// instead.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace vitrine {

enum class ErrorCode {
  kInvalidArgument,  // the caller asked for something that makes no sense: a bad option, an empty prompt
  kNotFound,         // a file, tensor, device or name does not exist
  kInvalidFile,      // a file's content is truncated, inconsistent or malicious
  kUnsupported,      // well-formed, but this build, device or architecture cannot do it
  kOutOfMemory,      // host or device memory
  kIo,               // the operating system refused to read or write
  kDevice,           // Vulkan failed, or the device was lost
  kCancelled,        // the user asked to stop
};

// What went wrong. `message` names the object, what was expected, what was found and what to do, on one line.
struct Error {
  ErrorCode code = ErrorCode::kInvalidArgument;
  std::string message;
  std::shared_ptr<const Error> cause;  // null when this is the root

  // "opening model.gguf: tensor 3: offset 99 lies outside the file": this message, then each cause's.
  std::string describe() const { return cause ? message + ": " + cause->describe() : message; }
};

template <typename T>
using Result = tl::expected<T, Error>;

// fail(ErrorCode::kNotFound, "{}: no such file", path) makes a failed Result of any type.
template <typename... Args>
[[nodiscard]] tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...), nullptr});
}

// Puts a context in front of an error: whatever("loading blk.3.attn_q.weight", error).
[[nodiscard]] inline tl::unexpected<Error> within(std::string context, Error cause) {
  ErrorCode code = cause.code;
  return tl::unexpected<Error>(
      Error{code, std::move(context), std::make_shared<const Error>(std::move(cause))});
}

[[noreturn]] void assertionFailed(const char* expression, const char* file, int line);

}  // namespace vitrine

#define VITRINE_JOIN_(a, b) a##b
#define VITRINE_JOIN(a, b) VITRINE_JOIN_(a, b)

// Returns the error of a Result<void> (or any Result) to the caller.
#define TRY(expression)                                                          \
  do {                                                                           \
    if (auto try_result_ = (expression); !try_result_)                           \
      return ::tl::unexpected<::vitrine::Error>(std::move(try_result_).error()); \
  } while (false)

// TRY_ASSIGN(auto buffer, Buffer::create(..)); declares or assigns the value, or returns the error.
#define TRY_ASSIGN(target, expression) TRY_ASSIGN_(target, expression, VITRINE_JOIN(try_value_, __LINE__))
#define TRY_ASSIGN_(target, expression, name)                                    \
  auto name = (expression);                                                      \
  if (!name) return ::tl::unexpected<::vitrine::Error>(std::move(name).error()); \
  target = std::move(*name)

// A broken promise of the programmer; stays on in release builds.
#define VITRINE_ASSERT(expression) \
  ((expression) ? void(0) : ::vitrine::assertionFailed(#expression, __FILE__, __LINE__))
