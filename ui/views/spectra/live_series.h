// What the live spectra have been as the sequence grew: a point for each picture that came, of every layer
// and head. Pure arithmetic, no drawing.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/engine/engine_types.h"

namespace vitrine::ui::spectra {

struct LivePoint {
  std::uint32_t tokens = 0;
  double stable = 0, effective = 0;  // ranks
};

class LiveSeries {
 public:
  static constexpr std::size_t kMostPoints = 1'024;  // of a head; beyond them every second one goes

  // The same picture again changes nothing. One of another request, of another sequence or of other layers
  // starts over.
  void take(std::shared_ptr<const core::SpectraPicture> picture);
  void clear();

  const core::SpectraPicture* newest() const { return newest_.get(); }
  // By tokens; of what was refused there is no point. Empty where there is no such row or head.
  std::span<const LivePoint> points(std::size_t row, std::size_t head) const;

 private:
  bool continues(const core::SpectraPicture& picture) const;
  void add(const core::SpectraPicture& picture);

  std::shared_ptr<const core::SpectraPicture> newest_;
  std::vector<std::vector<std::vector<LivePoint>>> points_;  // (rows, heads)
};

// "activations", "keys", "values".
std::string name(core::SpectraOf of);
// Of a row of a picture: "embedding", "3", "final norm" of activations, whose slots are one more than layers;
// the layer's number of keys and values.
std::string rowName(const core::SpectraPicture& picture, std::size_t row);
// Between rows of activations and the layers that other views select: what a layer leaves is one row further
// down. Of keys and values they are the same.
std::size_t rowOfLayer(core::SpectraOf of, std::uint32_t layer);
std::uint32_t layerOfRow(core::SpectraOf of, std::size_t row);

}  // namespace vitrine::ui::spectra
