#include "gpu/error.h"

#include <cstdio>
#include <cstdlib>

namespace vitrine {

void assertionFailed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "vitrine: %s:%d: assertion failed: %s\n", file, line, expression);
  std::abort();
}

}  // namespace vitrine
