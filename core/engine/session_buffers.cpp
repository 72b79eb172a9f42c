#include "core/engine/session_buffers.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/engine/decay_memory.h"
#include "core/engine/implied_memory.h"
#include "core/engine/mixer_memory.h"
#include "engine/matmul.params.h"
#include "engine/sample.params.h"
#include "engine/state.params.h"

namespace vitrine::core {
namespace {

std::uint32_t stride(std::uint64_t floats) {
  return activationStride(floats);
}

std::uint32_t cacheElementBytes(CacheType type) {
  return type == CacheType::kF16 ? 2 : 4;
}

// What a batch's activations need, over all layers.
struct Widths {
  std::uint64_t q = 0, qkv = 0, act = 0, heads = 0, head_dim = 0;
  bool split_gate = false;
  bool delta = false, channel_input = false;  // buffers of the residual stream's width
  std::vector<std::uint64_t> scratch;
  std::uint64_t state = 0;  // floats, of all layers together

  template <typename Kind>
  void add(const Kind&) {}
  void add(const AttentionSpec& a) {
    q = std::max<std::uint64_t>(q, std::uint64_t(a.heads) * a.head_dim);
    if (a.query_norm || a.key_norm)
      qkv = std::max<std::uint64_t>(qkv, std::uint64_t(a.heads + 2 * a.kv_heads) * a.head_dim);
    heads = std::max<std::uint64_t>(heads, a.heads);
    head_dim = std::max<std::uint64_t>(head_dim, a.head_dim);
  }
  void add(const DenseMlpSpec& m) {
    act = std::max<std::uint64_t>(act, m.width);
    split_gate |= m.gate && (m.gate->weight.tensor->valueType() != m.up.weight.tensor->valueType() ||
                             m.gate_scale != 1);
  }
  void add(const MoeSpec& m) {
    if (m.shared) add(*m.shared);
  }
  void add(const RwkvChannelSpec& m) { act = std::max<std::uint64_t>(act, m.inner); }
  void add(const MixerMemory& memory) {
    state += memory.state;
    scratch.resize(std::max(scratch.size(), memory.scratch.size()));
    for (std::size_t i = 0; i < memory.scratch.size(); ++i)
      scratch[i] = std::max(scratch[i], memory.scratch[i]);
  }
  std::uint64_t scratchFloats() const {
    return std::accumulate(scratch.begin(), scratch.end(), std::uint64_t{0},
                           [](std::uint64_t sum, std::uint64_t floats) { return sum + stride(floats); });
  }
  std::uint64_t streams() const { return 2 + delta + channel_input; }
};

Widths widths(const ModelSpec& spec) {
  Widths w;
  for (const BlockSpec& block : spec.blocks) {
    for (const MixerSpec& mixer : block.mixers) {
      std::visit([&](const auto& kind) { w.add(kind); }, mixer);
      w.add(memoryOf(mixer));
    }
    if (block.channel) {
      std::visit([&](const auto& kind) { w.add(kind); }, *block.channel);
      w.add(memoryOf(*block.channel));
    }
    w.delta |= block.mixer_post_norm || block.channel_post_norm || block.mixers.size() > 1 ||
               block.mixer_skip != 1 || block.channel_skip != 1;
    w.channel_input |= block.parallel;
  }
  return w;
}

// In double precision, since the angle of a late position has no digits to spare in float.
std::vector<float> ropeTable(const Rope& rope, std::uint32_t context) {
  std::vector<float> table;
  table.reserve(std::size_t(context) * rope.rotary_dim);
  for (std::uint32_t position = 0; position < context; ++position)
    for (double frequency : rope.inv_freq) {
      table.push_back(static_cast<float>(std::cos(position * frequency) * rope.magnitude));
      table.push_back(static_cast<float>(std::sin(position * frequency) * rope.magnitude));
    }
  return table;
}

// An expert's number and its weight for each choice.
std::uint64_t routingBytes(const BlockSpec& block, const SessionOptions& options) {
  const MoeSpec* moe = options.probes ? moeOf(block) : nullptr;
  return moe ? std::uint64_t{options.context} * moe->router.top_k * 2 * sizeof(float) : 0;
}

std::uint64_t decayBytes(const BlockSpec& block, const SessionOptions& options) {
  const std::vector<std::uint64_t> shape = keptDecays(block, options);
  return shape.empty() ? 0 : std::uint64_t{options.context} * floatsOf(shape) * sizeof(float);
}

class Allocator {
 public:
  Allocator(gpu::Device& device, const Model& model, const SessionOptions& options)
      : device_(device), model_(model), options_(options) {}

