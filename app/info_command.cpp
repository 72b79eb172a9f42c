#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "app/context.h"
#include "core/engine/model_summary.h"

namespace vitrine::app {
namespace {

struct InfoOptions {
  std::string model;
  std::uint32_t context = 0;
  bool json = false;
};

void printJson(const core::ModelSummary& s, const core::Checkpoint& file) {
  nlohmann::ordered_json out{{"name", s.name},
                             {"architecture", s.architecture},
                             {"parameters", s.parameters},
                             {"layers", s.layers},
                             {"embedding", s.embedding},
                             {"heads", s.attention_heads},
                             {"kv_heads", s.kv_heads},
                             {"head_dim", s.head_dim},
                             {"vocab", s.vocab},
                             {"context", s.context_length},
                             {"tokenizer", s.tokenizer},
                             {"dtype", s.dtype}};
  if (s.latent_rank != 0) out["latent_rank"] = s.latent_rank;
  out["tensors"] = nlohmann::ordered_json::array();
  for (const core::TensorEntry& tensor : file.tensors())
    out["tensors"].push_back({{"name", tensor.name},
                              {"dtype", core::name(tensor.dtype)},
                              {"shape", tensor.shape},
                              {"bytes", tensor.bytes.size()}});
  if (!s.adapters.empty()) out["adapters"] = nlohmann::ordered_json::array();
  for (const core::AdapterSummary& adapter : s.adapters)
    out["adapters"].push_back({{"name", adapter.name},
                               {"rank", adapter.rank},
                               {"alpha", adapter.alpha},
                               {"scale", adapter.scale},
                               {"linears", adapter.modules},
                               {"parameters", adapter.parameters},
                               {"merged", adapter.merged}});
  out["memory"] = {{"weights", s.weight_bytes},
                   {"cache", s.cache_bytes},
                   {"cache_per_token", s.cache_token_bytes},
                   {"scratch", s.scratch_bytes},
                   {"context", s.session_context}};
  fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string attentionText(const core::ModelSummary& s) {
  if (s.attention_heads == 0) return "no attention";
  if (s.latent_rank != 0)
    return fmt::format("{} heads / a latent of {} + {} rotary", s.attention_heads, s.latent_rank,
                       s.head_dim - s.latent_rank);
  return fmt::format("{} heads / {} kv heads of {}", s.attention_heads, s.kv_heads, s.head_dim);
}

void printText(const core::ModelSummary& s) {
  fmt::print("{}\n", s.name);
  fmt::print("  architecture   {} · {} layers · width {} · {}\n", s.architecture, s.layers, s.embedding,
             attentionText(s));
  fmt::print("  parameters     {:.1f} M, mostly {}\n", s.parameters / 1e6, s.dtype);
  fmt::print("  vocabulary     {} · {}\n", s.vocab, s.tokenizer.empty() ? "no tokenizer" : s.tokenizer);
  fmt::print("  context        {} tokens\n", s.context_length);
  fmt::print(
      "  memory         weights {:.1f} MB · cache {:.1f} MB at {} tokens of {} bytes · scratch {:.1f} MB\n",
      s.weight_bytes / 1e6, s.cache_bytes / 1e6, s.session_context, s.cache_token_bytes,
      s.scratch_bytes / 1e6);
  for (const core::AdapterSummary& adapter : s.adapters)
    fmt::print("  adapter        {} · rank {} · alpha {} · scale {}{} · {} linears · {:.2f} M parameters\n",
               adapter.name, adapter.rank, adapter.alpha, adapter.scale, adapter.merged ? ", merged" : "",
               adapter.modules, adapter.parameters / 1e6);
  fmt::print("  tensors        {}\n", s.tensors.size());
  std::size_t width = 0;
  for (const auto& tensor : s.tensors) width = std::max(width, tensor.name.size());
  for (const auto& tensor : s.tensors)
    fmt::print("    {:<{}}  {:<6} {}\n", tensor.name, width, tensor.dtype, tensor.shape);
}

Result<void> info(const Common& common, const InfoOptions& options) {
  TRY_ASSIGN(const auto opened, openModel(common, options.model, NeedsTokenizer::kNo));
  TRY_ASSIGN(const auto weights, core::packedWeightBytes(opened.spec));
  const auto summary = core::summarize(opened.spec, opened.tokenizer.get(),
                                       {.context = options.context, .probes = true}, weights);
  if (options.json)
    printJson(summary, *opened.spec.checkpoint);
  else
    printText(summary);
  return {};
}

}  // namespace

void addInfo(CLI::App& app, Common& common) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* command =
      app.add_subcommand("info", "Architecture, hyper-parameters, tensors and the memory needed");
  command->add_option("MODEL", options->model, "a .gguf or .safetensors file, or a Hugging Face folder")
      ->required();
  command->add_option("--context", options->context,
                      "tokens of cache to count (default: the model's, at most 4096)");
  command->add_flag("--json", options->json, "as JSON on standard output");
  command->callback([options, &common] { run(common, [&] { return info(common, *options); }); });
}

}  // namespace vitrine::app
