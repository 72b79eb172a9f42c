#include "ui/docks/model_dock.h"

#include <QGridLayout>
#include <QPainter>
#include <QSignalBlocker>
#include <QStyledItemDelegate>

namespace vitrine::ui {
namespace {

// A name at the left, elided in the middle, and a value at the right.
class RowDelegate : public QStyledItemDelegate {
 public:
  RowDelegate(const ThemeController& theme, QObject* parent) : QStyledItemDelegate(parent), theme_(theme) {}

  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    QStyleOptionViewItem row = option;
    initStyleOption(&row, index);
    row.text.clear();
    const QStyle* style = option.widget->style();
    style->drawControl(QStyle::CE_ItemViewItem, &row, painter, option.widget);
    const int step = theme_.sizes().step;
    QRect rest = option.rect.adjusted(step / 2, 0, -step * 3, 0);
    const QString value = index.data(ModelTree::kValueRole).toString();
    painter->save();
    if (!value.isEmpty()) {
      painter->setFont(theme_.smallFont());
      painter->setPen(toQt(theme_.colors().text_secondary));
      painter->drawText(rest, Qt::AlignRight | Qt::AlignVCenter, value);
      rest.setRight(rest.right() - painter->fontMetrics().horizontalAdvance(value) - step * 2);
    }
    painter->setFont(theme_.interfaceFont());
    painter->setPen(toQt(theme_.colors().text));
    const QString name = index.data().toString();
    painter->drawText(rest, Qt::AlignLeft | Qt::AlignVCenter,
                      painter->fontMetrics().elidedText(name, Qt::ElideMiddle, rest.width()));
    painter->restore();
  }

  QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override {
    return {theme_.sizes().left_dock / 2, theme_.sizes().row};
  }

 private:
  const ThemeController& theme_;
};

}  // namespace

ModelDock::ModelDock(const ThemeController& theme, Selection& selection, QWidget* parent)
    : Dock(theme, "model_dock", tr("Model"), Overflow::kHandled, parent),
      selection_(selection),
      card_(new QWidget(this)),
      name_(new ElidedLabel(card_)),
      facts_(new ElidedLabel(card_)),
      dtype_(new QLabel(card_)),
      adapters_(new AdapterList(theme, this)),
      tree_(new ModelTree(this)),
      view_(new QTreeView(this)) {
  facts_->setProperty("role", "secondary");
  dtype_->setProperty("role", "secondary");
  name_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  auto* grid = new QGridLayout(card_);
  grid->setContentsMargins(12, 12, 12, 8);
  grid->setSpacing(4);
  grid->addWidget(name_, 0, 0);
  grid->addWidget(dtype_, 0, 1);
  grid->addWidget(facts_, 1, 0, 1, 2);
  card_->hide();
  body()->addWidget(card_);
  body()->addWidget(adapters_);
  auto fonts = [this, &theme] {
    QFont bold = theme.interfaceFont();
    bold.setWeight(QFont::DemiBold);
    name_->setFont(bold);
    facts_->setFont(theme.smallFont());
    dtype_->setFont(theme.smallFont());
  };
  connect(&theme, &ThemeController::changed, this, fonts);
  fonts();
  view_->setModel(tree_);
  view_->setItemDelegate(new RowDelegate(theme, view_));
  view_->setHeaderHidden(true);
  view_->setUniformRowHeights(true);
  view_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  view_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  view_->setAccessibleName(tr("Model and its tensors"));
  view_->setMinimumHeight(theme.sizes().row * 4);
  body()->addWidget(view_, 1);
  setNote(tr("none loaded"));

  connect(view_->selectionModel(), &QItemSelectionModel::currentChanged, this,
          [this](const QModelIndex& index) {
            const int layer = index.data(ModelTree::kLayerRole).toInt();
            if (index.isValid() && layer >= 0)
              selection_.setHead({std::uint32_t(layer), selection_.head().head});
          });
  connect(&selection_, &Selection::headChanged, this, &ModelDock::showLayer);
}

void ModelDock::setSnapshot(const core::Snapshot& snapshot) {
  if (snapshot.model == tree_->model()) return;
  tree_->setModel(snapshot.model);
  setNote(snapshot.model ? QString() : tr("none loaded"));
  card_->setVisible(snapshot.model != nullptr);
  adapters_->setAdapters(snapshot.model ? snapshot.model->adapters : std::vector<core::AdapterSummary>());
  if (snapshot.model) {
    name_->setFullText(QString::fromStdString(snapshot.model->name));
    facts_->setFullText(architectureLine(*snapshot.model));
    dtype_->setText(QString::fromStdString(snapshot.model->dtype));
    card_->setToolTip(modelDetails(*snapshot.model));
  }
  showLayer();
}

void ModelDock::showLayer() {
  const QModelIndex layer = tree_->layerIndex(int(selection_.head().layer));
  const QModelIndex current = view_->currentIndex();
  if (!layer.isValid() || current == layer || current.parent() == layer) return;
  const QSignalBlocker quiet(view_->selectionModel());
  view_->setCurrentIndex(layer);
  view_->scrollTo(layer);
  view_->viewport()->update();
}

}  // namespace vitrine::ui
