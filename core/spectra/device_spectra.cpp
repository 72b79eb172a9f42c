#include "core/spectra/device_spectra.h"

#include <algorithm>
#include <cmath>
#include <deque>

#include "core/engine/kernels.h"
#include "core/spectra/scaled_upload.h"
#include "core/spectra/tridiagonal.h"
#include "gpu/commands.h"
#include "svd/gram.params.h"
#include "svd/multisection.params.h"
#include "svd/squares.params.h"
#include "svd/tridiagonal.params.h"

namespace vitrine::core {
namespace {

constexpr std::uint32_t kTile = 64, kTileThreads = 256;  // of gram.comp and tridiagonal_update.comp
constexpr std::uint32_t kColumnThreads = 128, kProductSubgroups = 8, kProductTile = 128;
constexpr std::uint32_t kStepGroups = 128,
                        kStepRows = 8;            // workgroups of a step at most, rows of each at least
constexpr std::uint32_t kMostDispatches = 1'024;  // of one submission: less than 20 ms
constexpr std::size_t kInFlight = 4;
constexpr const char* kStages[] = {"gram", "tridiagonal", "eigenvalues"};

// Buffers of the batch; sizes in doubles where nothing else is said.
struct Shape {
  std::uint32_t rows = 0, columns = 0, count = 0;

  std::uint32_t n() const { return std::min(rows, columns); }
  std::uint32_t longSide() const { return std::max(rows, columns); }
  std::uint32_t stride() const { return (n() + 1) / 2 * 2; }
  std::uint32_t width() const { return 32; }  // of a panel
  // Of tridiagonal_product.comp: blocks of rows, and tiles of them on and below the diagonal.
  std::uint32_t slots() const { return std::max(2u, gpu::divideUp(n(), kProductTile)); }
  std::uint32_t parts() const { return slots() * (slots() + 1) / 2 + 1; }

  std::uint64_t inputBytes() const { return std::uint64_t{rows} * columns * sizeof(float); }
  std::uint64_t gram() const { return std::uint64_t{n()} * stride(); }
  std::uint64_t panel() const { return 2ull * width() * stride(); }
  std::uint64_t vectors() const { return 2ull * stride(); }
  std::uint64_t products() const { return std::uint64_t{slots()} * stride() + 2ull * width(); }
  std::uint64_t allParts() const { return 3ull * parts(); }
  std::uint32_t steps() const { return (n() + 7) / 8 * 8; }  // of multisection.comp
  std::uint64_t terms() const { return 2ull * steps(); }
  // Sums of squares are of so many parts of a matrix, and of its Gram matrix.
  std::uint32_t squareParts() const {
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(inputBytes() / 8'192, 1, 1'024));
  }
  // What the host reads: the tridiagonal matrix, the eigenvalues, two kinds of sums of squares.
  std::uint64_t result() const { return 2ull * n(); }
  std::uint64_t found() const { return result() + n() + 2ull * squareParts(); }

  std::uint64_t bytes() const {
    return inputBytes() + sizeof(double) * (gram() + panel() + vectors() + products() + allParts() + terms() +
                                            2 * found() + 1);
  }
  bool operator==(const Shape&) const = default;
};

double sumOf(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

void rescale(Spectrum& spectrum, int exponent) {
  for (double& value : spectrum.sigma) value = std::ldexp(value, exponent);
  for (double* number : {&spectrum.frobenius, &spectrum.floor, &spectrum.certificate.upper_bound})
    *number = std::ldexp(*number, exponent);
}

double offBy(double found, double expected) {
  return expected == 0 ? std::abs(found) : std::abs(found - expected) / expected;
}

}  // namespace

struct DeviceSpectra::Impl {
  explicit Impl(gpu::Device& d) : device(d), kernels(d) {}

  gpu::Device& device;
  Kernels kernels;
  Shape shape;
  gpu::Buffer input, gram, panel, vectors, products, parts, terms, bounds, found, host;
  std::vector<int> exponents;           // input is what spectraOf() was given over 2^exponent
  std::vector<gpu::Commands> recorded;  // for the shape, in order
  const char* stage = "";               // of the recording
  bool panels_only = false;

  Result<void> allocate();
  Result<void> record();
  Result<gpu::Commands*> next();  // to record into: the last, or a new one when that is full
  Result<void> closeLast();
  Result<void> recordGram();
  Result<void> recordSquares(bool of_gram);
  Result<void> recordColumns();
  Result<void> recordColumn(std::uint32_t column, std::uint32_t first, bool finish_only);
  Result<void> recordProduct(std::uint32_t column, std::uint32_t first);
  Result<void> recordUpdate(std::uint32_t behind);
  std::uint32_t mostStepColumns() const;
  Result<void> recordMirror(std::uint32_t first);
  Result<void> recordSteps(std::uint32_t first);
  Result<void> recordValues();

