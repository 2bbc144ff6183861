"""Which tokens may come next so that the text stays UTF-8.

What enters: a tokenizer, and where each sequence stands inside a character. What leaves: a mask over the vocabulary,
and where each sequence stands after a token. A byte-level vocabulary has pieces that are only some bytes of a character
(Hangul takes three); a model may put together what no character begins or ends with, which would print as U+FFFD. With
the mask it cannot. The states are those of Unicode's table of well-formed byte sequences (Unicode 16, table 3-7).

Axes: S state, V vocabulary, B sequence.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textpipe.tokenizer import Tokenizer

__all__ = ["WholeCharacters"]

# (from, first byte, last byte, to): state 0 is between characters, the others name what must still come
_ONE, _TWO, _AFTER_E0, _AFTER_ED, _AFTER_F0, _THREE, _AFTER_F4, _DEAD = range(1, 9)
_RULES = (
    (0, 0x00, 0x7F, 0),
    (0, 0xC2, 0xDF, _ONE),
    (0, 0xE0, 0xE0, _AFTER_E0),
    (0, 0xE1, 0xEC, _TWO),
    (0, 0xED, 0xED, _AFTER_ED),
    (0, 0xEE, 0xEF, _TWO),
    (0, 0xF0, 0xF0, _AFTER_F0),
    (0, 0xF1, 0xF3, _THREE),
    (0, 0xF4, 0xF4, _AFTER_F4),
    (_ONE, 0x80, 0xBF, 0),
    (_TWO, 0x80, 0xBF, _ONE),
    (_AFTER_E0, 0xA0, 0xBF, _ONE),
    (_AFTER_ED, 0x80, 0x9F, _ONE),
    (_AFTER_F0, 0x90, 0xBF, _TWO),
    (_THREE, 0x80, 0xBF, _TWO),
    (_AFTER_F4, 0x80, 0x8F, _TWO),
)


def _byte_table() -> np.ndarray[tuple[int, int], np.dtype[np.int8]]:
    table = np.full((_DEAD + 1, 257), _DEAD, dtype=np.int8)
    for state, first, last, to in _RULES:
        table[state, first : last + 1] = to
    table[:, 256] = np.arange(_DEAD + 1)  # 256 pads short pieces: it changes nothing
    return table


class WholeCharacters:
    """The mask for one tokenizer.

    Examples
    --------
    >>> only = WholeCharacters(tokenizer)  # doctest: +SKIP
    >>> only.mask([0])[0, first_byte_of_a_syllable]  # doctest: +SKIP
    tensor(True)

    Notes
    -----
    Building it takes O(vocabulary · longest piece) and 9 bytes an entry.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        pieces = [tokenizer.id_to_bytes(token) for token in range(tokenizer.get_vocab_size())]
        width = max(map(len, pieces), default=0) or 1
        bytes_VL = np.full((len(pieces), width), 256, dtype=np.int16)
        for row, piece in enumerate(pieces):
            bytes_VL[row, : len(piece)] = np.frombuffer(piece, dtype=np.uint8)
        table = _byte_table()
        self._next_SV = np.empty((_DEAD + 1, len(pieces)), dtype=np.int8)
        for state in range(_DEAD + 1):
            reached_V = np.full(len(pieces), state, dtype=np.int8)
            for column in range(width):
                reached_V = table[reached_V, bytes_VL[:, column]]
            self._next_SV[state] = reached_V
        is_special_V = np.array([not piece for piece in pieces])
        self._next_SV[1:, is_special_V] = _DEAD  # a text ends, or a mark stands, between characters only
        self._close_dead_ends()
        self._blocked_SV = torch.from_numpy(self._next_SV == _DEAD)
        self._begin_nothing = self._blocked_SV[0].nonzero()[:, 0]  # ids that no text begins with

    def _close_dead_ends(self) -> None:
        """A vocabulary may lack the byte that some state needs: then nothing may lead there."""
        while True:
            stuck = [s for s in range(1, _DEAD) if (self._next_SV[s] == _DEAD).all() and (self._next_SV == s).any()]
            if not stuck:
                return
            self._next_SV[np.isin(self._next_SV, stuck)] = _DEAD

    def mask(self, states: list[int]) -> torch.Tensor:
        """(B, V): which tokens may come where the sequences stand."""
        return ~self._blocked_SV[states]

    def block_(self, logits_BV: torch.Tensor, states: list[int]) -> None:
        """Put −inf at every token that may not come where the sequences stand."""
        device = logits_BV.device
        if any(states):
            logits_BV.masked_fill_(self._blocked_SV[states].to(device), -math.inf)
        elif len(self._begin_nothing):  # between characters, as most of the time, it is a few columns
            logits_BV.index_fill_(1, self._begin_nothing.to(device), -math.inf)

    def after(self, state: int, token: int) -> int:
        """Where a sequence stands after ``token``; 0 is between characters."""
        return int(self._next_SV[state, token])

    def whole(self, ids: Sequence[int]) -> list[int]:
        """The ids without those at the end that begin a character and do not end it."""
        state, end = 0, 0
        for count, token in enumerate(ids, 1):
            state = self.after(state, token)
            if state == 0:
                end = count
        return list(ids[:end])
