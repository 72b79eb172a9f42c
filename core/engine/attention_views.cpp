#include "core/engine/attention_views.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "core/model/map_source.h"
#include "core/tensor/dequantize.h"
#include "gpu/commands.h"
#include "views/attention_map.params.h"
#include "views/attention_overview.params.h"
#include "views/attention_received.params.h"
#include "views/head_means.params.h"

namespace vitrine::core {
namespace {

constexpr std::uint32_t kHistogramBins = 64;
constexpr std::uint32_t kReceivedQueries = 1024;  // sampled for the mean that a key receives
constexpr std::uint32_t kMaxPairs = 1024;         // sampled for the induction score
constexpr std::uint32_t kMeanFloats = 8;
constexpr float kMasked = -1;

std::optional<MapSource> sourceOfLayer(const Session& session, std::uint32_t layer) {
  return mapSource(session.model().spec().blocks[layer]);
}

std::uint32_t mostHeads(const Model& model) {
  std::uint32_t heads = 0;
  for (const BlockSpec& block : model.spec().blocks)
    if (const auto source = mapSource(block)) heads = std::max(heads, source->heads);
  return heads;
}

// Whether a layer's rows are halves: what a mixer implies is kept in full precision.
bool keepsHalves(const Session& session, const MapSource& source) {
  return !source.implied && session.options().cache == CacheType::kF16;
}

// Cells [first, first + count) of an axis, and how many pixels show them.
struct Axis {
  std::uint32_t first = 0, count = 0, pixels = 0;
};

Axis clipAxis(double from, double to, std::uint32_t pixels, std::uint32_t tokens) {
  auto low = static_cast<std::uint32_t>(std::clamp(std::floor(from), 0.0, tokens - 1.0));
  auto high = static_cast<std::uint32_t>(std::clamp(std::ceil(to), low + 1.0, static_cast<double>(tokens)));
  Axis axis{.first = low, .count = high - low};
  // Cells beyond the sequence take their pixels with them, so that a growing map keeps its resolution.
  const double kept = axis.count / std::max(std::ceil(to) - low, 1.0);
  axis.pixels = std::clamp(static_cast<std::uint32_t>(std::lround(pixels * kept)), 1u, axis.count);
  return axis;
}

// Pairs (query, key after an earlier occurrence of the query's token), at most kMaxPairs, spread evenly.
std::vector<std::uint32_t> inductionPairs(std::span<const TokenId> tokens, std::uint32_t q_step) {
  std::map<TokenId, std::uint32_t> last_seen;
  std::vector<std::uint32_t> pairs;
  for (std::uint32_t q = 0; q < tokens.size(); ++q) {
    auto seen = last_seen.find(tokens[q]);
    if (seen != last_seen.end() && q % q_step == 0 && seen->second + 1 < q) {
      pairs.push_back(q);
      pairs.push_back(seen->second + 1);
    }
    last_seen[tokens[q]] = q;
  }
  std::size_t count = pairs.size() / 2;
  if (count <= kMaxPairs) return pairs;
  std::vector<std::uint32_t> sampled;
  for (std::size_t i = 0; i < kMaxPairs; ++i) {
    std::size_t pick = i * count / kMaxPairs;
    sampled.insert(sampled.end(), {pairs[2 * pick], pairs[2 * pick + 1]});
  }
  return sampled;
}

}  // namespace

struct AttentionViews::Impl {
  explicit Impl(gpu::Device& of) : device(of), kernels(of) {}

  gpu::Device& device;
  Kernels kernels;
  gpu::Commands commands;
  gpu::Image no_picture;  // bound where a kernel's output goes to a buffer
  gpu::Buffer values, host_values, pairs;
  std::vector<std::shared_ptr<gpu::Image>> pictures;
  double gpu_ms = 0;

  Result<std::shared_ptr<gpu::Image>> picture(std::uint32_t width, std::uint32_t height, std::string name);
  Result<void> reserve(std::uint64_t floats);
  Result<void> finish();

