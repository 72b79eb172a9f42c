"""Trains a demonstration model and keeps the weights that predict the validation documents best and still copy.

train.py --text FOLDER --tokenizer tokenizer.json --out FOLDER [--architecture qwen3_moe] [--minutes 3] [--dropout 0.25] ...
train.py ... --start MODEL_FOLDER --mix tinyshakespeare=1 --form-minutes 0 [--lora 8]          a fine-tune, or an adapter

Two stages. FORM, until a head does induction: half of the windows are short repeated sequences, no dropout, full learning rate. TEXT:
mostly text, dropout, the learning rate falls to zero over --steps steps or what is left of --minutes, whichever ends first; some
repeats stay, so that the circuit stays. AdamW; what is evaluated and kept is a moving average of the weights. Writes, whenever the
weights are the best so far, checkpoint.safetensors (float32, Hugging Face names) and training.json (configuration, data, losses), and
log.jsonl (the loss curve).
"""
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from batches import HeldOut, Windows
from measure_experts import information
from measure_heads import measure
from networks import NETWORKS
from options import arguments
from trainer import Trainer


@dataclass
class Stage:
    lengths: tuple  # of the windows, in turn
    repeats: float  # share of windows that are repeated noise
    passages: float  # share of windows that are repeated text


FORM = Stage(lengths=(256,), repeats=0.4, passages=0.2)
TEXT_LENGTHS = (256, 1024)


def configuration(args, tokenizer):
    sizes = dict(vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=max(TEXT_LENGTHS))
    sizes |= {"num_hidden_layers": args.layers} if args.layers else {}
    sizes |= {"hidden_size": args.width} if args.width else {}
    return NETWORKS[args.architecture][0](**sizes)


def losses(trainer, held_out):
    """split -> its figures: the mean loss of the sources, and each source's where there are several."""
    report = {}
    for split, by_source in held_out.items():
        found = {source: trainer.held_out_loss(data) for source, data in by_source.items()}
        figures = lambda loss, data: dict(
            loss=loss, perplexity=math.exp(loss), bits_per_byte=loss / math.log(2) * sum(d.tokens for d in data) / sum(d.bytes for d in data),
            tokens=sum(d.tokens for d in data), bytes=sum(d.bytes for d in data),
        )  # fmt: skip
        report[split] = figures(sum(found.values()) / len(found), by_source.values())
        if len(found) > 1:
            report[split]["sources"] = {source: figures(loss, [by_source[source]]) for source, loss in found.items()}
    return report


class Run:
    """What is written about a run, and when it ends."""

    def __init__(self, args, trainer, held_out):
        self.args, self.trainer, self.held_out = args, trainer, held_out
        self.before = losses(trainer, held_out) if args.start else None
        self.started = time.monotonic()
        self.minutes_given = args.minutes if args.until is None else min(args.minutes, (args.until - time.time()) / 60)
        self.formed_at, self.formed_step = (None, None) if args.form_minutes > 0 else (0.0, 0)
        self.best = dict(loss=math.inf, step=None)

    def minutes(self):
        return (time.monotonic() - self.started) / 60

    def progress(self):
        """Of the second stage, from 0 to 1."""
        if self.minutes() >= self.minutes_given:
            return 1.0
        if self.formed_at is None:
            return 0.0
        left = self.minutes_given - self.formed_at
        return max((self.trainer.steps - self.formed_step) / self.args.steps, (self.minutes() - self.formed_at) / left)

    def write(self, figures):
        args, config = self.args, self.trainer.config
        report = dict(
            model_type=config.model_type,
            config=asdict(config),
            parameters=sum(p.numel() for p in self.trainer.weights),
            arguments={k: str(v) if isinstance(v, Path) else v for k, v in vars(args).items() if k not in ("text", "tokenizer", "out")},
            stages=dict(form=asdict(FORM), text=asdict(Stage(TEXT_LENGTHS, args.repeats, args.passages))),
            device=torch.cuda.get_device_name() if args.device == "cuda" else "cpu",
            torch=torch.__version__,
            corpus_tokens=self.trainer.windows.tokens,
            formed_step=self.formed_step,
            best_step=self.best["step"],
            steps=self.trainer.steps,
            minutes=self.minutes(),
            tokens_seen=self.trainer.seen,
            held_out=figures,
        )
        report |= {"held_out_before": self.before} if self.before else {}
        (args.out / "training.json").write_text(json.dumps(report, indent=1) + "\n")

    def keep_if_best(self, row):
        """Weights that copy go before all that don't."""
        loss = row["validation"] if row["induction"] >= self.args.copies else row["validation"] + 100
        if loss < self.best["loss"]:
            self.best = dict(loss=loss, step=self.trainer.steps)
            save_file(self.trainer.checkpoint(), self.args.out / "checkpoint.safetensors")
            self.write({"validation": {"loss": row["validation"]}})


def main():
    args = arguments(__doc__)
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    torch.set_float32_matmul_precision("high")
    tokenizer = Tokenizer.from_file(args.tokenizer)
    longest = max(TEXT_LENGTHS)
    windows = Windows(tokenizer, args.text, args.mix, longest, args.device, args.seed)
    held_out = {
        split: {source: HeldOut(tokenizer, args.text, source, split, longest, args.device) for source in args.held_out}
        for split in ("validation", "test")
    }
    trainer = Trainer(args, configuration(args, tokenizer), windows)
    text = Stage(TEXT_LENGTHS, args.repeats, args.passages)
    trainer.warm_up(FORM, set(FORM.lengths + text.lengths))  # before the clock starts
    run, log, running = Run(args, trainer, held_out), (args.out / "log.jsonl").open("w"), []
    if run.formed_at is not None:
        trainer.model.set_dropout(args.dropout)

    while (progress := run.progress()) < 1 or run.best["step"] is None:
        forming = run.formed_at is None
        running.append(trainer.step(FORM if forming else text, args.lr * 0.5 * (1 + math.cos(math.pi * min(progress, 1)))))
        # The last steps of the cosine may come before --steps: near the end, look often.
        if trainer.steps % args.evaluate_every and not (progress > 0.97 and trainer.steps % 20 == 0):
            continue
        heads = measure(trainer.average, tokenizer, args.text, args.device)
        validation = [trainer.held_out_loss(data) for data in held_out["validation"].values()]
        row = dict(
            step=trainer.steps,
            minutes=round(run.minutes(), 3),
            stage="form" if forming else "text",
            train=torch.stack(running).mean().item(),
            validation=sum(validation) / len(validation),
            **{name: max(map(max, heads[name])) for name in ("previous_token", "first_token", "induction")},
        )
        row |= information(trainer.average, tokenizer, args.text, args.held_out, args.device) if trainer.model.routed else {}
        running = []
        print(json.dumps(row), file=log, flush=True)
        print(args.out.name, json.dumps(row), flush=True)
        if forming and (row["induction"] >= args.form_until or run.minutes() >= args.form_minutes):
            run.formed_at, run.formed_step = run.minutes(), trainer.steps
            trainer.model.set_dropout(args.dropout)
        run.keep_if_best(row)

    trainer.average.load_state_dict(load_file(args.out / "checkpoint.safetensors"), strict=not args.lora)
    figures = losses(trainer, held_out)
    run.write(figures)
    print(args.out.name, json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
