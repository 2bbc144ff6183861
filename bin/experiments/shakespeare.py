"""bin/experiment shakespeare TEXT: characters of Shakespeare, as nanoGPT's recipe for a CPU has them.

The text's last tenth is held out. 4 layers, 4 heads, width 128, a context of 64, no biases, 2,000 steps of 12
sequences: published with a loss of 1.88 by a sample of the held-out text. Here it is measured on all of it, each
character predicted once, in windows of 64 that begin without any context. ``--recipe plain`` is the same recipe without
any of our training, to compare with: one seed is worth a hundredth of a nat. ``--recipe best`` reads the same number of
characters with a model of the same size: rotary positions, a gated feed-forward, Muon, a rate that falls to nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import characters
import plain_recipe
import running
import torch

from textpipe.data.packing import PackConfig, PackedData, pack
from textpipe.nn.shapes import GptConfig
from textpipe.records import Document
from textpipe.training.run_config import TrainConfig

RECIPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "published": ({"bias": False}, {"learning_rate": 1e-3, "warmup_steps": 100, "final_share": 0.1}),
    "best": (
        {"layout": "llama"},
        {"optimizer": "muon", "learning_rate": 6e-3, "schedule": "linear", "warmup_steps": 50, "final_share": 0.0},
    ),
}


def packed(text: Path, out: Path) -> PackedData:
    """Characters of the first nine tenths and of the last tenth."""
    if out.exists():
        return PackedData(out)
    whole = text.read_text(encoding="utf-8")
    cut = int(len(whole) * 0.9)
    train, val = (Document(id=name, text=part) for name, part in (("train", whole[:cut]), ("val", whole[cut:])))
    out.parent.mkdir(parents=True, exist_ok=True)
    return pack([train], characters.characters_of([whole]), out, PackConfig(), val_documents=[val])


def plainly(chosen: argparse.Namespace) -> int:
    """The published recipe without our training; nothing of it is kept."""
    torch.set_num_threads(chosen.threads)
    begin, peak = time.process_time(), chosen.learning_rate or 1e-3
    text = chosen.text.read_text(encoding="utf-8")
    loss, parameters = plain_recipe.plain_loss(text, seed=chosen.seed, steps=chosen.steps, peak=peak)
    running.print_result(
        recipe="plain",
        seed=chosen.seed,
        learning_rate=peak,
        parameters=parameters,
        steps=chosen.steps,
        val_loss=loss,
        cpu_s=time.process_time() - begin,
    )
    return 0


def main(arguments: list[str]) -> int:
    parser = running.flags("shakespeare", __doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--recipe", choices=(*RECIPES, "plain"), default="published")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--learning-rate", type=float)
    chosen = parser.parse_args(arguments)
    if chosen.recipe == "plain":
        return plainly(chosen)
    model_keys, train_keys = RECIPES[chosen.recipe]
    data = packed(chosen.text, chosen.out / "data")
    model = GptConfig(vocab_size=data.vocab_size, context=64, layers=4, heads=4, width=128, **model_keys)
    rate = {"learning_rate": chosen.learning_rate} if chosen.learning_rate else {}
    warmup = min(train_keys["warmup_steps"], chosen.steps // 8)
    config = TrainConfig(
        steps=chosen.steps,
        batch_size=12,
        **{**train_keys, **rate, "warmup_steps": warmup},
        seed=chosen.seed,
        threads=chosen.threads,
        device="cpu",
        validate_every=500,
        sample_tokens=0,
    )
    begin = time.process_time()
    name = f"{chosen.recipe}-{config.learning_rate:g}-{chosen.steps}-seed{chosen.seed}"
    result, _ = running.train(model, data, config, chosen.out / name)
    running.print_result(
        recipe=chosen.recipe,
        seed=chosen.seed,
        learning_rate=config.learning_rate,
        parameters=model.num_parameters,
        steps=result.steps,
        val_loss=result.val_loss,
        bits_per_byte=result.val_bits_per_byte,
        cpu_s=time.process_time() - begin,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
