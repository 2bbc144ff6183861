"""bin/bench train-step: a training step and a written token of our GPT beside a plain one and transformers'.

All have the same weights, read the same batch and must agree on its loss before they are timed. They take turns in one
process, since separate runs on a busy machine differ by more than the models do; the least time of each counts.
The plain model is what one writes first: separate modules, all logits, torch's own cross-entropy, unfused AdamW.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch
from plain_gpt import PlainGpt
from torch import nn

from textpipe.data.batches import Batch, BatchPlan
from textpipe.data.shards import ShardInfo, ShardWriter, TokenSplit
from textpipe.files import replace_file
from textpipe.generation.decoding import generate_ids
from textpipe.generation.sampling import SamplingConfig
from textpipe.interchange.names import to_theirs
from textpipe.nn.gpt import GPT
from textpipe.nn.shapes import GptConfig
from textpipe.tasks.language_modelling import language_modelling_loss

QUERY_KEY_VALUE = ("attention.query", "attention.key", "attention.value")


def plain_twin(ours: GPT) -> PlainGpt:
    """The plain model with our weights; queries, keys and values are one matrix there."""
    twin = PlainGpt(ours.config)
    order = (("attention_norm",), ("feed_forward_norm",), QUERY_KEY_VALUE, ("attention.output",))
    order += (("feed_forward.up",), ("feed_forward.down",))
    weights = ours.state_dict()
    parts = [weights["token_embedding.weight"], weights["position_embedding.weight"]]
    for layer in range(ours.config.layers):
        for names in order:
            for kind in ("weight", "bias"):
                parts.append(torch.cat([weights[f"blocks.{layer}.{name}.{kind}"] for name in names]))
    parts += [weights["final_norm.weight"], weights["final_norm.bias"]]
    with torch.no_grad():
        for part, weight in zip(parts, twin.parameters(), strict=True):
            weight.copy_(part)
    return twin


def their_twin(ours: GPT) -> nn.Module:
    """transformers' GPT2LMHeadModel with our weights."""
    import transformers

    shape = ours.config
    config = transformers.GPT2Config(
        vocab_size=shape.vocab_size,
        n_positions=shape.context,
        n_embd=shape.width,
        n_layer=shape.layers,
        n_head=shape.heads,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=0,
        eos_token_id=0,
    )
    twin = transformers.GPT2LMHeadModel(config)
    twin.load_state_dict(to_theirs(shape, ours.state_dict()), strict=False)
    return twin


def step_of(model: nn.Module, loss: Callable[[], torch.Tensor], *, fused: bool) -> Callable[[], float]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=fused)

    def step() -> float:
        optimizer.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return value.item()

    return step


