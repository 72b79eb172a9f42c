#include "gpu/reflection.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <spirv/unified1/spirv.hpp11>

namespace vitrine::gpu {
namespace {

using Id = std::uint32_t;
using Operands = std::span<const std::uint32_t>;  // the words of an instruction after its first

struct Type {
  spv::Op op{};
  std::vector<std::uint32_t> operands;  // after the result id
};

struct Variable {
  Id id = 0, type = 0;
  spv::StorageClass storage{};
};

struct Extent {  // of a type in scalar layout
  std::uint64_t bytes = 0, alignment = 1;
};

class Module {
 public:
  Module(std::span<const std::uint32_t> words, std::span<const Specialization> constants,
         const std::string& name)
      : words_(words), name_(name) {
    for (const Specialization& it : constants) specialized_[it.id] = it.value;
  }

  Result<Reflection> reflect() {
    TRY(readAll());
    Reflection result;
    result.capabilities = capabilities_;
    TRY(readWorkgroupSize(result));
    for (const Variable& variable : variables_) TRY(readVariable(variable, result));
    std::sort(result.bindings.begin(), result.bindings.end(),
              [](const Binding& a, const Binding& b) { return a.index < b.index; });
    return result;
  }

 private:
  template <typename... Args>
  tl::unexpected<Error> unsupported(fmt::format_string<Args...> format, Args&&... args) const {
    return fail(ErrorCode::kUnsupported, "shader {}: {}", name_,
                fmt::format(format, std::forward<Args>(args)...));
  }

  Result<void> readAll() {
    constexpr std::size_t kHeader = 5;
    if (words_.size() < kHeader || words_[0] != spv::MagicNumber)
      return fail(ErrorCode::kInvalidFile, "shader {}: not a SPIR-V module", name_);
    for (std::size_t at = kHeader; at < words_.size();) {
      const std::uint32_t count = words_[at] >> spv::WordCountShift;
      if (count == 0 || count > words_.size() - at)
        return fail(ErrorCode::kInvalidFile, "shader {}: the SPIR-V is cut off at word {}", name_, at);
      const auto op = static_cast<spv::Op>(words_[at] & spv::OpCodeMask);
      // No instruction of interest has fewer operands than its row here; a shorter one is malformed.
      if (!read(op, words_.subspan(at + 1, count - 1)))
        return fail(ErrorCode::kInvalidFile, "shader {}: malformed SPIR-V at word {}", name_, at);
      at += count;
    }
    if (entry_points_ != 1) return unsupported("{} entry points, Vitrine expects one", entry_points_);
    return {};
  }

  bool read(spv::Op op, Operands in) {
    switch (op) {
      case spv::Op::OpCapability:
        if (in.empty()) return false;
        capabilities_.push_back(in[0]);
        return true;
      case spv::Op::OpEntryPoint:
        ++entry_points_;
        return true;
      case spv::Op::OpExecutionMode:
      case spv::Op::OpExecutionModeId:
        return readExecutionMode(in);
      case spv::Op::OpDecorate:
        if (in.size() < 2) return false;
        decorations_[{in[0], static_cast<spv::Decoration>(in[1])}] = in.size() > 2 ? in[2] : 0;
        return true;
      case spv::Op::OpMemberDecorate:
        if (in.size() < 3) return false;
        if (static_cast<spv::Decoration>(in[2]) == spv::Decoration::Offset && in.size() > 3)
          offsets_[{in[0], in[1]}] = in[3];
        return true;
      case spv::Op::OpConstant:
      case spv::Op::OpSpecConstant:
        if (in.size() < 3) return false;
        constants_[in[1]] = in[2];
        return true;
      case spv::Op::OpSpecConstantTrue:
      case spv::Op::OpSpecConstantFalse:
        if (in.size() < 2) return false;
        constants_[in[1]] = op == spv::Op::OpSpecConstantTrue;
        return true;
      case spv::Op::OpConstantComposite:
      case spv::Op::OpSpecConstantComposite:
        if (in.size() < 2) return false;
        composites_[in[1]].assign(in.begin() + 2, in.end());
        return true;
      case spv::Op::OpVariable:
        if (in.size() < 3) return false;
        variables_.push_back({in[1], in[0], static_cast<spv::StorageClass>(in[2])});
        return true;
      case spv::Op::OpTypeForwardPointer:
        return true;
      default:
        return readType(op, in);
    }
  }

