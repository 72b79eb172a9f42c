// CSV, TeX, JSON and the choice of files: golden bytes of small figures.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/figure/csv_writer.h"
#include "core/figure/export_data.h"
#include "core/figure/figure_fixtures.h"
#include "core/figure/sha256.h"
#include "core/figure/sidecar.h"
#include "core/figure/tex_writer.h"

namespace vitrine::core {
namespace {

using testing::attentionMap;
using testing::barFigure;
using testing::heatMap;
using testing::metricsFigure;

class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_(std::filesystem::path(::testing::TempDir()) /
              ("vitrine-writers-" + std::to_string(::getpid()))) {}
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string bytesOf(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Csv, HeatMapWithQuotedNamesMaskAndNan) {
  Panel panel;
  panel.x.label = "key";
  panel.y.label = "query";
  panel.x.categories = panel.y.categories = {"say \"hi\"", "a,b"};
  HeatMap map = heatMap(2, 2, {1, 0.1f, std::numeric_limits<float>::quiet_NaN(), 0});
  map.mask = {0, 1, 0, 0};
  map.color.quantity = "attention probability";
  panel.heat_map = map;
  EXPECT_EQ(csvOf(panel),
            "query,query label,key,key label,attention probability\r\n"
            "0,\"say \"\"hi\"\"\",0,\"say \"\"hi\"\"\",1\r\n"
            "1,\"a,b\",0,\"say \"\"hi\"\"\",NaN\r\n"
            "1,\"a,b\",1,\"a,b\",0\r\n");
}

TEST(Csv, LinesBarsAndThumbnails) {
  Panel lines;
  lines.x.label = "context";
  lines.x.unit = "tokens";
  lines.y.label = "time";
  lines.y.unit = "ms";
  lines.lines.push_back({"exact", {1, 2}, {0.5, 0.25}, {0.4, 0.2}, {0.6, 0.3}});
  EXPECT_EQ(csvOf(lines),
            "series,context (tokens),time (ms),low,high\r\nexact,1,0.5,0.4,0.6\r\nexact,2,0.25,0.2,0.3\r\n");
  EXPECT_EQ(csvOf(barFigure().panels[0]).substr(0, 78),
            "series,method,method label,perplexity,error\r\n4k,0,full,12.1,0.2\r\n4k,1,SnapKV,1");
  Panel grid;
  grid.thumbnails = ThumbnailGrid{};
  ThumbnailGrid& t = *grid.thumbnails;
  t.rows = 1, t.columns = 2, t.thumbnail_rows = 1, t.thumbnail_columns = 2;
  t.values = {0.5f, 9, 0.25f, 9};
  t.mask = {0, 1};
  t.row_names = {"7"};
  t.color.quantity = "p";
  EXPECT_EQ(csvOf(grid), "layer,head,row,column,p\r\n7,0,0,0,0.5\r\n7,1,0,0,0.25\r\n");
}

TEST(Csv, ValuesComeBackExactly) {
  Panel panel;
  std::vector<float> values;
  for (int i = 0; i < 200; ++i) values.push_back(std::ldexp(1.0f + static_cast<float>(i) / 199, i - 100));
  panel.heat_map = heatMap(1, values.size(), values);
  std::string csv = csvOf(panel);
  std::size_t at = csv.find("\r\n") + 2;
  for (float value : values) {
    std::size_t end = csv.find("\r\n", at), comma = csv.rfind(',', end);
    EXPECT_EQ(std::stof(csv.substr(comma + 1, end - comma - 1)), value);
    at = end + 2;
  }
}

TEST(Tex, EscapesAndTabulates) {
  EXPECT_EQ(texEscape("50% of a_b & {c} \\ ~^#$"),
            "50\\% of a\\_b \\& \\{c\\} \\textbackslash{} \\textasciitilde{}\\textasciicircum{}\\#\\$");
  Figure figure = attentionMap(5);
  figure.caption = "Head 1_2";
  std::string tex = texOf(figure, findFigurePreset("icml-column").value(), "map");
  EXPECT_NE(tex.find("\\includegraphics[width=3.25in]{map}"), std::string::npos);
  EXPECT_NE(tex.find("\\caption{Head 1\\_2}"), std::string::npos);
  EXPECT_NE(tex.find("\\toprule"), std::string::npos);
  EXPECT_NE(tex.find("induction score & n/a \\\\"), std::string::npos);
  EXPECT_NE(texOf(figure, findFigurePreset("icml-page").value(), "map").find("\\begin{figure*}"),
            std::string::npos);
}

TEST(Tex, BarsBecomeATable) {
  std::string tex = texOf(barFigure(), figurePresets()[0], "bars");
  EXPECT_NE(tex.find("\\begin{tabular}{lrr}\n    \\toprule\n    method & 4k & 16k \\\\\n    \\midrule\n"
                     "    full & $12.1$ $\\pm$ $0.200$ & $11.2$ \\\\\n"),
            std::string::npos)
      << tex;
}

TEST(Sidecar, SaysRangeNormalizationAndProvenance) {
  Provenance provenance;
  provenance.model_path = "model.gguf";
  provenance.model_sha256 = std::string(64, 'a');
  provenance.prompt = "broken \xff UTF-8";
  provenance.seed = 7;
  provenance.method = "exact";
  provenance.parameters = {{"budget", "32"}};
  std::string text = sidecarOf(attentionMap(6), findFigurePreset("neurips").value(), provenance).value();
  nlohmann::json json = nlohmann::json::parse(text);
  EXPECT_EQ(json["panels"][0]["color"]["scale"], "log");
  EXPECT_EQ(json["panels"][0]["color"]["range"][0], 1e-4);
  EXPECT_EQ(json["panels"][0]["color"]["normalization"], "softmax over keys");
  EXPECT_EQ(json["panels"][0]["color"]["cells_masked"], 15);
  EXPECT_EQ(json["preset"]["width_in"], 5.5);
  EXPECT_EQ(json["provenance"]["model"]["path"], "model.gguf");
  EXPECT_EQ(json["provenance"]["seed"], 7);
  EXPECT_EQ(json["provenance"]["parameters"]["budget"], "32");
  EXPECT_TRUE(json["provenance"]["device"].is_null());
  EXPECT_TRUE(json["summary"]["induction score"].is_null());
  EXPECT_EQ(text, sidecarOf(attentionMap(6), findFigurePreset("neurips").value(), provenance).value());
}

TEST(Sha256, StandardVectors) {
  EXPECT_EQ(sha256Of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256Of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256Of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256Of(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_FALSE(sha256OfFile("/nonexistent/file"));
}

TEST(ExportData, WritesEachFileOnceAndAlwaysTheSidecar) {
  TemporaryFolder folder;
  FigurePreset preset = findFigurePreset("icml-page").value();
  std::vector<FigureFormat> formats = parseFigureFormats("csv,npz,tex,csv").value();
  EXPECT_EQ(formats.size(), 3u);
  auto paths = exportFigureData(attentionMap(4), preset, formats, {folder.path() / "deep", "map"}, {});
  ASSERT_TRUE(paths) << paths.error().describe();
  std::vector<std::string> names;
  for (const auto& path : *paths) names.push_back(path.filename());
  EXPECT_EQ(names, (std::vector<std::string>{"map.csv", "map.npz", "map.tex", "map.json"}));
  std::vector<std::string> before;
  for (const auto& path : *paths) before.push_back(bytesOf(path));
  ASSERT_TRUE(exportFigureData(attentionMap(4), preset, formats, {folder.path() / "deep", "map"}, {}));
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(bytesOf((*paths)[i]), before[i]) << names[i];
  auto several = exportFigureData(metricsFigure(2, 2), preset, std::vector{FigureFormat::kCsv},
                                  {folder.path(), "heads"}, {});
  ASSERT_TRUE(several);
  EXPECT_EQ(several->front().filename(), "heads-a.csv");
  EXPECT_EQ(several->size(), 5u);  // four metrics (induction is not defined) and the sidecar
}

TEST(ExportData, SaysWhatItCannotDo) {
  TemporaryFolder folder;
  FigurePreset preset = figurePresets()[0];
  auto picture =
      exportFigureData(attentionMap(2), preset, std::vector{FigureFormat::kPdf}, {folder.path(), "map"}, {});
  ASSERT_FALSE(picture);
  EXPECT_NE(picture.error().message.find("VITRINE_UI=ON"), std::string::npos);
  EXPECT_FALSE(parseFigureFormats("pdf,gif"));
  EXPECT_FALSE(parseFigureFormats(""));
  auto unwritable = exportFigureData(attentionMap(2), preset, {}, {"/proc/nowhere", "map"}, {});
  ASSERT_FALSE(unwritable);
  EXPECT_EQ(unwritable.error().code, ErrorCode::kIo);
}

TEST(Presets, ListedNamesAreFoundAndOthersAreRefusedWithTheList) {
  for (const FigurePreset& preset : figurePresets())
    EXPECT_EQ(findFigurePreset(preset.name).value().width_in, preset.width_in);
  EXPECT_EQ(findFigurePreset("icml-column").value().width_in, 3.25);
  EXPECT_NEAR(findFigurePreset("nature-column").value().width_in, 3.504, 1e-3);
  EXPECT_NE(findFigurePreset("icml").error().message.find("icml-column"), std::string::npos);
}

}  // namespace
}  // namespace vitrine::core
