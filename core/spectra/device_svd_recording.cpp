#include <cmath>

#include "core/spectra/device_product.h"
#include "core/spectra/device_svd_impl.h"
#include "svd/gram.params.h"
#include "svd/ordered.params.h"
#include "svd/squares.params.h"

namespace vitrine::core {
namespace {

using SvdRows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::uint32_t kSvdTile = 64;         // of gram.comp
constexpr std::uint32_t kThinParts = 4;        // of the inner side of a product with few rows
constexpr std::uint32_t kVectorThreads = 64;   // of tridiagonal_vectors.comp and solve_reflectors.comp
constexpr std::uint32_t kBlocksAtOnce = 16;    // of reflections in one submission
constexpr std::uint32_t kDistanceParts = 256;  // of a sum of squares
constexpr std::uint64_t kDoubleBytes = sizeof(double);

}  // namespace

Result<void> DeviceSvd::Impl::reserve() {
  if (reserved == shape() && vectors) return {};
  reserved = {};
  const auto make = [&](gpu::Buffer& to, std::uint64_t doubles, const char* name) -> Result<void> {
    to = {};
    TRY_ASSIGN(to, gpu::Buffer::create(device, doubles * kDoubleBytes, gpu::MemoryKind::kDevice, name));
    return {};
  };
  const std::uint64_t stride = shape().stride(), n = shape().n(), padded = shape().reflectors();
  TRY(make(vectors, n * stride, "singular vectors"));
  TRY(make(scratch, n * stride, "singular vectors, scratch"));
  TRY(make(other, shape().longSide() * stride, "singular vectors, other side"));
  TRY(make(cross, padded * kReflectorBlock, "products of reflectors"));
  TRY(make(inverse_taus, padded, "reflectors' lengths"));
  TRY_ASSIGN(order, gpu::Buffer::create(device, n * sizeof(std::uint32_t), gpu::MemoryKind::kDevice,
                                        "order of singular values"));
  TRY(make(thin, std::uint64_t{kThinParts} * kReflectorBlock * stride, "products with reflectors"));
  TRY(make(sums, kDistanceParts, "sums"));
  TRY_ASSIGN(sums_host, gpu::Buffer::create(device, kDistanceParts * kDoubleBytes, gpu::MemoryKind::kReadback,
                                            "sums, host"));
  reserved = shape();
  return {};
}

shader::VectorsParams DeviceSvd::Impl::params() const {
  return {.tridiagonal = spectra.tridiagonal().address(),
          .values = spectra.values().address(),
          .bounds = spectra.bounds.address(),
          .reflectors = spectra.vectors.address(),
          .inverse_taus = inverse_taus.address(),
          .vectors = vectors.address(),
          .scratch = scratch.address(),
          .cross = cross.address(),
          .n = shape().n(),
          .stride = shape().stride(),
          .block = 0,
          .parts = kThinParts};
}

Result<void> DeviceSvd::Impl::twist() {
  TRY_ASSIGN(auto commands, gpu::Commands::create(device, "vectors of a tridiagonal matrix"));
  TRY(commands.begin());
  const std::uint32_t subgroups = std::max(1u, kVectorThreads / spectra.kernels.lanes());
  TRY_ASSIGN(const gpu::Kernel* kernel, spectra.kernels.get("svd/tridiagonal_vectors", subgroups));
  commands.dispatch(*kernel, {gpu::divideUp(shape().n(), subgroups * spectra.kernels.lanes())}, params(),
                    {.reads = {}, .writes = {vectors, scratch}});
  TRY(commands.end());
  return commands.submitAndWait();
}

Result<double> DeviceSvd::Impl::distanceFromOrthogonal() {
  TRY_ASSIGN(auto commands, gpu::Commands::create(device, "products of vectors"));
  TRY(commands.begin());
  constexpr std::uint32_t kEach = 4;
  TRY_ASSIGN(const gpu::Kernel* gram,
             spectra.kernels.get("svd/gram", kSvdTile * kSvdTile / (kEach * kEach) / spectra.kernels.lanes(),
                                 {{0, false}, {1, kEach}, {2, true}}));
  const std::uint32_t side = gpu::divideUp(shape().n(), kSvdTile);
  commands.dispatch(*gram, {side * (side + 1) / 2},
                    shader::GramParams{.a = vectors.address(),
                                       .gram = spectra.gram.address(),
                                       .n = shape().n(),
                                       .long_side = shape().n(),
                                       .columns = shape().stride(),
                                       .stride = shape().stride()},
                    {.reads = {vectors}, .writes = {spectra.gram}});
  TRY_ASSIGN(const gpu::Kernel* squares, spectra.kernels.get("svd/squares", 1, {{0, true}}));
  commands.dispatch(*squares, {kDistanceParts},
                    shader::SquaresParams{.numbers = spectra.gram.address(),
                                          .sums = sums.address(),
                                          .rows = shape().n(),
                                          .columns = shape().n(),
                                          .stride = shape().stride()},
                    {.reads = {spectra.gram}, .writes = {sums}});
  commands.copy(sums, sums_host);
  commands.hostBarrier();
  TRY(commands.end());
  TRY(commands.submitAndWait());
  double sum = -double(shape().n());  // of the diagonal, whose elements are 1
  for (const double part : sums_host.mappedAs<double>()) sum += part;
  return std::isfinite(sum) ? std::sqrt(std::max(sum, 0.0)) : HUGE_VAL;
}

Result<void> DeviceSvd::Impl::orthogonalize() {
  TRY_ASSIGN(auto commands, gpu::Commands::create(device, "orthogonalization"));
  TRY(commands.begin());
  const std::uint32_t n = shape().n(), stride = shape().stride();
  commands.copy(vectors, scratch);
  TRY(recordProduct(spectra.kernels, commands,
                    {.a = vectors.address(),
                     .b = spectra.gram.address(),
                     .c = scratch.address(),
                     .alpha = -0.5,
                     .beta = 1.5,
                     .m = n,
                     .n = n,
                     .k = n,
                     .a_stride = stride,
                     .b_stride = stride,
                     .c_stride = stride},
                    {}, {.reads = {vectors, spectra.gram}, .writes = {scratch}}));
  TRY(commands.end());
  TRY(commands.submitAndWait());
  std::swap(vectors, scratch);
  return {};
}

// Z <- (I - V M^-1 V^T) Z with the block's reflectors V, from the first row that they reach on.
Result<void> DeviceSvd::Impl::applyBlock(gpu::Commands& commands, std::uint32_t block) {
  const std::uint32_t n = shape().n(), stride = shape().stride(), first = block * kReflectorBlock;
  const std::uint64_t skipped = first * kDoubleBytes;  // zeros in front of the block's reflectors
  const std::uint64_t reflectors = spectra.vectors.address() + std::uint64_t{first} * stride * kDoubleBytes;
  const std::uint64_t rows = vectors.address() + std::uint64_t{first} * stride * kDoubleBytes;
  TRY(recordProduct(spectra.kernels, commands,
                    {.a = reflectors + skipped,
                     .b = rows,
                     .c = thin.address(),
                     .alpha = 1,
                     .beta = 0,
                     .m = kReflectorBlock,
                     .n = n,
                     .k = n - first,
                     .a_stride = stride,
                     .b_stride = stride,
                     .c_stride = stride,
                     .c_part = kReflectorBlock * stride},
                    {.parts = kThinParts}, {.reads = {spectra.vectors, vectors}, .writes = {thin}}));
  const std::uint32_t subgroups = std::max(1u, kVectorThreads / spectra.kernels.lanes());
  TRY_ASSIGN(const gpu::Kernel* solve, spectra.kernels.get("svd/solve_reflectors", subgroups));
  shader::VectorsParams step = params();
  step.block = block;
  step.scratch = thin.address();
  commands.dispatch(*solve, {gpu::divideUp(n, subgroups * spectra.kernels.lanes())}, step,
                    {.reads = {cross, inverse_taus}, .writes = {thin}});
  return recordProduct(spectra.kernels, commands,
                       {.a = reflectors + skipped,
                        .b = thin.address(),
                        .c = rows,
                        .alpha = -1,
                        .beta = 1,
                        .m = n - first,
                        .n = n,
                        .k = kReflectorBlock,
                        .a_stride = stride,
                        .b_stride = stride,
                        .c_stride = stride},
                       {.a_transposed = true}, {.reads = {spectra.vectors, thin}, .writes = {vectors}});
}

Result<void> DeviceSvd::Impl::applyReflections(const std::stop_token& stop) {
  TRY_ASSIGN(auto commands, gpu::Commands::create(device, "reflections"));
  TRY(commands.begin());
  const std::uint32_t stride = shape().stride(), blocks = shape().reflectors() / kReflectorBlock;
  TRY_ASSIGN(const gpu::Kernel* kernel, spectra.kernels.get("svd/reflectors", 1));
  commands.dispatch(*kernel, {shape().reflectors()}, params(),
                    {.reads = {}, .writes = {spectra.vectors, inverse_taus}});
  TRY(recordProduct(spectra.kernels, commands,
                    {.a = spectra.vectors.address(),
                     .b = spectra.vectors.address(),
                     .c = cross.address(),
                     .alpha = 1,
                     .beta = 0,
                     .m = kReflectorBlock,
                     .n = kReflectorBlock,
                     .k = shape().n(),
                     .a_stride = stride,
                     .b_stride = stride,
                     .c_stride = kReflectorBlock,
                     .a_batch = kReflectorBlock * stride,
                     .b_batch = kReflectorBlock * stride,
                     .c_batch = kReflectorBlock * kReflectorBlock},
                    {.b_transposed = true, .batch = blocks},
                    {.reads = {spectra.vectors}, .writes = {cross}}));
  for (std::uint32_t done = 0; done < blocks; ++done) {
    if (done > 0 && done % kBlocksAtOnce == 0) {
      TRY(commands.end());
      TRY(commands.submitAndWait());
      if (stop.stop_requested()) return cancelled();
      TRY(commands.begin());
    }
    TRY(applyBlock(commands, blocks - 1 - done));
  }
  TRY(commands.end());
  return commands.submitAndWait();
}

// The other side's vectors, each as long as its singular value.
Result<void> DeviceSvd::Impl::multiply(const std::stop_token& stop) {
  if (stop.stop_requested()) return cancelled();
  TRY_ASSIGN(auto commands, gpu::Commands::create(device, "other side"));
  TRY(commands.begin());
  const std::uint32_t stride = shape().stride();
  TRY(recordProduct(spectra.kernels, commands,
                    {.a = spectra.input.address(),
                     .b = vectors.address(),
                     .c = other.address(),
                     .alpha = 1,
                     .beta = 0,
                     .m = shape().longSide(),
                     .n = shape().n(),
                     .k = shape().n(),
                     .a_stride = shape().columns,
                     .b_stride = stride,
                     .c_stride = stride},
                    {.a_transposed = shape().rows < shape().columns},
                    {.reads = {vectors}, .writes = {other}}));
  TRY(commands.end());
  return commands.submitAndWait();
}

Result<std::vector<double>> DeviceSvd::Impl::columnLengths() {
  TRY_ASSIGN(auto commands, gpu::Commands::create(device, "lengths"));
  TRY(commands.begin());
  const std::uint32_t subgroups = std::max(1u, kVectorThreads / spectra.kernels.lanes());
  TRY_ASSIGN(const gpu::Kernel* kernel, spectra.kernels.get("svd/lengths", subgroups));
  commands.dispatch(*kernel, {gpu::divideUp(shape().n(), subgroups * spectra.kernels.lanes())},
                    shader::OrderedParams{.from = other.address(),
                                          .lengths = inverse_taus.address(),
                                          .rows = shape().longSide(),
                                          .columns = shape().n(),
                                          .stride = shape().stride()},
                    {.reads = {other}, .writes = {inverse_taus}});
  TRY(commands.end());
  TRY(commands.submitAndWait());
  std::vector<double> lengths(shape().n());
  TRY(gpu::download(device, {inverse_taus, 0, lengths.size() * kDoubleBytes},
                    std::as_writable_bytes(std::span(lengths))));
  return lengths;
}

// By way of the input's place, which nothing needs any more.
Result<Eigen::MatrixXd> DeviceSvd::Impl::readOrdered(const gpu::Buffer& from, std::uint32_t rows) {
  constexpr std::uint32_t kSide = 32, kThreads = 256;  // of ordered.comp
  TRY_ASSIGN(auto commands, gpu::Commands::create(device, "ordered vectors"));
  TRY(commands.begin());
  TRY_ASSIGN(const gpu::Kernel* kernel,
             spectra.kernels.get("svd/ordered", kThreads / spectra.kernels.lanes()));
  commands.dispatch(*kernel, {gpu::divideUp(rows, kSide), gpu::divideUp(shape().n(), kSide)},
                    shader::OrderedParams{.from = from.address(),
                                          .to = spectra.input.address(),
                                          .order = order.address(),
                                          .rows = rows,
                                          .columns = shape().n(),
                                          .stride = shape().stride()},
                    {.reads = {from}, .writes = {spectra.input}});
  TRY(commands.end());
  TRY(commands.submitAndWait());
  Eigen::MatrixXd all(Eigen::Index(rows), Eigen::Index(shape().n()));
  TRY(gpu::download(device, {spectra.input, 0, std::uint64_t(all.size()) * kDoubleBytes},
                    std::as_writable_bytes(std::span(all.data(), std::size_t(all.size())))));
  return all;
}

Result<void> DeviceSvd::Impl::write(const SvdRows& vectors_of_t) {
  SvdRows all = SvdRows::Zero(vectors_of_t.rows(), Eigen::Index(shape().stride()));
  all.leftCols(vectors_of_t.cols()) = vectors_of_t;
  return gpu::upload(device, std::as_bytes(std::span(all.data(), std::size_t(all.size()))), vectors);
}

}  // namespace vitrine::core
