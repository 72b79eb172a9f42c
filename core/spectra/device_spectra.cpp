#include "core/spectra/device_spectra.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>

#include "core/spectra/device_spectra_impl.h"
#include "core/spectra/scaled_upload.h"
#include "core/spectra/tridiagonal.h"
#include "gpu/log.h"

namespace vitrine::core {
namespace {

constexpr std::size_t kInFlight = 4;

double sumOf(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

// The chase of bulges leaves to a device's memory model more than anything else here does, so it is checked.
bool holds(const Spectrum& spectrum) {
  constexpr double kMost = 1e-10;
  return spectrum.certificate.energy < kMost && spectrum.certificate.fourth < kMost;
}

void rescale(Spectrum& spectrum, int exponent) {
  for (double& value : spectrum.sigma) value = std::ldexp(value, exponent);
  for (double* number : {&spectrum.frobenius, &spectrum.floor, &spectrum.certificate.upper_bound})
    *number = std::ldexp(*number, exponent);
}

}  // namespace

DeviceSpectra::DeviceSpectra() = default;
DeviceSpectra::~DeviceSpectra() {
  if (impl_) (void)impl_->device.waitIdle();
}

Result<std::unique_ptr<DeviceSpectra>> DeviceSpectra::create(gpu::Device& device,
                                                             std::optional<SumForm> form) {
  std::unique_ptr<DeviceSpectra> spectra(new DeviceSpectra);
  spectra->impl_ = std::make_unique<Impl>(device);
  Impl& impl = *spectra->impl_;
  impl.form = form.value_or(sumFormOf(device));
  if (impl.form == SumForm::kPair) {
    TRY_ASSIGN(impl.pairs, pairArithmeticOf(impl.kernels));
  } else if (!device.info().features.float64) {
    return fail(ErrorCode::kUnsupported, "{} has no double precision, which this needs", device.info().name);
  }
  return spectra;
}

std::string DeviceSpectra::text() const {
  const std::string& device = impl_->device.info().name;
  return impl_->form == SumForm::kPair ? device + ", pairs of floats" : device;
}

std::uint64_t DeviceSpectra::bytesOf(std::uint64_t rows, std::uint64_t columns) {
  return SpectraBatchShape{std::uint32_t(rows), std::uint32_t(columns), 1}.bytes();
}

void DeviceSpectra::reduceBy(Reduction reduction) {
  (void)impl_->device.waitIdle();
  impl_->release();
  impl_->reduction = reduction;
}

bool DeviceSpectra::isFaster(const gpu::Device& device) {
  return !device.info().software;
}

Result<void> DeviceSpectra::requireFits(std::uint64_t rows, std::uint64_t columns) {
  constexpr std::uint64_t kMostRows = 46'340;  // of a Gram matrix whose elements 32 bits count
  if (rows == 0 || columns == 0)
    return fail(ErrorCode::kInvalidArgument, "a matrix of {} x {} has no singular values", rows, columns);
  if (std::min(rows, columns) > kMostRows || rows * columns >= 1ull << 32)
    return fail(
        ErrorCode::kUnsupported,
        "a matrix of {} x {} is too large for the device's spectra: at most {} on the short side and 2^32 "
        "elements",
        rows, columns, kMostRows);
  return {};
}

Result<void> DeviceSpectra::reserve(std::uint64_t rows, std::uint64_t columns, std::uint32_t count) {
  if (count == 0) return fail(ErrorCode::kInvalidArgument, "no matrix has no singular values");
  TRY(requireFits(rows, columns));
  return impl_->reserve({std::uint32_t(rows), std::uint32_t(columns), count});
}

Result<void> DeviceSpectra::Impl::reserve(SpectraBatchShape wanted) {
  wanted.by_band = form == SumForm::kDouble && !wanted.with_vectors && isByBand(wanted);
  if (wanted == shape) return {};
  TRY(device.waitIdle());
  release();
  const std::uint64_t available = device.memory().available;
  if (wanted.bytes() * wanted.count > available)
    return fail(ErrorCode::kOutOfMemory, "{} spectra of {} x {} need {:.2f} GB, {:.2f} GB are free on {}",
                wanted.count, wanted.rows, wanted.columns, 1e-9 * double(wanted.bytes() * wanted.count),
                1e-9 * double(available), device.info().name);
  shape = wanted;
  exponents.assign(wanted.count, 0);
  auto done = allocate();
  if (!done) release();
  return done;
}

void DeviceSpectra::Impl::release() {
  recorded.clear();
  for (gpu::Buffer* buffer : {&input, &gram, &panel, &vectors, &products, &parts, &terms, &bounds, &found,
                              &host, &band, &band_products, &band_scratch})
    *buffer = {};
  shape = {};
}

Result<void> DeviceSpectra::Impl::allocate() {
  const auto make = [&](gpu::Buffer& to, std::uint64_t bytes, const char* name) -> Result<void> {
    TRY_ASSIGN(to, gpu::Buffer::create(device, bytes * shape.count, gpu::MemoryKind::kDevice, name));
    return {};
  };
  constexpr std::uint64_t kDouble = sizeof(double);
  TRY(make(input, shape.inputBytes(), "matrices"));
  TRY(make(gram, shape.gram() * kDouble, "gram matrices"));
  TRY(make(panel, shape.panel() * kDouble, "panels"));
  TRY(make(vectors, shape.vectors() * kDouble, "vectors"));
  TRY(make(products, shape.products() * kDouble, "products"));
  TRY(make(parts, shape.allParts() * kDouble, "parts"));
  TRY(make(terms, shape.terms() * kDouble, "section terms"));
  TRY(make(bounds, kDouble, "bounds"));
  TRY(make(band, shape.bandElements() * kDouble, "bands"));
  TRY(make(band_products, shape.bandProducts() * kDouble, "products of panels"));
  TRY(make(band_scratch, shape.bandScratch() * kDouble, "sums of panels"));
  TRY(make(found, shape.found() * kDouble, "spectra"));
  TRY_ASSIGN(host, gpu::Buffer::create(device, shape.found() * kDouble * shape.count,
                                       gpu::MemoryKind::kReadback, "spectra, host"));
  return {};
}

gpu::Slice DeviceSpectra::input(std::uint32_t index) {
  impl_->exponents[index] = 0;
  return {impl_->input, index * impl_->shape.inputBytes(), impl_->shape.inputBytes()};
}

Result<std::vector<std::vector<double>>> DeviceSpectra::sigmaOfGrams(gpu::Slice grams, std::uint32_t n,
                                                                     std::uint32_t count) {
  Impl& impl = *impl_;
  VITRINE_ASSERT(n % 2 == 0);
  TRY(reserve(n, n, count));
  impl.recorded.clear();
  impl.given = grams;
  auto done = compute();
  impl.given = {};
  impl.recorded.clear();
  TRY(done);
  const std::vector<double> found = impl.downloaded();
  const std::span all(found);
  const auto values = all.subspan(impl.values().offset / sizeof(double));
  std::vector<std::vector<double>> sigma(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    // Counting makes numbers of NaN, too.
    const auto form = all.subspan(i * impl.shape.result(), 2 * std::size_t{n} - 1);
    if (!std::ranges::all_of(form, [](double value) { return std::isfinite(value); })) {
      sigma[i].assign(n, std::numeric_limits<double>::quiet_NaN());
      continue;
    }
    const auto ascending = values.subspan(std::size_t{i} * n, n);
    for (auto value = ascending.rbegin(); value != ascending.rend(); ++value)
      sigma[i].push_back(std::sqrt(*value < 0 ? 0 : *value));
  }
  return sigma;
}

Result<void> DeviceSpectra::compute(std::stop_token stop) {
  return impl_->compute(stop);
}

Result<void> DeviceSpectra::Impl::compute(const std::stop_token& stop) {
  VITRINE_ASSERT(shape.count > 0);
  if (recorded.empty()) {
    if (auto done = record(); !done) {
      recorded.clear();
      return done;
    }
  }
  std::deque<std::uint64_t> in_flight;
  for (gpu::Commands& commands : recorded) {
    if (stop.stop_requested()) {
      TRY(device.waitIdle());
      return fail(ErrorCode::kCancelled, "the spectra were cancelled");
    }
    if (in_flight.size() == kInFlight) {
      TRY(device.wait(in_flight.front()));
      in_flight.pop_front();
    }
    TRY_ASSIGN(const std::uint64_t value, commands.submit());
    in_flight.push_back(value);
  }
  return device.wait(in_flight.back());
}

Result<std::vector<std::pair<std::string, double>>> DeviceSpectra::stages() const {
  std::vector<std::pair<std::string, double>> stages;
  for (const char* stage : kSpectraStages) stages.emplace_back(stage, 0.0);
  for (const gpu::Commands& commands : impl_->recorded) {
    TRY_ASSIGN(const auto marks, commands.marks());
    for (std::size_t i = 1; i < marks.size(); ++i)
      for (auto& [stage, ms] : stages)
        if (stage == marks[i].label) ms += marks[i].ms - marks[i - 1].ms;
  }
  return stages;
}

std::vector<double> DeviceSpectra::Impl::downloaded() const {
  const auto numbers = host.mappedAs<double>();
  std::vector<double> all(numbers.begin(), numbers.end());
  sumsToDoubles(all, form);
  return all;
}

Result<std::vector<Spectrum>> DeviceSpectra::spectra() const {
  const Impl& impl = *impl_;
  const SpectraBatchShape& shape = impl.shape;
  const std::vector<double> downloaded = impl.downloaded();
  const std::span<const double> all(downloaded);
  const auto part = [&](const gpu::Slice& kind, std::uint32_t matrix) {
    const std::uint64_t each = kind.bytes / sizeof(double) / shape.count;
    return all.subspan(kind.offset / sizeof(double) + matrix * each, each);
  };
  std::vector<Spectrum> found;
  for (std::uint32_t i = 0; i < shape.count; ++i) {
    Spectrum spectrum{.rows = shape.rows, .columns = shape.columns, .sigma = {}, .certificate = {}};
    spectrum.path = impl.form == SumForm::kPair ? SpectrumPath::kDevicePairs : SpectrumPath::kDevice;
    const std::span<const double> values = part(impl.values(), i), form = part(impl.tridiagonal(), i);
    const std::vector<double> squared(values.rbegin(), values.rend());
    for (const double value : squared) spectrum.sigma.push_back(std::sqrt(std::max(value, 0.0)));
    const auto n = static_cast<std::ptrdiff_t>(shape.n());
    const Tridiagonal t{{form.begin(), form.begin() + n}, {form.begin() + n, form.begin() + 2 * n - 1}};
    certifyByCounts(t, squared, spectrum.certificate, roundingOf(impl.form));
    spectrum.floor = gramFloor(spectrum.sigma.front(), roundingOf(impl.form));
    certifyBySums(spectrum, sumOf(part(impl.squares(false), i)), sumOf(part(impl.squares(true), i)));
    rescale(spectrum, impl.exponents[i]);
    found.push_back(std::move(spectrum));
  }
  return found;
}

Result<std::vector<Spectrum>> DeviceSpectra::spectraOf(std::span<const DenseMatrix> matrices,
                                                       std::stop_token stop) {
  if (matrices.empty()) return std::vector<Spectrum>{};
  TRY(reserve(matrices[0].rows, matrices[0].columns, std::uint32_t(matrices.size())));
  TRY_ASSIGN(impl_->exponents, uploadScaled(
                                   impl_->device, matrices, [&](std::uint32_t i) { return input(i); },
                                   impl_->form == SumForm::kPair ? 0 : kDoubleExponents));
  TRY(compute(stop));
  TRY_ASSIGN(auto found, spectra());
  if (impl_->shape.by_band && !std::ranges::all_of(found, &holds)) {
    logWarning(fmt::format(
        "{}: the sums of squares of {} x {} do not agree after a reduction over a band; once more, by "
        "columns",
        impl_->device.info().name, impl_->shape.rows, impl_->shape.columns));
    reduceBy(Reduction::kColumns);
    return spectraOf(matrices, stop);
  }
  return found;
}

}  // namespace vitrine::core
