#include "gpu/buffer.h"

#include <cstring>
#include <numeric>

#include "gpu/commands.h"
#include "gpu/kernel.h"
#include "support/gpu_fixture.h"
#include "test/increment.params.h"

namespace vitrine::gpu {
namespace {

using test::expectOk;
using test::expectValue;

class BufferTest : public test::GpuTest {};

std::vector<std::byte> pattern(std::size_t bytes) {
  std::vector<std::byte> data(bytes);
  for (std::size_t i = 0; i < bytes; ++i) data[i] = std::byte(i * 131 + i / 251);
  return data;
}

TEST_F(BufferTest, RoundTripsEverySizeAndKind) {
  for (const MemoryKind kind : {MemoryKind::kDevice, MemoryKind::kUpload, MemoryKind::kReadback}) {
    for (const std::size_t bytes : {1u, 3u, 16u, 17u, 4095u, 65537u, (17u << 20) + 5u}) {
      const std::vector<std::byte> data = pattern(bytes);
      const Buffer buffer = bufferOf(std::span<const std::byte>(data), kind);
      EXPECT_EQ(buffer.size(), bytes);
      EXPECT_EQ(buffer.address() % 16, 0u);
      EXPECT_EQ(contentOf<std::byte>(buffer), data) << bytes << " bytes";
    }
  }
}

}  // namespace
}  // namespace vitrine::gpu
