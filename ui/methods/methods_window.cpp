#include "ui/methods/methods_window.h"

#include "ui/widgets/icons.h"

#include <QCloseEvent>
#include <QCoreApplication>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QScrollArea>
#include <QShortcut>
#include <QSplitter>
#include <QStyle>

#include <algorithm>
#include <cmath>

namespace vitrine::ui {
namespace {

namespace methods = core::methods;

constexpr int kChoiceWidth = 380, kWidth = 1180, kHeight = 800, kFieldWidth = 120, kLabelWidth = 84;
constexpr int kPromptLines = 4;
constexpr int kInset = 40;  // of the window within its parent

QString textOfView(std::string_view text) {
  return QString::fromUtf8(text.data(), qsizetype(text.size()));
}

QString paragraph(const QString& head, std::string_view text) {
  return text.empty() ? QString()
                      : QStringLiteral("<p><b>%1</b><br>%2</p>").arg(head, textOfView(text).toHtmlEscaped());
}

QString adaptersText(const std::vector<core::AdapterChoice>& adapters) {
  QStringList texts;
  for (const core::AdapterChoice& adapter : adapters)
    texts << QString::fromStdString(
        fmt::format("{} × {:.3g}", adapter.folder.filename().string(), adapter.scale));
  return texts.join(QStringLiteral(", "));
}

// Of a form's row; all begin their fields at one edge, whichever form they are in.
QLabel* labelOf(const QString& text) {
  auto* label = new QLabel(text);
  label->setProperty("role", "secondary");
  label->setMinimumWidth(kLabelWidth);
  return label;
}

// A line of controls that a form can show and hide as one.
QWidget* lineOf(std::initializer_list<QWidget*> parts) {
  auto* line = new QWidget;
  auto* row = new QHBoxLayout(line);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(4);
  for (QWidget* part : parts) row->addWidget(part, qobject_cast<QLineEdit*>(part) ? 1 : 0);
  return line;
}

// As many decimals as the number needs, whatever the range's least one does.
class ParameterBox : public QDoubleSpinBox {
 protected:
  QString textFromValue(double value) const override {
    QString text = QDoubleSpinBox::textFromValue(value);
    const QString point = locale().decimalPoint();
    if (!text.contains(point)) return text;
    while (text.endsWith('0')) text.chop(1);
    if (text.endsWith(point)) text.chop(point.size());
    return text;
  }
};

}  // namespace

MethodsWindow::MethodsWindow(const ThemeController& theme, QString device, QWidget* parent)
    : QDialog(parent), theme_(theme), device_(std::move(device)), folder_("figures") {
  setObjectName("methods_window");
  setWindowTitle(tr("Methods"));
  setSizeGripEnabled(true);
  auto* parts = new QSplitter(this);
  parts->addWidget(buildChoice());
  parts->addWidget(buildResults());
  parts->setStretchFactor(1, 1);
  parts->setSizes({kChoiceWidth, kWidth - kChoiceWidth});
  parts->setChildrenCollapsible(false);
  auto* all = new QVBoxLayout(this);
  all->addWidget(parts);
  const QSize room = parent ? parent->size() : QSize(kWidth, kHeight);
  resize(QSize(kWidth, kHeight).boundedTo(room - QSize(kInset, kInset)));
  for (const char* keys : {"Ctrl+Return", "Ctrl+Enter"})
    connect(new QShortcut(QKeySequence(QString(keys)), this), &QShortcut::activated, this,
            &MethodsWindow::run);
  connect(&runner_, &MethodRunner::progressed, this, [this](qulonglong done, qulonglong of) {
    progress_->setRange(0, int(of));
    progress_->setValue(int(done));
    if (!runner_.isCancelling()) state_->setText(tr("%1 of %2").arg(done).arg(of));
  });
  connect(&runner_, &MethodRunner::finished, this, &MethodsWindow::finish);
  connect(&exporter_, &MethodExporter::progressed, this, [this](int done, int of) {
    export_progress_->setRange(0, of);
    export_progress_->setValue(done);
  });
  connect(&exporter_, &MethodExporter::finished, this, &MethodsWindow::exported);
  list_->setCurrentRow(0);
}

QWidget* MethodsWindow::buildChoice() {
  filter_ = new QLineEdit;
  filter_->setPlaceholderText(tr("Filter methods"));
  filter_->setObjectName("methods_filter");
  filter_->setClearButtonEnabled(true);
  filter_->installEventFilter(this);
  list_ = new QListWidget;
  list_->setObjectName("methods_list");
  for (const methods::Analysis* analysis : methods::analyses()) {
    auto* item = new QListWidgetItem(textOfView(analysis->title), list_);
    item->setToolTip(textOfView(analysis->summary) + '\n' + textOfView(analysis->paper));
    item->setData(Qt::UserRole, textOfView(analysis->id));
    item->setSizeHint({0, theme_.sizes().row});
  }
  list_->setProperty("role", "list");
  nothing_ = new QLabel(list_);
  nothing_->setObjectName("methods_nothing");
  nothing_->setProperty("role", "secondary");
  nothing_->setWordWrap(true);
  nothing_->setAlignment(Qt::AlignCenter);
  nothing_->hide();
  auto* over_list = new QVBoxLayout(list_);
  over_list->addWidget(nothing_);
  about_ = new QTextBrowser;
  matrices_ = new QLineEdit;
  matrices_->setObjectName("methods_matrices");
  matrices_->setPlaceholderText(tr("all; * stands for any letters"));
  matrices_->setToolTip(tr("Names of tensors; several, apart by spaces, are alternatives"));
  for (QLineEdit** field : {&base_, &tuned_, &text_, &tuned_text_, &sibling_}) *field = new QLineEdit;
  base_->setPlaceholderText(tr("the loaded model"));
  text_->setPlaceholderText(tr("a file of text; empty: the model is not run"));
  tuned_text_->setPlaceholderText(tr("a file of text"));
  sibling_->setPlaceholderText(tr("the model itself"));
  read_ = new QPlainTextEdit;
  read_->setObjectName("methods_prompt");
  read_->setPlaceholderText(tr("empty: the model is not run"));
  read_->setTabChangesFocus(true);
  read_->setFixedHeight(kPromptLines * fontMetrics().lineSpacing());
  auto* subject = new QWidget;
  subject_ = new QFormLayout(subject);
  subject_->setContentsMargins(0, 0, 0, 0);
  subject_->addRow(labelOf(tr("Base")), pathLine(base_, tr("Choose the base's folder"), Browsed::kFolder));
  subject_->addRow(labelOf(tr("Fine-tune")),
                   pathLine(tuned_, tr("Choose a tuned model's or an adapter's folder"), Browsed::kFolder));
  subject_->addRow(labelOf(tr("Matrices")), matrices_);
  adapters_ = new QLabel;
  adapters_->setObjectName("methods_adapters");
  adapters_->setProperty("role", "secondary");
  adapters_->setWordWrap(true);
  subject_->addRow(labelOf(tr("Prompt")), read_);
  subject_->addRow(labelOf(tr("Text")), pathLine(text_, tr("Choose a file of text"), Browsed::kFile));
  subject_->addRow(
      labelOf(tr("Tuned text")),
      pathLine(tuned_text_, tr("Choose a file of text of the fine-tune's kind"), Browsed::kFile));
  subject_->addRow(labelOf(tr("Sibling")),
                   pathLine(sibling_, tr("Choose a model's folder"), Browsed::kFolder));
  subject_->addRow(labelOf(tr("Adapter")), adapters_);
  auto* parameters = new QWidget;
  form_ = new QFormLayout(parameters);
  form_->setContentsMargins(0, 0, 0, 0);
  run_ = new QPushButton(tr("Run"));
  run_->setProperty("primary", true);
  run_->setDefault(false);
  run_->setAutoDefault(false);
  run_->setToolTip(tr("Run the method (Ctrl+Return; Return in the list, its filter or a name)"));
  cancel_ = new QPushButton(tr("Cancel"));
  cancel_->setAutoDefault(false);
  cancel_->setToolTip(tr("Stop after the matrix in hand (Esc)"));
  progress_ = new QProgressBar;
  progress_->setTextVisible(false);
  state_ = new QLabel;
  state_->setProperty("role", "secondary");
  auto* choice = new QWidget;
  auto* column = new QVBoxLayout(choice);
  column->setContentsMargins(0, 0, 2 * theme_.sizes().step, 0);
  column->addWidget(filter_);
  column->addWidget(list_, 2);
  column->addWidget(about_, 3);
  column->addWidget(subject);
  column->addWidget(parameters);
  column->addWidget(progress_);
  column->addWidget(lineOf({run_, cancel_, state_}));
  connect(filter_, &QLineEdit::textChanged, this, &MethodsWindow::filter);
  connect(list_, &QListWidget::currentRowChanged, this, [this](int row) {
    if (row < 0) return;
    method_ = methods::analyses()[std::size_t(row)];
    showMethod();
  });
  connect(list_, &QListWidget::itemActivated, this, &MethodsWindow::run);
  for (QLineEdit* field : {filter_, matrices_, base_, tuned_})
    connect(field, &QLineEdit::returnPressed, this, &MethodsWindow::run);
  connect(tuned_, &QLineEdit::textChanged, this, &MethodsWindow::showAdapters);
  connect(run_, &QPushButton::clicked, this, &MethodsWindow::run);
  connect(cancel_, &QPushButton::clicked, this, [this] {
    runner_.cancel();
    updateState();
  });
  return choice;
}

// What is run is what the list shows: where the filter hides it, the first that is left.
void MethodsWindow::filter(const QString& text) {
  int first = -1;
  for (int row = 0; row < list_->count(); ++row) {
    QListWidgetItem& item = *list_->item(row);
    const QString searched = item.text() + ' ' + item.toolTip() + ' ' + item.data(Qt::UserRole).toString();
    item.setHidden(!searched.contains(text, Qt::CaseInsensitive));
    if (!item.isHidden() && first < 0) first = row;
  }
  nothing_->setText(
      tr("No method's title, summary or paper has \u201c%1\u201d. Esc clears the filter.").arg(text));
  nothing_->setVisible(first < 0);
  if (first >= 0 && !listsMethod()) list_->setCurrentRow(first);
  list_->scrollToItem(list_->currentItem());
  updateState();
}

bool MethodsWindow::listsMethod() const {
  return list_->currentItem() && !list_->currentItem()->isHidden();
}

bool MethodsWindow::eventFilter(QObject* watched, QEvent* event) {
  if (watched == filter_ && event->type() == QEvent::KeyPress)
    switch (static_cast<QKeyEvent*>(event)->key()) {
      case Qt::Key_Up:
      case Qt::Key_Down:
      case Qt::Key_PageUp:
      case Qt::Key_PageDown:
        QCoreApplication::sendEvent(list_, event);
        return true;
      case Qt::Key_Escape:
        if (filter_->text().isEmpty()) break;
        filter_->clear();
        return true;
    }
  return QDialog::eventFilter(watched, event);
}

void MethodsWindow::choose(std::string_view id) {
  filter_->clear();
  for (int row = 0; row < list_->count(); ++row)
    if (list_->item(row)->data(Qt::UserRole).toString() == textOfView(id)) list_->setCurrentRow(row);
  list_->scrollToItem(list_->currentItem());
}

void MethodsWindow::showMethod() {
  about_->setHtml(
      QStringLiteral("<p>%1</p><p><i>%2</i></p>")
          .arg(textOfView(method_->summary).toHtmlEscaped(), textOfView(method_->paper).toHtmlEscaped()) +
      paragraph(tr("Computes"), method_->equation) + paragraph(tr("Costs"), method_->cost) +
      paragraph(tr("Not shown"), method_->unchecked));
  showParameters();
  showSubject();
  showResult();
  updateState();
  say({});  // what was said of another method
}

void MethodsWindow::showParameters() {
  while (form_->rowCount() > 0) form_->removeRow(0);
  values_.clear();
  const MethodRun* last = runner_.lastOf(*method_);
  for (const methods::Parameter& parameter : method_->parameters) {
    auto* box = new ParameterBox;
    // Steps of a hundredth of the range's decade; as many decimals as the smallest value needs.
    const double small = parameter.least > 0 ? parameter.least : parameter.most / 1000;
    const int decimals = parameter.whole ? 0 : std::clamp(int(std::ceil(-std::log10(small))) + 1, 2, 9);
    box->setDecimals(decimals);
    box->setRange(parameter.least, parameter.most);
    box->setSingleStep(parameter.whole ? 1 : std::pow(10.0, -(decimals - 1)));
    if (!parameter.unit.empty()) box->setSuffix(' ' + textOfView(parameter.unit));
    box->setValue(last ? last->parameters.value(parameter.name) : parameter.fallback);
    box->setMinimumWidth(kFieldWidth);
    box->setToolTip(
        tr("%1\n%2 to %3").arg(textOfView(parameter.help)).arg(parameter.least).arg(parameter.most));
    auto* reset = new IconButton(theme_, Icon::kReset, tr("Back to %1").arg(parameter.fallback));
    connect(reset, &QAbstractButton::clicked, box,
            [box, value = parameter.fallback] { box->setValue(value); });
    values_.push_back(box);
    auto* line = lineOf({box, reset});
    static_cast<QHBoxLayout*>(line->layout())->addStretch();
    auto* label = labelOf(textOfView(parameter.name));
    label->setToolTip(textOfView(parameter.help));
    form_->addRow(label, line);
  }
}

void MethodsWindow::showSubject() {
  const bool tunes = method_->subject == methods::Subject::kFineTunes;
  subject_->setRowVisible(0, tunes);
  subject_->setRowVisible(1, tunes);
  subject_->setRowVisible(2, method_->subject != methods::Subject::kHeads);
  const methods::RunsOn& runs = method_->runs;
  int row = 3;
  for (const auto& [field, on] : {std::pair<QWidget*, std::string_view>{read_, runs.prompt},
                                  {text_, runs.text},
                                  {tuned_text_, runs.tuned_text},
                                  {sibling_, runs.sibling}}) {
    subject_->setRowVisible(row++, !on.empty());
    field->setToolTip(textOfView(on));
  }
  QStringList names;
  if (model_)
    for (const core::AdapterSummary& adapter : model_->adapters)
      names << QString::fromStdString(adapter.name);
  tuned_->setPlaceholderText(names.isEmpty() ? tr("a tuned model's or an adapter's folder")
                                             : tr("the loaded adapter: %1").arg(names.join(", ")));
  showAdapters();
}

// What becomes of the loaded ones, whose scales may be moving.
void MethodsWindow::showAdapters() {
  const auto loaded = loadedAdapters();
  subject_->setRowVisible(adapters_, !loaded.empty());
  const QString names = adaptersText(loaded);
  const bool tunes = method_ && method_->subject == methods::Subject::kFineTunes;
  if (method_ && method_->subject == methods::Subject::kMatrices)
    adapters_->setText(tr("left out: matrices as they are stored"));
  else if (tunes && !tuned_->text().trimmed().isEmpty())
    adapters_->setText(tr("left out: Fine-tune names another"));
  else
    adapters_->setText(names);
  adapters_->setToolTip(tr("%1, with the scale of the model panel when the run starts").arg(names));
}

std::vector<core::AdapterChoice> MethodsWindow::loadedAdapters() const {
  std::vector<core::AdapterChoice> adapters;
  if (!model_) return adapters;
  for (const core::AdapterSummary& adapter : model_->adapters)
    adapters.push_back({adapter.folder, adapters.size() < adapter_scales_.size()
                                            ? adapter_scales_[adapters.size()]
                                            : adapter.scale});
  return adapters;
}

void MethodsWindow::setModel(std::shared_ptr<const core::ModelSummary> model,
                             std::vector<float> adapter_scales) {
  if (model == model_ && adapter_scales == adapter_scales_) return;
  adapter_scales_ = std::move(adapter_scales);
  if (model == model_) return showAdapters();
  runner_.cancel();
  model_ = std::move(model);
  std::vector<std::string> names;
  if (model_)
    for (const core::TensorSummary& tensor : model_->tensors) names.push_back(tensor.name);
  matrices_->setText(QString::fromStdString(methods::firstLayerGlob(names)));
  showSubject();
  updateState();
}

void MethodsWindow::setPrompt(const QString& prompt) {
  if (prompt == prompt_) return;
  if (read_->toPlainText() == prompt_) read_->setPlainText(prompt);
  prompt_ = prompt;
}

methods::AnalysisSource MethodsWindow::source() const {
  methods::AnalysisSource source;
  if (model_) source.model = model_->path;
  const methods::RunsOn& runs = method_->runs;
  if (!runs.prompt.empty()) source.prompt = read_->toPlainText().toStdString();
  if (!runs.text.empty()) source.text = text_->text().trimmed().toStdString();
  if (!runs.tuned_text.empty()) source.tuned_text = tuned_text_->text().trimmed().toStdString();
  if (!runs.sibling.empty()) source.sibling = sibling_->text().trimmed().toStdString();
  if (method_->subject == methods::Subject::kHeads) {
    source.adapters = loadedAdapters();
    return source;
  }
  source.matrices = matrices_->text().trimmed().toStdString();
  if (method_->subject == methods::Subject::kMatrices) return source;
  if (const QString base = base_->text().trimmed(); !base.isEmpty()) source.model = base.toStdString();
  const std::filesystem::path tuned = tuned_->text().trimmed().toStdString();
  if (tuned.empty()) {
    source.adapters = loadedAdapters();
  } else if (std::filesystem::exists(tuned / "adapter_config.json")) {
    source.adapters.push_back({.folder = tuned});
  } else {
    source.tuned = tuned;
  }
  return source;
}

methods::Parameters MethodsWindow::parameters() const {
  methods::Parameters parameters(method_->parameters);
  // Within the range: the boxes hold it.
  for (std::size_t i = 0; i < values_.size(); ++i)
    static_cast<void>(parameters.set(method_->parameters[i].name, values_[i]->value()));
  return parameters;
}

void MethodsWindow::run() {
  if (!listsMethod() || !runner_.start(*method_, source(), parameters())) return;
  progress_->setRange(0, 0);
  say({});
  updateState();
}

// What another method shows stays, and the same one shows what it showed of its last result.
void MethodsWindow::finish(const methods::Analysis* analysis, const QString& error) {
  if (analysis == method_) {
    const int tab = results_->currentIndex();
    showResult(error);
    results_->setCurrentIndex(std::min(tab, results_->count() - 1));
  } else if (!error.isEmpty()) {
    say(tr("%1: %2").arg(textOfView(analysis->title), error), true);
  }
  updateState();
}

void MethodsWindow::updateState() {
  const bool running = runner_.isRunning();
  run_->setEnabled(!running && listsMethod());
  cancel_->setEnabled(running && !runner_.isCancelling());
  progress_->setVisible(running);
  if (!running)
    state_->setText({});
  else
    state_->setText(runner_.isCancelling() ? tr("Stops after the matrix or run in hand…")
                                           : tr("Reading for %1…").arg(textOfView(runner_.running()->title)));
}

QWidget* MethodsWindow::pathLine(QLineEdit* field, const QString& title, Browsed browsed) {
  auto* button = new IconButton(theme_, Icon::kFolder, title);
  connect(button, &QAbstractButton::clicked, this, [this, field, title, browsed] {
    const QString path = browsed == Browsed::kFile
                             ? QFileDialog::getOpenFileName(this, title, field->text())
                             : QFileDialog::getExistingDirectory(this, title, field->text());
    if (!path.isEmpty()) field->setText(path);
  });
  return lineOf({field, button});
}

void MethodsWindow::say(const QString& text, bool failed) {
  said_->setText(text);
  said_->setToolTip({});
  said_->setProperty("role", failed ? "error" : "secondary");
  said_->style()->unpolish(said_);
  said_->style()->polish(said_);
}

void MethodsWindow::reject() {
  if (!runner_.isRunning()) return QDialog::reject();
  runner_.cancel();
  updateState();
}

void MethodsWindow::closeEvent(QCloseEvent* event) {
  runner_.cancel();
  event->accept();
}

}  // namespace vitrine::ui
