#include "core/engine/spectra_views.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/engine/device_sums.h"
#include "core/engine/hidden_stream.h"
#include "core/spectra/running_gram.h"
#include "core/tensor/dequantize.h"
#include "gpu/commands.h"
#include "svd/gram_append.params.h"
#include "svd/token_gram.params.h"

namespace vitrine::core {
namespace {

// The rows of one layer's kv heads, as they lie in its cache.
struct CacheRows {
  std::uint32_t layer = 0, heads = 0, width = 0;
  gpu::Slice cache;             // (heads, context, row_width)
  std::uint32_t row_width = 0;  // of which `width` numbers from `column` on are meant
  std::uint32_t column = 0;
  std::uint32_t context = 0, window = 0;
  std::uint32_t element = 4;  // bytes
  std::string none = {};      // why there are no rows

  std::uint64_t gramBytes() const { return sizeof(double) * heads * width * width; }
  std::uint64_t at(std::uint32_t head, std::uint32_t position) const {  // in bytes, of a row
    return ((std::uint64_t{head} * context + position) * row_width + column) * element;
  }
};

struct Positions {
  std::uint32_t begin = 0, end = 0;
  std::uint32_t count() const { return end - begin; }
  bool operator==(const Positions&) const = default;
};

std::string_view mixerName(const MixerSpec& mixer) {
  return std::visit([](const auto& kind) -> std::string_view { return std::decay_t<decltype(kind)>::kName; },
                    mixer);
}

std::string whyNoRows(const BlockSpec& block) {
  if (block.mixers.empty()) return "It mixes no tokens.";
  return fmt::format("{} carries a state from token to token, not keys and values.",
                     mixerName(block.mixers.front()));
}

CacheRows cacheRows(const Session& session, std::uint32_t layer, SpectraOf of) {
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

Positions positionsOf(std::uint32_t tokens, std::uint32_t own_window, std::uint32_t window) {
  Positions positions{.begin = 0, .end = tokens};
  for (const std::uint32_t most : {own_window, window})
    if (most > 0 && tokens > most) positions.begin = std::max(positions.begin, tokens - most);
  return positions;
}

StreamSpectrum spectrumOf(std::span<const double> sigma, std::size_t count) {
  sigma = sigma.first(std::min(count, sigma.size()));
  StreamSpectrum spectrum{.sigma = {sigma.begin(), sigma.end()}};
  if (sigma.empty()) return spectrum;
  const SpectrumMetrics metrics = spectrumMetrics(sigma, gramFloor(sigma.front()));
  spectrum.stable_rank = metrics.stable_rank;
  spectrum.effective_rank = metrics.effective_rank;
  std::ranges::transform(metrics.energy_rank, spectrum.energy_rank.begin(),
                         [](std::size_t rank) { return static_cast<std::uint32_t>(rank); });
  return spectrum;
}

// The energy of all rows is known exactly.
StreamSpectrum spectrumOf(const HiddenSketch& sketch, std::size_t shown) {
  StreamSpectrum spectrum = spectrumOf(sketch.sigma, sketch.sigma.size());
  if (spectrum.sigma.empty() || spectrum.sigma[0] == 0) return spectrum;
  spectrum.sigma.resize(std::min(shown, spectrum.sigma.size()));
  spectrum.sketch = true;
  spectrum.slack = sketch.slack();
  spectrum.stable_rank = sketch.energy / (sketch.sigma[0] * sketch.sigma[0]);
  for (std::size_t share = 0; share < spectrum.energy_rank.size(); ++share) {
    double held = 0;
    std::uint32_t rank = 0, known = 0;
    for (const double s : sketch.sigma) {
      held += s * s;
      ++rank;
      if (known == 0 && held >= kEnergyShares[share] * sketch.energy) known = rank;
    }
    spectrum.energy_rank[share] = known;
  }
  return spectrum;
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

std::string refusal(std::uint32_t position, std::uint32_t column, float value) {
  return fmt::format("number {} of token {} is {}: such rows have no singular values", column, position,
                     value);
}

}  // namespace

struct SpectraViews::Impl {
  explicit Impl(gpu::Device& of) : device(of), kernels(of) {}

  // Of the keys or of the values: what the Gram matrices, one layer behind the other, have taken in.
  struct Running {
    std::uint64_t revision = 0;
    gpu::Buffer sums;
    std::vector<Positions> taken;  // of each layer
  };
  // The products of the last hidden states among each other, (slots, window, window).
  struct Window {
    std::uint64_t revision = 0, restarts = 0;
    gpu::Buffer products;
    Positions taken;
  };

  gpu::Device& device;
  Kernels kernels;
  gpu::Commands commands;
  std::unique_ptr<DeviceSpectra> solver;  // null: LAPACK finds the eigenvalues
  // Gram matrices of the first of the hidden states that are still in their ring, (slots, width, width).
  struct Beginning {
    gpu::Buffer sums;
    Positions taken;
  };

  Running keys, values;
  Window window;
  Beginning beginning;
  // The last picture of each SpectraOf.
  struct Shown {
    std::array<std::uint64_t, 2> stream = {};
    std::uint32_t tokens = 0;
  };
  std::array<Shown, 3> shown;
  double gpu_ms = 0;

  // Matrices (n, n) of sums, one behind the other; NaN for what is not finite.
  Result<std::vector<std::vector<double>>> solve(gpu::Slice sums, std::uint32_t n, std::uint32_t count);
  Result<std::vector<std::vector<double>>> solveOnHost(std::vector<double> grams, std::uint32_t n);
  Result<std::vector<double>> download(gpu::Slice sums);

  Result<void> takeIn(Running& running, const Session& session, std::span<const CacheRows> layers,
                      std::span<const Positions> wanted);
  Result<void> append(const CacheRows& rows, gpu::Slice sums, Positions from, bool fresh);
  Result<SpectraPicture> ofCache(const Session& session, const SpectraRequest& request, std::uint32_t tokens);
  Result<SpectraPicture> at(const Session& session, const SpectraRequest& request, std::uint32_t tokens) {
    return request.of == SpectraOf::kActivations ? ofHidden(session, request, tokens)
                                                 : ofCache(session, request, tokens);
  }
  Result<std::string> findInCache(const CacheRows& rows, std::uint32_t head, Positions positions);

  Result<void> multiplyNew(const Session& session, const HiddenStream& hidden);
  Result<std::vector<std::vector<double>>> ofLast(const HiddenStream& hidden, Positions rows);
  Result<std::vector<std::vector<double>>> ofBeginning(const HiddenStream& hidden, Positions rows);
  Result<SpectraPicture> ofHidden(const Session& session, const SpectraRequest& request,
                                  std::uint32_t tokens);
  Result<std::string> findInRing(const HiddenStream& hidden, std::uint32_t slot);
  Result<void> begin();
  Result<void> finish();
};

SpectraViews::SpectraViews() = default;
SpectraViews::~SpectraViews() {
  if (impl_) (void)impl_->device.waitIdle();
}

Result<std::unique_ptr<SpectraViews>> SpectraViews::create(gpu::Device& device, Solver solver) {
  std::unique_ptr<SpectraViews> views(new SpectraViews);
  views->impl_ = std::make_unique<Impl>(device);
  TRY_ASSIGN(views->impl_->commands, gpu::Commands::create(device, "spectra of the sequence"));
  if (solver == Solver::kDevice || (!device.info().software && sumsAreDoubles(device))) {
    TRY_ASSIGN(views->impl_->solver, DeviceSpectra::create(device));
  }
  return views;
}

double SpectraViews::lastGpuMs() const {
  return impl_->gpu_ms;
}

void SpectraViews::forget() {
  (void)impl_->device.waitIdle();
  impl_->keys = {};
  impl_->values = {};
  impl_->window = {};
  impl_->shown = {};
}

Result<SpectraPicture> SpectraViews::spectra(const Session& session, const SpectraRequest& request) {
  if (session.length() == 0)
    return fail(ErrorCode::kInvalidArgument, "the sequence is empty: there are no spectra to show");
  impl_->gpu_ms = 0;
  const HiddenStream* hidden = session.hidden();
  const bool activations = request.of == SpectraOf::kActivations;
  const Impl::Shown now{{session.revision(), activations && hidden ? hidden->restarts() : 0},
                        session.length()};
  Impl::Shown& before = impl_->shown[static_cast<std::size_t>(request.of)];
  const std::uint32_t from = before.stream == now.stream ? std::min(before.tokens, now.tokens) : 0;
  std::vector<SpectraPicture> earlier;
  for (std::uint32_t i = 1; i <= request.earlier; ++i) {
    const std::uint32_t tokens = from + (now.tokens - from) * i / (request.earlier + 1);
    if (tokens == from || (!earlier.empty() && earlier.back().tokens == tokens)) continue;
    TRY_ASSIGN(auto picture, impl_->at(session, request, tokens));
    picture.stream = now.stream;
    if (!picture.layers.empty()) earlier.push_back(std::move(picture));
  }
  impl_->beginning = {};
  TRY_ASSIGN(auto picture, impl_->at(session, request, now.tokens));
  picture.stream = now.stream;
  picture.earlier = std::move(earlier);
  before = now;
  return picture;
}

Result<void> SpectraViews::Impl::begin() {
  TRY(commands.begin());
  commands.mark("begin");
  return {};
}

Result<void> SpectraViews::Impl::finish() {
  commands.mark("end");
  TRY(commands.end());
  TRY(commands.submitAndWait());
  TRY_ASSIGN(const auto marks, commands.marks());
  if (!marks.empty()) gpu_ms += marks.back().ms;
  return {};
}

Result<std::vector<double>> SpectraViews::Impl::download(gpu::Slice sums) {
  std::vector<double> values(sums.bytes / sizeof(double));
  TRY(gpu::download(device, sums, std::as_writable_bytes(std::span(values))));
  sumsToDoubles(values, sumsAreDoubles(device));
  return values;
}

Result<std::vector<std::vector<double>>> SpectraViews::Impl::solve(gpu::Slice sums, std::uint32_t n,
                                                                   std::uint32_t count) {
  if (!solver || n % 2 != 0) {
    TRY_ASSIGN(auto grams, download(sums));
    return solveOnHost(std::move(grams), n);
  }
  TRY_ASSIGN(auto sigma, solver->sigmaOfGrams(sums, n, count));
  return sigma;
}

Result<std::vector<std::vector<double>>> SpectraViews::Impl::solveOnHost(std::vector<double> grams,
                                                                         std::uint32_t n) {
  const std::size_t each = std::size_t{n} * n, count = grams.size() / each;
  std::vector<std::vector<double>> sigma(count);
  std::vector<std::optional<Error>> errors(count);
  forEachInParallel(count, [&](std::size_t i) {
    auto found = gramSigma(Eigen::Map<const Eigen::MatrixXd>(&grams[i * each], n, n), n);
    if (found)
      sigma[i] = std::move(*found);
    else if (found.error().code == ErrorCode::kInvalidFile)
      sigma[i].assign(n, std::numeric_limits<double>::quiet_NaN());
    else
      errors[i] = found.error();
  });
  for (const auto& error : errors)
    if (error) return tl::unexpected(*error);
  return sigma;
}

Result<void> SpectraViews::Impl::append(const CacheRows& rows, gpu::Slice sums, Positions from, bool fresh) {
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("svd/gram_append", 1, {{7, rows.element == 2}}, sumForm(device)));
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
        layer.heads.push_back(spectrumOf(found, positions[i].count()));
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
        return refusal(positions.begin + i, column, value);
    }
  return std::string("its Gram matrix is not finite");
}

Result<void> SpectraViews::Impl::multiplyNew(const Session& session, const HiddenStream& hidden) {
  const std::uint32_t most = hidden.options().window;
  const std::uint64_t bytes = sizeof(double) * hidden.slots() * std::uint64_t{most} * most;
  if (window.products.size() != bytes || window.revision != session.revision() ||
      window.restarts != hidden.restarts()) {
    if (window.products.size() != bytes) {
      window = {};
      TRY_ASSIGN(window.products,
                 gpu::Buffer::create(device, bytes, gpu::MemoryKind::kDevice, "products of hidden states"));
    }
    window.revision = session.revision();
    window.restarts = hidden.restarts();
    window.taken = {hidden.first(), hidden.first()};
  }
  const std::uint32_t begin_at = std::max(hidden.first(), hidden.end() - std::min(hidden.end(), most));
  const std::uint32_t first = std::max(window.taken.end, begin_at);
  if (first >= hidden.end()) return {};
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels.get("svd/token_gram", 1, {}, sumForm(device)));
  const shader::TokenGramParams params{.rows = hidden.ring().address(),
                                       .gram = window.products.address(),
                                       .row_stride = hidden.stride() / 4,
                                       .ring = hidden.ringRows(),
                                       .window = most,
                                       .first = first,
                                       .end = hidden.end(),
                                       .begin = begin_at};
  TRY(begin());
  commands.dispatch(*kernel,
                    {gpu::divideUp(gpu::divideUp(hidden.end() - begin_at, 4), kernels.lanes()),
                     gpu::divideUp(hidden.end() - first, 4), hidden.slots()},
                    params, {.reads = {hidden.ring()}, .writes = {window.products}});
  TRY(finish());
  window.taken = {begin_at, hidden.end()};
  return {};
}

