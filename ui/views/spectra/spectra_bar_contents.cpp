// What the bar's controls list and say.
#include "ui/views/spectra/spectra_bar.h"

#include <QAbstractItemView>
#include <QSignalBlocker>

#include <algorithm>
#include <cmath>

namespace vitrine::ui::spectra {
namespace {

QString utf8(std::string_view text) {
  return QString::fromUtf8(text.data(), qsizetype(text.size()));
}

QString wholeDuration(double seconds) {
  return seconds < 120 ? SpectraBar::tr("%1 s").arg(std::lround(seconds))
                       : SpectraBar::tr("%1 min").arg(std::lround(seconds / 60));
}

QString durationText(double seconds) {
  return seconds < 10 ? SpectraBar::tr("%1 s").arg(seconds, 0, 'f', 1) : wholeDuration(seconds);
}

}  // namespace

QString progressText(const core::SpectraSnapshot& snapshot) {
  if (snapshot.total() == 0) return {};
  QString text = SpectraBar::tr("%1 of %2").arg(snapshot.done).arg(snapshot.total());
  if (snapshot.state == core::SpectraState::kRunning && snapshot.seconds_left >= 0)
    text += SpectraBar::tr(" · %1 left").arg(wholeDuration(std::max(1.0, snapshot.seconds_left)));
  if (snapshot.state == core::SpectraState::kDone)
    text += snapshot.cached == snapshot.total()
                ? SpectraBar::tr(" · cached")
                : SpectraBar::tr(" in %1").arg(durationText(snapshot.seconds));
  if (snapshot.state == core::SpectraState::kCancelled) text += SpectraBar::tr(" · cancelled");
  if (snapshot.state == core::SpectraState::kFailed) text += SpectraBar::tr(" · failed");
  if (snapshot.failed > 0) text += SpectraBar::tr(" · %1 refused").arg(snapshot.failed);
  return text;
}

void SpectraBar::setReferences(std::vector<Reference> offered, const std::optional<Reference>& chosen) {
  if (offered == offered_ && chosen == reference_) return;
  offered_ = std::move(offered);
  reference_ = chosen;
  fillReferences();
}

// None, those on offer, then the ways to choose another one.
void SpectraBar::fillReferences() {
  const QSignalBlocker quiet(references_);
  references_->clear();
  references_->addItem(tr("none"));
  for (const Reference& reference : offered_) {
    references_->addItem((reference.adapter ? tr("%1 · adapter") : tr("%1 · base")).arg(nameOf(reference)));
    references_->setItemData(references_->count() - 1, QString::fromStdString(reference.path.string()),
                             Qt::ToolTipRole);
  }
  references_->insertSeparator(references_->count());
  references_->addItem(tr("Choose a folder: a base model or an adapter…"));
  references_->addItem(tr("Choose a file: a base model…"));
  int longest = 0;
  for (int i = 0; i < references_->count(); ++i)
    longest = std::max(longest, references_->fontMetrics().horizontalAdvance(references_->itemText(i)));
  references_->view()->setMinimumWidth(longest + 48);
  const auto found = reference_ ? std::ranges::find(offered_, *reference_) : offered_.end();
  const bool shown = state_.subject() == Subject::kComparison && found != offered_.end();
  references_->setCurrentIndex(shown ? 1 + int(found - offered_.begin()) : 0);
  const QString help =
      tr("What the model is compared with: the base that it is a fine-tune of, or an adapter that is "
         "added to it");
  references_->setToolTip(shown ? references_->currentText() + QStringLiteral("\n") + help : help);
}

void SpectraBar::chooseReference(int index) {
  const int count = int(offered_.size());
  if (index == 0)
    emit referenceChosen(std::nullopt);
  else if (index <= count)
    emit referenceChosen(offered_[std::size_t(index - 1)]);
  else
    index == references_->count() - 1 ? emit fileWanted() : emit folderWanted();
  fillReferences();  // a dialogue that was cancelled has changed nothing
}

void SpectraBar::fillSorting() {
  const QSignalBlocker quiet(sort_);
  const auto all = metricsOf(state_.subject());
  while (sort_->count() < int(all.size())) sort_->addItem({});
  while (sort_->count() > int(all.size())) sort_->removeItem(sort_->count() - 1);
  for (int i = 0; i < sort_->count(); ++i) {
    const Metric metric = all[std::size_t(i)];
    const bool of_product = metric == Metric::kName && isProduct(state_.subject());
    QString text = of_product ? tr("product") : utf8(name(metric));
    if (metric == state_.sorting().by) {
      text += state_.sorting().descending ? QStringLiteral(" ↓") : QStringLiteral(" ↑");
      sort_->setCurrentIndex(i);
    }
    if (sort_->itemText(i) != text) sort_->setItemText(i, text);
    sort_->setItemData(i, utf8(formula(metric)), Qt::ToolTipRole);
  }
}

void SpectraBar::fillShow() {
  const QSignalBlocker quiet(show_);
  const bool compares = state_.subject() == Subject::kComparison;
  const int count = compares ? int(kComparisonPictures.size()) : int(core::kPlotModes.size());
  if (show_->count() != count) {
    show_->clear();
    if (compares)
      for (const ComparisonPicture picture : kComparisonPictures) show_->addItem(utf8(name(picture)));
    else
      for (const core::PlotMode mode : core::kPlotModes) show_->addItem(utf8(name(mode)));
  }
  show_->setCurrentIndex(compares ? int(state_.picture()) : int(state_.mode()));
}

void SpectraBar::want(QWidget* control, bool wanted) {
  std::ranges::find(parts_, control, &Part::control)->wanted = wanted;
}

void SpectraBar::showState() {
  const core::SpectraSnapshot& snapshot = state_.snapshot();
  const bool compares = state_.subject() == Subject::kComparison;
  const bool live = isLive(state_.subject());
  window_->setCurrentIndex(int(std::ranges::find(kLiveWindows, state_.window()) - kLiveWindows.begin()));
  subject_->setCurrentIndex(int(state_.subject()));
  fillSorting();
  fillShow();
  filter_->setPlaceholderText(isProduct(state_.subject()) ? tr("Filter: .3. for layer 3")
                                                          : tr("Filter: attn_q, blk.*.ffn_*"));
  const int shown = references_->currentIndex();
  if ((shown > 0) != (compares && reference_.has_value())) fillReferences();
  null_->setCurrentIndex(state_.showsNull() ? 1 : 0);
  const QSignalBlocker first_quiet(first_), epsilon_quiet(epsilon_);  // either would tell an old other one
  first_->setValue(int(state_.rule().first));
  epsilon_->setValue(state_.rule().epsilon);
  const bool graph = state_.subject() == Subject::kHeadGraph;
  const QSignalBlocker edges_quiet(edges_), least_quiet(least_z_);
  edges_->setValue(int(state_.graph().filter().most));
  least_z_->setValue(state_.graph().filter().least_z);
  want(edges_, graph);
  want(least_z_, graph);
  want(sort_, !graph && !live);
  want(show_, !graph && !live);
  want(references_, !isProduct(state_.subject()) && !graph && !live);
  want(window_, live);
  want(null_, state_.subject() == Subject::kWeights);
  want(first_, compares);
  want(epsilon_, compares);
  progress_text_->setFullText(progressText(snapshot));
  const bool running = state_.running();
  button_->setText(running ? tr("Cancel") : tr("Compute"));
  button_->setToolTip(running ? tr("Keep what has been computed and stop (Esc)")
                              : tr("Compute; what was computed before is not computed again"));
  button_->setVisible(running || snapshot.state == core::SpectraState::kCancelled ||
                      snapshot.state == core::SpectraState::kFailed);
  fitControls();
}

}  // namespace vitrine::ui::spectra
