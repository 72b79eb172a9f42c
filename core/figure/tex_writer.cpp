#include "core/figure/tex_writer.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "core/figure/ticks.h"

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

std::string summaryTable(const Figure& figure, std::string_view base_name) {
  if (figure.summary.empty()) return "";
  std::string out =
      fmt::format("\n\\begin{{table}}[t]\n  \\centering\n  \\caption{{{}}}\n  \\label{{tab:{}}}\n",
                  texEscape(figure.caption), base_name);
  out += "  \\begin{tabular}{lr}\n    \\toprule\n    Quantity & Value \\\\\n    \\midrule\n";
  for (const SummaryRow& row : figure.summary)
    out +=
        fmt::format("    {} & {} \\\\\n", texEscape(labelWithUnit(row.name, row.unit)), texNumber(row.value));
  return out + "    \\bottomrule\n  \\end{tabular}\n\\end{table}\n";
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
  return out + summaryTable(figure, base_name);
}

}  // namespace vitrine::core
