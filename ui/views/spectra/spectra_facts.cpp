#include "ui/views/spectra/spectra_facts.h"

#include "ui/views/spectra/comparison_facts.h"
#include "ui/views/spectra/head_graph_facts.h"

#include <algorithm>

namespace vitrine::ui::spectra {
namespace {

QString fromUtf8(std::string_view text) {
  return QString::fromUtf8(text.data(), qsizetype(text.size()));
}

QString factLabel(std::string_view text) {
  QString result = fromUtf8(text);
  if (!result.isEmpty() && result[0] <= QLatin1Char('z')) result[0] = result[0].toUpper();  // not σ
  return result;
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

InspectorSection unsettled(const core::MatrixName& matrix, const core::MatrixResult& result) {
  const QString state = result.error ? QObject::tr("refused") : QObject::tr("not computed yet");
  return {QString(),
          {{QObject::tr("Tensor"), fromUtf8(rowName(matrix.name)), fromUtf8(matrix.name)},
           {QObject::tr("Spectrum"), state, result.error ? fromUtf8(*result.error) : state}}};
}

}  // namespace

std::vector<InspectorSection> previewFacts(const core::MatrixName& matrix,
                                           const core::SpectrumPreview& preview, bool running) {
  const QString how = QObject::tr("From a block Krylov iteration, from below; %1");
  InspectorSection numbers{QString(),
                           {{QObject::tr("Tensor"), fromUtf8(rowName(matrix.name)), fromUtf8(matrix.name)},
                            {QObject::tr("Shape, type"),
                             fromUtf8(fmt::format("{} × {} {}", matrix.rows, matrix.columns, matrix.dtype)),
                             QObject::tr("Rows × columns, as PyTorch has them; how the file stores it")},
                            {QObject::tr("‖W‖F"), fromUtf8(textOf(preview, Metric::kFrobenius)),
                             QObject::tr("Exact: summed from the elements")}}};
  for (const Metric metric : {Metric::kSigma1, Metric::kStableRank})
    numbers.facts.push_back({metric == Metric::kSigma1 ? QObject::tr("σ₁") : QObject::tr("Stable rank"),
                             fromUtf8(textOf(preview, metric)), how.arg(fromUtf8(formula(metric)))});
  InspectorSection section{QObject::tr("Preview"), {}};
  section.facts.push_back({QObject::tr("Values"),
                           QObject::tr("first %1 of %2").arg(preview.sigma.size()).arg(preview.all()),
                           fromUtf8(previewText(preview, running))});
  if (!preview.sigma.empty())
    section.facts.push_back(
        {QObject::tr("σ₁ to σ%1").arg(preview.sigma.size()),
         fromUtf8(fmt::format("{:.4g} to {:.4g}", preview.sigma.front(), preview.sigma.back())),
         QObject::tr("Each is no larger than the value that it stands for")});
  if (!preview.residuals.empty())
    section.facts.push_back(
        {QObject::tr("Residuals"),
         fromUtf8(fmt::format("{:.1g} to {:.1g}", std::ranges::min(preview.residuals),
                              std::ranges::max(preview.residuals))),
         QObject::tr("(‖A v − σ u‖² + ‖Aᵀ u − σ v‖²)^½: so close to each lies a singular value")});
  section.facts.push_back({QObject::tr("Exact values"),
                           running ? QObject::tr("follow") : QObject::tr("not computed"),
                           QObject::tr("What needs all values is shown with them")});
  return {numbers, section};
}

std::vector<InspectorSection> factsOf(const SpectraState& state) {
  const core::SpectraSnapshot& snapshot = state.snapshot();
  if (state.subject() == Subject::kHeadGraph) return headGraphFacts(state.graph(), snapshot.left_out);
  const auto inspected = state.inspected();
  if (!inspected || *inspected >= snapshot.total()) return noFacts();
  const core::MatrixName& matrix = (*snapshot.matrices)[*inspected];
  const core::MatrixResult& result = snapshot.results[*inspected];
  std::vector<InspectorSection> sections;
  if (state.subject() == Subject::kComparison && result.compared) {
    sections = comparisonFacts(*result.compared, state.rule());
    if (!snapshot.left_out.empty())
      sections.push_back(leftOutFacts(QObject::tr("Not compared"), snapshot.left_out));
  } else if (isProduct(state.subject())) {
    sections = productFacts(matrix, result);
    if (!snapshot.left_out.empty())
      sections.insert(sections.end() - 1, leftOutFacts(QObject::tr("Layers without"), snapshot.left_out));
  } else if (result.preview) {
    sections = previewFacts(matrix, *result.preview, state.running());
  } else {
    sections = matrixFacts(matrix, result);
    if (const auto shuffled = state.companionOf(*inspected); shuffled && result.report)
      sections.insert(sections.begin() + 1, nullFacts(*result.report, *shuffled));
  }
  return sections;
}

InspectorSection nullFacts(const core::SpectrumReport& report, const core::SpectrumReport& shuffled) {
  InspectorSection section{QObject::tr("Null: shuffled elements"), {}};
  const QString how =
      QObject::tr("%1, of the same elements in random order (seed 0); in brackets the matrix's over it");
  for (const Metric metric :
       {Metric::kSigma1, Metric::kStableRank, Metric::kEffectiveRank, Metric::kNuclear}) {
    const double own = valueOf(report, metric), other = valueOf(shuffled, metric);
    section.facts.push_back({factLabel(name(metric)),
                             fromUtf8(fmt::format("{} (× {:.2f})", textOf(shuffled, metric), own / other)),
                             how.arg(fromUtf8(formula(metric)))});
  }
  const double largest = shuffled.metrics.s1;
  const auto beyond = std::ranges::count_if(report.spectrum.sigma, [&](double s) { return s > largest; });
  section.facts.push_back({QObject::tr("Values beyond it"), QString::number(beyond),
                           QObject::tr("Of the matrix, larger than the largest of its shuffled elements")});
  return section;
}

InspectorSection leftOutFacts(const QString& title, const std::vector<std::string>& left_out) {
  constexpr std::size_t kShown = 6;
  InspectorSection section{title, {}};
  for (std::size_t i = 0; i < std::min(kShown, left_out.size()); ++i) {
    const std::string& sentence = left_out[i];
    const std::size_t colon = sentence.find(": ");
    const bool of_layer = sentence.starts_with("Layer ") && colon != std::string::npos;
    section.facts.push_back(
        {fromUtf8(of_layer ? sentence.substr(0, colon) : rowName(sentence.substr(0, sentence.find(' ')))),
         fromUtf8(of_layer ? sentence.substr(colon + 2) : sentence.substr(sentence.find(' ') + 1)),
         fromUtf8(sentence)});
  }
  if (left_out.size() > kShown)
    section.facts.push_back({QObject::tr("and"), QObject::tr("%1 more").arg(left_out.size() - kShown),
                             QObject::tr("For the same kinds of reasons; vitrine spectra --json lists all")});
  return section;
}

std::vector<InspectorSection> productFacts(const core::MatrixName& product,
                                           const core::MatrixResult& result) {
  if (!result.report || !product.product) return {unsettled(product, result)};
  const core::SpectrumReport& report = *result.report;
  const core::ProductOrigin& origin = *product.product;
  const bool qk = product.name.starts_with("qk");
  InspectorSection numbers{QString(), {}};
  numbers.facts = {{QObject::tr("Product"), qk ? QStringLiteral("W_Qᵀ W_K") : QStringLiteral("W_O W_V"),
                    qk ? QObject::tr("The score of two tokens is x_queryᵀ QK x_key")
                       : QObject::tr("What the head adds to the stream, per unit of attention, is OV x_key")},
                   {QObject::tr("Layer, head"),
                    fromUtf8(fmt::format("{}, {} (kv {})", origin.layer, origin.head, origin.kv_head)),
                    QObject::tr("Counted from 0; the key-value head that it shares with others in brackets")},
                   {QObject::tr("Shape, rank"),
                    fromUtf8(fmt::format("{} × {}, {}", product.rows, product.columns, origin.rank)),
                    QObject::tr("Never formed: QR of its two factors, then an SVD as large as the rank")}};
  for (const Metric metric : {Metric::kSigma1, Metric::kNuclear, Metric::kFrobenius, Metric::kStableRank,
                              Metric::kEffectiveRank, Metric::kParticipation, Metric::kCondition})
    numbers.facts.push_back(metricFact(report, metric, factLabel(name(metric))));
  InspectorSection folded{QObject::tr("What is folded in"), {}};
  for (const auto& [label, text] : *origin.folded)
    folded.facts.push_back({fromUtf8(label), fromUtf8(text), fromUtf8(label + ": " + text)});
  const core::SpectrumCertificate& c = report.spectrum.certificate;
  return {numbers,
          folded,
          {QObject::tr("Certificate"),
           {{QObject::tr("Σσ² against ‖M‖F²"), fromUtf8(errorText(c.energy)),
             QObject::tr("Relative; the norm is that of the factors' Gram matrices")},
            {QObject::tr("Σσ⁴ against ‖M Mᵀ‖F²"), fromUtf8(errorText(c.fourth)),
             QObject::tr("Relative; from the factors' Gram matrices")}}}};
}

std::vector<InspectorSection> matrixFacts(const core::MatrixName& matrix, const core::MatrixResult& result) {
  if (result.report) return {numbersOf(matrix, *result.report), certificateOf(*result.report)};
  return {unsettled(matrix, result)};
}

std::vector<InspectorSection> noFacts() {
  return {{QString(),
           {{QObject::tr("Tensor"), QStringLiteral("–"), QObject::tr("Choose a matrix in the table")}}}};
}

}  // namespace vitrine::ui::spectra
