// The right dock's first part: numbers of the selected head and query, the keys that the query attends to
// most, and the model's next tokens.
#pragma once

#include "core/engine/engine_types.h"
#include "ui/docks/dock.h"
#include "ui/selection.h"
#include "ui/view.h"
#include "ui/widgets/bar_list.h"
#include "ui/widgets/fact_list.h"

namespace vitrine::ui {

struct RankedKey {
  std::uint32_t key = 0;
  float probability = 0;
  bool operator==(const RankedKey&) const = default;
};

// The `count` most attended keys, largest first, equal ones by position; masked keys are left out.
std::vector<RankedKey> topKeys(const std::vector<float>& row, std::size_t count);
// Shannon entropy of a row of probabilities in bits; masked keys (below 0) are left out.
double entropyBits(const std::vector<float>& row);

class InspectorDock : public Dock {
  Q_OBJECT

 public:
  InspectorDock(const ThemeController& theme, Selection& selection, QWidget* parent = nullptr);
  void setSnapshot(std::shared_ptr<const core::Snapshot> snapshot);
  // What a view has to say in place of the head's numbers; nothing: the head's again.
  void setSections(const std::optional<std::vector<InspectorSection>>& sections);

 private:
  void refresh();
  void showFacts();
  void showKeys();
  void showNext();
  QString token(std::uint32_t index) const;

  const ThemeController& theme_;
  Selection& selection_;
  std::shared_ptr<const core::Snapshot> snapshot_;
  QWidget *head_, *view_;  // the parts of a head; of a view's sections
  QVBoxLayout* view_column_;
  std::vector<SectionHeader*> view_headers_;
  std::vector<FactList*> view_facts_;
  FactList* facts_;
  SectionHeader* keys_header_;
  BarList *keys_, *next_;
  // The shown row; the one before it stays while the next is on its way, so that nothing flickers under the
  // pointer.
  std::shared_ptr<const core::RowValues> row_;
  std::vector<RankedKey> ranked_;
};

}  // namespace vitrine::ui
