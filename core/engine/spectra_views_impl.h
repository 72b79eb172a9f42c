// What SpectraViews holds, and its parts: spectra_views.cpp asks and solves, spectra_views_cache.cpp has keys
// and values, spectra_views_hidden.cpp hidden states.
#pragma once

#include "core/engine/device_sums.h"
#include "core/engine/hidden_stream.h"
#include "core/engine/spectra_views.h"
#include "gpu/commands.h"

namespace vitrine::core {

struct SpectraViews::Impl {
  explicit Impl(gpu::Device& of) : device(of), kernels(of) {}

  struct Positions {
    std::uint32_t begin = 0, end = 0;
    std::uint32_t count() const { return end - begin; }
    bool operator==(const Positions&) const = default;
  };

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

  // Gram matrices of the first of the hidden states that are still in their ring, (slots, width, width).
  struct Beginning {
    gpu::Buffer sums;
    Positions taken;
  };

  gpu::Device& device;
  Kernels kernels;
  gpu::Commands commands;
  std::unique_ptr<DeviceSpectra> solver;  // null: LAPACK finds the eigenvalues
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

  static CacheRows cacheRows(const Session& session, std::uint32_t layer, SpectraOf of);
  // Of `tokens` those that a layer's own window and the wanted one (0: none) leave.
  static Positions positionsOf(std::uint32_t tokens, std::uint32_t own_window, std::uint32_t window);
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

// Of values that descend: the first `count` can differ from zero.
StreamSpectrum streamSpectrum(std::span<const double> sigma, std::size_t count);
// Where a number that is not finite lies in the sequence.
std::string notFiniteText(std::uint32_t position, std::uint32_t column, float value);

}  // namespace vitrine::core
