// Under AddressSanitizer its hooks report every allocation; elsewhere the global allocation functions of the
// test executable are replaced (their array and nothrow forms call these).
#include "core/checkpoint/allocation_watch.h"

#include <atomic>
#include <cstdlib>
#include <new>

#ifdef __SANITIZE_ADDRESS__
// GCC 12 ships the functions without their header, sanitizer/allocator_interface.h.
extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, std::size_t),
                                              void (*on_free)(const volatile void*));
std::size_t __sanitizer_get_allocated_size(const volatile void* memory);
}
#else
#include <malloc.h>
#endif

namespace {

std::atomic<bool> g_watching = false;
std::atomic<std::ptrdiff_t> g_held = 0;
std::atomic<std::size_t> g_largest = 0, g_peak = 0;

void raise(std::atomic<std::size_t>& most, std::size_t value) {
  std::size_t seen = most.load(std::memory_order_relaxed);
  while (seen < value && !most.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

void allocated(std::size_t size) {
  if (!g_watching.load(std::memory_order_relaxed)) return;
  raise(g_largest, size);
  const auto change = static_cast<std::ptrdiff_t>(size);
  const std::ptrdiff_t held = g_held.fetch_add(change, std::memory_order_relaxed) + change;
  if (held > 0) raise(g_peak, static_cast<std::size_t>(held));
}

void freed(std::size_t size) {
  if (g_watching.load(std::memory_order_relaxed))
    g_held.fetch_sub(static_cast<std::ptrdiff_t>(size), std::memory_order_relaxed);
}

}  // namespace

#ifdef __SANITIZE_ADDRESS__

static void installHooks() {
  const auto on_malloc = [](const volatile void*, std::size_t size) { allocated(size); };
  const auto on_free = [](const volatile void* memory) {
    if (memory) freed(__sanitizer_get_allocated_size(memory));
  };
  static const int installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
  static_cast<void>(installed);
}

#else

static void installHooks() {}

static void* record(void* memory) {
  if (!memory) throw std::bad_alloc();
  allocated(malloc_usable_size(memory));
  return memory;
}

static void release(void* memory) {
  if (memory) freed(malloc_usable_size(memory));
  std::free(memory);
}

void* operator new(std::size_t size) {
  return record(std::malloc(size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto unit = static_cast<std::size_t>(alignment);
  return record(std::aligned_alloc(unit, (size + unit - 1) / unit * unit));
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

#endif

namespace vitrine::test {

void startAllocationWatch() {
  installHooks();
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