  Result<void> layers(SessionBuffers& to) {
    std::vector<Rope> ropes;
    for (std::uint32_t layer = 0; layer < model_.layers(); ++layer) {
      LayerBuffers buffers;
      if (const AttentionSpec* spec = model_.attention(layer)) {
        TRY(attention(*spec, buffers, ropes, to));
      } else if (const auto source = impliedSource(model_.spec().blocks[layer], options_)) {
        TRY(implied(*source, model_.spec().blocks[layer], buffers, to));
      }
      const BlockSpec& block = model_.spec().blocks[layer];
      for (const MixerSpec& mixer : block.mixers) {
        TRY_ASSIGN(auto state, stateOf(memoryOf(mixer)));
        buffers.mixer_states.push_back(std::move(state));
      }
      if (block.channel) {
        TRY_ASSIGN(buffers.channel_state, stateOf(memoryOf(*block.channel)));
      }
      if (const std::uint64_t bytes = decayBytes(block, options_)) {
        TRY_ASSIGN(buffers.decays, device(bytes, "decays"));
      }
      if (const std::uint64_t bytes = routingBytes(block, options_)) {
        TRY_ASSIGN(buffers.routing, device(bytes, "chosen experts"));
      }
      to.layers.push_back(std::move(buffers));
    }
    return {};
  }

  Result<void> attention(const AttentionSpec& spec, LayerBuffers& buffers, std::vector<Rope>& ropes,
                         SessionBuffers& to) {
    std::uint64_t element = cacheElementBytes(options_.cache);
    std::uint64_t cache = std::uint64_t(spec.kv_heads) * options_.context * spec.head_dim * element;
    std::uint64_t rows = std::uint64_t(spec.heads) * options_.context;
    TRY_ASSIGN(buffers.k, device(cache, "k cache"));
    if (!spec.latent) {
      TRY_ASSIGN(buffers.v, device(cache, "v cache"));
    }
    TRY_ASSIGN(buffers.lse, device(rows * 4, "log-sum-exp"));
    if (options_.probes) {
      TRY_ASSIGN(buffers.summary, device(rows * 8, "attention summary"));
      TRY_ASSIGN(buffers.q_store,
                 device(std::uint64_t(spec.heads) * to.q_rows * spec.head_dim * element, "query store"));
    }
    if (spec.rope) {
      TRY_ASSIGN(buffers.rope_table, ropeIndex(*spec.rope, ropes, to));
    }
    TRY_ASSIGN(buffers.qkv_target, target(spec, buffers, to));
    return {};
  }

  Result<void> implied(const MapSource& source, const BlockSpec& block, LayerBuffers& buffers,
                       const SessionBuffers& to) {
    const ImpliedMemory memory = impliedMemory(source, options_.context, to.q_rows);
    TRY_ASSIGN(buffers.k, device(memory.keys, "implied keys"));
    TRY_ASSIGN(buffers.q_store, device(memory.queries, "implied query store"));
    TRY_ASSIGN(buffers.terms, device(memory.terms, "implied decays"));
    TRY_ASSIGN(buffers.lse, device(memory.lse, "implied log-sums"));
    TRY_ASSIGN(buffers.summary, device(memory.summary, "implied summary"));
    const std::vector<float> decays = constantLogDecays(block);
    if (decays.empty()) return {};
    const std::uint64_t bytes = decays.size() * sizeof(float);
    TRY_ASSIGN(buffers.log_decay, device(bytes, "log decays"));
    return gpu::upload(device_, std::as_bytes(std::span(decays)), {buffers.log_decay, 0, bytes});
  }

  Result<gpu::Buffer> stateOf(const MixerMemory& memory) {
    if (memory.state == 0) return gpu::Buffer();
    return device(memory.state * sizeof(float), "recurrent state");
  }

