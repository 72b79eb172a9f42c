#include "core/methods/support/shared_basis_runs.h"

#include "core/spectra/dense_product.h"
#include "core/spectra/replaced_weights.h"

namespace vitrine::core::methods {
namespace {

// The base with the changes of fine-tune `tune` in shared form.
Result<ModelSpec> formOf(const ModelSpec& base, std::span<const SharedChange> changes, std::size_t tune) {
  ReplacedWeights weights(base.checkpoint);
  for (const SharedChange& change : changes) {
    TRY_ASSIGN(const TunedMatrix matrix, change.pair->load());
    TRY(weights.set(change.pair->place, matrix.base + multiply(change.u * change.sigma[tune].asDiagonal(),
                                                               change.v, Side::kAsIs, Side::kTransposed)));
  }
  return weights.spec();
}

}  // namespace

Result<SharedBasisRuns> runSharedBasis(const AnalysisInput& input, std::span<const SharedChange> changes) {
  TRY_ASSIGN(const ModelSpec base, input.tunes.front().base_spec());
  TRY_ASSIGN(const ModelRuns runs, ModelRuns::open(input, *base.checkpoint));
  TRY_ASSIGN(const std::vector<TokenId> ids, runs.tokensOf(input.prompt));
  const std::size_t tunes = input.tunes.size();
  std::size_t done = 0;
  const auto read = [&](ModelSpec spec) -> Result<std::vector<float>> {
    TRY_ASSIGN(const auto model, runs.load(std::move(spec)));
    TRY_ASSIGN(PromptReading reading, runs.read(model, ids));
    if (input.progress) input.progress(++done, 1 + 2 * tunes);
    return std::move(reading.logits);
  };
  const auto kl = [&](const std::vector<float>& p, const std::vector<float>& q) -> Result<double> {
    TRY_ASSIGN(const LogitDrift drift, driftOf(p, q, base.vocab_size));
    return drift.kl;
  };
  SharedBasisRuns found{.tokens = ids.size(), .base = {}, .form = {}, .swapped = {}};
  TRY_ASSIGN(const std::vector<float> plain, read(base));
  std::vector<std::vector<float>> forms;
  for (std::size_t g = 0; g < tunes; ++g) {
    TRY_ASSIGN(ModelSpec tuned, input.tunes[g].tuned_spec());
    TRY_ASSIGN(const std::vector<float> whole, read(std::move(tuned)));
    TRY_ASSIGN(ModelSpec shared, formOf(base, changes, g));
    TRY_ASSIGN(std::vector<float> form, read(std::move(shared)));
    TRY_ASSIGN(const double from_base, kl(whole, plain));
    TRY_ASSIGN(const double from_form, kl(whole, form));
    found.base.push_back(from_base);
    found.form.push_back(from_form);
    forms.push_back(std::move(form));
  }
  const auto count = static_cast<Eigen::Index>(tunes);
  found.swapped = Eigen::MatrixXd::Zero(count, count);
  for (std::size_t g = 0; g < tunes; ++g)
    for (std::size_t h = 0; h < tunes; ++h) {
      TRY_ASSIGN(found.swapped(static_cast<Eigen::Index>(g), static_cast<Eigen::Index>(h)),
                 kl(forms[g], forms[h]));
    }
  return found;
}

Table formTable(const AnalysisInput& input, const SharedBasisRuns& runs) {
  Table table{
      .title = fmt::format("Predictions in the shared form, on {} tokens", runs.tokens),
      .columns = {{"fine-tune", "", ""},
                  {"base", "nats", "sum p log(p / p') of the next token, p the fine-tune's, mean"},
                  {"base + U diag(s) V^T", "nats", "the same with the fine-tune's s in the shared basis"}},
      .rows = {}};
  for (std::size_t g = 0; g < input.tunes.size(); ++g)
    table.rows.push_back({input.tunes[g].name, runs.base[g], runs.form[g]});
  return table;
}

Table swapTable(const AnalysisInput& input, const SharedBasisRuns& runs) {
  Table table{.title = "Drift when only s is swapped",
              .columns = {{"s of", "", ""},
                          {"against s of", "", ""},
                          {"KL", "nats", "of the next token, p the first's, mean"}},
              .rows = {}};
  for (std::size_t g = 0; g < input.tunes.size(); ++g)
    for (std::size_t h = 0; h < input.tunes.size(); ++h)
      if (g != h)
        table.rows.push_back({input.tunes[g].name, input.tunes[h].name,
                              runs.swapped(static_cast<Eigen::Index>(g), static_cast<Eigen::Index>(h))});
  return table;
}

}  // namespace vitrine::core::methods
