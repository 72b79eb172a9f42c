#include "core/spectra/recall_toy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "core/spectra/dense_product.h"
#include "core/spectra/metrics.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

struct RecallExamples {
  MatrixXd inputs;             // (examples, S + 2)
  std::vector<Index> answers;  // rows of W
};

RecallExamples recallExamples(const RecallTask& task) {
  std::vector<std::pair<int, bool>> shown;  // subject, of the implication
  for (int s = 0; s < task.subjects(); ++s) {
    shown.emplace_back(s, false);
    if (!task.isUnseen(s)) shown.emplace_back(s, true);
  }
  RecallExamples examples{MatrixXd::Zero(static_cast<Index>(shown.size()), task.subjects() + 2), {}};
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const auto [subject, implication] = shown[i];
    examples.inputs(static_cast<Index>(i), subject) = 1;
    examples.inputs(static_cast<Index>(i), task.subjects() + (implication ? 1 : 0)) = 1;
    examples.answers.push_back(task.factOf(subject) + (implication ? task.facts : 0));
  }
  return examples;
}

// Softmax of each row.
MatrixXd probabilitiesOf(const MatrixXd& logits) {
  MatrixXd p = (logits.colwise() - logits.rowwise().maxCoeff()).array().exp();
  const VectorXd sums = p.rowwise().sum();
  return sums.cwiseInverse().asDiagonal() * p;
}

// d mean cross-entropy / d W.
MatrixXd recallGradient(const RecallExamples& examples, const MatrixXd& w) {
  MatrixXd p = probabilitiesOf(multiply(examples.inputs, w, Side::kAsIs, Side::kTransposed));
  for (std::size_t i = 0; i < examples.answers.size(); ++i)
    p(static_cast<Index>(i), examples.answers[i]) -= 1;
  return multiply(p, examples.inputs, Side::kTransposed, Side::kAsIs) /
         static_cast<double>(examples.answers.size());
}

// The answer's value less the greatest of the others.
double leadOf(const VectorXd& logits, Index answer) {
  double other = -std::numeric_limits<double>::infinity();
  for (Index i = 0; i < logits.size(); ++i)
    if (i != answer) other = std::max(other, logits[i]);
  return logits[answer] - other;
}

void measureUnseen(const RecallTask& task, const MatrixXd& w, RecallState& to) {
  const Index n = task.facts;
  int unseen = 0;
  for (int s = 0; s < task.subjects(); ++s) {
    if (!task.isUnseen(s)) continue;
    ++unseen;
    const VectorXd logits = w.col(s) + w.col(task.subjects() + 1);
    const Index answer = n + task.factOf(s);
    const double others = (logits.tail(n).sum() - logits[answer]) / static_cast<double>(n - 1);
    to.preference += logits[answer] - others;
    if (leadOf(logits, answer) > 1e-9) to.accuracy += 1;
  }
  to.preference /= unseen;
  to.accuracy /= unseen;
}

Result<RecallState> recallState(const RecallTask& task, const RecallExamples& examples, const MatrixXd& w,
                                int step) {
  RecallState to{.step = step, .margin = std::numeric_limits<double>::infinity()};
  const MatrixXd logits = multiply(examples.inputs, w, Side::kAsIs, Side::kTransposed);
  const MatrixXd p = probabilitiesOf(logits);
  for (std::size_t i = 0; i < examples.answers.size(); ++i) {
    const auto row = static_cast<Index>(i);
    to.loss -= std::log(p(row, examples.answers[i])) / static_cast<double>(examples.answers.size());
    to.margin = std::min(to.margin, leadOf(logits.row(row).transpose(), examples.answers[i]));
  }
  TRY_ASSIGN(const FullSvd svd, fullSvd(w));
  const SpectrumMetrics metrics =
      spectrumMetrics(std::vector<double>(svd.sigma.begin(), svd.sigma.end()), svd.floor());
  to.nuclear = metrics.nuclear;
  to.frobenius = metrics.frobenius;
  to.effective_rank = metrics.effective_rank;
  measureUnseen(task, w, to);
  return to;
}

bool isRecorded(int step, int last) {
  int power = 1;
  while (step >= 10 * power) power *= 10;
  return step == last || step == power || step == 2 * power || step == 5 * power;
}

}  // namespace

Result<RecallRun> trainRecall(const RecallTask& task, RecallForm form, const std::stop_token& stop) {
  if (task.facts < 2 || task.trained < 1 || task.unseen < 1 || task.steps < 1)
    return fail(ErrorCode::kInvalidArgument, "a recall task of {} facts, {} and {} subjects and {} steps",
                task.facts, task.trained, task.unseen, task.steps);
  const RecallExamples examples = recallExamples(task);
  const Index outputs = 2 * task.facts, inputs = task.subjects() + 2, hidden = std::max(outputs, inputs);
  std::mt19937_64 random(task.seed);
  std::normal_distribution<double> normal(0, task.initial);
  MatrixXd left, right;
  RecallRun run{.w = MatrixXd::Zero(outputs, inputs), .states = {}};
  if (form == RecallForm::kFactorized) {
    left = MatrixXd::NullaryExpr(outputs, hidden, [&] { return normal(random); });
    right = MatrixXd::NullaryExpr(inputs, hidden, [&] { return normal(random); });
    run.w = multiply(left, right, Side::kAsIs, Side::kTransposed);
  }
  for (int step = 1; step <= task.steps; ++step) {
    if (stop.stop_requested())
      return fail(ErrorCode::kCancelled, "the recall task was cancelled at step {}", step);
    const MatrixXd gradient = recallGradient(examples, run.w);
    if (form == RecallForm::kCombined) {
      run.w -= task.rate * gradient;
    } else {
      const MatrixXd to_left = multiply(gradient, right),
                     to_right = multiply(gradient, left, Side::kTransposed, Side::kAsIs);
      left -= task.rate * to_left;
      right -= task.rate * to_right;
      run.w = multiply(left, right, Side::kAsIs, Side::kTransposed);
    }
    if (!isRecorded(step, task.steps)) continue;
    TRY_ASSIGN(const RecallState state, recallState(task, examples, run.w, step));
    run.states.push_back(state);
  }
  return run;
}

}  // namespace vitrine::core
