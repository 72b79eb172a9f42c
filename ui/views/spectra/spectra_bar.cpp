#include "ui/views/spectra/spectra_bar.h"

#include <algorithm>

namespace vitrine::ui::spectra {
namespace {

constexpr int kLeastProgress = 84;  // pixels of its text before labels give way
constexpr int kLeastCombo = 64, kSpinWidth = 68;

}  // namespace

SpectraBar::SpectraBar(SpectraState& state, const ThemeController& theme, QWidget* parent)
    : QWidget(parent), state_(state) {
  setProperty("role", "bar");
  setAttribute(Qt::WA_StyledBackground);
  build();
  const auto size = [this, &theme] {
    setFixedHeight(theme.sizes().view_bar);
    for (QWidget* field : std::initializer_list<QWidget*>{filter_, first_, epsilon_, edges_, least_z_})
      field->setFixedHeight(theme.sizes().control);
  };
  connect(&theme, &ThemeController::changed, this, size);
  size();
  fillReferences();
  showState();
}

void SpectraBar::add(const QString& label, QWidget* control) {
  auto* text = new QLabel(label, this);
  text->setProperty("role", "secondary");
  text->setBuddy(control);
  parts_.push_back({text, control});
  row_->addWidget(text);
  row_->addWidget(control);
}

QComboBox* SpectraBar::addCombo(const QString& label, int characters, const QString& tooltip) {
  auto* combo = new QComboBox(this);
  combo->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  combo->setMinimumContentsLength(characters);
  combo->setMinimumWidth(kLeastCombo);
  combo->setMaxVisibleItems(20);
  combo->setToolTip(tooltip);
  add(label, combo);
  return combo;
}

void SpectraBar::build() {
  row_ = new QHBoxLayout(this);
  row_->setContentsMargins(12, 0, 12, 0);
  row_->setSpacing(8);
  subject_ = addCombo(tr("Of"), 15, tr("What the spectra are of (W: the next)"));
  for (const Subject subject : kSubjects)
    subject_->addItem(QString::fromUtf8(name(subject).data(), qsizetype(name(subject).size())));
  sort_ = addCombo(tr("Sort"), 11,
                   tr("Number by which the table is sorted and that the profile shows; again: the other way "
                      "round (S, R)"));
  show_ = addCombo(tr("Show"), 7, tr("What the pictures at the right show (D: the next)"));
  references_ = addCombo(tr("Reference"), 10, {});
  first_ = new QSpinBox(this);
  first_->setRange(1, 9999);
  first_->setMaximumWidth(kSpinWidth);
  first_->setToolTip(tr("k: the strongest directions among which intruders are counted, and of φ(k, k)"));
  add(tr("k"), first_);
  epsilon_ = new QDoubleSpinBox(this);
  epsilon_->setRange(0.01, 1);
  epsilon_->setMaximumWidth(kSpinWidth);
  epsilon_->setSingleStep(0.05);
  epsilon_->setDecimals(2);
  epsilon_->setToolTip(tr("ε: an intruder matches all directions of the base less than this"));
  add(tr("ε"), epsilon_);
  buildGraph();
  null_ = addCombo(tr("Null"), 6,
                   tr("Beside the selected spectra those of the same elements in random order (seed 0): what "
                      "the elements' distribution alone explains"));
  null_->addItems({tr("none"), tr("shuffled")});
  window_ =
      addCombo(tr("Tokens"), 8, tr("Of which tokens the spectra are: of all so far, or of the last ones"));
  for (const std::uint32_t tokens : kLiveWindows)
    window_->addItem(tokens > 0 ? tr("last %1").arg(tokens) : tr("all so far"));
  filter_ = new QLineEdit(this);
  filter_->setToolTip(tr("Parts of names, with * and ?; several apart by spaces (/)"));
  filter_->setClearButtonEnabled(true);
  filter_->setMinimumWidth(90);
  filter_->setMaximumWidth(220);
  progress_text_ = new ElidedLabel(this);
  progress_text_->setProperty("role", "secondary");
  progress_text_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  progress_text_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  button_ = new QPushButton(tr("Cancel"), this);
  row_->addStretch(0);  // where the next two are hidden
  row_->addWidget(filter_, 1);
  row_->addWidget(progress_text_, 2);
  row_->addWidget(button_);

  connect(subject_, &QComboBox::activated, this,
          [this](int index) { emit subjectChosen(kSubjects[std::size_t(index)]); });
  connect(sort_, &QComboBox::activated, this,
          [this](int index) { state_.sortBy(metricsOf(state_.subject())[std::size_t(index)]); });
  connect(show_, &QComboBox::activated, this, [this](int index) {
    state_.subject() == Subject::kComparison ? state_.setPicture(kComparisonPictures[std::size_t(index)])
                                             : state_.setMode(core::kPlotModes[std::size_t(index)]);
  });
  connect(references_, &QComboBox::activated, this, &SpectraBar::chooseReference);
  connect(null_, &QComboBox::activated, this, [this](int index) { state_.setNull(index == 1); });
  connect(window_, &QComboBox::activated, this,
          [this](int index) { state_.setWindow(kLiveWindows[std::size_t(index)]); });
  const auto rule = [this] { state_.setRule({std::size_t(first_->value()), epsilon_->value()}); };
  connect(first_, &QSpinBox::valueChanged, this, rule);
  connect(epsilon_, &QDoubleSpinBox::valueChanged, this, rule);
  connect(filter_, &QLineEdit::textChanged, this,
          [this](const QString& text) { state_.setGlob(text.toStdString()); });
  connect(filter_, &QLineEdit::returnPressed, this, &SpectraBar::leave);
  for (QAbstractSpinBox* box : std::initializer_list<QAbstractSpinBox*>{first_, epsilon_, edges_, least_z_})
    connect(box, &QAbstractSpinBox::editingFinished, this, [this, box] {
      if (!box->hasFocus()) return;
      emit leave();
    });
  connect(button_, &QPushButton::clicked, this, &SpectraBar::computeOrCancel);
}

// How many edges of the head graph are shown.
void SpectraBar::buildGraph() {
  edges_ = new QSpinBox(this);
  edges_->setRange(1, int(kMostGraphEdges));
  edges_->setSingleStep(10);
  edges_->setMaximumWidth(kSpinWidth);
  edges_->setToolTip(tr("How many edges are shown at most, the strongest by z first"));
  add(tr("Edges"), edges_);
  least_z_ = new QDoubleSpinBox(this);
  least_z_->setRange(-100, 100'000);
  least_z_->setDecimals(1);
  least_z_->setSingleStep(5);
  least_z_->setMaximumWidth(kSpinWidth + 16);
  least_z_->setToolTip(tr("z: standard deviations of score² above that of random rotations"));
  add(tr("z ≥"), least_z_);
  const auto filter = [this] {
    GraphFilter now = state_.graph().filter();
    now.most = std::size_t(edges_->value());
    now.least_z = least_z_->value();
    state_.graph().setFilter(now);
  };
  connect(edges_, &QSpinBox::valueChanged, this, filter);
  connect(least_z_, &QDoubleSpinBox::valueChanged, this, filter);
}

// Where the bar is narrow the labels give way, first those of controls whose contents say what they are; then
// what has another way: the table's header sorts, the line beneath shows how far it is, / brings the filter.
void SpectraBar::fitControls() {
  const bool compares = state_.subject() == Subject::kComparison, live = isLive(state_.subject());
  const auto shown = [&](const Part& part, int level) {
    return part.wanted && (level >= 0 || part.control != sort_);
  };
  const auto labelled = [&](const Part& part, int level) {
    const bool cryptic = part.control == first_ || part.control == epsilon_ || part.control == edges_ ||
                         part.control == least_z_;
    const bool mute = part.control == references_ || part.control == null_;
    return part.wanted && (cryptic || level == 2 || (level == 1 && mute));
  };
  const auto needed = [&](int level) {
    int width = 24;
    const auto add = [&](int size) { width += size + row_->spacing(); };
    if (level >= 0) add(kLeastProgress);
    if (level >= 0 || !compares) add(filter_->minimumWidth());
    if (!button_->isHidden()) add(button_->sizeHint().width());
    for (const Part& part : parts_) {
      if (shown(part, level)) add(part.control->sizeHint().width());
      if (labelled(part, level)) add(part.label->sizeHint().width());
    }
    return width;
  };
  int level = 2;
  while (level > -1 && needed(level) > width()) --level;
  for (const Part& part : parts_) {
    part.control->setVisible(shown(part, level));
    part.label->setVisible(labelled(part, level));
  }
  progress_text_->setVisible(level >= 0);
  filter_->setVisible(!live && state_.subject() != Subject::kHeadGraph &&
                      (level >= 0 || !compares || !filter_->text().isEmpty() || filter_->hasFocus()));
}

void SpectraBar::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  fitControls();
}

void SpectraBar::focusFilter() {
  window()->activateWindow();
  filter_->show();
  filter_->setFocus();
  filter_->selectAll();
}

}  // namespace vitrine::ui::spectra
