// FairLoRA: one shared basis for several fine-tunes, singular values for each.
#include <algorithm>
#include <cmath>

#include "core/methods/support/panels.h"
#include "core/methods/support/shared_basis_runs.h"
#include "core/methods/support/tune_panels.h"
#include "core/methods/support/tuned_matrices.h"
#include "core/spectra/shared_basis.h"

namespace vitrine::core::methods::fairlora {
namespace {

constexpr Parameter kParameters[] = {
    {.name = "rank",
     .fallback = 8,
     .least = 1,
     .most = 512,
     .unit = "",
     .help = "directions of the shared basis"},
    {.name = "equal",
     .fallback = 1,
     .least = 0,
     .most = 1,
     .unit = "",
     .help = "1: each fine-tune counts alike in what the basis minimizes; 0: by ||dW||^2"},
};

struct Found {
  std::string name;
  double base_norm = 0;
  std::vector<Eigen::VectorXd> sigma;  // of each fine-tune
  // Of each fine-tune: shares of ||dW_g||^2 that are lost; NaN where nothing changed.
  std::vector<double> own, stacked, shared;
  std::vector<double> norm;      // ||dW_g||
  Eigen::MatrixXd u, v;          // the shared basis
  Eigen::MatrixXd apart, drift;  // (g, h): ||dW_g - dW_h||, ||s_g - s_h||
};

Result<std::vector<Eigen::MatrixXd>> changesOf(const AnalysisInput& input, const PairsOfBase& base,
                                               double& base_norm) {
  std::vector<Eigen::MatrixXd> changes;
  for (const PairsOfBase::Member& member : base.members) {
    if (input.stop.stop_requested()) return fail(ErrorCode::kCancelled, "cancelled at {}", base.name);
    TRY_ASSIGN(const TunedMatrix matrix, member.pair->load());
    base_norm = matrix.base.norm();
    changes.push_back(matrix.tuned - matrix.base);
  }
  return changes;
}

// Where all count alike, of changes of norm 1, with singular values of the changes as they are.
Result<SharedBasis> fittedBasis(std::vector<Eigen::MatrixXd> changes, Eigen::Index rank, bool equal) {
  if (!equal) return sharedBasis(changes, rank);
  std::vector<double> norms;
  for (Eigen::MatrixXd& change : changes) {
    norms.push_back(change.norm());
    if (norms.back() > 0) change /= norms.back();
  }
  TRY_ASSIGN(SharedBasis basis, sharedBasis(changes, rank));
  for (std::size_t g = 0; g < norms.size(); ++g) basis.sigma[g] *= norms[g];
  return basis;
}

Result<Found> look(const AnalysisInput& input, const PairsOfBase& base, Eigen::Index rank) {
  Found found{.name = base.name};
  TRY_ASSIGN(const std::vector<Eigen::MatrixXd> changes, changesOf(input, base, found.base_norm));
  auto basis = fittedBasis(changes, rank, input.parameters.count("equal") == 1);
  if (!basis) return within(base.name, std::move(basis).error());
  const auto count = static_cast<Eigen::Index>(changes.size());
  found.apart = found.drift = Eigen::MatrixXd::Zero(count, count);
  for (std::size_t g = 0; g < changes.size(); ++g) {
    const double all = basis->energy[g];
    const auto lost = [all](double kept) {
      const double rest = all > 0 ? 1 - kept / all : std::nan("");
      return rest < 1e-12 ? 0 : rest;  // rounding
    };
    found.own.push_back(lost(basis->kept_own[g]));
    found.stacked.push_back(lost(basis->kept_stacked[g]));
    found.shared.push_back(lost(basis->kept_shared[g]));
    found.norm.push_back(changes[g].norm());
    for (std::size_t h = 0; h < g; ++h) {
      const auto i = static_cast<Eigen::Index>(g), j = static_cast<Eigen::Index>(h);
      found.apart(i, j) = found.apart(j, i) = (changes[g] - changes[h]).norm();
      found.drift(i, j) = found.drift(j, i) = (basis->sigma[g] - basis->sigma[h]).norm();
    }
  }
  found.sigma = std::move(basis->sigma);
  found.u = std::move(basis->u);
  found.v = std::move(basis->v);
  return found;
}

double lostMean(const std::vector<Found>& all, std::vector<double> Found::*lost, std::size_t tune) {
  return meanOver(all, [&](const Found& f) { return (f.*lost)[tune]; });
}

Table meansTable(const AnalysisInput& input, const std::vector<Found>& all) {
  Table table{
      .title = fmt::format("Lost share of ||dW||^2 at rank {}, means over {} matrices",
                           input.parameters.count("rank"), all.size()),
      .columns = {{"fine-tune", "", ""},
                  {"own basis", "", "its own best low-rank change: the least that can be lost"},
                  {"shared spans", "", "U_s^T dW V_s with a full core for each fine-tune"},
                  {"shared basis", "", "U diag(s_g) V^T, singular values alone for each: FairLoRA's form"}},
      .rows = {}};
  for (std::size_t t = 0; t < input.tunes.size(); ++t)
    table.rows.push_back({input.tunes[t].name, lostMean(all, &Found::own, t),
                          lostMean(all, &Found::stacked, t), lostMean(all, &Found::shared, t)});
  return table;
}

Table pairsTable(const AnalysisInput& input, const std::vector<Found>& all) {
  Table table{
      .title = "How far the fine-tunes are apart, means",
      .columns = {{"fine-tune", "", ""},
                  {"and", "", ""},
                  {"|dW_g - dW_h| / |dW|", "",
                   "Frobenius, over the root mean square of both norms: sqrt 2 for unrelated changes"},
                  {"cosine of s", "", "of the vectors s_g and s_h on the shared basis"},
                  {"drift / |W|", "",
                   "||U diag(s_g - s_h) V^T|| / ||W||: the relative change of outputs to white inputs when "
                   "only s is swapped"}},
      .rows = {}};
  for (std::size_t g = 0; g < input.tunes.size(); ++g)
    for (std::size_t h = g + 1; h < input.tunes.size(); ++h) {
      const auto i = static_cast<Eigen::Index>(g), j = static_cast<Eigen::Index>(h);
      table.rows.push_back(
          {input.tunes[g].name, input.tunes[h].name,
           meanOver(all,
                    [&](const Found& f) {
                      return f.apart(i, j) / std::sqrt((f.norm[g] * f.norm[g] + f.norm[h] * f.norm[h]) / 2);
                    }),
           meanOver(all,
                    [&](const Found& f) {
                      return f.sigma[g].dot(f.sigma[h]) / (f.sigma[g].norm() * f.sigma[h].norm());
                    }),
           meanOver(all, [&](const Found& f) { return f.drift(i, j) / f.base_norm; })});
    }
  return table;
}

Table eachTable(const AnalysisInput& input, const std::vector<Found>& all) {
  Table table{.title = "By matrix", .columns = {{"tensor", "", ""}}, .rows = {}};
  for (const FineTune& tune : input.tunes)
    for (const char* what : {"|dW|", "own", "spans", "shared"})
      table.columns.push_back(
          {fmt::format("{}: {}", tune.name, what), "", "the norm; shares of its square that are lost"});
  for (const Found& found : all) {
    std::vector<Cell> row = {found.name};
    for (std::size_t t = 0; t < input.tunes.size(); ++t)
      for (const double value : {found.norm[t], found.own[t], found.stacked[t], found.shared[t]})
        row.emplace_back(value);
    table.rows.push_back(std::move(row));
  }
  return table;
}

Panel spectraPanel(const AnalysisInput& input, const Found& found) {
  Panel panel;
  panel.title = found.name;
  panel.x.label = "shared direction i";
  panel.y.label = "singular value s";
  for (std::size_t t = 0; t < input.tunes.size(); ++t) {
    LineSeries line{.label = input.tunes[t].name, .x = {}, .y = {}};
    for (Eigen::Index i = 0; i < found.sigma[t].size(); ++i) {
      line.x.push_back(static_cast<double>(i + 1));
      line.y.push_back(found.sigma[t][i]);
    }
    panel.lines.push_back(std::move(line));
  }
  return panel;
}

Panel meanSpectraPanel(const AnalysisInput& input, const std::vector<Found>& all) {
  Panel panel;
  panel.x.label = "shared direction i";
  panel.y = {.label = "|s| / ‖ΔW‖", .minimum = 0};
  const std::size_t rank = input.parameters.count("rank");
  for (std::size_t t = 0; t < input.tunes.size(); ++t) {
    std::vector<double> x;
    std::vector<std::vector<double>> curves;
    for (std::size_t i = 1; i <= rank; ++i) x.push_back(static_cast<double>(i));
    for (const Found& found : all) {
      std::vector<double> curve(rank, std::nan(""));
      for (Eigen::Index i = 0; i < found.sigma[t].size(); ++i)
        if (found.norm[t] > 0)
          curve[static_cast<std::size_t>(i)] = std::abs(found.sigma[t][i]) / found.norm[t];
      curves.push_back(std::move(curve));
    }
    panel.lines.push_back(medianWithRange(input.tunes[t].name, std::move(x), curves));
  }
  return panel;
}

Panel lossPanel(const AnalysisInput& input, const std::vector<Found>& all) {
  Panel panel;
  panel.x.categories = {"own basis", "shared spans", "shared basis"};
  panel.x.category_font = FontRole::kSans;
  panel.y = {.label = "lost ‖ΔW‖²", .minimum = 0};
  for (std::size_t t = 0; t < input.tunes.size(); ++t) {
    BarSeries bars{.label = input.tunes[t].name, .values = {}};
    for (const auto lost : {&Found::own, &Found::stacked, &Found::shared}) {
      const double mean = lostMean(all, lost, t);
      bars.values.push_back(std::isfinite(mean) ? mean : 0);
    }
    panel.bars.push_back(std::move(bars));
  }
  return panel;
}

Figure figureOf(const AnalysisInput& input, const std::vector<Found>& all) {
  const auto largest = std::ranges::max_element(all, {}, [](const Found& f) {
    double kept = 0;
    for (const Eigen::VectorXd& sigma : f.sigma) kept += sigma.squaredNorm();
    return kept;
  });
  Figure figure{.name = "fairlora-spectra",
                .caption = fmt::format(
                    "Singular values s_g of {} fine-tunes of {} on one shared basis of rank {}, dW_g ~ U "
                    "diag(s_g) V^T: of the matrix with most in it, median and range over {} matrices, and "
                    "what is lost in each fine-tune's own basis, in shared spans, and in the shared basis.",
                    input.tunes.size(), input.model, input.parameters.count("rank"), all.size()),
                .panels = {}};
  figure.panels = {spectraPanel(input, *largest), meanSpectraPanel(input, all), lossPanel(input, all)};
  if (input.tunes.size() > 1) {
    std::vector<std::string> names;
    std::vector<double> apart;
    for (const Found& f : all) {
      names.push_back(f.name);
      apart.push_back(f.apart(0, 1));
    }
    Panel profile = layerProfile(names, apart, {.label = "‖ΔW₁ − ΔW₂‖", .minimum = 0});
    if (!profile.lines.empty()) {
      figure.caption += fmt::format(" Last: the distance between {} and {} by layer.", input.tunes[0].name,
                                    input.tunes[1].name);
      figure.panels.push_back(std::move(profile));
    }
  }
  return figure;
}

// What only some fine-tunes changed has no shared basis.
Result<PairedBases> inAll(const AnalysisInput& input) {
  TRY_ASSIGN(PairedBases paired, pairedBases(input));
  std::erase_if(paired.bases, [&](const PairsOfBase& base) {
    const bool missing = base.members.size() != input.tunes.size();
    if (missing)
      paired.notes.push_back(fmt::format("{} is not in all fine-tunes and was left out.", base.name));
    return missing;
  });
  if (!paired.bases.empty()) return paired;
  return fail(ErrorCode::kInvalidArgument, "no matrix is in all {} fine-tunes", input.tunes.size());
}

Result<void> addRuns(const AnalysisInput& input, const PairedBases& paired, std::vector<Found>& all,
                     AnalysisResult& to) {
  std::vector<SharedChange> changes;
  for (std::size_t i = 0; i < all.size(); ++i)
    changes.push_back({paired.bases[i].members.front().pair, std::move(all[i].u), std::move(all[i].v),
                       std::move(all[i].sigma)});
  TRY_ASSIGN(const SharedBasisRuns runs, runSharedBasis(input, changes));
  to.tables.push_back(formTable(input, runs));
  if (input.tunes.size() > 1) to.tables.push_back(swapTable(input, runs));
  return {};
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  const auto rank = static_cast<Eigen::Index>(input.parameters.count("rank"));
  TRY_ASSIGN(const PairedBases paired, inAll(input));
  TRY_ASSIGN(std::vector<Found> all, forEach<Found>(input, paired.bases.size(), [&](std::size_t i) {
               return look(input, paired.bases[i], rank);
             }));
  AnalysisResult result{
      .tables = {meansTable(input, all)}, .figures = {figureOf(input, all)}, .notes = paired.notes};
  if (input.tunes.size() > 1) result.tables.push_back(pairsTable(input, all));
  result.tables.push_back(eachTable(input, all));
  if (input.tunes.size() == 1)
    result.notes.emplace_back(
        "One fine-tune shares with no other: its shared basis is its own. Name more by --adapter.");
  result.notes.emplace_back(
      "The shared basis is found by alternating steps, which need not end at the best one; what it loses "
      "more than shared spans do is what singular values alone cannot follow. With equal=0 the larger change "
      "has more of the basis.");
  if (runsModel(input)) TRY(addRuns(input, paired, all, result));
  return result;
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "fairlora",
    .title = "FairLoRA: a shared basis, singular values for each",
    .paper =
        "Li et al.: FairFedMed: Benchmarking Group Fairness in Federated Medical Imaging with FairLoRA "
        "(arXiv:2508.00873)",
    .summary =
        "How far several fine-tunes can share singular vectors and differ by singular values alone, as "
        "FairLoRA's groups do.",
    .equation =
        "dW_g ~ U diag(s_g) V^T, U (m, r), V (n, r) shared, s_g = diag(U^T dW_g V); least sum over g of "
        "||dW_g - U diag(s_g) V^T||_F^2 by alternating polar factors from the stacked SVD; drift = ||s_g - "
        "s_h||",
    .cost =
        "of G changes: decompositions of (m, G n) and (G m, n), G of (m, n), 6 G m n r a step; 4 G m n "
        "doubles; 1 + 2 G runs on the prompt",
    .unchecked =
        "Fairness and accuracy over demographic groups and federated training (they need the data); "
        "fine-tunes of other texts stand for groups here.",
    .subject = Subject::kFineTunes,
    .parameters = kParameters,
    .runs = {.prompt = "on which s_g are swapped"},
    .run = run,
};

}  // namespace vitrine::core::methods::fairlora
