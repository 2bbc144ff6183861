"""Ids of sources in, ids of targets out.

What enters: an encoder-decoder model and sources. What leaves: targets. Sources of like length are read together; with
one beam the likeliest token is taken at each step. For texts see :class:`textpipe.generation.decoding.TextWriter`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from textpipe.errors import InputError
from textpipe.generation.beam import BeamConfig, beam_search
from textpipe.generation.writing import SourceWriting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textpipe.generation.whole_characters import WholeCharacters
    from textpipe.nn.seq2seq import Seq2Seq
    from textpipe.nn.transformer import Transformer

__all__ = ["likeliest_ids", "translate_ids"]


def translate_ids(
    model: Transformer | Seq2Seq,
    sources: Sequence[Sequence[int]],
    config: BeamConfig | None = None,
    *,
    eos_id: int,
    before: Sequence[int] | None = None,
    max_tokens: int | None = None,
    batch_size: int = 32,
    only: WholeCharacters | None = None,
) -> list[list[int]]:
    """The best target of each source, without eos, in the order of the sources.

    Parameters
    ----------
    sources : ids, each at least one, at most the model's context; eos at the end as in training.
    before : the id targets are read from, and those that they then begin with; eos when absent.
    config : the search; greedy when absent, up to ``max_tokens``.
    only : keeps targets UTF-8, and leaves out a character that ``max_tokens`` cuts.

    Raises
    ------
    InputError
        when a source is empty or too long.
    """
    limit = model.config.context
    for number, source in enumerate(sources):
        if not 1 <= len(source) <= limit:
            raise InputError(f"source {number} has {len(source)} tokens", allowed=f"1 to {limit}, the model's context")
    begin, *forced = [eos_id] if before is None else before
    config = config or BeamConfig(beams=1, max_tokens=min(max_tokens or limit, limit), length_penalty="none")
    order = sorted(range(len(sources)), key=lambda number: len(sources[number]))
    found: list[list[int]] = [[] for _ in sources]
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        with torch.inference_mode():
            writing = SourceWriting.of(model, [sources[row] for row in rows], begin=begin, forced=forced)
        for row, texts in zip(rows, beam_search(writing, config, ends=[eos_id], only=only), strict=True):
            found[row] = texts[0].ids if only is None else only.whole(texts[0].ids)
    return found


@torch.no_grad()
def likeliest_ids(
    model: Transformer | Seq2Seq, source_BS: torch.Tensor, lengths_B: torch.Tensor, *, eos_id: int, max_tokens: int
) -> list[list[int]]:
    """The likeliest token at each step, for all sources at once: a translation of each, without eos.

    As :func:`translate_ids` without a search, and quicker, for a training that translates at every step.
    """
    writing = SourceWriting(model, source_BS, lengths_B, begin=eos_id)
    chosen_B = writing.first().argmax(dim=-1)
    written: list[torch.Tensor] = []
    is_running_B = chosen_B != eos_id
    while len(written) < max_tokens and bool(is_running_B.any()):
        written.append(torch.where(is_running_B, chosen_B, eos_id))
        if len(written) < max_tokens:
            chosen_B = writing.next(None, chosen_B).argmax(dim=-1)
            is_running_B &= chosen_B != eos_id
    rows = torch.stack(written, dim=1).tolist() if written else [[] for _ in range(len(source_BS))]
    return [row[: row.index(eos_id)] if eos_id in row else row for row in rows]
