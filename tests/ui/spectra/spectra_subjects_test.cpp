// Products, comparisons and the null in the Spectra view's state, facts and figures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "comparison_reports.h"
#include "spectra_reports.h"
#include "ui/views/spectra/counts_panel.h"
#include "ui/views/spectra/spectra_facts.h"
#include "ui/views/spectra/spectra_figures.h"
#include "ui/views/spectra/spectra_state.h"

namespace vitrine::ui::spectra {
namespace {

std::optional<std::string> inspectedName(const SpectraState& state) {
  if (!state.inspected()) return std::nullopt;
  return (*state.snapshot().matrices)[*state.inspected()].name;
}

void choose(SpectraState& state, std::size_t row) {
  state.select([&](SeriesSelection& selection) { selection.choose(row); });
}

TEST(SpectraProductsTest, FollowTheHeadAndTellIt) {
  SpectraState state;
  std::vector<Head> told;
  QObject::connect(&state, &SpectraState::headChosen, [&](Head head) { told.push_back(head); });
  state.setHead({1, 2});
  state.setSnapshot(tests::productsOf(3, 4, "qk"), Subject::kQk);
  state.setSnapshot(tests::productsOf(3, 4, "ov"), Subject::kOv);
  state.setSubject(Subject::kQk);
  EXPECT_EQ(inspectedName(state), "qk.1.2");
  EXPECT_TRUE(told.empty());
  choose(state, 11);
  EXPECT_EQ(told, (std::vector<Head>{{2, 3}}));
  state.setHead({2, 3});  // as the selection tells it back
  EXPECT_EQ(told.size(), 1u);
  state.setSubject(Subject::kOv);
  EXPECT_EQ(inspectedName(state), "ov.2.3");
  state.setHead({0, 1});
  EXPECT_EQ(inspectedName(state), "ov.0.1");
  EXPECT_EQ(told.size(), 1u);
  // Several chosen: the one chosen last is the head.
  state.select([](SeriesSelection& selection) { selection.toggle(6); });
  EXPECT_EQ(told.back(), (Head{1, 2}));
  EXPECT_EQ(state.selection().series().size(), 2u);
  state.setHead({1, 2});
  EXPECT_EQ(state.selection().series().size(), 2u);
}

TEST(SpectraProductsTest, ALayerWithoutLeavesTheSelection) {
  SpectraState state;
  state.setSubject(Subject::kQk);
  state.setSnapshot(tests::productsOf(3, 2, "qk", 1), Subject::kQk);
  state.setHead({1, 1});
  state.setHead({2, 0});
  EXPECT_EQ(inspectedName(state), "qk.1.1");
  const auto sections = factsOf(state);
  ASSERT_EQ(sections.size(), 4u);
  EXPECT_EQ(sections[0].facts[1].value, "1, 1 (kv 0)");
  EXPECT_EQ(sections[1].title, "What is folded in");
  EXPECT_EQ(sections[1].facts[0].value, "RMS norm: its gain");
  EXPECT_EQ(sections[2].title, "Layers without");
  EXPECT_EQ(sections[2].facts[0].name, "Layer 2");
  EXPECT_EQ(sections[2].facts[0].value, "it norms queries or keys");
}

TEST(SpectraProductsTest, SortByNuclearNormAndProfileTheHeads) {
  SpectraState state;
  state.setSubject(Subject::kOv);
  state.setSnapshot(tests::productsOf(3, 4, "ov"), Subject::kOv);
  EXPECT_EQ(state.profileMetric(), Metric::kNuclear);
  state.sortBy(Metric::kNuclear);
  EXPECT_EQ(state.order().front(), 11u);
  EXPECT_EQ(state.order().back(), 0u);
  ASSERT_EQ(state.profile().series.size(), 1u);
  const auto spans = core::layerSpans(valuesOf(state.profile().series[0]));
  ASSERT_EQ(spans.size(), 3u);
  const double sum = (1 - std::pow(0.7, 16)) / 0.3;
  EXPECT_NEAR(spans[1].low, 2 * sum, 1e-9);
  EXPECT_NEAR(spans[1].mean, 2.15 * sum, 1e-9);
  EXPECT_NEAR(spans[1].high, 2.3 * sum, 1e-9);
  state.setGlob(".1.");
  EXPECT_EQ(state.order().size(), 4u);
}

TEST(SpectraSubjectsTest, EachKeepsItsOwnSortingAndSelection) {
  SpectraState state;
  state.setSnapshot(tests::spectraOf(4));
  state.sortBy(Metric::kAlpha);
  choose(state, 5);
  state.setSnapshot(tests::comparisonOf(3), Subject::kComparison);
  EXPECT_EQ(inspectedName(state), "blk.1.ffn_down.weight");
  state.setSubject(Subject::kComparison);
  EXPECT_EQ(state.sorting(), Sorting{});
  EXPECT_EQ(state.profileMetric(), Metric::kChange);
  state.sortBy(Metric::kChange);
  EXPECT_EQ(state.order().front(), 5u);
  state.setSubject(Subject::kWeights);
  EXPECT_EQ(state.sorting().by, Metric::kAlpha);
  EXPECT_EQ(state.inspected(), 5u);
}

TEST(SpectraComparisonTest, CountsByTheRule) {
  SpectraState state;
  state.setSubject(Subject::kComparison);
  state.setSnapshot(tests::comparisonOf(3), Subject::kComparison);
  const auto expected = [&](IntruderRule rule) {
    std::size_t sum = 0;
    for (const auto& result : state.snapshot().results)
      sum += std::size_t(core::intrudersAt(result.compared->comparison, rule.first, rule.epsilon));
    return sum;
  };
  EXPECT_EQ(intruderTotal(state).intruders, expected({10, 0.5}));
  EXPECT_EQ(intruderTotal(state).directions, 60u);
  state.setRule({24, 0.9});
  EXPECT_EQ(intruderTotal(state).intruders, expected({24, 0.9}));
  EXPECT_GT(intruderTotal(state).intruders, 0u);
  EXPECT_EQ(state.textOf(5, Metric::kIntruders),
            std::to_string(core::intrudersAt(*state.comparisonOf(5), 24, 0.9)));
  state.setRule({3, 0.9});
  EXPECT_DOUBLE_EQ(state.valueOf(5, Metric::kPhi), state.comparisonOf(5)->phi(2, 2));
  EXPECT_EQ(state.textOf(5, Metric::kAdapterRank), "–");
  EXPECT_TRUE(std::isnan(state.valueOf(5, Metric::kAdapterRank)));
  EXPECT_EQ(state.companionOf(5)->metrics.s1, state.comparisonOf(5)->base_sigma[0]);
  for (const Metric metric : metricsOf(Subject::kComparison))
    EXPECT_EQ(isNumber(metric) && metric != Metric::kAdapterRank, !std::isnan(state.valueOf(5, metric)))
        << name(metric);
}

TEST(SpectraComparisonTest, FactsSayWhatWasFound) {
  SpectraState state;
  state.setSubject(Subject::kComparison);
  state.setSnapshot(tests::comparisonOf(2), Subject::kComparison);
  choose(state, 3);
  const auto sections = factsOf(state);
  ASSERT_EQ(sections.size(), 4u);
  EXPECT_EQ(sections[0].facts[0].value, "1.up_proj");
  EXPECT_EQ(sections[1].facts[0].value.toStdString(),
            fmt::format("{} of 10 (ε 0.50)", core::intrudersAt(*state.comparisonOf(3), 10, 0.5)));
  EXPECT_EQ(sections[3].title, "Not compared");
  EXPECT_EQ(sections[3].facts[0].value, "is in the base only");
}

TEST(SpectraNullTest, IsWantedForTheSelectedWeightsAlone) {
  SpectraState state;
  state.setSnapshot(tests::spectraOf(2));
  choose(state, 1);
  EXPECT_TRUE(state.missingNulls().empty());
  state.setNull(true);
  EXPECT_EQ(state.missingNulls(), (std::vector<std::string>{"blk.0.attn_v.weight"}));
  EXPECT_EQ(state.companionOf(1), nullptr);
  const auto shuffled = tests::gradedReport("blk.0.attn_v.weight", 0.5, 2);
  state.addNull("blk.0.attn_v.weight", {shuffled, nullptr});
  EXPECT_TRUE(state.missingNulls().empty());
  EXPECT_EQ(state.companionOf(1), shuffled);
  const auto sections = factsOf(state);
  ASSERT_EQ(sections.size(), 3u);
  EXPECT_EQ(sections[1].title, "Null: shuffled elements");
  EXPECT_EQ(sections[1].facts[0].value, "0.500 (× 2.00)");
  const auto made = figureOf(state, FigureContent::kSpectrum, "m");
  ASSERT_TRUE(made);
  ASSERT_EQ(made->figure.panels[0].lines.size(), 2u);
  EXPECT_EQ(made->figure.panels[0].lines[1].label, "blk.0.attn_v, shuffled");
  choose(state, 6);  // the embedding is not computed yet: no null before
  EXPECT_TRUE(state.missingNulls().empty());
  state.setSubject(Subject::kQk);
  EXPECT_TRUE(state.missingNulls().empty());
}

TEST(SpectraComparisonTest, FiguresOfWhatIsShown) {
  SpectraState state;
  state.setSubject(Subject::kComparison);
  const FigureNames names{.model = "tuned", .base = "base", .tuned = "tuned"};
  EXPECT_FALSE(figureOf(state, 0, names));
  state.setSnapshot(tests::comparisonOf(3), Subject::kComparison);
  choose(state, 2);
  ASSERT_EQ(figureNames(Subject::kComparison).size(), int(ComparisonFigure::kAllChange) + 1);
  for (int i = 0; i < figureNames(Subject::kComparison).size(); ++i) {
    const auto made = figureOf(state, i, names);
    ASSERT_TRUE(made) << i;
    EXPECT_FALSE(made->figure.panels.empty()) << i;
  }
  const auto one = figureOf(state, ComparisonFigure::kPhi, names);
  EXPECT_EQ(one->base_name, "phi-layers.1.q_proj");
  EXPECT_FALSE(one->figure.panels[0].thumbnails);
  EXPECT_NE(one->figure.caption.find("against base"), std::string::npos);
  const auto all = figureOf(state, ComparisonFigure::kAllPhi, names);
  EXPECT_TRUE(all->figure.panels[0].thumbnails);
  const auto spectra = figureOf(state, ComparisonFigure::kSpectrum, names);
  ASSERT_EQ(spectra->figure.panels[0].lines.size(), 2u);
  EXPECT_EQ(spectra->figure.panels[0].lines[1].label, "layers.1.q_proj, base");
}

}  // namespace
}  // namespace vitrine::ui::spectra
