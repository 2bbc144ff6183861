"""bin/experiment sentiment TEXT TRAIN DEV: what pretraining is worth to a classifier of Korean reviews.

An encoder learns to fill gaps in the lines of TEXT, those of the held-out reviews taken out, and is then fine-tuned on
labelled reviews (TSV with the columns text and label); beside it are the same encoder from random weights and a
logistic regression over words and pairs of characters. Said is the accuracy on the held-out reviews, with its interval.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import masked
import running

from textpipe.data.labelled_text import Columns, iter_examples
from textpipe.nn.shapes import BertConfig


def main(arguments: list[str]) -> int:
    parser = running.flags("sentiment", __doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("train", type=Path)
    parser.add_argument("dev", type=Path)
    parser.add_argument("--vocab-size", type=int, default=8000)
    parser.add_argument("--steps", type=int, default=3000, help="of pretraining")
    chosen = parser.parse_args(arguments)
    held_out = {example.text.strip() for example in iter_examples(chosen.dev, Columns())}

    def texts() -> Iterator[str]:
        return (line for line in masked.lines(chosen.text) if line not in held_out)

    data = masked.packed(texts, chosen.vocab_size, chosen.out / f"data-{chosen.vocab_size}")
    shape = BertConfig(vocab_size=data.vocab_size, **masked.SHAPE)
    out = chosen.out / f"bert-{chosen.steps}-seed{chosen.seed}"
    pretrained, _ = running.train(shape, data, masked.pretraining(chosen), out)
    running.print_result(what="pretraining", steps=pretrained.steps, val_loss=pretrained.val_loss)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
