#include "core/spectra/device_operator.h"

#include "core/spectra/device_product.h"

namespace vitrine::core {

using Eigen::MatrixXd;

// Eigen's columns are a device's rows: it holds A^T and computes (A X)^T = X^T A^T and (A^T Y)^T = Y^T A.
struct DeviceOperator::Impl {
  explicit Impl(gpu::Device& d) : device(d), kernels(d) {}

  gpu::Device& device;
  Kernels kernels;
  gpu::Buffer matrix, from, to;  // (columns, rows); (b, either); (b, either)
  Eigen::Index rows = 0, columns = 0;

  Result<void> reserve(gpu::Buffer& buffer, std::uint64_t bytes, const char* name) {
    if (buffer && buffer.size() >= bytes) return {};
    TRY_ASSIGN(buffer, gpu::Buffer::create(device, bytes, gpu::MemoryKind::kDevice, name));
    return {};
  }
  Result<MatrixXd> multiply(const MatrixXd& block, bool transposed);
};

DeviceOperator::DeviceOperator() = default;
DeviceOperator::~DeviceOperator() = default;

Result<std::unique_ptr<DeviceOperator>> DeviceOperator::create(gpu::Device& device, const MatrixXd& matrix) {
  if (!device.info().features.float64)
    return fail(ErrorCode::kUnsupported, "{} has no double precision, which spectra need",
                device.info().name);
  std::unique_ptr<DeviceOperator> made(new DeviceOperator);
  made->impl_ = std::make_unique<Impl>(device);
  made->impl_->rows = matrix.rows();
  made->impl_->columns = matrix.cols();
  if (matrix.size() == 0) return made;
  const auto bytes = std::as_bytes(std::span(matrix.data(), std::size_t(matrix.size())));
  TRY(made->impl_->reserve(made->impl_->matrix, bytes.size(), "matrix"));
  TRY(gpu::upload(device, bytes, made->impl_->matrix));
  return made;
}

LinearOperator DeviceOperator::linear() {
  return {.rows = impl_->rows,
          .columns = impl_->columns,
          .times = [this](const MatrixXd& x) { return impl_->multiply(x, false); },
          .transposed_times = [this](const MatrixXd& y) { return impl_->multiply(y, true); }};
}

Result<MatrixXd> DeviceOperator::Impl::multiply(const MatrixXd& block, bool transposed) {
  MatrixXd out(transposed ? columns : rows, block.cols());
  const auto bytesOf = [](const MatrixXd& m) { return std::uint64_t(m.size()) * sizeof(double); };
  TRY(reserve(from, bytesOf(block), "block of vectors"));
  TRY(reserve(to, bytesOf(out), "product with a block"));
  TRY(gpu::upload(device, std::as_bytes(std::span(block.data(), std::size_t(block.size()))),
                  {from, 0, bytesOf(block)}));
  TRY_ASSIGN(auto commands, gpu::Commands::create(device, "product with a block"));
  TRY(commands.begin());
  TRY(recordProduct(kernels, commands,
                    {.a = from.address(),
                     .b = matrix.address(),
                     .c = to.address(),
                     .alpha = 1,
                     .beta = 0,
                     .m = std::uint32_t(block.cols()),
                     .n = std::uint32_t(out.rows()),
                     .k = std::uint32_t(block.rows()),
                     .a_stride = std::uint32_t(block.rows()),
                     .b_stride = std::uint32_t(rows),
                     .c_stride = std::uint32_t(out.rows())},
                    {.b_transposed = transposed}, {.reads = {from, matrix}, .writes = {to}}));
  TRY(commands.end());
  TRY(commands.submitAndWait());
  TRY(gpu::download(device, {to, 0, bytesOf(out)},
                    std::as_writable_bytes(std::span(out.data(), std::size_t(out.size())))));
  return out;
}

}  // namespace vitrine::core
