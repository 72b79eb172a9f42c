#include "core/model/weight_loader.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/model/matrix_update.h"

namespace vitrine::core {
namespace {

constexpr std::uint64_t kPlaneAlignment = 256;
constexpr std::uint64_t kBatchBytes = 8u << 20;  // of packed rows between two looks at the stop token
constexpr std::uint64_t kVectorMultiple = 32;    // floats

std::uint64_t aligned(std::uint64_t bytes) {
  return (bytes + kPlaneAlignment - 1) / kPlaneAlignment * kPlaneAlignment;
}
std::uint64_t bufferBytes(const PackedLayout& layout) {
  return aligned(layout.lowBytes()) + aligned(layout.highBytes()) + aligned(layout.scaleBytes());
}

// Plain floats must be finite; quantized rows are checked by their scales while packing.
template <typename Word>
bool allFinite(std::span<const std::byte> row, Word exponent_mask) {
  bool finite = true;
  for (std::size_t i = 0; i + sizeof(Word) <= row.size(); i += sizeof(Word)) {
    Word bits;
    std::memcpy(&bits, row.data() + i, sizeof(Word));
    finite &= (bits & exponent_mask) != exponent_mask;
  }
  return finite;
}

bool plainRowIsFinite(DType type, std::span<const std::byte> row) {
  switch (type) {
    case DType::kF32:
      return allFinite<std::uint32_t>(row, 0x7f800000u);
    case DType::kF16:
      return allFinite<std::uint16_t>(row, 0x7c00);
    case DType::kBF16:
      return allFinite<std::uint16_t>(row, 0x7f80);
    case DType::kF8_E4M3:  // NaN alone, in all bits but the sign
      return allFinite<std::uint8_t>(row, 0x7f);
    case DType::kF8_E5M2:
      return allFinite<std::uint8_t>(row, 0x7c);
    case DType::kF64:
      return allFinite<std::uint64_t>(row, 0x7ff0000000000000ull);
    default:
      return true;
  }
}

// Below 2^15, by the exponents.
bool fitsHalves(DType type, std::span<const std::byte> row) {
  if (type != DType::kF32 && type != DType::kBF16) return true;
  const std::size_t width = type == DType::kF32 ? 4 : 2;
  for (std::size_t i = 0; i < row.size(); i += width) {
    std::uint16_t top;  // of either type: sign, exponent, seven bits
    std::memcpy(&top, row.data() + i + width - 2, 2);
    if ((top & 0x7fff) >= 0x4700) return false;
  }
  return true;
}

}  // namespace

gpu::Slice Matrix::low() const {
  return {buffer, 0, layout.lowBytes()};
}

gpu::Slice Matrix::high() const {
  return layout.high_row ? gpu::Slice(buffer, aligned(layout.lowBytes()), layout.highBytes()) : gpu::Slice();
}

gpu::Slice Matrix::scale() const {
  return layout.scale_row ? gpu::Slice(buffer, aligned(layout.lowBytes()) + aligned(layout.highBytes()),
                                       layout.scaleBytes())
                          : gpu::Slice();
}

Result<WeightLoader> WeightLoader::create(gpu::Device& device, std::function<void(LoadProgress)> progress,
                                          std::uint64_t total, std::stop_token stop) {
  WeightLoader loader;
  loader.device_ = &device;
  loader.progress_ = std::move(progress);
  loader.total_ = total;
  loader.stop_ = std::move(stop);
  TRY_ASSIGN(auto uploader, gpu::Uploader::create(device, 4 * kBatchBytes));
  loader.uploader_.emplace(std::move(uploader));
  return loader;
}

Result<Matrix> WeightLoader::matrix(const RowSource& source, const std::vector<float>& bias,
                                    std::string name) {
  std::optional<MergedRows> merged;
  const bool updated = std::ranges::any_of(source.rows, [](const StoredRow& row) { return row.linear; });
  if (merge_ && updated) merged.emplace(source);
  const DType type = merged ? MergedRows::kType : source.type;
  auto layout = packedLayout(type, source.rows.size(), source.columns);
  if (!layout) return within(source.rows.front().tensor->name, std::move(layout).error());
  if (isExpanded(type)) expanded_.insert(type);
  if (type != source.type) dequantized_.insert(source.type);
  Matrix result{.layout = *layout};
  if (device_) {
    TRY_ASSIGN(result.buffer, gpu::Buffer::create(*device_, bufferBytes(*layout), gpu::MemoryKind::kDevice,
                                                  std::move(name)));
    TRY(uploadRows(source, merged ? &*merged : nullptr, result));
  } else {
    done_ += layout->bytes();
  }
  if (!bias.empty()) {
    TRY_ASSIGN(result.bias, vector(bias, "bias"));
  }
  if (!merge_ && updated) {
    TRY_ASSIGN(result.update, uploadUpdate(*this, source));
  }
  return result;
}

Result<Matrix> WeightLoader::plain(std::span<const float> values, std::uint64_t columns, std::string name) {
  TRY_ASSIGN(const PackedLayout layout, packedLayout(DType::kF32, values.size() / columns, columns));
  Matrix result{.layout = layout};
  result.fits_halves = fitsHalves(DType::kF32, std::as_bytes(values));
  done_ += layout.bytes();
  if (!device_) return result;
  TRY_ASSIGN(result.buffer,
             gpu::Buffer::create(*device_, bufferBytes(layout), gpu::MemoryKind::kDevice, std::move(name)));
  std::vector<std::byte> row(layout.low_row);
  for (std::uint64_t r = 0; r < layout.rows; ++r) {
    std::memcpy(row.data(), &values[r * columns], columns * sizeof(float));
    TRY(send(row, result.low(), r * layout.low_row));
  }
  return result;
}

Result<gpu::Buffer> WeightLoader::bytes(std::span<const std::byte> data, std::string name) {
  done_ += data.size();
  if (!device_) return gpu::Buffer();
  TRY_ASSIGN(auto buffer,
             gpu::Buffer::create(*device_, data.size(), gpu::MemoryKind::kDevice, std::move(name)));
  TRY(send(data, gpu::Slice(buffer), 0));
  return buffer;
}

Result<Matrix> WeightLoader::linear(const Linear& linear, std::string name) {
  std::vector<float> bias;
  if (linear.bias) {
    TRY_ASSIGN(bias, readFloats(rowsOf(linear.bias)));
  }
  return matrix(rowsOf(linear), bias, std::move(name));
}

Result<gpu::Buffer> WeightLoader::vector(const std::vector<float>& values, std::string name) {
  if (std::any_of(values.begin(), values.end(), [](float v) { return !std::isfinite(v); }))
    return fail(ErrorCode::kInvalidFile, "a {} holds NaN or infinity, expected finite numbers", name);
  std::vector<float> padded((values.size() + kVectorMultiple - 1) / kVectorMultiple * kVectorMultiple);
  std::copy(values.begin(), values.end(), padded.begin());
  done_ += padded.size() * sizeof(float);
  if (!device_) return gpu::Buffer();
  TRY_ASSIGN(auto buffer, gpu::Buffer::create(*device_, padded.size() * sizeof(float),
                                              gpu::MemoryKind::kDevice, std::move(name)));
  TRY(send(std::as_bytes(std::span(padded)), gpu::Slice(buffer), 0));
  return buffer;
}

Result<gpu::Buffer> WeightLoader::vector(const WeightRef& weight, std::string name) {
  TRY_ASSIGN(const std::vector<float> values, readFloats(rowsOf(weight)));
  return vector(values, std::move(name));
}

Result<NormWeights> WeightLoader::norm(const Norm& norm, std::uint64_t columns) {
  NormWeights weights{.kind = norm.kind, .epsilon = norm.epsilon};
  std::vector<float> gain(columns, 1.0f);
  if (norm.weight) {
    TRY_ASSIGN(gain, readFloats(rowsOf(norm.weight)));
    for (float& g : gain) g += norm.gain_offset;
  }
  TRY_ASSIGN(weights.gain, vector(gain, "norm gain"));
  if (norm.bias) {
    TRY_ASSIGN(const std::vector<float> bias, readFloats(rowsOf(norm.bias)));
    TRY_ASSIGN(weights.bias, vector(bias, "norm bias"));
  }
  return weights;
}

Result<std::optional<NormWeights>> WeightLoader::norm(const std::optional<Norm>& norm,
                                                      std::uint64_t columns) {
  if (!norm) return std::nullopt;
  TRY_ASSIGN(auto weights, this->norm(*norm, columns));
  return std::optional(std::move(weights));
}

Result<void> WeightLoader::finish() {
  return uploader_ ? uploader_->finish() : Result<void>{};
}

Result<void> WeightLoader::uploadRows(const RowSource& source, MergedRows* merged, Matrix& to) {
  const PackedLayout& layout = to.layout;
  const DType type = merged ? MergedRows::kType : source.type;
  std::uint64_t row_bytes = layout.low_row + layout.high_row + layout.scale_row;
  std::uint64_t batch = std::max<std::uint64_t>(1, kBatchBytes / row_bytes);
  std::vector<std::byte> low, high, scale, scratch;
  for (std::uint64_t first = 0; first < layout.rows; first += batch) {
    if (stop_.stop_requested()) return fail(ErrorCode::kCancelled, "loading was cancelled");
    std::uint64_t rows = std::min(batch, layout.rows - first);
    low.resize(rows * layout.low_row);
    high.resize(rows * layout.high_row);
    scale.resize(rows * layout.scale_row);
    for (std::uint64_t r = 0; r < rows; ++r) {
      const StoredRow& stored = source.rows[first + r];
      std::span<const std::byte> bytes;
      if (merged) {
        TRY_ASSIGN(bytes, merged->row(first + r));
      } else {
        bytes = bytesOf(stored, type, source.columns, scratch);
      }
      PackedRow out{std::span(low).subspan(r * layout.low_row, layout.low_row),
                    std::span(high).subspan(r * layout.high_row, layout.high_row),
                    std::span(scale).subspan(r * layout.scale_row, layout.scale_row)};
      Result<void> packed =
          plainRowIsFinite(type, bytes)
              ? packRow(type, bytes, layout, out)
              : fail(ErrorCode::kInvalidFile, "expected finite weights, found NaN or infinity");
      to.fits_halves = to.fits_halves && fitsHalves(type, bytes);
      if (!packed)
        return within(fmt::format("tensor {} row {}", stored.tensor->name, stored.row), packed.error());
    }
    TRY(send(low, to.low(), first * layout.low_row));
    TRY(send(high, to.high(), first * layout.high_row));
    TRY(send(scale, to.scale(), first * layout.scale_row));
    done_ += low.size() + high.size() + scale.size();
    if (progress_) progress_({done_, total_});
  }
  return {};
}

Result<void> WeightLoader::send(std::span<const std::byte> data, const gpu::Slice& to, std::uint64_t at) {
  for (std::uint64_t sent = 0; sent < data.size();) {
    std::uint64_t bytes = std::min<std::uint64_t>(kBatchBytes, data.size() - sent);
    TRY_ASSIGN(auto staged, uploader_->stage(gpu::Slice(*to.buffer, to.offset + at + sent, bytes)));
    std::memcpy(staged.data(), data.data() + sent, bytes);
    sent += bytes;
  }
  return {};
}

}  // namespace vitrine::core