  std::uint32_t columnGroups(std::uint32_t column) const {
    return gpu::divideUp(shape.stride(), kColumnThreads) - column / kColumnThreads;
  }
  // Of the matrix from a row and column on, on and below the diagonal.
  std::uint32_t tilesFrom(std::uint32_t row) const {
    const std::uint32_t blocks = gpu::divideUp(shape.n(), kProductTile) - row / kProductTile;
    return blocks * (blocks + 1) / 2;
  }
  shader::TridiagonalParams params(std::uint32_t column, std::uint32_t first) const;

  // Parts of `found` by kind: each kind of all matrices lies together.
  gpu::Slice tridiagonal() const { return {found, 0, shape.count * shape.result() * sizeof(double)}; }
  gpu::Slice values() const {
    return {found, tridiagonal().bytes, std::uint64_t{shape.count} * shape.n() * sizeof(double)};
  }
  gpu::Slice squares(bool of_gram) const {
    const std::uint64_t bytes = std::uint64_t{shape.count} * shape.squareParts() * sizeof(double);
    return {found, tridiagonal().bytes + values().bytes + (of_gram ? bytes : 0), bytes};
  }
};

DeviceSpectra::DeviceSpectra() = default;
DeviceSpectra::~DeviceSpectra() {
  if (impl_) (void)impl_->device.waitIdle();
}

Result<std::unique_ptr<DeviceSpectra>> DeviceSpectra::create(gpu::Device& device) {
  if (!device.info().features.float64)
    return fail(ErrorCode::kUnsupported, "{} has no double precision, which spectra need",
                device.info().name);
  std::unique_ptr<DeviceSpectra> spectra(new DeviceSpectra);
  spectra->impl_ = std::make_unique<Impl>(device);
  return spectra;
}

std::uint64_t DeviceSpectra::bytesOf(std::uint64_t rows, std::uint64_t columns) {
  return Shape{std::uint32_t(rows), std::uint32_t(columns), 1}.bytes();
}

void DeviceSpectra::usePanelsOnly() {
  impl_->panels_only = true;
  impl_->recorded.clear();
}

Result<void> DeviceSpectra::reserve(std::uint64_t rows, std::uint64_t columns, std::uint32_t count) {
  constexpr std::uint64_t kMostRows = 46'340;  // of a Gram matrix whose elements 32 bits count
  if (rows == 0 || columns == 0 || count == 0)
    return fail(ErrorCode::kInvalidArgument, "{} matrices of {} x {} have no singular values", count, rows,
                columns);
  if (std::min(rows, columns) > kMostRows || rows * columns >= 1ull << 32)
    return fail(
        ErrorCode::kUnsupported,
        "a matrix of {} x {} is too large for the device's spectra: at most {} on the short side and 2^32 "
        "elements",
        rows, columns, kMostRows);
  const Shape wanted{std::uint32_t(rows), std::uint32_t(columns), count};
  if (wanted == impl_->shape) return {};
  TRY(impl_->device.waitIdle());
  const std::uint64_t available = impl_->device.memory().available;
  if (wanted.bytes() * count > available)
    return fail(ErrorCode::kOutOfMemory, "{} spectra of {} x {} need {:.2f} GB, {:.2f} GB are free on {}",
                count, rows, columns, 1e-9 * double(wanted.bytes() * count), 1e-9 * double(available),
                impl_->device.info().name);
  impl_->recorded.clear();
  impl_->shape = {};
  const Shape before = std::exchange(impl_->shape, wanted);
  if (auto done = impl_->allocate(); !done) {
    impl_->shape = before;
    return done;
  }
  return {};
}

Result<void> DeviceSpectra::Impl::allocate() {
  const auto make = [&](gpu::Buffer& to, std::uint64_t bytes, const char* name) -> Result<void> {
    to = {};
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
  TRY(make(found, shape.found() * kDouble, "spectra"));
  TRY_ASSIGN(host, gpu::Buffer::create(device, shape.found() * kDouble * shape.count,
                                       gpu::MemoryKind::kReadback, "spectra, host"));
  return {};
}

gpu::Slice DeviceSpectra::input(std::uint32_t index) const {
  return {impl_->input, index * impl_->shape.inputBytes(), impl_->shape.inputBytes()};
}

Result<gpu::Commands*> DeviceSpectra::Impl::next() {
  if (!recorded.empty() && recorded.back().dispatches() < kMostDispatches) return &recorded.back();
  TRY(closeLast());
  TRY_ASSIGN(auto commands, gpu::Commands::create(device, "spectra"));
  recorded.push_back(std::move(commands));
  TRY(recorded.back().begin());
  recorded.back().mark("begin");
  return &recorded.back();
}

Result<void> DeviceSpectra::Impl::closeLast() {
  if (recorded.empty()) return {};
  recorded.back().mark(stage);
  recorded.back().barrier();
  return recorded.back().end();
}

Result<void> DeviceSpectra::Impl::record() {
  stage = kStages[0];
  TRY(recordGram());
  TRY(recordSquares(false));
  TRY(recordSquares(true));
  recorded.back().mark(stage);
  stage = kStages[1];
  TRY(recordColumns());
  recorded.back().mark(stage);
  stage = kStages[2];
  TRY(recordValues());
  recorded.back().mark(stage);
  recorded.back().copy(found, host);
  recorded.back().hostBarrier();
  return recorded.back().end();
}

Result<void> DeviceSpectra::Impl::recordGram() {
  TRY_ASSIGN(gpu::Commands * commands, next());
  // With fewer, larger threads once there are tiles enough to fill a GPU all the same.
  constexpr std::uint32_t kManyTiles = 1'000;
  const std::uint32_t side = gpu::divideUp(shape.n(), kTile), tiles = side * (side + 1) / 2;
  const std::uint32_t each = tiles * shape.count >= kManyTiles ? 8 : 4, of_thread = each * each;
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels.get("svd/gram", kTile * kTile / of_thread / kernels.lanes(),
                                                    {{0, shape.rows < shape.columns}, {1, each}}));
  const shader::GramParams params{.a = input.address(),
                                  .gram = gram.address(),
                                  .n = shape.n(),
                                  .long_side = shape.longSide(),
                                  .columns = shape.columns,
                                  .stride = shape.stride()};
  commands->dispatch(*kernel, {tiles, shape.count}, params, {.reads = {input}, .writes = {gram}});
  return {};
}

Result<void> DeviceSpectra::Impl::recordSquares(bool of_gram) {
  TRY_ASSIGN(gpu::Commands * commands, next());
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels.get("svd/squares", 1, {{0, of_gram}}));
  const gpu::Buffer& from = of_gram ? gram : input;
  const shader::SquaresParams params{.numbers = from.address(),
                                     .sums = squares(of_gram).address(),
                                     .rows = of_gram ? shape.n() : shape.rows,
                                     .columns = of_gram ? shape.n() : shape.columns,
                                     .stride = of_gram ? shape.stride() : shape.columns};
  commands->dispatch(*kernel, {shape.squareParts(), shape.count}, params,
                     {.reads = {from}, .writes = {squares(of_gram)}});
  return {};
}

