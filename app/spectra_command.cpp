#include <fmt/core.h>

#include <mutex>
#include <nlohmann/json.hpp>

#include "app/spectra_options.h"
#include "core/assets/asset_paths.h"
#include "core/engine/clock.h"
#include "core/figure/comparison_figures.h"
#include "core/figure/spectra_figures.h"
#include "core/spectra/device_spectra.h"
#include "core/spectra/device_svd.h"
#include "core/spectra/matrix_catalogue.h"
#include "core/spectra/shuffled.h"
#include "core/spectra/spectrum_report.h"
#include "core/spectra/spectrum_run.h"

namespace vitrine::app {
namespace {

using IsFaster = bool (*)(const gpu::Device&);

// Null: LAPACK is meant, or auto and no device computes faster.
Result<std::unique_ptr<gpu::Device>> spectraDevice(const Common& common, const std::string& solver,
                                                   IsFaster is_faster) {
  if (solver == "lapack" || solver == "jacobi") return std::unique_ptr<gpu::Device>();
  auto device = openDevice(common);
  if (solver == "auto" && (!device || !is_faster(**device))) return std::unique_ptr<gpu::Device>();
  return device;
}

// Of the device's, where it computes spectra itself: a software device's are LAPACK's.
struct SpectraDevice {
  std::unique_ptr<gpu::Device> device;
  std::unique_ptr<core::DeviceSpectra> spectra;
};

}  // namespace

Result<std::vector<core::StoredMatrix>> chosenMatrices(const core::Checkpoint& checkpoint,
                                                       const SpectraOptions& options) {
  auto matrices = core::matricesOf(checkpoint, options.tensors);
  if (!matrices.empty()) return matrices;
  return fail(ErrorCode::kNotFound, "{}: no matrix {}: `vitrine info` lists the tensors", options.model,
              options.tensors.empty() ? "in it" : fmt::format("is named '{}'", options.tensors));
}

Result<std::unique_ptr<gpu::Device>> doublesDevice(const Common& common, const std::string& solver) {
  if (solver == "device-pairs")
    return fail(ErrorCode::kUnsupported,
                "--solver device-pairs finds all singular values of stored matrices, nothing else");
  return spectraDevice(common, solver, core::DeviceSvd::isFaster);
}

namespace {

Result<SpectraDevice> deviceFor(const Common& common, const std::string& solver) {
  SpectraDevice to;
  TRY_ASSIGN(to.device, spectraDevice(common, solver, core::DeviceSpectra::isFaster));
  if (!to.device) return to;
  const auto form = solver == "device-pairs" ? std::optional(core::SumForm::kPair) : std::nullopt;
  auto spectra = core::DeviceSpectra::create(*to.device, form);
  if (!spectra && spectra.error().code == ErrorCode::kUnsupported && solver == "auto") return SpectraDevice{};
  TRY_ASSIGN(to.spectra, std::move(spectra));
  return to;
}

}  // namespace

Result<core::SvdSolver> svdSolver(const Common& common, const std::string& solver) {
  struct Solver {
    std::unique_ptr<gpu::Device> device;
    std::unique_ptr<core::DeviceSvd> svd;
  };
  auto of = std::make_shared<Solver>();
  TRY_ASSIGN(of->device, doublesDevice(common, solver));
  if (!of->device) return core::ComparisonOptions{}.svd;
  TRY_ASSIGN(of->svd, core::DeviceSvd::create(*of->device));
  return [of](const Eigen::MatrixXd& matrix) { return of->svd->decompose(matrix, stopAtInterrupt()); };
}

namespace {

// Of all matrices, then, where that was asked for, of all of them shuffled.
std::vector<core::SpectrumJob> jobsFor(std::span<const core::StoredMatrix> matrices, bool with_shuffled) {
  std::vector<core::SpectrumJob> jobs;
  for (const core::StoredMatrix& matrix : matrices)
    jobs.push_back({matrix.rows, matrix.columns, [&matrix] { return core::readMatrix(matrix); }});
  if (!with_shuffled) return jobs;
  for (const core::StoredMatrix& matrix : matrices)
    jobs.push_back({matrix.rows, matrix.columns, [&matrix] {
                      return core::readMatrix(matrix).map(
                          [](core::DenseMatrix&& dense) { return core::shuffled(std::move(dense)); });
                    }});
  return jobs;
}

struct SpectraResult {
  std::vector<core::SpectrumReport> reports;  // in the order of the matrices
  std::optional<Error> error;                 // of the first matrix without a spectrum
  double seconds = 0;                         // read, computed and analysed
  std::string device;
};

Result<SpectraResult> computeSpectra(const Common& common, const SpectraOptions& options,
                                     std::span<const core::StoredMatrix> matrices) {
  TRY_ASSIGN(const SpectraDevice device, deviceFor(common, options.solver));
  std::vector<std::optional<core::SpectrumReport>> found(matrices.size());
  std::vector<std::vector<double>> shuffled(matrices.size());
  SpectraResult result{.reports = {}, .error = {}, .device = "LAPACK"};
  const auto jobs = jobsFor(matrices, options.shuffled);
  std::mutex reporting;
  std::size_t done = 0;
  const auto start = core::Clock::now();
  const core::SpectrumRun run{
      .method = options.solver == "jacobi" ? core::SpectrumMethod::kJacobi : core::SpectrumMethod::kGram,
      .threads = options.threads,
      .stop = stopAtInterrupt(),
      .done = [&](std::size_t i, Result<core::Spectrum> spectrum) {
        const bool of_null = i >= matrices.size();
        if (of_null) i -= matrices.size();
        if (spectrum && of_null)
          shuffled[i] = std::move(spectrum->sigma);
        else if (spectrum)
          found[i] = core::reportOf(matrices[i].name, std::string(core::name(matrices[i].tensor->dtype)),
                                    std::move(*spectrum), options.report);
        const std::lock_guard lock(reporting);
        if (!spectrum && !result.error) result.error = spectrum.error();
        showProgress(fmt::format("spectrum {} of {}: {}", ++done, jobs.size(), matrices[i].name));
      }};
  TRY(device.spectra ? core::runSpectra(*device.spectra, jobs, run) : core::runSpectra(jobs, run));
  endProgress();
  result.seconds = core::secondsSince(start);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found[i]) continue;
    found[i]->shuffled = std::move(shuffled[i]);
    result.reports.push_back(std::move(*found[i]));
  }
  if (device.device) {
    result.device = device.spectra->text();
    (void)device.device->savePipelineCache();
  }
  return result;
}

