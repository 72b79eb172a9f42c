#include "ui/views/spectra/live_report.h"

#include <algorithm>
#include <cmath>

#include "ui/views/spectra/spectra_figures.h"

namespace vitrine::ui::spectra {
namespace {

QString liveText(const std::string& text) {
  return QString::fromStdString(text);
}

const core::LayerSpectra& selectedLayer(const LiveContent& live) {
  return live.series().newest()->layers[live.selectedRow()];
}

core::LineSeries plainLine(std::string label, std::size_t style) {
  core::LineSeries line{.label = std::move(label), .x = {}, .y = {}};
  line.style = core::seriesStyle(style);
  line.style->marker = core::Marker::kNone;
  return line;
}

core::Panel ranksPanel(std::span<const LivePoint> points) {
  core::LineSeries effective = plainLine("effective rank", 0), stable = plainLine("stable rank", 1);
  for (const LivePoint& point : points) {
    effective.x.push_back(point.tokens);
    effective.y.push_back(point.effective);
    stable.x.push_back(point.tokens);
    stable.y.push_back(point.stable);
  }
  core::Panel panel;
  panel.x.label = "tokens read";
  panel.y.label = "rank";
  panel.y.minimum = 0;
  panel.lines = {std::move(effective), std::move(stable)};
  return panel;
}

// Of a sketch with the band up to the bound. Zeros have no place on a logarithmic axis.
core::Panel valuesPanel(const core::StreamSpectrum& spectrum, const std::string& label) {
  core::LineSeries line = plainLine(label, 0);
  for (std::size_t i = 0; i < spectrum.sigma.size() && spectrum.sigma[i] > 0; ++i) {
    const double s = spectrum.sigma[i];
    line.x.push_back(double(i + 1));
    line.y.push_back(s);
    if (!spectrum.sketch) continue;
    line.low.push_back(s);
    line.high.push_back(std::sqrt(s * s + spectrum.slack));
  }
  core::Panel panel;
  panel.x.label = "number";
  panel.y.label = "singular value";
  panel.y.scale = core::AxisScale::kLog;
  panel.lines = {std::move(line)};
  return panel;
}

}  // namespace

QString liveNote(const LiveContent& live) {
  if (!live.isCurrent()) return {};
  const core::StreamSpectrum* spectrum = live.selected();
  const QString exact = spectrum && spectrum->sketch ? QObject::tr("sketch") : QObject::tr("exact");
  return QObject::tr("%1 of %2 tokens · %3, float64 Gram")
      .arg(liveText(name(live.of())))
      .arg(live.series().newest()->tokens)
      .arg(exact);
}

std::vector<InspectorSection> liveFacts(const LiveContent& live) {
  const QString of = QObject::tr("Spectrum");
  if (!live.isCurrent() || live.selectedRow() >= live.series().newest()->layers.size())
    return {{QString(), {{of, QStringLiteral("–"), QObject::tr("It comes as soon as something is read")}}}};
  const core::LayerSpectra& layer = selectedLayer(live);
  const QString place = liveText(live.selectedName());
  const core::StreamSpectrum* spectrum = live.selected();
  InspectorSection section{
      QString(),
      {{QObject::tr("Of"), liveText(name(live.of())), place}, {QObject::tr("Layer"), place, place}}};
  if (!spectrum || !spectrum->refused.empty()) {
    const std::string why = spectrum ? spectrum->refused : layer.none;
    section.facts.push_back({of, spectrum ? QObject::tr("refused") : QObject::tr("none"), liveText(why)});
    return {section};
  }
  const auto fact = [&](const QString& label, const std::string& value, const QString& help) {
    section.facts.push_back({label, liveText(value), help});
  };
  const auto rank = [&](std::size_t share) {
    const std::uint32_t known = spectrum->energy_rank[share];
    return known > 0 ? fmt::format("{}", known) : fmt::format("> {}", spectrum->sigma.size());
  };
  fact(QObject::tr("Tokens × width"), fmt::format("{} × {}", layer.end - layer.first, layer.width),
       QObject::tr("Rows: positions %1 to %2 of the sequence").arg(layer.first).arg(layer.end - 1));
  const double largest = spectrum->sigma.empty() ? 0 : spectrum->sigma.front();
  fact(QStringLiteral("σ₁"), number(largest), QObject::tr("The largest singular value"));
  fact(QObject::tr("Stable rank"), number(spectrum->stable_rank), QStringLiteral("Σσ² / σ₁²"));
  fact(QObject::tr("Effective rank"), (spectrum->sketch ? "≥ " : "") + number(spectrum->effective_rank),
       QObject::tr("exp of the entropy of σ / Σσ (Roy and Vetterli)"));
  fact(QObject::tr("Energy rank 90 / 99 %"), rank(0) + " / " + rank(2),
       QObject::tr("The least k whose first k values hold 90 % and 99 % of Σσ²"));
  return {section};
}

QStringList liveFigureNames() {
  return {QObject::tr("Ranks over tokens"), QObject::tr("Singular values now"), QObject::tr("Both")};
}

bool hasLiveFigure(const LiveContent& live) {
  const core::StreamSpectrum* spectrum = live.selected();
  return spectrum && spectrum->refused.empty() && !spectrum->sigma.empty();
}

std::optional<ViewFigure> liveFigureOf(const LiveContent& live, int content, const std::string& model) {
  if (!hasLiveFigure(live)) return std::nullopt;
  const auto wanted = LiveFigure(std::clamp(content, 0, int(LiveFigure::kBoth)));
  const auto points = live.series().points(live.selectedRow(), live.selectedHead());
  const core::StreamSpectrum& spectrum = *live.selected();
  const std::string what = name(live.of()) + ", " + live.selectedName();
  const std::string tokens = fmt::format("{}", live.series().newest()->tokens);
  const std::string of = what + (model.empty() ? "" : " of " + model);
  ViewFigure made;
  core::Figure& figure = made.figure;
  if (wanted != LiveFigure::kValues && !points.empty()) {
    figure.panels.push_back(ranksPanel(points));
    figure.caption = fmt::format("Ranks over tokens: {}.", of);
  }
  if (wanted != LiveFigure::kRanks) {
    figure.panels.push_back(valuesPanel(spectrum, live.selectedName()));
    figure.caption +=
        fmt::format("{}Singular values after {} tokens: {}{}.", figure.caption.empty() ? "" : " ", tokens, of,
                    spectrum.sketch ? ", of a sketch, with their upper bounds" : "");
  }
  if (figure.panels.empty()) return std::nullopt;
  figure.name = wanted == LiveFigure::kValues ? "live-spectrum" : "live-ranks";
  figure.summary = {{"stable rank", spectrum.stable_rank, ""},
                    {"effective rank", spectrum.effective_rank, ""}};
  figure.summary_caption = "Numbers of the newest spectrum.";
  made.base_name = fileNameOf(figure.name + "-" + what);
  std::erase(made.base_name, ',');
  made.parameters = {{"of", what},
                     {"tokens", tokens},
                     {"window", live.window() > 0 ? fmt::format("last {}", live.window()) : "all"}};
  return made;
}

}  // namespace vitrine::ui::spectra
