#include "ui/application.h"

#include "core/assets/asset_paths.h"
#include "core/assets/cache_folder.h"
#include "core/engine/engine.h"
#include "gpu/device.h"
#include "ui/canvas/surface.h"
#include "ui/views/attention/attention_content.h"
#include "ui/views/canvas_view.h"
#include "ui/views/memory/memory_content.h"
#include "ui/views/routing/routing_content.h"
#include "ui/views/spectra/spectra_view.h"
#include "ui/window/figure_exporter.h"
#include "ui/window/figure_preview.h"
#include "ui/window/main_window.h"
#include "ui/window/notable_head.h"
#include "ui/window/screenshot_run.h"

#include <QApplication>
#include <QClipboard>
#include <QDir>
#include <QFileInfo>
#include <QMessageBox>
#include <QStandardPaths>
#include <QVulkanInstance>

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>

namespace vitrine::ui {
namespace {

constexpr const char* kDemoModel = "models/demo-dense";
constexpr const char* kDemoPrompt = "prompts/repeated-passage.txt";
constexpr double kDemoPace = 10;  // tokens a second, at which one can watch
constexpr core::SamplingSettings kDemoSampling{
    .temperature = 0.8f, .top_k = 0, .top_p = 0.95f, .min_p = 0, .seed = 7};
constexpr std::uint32_t kScreenshotTokens = 48;
constexpr int kPreviewDpi = 192;

int refuse(const std::string& message, bool with_dialog) {
  fmt::print(stderr, "vitrine: {}\n", message);
  if (with_dialog) QMessageBox::critical(nullptr, "Vitrine", QString::fromStdString(message));
  return 1;
}

std::string pipelineCacheFile() {
  const QString folder = QStandardPaths::writableLocation(QStandardPaths::CacheLocation);
  return QDir().mkpath(folder) ? (folder + "/pipelines").toStdString() : std::string();
}

std::string textOf(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What is opened and said at the start.
struct Start {
  std::filesystem::path model;
  std::string prompt;
  bool demonstration = false;
};

Start startOf(const WindowOptions& options) {
  Start start{.model = {}, .prompt = options.prompt, .demonstration = options.models.empty()};
  if (!start.demonstration)
    start.model = core::modelPath(options.models.front());
  else if (const auto model = core::findAsset(kDemoModel))
    start.model = *model;
  // Pictures of a model that has read nothing would show nothing.
  const bool needs_prompt = start.demonstration || !options.screenshots.empty();
  if (const auto prompt = core::findAsset(kDemoPrompt); prompt && needs_prompt && start.prompt.empty())
    start.prompt = textOf(*prompt);
  return start;
}

// Generates from the prompt as soon as the model is there.
void generateOnceLoaded(SnapshotRelay& relay, MainWindow& window) {
  auto* once = new QObject(&window);
  QObject::connect(&relay, &SnapshotRelay::arrived, once,
                   [once, &window](const std::shared_ptr<const core::Snapshot>& snapshot) {
                     if (!snapshot->model || snapshot->state != core::EngineState::kReady) return;
                     once->deleteLater();
                     window.generate();
                   });
}

// Shows a head worth looking at as soon as one is known, unless the user has chosen one by then.
void showNotableHead(SnapshotRelay& relay, MainWindow& window, Selection& selection) {
  auto* once = new QObject(&window);
  QObject::connect(&selection, &Selection::headChanged, once, &QObject::deleteLater);
  QObject::connect(&relay, &SnapshotRelay::arrived, once,
                   [&selection](const std::shared_ptr<const core::Snapshot>& snapshot) {
                     if (const auto head = notableHead(*snapshot)) selection.setHead(*head);
                   });
}

void connectFigures(MainWindow& window, FigureExporter& exporter) {
  enum class Use { kPreview, kCopy };
  auto use = std::make_shared<Use>(Use::kPreview);
  QObject::connect(&window, &MainWindow::exportFigure, &exporter, [&](const FigureChoice& choice) {
    window.setFigureResult(MainWindow::tr("Writing…"), false);
    exporter.setSampling(window.sampling());
    exporter.write(choice, window.viewFigure(choice.content));
  });
  QObject::connect(&window, &MainWindow::previewFigure, &exporter, [&, use](const FigureChoice& choice) {
    *use = Use::kPreview;
    exporter.render(choice, kPreviewDpi, window.viewFigure(choice.content));
  });
  QObject::connect(&window, &MainWindow::copyFigure, &exporter, [&, use](const FigureChoice& choice) {
    *use = Use::kCopy;
    exporter.render(choice, choice.dpi, window.viewFigure(choice.content));
  });
  QObject::connect(&exporter, &FigureExporter::written, &window, [&window](const QStringList& files) {
    window.setFigureResult(
        MainWindow::tr("%1 files in %2").arg(files.size()).arg(QFileInfo(files.value(0)).path()), false);
  });
  QObject::connect(&exporter, &FigureExporter::rendered, &window, [&window, use](const QImage& image) {
    if (*use == Use::kCopy) {
      QApplication::clipboard()->setImage(image);
      return window.setFigureResult(
          MainWindow::tr("Copied, %1 × %2 pixels").arg(image.width()).arg(image.height()), false);
    }
    auto* preview = new FigurePreview(image, MainWindow::tr("Figure preview"), &window);
    preview->setAttribute(Qt::WA_DeleteOnClose);
    preview->show();
  });
  QObject::connect(&exporter, &FigureExporter::failed, &window, [&window](const QString& message) {
    window.setFigureResult(MainWindow::tr("Failed"), true);
    window.showError({ErrorCode::kIo, message.toStdString(), nullptr});
  });
}

void connectView(MainWindow& window, CanvasView& view) {
  const WindowActions& actions = window.actions();
  QObject::connect(&view, &CanvasView::openRequested, actions.open_file, &QAction::trigger);
  QObject::connect(&view, &CanvasView::promptRequested, actions.edit_prompt, &QAction::trigger);
  QObject::connect(&view, &CanvasView::cancelLoadRequested, actions.cancel_load, &QAction::trigger);
  QObject::connect(&view, &CanvasView::copyErrorRequested, &window,
                   [&window] { QApplication::clipboard()->setText(window.banner().details()); });
  QObject::connect(&view.canvasWindow(), &CanvasWindow::failed, &window, [&window](const QString& what) {
    window.showError({ErrorCode::kDevice, what.toStdString(), nullptr});
  });
}

struct Views {
  std::vector<std::unique_ptr<View>> all;  // in the order of their tabs
  std::vector<CanvasView*> canvases;       // theirs
  spectra::SpectraView* spectra = nullptr;
  int spectra_tab = 0;
};

std::filesystem::path spectraCache() {
  const std::filesystem::path cache = core::cacheFolder();
  return cache.empty() ? cache : cache / "spectra";
}

Result<Views> createViews(const CanvasView::Parts& parts, const ThemeController& theme) {
  Views views;
  TRY_ASSIGN(auto attention, CanvasView::create(parts, CanvasView::tr("Attention"),
                                                std::make_unique<attention::AttentionContent>(
                                                    parts.device, parts.selection, parts.settings)));
  TRY_ASSIGN(auto spectra, spectra::SpectraView::create(parts, theme, {.cache_folder = spectraCache()}));
  views.canvases = {attention.get(), &spectra->canvas()};
  views.spectra = spectra.get();
  views.all.push_back(std::move(attention));
  views.spectra_tab = int(views.all.size());
  views.all.push_back(std::move(spectra));
  std::pair<QString, std::unique_ptr<ViewContent>> contents[] = {
      {CanvasView::tr("Routing"), std::make_unique<routing::RoutingContent>(parts.selection, parts.settings)},
      {CanvasView::tr("Memory"), std::make_unique<memory::MemoryContent>(parts.selection, parts.settings)}};
  for (auto& [title, content] : contents) {
    TRY_ASSIGN(auto view, CanvasView::create(parts, title, std::move(content)));
    views.canvases.push_back(view.get());
    views.all.push_back(std::move(view));
  }
  return views;
}

// Quits with the exit status once everything is written.
void takeScreenshots(MainWindow& window, ThemeController& theme, Selection& selection,
                     FigureExporter& exporter, const Views& views, const WindowOptions& options) {
  auto* run = new ScreenshotRun(window, theme, selection, exporter, options.screenshots, &window);
  run->addTab(views.spectra_tab, "spectra.png", [view = views.spectra] { return view->isComplete(); });
  QObject::connect(run, &ScreenshotRun::finished, &window, [&options](const QString& error) {
    if (error.isEmpty())
      fmt::print("Screenshots and figures are in {}\n", options.screenshots.string());
    else
      fmt::print(stderr, "vitrine: {}\n", error.toStdString());
    QCoreApplication::exit(error.isEmpty() ? 0 : 1);
  });
}

std::string deviceLine(const gpu::DeviceInfo& info) {
  return info.software ? info.name + " · software" : info.name;
}

int runWith(QApplication& application, gpu::Device& device, const WindowOptions& options) {
  const bool for_screenshots = !options.screenshots.empty();
  auto instance = wrapInstance(device);
  if (!instance) return refuse(instance.error().describe(), !for_screenshots);
  // Screenshots come out the same whatever this user's window looks like, and leave it alone.
  QSettings settings = for_screenshots
                           ? QSettings(QDir::temp().filePath("vitrine-screenshots.ini"), QSettings::IniFormat)
                           : QSettings();
  if (for_screenshots) settings.clear();

  ThemeController theme(application);
  Selection selection;
  ViewSettings view_settings;
  SnapshotRelay relay;
  auto views = createViews({device, **instance, selection, view_settings, theme.theme()}, theme);
  if (!views) return refuse(views.error().describe(), !for_screenshots);
  FigureExporter exporter(selection, view_settings, deviceLine(device.info()));
  const auto engine = core::Engine::start(device, [&relay] { relay.wake(); });
  exporter.setEngine(engine.get());

  std::vector<View*> tabs;
  for (auto& view : views->all) tabs.push_back(view.release());
  MainWindow window(
      {*engine, relay, theme, selection, view_settings, settings,
       QString::fromStdString(deviceLine(device.info())),
       [index = options.device]() -> Result<std::shared_ptr<gpu::Device>> {
         return gpu::Device::create({.index = index, .pipeline_cache_file = pipelineCacheFile()});
       }},
      tabs);
  for (CanvasView* view : views->canvases) connectView(window, *view);
  connectFigures(window, exporter);
  relay.setSource([&engine] { return engine->snapshot(); });
  window.show();

  const Start start = startOf(options);
  if (!start.model.empty()) {
    window.setPrompt(QString::fromStdString(start.prompt));
    if (start.demonstration) {
      window.setSampling(kDemoSampling);
      if (!for_screenshots) window.setPace(kDemoPace);
      showNotableHead(relay, window, selection);
    }
    if (for_screenshots) window.setMaxTokens(kScreenshotTokens);
    if (!start.prompt.empty()) generateOnceLoaded(relay, window);
    window.openWithAdapters(QString::fromStdString(start.model.string()), options.adapters,
                            options.merge_adapters);
  } else if (for_screenshots) {
    return refuse("no model to take screenshots of: name one, or install assets/models/demo-dense", false);
  }
  if (for_screenshots) takeScreenshots(window, theme, selection, exporter, *views, options);
  const int status = QApplication::exec();
  relay.setSource({});
  if (const auto saved = device.savePipelineCache(); !saved)
    fmt::print(stderr, "vitrine: {}\n", saved.error().describe());
  return status;
}

}  // namespace

int runWindow(const WindowOptions& options) {
  int argc = 1;
  char program[] = "vitrine";
  char* argv[] = {program, nullptr};
  QApplication application(argc, argv);
  QApplication::setOrganizationName("Vitrine");
  QApplication::setApplicationName("vitrine");
  QApplication::setApplicationDisplayName("Vitrine");
  QApplication::setApplicationVersion(QString::fromStdString(options.version));

  gpu::DeviceOptions device_options;
  device_options.index = options.device;
  device_options.instance_extensions = surfaceExtensions();
  device_options.presentation = true;
  device_options.pipeline_cache_file = pipelineCacheFile();
  auto device = gpu::Device::create(device_options);
  if (!device) return refuse(device.error().describe(), options.screenshots.empty());
  return runWith(application, **device, options);
}

}  // namespace vitrine::ui
