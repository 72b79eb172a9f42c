#include "core/figure/npz_writer.h"

#include <fmt/format.h>
#include <unicode/unistr.h>
#include <zip.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <span>

#include "core/figure/series_layout.h"

namespace vitrine::core {
namespace {

static_assert(std::endian::native == std::endian::little, "the .npy headers below say little-endian");

struct Entry {
  std::string name;
  std::string bytes;
};

using Shape = std::vector<std::size_t>;

std::string npyHeader(std::string_view descr, const Shape& shape) {
  std::string extents;
  for (std::size_t extent : shape) extents += fmt::format("{}, ", extent);
  if (shape.size() > 1)
    extents.resize(extents.size() - 2);  // "(3, 4)", but "(3, )" of one dimension needs its comma
  if (shape.size() == 1) extents.pop_back();
  std::string text =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, extents);
  constexpr std::size_t kPreamble = 10, kAlignment = 64;
  std::size_t padded = (kPreamble + text.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  text.resize(padded - kPreamble - 1, ' ');
  text += '\n';
  std::string header = "\x93NUMPY";
  header += '\x01';
  header += '\0';
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

template <typename T>
std::string npy(std::string_view descr, const Shape& shape, std::span<const T> values) {
  std::string bytes = npyHeader(descr, shape);
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  return bytes;
}

std::string npyOf(const std::vector<float>& values, const Shape& shape) {
  return npy("<f4", shape, std::span<const float>(values));
}
std::string npyOf(const std::vector<double>& values, const Shape& shape) {
  return npy("<f8", shape, std::span<const double>(values));
}
std::string npyOfMask(const std::vector<std::uint8_t>& values, const Shape& shape) {
  return npy("|b1", shape, std::span<const std::uint8_t>(values));
}

// Strings are UCS-4, padded with zeros to the longest.
std::string npyOf(const std::vector<std::string>& strings) {
  std::vector<std::u32string> wide;
  std::size_t longest = 1;
  for (const std::string& text : strings) {
    icu::UnicodeString unicode = icu::UnicodeString::fromUTF8(text);
    std::u32string points;
    for (std::int32_t at = 0; at < unicode.length(); at = unicode.moveIndex32(at, 1))
      points += static_cast<char32_t>(unicode.char32At(at));
    longest = std::max(longest, points.size());
    wide.push_back(std::move(points));
  }
  std::u32string cells;
  for (std::u32string& text : wide) {
    text.resize(longest, U'\0');
    cells += text;
  }
  return npy(fmt::format("<U{}", longest), {strings.size()}, std::span<const char32_t>(cells));
}

void addCells(std::vector<Entry>& out, const std::string& prefix, std::vector<float> values,
              const std::vector<std::uint8_t>& mask, const Shape& shape) {
  std::vector<std::uint8_t> whole(values.size(), 0);
  for (std::size_t i = 0; i < values.size() && !mask.empty(); ++i) {
    whole[i] = mask[i % mask.size()] != 0;
    if (whole[i] != 0) values[i] = std::numeric_limits<float>::quiet_NaN();
  }
  out.push_back({prefix + "values", npyOf(values, shape)});
  if (!mask.empty()) out.push_back({prefix + "mask", npyOfMask(whole, shape)});
}

void addHeatMap(std::vector<Entry>& out, const std::string& prefix, const Panel& panel) {
  const HeatMap& map = *panel.heat_map;
  addCells(out, prefix, map.values, map.mask, {map.rows, map.columns});
  if (!panel.y.categories.empty()) out.push_back({prefix + "row_labels", npyOf(panel.y.categories)});
  if (!panel.x.categories.empty()) out.push_back({prefix + "column_labels", npyOf(panel.x.categories)});
  if (map.right) out.push_back({prefix + "row_marginal", npyOf(map.right->values, {map.rows})});
  if (map.top) out.push_back({prefix + "column_marginal", npyOf(map.top->values, {map.columns})});
}

void addThumbnails(std::vector<Entry>& out, const std::string& prefix, const ThumbnailGrid& grid) {
  addCells(out, prefix, grid.values, grid.mask,
           {grid.rows, grid.columns, grid.thumbnail_rows, grid.thumbnail_columns});
  if (!grid.row_names.empty()) out.push_back({prefix + "row_names", npyOf(grid.row_names)});
}

void addLines(std::vector<Entry>& out, const std::string& prefix, const std::vector<LineSeries>& lines) {
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const LineSeries& series = lines[i];
    std::string name = prefix + fmt::format("line{}_", i);
    out.push_back({name + "x", npyOf(series.x, {series.x.size()})});
    out.push_back({name + "y", npyOf(series.y, {series.y.size()})});
    if (!series.low.empty()) out.push_back({name + "low", npyOf(series.low, {series.low.size()})});
    if (!series.high.empty()) out.push_back({name + "high", npyOf(series.high, {series.high.size()})});
    labels.push_back(series.label);
  }
  if (!lines.empty()) out.push_back({prefix + "line_labels", npyOf(labels)});
}

void addBars(std::vector<Entry>& out, const std::string& prefix, const Panel& panel) {
  if (panel.bars.empty()) return;
  std::vector<double> values, errors;
  std::vector<std::string> labels;
  bool any_errors = false;
  for (const BarSeries& series : panel.bars) {
    values.insert(values.end(), series.values.begin(), series.values.end());
    any_errors |= !series.errors.empty();
    std::vector<double> own =
        series.errors.empty() ? std::vector<double>(series.values.size(), std::nan("")) : series.errors;
    errors.insert(errors.end(), own.begin(), own.end());
    labels.push_back(series.label);
  }
  Shape shape = {panel.bars.size(), categoryCount(panel)};
  out.push_back({prefix + "bars", npyOf(values, shape)});
  if (any_errors) out.push_back({prefix + "bar_errors", npyOf(errors, shape)});
  out.push_back({prefix + "bar_labels", npyOf(labels)});
  if (!panel.x.categories.empty()) out.push_back({prefix + "categories", npyOf(panel.x.categories)});
}

std::vector<Entry> entriesOf(const Figure& figure) {
  std::vector<Entry> entries = {{"figure", npyOf(std::vector<std::string>{figure.name})}};
  for (std::size_t p = 0; p < figure.panels.size(); ++p) {
    const Panel& panel = figure.panels[p];
    std::string prefix = figure.panels.size() > 1 ? panelLetter(p) + "_" : "";
    if (panel.heat_map) addHeatMap(entries, prefix, panel);
    if (panel.thumbnails) addThumbnails(entries, prefix, *panel.thumbnails);
    addLines(entries, prefix, panel.lines);
    addBars(entries, prefix, panel);
  }
  return entries;
}

struct CloseSource {
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};

Result<void> addEntry(zip_t* archive, const Entry& entry) {
  constexpr zip_uint32_t kFast = 1;  // of deflate: figures are exported while somebody waits
  constexpr zip_uint16_t kFirstOfJanuary1980 = (1 << 5) | 1;
  zip_source_t* data = zip_source_buffer(archive, entry.bytes.data(), entry.bytes.size(), 0);
  zip_int64_t index =
      data == nullptr ? -1 : zip_file_add(archive, (entry.name + ".npy").c_str(), data, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(data);
    return fail(ErrorCode::kIo, "adding {} to an NPZ file: {}", entry.name, zip_strerror(archive));
  }
  auto place = static_cast<zip_uint64_t>(index);
  if (zip_set_file_compression(archive, place, ZIP_CM_DEFLATE, kFast) != 0 ||
      zip_file_set_dostime(archive, place, 0, kFirstOfJanuary1980, 0) != 0)
    return fail(ErrorCode::kIo, "adding {} to an NPZ file: {}", entry.name, zip_strerror(archive));
  return {};
}

Result<std::string> readAll(zip_source_t* source) {
  std::string bytes;
  if (zip_source_open(source) != 0)
    return fail(ErrorCode::kIo, "reading back an NPZ file: {}", zip_error_strerror(zip_source_error(source)));
  zip_source_seek(source, 0, SEEK_END);
  bytes.resize(static_cast<std::size_t>(std::max<zip_int64_t>(0, zip_source_tell(source))));
  zip_source_seek(source, 0, SEEK_SET);
  zip_int64_t read = zip_source_read(source, bytes.data(), bytes.size());
  zip_source_close(source);
  if (read != static_cast<zip_int64_t>(bytes.size()))
    return fail(ErrorCode::kIo, "reading back an NPZ file gave {} of {} bytes", read, bytes.size());
  return bytes;
}

}  // namespace

Result<std::string> npzOf(const Figure& figure) {
  std::vector<Entry> entries = entriesOf(figure);
  zip_error_t error;
  zip_error_init(&error);
  std::unique_ptr<zip_source_t, CloseSource> source(zip_source_buffer_create(nullptr, 0, 0, &error));
  zip_t* archive = source ? zip_open_from_source(source.get(), ZIP_TRUNCATE, &error) : nullptr;
  if (archive == nullptr)
    return fail(ErrorCode::kIo, "making an NPZ file in memory: {}", zip_error_strerror(&error));
  zip_source_keep(source.get());  // closing the archive gives up its own hold on the source
  for (const Entry& entry : entries)
    if (auto added = addEntry(archive, entry); !added) {
      zip_discard(archive);
      return tl::unexpected(std::move(added).error());
    }
  if (zip_close(archive) != 0) {
    std::string reason = zip_strerror(archive);
    zip_discard(archive);
    return fail(ErrorCode::kIo, "making an NPZ file in memory: {}", reason);
  }
  return readAll(source.get());
}

}  // namespace vitrine::core
