// The Attention view drawn into images, with pointer and keys, on real attention maps where they are at hand.
#include "ui/views/attention/attention_content.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/figure/colormap.h"
#include "support/content_fixture.h"

#include <QWheelEvent>

namespace vitrine::ui::attention {
namespace {

// Causal softmax of an arbitrary but fixed score: rows sum to 1.
float probability(std::uint32_t layer, std::uint32_t head, std::uint32_t query, std::uint32_t key) {
  if (key > query) return -1;
  const auto score = [&](std::uint32_t k) {
    return std::exp(2 * std::sin(0.7 * double(query) + 1.3 * double(k) + layer + 2.0 * head));
  };
  double sum = 0;
  for (std::uint32_t k = 0; k <= query; ++k) sum += score(k);
  return float(score(key) / sum);
}

class AttentionContentTest : public tests::ContentTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    auto content = std::make_unique<AttentionContent>(device(), selection_, settings_);
    attention_ = content.get();
    show(std::move(content));
  }

  // As an engine would answer the view's probes.
  void answer(std::uint32_t tokens) {
    auto model = std::make_shared<core::ModelSummary>();
    model->layers = kLayers;
    model->heads = kHeads;
    model->layer_kinds.assign(kLayers, {"attention", kHeads});
    if (recurrent_layer_) model->layer_kinds[*recurrent_layer_] = {"mamba", 0};
    model->kv_heads = 1;
    auto snapshot = std::make_shared<core::Snapshot>();
    snapshot->state = core::EngineState::kReady;
    snapshot->model = model;
    std::vector<core::Token> words(tokens);
    for (std::uint32_t i = 0; i < tokens; ++i) words[i].display = fmt::format("·w{}", i);
    snapshot->tokens = std::make_shared<const std::vector<core::Token>>(std::move(words));
    selection_.setExtent(kLayers, kHeads, tokens);
    if (const auto& request = content_->probes().map) snapshot->map = mapPicture(*request, tokens);
    if (const auto& request = content_->probes().overview)
      snapshot->overview = overviewPicture(*request, tokens);
    content_->setSnapshot(snapshot);
  }

  // Draws until the view has what it asked for.
  QImage settled(std::uint32_t tokens) {
    answer(tokens);
    for (int frame = 0; frame < 30; ++frame) {
      const auto asked = content_->probes();
      attention_->viewport().finishAnimation();
      draw();
      if (content_->probes() == asked && frame > 1) break;
      answer(tokens);
    }
    return draw();
  }

  void drag(Point from, Point to) {
    moveTo(from);
    draw();
    send(QEvent::MouseButtonPress, from, Qt::LeftButton);
    draw();
    moveTo(to);
    draw();
    draw();
    send(QEvent::MouseButtonRelease, to, Qt::LeftButton);
    draw();
  }
  void wheel(Point at, int notches) {
    const QPointF point(at.x, at.y);
    canvas_->input().add(QWheelEvent(point, point, {}, {0, 120 * notches}, Qt::NoButton, Qt::NoModifier,
                                     Qt::NoScrollPhase, false));
    draw();
    attention_->viewport().finishAnimation();
    draw();
  }
  Point cellCenter(std::uint32_t query, std::uint32_t key) {
    return attention_->viewport().cellRect(query, key).center();
  }

  static constexpr std::uint32_t kLayers = 3, kHeads = 4;
  AttentionContent* attention_ = nullptr;         // the content
  std::optional<std::uint32_t> recurrent_layer_;  // of the model that answer() makes up

