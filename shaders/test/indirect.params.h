// The kernel writes a VkDispatchIndirectCommand of `groups` workgroups to `command`.
#ifndef VITRINE_SHADERS_TEST_INDIRECT_PARAMS_H
#define VITRINE_SHADERS_TEST_INDIRECT_PARAMS_H
#include "common/shared.h"

VITRINE_SHARED_BEGIN
struct IndirectParams {
  device_address command;  // 3 uints
  uint groups;
  uint unused;
};
VITRINE_SHARED_END
#endif
