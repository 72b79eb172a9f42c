#include "ui/views/routing/routing_content.h"

#include <gtest/gtest.h>

#include "core/figure/colormap.h"
#include "support/content_fixture.h"

namespace vitrine::ui::routing {
namespace {

constexpr std::uint32_t kExperts = 4, kTokens = 12;

class RoutingContentTest : public tests::ContentTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    show(std::make_unique<RoutingContent>(selection_, settings_));
  }

  // Layers 1 and 2 of three have a router; in layer 1 token t goes to expert t mod 4, in layer 2 all to 3.
  void publish() {
    const auto snapshot = snapshotOf(std::vector<core::LayerSummary>(3, {"attention", 2}), kTokens);
    core::RoutingPicture routing{.tokens = kTokens, .layers = {}};
    for (const std::uint32_t layer : {1u, 2u}) {
      core::LayerRouting one{.layer = layer, .experts = kExperts, .top_k = 1};
      for (std::uint32_t token = 0; token < kTokens; ++token) {
        one.chosen.push_back(layer == 1 ? token % kExperts : 3);
        one.weights.push_back(1);
      }
      routing.layers.push_back(std::move(one));
    }
    snapshot->routing = std::make_shared<const core::RoutingPicture>(std::move(routing));
    content_->setSnapshot(snapshot);
  }
  static QColor colorAt(const QImage& image, double x, double y) { return image.pixelColor(int(x), int(y)); }
};

TEST_F(RoutingContentTest, AsksForTheRoutingOnceThereAreTokens) {
  draw();
  EXPECT_EQ(content_->probes(), core::ProbeRequest{});
  publish();
  draw();
  EXPECT_TRUE(content_->probes().routing);
  EXPECT_FALSE(content_->probes().map);
}

TEST_F(RoutingContentTest, DrawsWhereEachTokenWent) {
  publish();
  selection_.setHead({1, 0});
  selection_.lockQuery(11);
  draw();
  const QImage image = draw();
  const core::Rgb8 full = core::sampleColormap(settings_.colormap(), 1);
  // The plot of tokens: columns of 18 from the split and the labels on, rows of 40.
  const double x0 = 418 + 34, y0 = 44 + 20;
  for (std::uint32_t token = 0; token < 4; ++token)
    for (std::uint32_t expert = 0; expert < kExperts; ++expert) {
      const QColor color = colorAt(image, x0 + 18 * token + 8, y0 + 40 * expert + 20);
      EXPECT_EQ(color == QColor(full.r, full.g, full.b), token == expert) << token << " " << expert;
    }
}

TEST_F(RoutingContentTest, KeysMoveLayerAndQuery) {
  publish();
  selection_.setHead({1, 1});
  draw();
  press(Qt::Key_Down);
  EXPECT_EQ(selection_.head(), (Head{2, 1}));
  press(Qt::Key_Down);
  EXPECT_EQ(selection_.head(), (Head{2, 1}));
  press(Qt::Key_Up);
  press(Qt::Key_Up);
  EXPECT_EQ(selection_.head(), (Head{1, 1}));
  press(Qt::Key_Home);
  press(Qt::Key_Right);
  EXPECT_EQ(selection_.query(), 1u);
  press(Qt::Key_Escape);
  EXPECT_FALSE(selection_.isLocked());
  press(Qt::Key_S);
  EXPECT_TRUE(static_cast<RoutingContent&>(*content_).sortedByLoad());
}

TEST_F(RoutingContentTest, AClickChoosesLayerAndToken) {
  publish();
  draw();
  click({100, 44 + 20 + 40 + 20});  // the second row of loads
  EXPECT_EQ(selection_.head().layer, 2u);
  click({418 + 34 + 18 * 5 + 9, 44 + 20 + 20});
  ASSERT_TRUE(selection_.isLocked());
  EXPECT_EQ(selection_.query(), 5u);
}

TEST_F(RoutingContentTest, SurvivesSmallSizesAndNoRouter) {
  publish();
  for (const QSize size : {QSize(1, 1), QSize(30, 40), QSize(200, 30), QSize(640, 260)})
    EXPECT_TRUE(canvas_->image(size, 1)) << size.width() << " x " << size.height();
  const auto plain = snapshotOf({{"attention", 2}}, 5);
  plain->routing =
      std::make_shared<const core::RoutingPicture>(core::RoutingPicture{.tokens = 5, .layers = {}});
  content_->setSnapshot(plain);
  EXPECT_FALSE(draw().isNull());
}

}  // namespace
}  // namespace vitrine::ui::routing