shader::TridiagonalParams DeviceSpectra::Impl::params(std::uint32_t column, std::uint32_t first) const {
  return {.gram = gram.address(),
          .panel = panel.address(),
          .vectors = vectors.address(),
          .products = products.address(),
          .parts = parts.address(),
          .result = tridiagonal().address(),
          .n = shape.n(),
          .stride = shape.stride(),
          .width = shape.width(),
          .slots = shape.slots(),
          .parts_room = shape.parts(),
          .column = column,
          .first = first};
}

// By panels until the rest is small, of which a column is one dispatch.
Result<void> DeviceSpectra::Impl::recordColumns() {
  const std::uint32_t most = mostStepColumns();
  std::uint32_t first = 0;
  for (; shape.n() - first > most; first += shape.width()) {
    const std::uint32_t behind = first + shape.width();
    for (std::uint32_t column = first; column < behind; ++column) {
      TRY(recordColumn(column, first, false));
      TRY(recordProduct(column, first));
    }
    TRY(recordColumn(behind, first, true));
    TRY(recordUpdate(behind));
  }
  if (first > 0) TRY(recordMirror(first));
  return recordSteps(first);
}

Result<void> DeviceSpectra::Impl::recordMirror(std::uint32_t first) {
  constexpr std::uint32_t kSide = 32;  // of a tile of tridiagonal_mirror.comp
  TRY_ASSIGN(gpu::Commands * commands, next());
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("svd/tridiagonal_mirror", kTileThreads / kernels.lanes()));
  const std::uint32_t tiles = gpu::divideUp(shape.n() - first, kSide);
  commands->dispatch(*kernel, {tiles * (tiles + 1) / 2, shape.count}, params(first, first),
                     {.reads = {}, .writes = {gram}});
  return {};
}

