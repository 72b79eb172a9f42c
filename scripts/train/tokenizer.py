"""Trains the byte-level BPE vocabulary that the demonstration models share and writes tokenizer.json.

tokenizer.py --text FOLDER --out tokenizer.json [--vocab 2048]

Pre-tokenization is GPT-2's pattern, so llama.cpp reads the vocabulary as model `gpt2`, pre-tokenizer `gpt-2`. Token 0 is <s>, put
before every text: attention needs a place to rest. Token 1 is </s>, the end of a chapter. Only training documents are seen.
"""
import argparse

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

import corpus

BOS, EOS = "<s>", "</s>"
BOS_ID, EOS_ID = 0, 1
SOURCES = ("austen", "botchan", "kjv", "tinyshakespeare")
OTHER_SOURCE_LIMIT = 1_100_000  # characters: the novels lead, the others only keep their common words whole


def training_texts(folder):
    for source in SOURCES:
        room = None if source == "austen" else OTHER_SOURCE_LIMIT
        for document in corpus.documents(folder, source, "train"):
            yield document[:room]
            if room is not None:
                room -= len(document)
                if room <= 0:
                    break


def train(folder, vocab_size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(training_texts(folder), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B", special_tokens=[(BOS, BOS_ID)]
    )
    return tokenizer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--vocab", type=int, default=2048)
    args = parser.parse_args()
    tokenizer = train(args.text, args.vocab)
    tokenizer.save(args.out)
    for source in SOURCES:
        text = "\n\n".join(corpus.documents(args.text, source, "train"))
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        assert tokenizer.decode(ids) == text, f"{source}: detokenize(tokenize(x)) differs from x"
        print(f"{source}: {len(text.encode()) / len(ids):.2f} bytes a token")


if __name__ == "__main__":
    main()
