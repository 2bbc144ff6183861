"""bin/experiment masked TEXT: an encoder learns to fill gaps in lines of text.

Each line is a document, one in a hundred held out; the vocabulary is a WordPiece of BERT's rules learned from the text.
Said are the loss of hidden tokens before, during and after the training, beside the entropy of those tokens by their
own frequencies: what a model reaches that knows how common a token is and nothing of its surroundings.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import running

from textpipe.data.packing import PackConfig, PackedData, pack
from textpipe.implementations import BertWordPieceTokenizer
from textpipe.nn.shapes import BertConfig
from textpipe.records import Document
from textpipe.training.run_config import TrainConfig

STEPS = 7000
SHAPE = {"context": 128, "layers": 4, "heads": 6, "width": 192}


def lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if text := line.strip():
                yield text


def packed(texts: Callable[[], Iterator[str]], size: int, out: Path) -> PackedData:
    """The texts in a WordPiece vocabulary of this size; each ends with [SEP]."""
    if out.exists():
        return PackedData(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    tokenizer = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    tokenizer.train_from_iterator(texts(), vocab_size=size, show_progress=False)
    documents = (Document(id=str(number), text=text, lang="ko") for number, text in enumerate(texts()))
    return pack(documents, tokenizer, out, PackConfig(eos="[SEP]", val_fraction=0.01))


def pretraining(chosen: argparse.Namespace) -> TrainConfig:
    """How the encoder of these flags is trained."""
    return TrainConfig(
        steps=chosen.steps,
        batch_size=32,
        mask_share=0.3,
        document_mask=True,
        optimizer="muon",
        learning_rate=2e-3,
        warmup_steps=chosen.steps // 10,
        final_share=0.0,
        beta2=0.98,
        seed=chosen.seed,
        threads=chosen.threads,
        device="cpu",
        dtype="bfloat16",
        sample_tokens=0,
        validate_every=max(1, chosen.steps // 10),
        checkpoint_every=max(1, chosen.steps // 10),
    )


def main(arguments: list[str]) -> int:
    parser = running.flags("masked", __doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--vocab-size", type=int, default=8000)
    parser.add_argument("--steps", type=int, default=STEPS)
    chosen = parser.parse_args(arguments)
    data = packed(partial(lines, chosen.text), chosen.vocab_size, chosen.out / f"data-{chosen.vocab_size}")
    model = BertConfig(vocab_size=data.vocab_size, **SHAPE)
    config = pretraining(chosen)
    begin = time.process_time()
    out = chosen.out / f"bert-{chosen.steps}-seed{chosen.seed}"
    result, _ = running.train(model, data, config, out)
    log = [json.loads(line) for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    running.print_result(
        seed=chosen.seed,
        parameters=model.num_parameters,
        steps=result.steps,
        val_loss=result.val_loss,
        unigram_entropy=result.unigram_loss,
        course={row["step"]: round(row["val_loss"], 3) for row in log if "val_loss" in row},
        cpu_s=time.process_time() - begin,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
