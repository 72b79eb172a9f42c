#include "core/figure/tex_writer.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "core/figure/series_layout.h"

namespace vitrine::core {
namespace {

// A number as math, so that the minus and the power of ten are set right.
std::string texNumber(double value) {
  if (std::isnan(value)) return "n/a";
  if (std::isinf(value)) return value > 0 ? "$\\infty$" : "$-\\infty$";
  if (value == 0) return "$0$";
  double magnitude = std::abs(value);
  if (magnitude < 1e-4 || magnitude >= 1e6) {
    int exponent = static_cast<int>(std::floor(std::log10(magnitude)));
    return fmt::format("${:.2f}\\times10^{{{}}}$", value / std::pow(10, exponent), exponent);
  }
  int decimals = std::max(0, 2 - static_cast<int>(std::floor(std::log10(magnitude))));
  return fmt::format("${:.{}f}$", value, decimals);
}

constexpr std::size_t kLongestTable = 40;  // rows; more numbers belong into the CSV file

// `columns`: a letter a column; `lines`: rows of cells that are TeX already, the head first.
std::string table(std::string_view caption, std::string_view label, std::string_view columns,
                  const std::vector<std::vector<std::string>>& lines) {
  std::string out =
      fmt::format("\n\\begin{{table}}[t]\n  \\centering\n  \\caption{{{}}}\n  \\label{{tab:{}}}\n",
                  texEscape(caption), label);
  out += fmt::format("  \\begin{{tabular}}{{{}}}\n    \\toprule\n", columns);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    out += fmt::format("    {} \\\\\n", fmt::join(lines[i], " & "));
    if (i == 0) out += "    \\midrule\n";
  }
  return out + "    \\bottomrule\n  \\end{tabular}\n\\end{table}\n";
}

std::string summaryTable(const Figure& figure, std::string_view base_name) {
  if (figure.summary.empty()) return "";
  std::vector<std::vector<std::string>> lines = {{"Quantity", "Value"}};
  for (const SummaryRow& row : figure.summary)
    lines.push_back({texEscape(labelWithUnit(row.name, row.unit)), texNumber(row.value)});
  return table(figure.summary_caption, base_name, "lr", lines);
}

std::string barTable(const Figure& figure, std::size_t index, std::string_view base_name) {
  const Panel& panel = figure.panels[index];
  std::size_t rows = categoryCount(panel);
  if (panel.bars.empty() || rows > kLongestTable) return "";
  std::vector<std::vector<std::string>> lines = {{texEscape(panel.x.label)}};
  for (const BarSeries& series : panel.bars) lines[0].push_back(texEscape(series.label));
  for (std::size_t i = 0; i < rows; ++i) {
    lines.push_back({panel.x.categories.empty() ? std::to_string(i) : texEscape(panel.x.categories[i])});
    for (const BarSeries& series : panel.bars) {
      std::string cell = texNumber(series.values[i]);
      if (!series.errors.empty()) cell += " $\\pm$ " + texNumber(series.errors[i]);
      lines.back().push_back(std::move(cell));
    }
  }
  std::string label =
      figure.panels.size() > 1 ? fmt::format("{}-{}", base_name, panelLetter(index)) : std::string(base_name);
  return table(labelWithUnit(panel.y.label, panel.y.unit), label, "l" + std::string(panel.bars.size(), 'r'),
               lines);
}

}  // namespace

std::string texEscape(std::string_view utf8) {
  static constexpr std::array<std::pair<char, std::string_view>, 10> kSpecial = {
      {{'\\', "\\textbackslash{}"},
       {'{', "\\{"},
       {'}', "\\}"},
       {'$', "\\$"},
       {'&', "\\&"},
       {'#', "\\#"},
       {'%', "\\%"},
       {'_', "\\_"},
       {'^', "\\textasciicircum{}"},
       {'~', "\\textasciitilde{}"}}};
  std::string out;
  for (char c : utf8) {
    std::string_view replacement;
    for (const auto& [special, text] : kSpecial)
      if (special == c) replacement = text;
    if (replacement.empty())
      out += c;
    else
      out += replacement;
  }
  return out;
}

std::string texOf(const Figure& figure, const FigurePreset& preset, std::string_view base_name) {
  // Two-column papers set a page-wide picture in figure*.
  std::string environment = preset.name.ends_with("-page") ? "figure*" : "figure";
  std::string out = "% Needs \\usepackage{graphicx,booktabs}.\n";
  out += fmt::format("\\begin{{{}}}[t]\n  \\centering\n", environment);
  out += fmt::format("  \\includegraphics[width={:.4g}in]{{{}}}\n", preset.width_in, base_name);
  out += fmt::format("  \\caption{{{}}}\n  \\label{{fig:{}}}\n\\end{{{}}}\n", texEscape(figure.caption),
                     base_name, environment);
  out += summaryTable(figure, base_name);
  for (std::size_t p = 0; p < figure.panels.size(); ++p) out += barTable(figure, p, base_name);
  return out;
}

}  // namespace vitrine::core
