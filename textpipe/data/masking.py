"""Masked-token batches: a pure function of (seed, step).

What enters: windows of a packed corpus and the ids of the marks. What leaves: windows between ``[CLS]`` and ``[SEP]``,
in which a share of the tokens is hidden, and what was there. Of the chosen tokens 80 in 100 become the mask, 10 another
token, 10 stay (Devlin et al. 2018); marks and ends of documents are never chosen, and of a sequence that has anything
else at least one token is. What is chosen depends on the seed and the number of the sequence, so a step cut into
micro-batches, or shared by ranks, hides the same tokens.

With ``next_sentence`` a window is two segments, cut inside a document, and in half of the sequences what stands in the
second is from another place of the corpus: whether it follows the first is to be told. ("Sentence" is the paper's word
for a run of text; here too it is one of any length.)

With ``document_mask`` every document is a sequence of its own, with ``[CLS]`` before it and its end behind it, as texts
are read in fine-tuning. A window still holds as many as there is room for, so that nothing is padding; those at its
edges are cut.

Axes: B sequence, T position, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from textpipe.data.batches import IGNORED, Batch, BatchPlan, consecutive_batches
from textpipe.data.permutation import derive_key
from textpipe.data.shards import BegunSplit
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
    split : the corpus; windows leave room for the marks around them, where documents have none of their own.
    share : of the tokens that are chosen.
    next_sentence : whether windows are two segments, of which one is to tell if the second follows the first.
    document_mask : whether each document is read by itself.
    """

    def __init__(
        self,
        split: TokenSplit,
        marks: Marks,
        *,
        batch_size: int,
        context: int,
        seed: int,
        share: float = 0.15,
        next_sentence: bool = False,
        document_mask: bool = False,
    ) -> None:
        if next_sentence and document_mask:
            raise ConfigError(
                "two segments of a window are not documents by themselves",
                where="document_mask",
                hint="leave out one of next_sentence and document_mask",
            )
        if document_mask and split.eos_id != marks.end:
            raise ConfigError(
                "what ends a document here is not what ends a text in fine-tuning",
                where="document_mask",
                hint="pack with --eos '[SEP]' (or the vocabulary's </s>), or leave document_mask out",
            )
        num_marks = 0 if document_mask else 3 if next_sentence else 2
        least = max(2, 2 * num_marks - 1)
        if context < least:
            raise ConfigError(
                f"a context of {context} has no room beside {num_marks} marks", allowed=f"{least} or more"
            )
        self.split, self.marks, self.share, self.seed = split, marks, share, seed
        self.next_sentence, self.document_mask = next_sentence, document_mask
        self.num_inner = context - num_marks
        self._ring = BegunSplit(split, marks.begin) if document_mask else split
        self.plan = BatchPlan(
            self._ring, batch_size=batch_size, context=self.num_inner, seed=seed, document_mask=document_mask
        )
        self._special = np.array(sorted(marks.special))
        self._ordinary = np.setdiff1d(np.arange(split.vocab_size), self._special)

    def batch(self, step: int, *, rank: int = 0, world: int = 1) -> Batch:
        """The sequences of a step."""
        return self._hide(self.plan.batch(step, rank=rank, world=world), self.seed)

    def consecutive(self, batch_size: int) -> Iterator[Batch]:
        """The whole split once, always with the same tokens hidden."""
        windows = consecutive_batches(
            self._ring, batch_size=batch_size, context=self.num_inner, document_mask=self.document_mask
        )
        for batch in windows:
            yield self._hide(batch, -1)

    def _hide(self, batch: Batch, seed: int) -> Batch:
        inner_BT = batch.targets_BT.numpy().copy()
        rows = zip(inner_BT, batch.samples, strict=True) if self.next_sentence else ()
        halves = [self._in_two(row_T, seed, sample) for row_T, sample in rows]
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
        was_BT = np.where(chosen_BT, inner_BT, IGNORED)
        if self.document_mask:
            return replace(batch, tokens_BT=torch.from_numpy(replaced_BT), targets_BT=torch.from_numpy(was_BT))
        cuts_B = [cut for cut, _ in halves]
        tokens_BT = _framed(replaced_BT, self.marks.begin, self.marks.end, cuts_B)
        targets_BT = _framed(was_BT, IGNORED, IGNORED, cuts_B)
        made = Batch(torch.from_numpy(tokens_BT), torch.from_numpy(targets_BT), batch.samples)
        if not self.next_sentence:
            return made
        segments_BT = np.arange(tokens_BT.shape[1]) >= np.array(cuts_B)[:, None] + 2
        # where nothing is hidden nothing is counted, so that a micro-batch of such sequences alone changes no loss
        follows_B = np.where(chosen_BT.any(axis=1), [follows for _, follows in halves], IGNORED)
        return replace(
            made, segments_BT=torch.from_numpy(segments_BT.astype(np.int64)), follows_B=torch.from_numpy(follows_B)
        )

    def _in_two(self, inner_T: npt.NDArray[np.int64], seed: int, sample: int) -> tuple[int, int]:
        """Where the second segment begins, and 0 if it follows the first, else 1; it may be replaced in place."""
        num_real = int((inner_T != IGNORED).sum())
        inside = 1 + np.flatnonzero(inner_T[: num_real - 1] != self.split.eos_id)
        if not len(inside):
            return num_real, IGNORED
        random = np.random.Generator(np.random.Philox(key=derive_key("halves", seed, sample)))
        cut, elsewhere = int(random.choice(inside)), int(random.integers(self.split.num_tokens))
        if random.random() < 0.5:
            return cut, 0
        own_T = inner_T[cut:num_real].copy()
        inner_T[cut:num_real] = self.split.window(elsewhere, num_real - cut)
        return cut, int((inner_T[cut:num_real] != own_T).any())


def _framed(inner_BT: npt.NDArray[np.int64], first: int, other: int, cuts_B: list[int]) -> npt.NDArray[np.int64]:
    """The rows between ``first`` and ``other``, with ``other`` also where rows are cut, if they are."""
    if cuts_B:
        inner_BT = np.stack([np.insert(row, cut, other) for row, cut in zip(inner_BT, cuts_B, strict=True)])
    made_BT = np.pad(inner_BT, ((0, 0), (1, 1)))
    made_BT[:, 0], made_BT[:, -1] = first, other
    return made_BT
