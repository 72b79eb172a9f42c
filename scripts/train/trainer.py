"""A network, its moving average and its optimizer; one step at a time."""
import torch
import torch.nn.functional as F

from batches import IGNORED
from lora import add_lora, is_adapter
from model import is_matrix
from moe import routing_loss
from networks import network_of, weights_in


def optimizer_of(model, args):
    trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    decays = lambda n, p: is_matrix(n, p) and "embed" not in n
    groups = [
        dict(params=[p for n, p in trained if decays(n, p)], weight_decay=args.weight_decay),
        dict(params=[p for n, p in trained if not decays(n, p)], weight_decay=0.0),
    ]
    return torch.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.95), fused=args.device == "cuda")


class Trainer:
    def __init__(self, args, config, windows):
        self.args, self.config, self.windows, self.device = args, config, windows, args.device
        self.model, self.average = self.network(), self.network().eval()
        self.average.load_state_dict(self.model.state_dict())
        self.weights, self.averages = ([p for p in n.parameters() if p.requires_grad] for n in (self.model, self.average))
        self.average.requires_grad_(False)
        self.optimizer = optimizer_of(self.model, args)
        self.compiled = torch.compile(self.loss_sum, dynamic=False) if args.compile == "whole" else self.loss_sum
        if args.compile == "layers":  # layers of a kind are compiled once
            for layer in self.model.model.layers:
                layer.compile(dynamic=False)
        self.steps, self.seen = 0, 0

    def network(self):
        network = network_of(self.config)
        if self.args.start:
            network.load_state_dict(weights_in(self.args.start))
        if self.args.lora:
            add_lora(network, self.args.lora, self.args.lora_alpha)
        return network.to(self.device)

    def loss_sum(self, network, inputs, labels, member=None):
        """The sum of the labels' losses; with the sources of the tokens (tokens, sources), the routing's cost of each label too."""
        routing = None if member is None else []
        with torch.autocast(self.device, torch.bfloat16, enabled=self.args.autocast):
            logits = network(inputs, routing=routing)
        loss = F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum")
        if routing:
            a = self.args
            cost = routing_loss(routing, member, self.config.num_experts_per_tok, a.balance, a.z_loss, a.source_bonus)
            loss = loss + cost * (labels != IGNORED).sum()
        return loss

    def members(self, source, length):
        """(rows * length, sources): ones where a token is of a source."""
        one_hot = source[:, None] == torch.arange(len(self.args.mix), device=source.device)
        return one_hot.float().repeat_interleave(length, dim=0)

    def backward(self, stage, length):
        rows = self.args.tokens // length
        inputs, labels, source = self.windows.draw(rows, length, stage.repeats, stage.passages)
        member = self.members(source, length) if self.model.routed else None
        loss = self.compiled(self.model, inputs, labels, member) / (labels != IGNORED).sum()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        return loss.detach()

    def warm_up(self, stage, lengths):
        """Compiles for each length; what can't be compiled here runs as it is."""
        try:
            for length in sorted(lengths):
                self.backward(stage, length)
        except Exception as error:
            if self.args.compile == "no":
                raise
            print(f"not compiled: {type(error).__name__}: {str(error)[:300]}", flush=True)
            torch.compiler.set_stance("force_eager")
            self.backward(stage, min(lengths))

    def step(self, stage, lr):
        for group in self.optimizer.param_groups:
            group["lr"] = lr * min(1, (self.steps + 1) / self.args.warmup)
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

    def checkpoint(self):
        """The moving average's tensors, of which only an adapter's where one is trained."""
        kept = (lambda name: is_adapter(name)) if self.args.lora else (lambda name: True)
        return {name: p.cpu() for name, p in self.average.state_dict().items() if kept(name)}
