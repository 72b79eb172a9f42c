#include "core/figure/model_hash.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/figure/sha256.h"
#include "support/scratch_folder.h"

namespace vitrine::core::model_hash_test {
namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

TEST(ModelHashTest, IsThatOfTheWeights) {
  const test::ScratchFolder folder;
  EXPECT_EQ(modelHash(folder.path()), "");
  EXPECT_EQ(modelHash(folder.path() / "missing.gguf"), "");
  write(folder.path() / "model.gguf", "weights");
  EXPECT_EQ(modelHash(folder.path() / "model.gguf"), sha256Of("weights"));
  write(folder.path() / "config.json", "{}");
  write(folder.path() / "b.safetensors", "abc");
  EXPECT_EQ(modelHash(folder.path()), sha256Of("abc"));
  write(folder.path() / "a.safetensors", "");
  EXPECT_EQ(modelHash(folder.path()),
            sha256Of("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a.safetensors\n"
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b.safetensors\n"));
  EXPECT_EQ(modelHash(folder.path(), 2), "");
}

}  // namespace
}  // namespace vitrine::core::model_hash_test
