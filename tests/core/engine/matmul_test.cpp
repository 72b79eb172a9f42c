// Matrix products in every weight format, shape and epilogue, against exact expansion and double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "core/engine/kernels.h"
#include "core/tensor/dequantize.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"

namespace vitrine::core::matmul_test {
namespace {

constexpr float kSentinel = -1234.5f;
constexpr float kEpsilon = 1e-5f;

struct Product {
  std::vector<double> values, magnitudes;  // sum of w x and of |w x|, (tokens, rows)
};

// Random weights of a stored type, on the device and expanded.
struct Weights {
  Matrix matrix;
  std::vector<float> expanded, bias;  // (rows, columns), (rows)
};

// Where the half floats of a block lie: they must be finite.
std::vector<std::size_t> halfOffsets(DType type) {
  switch (type) {
    case DType::kQ4_1:
    case DType::kQ5_1:
    case DType::kQ4_K:
    case DType::kQ5_K:
      return {0, 2};
    case DType::kQ2_K:
      return {80, 82};
    case DType::kQ3_K:
      return {108};
    case DType::kQ6_K:
      return {208};
    default:
      return {0};
  }
}

void put(std::vector<std::byte>& bytes, std::size_t at, const auto& value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

// erf form by the library; the kernel's other forms as they are written in papers.
double activated(Activation activation, double v) {
  switch (activation) {
    case Activation::kSilu:
      return v / (1 + std::exp(-v));
    case Activation::kGelu:
      return 0.5 * v * std::erfc(-v / std::sqrt(2.0));
    case Activation::kGeluTanh:
      return 0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
    case Activation::kRelu:
      return std::max(v, 0.0);
    case Activation::kReluSquared:
      return std::max(v, 0.0) * std::max(v, 0.0);
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-v));
  }
  return NAN;
}

class MatmulTest : public test::GpuTest {
 protected:
  float normal() { return std::normal_distribution<float>()(random_); }

  std::vector<std::byte> randomRow(DType type, std::size_t columns) {
    std::vector<std::byte> row(rowBytes(type, columns));
    const DTypeInfo& stored = info(type);
    if (!stored.quantized) {
      for (std::size_t c = 0; c < columns; ++c) {
        float value = normal();
        if (type == DType::kF32) put(row, 4 * c, value);
        if (type == DType::kF16) put(row, 2 * c, floatToHalf(value));
        if (type == DType::kBF16)
          put(row, 2 * c, static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16));
        if (type == DType::kF8_E4M3) row[c] = std::byte(random_() & 0xB7);  // below 2
        if (type == DType::kF8_E5M2) row[c] = std::byte(random_() & 0xBF);
      }
      return row;
    }
    for (std::byte& byte : row) byte = static_cast<std::byte>(random_());
    for (std::size_t block = 0; block < row.size(); block += stored.block_bytes)
      if (type == DType::kMXFP4)
        row[block] = std::byte(120 + random_() % 10);  // the exponent
      else
        for (std::size_t at : halfOffsets(type)) put(row, block + at, floatToHalf(0.05f * normal()));
    return row;
  }

  Weights weights(DType type, std::size_t rows, std::size_t columns, bool biased) {
    Weights made;
    made.matrix.layout = test::expectValue(packedLayout(type, rows, columns));
    const PackedLayout& layout = made.matrix.layout;
    std::vector<std::byte> low(layout.lowBytes()), high(layout.highBytes()), scale(layout.scaleBytes());
    made.expanded.resize(rows * columns);
    for (std::size_t r = 0; r < rows; ++r) {
      auto row = randomRow(type, columns);
      test::expectOk(dequantize(type, row, std::span(made.expanded).subspan(r * columns, columns)));
      test::expectOk(packRow(type, row, layout,
                             {std::span(low).subspan(r * layout.low_row, layout.low_row),
                              std::span(high).subspan(r * layout.high_row, layout.high_row),
                              std::span(scale).subspan(r * layout.scale_row, layout.scale_row)}));
    }
    constexpr std::uint64_t kPadding = 3 * 256;  // planes start at multiples of 256
    made.matrix.buffer = test::expectValue(
        gpu::Buffer::create(device(), layout.bytes() + kPadding, gpu::MemoryKind::kDevice, "weights"));
    test::expectOk(gpu::upload(device(), low, made.matrix.low()));
    if (!high.empty()) test::expectOk(gpu::upload(device(), high, made.matrix.high()));
    if (!scale.empty()) test::expectOk(gpu::upload(device(), scale, made.matrix.scale()));
    made.bias.resize(rows);
    if (biased) {
      for (float& b : made.bias) b = 3 * normal();
      made.matrix.bias = bufferOf(made.bias);
    }
    return made;
  }

