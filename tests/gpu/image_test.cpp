#include "gpu/image.h"

#include "gpu/commands.h"
#include "gpu/kernel.h"
#include "support/gpu_fixture.h"
#include "test/image_paint.params.h"

namespace vitrine::gpu {
namespace {

using shader::ImagePaintParams;
using test::expectOk;
using test::expectValue;

constexpr std::uint32_t kImageWidth = 33, kImageHeight = 17;
constexpr Groups kGroups = {(kImageWidth + 7) / 8, (kImageHeight + 7) / 8};

class ImageTest : public test::GpuTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    VkSamplerCreateInfo info{.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    ASSERT_EQ(vkCreateSampler(device().handle(), &info, nullptr, &sampler_), VK_SUCCESS);
  }
  void TearDown() override {
    expectOk(device().waitIdle());
    vkDestroySampler(device().handle(), sampler_, nullptr);
    GpuTest::TearDown();
  }

  static std::vector<float> painted(float scale) {
    std::vector<float> pixels;
    for (std::uint32_t y = 0; y < kImageHeight; ++y)
      for (std::uint32_t x = 0; x < kImageWidth; ++x)
        pixels.push_back(scale * static_cast<float>(x + 1000 * y));
    return pixels;
  }

  VkSampler sampler_ = VK_NULL_HANDLE;
};

TEST_F(ImageTest, ComputeWritesWhatCopiesAndSamplersRead) {
  const Image image =
      expectValue(Image::create(device(), kImageWidth, kImageHeight, VK_FORMAT_R32_SFLOAT, "picture"));
  EXPECT_EQ(image.bytes(), kImageWidth * kImageHeight * 4u);
  const Kernel paint = expectValue(Kernel::create(device(), "test/image_paint"));
  const Kernel sample = expectValue(Kernel::create(device(), "test/image_sample"));
  const Buffer copied = bufferOf(std::vector<float>(kImageWidth * kImageHeight));
  const Buffer sampled = bufferOf(std::vector<float>(kImageWidth * kImageHeight));
  Commands commands = expectValue(Commands::create(device(), "paint"));
  expectOk(commands.begin());
  const Bound painting[] = {image};
  commands.dispatch(paint, kGroups, ImagePaintParams{2}, {}, painting);
  const Bound sampling[] = {Bound(image, sampler_), Slice(sampled)};
  commands.dispatch(sample, kGroups, ImagePaintParams{-1}, {{}, {sampled}}, sampling);
  commands.copyFromImage(image, copied);
  EXPECT_EQ(commands.barriers(), 2u);  // before the sampling, before the copy
  expectOk(commands.end());
  expectOk(commands.submitAndWait());
  EXPECT_EQ(contentOf<float>(copied), painted(2));
  EXPECT_EQ(contentOf<float>(sampled), painted(-2));
}

TEST_F(ImageTest, TakesPixelsFromABuffer) {
  const Image image =
      expectValue(Image::create(device(), kImageWidth, kImageHeight, VK_FORMAT_R32_SFLOAT, "picture"));
  const Buffer from = bufferOf(painted(3));
  const Buffer to = bufferOf(std::vector<float>(kImageWidth * kImageHeight));
  Commands commands = expectValue(Commands::create(device(), "pixels"));
  expectOk(commands.begin());
  commands.copyToImage(from, image);
  commands.copyFromImage(image, to);
  expectOk(commands.end());
  expectOk(commands.submitAndWait());
  EXPECT_EQ(contentOf<float>(to), painted(3));
}

TEST_F(ImageTest, RejectsWhatTheDeviceCannotHold) {
  EXPECT_EQ(Image::create(device(), 0, 4, VK_FORMAT_R32_SFLOAT, "flat").error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(Image::create(device(), 1u << 30, 1, VK_FORMAT_R32_SFLOAT, "long").error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(Image::create(device(), 4, 4, VK_FORMAT_D32_SFLOAT, "depth").error().code,
            ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace vitrine::gpu
