// Breaks files, the same way each time for the same seed: as bytes, and as JSON that stays JSON.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "support/gguf_builder.h"

namespace vitrine::test {

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  // One to four mutations; three of four strike the first `header` bytes.
  Bytes mutate(Bytes bytes, std::size_t header) {
    const std::uint64_t times = 1 + below(4);
    for (std::uint64_t i = 0; i < times && !bytes.empty(); ++i) mutateOnce(bytes, header);
    return bytes;
  }

  // Changes one value or key somewhere in the tree.
  nlohmann::json mutate(nlohmann::json tree) {
    nlohmann::json* node = &tree;
    while (node->is_structured() && !node->empty()) {
      auto child = node->begin();
      std::advance(child, static_cast<std::ptrdiff_t>(below(node->size())));
      const bool descend = child->is_structured() && below(3) != 0;
      if (descend) {
        node = &*child;
      } else if (below(4) == 0) {
        node->erase(child);
        return tree;
      } else {
        *child = strangeValue();
        return tree;
      }
    }
    *node = strangeValue();
    return tree;
  }

  std::uint64_t below(std::uint64_t end) { return random_() % end; }

 private:
  std::size_t position(const Bytes& bytes, std::size_t header) {
    const std::size_t end = below(4) == 0 ? bytes.size() : std::min(header, bytes.size());
    return static_cast<std::size_t>(below(std::max<std::size_t>(end, 1)));
  }

  // Sizes and counts that are wrong in interesting ways.
  std::uint64_t strangeNumber(std::size_t file_size) {
    const std::array<std::uint64_t, 16> kNumbers = {
        0,          1,          2,          31,         32,         255,   256,       0x7fffffff,
        0x80000000, 0xffffffff, 1ull << 32, 1ull << 62, 1ull << 63, ~0ull, file_size, file_size - 1};
    const std::uint64_t number = kNumbers[below(kNumbers.size())];
    return below(4) == 0 ? number + below(64) - 32 : number;
  }

  template <typename T>
  void overwrite(Bytes& bytes, std::size_t at) {
    const auto value = static_cast<T>(strangeNumber(bytes.size()));
    if (bytes.size() < sizeof value) return;
    at = std::min(at, bytes.size() - sizeof value);
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }

  void mutateOnce(Bytes& bytes, std::size_t header) {
    const std::size_t at = position(bytes, header);
    const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t length =
        static_cast<std::size_t>(1 + below(std::min<std::size_t>(64, bytes.size() - at)));
    const auto to = from + static_cast<std::ptrdiff_t>(length);
    switch (below(9)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes[at] ^= static_cast<std::byte>(1u << below(8));
        break;
      case 2:
        overwrite<std::uint64_t>(bytes, at);
        break;
      case 3:
        overwrite<std::uint32_t>(bytes, at);
        break;
      case 4:
        std::swap(bytes[at], bytes[position(bytes, header)]);
        break;
      case 5:
        bytes.erase(from, to);
        break;
      case 6: {  // a piece of the file once more, in place of other bytes or between them
        const Bytes piece(from, to);
        const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(position(bytes, header));
        bytes.insert(place, piece.begin(), piece.end());
        break;
      }
      case 7:
        std::reverse(from, to);
        break;
      case 8:
        std::generate(from, to, [this] { return static_cast<std::byte>(random_()); });
        break;
    }
  }

  nlohmann::json strangeValue() {
    using nlohmann::json;
    switch (below(14)) {
      case 0:
        return nullptr;
      case 1:
        return true;
      case 2:
        return -1;
      case 3:
        return 0;
      case 4:
        return strangeNumber(1000);
      case 5:
        return 1e308;
      case 6:
        return 1e-308;
      case 7:
        return 2.5;
      case 8:
        return "";
      case 9:
        return std::string(static_cast<std::size_t>(below(5000)), 'x');
      case 10:
        return json::array();
      case 11:
        return json::object();
      case 12:
        return std::vector<std::uint64_t>(static_cast<std::size_t>(below(200)), strangeNumber(1000));
      default: {
        json deep = json::array();
        for (std::uint64_t depth = below(200); depth > 0; --depth) deep = json::array({std::move(deep)});
        return deep;
      }
    }
  }

  std::mt19937_64 random_;
};

}  // namespace vitrine::test
