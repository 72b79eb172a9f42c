#!/usr/bin/env python3
"""Makes the small tokenizer.json files of this folder, and expected.json with what Hugging Face's library says of them;
sentencepiece.json, a Unigram model as a GGUF's metadata has it, with what Google's library says.

Needs PyPI's `tokenizers` (written with 0.22), `sentencepiece` and `protobuf`. The files are kept in the repository: run this only to change them.
Each imitates how a family of models describes its tokenizer; the vocabularies are trained on the sentences below.
"""
import base64
import io
import json
import pathlib
import tempfile

import sentencepiece as google
from sentencepiece import sentencepiece_model_pb2

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent

SENTENCES = [
    "The old glass case stood by the window, and in the case stood the old clock.",
    "She said that she'd seen it, that they'd seen it, and that we'll see it again in 2024 or 2025.",
    "for (int i = 0; i < 100; ++i) {\n    total += values[i];  // add them all\n}\n\n",
    "Wir sahen die größeren Bäume, und die Bäume sahen größer aus als gestern.",
    "Le café était fermé, mais la fenêtre était restée ouverte toute la journée.",
    "Старый дом стоял на берегу, и старый сад стоял за домом.",
    "東京の窓から東京の空を見る。窓の外は青い空。",
] * 3

TEXTS = [
    "", " ", "  ", "   ", "\n", "\n\n", "\t", " \n \n", "a", " a", "a ", "  a  b  ", "The old clock", " The old clock",
    "THE OLD CLOCK", "she'd said they'll", "SHE'D WE'LL", "3 33 333 3333 12345678", "x=3.14, y=-2;", "!!! ... ???",
    "total += values[i];  // add\n    all", "größer Bäume", "gro\u0308ßer", "était fermé", "Старый дом", "東京の空",
    "a\u0301e\u0308 \u1112\u1161\u11ab", "👨‍👩‍👧 and 🇩🇪", "ﬁne ① ㎏ ＡＢＣ", "\u00a0\u2003\u3000wide", "a\r\nb\rc", "\x00\x07\x1b[0m",
    "שלום world", "نص عربي", "½ ² ٣", "İstanbul ΣΊΣΥΦΟΣ", "\U0001d54f\U00010400", "_under_score", "a_b-c.d", "window" * 12,
    "<s>", "<s>The", "The<s> old", "The </s> clock", "<|end|>The<|end|>\n clock", "a<tool>b", "a <tool> b", "The <old> clock",
    "<mask> old <mask>", "the<mask>old", "word", "sword words word", "a word, word", "NORM norm the NORMal", "<|end",
]

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def added():
    """One token of each flag."""
    return [
        AddedToken("<|end|>", special=True, normalized=False),
        AddedToken("<tool>", special=False, normalized=False),
        AddedToken("<mask>", special=True, normalized=False, lstrip=True),
        AddedToken("<old>", special=True, normalized=False, rstrip=True),
        AddedToken("word", special=False, normalized=False, single_word=True),
        AddedToken("norm", special=False, normalized=True),
    ]


def add_tokens(tokenizer, tokens):
    for token in tokens:
        (tokenizer.add_special_tokens if token.special else tokenizer.add_tokens)([token])


