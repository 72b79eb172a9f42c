// One validated device a process, shared by every test that needs a GPU; a validation message fails the test.
// $VITRINE_TEST_DEVICE chooses the device (a number as `vitrine --device` takes it).
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gpu/buffer.h"
#include "gpu/commands.h"
#include "gpu/device.h"

namespace vitrine::test {

// The Result's value, or a failure of the test with the error's text (and an exception that gtest reports).
template <typename T>
T expectValue(Result<T> result) {
  if (!result) ADD_FAILURE() << result.error().describe();
  return std::move(result).value();  // throws where there is none: only tests do that
}

inline void expectOk(const Result<void>& result) {
  if (!result) ADD_FAILURE() << result.error().describe();
}

inline gpu::DeviceOptions testDeviceOptions() {
  gpu::DeviceOptions options;
  options.validation = true;
  if (const char* index = std::getenv("VITRINE_TEST_DEVICE")) options.index = std::stoul(index);
  return options;
}

class GpuTest : public ::testing::Test {
 protected:
  gpu::Device& device() { return shared(); }

  void SetUp() override { messages_before_ = shared().validationMessages().size(); }

  void TearDown() override {
    expectOk(shared().waitIdle());
    expectNoValidationMessages();
  }

  void expectNoValidationMessages() {
    const std::vector<std::string> messages = shared().validationMessages();
    for (std::size_t i = messages_before_; i < messages.size(); ++i) ADD_FAILURE() << messages[i];
    messages_before_ = messages.size();
  }

  template <typename T>
  gpu::Buffer bufferOf(std::span<const T> values, gpu::MemoryKind kind = gpu::MemoryKind::kDevice,
                       std::string name = "test") {
    gpu::Buffer buffer =
        expectValue(gpu::Buffer::create(device(), values.size_bytes(), kind, std::move(name)));
    expectOk(gpu::upload(device(), std::as_bytes(values), buffer));
    return buffer;
  }
  template <typename T>
  gpu::Buffer bufferOf(const std::vector<T>& values, gpu::MemoryKind kind = gpu::MemoryKind::kDevice) {
    return bufferOf(std::span<const T>(values), kind);
  }

  template <typename T>
  std::vector<T> contentOf(gpu::Slice slice) {
    std::vector<T> values(slice.bytes / sizeof(T));
    expectOk(gpu::download(device(), slice, std::as_writable_bytes(std::span(values))));
    return values;
  }

 private:
  static gpu::Device& shared() {
    // Destroyed at exit, so that leaks of Vulkan objects show; after every test's own objects are gone.
    static const std::unique_ptr<gpu::Device> device = expectValue(gpu::Device::create(testDeviceOptions()));
    return *device;
  }

  std::size_t messages_before_ = 0;
};

}  // namespace vitrine::test