// Of rows that the window holds; their order does not matter.
Result<std::vector<std::vector<double>>> SpectraViews::Impl::ofLast(const HiddenStream& hidden,
                                                                    Positions rows) {
  const std::size_t most = hidden.options().window, n = rows.count();
  if (n == most) return solve(window.products, hidden.options().window, hidden.slots());
  TRY_ASSIGN(const auto products, download(window.products));
  std::vector<double> grams;
  grams.reserve(hidden.slots() * n * n);
  for (std::size_t slot = 0; slot < hidden.slots(); ++slot)
    for (std::size_t p = rows.begin; p < rows.end; ++p)
      for (std::size_t q = rows.begin; q < rows.end; ++q)
        grams.push_back(products[(slot * most + p % most) * most + q % most]);
  return solveOnHost(std::move(grams), rows.count());
}

// Of rows that the ring holds and the stream has gone beyond.
Result<std::vector<std::vector<double>>> SpectraViews::Impl::ofBeginning(const HiddenStream& hidden,
                                                                         Positions rows) {
  const std::uint32_t n = hidden.width(), side = gpu::divideUp(n, 4);
  if (!beginning.sums) {
    TRY_ASSIGN(beginning.sums,
               gpu::Buffer::create(device, sizeof(double) * hidden.slots() * std::uint64_t{n} * n,
                                   gpu::MemoryKind::kDevice, "Gram matrices of first hidden states"));
  }
  const Positions taken = std::exchange(beginning.taken, rows);
  const bool grows = taken.begin == rows.begin && taken.end <= rows.end && taken.count() > 0;
  const std::uint32_t first = grows ? taken.end : rows.begin;
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels.get("svd/gram_append", 1, {{7, false}}, sumForm(device)));
  const shader::GramAppendParams params{.rows = hidden.ring().address(),
                                        .grams = beginning.sums.address(),
                                        .matrix_stride = hidden.ringRows() * (hidden.stride() / 4),
                                        .row_stride = hidden.stride() / 4,
                                        .width = n,
                                        .first = first,
                                        .count = rows.end - first,
                                        .ring = hidden.ringRows(),
                                        .fresh = !grows};
  TRY(begin());
  commands.dispatch(*kernel, {gpu::divideUp(side * (side + 1) / 2, kernels.lanes()), hidden.slots()}, params,
                    {.reads = {hidden.ring()}, .writes = {beginning.sums}});
  TRY(finish());
  return solve(beginning.sums, n, hidden.slots());
}