def byte_level(pre, size=420, normalizer=None, ignore_merges=False):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def sentencepiece(normalizer, pre, decoder, byte_fallback=True):
    """A vocabulary as sentencepiece orders it: unknown, ends, bytes, then what was learnt."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Metaspace()
    learner.train_from_iterator(SENTENCES, trainers.BpeTrainer(vocab_size=280, limit_alphabet=60, show_progress=False))
    learnt = json.loads(learner.to_str())["model"]
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] * byte_fallback
    pieces += sorted(learnt["vocab"], key=learnt["vocab"].get)
    merges = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in learnt["merges"]]
    model = models.BPE({piece: i for i, piece in enumerate(pieces)}, merges, unk_token="<unk>", fuse_unk=True,
                       byte_fallback=byte_fallback)
    tokenizer = Tokenizer(model)
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre:
        tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoder
    add_tokens(tokenizer, [AddedToken(t, special=True, normalized=False) for t in ("<unk>", "<s>", "</s>")])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return tokenizer


# What a character map replaces: two characters by one, one by two, by a space, by nothing.
RULES = [("ﬁ", "fi"), ("①", "1"), ("㎏", "kg"), ("Ａ", "A"), ("Ｂ", "B"), ("Ｃ", "C"), ("\u00a0", " "), ("\u2003", " "),
         ("\u3000", " "), ("\t", " "), ("\n", " "), ("\r", " "), ("\x07", ""), ("a\u0301", "á"), ("e\u0308", "ë"), ("o\u0308", "ö"),
         ("½", "1/2"), ("²", "2"), ("İ", "i"), ("...", "…")]


def train_sentencepiece(**options):
    """A Unigram model of Google's library with RULES, as its protocol buffer."""
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        for source, target in RULES:
            rules.write(" ".join(f"{ord(c):X}" for c in source) + "\t" + " ".join(f"{ord(c):X}" for c in target) + "\n")
        rules.flush()
        model = io.BytesIO()
        google.SentencePieceTrainer.train(
            sentence_iterator=iter(SENTENCES), model_writer=model, model_type="unigram", vocab_size=480 if options.get("byte_fallback") else 240,
            normalization_rule_tsv=rules.name, minloglevel=2, pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
            hard_vocab_limit=False, **options)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto


def sentencepiece_rows(**options):
    """A model's metadata in a GGUF, and the ids of TEXTS."""
    proto = train_sentencepiece(**options)
    processor = google.SentencePieceProcessor(model_proto=proto.SerializeToString())
    spec = proto.normalizer_spec
    metadata = {
        "tokenizer.ggml.model": "t5",
        "tokenizer.ggml.tokens": [p.piece for p in proto.pieces],
        "tokenizer.ggml.scores": [round(p.score, 6) for p in proto.pieces],
        "tokenizer.ggml.token_type": [p.type for p in proto.pieces],
        "tokenizer.ggml.eos_token_id": 1, "tokenizer.ggml.unknown_token_id": 2,
        "tokenizer.ggml.add_space_prefix": spec.add_dummy_prefix,
        "tokenizer.ggml.remove_extra_whitespaces": spec.remove_extra_whitespaces,
        "tokenizer.ggml.precompiled_charsmap": list(spec.precompiled_charsmap),
    }
    return {"metadata": metadata, "rows": [{"text": t, "ids": processor.encode(t)} for t in TEXTS]}


def unigram(normalizer, pre, byte_fallback=False):
    """A Unigram vocabulary with the specials of T5 in front."""
    learner = Tokenizer(models.Unigram())
    learner.pre_tokenizer = pre_tokenizers.Metaspace()
    learner.train_from_iterator(SENTENCES, trainers.UnigramTrainer(vocab_size=200, show_progress=False))
    learnt = json.loads(learner.to_str())["model"]["vocab"]
    pieces = [("<pad>", 0.0), ("<eos>", 0.0), ("<unk>", 0.0)]
    pieces += [(f"<0x{b:02X}>", 0.0) for b in range(256)] * byte_fallback
    pieces += [(piece, round(score, 6)) for piece, score in learnt]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=byte_fallback))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = (decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                            decoders.Strip(" ", 1, 0)]) if byte_fallback else decoders.Metaspace())
    add_tokens(tokenizer, [AddedToken(t, special=True, normalized=False) for t in ("<pad>", "<eos>", "<unk>")])
    tokenizer.post_processor = processors.TemplateProcessing(single="$A <eos>", pair="$A <eos> $B <eos>",
                                                             special_tokens=[("<eos>", 1)])
    return tokenizer


