#include "support/random_adapter.h"

#include <random>
#include <span>
#include <string_view>

#include "core/checkpoint/safetensors_writer.h"
#include "core/tensor/dequantize.h"
#include "support/gguf_builder.h"

namespace vitrine::test {

namespace {

// The module of a matrix that the plan is for; empty for others.
std::string targetOf(const core::TensorEntry& tensor, const AdapterPlan& plan) {
  constexpr std::string_view kEnd = ".weight";
  if (!tensor.name.ends_with(kEnd) || tensor.shape.size() != 2) return {};
  const std::string module = plan.prefix + tensor.name.substr(0, tensor.name.size() - kEnd.size());
  for (const std::string& target : plan.targets)
    if (module == target || module.ends_with("." + target)) return module;
  return {};
}

}  // namespace

void writeText(const std::filesystem::path& path, const std::string& text) {
  writeFile(path, std::as_bytes(std::span(text)));
}

std::vector<float> valuesOf(const core::TensorEntry& tensor) {
  std::vector<float> values(tensor.elements());
  VITRINE_ASSERT(core::dequantize(tensor.dtype, tensor.bytes, values).has_value());
  return values;
}

nlohmann::json adapterConfig(const AdapterPlan& plan) {
  nlohmann::json config = {{"peft_type", "LORA"},
                           {"r", plan.rank},
                           {"lora_alpha", plan.alpha},
                           {"use_rslora", plan.rank_stabilized},
                           {"bias", "none"},
                           {"target_modules", plan.targets},
                           {"lora_dropout", 0.05},
                           {"use_dora", false},
                           {"modules_to_save", nullptr},
                           {"fan_in_fan_out", plan.transposed}};
  config.update(plan.extra);
  return config;
}

void writeTensors(const std::filesystem::path& path, const NamedValues& tensors) {
  std::vector<core::SafetensorsItem> items;
  for (const auto& [name, shape, values] : tensors)
    items.push_back(core::safetensorsItem(name, shape, std::span(values)));
  const auto written = core::writeSafetensors(path, items, {{"format", "pt"}});
  VITRINE_ASSERT(written.has_value());
}

int writeRandomAdapter(const std::filesystem::path& folder, const core::Checkpoint& base,
                       const AdapterPlan& plan) {
  std::filesystem::create_directories(folder);
  std::mt19937_64 random(plan.seed);
  std::normal_distribution<float> normal(0, 0.2f);
  NamedValues tensors;
  const auto add = [&](const std::string& name, std::uint64_t rows, std::uint64_t columns) {
    std::vector<float> values(rows * columns);
    for (float& value : values) value = normal(random);
    tensors.emplace_back("base_model.model." + name, std::vector{rows, columns}, std::move(values));
  };
  for (const core::TensorEntry& tensor : base.tensors()) {
    const std::string module = targetOf(tensor, plan);
    if (module.empty()) continue;
    add(module + ".lora_A.weight", plan.rank, tensor.shape[plan.transposed ? 0 : 1]);
    add(module + ".lora_B.weight", tensor.shape[plan.transposed ? 1 : 0], plan.rank);
  }
  writeTensors(folder / "adapter_model.safetensors", tensors);
  writeText(folder / "adapter_config.json", adapterConfig(plan).dump());
  return static_cast<int>(tensors.size() / 2);
}

void writeWithAdapter(const std::filesystem::path& to, const core::Checkpoint& base,
                      const core::Checkpoint& adapter, const AdapterPlan& plan, double scale) {
  std::filesystem::create_directories(to);
  NamedValues tensors;
  for (const core::TensorEntry& tensor : base.tensors()) {
    std::vector<float> values = valuesOf(tensor);
    if (const std::string module = targetOf(tensor, plan); !module.empty()) {
      const core::TensorEntry* a_entry = adapter.find("base_model.model." + module + ".lora_A.weight");
      const core::TensorEntry* b_entry = adapter.find("base_model.model." + module + ".lora_B.weight");
      const auto a = valuesOf(*a_entry), b = valuesOf(*b_entry);
      const std::uint64_t rank = a_entry->shape[0], in = a_entry->shape[1], out = b_entry->shape[0];
      for (std::uint64_t o = 0; o < out; ++o)
        for (std::uint64_t i = 0; i < in; ++i) {
          double sum = 0;
          for (std::uint64_t r = 0; r < rank; ++r) sum += double{b[o * rank + r]} * double{a[r * in + i]};
          float& value = values[plan.transposed ? i * out + o : o * in + i];
          value = static_cast<float>(value + scale * plan.factor() * sum);
        }
    }
    tensors.emplace_back(tensor.name, tensor.shape, std::move(values));
  }
  writeTensors(to / "model.safetensors", tensors);
  writeText(to / "config.json", base.metadata().dump());
}

}  // namespace vitrine::test