  struct Case {
    std::uint32_t tokens = 1;
    bool norm = false;
    Epilogue epilogue = Epilogue::kStore;
    Activation activation = Activation::kSilu;
    std::optional<MatmulShape> shape = {};
  };

  // W norm(x) + bias in double precision.
  static Product reference(const Weights& w, const std::vector<float>& x, std::size_t x_stride,
                           const std::vector<float>& gain, const Case& c) {
    std::size_t rows = w.matrix.layout.rows, columns = w.matrix.layout.columns;
    Product product{std::vector<double>(c.tokens * rows), std::vector<double>(c.tokens * rows)};
    for (std::size_t t = 0; t < c.tokens; ++t) {
      double squares = 0;
      for (std::size_t i = 0; i < columns; ++i) squares += double(x[t * x_stride + i]) * x[t * x_stride + i];
      double scale = c.norm ? 1 / std::sqrt(squares / static_cast<double>(columns) + kEpsilon) : 1;
      for (std::size_t r = 0; r < rows; ++r) {
        double sum = w.bias[r], magnitude = std::abs(w.bias[r]);
        for (std::size_t i = 0; i < columns; ++i) {
          double term =
              double(w.expanded[r * columns + i]) * x[t * x_stride + i] * scale * (c.norm ? gain[i] : 1);
          sum += term;
          magnitude += std::abs(term);
        }
        product.values[t * rows + r] = sum;
        product.magnitudes[t * rows + r] = magnitude;
      }
    }
    return product;
  }

  // What the epilogue makes of a product: (tokens, outputs).
  static std::vector<double> finish(const Case& c, const Product& product, std::size_t rows,
                                    const std::vector<float>& before, const std::vector<float>& gate,
                                    std::size_t y_stride) {
    std::size_t outputs = c.epilogue == Epilogue::kGlu ? rows / 2 : rows;
    std::vector<double> y;
    for (std::size_t t = 0; t < c.tokens; ++t)
      for (std::size_t o = 0; o < outputs; ++o) {
        const double* row = &product.values[t * rows];
        if (c.epilogue == Epilogue::kGlu)
          y.push_back(activated(c.activation, row[2 * o]) * row[2 * o + 1]);
        else if (c.epilogue == Epilogue::kAdd)
          y.push_back(before[t * y_stride + o] + row[o]);
        else if (c.epilogue == Epilogue::kMultiplySigmoid)
          y.push_back(before[t * y_stride + o] / (1 + std::exp(-row[o])));
        else if (c.epilogue == Epilogue::kGated)
          y.push_back(activated(c.activation, gate[t * y_stride + o]) * row[o]);
        else
          y.push_back(c.epilogue == Epilogue::kActivate ? activated(c.activation, row[o]) : row[o]);
      }
    return y;
  }