  shader::HeadRows head(const Session& session, std::uint32_t layer, std::uint32_t head) const;
  shader::AttentionOverviewParams layerHeads(const Session& session, std::uint32_t layer) const;
  Result<std::vector<gpu::Bound>> bound(const Session& session, std::uint32_t layer,
                                        const gpu::Image* picture) const;
  std::vector<gpu::Specialization> constants(const Session& session, std::uint32_t layer,
                                             Pooling pooling) const;
  Result<void> recordMap(const Session& session, const MapRequest& request, const Axis& queries,
                         const Axis& keys, const gpu::Image* picture, bool histogram);
  Result<void> recordReceived(const Session& session, const MapRequest& request, std::uint64_t at_float);
};

// A picture of this size that nobody holds any more, or a new one.
Result<std::shared_ptr<gpu::Image>> AttentionViews::Impl::picture(std::uint32_t width, std::uint32_t height,
                                                                  std::string name) {
  std::erase_if(pictures, [&](const auto& image) {
    return image.use_count() == 1 && (image->width() != width || image->height() != height) &&
           pictures.size() > 6;
  });
  for (const auto& image : pictures)
    if (image.use_count() == 1 && image->width() == width && image->height() == height) return image;
  TRY_ASSIGN(auto image, gpu::Image::create(device, width, height, VK_FORMAT_R32_SFLOAT, std::move(name)));
  pictures.push_back(std::make_shared<gpu::Image>(std::move(image)));
  return pictures.back();
}

Result<void> AttentionViews::Impl::reserve(std::uint64_t floats) {
  if (values && values.size() >= floats * 4) return {};
  TRY_ASSIGN(values, gpu::Buffer::create(device, floats * 4, gpu::MemoryKind::kDevice, "view values"));
  TRY_ASSIGN(host_values,
             gpu::Buffer::create(device, floats * 4, gpu::MemoryKind::kReadback, "view values, host"));
  return {};
}

Result<void> AttentionViews::Impl::finish() {
  commands.mark("end");
  commands.hostBarrier();
  TRY(commands.end());
  TRY(commands.submitAndWait());
  TRY_ASSIGN(auto marks, commands.marks());
  gpu_ms = marks.empty() ? 0 : marks.back().ms;
  return {};
}

shader::HeadRows AttentionViews::Impl::head(const Session& session, std::uint32_t layer,
                                            std::uint32_t head) const {
  const MapSource source = *sourceOfLayer(session, layer);
  const AttentionSpec* attention = session.model().attention(layer);
  AttentionRecord record = session.record(layer);
  std::uint32_t element = keepsHalves(session, source) ? 2 : 4;
  std::uint64_t kv_head = head / source.group();
  std::uint64_t q_at = (source.implied ? kv_head : head) * record.q_rows * source.head_dim;
  std::uint64_t k_at = kv_head * session.context() * source.head_dim;
  constexpr std::uint64_t kTermBytes = 3 * sizeof(float);  // of a position
  return {
      .q = record.q_store.address() + q_at * element,
      .k = record.k.address() + k_at * element,
      .lse = record.lse.address() + std::uint64_t(head) * session.context() * 4,
      .terms =
          source.implied ? record.terms.address() + std::uint64_t(head) * session.context() * kTermBytes : 0,
      .q_quad = static_cast<std::uint32_t>(q_at / 4),
      .k_quad = static_cast<std::uint32_t>(k_at / 4),
      .q_step = record.q_step,
      .tokens = session.length(),
      .window = source.window,
      .scale = source.scale,
      .soft_cap = source.soft_cap,
      .slope = attention && !attention->alibi_slopes.empty() ? attention->alibi_slopes[head] : 0,
  };
}

shader::AttentionOverviewParams AttentionViews::Impl::layerHeads(const Session& session,
                                                                 std::uint32_t layer) const {
  const MapSource source = *sourceOfLayer(session, layer);
  AttentionRecord record = session.record(layer);
  std::uint32_t element = keepsHalves(session, source) ? 2 : 4;
  return {
      .head = head(session, layer, 0),
      .slopes = record.slopes,
      .q_head_bytes = record.q_rows * source.head_dim * element,
      .k_head_bytes = session.context() * source.head_dim * element,
      .lse_head_floats = session.context(),
      .group = source.group(),
      .tile = 0,
      .layer = layer,
  };
}

Result<std::vector<gpu::Bound>> AttentionViews::Impl::bound(const Session& session, std::uint32_t layer,
                                                            const gpu::Image* picture) const {
  std::vector<gpu::Bound> bound;
  if (kernels.texel()) {
    AttentionRecord record = session.record(layer);
    VkFormat format = keepsHalves(session, *sourceOfLayer(session, layer)) ? VK_FORMAT_R16G16B16A16_SFLOAT
                                                                           : VK_FORMAT_R32G32B32A32_SFLOAT;
    TRY_ASSIGN(auto q, kernels.view(record.q_store, format));
    TRY_ASSIGN(auto k, kernels.view(record.k, format));
    bound = {q, k};
  }
  if (picture) bound.emplace_back(*picture);
  return bound;
}

std::vector<gpu::Specialization> AttentionViews::Impl::constants(const Session& session, std::uint32_t layer,
                                                                 Pooling pooling) const {
  const MapSource source = *sourceOfLayer(session, layer);
  return {{0, source.head_dim},
          {1, pooling == Pooling::kMean},
          {3, source.implied},
          {7, keepsHalves(session, source)}};
}

Result<void> AttentionViews::Impl::recordMap(const Session& session, const MapRequest& request,
                                             const Axis& queries, const Axis& keys, const gpu::Image* picture,
                                             bool histogram) {
  auto constants = this->constants(session, request.layer, request.pooling);
  constants.push_back({2, picture == nullptr});
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels.get("views/attention_map", 1, constants));
  TRY_ASSIGN(auto bound, this->bound(session, request.layer, picture ? picture : &no_picture));
  if (histogram) commands.fill({values, 0, kHistogramBins * 4}, 0);
  shader::AttentionMapParams params{
      .head = head(session, request.layer, request.head),
      .values = values.address(),
      .histogram = histogram ? values.address() : 0,
      .query0 = queries.first,
      .key0 = keys.first,
      .queries = queries.count,
      .keys = keys.count,
      .width = keys.pixels,
      .height = queries.pixels,
  };
  commands.dispatch(*kernel, {gpu::divideUp(keys.pixels, kernels.lanes()), queries.pixels}, params,
                    {.reads = {}, .writes = {values}}, bound);
  return {};
}

