// Every method of the list: what it says of itself, that it runs on hostile shapes, refuses NaN and stops.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/figure/figure_fixtures.h"
#include "core/figure/layout.h"
#include "core/methods/analysis.h"
#include "core/methods/analysis_fixtures.h"
#include "core/spectra/full_svd.h"

namespace vitrine::test::methods {
namespace {

using namespace core::methods;

TEST(Analyses, SayWhatTheyDo) {
  std::set<std::string_view> ids;
  for (const Analysis* analysis : analyses()) {
    EXPECT_TRUE(ids.insert(analysis->id).second) << analysis->id;
    for (std::string_view text :
         {analysis->title, analysis->paper, analysis->summary, analysis->equation, analysis->cost})
      EXPECT_FALSE(text.empty()) << analysis->id;
    for (const Parameter& parameter : analysis->parameters) {
      EXPECT_FALSE(parameter.help.empty()) << analysis->id << " " << parameter.name;
      Parameters values(analysis->parameters);
      EXPECT_TRUE(values.set(parameter.name, parameter.fallback)) << analysis->id << " " << parameter.name;
      EXPECT_FALSE(values.set(parameter.name, parameter.most + 1)) << analysis->id << " " << parameter.name;
    }
  }
}

void expectTidy(const AnalysisResult& result, std::string_view id) {
  EXPECT_FALSE(result.tables.empty()) << id;
  std::set<std::string> names;
  for (const core::Figure& figure : result.figures) {
    EXPECT_TRUE(names.insert(figure.name).second) << id;
    EXPECT_FALSE(figure.panels.empty()) << figure.name;
    EXPECT_FALSE(figure.caption.empty()) << figure.name;
    EXPECT_TRUE(figure.name.starts_with(id)) << figure.name;
    const auto drawn = core::layoutFigure(figure, core::figurePresets()[0], core::testing::FixedMeasure());
    EXPECT_TRUE(drawn) << figure.name << ": " << drawn.error().describe();
  }
  for (const Table& table : result.tables) {
    EXPECT_FALSE(table.rows.empty()) << id << " " << table.title;
    for (const auto& row : table.rows)
      EXPECT_EQ(row.size(), table.columns.size()) << id << " " << table.title;
  }
}

TEST(Analyses, RunOnOddShapesAndDegenerateMatrices) {
  for (const Analysis* analysis : analyses()) {
    auto result = runAnalysis(*analysis, inputFor(*analysis));
    ASSERT_TRUE(result) << result.error().describe();
    expectTidy(*result, analysis->id);
  }
}

TEST(Analyses, GiveTheSameNumbersAgain) {
  for (const Analysis* analysis : analyses()) {
    const auto first = runAnalysis(*analysis, inputFor(*analysis)),
               again = runAnalysis(*analysis, inputFor(*analysis));
    ASSERT_TRUE(first && again) << analysis->id;
    ASSERT_EQ(first->tables.size(), again->tables.size());
    for (std::size_t t = 0; t < first->tables.size(); ++t)
      EXPECT_EQ(toText(first->tables[t]), toText(again->tables[t])) << analysis->id;
  }
}

tl::unexpected<Error> unreadable(const std::string& name) {
  return fail(ErrorCode::kInvalidFile, "{}: element (0, 1) is NaN", name);
}

TEST(Analyses, NameTheMatrixThatTheyCannotRead) {
  for (const Analysis* analysis : analyses()) {
    if (analysis->subject == Subject::kHeads) continue;
    AnalysisInput input = inputFor(*analysis);
    for (NamedMatrix& matrix : input.matrices)
      matrix.load = [name = matrix.name] { return unreadable(name); };
    for (FineTune& tune : input.tunes)
      for (core::MatrixPair& pair : tune.pairs) pair.load = [name = pair.name] { return unreadable(name); };
    const auto result = runAnalysis(*analysis, input);
    ASSERT_FALSE(result) << analysis->id;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidFile) << analysis->id;
    EXPECT_TRUE(result.error().describe().starts_with(analysis->id)) << result.error().describe();
    EXPECT_NE(result.error().describe().find("layers."), std::string::npos) << result.error().describe();
  }
}

TEST(Analyses, Stop) {
  for (const Analysis* analysis : analyses()) {
    std::stop_source stop;
    stop.request_stop();
    AnalysisInput input = inputFor(*analysis);
    input.stop = stop.get_token();
    const auto result = runAnalysis(*analysis, input);
    ASSERT_FALSE(result) << analysis->id;
    EXPECT_EQ(result.error().code, ErrorCode::kCancelled) << analysis->id;
  }
}

TEST(Analyses, RefuseNothing) {
  for (const Analysis* analysis : analyses()) {
    const auto result = runAnalysis(*analysis, AnalysisInput{.parameters = Parameters(analysis->parameters)});
    ASSERT_FALSE(result) << analysis->id;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument) << analysis->id;
  }
  EXPECT_EQ(findAnalysis("no-such-method").error().code, ErrorCode::kNotFound);
}

TEST(MethodCalls, AreRead) {
  const auto call = parseMethodCall("gram-iteration:steps=3,other=1e-2");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->id, "gram-iteration");
  EXPECT_EQ(call->values, (std::vector<std::pair<std::string, double>>{{"steps", 3}, {"other", 0.01}}));
  for (const char* bad : {"", ":a=1", "x:a", "x:=1", "x:a=", "x:a=1b", "x:a=nan"})
    EXPECT_FALSE(parseMethodCall(bad)) << bad;
  const auto method = findAnalysis("gram-iteration");
  ASSERT_TRUE(method);
  EXPECT_FALSE(parametersOf(**method, *call));
  EXPECT_FALSE(parametersOf(**method, {"gram-iteration", {{"steps", 2.5}}}));
  EXPECT_EQ(parametersOf(**method, {"gram-iteration", {{"steps", 3}}})->text(), "steps=3");
}

}  // namespace
}  // namespace vitrine::test::methods
