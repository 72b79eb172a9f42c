#include "core/engine/model_summary.h"

#include <algorithm>
#include <map>
#include <regex>

#include "core/engine/mixer_memory.h"
#include "core/model/map_source.h"

namespace vitrine::core {
namespace {

std::string shapeText(const std::vector<std::uint64_t>& shape) {
  std::string text;
  for (std::uint64_t extent : shape) text += (text.empty() ? "" : " × ") + std::to_string(extent);
  return text.empty() ? "scalar" : text;
}

// "model.layers.3.mlp.up_proj.weight" and "blk.3.ffn_up.weight" belong to layer 3.
int layerOf(const std::string& name) {
  static const std::regex number(R"((?:^|\.)(?:layers|blk|h|blocks)\.(\d{1,6})\.)");
  std::smatch match;
  return std::regex_search(name, match, number) ? std::stoi(match[1]) : -1;
}

}  // namespace

ModelSummary summarize(const ModelSpec& spec, const Tokenizer* tokenizer, const SessionOptions& options,
                       std::uint64_t weight_bytes) {
  const Checkpoint& file = *spec.checkpoint;
  SessionOptions filled = options;
  if (filled.context == 0) filled.context = defaultContext(spec);
  SessionMemory memory = sessionMemory(spec, filled);
  ModelSummary summary{
      .path = file.path(),
      .name = file.displayName(),
      .architecture = spec.architecture,
      .dtype = {},
      .tokenizer = tokenizer ? tokenizer->kind() : "",
      .parameters = file.parameters(),
      .weight_bytes = weight_bytes,
      .cache_bytes = memory.cache,
      .scratch_bytes = memory.scratch,
      .cache_token_bytes = memory.token,
      .layers = static_cast<std::uint32_t>(spec.blocks.size()),
      .embedding = spec.embedding_dim,
      .vocab = spec.vocab_size,
      .context_length = spec.context_length,
      .session_context = filled.context,
  };
  for (const BlockSpec& block : spec.blocks) {
    LayerSummary& layer = summary.layer_kinds.emplace_back();
    for (const MixerSpec& mixer : block.mixers) {
      if (!layer.mixer.empty()) layer.mixer += " + ";
      layer.mixer += std::visit([](const auto& kind) { return kind.kName; }, mixer);
    }
    for (const MixerSpec& mixer : block.mixers) layer.state_bytes += sizeof(float) * memoryOf(mixer).state;
    if (block.channel) layer.state_bytes += sizeof(float) * memoryOf(*block.channel).state;
    if (const auto source = mapSource(block)) {
      layer.heads = source->heads;
      layer.kv_heads = source->kv_heads;
      layer.implied = source->implied;
      summary.heads = std::max(summary.heads, source->heads);
    }
    layer.no_map = whyNoMap(block);
    const AttentionSpec* attention = block.attention();
    if (!attention) continue;
    layer.row_width = attention->cacheWidth();
    layer.latent = attention->latent ? attention->latent->rank : 0;
    layer.window = attention->sliding_window;
    layer.token_bytes =
        std::uint64_t{attention->kv_heads} * layer.row_width * (options.cache == CacheType::kF16 ? 2 : 4);
    summary.attention_heads = std::max(summary.attention_heads, attention->heads);
    summary.kv_heads = std::max(summary.kv_heads, attention->kv_heads);
    summary.head_dim = std::max(summary.head_dim, attention->head_dim);
    if (attention->latent) summary.latent_rank = attention->latent->rank;
  }
  std::map<std::string_view, std::uint64_t> bytes_by_type;
  for (const TensorEntry& tensor : file.tensors()) {
    bytes_by_type[name(tensor.dtype)] += tensor.bytes.size();
    summary.tensors.push_back({.name = tensor.name,
                               .dtype = std::string(name(tensor.dtype)),
                               .shape = shapeText(tensor.shape),
                               .elements = tensor.elements(),
                               .bytes = tensor.bytes.size(),
                               .layer = layerOf(tensor.name)});
  }
  auto most = std::ranges::max_element(bytes_by_type, {}, [](const auto& entry) { return entry.second; });
  if (most != bytes_by_type.end()) summary.dtype = most->first;
  for (const AttachedAdapter& adapter : spec.adapters) {
    summary.name += " + " + adapter.name;
    summary.adapters.push_back({.name = adapter.name,
                                .folder = adapter.folder,
                                .rank = adapter.rank,
                                .modules = adapter.modules,
                                .alpha = adapter.alpha,
                                .scale = adapter.scale,
                                .merged = spec.merge_adapters,
                                .parameters = adapter.parameters});
  }
  return summary;
}

ModelSummary summarize(const Session& session, const Tokenizer& tokenizer) {
  return summarize(session.model().spec(), &tokenizer, session.options(), session.model().weightBytes());
}

}  // namespace vitrine::core
