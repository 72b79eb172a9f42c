// The bar of the Spectra tab: of what the spectra are, how they are listed and drawn, what they are compared
// with, and how far the computation is. Shows the state and changes it; what needs a file or the workers it
// asks for.
#pragma once

#include "ui/theme/theme_controller.h"
#include "ui/views/spectra/spectra_jobs.h"
#include "ui/views/spectra/spectra_state.h"
#include "ui/widgets/elided_label.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>

namespace vitrine::ui::spectra {

// "149 of 211 · 6 s left", "211 of 211 in 4.8 s · 1 refused".
QString progressText(const core::SpectraSnapshot& snapshot);

class SpectraBar : public QWidget {
  Q_OBJECT

 public:
  SpectraBar(SpectraState& state, const ThemeController& theme, QWidget* parent = nullptr);

  // Those that can be chosen without a dialogue, and the one that is.
  void setReferences(std::vector<Reference> offered, const std::optional<Reference>& chosen);
  void showState();
  void focusFilter();

 signals:
  void subjectChosen(vitrine::ui::spectra::Subject subject);
  void referenceChosen(std::optional<vitrine::ui::spectra::Reference> reference);
  void fileWanted();
  void folderWanted();
  void computeOrCancel();
  void leave();  // the focus goes back to the canvas

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  // A control with its label: both hide where the subject has no use for it, the label where there is no
  // room.
  struct Part {
    QLabel* label;
    QWidget* control;
    bool wanted = true;
  };
  void build();
  void buildGraph();
  QComboBox* addCombo(const QString& label, int characters, const QString& tooltip);
  void add(const QString& label, QWidget* control);
  void want(QWidget* control, bool wanted);
  void fillSorting();
  void fillShow();
  void fillReferences();
  void chooseReference(int index);
  void fitControls();

  SpectraState& state_;
  std::vector<Reference> offered_;
  std::optional<Reference> reference_;
  QHBoxLayout* row_ = nullptr;
  std::vector<Part> parts_;
  QComboBox *subject_ = nullptr, *sort_ = nullptr, *show_ = nullptr, *references_ = nullptr, *null_ = nullptr,
            *window_ = nullptr;
  QSpinBox *first_ = nullptr, *edges_ = nullptr;
  QDoubleSpinBox *epsilon_ = nullptr, *least_z_ = nullptr;
  QLineEdit* filter_ = nullptr;
  ElidedLabel* progress_text_ = nullptr;
  QPushButton* button_ = nullptr;
};

}  // namespace vitrine::ui::spectra
