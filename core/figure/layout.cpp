#include "core/figure/layout.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/figure/ink.h"
#include "core/figure/panel_layout.h"

namespace vitrine::core {
namespace {

constexpr double kPointsPerInch = 72;
constexpr double kNarrow = 290;       // points; a narrower panel has its colour bar below
constexpr double kLeastPanel = 130;   // points; panels stand side by side while each is this wide
constexpr double kLeastMap = 92;      // the same where all panels are maps
constexpr double kSmallestPlot = 24;  // points
constexpr int kPasses = 5;            // margins depend on the plot's size and the other way round

struct Margins {
  double left = 0, right = 0, top = 0, bottom = 0;
};

// The grid of panels while it settles.
struct Grid {
  std::size_t columns = 1, rows = 1;
  std::vector<PlotSize> plots;  // one a panel
  std::vector<Margins> margins;

  std::size_t column(std::size_t panel) const { return panel % columns; }
  std::size_t row(std::size_t panel) const { return panel / columns; }

  template <typename Read>
  double most(Read read, std::size_t index, std::size_t (Grid::*of)(std::size_t) const) const {
    double value = 0;
    for (std::size_t p = 0; p < plots.size(); ++p)
      if ((this->*of)(p) == index) value = std::max(value, read(p));
    return value;
  }
  double left(std::size_t c) const {
    return most([&](std::size_t p) { return margins[p].left; }, c, &Grid::column);
  }
  double right(std::size_t c) const {
    return most([&](std::size_t p) { return margins[p].right; }, c, &Grid::column);
  }
  double top(std::size_t r) const {
    return most([&](std::size_t p) { return margins[p].top; }, r, &Grid::row);
  }
  double bottom(std::size_t r) const {
    return most([&](std::size_t p) { return margins[p].bottom; }, r, &Grid::row);
  }
  double plotWidth(std::size_t c) const {
    return most([&](std::size_t p) { return plots[p].width; }, c, &Grid::column);
  }
  double plotHeight(std::size_t r) const {
    return most([&](std::size_t p) { return plots[p].height; }, r, &Grid::row);
  }
};

std::size_t chooseColumns(const Figure& figure, double width) {
  std::size_t panels = std::max<std::size_t>(1, figure.panels.size());
  if (figure.panel_columns > 0) return std::min(figure.panel_columns, panels);
  bool maps = std::all_of(figure.panels.begin(), figure.panels.end(),
                          [](const Panel& p) { return p.heat_map.has_value(); });
  auto most = static_cast<std::size_t>(std::max(1.0, std::floor(width / (maps ? kLeastMap : kLeastPanel))));
  std::size_t columns = std::min(panels, most);
  // Five panels in rows of four would leave three holes; in rows of three they leave one.
  std::size_t rows = (panels + columns - 1) / columns;
  return (panels + rows - 1) / rows;
}

double sumOver(std::size_t count, const std::function<double(std::size_t)>& value) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += value(i);
  return sum;
}

std::string letter(std::size_t panel) {
  return "(" + panelLetter(panel) + ")";
}

class PageLayout {
 public:
  PageLayout(const Figure& figure, const FigurePreset& preset, const TextMeasure& measure)
      : figure_(figure), preset_(preset), measure_(measure), width_(preset.width_in * kPointsPerInch) {}

  Result<Drawing> run() {
    for (std::size_t p = 0; p < figure_.panels.size(); ++p) {
      TRY(checkPanel(figure_.panels[p], p));
      TRY_ASSIGN(ResolvedColors colors, panelColors(figure_.panels[p]));
      colors_.push_back(colors);
    }
    grid_.columns = chooseColumns(figure_, width_);
    grid_.rows = (figure_.panels.size() + grid_.columns - 1) / grid_.columns;
    grid_.plots.assign(figure_.panels.size(), {});
    grid_.margins.assign(figure_.panels.size(), {30, 10, 5, 30});
    colorbar_ =
        width_ / static_cast<double>(grid_.columns) < kNarrow ? ColorbarSide::kBottom : ColorbarSide::kRight;
    for (int pass = 0; pass < kPasses; ++pass) {
      resizePlots();
      TRY(measureMargins());
    }
    // The last margins may still be wider than those the plots were sized for; take what is missing from the
    // plots.
    for (int pass = 0; pass < kPasses && shrinkToFit(); ++pass) TRY(measureMargins());
    return assemble();
  }

