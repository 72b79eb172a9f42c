// Methods of papers that look at weights: the family "analysis". Each file core/methods/analysis/STEM.cpp
// defines `extern const Analysis kMethod` in a namespace methods::STEM of its own; CMake writes the list from
// the files' names (cmake/VitrineLists.cmake), so that a new method is one new file. The command line
// (`vitrine methods`, `vitrine spectra MODEL --method ID`), the window and the docs know them by this list.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/figure/figure.h"
#include "core/methods/parameters.h"
#include "core/methods/table.h"
#include "core/model/model_spec.h"
#include "core/spectra/dense_matrix.h"
#include "core/spectra/model_comparison.h"
#include "gpu/device.h"

namespace vitrine::core::methods {

// What a method looks at.
enum class Subject {
  kMatrices,   // stored weights, one by one
  kFineTunes,  // a base's matrices and what fine-tunes made of them
  kHeads,      // a language model's attention layers
};
std::string_view name(Subject subject);  // "matrices", "fine-tunes", "heads"

struct NamedMatrix {
  std::string name;  // the tensor's
  std::uint64_t rows = 0, columns = 0;
  std::function<Result<DenseMatrix>()> load;  // finite numbers only, an error names it; on any thread
};

struct FineTune {
  std::string name;
  std::vector<MatrixPair> pairs;  // base and tuned, of one shape each
  // Both as they run (core/spectra/fine_tunes.h); empty: they are only weights.
  std::function<Result<ModelSpec>()> base_spec = {}, tuned_spec = {};
};

// What a method that also runs the model runs it on: one sentence for each that it takes, empty for the
// others. Without any of them given it looks at weights alone.
struct RunsOn {
  std::string_view prompt;
  std::string_view text, tuned_text;  // tuned_text: of the fine-tune's kind, beside text of the base's
  std::string_view sibling;           // another model of the same tensors; may be left out beside a text

  bool any() const { return !prompt.empty() || !text.empty(); }
};

// Of the three subjects only the method's own is filled.
struct AnalysisInput {
  std::string model;                      // as figures and captions name it; of fine-tunes the base
  std::vector<NamedMatrix> matrices;      // kMatrices
  std::vector<FineTune> tunes;            // kFineTunes
  std::shared_ptr<const ModelSpec> spec;  // kHeads
  std::vector<std::string> left_out;      // sentences: what is not looked at, and why
  // What the model is run on, where the method does (Analysis::runs); UTF-8, empty: absent.
  std::string prompt, text, tuned_text;
  std::shared_ptr<const Checkpoint> sibling;
  // Asked once by a run that needs it, on the run's thread; empty: there is no device to run on.
  std::function<Result<std::shared_ptr<gpu::Device>>()> open_device{};
  Parameters parameters;
  unsigned threads = 0;  // 0: as many as there are cores
  std::stop_token stop{};
  // Of work in equal parts; from several threads, one at a time; or empty.
  std::function<void(std::size_t done, std::size_t of)> progress{};
};

bool runsModel(const AnalysisInput& input);  // it has a prompt or a text

struct AnalysisResult {
  std::vector<Table> tables;
  std::vector<Figure> figures;     // each with a name of its own: "gram-iteration-bounds"
  std::vector<std::string> notes;  // sentences: what was left out and why, what the numbers say
};

// What a method can look at in the memory and the time that there are.
struct SizeLimit {
  std::uint64_t elements = 0;    // at most; 0: any
  std::uint64_t short_side = 0;  // at most; 0: any
};

struct Analysis {
  std::string_view id;       // the catalogue's: "gram-iteration"
  std::string_view title;    // "Gram iteration"
  std::string_view paper;    // authors, title, arXiv number
  std::string_view summary;  // one sentence: what it shows
  // The formulas as they are computed, with shapes.
  std::string_view equation;
  std::string_view cost;       // of one matrix (m, n), n <= m: floating point operations and memory
  std::string_view unchecked;  // which claims of the paper can't be checked here, and why; may be empty
  Subject subject = Subject::kMatrices;
  std::span<const Parameter> parameters;
  RunsOn runs = {};
  SizeLimit limit = {};  // kMatrices: runAnalysis() leaves out those beyond it, and says so
  // Errors: kInvalidArgument where there is nothing to look at or the shapes do not suit, kCancelled, those
  // of reading, all with the matrix's name.
  Result<AnalysisResult> (*run)(const AnalysisInput& input) = nullptr;
};

inline constexpr std::string_view kAnalysisFamily = "analysis";

std::span<const Analysis* const> analyses();  // by id
// kNotFound with what there is.
Result<const Analysis*> findAnalysis(std::string_view id);
// The method's parameters with the call's values.
Result<Parameters> parametersOf(const Analysis& analysis, const MethodCall& call);

// Runs it on the matrices within its limit, having checked that its subject is there and that it takes what
// the model is to be run on; what was left out, a run of the model included, is among the notes. Errors name
// the method; kInvalidArgument also where all matrices are beyond the limit.
Result<AnalysisResult> runAnalysis(const Analysis& analysis, const AnalysisInput& input);

}  // namespace vitrine::core::methods
