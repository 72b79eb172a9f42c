#include "ui/docks/inspector_dock.h"

#include "ui/shown_row.h"
#include "ui/widgets/format.h"

#include <algorithm>
#include <cmath>

namespace vitrine::ui {
namespace {

constexpr int kKeys = 6, kNext = 5;

QString withUnit(double value, const char* unit) {
  return std::isnan(value) ? QStringLiteral("–") : significant(value) + QChar(' ') + QLatin1String(unit);
}

}  // namespace

std::vector<RankedKey> topKeys(const std::vector<float>& row, std::size_t count) {
  std::vector<RankedKey> keys;
  for (std::size_t i = 0; i < row.size(); ++i)
    if (row[i] > 0) keys.push_back({std::uint32_t(i), row[i]});
  count = std::min(count, keys.size());
  std::partial_sort(keys.begin(), keys.begin() + std::ptrdiff_t(count), keys.end(),
                    [](const RankedKey& a, const RankedKey& b) {
                      return a.probability != b.probability ? a.probability > b.probability : a.key < b.key;
                    });
  keys.resize(count);
  return keys;
}

double entropyBits(const std::vector<float>& row) {
  double sum = 0;
  for (const float p : row)
    if (p > 0) sum -= double(p) * std::log2(double(p));
  return sum;
}

InspectorDock::InspectorDock(const ThemeController& theme, Selection& selection, QWidget* parent)
    : Dock(theme, "inspector_dock", tr("Inspector"), Overflow::kScrolls, parent),
      theme_(theme),
      selection_(selection) {
  head_ = new QWidget(this);
  view_ = new QWidget(this);
  view_column_ = new QVBoxLayout(view_);
  auto* column = new QVBoxLayout(head_);
  for (auto* layout : {view_column_, column}) {
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
  }
  const auto padded = [column] {
    auto* part = new QVBoxLayout;
    part->setContentsMargins(12, 8, 12, 8);
    column->addLayout(part);
    return part;
  };
  view_->hide();
  facts_ = new FactList(theme, this);
  keys_header_ = new SectionHeader(theme, tr("Keys of the query"), this);
  keys_ = new BarList(theme, BarList::Color::kKey, kKeys, this);
  keys_->setObjectName("top_keys");
  next_ = new BarList(theme, BarList::Color::kAccent, kNext, this);
  next_->setObjectName("next_tokens");
  padded()->addWidget(facts_);
  column->addWidget(keys_header_);
  padded()->addWidget(keys_);
  column->addWidget(new SectionHeader(theme, tr("Next token"), this));
  padded()->addWidget(next_);
  body()->addWidget(head_);
  body()->addWidget(view_);
  body()->addStretch();
  keys_header_->setToolTip(
      tr("The keys that the shown query attends to most: position, attention probability"));
  next_->setPlaceholder(tr("No prediction yet."));

  connect(&selection_, &Selection::cellChanged, this, &InspectorDock::refresh);
  connect(&selection_, &Selection::headChanged, this, &InspectorDock::refresh);
  connect(keys_, &BarList::clicked, this, [this](int row) {
    if (std::size_t(row) < ranked_.size())
      selection_.lock({row_->request.query, ranked_[std::size_t(row)].key});
  });
  connect(keys_, &BarList::hovered, this, [this](int row) {
    const bool on_row = row >= 0 && std::size_t(row) < ranked_.size();
    selection_.hover(on_row ? Cell{row_->request.query, ranked_[std::size_t(row)].key} : Cell{});
  });
  refresh();
}

void InspectorDock::setSnapshot(std::shared_ptr<const core::Snapshot> snapshot) {
  snapshot_ = std::move(snapshot);
  refresh();
  showNext();
}

void InspectorDock::setSections(const std::optional<std::vector<InspectorSection>>& sections) {
  head_->setVisible(!sections);
  view_->setVisible(sections.has_value());
  if (!sections) return;
  while (view_facts_.size() < sections->size()) {
    view_headers_.push_back(new SectionHeader(theme_, {}, view_));
    view_facts_.push_back(new FactList(theme_, view_));
    view_column_->addWidget(view_headers_.back());
    auto* part = new QVBoxLayout;
    part->setContentsMargins(12, 8, 12, 8);
    part->addWidget(view_facts_.back());
    view_column_->addLayout(part);
  }
  for (std::size_t i = 0; i < view_facts_.size(); ++i) {
    const bool used = i < sections->size();
    view_headers_[i]->setVisible(used && !(*sections)[i].title.isEmpty());
    view_facts_[i]->setVisible(used);
    if (!used) continue;
    view_headers_[i]->setTitle((*sections)[i].title);
    view_facts_[i]->setFacts((*sections)[i].facts);
  }
}

QString InspectorDock::token(std::uint32_t index) const {
  if (!snapshot_ || !snapshot_->tokens || index >= snapshot_->tokens->size()) return QString::number(index);
  return QString::fromStdString((*snapshot_->tokens)[index].display);
}

void InspectorDock::refresh() {
  setNote(selection_.isLocked() && !view_->isVisibleTo(this) ? tr("locked · Esc") : QString());
  if (snapshot_ && snapshot_->row && isShownRow(*snapshot_->row, selection_)) row_ = snapshot_->row;
  const Head head = selection_.head();
  const bool same_head = row_ && row_->request.layer == head.layer && row_->request.head == head.head;
  if (!same_head || !selection_.query()) row_.reset();
  showFacts();
  showKeys();
}

void InspectorDock::showFacts() {
  const Head head = selection_.head();
  const double nan = std::nan("");
  core::HeadSummary summary{.entropy = float(nan),
                            .first_mass = float(nan),
                            .local_mass = float(nan),
                            .previous = float(nan),
                            .induction = float(nan)};
  QString name = QStringLiteral("–");
  if (snapshot_ && snapshot_->model) {
    const core::ModelSummary& model = *snapshot_->model;
    name = tr("L%1 H%2").arg(head.layer).arg(head.head);
    if (const auto keys = model.sharedKeys(head.layer, head.head)) name += tr(" (kv %1)").arg(*keys);
    const std::size_t index = std::size_t(head.layer) * model.heads + head.head;
    if (snapshot_->heads && index < snapshot_->heads->size()) summary = (*snapshot_->heads)[index];
  }
  facts_->setFacts({
      {tr("Head"), name, tr("Layer and head, counted from 0; kv: the key-value head that it shares")},
      {tr("Entropy, this query"), withUnit(row_ ? entropyBits(row_->probability) : nan, "bit"),
       tr("Shannon entropy −Σ p log₂ p of this query's attention; 0: one key, log₂ n: uniform")},
      {tr("Mean entropy"), withUnit(summary.entropy, "bit"), tr("Mean over all queries of the sequence")},
      {tr("Mass on first token"), significant(summary.first_mass),
       tr("Mean attention probability on token 0 (the attention sink)")},
      {tr("Mass on last 8"), significant(summary.local_mass),
       tr("Mean attention probability on the last 8 keys, the query's own included")},
      {tr("Previous token"), significant(summary.previous),
       tr("Previous-token score: mean attention probability on the token just before the query")},
      {tr("Induction"), significant(summary.induction),
       tr("Induction score: mean attention probability on the token after an earlier occurrence of the "
          "query's "
          "token;\n– while no token repeats")},
  });
}

void InspectorDock::showKeys() {
  keys_header_->setText(row_ ? tr("KEYS OF %1").arg(quoted(token(row_->request.query)))
                             : tr("KEYS OF THE QUERY"));
  const Head head = selection_.head();
  const bool no_map = snapshot_ && snapshot_->model && !snapshot_->model->hasMap(head.layer, head.head);
  keys_->setPlaceholder(no_map ? tr("This layer has no attention map.")
                        : snapshot_ && snapshot_->tokens && !snapshot_->tokens->empty()
                            ? tr("Waiting for this query's row.")
                            : tr("No tokens yet."));
  ranked_ = row_ ? topKeys(row_->probability, kKeys) : std::vector<RankedKey>{};
  std::vector<BarRow> rows;
  for (const RankedKey& key : ranked_)
    rows.push_back({token(key.key), QString::number(key.key), key.probability,
                    tr("%1, key %2: attention %3. Click to lock.")
                        .arg(quoted(token(key.key)))
                        .arg(key.key)
                        .arg(probabilityText(key.probability)),
                    selection_.isLocked() && selection_.key() == key.key});
  keys_->setRows(std::move(rows));
}

void InspectorDock::showNext() {
  std::vector<BarRow> rows;
  if (snapshot_)
    for (const core::NextToken& next : snapshot_->next) {
      const QString text = QString::fromStdString(next.display);
      rows.push_back(
          {text,
           {},
           next.probability,
           tr("%1, id %2: probability %3 (softmax of the raw logits, before temperature and filters)")
               .arg(quoted(text))
               .arg(next.id)
               .arg(probabilityText(next.probability)),
           false});
    }
  next_->setRows(std::move(rows));
}

}  // namespace vitrine::ui
