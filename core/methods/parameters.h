// What a method can be told: a typed list, from which the command line, the window's sliders and the docs are
// made, and the values of one call.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gpu/error.h"

namespace vitrine::core::methods {

struct Parameter {
  std::string_view name;
  double fallback = 0, least = 0, most = 0;  // both ends belong to the range
  std::string_view unit;                     // empty for pure numbers
  std::string_view help;                     // one line
  bool whole = true;                         // an integer
};

// A value for each parameter of a method, within its range.
class Parameters {
 public:
  Parameters() = default;
  // The defaults.
  explicit Parameters(std::span<const Parameter> parameters);

  // kInvalidArgument with the method's parameters or the range: an unknown name, a value outside or not
  // whole.
  Result<void> set(std::string_view name, double value);

  double value(std::string_view name) const;  // of a parameter that there is
  std::size_t count(std::string_view name) const;
  std::span<const Parameter> list() const { return parameters_; }
  // "steps=6, probes=4": what a figure's caption and sidecar say.
  std::string text() const;

 private:
  std::span<const Parameter> parameters_;  // static
  std::vector<double> values_;
};

// "gram-iteration:steps=6,probes=4".
struct MethodCall {
  std::string id;
  std::vector<std::pair<std::string, double>> values;
};
// kInvalidArgument for a text of another form.
Result<MethodCall> parseMethodCall(std::string_view text);

}  // namespace vitrine::core::methods
