"""The Unigram model.

What enters: pieces with their log-probabilities, an id each by their order. What leaves: of all the ways to put a word
together the likeliest, or one drawn by chance. Promises: the tokens of `tokenizers`; the tables are native and built
when first needed; the vocabulary never changes.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from functools import partial
from typing import Any

from textpipe.core._unigram import NativeUnigram
from textpipe.errors import InputError, WrongTypeError
from textpipe.models.drawing import DrawingModel

__all__ = ["Unigram"]


class Unigram(DrawingModel):
    """Pieces that are each as likely as their score says, whatever stands beside them.

    Parameters
    ----------
    vocab : (piece, score); the first has the id 0. Without it, ``<unk>`` alone.
    unk_id : the id for characters without a piece. Its score is 10 below the least; a run of them is one token.
    byte_fallback : spell such runs as ``<0xEA>``, … where the vocabulary has all of their bytes.
    alpha : draw a spelling, each as often as its likelihood to this power says; None or 0 for the likeliest always.
    nbest_size : draw among so many of the likeliest; None or 0 for all there are.
    seed : what ``alpha`` draws by, 0 to 2⁶⁴ - 1: with it a text's tokens are a pure function of the seed and the text,
        in any batch and order and with any number of threads; give another epoch another seed. None draws anew each
        time. Like ``alpha`` it is no part of tokenizer.json.

    Raises
    ------
    InputError
        when ``unk_id`` is the id of no piece, or a score is no number.

    Notes
    -----
    Linear in the word: each place is reached by the pieces that end there. Of
    equally likely spellings the one whose last piece is the longer is taken, place by place.

    Examples
    --------
    >>> model = Unigram([("<unk>", 0.0), ("한", -3.0), ("국", -3.5), ("어", -3.0), ("한국", -4.0)], unk_id=0)
    >>> [token.value for token in model.tokenize("한국어")]
    ['한국', '어']
    """

    def __init__(
        self,
        vocab: Iterable[tuple[str, float]] | None = None,
        unk_id: int | None = None,
        byte_fallback: bool | None = None,
        alpha: float | None = None,
        nbest_size: int | None = None,
        *,
        seed: int | None = None,
    ) -> None:
        if vocab is None:
            if unk_id is not None:
                raise InputError("unk_id is given without a vocabulary", hint="give both")
            vocab, unk_id = [("<unk>", 0.0)], 0
        self._rows = _scored_pieces(vocab)
        if unk_id is not None and not 0 <= unk_id < len(self._rows):
            pieces = f"0 to {len(self._rows) - 1}" if self._rows else "None, as there are no pieces"
            raise InputError(f"unk_id is {unk_id}, the id of no piece", allowed=pieces)
        super().__init__({piece: number for number, (piece, _) in enumerate(self._rows)})
        self._piece_of = {number: piece for number, (piece, _) in enumerate(self._rows)}  # of equal ones too
        self._unk_id = unk_id
        self._byte_fallback = bool(byte_fallback)
        self.alpha = alpha
        self.nbest_size = nbest_size
        self.seed = seed
        self._check_drawing()
        self._native: NativeUnigram | None = None
        self._native_drawing = (alpha, nbest_size)

    def settings_changed(self) -> None:
        """Check the settings; the native tables are built again, unless it is the seed alone that changed."""
        self._check_drawing()
        drawing = (self.alpha, self.nbest_size)
        if drawing != self._native_drawing:
            self._native, self._native_drawing = None, drawing

    @property
    def unk_id(self) -> int | None:
        """The id for what has no piece."""
        return self._unk_id

    @property
    def byte_fallback(self) -> bool:
        """Whether such is spelled by its bytes."""
        return self._byte_fallback

    @property
    def scored_pieces(self) -> list[tuple[str, float]]:
        """A copy of the pieces with their scores, in the order of their ids."""
        return list(self._rows)

    @property
    def surface_id(self) -> int | None:
        """The unknown piece: its tokens read as the text they stand for."""
        return self._unk_id

    def _tables(self) -> NativeUnigram:
        if self._native is None:
            self._native = NativeUnigram(
                self._rows_in_text(),
                unk_id=self._unk_id,
                byte_fallback=self._byte_fallback,
                alpha=self.alpha,
                nbest_size=self.nbest_size,
            )
        return self._native

    def _rows_in_text(self) -> list[tuple[str, float]]:
        """The pieces; of those that are kept out, and of their equals, the scores alone: they stand nowhere."""
        if not self._kept_out:
            return self._rows
        texts = {self._piece_of[number] for number in self._kept_out}
        return [("" if piece in texts else piece, score) for piece, score in self._rows]

    def _forget_tables(self) -> None:
        self._native = None

    def native(self, *, byte_level: bool) -> NativeUnigram | None:
        """The native tables; None without an unknown piece, where a word may have no tokens at all."""
        return None if self._unk_id is None else self._tables()

    def _lattice(self) -> NativeUnigram:
        return self._tables()

    def get_vocab_size(self) -> int:
        """How many pieces there are, equal ones counted each."""
        return len(self._rows)

    def save(self, folder: str, prefix: str | None = None) -> list[str]:
        """Write unigram.json; returns its path, alone in a list."""
        from textpipe.files import write_text

        path = os.path.join(folder, f"{prefix}-unigram.json" if prefix else "unigram.json")
        write_text(path, json.dumps(self.to_dict(), ensure_ascii=False, indent=2))
        return [path]

    def to_dict(self) -> dict[str, Any]:
        """Type, unknown piece, pieces with their scores; what is drawn is not kept, as in `tokenizers`."""
        return {
            "type": "Unigram",
            "unk_id": self._unk_id,
            "vocab": [[piece, score] for piece, score in self._rows],
            "byte_fallback": self._byte_fallback,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        rest = (self._unk_id, self._byte_fallback, self.alpha, self.nbest_size)
        return (partial(Unigram, seed=self.seed), (self._rows, *rest))


def _scored_pieces(vocab: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    rows = []
    for number, row in enumerate(vocab):
        try:
            piece, score = row
            rows.append((piece, float(score)))
        except (TypeError, ValueError):
            piece, score = None, 0.0
        if not isinstance(piece, str):
            raise WrongTypeError(f"piece {number} is {row!r:.60}", allowed="a string and its score")
        if not math.isfinite(score):
            raise InputError(f'piece {number} ("{piece[:40]}") has the score {score}', allowed="a finite number")
    return rows
