// PEFT's adapter_config.json. Every key is known to change nothing, or read, or refused where it is set.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text/regex.h"
#include "gpu/error.h"

namespace vitrine::core {

class AdapterConfig {
 public:
  static Result<AdapterConfig> parse(std::string_view json);

  std::uint32_t rank() const { return rank_; }
  double alpha() const { return alpha_; }
  bool rankStabilized() const { return rank_stabilized_; }

  // What holds for a module. kInvalidFile when two patterns claim it, or target_modules does not name it.
  struct Module {
    std::uint32_t rank = 0;
    double factor = 1;  // of B A
  };
  Result<Module> module(const std::string& name) const;

 private:
  struct Pattern {
    std::string key;
    Regex regex;
    double value = 0;
  };
  AdapterConfig() = default;
  static Result<double> valueFor(const std::vector<Pattern>& patterns, const char* key,
                                 const std::string& name, double otherwise);

  std::uint32_t rank_ = 0;
  double alpha_ = 0;
  bool rank_stabilized_ = false;
  std::vector<Pattern> ranks_, alphas_;
  std::vector<Regex> targets_;  // empty: every linear
};

}  // namespace vitrine::core
