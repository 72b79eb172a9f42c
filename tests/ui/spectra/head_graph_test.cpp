// The head graph: which edges are shown and where they lie, what is locked, what the inspector and the
// figures say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/content_fixture.h"
#include "support/qt_application.h"
#include "support/small_model.h"
#include "ui/views/spectra/head_graph_facts.h"
#include "ui/views/spectra/head_graph_panel.h"
#include "ui/views/spectra/spectra_content.h"
#include "ui/views/spectra/spectra_jobs.h"
#include "ui/views/spectra/spectra_state.h"

namespace vitrine::ui::spectra {
namespace {

using core::CompositionThrough;
using testing::ElementsAre;

core::CompositionEdge edgeOf(Head from, Head to, CompositionThrough through, double z) {
  return {from.layer, from.head, to.layer, to.head, through, {.score = z / 100, .z = z}};
}

std::vector<core::CompositionEdge> fourEdges() {
  return {edgeOf({0, 1}, {2, 0}, CompositionThrough::kQuery, 40),
          edgeOf({0, 1}, {2, 0}, CompositionThrough::kKey, 30),
          edgeOf({2, 0}, {3, 2}, CompositionThrough::kValue, 20),
          edgeOf({0, 0}, {3, 2}, CompositionThrough::kQuery, 2)};
}

GraphLayout threeLayers() {
  GraphLayout layout;
  layout.setLayers({{.layer = 0, .heads = 2, .folded_qk = {}, .folded_ov = {}},
                    {.layer = 2, .heads = 2, .folded_qk = {}, .folded_ov = {}},
                    {.layer = 3, .heads = 4, .folded_qk = {}, .folded_ov = {}}});
  layout.setArea({100, 50, 400, 250});
  return layout;
}

TEST(HeadGraphLayoutTest, ShowsTheStrongestOfTheKinds) {
  const auto edges = fourEdges();
  EXPECT_THAT(shownEdges(edges, {.most = 3}), ElementsAre(0, 1, 2));
  EXPECT_THAT(shownEdges(edges, {.least_z = 20}), ElementsAre(0, 1, 2));
  EXPECT_THAT(shownEdges(edges, {.most = 2, .kinds = 0b101}), ElementsAre(0, 2));
  EXPECT_TRUE(shownEdges(edges, {.kinds = 0}).empty());
  const std::vector<core::CompositionEdge> many(1000, edges[0]);
  EXPECT_EQ(shownEdges(many, {.most = 1000}).size(), kMostGraphEdges);
}

TEST(HeadGraphLayoutTest, StrengthGrowsWithZ) {
  EXPECT_DOUBLE_EQ(edgeStrength(3, 3, 300), 0);
  EXPECT_DOUBLE_EQ(edgeStrength(300, 3, 300), 1);
  EXPECT_LT(edgeStrength(20, 3, 300), edgeStrength(30, 3, 300));
  EXPECT_DOUBLE_EQ(edgeStrength(5, 5, 5), 1);
}

// Layers without attention have no column; a layer may have fewer heads than others.
TEST(HeadGraphLayoutTest, PlacesHeadsInColumnsOfTheirLayers) {
  const GraphLayout layout = threeLayers();
  EXPECT_EQ(layout.heads(), 4u);
  const auto node = layout.place({2, 1});
  ASSERT_TRUE(node);
  EXPECT_DOUBLE_EQ(node->x, 250);
  EXPECT_DOUBLE_EQ(node->y, 125);
  EXPECT_FALSE(layout.place({1, 0}));
  EXPECT_FALSE(layout.place({2, 2}));
  EXPECT_FALSE(layout.place({9, 0}));
  EXPECT_EQ(layout.headAt(*node), (Head{2, 1}));
  EXPECT_EQ(layout.headAt({node->x + layout.radius(), node->y}), (Head{2, 1}));
  EXPECT_FALSE(layout.headAt({300, 100}));
  EXPECT_FALSE(layout.headAt({250, 225})) << "layer 2 has no fourth head";
}

TEST(HeadGraphLayoutTest, CurvesOfTheKindsLieApart) {
  const GraphLayout layout = threeLayers();
  std::vector<Curve> curves;
  for (const CompositionThrough kind :
       {CompositionThrough::kQuery, CompositionThrough::kKey, CompositionThrough::kValue})
    curves.push_back(layout.curveOf(edgeOf({0, 1}, {3, 1}, kind, 1)));
  for (const Curve& curve : curves) {
    EXPECT_DOUBLE_EQ(curve.front().x, 150);
    EXPECT_DOUBLE_EQ(curve.back().x, 350);
    EXPECT_DOUBLE_EQ(curve.back().y, 125);
    EXPECT_GT(distanceTo(curve, *layout.place({2, 1})), 4) << "passes beside the node between";
    EXPECT_LT(distanceTo(curve, curve[10]), 1e-9);
  }
  for (std::size_t i = 0; i < 3; ++i) EXPECT_GT(distanceTo(curves[i], curves[(i + 1) % 3][12]), 4);
}

TEST(HeadGraphLayoutTest, ZoomsAboutThePointerAndStaysWithin) {
  GraphLayout layout = threeLayers();
  const Point node = *layout.place({2, 1});
  layout.zoomAt(node, 3);
  EXPECT_NEAR(layout.place({2, 1})->x, node.x, 1e-9);
  EXPECT_NEAR(layout.place({2, 1})->y, node.y, 1e-9);
  EXPECT_DOUBLE_EQ(layout.columnPitch(), 300);
  layout.panBy(-20, 10);
  EXPECT_NEAR(layout.place({2, 1})->x, node.x - 20, 1e-9);
  layout.panBy(1e6, 1e6);
  EXPECT_DOUBLE_EQ(layout.columnAt(0), 100 + 150) << "no empty room at the left";
  layout.zoomAt(node, 1e-6);
  EXPECT_DOUBLE_EQ(layout.zoom(), 1);
  EXPECT_NEAR(layout.place({2, 1})->x, node.x, 1e-9);
}

TEST(HeadGraphLayoutTest, ThePartsFillTheArea) {
  for (const Rect area : {Rect{0, 0, 1200, 700}, Rect{0, 0, 600, 700}}) {
    const GraphAreas areas = graphAreas(area);
    EXPECT_FALSE(areas.list.empty() || areas.components.empty());
    EXPECT_FALSE(areas.picture.overlaps(areas.list) || areas.list.overlaps(areas.components));
    EXPECT_GE(areas.picture.width(), 420);
  }
  EXPECT_EQ(graphAreas({0, 0, 500, 300}).picture, (Rect{0, 0, 500, 300}));
}

class HeadGraphTest : public testing::Test {
 protected:
  void SetUp() override {
    tests::qtApplication();
    test::writeSmallModel(model_.path(), {.layers = 3, .width = 48, .heads = 6, .kv_heads = 2}, 1);
    jobs_ = std::make_unique<SpectraJobs>(nullptr, core::SpectraWorkerOptions{.threads = 1});
    jobs_->setModel(model_.path());
  }
  template <typename Done>
  void waitFor(Done done) {
    for (const auto start = core::Clock::now(); core::secondsSince(start) < 60 && !done();)
      QCoreApplication::processEvents();
    ASSERT_TRUE(done());
  }
  void compute() {
    jobs_->compute(Subject::kHeadGraph);
    waitFor([&] { return jobs_->snapshot(Subject::kHeadGraph)->state == core::SpectraState::kDone; });
    state_.graph().setSource(jobs_->headGraph());
    ASSERT_NE(state_.graph().graph(), nullptr);
  }

