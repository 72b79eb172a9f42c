#include "ui/selection.h"

#include <gtest/gtest.h>

namespace vitrine::ui {
namespace {

struct Counter {
  explicit Counter(Selection& selection) {
    QObject::connect(&selection, &Selection::cellChanged, [this] { ++cells; });
    QObject::connect(&selection, &Selection::headChanged, [this] { ++heads; });
  }
  int cells = 0, heads = 0;
};

TEST(Selection, ShowsTheNewestQueryUntilSomethingIsHoveredOrLocked) {
  Selection selection;
  EXPECT_FALSE(selection.query().has_value());
  selection.setExtent(30, 9, 67);
  EXPECT_EQ(selection.query(), 66u);
  EXPECT_FALSE(selection.key().has_value());
  selection.setExtent(30, 9, 68);
  EXPECT_EQ(selection.query(), 67u);
  selection.hover({12, 3});
  EXPECT_EQ(selection.query(), 12u);
  EXPECT_EQ(selection.key(), 3u);
  selection.hover({});
  EXPECT_EQ(selection.query(), 67u);
}

TEST(Selection, ALockWinsOverHoverAndIsReleasedByTheSameCell) {
  Selection selection;
  selection.setExtent(30, 9, 67);
  selection.lock({20, 4});
  selection.hover({50, 1});
  EXPECT_EQ(selection.query(), 20u);
  EXPECT_EQ(selection.key(), 4u);
  EXPECT_EQ(selection.hovered(), (Cell{50, 1}));
  selection.lock({20, 4});
  EXPECT_FALSE(selection.isLocked());
  EXPECT_EQ(selection.query(), 50u);
}

TEST(Selection, ALockBeyondTheEndIsReleasedWhenTheSequenceShrinks) {
  Selection selection;
  selection.setExtent(2, 2, 10);
  selection.lock({9, 9});
  selection.setExtent(2, 2, 9);
  EXPECT_FALSE(selection.isLocked());
  EXPECT_EQ(selection.query(), 8u);
  selection.setExtent(0, 0, 0);
  EXPECT_FALSE(selection.query().has_value());
}

TEST(Selection, CellsOutsideTheSequenceAreRefused) {
  Selection selection;
  selection.setExtent(2, 2, 10);
  selection.lock({10, 0});
  EXPECT_FALSE(selection.isLocked());
  selection.hover({3, 40});
  EXPECT_EQ(selection.hovered(), Cell{});
  selection.lock({});
  EXPECT_FALSE(selection.isLocked());
}

TEST(Selection, HeadsStayWithinTheModel) {
  Selection selection;
  selection.setExtent(30, 9, 1);
  selection.setHead({99, 99});
  EXPECT_EQ(selection.head(), (Head{29, 8}));
  selection.moveHead(-1, 3);
  EXPECT_EQ(selection.head(), (Head{28, 8}));
  selection.setExtent(4, 4, 1);
  EXPECT_EQ(selection.head(), (Head{3, 3}));
  selection.moveHead(-100, -100);
  EXPECT_EQ(selection.head(), (Head{0, 0}));
}

TEST(Selection, ScrubbingLocksTheQueryAndDropsAKeyThatItCannotSee) {
  Selection selection;
  selection.setExtent(2, 2, 10);
  selection.lock({8, 5});
  selection.lockQuery(6);
  EXPECT_EQ(selection.key(), 5u);
  selection.lockQuery(4);
  EXPECT_EQ(selection.query(), 4u);
  EXPECT_FALSE(selection.key().has_value());
  selection.lockQuery(1000);
  EXPECT_EQ(selection.query(), 9u);
  selection.moveQuery(-3);
  EXPECT_EQ(selection.query(), 6u);
  selection.moveKey(-2);
  EXPECT_EQ(selection.key(), 4u);
  selection.moveKey(100);
  EXPECT_EQ(selection.key(), 6u);  // no key lies behind its query
}

TEST(Selection, TellsOnlyWhatChanged) {
  Selection selection;
  selection.setExtent(2, 2, 10);
  Counter counter(selection);
  selection.hover({3, 1});
  selection.hover({3, 1});
  EXPECT_EQ(counter.cells, 1);
  selection.setHead({1, 1});
  selection.setHead({1, 1});
  EXPECT_EQ(counter.heads, 1);
  selection.setExtent(2, 2, 11);  // a hovered query stays: nothing to tell
  EXPECT_EQ(counter.cells, 1);
}

}  // namespace
}  // namespace vitrine::ui
