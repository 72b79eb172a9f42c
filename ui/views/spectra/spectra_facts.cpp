#include "ui/views/spectra/spectra_facts.h"

namespace vitrine::ui::spectra {
namespace {

QString fromUtf8(std::string_view text) {
  return QString::fromUtf8(text.data(), qsizetype(text.size()));
}

Fact metricFact(const core::SpectrumReport& report, Metric metric, const QString& label) {
  return {label, fromUtf8(textOf(report, metric)), fromUtf8(formula(metric))};
}

QString alphaText(const core::SpectrumReport& report) {
  const auto& fit = report.power_law;
  return fit ? fromUtf8(fmt::format("{:.2f} ({:.3f})", fit->alpha, fit->distance)) : QStringLiteral("–");
}

InspectorSection numbersOf(const core::MatrixName& matrix, const core::SpectrumReport& report) {
  const core::SpectrumMetrics& m = report.metrics;
  InspectorSection section{QString(), {}};
  std::vector<Fact>& facts = section.facts;
  facts = {
      {QObject::tr("Tensor"), fromUtf8(rowName(matrix.name)), fromUtf8(matrix.name)},
      {QObject::tr("Shape, type"),
       fromUtf8(fmt::format("{} × {} {}", matrix.rows, matrix.columns, matrix.dtype)),
       QObject::tr("Rows × columns, as PyTorch has them; how the file stores it")},
      metricFact(report, Metric::kFrobenius, QObject::tr("‖W‖F")),
      metricFact(report, Metric::kSigma1, QObject::tr("σ₁")),
      metricFact(report, Metric::kStableRank, QObject::tr("Stable rank")),
      metricFact(report, Metric::kEffectiveRank, QObject::tr("Effective rank")),
      metricFact(report, Metric::kParticipation, QObject::tr("Participation")),
      {QObject::tr("Energy rank 90 / 99 %"),
       fromUtf8(fmt::format("{} / {}", m.energy_rank[0], m.energy_rank[2])),
       QObject::tr("The least k whose first k values hold 90 % and 99 % of Σσ²")},
      metricFact(report, Metric::kCondition, QObject::tr("Condition number")),
      {QObject::tr("α (KS)"), alphaText(report),
       QObject::tr(
           "Exponent of the power law that fits the tail of σ² best, and its Kolmogorov–Smirnov distance; "
           "α alone says little")}};
  if (const auto& fit = report.power_law)
    facts.push_back(
        {QObject::tr("α, 90 % band"),
         fromUtf8(fmt::format("{:.2f} – {:.2f}", fit->alpha_low, fit->alpha_high)),
         QObject::tr("5 % and 95 % quantiles over bootstrapped tails; tail of %1 values").arg(fit->tail)});
  if (const auto& noise = report.noise)
    facts.push_back(
        {QObject::tr("MP edge, spikes"),
         fromUtf8(fmt::format("{:.3g}, {}", noise->upper_sigma, noise->spikes)),
         QObject::tr("Where noise like the bulk would end (Marchenko and Pastur), and how many values lie "
                     "beyond it by more than noise scatters (Tracy–Widom, 99 %)")});
  return section;
}

std::string errorText(double relative) {
  return relative == 0 ? "0" : fmt::format("{:.0e}", relative);
}

InspectorSection certificateOf(const core::SpectrumReport& report) {
  const core::SpectrumCertificate& c = report.spectrum.certificate;
  return {QObject::tr("Certificate"),
          {{QObject::tr("Σσ² against ‖W‖F²"), fromUtf8(errorText(c.energy)),
            QObject::tr("Relative; the norm is summed from the elements")},
           {QObject::tr("Σσ⁴ against ‖WᵀW‖F²"), fromUtf8(errorText(c.fourth)),
            QObject::tr("Relative; summed from the Gram matrix")},
           {QObject::tr("Sturm count"), fromUtf8(fmt::format("{} of {}", c.agreeing, c.shifts)),
            QObject::tr("Points between values at which the count of eigenvalues below agrees")},
           {QObject::tr("Floor"), fromUtf8(fmt::format("{:.2g}", report.spectrum.floor)),
            QObject::tr("Values at or below it are known to be no larger than it, not how large they are")},
           {QObject::tr("Solver"), fromUtf8(core::name(report.spectrum.path)),
            QObject::tr("Gram matrix, tridiagonal form and eigenvalues in double precision")}}};
}

}  // namespace

std::vector<InspectorSection> matrixFacts(const core::MatrixName& matrix, const core::MatrixResult& result) {
  if (result.report) return {numbersOf(matrix, *result.report), certificateOf(*result.report)};
  const QString state = result.error ? QObject::tr("refused") : QObject::tr("not computed yet");
  return {{QString(),
           {{QObject::tr("Tensor"), fromUtf8(rowName(matrix.name)), fromUtf8(matrix.name)},
            {QObject::tr("Spectrum"), state, result.error ? fromUtf8(*result.error) : state}}}};
}

std::vector<InspectorSection> noFacts() {
  return {{QString(),
           {{QObject::tr("Tensor"), QStringLiteral("–"), QObject::tr("Choose a matrix in the table")}}}};
}

}  // namespace vitrine::ui::spectra
