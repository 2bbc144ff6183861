"""Where an encoder and decoder looked while it wrote: the source's part in every token of a target.

What enters: a model, the ids of a source and of its target. What leaves: a matrix of shares, a row for each step of
writing and a column for each token of the source; and the alignment that it amounts to.

Of a Transformer it is the mean over the heads of the layer before the last, where attention follows the alignment most
closely (Garg et al. 2019); it hints at what was translated by what and proves nothing.

Axes: T step of writing, S token of the source, H head, K width of a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from textpipe.errors import ConfigError
from textpipe.nn.seq2seq import Seq2Seq
from textpipe.nn.transformer import Transformer

__all__ = ["alignment", "attended"]


@torch.no_grad()
def attended(model: Transformer | Seq2Seq, source: Sequence[int], written: Sequence[int]) -> torch.Tensor:
    """The share (T, S) that each token of a source had in each step of writing.

    Parameters
    ----------
    source : ids as the model reads them, with what ends a source.
    written : what the decoder reads: the id a target begins with, then the target's, without the last.

    Raises
    ------
    ConfigError
        for a model without attention.
    """
    device = model.head_weight.device
    source_BS, lengths_B = torch.tensor([source], device=device), torch.tensor([len(source)], device=device)
    if isinstance(model, Transformer):
        return _of_transformer(model, source_BS, lengths_B, torch.tensor([written], device=device))
    if model.config.attention == "none":
        raise ConfigError("this model has no attention", hint="train one with --attention general")
    memory = model.encode(source_BS, lengths_B)
    state = model.start(memory)
    rows = []
    for token in written:
        model.step(torch.tensor([[token]], device=device), memory, state)
        assert state.weights_BS is not None
        rows.append(state.weights_BS[0])
    return torch.stack(rows)


def _of_transformer(
    model: Transformer, source_BS: torch.Tensor, lengths_B: torch.Tensor, written_BT: torch.Tensor
) -> torch.Tensor:
    layer = max(0, len(model.decoder) - 2)
    attention: Any = model.decoder[layer].source_attention
    found: list[torch.Tensor] = []
    handle = attention.query.register_forward_hook(lambda _module, _given, made: found.append(made))
    try:
        memory = model.encode(source_BS, lengths_B)
        model.decode(written_BT, memory)
    finally:
        handle.remove()
    queries_HTK = found[0][0].view(len(found[0][0]), -1, attention.head_width).transpose(0, 1)
    keys_HSK = memory.keys_values[layer][0][0]
    scores_HTS: torch.Tensor = queries_HTK @ keys_HSK.transpose(1, 2) / attention.head_width**0.5
    return scores_HTS.softmax(dim=-1).mean(dim=0)


def alignment(shares_TS: torch.Tensor) -> list[tuple[int, int]]:
    """For each token of a target the token of the source with the largest share, as (source, target).

    What ends source and target, in the last column and row, is aligned with nothing.

    Examples
    --------
    >>> alignment(torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.0, 0.0, 1.0]]))
    [(0, 0), (1, 1)]
    """
    inner_TS = shares_TS[:-1, :-1]
    if not inner_TS.numel():
        return []
    return [(place, step) for step, place in enumerate(inner_TS.argmax(dim=1).tolist())]
