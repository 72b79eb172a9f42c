#include "gpu/kernel.h"

#include <algorithm>
#include <random>
#include <span>

#include "gpu/commands.h"
#include "gpu/reflection.h"
#include "gpu/shader_binary.h"
#include "support/gpu_fixture.h"
#include "test/increment.params.h"
#include "test/layout.params.h"

namespace vitrine::gpu {
namespace {

using test::expectOk;
using test::expectValue;

class KernelTest : public test::GpuTest {};

std::vector<std::uint32_t> wordsOf(std::string_view name) {
  for (const ShaderBinary& binary : shaderBinaries())
    if (binary.name == name) return {binary.words.begin(), binary.words.end()};
  ADD_FAILURE() << "no shader " << name;
  return {};
}

// The module with one more OpCapability.
std::vector<std::uint32_t> withCapability(std::vector<std::uint32_t> words, std::uint32_t capability) {
  constexpr std::uint32_t kOpCapability = 17, kHeader = 5;
  words.insert(words.begin() + kHeader, {(2u << 16) | kOpCapability, capability});
  return words;
}

TEST_F(KernelTest, ReflectsItsInterface) {
  const Specialization constants[] = {{3, 8}, {7, 32}};
  const Kernel kernel = expectValue(Kernel::create(device(), "test/layout", "", constants));
  EXPECT_EQ(kernel.name(), "test/layout");
  EXPECT_EQ(kernel.pushConstantBytes(), sizeof(shader::LayoutParams));
  EXPECT_EQ(kernel.workgroupSize(0), 4u);
  EXPECT_EQ(kernel.workgroupSize(1), 8u);
  EXPECT_EQ(kernel.workgroupSize(2), 1u);
  EXPECT_TRUE(kernel.bindings().empty());

  const Kernel bound = expectValue(Kernel::create(device(), "test/texel_sum"));
  EXPECT_EQ(bound.pushConstantBytes(), 0u);
  ASSERT_EQ(bound.bindings().size(), 3u);
  EXPECT_EQ(bound.bindings()[0].index, 3u);
  EXPECT_EQ(bound.bindings()[0].kind, BindingKind::kTexelBuffer);
  EXPECT_EQ(bound.bindings()[1].index, 5u);
  EXPECT_EQ(bound.bindings()[2].kind, BindingKind::kStorageBuffer);
  const Kernel paint = expectValue(Kernel::create(device(), "test/image_paint"));
  EXPECT_EQ(paint.bindings().at(0).kind, BindingKind::kStorageImage);
  const Kernel sample = expectValue(Kernel::create(device(), "test/image_sample"));
  EXPECT_EQ(sample.bindings().at(0).kind, BindingKind::kSampledImage);
}

TEST_F(KernelTest, CountsSharedMemoryAfterSpecialization) {
  const auto words = wordsOf("test/layout");
  EXPECT_EQ(expectValue(reflect(words, {}, "layout")).shared_bytes, 16u * 4);
  const Specialization more[] = {{7, 1000}};
  EXPECT_EQ(expectValue(reflect(words, more, "layout")).shared_bytes, 4000u);
  const Specialization too_many[] = {{7, 1u << 24}, {3, 1}};
  const auto kernel = Kernel::create(device(), "test/layout", "", too_many);
  ASSERT_FALSE(kernel);
  EXPECT_EQ(kernel.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(kernel.error().message.find("shared memory"), std::string::npos);
}

TEST_F(KernelTest, SharesItsParameterStructWithCpp) {
  const Specialization constants[] = {{3, 4}, {7, 16}};
  const Kernel kernel = expectValue(Kernel::create(device(), "test/layout", "", constants));
  const Buffer out = bufferOf(std::vector<float>(4));
  Commands commands = expectValue(Commands::create(device(), "layout"));
  expectOk(commands.begin());
  commands.dispatch(kernel, {}, shader::LayoutParams{{0.5f, 2, -1}, 10, out.address(), -3}, {{}, {out}});
  expectOk(commands.end());
  expectOk(commands.submitAndWait());
  EXPECT_EQ(contentOf<float>(out), (std::vector<float>{2, 17, -13, 57}));
}

TEST_F(KernelTest, SpecializesConstants) {
  const Specialization constants[] = {{0, 32}, {1, 5}, {99, 1}};  // the shader has no constant 99
  const Kernel kernel = expectValue(Kernel::create(device(), "test/increment", "", constants));
  EXPECT_EQ(kernel.workgroupSize(0), 32u);
  const Buffer numbers = bufferOf(std::vector<std::uint32_t>(40, 100));
  Commands commands = expectValue(Commands::create(device(), "specialized"));
  expectOk(commands.begin());
  commands.dispatch(kernel, {2}, shader::IncrementParams{numbers.address(), 40, 3}, {{}, {numbers}});
  expectOk(commands.end());
  expectOk(commands.submitAndWait());
  EXPECT_EQ(contentOf<std::uint32_t>(numbers), std::vector<std::uint32_t>(40, 115));
}

TEST_F(KernelTest, NamesAnUnknownShader) {
  const auto kernel = Kernel::create(device(), "test/increment", "sideways");
  ASSERT_FALSE(kernel);
  EXPECT_EQ(kernel.error().code, ErrorCode::kNotFound);
  EXPECT_NE(kernel.error().message.find("test/increment:sideways"), std::string::npos);
}

TEST_F(KernelTest, RefusesAMissingCapability) {
  constexpr std::uint32_t kRayTracing = 4479, kUnknown = 4242;
  for (const std::uint32_t capability : {kRayTracing, kUnknown}) {
    const auto kernel =
        Kernel::fromSpirv(device(), withCapability(wordsOf("test/increment"), capability), "hungry");
    ASSERT_FALSE(kernel);
    EXPECT_EQ(kernel.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(kernel.error().message.find("hungry"), std::string::npos);
    EXPECT_NE(kernel.error().message.find(device().info().name), std::string::npos);
  }
  const auto kernel =
      Kernel::fromSpirv(device(), withCapability(wordsOf("test/increment"), kRayTracing), "hungry");
  EXPECT_NE(kernel.error().message.find("RayTracing"), std::string::npos) << kernel.error().message;
}

TEST_F(KernelTest, RefusesWorkgroupsThatAreTooLarge) {
  for (const std::uint32_t width : {0u, 1u << 20}) {
    const Specialization constants[] = {{0, width}};
    const auto kernel = Kernel::create(device(), "test/increment", "", constants);
    ASSERT_FALSE(kernel);
    EXPECT_EQ(kernel.error().code, ErrorCode::kUnsupported);
  }
}

TEST_F(KernelTest, EveryEmbeddedComputeShaderReflects) {
  for (const ShaderBinary& binary : shaderBinaries()) {
    if (binary.name.ends_with(".vert") || binary.name.ends_with(".frag")) continue;
    const auto shader = reflect(binary.words, {}, std::string(binary.name));
    EXPECT_TRUE(shader) << shader.error().describe();
  }
}

TEST_F(KernelTest, DamagedSpirvIsAnErrorOrHarmless) {
  std::mt19937 random(1);
  for (const char* name : {"test/layout", "test/texel_sum", "test/image_sample"}) {
    const auto words = wordsOf(name);
    for (std::size_t size = 0; size < words.size(); ++size) {
      const auto cut = reflect(std::span(words).first(size), {}, name);
      if (!cut) {
        EXPECT_NE(cut.error().message.find(name), std::string::npos);
      }
    }
    for (int trial = 0; trial < 5000; ++trial) {
      auto damaged = words;
      for (int i = 0; i < 3; ++i)
        damaged[random() % damaged.size()] = random() % 2 ? random() : random() % 64;
      (void)reflect(damaged, {}, name);
    }
  }
}

using KernelDeathTest = KernelTest;

TEST_F(KernelDeathTest, WrongParametersAndGroupCountsAreCaught) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const Specialization constants[] = {{0, 32}};
  const Kernel kernel = expectValue(Kernel::create(device(), "test/increment", "", constants));
  const Kernel bound = expectValue(Kernel::create(device(), "test/texel_sum"));
  Commands commands = expectValue(Commands::create(device(), "wrong"));
  const shader::IncrementParams params{};
  struct None {};
  EXPECT_DEATH(commands.dispatch(kernel, {}, params, {}), "wrong.*begin");
  expectOk(commands.begin());
  EXPECT_DEATH(commands.dispatch(kernel, {}, 1.0, {}), "test/increment.*8 bytes.*16");
  EXPECT_DEATH(commands.dispatch(kernel, {}, None{}, {}), "test/increment.*0 bytes.*16");
  EXPECT_DEATH(commands.dispatch(kernel, {1, 1u << 30, 1}, params, {}), "test/increment.*1073741824");
  EXPECT_DEATH(commands.dispatch(bound, {}, None{}, {}), "test/texel_sum.*0 bindings.*3");
  expectOk(commands.end());
}

}  // namespace
}  // namespace vitrine::gpu