// As many columns as leave matrices that a GPU's cache holds, and whose three vectors fit a workgroup's
// shared memory: see tridiagonal_step.comp.
std::uint32_t DeviceSpectra::Impl::mostStepColumns() const {
  constexpr std::uint32_t kDouble = sizeof(double), kOthers = 1024;
  constexpr double kCache = 34e6;
  const std::uint32_t least = 2 * shape.width();
  if (panels_only) return least;
  const std::uint32_t of_shared = (device.info().shared_memory_bytes - kOthers) / (3 * 2 * kDouble) * 2 - 2;
  const auto of_cache = static_cast<std::uint32_t>(std::sqrt(kCache / (kDouble * shape.count)));
  return std::max(least, std::min(of_shared, of_cache));
}

Result<void> DeviceSpectra::Impl::recordSteps(std::uint32_t first) {
  const std::uint32_t threads = device.info().software ? 256 : 512, subgroups = threads / kernels.lanes();
  const std::uint32_t left = shape.n() - first, pairs = left / 2 + 2;
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("svd/tridiagonal_step", subgroups, {{0, subgroups}, {1, pairs}}));
  for (std::uint32_t column = first; column < shape.n(); ++column) {
    TRY_ASSIGN(gpu::Commands * commands, next());
    const std::uint32_t rows = std::max(1u, shape.n() - column - 1);
    const std::uint32_t groups = std::clamp(kStepGroups / shape.count, 1u, gpu::divideUp(rows, kStepRows));
    commands->dispatch(*kernel, {groups, shape.count}, params(column, first),
                       {.reads = {}, .writes = {gram, vectors, products, parts, tridiagonal()}});
  }
  return {};
}

Result<void> DeviceSpectra::Impl::recordColumn(std::uint32_t column, std::uint32_t first, bool finish_only) {
  TRY_ASSIGN(gpu::Commands * commands, next());
  const std::uint32_t subgroups = kColumnThreads / kernels.lanes();
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("svd/tridiagonal_column", subgroups, {{0, subgroups}, {1, finish_only}}));
  shader::TridiagonalParams step = params(column, first);
  if (column > first) {
    step.norm_parts = columnGroups(column - 1);
    step.dot_parts = tilesFrom(column);
  }
  commands->dispatch(*kernel, {columnGroups(column), shape.count}, step,
                     {.reads = {gram, products}, .writes = {panel, vectors, parts, tridiagonal()}});
  return {};
}

Result<void> DeviceSpectra::Impl::recordProduct(std::uint32_t column, std::uint32_t first) {
  TRY_ASSIGN(gpu::Commands * commands, next());
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("svd/tridiagonal_product", kProductSubgroups, {{0, kProductSubgroups}}));
  shader::TridiagonalParams step = params(column, first);
  step.norm_parts = columnGroups(column);
  const std::uint32_t dots = gpu::divideUp(2 * (column - first), kProductSubgroups);
  commands->dispatch(*kernel, {dots + tilesFrom(column + 1), shape.count}, step,
                     {.reads = {gram, panel, vectors}, .writes = {products, parts}});
  return {};
}

Result<void> DeviceSpectra::Impl::recordUpdate(std::uint32_t behind) {
  TRY_ASSIGN(gpu::Commands * commands, next());
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("svd/tridiagonal_update", kTileThreads / kernels.lanes()));
  commands->dispatch(*kernel, {4 * tilesFrom(behind), shape.count}, params(behind, behind - shape.width()),
                     {.reads = {panel}, .writes = {gram}});
  return {};
}

// Points at once for each value: many, as long as the device has lanes to spare for them.
Result<void> DeviceSpectra::Impl::recordValues() {
  TRY_ASSIGN(gpu::Commands * commands, next());
  const std::uint32_t all = shape.n() * shape.count;
  const std::uint32_t section = std::min(all <= 3'000 ? 32u : all <= 6'000 ? 16u : 8u, kernels.lanes());
  constexpr double kBits = 55;
  const auto passes = static_cast<std::uint32_t>(std::ceil(kBits / std::log2(section + 1)));
  TRY_ASSIGN(const gpu::Kernel* scaled, kernels.get("svd/section_terms", 1));
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels.get("svd/multisection", 1, {{0, section}, {1, passes}}));
  const shader::MultisectionParams step{.tridiagonal = tridiagonal().address(),
                                        .terms = terms.address(),
                                        .bounds = bounds.address(),
                                        .values = values().address(),
                                        .n = shape.n(),
                                        .steps = shape.steps()};
  commands->dispatch(*scaled, {shape.count}, step, {.reads = {tridiagonal()}, .writes = {terms, bounds}});
  commands->dispatch(*kernel, {gpu::divideUp(shape.n(), kernels.lanes() / section), shape.count}, step,
                     {.reads = {terms, bounds}, .writes = {values()}});
  return {};
}

