// vitrine: without a subcommand the window, with one everything that a view shows, headless.
#include <fmt/core.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <span>

#include "app/context.h"
#ifdef VITRINE_UI
#include "ui/application.h"
#endif

namespace vitrine::app {
namespace {

std::string joined(std::span<char* const> words) {
  std::string line;
  for (const char* word : words) line += (line.empty() ? "" : " ") + std::string(word);
  return line;
}

struct Window {
  std::vector<std::string> models;
  std::string prompt, screenshots;
};

void addWindow(CLI::App& app, Window& window) {
  app.add_option("MODEL", window.models,
                 "models to open: .gguf or .safetensors files, or Hugging Face folders");
  app.add_option("--prompt", window.prompt, "generate from this text at once");
  app.add_option("--screenshots", window.screenshots,
                 "write screenshots and figures to this folder and quit");
}

int openWindow(const Common& common, const Window& window) {
#ifdef VITRINE_UI
  auto adapters = adaptersOf(common);
  if (!adapters) {
    fmt::print(stderr, "vitrine: {}\n", adapters.error().describe());
    return 1;
  }
  ui::WindowOptions options{.models = {},
                            .adapters = std::move(*adapters),
                            .merge_adapters = common.merge_adapters,
                            .prompt = window.prompt,
                            .device = common.device,
                            .screenshots = window.screenshots,
                            .version = VITRINE_VERSION};
  options.models.assign(window.models.begin(), window.models.end());
  return ui::runWindow(options);
#else
  (void)common;
  (void)window;
  fmt::print(stderr,
             "vitrine: this build has no window (VITRINE_UI=OFF): use a subcommand, see vitrine --help\n");
  return 1;
#endif
}

}  // namespace
}  // namespace vitrine::app

int main(int argc, char** argv) {
  using namespace vitrine::app;
  spdlog::set_default_logger(spdlog::stderr_color_mt("vitrine"));  // stdout is for results
  CLI::App app("Look inside language models while they run.", "vitrine");
  app.set_version_flag("--version", VITRINE_VERSION);
  Common common;
  common.command_line = joined({argv, static_cast<std::size_t>(argc)});
  Window window;
  app.add_option("--adapter", common.adapters,
                 "a LoRA adapter's folder, and a scale behind a colon: FOLDER:0.5; several add up")
      ->allow_extra_args(false);
  app.add_flag("--merge-adapters", common.merge_adapters,
               "add the adapters to the weights when they are loaded; their scales stay as they are")
      ->needs("--adapter");
  app.add_option("--device", common.device, "number of the Vulkan device (default: the best one)");
  app.require_subcommand(0, 1);
  app.fallthrough();
  for (auto add : {addInfo, addTokenize, addGenerate, addTrace, addSpectra, addPerplexity, addExport,
                   addMethods, addBench})
    add(app, common);
  addWindow(app, window);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  }
  return app.get_subcommands().empty() ? openWindow(common, window) : common.exit_status;
}