def wordpiece(normalizer, pre, cleanup):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.WordPiece(cleanup=cleanup)
    tokenizer.train_from_iterator(SENTENCES, trainers.WordPieceTrainer(
        vocab_size=220, limit_alphabet=70, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"], show_progress=False))
    return tokenizer


def make():
    charsmap = normalizers.Precompiled(train_sentencepiece().normalizer_spec.precompiled_charsmap)
    space_back = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    mark = normalizers.Replace(" ", "▁")
    made = {
        "gpt2": byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False)),
        "prefix_space": byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True)),
        "llama3": byte_level(pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
                             pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]), ignore_merges=True),
        "falcon": byte_level(pre_tokenizers.Sequence([pre_tokenizers.Punctuation("contiguous"),
                             pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.Digits(),
                             pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")])),
        "folding": byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), normalizer=normalizers.Sequence(
                              [normalizers.NFKC(), normalizers.Lowercase()])),
        "llama2": sentencepiece(normalizers.Sequence([normalizers.Prepend("▁"), mark]), None,
                                decoders.Sequence(space_back + [decoders.Strip(" ", 1, 0)])),
        "mistral": sentencepiece(None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False),
                                 decoders.Sequence(space_back + [decoders.Strip(" ", 1, 0)])),
        "metaspace": sentencepiece(None, pre_tokenizers.Metaspace(prepend_scheme="always", split=True),
                                   decoders.Metaspace(), byte_fallback=False),
        "gemma": sentencepiece(mark, pre_tokenizers.Split(" ", "merged_with_previous"), decoders.Sequence(space_back)),
    }
    made["unigram"] = unigram(normalizers.Sequence([charsmap, normalizers.Replace(Regex(" {2,}"), " ")]),
                              pre_tokenizers.Metaspace(prepend_scheme="always"))
    made["xlmr"] = unigram(charsmap, pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(),
                                                              pre_tokenizers.Metaspace(prepend_scheme="always")]))
    made["unigram_bytes"] = unigram(None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False), byte_fallback=True)
    made["bert"] = wordpiece(normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer(), cleanup=True)
    made["bert"].post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    made["bert_cased"] = wordpiece(normalizers.BertNormalizer(lowercase=False, strip_accents=False,
                                                              handle_chinese_chars=False),
                                   pre_tokenizers.Whitespace(), cleanup=False)
    made["bert_cased"].post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    made["roberta"] = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False))
    add_tokens(made["roberta"], [AddedToken(t, special=True, normalized=False) for t in ("<s>", "</s>")])
    made["roberta"].post_processor = processors.RobertaProcessing(
        ("</s>", made["roberta"].token_to_id("</s>")), ("<s>", made["roberta"].token_to_id("<s>")))
    begin = "<|begin|>"
    add_tokens(made["llama3"], [AddedToken(begin, special=True, normalized=False)])
    made["llama3"].post_processor = processors.Sequence([processors.ByteLevel(), processors.TemplateProcessing(
        single=f"{begin} $A", pair=f"{begin} $A {begin} $B", special_tokens=[(begin, made["llama3"].token_to_id(begin))])])
    for tokenizer in made.values():
        add_tokens(tokenizer, added())
    return made


def expect(tokenizer):
    rows = []
    for text in TEXTS:
        row = {"text": text}
        tokenizer.encode_special_tokens = False
        row["parse"] = tokenizer.encode(text, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = True
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        if plain != row["parse"]:
            row["plain"] = plain
        if isinstance(tokenizer.model, models.WordPiece):
            row["decoded"] = tokenizer.decode(row["parse"])
        rows.append(row)
    tokenizer.encode_special_tokens = False
    return {"prompt": tokenizer.encode("The").ids, "rows": rows}


expected = {}
for name, tokenizer in make().items():
    expected[name] = expect(tokenizer)
    (HERE / f"{name}.json").write_text(tokenizer.to_str() + "\n")
rows = ",\n".join(f'"{name}":{{"prompt":{e["prompt"]},"rows":[\n' +
                  ",\n".join(json.dumps(r, separators=(",", ":")) for r in e["rows"]) + "]}" for name, e in expected.items())
(HERE / "expected.json").write_text("{" + rows + "}\n")

(HERE / "sentencepiece.json").write_text(json.dumps(
    {"trimmed": sentencepiece_rows(), "spaced": sentencepiece_rows(remove_extra_whitespaces=False, add_dummy_prefix=False),
     "bytes": sentencepiece_rows(byte_fallback=True)}, separators=(",", ":")) + "\n")