  Result<gpu::Buffer> device(std::uint64_t bytes, std::string name) {
    return gpu::Buffer::create(device_, std::max<std::uint64_t>(bytes, 16), gpu::MemoryKind::kDevice,
                               std::move(name));
  }

  // Zeroed: what lies between the last column and the stride is multiplied with zero weights and must be
  // finite.
  Result<gpu::Buffer> activations(std::uint32_t batch, std::uint32_t floats, std::string name) {
    TRY_ASSIGN(auto buffer, device(std::uint64_t(batch) * floats * 4, std::move(name)));
    TRY_ASSIGN(auto commands, gpu::Commands::create(device_, "clear"));
    TRY(commands.begin());
    commands.fill(buffer, 0);
    TRY(commands.end());
    TRY(commands.submitAndWait());
    return buffer;
  }

 private:
  Result<std::uint32_t> ropeIndex(const Rope& rope, std::vector<Rope>& known, SessionBuffers& to) {
    auto found = std::find(known.begin(), known.end(), rope);
    if (found != known.end()) return static_cast<std::uint32_t>(found - known.begin());
    std::vector<float> table = ropeTable(rope, options_.context);
    TRY_ASSIGN(auto buffer, device(table.size() * 4, "rope table"));
    TRY(gpu::upload(device_, std::as_bytes(std::span(table)), buffer));
    known.push_back(rope);
    to.rope_tables.push_back(std::move(buffer));
    return static_cast<std::uint32_t>(known.size() - 1);
  }

  Result<gpu::Buffer> target(const AttentionSpec& spec, const LayerBuffers& layer,
                             const SessionBuffers& all) {
    shader::QkvTarget target{
        .state = all.state.address(),
        .rope = spec.rope ? all.rope_tables[layer.rope_table].address() : 0,
        .q = all.q.address(),
        .k_cache = layer.k.address(),
        .v_cache = layer.v ? layer.v.address() : 0,
        .q_store = layer.q_store ? layer.q_store.address() : 0,
        .q_rows = spec.heads * spec.head_dim,
        .k_rows = spec.kv_heads * spec.head_dim,
        .head_dim = spec.head_dim,
        .rotary_dim = spec.rope ? spec.rope->rotary_dim : 0,
        .context = options_.context,
        .q_stride = all.q_stride,
        .q_store_rows = all.q_rows,
        .q_store_step = all.q_step,
    };
    TRY_ASSIGN(auto buffer, device(sizeof(target), "qkv target"));
    TRY(gpu::upload(device_, std::as_bytes(std::span(&target, 1)), buffer));
    return buffer;
  }

