"""Batches of training windows, drawn on the training device: text, and repeated sequences that make induction pay."""
import numpy as np
import torch

import corpus
from tokenizer import BOS_ID, EOS_ID

IGNORED = -100  # the label that cross-entropy leaves out
SMALLEST_ALPHABET = 16
UNKNOWABLE = 4  # tokens at the beginning of a passage's later rounds: where one begins can't be known


def encode(tokenizer, folder, source, split):
    """The documents of a split as one array of ids, </s> after each, and their size in bytes."""
    ids, size = [], 0
    for document in corpus.documents(folder, source, split):
        ids += tokenizer.encode(document, add_special_tokens=False).ids + [EOS_ID]
        size += len(document.encode())
    return np.array(ids, dtype=np.int64), size


def log_uniform(rows, low, high, generator):
    """(rows, 1) whole numbers from low to high, as many below their geometric mean as above it."""
    share = torch.rand(rows, 1, device=generator.device, generator=generator)
    return (low * ((high + 1) / low) ** share).long().clamp(max=high)


def noise(rows, length, vocab, generator):
    """Random tokens, each row from an alphabet of its own of 16 to `vocab` ids: copying is learnt soonest with a small one."""
    alphabet = torch.randint(2, vocab, (rows, vocab), device=generator.device, generator=generator)
    size = log_uniform(rows, SMALLEST_ALPHABET, vocab, generator)
    letter = torch.rand(rows, length, device=generator.device, generator=generator) * size
    return alphabet.gather(1, letter.long().clamp(max=vocab - 1))


def repeat(tokens, period, unknowable=None):
    """The first `period` (rows, 1) tokens of each row over and over, and labels. The first `unknowable` tokens of a later round
    carry no loss; without it, the first round carries none."""
    step = torch.arange(tokens.shape[1], device=tokens.device)
    tokens = tokens.gather(1, step % period)
    left_out = step < period if unknowable is None else (step >= period) & (step % period < unknowable)
    return tokens, tokens.masked_fill(left_out, IGNORED)


def inputs_for(tokens):
    """What the model reads to predict `tokens`: <s>, then all but the last."""
    return torch.cat([torch.full_like(tokens[:, :1], BOS_ID), tokens[:, :-1]], dim=1)


class Windows:
    """Draws windows that begin at a line of the text; <s> stands before each as the first input."""

    def __init__(self, tokenizer, folder, mix, longest, device, seed):
        self.device, self.vocab = device, tokenizer.get_vocab_size()
        self.random = torch.Generator(device).manual_seed(seed)
        parts = [encode(tokenizer, folder, source, "train")[0] for source in mix]
        ends = np.cumsum([len(p) for p in parts])
        stream = np.concatenate(parts + [parts[0][:longest]])  # the last windows run over into the beginning
        newline = tokenizer.token_to_id("\u010a")
        breaks = (stream == newline) | (stream == EOS_ID)
        starts = np.flatnonzero(breaks[:-1] & (stream[1:] != newline)) + 1
        to = lambda a: torch.from_numpy(np.ascontiguousarray(a)).to(device)
        self.stream, self.starts = to(stream), to(starts[starts < ends[-1]])
        self.begin, self.size = to(ends - [len(p) for p in parts]), to(np.array([len(p) for p in parts]))
        self.share = torch.tensor(list(mix.values()), dtype=torch.float32, device=device)
        self.tokens = int(ends[-1])

    def _text(self, rows, length):
        """(rows, length) tokens and each row's source, (rows,), by its place in the mix."""
        source = torch.multinomial(self.share, rows, replacement=True, generator=self.random)
        within = torch.rand(rows, device=self.device, generator=self.random) * self.size[source]
        index = torch.searchsorted(self.starts, self.begin[source] + within.long())
        start = self.starts[index.clamp(max=len(self.starts) - 1)]
        return self.stream[start[:, None] + torch.arange(length, device=self.device)], source

    def draw(self, rows, length, repeats, passages):
        """Inputs and labels, (rows, length) each, and each row's source, -1 for noise; of the rows, a share `repeats` is repeated
        noise and `passages` repeated text."""
        repeats, passages = max(1, round(rows * repeats)), max(1, round(rows * passages))
        text, text_source = self._text(rows - repeats - passages, length)
        again, again_source = self._text(passages, length)
        parts = [(text, text)]
        parts += [repeat(again, log_uniform(passages, 32, length // 2, self.random), UNKNOWABLE)]
        parts += [repeat(noise(repeats, length, self.vocab, self.random), log_uniform(repeats, 8, length // 2, self.random))]
        source = torch.cat([text_source, again_source, torch.full((repeats,), -1, device=self.device)])
        return inputs_for(torch.cat([p[0] for p in parts])), torch.cat([p[1] for p in parts]), source


class HeldOut:
    """Loss over a held-out split: consecutive windows, <s> before each, every token predicted once."""

    def __init__(self, tokenizer, folder, source, split, length, device):
        ids, self.bytes = encode(tokenizer, folder, source, split)
        self.tokens = len(ids)
        padded = np.full(-(-len(ids) // length) * length, IGNORED)
        padded[: len(ids)] = ids
        self.labels = torch.from_numpy(padded.reshape(-1, length)).to(device)
        self.inputs = inputs_for(self.labels.clamp(min=0))

    @torch.no_grad()
    def loss(self, loss_sum, rows):
        """Mean loss in nats a token; loss_sum(inputs, labels) gives a batch's sum."""
        total = sum(loss_sum(i, l).item() for i, l in zip(self.inputs.split(rows), self.labels.split(rows)))
        return total / self.tokens
