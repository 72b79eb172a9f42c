#include "core/adapter/adapter.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/adapter/adapter_config.h"
#include "core/model/row_source.h"

namespace vitrine::core {
namespace {

constexpr std::string_view kPrefix = "base_model.model.", kA = ".lora_A.weight", kB = ".lora_B.weight";

struct TensorPair {
  const TensorEntry *a = nullptr, *b = nullptr;
};

Result<std::map<std::string, TensorPair>> pairsOf(const Checkpoint& checkpoint) {
  std::map<std::string, TensorPair> pairs;
  for (const TensorEntry& tensor : checkpoint.tensors()) {
    const std::string_view name = tensor.name;
    const bool is_a = name.ends_with(kA), is_b = name.ends_with(kB);
    if (!name.starts_with(kPrefix) || (!is_a && !is_b) || name.size() <= kPrefix.size() + kA.size())
      return fail(ErrorCode::kUnsupported,
                  "tensor {}: expected {}<module>{} or {}; nothing else is implemented", name, kPrefix, kA,
                  kB);
    const std::string module(name.substr(kPrefix.size(), name.size() - kPrefix.size() - kA.size()));
    (is_a ? pairs[module].a : pairs[module].b) = &tensor;
  }
  if (pairs.empty()) return fail(ErrorCode::kInvalidFile, "no tensors, expected {}<module>{}", kPrefix, kA);
  return pairs;
}

Result<void> checkTensor(const TensorEntry& tensor, std::size_t rank_axis, std::uint32_t rank) {
  if (tensor.dtype != DType::kF32 && tensor.dtype != DType::kF16 && tensor.dtype != DType::kBF16)
    return fail(ErrorCode::kUnsupported, "tensor {} is of type {}, expected F32, F16 or BF16", tensor.name,
                name(tensor.dtype));
  if (tensor.shape.size() != 2 || tensor.shape[rank_axis] != rank)
    return fail(ErrorCode::kInvalidFile, "tensor {}: expected the shape {}, found ({})", tensor.name,
                rank_axis == 0 ? fmt::format("({}, in)", rank) : fmt::format("(out, {})", rank),
                fmt::join(tensor.shape, ", "));
  TRY_ASSIGN(
      const auto values,
      readFloats(rowsOf(WeightRef{.tensor = &tensor, .rows = tensor.shape[0], .columns = tensor.shape[1]})));
  if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); }))
    return fail(ErrorCode::kInvalidFile, "tensor {}: expected finite numbers, found NaN or infinity",
                tensor.name);
  return {};
}

Result<Adapter> readFolder(const std::filesystem::path& folder) {
  Adapter adapter;
  const auto file = folder / "adapter_model.safetensors";
  if (!std::filesystem::exists(file))
    return fail(ErrorCode::kNotFound,
                "no adapter_model.safetensors; expected a folder with it and adapter_config.json");
  TRY_ASSIGN(adapter.checkpoint, Checkpoint::open(file));
  TRY_ASSIGN(const std::string json, adapter.checkpoint->readSidecar("adapter_config.json"));
  TRY_ASSIGN(const AdapterConfig config, AdapterConfig::parse(json));
  adapter.rank = config.rank();
  adapter.alpha = config.alpha();
  adapter.rank_stabilized = config.rankStabilized();
  TRY_ASSIGN(const auto pairs, pairsOf(*adapter.checkpoint));
  for (const auto& [module, pair] : pairs) {
    if (!pair.a || !pair.b)
      return fail(ErrorCode::kInvalidFile, "tensor {} lacks its partner {}{}{}",
                  (pair.a ? pair.a : pair.b)->name, kPrefix, module, pair.a ? kB : kA);
    TRY_ASSIGN(const AdapterConfig::Module held, config.module(module));
    TRY(checkTensor(*pair.a, 0, held.rank));
    TRY(checkTensor(*pair.b, 1, held.rank));
    adapter.modules.push_back({.name = module, .a = pair.a, .b = pair.b, .factor = held.factor});
    adapter.parameters += pair.a->elements() + pair.b->elements();
  }
  return adapter;
}

}  // namespace

Result<Adapter> readAdapter(const std::filesystem::path& folder) {
  auto adapter = readFolder(folder);
  if (!adapter) return within(fmt::format("reading the adapter {}", folder.string()), adapter.error());
  const std::filesystem::path whole = folder.lexically_normal();
  adapter->folder = folder;
  adapter->name = (whole.has_filename() ? whole : whole.parent_path()).filename().string();
  return adapter;
}

}  // namespace vitrine::core
