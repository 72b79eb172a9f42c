#include "core/adapter/attach_adapter.h"

#include <cmath>
#include <map>

#include "core/model/linears.h"

namespace vitrine::core {
namespace {

using LinearsByTensor = std::map<std::string, std::vector<Linear*>, std::less<>>;

bool endsInName(std::string_view name, std::string_view end) {
  return name == end ||
         (name.size() > end.size() && name.ends_with(end) && name[name.size() - end.size() - 1] == '.');
}

// Files may leave out the outermost module (GPT-2's "h.0.attn.." is "transformer.h.0.attn.." of the model) or
// have one more: the one name ends in the other, and no other tensor's does.
Result<const std::vector<Linear*>*> linearsOf(const LinearsByTensor& linears, const AdapterModule& module) {
  const std::string wanted = module.name + ".weight";
  if (const auto exact = linears.find(wanted); exact != linears.end()) return &exact->second;
  const LinearsByTensor::value_type* found = nullptr;
  for (const auto& entry : linears) {
    if (!endsInName(wanted, entry.first) && !endsInName(entry.first, wanted)) continue;
    if (found)
      return fail(ErrorCode::kInvalidFile, "tensor {} may belong to {} or {}, expected one of them",
                  module.a->name, found->first, entry.first);
    found = &entry;
  }
  if (!found)
    return fail(ErrorCode::kInvalidFile,
                "tensor {}: expected a linear of the model that was read from {}, found none", module.a->name,
                wanted);
  return &found->second;
}

Result<void> expectShape(const TensorEntry& tensor, std::uint64_t rows, std::uint64_t columns) {
  if (tensor.shape[0] != rows || tensor.shape[1] != columns)
    return fail(ErrorCode::kInvalidFile, "tensor {}: expected the shape ({}, {}), found ({})", tensor.name,
                rows, columns, fmt::join(tensor.shape, ", "));
  return {};
}

// The rows of B are the stored matrix's outputs: its rows, or its columns where it is transposed.
WeightRef rowsOfB(const TensorEntry& b, const WeightRef& weight) {
  return {.tensor = &b,
          .first_row = weight.transposed ? weight.first_column : weight.first_row,
          .rows = weight.rows,
          .columns = b.shape[1],
          .run = weight.run,
          .stride = weight.stride};
}

struct Attachment {
  Linear* linear = nullptr;
  LowRankUpdate update;
};

Result<void> collect(const LinearsByTensor& linears, const AdapterModule& module, LowRankUpdate common,
                     std::vector<Attachment>& to) {
  TRY_ASSIGN(const std::vector<Linear*>* all, linearsOf(linears, module));
  const WeightRef& first = all->front()->weight;
  const TensorEntry& base = *first.tensor;
  if (base.shape.size() != 2)
    return fail(ErrorCode::kUnsupported, "tensor {}: {} of shape ({}) is no single matrix", module.a->name,
                base.name, fmt::join(base.shape, ", "));
  const std::uint64_t outputs = base.shape[first.transposed ? 1 : 0];
  std::uint64_t covered = 0;
  TRY(expectShape(*module.a, module.a->shape[0], first.columns));
  TRY(expectShape(*module.b, outputs, module.a->shape[0]));
  common.a = {.tensor = module.a, .rows = module.a->shape[0], .columns = first.columns};
  common.factor = module.factor;
  for (Linear* linear : *all) {
    covered += linear->weight.rows;
    common.b = rowsOfB(*module.b, linear->weight);
    to.push_back({linear, common});
  }
  if (covered != outputs)
    return fail(ErrorCode::kUnsupported, "tensor {}: {} of the {} rows of {} belong to linears",
                module.a->name, covered, outputs, base.name);
  return {};
}

Result<std::vector<Attachment>> attachments(ModelSpec& spec, const Adapter& adapter, float scale) {
  if (!std::isfinite(scale))
    return fail(ErrorCode::kInvalidArgument, "a scale of {}, expected a finite number", scale);
  if (spec.checkpoint->format() == CheckpointFormat::kGguf)
    return fail(
        ErrorCode::kUnsupported,
        "its tensors have Hugging Face's names, those of {} are GGUF's: take the base model's Hugging "
        "Face folder",
        spec.checkpoint->displayName());
  LinearsByTensor linears;
  forEachLinear(spec, [&linears](Linear& linear) {
    if (linear.weight) linears[linear.weight.tensor->name].push_back(&linear);
  });
  const LowRankUpdate common{.scale = scale, .adapter = static_cast<std::uint32_t>(spec.adapters.size())};
  std::vector<Attachment> all;
  for (const AdapterModule& module : adapter.modules) TRY(collect(linears, module, common, all));
  return all;
}

}  // namespace

Result<void> attachAdapter(ModelSpec& spec, const Adapter& adapter, float scale) {
  auto all = attachments(spec, adapter, scale);
  if (!all) return within(fmt::format("attaching the adapter {}", adapter.name), std::move(all).error());
  for (Attachment& one : *all) one.linear->updates.push_back(std::move(one.update));
  spec.adapters.push_back({.name = adapter.name,
                           .folder = adapter.folder,
                           .checkpoint = adapter.checkpoint,
                           .rank = adapter.rank,
                           .alpha = adapter.alpha,
                           .scale = scale,
                           .modules = static_cast<std::uint32_t>(adapter.modules.size()),
                           .parameters = adapter.parameters});
  return {};
}

Result<void> attachAdapter(ModelSpec& spec, const AdapterChoice& choice) {
  TRY_ASSIGN(const Adapter adapter, readAdapter(choice.folder));
  return attachAdapter(spec, adapter, choice.scale);
}

}  // namespace vitrine::core
