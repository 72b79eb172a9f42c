#include "core/figure/export_data.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <system_error>

#include "core/figure/csv_writer.h"
#include "core/figure/npz_writer.h"
#include "core/figure/panel_layout.h"
#include "core/figure/sidecar.h"
#include "core/figure/tex_writer.h"

namespace vitrine::core {
namespace {

constexpr std::array kFormats = {FigureFormat::kPdf, FigureFormat::kSvg, FigureFormat::kPng,
                                 FigureFormat::kCsv, FigureFormat::kNpz, FigureFormat::kTex,
                                 FigureFormat::kJson};

using Paths = std::vector<std::filesystem::path>;

Result<void> writeCsv(const Figure& figure, const FigureTarget& target, Paths& written) {
  for (std::size_t p = 0; p < figure.panels.size(); ++p) {
    FigureTarget own = target;
    if (figure.panels.size() > 1) own.base_name += "-" + panelLetter(p);
    written.push_back(figurePath(own, FigureFormat::kCsv));
    TRY(writeFigureFile(written.back(), csvOf(figure.panels[p])));
  }
  return {};
}

Result<void> writeOne(const Figure& figure, const FigurePreset& preset, FigureFormat format,
                      const FigureTarget& target, const Provenance& provenance, Paths& written) {
  if (format == FigureFormat::kCsv) return writeCsv(figure, target, written);
  std::string bytes;
  if (format == FigureFormat::kNpz) {
    TRY_ASSIGN(bytes, npzOf(figure));
  } else if (format == FigureFormat::kTex) {
    bytes = texOf(figure, preset, target.base_name);
  } else if (format == FigureFormat::kJson) {
    TRY_ASSIGN(bytes, sidecarOf(figure, preset, provenance));
  } else {
    return fail(ErrorCode::kUnsupported,
                "{} needs the build with the window (VITRINE_UI=ON); this one writes csv, npz, tex and json",
                formatName(format));
  }
  written.push_back(figurePath(target, format));
  return writeFigureFile(written.back(), bytes);
}

}  // namespace

std::string_view formatName(FigureFormat format) {
  switch (format) {
    case FigureFormat::kPdf:
      return "pdf";
    case FigureFormat::kSvg:
      return "svg";
    case FigureFormat::kPng:
      return "png";
    case FigureFormat::kCsv:
      return "csv";
    case FigureFormat::kNpz:
      return "npz";
    case FigureFormat::kTex:
      return "tex";
    case FigureFormat::kJson:
      return "json";
  }
  VITRINE_ASSERT(!"unknown format");
}

bool isPicture(FigureFormat format) {
  return format == FigureFormat::kPdf || format == FigureFormat::kSvg || format == FigureFormat::kPng;
}

Result<std::vector<FigureFormat>> parseFigureFormats(std::string_view list) {
  std::vector<FigureFormat> formats;
  for (std::size_t at = 0; at <= list.size();) {
    std::size_t end = std::min(list.find(',', at), list.size());
    std::string_view name = list.substr(at, end - at);
    at = end + 1;
    auto known =
        std::find_if(kFormats.begin(), kFormats.end(), [&](FigureFormat f) { return formatName(f) == name; });
    if (known == kFormats.end())
      return fail(ErrorCode::kInvalidArgument,
                  "figure format \"{}\" does not exist; choose from pdf, svg, png, csv, npz, tex, json",
                  name);
    if (std::find(formats.begin(), formats.end(), *known) == formats.end()) formats.push_back(*known);
  }
  return formats;
}

std::filesystem::path figurePath(const FigureTarget& target, FigureFormat format) {
  return target.folder / (target.base_name + "." + std::string(formatName(format)));
}

Result<void> writeFigureFile(const std::filesystem::path& path, std::string_view bytes) {
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (error)
    return fail(ErrorCode::kIo, "{}: the folder cannot be made: {}", path.parent_path().string(),
                error.message());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file)
    return fail(ErrorCode::kIo,
                "{}: {} bytes could not be written; is the disk full or the folder read-only?", path.string(),
                bytes.size());
  return {};
}

Result<Paths> exportFigureData(const Figure& figure, const FigurePreset& preset,
                               std::span<const FigureFormat> formats, const FigureTarget& target,
                               const Provenance& provenance) {
  for (std::size_t p = 0; p < figure.panels.size(); ++p) TRY(checkPanel(figure.panels[p], p));
  Paths written;
  for (FigureFormat format : formats)
    if (format != FigureFormat::kJson) TRY(writeOne(figure, preset, format, target, provenance, written));
  TRY(writeOne(figure, preset, FigureFormat::kJson, target, provenance, written));
  return written;
}

}  // namespace vitrine::core
