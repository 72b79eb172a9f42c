// GGUF files of the zoo's models with a key or a tensor's entry that lies: reading the spec gives one clear
// error, or a spec that stays inside its tensors.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cstring>
#include <fstream>

#include "support/any_gguf.h"
#include "support/mutated_reading.h"
#include "support/rwkv_gguf.h"
#include "support/scratch_folder.h"
#include "support/shared_files.h"

namespace vitrine::core::gguf_mutation_test {
namespace {

// Where the numbers of a key, or the name and the dimensions of a tensor, are in a file.
struct KeyPlace {
  std::string name;
  std::size_t name_at = 0, at = 0;
  std::uint32_t type = 0;
  std::uint64_t count = 1;  // of a list
};
struct TensorPlace {
  std::string name;
  std::size_t name_at = 0, dims_at = 0;
  std::uint32_t dims = 0;
};

class GgufPlaces {
 public:
  explicit GgufPlaces(const test::Bytes& file) : file_(file) {
    at_ = 8;
    const auto tensor_count = take<std::uint64_t>(), key_count = take<std::uint64_t>();
    for (std::uint64_t i = 0; i < key_count; ++i) readKey();
    for (std::uint64_t i = 0; i < tensor_count; ++i) {
      TensorPlace place;
      std::tie(place.name, place.name_at) = takeText();
      place.dims = take<std::uint32_t>();
      place.dims_at = at_;
      at_ += place.dims * 8 + 12;  // the dimensions, the type and the offset
      tensors.push_back(std::move(place));
    }
  }

  std::vector<KeyPlace> keys;
  std::vector<TensorPlace> tensors;

  static std::size_t bytesOf(std::uint32_t type) {
    static constexpr std::size_t kBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return kBytes[type];
  }

 private:
  static constexpr std::uint32_t kString = 8, kArray = 9;

  template <typename T>
  T take() {
    T value;
    std::memcpy(&value, &file_[at_], sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::pair<std::string, std::size_t> takeText() {
    const auto length = take<std::uint64_t>();
    const std::size_t from = std::exchange(at_, at_ + length);
    return {std::string(reinterpret_cast<const char*>(&file_[from]), length), from};
  }
  void readKey() {
    KeyPlace place;
    std::tie(place.name, place.name_at) = takeText();
    place.type = take<std::uint32_t>();
    if (place.type == kString) {
      takeText();
      place.count = 0;
    } else if (place.type == kArray) {
      place.type = take<std::uint32_t>();
      place.count = take<std::uint64_t>();
    }
    place.at = at_;
    if (place.count > 0) at_ += place.count * bytesOf(place.type);
    keys.push_back(std::move(place));
  }

  const test::Bytes& file_;
  std::size_t at_ = 0;
};

class GgufMutations : public testing::Test {
 protected:
  void SetUp() override { spdlog::set_level(spdlog::level::err); }  // of tensors that nobody reads
  void TearDown() override { spdlog::set_level(spdlog::level::info); }

  std::filesystem::path file() const { return folder_ / "m.gguf"; }
  std::string read(const std::string& what) { return test::readMutated(file(), what); }

  // Reads with other bytes at a place, which are put back.
  std::string readWith(std::size_t at, std::span<const std::byte> bytes, const std::string& what) {
    patch(at, bytes);
    const std::string message = read(what);
    patch(at, std::span(bytes_).subspan(at, bytes.size()));
    return message;
  }

  void patch(std::size_t at, std::span<const std::byte> bytes) {
    std::fstream out(file(), std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(at));
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }

  void mutateKeys(const std::string& row, const std::vector<KeyPlace>& keys) {
    for (const KeyPlace& key : keys) {
      readWith(key.name_at, std::as_bytes(std::span("?", 1)), row + " without " + key.name);
      if (key.count == 0) continue;
      const std::size_t bytes = GgufPlaces::bytesOf(key.type);
      const std::span stored = std::span(bytes_).subspan(key.at, bytes);
      std::vector<test::Bytes> others = {test::Bytes(bytes), test::Bytes(bytes, std::byte{0xff}),
                                         test::Bytes(bytes, std::byte{0x7f})};
      for (const int step : {1, 2, 0x40}) {  // more of the lowest byte: off by little
        others.emplace_back(stored.begin(), stored.end());
        others.back().front() = static_cast<std::byte>(std::to_integer<int>(stored.front()) + step);
      }
      if (key.type == 7)  // a truth value
        others = {{std::byte{static_cast<unsigned char>(stored.front() == std::byte{0})}}};
      for (const test::Bytes& other : others)
        readWith(
            key.at, other,
            row + " with " + key.name + " from byte " + std::to_string(std::to_integer<int>(other.front())));
    }
  }

  void mutateTensors(const std::string& row, const std::vector<TensorPlace>& tensors) {
    for (const TensorPlace& tensor : tensors) {
      const std::string missing =
          readWith(tensor.name_at, std::as_bytes(std::span("?", 1)), row + " without " + tensor.name);
      // Where a tensor may be stored in another way, that is what is missed.
      if (!missing.empty() && !missing.ends_with(" is missing")) test::expectNamed(missing, tensor.name, {});
      std::uint64_t size = 0;
      std::memcpy(&size, &bytes_[tensor.dims_at], sizeof size);
      if (size < 2) continue;
      --size;
      const std::string lied = readWith(tensor.dims_at, std::as_bytes(std::span(&size, 1)),
                                        row + " with a wrong shape of " + tensor.name);
      if (!lied.empty()) test::expectNamed(lied, tensor.name, {"expected", "found"});
      EXPECT_TRUE(!lied.empty() || missing.empty()) << row << " takes a wrong shape of " << tensor.name;
    }
  }

  void mutate(const std::string& row, test::Bytes bytes) {
    bytes_ = std::move(bytes);
    test::writeFile(file(), bytes_);
    EXPECT_EQ(read(row), "") << row;
    const GgufPlaces places(bytes_);
    mutateKeys(row, places.keys);
    mutateTensors(row, places.tensors);
    EXPECT_EQ(read(row), "") << row << ", put back";
  }

  test::ScratchFolder folder_;
  test::Bytes bytes_;
};

TEST_F(GgufMutations, OfTheZoo) {
  VITRINE_SHARED_OR_SKIP(zoo, "zoo");
  for (const auto& entry : std::filesystem::directory_iterator(zoo)) {
    if (!std::filesystem::exists(entry.path() / "model.safetensors")) continue;
    const auto checkpoint = Checkpoint::open(entry.path());
    ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
    auto bytes = test::anyAsGguf(**checkpoint);
    if (bytes) mutate(entry.path().filename(), std::move(*bytes));
  }
}

TEST_F(GgufMutations, OfRwkv7) {
  VITRINE_SHARED_OR_SKIP(path, "models/rwkv-7v0-834K/model.safetensors");
  const auto checkpoint = Checkpoint::open(path);
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  mutate("rwkv7", test::rwkv7AsGguf(**checkpoint));
}

}  // namespace
}  // namespace vitrine::core::gguf_mutation_test
