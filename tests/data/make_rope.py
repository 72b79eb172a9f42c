#!/usr/bin/env python3
"""Writes rope.json: config.json files with every rope scaling, in the new and the old spelling, with the inverse
frequencies and the magnitude that Hugging Face transformers computes for them.
Needs: pip install torch transformers (made with 5.17).
"""
import json
import pathlib

from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

NEW = {
    "default": {"rope_theta": 500000.0, "rope_type": "default"},
    "linear": {"rope_theta": 10000.0, "rope_type": "linear", "factor": 2.5},
    "dynamic": {"rope_theta": 10000.0, "rope_type": "dynamic", "factor": 4.0},
    "llama3": {"rope_theta": 500000.0, "rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0, "original_max_position_embeddings": 8192},
    "yarn": {"rope_theta": 1000000.0, "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4096},
    "yarn without original": {"rope_theta": 10000.0, "rope_type": "yarn", "factor": 4.0},
    "yarn betas": {"rope_theta": 10000.0, "rope_type": "yarn", "factor": 16.0, "beta_fast": 64, "beta_slow": 2,
                   "original_max_position_embeddings": 2048, "attention_factor": 1.5},
    "yarn mscale": {"rope_theta": 10000.0, "rope_type": "yarn", "factor": 40.0, "mscale": 1.0,
                    "mscale_all_dim": 0.707, "original_max_position_embeddings": 4096},
    "yarn untruncated": {"rope_theta": 150000.0, "rope_type": "yarn", "factor": 32.0, "truncate": False,
                         "original_max_position_embeddings": 4096},
    "yarn null factor": {"rope_theta": 10000.0, "rope_type": "yarn", "factor": None,
                         "original_max_position_embeddings": 4096},
    "longrope": {"rope_theta": 10000.0, "rope_type": "longrope", "short_factor": [1.0 + i / 16 for i in range(16)],
                 "long_factor": [2.0 + i for i in range(16)], "original_max_position_embeddings": 4096},
    "longrope factor": {"rope_theta": 10000.0, "rope_type": "longrope", "factor": 8.0,
                        "short_factor": [1.0 + i / 16 for i in range(16)], "long_factor": [2.0] * 16,
                        "original_max_position_embeddings": 4096, "attention_factor": 1.25},
}
SIZES = {"hidden_size": 128, "num_attention_heads": 4, "max_position_embeddings": 32768}


def configurations():
    yield "nothing", dict(SIZES)
    yield "theta alone", dict(SIZES, rope_theta=20000.0)
    yield "partial ignored", dict(SIZES, rope_theta=20000.0, partial_rotary_factor=0.5)
    for name, table in NEW.items():
        yield name, dict(SIZES, rope_parameters=table)
        old = {key: value for key, value in table.items() if key not in ("rope_theta", "rope_type")}
        if table["rope_type"] != "default":
            old["type"] = table["rope_type"]
            yield name + ", old", dict(SIZES, rope_theta=table["rope_theta"], rope_scaling=old)
    beside = {key: value for key, value in NEW["llama3"].items() if key != "original_max_position_embeddings"}
    yield "original beside", dict(SIZES, rope_parameters=beside, original_max_position_embeddings=4096)
    yield "original in both", dict(SIZES, rope_parameters=NEW["llama3"], original_max_position_embeddings=4096)


def main():
    cases = []
    for name, config in configurations():
        rope = LlamaRotaryEmbedding(LlamaConfig(**json.loads(json.dumps(config))))
        cases.append({"name": name, "config": config, "inv_freq": [float(f"{x:.9g}") for x in rope.inv_freq.tolist()],
                      "magnitude": rope.attention_scaling})
    path = pathlib.Path(__file__).with_name("rope.json")
    path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(path, len(cases), "cases,", path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
