// The JSON beside a figure: what it shows, on which scale, and where its numbers come from.
#pragma once

#include <string>

#include "core/figure/figure.h"
#include "core/figure/preset.h"
#include "core/figure/provenance.h"

namespace vitrine::core {

// Errors: a panel whose colour range is impossible.
Result<std::string> sidecarOf(const Figure& figure, const FigurePreset& preset, const Provenance& provenance);

}  // namespace vitrine::core
