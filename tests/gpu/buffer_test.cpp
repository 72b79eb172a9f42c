#include "gpu/buffer.h"

#include <algorithm>
#include <array>

#include "gpu/commands.h"
#include "gpu/kernel.h"
#include "support/gpu_fixture.h"

namespace vitrine::gpu {
namespace {

using test::expectOk;
using test::expectValue;

class BufferTest : public test::GpuTest {};

std::vector<std::byte> pattern(std::size_t bytes, unsigned seed = 0) {
  std::vector<std::byte> data(bytes);
  for (std::size_t i = 0; i < bytes; ++i) data[i] = std::byte(i * 131 + i / 251 + seed);
  return data;
}

std::vector<std::byte> downloaded(Device& device, const Slice& slice) {
  std::vector<std::byte> data(slice.bytes);
  expectOk(download(device, slice, data));
  return data;
}

// A device whose memory is not mapped, so that copies go through staging as on a discrete GPU.
std::unique_ptr<Device> discreteLike() {
  DeviceOptions options = test::testDeviceOptions();
  options.map_device_memory = false;
  return expectValue(Device::create(options));
}

TEST_F(BufferTest, RoundTripsEverySizeAndKind) {
  for (const MemoryKind kind : {MemoryKind::kDevice, MemoryKind::kUpload, MemoryKind::kReadback}) {
    for (const std::size_t bytes : {1u, 3u, 16u, 17u, 4095u, 65537u, (17u << 20) + 5u}) {
      const std::vector<std::byte> data = pattern(bytes);
      const Buffer buffer = bufferOf(std::span<const std::byte>(data), kind);
      EXPECT_EQ(buffer.size(), bytes);
      EXPECT_EQ(buffer.address() % 16, 0u);
      EXPECT_TRUE(contentOf<std::byte>(buffer) == data) << bytes << " bytes";
    }
  }
}

TEST_F(BufferTest, UploadsAndDownloadsSlices) {
  const Buffer buffer = bufferOf(pattern(1000));
  const std::vector<std::byte> patch = pattern(77, 99);
  expectOk(upload(device(), patch, {buffer, 501, 77}));
  std::vector<std::byte> expected = pattern(1000);
  std::copy(patch.begin(), patch.end(), expected.begin() + 501);
  EXPECT_TRUE(contentOf<std::byte>(buffer) == expected);
  EXPECT_TRUE(contentOf<std::byte>(Slice(buffer, 503, 9)) ==
              std::vector<std::byte>(expected.begin() + 503, expected.begin() + 512));
}

TEST_F(BufferTest, StagesWhereMemoryIsNotMapped) {
  const std::unique_ptr<Device> discrete = discreteLike();
  for (const std::size_t bytes : {1u, 17u, 65537u, (33u << 20) + 5u}) {
    const Buffer buffer = expectValue(Buffer::create(*discrete, bytes, MemoryKind::kDevice, "staged"));
    ASSERT_TRUE(buffer.mapped().empty());
    const std::vector<std::byte> data = pattern(bytes);
    expectOk(upload(*discrete, data, buffer));
    EXPECT_TRUE(downloaded(*discrete, buffer) == data) << bytes << " bytes";
  }
  expectOk(discrete->waitIdle());
  EXPECT_TRUE(discrete->validationMessages().empty());
}

TEST_F(BufferTest, UploaderKeepsManyPiecesApart) {
  for (const bool staged : {false, true}) {
    const std::unique_ptr<Device> own = staged ? discreteLike() : nullptr;
    Device& at = own ? *own : device();
    Uploader uploader = expectValue(Uploader::create(at, 64 << 10));
    std::vector<Buffer> buffers;
    std::vector<std::vector<std::byte>> data;
    for (unsigned i = 0; i < 60; ++i) {
      data.push_back(pattern(1 + (i * 7919) % uploader.largestPiece(), i));
      buffers.push_back(expectValue(Buffer::create(at, data[i].size(), MemoryKind::kDevice, "piece")));
      const std::span<std::byte> into = expectValue(uploader.stage(buffers[i]));
      ASSERT_EQ(into.size(), data[i].size());
      std::copy(data[i].begin(), data[i].end(), into.begin());
    }
    expectOk(uploader.finish());
    for (unsigned i = 0; i < 60; ++i) EXPECT_TRUE(downloaded(at, buffers[i]) == data[i]) << "piece " << i;
    EXPECT_EQ(uploader.stage({buffers[0], 0, buffers[0].size() + 1}).error().code,
              ErrorCode::kInvalidArgument);
    const Buffer large =
        expectValue(Buffer::create(at, uploader.largestPiece() + 1, MemoryKind::kDevice, "large"));
    EXPECT_EQ(uploader.stage(large).error().code, ErrorCode::kInvalidArgument);
    if (own) {
      EXPECT_TRUE(own->validationMessages().empty());
    }
  }
}

TEST_F(BufferTest, RejectsSizesAndSlicesThatMakeNoSense) {
  const auto empty = Buffer::create(device(), 0, MemoryKind::kDevice, "nothing");
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, ErrorCode::kInvalidArgument);
  const auto huge = Buffer::create(device(), std::uint64_t{1} << 60, MemoryKind::kDevice, "huge");
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().code, ErrorCode::kOutOfMemory);
  EXPECT_NE(huge.error().message.find("huge"), std::string::npos);
  const Buffer buffer = bufferOf(pattern(64));
  std::vector<std::byte> data(32);
  EXPECT_EQ(upload(device(), data, {buffer, 40, 32}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(upload(device(), data, {buffer, 0, 31}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(download(device(), {buffer, ~std::uint64_t{0}, 32}, data).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(upload(device(), data, {}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(BufferTest, MovesLeaveNothingBehind) {
  Buffer first = bufferOf(pattern(100));
  const VkBuffer handle = first.handle();
  Buffer second = std::move(first);
  EXPECT_FALSE(first);  // NOLINT: looking at a moved-from buffer is the test
  EXPECT_EQ(second.handle(), handle);
  second = bufferOf(pattern(10));
  EXPECT_EQ(second.size(), 10u);
}

TEST_F(BufferTest, ReadsTexelsOfPartOfABuffer) {
  const std::uint64_t alignment = std::max<std::uint64_t>(device().info().texel_alignment, 16);
  std::vector<std::uint32_t> numbers(1000);
  for (std::uint32_t i = 0; i < numbers.size(); ++i) numbers[i] = i * i;
  const Buffer buffer = bufferOf(numbers);
  constexpr std::uint32_t kTexels = 50;
  const VkBufferView view =
      expectValue(buffer.texelView(VK_FORMAT_R32G32B32A32_UINT, alignment, kTexels * 16));
  EXPECT_EQ(expectValue(buffer.texelView(VK_FORMAT_R32G32B32A32_UINT, alignment, kTexels * 16)), view);

  const Kernel kernel = expectValue(Kernel::create(device(), "test/texel_sum"));
  const Buffer addends = bufferOf(std::vector<std::uint32_t>(kTexels, 5));
  const Buffer sums = bufferOf(std::vector<std::uint32_t>(kTexels, 0));
  Commands commands = expectValue(Commands::create(device(), "texels"));
  expectOk(commands.begin());
  struct None {};
  const Bound bound[] = {view, Slice(addends), Slice(sums)};
  commands.dispatch(kernel, {2}, None{}, {{buffer, addends}, {sums}}, bound);
  expectOk(commands.end());
  expectOk(commands.submitAndWait());
  const auto found = contentOf<std::uint32_t>(sums);
  for (std::uint32_t i = 0; i < kTexels; ++i) {
    std::uint32_t expected = 5;
    for (std::uint32_t j = 0; j < 4; ++j) expected += numbers[alignment / 4 + i * 4 + j];
    EXPECT_EQ(found[i], expected) << "texel " << i;
  }
}

TEST_F(BufferTest, RefusesTexelViewsThatTheDeviceCannotHave) {
  const Buffer buffer = bufferOf(pattern(1024));
  const std::uint64_t alignment = device().info().texel_alignment;
  if (alignment > 1) {
    EXPECT_FALSE(buffer.texelView(VK_FORMAT_R32_UINT, alignment / 2, 64)) << "misaligned";
  }
  EXPECT_FALSE(buffer.texelView(VK_FORMAT_R32_UINT, 0, 1028)) << "too long";
  EXPECT_FALSE(buffer.texelView(VK_FORMAT_R32_UINT, 0, 63)) << "a part of a texel";
  EXPECT_FALSE(buffer.texelView(VK_FORMAT_R32_UINT, 0, 0)) << "empty";
  EXPECT_EQ(buffer.texelView(VK_FORMAT_D32_SFLOAT, 0, 64).error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace vitrine::gpu
