#include "core/engine/view_refresher.h"

#include <algorithm>

namespace vitrine::core {

namespace {
constexpr double kMostOfTheTime = 0.03;       // that pictures may take while tokens are generated
constexpr double kShortestPeriod = 1.0 / 60;  // seconds between two pictures of a growing sequence
}  // namespace

bool ViewRefresher::Part::due(std::uint32_t length, Pace pace, double shortest_period_s) const {
  if (asked) return true;
  if (tokens == length) return false;
  return pace == Pace::kIdle ||
         std::chrono::duration<double>(Clock::now() - drawn).count() >= shortest_period_s;
}

double ViewRefresher::shortestPeriod() const {
  double all = overview_.cost_s + heads_.cost_s + map_.cost_s + row_.cost_s;
  return std::max(kShortestPeriod, all / kMostOfTheTime);
}

void ViewRefresher::setRequest(const ProbeRequest& request) {
  overview_.asked |= request.overview != request_.overview;
  map_.asked |= request.map != request_.map;
  row_.asked |= request.row != request_.row;
  request_ = request;
}

void ViewRefresher::invalidate() {
  overview_.asked = map_.asked = row_.asked = heads_.asked = true;
}

void ViewRefresher::forget() {
  map_picture_.reset();
  overview_picture_.reset();
  row_values_.reset();
  head_summaries_.reset();
  overview_ = map_ = row_ = heads_ = {};
  invalidate();
}

bool ViewRefresher::pending(const Session& session) const {
  std::uint32_t length = session.length();
  if (length == 0) return false;
  return (request_.overview &&
          (overview_.due(length, Pace::kIdle, 0) || heads_.due(length, Pace::kIdle, 0))) ||
         (request_.map && map_.due(length, Pace::kIdle, 0)) ||
         (request_.row && request_.row->query < length && row_.due(length, Pace::kIdle, 0));
}

template <typename Draw>
Result<bool> ViewRefresher::draw(Part& part, const Session& session, Pace pace, Draw draw) {
  if (!part.due(session.length(), pace, shortestPeriod())) return false;
  auto start = Clock::now();
  part.asked = false;
  part.tokens = session.length();
  TRY(draw());
  part.drawn = Clock::now();
  part.cost_s = std::chrono::duration<double>(part.drawn - start).count();
  spent_ms_ += views_->lastGpuMs();
  return true;
}

Result<bool> ViewRefresher::refresh(const Session& session, Pace pace) {
  bool changed = false;
  auto keep = [&](auto& where, auto result) -> Result<void> {
    if (!result) return tl::unexpected(std::move(result).error());
    using Value = std::decay_t<decltype(*result)>;
    where = std::make_shared<const Value>(std::move(*result));
    return {};
  };
  spent_ms_ = 0;
  if (session.length() == 0) return false;
  if (request_.row && request_.row->query < session.length()) {
    TRY_ASSIGN(bool drawn, draw(row_, session, pace,
                                [&] { return keep(row_values_, views_->row(session, *request_.row)); }));
    changed |= drawn;
  }
  if (request_.map) {
    TRY_ASSIGN(bool drawn, draw(map_, session, pace,
                                [&] { return keep(map_picture_, views_->map(session, *request_.map)); }));
    changed |= drawn;
  }
  if (request_.overview) {
    TRY_ASSIGN(bool drawn, draw(overview_, session, pace, [&] {
                 return keep(overview_picture_, views_->overview(session, *request_.overview));
               }));
    TRY_ASSIGN(bool counted,
               draw(heads_, session, pace, [&] { return keep(head_summaries_, views_->heads(session)); }));
    changed |= drawn || counted;
  }
  if (changed) gpu_ms_ = spent_ms_;
  return changed;
}

void ViewRefresher::fill(Snapshot& snapshot) const {
  snapshot.map = map_picture_;
  snapshot.overview = overview_picture_;
  snapshot.row = row_values_;
  snapshot.heads = head_summaries_;
  snapshot.timings.probe_ms = gpu_ms_;
}

}  // namespace vitrine::core
