#include "ui/views/spectra/spectra_jobs.h"

#include <gtest/gtest.h>

#include "support/qt_application.h"
#include "support/random_adapter.h"
#include "support/small_model.h"

namespace vitrine::ui::spectra {
namespace {

class SpectraJobsTest : public testing::Test {
 protected:
  void SetUp() override {
    tests::qtApplication();
    const test::SmallSizes sizes{.layers = 2, .width = 48, .heads = 6, .kv_heads = 2};
    test::writeSmallModel(base_.path(), sizes, 1);
    test::writeSmallModel(other_.path(), sizes, 2);
    test::writeSmallModel(tuned_.path(), sizes, 3);
    jobs_ = std::make_unique<SpectraJobs>(nullptr, core::SpectraWorkerOptions{.threads = 1});
    jobs_->setModel(tuned_.path());
  }

  std::shared_ptr<const core::SpectraSnapshot> endOf(Subject subject) {
    for (const auto start = core::Clock::now(); core::secondsSince(start) < 60;) {
      QCoreApplication::processEvents();
      auto snapshot = jobs_->snapshot(subject);
      if (snapshot->state != core::SpectraState::kRunning && snapshot->state != core::SpectraState::kIdle)
        return snapshot;
    }
    ADD_FAILURE() << "nothing happened within a minute";
    return jobs_->snapshot(subject);
  }

  test::ScratchFolder base_, other_, tuned_;
  std::unique_ptr<SpectraJobs> jobs_;
};

TEST_F(SpectraJobsTest, EachSubjectKeepsWhatItFound) {
  jobs_->compute(Subject::kQk);
  const auto qk = endOf(Subject::kQk);
  EXPECT_EQ(qk->total(), 12u);
  jobs_->compute(Subject::kWeights);
  EXPECT_GT(endOf(Subject::kWeights)->total(), 12u);
  jobs_->compute(Subject::kQk);
  EXPECT_EQ(jobs_->snapshot(Subject::kQk), qk);
  jobs_->compute(Subject::kQk, true);
  EXPECT_NE(endOf(Subject::kQk), qk);
  jobs_->setModel(base_.path());
  EXPECT_EQ(jobs_->snapshot(Subject::kQk)->state, core::SpectraState::kIdle);
}

TEST_F(SpectraJobsTest, AReferenceChosenAgainIsNotComparedAgain) {
  jobs_->compute(Subject::kComparison);
  EXPECT_EQ(jobs_->snapshot(Subject::kComparison)->state, core::SpectraState::kIdle);
  jobs_->setReference(referenceAt(base_.path()));
  jobs_->compute(Subject::kComparison);
  const auto first = endOf(Subject::kComparison);
  ASSERT_EQ(first->state, core::SpectraState::kDone);
  ASSERT_TRUE(first->results[0].compared);
  jobs_->setReference(referenceAt(other_.path()));
  jobs_->compute(Subject::kComparison);
  const auto second = endOf(Subject::kComparison);
  EXPECT_NE(second->results[0].compared->comparison.base_norm,
            first->results[0].compared->comparison.base_norm);
  bool told = false;
  QObject::connect(jobs_.get(), &SpectraJobs::changed,
                   [&](Subject subject) { told |= subject == Subject::kComparison; });
  jobs_->setReference(referenceAt(base_.path()));
  jobs_->compute(Subject::kComparison);
  EXPECT_TRUE(told);
  EXPECT_EQ(jobs_->snapshot(Subject::kComparison), first);
}

TEST_F(SpectraJobsTest, AnAdapterIsAddedToTheModel) {
  const test::ScratchFolder lora;
  const auto checkpoint = core::Checkpoint::open(tuned_.path());
  ASSERT_TRUE(checkpoint);
  test::writeRandomAdapter(lora.path(), **checkpoint, {.targets = {"q_proj"}, .rank = 3, .alpha = 9});
  Reference reference = referenceAt(lora.path());
  EXPECT_TRUE(reference.adapter);
  EXPECT_FALSE(referenceAt(base_.path()).adapter);
  jobs_->setReference(reference);
  jobs_->compute(Subject::kComparison);
  const auto whole = endOf(Subject::kComparison);
  ASSERT_EQ(whole->total(), 2u);
  ASSERT_TRUE(whole->results[0].compared->comparison.adapter);
  reference.scale = 0.5;
  jobs_->setReference(reference);
  jobs_->compute(Subject::kComparison);
  const auto half = endOf(Subject::kComparison);
  EXPECT_NEAR(half->results[0].compared->comparison.change_norm,
              whole->results[0].compared->comparison.change_norm / 2, 1e-9);
  EXPECT_TRUE(nameOf(reference).endsWith("× 0.5"));
}

TEST_F(SpectraJobsTest, ProductsFollowTheAdapters) {
  const test::ScratchFolder lora;
  const auto checkpoint = core::Checkpoint::open(tuned_.path());
  test::writeRandomAdapter(lora.path(), **checkpoint, {.targets = {"v_proj"}, .rank = 3, .alpha = 9});
  jobs_->compute(Subject::kOv);
  const auto plain = endOf(Subject::kOv);
  jobs_->setAdapters({{lora.path(), 1}});
  EXPECT_EQ(jobs_->snapshot(Subject::kOv)->state, core::SpectraState::kIdle);
  jobs_->compute(Subject::kOv);
  const auto adapted = endOf(Subject::kOv);
  EXPECT_NE(adapted->results[0].report->metrics.s1, plain->results[0].report->metrics.s1);
}

TEST_F(SpectraJobsTest, NullsOfTheNamedMatrices) {
  jobs_->compute(Subject::kWeights);
  const auto weights = endOf(Subject::kWeights);
  const std::string name = (*weights->matrices)[1].name;
  jobs_->computeNulls({name, "gone"});
  jobs_->computeNulls({name});  // is computed, or has been: nothing starts again
  bool told = false;
  QObject::connect(jobs_.get(), &SpectraJobs::nullsChanged, [&] { told = true; });
  for (const auto start = core::Clock::now();
       core::secondsSince(start) < 60 && (!told || jobs_->nulls()->state != core::SpectraState::kDone);)
    QCoreApplication::processEvents();
  ASSERT_EQ(jobs_->nulls()->total(), 1u);
  EXPECT_EQ(jobs_->nulls()->left_out.size(), 1u);
  EXPECT_EQ((*jobs_->nulls()->matrices)[0].name, name);
  ASSERT_TRUE(jobs_->nulls()->results[0].report);
  EXPECT_NEAR(jobs_->nulls()->results[0].report->metrics.frobenius,
              weights->results[1].report->metrics.frobenius, 1e-6);
}

}  // namespace
}  // namespace vitrine::ui::spectra
