// What a run found: the right part of the window, and its exports.
#include "ui/figure/export_figure.h"
#include "ui/methods/method_table.h"
#include "ui/methods/methods_window.h"

#include <QApplication>
#include <QClipboard>
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

constexpr int kPaper = 12, kLargestDpi = 300;
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
    painter.fillRect(rect(), Qt::white);
    const QRect room = rect().adjusted(kPaper, kPaper, -kPaper, -kPaper);
    if (room.isEmpty()) return;
    if (picture_.isNull() || drawn_ != size()) draw(room);
    if (picture_.isNull()) return painter.drawText(room, Qt::AlignCenter | Qt::TextWordWrap, error_);
    QRect place(QPoint(), picture_.size() / picture_.devicePixelRatio());
    place.moveCenter(room.center());
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
  explicit MethodTableView(core::methods::Table table) : table_(new MethodTable(std::move(table), this)) {
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

}  // namespace

QWidget* MethodsWindow::buildResults() {
  results_ = new QTabWidget;
  results_->setDocumentMode(true);
  results_->setUsesScrollButtons(true);
  preset_ = new QComboBox;
  preset_->setToolTip(tr("The page that the figure is laid out for"));
  for (const core::FigurePreset& preset : core::figurePresets())
    preset_->addItem(QString::fromStdString(preset.name));
  formats_ = new QComboBox;
  for (const char* formats : {"pdf,csv", "svg,csv", "png,csv", "pdf,svg,png,csv,npz,tex"})
    formats_->addItem(QString(formats));
  formats_->setToolTip(tr("What is written, with a JSON file that says how it was made"));
  export_figure_ = new QPushButton(tr("Export figure"));
  export_table_ = new QPushButton(tr("Export table…"));
  export_table_->setToolTip(tr("Write the shown table as CSV"));
  for (QPushButton* button : {export_figure_, export_table_}) button->setAutoDefault(false);
  said_ = new QLabel;
  said_->setWordWrap(true);
  said_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  auto* results = new QWidget;
  auto* column = new QVBoxLayout(results);
  column->setContentsMargins(0, 0, 0, 0);
  column->addWidget(results_, 1);
  column->addWidget(said_);
  auto* row = new QHBoxLayout;
  row->addWidget(preset_);
  row->addWidget(formats_);
  row->addWidget(export_figure_);
  row->addStretch();
  row->addWidget(export_table_);
  column->addLayout(row);
  connect(export_figure_, &QPushButton::clicked, this, &MethodsWindow::exportFigure);
  connect(export_table_, &QPushButton::clicked, this, &MethodsWindow::exportTable);
  auto show_exports = [this] {
    export_figure_->setEnabled(dynamic_cast<MethodFigure*>(results_->currentWidget()) != nullptr);
    export_table_->setEnabled(dynamic_cast<MethodTableView*>(results_->currentWidget()) != nullptr);
  };
  connect(results_, &QTabWidget::currentChanged, this, show_exports);
  connect(preset_, &QComboBox::currentTextChanged, this, [this](const QString& name) {
    const auto preset = core::findFigurePreset(name.toStdString());
    for (int tab = 0; preset && tab < results_->count(); ++tab)
      if (auto* figure = dynamic_cast<MethodFigure*>(results_->widget(tab))) figure->setPreset(*preset);
  });
  return results;
}

void MethodsWindow::showResult() {
  while (results_->count() > 0) delete results_->widget(0);
  say({});
  const MethodRun* run = runner_.lastOf(*method_);
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
  auto* empty = new QLabel(model_ || method_->subject == core::methods::Subject::kFineTunes
                               ? tr("Nothing has been run yet: Run, or Ctrl+Return.")
                               : tr("No model is loaded: open one in the main window."));
  empty->setAlignment(Qt::AlignCenter);
  empty->setProperty("role", "secondary");
  results_->addTab(empty, tr("Results"));
}

void MethodsWindow::addFigures(const MethodRun& run) {
  const auto preset = core::findFigurePreset(preset_->currentText().toStdString());
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
        results_->addTab(new MethodTableView(table),
                         run.result.tables.size() == 1 ? tr("Table") : tr("Table %1").arg(number++));
    results_->setTabToolTip(tab, QString::fromStdString(table.title));
  }
}

void MethodsWindow::exportFigure() {
  const auto* shown = dynamic_cast<MethodFigure*>(results_->currentWidget());
  const MethodRun* run = runner_.lastOf(*method_);
  if (!shown || !run) return;
  auto files = [&]() -> Result<std::vector<std::filesystem::path>> {
    TRY_ASSIGN(const core::FigurePreset preset, core::findFigurePreset(preset_->currentText().toStdString()));
    TRY_ASSIGN(const auto formats, core::parseFigureFormats(formats_->currentText().toStdString()));
    core::Provenance provenance;
    provenance.model_path = run->source.model.string();
    provenance.method = method_->id;
    for (const core::methods::Parameter& parameter : run->parameters.list())
      provenance.parameters.emplace_back(
          parameter.name, QString::number(run->parameters.value(parameter.name)).toStdString());
    provenance.parameters.emplace_back("matrices", run->source.matrices);
    provenance.device = device_.toStdString();
    return ui::exportFigure(shown->figure(), preset, formats, {folder_.toStdString(), shown->figure().name},
                            provenance);
  }();
  if (!files) return say(QString::fromStdString(files.error().describe()), true);
  say(tr("%1 files in %2").arg(files->size()).arg(folder_));
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