Result<void> AttentionViews::Impl::recordReceived(const Session& session, const MapRequest& request,
                                                  std::uint64_t at_float) {
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("views/attention_received", 1, constants(session, request.layer, Pooling::kMean)));
  TRY_ASSIGN(auto bound, this->bound(session, request.layer, nullptr));
  shader::HeadRows rows = head(session, request.layer, request.head);
  std::uint32_t step = std::max(1u, session.length() / kReceivedQueries);
  shader::AttentionReceivedParams params{
      .head = rows,
      .received = values.address() + at_float * 4,
      .query_step = gpu::divideUp(step, rows.q_step) * rows.q_step,
  };
  gpu::Slice out(values, at_float * 4, session.length() * 4ull);
  commands.dispatch(*kernel, {gpu::divideUp(session.length(), kernels.lanes())}, params,
                    {.reads = {}, .writes = {out}}, bound);
  return {};
}

AttentionViews::AttentionViews() = default;
AttentionViews::~AttentionViews() {
  if (impl_) (void)impl_->device.waitIdle();
}

Result<std::unique_ptr<AttentionViews>> AttentionViews::create(gpu::Device& device) {
  std::unique_ptr<AttentionViews> views(new AttentionViews);
  views->impl_ = std::make_unique<Impl>(device);
  Impl& impl = *views->impl_;
  TRY_ASSIGN(impl.commands, gpu::Commands::create(device, "attention views"));
  TRY_ASSIGN(impl.no_picture, gpu::Image::create(device, 1, 1, VK_FORMAT_R32_SFLOAT, "no picture"));
  return views;
}

Result<MapPicture> AttentionViews::map(const Session& session, const MapRequest& request) {
  Impl& impl = *impl_;
  std::uint32_t tokens = session.length();
  TRY(check(session, request.layer, request.head));
  TRY(session.sumImplied(request.layer));
  Axis queries = clipAxis(request.query0, request.query1, request.height, tokens);
  Axis keys = clipAxis(request.key0, request.key1, request.width, tokens);
  TRY_ASSIGN(auto picture, impl.picture(keys.pixels, queries.pixels, "attention map"));
  // values: histogram, received per key, then the head's summaries (two words a query)
  std::uint64_t received_at = kHistogramBins, summary_at = received_at + tokens;
  TRY(impl.reserve(summary_at + 2ull * tokens));
  gpu::Commands& commands = impl.commands;
  TRY(commands.begin());
  commands.mark("begin");
  TRY(impl.recordMap(session, request, queries, keys, picture.get(), true));
  TRY(impl.recordReceived(session, request, received_at));
  AttentionRecord record = session.record(request.layer);
  commands.copy({impl.values, 0, summary_at * 4}, {impl.host_values, 0, summary_at * 4});
  std::uint64_t summary_bytes = 8ull * tokens;
  commands.copy({*record.summary.buffer,
                 record.summary.offset + std::uint64_t(request.head) * session.context() * 8, summary_bytes},
                {impl.host_values, summary_at * 4, summary_bytes});
  TRY(impl.finish());

  MapPicture result{
      .image = picture, .ready = impl.device.lastSubmitted(), .request = request, .tokens = tokens};
  result.request.query0 = queries.first;
  result.request.query1 = queries.first + queries.count;
  result.request.key0 = keys.first;
  result.request.key1 = keys.first + keys.count;
  result.request.width = keys.pixels;
  result.request.height = queries.pixels;
  auto words = impl.host_values.mappedAs<std::uint32_t>();
  auto floats = impl.host_values.mappedAs<float>();
  result.histogram.assign(words.begin(), words.begin() + kHistogramBins);
  result.received.assign(floats.begin() + received_at, floats.begin() + summary_at);
  for (std::uint32_t q = 0; q < tokens; ++q)
    result.entropy.push_back(halfToFloat(static_cast<std::uint16_t>(words[summary_at + 2 * q] & 0xffff)));
  return result;
}

