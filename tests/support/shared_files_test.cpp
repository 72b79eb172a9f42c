#include "support/shared_files.h"

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

namespace vitrine::test {
namespace {

namespace fs = std::filesystem;

// Sets $VITRINE_SHARED for one test and restores it.
class SharedFiles : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* value = std::getenv("VITRINE_SHARED")) before_ = value;
    folder_ = fs::path(testing::TempDir()) / ("vitrine_shared_files_test_" + std::to_string(::getpid()));
    fs::create_directories(folder_ / "models");
    std::ofstream(folder_ / "models" / "a.gguf") << "x";
    setenv("VITRINE_SHARED", folder_.c_str(), 1);
  }
  void TearDown() override {
    if (before_) {
      setenv("VITRINE_SHARED", before_->c_str(), 1);
    } else {
      unsetenv("VITRINE_SHARED");
    }
    fs::remove_all(folder_);
  }
  fs::path folder_;
  std::optional<std::string> before_;
};

TEST_F(SharedFiles, FindsWhatTheEnvironmentNames) {
  ASSERT_TRUE(sharedDir().has_value());
  EXPECT_EQ(*sharedDir(), fs::canonical(folder_));
  EXPECT_EQ(sharedFile("models/a.gguf"), fs::canonical(folder_) / "models/a.gguf");
  EXPECT_EQ(sharedFile("models/b.gguf"), std::nullopt);
}

TEST_F(SharedFiles, IsAbsentWhenTheFolderIs) {
  setenv("VITRINE_SHARED", (folder_ / "nowhere").c_str(), 1);
  EXPECT_EQ(sharedDir(), std::nullopt);
  EXPECT_EQ(sharedFile("models/a.gguf"), std::nullopt);
}

TEST_F(SharedFiles, LooksBesideTheCheckoutWithoutTheEnvironment) {
  unsetenv("VITRINE_SHARED");
  const fs::path beside = sourceDir() / ".." / "shared";
  EXPECT_EQ(sharedDir().has_value(), fs::is_directory(beside));
}

TEST_F(SharedFiles, DeclaresThePathOrSkips) {
  VITRINE_SHARED_OR_SKIP(model, "models/a.gguf");
  EXPECT_TRUE(fs::exists(model));
}

}  // namespace
}  // namespace vitrine::test
