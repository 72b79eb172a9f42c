#include "ui/docks/prompt_dock.h"

#include "ui/widgets/icons.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPushButton>
#include <QRandomGenerator>
#include <QSettings>

#include <limits>

namespace vitrine::ui {
namespace {

constexpr int kDefaultMaxTokens = 256;
constexpr int kPromptLines = 5;
constexpr int kLargestMaxTokens = 1 << 20;

void followAction(QPushButton& button, QAction& action) {
  auto sync = [&button, &action] { button.setEnabled(action.isEnabled()); };
  QObject::connect(&action, &QAction::changed, &button, sync);
  QObject::connect(&button, &QPushButton::clicked, &action, &QAction::trigger);
  button.setToolTip(action.toolTip() + QStringLiteral("  ") +
                    action.shortcut().toString(QKeySequence::NativeText));
  sync();
}

}  // namespace

PromptDock::PromptDock(const ThemeController& theme, QAction& generate, QAction& stop, QWidget* parent)
    : Dock(theme, "prompt_dock", tr("Prompt"), Overflow::kScrolls, parent),
      generate_(generate),
      prompt_(new QPlainTextEdit(this)),
      max_tokens_(new QSpinBox(this)),
      temperature_(new NamedDoubleSpinBox(0.0, tr("greedy"), this)),
      top_k_(new NamedSpinBox(0, tr("off"), this)),
      top_p_(new NamedDoubleSpinBox(1.0, tr("off"), this)),
      min_p_(new NamedDoubleSpinBox(0.0, tr("off"), this)),
      seed_(new QSpinBox(this)) {
  buildPrompt(theme, generate, stop);
  body()->addWidget(new SectionHeader(theme, tr("Sampling"), this));
  buildSampling(theme);
  body()->addStretch();
}

void PromptDock::buildPrompt(const ThemeController& theme, QAction& generate, QAction& stop) {
  prompt_->setObjectName("prompt");
  prompt_->setPlaceholderText(tr("Write a prompt, then Generate (Ctrl+Return)."));
  prompt_->setToolTip(tr("The text that the model continues. Ctrl+Return generates."));
  prompt_->setTabChangesFocus(true);
  prompt_->installEventFilter(this);
  // Whole lines, so that none is cut in half.
  auto size = [this, &theme] {
    const int around = 2 * (theme.sizes().step + 1 + int(prompt_->document()->documentMargin()));
    prompt_->setFixedHeight(kPromptLines * QFontMetrics(theme.interfaceFont()).lineSpacing() + around);
  };
  connect(&theme, &ThemeController::changed, this, size);
  size();
  auto* run = new QPushButton(tr("Generate"), this);
  run->setProperty("primary", true);
  followAction(*run, generate);
  auto* halt = new QPushButton(tr("Stop"), this);
  followAction(*halt, stop);
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(8);
  buttons->addWidget(run);
  buttons->addWidget(halt);
  buttons->addStretch();
  auto* part = addPadded();
  part->addSpacing(4);
  part->addWidget(prompt_);
  part->addSpacing(4);
  part->addLayout(buttons);
  part->addSpacing(4);
}

void PromptDock::addRow(QGridLayout& grid, const QString& name, QAbstractSpinBox* field,
                        const QString& tooltip) {
  const int row = grid.rowCount();
  auto* label = new QLabel(name, this);
  label->setProperty("role", "secondary");
  label->setBuddy(field);
  label->setToolTip(tooltip);
  field->setToolTip(tooltip);
  field->setAccessibleName(name);
  field->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  field->setKeyboardTracking(false);
  field->setFixedWidth(104);
  grid.addWidget(label, row, 0);
  grid.addWidget(field, row, 1, Qt::AlignRight);
}

void PromptDock::buildSampling(const ThemeController& theme) {
  auto* grid = new QGridLayout;
  grid->setHorizontalSpacing(8);
  grid->setVerticalSpacing(4);
  grid->setColumnStretch(0, 1);
  max_tokens_->setRange(1, kLargestMaxTokens);
  temperature_->setRange(0.0, 5.0);
  temperature_->setSingleStep(0.05);
  top_k_->setRange(0, 1000);
  for (auto* share : {top_p_, min_p_}) {
    share->setRange(0.0, 1.0);
    share->setSingleStep(0.01);
  }
  top_p_->setMinimum(0.01);
  seed_->setRange(0, std::numeric_limits<int>::max());
  addRow(*grid, tr("Max tokens"), max_tokens_,
         tr("Generation ends after this many new tokens, or when the context is full"));
  addRow(*grid, tr("Temperature"), temperature_,
         tr("Logits are divided by this before sampling; 0 takes the most probable token"));
  addRow(*grid, tr("Top-k"), top_k_, tr("Only the k most probable tokens are drawn from; 0 is off"));
  addRow(*grid, tr("Top-p"), top_p_,
         tr("Only the most probable tokens that together reach this probability are drawn from; 1 is off"));
  addRow(*grid, tr("Min-p"), min_p_,
         tr("Only tokens at least this fraction as probable as the best one are drawn from; 0 is off"));
  addRow(*grid, tr("Seed"), seed_, tr("The same seed and settings give the same tokens"));
  auto* dice = new IconButton(theme, Icon::kDice, tr("Draw a new seed"), this);
  auto* reset = new QPushButton(tr("Reset"), this);
  reset->setToolTip(tr("Greedy, no filters, 256 tokens"));
  auto* last = new QHBoxLayout;
  last->addWidget(reset);
  last->addStretch();
  last->addWidget(dice);
  auto* part = addPadded();
  part->addSpacing(4);
  part->addLayout(grid);
  part->addSpacing(4);
  part->addLayout(last);
  part->addSpacing(4);
  connect(dice, &QToolButton::clicked, this,
          [this] { seed_->setValue(int(QRandomGenerator::global()->bounded(1, 100000))); });
  connect(reset, &QPushButton::clicked, this, [this] {
    setSampling({});
    setMaxTokens(kDefaultMaxTokens);
  });
  setSampling({});
  setMaxTokens(kDefaultMaxTokens);
}

void PromptDock::setPrompt(const QString& prompt) {
  if (prompt != prompt_->toPlainText()) prompt_->setPlainText(prompt);
}

void PromptDock::focusPrompt() {
  show();
  raise();
  prompt_->setFocus(Qt::ShortcutFocusReason);
}

bool PromptDock::eventFilter(QObject* watched, QEvent* event) {
  if (watched == prompt_ && event->type() == QEvent::KeyPress) {
    const auto* key = static_cast<QKeyEvent*>(event);
    const bool enter = key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter;
    if (enter && key->modifiers() & Qt::ControlModifier) {
      generate_.trigger();
      return true;
    }
  }
  return Dock::eventFilter(watched, event);
}

core::SamplingSettings PromptDock::sampling() const {
  return {.temperature = float(temperature_->value()),
          .top_k = std::uint32_t(top_k_->value()),
          .top_p = float(top_p_->value()),
          .min_p = float(min_p_->value()),
          .seed = std::uint64_t(seed_->value())};
}

void PromptDock::setSampling(const core::SamplingSettings& sampling) {
  temperature_->setValue(double(sampling.temperature));
  top_k_->setValue(int(sampling.top_k));
  top_p_->setValue(double(sampling.top_p));
  min_p_->setValue(double(sampling.min_p));
  seed_->setValue(int(sampling.seed));
}

void PromptDock::save(QSettings& settings) const {
  const core::SamplingSettings sampling = this->sampling();
  settings.setValue("sampling/temperature", sampling.temperature);
  settings.setValue("sampling/top_k", sampling.top_k);
  settings.setValue("sampling/top_p", sampling.top_p);
  settings.setValue("sampling/min_p", sampling.min_p);
  settings.setValue("sampling/seed", QVariant::fromValue<qulonglong>(sampling.seed));
  settings.setValue("sampling/max_tokens", maxTokens());
}

void PromptDock::restore(const QSettings& settings) {
  auto number = [&](const char* key, double standard) { return settings.value(key, standard).toDouble(); };
  setSampling({.temperature = float(number("sampling/temperature", 0)),
               .top_k = std::uint32_t(number("sampling/top_k", 0)),
               .top_p = float(number("sampling/top_p", 1)),
               .min_p = float(number("sampling/min_p", 0)),
               .seed = std::uint64_t(number("sampling/seed", 0))});
  setMaxTokens(std::uint32_t(number("sampling/max_tokens", kDefaultMaxTokens)));
}

}  // namespace vitrine::ui
