// What the canvas shows of comparisons and products, and what pointer and keys do to it.
#include <gtest/gtest.h>

#include "comparison_reports.h"
#include "support/content_fixture.h"
#include "ui/views/spectra/spectra_content.h"

#include <QWheelEvent>

namespace vitrine::ui::spectra {
namespace {

class ComparisonContentTest : public tests::ContentTest {
 protected:
  static constexpr Rect kArea{0, 0, double(kSize.width()), double(kSize.height())};

  void SetUp() override {
    GpuTest::SetUp();
    auto content = std::make_unique<SpectraContent>(device(), state_, selection_, settings_);
    spectra_ = content.get();
    show(std::move(content));
    state_.setSubject(Subject::kComparison);
  }
  void publish() {
    state_.setSnapshot(tests::comparisonOf(3), Subject::kComparison);
    state_.select([](SeriesSelection& selection) { selection.choose(2); });
    draw();
    draw();
  }
  MapViewport& viewport(DirectionMapKind kind = DirectionMapKind::kSimilarity) {
    return spectra_->comparison().map(kind).viewport();
  }
  void wheel(Point at, int steps) {
    moveTo(at);
    draw();
    canvas_->input().add(QWheelEvent(QPointF(at.x, at.y), QPointF(at.x, at.y), {}, {0, 120 * steps},
                                     Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false));
    draw();
    viewport().finishAnimation();
    draw();
  }
  Rect pictureArea(ComparisonPicture picture) {
    for (const PicturePlace& place :
         pictureLayout(layoutOf(kArea, Subject::kComparison).spectrum, state_.picture()))
      if (place.picture == picture) return place.area;
    return {};
  }
  // Colours of a picture, so that one tells a map from an empty place.
  std::size_t colorsIn(const QImage& image, const Rect& where) {
    std::set<QRgb> colors;
    for (int y = int(where.y0); y < int(where.y1); ++y)
      for (int x = int(where.x0); x < int(where.x1); ++x) colors.insert(image.pixel(x, y));
    return colors.size();
  }

