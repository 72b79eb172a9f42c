// What a method is run on: its form, and what is made of it.
#include <QFileDialog>

#include "ui/methods/form_lines.h"
#include "ui/methods/methods_window.h"
#include "ui/widgets/icons.h"

namespace vitrine::ui {
namespace {

namespace methods = core::methods;

constexpr int kPromptLines = 4;

QString adaptersText(const std::vector<core::AdapterChoice>& adapters) {
  QStringList texts;
  for (const core::AdapterChoice& adapter : adapters)
    texts << QString::fromStdString(
        fmt::format("{} × {:.3g}", adapter.folder.filename().string(), adapter.scale));
  return texts.join(QStringLiteral(", "));
}

}  // namespace

QWidget* MethodsWindow::buildSubject() {
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
  connect(tuned_, &QLineEdit::textChanged, this, &MethodsWindow::showAdapters);
  return subject;
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

}  // namespace vitrine::ui
