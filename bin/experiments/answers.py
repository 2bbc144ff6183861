"""bin/experiment answers CSV: a Transformer learns to answer from questions and answers in Korean.

The CSV has a question in the first column and its answer in the second, under a line of names. One pair in fifty is
held out; one byte-level vocabulary is learned from both sides of the rest. Said are the loss of held-out answers, and
answers to ten held-out questions beside those of the file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import characters
import running
from pairs import Recipe, trained

from textpipe.data.labelled_text import Columns, iter_examples
from textpipe.data.pairs import PackedPairs, pack_pairs
from textpipe.generation.beam import BeamConfig
from textpipe.nn.shapes import TransformerConfig

EVERY, SHOWN = 50, 10
RECIPE = Recipe(
    TransformerConfig,
    {
        "layout": "pre",
        "encoder_layers": 2,
        "decoder_layers": 2,
        "heads": 4,
        "width": 192,
        "dropout": 0.3,
        "context": 64,
    },
    {
        "optimizer": "muon",
        "learning_rate": 2e-3,
        "batch_tokens": 2048,
        "label_smoothing": 0.1,
        "final_share": 0.0,
        "dtype": "bfloat16",
    },
)


def main(arguments: list[str]) -> int:
    parser = running.flags("answers", __doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--vocab-size", type=int, default=4000)
    parser.add_argument("--steps", type=int, default=1000)
    chosen = parser.parse_args(arguments)
    rows = [(each.text, each.label) for each in iter_examples(chosen.pairs, Columns("Q", None, "A"))]
    train = [row for number, row in enumerate(rows) if number % EVERY]
    held_out = rows[::EVERY]
    folder = chosen.out / f"data-{chosen.vocab_size}"
    if not folder.exists():
        chosen.out.mkdir(parents=True, exist_ok=True)
        tokenizer = characters.bytes_of((text for row in train for text in row), chosen.vocab_size)
        pack_pairs(train, held_out, tokenizer, folder)
    out = chosen.out / f"transformer-{chosen.steps}-seed{chosen.seed}"
    beam = BeamConfig(beams=4, max_tokens=40, no_repeat_ngram=3)
    settings = {
        "steps": chosen.steps,
        "warmup_steps": min(200, chosen.steps // 8),
        "seed": chosen.seed,
        "threads": chosen.threads,
    }
    done = trained(RECIPE, PackedPairs(folder), held_out[:SHOWN], out, beam=beam, **settings)
    running.print_result(seed=chosen.seed, **done.facts)
    for (question, answer), text in zip(held_out, done.texts, strict=False):
        running.print_result(question=question, answered=text, in_the_file=answer)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