 private:
  std::shared_ptr<const gpu::Image> imageOf(std::uint32_t width, std::uint32_t height,
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
  std::shared_ptr<const core::MapPicture> mapPicture(const core::MapRequest& request, std::uint32_t tokens) {
    std::vector<float> values;
    for (std::uint32_t y = 0; y < request.height; ++y)
      for (std::uint32_t x = 0; x < request.width; ++x) {
        const auto query =
            std::uint32_t(request.query0 + (y + 0.5) * (request.query1 - request.query0) / request.height);
        const auto key =
            std::uint32_t(request.key0 + (x + 0.5) * (request.key1 - request.key0) / request.width);
        values.push_back(query < tokens ? probability(request.layer, request.head, query, key) : -1);
      }
    auto picture = std::make_shared<core::MapPicture>();
    picture->image = imageOf(request.width, request.height, values);
    picture->request = request;
    picture->tokens = tokens;
    picture->received.assign(tokens, 0.1f);
    picture->entropy.assign(tokens, 1.5f);
    return picture;
  }
  std::shared_ptr<const core::OverviewPicture> overviewPicture(const core::OverviewRequest& request,
                                                               std::uint32_t tokens) {
    std::vector<float> values(std::size_t(request.tile) * request.tile * kLayers * kHeads, 0.2f);
    auto picture = std::make_shared<core::OverviewPicture>();
    picture->image = imageOf(request.tile * kHeads, request.tile * kLayers, values);
    picture->request = request;
    picture->tokens = tokens;
    picture->layers = kLayers;
    picture->heads = kHeads;
    return picture;
  }
};

TEST_F(AttentionContentTest, EveryCellHasItsColour) {
  const QImage image = settled(20);
  int cells = 0;
  for (std::uint32_t query = 0; query < 20; ++query)
    for (std::uint32_t key = 0; key < 20; ++key) {
      const Rect cell = attention_->viewport().cellRect(query, key);
      const QRgb pixel = image.pixel(int(cell.x0 + cell.width() * 0.4), int(cell.y0 + cell.height() * 0.4));
      const float p = probability(0, 0, query, key);
      const core::Rgb8 color = core::sampleColormap(settings_.colormap(), settings_.position(p));
      const Rgba masked = kDarkTheme.colors.masked;
      const QRgb expected = p < 0 ? qRgb(masked.r, masked.g, masked.b) : qRgb(color.r, color.g, color.b);
      EXPECT_LE(std::abs(qRed(pixel) - qRed(expected)) + std::abs(qGreen(pixel) - qGreen(expected)) +
                    std::abs(qBlue(pixel) - qBlue(expected)),
                6)
          << query << ", " << key;
      ++cells;
    }
  EXPECT_EQ(cells, 400);
}

TEST_F(AttentionContentTest, PointerHoversLocksAndEscUnlocks) {
  settled(20);
  moveTo(cellCenter(12, 7));
  draw();
  EXPECT_EQ(selection_.hovered(), (Cell{12, 7}));
  EXPECT_FALSE(selection_.isLocked());
  click(cellCenter(12, 7));
  EXPECT_EQ(selection_.locked(), (Cell{12, 7}));
  press(Qt::Key_Right);
  press(Qt::Key_Up);
  EXPECT_EQ(selection_.locked(), (Cell{11, 8}));
  press(Qt::Key_Escape);
  EXPECT_FALSE(selection_.isLocked());
  canvas_->input().add(QEvent(QEvent::Leave));
  draw();
  EXPECT_EQ(selection_.hovered(), Cell{});
}

TEST_F(AttentionContentTest, LeavesAloneWhatOthersHover) {
  settled(20);
  moveTo({kSize.width() - 2.0, kSize.height() - 2.0});
  canvas_->input().add(QEvent(QEvent::Leave));
  draw();
  selection_.hover(Cell{5, std::nullopt});  // as the token strip does
  draw();
  EXPECT_EQ(selection_.hovered(), (Cell{5, std::nullopt}));
}

TEST_F(AttentionContentTest, WheelZoomsAtThePointerDragPansFFits) {
  settled(60);
  const Point at = cellCenter(30, 20);
  wheel(at, 8);
  EXPECT_FALSE(attention_->viewport().fitted());
  EXPECT_NEAR(attention_->viewport().keyAt(at.x), 20.5, 0.1);
  EXPECT_NEAR(attention_->viewport().queryAt(at.y), 30.5, 0.1);
  drag(at, {at.x + 50, at.y + 30});
  EXPECT_NEAR(attention_->viewport().keyAt(at.x + 50), 20.5, 0.1);
  EXPECT_FALSE(selection_.isLocked());  // a drag is no click
  press(Qt::Key_F);
  EXPECT_TRUE(attention_->viewport().fitted());
}

TEST_F(AttentionContentTest, AZoomedMapStaysWhenTokensArrive) {
  settled(60);
  wheel(cellCenter(30, 20), 8);
  const Rect before = attention_->viewport().cellRect(30, 20);
  settled(61);
  EXPECT_EQ(attention_->viewport().cellRect(30, 20), before);
}

TEST_F(AttentionContentTest, ArrowsAndClicksChooseHeadsAndTheMapFollows) {
  settled(20);
  press(Qt::Key_Right);
  press(Qt::Key_Down);
  EXPECT_EQ(selection_.head(), (Head{1, 1}));
  ASSERT_TRUE(content_->probes().map);
  EXPECT_EQ(content_->probes().map->layer, 1u);
  EXPECT_EQ(content_->probes().map->head, 1u);
  const QImage image = settled(20);
  const Rect cell = attention_->viewport().cellRect(15, 3);
  const core::Rgb8 color =
      core::sampleColormap(settings_.colormap(), settings_.position(probability(1, 1, 15, 3)));
  const QRgb pixel = image.pixel(int(cell.x0 + cell.width() * 0.4), int(cell.y0 + cell.height() * 0.4));
  EXPECT_NEAR(qGreen(pixel), color.g, 3);
}

TEST_F(AttentionContentTest, AsksForNoMoreThanItShows) {
  settled(20);
  EXPECT_TRUE(content_->probes().overview);
  const auto before = content_->probes();
  settings_.setRange({1e-3, 0.5});
  settings_.setColormap(core::ColormapId::kMagma);
  settings_.setScale(Scale::kLinear);
  draw();
  EXPECT_EQ(content_->probes(), before);  // colours are no reason to compute
  press(Qt::Key_O);
  EXPECT_FALSE(content_->probes().overview);
  press(Qt::Key_Escape);
  EXPECT_TRUE(content_->probes().overview);
}

TEST_F(AttentionContentTest, ALayerWithoutAttentionSaysSoAndAsksForNoMap) {
  recurrent_layer_ = 1;
  settled(20);
  EXPECT_TRUE(content_->probes().map.has_value());
  selection_.setHead({1, 0});
  settled(20);
  EXPECT_FALSE(content_->probes().map.has_value());
  EXPECT_TRUE(content_->probes().overview.has_value());
  selection_.setHead({0, 0});
  settled(20);
  EXPECT_TRUE(content_->probes().map.has_value());
}

TEST_F(AttentionContentTest, StatesWithoutAPictureAskForNothing) {
  std::vector<Wish> wishes;
  content_->onWish([&](Wish wish) { wishes.push_back(wish); });
  draw();
  EXPECT_EQ(content_->probes(), core::ProbeRequest{});
  click({kSize.width() / 2.0, 36 + (kSize.height() - 36) / 2.0 + 16});
  EXPECT_EQ(wishes, std::vector<Wish>{Wish::kOpenModel});
  auto loading = std::make_shared<core::Snapshot>();
  loading->state = core::EngineState::kLoading;
  loading->progress_done = 5;
  loading->progress_total = 10;
  content_->setSnapshot(loading);
  draw();
  EXPECT_EQ(content_->probes(), core::ProbeRequest{});
}

TEST_F(AttentionContentTest, SurvivesSmallAndOddSizes) {
  settled(20);
  for (const QSize size : {QSize(1, 1), QSize(30, 40), QSize(200, 30), QSize(90, 500), QSize(640, 260)})
    EXPECT_TRUE(canvas_->image(size, 1)) << size.width() << " x " << size.height();
}

}  // namespace
}  // namespace vitrine::ui::attention
