// The trained adapter that comes with the demonstration models, against what PEFT's formula gives in PyTorch,
// and through the engine's thread.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "core/adapter/attach_adapter.h"
#include "core/engine/engine.h"
#include "core/engine/session.h"
#include "support/golden.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"
#include "support/random_adapter.h"
#include "support/shared_files.h"

namespace vitrine::core::adapter_demo_test {
namespace {

std::filesystem::path demoFolder(const char* name) {
  return test::sourceDir() / "assets/models" / name;
}

using AdapterDemo = test::GpuTest;

TEST_F(AdapterDemo, GivesWhatPyTorchGives) {
  const auto adapter = demoFolder("demo-dense-shakespeare-lora");
  const auto golden_file = test::sourceDir() / "tests/data/demo-dense-shakespeare-lora-golden.safetensors";
  const auto golden = test::expectValue(Checkpoint::open(golden_file));
  for (const bool merge : {false, true}) {
    SCOPED_TRACE(merge ? "merged" : "live");
    auto spec =
        test::expectValue(readModelSpec(test::expectValue(Checkpoint::open(demoFolder("demo-dense")))));
    test::expectOk(attachAdapter(spec, {adapter, 1}));
    spec.merge_adapters = merge;
    const auto model = test::expectValue(Model::load(device(), std::move(spec)));
    EXPECT_EQ(model->notices().empty(), !merge);  // half floats become float32
    const auto session = test::expectValue(Session::create(model, {.context = 64, .cache = CacheType::kF32}));
    Capture capture{.logits = true};
    test::expectOk(session->prefill(test::goldenIds(*golden), {}, {}, &capture));
    EXPECT_CLOSE(capture.logit_rows, test::goldenFloats(*golden, "logits"), 1e-5);
  }
}

TEST_F(AdapterDemo, ChangesItsScaleOnTheEnginesThread) {
  const test::ScratchFolder scratch;
  const auto base = test::expectValue(Checkpoint::open(demoFolder("demo-dense")));
  test::writeRandomAdapter(scratch / "noise", *base, {.targets = {"q_proj", "v_proj", "down_proj"}});
  const auto engine = Engine::start(device(), {});
  const auto settled = [&](auto condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    while (std::chrono::steady_clock::now() < deadline) {
      const auto snapshot = engine->snapshot();
      if (snapshot->error) ADD_FAILURE() << snapshot->error->describe();
      if (snapshot->state == EngineState::kReady && condition(*snapshot)) return snapshot;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ADD_FAILURE() << "waited in vain";
    return engine->snapshot();
  };
  const auto scaleIs = [](float scale) {
    return [scale](const Snapshot& s) { return s.adapter_scales == std::vector{scale} && !s.next.empty(); };
  };
  engine->loadModel(demoFolder("demo-dense"), {.context = 64, .adapters = {{scratch / "noise", 0.0f}}});
  settled([](const Snapshot& s) { return s.model != nullptr; });
  engine->setPrompt("Once upon a time");
  const auto off = settled(scaleIs(0));
  EXPECT_EQ(off->model->adapters[0].name, "noise");
  engine->setAdapterScale(0, 1.5f);
  const auto on = settled(scaleIs(1.5f));
  EXPECT_NE(on->next[0].probability, off->next[0].probability);
  EXPECT_EQ(on->tokens->size(), off->tokens->size());
  engine->setAdapterScale(0, 0);
  const auto again = settled(scaleIs(0));
  EXPECT_EQ(again->next[0].id, off->next[0].id);
  EXPECT_FLOAT_EQ(again->next[0].probability, off->next[0].probability);
}

}  // namespace
}  // namespace vitrine::core::adapter_demo_test
