#!/usr/bin/env python3
"""Writes quants.bin: golden blocks of every ggml format that Vitrine expands, with the values that PyPI's gguf
(a NumPy port of ggml) gives for them. Needs: pip install gguf numpy.

Layout, little endian, repeated: name length u8, name, blocks u32, block bytes u32, block size u32,
block bytes * blocks, float32 values. The blocks are random bits with finite half-precision scales, so that
every field of a block takes every kind of value, not only what a quantizer would choose.
"""
import pathlib
import struct

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import dequantize

# Byte offsets of the half-precision numbers in a block.
HALVES = {
    T.Q8_0: [0], T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q2_K: [80, 82], T.Q3_K: [108],
    T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_NL: [0], T.IQ4_XS: [0], T.F16: [0], T.BF16: [],
}
SCALES = [0.0, -0.0, 1.0, -0.03, 6.0e-8, 3.0e-5, 65504.0, 0.01737]  # zero, subnormal, largest, ordinary


def main():
    rng = np.random.default_rng(20261123)
    out = bytearray()
    for kind, halves in HALVES.items():
        size, width = GGML_QUANT_SIZES[kind]
        blocks = 64 if size == 1 else 4 if size == 32 else 3
        data = rng.integers(0, 256, (blocks, width), dtype=np.uint8)
        for b in range(blocks):
            for i, at in enumerate(halves):
                scale = np.float16(SCALES[(b * len(halves) + i * 3) % len(SCALES)] if b else rng.normal())
                data[b, at:at + 2] = np.frombuffer(scale.tobytes(), np.uint8)
        if kind == T.BF16:
            data[:, 1] &= 0xBF  # no infinities, no NaN
        values = dequantize(data.reshape(-1), kind).astype("<f4")
        assert values.size == blocks * size and np.isfinite(values).all()
        name = kind.name.encode()
        out += struct.pack("<B", len(name)) + name + struct.pack("<III", blocks, width, size)
        out += data.tobytes() + values.tobytes()
    path = pathlib.Path(__file__).with_name("quants.bin")
    path.write_bytes(out)
    print(path, len(out), "bytes")


if __name__ == "__main__":
    main()
