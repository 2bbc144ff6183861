"""bin/experiment korean-english --train TSV … --dev TSV …: a Transformer and a recurrent model translate.

TSV files with Korean in the first column and English in the second, under a line of names. One byte-level vocabulary is
learned from both sides and shared by them. Said are, for each file of held-out pairs, BLEU (English by words, Korean by
morphemes; the signature tells) and chrF of each model and of the source taken as it stands, which code and names make
better than nothing; the loss on held-out pairs as the training went; and ten translations beside their references. Each
run's folder has a page with the curves. The Transformer takes up to 80 minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import characters
import running
from pairs import Pair, Recipe, trained

from textpipe.data.pairs import PackedPairs, pack_pairs
from textpipe.data.parallel_text import iter_pairs
from textpipe.evaluation.translations import score_translations
from textpipe.generation.beam import BeamConfig
from textpipe.nn.shapes import Seq2SeqConfig, TransformerConfig
from textpipe.report import write_report

COLUMNS = {"ko-en": (0, 1), "en-ko": (1, 0)}
SHOWN = 5  # translations of each held-out file
CONTEXT = 128

_TRAIN = {
    "steps": 2500,
    "batch_tokens": 4096,
    "label_smoothing": 0.1,
    "final_share": 0.0,
    "average_decay": 0.998,
    "dtype": "bfloat16",
}
_TRANSFORMER = {"layout": "pre", "encoder_layers": 3, "decoder_layers": 3, "heads": 4, "width": 256, "dropout": 0.1}
_RNN = {"embedding": 256, "width": 512, "encoder_width": 256, "attention": "general", "dropout": 0.2}
RECIPES = {
    "transformer": Recipe(
        TransformerConfig,
        {**_TRANSFORMER, "context": CONTEXT},
        {**_TRAIN, "optimizer": "muon", "learning_rate": 2e-3, "warmup_steps": 400, "beta2": 0.98},
    ),
    "rnn": Recipe(Seq2SeqConfig, {**_RNN, "context": CONTEXT}, {**_TRAIN, "learning_rate": 1e-3, "warmup_steps": 200}),
}


def read(paths: Sequence[Path], direction: str) -> list[Pair]:
    """The pairs of these files, sources first; lines in which a side is empty are left out."""
    found: list[Pair] = []
    for path in paths:
        found += [
            pair
            for pair in list(iter_pairs([path], columns=COLUMNS[direction], keeps_empty=True))[1:]
            if all(map(str.strip, pair))
        ]
    return found


def packed(train: list[Pair], val: list[Pair], size: int, out: Path) -> PackedPairs:
    """The pairs in a vocabulary of this size, learned from both sides of the training pairs."""
    if out.exists():
        return PackedPairs(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    tokenizer = characters.bytes_of((text for pair in train for text in pair), size)
    return pack_pairs(train, val, tokenizer, out)


def curve(run: Path) -> list[tuple[int, float]]:
    """(step, loss on held-out pairs) of each look, from a run's log."""
    rows = map(json.loads, (run / "log.jsonl").read_text(encoding="utf-8").splitlines())
    return [(row["step"], round(row["val_loss"], 3)) for row in rows if row.get("val_loss") is not None]


def scores(name: str, texts: list[str], held_out: list[Pair], direction: str) -> dict[str, object]:
    """BLEU and chrF with half the width of their 95 % intervals."""
    found = score_translations(texts, [[target for _, target in held_out]])
    return {
        "model": name,
        "direction": direction,
        "pairs": len(held_out),
        "bleu": found.bleu.value,
        "bleu_half_width": found.bleu.half_width,
        "chrf": found.chrf.value,
        "chrf_half_width": found.chrf.half_width,
        "signature": found.bleu.signature,
    }


def cut(texts: list[str], dev: dict[str, list[Pair]]) -> Iterator[tuple[str, list[str], list[Pair]]]:
    """Texts of all held-out pairs, one file after the other, given back to their files."""
    start = 0
    for name, held_out in dev.items():
        yield name, texts[start : start + len(held_out)], held_out
        start += len(held_out)


def main(arguments: list[str]) -> int:
    parser = running.flags("korean-english", __doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--train", type=Path, nargs="+", required=True)
    parser.add_argument("--dev", type=Path, nargs="+", required=True)
    parser.add_argument("--model", choices=RECIPES, action="append", help="both when absent")
    parser.add_argument("--direction", choices=COLUMNS, action="append", help="both when absent")
    parser.add_argument("--vocab-size", type=int, default=8000)
    parser.add_argument("--beams", type=int, default=4)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--dev-pairs", type=int, help="score so many of each file only")
    chosen = parser.parse_args(arguments)
    for direction in chosen.direction or COLUMNS:
        _run(chosen, direction)
    return 0


def _run(chosen: argparse.Namespace, direction: str) -> None:
    train = read(chosen.train, direction)
    dev = {path.name: read([path], direction)[: chosen.dev_pairs] for path in chosen.dev}
    held_out = [pair for pairs in dev.values() for pair in pairs]
    data = packed(train, held_out, chosen.vocab_size, chosen.out / f"data-{direction}-{chosen.vocab_size}")
    changed = {"steps": chosen.steps, "warmup_steps": chosen.steps // 10} if chosen.steps else {}
    beam = BeamConfig(beams=chosen.beams, max_tokens=CONTEXT, length_penalty="average")
    written = {"copy": [source for source, _ in held_out]}
    for name in chosen.model or RECIPES:
        out = chosen.out / f"{name}-{direction}-seed{chosen.seed}"
        settings = {"seed": chosen.seed, "threads": chosen.threads, **changed}
        done = trained(RECIPES[name], data, held_out, out, beam=beam, **settings)
        written[name] = done.texts
        write_report([out], out / "report.html", title=out.name)
        running.print_result(model=name, direction=direction, seed=chosen.seed, **done.facts, curve=curve(out))
    for name, texts in written.items():
        for file, part, pairs in cut(texts, dev):
            running.print_result(file=file, seed=chosen.seed, **scores(name, part, pairs, direction))
    for place in spread(dev):
        source, target = held_out[place]
        shown = {name: texts[place] for name, texts in written.items() if name != "copy"}
        running.print_result(source=source, reference=target, **shown)


def spread(dev: dict[str, list[Pair]]) -> Iterator[int]:
    """Places of a few pairs of each file among those of all, evenly apart: chosen by nobody."""
    start = 0
    for pairs in dev.values():
        yield from range(start, start + len(pairs), max(1, -(-len(pairs) // SHOWN)))
        start += len(pairs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
