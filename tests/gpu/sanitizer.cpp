// Drivers and layers leak a little and are unloaded before LeakSanitizer looks, so that their leaks have no
// name by which they could be let pass. Addresses and undefined behaviour are still checked.
extern "C" const char* __asan_default_options();  // NOLINT: AddressSanitizer's name
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}
