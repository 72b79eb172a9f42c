#include "core/figure/sha256.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <vector>

namespace vitrine::core {
namespace {

constexpr std::size_t kBlock = 64;

// The standard defines its constants as the first 32 bits of the fractional parts of roots of the first
// primes.
std::uint32_t fraction(long double root) {
  return static_cast<std::uint32_t>((root - std::floor(root)) * 4294967296.0L);
}

std::array<std::uint32_t, 64> firstPrimes() {
  std::array<std::uint32_t, 64> primes{};
  std::size_t count = 0;
  for (std::uint32_t n = 2; count < primes.size(); ++n) {
    bool prime = true;
    for (std::size_t i = 0; i < count && prime; ++i) prime = n % primes[i] != 0;
    if (prime) primes[count++] = n;
  }
  return primes;
}

class Sha256 {
 public:
  Sha256() {
    std::array<std::uint32_t, 64> primes = firstPrimes();
    for (std::size_t i = 0; i < 8; ++i) state_[i] = fraction(std::sqrt(static_cast<long double>(primes[i])));
    for (std::size_t i = 0; i < 64; ++i)
      constants_[i] = fraction(std::cbrt(static_cast<long double>(primes[i])));
  }

  void add(std::string_view bytes) {
    length_ += bytes.size();
    if (!pending_.empty()) {
      std::size_t missing = std::min(kBlock - pending_.size(), bytes.size());
      pending_.append(bytes.substr(0, missing));
      bytes.remove_prefix(missing);
      if (pending_.size() < kBlock) return;
      block(pending_);
      pending_.clear();
    }
    for (; bytes.size() >= kBlock; bytes.remove_prefix(kBlock)) block(bytes);
    pending_ = bytes;
  }

  std::string finish() {
    std::uint64_t bits = length_ * 8;
    std::string tail = "\x80";
    tail.append((kBlock + 56 - (pending_.size() + 1) % kBlock) % kBlock, '\0');
    for (int shift = 56; shift >= 0; shift -= 8) tail += static_cast<char>(bits >> shift);
    add(tail);
    std::string hex;
    for (std::uint32_t word : state_) hex += fmt::format("{:08x}", word);
    return hex;
  }

 private:
  void block(std::string_view bytes) {
    std::array<std::uint32_t, 64> w{};
    auto byte = [&](std::size_t i) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
    };
    for (std::size_t i = 0; i < 16; ++i)
      w[i] = byte(4 * i) << 24 | byte(4 * i + 1) << 16 | byte(4 * i + 2) << 8 | byte(4 * i + 3);
    for (std::size_t i = 16; i < 64; ++i) {
      std::uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
      std::uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    auto [a, b, c, d, e, f, g, h] = state_;
    for (std::size_t i = 0; i < 64; ++i) {
      std::uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
      std::uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + constants_[i] + w[i];
      std::uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
      std::uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    std::array<std::uint32_t, 8> round = {a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < 8; ++i) state_[i] += round[i];
  }

  std::array<std::uint32_t, 8> state_{};
  std::array<std::uint32_t, 64> constants_{};
  std::uint64_t length_ = 0;
  std::string pending_;  // less than a block
};

}  // namespace

std::string sha256Of(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.finish();
}

Result<std::string> sha256OfFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::kNotFound, "{}: cannot be opened to compute its SHA-256", path.string());
  Sha256 hash;
  std::vector<char> buffer(1 << 20);
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || file.gcount() > 0)
    hash.add({buffer.data(), static_cast<std::size_t>(file.gcount())});
  if (file.bad())
    return fail(ErrorCode::kIo, "{}: reading failed while computing its SHA-256", path.string());
  return hash.finish();
}

}  // namespace vitrine::core
