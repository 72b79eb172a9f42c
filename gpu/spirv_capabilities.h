// Which SPIR-V capabilities a shader may declare on a device: lets Kernel::create refuse what a driver would
// otherwise crash on. Private to gpu/.
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace vitrine::gpu {

struct DeviceProfile;

std::set<std::uint32_t> enabledSpirvCapabilities(const DeviceProfile& profile);

// "Float64", or "SPIR-V capability 1234" for one that this table does not know.
std::string spirvCapabilityName(std::uint32_t capability);

}  // namespace vitrine::gpu
