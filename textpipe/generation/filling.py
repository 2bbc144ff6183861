"""What an encoder puts in place of masks.

What enters: a BERT, its tokenizer and texts with ``[MASK]`` in them. What leaves: for each mask the likeliest tokens
with their probabilities. With the same weights they are those of the fill-mask pipeline of ``transformers``.

Axes: B text, T position, V vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from textpipe.data.masking import Marks
from textpipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textpipe.nn.bert import BERT
    from textpipe.tokenizer import Tokenizer

__all__ = ["Guess", "fill_masks", "filled"]


class Guess(NamedTuple):
    """A token that may stand in place of a mask."""

    id: int
    text: str
    probability: float


@torch.no_grad()
def fill_masks(
    model: BERT, tokenizer: Tokenizer, texts: Sequence[str], marks: Marks, *, top_k: int = 5, batch_size: int = 32
) -> list[list[list[Guess]]]:
    """The ``top_k`` likeliest tokens of every mask of every text, likeliest first.

    Raises
    ------
    InputError
        when a text has no mask, or is longer than the model's context.
    """
    rows = [
        [marks.begin, *encoding.ids, marks.end]
        for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False)
    ]
    for number, ids in enumerate(rows):
        if marks.mask not in ids:
            name = tokenizer.id_to_token(marks.mask)
            raise InputError(f"prompt {number} has no {name}", hint=f"write {name} where a token is to be put")
        if len(ids) > model.config.context:
            raise InputError(
                f"prompt {number} has {len(ids)} tokens", allowed=f"{model.config.context}, the model's context"
            )
    found: list[list[list[Guess]]] = []
    for start in range(0, len(rows), batch_size):
        found += _batch(model, tokenizer, rows[start : start + batch_size], marks, top_k)
    return found


def _batch(
    model: BERT, tokenizer: Tokenizer, rows: Sequence[Sequence[int]], marks: Marks, top_k: int
) -> list[list[list[Guess]]]:
    device = model.head_weight.device
    lengths_B = torch.tensor([len(ids) for ids in rows], device=device)
    tokens_BT = torch.full((len(rows), int(lengths_B.max())), marks.end, device=device)
    for row, ids in enumerate(rows):
        tokens_BT[row, : len(ids)] = torch.tensor(ids, device=device)
    states_BTD = model(tokens_BT, lengths_B=lengths_B)
    rows_N, places_N = (tokens_BT == marks.mask).nonzero(as_tuple=True)
    best = model.logits(states_BTD[rows_N, places_N]).softmax(dim=-1).topk(min(top_k, len(model.head_weight)))
    guesses: list[list[list[Guess]]] = [[] for _ in rows]
    for row, shares, ids in zip(rows_N.tolist(), best.values.tolist(), best.indices.tolist(), strict=True):
        guesses[row].append(
            [Guess(found, tokenizer.decode([found]), share) for found, share in zip(ids, shares, strict=True)]
        )
    return guesses


def filled(tokenizer: Tokenizer, text: str, guesses: Sequence[Sequence[Guess]], marks: Marks) -> str:
    """The text with the likeliest token in place of each mask."""
    best = iter([row[0].id for row in guesses])
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    return tokenizer.decode([next(best) if found == marks.mask else found for found in ids])
