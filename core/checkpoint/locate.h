// From the path that a user gives to the files of a checkpoint: tells formats apart by content, looks into
// folders, and says what to do about formats that are not read.
#pragma once

#include <filesystem>

#include "core/checkpoint/parts.h"
#include "gpu/error.h"

namespace vitrine::core {

Result<CheckpointParts> locateCheckpoint(const std::filesystem::path& path);

}  // namespace vitrine::core