  void expectProduct(const Weights& w, const Case& c) {
    SCOPED_TRACE(fmt::format(
        "{} x {}, {} tokens, epilogue {} activation {} shape {}", w.matrix.layout.rows,
        w.matrix.layout.columns, c.tokens, static_cast<int>(c.epilogue), static_cast<int>(c.activation),
        c.shape
            ? fmt::format("{} {} {} {}", c.shape->rows, c.shape->tokens, c.shape->depth, c.shape->subgroups)
            : "chosen"));
    std::size_t rows = w.matrix.layout.rows, columns = w.matrix.layout.columns;
    std::size_t x_stride = (columns + 31) / 32 * 32, y_stride = (rows + 3) / 4 * 4 + 4;
    std::vector<float> x(c.tokens * x_stride), gain(x_stride);
    for (std::size_t t = 0; t < c.tokens; ++t)
      for (std::size_t i = 0; i < columns; ++i)
        x[t * x_stride + i] =
            normal() * (random_() % 50 == 0 ? 300.0f : 1.0f);  // outliers, as in real models
    for (std::size_t i = 0; i < columns; ++i) gain[i] = 1 + 0.5f * normal();
    // A row of sentinels in front of y and one behind it.
    std::vector<float> y((c.tokens + 2) * y_stride, kSentinel), gate(c.tokens * y_stride);
    if (c.epilogue == Epilogue::kAdd || c.epilogue == Epilogue::kMultiplySigmoid)
      for (std::size_t t = 0; t < c.tokens; ++t)
        for (std::size_t r = 0; r < rows; ++r) y[(t + 1) * y_stride + r] = 10 * normal();
    for (float& g : gate) g = 3 * normal();
    gpu::Buffer x_buffer = bufferOf(x), gain_buffer = bufferOf(gain), y_buffer = bufferOf(y),
                gate_buffer = bufferOf(gate);
    auto commands = test::expectValue(gpu::Commands::create(device(), "matmul"));
    test::expectOk(commands.begin());
    test::expectOk(
        kernels_.matmul(commands, {.matrix = &w.matrix,
                                   .x = x_buffer,
                                   .x_stride = static_cast<std::uint32_t>(x_stride),
                                   .y = {y_buffer, y_stride * 4, c.tokens * y_stride * 4},
                                   .y_stride = static_cast<std::uint32_t>(y_stride),
                                   .tokens = c.tokens,
                                   .norm_gain = c.norm ? &gain_buffer : nullptr,
                                   .epsilon = kEpsilon,
                                   .epilogue = c.epilogue,
                                   .activation = c.activation,
                                   .aux = c.epilogue == Epilogue::kGated ? gate_buffer.address() : 0,
                                   .shape = c.shape}));
    test::expectOk(commands.end());
    test::expectOk(commands.submitAndWait());

    Product product = reference(w, x, x_stride, gain, c);
    std::vector<float> before(y.begin() + static_cast<std::ptrdiff_t>(y_stride), y.end());
    std::vector<double> expected = finish(c, product, rows, before, gate, y_stride);
    std::size_t outputs = expected.size() / c.tokens;
    std::vector<float> after = contentOf<float>(y_buffer), out;
    std::size_t strays = 0;
    for (std::size_t i = 0; i < after.size(); ++i) {
      std::size_t line = i / y_stride, column = i % y_stride;
      bool written = line >= 1 && line <= c.tokens && column < outputs;
      if (written)
        out.push_back(after[i]);
      else
        strays += after[i] != y[i];
    }
    EXPECT_EQ(strays, 0u) << "writes outside of y";
    // A few sums can cancel to almost nothing: those are held to the size of their terms, below.
    if (expected.size() >= 16) {
      EXPECT_CLOSE(out, expected, 1e-5);
    }
    if (c.epilogue != Epilogue::kStore) return;
    for (std::size_t i = 0; i < out.size(); ++i)
      ASSERT_NEAR(out[i], expected[i], 4e-6 * product.magnitudes[i] + 1e-30) << "element " << i;
  }

  std::mt19937 random_{7};
  Kernels kernels_{device()};
};

class MatmulTypeTest : public MatmulTest, public ::testing::WithParamInterface<DType> {
 protected:
  std::vector<std::size_t> columns() const {
    std::uint32_t block = info(GetParam()).block_size;
    if (block == 1) return {4, 36, 100, 288};
    return block == 32 ? std::vector<std::size_t>{32, 96, 288} : std::vector<std::size_t>{256, 768};
  }
};

TEST_P(MatmulTypeTest, EveryOddSize) {
  for (std::size_t rows : {1, 2, 7, 33})
    for (std::size_t columns : this->columns()) {
      Weights w = weights(GetParam(), rows, columns, false);
      for (std::uint32_t tokens : {1, 3, 4, 5, 17}) expectProduct(w, {.tokens = tokens});
      if (HasFailure()) return;
    }
}