Result<OverviewPicture> AttentionViews::overview(const Session& session, const OverviewRequest& request) {
  Impl& impl = *impl_;
  TRY(check(session));
  TRY(session.sumImplied(std::nullopt));
  std::uint32_t tile = std::clamp(request.tile, 1u, 256u), layers = session.model().layers();
  std::uint32_t heads = mostHeads(session.model());
  TRY_ASSIGN(auto picture, impl.picture(heads * tile, layers * tile, "attention overview"));
  gpu::Commands& commands = impl.commands;
  TRY(commands.begin());
  commands.mark("begin");
  commands.clear(*picture, kMasked);  // layers without a map, and those with fewer heads than others
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    const auto source = sourceOfLayer(session, layer);
    if (!source) continue;
    TRY_ASSIGN(const gpu::Kernel* kernel, impl.kernels.get("views/attention_overview", 1,
                                                           impl.constants(session, layer, request.pooling)));
    TRY_ASSIGN(auto bound, impl.bound(session, layer, picture.get()));
    shader::AttentionOverviewParams params = impl.layerHeads(session, layer);
    params.tile = tile;
    gpu::Groups groups{gpu::divideUp(tile, impl.kernels.lanes()), tile, source->heads};
    commands.dispatch(*kernel, groups, params, {}, bound);
  }
  TRY(impl.finish());
  return OverviewPicture{.image = picture,
                         .ready = impl.device.lastSubmitted(),
                         .request = request,
                         .tokens = session.length(),
                         .layers = layers,
                         .heads = heads};
}

Result<RowValues> AttentionViews::row(const Session& session, const RowRequest& request) {
  Impl& impl = *impl_;
  std::uint32_t tokens = session.length();
  TRY(check(session, request.layer, request.head));
  TRY(session.sumImplied(request.layer));
  if (request.query >= tokens)
    return fail(ErrorCode::kInvalidArgument, "query {} lies beyond the {} tokens of the sequence",
                request.query, tokens);
  AttentionRecord record = session.record(request.layer);
  TRY(impl.reserve(tokens + 1));
  TRY(impl.commands.begin());
  impl.commands.mark("begin");
  MapRequest map{.layer = request.layer, .head = request.head};
  TRY(impl.recordMap(session, map, {request.query, 1, 1}, {0, tokens, tokens}, nullptr, false));
  impl.commands.copy({impl.values, 0, tokens * 4ull}, {impl.host_values, 0, tokens * 4ull});
  std::uint64_t lse_at =
      record.lse.offset + (std::uint64_t(request.head) * session.context() + request.query) * 4;
  impl.commands.copy({*record.lse.buffer, lse_at, 4}, {impl.host_values, tokens * 4ull, 4});
  TRY(impl.finish());
  auto floats = impl.host_values.mappedAs<float>();
  return RowValues{
      .request = request, .probability = {floats.begin(), floats.begin() + tokens}, .lse = floats[tokens]};
}

