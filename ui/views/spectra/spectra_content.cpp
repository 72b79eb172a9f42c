#include "ui/views/spectra/spectra_content.h"

#include <algorithm>
#include <cmath>

#include "ui/views/spectra/view_keys.h"
#include "ui/views/view_message.h"

namespace vitrine::ui::spectra {
namespace {

constexpr double kMostTable = 640, kLeastTable = 260, kLeastPlot = 200, kLeastHeight = 170;
constexpr double kNarrow = 900, kMostComparisonTable = 560;

template <typename Values, typename Value>
Value nextOf(const Values& values, Value value) {
  const auto at = std::ranges::find(values, value);
  return at == values.end() || at + 1 == values.end() ? values.front() : *(at + 1);
}

ViewMessage idleMessage(Subject subject) {
  if (subject == Subject::kComparison)
    return {.title = "Nothing to compare with yet",
            .text = "Choose the base model of this fine-tune, or an adapter of this model, as Reference.",
            .button = "Choose a folder…",
            .color = {}};
  if (subject == Subject::kHeadGraph)
    return {.title = "No head graph yet",
            .text = "Which heads read what those of earlier layers write, by their weights alone.",
            .button = "Compute",
            .color = {}};
  return {.title = isProduct(subject) ? "No products yet" : "No spectra yet",
          .text = isProduct(subject)
                      ? "The singular values of what each head multiplies, whatever basis it is stored in."
                      : "The singular values of all weights, and what they say of each layer.",
          .button = "Compute",
          .color = {}};
}

// Of a run that ended without a row.
ViewMessage nothingMessage(Subject subject, const core::SpectraSnapshot& snapshot) {
  if (!isProduct(subject))
    return {.title = "This model has no matrices",
            .text = "A spectrum needs a tensor with two dimensions of floating or quantized numbers.",
            .color = {}};
  const std::string why = snapshot.left_out.empty() ? "No layer has attention" : snapshot.left_out.front();
  const std::size_t others = std::max<std::size_t>(1, snapshot.left_out.size()) - 1;
  return {.title = fmt::format("No layer has {}", name(subject)),
          .text = why + (others > 0 ? fmt::format("; {} more layers have none either.", others) : "."),
          .button = subject == Subject::kQk ? "Show OV products" : "Show weights",
          .color = {}};
}

ViewMessage headGraphMessage(const core::SpectraSnapshot& snapshot, const Theme& theme) {
  ViewMessage message = idleMessage(Subject::kHeadGraph);
  if (snapshot.state == core::SpectraState::kRunning) {
    message = {.title = "Composing heads",
               .text = snapshot.total() == 0 ? "Reading the model's tensors"
                                             : fmt::format("{} of {} layers met all earlier ones",
                                                           snapshot.done, snapshot.total()),
               .button = "Cancel",
               .color = {}};
    message.progress = snapshot.total() == 0 ? 0 : double(snapshot.done) / double(snapshot.total());
  } else if (snapshot.state == core::SpectraState::kFailed) {
    message = {.title = "The head graph could not be computed",
               .text = snapshot.error ? snapshot.error->describe() : "",
               .button = "Try again",
               .color = {}};
  } else if (snapshot.state == core::SpectraState::kDone) {
    std::string why = "No two layers have attention whose heads could compose";
    if (!snapshot.left_out.empty()) why += ". " + snapshot.left_out.front();
    if (snapshot.left_out.size() > 1)
      why += fmt::format("; {} more in the inspector", snapshot.left_out.size() - 1);
    message = {
        .title = "No head reads an earlier one", .text = why + ".", .button = "Show weights", .color = {}};
  }
  message.color = snapshot.state == core::SpectraState::kFailed ? theme.colors.error : theme.colors.text;
  return message;
}

}  // namespace

SpectraLayout layoutOf(const Rect& area, Subject subject) {
  SpectraLayout layout;
  const bool compares = subject == Subject::kComparison;
  const double share = compares ? 0.46 : area.width() < kNarrow ? 0.46 : 0.54;
  double table =
      std::round(std::clamp(area.width() * share, kLeastTable, compares ? kMostComparisonTable : kMostTable));
  if (area.width() - table < kLeastPlot) table = area.width();
  layout.table = {area.x0, area.y0, area.x0 + table, area.y1};
  const Rect right{layout.table.x1 + 1, area.y0, area.x1, area.y1};
  if (right.width() < kLeastPlot) return layout;
  const bool both = !compares && right.height() >= 2 * kLeastHeight;
  const double middle = both ? std::round(right.y0 + right.height() * 0.5) : right.y1;
  layout.spectrum = {right.x0, right.y0, right.x1, middle};
  if (both) layout.profile = {right.x0, middle, right.x1, right.y1};
  return layout;
}

bool SpectraContent::drawMessages(CanvasFrame& frame, const Rect& area) {
  const core::SpectraSnapshot& snapshot = state_.snapshot();
  const Subject subject = state_.subject();
  if (showsGraph()) {
    if (state_.graph().graph() && !state_.graph().graph()->graph.edges.empty()) return false;
    if (drawMessage(frame, headGraphMessage(snapshot, frame.theme), area))
      state_.running()                              ? emit state_.cancelRequested()
      : snapshot.state == core::SpectraState::kDone ? emit state_.subjectRequested(Subject::kWeights)
                                                    : emit state_.computeRequested();
    return true;
  }
  if (snapshot.total() > 0) return false;
  const bool failed = snapshot.state == core::SpectraState::kFailed;
  const bool compares = subject == Subject::kComparison;
  ViewMessage message{.title = "Reading the model's tensors", .text = "", .color = {}};
  if (failed)
    message = {.title = compares ? "These cannot be compared" : "The spectra could not be computed",
               .text = snapshot.error ? snapshot.error->describe() : "",
               .button = compares ? "Choose another…" : "Try again",
               .color = {}};
  else if (snapshot.state == core::SpectraState::kDone)
    message = nothingMessage(subject, snapshot);
  else if (snapshot.state != core::SpectraState::kRunning)
    message = idleMessage(subject);
  message.color = failed ? frame.theme.colors.error : frame.theme.colors.text;
  if (!drawMessage(frame, message, area)) return true;
  if (snapshot.state == core::SpectraState::kDone)
    emit state_.subjectRequested(subject == Subject::kQk ? Subject::kOv : Subject::kWeights);
  else
    compares ? emit state_.referenceRequested() : emit state_.computeRequested();
  return true;
}

void SpectraContent::draw(CanvasFrame& frame) {
  const Rect area{0, 0, frame.size.x, frame.size.y};
  probes_ = {};
  if (isLive(state_.subject())) return drawLive(frame);
  for (const KeyPress& press : frame.keys)
    if (const auto action = actionOf(press)) action(*this);
  if (isLive(state_.subject())) return;  // its frame follows
  if (drawMessages(frame, area)) return;
  if (showsGraph()) return graph_.draw(frame, area);
  const SpectraLayout layout = layoutOf(area, state_.subject());
  table_.draw(frame, layout.table);
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ImU32 line = frame.theme.colors.line.abgr();
  list.AddLine({float(layout.table.x1), 0}, {float(layout.table.x1), frame.size.y}, line);
  if (state_.subject() == Subject::kComparison) return comparison_.draw(frame, layout.spectrum);
  if (!layout.spectrum.empty()) spectrum_.draw(frame, layout.spectrum);
  if (layout.profile.empty()) return;
  list.AddLine({float(layout.profile.x0), float(layout.profile.y0)},
               {float(layout.profile.x1), float(layout.profile.y0)}, line);
  profile_.draw(frame, layout.profile);
}

// What it does not know, the keys of the other subjects, it leaves alone.
void SpectraContent::drawLive(CanvasFrame& frame) {
  for (const KeyPress& press : frame.keys)
    if (const auto action = actionOf(press)) action(*this);
  if (!isLive(state_.subject())) return;
  live_.setOf(liveOf(state_.subject()));
  live_.setWindow(state_.window());
  live_.setSnapshot(snapshot_);
  live_.onWish(wish_);
  live_.draw(frame);
  probes_ = live_.probes();
}

bool SpectraContent::wantsKey(const KeyPress& press) const {
  return static_cast<bool>(actionOf(press)) || (isLive(state_.subject()) && live_.wantsKey(press));
}

// While the subject is live: the next subject alone, the other keys are live_'s own.
SpectraContent::Action SpectraContent::actionOf(const KeyPress& press) const {
  const auto modifiers = press.modifiers & ~(Qt::KeypadModifier | Qt::ShiftModifier);
  const bool plain = modifiers == Qt::NoModifier;
  if (plain && press.key == Qt::Key_W)
    return [](Self& self) { emit self.state_.subjectRequested(nextOf(kSubjects, self.state_.subject())); };
  if (isLive(state_.subject())) return {};
  if (showsGraph())
    if (const auto action = graph_.actionOf(press)) return [action](Self& self) { action(self.graph_); };
  if (plain && press.key == Qt::Key_Escape && state_.running())
    return [](Self& self) { emit self.state_.cancelRequested(); };
  if (showsGraph() || state_.snapshot().total() == 0) return {};
  if (modifiers == Qt::ControlModifier && press.key == Qt::Key_A)
    return [](Self& self) {
      self.state_.select([&](SeriesSelection& all) { all.chooseAll(self.state_.order()); });
    };
  return plain ? tableAction(press) : nullptr;
}

// Of the table, or of the pictures beside it.
SpectraContent::Action SpectraContent::tableAction(const KeyPress& press) const {
  const bool compares = state_.subject() == Subject::kComparison;
  const bool extend = press.modifiers.testFlag(Qt::ShiftModifier);
  if (const auto rows =
          rowsOf(press.key, std::max(1, table_.visibleRows() - 1), std::ptrdiff_t(state_.order().size())))
    return [rows, extend](Self& self) {
      self.state_.select([&](SeriesSelection& selection) {
        extend ? selection.extend(*rows, self.state_.order()) : selection.move(*rows, self.state_.order());
      });
    };
  if (const auto factor = zoomOf(press.key); factor && compares)
    return [factor](Self& self) { *factor > 0 ? self.comparison_.zoom(*factor) : self.comparison_.fit(); };
  switch (press.key) {
    case Qt::Key_S:
      return [](Self& self) {
        self.state_.sortBy(nextOf(metricsOf(self.state_.subject()), self.state_.sorting().by));
      };
    case Qt::Key_R:
      return [](Self& self) { self.state_.sortBy(self.state_.sorting().by); };
    case Qt::Key_D:
      if (compares)
        return [](Self& self) { self.state_.setPicture(nextOf(kComparisonPictures, self.state_.picture())); };
      return [](Self& self) { self.state_.setMode(nextOf(core::kPlotModes, self.state_.mode())); };
    case Qt::Key_Slash:
      return [](Self& self) { emit self.state_.filterRequested(); };
    default:
      return {};
  }
}

}  // namespace vitrine::ui::spectra
