#include "ui/docks/model_tree.h"

#include "ui/widgets/format.h"

#include <algorithm>
#include <map>

namespace vitrine::ui {
namespace {

constexpr quintptr kGroup = 0;  // internal id of a group; a tensor has its group's row plus one

}  // namespace

QString architectureLine(const core::ModelSummary& model) {
  QStringList parts;
  parts << QString::fromStdString(model.architecture);
  parts << ModelTree::tr("%n layer(s)", nullptr, int(model.layers))
               .replace("(s)", model.layers == 1 ? "" : "s");
  if (model.attention_heads == 0)
    parts << ModelTree::tr("no attention");
  else if (model.kv_heads != model.attention_heads)
    parts << ModelTree::tr("%1 heads / %2 kv").arg(model.attention_heads).arg(model.kv_heads);
  else
    parts << ModelTree::tr("%1 heads").arg(model.attention_heads);
  return parts.join(QStringLiteral(" · "));
}

QString modelDetails(const core::ModelSummary& model) {
  return ModelTree::tr(
             "%1\n%2\n%3 parameters, weights %4\nwidth %5, head dimension %6\n"
             "context %7 tokens, in this session %8\nvocabulary %9, ")
             .arg(QString::fromStdString(model.name), QString::fromStdString(model.path.string()),
                  groupedText(model.parameters), bytesText(model.weight_bytes), groupedText(model.embedding),
                  groupedText(model.head_dim), groupedText(model.context_length),
                  groupedText(model.session_context), groupedText(model.vocab)) +
         QString::fromStdString(model.tokenizer);
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
  return found == groups_.end() ? QModelIndex() : index(int(found - groups_.begin()), 0);
}

QModelIndex ModelTree::index(int row, int column, const QModelIndex& parent) const {
  if (!hasIndex(row, column, parent)) return {};
  return createIndex(row, column, parent.isValid() ? quintptr(parent.row()) + 1 : kGroup);
}

QModelIndex ModelTree::parent(const QModelIndex& child) const {
  if (!child.isValid() || child.internalId() == kGroup) return {};
  return createIndex(int(child.internalId() - 1), 0, kGroup);
}

int ModelTree::rowCount(const QModelIndex& parent) const {
  if (!parent.isValid()) return int(groups_.size());
  return parent.internalId() == kGroup ? int(groups_[std::size_t(parent.row())].tensors.size()) : 0;
}

QVariant ModelTree::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || !model_) return {};
  if (index.internalId() == kGroup) return groupData(groups_[std::size_t(index.row())], role);
  const Group& group = groups_[index.internalId() - 1];
  return tensorData(model_->tensors[group.tensors[std::size_t(index.row())]], role);
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
