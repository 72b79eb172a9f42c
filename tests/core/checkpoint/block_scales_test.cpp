// FP8 matrices with the scales of their blocks, from the file to the values that are multiplied.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/checkpoint/checkpoint.h"
#include "core/model/row_source.h"
#include "core/tensor/dequantize.h"
#include "support/scratch_folder.h"

namespace vitrine::core {
namespace {

using ::testing::HasSubstr;

class BlockScalesTest : public ::testing::Test {
 protected:
  // A matrix of 5 x 6 bytes 0, 1, 2 .. and scales of the given shape: 1, 2, 3 .. as F32.
  Result<std::shared_ptr<const Checkpoint>> open(const std::string& config, const std::string& scale_shape,
                                                 int scales,
                                                 const std::string& scale_name = "w.weight_scale_inv") {
    std::string header = R"({"w.weight":{"dtype":"F8_E4M3","shape":[5,6],"data_offsets":[0,30]},")" +
                         scale_name + R"(":{"dtype":"F32","shape":)" + scale_shape +
                         R"(,"data_offsets":[30,)" + std::to_string(30 + 4 * scales) + "]}}";
    std::string file(8, '\0');
    file[0] = static_cast<char>(header.size() & 255);
    file[1] = static_cast<char>(header.size() >> 8);
    file += header;
    for (int i = 0; i < 30; ++i) file.push_back(static_cast<char>(i));
    for (int i = 0; i < scales; ++i) {
      const float value = static_cast<float>(i + 1);
      file.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    std::ofstream(folder_ / "model.safetensors", std::ios::binary) << file;
    std::ofstream(folder_ / "config.json") << config;
    return Checkpoint::open(folder_.path());
  }
  test::ScratchFolder folder_;
};

constexpr const char* kBlocksOf2By4 =
    R"({"quantization_config":{"quant_method":"fp8","weight_block_size":[2,4]}})";

TEST_F(BlockScalesTest, MultiplyEachBlock) {
  const auto checkpoint = open(kBlocksOf2By4, "[3,2]", 6);
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  const TensorEntry* tensor = (*checkpoint)->find("w.weight");
  EXPECT_EQ(tensor->valueType(), DType::kF32);
  const auto expected = [](std::uint64_t r, std::uint64_t c) {
    const std::uint64_t scale = r / 2 * 2 + c / 4 + 1;
    return e4m3ToFloat(static_cast<std::uint8_t>(r * 6 + c)) * static_cast<float>(scale);
  };
  const RowSource rows = rowsOf({.tensor = tensor, .first_row = 1, .rows = 4, .columns = 6});
  const auto values = readFloats(rows);
  ASSERT_TRUE(values) << values.error().describe();
  for (std::uint64_t r = 0; r < 4; ++r)
    for (std::uint64_t c = 0; c < 6; ++c)
      EXPECT_EQ((*values)[r * 6 + c], expected(r + 1, c)) << r << " " << c;
  const auto turned = readFloats(rowsOf({.tensor = tensor, .rows = 6, .columns = 5, .transposed = true}));
  ASSERT_TRUE(turned) << turned.error().describe();
  for (std::uint64_t r = 0; r < 6; ++r)
    for (std::uint64_t c = 0; c < 5; ++c) EXPECT_EQ((*turned)[r * 5 + c], expected(c, r)) << r << " " << c;
}

TEST_F(BlockScalesTest, MayBeOneForAll) {
  for (const char* shape : {"[]", "[1]", "[1,1]"}) {
    const auto checkpoint = open(R"({"quantization_config":{"quant_method":"fp8"}})", shape, 1);
    ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
    EXPECT_EQ((*checkpoint)->find("w.weight")->scales->at(4, 5), 1.0f);
  }
  EXPECT_TRUE(open("{}", "[1,1]", 1));  // blocks of 128 x 128
}

TEST_F(BlockScalesTest, MustFitTheMatrix) {
  EXPECT_THAT(open(kBlocksOf2By4, "[2,3]", 6).error().describe(), HasSubstr("expected shape (3, 2)"));
  EXPECT_THAT(open("{}", "[3,2]", 6).error().describe(), HasSubstr("blocks of 128 x 128"));
  EXPECT_THAT(open(R"({"quantization_config":{"weight_block_size":[0,4]}})", "[3,2]", 6).error().describe(),
              HasSubstr("weight_block_size"));
  EXPECT_THAT(open("{}", "[1]", 1, "w.weight_scale").error().describe(), HasSubstr("scales of this kind"));
}

}  // namespace
}  // namespace vitrine::core
