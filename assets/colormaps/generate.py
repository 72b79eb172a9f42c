#!/usr/bin/env python3
"""Writes core/figure/colormap_tables.cpp: the 256-entry colour maps.

viridis, cividis and magma are published tables of numbers, dedicated to the public domain (CC0) by their authors
(viridis, magma: Smith and van der Walt 2015; cividis: Nunez, Anderton and Renslow 2018); matplotlib supplies them.
grey and diverging are computed here, in OKLab (Ottosson 2020): grey has a constant step in lightness, and diverging
has two arms of equal lightness that meet at a near-white entry at the centre.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install matplotlib
    /tmp/venv/bin/python assets/colormaps/generate.py > core/figure/colormap_tables.cpp
"""
import math

import matplotlib


def published(name):
    return [tuple(round(255 * c) for c in entry) for entry in matplotlib.colormaps[name].colors]


def oklab_to_linear(lightness, a, b):
    l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    s = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
    )


def to_rgb8(linear):
    clipped = [min(max(c, 0.0), 1.0) for c in linear]
    return tuple(round(255 * (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055)) for c in clipped)


def most_chroma(lightness, hue):
    """The largest chroma that sRGB can show at this lightness and hue."""
    low, high = 0.0, 0.4
    for _ in range(40):
        middle = (low + high) / 2
        inside = all(0 <= c <= 1 for c in oklab_to_linear(lightness, middle * math.cos(hue), middle * math.sin(hue)))
        low, high = (middle, high) if inside else (low, middle)
    return low


def grey():
    return [to_rgb8(oklab_to_linear(0.10 + 0.90 * i / 255, 0, 0)) for i in range(256)]


def diverging():
    """Blue below, orange-red above. Entries 127 and 128 are the two sides of zero."""
    table = []
    for i in range(256):
        t = abs(i - 127.5) / 127.5  # 0 at the centre, 1 at the ends
        lightness = 0.975 - 0.58 * t**1.1
        hue = math.radians(255 if i < 128 else 38)
        wanted = 0.12 * math.sin(math.pi / 2 * min(1.0, t / 0.7))
        limit = 0.8 * most_chroma(lightness, hue)
        chroma = wanted * limit / math.hypot(wanted, limit) * 1.15 if wanted > 0 else 0.0  # a smooth minimum
        chroma = min(chroma, most_chroma(lightness, hue))
        table.append(to_rgb8(oklab_to_linear(lightness, chroma * math.cos(hue), chroma * math.sin(hue))))
    return table


def main():
    maps = {
        "Viridis": published("viridis"),
        "Cividis": published("cividis"),
        "Magma": published("magma"),
        "Grey": grey(),
        "Diverging": diverging(),
    }
    print("// Made by assets/colormaps/generate.py; do not edit. The numbers of viridis, cividis and magma are CC0 (their")
    print("// authors' dedication); grey and diverging are our own.")
    print('#include "core/figure/colormap_tables.h"\n')
    print("namespace vitrine::core::tables {\n\n// clang-format off")
    for name, entries in maps.items():
        assert len(entries) == 256
        print(f"const std::array<Rgb8, 256> k{name} = {{{{")
        for row in range(0, 256, 8):
            print("    " + " ".join(f"{{{r},{g},{b}}}," for r, g, b in entries[row : row + 8]))
        print("}};\n")
    print("// clang-format on\n\n}  // namespace vitrine::core::tables")


main()
