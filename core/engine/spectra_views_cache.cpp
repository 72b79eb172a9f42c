// Spectra of the keys and values in a cache.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/engine/spectra_views_impl.h"
#include "core/tensor/dequantize.h"
#include "svd/gram_append.params.h"

namespace vitrine::core {
namespace {

std::string_view mixerName(const MixerSpec& mixer) {
  return std::visit([](const auto& kind) -> std::string_view { return std::decay_t<decltype(kind)>::kName; },
                    mixer);
}

std::string whyNoRows(const BlockSpec& block) {
  if (block.mixers.empty()) return "It mixes no tokens.";
  return fmt::format("{} carries a state from token to token, not keys and values.",
                     mixerName(block.mixers.front()));
}

float numberAt(const std::byte* at, std::uint32_t element) {
  if (element == 2) {
    std::uint16_t half;
    std::memcpy(&half, at, 2);
    return halfToFloat(half);
  }
  float value;
  std::memcpy(&value, at, 4);
  return value;
}

}  // namespace

SpectraViews::Impl::CacheRows SpectraViews::Impl::cacheRows(const Session& session, std::uint32_t layer,
                                                            SpectraOf of) {
  const AttentionSpec* spec = session.model().attention(layer);
  if (!spec) return {.layer = layer, .cache = {}, .none = whyNoRows(session.model().spec().blocks[layer])};
  const AttentionRecord record = session.record(layer);
  CacheRows rows{.layer = layer,
                 .heads = spec->kv_heads,
                 .width = spec->head_dim,
                 .cache = of == SpectraOf::kValues && !spec->latent ? record.v : record.k,
                 .row_width = spec->head_dim,
                 .context = session.context(),
                 .window = spec->sliding_window,
                 .element = session.options().cache == CacheType::kF16 ? 2u : 4u};
  if (of == SpectraOf::kValues && spec->latent) {
    rows.width = spec->latent->rank;
    rows.column = spec->head_dim - rows.width;
    if (rows.column % 4 != 0)
      return {
          .layer = layer,
          .cache = {},
          .none = fmt::format("Its latent starts at number {} of a row: not at one of four.", rows.column)};
  }
  return rows;
}

SpectraViews::Impl::Positions SpectraViews::Impl::positionsOf(std::uint32_t tokens, std::uint32_t own_window,
                                                              std::uint32_t window) {
  Positions positions{.begin = 0, .end = tokens};
  for (const std::uint32_t most : {own_window, window})
    if (most > 0 && tokens > most) positions.begin = std::max(positions.begin, tokens - most);
  return positions;
}

Result<void> SpectraViews::Impl::append(const CacheRows& rows, gpu::Slice sums, Positions from, bool fresh) {
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("svd/gram_append", 1, {{7, rows.element == 2}}, name(sumFormOf(device))));
  const std::uint32_t side = gpu::divideUp(rows.width, 4);
  const shader::GramAppendParams params{.rows = rows.cache.address() + rows.at(0, 0),
                                        .grams = sums.address(),
                                        .matrix_stride = rows.context * (rows.row_width / 4),
                                        .row_stride = rows.row_width / 4,
                                        .width = rows.width,
                                        .first = from.begin,
                                        .count = from.count(),
                                        .ring = rows.context,
                                        .fresh = fresh};
  commands.dispatch(*kernel, {gpu::divideUp(side * (side + 1) / 2, kernels.lanes()), rows.heads}, params,
                    {.reads = {rows.cache}, .writes = {sums}});
  return {};
}

