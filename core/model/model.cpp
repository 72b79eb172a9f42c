#include "core/model/model.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <set>

#include "core/model/row_source.h"
#include "gpu/commands.h"

namespace vitrine::core {
namespace {

constexpr std::uint64_t kPlaneAlignment = 256;
constexpr std::uint64_t kBatchBytes = 8u << 20;  // of packed rows between two looks at the stop token

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
    case DType::kF64:
      return allFinite<std::uint64_t>(row, 0x7ff0000000000000ull);
    default:
      return true;
  }
}

bool sameType(const WeightRef& a, const WeightRef& b) {
  return a.tensor->dtype == b.tensor->dtype;
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

// Gathers and uploads matrix after matrix.
class ModelLoader {
 public:
  ModelLoader(gpu::Device& device, ModelSpec spec, const std::function<void(LoadProgress)>& progress,
              std::stop_token stop)
      : device_(device), progress_(progress), stop_(std::move(stop)), model_(new Model) {
    model_->device_ = &device;
    model_->spec_ = std::move(spec);
  }

  Result<std::shared_ptr<const Model>> run() {
    const ModelSpec& spec = model_->spec_;
    TRY_ASSIGN(total_, packedWeightBytes(spec));
    model_->weight_bytes_ = total_;
    gpu::MemoryUsage memory = device_.memory();
    if (total_ > memory.available)
      return fail(
          ErrorCode::kOutOfMemory,
          "{}: the weights need {:.2f} GB on {}, where {:.2f} GB are free: choose a smaller quantization or "
          "another device",
          spec.checkpoint->displayName(), total_ / 1e9, device_.info().name, memory.available / 1e9);
    TRY_ASSIGN(auto uploader, gpu::Uploader::create(device_, 4 * kBatchBytes));
    uploader_.emplace(std::move(uploader));
    TRY_ASSIGN(model_->embedding_, matrix(rowsOf(spec.token_embedding), {}, "token embedding"));
    for (std::uint32_t layer = 0; layer < spec.blocks.size(); ++layer) {
      auto block = this->block(spec.blocks[layer]);
      if (!block) return within(fmt::format("loading layer {}", layer), std::move(block).error());
      model_->blocks_.push_back(std::move(*block));
    }
    TRY_ASSIGN(model_->final_gain_, gain(spec.final_norm));
    if (!spec.tied_head) {
      TRY_ASSIGN(model_->head_, matrix(rowsOf(spec.head.weight), {}, "head"));
    }
    TRY(uploader_->finish());
    for (DType type : expanded_)
      model_->notices_.push_back(
          fmt::format("{} tensors are kept in a wider format on the device", name(type)));
    return std::shared_ptr<const Model>(std::move(model_));
  }

 private:
  Result<Matrix> matrix(const RowSource& source, const std::vector<float>& bias, std::string name) {
    auto layout = packedLayout(source.type, source.rows.size(), source.columns);
    if (!layout) return within(source.rows.front().tensor->name, std::move(layout).error());
    if (isExpanded(source.type)) expanded_.insert(source.type);
    Matrix result{.layout = *layout};
    TRY_ASSIGN(result.buffer,
               gpu::Buffer::create(device_, bufferBytes(*layout), gpu::MemoryKind::kDevice, std::move(name)));
    TRY(uploadRows(source, result));
    if (!bias.empty()) {
      TRY_ASSIGN(result.bias, vector(bias, "bias"));
    }
    return result;
  }

  Result<void> uploadRows(const RowSource& source, const Matrix& to) {
    const PackedLayout& layout = to.layout;
    std::uint64_t row_bytes = layout.low_row + layout.high_row + layout.scale_row;
    std::uint64_t batch = std::max<std::uint64_t>(1, kBatchBytes / row_bytes);
    std::vector<std::byte> low, high, scale;
    for (std::uint64_t first = 0; first < layout.rows; first += batch) {
      if (stop_.stop_requested()) return fail(ErrorCode::kCancelled, "loading was cancelled");
      std::uint64_t rows = std::min(batch, layout.rows - first);
      low.resize(rows * layout.low_row);
      high.resize(rows * layout.high_row);
      scale.resize(rows * layout.scale_row);
      for (std::uint64_t r = 0; r < rows; ++r) {
        const StoredRow& stored = source.rows[first + r];
        auto bytes = bytesOf(stored, source.type, source.columns);
        PackedRow out{std::span(low).subspan(r * layout.low_row, layout.low_row),
                      std::span(high).subspan(r * layout.high_row, layout.high_row),
                      std::span(scale).subspan(r * layout.scale_row, layout.scale_row)};
        Result<void> packed =
            plainRowIsFinite(source.type, bytes)
                ? packRow(source.type, bytes, layout, out)
                : fail(ErrorCode::kInvalidFile, "expected finite weights, found NaN or infinity");
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

  Result<void> send(std::span<const std::byte> data, const gpu::Slice& to, std::uint64_t at) {
    for (std::uint64_t sent = 0; sent < data.size();) {
      std::uint64_t bytes = std::min<std::uint64_t>(kBatchBytes, data.size() - sent);
      TRY_ASSIGN(auto staged, uploader_->stage(gpu::Slice(*to.buffer, to.offset + at + sent, bytes)));
      std::memcpy(staged.data(), data.data() + sent, bytes);
      sent += bytes;
    }
    return {};
  }

  Result<gpu::Buffer> vector(const std::vector<float>& values, std::string name) {
    if (std::any_of(values.begin(), values.end(), [](float v) { return !std::isfinite(v); }))
      return fail(ErrorCode::kInvalidFile, "a {} holds NaN or infinity, expected finite numbers", name);
    // padded with zeros to whole vec4s and beyond, as the activations are
    std::vector<float> padded((values.size() + 31) / 32 * 32);
    std::copy(values.begin(), values.end(), padded.begin());
    TRY_ASSIGN(auto buffer,
               gpu::Buffer::create(device_, padded.size() * 4, gpu::MemoryKind::kDevice, std::move(name)));
    TRY(send(std::as_bytes(std::span(padded)), gpu::Slice(buffer), 0));
    return buffer;
  }

  Result<gpu::Buffer> gain(const Norm& norm) {
    if (norm.kind != NormKind::kRms || norm.bias)
      return fail(ErrorCode::kUnsupported, "layer norms are not supported yet, only RMS norms");
    std::vector<float> values(model_->spec_.embedding_dim, 1.0f);
    if (norm.weight) {
      TRY_ASSIGN(values, readFloats(rowsOf(norm.weight)));
    }
    return vector(values, "norm gain");
  }

  Result<gpu::Buffer> headGain(const std::optional<Norm>& norm, const AttentionSpec& spec) {
    if (!norm) return gpu::Buffer();
    RowSource rows = rowsOf(norm->weight);
    if (spec.rope) pairUp(rows, spec.head_dim, *spec.rope);
    TRY_ASSIGN(auto values, readFloats(rows));
    return vector(values, "head norm gain");
  }

  // Rows or bias entries of q and k in paired order, v as it is.
  static RowSource projectionRows(const WeightRef& weight, const AttentionSpec& spec, bool turns) {
    RowSource rows = rowsOf(weight);
    if (turns && spec.rope) pairUp(rows, spec.head_dim, *spec.rope);
    return rows;
  }

  Result<AttentionWeights> attention(const AttentionSpec& spec) {
    AttentionWeights weights;
    struct Projection {
      const Linear* linear;
      bool turns;
    };
    const Projection projections[] = {{&spec.query, true}, {&spec.key, true}, {&spec.value, false}};
    std::optional<RowSource> pending;
    std::vector<float> pending_bias;
    std::uint32_t row = 0, pending_row = 0;
    auto flush = [&]() -> Result<void> {
      if (!pending) return {};
      bool biased = std::any_of(pending_bias.begin(), pending_bias.end(), [](float v) { return v != 0; });
      TRY_ASSIGN(auto packed, matrix(*pending, biased ? pending_bias : std::vector<float>{}, "qkv"));
      weights.qkv.push_back({std::move(packed), pending_row});
      pending.reset();
      pending_bias.clear();
      return {};
    };
    for (const Projection& projection : projections) {
      RowSource rows = projectionRows(projection.linear->weight, spec, projection.turns);
      std::vector<float> bias(rows.rows.size(), 0.0f);
      if (projection.linear->bias) {
        TRY_ASSIGN(bias, readFloats(projectionRows(projection.linear->bias, spec, projection.turns)));
      }
      if (pending && pending->type != rows.type) TRY(flush());
      if (!pending) {
        pending.emplace(RowSource{.type = rows.type, .columns = rows.columns, .rows = {}});
        pending_row = row;
      }
      row += static_cast<std::uint32_t>(rows.rows.size());
      append(*pending, rows);
      pending_bias.insert(pending_bias.end(), bias.begin(), bias.end());
    }
    TRY(flush());
    TRY_ASSIGN(weights.output, linear(spec.output, "attention output"));
    TRY_ASSIGN(weights.query_gain, headGain(spec.query_norm, spec));
    TRY_ASSIGN(weights.key_gain, headGain(spec.key_norm, spec));
    return weights;
  }

  Result<Matrix> linear(const Linear& linear, std::string name) {
    std::vector<float> bias;
    if (linear.bias) {
      TRY_ASSIGN(bias, readFloats(rowsOf(linear.bias)));
    }
    return matrix(rowsOf(linear.weight), bias, std::move(name));
  }

  Result<MlpWeights> mlp(const DenseMlpSpec& spec) {
    MlpWeights weights;
    if (spec.gate && sameType(spec.gate->weight, spec.up.weight) &&
        bool(spec.gate->bias) == bool(spec.up.bias)) {
      std::vector<float> bias;
      if (spec.up.bias) {
        TRY_ASSIGN(bias, readFloats(interleave(spec.gate->bias, spec.up.bias)));
      }
      TRY_ASSIGN(weights.gate_up, matrix(interleave(spec.gate->weight, spec.up.weight), bias, "gate and up"));
    } else {
      if (spec.gate) {
        TRY_ASSIGN(weights.gate, linear(*spec.gate, "gate"));
      }
      TRY_ASSIGN(weights.up, linear(spec.up, "up"));
    }
    TRY_ASSIGN(weights.down, linear(spec.down, "down"));
    return weights;
  }

  Result<BlockWeights> block(const BlockSpec& spec) {
    BlockWeights weights;
    TRY_ASSIGN(weights.mixer_gain, gain(spec.mixer_norm));
    TRY_ASSIGN(weights.attention, attention(std::get<AttentionSpec>(spec.mixer)));
    TRY_ASSIGN(weights.channel_gain, gain(spec.channel_norm));
    TRY_ASSIGN(weights.mlp, mlp(std::get<DenseMlpSpec>(spec.channel)));
    return weights;
  }

  gpu::Device& device_;
  const std::function<void(LoadProgress)>& progress_;
  std::stop_token stop_;
  std::unique_ptr<Model> model_;
  std::optional<gpu::Uploader> uploader_;
  std::set<DType> expanded_;
  std::uint64_t done_ = 0, total_ = 0;
};

Result<std::uint64_t> packedWeightBytes(const ModelSpec& spec) {
  std::uint64_t total = 0;
  auto add = [&](const Linear& linear) -> Result<void> {
    auto layout = packedLayout(linear.weight.tensor->dtype, linear.weight.rows, linear.weight.columns);
    if (!layout) return within(linear.weight.tensor->name, layout.error());
    total += layout->bytes();
    return {};
  };
  TRY(add({spec.token_embedding, {}}));
  if (!spec.tied_head) TRY(add(spec.head));
  for (const BlockSpec& block : spec.blocks) {
    const auto& attention = std::get<AttentionSpec>(block.mixer);
    const auto& mlp = std::get<DenseMlpSpec>(block.channel);
    for (const Linear* linear :
         {&attention.query, &attention.key, &attention.value, &attention.output, &mlp.up, &mlp.down})
      TRY(add(*linear));
    if (mlp.gate) TRY(add(*mlp.gate));
  }
  return total;
}

const AttentionSpec& Model::attention(std::uint32_t layer) const {
  return std::get<AttentionSpec>(spec_.blocks[layer].mixer);
}

Result<std::shared_ptr<const Model>> Model::load(gpu::Device& device, ModelSpec spec,
                                                 const std::function<void(LoadProgress)>& progress,
                                                 std::stop_token stop) {
  return ModelLoader(device, std::move(spec), progress, std::move(stop)).run();
}

}  // namespace vitrine::core
