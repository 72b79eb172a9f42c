#include "ui/views/spectra/head_graph_state.h"

#include <algorithm>
#include <cmath>

namespace vitrine::ui::spectra {

HeadGraphState::HeadGraphState(QObject* parent) : QObject(parent) {}

HeadGraphState::~HeadGraphState() = default;

void HeadGraphState::setSource(std::shared_ptr<const core::HeadGraphSource> source) {
  auto graph = source ? source->graph() : nullptr;
  source_ = std::move(source);
  if (graph == graph_) return;
  graph_ = std::move(graph);
  ++number_;
  locked_.reset();
  channel_.reset();
  error_.clear();
  refresh();
}

double HeadGraphState::chance() const {
  return graph_ ? 1 / std::sqrt(double(graph_->graph.dimension)) : 0;
}

void HeadGraphState::refresh() {
  shown_ = graph_ ? shownEdges(graph_->graph.edges, filter_) : std::vector<std::size_t>{};
  emit changed();
}

void HeadGraphState::setFilter(const GraphFilter& filter) {
  if (filter == filter_) return;
  filter_ = filter;
  refresh();
}

void HeadGraphState::toggle(core::CompositionThrough kind) {
  GraphFilter filter = filter_;
  setFilter((filter.kinds.flip(std::size_t(kind)), filter));
}

void HeadGraphState::lock(std::optional<std::size_t> edge) {
  locked_ = edge == locked_ ? std::nullopt : edge;
  channel_.reset();
  error_.clear();
  ++number_;
  if (locked_ && source_) {
    {
      const std::lock_guard guard(mutex_);
      next_ = Request{source_, this->edge(*locked_), number_};
    }
    // Only who locks an edge needs the thread.
    if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
    wake_.notify_one();
  }
  emit changed();
}

void HeadGraphState::step(std::ptrdiff_t edges) {
  if (shown_.empty()) return;
  const auto last = std::ptrdiff_t(shown_.size()) - 1;
  const auto at = locked_ ? std::ranges::find(shown_, *locked_) : shown_.end();
  const std::ptrdiff_t now = at == shown_.end() ? (edges > 0 ? -1 : last + 1) : at - shown_.begin();
  const std::size_t wanted = shown_[std::size_t(std::clamp<std::ptrdiff_t>(now + edges, 0, last))];
  if (wanted != locked_) lock(wanted);
}

void HeadGraphState::work(const std::stop_token& stop) {
  while (true) {
    std::unique_lock lock(mutex_);
    if (!wake_.wait(lock, stop, [this] { return next_.has_value(); })) return;
    const Request request = *std::exchange(next_, std::nullopt);
    lock.unlock();
    auto found = request.source->channel(request.edge);
    const std::string why = found ? "" : found.error().describe();
    std::optional<core::ComponentChannel> channel;
    if (found) channel = std::move(*found);
    // This outlives the thread, and what is queued for a QObject goes with it.
    QMetaObject::invokeMethod(
        this,
        [this, number = request.number, channel = std::move(channel), why] {
          if (number != number_) return;
          channel_ = channel;
          error_ = why;
          emit changed();
        },
        Qt::QueuedConnection);
  }
}

}  // namespace vitrine::ui::spectra
