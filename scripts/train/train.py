"""Trains the demonstration model and keeps the weights that predict the validation chapters best and still copy.

train.py --text FOLDER --tokenizer tokenizer.json --out FOLDER [--minutes 3] [--dropout 0.25] [--start CHECKPOINT_FOLDER] ...

Two stages. FORM, until a head does induction: half of the windows are short repeated sequences, no dropout, full learning rate. TEXT:
mostly text, dropout, the learning rate falls to zero over --steps steps or what is left of --minutes, whichever ends first; some
repeats stay, so that the circuit stays. AdamW; what is evaluated and kept is a moving average of the weights. Writes checkpoint.safetensors (float32,
Hugging Face names), training.json (configuration, data, losses) and log.jsonl (the loss curve).
"""
import argparse
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from batches import IGNORED, HeldOut, Windows
from measure_heads import measure
from model import Config, Llama

WARMUP = 200  # steps
COPIES = 0.3  # induction score from which a checkpoint may be kept


@dataclass
class Stage:
    lengths: tuple  # of the windows, in turn
    repeats: float  # share of windows that are repeated noise
    passages: float  # share of windows that are repeated text


FORM = Stage(lengths=(256,), repeats=0.4, passages=0.2)
TEXT = Stage(lengths=(256, 1024), repeats=0.08, passages=0.07)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--mix", nargs="+", default=["austen=0.75", "botchan=0.05", "kjv=0.2"], help="share of the text windows by source")
    parser.add_argument("--start", type=Path, help="a checkpoint folder to continue from")
    parser.add_argument("--tokens", type=int, default=32768, help="a step")
    parser.add_argument("--form-until", type=float, default=0.6, help="induction score that ends the first stage")
    parser.add_argument("--form-minutes", type=float, default=1.0, help="at most")
    parser.add_argument("--steps", type=int, default=2200, help="of the second stage")
    parser.add_argument("--minutes", type=float, default=3.0, help="at most, for both stages")
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--weight-decay", type=float, default=0.3)
    parser.add_argument("--dropout", type=float, default=0.25, help="in the second stage")
    parser.add_argument("--ema", type=float, default=0.99)
    parser.add_argument("--evaluate-every", type=int, default=100)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--layers", type=int, default=Config.num_hidden_layers, help="fewer for a quick try")
    parser.add_argument("--width", type=int, default=Config.hidden_size, help="smaller for a quick try")
    args = parser.parse_args()
    args.mix = {source: float(share) for source, share in (item.split("=") for item in args.mix)}
    return args


def optimizer_of(model, args):
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.dim() != 2 or "embed" in n]
    groups = [dict(params=matrices, weight_decay=args.weight_decay), dict(params=others, weight_decay=0.0)]
    return torch.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.95), fused=args.device == "cuda")


class Trainer:
    """A model, its moving average and its optimizer; one step at a time."""

    def __init__(self, args, config, windows):
        self.args, self.windows, self.vocab, self.device = args, windows, config.vocab_size, args.device
        self.model, self.average = Llama(config).to(args.device), Llama(config).to(args.device).eval()
        if args.start:
            self.model.load_state_dict(load_file(args.start / "checkpoint.safetensors"))
        self.average.load_state_dict(self.model.state_dict())
        self.weights, self.averages = list(self.model.parameters()), list(self.average.parameters())
        self.optimizer = optimizer_of(self.model, args)
        self.compiled = torch.compile(self.loss_sum, dynamic=False) if args.device == "cuda" else self.loss_sum
        self.steps, self.seen = 0, 0

    def loss_sum(self, network, inputs, labels):
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            logits = network(inputs)
        return F.cross_entropy(logits.float().view(-1, self.vocab), labels.view(-1), ignore_index=IGNORED, reduction="sum")

    def backward(self, stage, length):
        rows = self.args.tokens // length
        inputs, labels = self.windows.draw(rows, length, stage.repeats, stage.passages)
        loss = self.compiled(self.model, inputs, labels) / (labels != IGNORED).sum()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        return loss.detach()

    def step(self, stage, lr):
        for group in self.optimizer.param_groups:
            group["lr"] = lr * min(1, (self.steps + 1) / WARMUP)
        loss = self.backward(stage, stage.lengths[self.steps % len(stage.lengths)])
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, self.weights, 1 - min(self.args.ema, (1 + self.steps) / (10 + self.steps)))
        self.steps += 1
        self.seen += self.args.tokens
        return loss

    def held_out_loss(self, data):
        return data.loss(lambda i, l: self.loss_sum(self.average, i, l), rows=16)


