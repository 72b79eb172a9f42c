"""Batches of training windows, drawn on the training device: text, and repeated sequences that make induction pay."""
import numpy as np
import torch

import corpus
from tokenizer import BOS_ID, EOS_ID

IGNORED = -100  # the label that cross-entropy leaves out


def encode(tokenizer, folder, source, split):
    """The documents of a split as one array of ids, </s> after each, and their size in bytes."""
    ids, size = [], 0
    for document in corpus.documents(folder, source, split):
        ids += tokenizer.encode(document, add_special_tokens=False).ids + [EOS_ID]
        size += len(document.encode())
    return np.array(ids, dtype=np.int64), size


def periods(rows, low, high, generator):
    return torch.randint(low, high + 1, (rows, 1), device=generator.device, generator=generator)


def repeated_noise(rows, length, period, vocab, generator):
    """Random tokens that begin anew after `period` (rows, 1) positions, and labels that leave out the unpredictable first round."""
    step = torch.arange(length, device=generator.device)
    noise = torch.randint(2, vocab, (rows, length), device=generator.device, generator=generator)
    tokens = noise.gather(1, step % period)
    return tokens, tokens.masked_fill(step < period, IGNORED)


def inputs_for(tokens):
    """What the model reads to predict `tokens`: <s>, then all but the last."""
    return torch.cat([torch.full_like(tokens[:, :1], BOS_ID), tokens[:, :-1]], dim=1)


class Windows:
    """Draws windows of `length` tokens that begin at a line of the text; <s> stands before each as the first input."""

    def __init__(self, tokenizer, folder, mix, length, device, seed):
        self.length, self.device, self.vocab = length, device, tokenizer.get_vocab_size()
        self.random = torch.Generator(device).manual_seed(seed)
        parts = [encode(tokenizer, folder, source, "train")[0] for source in mix]
        ends = np.cumsum([len(p) for p in parts])
        stream = np.concatenate(parts + [parts[0][:length]])  # the last windows run over into the beginning
        newline = tokenizer.token_to_id("\u010a")
        breaks = (stream == newline) | (stream == EOS_ID)
        starts = np.flatnonzero(breaks[:-1] & (stream[1:] != newline)) + 1
        to = lambda a: torch.from_numpy(np.ascontiguousarray(a)).to(device)
        self.stream, self.starts = to(stream), to(starts[starts < ends[-1]])
        self.begin, self.size = to(ends - [len(p) for p in parts]), to(np.array([len(p) for p in parts]))
        self.share = torch.tensor(list(mix.values()), dtype=torch.float32, device=device)
        self.tokens = int(ends[-1])

    def _text(self, rows):
        source = torch.multinomial(self.share, rows, replacement=True, generator=self.random)
        within = torch.rand(rows, device=self.device, generator=self.random) * self.size[source]
        index = torch.searchsorted(self.starts, self.begin[source] + within.long())
        start = self.starts[index.clamp(max=len(self.starts) - 1)]
        return self.stream[start[:, None] + torch.arange(self.length, device=self.device)]

    def draw(self, rows, repeats, passages, longest_period):
        """Inputs and labels, (rows, length) each; `repeats` rows are repeated random tokens, `passages` rows repeated text."""
        text = self._text(rows - repeats)
        labels = text.clone()
        if passages:
            # Where a round of a passage begins anew can't be known: the first tokens carry no loss.
            period = periods(passages, 32, max(longest_period, 32), self.random)
            step = torch.arange(self.length, device=self.device)
            text[:passages] = text[:passages].gather(1, step % period)
            labels[:passages] = text[:passages].masked_fill((step % period < 4) & (step >= period), IGNORED)
        noise = repeated_noise(repeats, self.length, periods(repeats, 8, longest_period, self.random), self.vocab, self.random)
        text, labels = torch.cat([text, noise[0]]), torch.cat([labels, noise[1]])
        return inputs_for(text), labels


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