  bool readType(spv::Op op, Operands in) {
    const bool type = (op >= spv::Op::OpTypeVoid && op <= spv::Op::OpTypePointer) ||
                      op == spv::Op::OpTypeCooperativeMatrixKHR;
    if (!type) return true;
    if (in.empty()) return false;
    types_[in[0]] = {op, {in.begin() + 1, in.end()}};
    return true;
  }

  bool readExecutionMode(Operands in) {
    if (in.size() < 2) return false;
    const auto mode = static_cast<spv::ExecutionMode>(in[1]);
    if (mode != spv::ExecutionMode::LocalSize && mode != spv::ExecutionMode::LocalSizeId) return true;
    if (in.size() < 5) return false;
    local_size_is_ids_ = mode == spv::ExecutionMode::LocalSizeId;
    local_size_ = {in[2], in[3], in[4]};
    return true;
  }

  std::optional<std::uint32_t> decoration(Id id, spv::Decoration which) const {
    const auto found = decorations_.find({id, which});
    return found == decorations_.end() ? std::nullopt : std::optional(found->second);
  }

  // The value of an integer constant, specialized where the caller says so.
  Result<std::uint32_t> constant(Id id) const {
    if (const auto spec = decoration(id, spv::Decoration::SpecId))
      if (const auto value = specialized_.find(*spec); value != specialized_.end()) return value->second;
    if (const auto found = constants_.find(id); found != constants_.end()) return found->second;
    return unsupported("a size is computed from specialization constants (id {}); state it directly", id);
  }

  Result<void> readWorkgroupSize(Reflection& result) const {
    result.workgroup_size = local_size_;
    std::vector<Id> ids;
    if (local_size_is_ids_) ids.assign(local_size_.begin(), local_size_.end());
    for (const auto& [key, value] : decorations_)  // an object decorated WorkgroupSize goes before LocalSize
      if (key.second == spv::Decoration::BuiltIn &&
          static_cast<spv::BuiltIn>(value) == spv::BuiltIn::WorkgroupSize)
        if (const auto found = composites_.find(key.first); found != composites_.end()) ids = found->second;
    if (ids.size() != 3) return {};
    for (int axis = 0; axis < 3; ++axis) {
      TRY_ASSIGN(result.workgroup_size[axis], constant(ids[axis]));
    }
    return {};
  }

  Result<void> readVariable(const Variable& variable, Reflection& result) const {
    const auto pointer = types_.find(variable.type);
    if (pointer == types_.end() || pointer->second.op != spv::Op::OpTypePointer ||
        pointer->second.operands.size() < 2)
      return fail(ErrorCode::kInvalidFile, "shader {}: variable {} has no pointer type", name_, variable.id);
    const Id pointee = pointer->second.operands[1];
    switch (variable.storage) {
      case spv::StorageClass::PushConstant: {
        TRY_ASSIGN(const Extent extent, extentOf(pointee));
        result.push_constant_bytes = static_cast<std::uint32_t>(extent.bytes);
        return {};
      }
      case spv::StorageClass::Workgroup: {
        TRY_ASSIGN(const Extent extent, extentOf(pointee));
        result.shared_bytes += static_cast<std::uint32_t>(std::min<std::uint64_t>(extent.bytes, 1u << 30));
        return {};
      }
      case spv::StorageClass::UniformConstant:
      case spv::StorageClass::StorageBuffer:
      case spv::StorageClass::Uniform:
        return readBinding(variable, pointee, result);
      default:
        return {};
    }
  }