Result<void> DeviceSpectra::compute(std::stop_token stop) {
  Impl& impl = *impl_;
  VITRINE_ASSERT(impl.shape.count > 0);
  if (impl.recorded.empty()) {
    if (auto done = impl.record(); !done) {
      impl.recorded.clear();
      return done;
    }
  }
  std::deque<std::uint64_t> in_flight;
  for (gpu::Commands& commands : impl.recorded) {
    if (stop.stop_requested()) {
      TRY(impl.device.waitIdle());
      return fail(ErrorCode::kCancelled, "the spectra were cancelled");
    }
    if (in_flight.size() == kInFlight) {
      TRY(impl.device.wait(in_flight.front()));
      in_flight.pop_front();
    }
    TRY_ASSIGN(const std::uint64_t value, commands.submit());
    in_flight.push_back(value);
  }
  return impl.device.wait(in_flight.back());
}

Result<std::vector<std::pair<std::string, double>>> DeviceSpectra::stages() const {
  std::vector<std::pair<std::string, double>> stages;
  for (const char* stage : kStages) stages.emplace_back(stage, 0.0);
  for (const gpu::Commands& commands : impl_->recorded) {
    TRY_ASSIGN(const auto marks, commands.marks());
    for (std::size_t i = 1; i < marks.size(); ++i)
      for (auto& [stage, ms] : stages)
        if (stage == marks[i].label) ms += marks[i].ms - marks[i - 1].ms;
  }
  return stages;
}

Result<std::vector<Spectrum>> DeviceSpectra::spectra() const {
  const Impl& impl = *impl_;
  const Shape& shape = impl.shape;
  const std::span<const double> all = impl.host.mappedAs<double>();
  const auto part = [&](const gpu::Slice& kind, std::uint32_t matrix) {
    const std::uint64_t each = kind.bytes / sizeof(double) / shape.count;
    return all.subspan(kind.offset / sizeof(double) + matrix * each, each);
  };
  std::vector<Spectrum> found;
  for (std::uint32_t i = 0; i < shape.count; ++i) {
    Spectrum spectrum{.rows = shape.rows, .columns = shape.columns, .sigma = {}, .certificate = {}};
    spectrum.path = SpectrumPath::kDevice;
    const std::span<const double> values = part(impl.values(), i), form = part(impl.tridiagonal(), i);
    const std::vector<double> squared(values.rbegin(), values.rend());
    for (const double value : squared) spectrum.sigma.push_back(std::sqrt(std::max(value, 0.0)));
    const double squares = sumOf(part(impl.squares(false), i)), fourth = sumOf(part(impl.squares(true), i));
    double sum2 = 0, sum4 = 0;
    for (const double value : values) {
      sum2 += std::max(value, 0.0);
      sum4 += value * value;
    }
    const auto n = static_cast<std::ptrdiff_t>(shape.n());
    const Tridiagonal t{{form.begin(), form.begin() + n}, {form.begin() + n, form.begin() + 2 * n - 1}};
    certifyByCounts(t, squared, spectrum.certificate);
    spectrum.frobenius = std::sqrt(squares);
    spectrum.floor = gramFloor(spectrum.sigma.front());
    spectrum.certificate.upper_bound = std::sqrt(std::sqrt(fourth));
    if (i < impl.exponents.size()) rescale(spectrum, impl.exponents[i]);
    spectrum.certificate.energy = offBy(sum2, squares);
    spectrum.certificate.fourth = offBy(sum4, fourth);
    found.push_back(std::move(spectrum));
  }
  return found;
}

Result<std::vector<Spectrum>> DeviceSpectra::spectraOf(std::span<const DenseMatrix> matrices,
                                                       std::stop_token stop) {
  if (matrices.empty()) return std::vector<Spectrum>{};
  TRY(reserve(matrices[0].rows, matrices[0].columns, std::uint32_t(matrices.size())));
  impl_->exponents.clear();
  for (std::uint32_t i = 0; i < matrices.size(); ++i) {
    VITRINE_ASSERT(matrices[i].rows == matrices[0].rows && matrices[i].columns == matrices[0].columns);
    TRY(requireFinite(matrices[i]));
    TRY_ASSIGN(const int exponent, uploadScaled(impl_->device, matrices[i], input(i)));
    impl_->exponents.push_back(exponent);
  }
  TRY(compute(stop));
  return spectra();
}

}  // namespace vitrine::core
