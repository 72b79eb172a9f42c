#include <fmt/core.h>

#include "app/spectra_options.h"
#include "core/figure/export_data.h"
#ifdef VITRINE_UI
#include "ui/figure/headless_export.h"
#endif

namespace vitrine::app {

Result<void> writeSpectraFigure(const Common& common, const SpectraOptions& options,
                                const core::Figure& figure) {
  TRY_ASSIGN(const auto preset, core::findFigurePreset(options.preset));
  TRY_ASSIGN(const auto formats, core::parseFigureFormats(options.formats));
  core::Provenance provenance{.model_path = options.model,
                              .method = options.method.empty() ? "exact" : options.method,
                              .parameters = {},
                              .device = "LAPACK",
                              .command = common.command_line};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) provenance.parameters.emplace_back(name, value);
  };
  add("base", options.base);
  add("adapters", fmt::format("{}", fmt::join(common.adapters, ", ")));
  add("tensors", options.tensors);
  add("products", options.products);
  const core::FigureTarget target{.folder = options.out, .base_name = figure.name};
#ifdef VITRINE_UI
  TRY_ASSIGN(const auto files, ui::exportFigureHeadless(figure, preset, formats, target, provenance));
#else
  TRY_ASSIGN(const auto files, core::exportFigureData(figure, preset, formats, target, provenance));
#endif
  for (const auto& file : files) fmt::print("{}\n", file.string());
  return {};
}

}  // namespace vitrine::app
