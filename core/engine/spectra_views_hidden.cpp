// Spectra of the hidden states that are followed.
#include <algorithm>
#include <cmath>
#include <utility>

#include "core/engine/spectra_views_impl.h"
#include "svd/gram_append.params.h"
#include "svd/token_gram.params.h"

namespace vitrine::core {
namespace {

// The energy of all rows is known exactly.
StreamSpectrum sketchSpectrum(const HiddenSketch& sketch, std::size_t shown) {
  StreamSpectrum spectrum = streamSpectrum(sketch.sigma, sketch.sigma.size());
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

}  // namespace

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
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels.get("svd/token_gram", 1, {}, name(sumFormOf(device))));
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
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("svd/gram_append", 1, {{7, false}}, name(sumFormOf(device))));
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
      layer.heads.push_back(sketched ? sketchSpectrum(hidden->sketches()[slot], hidden->options().shown)
                                     : streamSpectrum(found, std::min(rows.count(), hidden->width())));
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
      if (!std::isfinite(value)) return notFiniteText(position, column, value);
    }
  return fmt::format("a token before {} has numbers that are not finite: there are no singular values",
                     oldest);
}

}  // namespace vitrine::core
