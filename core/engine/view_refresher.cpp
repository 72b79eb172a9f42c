#include "core/engine/view_refresher.h"

#include <algorithm>

#include "core/engine/hidden_stream.h"

namespace vitrine::core {

namespace {
constexpr double kMostOfTheTime = 0.03;       // that pictures may take while tokens are generated
constexpr double kShortestPeriod = 1.0 / 60;  // seconds between two pictures of a growing sequence
}  // namespace

Result<ViewRefresher> ViewRefresher::create(gpu::Device& device) {
  TRY_ASSIGN(auto views, AttentionViews::create(device));
  TRY_ASSIGN(auto mixers, MixerViews::create(device));
  TRY_ASSIGN(auto spectra, SpectraViews::create(device));
  return ViewRefresher(std::move(views), std::move(mixers), std::move(spectra));
}

bool ViewRefresher::Part::due(std::uint32_t length, Pace pace, double shortest_period_s) const {
  if (asked) return true;
  if (tokens == length) return false;
  return pace == Pace::kIdle ||
         std::chrono::duration<double>(Clock::now() - drawn).count() >= shortest_period_s;
}

// Of what is asked for now.
double ViewRefresher::shortestPeriod() const {
  const std::pair<const Part*, bool> parts[] = {
      {&overview_, request_.overview.has_value()},
      {&heads_, request_.overview.has_value()},
      {&map_, request_.map.has_value()},
      {&row_, request_.row.has_value()},
      {&routing_, request_.routing},
      {&states_, request_.states},
      {&spectra_, request_.spectra.has_value()},
  };
  double all = 0;
  for (const auto& [part, wanted] : parts)
    if (wanted) all += part->cost_s;
  return std::max(kShortestPeriod, all / kMostOfTheTime);
}

void ViewRefresher::setRequest(const ProbeRequest& request) {
  overview_.asked |= request.overview != request_.overview;
  map_.asked |= request.map != request_.map;
  row_.asked |= request.row != request_.row;
  routing_.asked |= request.routing != request_.routing;
  states_.asked |= request.states != request_.states;
  if (request.spectra != request_.spectra) {
    spectra_.asked = true;
    if (!request.spectra) spectra_views_->forget();
  }
  request_ = request;
}

void ViewRefresher::invalidate() {
  for (Part* part : {&overview_, &heads_, &map_, &row_, &routing_, &states_, &spectra_}) part->asked = true;
}

void ViewRefresher::forget() {
  map_picture_.reset();
  overview_picture_.reset();
  row_values_.reset();
  head_summaries_.reset();
  routing_picture_.reset();
  state_picture_.reset();
  spectra_picture_.reset();
  spectra_views_->forget();
  overview_ = map_ = row_ = heads_ = routing_ = states_ = spectra_ = {};
  invalidate();
}

bool ViewRefresher::pending(const Session& session) const {
  std::uint32_t length = session.length();
  if (length == 0) return false;
  return (request_.overview &&
          (overview_.due(length, Pace::kIdle, 0) || heads_.due(length, Pace::kIdle, 0))) ||
         (request_.map && map_.due(length, Pace::kIdle, 0)) ||
         (request_.row && request_.row->query < length && row_.due(length, Pace::kIdle, 0)) ||
         (request_.routing && routing_.due(length, Pace::kIdle, 0)) ||
         (request_.states && states_.due(length, Pace::kIdle, 0)) || spectraDue(session, Pace::kIdle, 0);
}

// Of activations there are none before the session has followed some.
bool ViewRefresher::spectraDue(const Session& session, Pace pace, double shortest_period_s) const {
  if (!request_.spectra || !spectra_.due(session.length(), pace, shortest_period_s)) return false;
  const HiddenStream* hidden = session.hidden();
  return request_.spectra->of != SpectraOf::kActivations || (hidden && hidden->end() > hidden->first());
}

template <typename Draw>
Result<bool> ViewRefresher::draw(Part& part, const Session& session, Pace pace, Draw draw) {
  if (!part.due(session.length(), pace, shortestPeriod())) return false;
  auto start = Clock::now();
  part.asked = false;
  part.tokens = session.length();
  TRY_ASSIGN(const double gpu_ms, draw());
  spent_ms_ += gpu_ms;
  part.drawn = Clock::now();
  part.cost_s = std::chrono::duration<double>(part.drawn - start).count();
  return true;
}

Result<bool> ViewRefresher::refresh(const Session& session, Pace pace) {
  if (session.length() == 0) return false;
  bool changed = false;
  spent_ms_ = 0;
  // Draws a part when it is due, and keeps what `make` gave of `views`.
  const auto update = [&](Part& part, auto& where, auto& views, auto make) -> Result<void> {
    TRY_ASSIGN(const bool drawn, draw(part, session, pace, [&]() -> Result<double> {
                 TRY_ASSIGN(auto value, make(views));
                 where = std::make_shared<const std::decay_t<decltype(value)>>(std::move(value));
                 return views.lastGpuMs();
               }));
    changed |= drawn;
    return {};
  };
  if (request_.row && request_.row->query < session.length())
    TRY(update(row_, row_values_, *views_, [&](auto& v) { return v.row(session, *request_.row); }));
  if (request_.map)
    TRY(update(map_, map_picture_, *views_, [&](auto& v) { return v.map(session, *request_.map); }));
  if (request_.overview) {
    TRY(update(overview_, overview_picture_, *views_,
               [&](auto& v) { return v.overview(session, *request_.overview); }));
    TRY(update(heads_, head_summaries_, *views_, [&](auto& v) { return v.heads(session); }));
  }
  if (request_.routing)
    TRY(update(routing_, routing_picture_, *mixers_, [&](auto& v) { return v.routing(session); }));
  if (request_.states)
    TRY(update(states_, state_picture_, *mixers_, [&](auto& v) { return v.states(session); }));
  if (spectraDue(session, pace, shortestPeriod())) {
    SpectraRequest wanted = *request_.spectra;
    // While a sequence grows there is no time for them but at its beginning.
    if (pace == Pace::kGenerating && !spectra_.asked) wanted.earlier = 0;
    TRY(update(spectra_, spectra_picture_, *spectra_views_, [&](auto& v) -> Result<SpectraPicture> {
      TRY_ASSIGN(auto picture, v.spectra(session, wanted));
      picture.request = *request_.spectra;
      return picture;
    }));
    spectra_.cost_s /= 1 + double(spectra_picture_->earlier.size());
  }
  if (changed) gpu_ms_ = spent_ms_;
  return changed;
}

void ViewRefresher::fill(Snapshot& snapshot) const {
  snapshot.map = map_picture_;
  snapshot.overview = overview_picture_;
  snapshot.row = row_values_;
  snapshot.heads = head_summaries_;
  snapshot.routing = routing_picture_;
  snapshot.states = state_picture_;
  snapshot.spectra = spectra_picture_;
  snapshot.timings.probe_ms = gpu_ms_;
}

}  // namespace vitrine::core
