// Keeps the pictures that views asked for in step with a growing sequence, without taking more than a tenth
// of the time while tokens are generated. What the user just asked for (another head, a pan, a hovered row)
// is drawn at once.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "core/engine/attention_views.h"
#include "core/engine/mixer_views.h"
#include "core/engine/spectra_views.h"

namespace vitrine::core {

class ViewRefresher {
 public:
  static Result<ViewRefresher> create(gpu::Device& device);

  void setRequest(const ProbeRequest& request);
  void invalidate();  // the sequence was replaced, maybe by one of the same length: draw everything again
  void forget();      // another model: nothing of what was drawn holds any more

  enum class Pace { kIdle, kGenerating };
  // Draws what is due. Returns whether anything changed.
  Result<bool> refresh(const Session& session, Pace pace);
  // Whether refresh would draw something if it were given the time.
  bool pending(const Session& session) const;
  void fill(Snapshot& snapshot) const;
  Result<std::vector<float>> matrix(const Session& session, std::uint32_t layer, std::uint32_t head) {
    return views_->matrix(session, layer, head);
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Part {                 // one kind of picture
    bool asked = false;         // the request changed since it was drawn
    std::uint32_t tokens = 0;   // length of the sequence that it shows
    double cost_s = 0;          // of the last drawing
    Clock::time_point drawn{};  // when

    bool due(std::uint32_t length, Pace pace, double shortest_period_s) const;
  };
  // Between two drawings of anything that merely grew: so long that all parts together keep to their share.
  double shortestPeriod() const;
  template <typename Draw>
  Result<bool> draw(Part& part, const Session& session, Pace pace, Draw draw);

  ViewRefresher(std::unique_ptr<AttentionViews> views, std::unique_ptr<MixerViews> mixers,
                std::unique_ptr<SpectraViews> spectra)
      : views_(std::move(views)), mixers_(std::move(mixers)), spectra_views_(std::move(spectra)) {}
  bool spectraDue(const Session& session, Pace pace, double shortest_period_s) const;

  std::unique_ptr<AttentionViews> views_;
  std::unique_ptr<MixerViews> mixers_;
  std::unique_ptr<SpectraViews> spectra_views_;
  ProbeRequest request_;
  Part overview_, map_, row_, heads_, routing_, states_, spectra_;
  std::shared_ptr<const MapPicture> map_picture_;
  std::shared_ptr<const OverviewPicture> overview_picture_;
  std::shared_ptr<const RowValues> row_values_;
  std::shared_ptr<const std::vector<HeadSummary>> head_summaries_;
  std::shared_ptr<const RoutingPicture> routing_picture_;
  std::shared_ptr<const StatePicture> state_picture_;
  std::shared_ptr<const SpectraPicture> spectra_picture_;
  double spent_ms_ = 0;  // GPU time of the pictures of this refresh
  double gpu_ms_ = 0;    // of the last that drew any
};

}  // namespace vitrine::core
