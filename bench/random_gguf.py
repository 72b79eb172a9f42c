#!/usr/bin/env python3
"""Writes a GGUF with random weights, for benchmarks that need a shape and not a meaning. Python's standard library is enough.

random_gguf.py OUT.gguf                        a Llama of 1.1 billion weights in F16 (22 layers, 2048, 32 heads, 4 KV heads, 5632)
random_gguf.py OUT.gguf --mixture              an OLMoE of 6.9 billion in F16 (16 layers, 2048, 16 heads, 64 experts of 1024, 8 chosen)
random_gguf.py OUT.gguf --like MODEL.gguf      the metadata, tokenizer, shapes and types of MODEL, of which the head is enough
random_gguf.py HEAD --head-of MODEL.gguf       all of MODEL before its weights: small enough to carry to another machine

Norms (one-dimensional F32) are 1. Other weights have magnitudes between 2^-7 and 2^-5 and either sign, so activations stay finite.
"""
import argparse
import math
import struct
import sys
from pathlib import Path
from random import Random

ALIGNMENT = 32
CHUNK_BLOCKS = 1 << 16
F32, F16, Q4_1, Q8_0 = 0, 1, 3, 8
# Of a block: its weights, and two masks over its bytes. Random bytes pass the first and the second sets bits, so that halves that
# are scales or weights have a fixed exponent: 0x2000 | mantissa is 2^-7 and up, a sign bit that passes keeps its chance.
SCALE, OFFSET, WEIGHT = (0x03FF, 0x1400), (0x03FF, 0xA000), (0x87FF, 0x2000)  # 2^-10, -2^-7, +-2^-7
BLOCKS = {
    F32: (1, [(0xFFFF, 0), (0x807F, 0x3C00)], 0),
    F16: (1, [WEIGHT], 0),
    Q4_1: (32, [SCALE, OFFSET], 16),
    Q8_0: (32, [(0x03FF, 0x0400)], 32),  # 2^-14, times whole numbers to 127
}
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
U32, FLOAT, STRING, ARRAY, BOOL = 4, 6, 8, 9, 7