Result<std::vector<HeadSummary>> AttentionViews::heads(const Session& session) {
  Impl& impl = *impl_;
  TRY(check(session));
  TRY(session.sumImplied(std::nullopt));
  std::uint32_t layers = session.model().layers(), heads = mostHeads(session.model());
  std::vector<std::uint32_t> pairs = inductionPairs(session.tokens(), session.queryStep());
  if (!impl.pairs) {
    TRY_ASSIGN(impl.pairs,
               gpu::Buffer::create(impl.device, kMaxPairs * 8, gpu::MemoryKind::kDevice, "induction pairs"));
  }
  std::uint64_t layer_floats = std::uint64_t(heads) * kMeanFloats;
  TRY(impl.reserve(layers * layer_floats));
  TRY(impl.commands.begin());
  impl.commands.mark("begin");
  if (!pairs.empty())
    impl.commands.update({impl.pairs, 0, pairs.size() * 4}, std::as_bytes(std::span(pairs)));
  impl.commands.fill({impl.values, 0, layers * layer_floats * 4},
                     std::bit_cast<std::uint32_t>(std::nanf("")));
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    const auto source = sourceOfLayer(session, layer);
    if (!source) continue;
    TRY_ASSIGN(const gpu::Kernel* kernel,
               impl.kernels.get("views/head_means", 1, impl.constants(session, layer, Pooling::kMean)));
    TRY_ASSIGN(auto bound, impl.bound(session, layer, nullptr));
    shader::HeadMeansParams params{
        .layer = impl.layerHeads(session, layer),
        .summary = session.record(layer).summary.address(),
        .pairs = impl.pairs.address(),
        .means = impl.values.address() + layer * layer_floats * 4,
        .pair_count = static_cast<std::uint32_t>(pairs.size() / 2),
        .context = session.context(),
    };
    gpu::Slice out(impl.values, layer * layer_floats * 4, layer_floats * 4);
    impl.commands.dispatch(*kernel, {source->heads}, params, {.reads = {impl.pairs}, .writes = {out}}, bound);
  }
  impl.commands.copy({impl.values, 0, layers * layer_floats * 4}, impl.host_values);
  TRY(impl.finish());
  auto floats = impl.host_values.mappedAs<float>();
  std::vector<HeadSummary> result(layers * heads);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const float* mean = &floats[i * kMeanFloats];
    result[i] = {mean[0], mean[1], mean[2], mean[3], mean[4] < 0 ? std::nanf("") : mean[4]};
  }
  return result;
}

Result<std::vector<float>> AttentionViews::matrix(const Session& session, std::uint32_t layer,
                                                  std::uint32_t head) {
  Impl& impl = *impl_;
  std::uint32_t tokens = session.length();
  TRY(check(session, layer, head));
  TRY(session.sumImplied(layer));
  std::uint64_t cells = std::uint64_t(tokens) * tokens;
  TRY(impl.reserve(cells));
  TRY(impl.commands.begin());
  impl.commands.mark("begin");
  Axis all{0, tokens, tokens};
  TRY(impl.recordMap(session, {.layer = layer, .head = head}, all, all, nullptr, false));
  impl.commands.copy({impl.values, 0, cells * 4}, {impl.host_values, 0, cells * 4});
  TRY(impl.finish());
  auto floats = impl.host_values.mappedAs<float>();
  return std::vector<float>(floats.begin(), floats.begin() + static_cast<std::ptrdiff_t>(cells));
}

double AttentionViews::lastGpuMs() const {
  return impl_->gpu_ms;
}

std::uint64_t AttentionViews::memoryBytes() const {
  std::uint64_t bytes = impl_->values.size() + impl_->host_values.size();
  for (const auto& picture : impl_->pictures) bytes += picture->bytes();
  return bytes;
}

Result<void> AttentionViews::check(const Session& session) const {
  if (!session.options().probes)
    return fail(ErrorCode::kInvalidArgument,
                "the session keeps no queries: create it with probes to see attention");
  if (session.length() == 0)
    return fail(ErrorCode::kInvalidArgument, "the sequence is empty: there is no attention to show");
  if (mostHeads(session.model()) == 0)
    return fail(ErrorCode::kUnsupported, "no layer of this model has a map: there is nothing to show");
  return {};
}

Result<void> AttentionViews::check(const Session& session, std::uint32_t layer, std::uint32_t head) const {
  TRY(check(session));
  const bool exists = layer < session.model().layers();
  const auto source = exists ? sourceOfLayer(session, layer) : std::nullopt;
  if (exists && !source)
    return fail(ErrorCode::kUnsupported, "layer {} has no map to show. {}", layer,
                whyNoMap(session.model().spec().blocks[layer]));
  if (!exists || head >= source->heads)
    return fail(ErrorCode::kInvalidArgument, "there is no layer {} head {}", layer, head);
  return {};
}

}  // namespace vitrine::core
