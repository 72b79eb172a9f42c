#include "ui/window/window_actions.h"

#include "core/methods/analysis.h"

#include <QVariant>
#include <QWidget>

namespace vitrine::ui {
namespace {

constexpr std::uint32_t kContexts[] = {0, 512, 1024, 2048, 4096, 8192, 16384, 32768};

QString plain(QString text) {
  text.remove(QChar('&')).remove(QStringLiteral("…"));
  return text;
}

class Maker {
 public:
  explicit Maker(QWidget& window) : window_(window) {}

  QAction* make(const QString& text, const char* keys, const QString& tooltip) const {
    auto* action = new QAction(text, &window_);
    QList<QKeySequence> sequences;
    for (const QString& key : QString(keys).split(' ', Qt::SkipEmptyParts)) sequences << QKeySequence(key);
    action->setShortcuts(sequences);
    action->setToolTip(tooltip);
    window_.addAction(action);
    return action;
  }

  QActionGroup* group() const { return new QActionGroup(&window_); }

  static void choice(QActionGroup& group, const QString& text, const QVariant& value,
                     const QString& tooltip = {}) {
    auto* action = group.addAction(text);
    action->setCheckable(true);
    action->setData(value);
    action->setToolTip(tooltip.isEmpty() ? text : tooltip);
  }

