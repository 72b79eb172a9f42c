// A locked model computes what it did, with other weights; the average of both does not.
#include "core/spectra/head_lock.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "core/checkpoint/safetensors_writer.h"
#include "core/methods/analysis_fixtures.h"
#include "core/reference/reference.h"
#include "core/spectra/head_products.h"
#include "support/gguf_builder.h"
#include "support/small_model.h"

namespace vitrine::test::mergelock_test {
namespace {

using namespace core;

Rope ropeOf(std::uint32_t rotary, RopePairing pairing) {
  Rope rope{.pairing = pairing, .rotary_dim = rotary, .inv_freq = {}};
  for (std::uint32_t i = 0; i < rotary / 2; ++i)
    rope.inv_freq.push_back(std::pow(100.0, -double(i) / rotary));
  return rope;
}

TEST(HeadLock, IsInvertibleAndCommutesWithRotations) {
  std::mt19937_64 random(1);
  for (const RopePairing pairing : {RopePairing::kHalf, RopePairing::kInterleaved})
    for (const std::uint32_t rotary : {4u, 8u}) {
      const Rope rope = ropeOf(rotary, pairing);
      const HeadLock lock = randomHeadLock(8, &rope, 0.7, random);
      EXPECT_LT((product(lock.a, lock.inverse) - Columns::Identity(8, 8)).norm(), 1e-13);
      for (const std::int64_t offset : {1, 7, 1000}) {
        const Columns r = rotation(rope, 8, offset);
        EXPECT_LT((lock.a * r - r * lock.a).norm(), 1e-13 * lock.a.norm());
      }
      EXPECT_GT((lock.a - Columns::Identity(8, 8)).norm(), 0.5);
    }
  // What does not have to commute does not.
  const Rope rope = ropeOf(8, RopePairing::kHalf);
  const HeadLock plain = randomHeadLock(8, nullptr, 0.7, random);
  const Columns r = rotation(rope, 8, 3);
  EXPECT_GT((plain.a * r - r * plain.a).norm(), 0.1);
  EXPECT_LT((product(plain.a, plain.inverse) - Columns::Identity(8, 8)).norm(), 1e-13);
}

TEST(HeadLock, OfNoStrengthIsARotation) {
  std::mt19937_64 random(2);
  const HeadLock lock = randomHeadLock(6, nullptr, 0, random);
  EXPECT_LT(gramMinusIdentity(lock.a).norm(), 1e-13);
}

// Six heads on two kv heads, at several offsets: products stay, raw spectra move, averages are broken.
TEST(Mergelock, KeepsProductsAndMovesWeights) {
  const auto spec = smallSpec();
  for (std::uint32_t layer = 0; layer < 2; ++layer) {
    const AttentionSpec& attention = *spec->blocks[layer].attention();
    const auto original = attentionMatrices(attention);
    ASSERT_TRUE(original);
    std::mt19937_64 random(3);
    const AttentionMatrices changed = locked(attention, *original, randomLocks(attention, 0.5, random));
    const AttentionMatrices mean = averaged(changed, *original);
    for (std::uint32_t head = 0; head < attention.heads; ++head) {
      for (const std::int64_t offset : {0, 1, 50}) {
        const LowRankProduct before = qkProduct(attention, *original, head, offset);
        const double norm = (before.left * before.right).norm();
        EXPECT_LT(distanceOf(qkProduct(attention, changed, head, offset), before).value(), 1e-13 * norm);
        EXPECT_GT(distanceOf(qkProduct(attention, mean, head, offset), before).value(), 0.1 * norm);
      }
      const LowRankProduct before = ovProduct(attention, *original, head);
      const double norm = (before.left * before.right).norm();
      EXPECT_LT(distanceOf(ovProduct(attention, changed, head), before).value(), 1e-13 * norm);
      EXPECT_GT(distanceOf(ovProduct(attention, mean, head), before).value(), 0.3 * norm);
    }
    for (const auto matrix : {&AttentionMatrices::query, &AttentionMatrices::key, &AttentionMatrices::value,
                              &AttentionMatrices::output}) {
      const auto before = fullSvd((*original).*matrix), after = fullSvd(changed.*matrix);
      EXPECT_GT((after->sigma - before->sigma).norm(), 0.05 * before->sigma.norm());
    }
  }
}

TEST(Mergelock, DistanceIsThatOfTheFormedProducts) {
  const LowRankProduct a{core::toDouble(gaussian(9, 2, 1)), core::toDouble(gaussian(2, 7, 2))};
  const LowRankProduct b{core::toDouble(gaussian(9, 3, 3)), core::toDouble(gaussian(3, 7, 4))};
  EXPECT_NEAR(distanceOf(a, b).value(), (a.left * a.right - b.left * b.right).norm(), 1e-12);
  EXPECT_LT(distanceOf(a, a).value(), 1e-13);
}

void appendFloats(std::vector<Bytes>& storage, const Columns& matrix) {
  Bytes bytes;
  for (Eigen::Index i = 0; i < matrix.rows(); ++i)
    for (Eigen::Index j = 0; j < matrix.cols(); ++j)
      GgufBuilder::append(bytes, static_cast<float>(matrix(i, j)));
  storage.push_back(std::move(bytes));
}

// A checkpoint of the small model with other attention.
core::ModelSpec withAttention(const core::ModelSpec& spec, const std::vector<AttentionMatrices>& layers) {
  std::vector<Bytes> storage;
  std::vector<SafetensorsItem> items;
  const auto tensors = smallTensors({});
  storage.reserve(tensors.size());
  for (const auto& [name, shape] : tensors) {
    const auto* entry = spec.checkpoint->find(name);
    VITRINE_ASSERT(entry);
    const auto layer_at = name.find("layers.");
    const AttentionMatrices* m =
        layer_at == std::string::npos ? nullptr : &layers[std::size_t(name[layer_at + 7] - '0')];
    const auto is = [&name](const char* part) { return name.find(part) != std::string::npos; };
    if (is("q_proj"))
      appendFloats(storage, m->query);
    else if (is("k_proj"))
      appendFloats(storage, m->key);
    else if (is("v_proj"))
      appendFloats(storage, m->value);
    else if (is("o_proj"))
      appendFloats(storage, m->output);
    else
      storage.emplace_back(entry->bytes.begin(), entry->bytes.end());
    items.push_back({name, DType::kF32, shape, storage.back()});
  }
  const ScratchFolder folder;
  VITRINE_ASSERT(
      writeSafetensors(folder.path() / "model.safetensors", items, {{"format", "pt"}}).has_value());
  const std::string text = smallConfig({}).dump();
  writeFile(folder.path() / "config.json", std::as_bytes(std::span(text)));
  auto changed = readModelSpec(*Checkpoint::open(folder.path()));
  VITRINE_ASSERT(changed.has_value());
  return std::move(*changed);
}

// The whole model, run in double precision from locked weights in float32.
TEST(Mergelock, KeepsTheLogitsAndBreaksTheAverages) {
  const auto spec = smallSpec();
  std::mt19937_64 random(4);
  std::vector<AttentionMatrices> changed, mean;
  for (const BlockSpec& block : spec->blocks) {
    const auto original = attentionMatrices(*block.attention());
    ASSERT_TRUE(original);
    changed.push_back(locked(*block.attention(), *original, randomLocks(*block.attention(), 0.5, random)));
    mean.push_back(averaged(changed.back(), *original));
  }
  const std::vector<std::int32_t> ids = {3, 1, 4, 1, 5, 9, 2, 6, 5, 35, 8, 57};
  const auto expected = referenceForward(*spec, ids),
             kept = referenceForward(withAttention(*spec, changed), ids),
             merged = referenceForward(withAttention(*spec, mean), ids);
  ASSERT_TRUE(expected && kept && merged);
  EXPECT_LT((kept->logits - expected->logits).norm(), 1e-5 * expected->logits.norm());
  EXPECT_GT((merged->logits - expected->logits).norm(), 0.1 * expected->logits.norm());
}

TEST(Mergelock, SaysSoOfEachLayer) {
  const auto method = core::methods::findAnalysis("mergelock");
  ASSERT_TRUE(method);
  AnalysisInput input{.model = "small", .parameters = Parameters((*method)->parameters)};
  input.spec = smallSpec();
  const auto result = core::methods::runAnalysis(**method, input);
  ASSERT_TRUE(result) << result.error().describe();
  ASSERT_EQ(result->tables[0].rows.size(), 2u);
  for (const auto& row : result->tables[0].rows) {
    const auto at = [&](std::size_t column) { return std::get<double>(row[column]); };
    for (const std::size_t kind : {1u, 5u}) {
      EXPECT_LT(at(kind), 1e-13);
      EXPECT_GT(at(kind + 1), 1e-9);
      EXPECT_LT(at(kind + 1), 1e-6);
      EXPECT_LT(at(kind + 2), 1e-13);
      EXPECT_GT(at(kind + 3), 0.2);
    }
    for (const std::size_t moved : {9u, 10u, 11u, 12u, 13u, 14u, 15u, 16u}) EXPECT_GT(at(moved), 0.05);
  }
}

}  // namespace
}  // namespace vitrine::test::mergelock_test