def least_times(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    least = dict.fromkeys(contenders, float("inf"))
    for _ in range(rounds):
        for name, run in contenders.items():
            begin = time.perf_counter()
            run()
            least[name] = min(least[name], time.perf_counter() - begin)
    return least


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench train-step")
    for name, value in (("vocab-size", 8000), ("context", 128), ("layers", 4), ("heads", 4), ("width", 128)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=("step", "writing"), help="both when absent")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    steps, models, batch, values = contenders(chosen)
    config = models["textpipe"].config
    print(f"{config.num_parameters:,} parameters, {chosen.threads} threads, loss {values['plain']:.4f}")
    if chosen.only != "step":
        _time_writing(models["textpipe"], min(64, chosen.context - 2), chosen.rounds)
    if chosen.only != "writing":
        _time_steps(chosen, steps, batch.num_targets)
    return 0


def _time_steps(chosen: argparse.Namespace, steps: dict[str, Callable[[], float]], tokens: int) -> None:
    times = least_times(steps, chosen.rounds)
    for name, seconds in times.items():
        ratio = seconds / times["textpipe"]
        print(f"step      {name:14} {1e3 * seconds:8.1f} ms  {ratio:.2f}×  {tokens / seconds:10,.0f} tokens/s")
    loading = _time_loading(chosen)
    print(f"batch     textpipe       {1e3 * loading:8.3f} ms  {100 * loading / times['textpipe']:.2f} % of its step")
    for name in steps:
        print(f"memory    {name:14} {_memory_of(name, chosen) / 1e6:8.1f} MB above the model and its batch")


def contenders(
    chosen: argparse.Namespace,
) -> tuple[dict[str, Callable[[], float]], dict[str, nn.Module], Batch, dict[str, float]]:
    """A step of each, on one batch, whose losses were found equal."""
    torch.manual_seed(0)
    shape = {name: getattr(chosen, name) for name in ("vocab_size", "context", "layers", "heads", "width")}
    ours = GPT(GptConfig(**shape))
    plain, theirs = plain_twin(ours), their_twin(ours)
    ids = torch.randint(1, chosen.vocab_size, (chosen.batch_size, chosen.context))
    read, wanted = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()
    batch = Batch(read, wanted)
    losses = {
        "textpipe": lambda: language_modelling_loss(ours, batch)[0] / wanted.numel(),
        "plain": lambda: plain(read, wanted),
        "transformers": lambda: theirs(ids, labels=ids).loss,
    }
    with torch.no_grad():
        values = {name: loss().item() for name, loss in losses.items()}
    if max(values.values()) - min(values.values()) > 1e-5:
        raise SystemExit(f"the losses differ: {values}")
    models = {"textpipe": ours, "plain": plain, "transformers": theirs}
    return {n: step_of(models[n], losses[n], fused=n == "textpipe") for n in losses}, models, batch, values


def _time_loading(chosen: argparse.Namespace) -> float:
    """The least time of a batch of a million random tokens in a memory-mapped shard."""
    tokens = np.random.default_rng(0).integers(1, chosen.vocab_size, 1_000_000).astype(np.uint16)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train-00000.bin"
        with replace_file(path) as file:
            writer = ShardWriter(file, ShardInfo(chosen.vocab_size, 0, "0" * 64))
            writer.write(tokens, np.array([0, len(tokens)], dtype=np.int64), text_bytes=len(tokens))
            writer.finish()
        plan = BatchPlan(TokenSplit([path]), batch_size=chosen.batch_size, context=chosen.context - 1, seed=0)
        numbers = iter(range(10**6))
        return least_times({"batch": lambda: plan.batch(next(numbers))}, chosen.rounds)["batch"]


def _memory_of(name: str, chosen: argparse.Namespace) -> int:
    """Peak memory of three steps beyond what model and batch hold, in a process of their own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_grown_by_steps, (name, chosen))


def _grown_by_steps(name: str, chosen: argparse.Namespace) -> int:
    torch.set_num_threads(chosen.threads)
    steps, _, _, _ = contenders(chosen)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak is counted from here
    before = _resident_bytes("VmRSS")
    for _ in range(3):
        steps[name]()
    return _resident_bytes("VmHWM") - before


def _resident_bytes(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def _time_writing(ours: GPT, length: int, rounds: int) -> None:
    fresh = their_twin(ours).eval()
    ours.eval()
    config = SamplingConfig(max_tokens=length, temperature=0.0)
    first = torch.tensor([[1]])
    settings = {"max_new_tokens": length, "min_new_tokens": length, "do_sample": False, "pad_token_id": 0}
    writers = {
        "textpipe": lambda: [row[0] for row in generate_ids(ours, [[1]], config, eos_id=-1)],
        "transformers": lambda: list(map(int, fresh.generate(first, **settings)[0, 1:])),
    }
    texts = {name: write() for name, write in writers.items()}
    agree = "the same ids" if texts["textpipe"] == texts["transformers"] else "ids that differ"
    times = least_times(writers, rounds)
    for name, seconds in times.items():
        ratio = seconds / times["textpipe"]
        print(f"writing   {name:14} {1e3 * seconds / length:8.2f} ms a token  {ratio:.2f}×  ({length} tokens, {agree})")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
