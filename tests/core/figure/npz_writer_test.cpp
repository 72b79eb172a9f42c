#include "core/figure/npz_writer.h"

#include <gtest/gtest.h>
#include <zip.h>

#include <cmath>
#include <cstring>
#include <map>

#include "core/figure/figure_fixtures.h"

namespace vitrine::core {
namespace {

struct Array {
  std::string header;  // the Python dictionary
  std::string data;

  template <typename T>
  std::vector<T> as() const {
    std::vector<T> values(data.size() / sizeof(T));
    std::memcpy(values.data(), data.data(), values.size() * sizeof(T));
    return values;
  }
};

// Reads an archive back as numpy does.
std::map<std::string, Array> unzip(const std::string& bytes) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  zip_t* archive = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
  std::map<std::string, Array> arrays;
  if (archive == nullptr) {
    ADD_FAILURE() << zip_error_strerror(&error);
    return arrays;
  }
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0); ++i) {
    zip_stat_t stat;
    zip_stat_index(archive, static_cast<zip_uint64_t>(i), 0, &stat);
    std::string npy(stat.size, '\0');
    zip_file_t* file = zip_fopen_index(archive, static_cast<zip_uint64_t>(i), 0);
    EXPECT_EQ(zip_fread(file, npy.data(), npy.size()), static_cast<zip_int64_t>(npy.size()));
    zip_fclose(file);
    EXPECT_EQ(npy.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
    std::size_t length = static_cast<unsigned char>(npy[8]) + 256u * static_cast<unsigned char>(npy[9]);
    EXPECT_EQ((10 + length) % 64, 0u);
    arrays[stat.name] = {npy.substr(10, length), npy.substr(10 + length)};
  }
  zip_close(archive);
  return arrays;
}

TEST(Npz, HeatMapComesBackWithLabelsMaskAndMarginals) {
  auto arrays = unzip(npzOf(testing::attentionMap(3)).value());
  const Array& values = arrays.at("values.npy");
  EXPECT_EQ(values.header.find("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3), }"), 0u);
  EXPECT_EQ(values.header.back(), '\n');
  std::vector<float> expected = testing::causalAttention(3), found = values.as<float>();
  ASSERT_EQ(found.size(), 9u);
  for (std::size_t i = 0; i < 9; ++i) {
    if (expected[i] < 0)
      EXPECT_TRUE(std::isnan(found[i]));  // masked, never zero
    else
      EXPECT_EQ(found[i], expected[i]);
  }
  EXPECT_EQ(arrays.at("mask.npy").as<std::uint8_t>(), (std::vector<std::uint8_t>{0, 1, 1, 0, 0, 1, 0, 0, 0}));
  EXPECT_EQ(arrays.at("row_marginal.npy").as<float>().size(), 3u);
  const Array& labels = arrays.at("row_labels.npy");  // "Once", "·upon", "·a"
  EXPECT_NE(labels.header.find("'<U5'"), std::string::npos);
  EXPECT_NE(labels.header.find("(3,)"), std::string::npos);
  std::vector<char32_t> points = labels.as<char32_t>();
  ASSERT_EQ(points.size(), 15u);
  EXPECT_EQ(std::u32string(points.data(), 5), std::u32string(U"Once\0", 5));
  EXPECT_EQ(std::u32string(points.data() + 5, 5), U"·upon");
}

TEST(Npz, CharactersOutsideTheBasicPlaneAreOnePoint) {
  Figure figure = testing::barFigure();
  figure.panels[0].x.categories = {"😀", "日本", "x"};
  std::vector<char32_t> points = unzip(npzOf(figure).value()).at("categories.npy").as<char32_t>();
  ASSERT_EQ(points.size(), 6u);
  EXPECT_EQ(points[0], U'😀');
  EXPECT_EQ(points[1], U'\0');
  EXPECT_EQ(points[3], U'本');
}

TEST(Npz, PanelsThumbnailsLinesAndBars) {
  Figure figure = testing::lineFigure();
  figure.panels.push_back(testing::barFigure().panels[0]);
  auto arrays = unzip(npzOf(figure).value());
  EXPECT_EQ(arrays.at("a_line2_y.npy").as<double>(), figure.panels[0].lines[2].y);
  EXPECT_EQ(arrays.at("b_bars.npy").as<double>().size(), 6u);
  EXPECT_TRUE(std::isnan(arrays.at("b_bar_errors.npy").as<double>()[5]));
  auto overview = unzip(npzOf(testing::overviewFigure(2, 3, 5)).value());
  EXPECT_NE(overview.at("values.npy").header.find("(2, 3, 5, 5)"), std::string::npos);
}

TEST(Npz, SameFigureSameBytesAndEmptyFiguresAreValid) {
  EXPECT_EQ(npzOf(testing::attentionMap(30)).value(), npzOf(testing::attentionMap(30)).value());
  EXPECT_EQ(unzip(npzOf(testing::figureOf({})).value()).size(), 1u);
}

}  // namespace
}  // namespace vitrine::core