  test::ScratchFolder model_;
  std::unique_ptr<SpectraJobs> jobs_;
  SpectraState state_;
};

TEST_F(HeadGraphTest, ComputesALayerARow) {
  compute();
  const auto snapshot = jobs_->snapshot(Subject::kHeadGraph);
  EXPECT_EQ(snapshot->total(), 3u);
  EXPECT_EQ(snapshot->done, 3u);
  EXPECT_EQ(snapshot->failed, 0u);
  // Three pairs of layers, 6 x 6 heads, three ways.
  EXPECT_EQ(state_.graph().graph()->graph.edges.size(), 3u * 36 * 3);
  EXPECT_NEAR(state_.graph().chance(), 1 / std::sqrt(48.0), 1e-12);
  jobs_->setModel("elsewhere");
  EXPECT_EQ(jobs_->headGraph(), nullptr);
}

TEST_F(HeadGraphTest, ALockedEdgeGetsItsComponents) {
  compute();
  HeadGraphState& graph = state_.graph();
  graph.setFilter({.most = 100});
  ASSERT_EQ(graph.shown().size(), 100u);
  const std::size_t index = graph.shown()[70];  // beyond those that the graph itself has components of
  graph.lock(index);
  EXPECT_EQ(graph.channel(), nullptr);
  waitFor([&] { return graph.channel() != nullptr; });
  const core::ComponentChannel& channel = *graph.channel();
  EXPECT_NEAR(channel.share.sum(), 1, 1e-9);
  EXPECT_NEAR(std::sqrt(channel.energy.dot(channel.score.cwiseAbs2())), graph.edge(index).score.score, 1e-6);
  graph.lock(index);
  EXPECT_FALSE(graph.locked());
  EXPECT_EQ(graph.channel(), nullptr);
}

TEST_F(HeadGraphTest, StepsThroughTheShownEdges) {
  compute();
  HeadGraphState& graph = state_.graph();
  graph.setFilter({.most = 5});
  graph.step(1);
  EXPECT_EQ(graph.locked(), graph.shown()[0]);
  graph.step(2);
  EXPECT_EQ(graph.locked(), graph.shown()[2]);
  graph.step(10);
  graph.step(10);
  EXPECT_EQ(graph.locked(), graph.shown()[4]);
  graph.step(-100);
  EXPECT_EQ(graph.locked(), graph.shown()[0]);
  const auto kind = graph.edge(graph.shown()[0]).through;
  graph.toggle(kind);
  EXPECT_EQ(graph.shown().size(), 5u);
  for (const std::size_t edge : graph.shown()) EXPECT_NE(graph.edge(edge).through, kind);
  graph.lock(std::nullopt);
  graph.step(-1);
  EXPECT_EQ(graph.locked(), graph.shown()[4]);
}

TEST_F(HeadGraphTest, InspectorAndFigures) {
  EXPECT_FALSE(headGraphFigure(state_.graph(), HeadGraphFigure::kMap, "m"));
  compute();
  HeadGraphState& graph = state_.graph();
  const auto sections = headGraphFacts(graph, {"Layer 7: it has no attention"});
  EXPECT_EQ(sections[0].facts[0].value, "60 of 324 shown");
  EXPECT_EQ(sections.back().facts[0].name, "Layer 7");
  const auto map = headGraphFigure(graph, HeadGraphFigure::kMap, "m");
  ASSERT_TRUE(map);
  ASSERT_EQ(map->figure.panels.size(), 3u);
  EXPECT_EQ(map->figure.panels[0].heat_map->rows, 18u);
  EXPECT_FALSE(headGraphFigure(graph, HeadGraphFigure::kComponents, "m"));
  graph.step(1);
  waitFor([&] { return graph.channel() != nullptr; });
  const auto bars = headGraphFigure(graph, HeadGraphFigure::kComponents, "m");
  ASSERT_TRUE(bars);
  ASSERT_EQ(bars->figure.panels.size(), 1u);
  EXPECT_EQ(bars->figure.panels[0].bars[0].values.size(), std::size_t(graph.channel()->score.size()));
  EXPECT_EQ(headGraphFacts(graph, {})[0].facts[0].name, "From");
}

class HeadGraphContentTest : public tests::ContentTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    auto content = std::make_unique<SpectraContent>(device(), state_, selection_, settings_);
    spectra_ = content.get();
    show(std::move(content));
    state_.setSubject(Subject::kHeadGraph);
  }
  void publish() {
    test::writeSmallModel(model_.path(), {.layers = 3, .width = 48, .heads = 6, .kv_heads = 2}, 1);
    auto source = std::make_shared<core::HeadGraphSource>(model_.path(), std::vector<core::AdapterChoice>{});
    ASSERT_TRUE(source->open());
    ASSERT_TRUE(source->compute({}, [](std::size_t, core::MatrixResult) {}));
    state_.graph().setSource(source);
    draw();
    draw();
  }
  const GraphLayout& layout() { return spectra_->graph().layout(); }
  bool pressed(int key) {  // whether the view has a use for it
    if (!content_->wantsKey({key, Qt::NoModifier})) return false;
    press(key);
    return true;
  }

