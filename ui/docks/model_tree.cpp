#include "ui/docks/model_tree.h"

#include "ui/widgets/format.h"

#include <algorithm>
#include <map>

namespace vitrine::ui {
namespace {

// What an index's internal id says: the model, one of its children (facts, then groups), or a tensor of a
// group.
constexpr quintptr kModel = 0, kChild = 1, kFirstTensor = 2;
constexpr int kFactsRow = 0;

}  // namespace

QString architectureLine(const core::ModelSummary& model) {
  QStringList parts;
  parts << QString::fromStdString(model.architecture);
  parts << ModelTree::tr("%n layer(s)", nullptr, int(model.layers))
               .replace("(s)", model.layers == 1 ? "" : "s");
  parts << (model.kv_heads != model.heads
                ? ModelTree::tr("%1 heads / %2 kv").arg(model.heads).arg(model.kv_heads)
                : ModelTree::tr("%1 heads").arg(model.heads));
  return parts.join(QStringLiteral(" · "));
}

QString shortTensorName(const QString& name, int layer) {
  QString text = name;
  const QString number = QStringLiteral(".%1.").arg(layer);
  if (const auto at = text.indexOf(number); layer >= 0 && at >= 0) text = text.mid(at + number.size());
  if (text.endsWith(".weight")) text.chop(7);
  return text;
}

void ModelTree::setModel(std::shared_ptr<const core::ModelSummary> model) {
  if (model == model_) return;
  beginResetModel();
  model_ = std::move(model);
  group();
  endResetModel();
}

void ModelTree::group() {
  groups_.clear();
  if (!model_) return;
  std::map<int, Group> by_layer;
  for (std::size_t i = 0; i < model_->tensors.size(); ++i) {
    const core::TensorSummary& tensor = model_->tensors[i];
    Group& group = by_layer[std::max(tensor.layer, -1)];
    group.elements += tensor.elements;
    group.tensors.push_back(i);
  }
  for (auto& [layer, group] : by_layer) {
    group.layer = layer;
    group.title = layer < 0 ? tr("Embedding, norm, head") : tr("Layer %1").arg(layer);
    groups_.push_back(std::move(group));
  }
}

QModelIndex ModelTree::layerIndex(int layer) const {
  const auto found =
      std::find_if(groups_.begin(), groups_.end(), [&](const Group& g) { return g.layer == layer; });
  if (found == groups_.end()) return {};
  return index(int(found - groups_.begin()) + 1, 0, modelIndex());
}

QModelIndex ModelTree::index(int row, int column, const QModelIndex& parent) const {
  if (!hasIndex(row, column, parent)) return {};
  if (!parent.isValid()) return createIndex(row, column, kModel);
  if (parent.internalId() == kModel) return createIndex(row, column, kChild);
  return createIndex(row, column, kFirstTensor + quintptr(parent.row() - 1));
}

QModelIndex ModelTree::parent(const QModelIndex& child) const {
  if (!child.isValid() || child.internalId() == kModel) return {};
  if (child.internalId() == kChild) return createIndex(0, 0, kModel);
  return createIndex(int(child.internalId() - kFirstTensor) + 1, 0, kChild);
}

int ModelTree::rowCount(const QModelIndex& parent) const {
  if (!model_) return 0;
  if (!parent.isValid()) return 1;
  if (parent.internalId() == kModel) return int(groups_.size()) + 1;
  if (parent.internalId() == kChild && parent.row() != kFactsRow)
    return int(groups_[std::size_t(parent.row() - 1)].tensors.size());
  return 0;
}

QVariant ModelTree::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || !model_) return {};
  if (index.internalId() == kModel) return modelData(role);
  if (index.internalId() == kChild)
    return index.row() == kFactsRow ? factsData(role)
                                    : groupData(groups_[std::size_t(index.row() - 1)], role);
  const Group& group = groups_[index.internalId() - kFirstTensor];
  return tensorData(model_->tensors[group.tensors[std::size_t(index.row())]], role);
}

QVariant ModelTree::modelData(int role) const {
  switch (role) {
    case Qt::DisplayRole:
      return QString::fromStdString(model_->name);
    case kValueRole:
      return QString::fromStdString(model_->dtype);
    case kLayerRole:
      return -1;
    case Qt::ToolTipRole:
      return tr("%1\n%2\n%3 parameters, weights %4\ncontext %5 tokens, in this session %6\nvocabulary %7, %8")
          .arg(QString::fromStdString(model_->name), QString::fromStdString(model_->path.string()),
               groupedText(model_->parameters), bytesText(model_->weight_bytes),
               groupedText(model_->context_length), groupedText(model_->session_context),
               groupedText(model_->vocab), QString::fromStdString(model_->tokenizer));
    default:
      return {};
  }
}

QVariant ModelTree::factsData(int role) const {
  switch (role) {
    case Qt::DisplayRole:
      return architectureLine(*model_);
    case kSecondaryRole:
      return true;
    case kLayerRole:
      return -1;
    case Qt::ToolTipRole:
      return tr("%1\nwidth %2, head dimension %3")
          .arg(architectureLine(*model_))
          .arg(model_->embedding)
          .arg(model_->head_dim);
    default:
      return {};
  }
}

QVariant ModelTree::groupData(const Group& group, int role) const {
  switch (role) {
    case Qt::DisplayRole:
      return group.title;
    case kValueRole:
      return countText(group.elements);
    case kLayerRole:
      return group.layer;
    case Qt::ToolTipRole:
      return tr("%1: %2 tensors, %3 parameters")
          .arg(group.title)
          .arg(group.tensors.size())
          .arg(groupedText(group.elements));
    default:
      return {};
  }
}

QVariant ModelTree::tensorData(const core::TensorSummary& tensor, int role) const {
  const QString name = QString::fromStdString(tensor.name);
  switch (role) {
    case Qt::DisplayRole:
      return shortTensorName(name, tensor.layer);
    case kValueRole:
      return QString::fromStdString(tensor.shape);
    case kLayerRole:
      return tensor.layer;
    case Qt::ToolTipRole:
      return tr("%1\n%2, %3\n%4 elements, %5")
          .arg(name, QString::fromStdString(tensor.dtype), QString::fromStdString(tensor.shape),
               groupedText(tensor.elements), bytesText(tensor.bytes));
    default:
      return {};
  }
}

}  // namespace vitrine::ui