  Result<void> readBinding(const Variable& variable, Id pointee, Reflection& result) const {
    const auto binding = decoration(variable.id, spv::Decoration::Binding);
    if (!binding) return {};
    if (decoration(variable.id, spv::Decoration::DescriptorSet).value_or(0) != 0)
      return unsupported("binding {} is not in descriptor set 0", *binding);
    const auto found = types_.find(pointee);
    if (found == types_.end()) return unsupported("binding {} has an unknown type", *binding);
    const Type& type = found->second;
    if (variable.storage == spv::StorageClass::StorageBuffer && type.op == spv::Op::OpTypeStruct) {
      result.bindings.push_back({*binding, BindingKind::kStorageBuffer});
      return {};
    }
    if (type.op == spv::Op::OpTypeSampledImage) {
      result.bindings.push_back({*binding, BindingKind::kSampledImage});
      return {};
    }
    // OpTypeImage: sampled type, dimension, depth, arrayed, multisampled, sampled (1: with a sampler, 2:
    // storage)
    if (type.op == spv::Op::OpTypeImage && type.operands.size() >= 6) {
      const bool buffer = static_cast<spv::Dim>(type.operands[1]) == spv::Dim::Buffer;
      const bool sampled = type.operands[5] == 1;
      if (buffer && sampled)
        return result.bindings.push_back({*binding, BindingKind::kTexelBuffer}), Result<void>();
      if (!buffer && !sampled)
        return result.bindings.push_back({*binding, BindingKind::kStorageImage}), Result<void>();
    }
    return unsupported(
        "binding {} is none of: texel buffer, storage image, image with sampler, storage buffer (no arrays)",
        *binding);
  }

  Result<Extent> extentOf(Id id, int depth = 0) const {
    const auto found = types_.find(id);
    if (found == types_.end() || depth > 16) return unsupported("type {} has no known size", id);
    const Type& type = found->second;
    const auto operand = [&](std::size_t i) { return i < type.operands.size() ? type.operands[i] : 0u; };
    switch (type.op) {
      case spv::Op::OpTypeBool:
        return Extent{4, 4};
      case spv::Op::OpTypeInt:
      case spv::Op::OpTypeFloat:
        return Extent{operand(0) / 8, std::max(1u, operand(0) / 8)};
      case spv::Op::OpTypePointer:
        return Extent{8, 8};
      case spv::Op::OpTypeVector:
      case spv::Op::OpTypeMatrix: {
        TRY_ASSIGN(const Extent element, extentOf(operand(0), depth + 1));
        return Extent{element.bytes * operand(1), element.alignment};
      }
      case spv::Op::OpTypeArray: {
        TRY_ASSIGN(const Extent element, extentOf(operand(0), depth + 1));
        TRY_ASSIGN(const std::uint32_t length, constant(operand(1)));
        const std::uint64_t stride = decoration(id, spv::Decoration::ArrayStride).value_or(0);
        return Extent{std::max(stride, element.bytes) * length, element.alignment};
      }
      case spv::Op::OpTypeStruct:
        return extentOfStruct(id, type, depth);
      default:
        return unsupported("type {} has no size in memory", id);
    }
  }

  Result<Extent> extentOfStruct(Id id, const Type& type, int depth) const {
    Extent extent;
    for (std::uint32_t i = 0; i < type.operands.size(); ++i) {
      TRY_ASSIGN(const Extent member, extentOf(type.operands[i], depth + 1));
      const auto offset = offsets_.find({id, i});
      const std::uint64_t natural =
          (extent.bytes + member.alignment - 1) / member.alignment * member.alignment;
      extent.bytes =
          std::max(extent.bytes, (offset == offsets_.end() ? natural : offset->second) + member.bytes);
      extent.alignment = std::max(extent.alignment, member.alignment);
    }
    extent.bytes = (extent.bytes + extent.alignment - 1) / extent.alignment * extent.alignment;
    return extent;
  }

  std::span<const std::uint32_t> words_;
  const std::string& name_;
  std::map<std::uint32_t, std::uint32_t> specialized_;
  std::vector<std::uint32_t> capabilities_;
  int entry_points_ = 0;
  std::array<std::uint32_t, 3> local_size_{1, 1, 1};
  bool local_size_is_ids_ = false;
  std::map<std::pair<Id, spv::Decoration>, std::uint32_t> decorations_;
  std::map<std::pair<Id, std::uint32_t>, std::uint32_t> offsets_;
  std::map<Id, Type> types_;
  std::map<Id, std::uint32_t> constants_;
  std::map<Id, std::vector<Id>> composites_;
  std::vector<Variable> variables_;
};

}  // namespace

Result<Reflection> reflect(std::span<const std::uint32_t> words, std::span<const Specialization> constants,
                           const std::string& name) {
  return Module(words, constants, name).reflect();
}

}  // namespace vitrine::gpu
