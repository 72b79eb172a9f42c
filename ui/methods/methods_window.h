// The window "Methods": family analysis of core/methods chosen from a list, told what to look at, run beside
// everything else, its figures, tables and notes shown and exported.
#pragma once

#include "core/engine/engine_types.h"
#include "ui/methods/method_runner.h"
#include "ui/theme/theme_controller.h"

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

  void setModel(std::shared_ptr<const core::ModelSummary> model);  // another one cancels
  // What methods read that read a prompt, until another one is typed here.
  void setPrompt(const QString& prompt);
  void setOpenDevice(MethodRunner::OpenDevice open_device) { runner_.setOpenDevice(std::move(open_device)); }
  void setFigureFolder(const QString& folder) { folder_ = folder; }
  void choose(std::string_view id);
  void run();
  const MethodRunner& runner() const { return runner_; }

 protected:
  // The arrows move through the list while its filter has the focus.
  bool eventFilter(QObject* watched, QEvent* event) override;
  void reject() override;  // Esc: cancels what runs, else closes
  void closeEvent(QCloseEvent* event) override;

 private:
  QWidget* buildChoice();
  QWidget* buildResults();
  void filter(const QString& text);
  void showMethod();
  void showParameters();
  void showSubject();
  void showResult();
  void addFigures(const MethodRun& run);
  void addTables(const MethodRun& run);
  void updateState();
  core::methods::AnalysisSource source() const;
  core::methods::Parameters parameters() const;
  void exportFigure();
  void exportTable();
  enum class Browsed { kFolder, kFile };
  QWidget* pathLine(QLineEdit* field, const QString& title, Browsed browsed);
  void say(const QString& text, bool failed = false);

  const ThemeController& theme_;
  QString device_, folder_;
  std::shared_ptr<const core::ModelSummary> model_;
  const core::methods::Analysis* method_ = nullptr;
  MethodRunner runner_;

  QString prompt_;  // the session's
  QLineEdit *filter_, *matrices_, *base_, *tuned_, *text_, *tuned_text_, *sibling_;
  QPlainTextEdit* read_;  // the prompt of a run
  QListWidget* list_;
  QTextBrowser* about_;
  QFormLayout *form_, *subject_;
  std::vector<QDoubleSpinBox*> values_;  // one a parameter
  QPushButton *run_, *cancel_, *export_figure_, *export_table_;
  QProgressBar* progress_;
  QLabel *state_, *said_;
  QComboBox *preset_, *formats_;
  QTabWidget* results_;
};

}  // namespace vitrine::ui
