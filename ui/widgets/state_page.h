// What stands in the picture's place while there is no picture: nothing is loaded (one sentence and the
// buttons that end the emptiness), or a model is being loaded (what, how far in bytes, Cancel).
#pragma once

#include "core/engine/engine_types.h"
#include "ui/widgets/elided_label.h"

#include <QProgressBar>
#include <QPushButton>
#include <QWidget>

#include <vector>

namespace vitrine::ui {

class StatePage : public QWidget {
  Q_OBJECT

 public:
  explicit StatePage(QWidget* parent = nullptr);
  void showEmpty();
  void showNoTokens();
  void showProgress(const core::Snapshot& snapshot);

 signals:
  void openFile();
  void openFolder();
  void cancel();
  void writePrompt();

 private:
  void showOnly(const std::vector<QWidget*>& parts);

  QLabel* title_;
  ElidedLabel* detail_;
  QProgressBar* bar_;
  QPushButton *open_file_, *open_folder_, *write_prompt_, *cancel_;
};

// "Loading weights · 31.2 MB of 98.1 MB", "Reading the prompt · 128 of 512 tokens".
QString progressText(const core::Snapshot& snapshot);
// In thousandths; 0 when the total is not known.
int progressPermille(const core::Snapshot& snapshot);

}  // namespace vitrine::ui
