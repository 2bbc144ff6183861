"""Peak memory: what `textpipe plan` predicts beside what training steps take on this machine.

Every run is a process of its own that reads its own peak from the system, twice: with the C library told to give freed
memory back at once, which is what the tensors take, and with the heap as it is, which keeps gaps besides.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

GIVES_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
SHAPE = {"vocab_size": 8000, "context": 256, "layers": 4, "heads": 6, "width": 384}
RUNS = {
    "kept": (SHAPE, {"batch_size": 8}),
    "recomputed": (SHAPE, {"batch_size": 8, "checkpoint_activations": True}),
    "accumulated": (SHAPE, {"batch_size": 8, "micro_batch_size": 2}),
    "dropout": ({**SHAPE, "dropout": 0.1}, {"batch_size": 4}),
    "llama": ({**SHAPE, "layout": "llama"}, {"batch_size": 8, "average_decay": 0.99}),
    "wide-vocabulary": ({**SHAPE, "vocab_size": 32_000, "width": 512, "heads": 8, "context": 128}, {"batch_size": 4}),
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench plan-memory", description=__doc__)
    parser.add_argument("--only", nargs="*", choices=RUNS, default=list(RUNS))
    parser.add_argument("--one", choices=RUNS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(measure(*RUNS[options.one])))
        return 0
    print(f"{'run':<18}{'predicted':>11}{'tensors':>11}{'ratio':>8}{'with gaps':>12}   MB")
    for name in options.only:
        tight, loose = in_a_process(name, gives_back=True), in_a_process(name, gives_back=False)
        predicted, measured = tight["predicted_bytes"], tight["measured_bytes"]
        print(
            f"{name:<18}{predicted / 1e6:>11,.0f}{measured / 1e6:>11,.0f}{predicted / measured:>8.3f}"
            f"{loose['measured_bytes'] / 1e6:>12,.0f}"
        )
    return 0


def in_a_process(name: str, *, gives_back: bool) -> dict[str, float]:
    """Measure one run apart from the others."""
    command = [sys.executable, str(Path(__file__).with_name("run.py")), "plan-memory", "--one", name]
    environment = {**os.environ, **(GIVES_BACK if gives_back else {})}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(model_keys: dict[str, object], train_keys: dict[str, object]) -> dict[str, float]:
    """Two steps of a training on drawn tokens: the peak above what was taken before, and what the plan says."""
    import torch

    from textpipe.nn.blocks import set_checkpointing
    from textpipe.nn.gpt import GPT, GptConfig
    from textpipe.planning.anatomy import anatomy
    from textpipe.planning.memory import PRECISIONS, Layout, Workload, layout_memory
    from textpipe.training.run_config import TrainConfig
    from textpipe.training.step import Stepper

    torch.set_num_threads(2)
    shape = GptConfig(**model_keys)
    config = TrainConfig(device="cpu", dtype="float32", **train_keys)
    # threads, kernels and what torch imports with the first step of an optimiser are there before the count begins
    drawn = torch.randn(64, 64, requires_grad=True)
    (drawn @ drawn).sum().backward()
    torch.optim.AdamW([drawn], fused=True).step()
    before = of_this_process("VmRSS")
    model = GPT(shape)
    set_checkpointing(model, config.checkpoint_activations)
    stepper = Stepper(DrawnTokens(shape, config), model, config, where=Path("measured"))
    for step in (1, 2):  # the optimiser's memory is there from the end of the first
        stepper(step)
    measured = of_this_process("VmHWM") - before
    work = Workload(
        precision=PRECISIONS["float32"],
        batch=config.batch_size,
        positions=shape.context,
        keeps_mean=config.average_decay > 0,
        dropout=shape.dropout > 0,
        on_cpu=True,
    )
    layout = Layout(recompute=config.checkpoint_activations, micro_batch=config.micro_batch_size or config.batch_size)
    predicted = layout_memory(anatomy(shape), work, layout).total_bytes
    return {"predicted_bytes": predicted, "measured_bytes": float(measured)}


def of_this_process(field: str) -> int:
    """A number of bytes Linux keeps of this process."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(field))) * 1024


class DrawnTokens:
    """A task whose batches are drawn at random: memory does not depend on what they say."""

    def __init__(self, shape, config) -> None:
        self.shape, self.config = shape, config

    def batch(self, step: int):
        import torch

        from textpipe.data.batches import Batch

        size = self.config.batch_size
        drawn = torch.randint(0, self.shape.vocab_size, (size, self.shape.context + 1))
        return Batch(drawn[:, :-1].contiguous(), drawn[:, 1:].contiguous(), tuple(range(size)))

    def loss(self, model, batch):
        from textpipe.tasks.language_modelling import language_modelling_loss

        return language_modelling_loss(model, batch)