  test::ScratchFolder model_;
  SpectraState state_;
  SpectraContent* spectra_ = nullptr;
};

TEST_F(HeadGraphContentTest, SaysWhyThereIsNoEdge) {
  std::optional<Subject> wanted;
  QObject::connect(&state_, &SpectraState::subjectRequested, [&](Subject subject) { wanted = subject; });
  auto nothing = std::make_shared<core::SpectraSnapshot>();
  nothing->state = core::SpectraState::kDone;
  nothing->left_out = {"Layer 0: it has no attention"};
  state_.setSnapshot(nothing, Subject::kHeadGraph);
  draw();
  click({kSize.width() / 2.0, kSize.height() / 2.0 - 44 + 48 + 14});
  EXPECT_EQ(wanted, Subject::kWeights);
  EXPECT_FALSE(pressed(Qt::Key_Down));
}

TEST_F(HeadGraphContentTest, AClickLocksAnEdgeOrSelectsAHead) {
  publish();
  std::vector<Head> told;
  QObject::connect(&state_, &SpectraState::headChosen, [&](Head head) { told.push_back(head); });
  click(*layout().place({1, 3}));
  EXPECT_THAT(told, ElementsAre(Head{1, 3}));
  EXPECT_FALSE(state_.graph().locked());
  // One edge alone, so that none other is as near.
  state_.graph().setFilter({.most = 1});
  const std::size_t only = state_.graph().shown()[0];
  click(layout().curveOf(state_.graph().edge(only))[8]);
  EXPECT_EQ(state_.graph().locked(), only);
  ASSERT_TRUE(pressed(Qt::Key_Escape));
  EXPECT_FALSE(state_.graph().locked());
  EXPECT_FALSE(pressed(Qt::Key_Escape)) << "nothing is locked: the window's";
  EXPECT_EQ(told.size(), 1u);
}

TEST_F(HeadGraphContentTest, KindsAreToldByColourAndCanBeHidden) {
  publish();
  moveTo({1, 1});
  const Rect plot = layout().area();
  const auto amber = [&] {
    draw();
    const QImage image = draw();
    int count = 0;
    for (int y = int(plot.y0); y < int(plot.y1); ++y)
      for (int x = int(plot.x0); x < int(plot.x1); ++x) {
        const QColor color = image.pixelColor(x, y);
        count += color.red() > color.blue() + 50 && color.red() > color.green() + 20;
      }
    return count;
  };
  state_.graph().setFilter({.kinds = 0b001});
  EXPECT_GT(amber(), 200);
  ASSERT_TRUE(pressed(Qt::Key_Q));
  EXPECT_EQ(amber(), 0);
  EXPECT_TRUE(state_.graph().shown().empty());
}

}  // namespace
}  // namespace vitrine::ui::spectra
