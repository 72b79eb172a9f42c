// What DeviceSpectra holds, and the recording of its commands (device_spectra_recording.cpp; in pairs of
// floats device_spectra_pairs.cpp).
#pragma once

#include <algorithm>

#include "core/spectra/device_spectra.h"
#include "core/spectra/pair_arithmetic.h"
#include "gpu/commands.h"
#include "svd/band_panel.params.h"
#include "svd/gram.params.h"
#include "svd/squares.params.h"
#include "svd/tridiagonal.params.h"

namespace vitrine::core {

// Of the kernels in shaders/svd.
inline constexpr std::uint32_t kColumnThreads = 128, kProductTile = 128, kReflectorBlock = 32;
inline constexpr std::uint32_t kBand = 16, kBandGroupRows = 128, kBandSlots = 8;
inline constexpr const char* kSpectraStages[] = {"gram", "band", "tridiagonal", "eigenvalues"};

// Buffers of the batch; sizes in doubles, or pairs of floats, where nothing else is said.
struct SpectraBatchShape {
  std::uint32_t rows = 0, columns = 0, count = 0;
  bool with_vectors = false;  // of one matrix, in double precision: what its eigenvectors need is kept
  bool by_band = false;       // reduced in two stages (shaders/svd/band_panel.glsl)

  std::uint32_t n() const { return std::min(rows, columns); }
  std::uint32_t longSide() const { return std::max(rows, columns); }
  std::uint32_t stride() const { return (n() + 1) / 2 * 2; }
  std::uint32_t width() const { return 32; }  // of a panel
  // Of tridiagonal_product.comp: blocks of rows, and tiles of them on and below the diagonal.
  std::uint32_t slots() const { return std::max(2u, gpu::divideUp(n(), kProductTile)); }
  std::uint32_t parts() const { return slots() * (slots() + 1) / 2 + 1; }

  std::uint64_t inputBytes() const { return std::uint64_t{rows} * columns * elementBytes(); }
  std::uint64_t elementBytes() const { return with_vectors ? sizeof(double) : sizeof(float); }
  std::uint64_t gram() const { return std::uint64_t{n()} * stride(); }
  std::uint64_t panel() const { return 2ull * width() * stride(); }
  std::uint32_t kept() const { return with_vectors ? reflectors() : 2; }
  std::uint32_t reflectors() const { return (n() + kReflectorBlock - 1) / kReflectorBlock * kReflectorBlock; }
  std::uint64_t vectors() const { return std::uint64_t{kept()} * stride(); }
  std::uint64_t products() const { return std::uint64_t{slots()} * stride() + 2ull * width(); }
  std::uint64_t allParts() const { return 3ull * parts(); }
  // Of the reduction in two stages.
  std::uint32_t bandRoom() const { return gpu::divideUp(n(), kBandGroupRows); }
  std::uint32_t bandRows() const { return n() + 3 * kBand; }
  std::uint64_t bandElements() const { return by_band ? std::uint64_t{bandRows()} * 2 * kBand : 1; }
  std::uint64_t bandProducts() const { return by_band ? std::uint64_t{kBandSlots} * kBand * stride() : 1; }
  std::uint64_t bandScratch() const {
    return by_band ? 2ull * (bandRoom() + 1) * kBand + (bandRoom() + 1ull) * kBand * kBand : 1;
  }
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
    return inputBytes() +
           sizeof(double) * (gram() + panel() + vectors() + products() + allParts() + terms() + 2 * found() +
                             bandElements() + bandProducts() + bandScratch() + 1);
  }
  bool operator==(const SpectraBatchShape&) const = default;
};

struct DeviceSpectra::Impl {
  explicit Impl(gpu::Device& d) : device(d), kernels(d) {}

  gpu::Device& device;
  Kernels kernels;
  SumForm form = SumForm::kDouble;
  PairArithmetic pairs;  // of that form
  SpectraBatchShape shape;
  gpu::Buffer input, gram, panel, vectors, products, parts, terms, bounds, found, host;
  gpu::Buffer band, band_products, band_scratch;
  std::vector<int> exponents;           // input is what spectraOf() was given over 2^exponent
  std::vector<gpu::Commands> recorded;  // for the shape, in order
  const char* stage = "";               // of the recording
  Reduction reduction = Reduction::kAuto;
  gpu::Slice given;  // Gram matrices that were not made of `input`

  Result<void> reserve(SpectraBatchShape wanted);
  bool isByBand(const SpectraBatchShape& wanted) const;
  Result<void> compute(const std::stop_token& stop);
  Result<void> allocate();
  void release();
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
  Result<void> recordBand();
  Result<void> recordBandPanel(std::uint32_t first);
  Result<void> recordBandColumn(std::uint32_t first, std::uint32_t step);
  Result<void> recordChase();
  shader::BandPanelParams bandParams(std::uint32_t first, std::uint32_t step) const;
  Result<void> recordValues();
  Result<const gpu::Kernel*> pairKernel(std::string_view name, std::uint32_t subgroups,
                                        std::vector<gpu::Specialization> constants);
  Result<void> recordPairGram();
  Result<void> recordPairSquares(bool of_gram);
  Result<void> recordPairColumns();
  Result<void> recordPairValues();

  shader::GramParams gramParams() const;
  shader::SquaresParams squaresParams(bool of_gram) const;
  std::uint32_t sectionPoints() const;
  std::uint32_t columnGroups(std::uint32_t column) const {
    return gpu::divideUp(shape.stride(), kColumnThreads) - column / kColumnThreads;
  }
  // Of the matrix from a row and column on, on and below the diagonal.
  std::uint32_t tilesFrom(std::uint32_t row) const {
    const std::uint32_t blocks = gpu::divideUp(shape.n(), kProductTile) - row / kProductTile;
    return blocks * (blocks + 1) / 2;
  }
  shader::TridiagonalParams params(std::uint32_t column, std::uint32_t first) const;

  std::vector<double> downloaded() const;  // `found`

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

}  // namespace vitrine::core