TEST_P(MatmulTypeTest, NormInFrontAndBias) {
  for (std::size_t columns : this->columns()) {
    Weights w = weights(GetParam(), 7, columns, true);
    for (std::uint32_t tokens : {1, 5}) expectProduct(w, {.tokens = tokens, .norm = true});
  }
}

INSTANTIATE_TEST_SUITE_P(Types, MatmulTypeTest,
                         ::testing::Values(DType::kF32, DType::kF16, DType::kBF16, DType::kQ8_0, DType::kQ4_0,
                                           DType::kQ4_1, DType::kQ5_0, DType::kQ5_1, DType::kQ2_K,
                                           DType::kQ3_K, DType::kQ4_K, DType::kQ5_K, DType::kQ6_K,
                                           DType::kIQ4_NL, DType::kIQ4_XS, DType::kMXFP4, DType::kF8_E4M3,
                                           DType::kF8_E5M2),
                         [](const auto& tested) { return std::string(name(tested.param)); });

TEST_F(MatmulTest, EveryEpilogueAndActivation) {
  Weights odd = weights(DType::kF32, 33, 36, true), even = weights(DType::kF32, 34, 36, true);
  for (std::uint32_t tokens : {1, 5}) {
    expectProduct(odd, {.tokens = tokens, .epilogue = Epilogue::kAdd});
    expectProduct(odd, {.tokens = tokens, .epilogue = Epilogue::kMultiplySigmoid});
    for (Activation activation : {Activation::kSilu, Activation::kGelu, Activation::kGeluTanh,
                                  Activation::kRelu, Activation::kReluSquared, Activation::kSigmoid}) {
      expectProduct(even, {.tokens = tokens, .epilogue = Epilogue::kGlu, .activation = activation});
      expectProduct(odd, {.tokens = tokens, .epilogue = Epilogue::kGated, .activation = activation});
      expectProduct(odd, {.tokens = tokens, .epilogue = Epilogue::kActivate, .activation = activation});
    }
  }
}

// Where the device has matrix units these run on them; elsewhere they hold the plain kernel.
TEST_F(MatmulTest, ManyTokens) {
  for (DType type :
       {DType::kF32, DType::kF16, DType::kBF16, DType::kQ8_0, DType::kQ4_1, DType::kQ5_K, DType::kQ6_K})
    for (std::size_t rows : {1, 66})
      for (std::size_t columns : {256}) {
        SCOPED_TRACE(name(type));
        Weights w = weights(type, rows, columns, true);
        for (std::uint32_t tokens : {96, 131}) {
          expectProduct(w, {.tokens = tokens});
          expectProduct(w, {.tokens = tokens, .epilogue = Epilogue::kAdd});
          if (rows % 2 == 0) expectProduct(w, {.tokens = tokens, .epilogue = Epilogue::kGlu});
        }
        if (HasFailure()) return;
      }
  Weights ragged = weights(DType::kF16, 70, 36, true);  // columns that end within a tile
  expectProduct(ragged, {.tokens = 97, .epilogue = Epilogue::kActivate});
}

// The shapes of GPUs work wherever they run; lavapipe's compiler limits how many of them a test can afford.
TEST_F(MatmulTest, ShapesOfOtherDevices) {
  for (DType type : {DType::kF16, DType::kQ8_0, DType::kQ4_K}) {
    SCOPED_TRACE(name(type));
    for (std::size_t columns : {256, 2304}) {  // beyond what `depth` chunks of all lanes cover, and below
      Weights w = weights(type, 33, columns, false);
      for (bool software : {true, false}) {
        gpu::DeviceInfo info = device().info();
        info.software = software;
        for (std::uint32_t tokens : {1, 4, 17}) {
          MatmulShape shape = matmulShape(info, tokens);
          if (device().info().software && shape.rows * shape.tokens > 16) continue;
          expectProduct(w, {.tokens = tokens, .norm = true, .shape = shape});
        }
      }
    }
  }
}

}  // namespace
}  // namespace vitrine::core::matmul_test