void printTable(const SpectraResult& result) {
  std::size_t width = 6;
  for (const core::SpectrumReport& report : result.reports) width = std::max(width, report.name.size());
  fmt::print("{:<{}}  {:>15} {:>10} {:>10} {:>10} {:>10} {:>12} {:>7} {:>6} {:>9}\n", "tensor", width,
             "shape", "s1", "stable rk", "eff. rank", "partic.", "condition", "alpha", "spikes", "residual");
  for (const core::SpectrumReport& report : result.reports) {
    const core::SpectrumMetrics& m = report.metrics;
    fmt::print("{:<{}}  {:>15} {:>10.4g} {:>10.2f} {:>10.1f} {:>10.1f} {:>12} {:>7} {:>6} {:>9.1e}\n",
               report.name, width, fmt::format("{} x {}", report.spectrum.rows, report.spectrum.columns),
               m.s1, m.stable_rank, m.effective_rank, m.participation,
               fmt::format("{}{:.3g}", m.condition_is_bound ? ">= " : "", m.condition),
               report.power_law ? fmt::format("{:.2f}", report.power_law->alpha) : "-",
               report.noise ? fmt::format("{}", report.noise->spikes) : "-",
               report.spectrum.certificate.energy);
    if (!report.shuffled.empty())
      fmt::print("{:<{}}  {:>15} {:>10.4g} {:>10.2f}\n", "  shuffled", width, "", report.shuffled.front(),
                 core::spectrumMetrics(report.shuffled, 0).stable_rank);
  }
  fmt::print("{} {} in {:.2f} s on {}\n", result.reports.size(),
             result.reports.size() == 1 ? "matrix" : "matrices", result.seconds, result.device);
}

