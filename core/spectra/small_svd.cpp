#include "core/spectra/small_svd.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/engine/kernels.h"
#include "core/spectra/scaled_upload.h"
#include "gpu/commands.h"
#include "svd/small_svd.params.h"

namespace vitrine::core {
namespace {

constexpr std::uint32_t kColumnsEach = 4;  // of a subgroup of jacobi.comp
constexpr std::uint32_t kQrThreads = 512;

}  // namespace

struct SmallSvd::Impl {
  Impl(gpu::Device& d, Precision p, const Order& o) : device(d), kernels(d), precision(p), order(o) {}

  gpu::Device& device;
  Kernels kernels;
  Precision precision;
  Order order;
  std::uint32_t rows = 0, columns = 0, count = 0;
  gpu::Buffer matrices, work, factor, found, host, pairs;
  std::uint32_t random_rounds = 0;
  gpu::Commands commands;
  std::vector<int> exponents;  // input is what decompose() was given over 2^exponent
  bool recorded = false;

  std::uint32_t n() const { return std::min(rows, columns); }
  std::uint32_t longSide() const { return std::max(rows, columns); }
  // Parts of `found`, each kind of all matrices together: values, vectors, sweeps.
  gpu::Slice sigma() const { return {found, 0, std::uint64_t{count} * n() * sizeof(double)}; }
  gpu::Slice vectors() const { return {found, sigma().bytes, sigma().bytes * n()}; }
  gpu::Slice sweeps() const {
    return {found, sigma().bytes + vectors().bytes, count * sizeof(std::uint32_t)};
  }

  std::uint32_t mostSweeps() const {
    return order.pivots == Pivots::kRandom ? kMostRandomSweeps : kMostSweeps;
  }