def main():
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    torch.set_float32_matmul_precision("high")
    tokenizer = Tokenizer.from_file(args.tokenizer)
    longest = max(TEXT.lengths)
    windows = Windows(tokenizer, args.text, args.mix, longest, args.device, args.seed)
    main_source = next(iter(args.mix))
    held_out = {s: HeldOut(tokenizer, args.text, main_source, s, longest, args.device) for s in ("validation", "test")}
    config = Config(
        vocab_size=tokenizer.get_vocab_size(),
        max_position_embeddings=longest,
        num_hidden_layers=args.layers,
        hidden_size=args.width,
    )
    trainer = Trainer(args, config, windows)
    for length in sorted(set(FORM.lengths + TEXT.lengths)):  # compiles before the clock starts
        trainer.backward(FORM, length)

    log, checkpoint = (args.out / "log.jsonl").open("w"), args.out / "checkpoint.safetensors"
    best = dict(loss=math.inf)
    started = time.monotonic()
    minutes = lambda: (time.monotonic() - started) / 60
    running, formed_at, formed_step = [], None, None

    while True:
        forming = formed_at is None
        progress = 0.0 if forming else max((trainer.steps - formed_step) / args.steps, (minutes() - formed_at) / (args.minutes - formed_at))
        if progress >= 1:
            break
        running.append(trainer.step(FORM if forming else TEXT, args.lr * 0.5 * (1 + math.cos(math.pi * progress))))
        # The last steps of the cosine may come before --steps: near the end, look often.
        if trainer.steps % args.evaluate_every and not (progress > 0.97 and trainer.steps % 20 == 0):
            continue
        heads = measure(trainer.average, tokenizer, args.text, args.device)
        strongest = {name: max(map(max, heads[name])) for name in ("previous_token", "first_token", "induction")}
        row = dict(
            step=trainer.steps,
            minutes=round(minutes(), 3),
            stage="form" if forming else "text",
            train=torch.stack(running).mean().item(),
            validation=trainer.held_out_loss(held_out["validation"]),
            **strongest,
        )
        running = []
        print(json.dumps(row), file=log, flush=True)
        print(args.out.name, json.dumps(row), flush=True)
        if forming and (row["induction"] >= args.form_until or minutes() >= args.form_minutes):
            formed_at, formed_step = minutes(), trainer.steps
            trainer.model.set_dropout(args.dropout)
        loss = row["validation"] if row["induction"] >= COPIES else row["validation"] + 100
        if loss < best["loss"]:
            best = dict(loss=loss, step=trainer.steps)
            save_file({name: p.cpu() for name, p in trainer.average.state_dict().items()}, checkpoint)

    trainer.average.load_state_dict(load_file(checkpoint))
    losses = {}
    for split, data in held_out.items():
        loss = trainer.held_out_loss(data)
        losses[split] = dict(
            loss=loss, perplexity=math.exp(loss), bits_per_byte=loss / math.log(2) * data.tokens / data.bytes,
            tokens=data.tokens, bytes=data.bytes,
        )  # fmt: skip
    report = dict(
        config=asdict(config),
        parameters=sum(p.numel() for p in trainer.weights),
        arguments={k: str(v) if isinstance(v, Path) else v for k, v in vars(args).items() if k not in ("text", "tokenizer", "out")},
        stages=dict(form=asdict(FORM), text=asdict(TEXT)),
        device=torch.cuda.get_device_name() if args.device == "cuda" else "cpu",
        torch=torch.__version__,
        corpus_tokens=windows.tokens,
        formed_step=formed_step,
        best_step=best["step"],
        steps=trainer.steps,
        minutes=minutes(),
        tokens_seen=trainer.seen,
        held_out=losses,
    )
    (args.out / "training.json").write_text(json.dumps(report, indent=1) + "\n")
    print(args.out.name, json.dumps(losses), flush=True)


if __name__ == "__main__":
    main()
