#include "ui/figure/export_figure.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <QApplication>
#include <QImage>
#include <QProcess>
#include <QStandardPaths>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>

#include "core/figure/figure_fixtures.h"
#include "core/figure/layout.h"
#include "ui/figure/qt_fonts.h"

namespace vitrine::ui {
namespace {

namespace fs = std::filesystem;
using core::Figure;
using core::FigureFormat;
using core::testing::attentionMap;

// CPU seconds of one file; an optimized build takes about one.
#ifdef __SANITIZE_ADDRESS__
constexpr double kLongest = 30;
#else
constexpr double kLongest = 4;
#endif

constexpr char kFolderVariable[] = "VITRINE_TEST_FIGURE_FOLDER";

class ExportFigure : public ::testing::Test {
 protected:
  void SetUp() override {
    if (QCoreApplication::instance() == nullptr) {
      static int count = 3;
      static char name[] = "test", option[] = "-platform", platform[] = "offscreen";
      static char* arguments[] = {name, option, platform, nullptr};
      static QApplication application(count, arguments);
    }
    folder_ = fs::path(::testing::TempDir()) / ("vitrine-figures-" + std::to_string(::getpid()));
    preset_ = core::findFigurePreset("icml-column").value();
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string bytes(const Figure& figure, FigureFormat format, std::string_view name = "figure") const {
    auto written = exportFigure(figure, preset_, std::vector{format}, {folder_, std::string(name)}, {});
    if (!written) {
      ADD_FAILURE() << written.error().describe();
      return "";
    }
    return read(written->front());
  }
  static std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  fs::path pathOf(std::string_view name) const { return folder_ / name; }

  // What a program says about a file, or nothing where the program is not installed.
  static QString output(const char* program, const QStringList& arguments) {
    QString path = QStandardPaths::findExecutable(QString::fromLatin1(program));
    if (path.isEmpty()) return {};
    QProcess process;
    process.start(path, arguments);
    process.waitForFinished(20000);
    return QString::fromUtf8(process.readAllStandardOutput());
  }

  fs::path folder_;
  core::FigurePreset preset_;
};

Figure scripts() {
  const std::vector<std::string> labels = {"吾輩", "は", "猫", "·שלום", "مرحبا", "!=", "->", "⏎", "⟨E2⟩"};
  std::vector<float> values = core::testing::causalAttention(labels.size());
  return core::attentionMapFigure({labels.size(), values}, labels, {}, {}).value();
}

TEST_F(ExportFigure, PdfHasThePresetsWidthAndEmbedsTrueType) {
  std::string pdf = bytes(scripts(), FigureFormat::kPdf, "scripts");
  EXPECT_EQ(pdf.substr(0, 5), "%PDF-");
  EXPECT_EQ(pdf.find("/Type3"), std::string::npos);
  EXPECT_EQ(pdf.find("/DCTDecode"), std::string::npos);  // no JPEG
  EXPECT_EQ(pdf.find("/Interpolate true"), std::string::npos);
  EXPECT_NE(pdf.find("/MediaBox [0 0 234"), std::string::npos);
  QString fonts = output("pdffonts", {QString::fromStdString(pathOf("scripts.pdf").string())});
  if (fonts.isEmpty()) GTEST_SKIP() << "pdffonts (poppler-utils) is not installed";
  QStringList lines = fonts.split('\n', Qt::SkipEmptyParts).mid(2);
  EXPECT_GE(lines.size(), 2);
  for (const QString& line : lines) {
    EXPECT_TRUE(line.contains("TrueType")) << line.toStdString();
    EXPECT_TRUE(line.contains("Identity-H       yes")) << line.toStdString();
  }
}

TEST_F(ExportFigure, PdfTextCanBeReadBackInEveryScript) {
  bytes(scripts(), FigureFormat::kPdf, "scripts");
  QString text =
      output("pdftotext", {"-enc", "UTF-8", QString::fromStdString(pathOf("scripts.pdf").string()), "-"});
  if (text.isEmpty()) GTEST_SKIP() << "pdftotext (poppler-utils) is not installed";
  for (const char* wanted : {"吾輩", "猫", "שלום", "!=", "->", "⟨E2⟩", "attention probability"})
    EXPECT_TRUE(text.contains(QString::fromUtf8(wanted))) << wanted;
}

TEST_F(ExportFigure, SvgKeepsTextAsTextAndTheMapAsOneSharpImage) {
  std::string svg = bytes(scripts(), FigureFormat::kSvg);
  for (const char* wanted :
       {">吾輩</text>", ">⟨E2⟩</text>", "font-family=\"JetBrains Mono, DejaVu Sans Mono, monospace\"",
        "image-rendering:pixelated"})
    EXPECT_NE(svg.find(wanted), std::string::npos) << wanted;
  EXPECT_EQ(svg.find(">!=</text>"), std::string::npos);  // it would come out as a ligature
  std::size_t images = 0;
  for (std::size_t at = 0; (at = svg.find("<image", at)) != std::string::npos; ++at) ++images;
  EXPECT_EQ(images, 2u);  // the map and the colour bar
  EXPECT_EQ(svg.find("optimizeSpeed\""), std::string::npos);
}

TEST_F(ExportFigure, PngHasWidthTimesDpiPixelsAndSaysSo) {
  for (int dpi : {72, 300, 601}) {
    FigureExportOptions options;
    options.png_dpi = dpi;
    auto written = exportFigure(attentionMap(12), preset_, std::vector{FigureFormat::kPng}, {folder_, "map"},
                                {}, options);
    ASSERT_TRUE(written) << written.error().describe();
    QImage image(QString::fromStdString(written->front().string()));
    EXPECT_EQ(image.width(), std::lround(3.25 * dpi));
    EXPECT_NEAR(image.dotsPerMeterX() * 0.0254, dpi, 0.02);
  }
}

TEST_F(ExportFigure, PngCellsHaveTheColoursOfTheMap) {
  core::Panel panel;
  panel.heat_map = core::testing::heatMap(1, 2, {0, 1});
  Figure figure = core::testing::figureOf(panel);
  core::Drawing drawing = core::layoutFigure(figure, preset_, QtTextMeasure(preset_)).value();
  const auto raster =
      std::find_if(drawing.items.begin(), drawing.items.end(),
                   [](const core::Primitive& item) { return std::holds_alternative<core::Raster>(item); });
  ASSERT_NE(raster, drawing.items.end());
  core::Rect box = std::get<core::Raster>(*raster).box;
  QImage image = renderFigure(figure, preset_, 144).value();
  auto at = [&](double share) {
    QColor c = image.pixelColor(static_cast<int>(2 * (box.x + share * box.width)),
                                static_cast<int>(2 * (box.y + box.height / 2)));
    return core::Rgb8{static_cast<std::uint8_t>(c.red()), static_cast<std::uint8_t>(c.green()),
                      static_cast<std::uint8_t>(c.blue())};
  };
  EXPECT_EQ(at(0.1), core::colormap(core::ColormapId::kViridis).front());
  EXPECT_EQ(at(0.45), core::colormap(core::ColormapId::kViridis).front());
  EXPECT_EQ(at(0.55), core::colormap(core::ColormapId::kViridis).back());
}

TEST_F(ExportFigure, PicturesComeWithTheirData) {
  std::vector<FigureFormat> formats = core::parseFigureFormats("csv,pdf,svg,png,npz,tex").value();
  auto written = exportFigure(attentionMap(6), preset_, formats, {folder_ / "new", "map"}, {});
  ASSERT_TRUE(written) << written.error().describe();
  std::vector<std::string> names;
  for (const fs::path& path : *written) {
    names.push_back(path.filename());
    EXPECT_GT(fs::file_size(path), 100u);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"map.pdf", "map.svg", "map.png", "map.csv", "map.npz", "map.tex",
                                             "map.json"}));
}

// The part that another process plays in the test below.
TEST_F(ExportFigure, DISABLED_WriteIntoFolder) {
  const char* folder = std::getenv(kFolderVariable);
  ASSERT_NE(folder, nullptr);
  std::vector<FigureFormat> formats = core::parseFigureFormats("pdf,svg,png,csv,npz,tex").value();
  ASSERT_TRUE(exportFigure(scripts(), preset_, formats, {folder, "map"}, {}));
}

TEST_F(ExportFigure, AnotherProcessInAnotherTimeZoneWritesTheSameBytes) {
  std::vector<fs::path> folders;
  for (const char* zone : {"UTC", "Asia/Tokyo", "America/St_Johns"}) {
    folders.push_back(folder_ / std::to_string(folders.size()));
    QProcess process;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert("TZ", zone);
    environment.insert(kFolderVariable, QString::fromStdString(folders.back().string()));
    process.setProcessEnvironment(environment);
    process.start(
        QCoreApplication::applicationFilePath(),
        {"--gtest_also_run_disabled_tests", "--gtest_filter=ExportFigure.DISABLED_WriteIntoFolder"});
    ASSERT_TRUE(process.waitForFinished(60000));
    ASSERT_EQ(process.exitCode(), 0) << process.readAllStandardOutput().toStdString();
  }
  for (const char* name : {"map.pdf", "map.svg", "map.png", "map.csv", "map.npz", "map.tex", "map.json"}) {
    std::string first = read(folders[0] / name);
    EXPECT_FALSE(first.empty()) << name;
    for (const fs::path& other : folders) EXPECT_TRUE(read(other / name) == first) << name << " differs";
  }
}

TEST_F(ExportFigure, SmallestAndLargeMapsTakeAboutASecond) {
  for (std::size_t tokens : {1u, 2000u}) {
    Figure figure = attentionMap(tokens);
    for (FigureFormat format :
         {FigureFormat::kPdf, FigureFormat::kSvg, FigureFormat::kPng, FigureFormat::kNpz}) {
      std::clock_t start = std::clock();
      EXPECT_FALSE(bytes(figure, format).empty());
      double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
      EXPECT_LT(seconds, kLongest) << core::formatName(format) << " of " << tokens << " tokens";
      RecordProperty(std::string(core::formatName(format)) + std::to_string(tokens), std::to_string(seconds));
    }
  }
}

TEST_F(ExportFigure, RefusesWhatMakesNoSense) {
  EXPECT_FALSE(renderFigure(attentionMap(2), preset_, 1));
  EXPECT_FALSE(renderFigure(attentionMap(2), preset_, 100000));
  EXPECT_FALSE(renderFigure({}, preset_, 100));
  auto unwritable =
      exportFigure(attentionMap(2), preset_, std::vector{FigureFormat::kPdf}, {"/proc/nowhere", "map"}, {});
  ASSERT_FALSE(unwritable);
  EXPECT_EQ(unwritable.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace vitrine::ui
