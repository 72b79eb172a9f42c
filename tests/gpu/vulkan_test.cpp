#include "gpu/vulkan.h"

#include <gtest/gtest.h>

namespace vitrine::gpu {
namespace {

TEST(VulkanTest, ResultsBecomeErrorsThatSayWhatFailed) {
  EXPECT_TRUE(check(VK_SUCCESS, "loading"));
  const auto memory = check(VK_ERROR_OUT_OF_DEVICE_MEMORY, "loading layer 3");
  EXPECT_EQ(memory.error().code, ErrorCode::kOutOfMemory);
  const auto lost = check(VK_ERROR_DEVICE_LOST, "running decode");
  EXPECT_EQ(lost.error().code, ErrorCode::kDevice);
  EXPECT_NE(lost.error().message.find("running decode: the device was lost"), std::string::npos);
  const auto other = check(VK_ERROR_FORMAT_NOT_SUPPORTED, "making an image");
  EXPECT_NE(other.error().message.find("VK_ERROR_FORMAT_NOT_SUPPORTED (-11)"), std::string::npos);
  const auto unnamed = check(static_cast<VkResult>(-123456), "something");
  EXPECT_NE(unnamed.error().message.find("-123456"), std::string::npos);
}

}  // namespace
}  // namespace vitrine::gpu
