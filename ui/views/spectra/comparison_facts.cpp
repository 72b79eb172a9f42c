#include "ui/views/spectra/comparison_facts.h"

#include "ui/views/spectra/matrix_place.h"
#include "ui/views/spectra/metric.h"

#include <algorithm>
#include <numbers>

namespace vitrine::ui::spectra {
namespace {

QString utf8Text(std::string_view text) {
  return QString::fromUtf8(text.data(), qsizetype(text.size()));
}

InspectorSection changeOf(const core::MatrixComparison& c) {
  const double relative = c.base_norm > 0 ? c.change_norm / c.base_norm : 0;
  return {
      QString(),
      {{QObject::tr("Tensor"), utf8Text(rowName(c.name)), utf8Text(c.name)},
       {QObject::tr("Shape"), utf8Text(fmt::format("{} × {}", c.rows, c.columns)),
        QObject::tr("Rows × columns; left singular vectors are directions of the rows' side")},
       {QObject::tr("‖W₀‖F, ‖ΔW‖F"), utf8Text(fmt::format("{:.4g}, {:.3g}", c.base_norm, c.change_norm)),
        QObject::tr("Frobenius norms of the base's matrix and of the change")},
       {QStringLiteral("|ΔW| / |W|"), utf8Text(fmt::format("{:.4f}", relative)), QObject::tr("Their ratio")},
       {QObject::tr("σ₁ base, tuned"),
        utf8Text(fmt::format("{:.4g}, {:.4g}", c.base_sigma[0], c.tuned_sigma[0])),
        QObject::tr("The largest singular values")},
       {QObject::tr("σ₁ of ΔW"), utf8Text(fmt::format("{:.3g}", c.change_s1)),
        QObject::tr("The change's spectral norm")},
       {QObject::tr("Ranks of ΔW"),
        utf8Text(fmt::format("{:.3g} / {:.3g}", c.change_stable_rank, c.change_effective_rank)),
        QObject::tr("Stable rank Σσ² / σ₁² and effective rank (Roy and Vetterli) of the change")}}};
}

InspectorSection directionsOf(const core::MatrixComparison& c, IntruderRule rule) {
  const auto k = std::min<Eigen::Index>(Eigen::Index(rule.first), c.best_match.size());
  const auto single = (c.best_single.head(k).array() < rule.epsilon).count();
  const double degrees = c.angles.empty() ? 0 : c.angles.back() * 180 / std::numbers::pi;
  const auto side = std::min<Eigen::Index>(k, c.phi.rows());
  return {QObject::tr("Directions"),
          {{QObject::tr("Intruders"),
            utf8Text(fmt::format("{} of {} (ε {:.2f})", core::intrudersAt(c, rule.first, rule.epsilon), k,
                                 rule.epsilon)),
            utf8Text(formula(Metric::kIntruders))},
           {QObject::tr("as published"), QString::number(single),
            QObject::tr("Without counting base values within 0.1 % of each other as one subspace")},
           {QObject::tr("Least match"), utf8Text(fmt::format("{:.3f}", c.best_match.head(k).minCoeff())),
            QObject::tr("Of the first k tuned directions the one that the base has least of")},
           {utf8Text(fmt::format("φ({0}, {0})", side)),
            utf8Text(fmt::format("{:.3f} (random {:.3f})", side > 0 ? c.phi(side - 1, side - 1) : 0,
                                 double(side) / double(c.rows))),
            utf8Text(formula(Metric::kPhi))},
           {QObject::tr("Largest angle"), utf8Text(fmt::format("{:.1f}°", degrees)),
            QObject::tr("The largest principal angle between the first %1 directions of both")
                .arg(c.angles.size())}}};
}

std::string shareText(double share, double expected) {
  return fmt::format("{:.1f} % ({:.2g} %)", 100 * share, 100 * expected);
}

InspectorSection coordinatesOf(const core::ChangeMap& map) {
  const QString beside = QObject::tr("%1; in brackets what an even spread has");
  return {QObject::tr("‖ΔW‖² in the base's coordinates"),
          {{QObject::tr("Diagonal"), utf8Text(shareText(map.diagonal_share, map.diagonal_expected)),
            beside.arg(QObject::tr("What stretches directions that were there"))},
           {QObject::tr("Band"), utf8Text(shareText(map.band_share, map.band_expected)),
            beside.arg(QObject::tr("Within |i − j| ≤ %1").arg(map.band))},
           {QObject::tr("Corner"), utf8Text(shareText(map.corner_share, map.corner_expected)),
            beside.arg(QObject::tr("Between the strongest %1 directions").arg(map.corner))},
           {QObject::tr("Outside"), utf8Text(fmt::format("{:.1f} %", 100 * map.outside_share)),
            QObject::tr("In neither basis, of a matrix that is not square")}}};
}

InspectorSection adapterOf(const core::AdapterRank& adapter) {
  return {QObject::tr("Adapter"),
          {{QObject::tr("Rank, nominal"), utf8Text(fmt::format("{} of {}", adapter.rank, adapter.nominal)),
            QObject::tr("Singular values of B A above rounding, of the rows of A")},
           {QObject::tr("Effective rank"), utf8Text(fmt::format("{:.2f}", adapter.effective)),
            QObject::tr("exp of the entropy of B A's singular values")},
           {QObject::tr("Stable rank"), utf8Text(fmt::format("{:.2f}", adapter.stable)),
            QObject::tr("Σσ² / σ₁² of B A")}}};
}

}  // namespace

std::vector<InspectorSection> comparisonFacts(const core::ComparedMatrix& compared, IntruderRule rule) {
  const core::MatrixComparison& c = compared.comparison;
  std::vector<InspectorSection> sections{changeOf(c), directionsOf(c, rule), coordinatesOf(c.change)};
  if (c.adapter) sections.push_back(adapterOf(*c.adapter));
  return sections;
}

}  // namespace vitrine::ui::spectra
