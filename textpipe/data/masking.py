"""Masked-token batches: a pure function of (seed, step).

What enters: windows of a packed corpus and the ids of the marks. What leaves: windows between ``[CLS]`` and ``[SEP]``
in which a share of the tokens is hidden, and what was there. Of the chosen tokens 80 in 100 become the mask, 10 another
token, 10 stay (Devlin et al. 2018); marks and ends of documents are never chosen, and of a sequence that has anything
else at least one token is. What is chosen depends on the seed and the number of the sequence, so a step cut into
micro-batches, or shared by ranks, hides the same tokens.

Axes: B sequence, T position, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from textpipe.data.batches import IGNORED, Batch, BatchPlan, consecutive_batches
from textpipe.data.permutation import derive_key
from textpipe.errors import ConfigError

if TYPE_CHECKING:
    from textpipe.data.shards import TokenSplit
    from textpipe.tokenizer import Tokenizer

__all__ = ["Marks", "Masking"]


@dataclass(frozen=True, slots=True)
class Marks:
    """Ids of the tokens that stand around a sequence and for a hidden token, and all that are never hidden."""

    begin: int
    end: int
    mask: int
    special: frozenset[int]

    @classmethod
    def of(cls, tokenizer: Tokenizer, *, eos_id: int) -> Marks:
        """Find ``[CLS]``, ``[SEP]`` and ``[MASK]`` (or ``<s>``, ``</s>``, ``<mask>``) in a vocabulary.

        Raises
        ------
        ConfigError
            when there is no mask, or no token to begin or end with.
        """
        found = {}
        for name, spellings in (
            ("begin", ("[CLS]", "<s>")),
            ("end", ("[SEP]", "</s>")),
            ("mask", ("[MASK]", "<mask>")),
        ):
            ids = [number for spelling in spellings if (number := tokenizer.token_to_id(spelling)) is not None]
            if not ids:
                raise ConfigError(
                    f"the tokenizer has no token {' or '.join(spellings)}",
                    hint="train the vocabulary with it: --special-token "
                    + " --special-token ".join(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")),
                )
            found[name] = ids[0]
        special = {number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special}
        return cls(**found, special=frozenset({*special, eos_id, *found.values()}))


class Masking:
    """Hides tokens of the windows of a plan.

    Parameters
    ----------
    split : the corpus; windows leave room for the two marks.
    share : of the tokens that are chosen.
    """

    def __init__(
        self, split: TokenSplit, marks: Marks, *, batch_size: int, context: int, seed: int, share: float = 0.15
    ) -> None:
        if context < 3:
            raise ConfigError(f"a context of {context} has no room beside the two marks", allowed="3 or more")
        self.split, self.marks, self.share, self.seed = split, marks, share, seed
        self.context = context
        self.plan = BatchPlan(split, batch_size=batch_size, context=context - 2, seed=seed)
        self._special = np.array(sorted(marks.special))
        self._ordinary = np.setdiff1d(np.arange(split.vocab_size), self._special)

    def batch(self, step: int, *, rank: int = 0, world: int = 1) -> Batch:
        """The sequences of a step."""
        return self._hide(self.plan.batch(step, rank=rank, world=world), self.seed)

    def consecutive(self, batch_size: int) -> Iterator[Batch]:
        """The whole split once, always with the same tokens hidden."""
        for batch in consecutive_batches(self.split, batch_size=batch_size, context=self.context - 2):
            yield self._hide(batch, -1)

    def _hide(self, batch: Batch, seed: int) -> Batch:
        inner_BT = batch.targets_BT.numpy()
        is_real_BT = inner_BT != IGNORED
        chosen_BT, replaced_BT = np.zeros_like(is_real_BT), np.where(is_real_BT, inner_BT, self.marks.end)
        for row, sample in enumerate(batch.samples):
            random = np.random.Generator(np.random.Philox(key=derive_key("mask", seed, sample)))
            draw_T, kind_T = random.random((2, inner_BT.shape[1]))
            other_T = self._ordinary[random.integers(0, len(self._ordinary), inner_BT.shape[1])]
            may_T = is_real_BT[row] & ~np.isin(inner_BT[row], self._special)
            least = draw_T[may_T].min(initial=1.0)  # a sequence with nothing to tell would be read for nothing
            chosen_BT[row] = may_T & ((draw_T < self.share) | (draw_T == least))
            replaced_BT[row] = np.where(chosen_BT[row] & (kind_T < 0.8), self.marks.mask, replaced_BT[row])
            replaced_BT[row] = np.where(chosen_BT[row] & (kind_T >= 0.9), other_T, replaced_BT[row])
        tokens_BT = np.pad(replaced_BT, ((0, 0), (1, 1)))
        tokens_BT[:, 0], tokens_BT[:, -1] = self.marks.begin, self.marks.end
        targets_BT = np.pad(np.where(chosen_BT, inner_BT, IGNORED), ((0, 0), (1, 1)), constant_values=IGNORED)
        return Batch(torch.from_numpy(tokens_BT), torch.from_numpy(targets_BT), batch.samples)
