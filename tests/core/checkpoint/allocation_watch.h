// Counts what is allocated between two points of a test, in all threads: the largest single request
// and the peak of what is held at once.
#pragma once

#include <cstddef>

namespace vitrine::test {

struct AllocationRecord {
  std::size_t largest = 0;  // bytes
  std::size_t peak = 0;     // bytes above what was held at the start
};

void startAllocationWatch();
AllocationRecord stopAllocationWatch();

}  // namespace vitrine::test
