#include "ui/views/attention/view_benchmark.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/engine/attention_views.h"
#include "core/model/map_source.h"
#include "ui/views/attention/attention_content.h"

#include <QGuiApplication>

namespace vitrine::ui {
namespace {

constexpr std::uint32_t kUncounted = 4;  // frames in which pipelines and buffers are made

// Labels are Qt's; without a display it draws into memory.
void needQt() {
  if (QCoreApplication::instance()) return;
  static int argc = 1;
  static char name[] = "vitrine";
  static char* argv[] = {name, nullptr};
  qputenv("QT_QPA_PLATFORM", "offscreen");
  static QGuiApplication application(argc, argv);
}

core::BenchmarkRow rowOf(std::string name, std::string unit, std::vector<double> values) {
  std::ranges::sort(values);
  core::BenchmarkRow row{.name = std::move(name), .unit = std::move(unit)};
  if (values.empty()) return row;
  row.median = values[values.size() / 2];
  row.min = values.front();
  row.max = values.back();
  row.n = std::uint32_t(values.size());
  return row;
}

Result<std::unique_ptr<core::Session>> longSession(std::shared_ptr<const core::Model> model,
                                                   std::uint32_t tokens) {
  const std::uint64_t vocabulary = model->spec().vocab_size;
  TRY_ASSIGN(auto session, core::Session::create(std::move(model), {.context = tokens, .probes = true}));
  std::vector<core::TokenId> ids;
  std::uint64_t random = 1;
  for (std::uint32_t i = 0; i < tokens; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    ids.push_back(core::TokenId((random >> 33) % vocabulary));
  }
  TRY(session->prefill(ids));
  return session;
}

std::shared_ptr<core::Snapshot> snapshotOf(const core::Model& model, std::uint32_t tokens) {
  auto summary = std::make_shared<core::ModelSummary>();
  summary->layers = model.layers();
  for (std::uint32_t layer = 0; layer < model.layers(); ++layer) {
    const auto source = core::mapSource(model.spec().blocks[layer]);
    summary->layer_kinds.push_back({.mixer = {}, .heads = source ? source->heads : 0});
    summary->heads = std::max(summary->heads, summary->layer_kinds.back().heads);
  }
  std::vector<core::Token> words(tokens);
  for (std::uint32_t i = 0; i < tokens; ++i) words[i].display = fmt::format("·{}", i);
  auto snapshot = std::make_shared<core::Snapshot>();
  snapshot->state = core::EngineState::kReady;
  snapshot->model = summary;
  snapshot->tokens = std::make_shared<const std::vector<core::Token>>(std::move(words));
  return snapshot;
}

// One third of the way in, one third across, one third out again.
void move(MapViewport& viewport, std::uint32_t frame, std::uint32_t frames) {
  const Point middle = viewport.area().center();
  const std::uint32_t third = frames / 3;
  const double factor = std::pow(100.0, 1.0 / third);
  if (frame < third)
    viewport.zoomAt({middle.x - 40, middle.y + 30}, factor);
  else if (frame < 2 * third)
    viewport.panBy(7, -5);
  else
    viewport.zoomAt({middle.x - 40, middle.y + 30}, 1 / factor);
  viewport.finishAnimation();
}

std::uint64_t recordBytes(const core::Session& session, std::uint32_t layers) {
  std::uint64_t bytes = 0;
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    const core::AttentionRecord record = session.record(layer);
    bytes += record.q_store.bytes + record.lse.bytes + record.summary.bytes;
  }
  return bytes;
}

}  // namespace

Result<std::vector<core::BenchmarkRow>> benchmarkAttentionView(
    std::shared_ptr<const core::Model> model, const ViewBenchmarkOptions& options,
    const std::function<void(const std::string&)>& progress) {
  needQt();
  gpu::Device& device = model->device();
  if (progress) progress(fmt::format("reading {} tokens", options.tokens));
  TRY_ASSIGN(const auto session, longSession(model, options.tokens));
  const std::uint64_t used_before = device.memory().used;
  TRY_ASSIGN(const auto views, core::AttentionViews::create(device));
  Selection selection;
  ViewSettings settings;
  const auto base = snapshotOf(*model, options.tokens);
  selection.setExtent(model->layers(), base->model->heads, options.tokens);
  attention::AttentionContent content(device, selection, settings);
  TRY_ASSIGN(const auto canvas, Canvas::create(device, kDarkTheme));
  canvas->setContent(&content);
  const QSize size(options.width, options.height);
  content.setSnapshot(base);
  TRY(canvas->offscreenFrame(size, 1));
  if (const auto& wanted = content.probes().overview) {
    TRY_ASSIGN(core::OverviewPicture overview, views->overview(*session, *wanted));
    base->overview = std::make_shared<const core::OverviewPicture>(std::move(overview));
  }

  std::vector<double> frame_ms, compute_ms, draw_ms;
  for (std::uint32_t frame = 0; frame < options.frames + kUncounted; ++frame) {
    if (progress && frame % 30 == 0) progress(fmt::format("view frame {} of {}", frame, options.frames));
    const auto start = std::chrono::steady_clock::now();
    if (frame >= kUncounted) move(content.viewport(), frame - kUncounted, options.frames);
    TRY_ASSIGN(const FrameResult drawn, canvas->offscreenFrame(size, 1));
    if (const auto wanted = content.probes().map; wanted && (!base->map || base->map->request != *wanted)) {
      TRY_ASSIGN(core::MapPicture picture, views->map(*session, *wanted));
      const auto snapshot = std::make_shared<core::Snapshot>(*base);
      snapshot->map = base->map = std::make_shared<const core::MapPicture>(std::move(picture));
      content.setSnapshot(snapshot);
      if (frame >= kUncounted) compute_ms.push_back(views->lastGpuMs());
    }
    TRY(device.wait(drawn.done));
    if (frame < kUncounted) continue;
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    frame_ms.push_back(took.count());
    draw_ms.push_back(canvas->lastFrameMs());
  }
  const std::uint64_t used_after = device.memory().used;
  const double bytes = double(std::max(used_after, used_before) - used_before) +
                       double(recordBytes(*session, model->layers()));
  const std::string suffix = fmt::format(" {}", options.tokens);
  return std::vector{
      rowOf("view frame" + suffix, "ms", frame_ms), rowOf("view compute" + suffix, "ms", compute_ms),
      rowOf("view draw" + suffix, "ms", draw_ms), rowOf("view memory" + suffix, "MiB", {bytes / (1 << 20)})};
}

}  // namespace vitrine::ui
