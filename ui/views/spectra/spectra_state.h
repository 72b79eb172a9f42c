// What the parts of the Spectra view share: of each subject the newest snapshot, what is selected, how it is
// sorted; and how all of them are drawn. Lives on the UI thread.
#pragma once

#include "core/figure/spectrum_curves.h"
#include "ui/selection.h"
#include "ui/views/spectra/head_graph_state.h"
#include "ui/views/spectra/layer_profile.h"

#include <QObject>

#include <array>
#include <map>
#include <memory>

namespace vitrine::ui::spectra {

// The pictures of a comparison; kAll: as many as there is room for.
enum class ComparisonPicture { kAll, kSimilarity, kPhi, kChange, kCounts, kSpectrum, kProfile };
inline constexpr std::array kComparisonPictures = {ComparisonPicture::kAll,    ComparisonPicture::kSimilarity,
                                                   ComparisonPicture::kPhi,    ComparisonPicture::kChange,
                                                   ComparisonPicture::kCounts, ComparisonPicture::kSpectrum,
                                                   ComparisonPicture::kProfile};
std::string_view name(ComparisonPicture picture);

class SpectraState : public QObject {
  Q_OBJECT

 public:
  explicit SpectraState(QObject* parent = nullptr);

  Subject subject() const { return subject_; }
  // Of the subject:
  const core::SpectraSnapshot& snapshot() const { return *now().snapshot; }
  const std::vector<MatrixPlace>& places() const { return now().places; }  // (matrices)
  const std::vector<std::size_t>& order() const { return now().order; }    // rows of the table
  const SeriesSelection& selection() const { return now().selection; }
  Sorting sorting() const { return now().sorting; }
  Metric profileMetric() const { return now().profile_metric; }  // the number that was sorted by last
  const LayerProfile& profile() const { return now().profile; }
  bool running() const { return snapshot().state == core::SpectraState::kRunning; }

  HeadGraphState& graph() { return graph_; }
  const HeadGraphState& graph() const { return graph_; }

  core::PlotMode mode() const { return mode_; }
  const std::string& glob() const { return glob_; }
  IntruderRule rule() const { return rule_; }
  ComparisonPicture picture() const { return picture_; }
  bool showsNull() const { return null_; }
  std::uint32_t window() const { return window_; }  // live: of kLiveWindows

  // Null where nothing is selected, or not yet computed.
  std::shared_ptr<const core::SpectrumReport> reportOf(std::size_t matrix) const;
  // Of a matrix whose report is not there yet.
  std::shared_ptr<const core::SpectrumPreview> previewOf(std::size_t matrix) const;
  const core::MatrixComparison* comparisonOf(std::size_t matrix) const;
  std::shared_ptr<const core::MatrixComparison> sharedComparison(std::size_t matrix) const;
  // What is drawn beside a matrix's spectrum: its base's, or its shuffled elements'; null where there is
  // none.
  std::shared_ptr<const core::SpectrumReport> companionOf(std::size_t matrix) const;
  // Selected matrices whose null is wanted and not there.
  std::vector<std::string> missingNulls() const;
  // Of the matrix that the keys move: what the inspector shows.
  std::optional<std::size_t> inspected() const { return selection().cursor(); }
  // Of the inspected matrix; null where there is none.
  const core::MatrixComparison* inspectedComparison() const;
  double valueOf(std::size_t matrix, Metric metric) const;
  std::string textOf(std::size_t matrix, Metric metric) const;
  bool hasAdapters() const;  // of the compared matrices some

  void setSubject(Subject subject);
  void setSnapshot(std::shared_ptr<const core::SpectraSnapshot> snapshot,
                   Subject subject = Subject::kWeights);
  void setSorting(Sorting sorting);
  void sortBy(Metric metric);  // by it; again: the other way round
  void setMode(core::PlotMode mode);
  void setGlob(const std::string& glob);
  void setRule(IntruderRule rule);
  void setPicture(ComparisonPicture picture);
  void setNull(bool shown);
  void setWindow(std::uint32_t tokens);
  void addNull(const std::string& name, const core::MatrixResult& result);
  void clearNulls();
  // Rows keep their places under the pointer while results come in.
  void holdOrder(bool hold);
  // The layer whose matrices are shown until the user chooses some.
  void setPreferredLayer(std::uint32_t layer);
  // What the other views have selected: its products are chosen.
  void setHead(Head head);

  template <typename Change>
  void select(Change change) {
    change(now().selection);
    now().user_selected = true;
    refresh();
    tellHead();
  }

 signals:
  void changed();
  void headChosen(vitrine::ui::Head head);  // whose product was chosen here
  void cancelRequested();
  void computeRequested();
  void referenceRequested();  // something to compare with
  void subjectRequested(vitrine::ui::spectra::Subject subject);
  void filterRequested();  // the field's focus

 private:
  struct Listing {
    std::shared_ptr<const core::SpectraSnapshot> snapshot = std::make_shared<const core::SpectraSnapshot>();
    std::vector<MatrixPlace> places;
    std::vector<std::size_t> order;
    SeriesSelection selection;
    Sorting sorting;
    Metric profile_metric = Metric::kStableRank;
    LayerProfile profile;
    bool user_selected = false;
  };
  Listing& now() { return listings_[std::size_t(subject_)]; }
  const Listing& now() const { return listings_[std::size_t(subject_)]; }
  Listing& of(Subject subject) { return listings_[std::size_t(subject)]; }

  void refresh();
  std::vector<std::size_t> ordered(const Listing& listing) const;
  void selectPreferred(Listing& listing);
  void selectCompared(Listing& listing);
  void selectHead(Listing& listing);
  void tellHead();

  HeadGraphState graph_;
  std::array<Listing, kSubjects.size()> listings_;
  Subject subject_ = Subject::kWeights;
  core::PlotMode mode_ = core::PlotMode::kLog;
  std::string glob_;
  IntruderRule rule_;
  ComparisonPicture picture_ = ComparisonPicture::kAll;
  std::map<std::string, core::MatrixResult> nulls_;
  bool null_ = false, held_ = false;
  std::uint32_t window_ = 0;
  std::uint32_t preferred_layer_ = 0;
  Head head_;
};

}  // namespace vitrine::ui::spectra
