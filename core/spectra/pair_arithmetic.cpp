#include "core/spectra/pair_arithmetic.h"

#include <array>
#include <cmath>
#include <random>

#include "gpu/commands.h"
#include "svd/pair_check.params.h"

namespace vitrine::core {
namespace {

constexpr std::size_t kPairResults = 4;
constexpr std::uint32_t kFusedConstant = 90;  // of pairs.glsl

bool isFloat(double value) {
  return double{static_cast<float>(value)} == value;
}

struct PairResult {
  std::string what;
  double expected, allowed;  // how far from it
};

// Operands that are floats have exact sums and products.
std::array<PairResult, kPairResults> expectedOf(double a, double b) {
  const bool exact = isFloat(a) && isFloat(b);
  const double sum = a + b, product = a * b, quotient = a / b, root = std::sqrt(std::abs(a));
  return {{{fmt::format("{:a} + {:a}", a, b), sum, exact ? 0 : 0x1p-46 * (std::abs(a) + std::abs(b))},
           {fmt::format("{:a} * {:a}", a, b), product, exact ? 0 : 0x1p-45 * std::abs(product)},
           {fmt::format("{:a} / {:a}", a, b), quotient, 0x1p-45 * std::abs(quotient)},
           {fmt::format("the root of {:a}", std::abs(a)), root, 0x1p-45 * root}}};
}

Result<std::vector<double>> computedBy(Kernels& kernels, const PairArithmetic& arithmetic,
                                       std::vector<double> operands) {
  gpu::Device& device = kernels.device();
  const auto cases = static_cast<std::uint32_t>(operands.size() / 2);
  std::vector<double> results(cases * kPairResults);
  doublesToSums(operands, SumForm::kPair);
  const auto make = [&](std::span<const double> numbers) {
    return gpu::Buffer::create(device, numbers.size_bytes(), gpu::MemoryKind::kDevice, "pairs of floats");
  };
  TRY_ASSIGN(const gpu::Buffer from, make(operands));
  TRY_ASSIGN(const gpu::Buffer to, make(results));
  TRY(gpu::upload(device, std::as_bytes(std::span(operands)), from));
  TRY_ASSIGN(const gpu::Kernel* kernel, pairKernel(kernels, arithmetic, "svd/pair_check", 1));
  TRY_ASSIGN(gpu::Commands commands, gpu::Commands::create(device, "pairs of floats"));
  TRY(commands.begin());
  commands.dispatch(
      *kernel, {gpu::divideUp(cases, kernels.lanes())},
      shader::PairCheckParams{.operands = from.address(), .results = to.address(), .count = cases},
      {.reads = {from}, .writes = {to}});
  TRY(commands.end());
  TRY(commands.submitAndWait());
  TRY(gpu::download(device, to, std::as_writable_bytes(std::span(results))));
  sumsToDoubles(results, SumForm::kPair);
  return results;
}

}  // namespace

Result<PairArithmetic> pairArithmeticOf(Kernels& kernels) {
  const std::vector<double> operands = pairOperands();
  std::optional<std::string> mistake;
  for (const bool fused : {true, false}) {
    TRY_ASSIGN(const std::vector<double> results, computedBy(kernels, {fused}, operands));
    mistake = pairMistake(operands, results);
    if (!mistake) return PairArithmetic{fused};
  }
  return fail(ErrorCode::kUnsupported,
              "{} ({}) does not compute pairs of floats as they are written, which spectra without double "
              "precision need: {}; LAPACK's do without (--solver lapack)",
              kernels.device().info().name, kernels.device().info().driver, *mistake);
}

Result<const gpu::Kernel*> pairKernel(Kernels& kernels, const PairArithmetic& arithmetic,
                                      std::string_view name, std::uint32_t subgroups,
                                      std::vector<gpu::Specialization> constants) {
  constants.push_back({kFusedConstant, arithmetic.fused});
  return kernels.get(name, subgroups, std::move(constants), "pair");
}

std::vector<double> pairOperands() {
  // Ties, bits at both ends, cancellation.
  std::vector<double> operands{1,         0x1p-24,   1,        -0x1p-20,     0x1.000002p0, 0x1.fffffep-1,
                               0x1.001p0, 0x1.001p0, 16777216, 1.5,          1e8,          -99999992,
                               1,         3,         -7,       0x1.fffffep3, 0x1.5p-3,     0x1.555556p-3};
  constexpr std::size_t kRandom = 1'000;
  std::mt19937 random(1);
  const auto drawn = [&](bool whole) {
    const double high = std::ldexp(double(random() >> 8 | 1u << 23), int(random() % 20) - 33);
    const auto low = static_cast<float>(std::ldexp(double(random()), -32) - 0.5);
    const double unit = std::ldexp(1.0, std::ilogb(high) - 23);
    return (random() & 1 ? -1 : 1) * (whole ? high : high + unit * double{low} * 0.99);
  };
  for (std::size_t i = 0; i < kRandom; ++i) {
    operands.push_back(drawn(i % 2 == 0));
    operands.push_back(drawn(i % 2 == 0));
  }
  // What a pair keeps of them.
  doublesToSums(operands, SumForm::kPair);
  sumsToDoubles(operands, SumForm::kPair);
  return operands;
}

std::optional<std::string> pairMistake(std::span<const double> operands, std::span<const double> results) {
  VITRINE_ASSERT(results.size() == operands.size() / 2 * kPairResults);
  for (std::size_t i = 0; i < operands.size() / 2; ++i) {
    const auto expected = expectedOf(operands[2 * i], operands[2 * i + 1]);
    for (std::size_t k = 0; k < kPairResults; ++k) {
      const double off = std::abs(results[i * kPairResults + k] - expected[k].expected);
      if (!(off <= expected[k].allowed))
        return fmt::format("{} is off by {:.1e} of itself", expected[k].what,
                           off / std::abs(expected[k].expected));
    }
  }
  return std::nullopt;
}

}  // namespace vitrine::core
