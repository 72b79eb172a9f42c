"""The tables of a model card, in Markdown, from the JSON files that lie in a demonstration model's folder."""
import math

BOOKS = {
    "austen": "Jane Austen's six novels",
    "kjv": "the King James Bible",
    "tinyshakespeare": "40,000 lines of Shakespeare",
    "wiki": "WikiText-2's raw test set",
    "botchan": "Botchan in English",
}
HEADS = {
    "previous_token": "previous token",
    "first_token": "first-token sink",
    "induction": "induction (random repeats)",
    "last_8": "local (last 8 tokens)",
}
EXPERTS_SHOWN, A_LAYER = 12, 2
STRONGEST = 4


def table(head, rows):
    line = lambda cells: "| " + " | ".join(str(c) for c in cells) + " |"
    return "\n".join([line(head), "|" + "---|" * len(head), *map(line, rows)])


def code(text):
    """A token as inline code that no table breaks on."""
    return "`" + text.replace("\n", "\\n").replace("|", "¦").replace("`", "'") + "`"


def data(training):
    parts = [f"{BOOKS[source]} ({share:.0%} of the windows)" for source, share in training["arguments"]["mix"].items()]
    return f"{', '.join(parts).replace('%', ' %')}; {training['corpus_tokens'] / 1e6:.2f} million tokens"


def losses(training):
    cells = lambda f: (f"{f['loss']:.3f}", f"{f['perplexity']:.1f}", f"{f['bits_per_byte']:.3f}")
    rows = []
    for split, name in (("validation", "validation (chose the checkpoint)"), ("test", "test")):
        figures = training["held_out"][split]
        before = training.get("held_out_before", {}).get(split)
        rows += [(f"{name}, demo-dense itself", *cells(before))] if before else []
        rows += [(name, *cells(figures))]
        rows += [(f"&nbsp;&nbsp;{source}", *cells(f)) for source, f in figures.get("sources", {}).items()]
    return table(("", "nats a token", "perplexity", "bits a byte"), rows)


def heads(measured, layers):
    """The strongest heads; `layers` are the numbers of the layers that attend."""
    rows = []
    for key, name in HEADS.items():
        all_heads = [(value, f"{layers[i]}.{h}") for i, row in enumerate(measured[key]) for h, value in enumerate(row)]
        rows.append((name, ", ".join(f"{head}: {value:.2f}" for value, head in sorted(all_heads, reverse=True)[:STRONGEST])))
    return "Mean weights on held-out text, heads counted from 0 as layer.head:\n\n" + table(("behaviour", "strongest heads"), rows)


def entropy(shares):
    return -sum(p * math.log2(p) for p in shares.values() if p > 0)


def strongest(expert, overall, kind):
    """Lift, name and share of what an expert leans to most."""
    name = max(overall[kind], key=lambda n: expert[kind][n] / max(overall[kind][n], 1e-6))
    return expert["lift"][kind], name, expert[kind][name]


def layers(experts):
    rows = []
    for number, layer in enumerate(experts["layers"]):
        busiest = max(e["share"] for e in layer["experts"]) * len(layer["experts"])
        best = [max((*strongest(e, experts["overall"], kind), e["expert"]) for e in layer["experts"]) for kind in ("source", "class")]
        cells = [f"{number}.{expert}: {share * 100:.0f} % {name}" for _, name, share, expert in best]
        rows.append((number, f"{layer['bits']['source']:.2f}", f"{layer['bits']['class']:.2f}", f"{busiest:.2f}", *cells))
    return table(("layer", "bits of source", "bits of class", "busiest", "most of one source", "most of one class"), rows)


def leaning(experts):
    rows = []
    for kind in ("source", "class"):
        found = []
        for number, layer in enumerate(experts["layers"]):
            of_layer = sorted(((*strongest(e, experts["overall"], kind), number, e) for e in layer["experts"]), key=lambda r: -r[0])
            found += of_layer[:A_LAYER]
        for lift, name, share, number, e in sorted(found, key=lambda r: -r[0])[: EXPERTS_SHOWN // 2]:
            tokens = " ".join(code(t) for t in list(e["tokens"])[:6])
            rows.append((f"{number}.{e['expert']}", f"{name}, {share * 100:.0f} %", f"{lift:.1f}", f"{e['share'] * 100:.1f} %", tokens))
    return table(("expert", "leans to", "lift", "of the layer's choices", "tokens that go to it most surely"), rows)


def shares(experts):
    names = [*experts["overall"]["source"], *experts["overall"]["class"]]
    percent = lambda of: [f"{100 * v:.0f}" for kind in ("source", "class") for v in of[kind].values()]
    rows = [("all", *percent(experts["overall"]))]
    for number, layer in enumerate(experts["layers"]):
        rows += [(f"{number}.{e['expert']}", *percent(e)) for e in layer["experts"]]
    return table(("expert", *names), rows)


def states(measured):
    low, middle, high = (measured["half_life"][p] for p in ("10", "50", "90"))
    short = lambda v: f"{v:.1f}" if v < 10 else f"{v:,.0f}"
    cell = lambda i, h: f"{short(middle[i][h])} ({short(low[i][h])}, {short(high[i][h])})"
    rows = [(number, *(cell(i, h) for h in range(len(middle[i])))) for i, number in enumerate(measured["layers"])]
    return table(("layer", *(f"head {h}" for h in range(len(middle[0])))), rows)


def change(measured):
    rows = []
    for kind in ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"):
        found = [row for name, row in measured["matrices"].items() if name.endswith(kind)]
        mean = lambda key: sum(row[key] for row in found) / len(found)
        row = [f"`{kind}`", f"{100 * mean('relative'):.1f} %", f"{mean('stable_rank'):.1f}", f"{100 * mean('top_8'):.0f} %"]
        rows.append(row + ([f"{mean('overlap'):.2f} ({mean('chance'):.2f})"] if "overlap" in found[0] else []))
    head = ["matrix", "size of D / W", "stable rank", "top 8"] + (["overlap"] if "overlap" in measured["mean"] else [])
    return table(head, rows)
