"""bin/experiment reverse: write numbers in reverse order, the smallest task that needs attention.

40,000 sequences of 1 to 25 integers from 0 to 49, as JoeyNMT's tutorial has them; the 1,000 of validation and of test
are up to 30 long, so some are longer than any the model has seen. Compared are a recurrent model without attention, one
with Luong's general attention, and the Transformer, by BLEU over the numbers; the tutorial's model with attention
reaches 95.2 on its test. Of the one with attention a picture shows where each step looked.
"""

from __future__ import annotations

import sys

import characters
import numpy as np
import running
from pairs import Pair, Recipe, Trained, draw, trained

from textpipe.data.pairs import PackedPairs, pack_pairs
from textpipe.nn.shapes import Seq2SeqConfig, TransformerConfig

_RNN = {"embedding": 16, "width": 64, "encoder_width": 64, "dropout": 0.1, "context": 32}
# Batches are of like length, and the long ones stay hard for long: one of them is no jump.
_RATE = {
    "learning_rate": 1e-3,
    "final_share": 0.0,
    "warmup_steps": 100,
    "batch_tokens": 640,
    "steps": 5000,
    "max_loss_rise": 10.0,
}
_TRANSFORMER = {"encoder_layers": 2, "decoder_layers": 2, "heads": 4, "width": 64, "dropout": 0.1, "context": 32}
RECIPES = {
    "rnn": Recipe(Seq2SeqConfig, {**_RNN, "attention": "none"}, _RATE),
    "rnn-attention": Recipe(Seq2SeqConfig, {**_RNN, "attention": "general"}, _RATE),
    "transformer": Recipe(TransformerConfig, _TRANSFORMER, {**_RATE, "learning_rate": 3e-3, "beta2": 0.98}),
}
SPLITS = {"train": (40_000, 25), "val": (1000, 30), "test": (1000, 30)}  # how many, and how long at most


def sequences(split: str, seed: int) -> list[Pair]:
    """The pairs of a split; the seed is that of the data, the same for every model."""
    number, longest = SPLITS[split]
    generator = np.random.default_rng([seed, list(SPLITS).index(split)])
    found = []
    for length in generator.integers(1, longest, size=number, endpoint=True):
        row = [str(value) for value in generator.integers(0, 49, size=length, endpoint=True)]
        found.append((" ".join(row), " ".join(reversed(row))))
    return found


def main(arguments: list[str]) -> int:
    parser = running.flags("reverse", __doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--model", choices=RECIPES, action="append", help="all when absent")
    parser.add_argument("--steps", type=int)
    chosen = parser.parse_args(arguments)
    folder = chosen.out / "data"
    if not folder.exists():
        chosen.out.mkdir(parents=True, exist_ok=True)
        words = characters.words_of(str(number) for number in range(50))
        pack_pairs(sequences("train", 0), sequences("val", 0), words, folder)
    data = PackedPairs(folder)
    changed = {"steps": chosen.steps, "warmup_steps": min(100, chosen.steps // 8)} if chosen.steps else {}
    for name in chosen.model or RECIPES:
        held_out = sequences("val", 0) + sequences("test", 0)
        out = chosen.out / f"{name}-seed{chosen.seed}"
        done = trained(RECIPES[name], data, held_out, out, seed=chosen.seed, threads=chosen.threads, **changed)
        _report(name, chosen.seed, held_out, done)
        if name == "rnn-attention":
            draw(out, next(source for source, _ in held_out if len(source.split()) == 14))
    return 0


def _report(name: str, seed: int, held_out: list[Pair], done: Trained) -> None:
    half = SPLITS["val"][0]
    seen = [number for number, (source, _) in enumerate(held_out) if len(source.split()) <= SPLITS["train"][1]]
    scores = {
        "bleu_val": bleu(done.texts[:half], held_out[:half]),
        "bleu_test": bleu(done.texts[half:], held_out[half:]),
        "bleu_up_to_25": bleu([done.texts[number] for number in seen], [held_out[number] for number in seen]),
    }
    running.print_result(model=name, seed=seed, **scores, **done.facts)


def bleu(texts: list[str], held_out: list[Pair]) -> float:
    """BLEU over words (sacrebleu, no tokenization of its own)."""
    import sacrebleu

    return float(sacrebleu.corpus_bleu(texts, [[target for _, target in held_out]], tokenize="none").score)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
