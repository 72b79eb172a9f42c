#include "core/model/linears.h"

namespace vitrine::core {
namespace {

using Visit = std::function<void(Linear&)>;

void each(const Visit& visit, std::optional<Linear>& linear) {
  if (linear) visit(*linear);
}

template <typename... Linears>
void each(const Visit& visit, Linear& first, Linears&... rest) {
  visit(first);
  (each(visit, rest), ...);
}

void linearsOf(LatentSpec& spec, const Visit& visit) {
  each(visit, spec.query_rotary, spec.query_plain, spec.key_rotary, spec.down, spec.key_up, spec.value_up);
  if (spec.query) visit(spec.query->down);
}
void linearsOf(AttentionSpec& spec, const Visit& visit) {
  each(visit, spec.query, spec.key, spec.value, spec.output, spec.gate);
  if (spec.latent) linearsOf(*spec.latent, visit);
}
void linearsOf(MambaSpec& spec, const Visit& visit) {
  each(visit, spec.input, spec.parameters, spec.step, spec.output);
}
void linearsOf(Mamba2Spec& spec, const Visit& visit) {
  each(visit, spec.input, spec.output);
}
void linearsOf(ShortConvSpec& spec, const Visit& visit) {
  each(visit, spec.input, spec.output);
}
void linearsOf(Rwkv4Spec& spec, const Visit& visit) {
  each(visit, spec.key, spec.value, spec.receptance, spec.output);
}
void linearsOf(Rwkv7Spec& spec, const Visit& visit) {
  each(visit, spec.receptance, spec.key, spec.value, spec.output);
  for (LowRank* part : {&spec.decay, &spec.rate, &spec.gate, spec.residual ? &*spec.residual : nullptr})
    if (part) each(visit, part->inner, part->outer);
}
void linearsOf(RgLruSpec& spec, const Visit& visit) {
  each(visit, spec.gate, spec.input, spec.output);
}
void linearsOf(MlstmSpec& spec, const Visit& visit) {
  each(visit, spec.query, spec.key, spec.value, spec.output_gate, spec.input_gate, spec.forget_gate,
       spec.output);
}
void linearsOf(LightningSpec& spec, const Visit& visit) {
  each(visit, spec.query, spec.key, spec.value, spec.gate, spec.output);
}
void linearsOf(DeltaNetSpec& spec, const Visit& visit) {
  each(visit, spec.query, spec.key, spec.value, spec.gate, spec.beta, spec.step, spec.output);
}
void linearsOf(DenseMlpSpec& spec, const Visit& visit) {
  each(visit, spec.up, spec.gate, spec.down);
}
void linearsOf(MoeSpec& spec, const Visit& visit) {
  each(visit, spec.router.linear, spec.shared_gate);
  for (ExpertSpec& expert : spec.experts) each(visit, expert.down, expert.gate, expert.up, expert.gate_up);
  if (spec.shared) linearsOf(*spec.shared, visit);
}
void linearsOf(RwkvChannelSpec& spec, const Visit& visit) {
  each(visit, spec.key, spec.value, spec.receptance);
}

}  // namespace

void forEachLinear(ModelSpec& spec, const Visit& visit) {
  const auto all = [&visit](auto& kind) { linearsOf(kind, visit); };
  for (BlockSpec& block : spec.blocks) {
    for (MixerSpec& mixer : block.mixers) std::visit(all, mixer);
    if (block.channel) std::visit(all, *block.channel);
  }
  if (!spec.tied_head) visit(spec.head);
}

}  // namespace vitrine::core
