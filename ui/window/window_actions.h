// Every command of the window as a QAction, and the menus that hold them. The command palette and the
// shortcut list read the menus, so nothing is listed twice. Who creates the window connects them.
#pragma once

#include "ui/theme/theme_controller.h"
#include "ui/view_settings.h"
#include "ui/window/command_palette.h"

#include <QAction>
#include <QActionGroup>
#include <QMenu>
#include <QMenuBar>

#include <array>
#include <vector>

namespace vitrine::ui {

// Choices carry their value as QAction::data().
struct WindowActions {
  // File
  QAction *open_file, *open_folder, *reload, *save_screenshot, *quit;
  // Edit
  QAction *undo, *redo, *copy_map, *unlock, *go_to_query;
  // View
  QAction *zoom_map_in, *zoom_map_out, *fit_map, *actual_size;
  QAction *toggle_scale, *fit_range, *reset_range, *next_colormap, *next_pooling;
  QActionGroup *colormaps, *poolings, *themes;
  QAction *zoom_in, *zoom_out, *zoom_reset, *reset_layout, *full_screen;
  // Model
  QActionGroup *contexts, *caches;
  QAction *add_adapter, *cancel_load, *unload;
  // Run
  QAction *generate, *continue_generation, *step, *stop, *truncate, *edit_prompt;
  QAction *play, *first, *previous, *next, *last;
  QAction *layer_up, *layer_down, *head_left, *head_right;
  // Methods: one a method, its id as data
  QAction* all_methods;
  QActionGroup* methods;
  // Figure
  QAction *export_figure, *preview_figure, *copy_figure, *figure_folder;
  // Help
  QAction *palette, *shortcuts, *about;
  // The docks', in their order; added by addDockActions().
  std::vector<QAction*> docks;
};

WindowActions makeActions(QWidget& window);

struct WindowMenus {
  QMenu *recent, *docks;
};

WindowMenus buildMenus(QMenuBar& bar, const WindowActions& actions);

// All actions of the menu bar with their path, "View › Theme › Dark".
std::vector<PaletteEntry> menuEntries(const QMenuBar& bar);

}  // namespace vitrine::ui