// No layers for a length of which nothing is known any more.
Result<SpectraPicture> SpectraViews::Impl::ofHidden(const Session& session, const SpectraRequest& request,
                                                    std::uint32_t tokens) {
  SpectraPicture picture{.request = request, .tokens = tokens, .layers = {}};
  HiddenStream* hidden = session.hidden();
  if (!hidden || hidden->end() == hidden->first())
    return fail(ErrorCode::kInvalidArgument, "no hidden states were followed: Session::followHidden");
  Positions rows{hidden->first(), std::min(tokens, hidden->end())};
  const bool earlier = rows.end < hidden->end();
  const bool all_held = hidden->end() - hidden->first() <= hidden->ringRows();
  if (earlier && (!all_held || rows.end <= rows.begin)) return picture;
  if (request.window > 0 && rows.count() > request.window) rows.begin = rows.end - request.window;
  const bool last = rows.count() <= hidden->options().window;
  if (!last && (request.window > 0 || hidden->options().window_only))
    return fail(ErrorCode::kInvalidArgument, "a window of {} hidden states, at most {} are kept",
                rows.count(), hidden->options().window);
  if (earlier && !hidden->exact()) return picture;
  std::vector<std::vector<double>> sigma;
  if (earlier) {
    TRY_ASSIGN(sigma, ofBeginning(*hidden, rows));
  } else if (last) {
    TRY(multiplyNew(session, *hidden));
    TRY_ASSIGN(sigma, ofLast(*hidden, rows));
  } else {
    TRY(hidden->flush());
    if (hidden->exact()) {
      TRY_ASSIGN(sigma, solve(hidden->grams(), hidden->width(), hidden->slots()));
    }
  }
  for (std::uint32_t slot = 0; slot < hidden->slots(); ++slot) {
    const bool sketched = sigma.empty();
    const std::vector<double>& found = sketched ? hidden->sketches()[slot].sigma : sigma[slot];
    LayerSpectra layer{
        .layer = slot, .first = rows.begin, .end = rows.end, .width = hidden->width(), .heads = {}};
    if (!found.empty() && std::ranges::all_of(found, [](double s) { return std::isfinite(s); })) {
      layer.heads.push_back(sketched ? spectrumOf(hidden->sketches()[slot], hidden->options().shown)
                                     : spectrumOf(found, std::min(rows.count(), hidden->width())));
    } else {
      TRY_ASSIGN(auto place, findInRing(*hidden, slot));
      layer.heads.push_back({.sigma = {}, .refused = std::move(place)});
    }
    picture.layers.push_back(std::move(layer));
  }
  return picture;
}

Result<std::string> SpectraViews::Impl::findInRing(const HiddenStream& hidden, std::uint32_t slot) {
  const std::uint64_t row = hidden.stride() * sizeof(float), bytes = hidden.ringRows() * row;
  std::vector<float> values(bytes / sizeof(float));
  TRY(gpu::download(device, {hidden.ring(), slot * bytes, bytes}, std::as_writable_bytes(std::span(values))));
  const std::uint32_t oldest =
      std::max(hidden.first(), hidden.end() - std::min(hidden.end(), hidden.ringRows()));
  for (std::uint32_t position = oldest; position < hidden.end(); ++position)
    for (std::uint32_t column = 0; column < hidden.width(); ++column) {
      const float value = values[std::size_t{position % hidden.ringRows()} * hidden.stride() + column];
      if (!std::isfinite(value)) return refusal(position, column, value);
    }
  return fmt::format("a token before {} has numbers that are not finite: there are no singular values",
                     oldest);
}

}  // namespace vitrine::core
