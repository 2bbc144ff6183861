"""Pairs of texts as arrays: for each word that is explained, all words it may have come from.

What enters: pairs of numbered words, the ones given and the ones to explain. What leaves: blocks of pairs whose given
texts are of one length, so that what is computed of a pair is computed of thousands at once, without padding; and the
table of all pairs of words that stand in some pair of texts, of which a block's cells are numbers.

Axes: N entry of the table, R explained word of a block, C what it may have come from: the empty word, then the given
words in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from textpipe.errors import LimitError
from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = ["Block", "CellTable", "Texts"]

Numbers = npt.NDArray[np.int64]
Texts = Sequence[npt.NDArray[np.int32]]

_BLOCK_CELLS = 1 << 20


@dataclass(frozen=True, slots=True)
class Block:
    """Pairs with given texts of one length, longest explained text first.

    ``entries_RC`` has the explained words step by step: the first of all pairs, then the second of all that have one,
    and so on; ``firsts`` says where each step begins, and after the last one where it ends. ``pairs_R`` and
    ``places_R`` are the pair and the place of each explained word.
    """

    entries_RC: npt.NDArray[np.int64]
    firsts: list[int]
    pairs_R: Numbers
    places_R: Numbers

    @property
    def num_given(self) -> int:
        """Words of each given text."""
        return int(self.entries_RC.shape[1]) - 1


class CellTable:
    """All that may be aligned with what.

    Parameters
    ----------
    given, explained : the texts, pair by pair; a pair with an empty side has no cell.
    num_explained : words of the explained side, the empty one counted.

    Attributes
    ----------
    given_N, explained_N : the two words of each entry.
    blocks : the pairs.

    Raises
    ------
    LimitError
        when there are more cells than memory is to be spent on.

    Notes
    -----
    Time O(cells · log of a block's), memory about 30 bytes a cell.
    """

    def __init__(self, given: Texts, explained: Texts, num_explained: int, *, limits: Limits = DEFAULT_LIMITS) -> None:
        sizes = np.array([[len(one), len(other)] for one, other in zip(given, explained, strict=True)], dtype=np.int64)
        sizes = sizes.reshape(-1, 2)
        total = int(((sizes[:, 0] + 1) * sizes[:, 1]).sum())
        if total > limits.alignment_cells:
            raise LimitError(
                f"{total:,} pairs of words to choose between",
                allowed=f"{limits.alignment_cells:,}",
                hint="align fewer pairs, or shorter ones: cut paragraphs into sentences",
            )
        parts = [_block(given, explained, num_explained, numbers) for numbers in _groups(sizes)]
        keys_N = np.unique(np.concatenate([keys for keys, _ in parts])) if parts else np.empty(0, dtype=np.int64)
        self.given_N, self.explained_N = keys_N // num_explained, keys_N % num_explained
        self.blocks: list[Block] = []
        for keys, block in parts:
            places = np.searchsorted(keys_N, keys)
            np.take(places, block.entries_RC, out=block.entries_RC)
            self.blocks.append(block)

    @property
    def num_entries(self) -> int:
        """Pairs of words that stand in some pair of texts."""
        return len(self.given_N)


def _groups(sizes: Numbers) -> list[Numbers]:
    """Numbers of pairs with given texts of one length, longest explained first, some cells at a time."""
    found = []
    for length in np.unique(sizes[:, 0][sizes[:, 0] > 0]).tolist():
        numbers = np.flatnonzero((sizes[:, 0] == length) & (sizes[:, 1] > 0))
        if not len(numbers):
            continue
        numbers = numbers[np.argsort(-sizes[numbers, 1], kind="stable")]
        cells = np.cumsum(sizes[numbers, 1] * (length + 1))
        cuts = np.flatnonzero(np.diff(cells // _BLOCK_CELLS)) + 1
        found += np.split(numbers, cuts)
    return found


def _block(given: Texts, explained: Texts, num_explained: int, numbers: Numbers) -> tuple[Numbers, Block]:
    """The keys of a block's entries, and the block with numbers of those for its entries."""
    chosen = numbers.tolist()
    lengths = np.array([len(explained[number]) for number in chosen])
    given_PC = np.zeros((len(chosen), len(given[chosen[0]]) + 1), dtype=np.int64)
    longest = int(lengths[0])
    words_TP = np.zeros((longest, len(chosen)), dtype=np.int64)
    for row, number in enumerate(chosen):
        given_PC[row, 1:] = given[number]
        words_TP[: lengths[row], row] = explained[number]
    places_R, rows_R = np.nonzero(np.arange(longest)[:, None] < lengths[None, :])
    keys_RC = given_PC[rows_R] * num_explained + words_TP[places_R, rows_R][:, None]
    keys, entries = np.unique(keys_RC, return_inverse=True)
    firsts = np.searchsorted(places_R, np.arange(longest + 1)).tolist()
    return keys, Block(entries.reshape(keys_RC.shape).astype(np.int64), firsts, numbers[rows_R], places_R)
