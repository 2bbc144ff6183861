"""bin/experiment fine-tuning TEXT --on FORMAT=FILE[,FILE] …: what pretraining is worth to a model that tells labels.

An encoder learns to fill gaps in the lines of TEXT, and is then fine-tuned on the examples of each --on; beside it
stand the same encoder from random weights, and simple rules (see baselines.py). Of labels it is also said how many more
of the same examples the first tells rightly. FORMAT is one of ``textpipe train finetune --format``, or label or score
for a table with columns text, second and label. The second FILE is what is scored; without one a share of the first is
held out, texts that occur again staying on one side.

Held-out texts are left out of TEXT and of the examples to learn from, and how many is said. Nothing is chosen by them:
scored is the model of the last step. Both arms are fine-tuned by the same settings.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import baselines
import masked
import numpy as np
import running

from textpipe.data.example_files import ExampleFormat, format_named, read_examples
from textpipe.data.labelled_text import Columns
from textpipe.data.permutation import derive_key, permute
from textpipe.errors import InputError
from textpipe.nn.shapes import BertConfig, EncoderConfig
from textpipe.tasks.fine_tuning import LabelledData
from textpipe.tasks.prediction import Predictor
from textpipe.tokenizer import Tokenizer
from textpipe.training import Start, Trainer
from textpipe.training.run_config import ARCHITECTURES, TrainConfig

KINDS = {"label": "classifier", "score": "regressor", "tags": "tagger", "answer": "span-finder"}


class Examples(NamedTuple):
    """Of one task, to learn from and to score; ``shared`` were taken from the first as they are in the second."""

    name: str
    format: ExampleFormat
    learn: list[Any]
    held_out: list[Any]
    shared: int


def arguments_of(arguments: list[str]) -> argparse.Namespace:
    parser = running.flags("fine-tuning", __doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--on", action="append", required=True, metavar="FORMAT=FILE[,FILE]")
    parser.add_argument("--held-out", type=float, default=0.2, help="share of a file that is scored (0.2)")
    parser.add_argument("--vocab-size", type=int, default=8000)
    parser.add_argument("--layers", type=int, default=masked.SHAPE["layers"])
    parser.add_argument("--steps", type=int, default=masked.STEPS, help="of pretraining")
    parser.add_argument("--epochs", type=int, default=3, help="of fine-tuning")
    parser.add_argument("--least-steps", type=int, default=1500, help="of fine-tuning, where epochs are short")
    return parser.parse_args(arguments)


def texts_in(example: Any) -> tuple[str, ...]:
    """What is to be read of an example."""
    found = (getattr(example, name, None) for name in ("text", "second", "context"))
    return tuple(text.strip() for text in found if text)


def examples_of(on: str, share: float, seed: int) -> Examples:
    """What an --on names."""
    name, _, files = on.partition("=")
    own = {"label": Columns(), "score": Columns("text", "second")}
    format_ = ExampleFormat(name, own[name]) if name in own else format_named(name, None)
    first, *more = (read_examples([path], format_) for path in files.split(","))
    learn, held_out = (first, more[0]) if more else cut(first, share, seed)
    known = {texts_in(example) for example in held_out}
    kept = [example for example in learn if texts_in(example) not in known]
    if not kept:
        raise InputError("every example to learn from is held out too", where=files, hint="name two different files")
    return Examples(name, format_, kept, held_out, len(learn) - len(kept))


def cut(examples: list[Any], share: float, seed: int) -> tuple[list[Any], list[Any]]:
    """A share of the examples held out, those with the same first text on the same side."""
    numbers = {text: number for number, text in enumerate(dict.fromkeys(texts_in(each)[0] for each in examples))}
    places = permute(np.arange(len(numbers)), len(numbers), derive_key("held out", seed))
    is_held = places < round(share * len(numbers))
    sides: tuple[list[Any], list[Any]] = [], []
    for each in examples:
        sides[int(is_held[numbers[texts_in(each)[0]]])].append(each)
    return sides


def main(arguments: list[str]) -> int:
    chosen = arguments_of(arguments)
    tasks = [examples_of(on, chosen.held_out, chosen.seed) for on in chosen.on]
    held_out = {text for task in tasks for each in task.held_out for text in texts_in(each)}
    left_out = sorted(set(masked.lines(chosen.text)) & held_out)

    def texts() -> Iterator[str]:
        return (line for line in masked.lines(chosen.text) if line not in held_out)

    digest = hashlib.sha256("\n".join(left_out).encode()).hexdigest()[:8]
    packed = masked.packed(texts, chosen.vocab_size, chosen.out / f"data-{chosen.vocab_size}-{digest}")
    shape = BertConfig(vocab_size=packed.vocab_size, **masked.SHAPE | {"layers": chosen.layers})
    encoder = chosen.out / f"bert-{digest}-{chosen.vocab_size}-{chosen.layers}-{chosen.steps}-seed{chosen.seed}"
    begin = time.process_time()
    pretrained, _ = running.train(shape, packed, masked.pretraining(chosen), encoder)
    running.print_result(
        what="pretraining",
        seed=chosen.seed,
        parameters=shape.num_parameters,
        steps=pretrained.steps,
        val_loss=pretrained.val_loss,
        unigram_entropy=pretrained.unigram_loss,
        lines_left_out=len(left_out),
        cpu_s=time.process_time() - begin,
    )
    for task in tasks:
        facts = {"learn": len(task.learn), "held_out": len(task.held_out), "shared": task.shared}
        running.print_result(on=task.name, **facts)
        told: dict[str, list[str]] = {}
        for found in baselines.baselines(task.format.task, task.learn, task.held_out):
            running.print_result(on=task.name, what=found.name, **baselines.as_text(found.scores))
            told[found.name] = found.labels
        for name, start in (("pretrained", Start.open(encoder)), ("random", None)):
            told[name] = _fine_tune(chosen, task, name, packed.tokenizer_path, shape, start=start)
        if task.format.task == "label":
            first = told.pop("pretrained")
            for name, labels in told.items():
                ahead = baselines.lead(task.held_out, first, labels)
                running.print_result(on=task.name, what=f"pretrained before {name}", accuracy=str(ahead))
    return 0


def _fine_tune(
    chosen: argparse.Namespace,
    task: Examples,
    begins: str,
    tokenizer: Path,
    encoder: BertConfig,
    *,
    start: Start | None,
) -> list[str]:
    """Train one arm and say its scores; returns what it tells of the held-out examples."""
    data = LabelledData(task.learn, task.held_out, task.format, Tokenizer.from_file(tokenizer))
    keys = {name: getattr(encoder, name) for name in EncoderConfig.model_fields}
    shape: Any = ARCHITECTURES[KINDS[task.format.task]](**keys | {"dropout": 0.1}, **data.shape_facts())  # type: ignore[index]
    each = -(-len(data.read(shape).train) // 32)
    steps = max(chosen.epochs * each, chosen.least_steps)
    config = TrainConfig(
        steps=steps,
        batch_size=32,
        learning_rate=1.5e-4,
        schedule="linear",
        final_share=0.0,
        warmup_steps=steps // 10,
        weight_decay=0.01,
        beta2=0.999,
        seed=chosen.seed,
        threads=chosen.threads,
        device="cpu",
        dtype="bfloat16",
        sample_tokens=0,
        validate_every=steps,
        checkpoint_every=each,
        keep_checkpoints=1,
    )
    size = f"{chosen.vocab_size}-{chosen.layers}-{chosen.steps}-{steps}"
    out = chosen.out / f"{task.name}-{begins}-{size}-seed{chosen.seed}"
    begin = time.process_time()
    Trainer(shape, data, config, out=out, start=start).run()
    spent = time.process_time() - begin
    predictor = Predictor.open(out, newest=True)
    found = predictor.score(task.held_out).measures
    running.print_result(on=task.name, what=begins, seed=chosen.seed, **baselines.as_text(found), train_cpu_s=spent)
    return [each.label for each in predictor.predict(task.held_out)] if task.format.task == "label" else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
