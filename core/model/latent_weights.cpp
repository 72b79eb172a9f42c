#include "core/model/latent_weights.h"

#include <algorithm>

namespace vitrine::core {
namespace {

// Products of a head read whole chunks, which are 8 floats of plain types: beyond them lies another head.
Result<void> checkDimensions(const LatentSpec& latent, std::uint32_t rotary) {
  constexpr std::uint32_t kChunk = 8, kQuad = 4;
  if (latent.rank % kChunk == 0 && latent.plain_dim % kChunk == 0 && rotary % kQuad == 0) return {};
  return fail(ErrorCode::kUnsupported,
              "latent attention of rank {} with {} plain and {} rotary dimensions a head; expected multiples "
              "of {}, {} and {}",
              latent.rank, latent.plain_dim, rotary, kChunk, kChunk, kQuad);
}

// A rotary part, its pairs adjacent, and a plain part below it.
Result<Matrix> joined(WeightLoader& loader, const AttentionSpec& spec, const Linear& rotary,
                      const Linear& plain, std::string name) {
  const auto rotary_dim = static_cast<std::uint32_t>(spec.latent->key_rotary.weight.rows);
  const auto paired = [&](RowSource rows) {
    if (spec.rope) pairUp(rows, rotary_dim, *spec.rope);
    return rows;
  };
  RowSource rows = paired(rowsOf(rotary));
  append(rows, rowsOf(plain));
  if (!rotary.bias) return loader.matrix(rows, {}, std::move(name));
  RowSource bias = paired(rowsOf(rotary.bias));
  append(bias, rowsOf(plain.bias));
  TRY_ASSIGN(const std::vector<float> values, readFloats(bias));
  return loader.matrix(rows, values, std::move(name));
}

// Row r of head h is column r of the head's rows.
RowSource columnsOfHeads(const WeightRef& key_up, std::uint64_t plain_dim) {
  RowSource rows{.type = key_up.tensor->valueType(), .columns = plain_dim, .rows = {}};
  for (std::uint64_t head = 0; head < key_up.rows; head += plain_dim)
    for (std::uint64_t r = 0; r < key_up.columns; ++r)
      rows.rows.push_back({key_up.tensor, key_up.storedRow(head), r});
  return rows;
}

// As floats: blocks of quantized types run along the rows and cannot be turned, nor can what adapters add.
Result<Matrix> turnedFloats(WeightLoader& loader, const Linear& key_up, std::uint64_t plain_dim) {
  const RowSource rows = rowsOf(key_up);
  MergedRows merged(rows);
  std::vector<std::byte> values;
  for (std::size_t r = 0; r < rows.rows.size(); ++r) {
    TRY_ASSIGN(const auto row, merged.row(r));
    values.insert(values.end(), row.begin(), row.end());
  }
  const TensorEntry floats{.name = key_up.weight.tensor->name,
                           .dtype = MergedRows::kType,
                           .shape = {key_up.weight.rows, key_up.weight.columns},
                           .bytes = values};
  const WeightRef all{.tensor = &floats, .rows = key_up.weight.rows, .columns = key_up.weight.columns};
  return loader.matrix(columnsOfHeads(all, plain_dim), {}, "latent to keys");
}

Result<Matrix> keyUp(WeightLoader& loader, const LatentSpec& latent) {
  if (latent.key_up_transposed) return loader.matrix(rowsOf(latent.key_up_transposed), {}, "latent to keys");
  const WeightRef& weight = latent.key_up.weight;
  if (info(weight.tensor->dtype).quantized || !latent.key_up.updates.empty())
    return turnedFloats(loader, latent.key_up, latent.plain_dim);
  return loader.matrix(columnsOfHeads(weight, latent.plain_dim), {}, "latent to keys");
}

// Products of each head have no place for what runs beside the weights.
Result<void> refuseUpdates(const WeightLoader& loader, const LatentSpec& latent) {
  for (const Linear* linear : {&latent.key_up, &latent.value_up})
    if (!loader.mergesUpdates() && !linear->updates.empty())
      return fail(ErrorCode::kUnsupported,
                  "tensor {}: adapters of a latent's way to keys and values run only when they are merged "
                  "into the weights (--merge-adapters)",
                  linear->updates.front().a.tensor->name);
  return {};
}

}  // namespace

Result<LatentWeights> uploadLatent(WeightLoader& loader, const AttentionSpec& spec) {
  const LatentSpec& latent = *spec.latent;
  TRY(checkDimensions(latent, spec.head_dim - latent.rank));
  TRY(refuseUpdates(loader, latent));
  LatentWeights weights;
  if (latent.query) {
    LatentWeights::QueryLatent& query = weights.query_latent.emplace();
    TRY_ASSIGN(query.down, loader.linear(latent.query->down, "query latent"));
    TRY_ASSIGN(query.norm, loader.norm(latent.query->norm, latent.query->down.weight.rows));
  }
  TRY_ASSIGN(weights.query,
             joined(loader, spec, latent.query_rotary, latent.query_plain, "latent attention's queries"));
  TRY_ASSIGN(weights.key, joined(loader, spec, latent.key_rotary, latent.down, "rotary key and latent"));
  TRY_ASSIGN(weights.norm, loader.norm(latent.norm, latent.rank));
  TRY_ASSIGN(weights.key_up, keyUp(loader, latent));
  TRY_ASSIGN(weights.value_up, loader.linear(latent.value_up, "latent to values"));
  return weights;
}

}  // namespace vitrine::core
