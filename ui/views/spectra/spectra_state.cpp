#include "ui/views/spectra/spectra_state.h"

#include <algorithm>

namespace vitrine::ui::spectra {
namespace {

constexpr std::size_t kPreferred = 3;  // matrices shown before the user chooses

// Where smaller says more, the smallest first; of sizes the largest.
bool startsDescending(Metric metric) {
  return metric == Metric::kShape || metric == Metric::kSigma1 || metric == Metric::kFrobenius ||
         metric == Metric::kNuclear || metric == Metric::kCondition || metric == Metric::kSpikes;
}

}  // namespace

std::shared_ptr<const core::SpectrumReport> SpectraState::reportOf(std::size_t matrix) const {
  return matrix < snapshot_->results.size() ? snapshot_->results[matrix].report : nullptr;
}

void SpectraState::setSnapshot(std::shared_ptr<const core::SpectraSnapshot> snapshot) {
  const bool other_names = snapshot->matrices != snapshot_->matrices;
  // A run that starts again, or a fine-tune of the same model, has the same matrices: they stay selected.
  const bool same_model =
      other_names && snapshot->matrices && snapshot->total() == places_.size() &&
      std::ranges::equal(
          *snapshot->matrices, places_, {}, [](const core::MatrixName& m) { return placeOf(m.name).kind; },
          &MatrixPlace::kind);
  snapshot_ = std::move(snapshot);
  if (other_names && snapshot_->matrices) {
    places_.clear();
    for (const core::MatrixName& matrix : *snapshot_->matrices) places_.push_back(placeOf(matrix.name));
    if (!same_model) {
      selection_.clear();
      user_selected_ = false;
      selectPreferred();
    }
    order_ = orderOf(*snapshot_, glob_, sorting_);
  } else if (other_names) {
    order_.clear();
  }
  refresh();
}

void SpectraState::selectPreferred() {
  std::vector<std::size_t> matrices;
  for (std::size_t i = 0; i < places_.size(); ++i)
    if (places_[i].layer == preferred_layer_) matrices.push_back(i);
  if (matrices.empty() && !places_.empty()) matrices.push_back(0);
  matrices.resize(std::min(matrices.size(), kPreferred));
  selection_.chooseAll(matrices);
}

void SpectraState::setPreferredLayer(std::uint32_t layer) {
  if (preferred_layer_ == layer) return;
  preferred_layer_ = layer;
  if (!user_selected_) selectPreferred();
  refresh();
}

void SpectraState::setSorting(Sorting sorting) {
  sorting_ = sorting;
  if (isNumber(sorting.by)) profile_metric_ = sorting.by;
  order_ = orderOf(*snapshot_, glob_, sorting_);
  refresh();
}

void SpectraState::sortBy(Metric metric) {
  setSorting({metric, metric == sorting_.by ? !sorting_.descending : startsDescending(metric)});
}

void SpectraState::setMode(PlotMode mode) {
  mode_ = mode;
  emit changed();
}

void SpectraState::setGlob(const std::string& glob) {
  glob_ = glob;
  order_ = orderOf(*snapshot_, glob_, sorting_);
  refresh();
}

void SpectraState::holdOrder(bool hold) {
  if (std::exchange(held_, hold) && !hold) refresh();
}

void SpectraState::refresh() {
  if (!held_ && snapshot_->matrices) order_ = orderOf(*snapshot_, glob_, sorting_);
  profile_ = snapshot_->matrices ? profileOf(*snapshot_, places_, order_, selection_, profile_metric_)
                                 : LayerProfile{};
  emit changed();
}

}  // namespace vitrine::ui::spectra