  Result<void> makePairs();
  Result<void> record();
  Result<const gpu::Kernel*> rotations();
};

SmallSvd::SmallSvd() = default;
SmallSvd::~SmallSvd() {
  if (impl_) (void)impl_->device.waitIdle();
}

Result<std::unique_ptr<SmallSvd>> SmallSvd::create(gpu::Device& device, Precision precision) {
  return create(device, precision, Order{});
}

Result<std::unique_ptr<SmallSvd>> SmallSvd::create(gpu::Device& device, Precision precision,
                                                   const Order& order) {
  if (!device.info().features.float64)
    return fail(ErrorCode::kUnsupported, "{} has no double precision, which singular values need",
                device.info().name);
  std::unique_ptr<SmallSvd> svd(new SmallSvd);
  svd->impl_ = std::make_unique<Impl>(device, precision, order);
  TRY_ASSIGN(svd->impl_->commands, gpu::Commands::create(device, "small SVDs"));
  return svd;
}

Result<void> SmallSvd::reserve(std::uint64_t rows, std::uint64_t columns, std::uint32_t count) {
  Impl& impl = *impl_;
  const std::uint64_t shorter = std::min(rows, columns), longer = std::max(rows, columns);
  if (shorter == 0 || shorter > kMostSmallSide || longer >= 1u << 24 || count == 0)
    return fail(ErrorCode::kInvalidArgument,
                "{} matrices of {} x {}: small SVDs have a short side from 1 to {} and a long one below 2^24",
                count, rows, columns, kMostSmallSide);
  if (rows == impl.rows && columns == impl.columns && count == impl.count) return {};
  TRY(impl.device.waitIdle());
  impl.recorded = false;
  impl.count = 0;
  const auto make = [&](gpu::Buffer& to, std::uint64_t bytes, gpu::MemoryKind kind,
                        const char* name) -> Result<void> {
    to = {};
    TRY_ASSIGN(to, gpu::Buffer::create(impl.device, bytes, kind, name));
    return {};
  };
  const std::uint64_t elements = count * rows * columns, squares = count * shorter * shorter;
  const std::uint64_t found = (squares + count * shorter + count) * sizeof(double);
  TRY(make(impl.matrices, elements * sizeof(float), gpu::MemoryKind::kDevice, "small matrices"));
  TRY(make(impl.work, elements * sizeof(double), gpu::MemoryKind::kDevice, "QR"));
  TRY(make(impl.factor, squares * sizeof(double), gpu::MemoryKind::kDevice, "R"));
  TRY(make(impl.found, found, gpu::MemoryKind::kDevice, "small SVDs"));
  TRY(make(impl.host, found, gpu::MemoryKind::kReadback, "small SVDs, host"));
  impl.rows = static_cast<std::uint32_t>(rows);
  impl.columns = static_cast<std::uint32_t>(columns);
  TRY(impl.makePairs());
  impl.count = count;
  impl.exponents.assign(count, 0);
  return {};
}

gpu::Slice SmallSvd::input(std::uint32_t index) {
  impl_->exponents[index] = 0;
  const std::uint64_t bytes = std::uint64_t{impl_->rows} * impl_->columns * sizeof(float);
  return {impl_->matrices, index * bytes, bytes};
}

// The table of jacobi_pairs.comp: a tournament, then random rounds, which repeat after a few sweeps.
Result<void> SmallSvd::Impl::makePairs() {
  constexpr std::uint32_t kRandomSweeps = 16;
  std::vector<PairRound> rounds = roundRobinPairs(n());
  random_rounds =
      order.pivots == Pivots::kRandom ? kRandomSweeps * static_cast<std::uint32_t>(rounds.size()) : 0;
  const auto random = disjointPairs(n(), random_rounds, order.seed);
  rounds.insert(rounds.end(), random.begin(), random.end());
  std::vector<std::uint32_t> packed;
  for (const PairRound& round : rounds)
    for (const auto& [i, j] : round) packed.push_back(i | j << 16);
  packed.resize(std::max<std::size_t>(1, packed.size()));
  TRY_ASSIGN(pairs, gpu::Buffer::create(device, packed.size() * sizeof(std::uint32_t),
                                        gpu::MemoryKind::kDevice, "pairs of columns"));
  return gpu::upload(device, std::as_bytes(std::span(packed)),
                     {pairs, 0, packed.size() * sizeof(std::uint32_t)});
}

Result<const gpu::Kernel*> SmallSvd::Impl::rotations() {
  const std::uint32_t subgroups = gpu::divideUp(n(), kColumnsEach), lanes = kernels.lanes();
  const std::uint32_t rows_each = gpu::divideUp(n(), lanes);
  const std::string_view variant = precision == Precision::kDouble ? "double" : "single";
  const auto form = static_cast<std::uint32_t>(order.form);
  if (order.pivots != Pivots::kNeighbours)
    return kernels.get("svd/jacobi_pairs", subgroups, {{0, subgroups}, {1, rows_each}, {3, form}}, variant);
  return kernels.get(
      "svd/jacobi", subgroups,
      {{0, subgroups}, {1, rows_each}, {2, std::max(1u, (subgroups - 1) * lanes * rows_each)}, {3, form}},
      variant);
}

Result<void> SmallSvd::Impl::record() {
  const std::uint32_t subgroups = kQrThreads / kernels.lanes();
  TRY_ASSIGN(const gpu::Kernel* qr, kernels.get("svd/qr", subgroups, {{0, rows < columns}, {1, subgroups}}));
  TRY_ASSIGN(const gpu::Kernel* jacobi, rotations());
  const bool twice = precision == Precision::kDouble;
  const shader::SmallSvdParams params{.a = matrices.address(),
                                      .work = work.address(),
                                      .factor = factor.address(),
                                      .sigma = sigma().address(),
                                      .vectors = vectors().address(),
                                      .sweeps = sweeps().address(),
                                      .pairs = pairs.address(),
                                      .n = n(),
                                      .long_side = longSide(),
                                      .columns = columns,
                                      .tolerance = twice ? 1e-14f : 1e-6f,
                                      .most_sweeps = mostSweeps(),
                                      .random_rounds = random_rounds};
  TRY(commands.begin());
  commands.dispatch(*qr, {count}, params, {.reads = {matrices}, .writes = {work, factor}});
  commands.dispatch(*jacobi, {count}, params, {.reads = {factor, pairs}, .writes = {found}});
  commands.copy(found, host);
  commands.hostBarrier();
  return commands.end();
}

Result<void> SmallSvd::compute() {
  VITRINE_ASSERT(impl_->count > 0);
  if (!impl_->recorded) TRY(impl_->record());
  impl_->recorded = true;
  return impl_->commands.submitAndWait();
}

Result<std::vector<SmallSvdResult>> SmallSvd::results() const {
  const Impl& impl = *impl_;
  const std::size_t n = impl.n();
  const auto all = impl.host.mappedAs<double>();
  const auto sweeps =
      impl.host.mappedAs<std::uint32_t>().subspan(impl.sweeps().offset / sizeof(std::uint32_t));
  std::vector<SmallSvdResult> results;
  for (std::uint32_t i = 0; i < impl.count; ++i) {
    const auto sigma = all.subspan(i * n, n);
    const auto vectors = all.subspan(impl.vectors().offset / sizeof(double) + i * n * n, n * n);
    SmallSvdResult result{.sigma = {}, .vectors = {}, .sweeps = sweeps[i]};
    if (result.sweeps >= impl.mostSweeps())
      return fail(ErrorCode::kUnsupported, "matrix {}: the rotations have not converged after {} sweeps", i,
                  impl.mostSweeps());
    const int exponent = impl.exponents[i];
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t k) { return sigma[k]; });
    for (const std::size_t k : order) {
      result.sigma.push_back(std::ldexp(sigma[k], exponent));
      const auto vector = vectors.subspan(k * n, n);
      const double largest = *std::ranges::max_element(vector, {}, [](double v) { return std::abs(v); });
      for (const double v : vector) result.vectors.push_back(largest < 0 ? -v : v);
    }
    results.push_back(std::move(result));
  }
  return results;
}

Result<std::vector<SmallSvdResult>> SmallSvd::decompose(std::span<const DenseMatrix> matrices) {
  if (matrices.empty()) return std::vector<SmallSvdResult>{};
  TRY(reserve(matrices[0].rows, matrices[0].columns, static_cast<std::uint32_t>(matrices.size())));
  TRY_ASSIGN(impl_->exponents,
             uploadScaled(impl_->device, matrices, [&](std::uint32_t i) { return input(i); }));
  TRY(compute());
  return results();
}

}  // namespace vitrine::core
