#include "core/model/matrix_update.h"

#include <algorithm>
#include <map>

#include "engine/matmul.params.h"

namespace vitrine::core {
namespace {

constexpr std::uint32_t kQuad = 4;  // z is read in groups of four

// Linears that were cut out of one tensor share their A, and so their z.
struct SharedInner {
  std::vector<const TensorEntry*> tensors;  // A of each update
  std::uint32_t first = 0, ranks = 0;       // in z
};

struct LinearPart {
  std::size_t inner = 0;              // index of its SharedInner
  std::vector<std::vector<float>> b;  // of each update
};

class UpdatePlan {
 public:
  explicit UpdatePlan(const RowSource& source) : source_(source) {}

  Result<void> build() {
    for (const StoredRow& row : source_.rows)
      if (row.linear && !parts_.contains(row.linear)) TRY(add(*row.linear));
    for (const SharedInner& inner : inners_) width = std::max(width, padded(inner.ranks));
    b.resize(source_.rows.size() * width);
    spans.resize(source_.rows.size() * 2);
    for (std::size_t r = 0; r < source_.rows.size(); ++r)
      if (source_.rows[r].linear) putRow(r, source_.rows[r]);
    return {};
  }

  std::vector<float> a, b;
  std::vector<std::uint32_t> adapters, spans;
  std::uint32_t width = 0;

 private:
  static std::uint32_t padded(std::uint32_t ranks) { return (ranks + kQuad - 1) / kQuad * kQuad; }

  Result<void> add(const Linear& linear) {
    LinearPart part;
    std::vector<const TensorEntry*> tensors;
    for (const LowRankUpdate& update : linear.updates) {
      tensors.push_back(update.a.tensor);
      TRY_ASSIGN(std::vector<float> b, readFloats(rowsOf(update.b)));
      for (float& value : b) value = static_cast<float>(update.factor * double{value});
      part.b.push_back(std::move(b));
    }
    const auto shared = std::ranges::find(inners_, tensors, &SharedInner::tensors);
    part.inner = static_cast<std::size_t>(shared - inners_.begin());
    if (shared == inners_.end()) TRY(addInner(linear, std::move(tensors)));
    parts_.emplace(&linear, std::move(part));
    return {};
  }

  Result<void> addInner(const Linear& linear, std::vector<const TensorEntry*> tensors) {
    SharedInner inner{.tensors = std::move(tensors), .first = static_cast<std::uint32_t>(adapters.size())};
    for (const LowRankUpdate& update : linear.updates) {
      TRY_ASSIGN(const std::vector<float> values, readFloats(rowsOf(update.a)));
      a.insert(a.end(), values.begin(), values.end());
      adapters.resize(adapters.size() + update.a.rows, update.adapter);
      inner.ranks += static_cast<std::uint32_t>(update.a.rows);
    }
    adapters.resize(inner.first + padded(inner.ranks));
    a.resize(adapters.size() * source_.columns);
    inners_.push_back(std::move(inner));
    return {};
  }

  void putRow(std::size_t r, const StoredRow& row) {
    const LinearPart& part = parts_.at(row.linear);
    const SharedInner& inner = inners_[part.inner];
    spans[2 * r] = inner.first / kQuad;
    spans[2 * r + 1] = padded(inner.ranks) / kQuad;
    auto to = b.begin() + static_cast<std::ptrdiff_t>(r * width);
    for (std::size_t u = 0; u < part.b.size(); ++u) {
      const std::uint64_t rank = row.linear->updates[u].a.rows;
      to = std::copy_n(part.b[u].begin() + static_cast<std::ptrdiff_t>(row.linear_row * rank), rank, to);
    }
  }

  const RowSource& source_;
  std::vector<SharedInner> inners_;
  std::map<const Linear*, LinearPart> parts_;
};

}  // namespace

Result<std::shared_ptr<const MatrixUpdate>> uploadUpdate(WeightLoader& loader, const RowSource& source) {
  if (std::ranges::none_of(source.rows, [](const StoredRow& row) { return row.linear != nullptr; }))
    return nullptr;
  UpdatePlan plan(source);
  TRY(plan.build());
  auto update = std::make_shared<MatrixUpdate>();
  TRY_ASSIGN(update->a, loader.plain(plan.a, source.columns, "adapters' A"));
  TRY_ASSIGN(update->adapters, loader.bytes(std::as_bytes(std::span(plan.adapters)), "adapters of ranks"));
  TRY_ASSIGN(update->b, loader.bytes(std::as_bytes(std::span(plan.b)), "adapters' B"));
  TRY_ASSIGN(update->spans, loader.bytes(std::as_bytes(std::span(plan.spans)), "adapters' spans"));
  const shader::LowRankTerm term{.b = update->b ? update->b.address() : 0,
                                 .spans = update->spans ? update->spans.address() : 0,
                                 .width = plan.width,
                                 .z_stride = static_cast<std::uint32_t>(plan.adapters.size())};
  TRY_ASSIGN(update->term, loader.bytes(std::as_bytes(std::span(&term, 1)), "adapters' term"));
  return std::shared_ptr<const MatrixUpdate>(std::move(update));
}

}  // namespace vitrine::core
