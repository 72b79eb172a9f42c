// What the head graph shows: which edges, which one is locked and what carries it. Lives on the UI thread; an
// edge's components are computed on a thread of its own.
#pragma once

#include "ui/views/spectra/head_graph_layout.h"

#include <QObject>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace vitrine::ui::spectra {

class HeadGraphState : public QObject {
  Q_OBJECT

 public:
  explicit HeadGraphState(QObject* parent = nullptr);
  ~HeadGraphState() override;

  // Null: none yet.
  void setSource(std::shared_ptr<const core::HeadGraphSource> source);
  void setFilter(const GraphFilter& filter);
  void toggle(core::CompositionThrough kind);
  void lock(std::optional<std::size_t> edge);  // the locked one again unlocks
  void step(std::ptrdiff_t edges);             // along shown(), from the locked one; locks

  const core::HeadGraph* graph() const { return graph_.get(); }
  const std::shared_ptr<const core::HeadGraph>& sharedGraph() const { return graph_; }
  const core::CompositionEdge& edge(std::size_t index) const { return graph_->graph.edges[index]; }
  double chance() const;  // 1 / sqrt d
  const GraphFilter& filter() const { return filter_; }
  const std::vector<std::size_t>& shown() const { return shown_; }
  std::optional<std::size_t> locked() const { return locked_; }
  // Of the locked edge; null while it is computed, or where error() says why not.
  const core::ComponentChannel* channel() const { return channel_ ? &*channel_ : nullptr; }
  const std::string& error() const { return error_; }

 signals:
  void changed();

 private:
  void refresh();
  void work(const std::stop_token& stop);

  std::shared_ptr<const core::HeadGraphSource> source_;
  std::shared_ptr<const core::HeadGraph> graph_;
  GraphFilter filter_;
  std::vector<std::size_t> shown_;
  std::optional<std::size_t> locked_;
  std::optional<core::ComponentChannel> channel_;
  std::string error_;

  struct Request {
    std::shared_ptr<const core::HeadGraphSource> source;
    core::CompositionEdge edge;
    std::size_t number = 0;
  };
  std::size_t number_ = 0;  // of the newest request: what comes of others is dropped
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::optional<Request> next_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace vitrine::ui::spectra
