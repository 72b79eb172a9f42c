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

#include <algorithm>
#include <cmath>

namespace vitrine::ui {
namespace {

namespace methods = core::methods;

constexpr int kChoiceWidth = 380, kWidth = 1180, kHeight = 800, kFieldWidth = 120, kPromptLines = 4;

QString textOfView(std::string_view text) {
  return QString::fromUtf8(text.data(), qsizetype(text.size()));
}

QString paragraph(const QString& head, std::string_view text) {
  return text.empty() ? QString()
                      : QStringLiteral("<p><b>%1</b><br>%2</p>").arg(head, textOfView(text).toHtmlEscaped());
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
  resize(kWidth, kHeight);
  for (const char* keys : {"Ctrl+Return", "Ctrl+Enter"})
    connect(new QShortcut(QKeySequence(QString(keys)), this), &QShortcut::activated, this,
            &MethodsWindow::run);
  connect(&runner_, &MethodRunner::progressed, this, [this](qulonglong done, qulonglong of) {
    progress_->setRange(0, int(of));
    progress_->setValue(int(done));
    if (!runner_.isCancelling()) state_->setText(tr("%1 of %2").arg(done).arg(of));
  });
  connect(&runner_, &MethodRunner::finished, this, [this](const methods::Analysis*, const QString& error) {
    showResult();
    updateState();
    if (!error.isEmpty()) say(error, true);
  });
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
  }
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
  subject_->addRow(tr("Base"), pathLine(base_, tr("Choose the base's folder"), Browsed::kFolder));
  subject_->addRow(tr("Fine-tune"),
                   pathLine(tuned_, tr("Choose a tuned model's or an adapter's folder"), Browsed::kFolder));
  subject_->addRow(tr("Matrices"), matrices_);
  subject_->addRow(tr("Prompt"), read_);
  subject_->addRow(tr("Text"), pathLine(text_, tr("Choose a file of text"), Browsed::kFile));
  subject_->addRow(
      tr("Tuned text"),
      pathLine(tuned_text_, tr("Choose a file of text of the fine-tune's kind"), Browsed::kFile));
  subject_->addRow(tr("Sibling"), pathLine(sibling_, tr("Choose a model's folder"), Browsed::kFolder));
  auto* parameters = new QWidget;
  form_ = new QFormLayout(parameters);
  form_->setContentsMargins(0, 0, 0, 0);
  run_ = new QPushButton(tr("Run"));
  run_->setProperty("primary", true);
  run_->setDefault(false);
  run_->setAutoDefault(false);
  run_->setToolTip(tr("Run the method (Ctrl+Return)"));
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
  if (first < 0) return say(tr("No method's title, summary or paper has \u201c%1\u201d.").arg(text), true);
  if (!list_->currentItem() || list_->currentItem()->isHidden()) list_->setCurrentRow(first);
  say({});
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
    auto* box = new QDoubleSpinBox;
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
    auto* label = new QLabel(textOfView(parameter.name));
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
}

void MethodsWindow::setModel(std::shared_ptr<const core::ModelSummary> model) {
  if (model == model_) return;
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
  if (method_->subject == methods::Subject::kHeads) return source;
  source.matrices = matrices_->text().trimmed().toStdString();
  if (method_->subject == methods::Subject::kMatrices) return source;
  if (const QString base = base_->text().trimmed(); !base.isEmpty()) source.model = base.toStdString();
  const std::filesystem::path tuned = tuned_->text().trimmed().toStdString();
  if (tuned.empty()) {
    if (model_)
      for (const core::AdapterSummary& adapter : model_->adapters)
        source.adapters.push_back({adapter.folder, adapter.scale});
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
  if (!runner_.start(*method_, source(), parameters())) return;
  progress_->setRange(0, 0);
  say({});
  updateState();
}

void MethodsWindow::updateState() {
  const bool running = runner_.isRunning();
  run_->setEnabled(!running);
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
  QPalette palette = this->palette();
  palette.setColor(QPalette::WindowText,
                   toQt(failed ? theme_.colors().error : theme_.colors().text_secondary));
  said_->setPalette(palette);
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
