"""One of two processes that torchrun starts: runs several trainings in a row, as many processes do each alone.

Its argument is a JSON file: the data, and for each training its shape, settings, folder and the step to stop at.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import torch

from textpipe.data.example_files import format_named
from textpipe.data.packing import PackedData
from textpipe.data.pairs import PackedPairs
from textpipe.data.two_corpora import TwoCorpora
from textpipe.tasks.fine_tuning import LabelledData
from textpipe.tokenizer import Tokenizer
from textpipe.training.distributed import joined
from textpipe.training.loop import Trainer
from textpipe.training.run_config import ARCHITECTURES, TrainConfig


def main(path: str) -> None:
    torch.set_num_threads(1)
    jobs = json.loads(Path(path).read_text(encoding="utf-8"))
    with joined() as ranks:
        for job in jobs:
            model = ARCHITECTURES[job["architecture"]](**job["model"])
            trainer = Trainer(
                model,
                data_of(job),
                TrainConfig(**job["train"]),
                out=job["out"],
                progress=stop_at(job),
                ranks=ranks,
            )
            try:
                trainer.run()
            except KeyboardInterrupt:
                assert job["stop_at"] is not None


def data_of(job):
    """What a training reads; of two languages a folder that holds one of each, of labels the file to learn from."""
    if job["architecture"] == "classifier":
        learn = Path(job["data"])
        tokenizer = Tokenizer.from_file(str(learn.with_name("tokenizer.json")))
        return LabelledData([learn], [learn.with_name("dev.tsv")], format_named(None, "label"), tokenizer)
    if job["architecture"] == "bilingual":
        names = tuple(job["model"]["languages"])
        return TwoCorpora(*(PackedData(Path(job["data"]) / name) for name in names), names)
    return (PackedPairs if job["architecture"] in ("transformer", "seq2seq") else PackedData)(job["data"])


def stop_at(job):
    """Progress that asks for a stop while a step is reported, on the first rank alone."""

    def progress(phase, done, total, **facts):
        if job["stop_at"] is not None and done == job["stop_at"] - 1:
            os.kill(os.getpid(), signal.SIGINT)

    return progress


if __name__ == "__main__":
    main(sys.argv[1])