  SpectraState state_;
  SpectraContent* spectra_ = nullptr;
};

TEST_F(ComparisonContentTest, AsksForAReference) {
  bool asked = false;
  QObject::connect(&state_, &SpectraState::referenceRequested, [&] { asked = true; });
  draw();
  click({kSize.width() / 2.0, kSize.height() / 2.0 - 44 + 48 + 14});
  EXPECT_TRUE(asked);
  asked = false;
  auto failed = std::make_shared<core::SpectraSnapshot>();
  failed->state = core::SpectraState::kFailed;
  failed->error = Error{ErrorCode::kNotFound, "nothing in common", nullptr};
  state_.setSnapshot(failed, Subject::kComparison);
  draw();
  click({kSize.width() / 2.0, kSize.height() / 2.0 - 44 + 48 + 14});
  EXPECT_TRUE(asked);
}

TEST_F(ComparisonContentTest, SaysThatNoLayerHasAProduct) {
  state_.setSubject(Subject::kQk);
  auto nothing = tests::productsOf(2, 2, "qk", 2);
  ASSERT_EQ(nothing->total(), 0u);
  state_.setSnapshot(nothing, Subject::kQk);
  std::optional<Subject> wanted;
  QObject::connect(&state_, &SpectraState::subjectRequested, [&](Subject subject) { wanted = subject; });
  draw();
  click({kSize.width() / 2.0, kSize.height() / 2.0 - 44 + 48 + 14});
  EXPECT_EQ(wanted, Subject::kOv);
  press(Qt::Key_W);
  EXPECT_EQ(wanted, Subject::kOv);
}

TEST_F(ComparisonContentTest, DrawsTheMapsOfTheInspectedMatrix) {
  draw();
  publish();
  const QImage image = draw();
  for (const auto kind : {DirectionMapKind::kSimilarity, DirectionMapKind::kPhi, DirectionMapKind::kChange}) {
    EXPECT_EQ(viewport(kind).cells(), 24u);
    EXPECT_GT(colorsIn(image, viewport(kind).plot()), 40u) << int(kind);
  }
  const float before = spectra_->comparison().map(DirectionMapKind::kChange).map().at(0, 0);
  press(Qt::Key_End);
  draw();
  EXPECT_NE(spectra_->comparison().map(DirectionMapKind::kChange).map().at(0, 0), before);
}

TEST_F(ComparisonContentTest, TheWheelZoomsAtThePointerAndZeroShowsAll) {
  publish();
  const Rect whole = viewport().plot();
  const Point at{std::round(whole.x0 + whole.width() * 0.25), std::round(whole.y0 + whole.height() * 0.6)};
  const double row = viewport().queryAt(at.y), column = viewport().keyAt(at.x);
  const double size = viewport().cellSize();
  wheel(at, 5);
  EXPECT_GT(viewport().cellSize(), 2 * size);
  EXPECT_NEAR(viewport().queryAt(at.y), row, 1 / viewport().cellSize());
  EXPECT_NEAR(viewport().keyAt(at.x), column, 1 / viewport().cellSize());
  EXPECT_TRUE(viewport(DirectionMapKind::kPhi).fitted());
  press(Qt::Key_0);
  EXPECT_TRUE(viewport().fitted());
  wheel(at, 5);
  EXPECT_FALSE(viewport().fitted());
  click(at);
  click(at);
  EXPECT_TRUE(viewport().fitted());
  moveTo({5, 5});
  draw();
  press(Qt::Key_Plus);
  for (const auto kind : {DirectionMapKind::kSimilarity, DirectionMapKind::kPhi, DirectionMapKind::kChange})
    EXPECT_FALSE(viewport(kind).fitted()) << int(kind);
}

TEST_F(ComparisonContentTest, DraggingMovesAZoomedMap) {
  publish();
  const Point at{std::round(viewport().plot().center().x), std::round(viewport().plot().center().y)};
  wheel(at, 6);
  const double column = viewport().keyAt(at.x);
  send(QEvent::MouseButtonPress, at, Qt::LeftButton);
  draw();
  for (const double x : {10.0, 20.0, 30.0}) {
    canvas_->input().add(QMouseEvent(QEvent::MouseMove, QPointF(at.x + x, at.y), QPointF(at.x + x, at.y),
                                     Qt::NoButton, Qt::LeftButton, Qt::NoModifier));
    draw();
  }
  send(QEvent::MouseButtonRelease, {at.x + 30, at.y}, Qt::LeftButton);
  draw();
  EXPECT_NEAR(viewport().keyAt(at.x + 30), column, 1.5 / viewport().cellSize());
}

TEST_F(ComparisonContentTest, ACountChoosesItsRule) {
  publish();
  const core::MatrixComparison& comparison = *state_.inspectedComparison();
  const CountsLayout layout = countsLayout(pictureArea(ComparisonPicture::kCounts), comparison);
  ASSERT_EQ(layout.rows, 9u);
  ASSERT_EQ(layout.columns, 5u);  // 50 and 100 are above r
  click(layout.cell(7, 2).center());
  EXPECT_EQ(state_.rule(), (IntruderRule{5, 0.8}));
}

TEST_F(ComparisonContentTest, APictureMayTakeAllOfTheRoom) {
  publish();
  press(Qt::Key_D);
  EXPECT_EQ(state_.picture(), ComparisonPicture::kSimilarity);
  draw();
  EXPECT_GT(viewport().plot().height(), 400);
  for (const ComparisonPicture picture : kComparisonPictures)
    for (const QSize size : {QSize(1, 1), QSize(30, 40), QSize(200, 30), QSize(640, 260), QSize(1600, 900)}) {
      state_.setPicture(picture);
      EXPECT_TRUE(canvas_->image(size, 1)) << size.width() << " x " << size.height();
    }
  EXPECT_TRUE(canvas_->image(QSize(1100, 700), 2));
}

}  // namespace
}  // namespace vitrine::ui::spectra
