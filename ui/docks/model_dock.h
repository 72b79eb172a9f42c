// The left dock: the model and its tensors. Choosing a layer or one of its tensors selects that layer
// everywhere.
#pragma once

#include "ui/docks/dock.h"
#include "ui/docks/model_tree.h"
#include "ui/selection.h"
#include "ui/widgets/adapter_list.h"
#include "ui/widgets/elided_label.h"

#include <QTreeView>

namespace vitrine::ui {

class ModelDock : public Dock {
  Q_OBJECT

 public:
  ModelDock(const ThemeController& theme, Selection& selection, QWidget* parent = nullptr);
  void setSnapshot(const core::Snapshot& snapshot);
  AdapterList& adapters() { return *adapters_; }

 private:
  void showLayer();  // marks and reveals the selected head's layer

  Selection& selection_;
  QWidget* card_;  // what the model is, above its tensors
  ElidedLabel *name_, *facts_;
  QLabel* dtype_;
  AdapterList* adapters_;
  ModelTree* tree_;
  QTreeView* view_;
};

}  // namespace vitrine::ui