 private:
  LayoutContext context(LayoutPass pass, std::size_t panel) const {
    return {preset_, measure_, pass, colorbar_,
            sharesAxis(panel) ? VerticalLabel::kSharedWithLeft : VerticalLabel::kOwn};
  }

  bool sharesAxis(std::size_t panel) const {
    if (grid_.column(panel) == 0) return false;
    const Axis& own = figure_.panels[panel].y;
    const Axis& left = figure_.panels[panel - 1].y;
    return own.label == left.label && own.unit == left.unit && own.categories == left.categories;
  }

  double gaps(std::size_t count) const {
    return count > 0 ? ink::kPanelGap * static_cast<double>(count - 1) : 0;
  }

  double marginsAcross() const {
    return sumOver(grid_.columns, [&](std::size_t c) { return grid_.left(c) + grid_.right(c); }) +
           gaps(grid_.columns) + 2 * ink::kPageMargin;
  }
  double marginsDown() const {
    return sumOver(grid_.rows, [&](std::size_t r) { return grid_.top(r) + grid_.bottom(r); }) +
           gaps(grid_.rows) + 2 * ink::kPageMargin + notesHeight();
  }

  void resizePlots() {
    double room = (width_ - marginsAcross()) / static_cast<double>(grid_.columns);
    double high = (preset_.max_height_in * kPointsPerInch - marginsDown()) /
                  static_cast<double>(std::max<std::size_t>(1, grid_.rows));
    for (std::size_t p = 0; p < grid_.plots.size(); ++p)
      grid_.plots[p] = wantedPlot(figure_.panels[p], std::max(room, kSmallestPlot),
                                  std::max(high, kSmallestPlot), context(LayoutPass::kMeasure, p));
  }

  Result<void> measureMargins() {
    for (std::size_t p = 0; p < grid_.plots.size(); ++p) {
      TRY_ASSIGN(PanelDrawing panel, layoutPanel(figure_.panels[p], colors_[p], grid_.plots[p],
                                                 context(LayoutPass::kMeasure, p)));
      const Rect& bounds = panel.bounds;
      grid_.margins[p] = {-bounds.x, bounds.right() - grid_.plots[p].width, -bounds.y,
                          bounds.bottom() - grid_.plots[p].height};
      if (figure_.panels.size() > 1) grid_.margins[p].top = std::max(grid_.margins[p].top, letterRoom());
      notes_.resize(figure_.panels.size());
      notes_[p] = panel.notes;
    }
    return {};
  }

  bool shrinkToFit() {
    double wide = sumOver(grid_.columns, [&](std::size_t c) { return grid_.plotWidth(c); });
    double excess = marginsAcross() + wide - width_;
    if (excess <= 0.01) return false;
    double factor = std::max(0.2, (wide - excess) / wide);
    for (PlotSize& plot : grid_.plots) plot = {plot.width * factor, plot.height * factor};
    return true;
  }

  TextFont letterFont() const { return {FontRole::kSans, preset_.label_pt, FontWeight::kBold}; }
  double letterRoom() const {
    TextExtent extent = measure_.measure("(a)", letterFont());
    return extent.ascent + extent.descent + 2 * ink::kPad;
  }

  TextFont noteFont() const { return {FontRole::kSans, preset_.min_token_pt}; }
  std::vector<std::string> noteLines() const {
    std::vector<std::string> lines;
    for (std::size_t p = 0; p < notes_.size(); ++p)
      for (const std::string& note : notes_[p]) {
        std::string text = notes_.size() > 1 ? letter(p) + " " + note : note;
        for (std::string& line : wrapText(text, noteFont(), width_ - 2 * ink::kPageMargin, measure_))
          lines.push_back(std::move(line));
      }
    return lines;
  }
  double noteLineHeight() const {
    TextExtent extent = measure_.measure("Ag", noteFont());
    return (extent.ascent + extent.descent) * 1.1;
  }
  double notesHeight() const {
    std::size_t lines = noteLines().size();
    return lines == 0 ? 0 : ink::kGap + noteLineHeight() * static_cast<double>(lines);
  }

