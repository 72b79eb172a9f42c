"""Turns a training checkpoint into the folder people load: Hugging Face files in F16, an adapter for PEFT, or a GGUF.

export.py CHECKPOINT_FOLDER --tokenizer tokenizer.json --out FOLDER      model.safetensors (F16), config.json, tokenizer files
export.py ADAPTER_CHECKPOINT_FOLDER --base demo-dense --out FOLDER       adapter_model.safetensors, adapter_config.json
export.py FOLDER --gguf FILE.gguf [--type q8_0|f16]                      the same weights as GGUF, from such a folder

The first two copy training.json and log.jsonl (as training-log.jsonl) too. The F16 weights are the model: the GGUF is made from them.
"""
import argparse
import json
import shutil
from dataclasses import asdict
from pathlib import Path

from safetensors.torch import load_file, save_file

from lora import write_adapter
from networks import config_from
from tokenizer import BOS, BOS_ID, EOS, EOS_ID

GGUF_TYPES = ("q8_0", "f16")


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


def copy_report(checkpoint, out):
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(checkpoint / "training.json", out / "training.json")
    shutil.copyfile(checkpoint / "log.jsonl", out / "training-log.jsonl")
    return json.loads((out / "training.json").read_text())


def export_folder(checkpoint, tokenizer, out):
    training = copy_report(checkpoint, out)
    weights = {name: t.half().contiguous() for name, t in load_file(checkpoint / "checkpoint.safetensors").items()}
    assert all(t.isfinite().all() for t in weights.values()), "a weight does not fit F16"
    save_file(weights, out / "model.safetensors", metadata={"format": "pt"})
    shutil.copyfile(tokenizer, out / "tokenizer.json")
    config = config_from({"model_type": training.get("model_type", "llama"), **training["config"]})
    write_json(
        out / "config.json",
        {
            "architectures": [config.architecture],
            "model_type": config.model_type,
            **asdict(config),
            **config.constants(),
            "tie_word_embeddings": True,
            "bos_token_id": BOS_ID,
            "eos_token_id": EOS_ID,
            "torch_dtype": "float16",
        },
    )
    write_json(
        out / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": BOS,
            "eos_token": EOS,
            "add_bos_token": True,
            "clean_up_tokenization_spaces": False,
            "model_max_length": config.max_position_embeddings,
        },
    )
    write_json(
        out / "generation_config.json",
        {"bos_token_id": BOS_ID, "eos_token_id": EOS_ID, "do_sample": True, "temperature": 0.7, "top_p": 0.95},
    )


def export_adapter(checkpoint, base, out):
    arguments = copy_report(checkpoint, out)["arguments"]
    write_adapter(load_file(checkpoint / "checkpoint.safetensors"), arguments["lora"], arguments["lora_alpha"], base, out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--base", help="the model that the adapter changes")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--gguf", type=Path)
    parser.add_argument("--type", choices=GGUF_TYPES, default="q8_0")
    args = parser.parse_args()
    if args.out and args.base:
        export_adapter(args.folder, args.base, args.out)
    elif args.out and args.tokenizer:
        export_folder(args.folder, args.tokenizer, args.out)
    elif args.gguf:
        from gguf_file import export_gguf  # needs the package gguf, which training doesn't

        export_gguf(args.folder, args.gguf, args.type)
    else:
        parser.error("--out FOLDER (with --tokenizer, or --base for an adapter) or --gguf FILE says what to write")


if __name__ == "__main__":
    main()
