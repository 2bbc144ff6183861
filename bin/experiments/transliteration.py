"""bin/experiment transliteration TRAIN DEV: foreign words in Hangul, character by character.

TSV files with the foreign word in the first column and its Hangul in the second, under a line of names. Compared are a
recurrent model without attention, one with, and the Transformer: how many words are exactly right, and the character
error rate, edits over syllables of the reference. ``--jamo`` writes letters (NFD), scored by syllables all the same. Of
the model with attention a picture shows which letters each syllable was read from.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import characters
import running
from pairs import Pair, Recipe, draw, edit_distance, trained

from textpipe.data.pairs import PackedPairs, pack_pairs
from textpipe.data.parallel_text import iter_pairs
from textpipe.nn.shapes import Seq2SeqConfig, TransformerConfig

_RNN = {"embedding": 64, "width": 192, "encoder_width": 96, "dropout": 0.2, "context": 64}
_TRAIN = {"final_share": 0.0, "warmup_steps": 100, "batch_tokens": 4096, "steps": 3000}
_ADAMW = {**_TRAIN, "learning_rate": 1.5e-3}
_MUON = {**_TRAIN, "optimizer": "muon", "learning_rate": 2e-3, "beta2": 0.98}
_TRANSFORMER = {"layout": "pre", "encoder_layers": 3, "decoder_layers": 3, "heads": 4, "width": 128}
RECIPES = {
    "rnn": Recipe(Seq2SeqConfig, {**_RNN, "attention": "none"}, {**_ADAMW, "learning_rate": 3e-3}),
    "rnn-attention": Recipe(Seq2SeqConfig, {**_RNN, "attention": "general"}, _ADAMW),
    "transformer": Recipe(TransformerConfig, {**_TRANSFORMER, "dropout": 0.2, "context": 64}, _MUON),
}
LONGEST_DRAWN = 16  # letters of the word whose attention is drawn


def read(path: Path, form: str) -> list[Pair]:
    """The pairs of a file, sources in lower case, targets in a form of Unicode."""
    rows = list(iter_pairs([path]))[1:]
    return [(source.lower(), unicodedata.normalize(form, target)) for source, target in rows]


def main(arguments: list[str]) -> int:
    parser = running.flags("transliteration", __doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("train", type=Path)
    parser.add_argument("dev", type=Path)
    parser.add_argument("--model", choices=RECIPES, action="append", help="all when absent")
    parser.add_argument("--jamo", action="store_true", help="write letters instead of syllables")
    parser.add_argument("--steps", type=int)
    chosen = parser.parse_args(arguments)
    form = "NFD" if chosen.jamo else "NFC"
    train, dev = read(chosen.train, form), read(chosen.dev, form)
    units = "jamo" if chosen.jamo else "syllables"
    folder = chosen.out / f"data-{units}"
    if not folder.exists():
        chosen.out.mkdir(parents=True, exist_ok=True)
        of = {side: characters.characters_of(pair[side] for pair in train) for side in (0, 1)}
        pack_pairs(train, dev, of[1], folder, source_tokenizer=of[0])
    data = PackedPairs(folder)
    changed = {"steps": chosen.steps, "warmup_steps": min(100, chosen.steps // 8)} if chosen.steps else {}
    for name in chosen.model or RECIPES:
        out = chosen.out / f"{name}-{units}-seed{chosen.seed}"
        done = trained(RECIPES[name], data, dev, out, seed=chosen.seed, threads=chosen.threads, **changed)
        wrote = [unicodedata.normalize("NFC", text) for text in done.texts]
        wanted = [unicodedata.normalize("NFC", target) for _, target in dev]
        exact = sum(one == other for one, other in zip(wrote, wanted, strict=True)) / len(wanted)
        edits = sum(edit_distance(one, other) for one, other in zip(wrote, wanted, strict=True))
        error_rate = edits / sum(map(len, wanted))
        if name == "rnn-attention":
            source, _ = max(dev, key=lambda pair: len(pair[0]) if len(pair[0]) <= LONGEST_DRAWN else 0)
            draw(out, source)
        running.print_result(
            model=name, units=units, seed=chosen.seed, exact=exact, character_error_rate=error_rate, **done.facts
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
