// What keys mean in all lists and pictures of the Spectra view. A key that means nothing here has no value.
#pragma once

#include <cstddef>
#include <optional>

namespace vitrine::ui::spectra {

// Up, down, page up and down, Home and End: by so many rows; `all` reaches either end.
std::optional<std::ptrdiff_t> rowsOf(int key, std::ptrdiff_t page, std::ptrdiff_t all);

// + and -: the factor of a zoom; 0 and F: 0, all is shown.
std::optional<double> zoomOf(int key);

}  // namespace vitrine::ui::spectra
