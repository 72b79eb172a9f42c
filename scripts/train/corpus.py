"""The training texts as documents: hard-wrapped lines joined into paragraphs, front matter removed, whole documents held out.

A document is a chapter (austen, botchan), 60 verses (kjv), 40 speeches (tinyshakespeare) or an article (wiki: WikiText-2's raw test
set, its spaces around punctuation taken out). Of every 30 documents of a source one is held out for validation (it chooses the
checkpoint) and one for the test (it is only reported); botchan is too short for that.
"""
import re
from pathlib import Path

SPLITS = ("train", "validation", "test")
_HELD_OUT = {14: "validation", 29: "test"}
_CHAPTER = re.compile(r"^\s*chapter\s+([0-9]+|[ivxlc]+)\.?\s*$", re.IGNORECASE | re.MULTILINE)
# Where a novel or volume ends: what follows, up to the next chapter heading, are title pages and notes.
_END = re.compile(
    r"^\W*(the end|finis|a note on the text|volume [ivx]+|pride and prejudice|mansfield park|emma|northanger abbey|persuasion)\W*$",
    re.IGNORECASE | re.MULTILINE,
)


def _chapters(text):
    """The text cut before each chapter heading, without front matter, title pages and notes."""
    starts = [m.start() for m in _CHAPTER.finditer(text)]
    return [_END.split(text[a:b])[0] for a, b in zip(starts, starts[1:] + [len(text)])]


def _unwrap(lines):
    return re.sub(r"\s+", " ", " ".join(lines)).strip()


def _austen(text):
    documents = []
    for chapter in _chapters(text):
        paragraphs = (_unwrap(block.split("\n")) for block in re.split(r"\n\s*\n", chapter))
        documents.append("\n\n".join(p for p in paragraphs if p))
    return documents


def _botchan(text, width=72):
    """Paragraphs are not marked here, but a line that had room for the next line's first word ends one."""
    text = re.sub(r" ?\(?\[[A-Z]\]\)?", "", text)  # marks of the transcriber's notes
    documents = []
    for chapter in _chapters(text):
        paragraphs, lines = [], []
        rows = [row.strip() for row in chapter.split("\n") if row.strip()]
        for row, following in zip(rows, rows[1:] + [""]):
            lines.append(row)
            if not following or len(row) + 1 + len(following.split()[0]) <= width:
                paragraphs.append(_unwrap(lines))
                lines = []
        documents.append("\n\n".join(paragraphs))
    return documents


def _groups(parts, size, joiner):
    return [joiner.join(parts[i : i + size]) for i in range(0, len(parts), size)]


def _kjv(text):
    return _groups([verse.strip() for verse in text.split("\n") if verse.strip()], 60, "\n")


def _tinyshakespeare(text):
    return _groups([speech.strip() for speech in text.split("\n\n") if speech.strip()], 40, "\n\n")


def _wiki_line(line):
    line = re.sub(r" @([-,.])@ ", r"\1", line.strip())
    for number, part in enumerate(pieces := re.split(r'(?<!\S)"(?!\S)', line)):  # every second quotation mark closes
        pieces[number] = part.strip() if number % 2 else part
    line = '"'.join(pieces)
    line = re.sub(r" ([,.;:!?%)\]]|'s\b|n't\b|'(?=\s|$))", r"\1", line)
    return re.sub(r"([(\[$£]) ", r"\1", line)


def _wiki(text):
    """A heading's equals signs are left out, and with them its level."""
    articles = re.split(r"^ = ([^=].*[^=]) = $", text, flags=re.MULTILINE)
    documents = []
    for title, body in zip(articles[1::2], articles[2::2]):
        lines = (_wiki_line(line.strip(" =")) for line in [title] + body.split("\n"))
        documents.append("\n\n".join(line for line in lines if line))
    return documents


READERS = {"austen": _austen, "botchan": _botchan, "kjv": _kjv, "tinyshakespeare": _tinyshakespeare, "wiki": _wiki}
FILES = {"wiki": "wiki.test.raw"}  # the others are SOURCE.txt


def documents(folder, source, split):
    """The documents of one split of a source, in the order of the text."""
    text = (Path(folder) / FILES.get(source, f"{source}.txt")).read_text(encoding="utf-8-sig")
    return [d for i, d in enumerate(READERS[source](text)) if _HELD_OUT.get(i % 30, "train") == split]
