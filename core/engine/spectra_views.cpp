#include <algorithm>
#include <cmath>

#include "core/engine/spectra_views_impl.h"
#include "core/spectra/parallel.h"
#include "core/spectra/running_gram.h"

namespace vitrine::core {
StreamSpectrum streamSpectrum(std::span<const double> sigma, std::size_t count) {
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

std::string notFiniteText(std::uint32_t position, std::uint32_t column, float value) {
  return fmt::format("number {} of token {} is {}: such rows have no singular values", column, position,
                     value);
}

SpectraViews::SpectraViews() = default;
SpectraViews::~SpectraViews() {
  if (impl_) (void)impl_->device.waitIdle();
}

Result<std::unique_ptr<SpectraViews>> SpectraViews::create(gpu::Device& device, Solver solver) {
  std::unique_ptr<SpectraViews> views(new SpectraViews);
  views->impl_ = std::make_unique<Impl>(device);
  TRY_ASSIGN(views->impl_->commands, gpu::Commands::create(device, "spectra of the sequence"));
  if (solver == Solver::kDevice || (!device.info().software && sumFormOf(device) == SumForm::kDouble)) {
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
  sumsToDoubles(values, sumFormOf(device));
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
  (void)runParallel(count, 0, {}, [&](std::size_t i) {
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

}  // namespace vitrine::core
