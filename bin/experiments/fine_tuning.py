"""bin/experiment fine-tuning TEXT --train FILE --dev FILE: what pretraining is worth to a model that tells labels.

An encoder learns to fill gaps in the lines of TEXT, those of the held-out examples taken out, and is then fine-tuned on
labelled examples; beside it is the same encoder from random weights. Said are the measures of the task on the held-out
examples, with intervals, and the share of the commonest label where there are labels. Files are those of ``textpipe
train finetune``. A small vocabulary (2000) cuts Korean into syllables, which is what spans need: their edges lie
between any two.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import masked
import running

from textpipe.data.example_files import FORMATS, format_named, read_examples
from textpipe.nn.shapes import BertConfig, EncoderConfig
from textpipe.tasks.fine_tuning import LabelledData
from textpipe.tasks.prediction import Predictor
from textpipe.tokenizer import Tokenizer
from textpipe.training import Start, Trainer
from textpipe.training.run_config import ARCHITECTURES, TrainConfig

KINDS = {"label": "classifier", "score": "regressor", "tags": "tagger", "answer": "span-finder"}


def arguments_of(arguments: list[str]) -> argparse.Namespace:
    parser = running.flags("fine-tuning", __doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--format", choices=FORMATS)
    parser.add_argument("--task", help="of files of one's own: label or score")
    parser.add_argument("--vocab-size", type=int, default=8000)
    parser.add_argument("--steps", type=int, default=3000, help="of pretraining")
    parser.add_argument("--epochs", type=int, default=3, help="of fine-tuning")
    return parser.parse_args(arguments)


def texts_in(example: Any) -> Iterator[str]:
    """What is to be read of an example, none of which may be pretrained on."""
    for name in ("text", "second", "context"):
        if found := getattr(example, name, None):
            yield found.strip()


def main(arguments: list[str]) -> int:
    chosen = arguments_of(arguments)
    format_ = format_named(chosen.format, chosen.task)
    held_out = {text for each in read_examples([chosen.dev], format_) for text in texts_in(each)}

    def texts() -> Iterator[str]:
        return (line for line in masked.lines(chosen.text) if line not in held_out)

    packed = masked.packed(texts, chosen.vocab_size, chosen.out / f"data-{chosen.vocab_size}")
    shape = BertConfig(vocab_size=packed.vocab_size, **masked.SHAPE)
    encoder = chosen.out / f"bert-{chosen.vocab_size}-{chosen.steps}-seed{chosen.seed}"
    pretrained, _ = running.train(shape, packed, masked.pretraining(chosen), encoder)
    running.print_result(what="pretraining", steps=pretrained.steps, val_loss=pretrained.val_loss)
    data = LabelledData([chosen.train], [chosen.dev], format_, Tokenizer.from_file(packed.tokenizer_path))
    if format_.task == "label":
        ((_, most),) = Counter(example.label for example in data.val).most_common(1)
        running.print_result(what="the commonest label", share=most / len(data.val))
    for begins in ("pretrained", "random"):
        _fine_tune(chosen, data, shape, Start.open(encoder) if begins == "pretrained" else None)
    return 0


def _fine_tune(chosen: argparse.Namespace, data: LabelledData, encoder: BertConfig, start: Start | None) -> None:
    keys = {name: getattr(encoder, name) for name in EncoderConfig.model_fields}
    shape: Any = ARCHITECTURES[KINDS[data.format.task]](**keys | {"dropout": 0.1}, **data.shape_facts())  # type: ignore[index]
    each = -(-len(data.read(shape).train) // 32)
    config = TrainConfig(
        steps=chosen.epochs * each,
        batch_size=32,
        # from random weights it takes the rate of a pretraining
        learning_rate=3e-4 if start is not None else 1e-3,
        schedule="linear",
        final_share=0.0,
        warmup_steps=chosen.epochs * each // 10,
        weight_decay=0.01,
        beta2=0.999,
        seed=chosen.seed,
        threads=chosen.threads,
        device="cpu",
        sample_tokens=0,
        validate_every=each,
        checkpoint_every=each,
        keep_checkpoints=1,
    )
    begin = time.process_time()
    begins = "random" if start is None else "pretrained"
    out = chosen.out / f"{data.format.task}-{begins}-{chosen.vocab_size}-{chosen.steps}-seed{chosen.seed}"
    Trainer(shape, data, config, out=out, start=start).run()
    spent = time.process_time() - begin
    scores = {name: str(found) for name, found in Predictor.open(out).score(data.val).items()}
    running.print_result(what=begins, seed=chosen.seed, **scores, train_cpu_s=spent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
