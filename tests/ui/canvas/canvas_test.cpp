// The canvas drawn into images: what probabilities look like, text of any script, resizing, errors.
#include "ui/canvas/canvas.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/figure/colormap.h"
#include "support/gpu_fixture.h"
#include "support/qt_application.h"
#include "ui/canvas/draw_text.h"
#include "ui/canvas/picture_reader.h"

#include <functional>

namespace vitrine::ui {
namespace {

class DrawnContent : public CanvasContent {
 public:
  std::function<void(CanvasFrame&)> how;
  void draw(CanvasFrame& frame) override {
    if (how) how(frame);
  }
  bool wantsKey(const KeyPress&) const override { return false; }
};

class CanvasTest : public test::GpuTest {
 protected:
  void SetUp() override {
    tests::qtApplication();
    GpuTest::SetUp();
    canvas_ = test::expectValue(Canvas::create(device(), kDarkTheme));
    canvas_->setContent(&content_);
  }
  void TearDown() override {
    canvas_.reset();
    GpuTest::TearDown();
  }

  std::shared_ptr<const gpu::Image> picture(std::uint32_t width, std::uint32_t height,
                                            const std::vector<float>& values) {
    auto image = std::make_shared<gpu::Image>(
        test::expectValue(gpu::Image::create(device(), width, height, VK_FORMAT_R32_SFLOAT, "test map")));
    const gpu::Buffer buffer = bufferOf(values);
    gpu::Commands commands = test::expectValue(gpu::Commands::create(device(), "test map"));
    test::expectOk(commands.begin());
    commands.copyToImage(buffer, *image);
    test::expectOk(commands.end());
    test::expectOk(commands.submitAndWait());
    return image;
  }

  DrawnContent content_;
  std::unique_ptr<Canvas> canvas_;
};

std::string hex(QRgb color) {
  return fmt::format("{:06x}", color & 0xffffff);
}

TEST_F(CanvasTest, AMapHasTheColoursOfItsProbabilities) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> values = {-1.0f, 0.0f, 1e-8f, 3e-4f, 0.02f,  0.3f,
                                     0.97f, 1.0f, 2.0f,  nan,   1e-30f, 0.5f};
  const auto image = picture(4, 3, values);
  for (const Scale scale : {Scale::kLinear, Scale::kLog})
    for (const Range range : {Range{1e-4, 1.0}, Range{0.01, 0.6}})
      for (const core::ColormapId map : kSequentialMaps) {
        const MapPaint paint{range, scale, map, rgb(0x123456), rgb(0xff00ff)};
        content_.how = [&](CanvasFrame& frame) {
          ImGui::GetWindowDrawList()->AddImage(frame.renderer.map(image, paint), {0, 0}, frame.size);
        };
        const QImage drawn = test::expectValue(canvas_->image({80, 60}, 1));
        for (int cell = 0; cell < 12; ++cell) {
          const float p = values[std::size_t(cell)];
          const double at = position(p, range, scale);
          const core::Rgb8 low = core::sampleColormap(map, at - 1e-4),
                           high = core::sampleColormap(map, at + 1e-4);
          const QRgb pixel = drawn.pixel(cell % 4 * 20 + 10, cell / 4 * 20 + 10);
          if (std::isnan(p)) {
            EXPECT_EQ(hex(pixel), "ff00ff");
          } else if (p < 0) {
            EXPECT_EQ(hex(pixel), "123456");
          } else {
            // Exactly the table's colour; on the border between two entries either.
            EXPECT_TRUE(hex(pixel) == hex(qRgb(low.r, low.g, low.b)) ||
                        hex(pixel) == hex(qRgb(high.r, high.g, high.b)))
                << p << " " << name(scale) << " " << hex(pixel);
          }
        }
      }
}

TEST_F(CanvasTest, EveryScriptLeavesInkAndLabelsAreKept) {
  const std::vector<std::string> tokens = {"·the", "吾輩", "שלום", "가나", "⟨E2⟩", "!="};
  for (const double ratio : {1.0, 2.0}) {
    std::vector<float> widths;
    content_.how = [&](CanvasFrame& frame) {
      widths.clear();
      ImDrawList& list = *ImGui::GetWindowDrawList();
      for (std::size_t i = 0; i < tokens.size(); ++i)
        widths.push_back(drawLabel(list, frame, {10, 15.0f + 20.0f * float(i)}, Align::kLeft,
                                   {12, 100, rgb(0xffffff)}, tokens[i]));
    };
    const QImage first = test::expectValue(canvas_->image({120, 140}, ratio));
    const QImage second = test::expectValue(canvas_->image({120, 140}, ratio));
    EXPECT_EQ(first, second);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      EXPECT_GT(widths[i], 4) << tokens[i];
      int ink = 0;
      for (int y = int((5 + 20 * double(i)) * ratio); y < int((25 + 20 * double(i)) * ratio); ++y)
        for (int x = 0; x < int(120 * ratio); ++x) ink += qGray(first.pixel(x, y)) > 100;
      EXPECT_GT(ink, 10) << tokens[i];
    }
  }
}

