// Activations, keys and values as subjects of the Spectra tab.
#include <gtest/gtest.h>

#include "spectra_reports.h"
#include "support/content_fixture.h"
#include "ui/views/spectra/live_report.h"
#include "ui/views/spectra/spectra_content.h"
#include "ui/views/spectra/spectra_jobs.h"

namespace vitrine::ui::spectra {
namespace {

using core::SpectraOf;

class LiveSubjectsTest : public tests::ContentTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    auto content = std::make_unique<SpectraContent>(device(), state_, selection_, settings_);
    spectra_ = content.get();
    show(std::move(content));
    QObject::connect(&state_, &SpectraState::subjectRequested,
                     [this](Subject subject) { state_.setSubject(subject); });
  }

  // Of two layers with two heads that each have keys of their own; the second layer keeps none.
  static core::SpectraPicture pictureOf(SpectraOf of, std::uint32_t tokens, std::uint32_t window = 0) {
    core::SpectraPicture picture{
        .request = {.of = of, .window = window, .earlier = 6}, .tokens = tokens, .layers = {}};
    core::LayerSpectra layer{.layer = 0, .first = 0, .end = tokens, .width = 16, .heads = {}};
    for (int head = 0; head < 2; ++head)
      layer.heads.push_back({.sigma = {8, 4, 2, 0},
                             .stable_rank = 1.25,
                             .effective_rank = 2.5 + head,
                             .energy_rank = {2, 3, 4}});
    picture.layers.push_back(layer);
    layer.layer = 1;
    layer.heads.clear();
    layer.none = "it keeps a state";
    picture.layers.push_back(layer);
    return picture;
  }
  void publish(const core::SpectraPicture& picture) {
    const core::LayerSummary layer{.mixer = "attention", .heads = 2, .kv_heads = 2, .row_width = 32};
    auto made = snapshotOf({layer, layer}, picture.tokens);
    if (model_) made->model = model_;
    model_ = made->model;
    made->spectra = std::make_shared<const core::SpectraPicture>(picture);
    content_->setSnapshot(std::move(made));
    draw();
  }

  SpectraState state_;
  SpectraContent* spectra_ = nullptr;
  std::shared_ptr<const core::ModelSummary> model_;
};

TEST_F(LiveSubjectsTest, OnlyTheyAskTheEngine) {
  publish(pictureOf(SpectraOf::kKeys, 9));
  for (const Subject subject : kSubjects) {
    state_.setSubject(subject);
    draw();
    ASSERT_EQ(content_->probes().spectra.has_value(), isLive(subject)) << name(subject);
    if (!isLive(subject)) continue;
    EXPECT_EQ(content_->probes().spectra->of, liveOf(subject));
    EXPECT_EQ(subjectOf(liveOf(subject)), subject);
  }
  state_.setSubject(Subject::kValues);
  state_.setWindow(64);
  draw();
  EXPECT_EQ(content_->probes().spectra->window, 64u);
}

TEST_F(LiveSubjectsTest, KeysChooseTheNext) {
  state_.setSubject(Subject::kKeys);
  publish(pictureOf(SpectraOf::kKeys, 9));
  press(Qt::Key_O);
  EXPECT_EQ(state_.subject(), Subject::kValues);
  state_.setSubject(Subject::kWeights);
  for (std::size_t i = 1; i <= kSubjects.size(); ++i) {
    canvas_->input().addKey({Qt::Key_W, Qt::NoModifier});
    ASSERT_TRUE(content_->wantsKey({Qt::Key_W, Qt::NoModifier}));
    draw();
    EXPECT_EQ(state_.subject(), kSubjects[i % kSubjects.size()]);
  }
}

TEST_F(LiveSubjectsTest, SayWhatToDoBeforeThereAreTokens) {
  Wish wished = Wish::kCopyError;
  content_->onWish([&](Wish wish) { wished = wish; });
  state_.setSubject(Subject::kActivations);
  const core::LayerSummary layer{.mixer = "attention", .heads = 2, .kv_heads = 2, .row_width = 32};
  content_->setSnapshot(snapshotOf({layer}, 0));
  draw();
  EXPECT_FALSE(content_->probes().spectra);
  click({kSize.width() / 2.0, kSize.height() / 2.0 - 44 + 48 + 14});
  EXPECT_EQ(wished, Wish::kWritePrompt);
  EXPECT_TRUE(liveNote(spectra_->live()).isEmpty());
  EXPECT_FALSE(hasLiveFigure(spectra_->live()));
}