void printJson(const SpectraOptions& options, const SpectraResult& result, const SpectraOfHeads& heads) {
  nlohmann::ordered_json out{
      {"model", options.model}, {"device", result.device}, {"seconds", result.seconds}};
  out["tensors"] = nlohmann::ordered_json::array();
  for (const core::SpectrumReport& report : result.reports) out["tensors"].push_back(core::toJson(report));
  addToJson(heads, options, out);
  fmt::print("{}\n", out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

// Of the products where there are any.
Result<void> drawSpectra(const Common& common, const SpectraOptions& options, const SpectraResult& result,
                         const SpectraOfHeads& heads) {
  const std::vector<core::SpectrumReport> reports =
      options.products.empty() ? result.reports : heads.reports();
  TRY_ASSIGN(const core::Figure figure, options.figure == "spectrum"
                                            ? core::spectrumFigure(reports, options.model)
                                            : core::profileFigure(reports, options.metric, options.model));
  return writeSpectraFigure(common, options, figure);
}

Result<void> checkSpectraOptions(const Common& common, const SpectraOptions& options) {
  const auto names = core::comparisonFigureNames();
  const bool compares = std::ranges::find(names, options.figure) != names.end();
  if (!options.figure.empty() && !compares && options.figure != "spectrum" && options.figure != "profile")
    return fail(ErrorCode::kInvalidArgument, "--figure {}: expected spectrum, profile, {}", options.figure,
                fmt::join(names, ", "));
  if (options.base.empty() && compares)
    return fail(ErrorCode::kInvalidArgument, "--figure {} compares with a base: name it by --base",
                options.figure);
  if (!options.base.empty() && !options.figure.empty() && !compares)
    return fail(ErrorCode::kInvalidArgument, "--base has the figures {}, not {}", fmt::join(names, ", "),
                options.figure);
  if (!options.base.empty() && (!options.products.empty() || options.composition))
    return fail(ErrorCode::kInvalidArgument,
                "--base compares stored matrices: leave out --products and --composition");
  if (options.base.empty() && !common.adapters.empty() && options.products.empty() && !options.composition)
    return fail(ErrorCode::kInvalidArgument,
                "stored matrices are without adapters: compare by --base, or ask for --products");
  return {};
}

Result<void> spectra(const Common& common, const SpectraOptions& options) {
  if (!options.method.empty()) return runMethod(common, options);
  if (!options.prompt.empty() || !options.text.empty() || !options.tuned_text.empty() ||
      !options.sibling.empty())
    return fail(
        ErrorCode::kInvalidArgument,
        "--prompt, --text, --tuned-text and --sibling are what a method runs the model on: name one by "
        "--method");
  TRY(checkSpectraOptions(common, options));
  if (options.top > 0) return findTop(common, options);
  if (!options.base.empty()) return compareWithBase(common, options);
  TRY_ASSIGN(const auto checkpoint, core::Checkpoint::open(core::modelPath(options.model)));
  TRY_ASSIGN(const auto matrices, chosenMatrices(*checkpoint, options));
  TRY_ASSIGN(const SpectraOfHeads heads, computeHeads(common, options));
  TRY_ASSIGN(const SpectraResult result, computeSpectra(common, options, matrices));
  if (!options.figure.empty()) {
    TRY(drawSpectra(common, options, result, heads));
  } else if (options.json) {
    printJson(options, result, heads);
  } else {
    printTable(result);
    printHeads(heads);
  }
  return result.error ? Result<void>(tl::unexpected(*result.error)) : Result<void>();
}

// The command's options beside those of plain spectra.
void addHeadOptions(CLI::App& command, SpectraOptions& options) {
  command.add_option("--products", options.products,
                     "also those of each head's products: qk (W_Q^T R W_K), ov (W_O W_V), or both: qk,ov");
  command.add_option("--rope-offset", options.rope_offset, "qk: query position less key position, in tokens")
      ->capture_default_str();
  command.add_flag("--raw-products", options.raw_products,
                   "without the gain of the norm in front and the scale of the scores");
  command.add_flag("--composition", options.composition,
                   "how strongly later heads read what earlier ones write");
}

void addComparisonOptions(CLI::App& command, SpectraOptions& options) {
  command.add_option("--method", options.method,
                     "a paper's method instead, as ID:key=value,..: `vitrine methods` lists them");
  command.add_option("--base", options.base,
                     "compare MODEL, a fine-tune of it, and what --adapter adds to it with this model");
  command.add_option("--epsilon", options.epsilon, "an intruder matches all base directions less than this")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command.add_option("--first", options.first, "directions among which intruders are counted")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

void addRunOptions(CLI::App& command, SpectraOptions& options) {
  command.add_option("--prompt", options.prompt, "--method: a text that the model reads");
  command.add_option("--text", options.text, "--method: a file of text whose perplexity is measured");
  command.add_option("--tuned-text", options.tuned_text,
                     "--method: the same of the kind that the model was tuned on");
  command.add_option("--sibling", options.sibling, "--method: a model of the same tensors to average with");
}

void addFigureOptions(CLI::App& command, SpectraOptions& options) {
  command.add_option(
      "--figure", options.figure,
      "draw spectrum or profile; with --base: intruders, phi or delta; with --method one of its own, or all");
  const auto metrics = core::profileMetrics();
  command.add_option("--metric", options.metric, "profile: what is drawn over the layers")
      ->check(CLI::IsMember(std::vector<std::string>(metrics.begin(), metrics.end())))
      ->capture_default_str();
  command
      .add_option("--preset", options.preset,
                  "width and type of a venue: icml-column, neurips, nature-column ..")
      ->capture_default_str();
  command.add_option("--format", options.formats, "pdf,svg,png,csv,npz,tex")->capture_default_str();
  command.add_option("--out", options.out, "the folder to write to")->capture_default_str();
  command.add_option("--colormap", options.colormap, "viridis, cividis, magma or grey")
      ->capture_default_str();
}

}  // namespace

void addSpectra(CLI::App& app, Common& common) {
  auto options = std::make_shared<SpectraOptions>();
  CLI::App* command =
      app.add_subcommand("spectra", "Singular values of a model's matrices, and what they say");
  command
      ->add_option("MODEL", options->model,
                   "a .gguf or .safetensors file, or a folder; also of what is no language model")
      ->required();
  command->add_option("--tensors", options->tensors,
                      "only those named so: 'blk.*.attn_q.weight', several apart by commas");
  command
      ->add_option(
          "--solver", options->solver,
          "device (Vulkan, in double precision, or where that lacks in pairs of floats), device-pairs (in "
          "those anywhere), lapack, jacobi (the CPU's, slow: small values to full relative accuracy), auto")
      ->check(CLI::IsMember({"auto", "device", "device-pairs", "lapack", "jacobi"}))
      ->capture_default_str();
  command
      ->add_option("--top", options->top,
                   "only so many of the largest, by block Krylov iteration, with residuals")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--tolerance", options->tolerance,
                   "--top: of the residuals, relative to the largest value")
      ->check(CLI::Range(1e-12, 1.0))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "of the CPU; 0: all")->capture_default_str();
  command->add_flag("--weightwatcher", options->report.weight_watcher,
                    "also alpha and norms as WeightWatcher computes them");
  command->add_flag("--shuffled", options->shuffled,
                    "also the spectra of the same elements in random order, as a null");
  command->add_option("--bootstrap", options->report.replicates, "replicates for the band of alpha")
      ->capture_default_str();
  command->add_flag("--json", options->json, "as JSON on standard output");
  addHeadOptions(*command, *options);
  addComparisonOptions(*command, *options);
  addRunOptions(*command, *options);
  addFigureOptions(*command, *options);
  command->callback([options, &common] { run(common, [&] { return spectra(common, *options); }); });
}

}  // namespace vitrine::app