 private:
  QWidget& window_;
};

void makeFileActions(const Maker& maker, WindowActions& a) {
  a.open_file =
      maker.make(QObject::tr("&Open file…"), "Ctrl+O", QObject::tr("Open a GGUF or safetensors file"));
  a.open_folder = maker.make(QObject::tr("Open &folder…"), "Ctrl+Shift+O",
                             QObject::tr("Open a Hugging Face folder: config.json and safetensors"));
  a.reload = maker.make(QObject::tr("&Reload model"), "F5", QObject::tr("Read the model from disk again"));
  a.save_screenshot = maker.make(QObject::tr("Save &screenshot…"), "Ctrl+Shift+S",
                                 QObject::tr("Save a picture of the whole window as PNG"));
  a.quit = maker.make(QObject::tr("&Quit"), "Ctrl+Q", QObject::tr("Quit Vitrine"));
}

void makeEditActions(const Maker& maker, WindowActions& a) {
  a.undo =
      maker.make(QObject::tr("&Undo"), "Ctrl+Z", QObject::tr("Undo the last change of the view's settings"));
  a.redo = maker.make(QObject::tr("&Redo"), "Ctrl+Shift+Z Ctrl+Y", QObject::tr("Redo what was undone"));
  a.copy_map =
      maker.make(QObject::tr("&Copy map"), "Ctrl+C", QObject::tr("Copy the picture to the clipboard"));
  a.unlock = maker.make(QObject::tr("&Unlock selection"), "Esc",
                        QObject::tr("Follow the pointer and the newest token"));
  a.go_to_query =
      maker.make(QObject::tr("&Go to query…"), "Ctrl+G", QObject::tr("Lock a query by its position"));
}

void makeViewActions(const Maker& maker, WindowActions& a) {
  a.fit_map = maker.make(QObject::tr("&Fit map"), "F", QObject::tr("Show the whole map"));
  a.actual_size =
      maker.make(QObject::tr("One cell a &pixel"), "Ctrl+0", QObject::tr("Show the map at 1 : 1"));
  a.zoom_map_in =
      maker.make(QObject::tr("Zoom map &in"), "+ =", QObject::tr("Enlarge the map about its middle"));
  a.zoom_map_out =
      maker.make(QObject::tr("Zoom map &out"), "-", QObject::tr("Reduce the map about its middle"));
  a.toggle_scale =
      maker.make(QObject::tr("&Logarithmic scale"), "L", QObject::tr("Logarithmic or linear colour scale"));
  a.toggle_scale->setCheckable(true);
  a.fit_range = maker.make(QObject::tr("&Normalize range"), "N",
                           QObject::tr("Set the range to where the visible probabilities lie"));
  a.reset_range =
      maker.make(QObject::tr("R&eset range"), "R", QObject::tr("Back to the scale's usual range"));
  a.next_colormap =
      maker.make(QObject::tr("Next colour map"), "C", QObject::tr("The colour map after this one"));
  a.next_pooling =
      maker.make(QObject::tr("Next pooling"), "P", QObject::tr("Maximum or mean where cells share a pixel"));
  a.colormaps = maker.group();
  for (const core::ColormapId map : kSequentialMaps) {
    const auto map_name = core::colormapName(map);
    Maker::choice(*a.colormaps, QString::fromUtf8(map_name.data(), qsizetype(map_name.size())), int(map));
  }
  a.poolings = maker.group();
  Maker::choice(*a.poolings, QObject::tr("maximum"), int(core::Pooling::kMax),
                QObject::tr("Cells that share a pixel show their largest value"));
  Maker::choice(*a.poolings, QObject::tr("mean"), int(core::Pooling::kMean),
                QObject::tr("Cells that share a pixel show their mean"));
  a.themes = maker.group();
  Maker::choice(*a.themes, QObject::tr("Dark"), int(ThemeChoice::kDark));
  Maker::choice(*a.themes, QObject::tr("Light"), int(ThemeChoice::kLight));
  Maker::choice(*a.themes, QObject::tr("As the system"), int(ThemeChoice::kSystem));
  a.zoom_in = maker.make(QObject::tr("Larger"), "Ctrl++ Ctrl+=", QObject::tr("Enlarge the interface"));
  a.zoom_out = maker.make(QObject::tr("Smaller"), "Ctrl+-", QObject::tr("Reduce the interface"));
  a.zoom_reset =
      maker.make(QObject::tr("100 %"), "Ctrl+Alt+0", QObject::tr("The interface at its usual size"));
  a.reset_layout =
      maker.make(QObject::tr("Reset layout"), "", QObject::tr("All panels back to their places"));
  a.full_screen = maker.make(QObject::tr("Full screen"), "F11", QObject::tr("Use the whole screen"));
  a.full_screen->setCheckable(true);
}

void makeModelActions(const Maker& maker, WindowActions& a) {
  a.contexts = maker.group();
  for (const std::uint32_t context : kContexts)
    Maker::choice(*a.contexts,
                  context == 0 ? QObject::tr("as the model, at most 4096") : QString::number(context),
                  context, QObject::tr("Tokens that the cache holds; a change loads the model again"));
  a.caches = maker.group();
  Maker::choice(*a.caches, QObject::tr("F16"), int(core::CacheType::kF16), QObject::tr("Two bytes a number"));
  Maker::choice(*a.caches, QObject::tr("F32"), int(core::CacheType::kF32),
                QObject::tr("Four bytes a number, exact"));
  a.add_adapter = maker.make(
      QObject::tr("&Add adapter…"), "Ctrl+Shift+A",
      QObject::tr("Run a LoRA adapter (a PEFT folder) beside the weights; the model is loaded again"));
  a.cancel_load =
      maker.make(QObject::tr("&Cancel loading"), "", QObject::tr("Stop loading; the old model stays"));
  a.unload = maker.make(QObject::tr("&Unload"), "Ctrl+W", QObject::tr("Close the model and free its memory"));
}

void makeRunActions(const Maker& maker, WindowActions& a) {
  a.generate = maker.make(QObject::tr("&Generate"), "Ctrl+Return", QObject::tr("Continue the prompt"));
  a.continue_generation = maker.make(QObject::tr("&Continue"), "Ctrl+Shift+Return",
                                     QObject::tr("Go on from where the sequence stands"));
  a.step = maker.make(QObject::tr("&Step"), ".", QObject::tr("Generate one token"));
  a.stop = maker.make(QObject::tr("S&top"), "Ctrl+.", QObject::tr("Stop within one token"));
  a.truncate = maker.make(QObject::tr("&Forget after the query"), "Ctrl+Backspace",
                          QObject::tr("Cut the sequence behind the shown query, to go on from there"));
  a.edit_prompt = maker.make(QObject::tr("&Edit prompt"), "Ctrl+L", QObject::tr("Go to the prompt"));
  a.play = maker.make(QObject::tr("&Play or pause"), "K", QObject::tr("Move the query through the sequence"));
  a.first = maker.make(QObject::tr("First query"), "Ctrl+Home", QObject::tr("Show the first token's query"));
  a.previous = maker.make(QObject::tr("Previous query"), "Ctrl+Left", QObject::tr("Show the query before"));
  a.next = maker.make(QObject::tr("Next query"), "Ctrl+Right", QObject::tr("Show the query after"));
  a.last = maker.make(QObject::tr("Newest query"), "Ctrl+End",
                      QObject::tr("Show the newest token's query and follow it"));
  a.layer_up =
      maker.make(QObject::tr("Layer before"), "Alt+Up", QObject::tr("Select the same head a layer earlier"));
  a.layer_down =
      maker.make(QObject::tr("Layer after"), "Alt+Down", QObject::tr("Select the same head a layer later"));
  a.head_left = maker.make(QObject::tr("Head before"), "Alt+Left", QObject::tr("Select the head before"));
  a.head_right = maker.make(QObject::tr("Head after"), "Alt+Right", QObject::tr("Select the head after"));
}

void makeMethodActions(const Maker& maker, WindowActions& a) {
  a.all_methods = maker.make(QObject::tr("&All methods…"), "Ctrl+M",
                             QObject::tr("Methods of papers, run on the model's weights"));
  auto text = [](std::string_view view) { return QString::fromUtf8(view.data(), qsizetype(view.size())); };
  a.methods = maker.group();
  a.methods->setExclusive(false);
  for (const core::methods::Analysis* analysis : core::methods::analyses()) {
    QAction* action = a.methods->addAction(text(analysis->title).replace('&', QStringLiteral("&&")));
    action->setData(text(analysis->id));
    action->setToolTip(text(analysis->summary) + '\n' + text(analysis->paper));
  }
}

void makeFigureAndHelpActions(const Maker& maker, WindowActions& a) {
  a.export_figure = maker.make(QObject::tr("&Export figure"), "Ctrl+E",
                               QObject::tr("Write the shown map in the chosen formats"));
  a.preview_figure =
      maker.make(QObject::tr("&Preview"), "Ctrl+P", QObject::tr("Show the figure as it will be printed"));
  a.copy_figure =
      maker.make(QObject::tr("&Copy"), "Ctrl+Shift+C", QObject::tr("Copy the figure as an image"));
  a.figure_folder = maker.make(QObject::tr("Choose &folder…"), "", QObject::tr("Where figures are written"));
  a.palette = maker.make(QObject::tr("&Command palette"), "Ctrl+K", QObject::tr("Every command by name"));
  a.shortcuts = maker.make(QObject::tr("&Keyboard shortcuts"), "?", QObject::tr("Every key"));
  a.about = maker.make(QObject::tr("&About Vitrine"), "", QObject::tr("Version and device"));
}

void addGroup(QMenu& menu, const QActionGroup& group) {
  for (QAction* action : group.actions()) menu.addAction(action);
}

void collect(const QMenu& menu, const QString& path, std::vector<PaletteEntry>& entries) {
  for (QAction* action : menu.actions()) {
    if (action->isSeparator() || !action->isVisible()) continue;
    const QString text = path + QStringLiteral(" › ") + plain(action->text());
    if (action->menu())
      collect(*action->menu(), text, entries);
    else
      entries.push_back({text, action});
  }
}

}  // namespace

WindowActions makeActions(QWidget& window) {
  WindowActions actions{};
  const Maker maker(window);
  makeFileActions(maker, actions);
  makeEditActions(maker, actions);
  makeViewActions(maker, actions);
  makeModelActions(maker, actions);
  makeRunActions(maker, actions);
  makeMethodActions(maker, actions);
  makeFigureAndHelpActions(maker, actions);
  return actions;
}

WindowMenus buildMenus(QMenuBar& bar, const WindowActions& a) {
  WindowMenus menus{};
  QMenu* file = bar.addMenu(QObject::tr("&File"));
  file->addActions({a.open_file, a.open_folder});
  menus.recent = file->addMenu(QObject::tr("Open &recent"));
  file->addAction(a.reload);
  file->addSeparator();
  file->addActions({a.export_figure, a.save_screenshot});
  file->addSeparator();
  file->addAction(a.quit);

  QMenu* edit = bar.addMenu(QObject::tr("&Edit"));
  edit->addActions({a.undo, a.redo});
  edit->addSeparator();
  edit->addActions({a.copy_map});
  edit->addSeparator();
  edit->addActions({a.go_to_query, a.unlock});

  QMenu* view = bar.addMenu(QObject::tr("&View"));
  menus.docks = view->addMenu(QObject::tr("&Panels"));
  view->addSeparator();
  view->addActions({a.fit_map, a.actual_size, a.zoom_map_in, a.zoom_map_out});
  view->addSeparator();
  addGroup(*view->addMenu(QObject::tr("&Colour map")), *a.colormaps);
  addGroup(*view->addMenu(QObject::tr("Poo&ling")), *a.poolings);
  view->addActions({a.next_colormap, a.next_pooling, a.toggle_scale, a.fit_range, a.reset_range});
  view->addSeparator();
  addGroup(*view->addMenu(QObject::tr("&Theme")), *a.themes);
  QMenu* size = view->addMenu(QObject::tr("Interface &size"));
  size->addActions({a.zoom_in, a.zoom_out, a.zoom_reset});
  view->addActions({a.reset_layout, a.full_screen});

  QMenu* model = bar.addMenu(QObject::tr("&Model"));
  addGroup(*model->addMenu(QObject::tr("&Context length")), *a.contexts);
  addGroup(*model->addMenu(QObject::tr("Cache &type")), *a.caches);
  model->addSeparator();
  model->addAction(a.add_adapter);
  model->addSeparator();
  model->addActions({a.cancel_load, a.unload});

  QMenu* run = bar.addMenu(QObject::tr("&Run"));
  run->addActions({a.edit_prompt, a.generate, a.continue_generation, a.step, a.stop, a.truncate});
  run->addSeparator();
  run->addActions({a.play, a.first, a.previous, a.next, a.last});
  run->addSeparator();
  run->addActions({a.layer_up, a.layer_down, a.head_left, a.head_right});

  QMenu* methods = bar.addMenu(QObject::tr("Me&thods"));
  methods->addAction(a.all_methods);
  methods->addSeparator();
  addGroup(*methods, *a.methods);

  QMenu* figure = bar.addMenu(QObject::tr("Fi&gure"));
  figure->addActions({a.export_figure, a.preview_figure, a.copy_figure});
  figure->addSeparator();
  figure->addAction(a.figure_folder);

  QMenu* help = bar.addMenu(QObject::tr("&Help"));
  help->addActions({a.palette, a.shortcuts});
  help->addSeparator();
  help->addAction(a.about);
  for (QMenu* menu : bar.findChildren<QMenu*>()) menu->setToolTipsVisible(true);
  return menus;
}

std::vector<PaletteEntry> menuEntries(const QMenuBar& bar) {
  std::vector<PaletteEntry> entries;
  for (const QAction* action : bar.actions())
    if (action->menu()) collect(*action->menu(), plain(action->text()), entries);
  return entries;
}

}  // namespace vitrine::ui
