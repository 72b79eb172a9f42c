// The tensors of the loaded model, grouped by layer. Holds no copies: it reads the summary that the engine
// published.
#pragma once

#include "core/engine/engine_types.h"

#include <QAbstractItemModel>

#include <memory>
#include <vector>

namespace vitrine::ui {

class ModelTree : public QAbstractItemModel {
  Q_OBJECT

 public:
  enum Role { kValueRole = Qt::UserRole, kLayerRole };  // text at the right; layer or -1

  using QAbstractItemModel::QAbstractItemModel;
  void setModel(std::shared_ptr<const core::ModelSummary> model);
  const std::shared_ptr<const core::ModelSummary>& model() const { return model_; }
  QModelIndex layerIndex(int layer) const;

  QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
  QModelIndex parent(const QModelIndex& child) const override;
  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& = {}) const override { return 1; }
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;

 private:
  struct Group {
    int layer = -1;
    QString title;
    std::uint64_t elements = 0;
    std::vector<std::size_t> tensors;
  };
  void group();
  QVariant groupData(const Group& group, int role) const;
  QVariant tensorData(const core::TensorSummary& tensor, int role) const;

  std::shared_ptr<const core::ModelSummary> model_;
  std::vector<Group> groups_;
};

// "llama · 30 layers · 9 heads / 3 kv".
QString architectureLine(const core::ModelSummary& model);
// Everything else about it, for a tooltip.
QString modelDetails(const core::ModelSummary& model);
// "blk.17.attn_q.weight" -> "attn_q", "model.layers.17.self_attn.q_proj.weight" -> "self_attn.q_proj".
QString shortTensorName(const QString& name, int layer);

}  // namespace vitrine::ui
