// Reads mixtures of experts: sizes, router and experts of the families that have them, from Hugging Face's
// one tensor an expert or fused tensors, and from GGUF's stacked ones, gate and up apart or fused, or, in old
// files, one an expert.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/arch/support/hparams.h"
#include "core/arch/support/weights.h"
#include "core/model/model_spec.h"
#include "gpu/error.h"

namespace vitrine::core::arch {

// How a Hugging Face checkpoint stores a layer's experts.
enum class ExpertTensors {
  kOneByOne,  // experts.E.gate, up, down
  kFused,     // (experts, 2 width, d): gate rows, then up rows; (experts, d, width) (granitemoe)
  // (experts, d, 2 width): gate and up columns in turn; (experts, width, d); with biases (gpt-oss)
  kTransposed,
};

enum class SharedExpert {
  kNone,
  kGated,  // of a width of its own, times a sigmoid (qwen2_moe)
  kPlain,  // as wide as n_shared_experts experts (dots1)
  kWide,   // of a width of its own, if it has one (granite, in GGUF)
};

struct MoeTraits {
  // Names in a Hugging Face layer; GGUF's are the same for all families.
  std::string_view router = "mlp.gate", experts = "mlp.experts";
  std::string_view gate = "gate_proj", up = "up_proj", down = "down_proj";  // kOneByOne
  std::string_view fused_in, fused_out;                                     // the others
  ExpertTensors tensors = ExpertTensors::kOneByOne;
  Key width = {"moe_intermediate_size", "expert_feed_forward_length"};

  RouterScores scores = RouterScores::kSoftmax;
  bool biased = false;  // router and, of the ways to store them, transposed and stacked experts
  std::optional<ClampedGlu> clamped;
  // Whether the chosen scores are normalized, where neither norm_topk_prob nor expert_weights_norm says.
  bool normalize_hf = false, normalize_gguf = false;
  float epsilon = 0;
  bool correction = false;  // has a bias for the choice alone
  bool grouped = true;      // reads how many groups of experts stand for choice
  GroupScore group_score = GroupScore::kMax;
  SharedExpert shared = SharedExpert::kNone;
};

class MoeReader {
 public:
  MoeReader(const Hparams& hparams, Weights& weights, const MoeTraits& traits)
      : hparams_(hparams), weights_(weights), traits_(traits) {}

  Result<void> readSizes(std::uint32_t layers, std::uint32_t embedding, Activation activation);
  // The other layers have a dense channel mixer.
  bool isSparse(std::uint32_t layer) const { return sparse_[layer]; }
  // `layer`: what stands in front of the layer's tensors: "model.layers.3.", "blk.3.".
  Result<MoeSpec> read(const std::string& layer);

 private:
  Result<void> readRouter();
  Result<void> readSparseLayers(std::uint32_t layers);
  Result<void> readSharedWidth();
  // Row e of a tensor (experts, length) is expert e's.
  Result<WeightRef> biases(const std::string& name, std::uint64_t length);
  Result<Linear> linear(const std::string& name, std::uint64_t rows, std::uint64_t columns);
  Result<std::vector<ExpertSpec>> oneByOne(const std::string& layer);
  Result<std::vector<ExpertSpec>> fused(const std::string& in_name, const std::string& out_name);
  Result<std::vector<ExpertSpec>> transposed(const std::string& layer);
  Result<std::vector<ExpertSpec>> stacked(const std::string& layer);
  Result<std::vector<ExpertSpec>> ggufOneByOne(const std::string& layer);
  Result<std::vector<ExpertSpec>> readExperts(const std::string& layer);
  Result<void> readShared(const std::string& layer, MoeSpec& spec);

  const Hparams& hparams_;
  Weights& weights_;
  const MoeTraits& traits_;
  std::uint32_t embedding_ = 0, experts_ = 0, width_ = 0, shared_width_ = 0;
  Activation activation_ = Activation::kSilu;
  RouterSpec router_;  // but for its weights
  std::vector<bool> sparse_;
};

}  // namespace vitrine::core::arch
