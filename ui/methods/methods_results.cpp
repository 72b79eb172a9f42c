// What a run found: the right part of the window, and its exports.
#include "ui/figure/export_figure.h"
#include "ui/methods/method_table.h"
#include "ui/methods/methods_window.h"

#include <QApplication>
#include <QClipboard>
#include <QDir>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QPainter>
#include <QSaveFile>
#include <QShortcut>
#include <QSortFilterProxyModel>
#include <QTableView>

#include <algorithm>

namespace vitrine::ui {
namespace {

constexpr int kPaper = 12, kLargestDpi = 300, kProgressWidth = 96;
constexpr double kWidestColumn = 28;  // in characters; longer text is cut

// A figure on white paper, as large as there is room, drawn anew at each size.
class MethodFigure : public QWidget {
 public:
  MethodFigure(core::Figure figure, core::FigurePreset preset)
      : figure_(std::move(figure)), preset_(std::move(preset)) {
    setToolTip(QString::fromStdString(figure_.caption));
  }
  const core::Figure& figure() const { return figure_; }
  void setPreset(core::FigurePreset preset) {
    preset_ = std::move(preset);
    picture_ = {};
    update();
  }

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    const QRect room = rect().adjusted(kPaper, kPaper, -kPaper, -kPaper);
    if (room.isEmpty()) return;
    if (picture_.isNull() || drawn_ != size()) draw(room);
    if (picture_.isNull()) return painter.drawText(room, Qt::AlignCenter | Qt::TextWordWrap, error_);
    QRect place(QPoint(), picture_.size() / picture_.devicePixelRatio());
    place.moveCenter(room.center());
    painter.fillRect(place.adjusted(-kPaper, -kPaper, kPaper, kPaper), Qt::white);
    painter.drawImage(place.topLeft(), picture_);
  }

 private:
  // The page's height follows from its content, so a first small drawing tells the resolution that fits.
  void draw(const QRect& room) {
    drawn_ = size();
    constexpr int kProbeDpi = 50;
    auto probe = renderFigure(figure_, preset_, kProbeDpi);
    if (!probe) {
      error_ = QString::fromStdString(probe.error().describe());
      return;
    }
    const double scale =
        std::min(double(room.width()) / probe->width(), double(room.height()) / probe->height());
    const int dpi = std::clamp(int(kProbeDpi * scale * devicePixelRatioF()), 20, kLargestDpi);
    if (auto picture = renderFigure(figure_, preset_, dpi)) picture_ = *picture;
    picture_.setDevicePixelRatio(devicePixelRatioF());
  }

  core::Figure figure_;
  core::FigurePreset preset_;
  QImage picture_;
  QString error_;
  QSize drawn_;
};

class MethodTableView : public QTableView {
 public:
  MethodTableView(core::methods::Table table, int row) : table_(new MethodTable(std::move(table), this)) {
    auto* sorted = new QSortFilterProxyModel(this);
    sorted->setSourceModel(table_);
    sorted->setSortRole(MethodTable::kSortRole);
    sorted->sort(-1);
    setModel(sorted);
    horizontalHeader()->setSortIndicator(-1, Qt::AscendingOrder);
    setSortingEnabled(true);
    setShowGrid(false);
    setWordWrap(false);
    verticalHeader()->hide();
    verticalHeader()->setMinimumSectionSize(row);
    verticalHeader()->setDefaultSectionSize(row);
    resizeColumnsToContents();
    const int most = int(fontMetrics().averageCharWidth() * kWidestColumn);
    for (int column = 0; column < sorted->columnCount(); ++column)
      setColumnWidth(column, std::min(columnWidth(column) + 8,
                                      std::max(most, horizontalHeader()->sectionSizeHint(column))));
    auto* copy = new QShortcut(QKeySequence::Copy, this);
    copy->setContext(Qt::WidgetWithChildrenShortcut);
    connect(copy, &QShortcut::activated, this,
            [this] { QApplication::clipboard()->setText(cellsAsTsv(*model(), selectedIndexes())); });
  }
  const core::methods::Table& table() const { return table_->table(); }

