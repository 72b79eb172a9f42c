// What the parts of the Spectra view share: the newest snapshot, what is selected, how it is sorted and
// drawn. Lives on the UI thread.
#pragma once

#include "ui/selection.h"
#include "ui/views/spectra/curves.h"
#include "ui/views/spectra/layer_profile.h"

#include <QObject>

#include <memory>

namespace vitrine::ui::spectra {

class SpectraState : public QObject {
  Q_OBJECT

 public:
  explicit SpectraState(QObject* parent = nullptr) : QObject(parent) {}

  const core::SpectraSnapshot& snapshot() const { return *snapshot_; }
  const std::vector<MatrixPlace>& places() const { return places_; }  // (matrices)
  const std::vector<std::size_t>& order() const { return order_; }    // rows of the table
  const SeriesSelection& selection() const { return selection_; }
  Sorting sorting() const { return sorting_; }
  Metric profileMetric() const { return profile_metric_; }  // the number that was sorted by last
  PlotMode mode() const { return mode_; }
  const std::string& glob() const { return glob_; }
  const LayerProfile& profile() const { return profile_; }
  bool running() const { return snapshot_->state == core::SpectraState::kRunning; }

  // Null where nothing is selected, or not yet computed.
  std::shared_ptr<const core::SpectrumReport> reportOf(std::size_t matrix) const;
  // Of the matrix that the keys move: what the inspector shows.
  std::optional<std::size_t> inspected() const { return selection_.cursor(); }

  void setSnapshot(std::shared_ptr<const core::SpectraSnapshot> snapshot);
  void setSorting(Sorting sorting);
  void sortBy(Metric metric);  // by it; again: the other way round
  void setMode(PlotMode mode);
  void setGlob(const std::string& glob);
  // Rows keep their places under the pointer while results come in.
  void holdOrder(bool hold);
  // The layer whose matrices are shown until the user chooses some.
  void setPreferredLayer(std::uint32_t layer);

  template <typename Change>
  void select(Change change) {
    change(selection_);
    user_selected_ = true;
    refresh();
  }

 signals:
  void changed();
  void cancelRequested();
  void computeRequested();
  void filterRequested();  // the field's focus

 private:
  void refresh();
  void selectPreferred();

  std::shared_ptr<const core::SpectraSnapshot> snapshot_ = std::make_shared<const core::SpectraSnapshot>();
  std::vector<MatrixPlace> places_;
  std::vector<std::size_t> order_;
  SeriesSelection selection_;
  Sorting sorting_;
  Metric profile_metric_ = Metric::kStableRank;
  PlotMode mode_ = PlotMode::kLog;
  std::string glob_;
  LayerProfile profile_;
  std::uint32_t preferred_layer_ = 0;
  bool held_ = false, user_selected_ = false;
};

}  // namespace vitrine::ui::spectra
