// Prints the table of embedded shaders, a line each: name, variant, first word, how often kMark (0xabcdef01)
// occurs.
#include <algorithm>
#include <cstdio>

#include "gpu/shader_binary.h"

int main() {
  for (const vitrine::gpu::ShaderBinary& binary : vitrine::gpu::shaderBinaries())
    std::printf("%.*s [%.*s] %08x %d\n", int(binary.name.size()), binary.name.data(),
                int(binary.variant.size()), binary.variant.data(),
                binary.words.empty() ? 0u : binary.words[0],
                int(std::count(binary.words.begin(), binary.words.end(), 0xabcdef01u)));
}
