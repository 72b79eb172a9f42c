#include "gpu/device.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "gpu/commands.h"
#include "gpu/kernel.h"
#include "support/gpu_fixture.h"
#include "test/increment.params.h"

namespace vitrine::gpu {
namespace {

using test::expectOk;
using test::expectValue;

constexpr Specialization kWidth64[] = {{0, 64}};
constexpr std::uint64_t kMiB = 1 << 20;

class DeviceTest : public test::GpuTest {};

TEST_F(DeviceTest, IsOneOfThoseListed) {
  const std::vector<DeviceInfo> devices = expectValue(listDevices());
  ASSERT_FALSE(devices.empty());
  bool found = false;
  for (const DeviceInfo& info : devices)
    found |= info.index == device().info().index && info.name == device().info().name;
  EXPECT_TRUE(found);
  for (std::size_t i = 1; i < devices.size(); ++i)
    EXPECT_FALSE(devices[i - 1].software && !devices[i].software);
  const DeviceInfo& info = device().info();
  EXPECT_GT(info.subgroup_size, 0u);
  EXPECT_GE(info.shared_memory_bytes, 16384u);
  EXPECT_GE(info.max_push_constants, 128u);
  EXPECT_GT(info.max_allocation_bytes, kMiB);
  EXPECT_GT(device().memory().available, 0u);
}

TEST_F(DeviceTest, SaysWhichDeviceDoesNotExist) {
  DeviceOptions options;
  options.index = 99;
  const auto none = Device::create(options);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
  EXPECT_NE(none.error().message.find("99"), std::string::npos);
  options = {};
  options.instance_extensions = {"VK_KHR_of_another_world"};
  EXPECT_EQ(Device::create(options).error().code, ErrorCode::kUnsupported);
}

// What holds every other test to its word: a misuse of Vulkan is heard.
TEST_F(DeviceTest, HearsTheValidationLayer) {
  if (!device().validating()) GTEST_SKIP() << "VK_LAYER_KHRONOS_validation is not installed";
  const auto own = expectValue(Device::create(test::testDeviceOptions()));
  EXPECT_TRUE(own->validationMessages().empty());
  VkBufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};  // of size 0, which is not allowed
  info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
  VkBuffer buffer = VK_NULL_HANDLE;
  if (vkCreateBuffer(own->handle(), &info, nullptr, &buffer) == VK_SUCCESS)
    vkDestroyBuffer(own->handle(), buffer, nullptr);
  ASSERT_FALSE(own->validationMessages().empty());
  EXPECT_NE(own->validationMessages()[0].find("VUID-VkBufferCreateInfo-size"), std::string::npos);
}

TEST_F(DeviceTest, TwoThreadsWaitForOneSubmission) {
  const Kernel kernel = expectValue(Kernel::create(device(), "test/increment", "", kWidth64));
  const Buffer numbers = bufferOf(std::vector<std::uint32_t>(100'000));
  Commands commands = expectValue(Commands::create(device(), "awaited"));
  expectOk(commands.begin());
  for (int i = 0; i < 20; ++i)
    commands.dispatch(kernel, {1600}, shader::IncrementParams{numbers.address(), 100'000, 1},
                      {{}, {numbers}});
  expectOk(commands.end());
  const std::uint64_t awaited = device().lastSubmitted() + 1;  // not submitted yet
  std::atomic<int> woken = 0;
  const auto wait = [&] {
    expectOk(device().wait(awaited));
    EXPECT_GE(expectValue(device().completed()), awaited);
    ++woken;
  };
  std::thread first(wait), second(wait);
  EXPECT_EQ(expectValue(commands.submit()), awaited);
  first.join();
  second.join();
  EXPECT_EQ(woken, 2);
}

TEST_F(DeviceTest, ThreadsSubmitSideBySide) {
  const Kernel kernel = expectValue(Kernel::create(device(), "test/increment", "", kWidth64));
  const auto work = [&](const Buffer& numbers) {
    Commands commands = expectValue(Commands::create(device(), "side by side"));
    for (int i = 0; i < 50; ++i) {
      expectOk(commands.begin());
      commands.dispatch(kernel, {1}, shader::IncrementParams{numbers.address(), 10, 1}, {{}, {numbers}});
      expectOk(commands.end());
      expectOk(commands.submitAndWait());
    }
  };
  const Buffer a = bufferOf(std::vector<std::uint32_t>(10)), b = bufferOf(std::vector<std::uint32_t>(10));
  std::thread other(work, std::cref(a));
  work(b);
  other.join();
  EXPECT_EQ(contentOf<std::uint32_t>(a), std::vector<std::uint32_t>(10, 50));
  EXPECT_EQ(contentOf<std::uint32_t>(b), std::vector<std::uint32_t>(10, 50));
}

TEST_F(DeviceTest, DestroysWhatIsInUseLater) {
  std::atomic<bool> destroyed = false;
  {
    const Kernel kernel = expectValue(Kernel::create(device(), "test/increment", "", kWidth64));
    const Buffer numbers = bufferOf(std::vector<std::uint32_t>(1'000'000));
    Commands commands = expectValue(Commands::create(device(), "abandoned"));
    expectOk(commands.begin());
    for (int i = 0; i < 20; ++i)
      commands.dispatch(kernel, {15'625}, shader::IncrementParams{numbers.address(), 1'000'000, 1},
                        {{}, {numbers}});
    expectOk(commands.end());
    expectValue(commands.submit());
    device().destroyLater([&] { destroyed = true; });
  }  // kernel, buffer and commands go while the device works on them; the validation layer would say so
  expectOk(device().waitIdle());
  device().destroyLater([] {});  // collects
  EXPECT_TRUE(destroyed);
}

TEST_F(DeviceTest, OutOfMemoryIsAnErrorThatNamesTheBuffer) {
  const auto own = expectValue(Device::create(test::testDeviceOptions()));
  own->limitMemory(4 * kMiB);
  const Buffer kept = expectValue(Buffer::create(*own, 3 * kMiB, MemoryKind::kDevice, "kept"));
  const auto refused = Buffer::create(*own, 2 * kMiB, MemoryKind::kDevice, "weights of layer 7");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOutOfMemory);
  EXPECT_NE(refused.error().message.find("weights of layer 7"), std::string::npos);
  const auto image = Image::create(*own, 1024, 1024, VK_FORMAT_R32_SFLOAT, "picture");
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, ErrorCode::kOutOfMemory);
  EXPECT_LE(own->memory().available, kMiB);
  own->limitMemory(0);
  EXPECT_TRUE(Buffer::create(*own, 2 * kMiB, MemoryKind::kDevice, "weights of layer 7"));
  EXPECT_TRUE(own->validationMessages().empty());
}

TEST_F(DeviceTest, ShortMemoryFreesWhatWaitsToBeDestroyed) {
  const auto own = expectValue(Device::create(test::testDeviceOptions()));
  own->limitMemory(4 * kMiB);
  for (int i = 0; i < 20; ++i) {
    const Buffer buffer = expectValue(Buffer::create(*own, 3 * kMiB, MemoryKind::kDevice, "passing"));
    Commands commands = expectValue(Commands::create(*own, "passing"));
    expectOk(commands.begin());
    commands.fill(buffer, 7);
    expectOk(commands.end());
    expectValue(commands.submit());  // still running when the buffer goes
  }
  expectOk(own->waitIdle());
  EXPECT_TRUE(own->validationMessages().empty());
}

TEST_F(DeviceTest, PipelineCacheSurvivesDamage) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("vitrine-cache-{}", getpid());
  DeviceOptions options = test::testDeviceOptions();
  options.pipeline_cache_file = (folder / "deeper" / "pipelines").string();
  const auto fileOf = [&] {
    std::vector<std::filesystem::path> files;
    for (const auto& it : std::filesystem::directory_iterator(folder / "deeper")) files.push_back(it.path());
    EXPECT_EQ(files.size(), 1u);
    return files.at(0);
  };
  const auto use = [&] {
    const auto own = expectValue(Device::create(options));
    EXPECT_TRUE(Kernel::create(*own, "test/increment", "", kWidth64));
    expectOk(own->savePipelineCache());
    EXPECT_TRUE(own->validationMessages().empty());
  };
  use();
  const auto size = std::filesystem::file_size(fileOf());
  EXPECT_GT(size, 56u);
  use();  // reads what it wrote
  for (const std::uintmax_t at : {std::uintmax_t{0}, std::uintmax_t{20}, size - 1}) {
    std::fstream file(fileOf(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char flipped = static_cast<char>(file.get() ^ 0x55);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(flipped);
    file.close();
    use();
    EXPECT_EQ(std::filesystem::file_size(fileOf()), size);
  }
  std::filesystem::resize_file(fileOf(), 30);
  use();
  std::filesystem::resize_file(fileOf(), 0);
  use();
  std::filesystem::remove_all(folder);
}

TEST_F(DeviceTest, AnUnwritableCacheIsAnError) {
  DeviceOptions options = test::testDeviceOptions();
  options.pipeline_cache_file = "/proc/nowhere/pipelines";
  const auto own = expectValue(Device::create(options));
  const auto saved = own->savePipelineCache();
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace vitrine::gpu
