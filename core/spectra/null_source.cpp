#include "core/spectra/null_source.h"

#include <algorithm>

#include "core/spectra/matrix_catalogue.h"
#include "core/spectra/shuffled.h"
#include "core/spectra/spectrum_run.h"

namespace vitrine::core {
namespace {

class NullSource : public SpectraSource {
 public:
  explicit NullSource(NullRequest request) : request_(std::move(request)) {}

  Result<SpectraRows> open() override {
    TRY_ASSIGN(checkpoint_, Checkpoint::open(request_.model));
    const std::vector<StoredMatrix> all = matricesOf(*checkpoint_);
    SpectraRows rows{.names = {}, .costs = {}, .solver = lapackSolverText(request_.threads)};
    for (const std::string& wanted : request_.names) {
      const auto found = std::ranges::find(all, wanted, &StoredMatrix::name);
      if (found == all.end()) {
        rows.left_out.push_back(wanted + " is no matrix of the model");
        continue;
      }
      matrices_.push_back(*found);
      rows.names.push_back(
          {found->name, std::string(name(found->tensor->dtype)), found->rows, found->columns});
      rows.costs.push_back(SpectrumJob{found->rows, found->columns, {}}.cost());
    }
    return rows;
  }

  Result<void> compute(const std::stop_token& stop, const Settle& settle) override {
    std::vector<SpectrumJob> jobs;
    for (const StoredMatrix& matrix : matrices_)
      jobs.push_back({matrix.rows, matrix.columns, [this, &matrix] {
                        return readMatrix(matrix).map([this](DenseMatrix&& dense) {
                          return shuffled(std::move(dense), request_.seed);
                        });
                      }});
    return runSpectra(jobs, {.threads = request_.threads,
                             .order = SpectrumOrder::kCheapestFirst,
                             .stop = stop,
                             .done = [&](std::size_t i, Result<Spectrum> spectrum) {
                               settle(i, resultOf(matrices_[i], std::move(spectrum)));
                             }});
  }

 private:
  static MatrixResult resultOf(const StoredMatrix& matrix, Result<Spectrum> spectrum) {
    if (!spectrum) return {nullptr, std::make_shared<const std::string>(spectrum.error().describe())};
    return {
        std::make_shared<const SpectrumReport>(reportOf(matrix.name, std::string(name(matrix.tensor->dtype)),
                                                        std::move(*spectrum), {.replicates = 0})),
        nullptr};
  }

  NullRequest request_;
  std::shared_ptr<const Checkpoint> checkpoint_;
  std::vector<StoredMatrix> matrices_;
};

}  // namespace

std::shared_ptr<SpectraSource> nullSource(NullRequest request) {
  return std::make_shared<NullSource>(std::move(request));
}

}  // namespace vitrine::core