TEST_F(CanvasTest, LongLabelsAreElidedToTheirRoom) {
  content_.how = [&](CanvasFrame& frame) {
    const Label label = frame.labels.get(std::string(500, 'w'), 12, 60);
    EXPECT_GT(label.width, 30);
    EXPECT_LE(label.width, 63);
  };
  test::expectValue(canvas_->image({100, 100}, 1));
}

TEST_F(CanvasTest, MoreLabelsThanFitComeWithTheNextFrame) {
  int missing = 0, frame_number = 0;
  content_.how = [&](CanvasFrame& frame) {
    missing = 0;
    // The first frame asks for more than the texture holds, the second for a few.
    const int count = frame_number == 0 ? 9000 : 20;
    for (int i = 0; i < count; ++i)
      missing += frame.labels.get(fmt::format("token {} of frame {}", i, frame_number), 16, 400).width == 0;
    ++frame_number;
  };
  const FrameResult first = test::expectValue(canvas_->offscreenFrame({100, 100}, 1));
  EXPECT_GT(missing, 0);
  test::expectOk(device().wait(first.done));
  const FrameResult second = test::expectValue(canvas_->offscreenFrame({100, 100}, 1));
  EXPECT_EQ(missing, 0);
  EXPECT_TRUE(second.again_in.has_value());  // what was missing is worth another frame
}

TEST_F(CanvasTest, TakesAnySizeAndRefusesNone) {
  for (const QSize size : {QSize(1, 1), QSize(641, 479), QSize(33, 900)}) {
    const QImage image = test::expectValue(canvas_->image(size, 1));
    EXPECT_EQ(image.size(), size);
    EXPECT_EQ(hex(image.pixel(0, 0)), hex(kDarkTheme.colors.canvas.argb()));
  }
  const auto refused = canvas_->image({0, 10}, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(CanvasTest, FollowsTheTheme) {
  canvas_->setTheme(kLightTheme);
  const QImage image = test::expectValue(canvas_->image({20, 20}, 1));
  EXPECT_EQ(hex(image.pixel(10, 10)), hex(kLightTheme.colors.canvas.argb()));
}

TEST_F(CanvasTest, TheInterfacesZoomEnlargesTextAndRoomAlike) {
  Theme theme = kDarkTheme;
  ImVec2 size;
  float line = 0;
  content_.how = [&](CanvasFrame& frame) {
    size = frame.size;
    line = textSize(frame.fonts.mono(), "x").y * float(frame.pixel_ratio);
  };
  test::expectValue(canvas_->image({300, 150}, 1));
  const float line_before = line;
  theme.zoom = 1.5;
  canvas_->setTheme(theme);
  const QImage image = test::expectValue(canvas_->image({300, 150}, 1));
  EXPECT_EQ(image.size(), QSize(300, 150));
  EXPECT_FLOAT_EQ(size.x, 200);
  EXPECT_FLOAT_EQ(size.y, 100);
  EXPECT_NEAR(line, 1.5f * line_before, 1.5);  // device pixels, rounded to whole ones by the rasterizer
}

TEST_F(CanvasTest, ReadsAPicturesValuesWithoutWaiting) {
  const std::vector<float> values = {0.1f, -1.0f, 0.3f, 0.4f, 0.5f, 0.6f};
  const auto image = picture(3, 2, values);
  PictureReader reader(device());
  test::expectOk(reader.want(image));
  EXPECT_TRUE(reader.busy());
  test::expectOk(device().waitIdle());
  test::expectOk(reader.want(image));
  EXPECT_FALSE(reader.busy());
  const auto read = reader.values(image.get());
  EXPECT_EQ(std::vector<float>(read.begin(), read.end()), values);
  EXPECT_TRUE(reader.values(nullptr).empty());
}

}  // namespace
}  // namespace vitrine::ui
