#include "core/model/model.h"

namespace vitrine::core {

Result<Model::Weights> Model::upload(WeightLoader& loader, const ModelSpec& spec) {
  Weights weights;
  TRY_ASSIGN(weights.embedding, loader.matrix(rowsOf(spec.token_embedding), {}, "token embedding"));
  if (spec.position_embedding) {
    TRY_ASSIGN(const std::vector<float> positions, readFloats(rowsOf(spec.position_embedding)));
    TRY_ASSIGN(weights.positions, loader.vector(positions, "position embedding"));
  }
  TRY_ASSIGN(weights.embedding_norm, loader.norm(spec.embedding_norm, spec.embedding_dim));
  for (std::uint32_t layer = 0; layer < spec.blocks.size(); ++layer) {
    auto block = core::upload(loader, spec.blocks[layer], spec.embedding_dim);
    if (!block) return within(fmt::format("loading layer {}", layer), std::move(block).error());
    weights.blocks.push_back(std::move(*block));
  }
  TRY_ASSIGN(weights.final_norm, loader.norm(spec.final_norm, spec.embedding_dim));
  if (!spec.tied_head) {
    TRY_ASSIGN(weights.head, loader.linear(spec.head, "head"));
  }
  TRY(loader.finish());
  return weights;
}

Result<std::uint64_t> packedWeightBytes(const ModelSpec& spec) {
  WeightLoader counter;
  counter.mergeUpdates(spec.merge_adapters);
  TRY(Model::upload(counter, spec));
  return counter.bytes();
}

Result<std::shared_ptr<const Model>> Model::load(gpu::Device& device, ModelSpec spec,
                                                 const std::function<void(LoadProgress)>& progress,
                                                 std::stop_token stop) {
  TRY_ASSIGN(const std::uint64_t total, packedWeightBytes(spec));
  const gpu::MemoryUsage memory = device.memory();
  if (total > memory.available)
    return fail(
        ErrorCode::kOutOfMemory,
        "{}: the weights need {:.2f} GB on {}, where {:.2f} GB are free: choose a smaller quantization or "
        "another device",
        spec.checkpoint->displayName(), total / 1e9, device.info().name, memory.available / 1e9);
  TRY_ASSIGN(WeightLoader loader, WeightLoader::create(device, progress, total, std::move(stop)));
  loader.mergeUpdates(spec.merge_adapters);
  std::shared_ptr<Model> model(new Model);
  TRY_ASSIGN(model->weights_, upload(loader, spec));
  model->device_ = &device;
  model->spec_ = std::move(spec);
  model->weight_bytes_ = total;
  for (DType type : loader.expanded())
    model->notices_.push_back(fmt::format("{} tensors are kept in a wider format on the device", name(type)));
  for (DType type : loader.dequantized())
    model->notices_.push_back(
        fmt::format("{} matrices that adapters are merged into are kept as F32 on the device", name(type)));
  return std::shared_ptr<const Model>(std::move(model));
}

}  // namespace vitrine::core