class Head:
    """Reads the metadata and tensor list of a GGUF file."""

    def __init__(self, path):
        self.file = open(path, "rb")
        magic, version, tensors, values = self._unpack("4sIQQ")
        if magic != b"GGUF" or version not in (2, 3):
            sys.exit(f"{path} is no GGUF file of version 2 or 3")
        alignment = ALIGNMENT
        for _ in range(values):
            key = self._string()
            value = self._value(self._unpack("I")[0])
            if key == b"general.alignment":
                alignment = value
        self.tensors = []  # (name, elements, rank, type, offset)
        for _ in range(tensors):
            name = self._string()
            rank = self._unpack("I")[0]
            shape = self._unpack(f"{rank}Q")
            self.tensors.append((name.decode(), math.prod(shape), rank, *self._unpack("IQ")))
        self.data_offset = -(-self.file.tell() // alignment) * alignment
        self.file.seek(0)
        self.bytes = self.file.read(self.data_offset).ljust(self.data_offset, b"\0")

    def _unpack(self, layout):
        size = struct.calcsize("<" + layout)
        data = self.file.read(size)
        if len(data) != size:
            sys.exit(f"{self.file.name} ends within its head")
        return struct.unpack("<" + layout, data)

    def _string(self):
        return self.file.read(self._unpack("Q")[0])

    def _value(self, kind):
        if kind == STRING:
            return self._string()
        if kind == ARRAY:
            item, count = self._unpack("IQ")
            return [self._value(item) for _ in range(count)]
        return self._unpack(SCALARS[kind])[0]


def block_bytes(kind):
    return 2 * len(BLOCKS[kind][1]) + BLOCKS[kind][2]


def random_blocks(kind, count, random):
    _, halves, rest = BLOCKS[kind]
    passes = b"".join(struct.pack("<H", p) for p, _ in halves) + b"\xff" * rest
    sets = b"".join(struct.pack("<H", s) for _, s in halves) + b"\0" * rest
    number = lambda b: int.from_bytes(b, "little")
    size = count * len(passes)
    bits = number(random.randbytes(size)) & number(passes * count) | number(sets * count)
    return bits.to_bytes(size, "little")


def write(out, head, tensors):
    """head: bytes up to the weights; tensors: (name, elements, rank, type, offset) with offsets from there."""
    random = Random(7)
    pools = {}
    with open(out, "wb") as file:
        file.write(head)
        for name, elements, rank, kind, offset in tensors:
            file.seek(len(head) + offset)
            if kind == F32 and rank == 1:
                file.write(struct.pack("<f", 1.0) * elements)
                continue
            if kind not in BLOCKS:
                sys.exit(f"{name}: tensor type {kind} is none that random_gguf.py makes (F32, F16, Q4_1, Q8_0)")
            pool = pools.setdefault(kind, random_blocks(kind, CHUNK_BLOCKS, random))
            left = elements // BLOCKS[kind][0] * block_bytes(kind)
            while left > 0:
                left -= file.write(pool[:left])


class Metadata:
    """Encodes the key-value part of a GGUF head."""

    def __init__(self):
        self.count, self.bytes = 0, b""

    @staticmethod
    def string(text):
        data = text.encode()
        return struct.pack("<Q", len(data)) + data

    def _add(self, key, kind, data):
        self.bytes += self.string(key) + struct.pack("<I", kind) + data
        self.count += 1

    def text(self, key, value):
        self._add(key, STRING, self.string(value))

    def u32(self, key, value):
        self._add(key, U32, struct.pack("<I", value))

    def real(self, key, value):
        self._add(key, FLOAT, struct.pack("<f", value))

    def texts(self, key, values):
        self._add(key, ARRAY, struct.pack("<IQ", STRING, len(values)) + b"".join(map(self.string, values)))

    def numbers(self, key, kind, values):
        self._add(key, ARRAY, struct.pack(f"<IQ{len(values)}{SCALARS[kind]}", kind, len(values), *values))


def vocabulary(m, vocab):
    """An invented one."""
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    words = vocab - len(pieces)
    m.text("tokenizer.ggml.model", "llama")
    m.texts("tokenizer.ggml.tokens", pieces + [f"\u2581w{i}" for i in range(words)])
    m.numbers("tokenizer.ggml.scores", FLOAT, [0.0] * len(pieces) + [-float(i) for i in range(words)])
    m.numbers("tokenizer.ggml.token_type", 5, [2, 3, 3] + [6] * 256 + [1] * words)
    m.u32("tokenizer.ggml.bos_token_id", 1)
    m.u32("tokenizer.ggml.eos_token_id", 2)


def metadata(architecture, name, vocab, numbers):
    m = Metadata()
    m.text("general.architecture", architecture)
    m.text("general.name", name)
    m.u32("general.file_type", 1)
    for key, value in numbers.items():
        m.u32(f"{architecture}.{key}", value)
    m.u32(f"{architecture}.vocab_size", vocab)
    m.real(f"{architecture}.rope.freq_base", 10000.0)
    m.real(f"{architecture}.attention.layer_norm_rms_epsilon", 1e-5)
    vocabulary(m, vocab)
    return m


def head_and_tensors(m, shapes):
    """shapes: (name, ne, type) in the order of the file."""
    tensors, listing, offset = [], b"", 0
    for name, shape, kind in shapes:
        listing += m.string(name + ".weight") + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
        tensors.append((name, math.prod(shape), len(shape), kind, offset))
        offset += math.prod(shape) * (4 if kind == F32 else 2)  # a multiple of the alignment, as every width here is
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), m.count) + m.bytes + listing
    return head.ljust(-(-len(head) // ALIGNMENT) * ALIGNMENT, b"\0"), tensors


def typed(shapes):
    return [(name, shape, F32 if len(shape) == 1 else F16) for name, shape in shapes]


def llama_1b():
    """Head and tensors of a Llama with the shape of TinyLlama 1.1B."""
    layers, width, heads, kv_heads, feed_forward, vocab = 22, 2048, 32, 4, 5632, 32000
    kv = width // heads * kv_heads
    numbers = {
        "context_length": 32768,
        "embedding_length": width,
        "block_count": layers,
        "feed_forward_length": feed_forward,
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
        "rope.dimension_count": width // heads,
    }
    shapes = [("token_embd", (width, vocab)), ("output_norm", (width,)), ("output", (width, vocab))]
    for layer in range(layers):
        parts = [("attn_norm", (width,)), ("attn_q", (width, width)), ("attn_k", (width, kv)), ("attn_v", (width, kv))]
        parts += [("attn_output", (width, width)), ("ffn_norm", (width,)), ("ffn_gate", (width, feed_forward))]
        parts += [("ffn_up", (width, feed_forward)), ("ffn_down", (feed_forward, width))]
        shapes += [(f"blk.{layer}.{name}", shape) for name, shape in parts]
    return head_and_tensors(metadata("llama", "random 1.1B", vocab, numbers), typed(shapes))


def olmoe_7b():
    """Head and tensors of a mixture with the shape of OLMoE 1B-7B."""
    layers, width, heads, experts, chosen, feed_forward, vocab = 16, 2048, 16, 64, 8, 1024, 50304
    numbers = {
        "context_length": 4096,
        "embedding_length": width,
        "block_count": layers,
        "feed_forward_length": feed_forward,
        "attention.head_count": heads,
        "attention.head_count_kv": heads,
        "expert_count": experts,
        "expert_used_count": chosen,
    }
    shapes = [("token_embd", (width, vocab)), ("output_norm", (width,)), ("output", (width, vocab))]
    routers = set()
    for layer in range(layers):
        parts = [("attn_norm", (width,)), ("attn_q_norm", (width,)), ("attn_k_norm", (width,)), ("ffn_norm", (width,))]
        parts += [(f"attn_{name}", (width, width)) for name in ("q", "k", "v", "output")]
        parts += [("ffn_gate_inp", (width, experts)), ("ffn_gate_exps", (width, feed_forward, experts))]
        parts += [("ffn_up_exps", (width, feed_forward, experts)), ("ffn_down_exps", (feed_forward, width, experts))]
        shapes += [(f"blk.{layer}.{name}", shape) for name, shape in parts]
        routers.add(f"blk.{layer}.ffn_gate_inp")
    shapes = [(name, shape, F32 if name in routers else kind) for name, shape, kind in typed(shapes)]
    return head_and_tensors(metadata("olmoe", "random mixture 6.9B", vocab, numbers), shapes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--mixture", action="store_true")
    parser.add_argument("--like", type=Path)
    parser.add_argument("--head-of", type=Path)
    args = parser.parse_args()
    if args.head_of:
        args.out.write_bytes(Head(args.head_of).bytes)
    elif args.like:
        head = Head(args.like)
        write(args.out, head.bytes, head.tensors)
    else:
        write(args.out, *(olmoe_7b() if args.mixture else llama_1b()))


if __name__ == "__main__":
    main()
