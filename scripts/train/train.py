"""Trains the demonstration model and keeps the weights that predict the validation chapters best.

train.py --text FOLDER --tokenizer tokenizer.json --out FOLDER [--minutes 3] [--mix austen=0.9 botchan=0.1] ...

AdamW with a warm-up and a cosine decay to zero over --steps steps or --minutes, whichever ends first; what is evaluated and kept is
a moving average of the weights. Writes checkpoint.safetensors (float32, Hugging Face names), training.json (configuration, data,
losses) and log.jsonl (the loss curve).
"""
import argparse
import json
import math
import time
from dataclasses import asdict
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from batches import IGNORED, HeldOut, Windows, inputs_for, periods, repeated_noise
from model import Config, Llama


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--mix", nargs="+", default=["austen=0.9", "botchan=0.1"], help="share of the text windows by source")
    parser.add_argument("--repeats", type=float, default=0.08, help="share of windows that are a repeated random sequence")
    parser.add_argument("--passages", type=float, default=0.02, help="share of windows that are a repeated passage")
    parser.add_argument("--longest-period", type=int, default=512, help="of a repeated sequence, in tokens")
    parser.add_argument("--until-copy", type=float, default=0, help="end as soon as the copy loss is below this")
    parser.add_argument("--start", type=Path, help="a checkpoint folder to continue from")
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--dropout", type=float, default=0.15)
    parser.add_argument("--ema", type=float, default=0.995)
    parser.add_argument("--evaluate-every", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--bf16", action="store_true", help="half precision on a CPU too")
    parser.add_argument("--layers", type=int, default=Config.num_hidden_layers, help="fewer for a quick try")
    args = parser.parse_args()
    args.mix = {source: float(share) for source, share in (item.split("=") for item in args.mix)}
    return args


def learning_rate(progress, peak, warmup=0.02):
    if progress < warmup:
        return peak * progress / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def optimizer_of(model, args):
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.dim() != 2 or "embed" in n]
    groups = [dict(params=matrices, weight_decay=args.weight_decay), dict(params=others, weight_decay=0.0)]
    return torch.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.98), fused=args.device == "cuda")


def main():
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    torch.set_float32_matmul_precision("high")
    tokenizer = Tokenizer.from_file(args.tokenizer)
    windows = Windows(tokenizer, args.text, args.mix, args.length, args.device, args.seed)
    main_source = next(iter(args.mix))
    held_out = {s: HeldOut(tokenizer, args.text, main_source, s, args.length, args.device) for s in ("validation", "test")}

    config = Config(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=args.length, num_hidden_layers=args.layers
    )
    model = Llama(config, args.dropout).to(args.device)
    if args.start:
        model.load_state_dict(load_file(args.start / "checkpoint.safetensors"))
    average = Llama(config).to(args.device).eval()
    average.load_state_dict(model.state_dict())
    weights, averages = list(model.parameters()), list(average.parameters())
    optimizer = optimizer_of(model, args)

    def loss_sum(network, inputs, labels):
        with torch.autocast(args.device, torch.bfloat16, enabled=args.device == "cuda" or args.bf16):
            logits = network(inputs)
        return F.cross_entropy(logits.float().view(-1, config.vocab_size), labels.view(-1), ignore_index=IGNORED, reduction="sum")

    compiled = torch.compile(loss_sum) if args.device == "cuda" else loss_sum
    evaluate = lambda split: held_out[split].loss(lambda i, l: loss_sum(average, i, l), rows=16)
    fixed = torch.Generator(args.device).manual_seed(1)
    noise = repeated_noise(8, args.length, periods(8, args.length // 3, args.length // 3, fixed), config.vocab_size, fixed)

    @torch.no_grad()
    def copy_loss():
        """Loss on the later rounds of repeated random tokens: log(vocabulary) without induction, near 0 with it."""
        return (loss_sum(average, inputs_for(noise[0]), noise[1]) / (noise[1] != IGNORED).sum()).item()


    log = (args.out / "log.jsonl").open("w")
    best = dict(loss=math.inf)
    started, step, progress, running = None, 0, 0.0, 0.0
    while progress < 1.0:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(progress, args.lr)
        inputs, labels = windows.draw(args.batch, round(args.batch * args.repeats), round(args.batch * args.passages), args.longest_period)
        loss = compiled(model, inputs, labels) / (labels != IGNORED).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(averages, weights, 1 - min(args.ema, (1 + step) / (10 + step)))
        running += loss.detach()
        step += 1
        started = started or time.monotonic()  # after the first step, which compiles
        minutes = (time.monotonic() - started) / 60
        progress = max(step / args.steps, minutes / args.minutes)
        if step % args.evaluate_every == 0 or progress >= 1.0:
            since = (step - 1) % args.evaluate_every + 1
            row = dict(step=step, minutes=round(minutes, 3), train=(running / since).item(), validation=evaluate("validation"), copy=copy_loss())
            running = 0.0
            print(json.dumps(row), file=log, flush=True)
            print(json.dumps(row), flush=True)
            copies = row["copy"] < args.until_copy
            if copies or row["validation"] < best["loss"]:
                best = dict(loss=row["validation"], step=step)
                best_state = {name: p.detach().clone() for name, p in average.state_dict().items()}
            if copies:
                break

    average.load_state_dict(best_state)
    save_file({name: p.float().cpu().contiguous() for name, p in best_state.items()}, args.out / "checkpoint.safetensors")
    losses = {}
    for split, data in held_out.items():
        loss = evaluate(split)
        losses[split] = dict(
            loss=loss, perplexity=math.exp(loss), bits_per_byte=loss / math.log(2) * data.tokens / data.bytes,
            tokens=data.tokens, bytes=data.bytes,
        )  # fmt: skip
    report = dict(
        config=asdict(config),
        parameters=sum(p.numel() for p in weights),
        arguments={k: str(v) if isinstance(v, Path) else v for k, v in vars(args).items() if k not in ("text", "tokenizer", "out")},
        device=torch.cuda.get_device_name() if args.device == "cuda" else "cpu",
        torch=torch.__version__,
        corpus_tokens=windows.tokens,
        best_step=best["step"],
        steps=step,
        minutes=minutes,
        tokens_seen=step * args.batch * args.length,
        held_out=losses,
    )
    (args.out / "training.json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(losses, indent=1), flush=True)


if __name__ == "__main__":
    main()