  // Where the plot areas of a column begin, the whole grid centred on the page.
  std::vector<double> columnStarts() const {
    double used = marginsAcross() + sumOver(grid_.columns, [&](std::size_t c) { return grid_.plotWidth(c); });
    double x = ink::kPageMargin + std::max(0.0, (width_ - used) / 2);
    std::vector<double> starts;
    for (std::size_t c = 0; c < grid_.columns; ++c) {
      starts.push_back(x + grid_.left(c));
      x += grid_.left(c) + grid_.plotWidth(c) + grid_.right(c) + ink::kPanelGap;
    }
    return starts;
  }

  Result<Drawing> assemble() {
    Drawing drawing;
    drawing.width = width_;
    std::vector<double> starts = columnStarts();
    double y = ink::kPageMargin;
    for (std::size_t r = 0; r < grid_.rows; ++r) {
      double plot_top = y + grid_.top(r);
      for (std::size_t p = r * grid_.columns; p < std::min(grid_.plots.size(), (r + 1) * grid_.columns); ++p)
        TRY(place(drawing, p, {starts[grid_.column(p)], plot_top}));
      y = plot_top + grid_.plotHeight(r) + grid_.bottom(r) + ink::kPanelGap;
    }
    if (grid_.rows > 0) y -= ink::kPanelGap;
    drawing.height = y + ink::kPageMargin;
    placeNotes(drawing);
    return drawing;
  }

  Result<void> place(Drawing& drawing, std::size_t p, Point origin) {
    TRY_ASSIGN(PanelDrawing panel,
               layoutPanel(figure_.panels[p], colors_[p], grid_.plots[p], context(LayoutPass::kFinal, p)));
    for (Primitive& item : panel.items) {
      translate(item, origin.x, origin.y);
      drawing.items.push_back(std::move(item));
    }
    if (figure_.panels.size() < 2) return {};
    DrawingBuilder out(measure_);
    double left = origin.x - grid_.left(grid_.column(p)), top = origin.y - grid_.top(grid_.row(p));
    out.text(letter(p), {left, top}, letterFont(), ink::kText, HorizontalAlign::kLeft, VerticalAlign::kTop);
    for (Primitive& item : out.take()) drawing.items.push_back(std::move(item));
    return {};
  }

  void placeNotes(Drawing& drawing) {
    DrawingBuilder out(measure_);
    double y = drawing.height - ink::kPageMargin + ink::kGap;
    for (const std::string& line : noteLines()) {
      out.text(line, {ink::kPageMargin, y}, noteFont(), ink::kSecondary, HorizontalAlign::kLeft,
               VerticalAlign::kTop);
      y += noteLineHeight();
    }
    drawing.height = std::ceil(drawing.height + notesHeight());  // PDF pages of Qt are whole points high
    for (Primitive& item : out.take()) drawing.items.push_back(std::move(item));
    for (const std::vector<std::string>& notes : notes_)
      drawing.notes.insert(drawing.notes.end(), notes.begin(), notes.end());
  }

  const Figure& figure_;
  const FigurePreset& preset_;
  const TextMeasure& measure_;
  double width_;
  ColorbarSide colorbar_ = ColorbarSide::kRight;
  Grid grid_;
  std::vector<ResolvedColors> colors_;           // one a panel
  std::vector<std::vector<std::string>> notes_;  // one list a panel
};

}  // namespace

Result<Drawing> layoutFigure(const Figure& figure, const FigurePreset& preset, const TextMeasure& measure) {
  if (figure.panels.empty())
    return fail(ErrorCode::kInvalidArgument, "figure \"{}\" has no panel to draw", figure.name);
  return PageLayout(figure, preset, measure).run();
}

}  // namespace vitrine::core
