// Replaces the global allocation functions of the test executable. The array and nothrow forms of the
// standard library call these. Freed sizes come from the allocator itself, which knows them under
// AddressSanitizer too.
#include "core/checkpoint/allocation_watch.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<bool> g_watching = false;
std::atomic<std::ptrdiff_t> g_held = 0;
std::atomic<std::size_t> g_largest = 0, g_peak = 0;

void raise(std::atomic<std::size_t>& most, std::size_t value) {
  std::size_t seen = most.load(std::memory_order_relaxed);
  while (seen < value && !most.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

void* record(void* memory, std::size_t requested) {
  if (!memory) throw std::bad_alloc();
  if (!g_watching.load(std::memory_order_relaxed)) return memory;
  raise(g_largest, requested);
  const auto size = static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
  const std::ptrdiff_t held = g_held.fetch_add(size, std::memory_order_relaxed) + size;
  if (held > 0) raise(g_peak, static_cast<std::size_t>(held));
  return memory;
}

void release(void* memory) {
  if (memory && g_watching.load(std::memory_order_relaxed))
    g_held.fetch_sub(static_cast<std::ptrdiff_t>(malloc_usable_size(memory)), std::memory_order_relaxed);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  return record(std::malloc(size), size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto unit = static_cast<std::size_t>(alignment);
  return record(std::aligned_alloc(unit, (size + unit - 1) / unit * unit), size);
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}

namespace vitrine::test {

void startAllocationWatch() {
  g_held = 0;
  g_largest = 0;
  g_peak = 0;
  g_watching = true;
}

AllocationRecord stopAllocationWatch() {
  g_watching = false;
  return {.largest = g_largest, .peak = g_peak};
}

}  // namespace vitrine::test