  gpu::Device& device_;
  const Model& model_;
  const SessionOptions& options_;
};

}  // namespace

bool isRecurrent(const ModelSpec& spec) {
  return widths(spec).state > 0;
}

std::uint32_t queryStoreStep(const ModelSpec& spec, const SessionOptions& options) {
  std::uint64_t row_bytes = 0;
  for (const BlockSpec& block : spec.blocks)
    if (const AttentionSpec* a = block.attention())
      row_bytes += std::uint64_t(a->heads) * a->head_dim * cacheElementBytes(options.cache);
    else if (const auto source = impliedSource(block, options))
      row_bytes += impliedMemory(*source, 1, 1).queries;
  std::uint64_t all = row_bytes * options.context;
  return static_cast<std::uint32_t>(
      std::max<std::uint64_t>(1, (all + options.query_store_bytes - 1) / options.query_store_bytes));
}

SessionMemory sessionMemory(const ModelSpec& spec, const SessionOptions& options) {
  SessionMemory memory;
  std::uint64_t element = cacheElementBytes(options.cache), context = options.context;
  std::uint32_t step = queryStoreStep(spec, options);
  for (const BlockSpec& block : spec.blocks) {
    memory.scratch += routingBytes(block, options) + decayBytes(block, options);
    const AttentionSpec* a = block.attention();
    if (const auto source = impliedSource(block, options))
      memory.scratch += impliedMemory(*source, context, (context + step - 1) / step).all();
    if (!a) continue;
    memory.token += std::uint64_t(a->kv_heads) * a->cacheWidth() * element;
    memory.scratch += std::uint64_t(a->heads) * context * (options.probes ? 12 : 4);
    if (options.probes)
      memory.scratch += std::uint64_t(a->heads) * ((context + step - 1) / step) * a->head_dim * element;
  }
  Widths w = widths(spec);
  constexpr std::uint64_t kBatch = 512;
  memory.cache = memory.token * context + w.state * sizeof(float);
  memory.scratch += kBatch * 4 * w.scratchFloats();
  memory.scratch +=
      kBatch * 4 *
          (w.streams() * stride(spec.embedding_dim) + 2 * stride(w.q) + stride(w.qkv) + stride(w.act)) +
      4ull * stride(spec.vocab_size);
  return memory;
}

Result<SessionBuffers> SessionBuffers::create(const Model& model, const SessionOptions& options,
                                              std::uint32_t batch, std::uint32_t max_splits) {
  gpu::Device& device = model.device();
  const ModelSpec& spec = model.spec();
  Widths w = widths(spec);
  Allocator allocator(device, model, options);
  SessionBuffers to;
  to.x_stride = stride(spec.embedding_dim);
  to.q_stride = to.o_stride = stride(w.q);
  to.qkv_stride = stride(w.qkv);
  to.act_stride = stride(w.act);
  to.vocab_stride = stride(spec.vocab_size);
  to.q_step = queryStoreStep(spec, options);
  to.q_rows = options.probes ? (options.context + to.q_step - 1) / to.q_step : 0;

  TRY_ASSIGN(to.state, allocator.device(sizeof(shader::StepState), "step state"));
  TRY_ASSIGN(to.ids, allocator.device(batch * 4, "token ids"));
  TRY_ASSIGN(to.settings, allocator.device(sizeof(shader::SampleSettings), "sampling settings"));
  if (!spec.adapters.empty() && !spec.merge_adapters) {
    TRY_ASSIGN(to.adapter_scales, allocator.device(spec.adapters.size() * sizeof(float), "adapters' scales"));
  }
  TRY_ASSIGN(to.ring,
             gpu::Buffer::create(device, kRingSize * 4, gpu::MemoryKind::kReadback, "sampled tokens"));
  TRY_ASSIGN(to.x, allocator.activations(batch, to.x_stride, "residual stream"));
  TRY_ASSIGN(to.q, allocator.activations(batch, to.q_stride, "queries"));
  TRY_ASSIGN(to.o, allocator.activations(batch, to.o_stride, "attention outputs"));
  TRY_ASSIGN(to.act, allocator.activations(batch, to.act_stride, "mlp activations"));
  TRY_ASSIGN(to.normed, allocator.activations(batch, to.x_stride, "normalized stream"));
  if (w.delta) {
    TRY_ASSIGN(to.delta, allocator.activations(batch, to.x_stride, "mixer outputs"));
  }
  if (w.channel_input) {
    TRY_ASSIGN(to.channel_input, allocator.activations(batch, to.x_stride, "channel mixer input"));
  }
  if (w.qkv > 0) {
    TRY_ASSIGN(to.qkv, allocator.activations(batch, to.qkv_stride, "qkv"));
  }
  if (w.split_gate) {
    TRY_ASSIGN(to.gate, allocator.activations(batch, to.act_stride, "gate"));
  }
  for (std::uint64_t floats : w.scratch) {
    to.scratch_strides.push_back(stride(floats));
    TRY_ASSIGN(auto scratch, allocator.activations(batch, to.scratch_strides.back(), "mixer scratch"));
    to.scratch.push_back(std::move(scratch));
  }
  TRY_ASSIGN(to.logits, allocator.activations(1, to.vocab_stride, "logits"));
  if (max_splits > 1) {
    std::uint64_t records = w.heads * 2 * max_splits;  // ragged groups of heads leave some rows unused
    TRY_ASSIGN(to.partial, allocator.device(records * (w.head_dim + 8) * 4, "attention parts"));
    TRY_ASSIGN(to.arrived, allocator.activations(1, static_cast<std::uint32_t>(w.heads), "arrived counters"));
  }
  TRY(allocator.layers(to));
  return to;
}

}  // namespace vitrine::core
