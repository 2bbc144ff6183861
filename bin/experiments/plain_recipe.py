"""nanoGPT's recipe for characters on a CPU, written again in one page: what ours is judged by.

What enters: a text and a seed. What leaves: the mean loss over its last tenth. Nothing of textpipe's training is in it:
windows drawn at random with replacement, torch's AdamW, the decay on matrices and embeddings, betas 0.9 and 0.99,
gradients cut to length 1, the rate risen over 100 steps and fallen along a cosine to a tenth; the weights of the last
step are those judged.
"""

from __future__ import annotations

import math

import torch
from plain_gpt import PlainGpt

from textpipe.nn.shapes import GptConfig

__all__ = ["plain_loss"]

_ROWS = 16  # windows scored at once


def plain_loss(text: str, *, seed: int, steps: int, peak: float = 1e-3) -> tuple[float, int]:
    """Train on the first nine tenths; nats a character over the rest, in windows of 64, and the parameters."""
    torch.manual_seed(seed)
    entries = {character: number for number, character in enumerate(sorted(set(text)))}
    ids = torch.tensor([entries[character] for character in text])
    cut = int(len(ids) * 0.9)
    train, held_out = ids[:cut], ids[cut:]
    shape = GptConfig(vocab_size=len(entries), context=64, layers=4, heads=4, width=128, bias=False)
    model = PlainGpt(shape, gelu="none")
    wide = [weight for weight in model.parameters() if weight.dim() >= 2]
    rest = [weight for weight in model.parameters() if weight.dim() < 2]
    groups = [{"params": wide, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.99))
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = _rate(step, steps, peak)
        starts = torch.randint(len(train) - shape.context, (12,)).tolist()
        windows = torch.stack([train[start : start + shape.context + 1] for start in starts])
        optimizer.zero_grad(set_to_none=True)
        model(windows[:, :-1], windows[:, 1:]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return _whole_loss(model, held_out, shape.context), sum(weight.numel() for weight in model.parameters())


def _rate(step: int, steps: int, peak: float, warmup: int = 100) -> float:
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    return peak * (0.1 + 0.9 * 0.5 * (1.0 + math.cos(math.pi * (step - warmup) / (steps - warmup))))


@torch.no_grad()
def _whole_loss(model: PlainGpt, ids: torch.Tensor, context: int) -> float:
    model.eval()
    read, wanted = ids[:-1], ids[1:]
    missing = -len(read) % context
    read_NT = torch.cat([read, read.new_zeros(missing)]).view(-1, context)
    wanted_NT = torch.cat([wanted, wanted.new_full((missing,), -1)]).view(-1, context)
    nats = 0.0
    for rows, targets in zip(read_NT.split(_ROWS), wanted_NT.split(_ROWS), strict=True):
        nats += model(rows, targets).item() * int((targets >= 0).sum())
    return nats / len(wanted)
