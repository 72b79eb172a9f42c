// The window "Methods": family analysis of core/methods chosen from a list, told what to look at, run beside
// everything else, its figures, tables and notes shown and exported.
#pragma once

#include "core/engine/engine_types.h"
#include "ui/methods/method_exporter.h"
#include "ui/methods/method_runner.h"
#include "ui/theme/theme_controller.h"
#include "ui/widgets/elided_label.h"

#include <QComboBox>
#include <QDialog>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QTabWidget>
#include <QTextBrowser>

#include <vector>

namespace vitrine::ui {

class MethodsWindow : public QDialog {
  Q_OBJECT

 public:
  MethodsWindow(const ThemeController& theme, QString device, QWidget* parent);

  // Another model cancels. A scale for each of its adapters, as they are now: a run takes them as they are
  // when it starts.
  void setModel(std::shared_ptr<const core::ModelSummary> model, std::vector<float> adapter_scales = {});
  // What methods read that read a prompt, until another one is typed here.
  void setPrompt(const QString& prompt);
  void setOpenDevice(MethodRunner::OpenDevice open_device) { runner_.setOpenDevice(std::move(open_device)); }
  void setFigureFolder(const QString& folder) { folder_ = folder; }
  void choose(std::string_view id);
  void run();
  const MethodRunner& runner() const { return runner_; }
  const MethodExporter& exporter() const { return exporter_; }
  core::methods::AnalysisSource source() const;  // what a run would look at

 protected:
  // While the filter has the focus the arrows move through the list, Return runs and Esc clears what is
  // typed.
  bool eventFilter(QObject* watched, QEvent* event) override;
  void reject() override;  // Esc: cancels what runs, else closes
  void closeEvent(QCloseEvent* event) override;

 private:
  QWidget* buildChoice();
  QWidget* buildResults();
  void filter(const QString& text);
  bool listsMethod() const;  // the chosen one is in the list
  void showMethod();
  void showParameters();
  void showSubject();
  void showAdapters();
  void showResult(const QString& error = {});  // of the last run, where that has failed
  void addFigures(const MethodRun& run);
  void addTables(const MethodRun& run);
  void finish(const core::methods::Analysis* analysis, const QString& error);
  void updateState();
  std::vector<core::AdapterChoice> loadedAdapters() const;
  core::methods::Parameters parameters() const;
  void exportFigure();
  void exported(const QStringList& files, const QString& error);
  void updateExports();
  void exportTable();
  enum class Browsed { kFolder, kFile };
  QWidget* pathLine(QLineEdit* field, const QString& title, Browsed browsed);
  void say(const QString& text, bool failed = false);

  const ThemeController& theme_;
  QString device_, folder_;
  std::shared_ptr<const core::ModelSummary> model_;
  const core::methods::Analysis* method_ = nullptr;
  std::vector<float> adapter_scales_;
  MethodRunner runner_;
  MethodExporter exporter_;

  QString prompt_;  // the session's
  QLineEdit *filter_, *matrices_, *base_, *tuned_, *text_, *tuned_text_, *sibling_;
  QPlainTextEdit* read_;  // the prompt of a run
  QListWidget* list_;
  QLabel* nothing_;  // in the list's place where the filter leaves none
  QTextBrowser* about_;
  QFormLayout *form_, *subject_;
  std::vector<QDoubleSpinBox*> values_;  // one a parameter
  QPushButton *run_, *cancel_, *export_figure_, *export_table_;
  QProgressBar *progress_, *export_progress_;
  QLabel *state_, *said_, *adapters_;
  ElidedLabel* result_of_;
  QComboBox *preset_, *formats_;
  QTabWidget* results_;
};

}  // namespace vitrine::ui
