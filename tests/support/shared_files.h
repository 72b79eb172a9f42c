// Where tests find what is not part of the repository: reference models, texts and tokenizers, in
// $VITRINE_SHARED or in ../shared beside the checkout. Absent means: skip, with a line that says so.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>

namespace vitrine::test {

// The repository, or what scripts/portable packed of it.
inline std::filesystem::path sourceDir() {
  const char* chosen = std::getenv("VITRINE_SOURCE");
  return chosen && *chosen ? chosen : VITRINE_SOURCE_DIR;
}

// nullopt when there is no such folder.
inline std::optional<std::filesystem::path> sharedDir() {
  const char* chosen = std::getenv("VITRINE_SHARED");
  std::filesystem::path folder =
      chosen && *chosen ? std::filesystem::path(chosen) : sourceDir() / ".." / "shared";
  std::error_code ignored;
  folder = std::filesystem::weakly_canonical(folder, ignored);
  if (!std::filesystem::is_directory(folder, ignored)) return std::nullopt;
  return folder;
}

// A file or folder in it, such as "models/stories260K/stories260K.gguf"; nullopt when it is not there.
inline std::optional<std::filesystem::path> sharedFile(std::string_view relative) {
  std::optional<std::filesystem::path> folder = sharedDir();
  std::error_code ignored;
  if (!folder || !std::filesystem::exists(*folder / relative, ignored)) return std::nullopt;
  return *folder / relative;
}

// Small files that the repository's own scripts made: tests/data/<relative>.
inline std::filesystem::path testData(std::string_view relative) {
  return sourceDir() / "tests" / "data" / relative;
}

}  // namespace vitrine::test

// Declares `std::filesystem::path name` for a file or folder of the shared folder, or skips the test when it
// is absent.
#define VITRINE_SHARED_OR_SKIP(name, relative)                                                     \
  const std::optional<std::filesystem::path> name##_found = ::vitrine::test::sharedFile(relative); \
  if (!name##_found)                                                                               \
    GTEST_SKIP() << relative << " is not in $VITRINE_SHARED or " VITRINE_SOURCE_DIR "/../shared";  \
  const std::filesystem::path name = *name##_found
