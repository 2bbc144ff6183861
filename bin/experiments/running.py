"""One training of an experiment: the same flags everywhere, and a line of result.

What enters: what to train on and with. What leaves: the trained model, and lines of JSON on standard output. The same
command again goes on where it stopped, or only says its results.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from textpipe.training import Trainer, load_model

if TYPE_CHECKING:
    from textpipe.data.packing import PackedData
    from textpipe.data.pairs import PackedPairs
    from textpipe.training.loop import RunResult
    from textpipe.training.run_config import ModelConfig, TrainConfig

__all__ = ["flags", "print_result", "train"]


def flags(name: str, summary: str) -> argparse.ArgumentParser:
    """The flags every experiment has."""
    parser = argparse.ArgumentParser(prog=f"bin/experiment {name}", description=summary)
    parser.add_argument("--out", type=Path, default=Path("experiments") / name, help="folder of its data and runs")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order of data and dropout")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; figures are given for one")
    return parser


def train(model: ModelConfig, data: PackedData | PackedPairs, config: TrainConfig, out: Path) -> tuple[RunResult, Any]:
    """Train, or take what was trained; the result and the model of the last step."""
    torch.set_num_threads(config.threads or 1)
    begin = time.process_time()

    def progress(_: str, step: int, steps: int, **facts: object) -> None:
        if step % config.validate_every == 0:
            shown = " ".join(f"{name}={value}" for name, value in facts.items() if name != "unit")
            sys.stderr.write(f"{out.name} step {step}/{steps} {shown} {time.process_time() - begin:.0f} s of CPU\n")

    result = Trainer(model, data, config, out=out, progress=progress).run()
    return result, load_model(result.checkpoint)[0]


def print_result(**values: object) -> None:
    """A result as one line of JSON, numbers to four places."""
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}
    print(json.dumps(rounded, ensure_ascii=False), flush=True)
