// Writes what stands beside a figure and needs no Qt: CSV, NPZ, TeX and the JSON sidecar.
// ui/figure/export_figure.h adds PDF, SVG and PNG.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/figure/figure.h"
#include "core/figure/preset.h"
#include "core/figure/provenance.h"

namespace vitrine::core {

enum class FigureFormat { kPdf, kSvg, kPng, kCsv, kNpz, kTex, kJson };

std::string_view formatName(FigureFormat format);  // "pdf": also the file's extension
bool isPicture(FigureFormat format);               // pdf, svg, png: needs the UI build

// "pdf,svg,csv" -> formats, each once, in the order given.
Result<std::vector<FigureFormat>> parseFigureFormats(std::string_view list);

struct FigureTarget {
  std::filesystem::path folder;  // made if it does not exist
  std::string base_name;         // "attention-map" -> attention-map.pdf, attention-map.csv ..
};

// Writes csv, npz, tex and, always, json. A figure of several panels gives a CSV file a panel (base-a.csv,
// base-b.csv). A picture format is an error: this build cannot draw. Returns the files written.
Result<std::vector<std::filesystem::path>> exportFigureData(const Figure& figure, const FigurePreset& preset,
                                                            std::span<const FigureFormat> formats,
                                                            const FigureTarget& target,
                                                            const Provenance& provenance);

// For the picture writers: the whole file at once, with its folder; replaces what is there.
Result<void> writeFigureFile(const std::filesystem::path& path, std::string_view bytes);
std::filesystem::path figurePath(const FigureTarget& target, FigureFormat format);

}  // namespace vitrine::core