 private:
  MethodTable* table_;
};

// What a result is of: what is asked for may be another by now.
QString subjectOf(const core::methods::Analysis& analysis, const MethodRun& run) {
  const auto name = [](const std::filesystem::path& path) {
    return (path.has_filename() ? path.filename() : path.parent_path().filename()).string();
  };
  std::string text = name(run.source.model);
  if (!run.source.tuned.empty()) text += " · " + name(run.source.tuned);
  for (const core::AdapterChoice& adapter : run.source.adapters)
    text += fmt::format(" · {} × {:.3g}", name(adapter.folder), adapter.scale);
  if (analysis.subject != core::methods::Subject::kHeads)
    text += " · " + (run.source.matrices.empty() ? "all matrices" : run.source.matrices);
  for (const core::methods::Parameter& parameter : run.parameters.list())
    text += fmt::format(" · {} = {:.6g}", parameter.name, run.parameters.value(parameter.name));
  return QString::fromStdString(text);
}

}  // namespace

QWidget* MethodsWindow::buildResults() {
  results_ = new QTabWidget;
  results_->setDocumentMode(true);
  results_->setUsesScrollButtons(true);
  preset_ = new QComboBox;
  preset_->setToolTip(tr("Width and type sizes of the venue where the figure will be printed, inches"));
  for (const core::FigurePreset& preset : core::figurePresets())
    preset_->addItem(tr("%1  %2 in").arg(QString::fromStdString(preset.name)).arg(preset.width_in),
                     QString::fromStdString(preset.name));
  formats_ = new QComboBox;
  for (const char* formats : {"pdf,csv", "svg,csv", "png,csv", "pdf,svg,png,csv,npz,tex"})
    formats_->addItem(QString(formats).replace(',', ' ').toUpper(), QString(formats));
  formats_->setToolTip(tr("What is written, with a JSON file that says how it was made"));
  for (QComboBox* menu : {preset_, formats_}) {
    menu->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    menu->setMinimumContentsLength(8);
    menu->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
  }
  export_figure_ = new QPushButton(tr("Export figure"));
  export_figure_->setObjectName("methods_export_figure");
  export_table_ = new QPushButton(tr("Export table…"));
  export_table_->setToolTip(tr("Write the shown table as CSV"));
  for (QPushButton* button : {export_figure_, export_table_}) button->setAutoDefault(false);
  export_progress_ = new QProgressBar;
  export_progress_->setTextVisible(false);
  export_progress_->setFixedWidth(kProgressWidth);
  export_progress_->hide();
  result_of_ = new ElidedLabel;
  result_of_->setObjectName("methods_result_of");
  result_of_->setProperty("role", "secondary");
  said_ = new QLabel;
  said_->setWordWrap(true);
  said_->setMinimumHeight(said_->fontMetrics().lineSpacing());  // nothing moves when something is said
  said_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  auto* results = new QWidget;
  auto* column = new QVBoxLayout(results);
  column->setContentsMargins(0, 0, 0, 0);
  column->addWidget(result_of_);
  column->addWidget(results_, 1);
  column->addWidget(said_);
  auto* row = new QHBoxLayout;
  row->addWidget(preset_, 1);
  row->addWidget(formats_, 1);
  row->addWidget(export_figure_);
  row->addWidget(export_progress_);
  row->addStretch(2);
  row->addWidget(export_table_);
  column->addLayout(row);
  connect(export_figure_, &QPushButton::clicked, this, &MethodsWindow::exportFigure);
  connect(export_table_, &QPushButton::clicked, this, &MethodsWindow::exportTable);
  connect(results_, &QTabWidget::currentChanged, this, &MethodsWindow::updateExports);
  connect(preset_, &QComboBox::currentIndexChanged, this, [this] {
    const auto preset = core::findFigurePreset(preset_->currentData().toString().toStdString());
    for (int tab = 0; preset && tab < results_->count(); ++tab)
      if (auto* figure = dynamic_cast<MethodFigure*>(results_->widget(tab))) figure->setPreset(*preset);
  });
  return results;
}

