#include "ui/views/spectra/spectra_state.h"

#include <algorithm>

namespace vitrine::ui::spectra {
namespace {

constexpr std::size_t kPreferred = 3;  // matrices shown before the user chooses

// Where smaller says more, the smallest first; of sizes and changes the largest.
bool startsDescending(Metric metric) {
  return metric == Metric::kShape || metric == Metric::kSigma1 || metric == Metric::kFrobenius ||
         metric == Metric::kNuclear || metric == Metric::kCondition || metric == Metric::kSpikes ||
         (metric >= Metric::kChange && metric != Metric::kPhi && metric != Metric::kAdapterRank);
}

bool sameKinds(const std::vector<core::MatrixName>& names, const std::vector<MatrixPlace>& places) {
  return std::ranges::equal(
      names, places, {}, [](const core::MatrixName& matrix) { return placeOf(matrix).kind; },
      &MatrixPlace::kind);
}

}  // namespace

std::string_view name(ComparisonPicture picture) {
  constexpr std::array<std::string_view, kComparisonPictures.size()> kNames = {
      "all pictures",    "similarity", "subspaces φ",  "change ΔW",
      "intruder counts", "spectra",    "layer profile"};
  return kNames[std::size_t(picture)];
}

SpectraState::SpectraState(QObject* parent) : QObject(parent) {
  connect(&graph_, &HeadGraphState::changed, this, &SpectraState::changed);
  of(Subject::kOv).profile_metric = Metric::kNuclear;
  of(Subject::kComparison).profile_metric = Metric::kChange;
}

std::shared_ptr<const core::SpectrumReport> SpectraState::reportOf(std::size_t matrix) const {
  return matrix < snapshot().results.size() ? snapshot().results[matrix].report : nullptr;
}

std::shared_ptr<const core::SpectrumPreview> SpectraState::previewOf(std::size_t matrix) const {
  return matrix < snapshot().results.size() ? snapshot().results[matrix].preview : nullptr;
}

const core::MatrixComparison* SpectraState::comparisonOf(std::size_t matrix) const {
  if (matrix >= snapshot().results.size() || !snapshot().results[matrix].compared) return nullptr;
  return &snapshot().results[matrix].compared->comparison;
}

std::shared_ptr<const core::MatrixComparison> SpectraState::sharedComparison(std::size_t matrix) const {
  const core::MatrixComparison* comparison = comparisonOf(matrix);
  return comparison
             ? std::shared_ptr<const core::MatrixComparison>(snapshot().results[matrix].compared, comparison)
             : nullptr;
}

const core::MatrixComparison* SpectraState::inspectedComparison() const {
  return inspected() ? comparisonOf(*inspected()) : nullptr;
}

std::shared_ptr<const core::SpectrumReport> SpectraState::companionOf(std::size_t matrix) const {
  if (matrix >= snapshot().total()) return nullptr;
  if (const auto& compared = snapshot().results[matrix].compared; subject_ == Subject::kComparison)
    return compared ? std::shared_ptr<const core::SpectrumReport>(compared, &compared->base) : nullptr;
  if (!null_ || subject_ != Subject::kWeights) return nullptr;
  const auto found = nulls_.find((*snapshot().matrices)[matrix].name);
  return found == nulls_.end() ? nullptr : found->second.report;
}

std::vector<std::string> SpectraState::missingNulls() const {
  std::vector<std::string> missing;
  if (!null_ || subject_ != Subject::kWeights) return missing;
  for (const Series& series : selection().series()) {
    const std::string& name = (*snapshot().matrices)[series.matrix].name;
    if (reportOf(series.matrix) && !nulls_.contains(name)) missing.push_back(name);
  }
  return missing;
}

double SpectraState::valueOf(std::size_t matrix, Metric metric) const {
  return spectra::valueOf(snapshot().results[matrix], metric, rule_);
}

std::string SpectraState::textOf(std::size_t matrix, Metric metric) const {
  return spectra::textOf(snapshot().results[matrix], metric, rule_);
}

bool SpectraState::hasAdapters() const {
  return std::ranges::any_of(snapshot().results, [](const core::MatrixResult& result) {
    return result.compared && result.compared->comparison.adapter.has_value();
  });
}

void SpectraState::setSubject(Subject subject) {
  if (subject == subject_) return;
  subject_ = subject;
  held_ = false;
  refresh();
}

void SpectraState::setSnapshot(std::shared_ptr<const core::SpectraSnapshot> snapshot, Subject subject) {
  Listing& listing = of(subject);
  const bool other_names = snapshot->matrices != listing.snapshot->matrices;
  // A run that starts again, or a fine-tune of the same model, has the same matrices: they stay selected.
  const bool same_model = other_names && snapshot->matrices && snapshot->total() == listing.places.size() &&
                          sameKinds(*snapshot->matrices, listing.places);
  listing.snapshot = std::move(snapshot);
  if (other_names && listing.snapshot->matrices) {
    listing.places.clear();
    for (const core::MatrixName& matrix : *listing.snapshot->matrices)
      listing.places.push_back(placeOf(matrix));
    if (!same_model) {
      listing.selection.clear();
      listing.user_selected = false;
      isProduct(subject) ? selectHead(listing) : selectPreferred(listing);
    }
    listing.order = ordered(listing);
  } else if (other_names) {
    listing.order.clear();
  }
  if (subject == Subject::kComparison && !listing.user_selected) selectCompared(listing);
  if (subject == subject_) refresh();
}

// While others are still being compared a matrix that has been is shown, of the preferred layer if there is
// one.
void SpectraState::selectCompared(Listing& listing) {
  const auto& results = listing.snapshot->results;
  if (const auto cursor = listing.selection.cursor();
      cursor && *cursor < results.size() && results[*cursor].compared)
    return;
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < results.size(); ++i)
    if (results[i].compared && (!found || listing.places[i].layer == preferred_layer_)) {
      found = i;
      if (listing.places[i].layer == preferred_layer_) break;
    }
  if (found) listing.selection.choose(*found);
}

