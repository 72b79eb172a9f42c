#include "ui/methods/methods_window.h"

#include "ui/methods/form_lines.h"
#include "ui/widgets/icons.h"

#include <QCloseEvent>
#include <QCoreApplication>
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

constexpr int kChoiceWidth = 380, kWidth = 1180, kHeight = 800, kFieldWidth = 120;
constexpr int kInset = 40;  // of the window within its parent

QString paragraph(const QString& head, std::string_view text) {
  return text.empty() ? QString()
                      : QStringLiteral("<p><b>%1</b><br>%2</p>").arg(head, textOfView(text).toHtmlEscaped());
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
  QWidget* subject = buildSubject();
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
  for (QLineEdit* field : {filter_, matrices_, base_, tuned_, text_, tuned_text_, sibling_})
    connect(field, &QLineEdit::returnPressed, this, &MethodsWindow::run);
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
  if (!runner_.lastOf(*method_)) showResult();
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
