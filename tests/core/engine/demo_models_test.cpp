// The demonstration models against transformers: what scripts/train/golden.py kept of each.
#include <gtest/gtest.h>

#include "core/assets/asset_paths.h"
#include "core/engine/session.h"
#include "support/golden.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"

namespace vitrine::core::demo_models_test {
namespace {

constexpr double kTolerance = 1e-4;  // relative, float16 weights and float32 cache

class DemoModelTest : public test::GpuTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    const auto file = std::filesystem::path(VITRINE_SOURCE_DIR) / "tests/data" /
                      (GetParam() + std::string("-golden.safetensors"));
    golden_ = test::expectValue(Checkpoint::open(file));
    const auto checkpoint = test::expectValue(Checkpoint::open(modelPath(GetParam())));
    model_ = test::expectValue(Model::load(device(), test::expectValue(readModelSpec(checkpoint))));
    ids_ = test::goldenIds(*golden_);
  }

  std::unique_ptr<Session> session() {
    return test::expectValue(Session::create(model_, {.context = 128, .cache = CacheType::kF32}));
  }

  std::shared_ptr<const Checkpoint> golden_;
  std::shared_ptr<const Model> model_;
  std::vector<TokenId> ids_;
};

TEST_P(DemoModelTest, GivesWhatTransformersGives) {
  for (std::uint32_t chunk : {512u, 7u, 1u}) {
    SCOPED_TRACE(fmt::format("chunks of {}", chunk));
    auto session = this->session();
    session->setPrefillChunk(chunk);
    Capture capture{.hidden = true, .logits = true, .hidden_states = {}, .logit_rows = {}, .router = true};
    test::expectOk(session->prefill(ids_, {}, {}, &capture));
    EXPECT_CLOSE(capture.logit_rows, test::goldenFloats(*golden_, "logits"), kTolerance);
    for (std::size_t i = 0; i < capture.hidden_states.size(); ++i) {
      const auto expected = test::goldenFloats(*golden_, fmt::format("hidden.{}", i));
      if (expected.empty()) continue;  // the fine-tune's file has logits alone
      EXPECT_CLOSE(capture.hidden_states[i], expected, kTolerance);
    }
    for (const RouterCapture& router : capture.routers)
      EXPECT_CLOSE(router.logits, test::goldenFloats(*golden_, fmt::format("router.{}", router.layer)),
                   kTolerance);
  }
}

TEST_P(DemoModelTest, ContinuesAsTransformersDoes) {
  const TensorEntry* stored = golden_->find("greedy_ids");
  ASSERT_NE(stored, nullptr);
  std::vector<TokenId> expected(stored->elements());
  std::memcpy(expected.data(), stored->bytes.data(), stored->bytes.size());
  auto session = this->session();
  test::expectOk(session->prefill(ids_));
  test::expectValue(session->decode(static_cast<std::uint32_t>(expected.size()), {}, {}, {}));
  const std::vector<TokenId> all(session->tokens().begin(), session->tokens().end());
  EXPECT_EQ(std::vector<TokenId>(all.begin() + static_cast<std::ptrdiff_t>(ids_.size()), all.end()),
            expected);
}

INSTANTIATE_TEST_SUITE_P(Shipped, DemoModelTest,
                         ::testing::Values("demo-dense", "demo-dense-shakespeare", "demo-moe", "demo-hybrid"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace vitrine::core::demo_models_test
