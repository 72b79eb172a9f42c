#include "ui/docks/figure_dock.h"

#include "core/figure/preset.h"
#include "ui/widgets/icons.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QSettings>
#include <QStandardPaths>
#include <QStyle>

namespace vitrine::ui {
namespace {

constexpr const char* kFormats[] = {"pdf", "svg", "png", "csv", "npz", "tex"};
constexpr const char* kDefaultFormats = "pdf svg csv npz";

const char* formatTooltip(const QString& format) {
  if (format == "pdf") return "Vector axes and text, embedded TrueType fonts, one raster for the cells";
  if (format == "svg") return "Vector, text stays text";
  if (format == "png") return "Pixels, at the resolution below";
  if (format == "csv") return "The numbers, one row a query";
  if (format == "npz") return "The numbers for NumPy";
  return "A table of the figure's numbers and the lines that include the figure";
}

}  // namespace

FigureDock::FigureDock(const ThemeController& theme, QWidget* parent)
    : Dock(theme, "figure_dock", tr("Figure"), Overflow::kHandled, parent),
      content_(new QComboBox(this)),
      preset_(new QComboBox(this)),
      formats_field_(new MenuField(this)),
      dpi_(new QSpinBox),
      folder_(new ElidedLabel(this)),
      result_(new ElidedLabel(this)),
      export_(new QPushButton(tr("Export"), this)),
      preview_(new QPushButton(tr("Preview"), this)),
      copy_(new QPushButton(tr("Copy"), this)) {
  for (const core::FigurePreset& preset : core::figurePresets())
    preset_->addItem(tr("%1  %2 in").arg(QString::fromStdString(preset.name)).arg(preset.width_in),
                     QString::fromStdString(preset.name));
  preset_->setToolTip(tr("Width and type sizes of the venue where the figure will be printed, inches"));
  preset_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  preset_->setMinimumContentsLength(8);
  dpi_->setRange(72, 1200);
  dpi_->setSingleStep(50);
  dpi_->setValue(300);
  dpi_->setSuffix(tr(" dpi"));
  dpi_->setToolTip(tr("Resolution of PNG, dots per inch"));
  folder_->setProperty("role", "secondary");
  result_->setProperty("role", "secondary");
  export_->setProperty("primary", true);
  export_->setToolTip(tr("Write the chosen formats and a JSON file that says where the figure comes from"));
  preview_->setToolTip(tr("Show the figure as it will be printed"));
  copy_->setToolTip(tr("Copy the figure to the clipboard as an image"));

  buildFormats();
  auto* grid = new QGridLayout;
  grid->setHorizontalSpacing(8);
  grid->setVerticalSpacing(4);
  grid->setColumnStretch(1, 1);
  auto row = [&](const QString& name, QWidget* field) {
    auto* label = new QLabel(name, this);
    label->setProperty("role", "secondary");
    const int at = grid->rowCount();
    grid->addWidget(label, at, 0);
    grid->addWidget(field, at, 1);
    return label;
  };
  auto* folder = new QWidget(this);
  auto* folder_row = new QHBoxLayout(folder);
  folder_row->setContentsMargins(0, 0, 0, 0);
  folder_row->setSpacing(4);
  auto* browse = new IconButton(theme, Icon::kFolder, tr("Choose the folder for figures"), this);
  folder_row->addWidget(folder_, 1);
  folder_row->addWidget(browse);
  content_label_ = row(tr("Content"), content_);
  content_->setToolTip(tr("Which of the view's plots the figure shows"));
  setContents({});
  row(tr("Preset"), preset_);
  row(tr("Formats"), formats_field_);
  row(tr("Folder"), folder);
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(8);
  for (auto* button : {export_, preview_, copy_}) buttons->addWidget(button);
  buttons->addStretch();
  auto* part = addPadded();
  part->addSpacing(4);
  part->addLayout(grid);
  part->addSpacing(4);
  part->addLayout(buttons);
  part->addWidget(result_);
  body()->addStretch();

  connect(browse, &QToolButton::clicked, this, &FigureDock::chooseFolder);
  connect(export_, &QPushButton::clicked, this, &FigureDock::exportRequested);
  connect(preview_, &QPushButton::clicked, this, &FigureDock::previewRequested);
  connect(copy_, &QPushButton::clicked, this, &FigureDock::copyRequested);
  restore(QSettings());
}

// The check boxes live in a menu that stays open while one chooses.
void FigureDock::buildFormats() {
  auto* panel = new QWidget;
  auto* column = new QVBoxLayout(panel);
  column->setContentsMargins(12, 8, 12, 8);
  column->setSpacing(8);
  for (const char* format : kFormats) {
    auto* box = new QCheckBox(QString(format).toUpper(), panel);
    box->setProperty("format", format);
    box->setToolTip(tr(formatTooltip(format)));
    connect(box, &QCheckBox::toggled, this, &FigureDock::updateButtons);
    column->addWidget(box);
    formats_.push_back(box);
  }
  auto* resolution = new QHBoxLayout;
  resolution->setSpacing(8);
  resolution->addWidget(new QLabel(tr("PNG at"), panel));
  resolution->addWidget(dpi_);
  column->addLayout(resolution);
  formats_field_->setPanel(panel);
  formats_field_->setToolTip(tr("File formats, and the resolution of PNG; a JSON file is always written"));
}

FigureChoice FigureDock::choice() const {
  FigureChoice choice{preset_->currentData().toString(),
                      {},
                      dpi_->value(),
                      folder_->fullText(),
                      std::max(0, content_->currentIndex())};
  for (const QCheckBox* box : formats_)
    if (box->isChecked()) choice.formats << box->property("format").toString();
  return choice;
}

void FigureDock::setFolder(const QString& folder) {
  folder_->setFullText(folder);
}

void FigureDock::setAvailable(bool available) {
  if (available == available_) return;
  available_ = available;
  updateButtons();
}

void FigureDock::setContents(const QStringList& names) {
  QStringList shown;
  for (int i = 0; i < content_->count(); ++i) shown << content_->itemText(i);
  if (shown != names) {
    content_->clear();
    content_->addItems(names);
  }
  content_->setVisible(names.size() > 1);
  content_label_->setVisible(names.size() > 1);
}

void FigureDock::updateButtons() {
  const QString formats = choice().formats.join(' ').toUpper();
  formats_field_->setText(formats.isEmpty() ? tr("none") : formats);
  export_->setEnabled(available_ && !choice().formats.isEmpty());
  preview_->setEnabled(available_);
  copy_->setEnabled(available_);
}

void FigureDock::setResult(const QString& text, bool failed) {
  result_->setProperty("role", failed ? "error" : "secondary");
  result_->style()->unpolish(result_);
  result_->style()->polish(result_);
  result_->setFullText(text);
}

void FigureDock::save(QSettings& settings) const {
  const FigureChoice choice = this->choice();
  settings.setValue("figure/preset", choice.preset);
  settings.setValue("figure/formats", choice.formats.join(' '));
  settings.setValue("figure/dpi", choice.dpi);
  settings.setValue("figure/folder", choice.folder);
}

void FigureDock::restore(const QSettings& settings) {
  const int preset = preset_->findData(settings.value("figure/preset", "icml-column").toString());
  preset_->setCurrentIndex(std::max(0, preset));
  const QStringList formats = settings.value("figure/formats", kDefaultFormats).toString().split(' ');
  for (QCheckBox* box : formats_) box->setChecked(formats.contains(box->property("format").toString()));
  dpi_->setValue(settings.value("figure/dpi", 300).toInt());
  const QString documents = QStandardPaths::writableLocation(QStandardPaths::DocumentsLocation);
  setFolder(settings.value("figure/folder", documents + "/Vitrine").toString());
  updateButtons();
}

}  // namespace vitrine::ui
