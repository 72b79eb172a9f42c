// Zoo models with a config.json or a tensor's header that lies: reading the spec gives one clear error, or a
// spec that stays inside its tensors; no crash, no hang, and no allocation that the file does not justify.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "support/mutated_reading.h"
#include "support/scratch_folder.h"
#include "support/shared_files.h"

namespace vitrine::core::reader_mutation_test {
namespace {

using nlohmann::json;

constexpr std::size_t kSpare = 64;  // spaces behind the header, for shapes that grow

class ReaderMutations : public testing::Test {
 protected:
  void SetUp() override { spdlog::set_level(spdlog::level::err); }  // of tensors that nobody reads
  void TearDown() override { spdlog::set_level(spdlog::level::info); }

  static std::string contents(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(file), {}};
  }

  void open(const std::filesystem::path& row) {
    config_ = json::parse(contents(row / "config.json"));
    const std::string file = contents(row / "model.safetensors");
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), sizeof length);
    header_ = json::parse(file.substr(sizeof length, length));
    header_bytes_ = header_.dump().size() + kSpare;
    std::ofstream out(folder_ / "model.safetensors", std::ios::binary);
    out.write(reinterpret_cast<const char*>(&header_bytes_), sizeof header_bytes_);
    out << std::string(header_bytes_, ' ') << file.substr(sizeof length + length);
    out.close();
    writeHeader(header_.dump());
    writeConfig(config_);
  }

  void writeHeader(std::string text) {
    ASSERT_LE(text.size(), header_bytes_);
    text.resize(header_bytes_, ' ');
    std::fstream file(folder_ / "model.safetensors", std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(sizeof header_bytes_);
    file << text;
  }

  void writeConfig(const json& config) { std::ofstream(folder_ / "config.json") << config.dump(); }

  std::string read(const std::string& what) { return test::readMutated(folder_.path(), what); }

  void mutateConfig(const std::string& row) {
    const json flat = config_.flatten();
    for (const auto& [pointer, value] : flat.items()) {
      const json::json_pointer at(pointer);
      const auto with = [&](const json& other) {
        json changed = config_;
        changed[at] = other;
        writeConfig(changed);
        read(row + pointer + " = " + other.dump());
      };
      if (value.is_number()) {
        const bool whole = value.is_number_integer();
        with(whole ? json(value.get<std::int64_t>() + 1) : json(value.get<double>() + 1));
        with(whole ? json(value.get<std::int64_t>() * 2) : json(value.get<double>() * 2));
        for (const json& other : {json(0), json(-1), json(std::int64_t{1} << 40), json("text"), json()})
          with(other);
      }
    }
    for (const auto& item : config_.items()) {
      json changed = config_;
      changed.erase(item.key());
      writeConfig(changed);
      read(row + " without " + item.key());
    }
    writeConfig(config_);
  }

  void mutateTensors(const std::string& row) {
    const std::string text = header_.dump();
    for (const auto& item : header_.items()) {
      if (item.key() == "__metadata__") continue;
      // One expert stands for all of them: they are read by one loop.
      const std::size_t expert = item.key().find(".experts.");
      if (expert != std::string::npos && item.key()[expert + 9] > '0' && item.key()[expert + 9] <= '9')
        continue;
      // As text: writing JSON anew for each tensor takes longer than reading the model.
      const std::size_t at = text.find(json(item.key()).dump() + ":");
      ASSERT_NE(at, std::string::npos);
      std::string dropped = text;
      dropped[at + 1] = '?';
      writeHeader(dropped);
      const std::string missing = read(row + " without " + item.key());
      if (!missing.empty()) test::expectNamed(missing, item.key(), {});

      std::string turned = text;
      turned.insert(text.find(']', text.find("\"shape\":[", at)), ",1");
      writeHeader(turned);
      const std::string lied = read(row + " with a wrong shape of " + item.key());
      if (!lied.empty()) test::expectNamed(lied, item.key(), {"expected", "found"});
      // Tables that the reader computes itself may look as they like.
      EXPECT_TRUE(!lied.empty() || missing.empty()) << row << " takes a wrong shape of " << item.key();
    }
    writeHeader(text);
  }

  test::ScratchFolder folder_;
  json config_, header_;
  std::uint64_t header_bytes_ = 0;
};

TEST_F(ReaderMutations, OfTheZoo) {
  VITRINE_SHARED_OR_SKIP(zoo, "zoo");
  for (const auto& entry : std::filesystem::directory_iterator(zoo)) {
    if (!std::filesystem::exists(entry.path() / "model.safetensors")) continue;
    const std::string row = entry.path().filename();
    const auto start = std::chrono::steady_clock::now();
    open(entry.path());
    const std::string original = read(row);
    if (original.find("is not known") != std::string::npos) continue;  // no architecture of ours
    EXPECT_EQ(original, "") << row;
    mutateConfig(row);
    mutateTensors(row);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (took.count() > 1) printf("%s took %.1f s\n", row.c_str(), took.count());
  }
}

}  // namespace
}  // namespace vitrine::core::reader_mutation_test