// Of a comparison one matrix: its maps are of one.
void SpectraState::selectPreferred(Listing& listing) {
  std::vector<std::size_t> matrices;
  for (std::size_t i = 0; i < listing.places.size(); ++i)
    if (listing.places[i].layer == preferred_layer_) matrices.push_back(i);
  if (matrices.empty() && !listing.places.empty()) matrices.push_back(0);
  matrices.resize(std::min(matrices.size(), &listing == &of(Subject::kComparison) ? 1 : kPreferred));
  listing.selection.chooseAll(matrices);
}

void SpectraState::selectHead(Listing& listing) {
  if (!listing.snapshot->matrices || listing.snapshot->matrices->empty()) return;
  const auto& all = *listing.snapshot->matrices;
  const auto found = std::ranges::find_if(all, [&](const core::MatrixName& matrix) {
    return matrix.product && matrix.product->layer == head_.layer && matrix.product->head == head_.head;
  });
  // A layer without such a product leaves what is chosen as it is.
  if (found == all.end() && !listing.selection.empty()) return;
  const auto row = found == all.end() ? std::size_t(0) : std::size_t(found - all.begin());
  if (listing.selection.cursor() != row) listing.selection.choose(row);
}

void SpectraState::setHead(Head head) {
  if (head == head_) return;
  head_ = head;
  selectHead(of(Subject::kQk));
  selectHead(of(Subject::kOv));
  if (isProduct(subject_) || subject_ == Subject::kHeadGraph) refresh();
}

void SpectraState::tellHead() {
  if (!isProduct(subject_) || !inspected()) return;
  const core::MatrixName& matrix = (*snapshot().matrices)[*inspected()];
  if (!matrix.product) return;
  const Head chosen{matrix.product->layer, matrix.product->head};
  if (chosen == head_) return;
  head_ = chosen;
  selectHead(of(subject_ == Subject::kQk ? Subject::kOv : Subject::kQk));
  emit headChosen(chosen);
}

void SpectraState::setPreferredLayer(std::uint32_t layer) {
  if (preferred_layer_ == layer) return;
  preferred_layer_ = layer;
  for (const Subject subject : {Subject::kWeights, Subject::kComparison})
    if (!of(subject).user_selected) selectPreferred(of(subject));
  refresh();
}

void SpectraState::setSorting(Sorting sorting) {
  now().sorting = sorting;
  if (isNumber(sorting.by)) now().profile_metric = sorting.by;
  now().order = ordered(now());
  refresh();
}

void SpectraState::sortBy(Metric metric) {
  setSorting({metric, metric == sorting().by ? !sorting().descending : startsDescending(metric)});
}

void SpectraState::setMode(core::PlotMode mode) {
  mode_ = mode;
  emit changed();
}

void SpectraState::setPicture(ComparisonPicture picture) {
  picture_ = picture;
  emit changed();
}

void SpectraState::setGlob(const std::string& glob) {
  glob_ = glob;
  now().order = ordered(now());
  refresh();
}

void SpectraState::setRule(IntruderRule rule) {
  if (rule == rule_) return;
  rule_ = rule;
  refresh();
}

void SpectraState::setNull(bool shown) {
  if (shown == null_) return;
  null_ = shown;
  emit changed();
}

void SpectraState::setWindow(std::uint32_t tokens) {
  if (tokens == window_) return;
  window_ = tokens;
  emit changed();
}

void SpectraState::addNull(const std::string& name, const core::MatrixResult& result) {
  if (!nulls_.emplace(name, result).second) return;
  emit changed();
}

void SpectraState::clearNulls() {
  nulls_.clear();
}

void SpectraState::holdOrder(bool hold) {
  if (std::exchange(held_, hold) && !hold) refresh();
}

std::vector<std::size_t> SpectraState::ordered(const Listing& listing) const {
  return listing.snapshot->matrices ? orderOf(*listing.snapshot, glob_, listing.sorting, rule_)
                                    : std::vector<std::size_t>{};
}

void SpectraState::refresh() {
  Listing& listing = now();
  if (!held_ && listing.snapshot->matrices) listing.order = ordered(listing);
  listing.profile = listing.snapshot->matrices ? profileOf(*listing.snapshot, listing.places, listing.order,
                                                           listing.selection, listing.profile_metric, rule_)
                                               : LayerProfile{};
  emit changed();
}

}  // namespace vitrine::ui::spectra