TEST_F(LiveSubjectsTest, FactsAreOfTheSelectedHead) {
  state_.setSubject(Subject::kKeys);
  publish(pictureOf(SpectraOf::kKeys, 9));
  selection_.setHead({0, 1});
  draw();
  EXPECT_EQ(liveNote(spectra_->live()), "keys of 9 tokens · exact, float64 Gram");
  auto facts = liveFacts(spectra_->live()).at(0).facts;
  ASSERT_EQ(facts.size(), 7u);
  EXPECT_EQ(facts[1].value, "layer 0, kv head 1");
  EXPECT_EQ(facts[2].value, "9 × 16");
  EXPECT_EQ(facts[5].value, QString::fromStdString(number(3.5)));
  EXPECT_EQ(facts[6].value, "2 / 4");
  selection_.setHead({1, 0});
  draw();
  facts = liveFacts(spectra_->live()).at(0).facts;
  ASSERT_EQ(facts.size(), 3u);
  EXPECT_EQ(facts[2].tooltip, "it keeps a state");
  EXPECT_FALSE(hasLiveFigure(spectra_->live()));
  state_.setWindow(16);  // another request: the old picture is told of no more
  draw();
  EXPECT_TRUE(liveNote(spectra_->live()).isEmpty());
}

TEST_F(LiveSubjectsTest, FiguresShowWhatTheCanvasDoes) {
  state_.setSubject(Subject::kValues);
  publish(pictureOf(SpectraOf::kValues, 5));
  publish(pictureOf(SpectraOf::kValues, 9));
  const auto ranks = liveFigureOf(spectra_->live(), int(LiveFigure::kRanks), "m");
  ASSERT_TRUE(ranks);
  ASSERT_EQ(ranks->figure.panels.size(), 1u);
  ASSERT_EQ(ranks->figure.panels[0].lines.size(), 2u);
  EXPECT_EQ(ranks->figure.panels[0].lines[0].x, (std::vector<double>{5, 9}));
  EXPECT_EQ(ranks->figure.panels[0].lines[1].y, (std::vector<double>{1.25, 1.25}));
  EXPECT_NE(ranks->figure.caption.find("of m"), std::string::npos);
  const auto values = liveFigureOf(spectra_->live(), int(LiveFigure::kValues), "");
  ASSERT_TRUE(values);
  EXPECT_EQ(values->figure.panels[0].lines[0].y, (std::vector<double>{8, 4, 2}));  // no zero
  EXPECT_EQ(values->base_name, "live-spectrum-values-layer-0-kv-head-0");
  const auto both = liveFigureOf(spectra_->live(), int(LiveFigure::kBoth), "");
  EXPECT_EQ(both->figure.panels.size(), 2u);
  EXPECT_EQ(liveFigureNames().size(), int(LiveFigure::kBoth) + 1);
  core::SpectraPicture sketch = pictureOf(SpectraOf::kValues, 12);
  sketch.layers[0].heads[0] = {
      .sigma = {4}, .stable_rank = 1, .effective_rank = 1, .sketch = true, .slack = 9};
  publish(sketch);
  const auto banded = liveFigureOf(spectra_->live(), int(LiveFigure::kValues), "");
  EXPECT_EQ(banded->figure.panels[0].lines[0].high, (std::vector<double>{5}));
}

TEST(LiveJobsTest, NothingIsComputedAhead) {
  tests::qtApplication();
  SpectraJobs jobs(nullptr, core::SpectraWorkerOptions{.threads = 1});
  jobs.setModel("somewhere");
  jobs.setReference(Reference{.path = "elsewhere"});
  for (const Subject subject : {Subject::kActivations, Subject::kKeys, Subject::kValues}) {
    jobs.compute(subject, true);
    EXPECT_EQ(jobs.snapshot(subject)->state, core::SpectraState::kIdle);
  }
}

}  // namespace
}  // namespace vitrine::ui::spectra