void MethodsWindow::showResult(const QString& error) {
  while (results_->count() > 0) delete results_->widget(0);
  const MethodRun* run = runner_.lastOf(*method_);
  result_of_->setFullText(run ? subjectOf(*method_, *run) : QString());
  result_of_->setVisible(run != nullptr);
  say(run ? error : QString(), true);  // without a result it stands in its place
  if (run) {
    addFigures(*run);
    addTables(*run);
  }
  if (run && !run->result.notes.empty()) {
    QStringList notes;
    for (const std::string& note : run->result.notes) notes << QString::fromStdString(note);
    auto* text = new QTextBrowser;
    text->setPlainText(notes.join(QStringLiteral("\n\n")));
    results_->addTab(text, tr("Notes"));
  }
  if (results_->count() > 0) return;
  auto* empty =
      new QLabel(!error.isEmpty()               ? error
                 : runner_.running() == method_ ? tr("Running: tables and figures appear here at its end.")
                 : model_ || method_->subject == core::methods::Subject::kFineTunes
                     ? tr("Nothing has been run yet: Run, or Ctrl+Return.")
                     : tr("No model is loaded: open one in the main window."));
  empty->setObjectName("methods_empty");
  empty->setAlignment(Qt::AlignCenter);
  empty->setProperty("role", error.isEmpty() ? "secondary" : "error");
  empty->setWordWrap(true);
  empty->setMargin(kPaper);
  empty->setTextInteractionFlags(Qt::TextSelectableByMouse);
  results_->addTab(empty, tr("Results"));
}

void MethodsWindow::addFigures(const MethodRun& run) {
  const auto preset = core::findFigurePreset(preset_->currentData().toString().toStdString());
  if (!preset) return;
  for (const core::Figure& figure : run.result.figures) {
    QString title = QString::fromStdString(figure.name);
    const QString id = QString::fromUtf8(method_->id.data(), qsizetype(method_->id.size())) + '-';
    if (title.startsWith(id)) title.remove(0, id.size());
    const int tab = results_->addTab(new MethodFigure(figure, *preset), title);
    results_->setTabToolTip(tab, QString::fromStdString(figure.caption));
  }
}

void MethodsWindow::addTables(const MethodRun& run) {
  int number = 1;
  for (const core::methods::Table& table : run.result.tables) {
    const int tab =
        results_->addTab(new MethodTableView(table, theme_.sizes().row),
                         run.result.tables.size() == 1 ? tr("Table") : tr("Table %1").arg(number++));
    results_->setTabToolTip(tab, QString::fromStdString(table.title));
  }
}

void MethodsWindow::updateExports() {
  // A button that is disabled would hand the keys to whatever comes next, a parameter.
  if (exporter_.isRunning() && export_figure_->hasFocus()) results_->setFocus();
  export_figure_->setEnabled(!exporter_.isRunning() &&
                             dynamic_cast<MethodFigure*>(results_->currentWidget()) != nullptr);
  export_table_->setEnabled(dynamic_cast<MethodTableView*>(results_->currentWidget()) != nullptr);
  export_progress_->setVisible(exporter_.isRunning());
}

void MethodsWindow::exportFigure() {
  const auto* shown = dynamic_cast<MethodFigure*>(results_->currentWidget());
  const MethodRun* run = runner_.lastOf(*method_);
  if (!shown || !run) return;
  auto preset = core::findFigurePreset(preset_->currentData().toString().toStdString());
  auto formats = core::parseFigureFormats(formats_->currentData().toString().toStdString());
  VITRINE_ASSERT(preset && formats);  // the menus offer no others
  if (!exporter_.start({.figure = shown->figure(),
                        .preset = *std::move(preset),
                        .formats = *std::move(formats),
                        .folder = folder_.toStdString(),
                        .source = run->source,
                        .provenance = provenanceOf(*method_, *run, device_.toStdString())}))
    return;
  export_progress_->setRange(0, 0);
  say(tr("Writing %1…").arg(QString::fromStdString(shown->figure().name)));
  updateExports();
}

void MethodsWindow::exported(const QStringList& files, const QString& error) {
  updateExports();
  if (!error.isEmpty()) return say(error, true);
  say(tr("%1 files in %2").arg(files.size()).arg(QDir(folder_).absolutePath()));
  said_->setToolTip(files.join('\n'));
}

void MethodsWindow::exportTable() {
  const auto* shown = dynamic_cast<MethodTableView*>(results_->currentWidget());
  if (!shown) return;
  const QString name = results_->tabText(results_->currentIndex()).toLower().replace(' ', '-');
  const QString path = QFileDialog::getSaveFileName(
      this, tr("Export table"),
      QString::fromUtf8(method_->id.data(), qsizetype(method_->id.size())) + '-' + name + ".csv",
      tr("CSV (*.csv)"));
  if (path.isEmpty()) return;
  QSaveFile file(path);
  if (!file.open(QIODevice::WriteOnly) || file.write(tableAsCsv(shown->table()).toUtf8()) < 0 ||
      !file.commit())
    return say(tr("%1 cannot be written; choose another folder").arg(path), true);
  say(tr("Written: %1").arg(path));
}

}  // namespace vitrine::ui