// Rows that leave a window, or were forgotten, cannot be subtracted without losing digits: the sum starts
// anew.
Result<void> SpectraViews::Impl::takeIn(Running& running, const Session& session,
                                        std::span<const CacheRows> layers,
                                        std::span<const Positions> wanted) {
  std::uint64_t bytes = 0;
  for (const CacheRows& rows : layers) bytes += rows.gramBytes();
  if (bytes == 0) return {};
  if (running.revision != session.revision() || running.sums.size() != bytes) {
    if (running.sums.size() != bytes) {
      TRY_ASSIGN(running.sums,
                 gpu::Buffer::create(device, bytes, gpu::MemoryKind::kDevice, "Gram matrices of a cache"));
    }
    running.taken.assign(layers.size(), {});
    running.revision = session.revision();
  }
  TRY(begin());
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    Positions& taken = running.taken[i];
    const gpu::Slice sums(running.sums, at, layers[i].gramBytes());
    at += sums.bytes;
    if (layers[i].heads == 0 || taken == wanted[i]) continue;
    const bool grows = taken.begin == wanted[i].begin && taken.end <= wanted[i].end && taken.count() > 0;
    TRY(append(layers[i], sums, {grows ? taken.end : wanted[i].begin, wanted[i].end}, !grows));
    taken = wanted[i];
  }
  return finish();
}

Result<SpectraPicture> SpectraViews::Impl::ofCache(const Session& session, const SpectraRequest& request,
                                                   std::uint32_t tokens) {
  SpectraPicture picture{.request = request, .tokens = tokens, .layers = {}};
  std::vector<CacheRows> layers;
  std::vector<Positions> positions;
  for (std::uint32_t layer = 0; layer < session.model().layers(); ++layer) {
    layers.push_back(cacheRows(session, layer, request.of));
    positions.push_back(positionsOf(tokens, layers.back().window, request.window));
  }
  Running& running = request.of == SpectraOf::kKeys ? keys : values;
  if (auto taken = takeIn(running, session, layers, positions); !taken) {
    running = {};
    return tl::unexpected(taken.error());
  }
  std::vector<std::vector<double>> sigma;  // of layers of one width together
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < layers.size();) {
    std::size_t last = i;
    std::uint32_t count = 0;
    std::uint64_t bytes = 0;
    for (; last < layers.size() && (layers[last].heads == 0 || layers[last].width == layers[i].width);
         ++last) {
      count += layers[last].heads;
      bytes += layers[last].gramBytes();
    }
    if (count > 0) {
      TRY_ASSIGN(auto found, solve({running.sums, at, bytes}, layers[i].width, count));
      std::ranges::move(found, std::back_inserter(sigma));
    }
    at += bytes;
    i = std::max(last, i + 1);
  }
  std::size_t next = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const CacheRows& rows = layers[i];
    LayerSpectra layer{.layer = rows.layer,
                       .first = positions[i].begin,
                       .end = positions[i].end,
                       .width = rows.width,
                       .heads = {},
                       .none = rows.none};
    for (std::uint32_t head = 0; head < rows.heads; ++head) {
      const std::vector<double>& found = sigma[next++];
      if (std::ranges::all_of(found, [](double s) { return std::isfinite(s); })) {
        layer.heads.push_back(streamSpectrum(found, positions[i].count()));
        continue;
      }
      TRY_ASSIGN(auto place, findInCache(rows, head, positions[i]));
      layer.heads.push_back({.sigma = {}, .refused = std::move(place)});
    }
    picture.layers.push_back(std::move(layer));
  }
  return picture;
}

Result<std::string> SpectraViews::Impl::findInCache(const CacheRows& rows, std::uint32_t head,
                                                    Positions positions) {
  const std::uint64_t row = std::uint64_t{rows.row_width} * rows.element;
  std::vector<std::byte> bytes(positions.count() * row);
  const std::uint64_t from = rows.at(head, positions.begin) - std::uint64_t{rows.column} * rows.element;
  TRY(gpu::download(device, {*rows.cache.buffer, rows.cache.offset + from, bytes.size()}, bytes));
  for (std::uint32_t i = 0; i < positions.count(); ++i)
    for (std::uint32_t column = 0; column < rows.width; ++column) {
      const std::size_t at = i * row + std::size_t{rows.column + column} * rows.element;
      if (const float value = numberAt(&bytes[at], rows.element); !std::isfinite(value))
        return notFiniteText(positions.begin + i, column, value);
    }
  return std::string("its Gram matrix is not finite");
}

}  // namespace vitrine::core
