#include "support/rwkv_gguf.h"

#include <nlohmann/json.hpp>
#include <string>

namespace vitrine::test {

namespace {

std::string rwkvTensorName(std::string name) {
  static const std::pair<std::string, std::string> kParts[] = {{"blocks.0.ln0", "token_embd_norm"},
                                                               {"emb.weight", "token_embd.weight"},
                                                               {"ln_out", "output_norm"},
                                                               {"head.weight", "output.weight"},
                                                               {"blocks.", "blk."},
                                                               {"ln1", "attn_norm"},
                                                               {"ln2", "attn_norm_2"},
                                                               {"att.x_rwkvag", "time_mix_lerp_fused"},
                                                               {"att.ln_x", "time_mix_ln"},
                                                               {"att.", "time_mix_"},
                                                               {"ffn.x_k", "channel_mix_lerp_k"},
                                                               {"ffn.", "channel_mix_"}};
  for (const auto& [original, gguf] : kParts)
    if (const std::size_t at = name.find(original); at != std::string::npos)
      name.replace(at, original.size(), gguf);
  return name.ends_with(".weight") || name.ends_with(".bias") ? name : name + ".weight";
}

void setRwkv7Keys(GgufBuilder& builder, const core::Checkpoint& original) {
  const auto rows = [&](const char* name) {
    return static_cast<std::uint32_t>(original.find(name)->shape.front());
  };
  const auto columns = [&](const char* name) {
    return static_cast<std::uint32_t>(original.find(name)->shape.back());
  };
  std::uint32_t blocks = 0;
  while (original.find("blocks." + std::to_string(blocks) + ".ln1.weight")) ++blocks;
  builder.set("general.architecture", "rwkv7")
      .set("rwkv7.context_length", std::uint32_t{1} << 20)
      .set("rwkv7.embedding_length", columns("emb.weight"))
      .set("rwkv7.block_count", blocks)
      .set("rwkv7.attention.layer_norm_epsilon", 1e-5f)
      .set("rwkv7.wkv.head_size", columns("blocks.0.att.r_k"))
      .set("rwkv7.attention.decay_lora_rank", rows("blocks.0.att.w1"))
      .set("rwkv7.attention.iclr_lora_rank", rows("blocks.0.att.a1"))
      .set("rwkv7.attention.value_residual_mix_lora_rank", rows("blocks.1.att.v1"))
      .set("rwkv7.attention.gate_lora_rank", rows("blocks.0.att.g1"))
      .set("rwkv7.feed_forward_length", rows("blocks.0.ffn.key.weight"))
      .set("rwkv7.attention.head_count", std::uint32_t{0});
}

}  // namespace

Bytes rwkv7AsGguf(const core::Checkpoint& original) {
  GgufBuilder builder;
  setRwkv7Keys(builder, original);
  for (const core::TensorEntry& tensor : original.tensors()) {
    const std::string name = rwkvTensorName(tensor.name);
    std::vector<std::uint64_t> shape = tensor.shape;
    if (name.find("lerp_fused") != std::string::npos)
      shape = {shape.front(), 1, 1, shape.back()};
    else if (shape.size() == 3 || tensor.name.ends_with("r_k"))
      shape = {tensor.elements()};
    builder.tensor(name, tensor.dtype, shape, tensor.bytes);
    const std::size_t rate = name.find("blk.0.time_mix_a");
    if (rate != std::string::npos)
      builder.tensor("blk.0.time_mix_v" + name.substr(16), tensor.dtype, shape, tensor.bytes);
  }
  return builder.build();
}

}  // namespace vitrine::test
