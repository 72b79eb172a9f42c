// What is generated and how: the prompt, the number of tokens, the sampling settings.
#pragma once

#include "core/engine/engine_types.h"
#include "ui/docks/dock.h"
#include "ui/widgets/spin_boxes.h"

#include <QAction>
#include <QGridLayout>
#include <QPlainTextEdit>

class QSettings;

namespace vitrine::ui {

class PromptDock : public Dock {
  Q_OBJECT

 public:
  // The buttons stand for the window's actions.
  PromptDock(const ThemeController& theme, QAction& generate, QAction& stop, QWidget* parent = nullptr);

  QString prompt() const { return prompt_->toPlainText(); }
  void setPrompt(const QString& prompt);
  core::SamplingSettings sampling() const;
  void setSampling(const core::SamplingSettings& sampling);
  std::uint32_t maxTokens() const { return std::uint32_t(max_tokens_->value()); }
  void setMaxTokens(std::uint32_t tokens) { max_tokens_->setValue(int(tokens)); }
  void focusPrompt();

  void save(QSettings& settings) const;
  void restore(const QSettings& settings);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void buildPrompt(const ThemeController& theme, QAction& generate, QAction& stop);
  void buildSampling(const ThemeController& theme);
  void addRow(QGridLayout& grid, const QString& name, QAbstractSpinBox* field, const QString& tooltip);

  QAction& generate_;
  QPlainTextEdit* prompt_;
  QSpinBox* max_tokens_;
  NamedDoubleSpinBox* temperature_;
  NamedSpinBox* top_k_;
  NamedDoubleSpinBox *top_p_, *min_p_;
  QSpinBox* seed_;
};

}  // namespace vitrine::ui
