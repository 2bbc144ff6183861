"""The models of sentencepiece.

What enters: pieces with scores and kinds, as a .model file has them, and which of the four models they make. What
leaves: the pieces of a sentence that was normalized as sentencepiece does. Promises: the pieces of sentencepiece
0.2.3, also where its single-precision sums or its ties decide; the tables are native and built when first needed; the
value never changes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from textpipe.core._native import NativeGuarded, NativeModel
from textpipe.core._unigram import NativeRenumbered, NativeSentenceModel, NativeUnigram
from textpipe.core.byte_alphabet import BYTE_PIECES
from textpipe.errors import InputError, did_you_mean
from textpipe.models.drawing import DrawingModel

__all__ = ["SentencePiece", "SentencePieceRow"]

ALGORITHMS = {"unigram": 1, "bpe": 2, "word": 3, "char": 4}
KINDS = {"normal": 1, "unknown": 2, "control": 3, "user_defined": 4, "unused": 5, "byte": 6}
_IN_TEXT = {"normal", "user_defined", "unused"}
_KEPT_OUT = 7  # of no file: a normal piece of which the tables know the score alone
_BYTES = frozenset(BYTE_PIECES)


class SentencePieceRow(NamedTuple):
    """One piece: its text, its score, and what it is for.

    ``normal``, ``unknown``, ``control`` (never found in text), ``user_defined`` (always kept whole), ``unused``, or
    ``byte``.
    """

    text: str
    score: float
    kind: str = "normal"


class SentencePiece(DrawingModel):
    """A sentencepiece model, over whole sentences.

    Parameters
    ----------
    pieces : (text, score) or (text, score, kind); the first has the id 0.
    algorithm : ``unigram``, ``bpe``, ``word`` or ``char``.
    byte_fallback : spell unknown characters by their bytes, ``<0xEA>``, ….
    unk_piece, bos_piece, eos_piece, pad_piece : the names of the pieces with these parts to play.
    vocab : the ids of the pieces, where these are not their places, as translation models of two languages have them.
        A piece that it lacks is its ``unk_piece``; an entry that is no piece is what a run of unknown characters that
        reads so becomes.
    alpha, nbest_size, seed : draw a spelling of each sentence, as :class:`~textpipe.models.Unigram` does; of a unigram
        model. No file holds them.

    Raises
    ------
    InputError
        when two pieces are equal, one is empty, or a part is missing: a piece for the unknown, or one of the bytes.

    Notes
    -----
    Control pieces are never found in text, whatever it says: to put them there is the post-processor's work.

    Examples
    --------
    >>> model = SentencePiece([("<unk>", 0, "unknown"), ("▁한", -3), ("국", -3), ("▁한국", -4), ("어", -3)])
    >>> [token.value for token in model.tokenize("▁한국어")]
    ['▁한국', '어']
    """

    def __init__(
        self,
        pieces: Iterable[tuple[Any, ...]],
        algorithm: str = "unigram",
        *,
        byte_fallback: bool = False,
        unk_piece: str = "<unk>",
        bos_piece: str = "<s>",
        eos_piece: str = "</s>",
        pad_piece: str = "<pad>",
        vocab: Mapping[str, int] | None = None,
        alpha: float | None = None,
        nbest_size: int | None = None,
        seed: int | None = None,
    ) -> None:
        self._rows = [SentencePieceRow(*row) for row in pieces]
        places = {row.text: number for number, row in enumerate(self._rows)}
        super().__init__(places if vocab is None else vocab)
        self._num_texts, self._is_renumbered = len(places), vocab is not None
        self._algorithm = algorithm
        self._byte_fallback = byte_fallback
        self._unk_id = next((n for n, row in enumerate(self._rows) if row.kind == "unknown"), None)
        if vocab is not None:
            self._unk_id = self._vocab.get(unk_piece)
        self._named = {"unk_piece": unk_piece, "bos_piece": bos_piece, "eos_piece": eos_piece, "pad_piece": pad_piece}
        self.alpha = alpha
        self.nbest_size = nbest_size
        self.seed = seed
        self._check()
        self._check_drawing()
        self._native: NativeModel | None = None
        self._drawing: NativeUnigram | None = None
        self._drawn_as = (alpha, nbest_size)

    def settings_changed(self) -> None:
        """Check the settings; what draws is built again, unless it is the seed alone that changed."""
        self._check_drawing()
        drawn_as = (self.alpha, self.nbest_size)
        if drawn_as != self._drawn_as:
            self._drawing, self._drawn_as = None, drawn_as

    def _check_drawing(self) -> None:
        super()._check_drawing()
        if self.alpha and self._algorithm != "unigram":
            raise InputError(
                f"a {self._algorithm} model draws no spellings",
                allowed="alpha for a unigram model",
                hint="a BPE model turned into a tokenizer.json draws with its dropout",
            )
        if self.alpha and self._is_renumbered:
            raise InputError("a model with a vocab of its own draws no spellings", allowed="alpha without vocab")

    def _check(self) -> None:
        if self._algorithm not in ALGORITHMS:
            raise InputError(
                f'no algorithm is called "{self._algorithm}"', hint=did_you_mean(self._algorithm, ALGORITHMS)
            )
        if self._num_texts < len(self._rows):
            twice, _ = Counter(row.text for row in self._rows).most_common(1)[0]
            raise InputError(f'the piece "{twice[:40]}" stands twice')
        for number, row in enumerate(self._rows):
            self._check_row(number, row)
        if sum(row.kind == "unknown" for row in self._rows) > 1:
            raise InputError("there are several unknown pieces", allowed="one")
        if self._byte_fallback:
            missing = sorted(_BYTES - {row.text for row in self._rows if row.kind == "byte"})
            if missing:
                raise InputError(f"byte_fallback needs all of the bytes, and {missing[0]} is none of the pieces")
        elif not any(row.kind == "unknown" for row in self._rows):
            raise InputError("there is no piece for the unknown", hint='one of the kind "unknown", or byte_fallback')

        if self._is_renumbered:
            self._check_vocab()

    def _check_vocab(self) -> None:
        unknown = self._named["unk_piece"]
        if unknown not in self._vocab:
            raise InputError(f'the vocab has no "{unknown}", which pieces that it lacks become')
        if len(self._piece_of) < len(self._vocab) or max(self._piece_of) >= len(self._vocab):
            raise InputError("the ids of the vocab leave gaps", allowed="each number from 0 on, once")

    def _check_row(self, number: int, row: SentencePieceRow) -> None:
        if row.kind not in KINDS:
            raise InputError(f'piece {number} is of the kind "{row.kind}"', hint=did_you_mean(row.kind, KINDS))
        if not row.text or ("\0" in row.text and not self._is_bare_zero(row)):
            raise InputError(f"piece {number} is empty or holds a zero character")
        if not math.isfinite(row.score) or abs(row.score) > 3.4e38:
            raise InputError(f'piece {number} ("{row.text[:40]}") has the score {row.score}', allowed="a single float")
        if row.kind == "byte" and (not self._byte_fallback or row.text not in _BYTES):
            raise InputError(
                f'piece {number} ("{row.text[:40]}") is a byte', allowed="<0x00> to <0xFF>, with byte_fallback"
            )

    def _is_bare_zero(self, row: SentencePieceRow) -> bool:
        # Made by converters; sentencepiece passes over it.
        return row.text == "\0" and (row.kind == "unused" or self._byte_fallback)

    @property
    def rows(self) -> list[SentencePieceRow]:
        """A copy of the pieces, in the order of their ids."""
        return list(self._rows)

    @property
    def algorithm(self) -> str:
        """Which of the four models it is."""
        return self._algorithm

    @property
    def vocab(self) -> dict[str, int] | None:
        """The ids of the pieces, or None where these are their places in the list."""
        return dict(self._vocab) if self._is_renumbered else None

    def renumbered(self, vocab: Mapping[str, int] | None, unk_piece: str | None = None) -> SentencePiece:
        """The same pieces with the ids of another ``vocab``; None: with their places, as a .model file has them."""
        named: dict[str, Any] = {**self._named, "unk_piece": unk_piece or self._named["unk_piece"]}
        return SentencePiece(self._rows, self._algorithm, byte_fallback=self._byte_fallback, vocab=vocab, **named)

    @property
    def byte_fallback(self) -> bool:
        """Whether unknown characters are spelled by their bytes."""
        return self._byte_fallback

    @property
    def named_pieces(self) -> dict[str, str]:
        """``unk_piece``, ``bos_piece``, ``eos_piece`` and ``pad_piece``; the vocabulary need not have them."""
        return dict(self._named)

    @property
    def surface_id(self) -> int | None:
        """The unknown piece: its tokens read as the text they stand for."""
        return self._unk_id

    def texts_of(self, kind: str) -> tuple[str, ...]:
        """The texts of all pieces of a kind."""
        return tuple(row.text for row in self._rows if row.kind == kind)

    def native(self, *, byte_level: bool = False) -> NativeModel:
        """The native tables."""
        if self.alpha:
            return self._lattice()
        if self._native is None:
            self._native = self._tables(self._kept_out)
            if self._kept_out and self._algorithm == "bpe":  # other pieces are joined by way of these
                self._native = NativeGuarded(self._tables(frozenset()), self._native, self._kept_out)
        return self._native

    def _tables(self, kept_out: frozenset[int]) -> NativeModel:
        made = NativeSentenceModel(
            [(row.text, row.score, self._kind(row, kept_out)) for row in self._rows],
            kind=ALGORITHMS[self._algorithm],
            byte_fallback=self._byte_fallback,
        )
        if not self._is_renumbered:
            return made
        ids = [self._vocab.get(row.text, self._vocab[self._named["unk_piece"]]) for row in self._rows]
        return NativeRenumbered(made, ids, {text: n for text, n in self._vocab.items() if n not in kept_out})

    def _kind(self, row: SentencePieceRow, kept_out: frozenset[int]) -> int:
        if row.kind in _IN_TEXT and self._vocab.get(row.text) in kept_out:
            return _KEPT_OUT if row.kind == "normal" else KINDS["control"]
        return KINDS["control" if row.text == "\0" else row.kind]

    def _found_in_text(self, ids: frozenset[int]) -> frozenset[int]:
        kinds = {row.text: row.kind for row in self._rows}
        for number in ids:
            if kinds.get(self._piece_of[number]) == "byte":
                raise self._cannot_keep_out(self._piece_of[number])
        if self._is_renumbered:  # a run of unknown characters may read as any entry
            return ids
        return frozenset(number for number in ids if kinds[self._piece_of[number]] in _IN_TEXT)

    def _forget_tables(self) -> None:
        self._native = self._drawing = None

    def _lattice(self) -> NativeUnigram:
        if self._algorithm != "unigram":
            raise InputError(f"a {self._algorithm} model has one spelling of a sentence", allowed="a unigram model")
        if self._drawing is None:
            least = min((row.score for row in self._rows if row.kind == "normal"), default=0.0)
            self._drawing = NativeUnigram(
                [self._in_lattice(row, least) for row in self._rows],
                unk_id=self._unk_id,
                bytes=[self._vocab[name] for name in sorted(_BYTES)] if self._byte_fallback else None,
                alpha=self.alpha,
                nbest_size=self.nbest_size,
            )
        return self._drawing

    def _in_lattice(self, row: SentencePieceRow, least: float) -> tuple[str, float]:
        """A piece and its score where it can stand in text, else nothing, which stands nowhere."""
        if self._vocab.get(row.text) in self._kept_out:
            return "", row.score if row.kind == "normal" else least
        if row.kind == "user_defined":
            return row.text, 0.1 * (len(row.text.encode()) - 1)  # more than any other way there
        return (row.text, row.score) if row.kind == "normal" else ("", least)

    def to_dict(self) -> dict[str, Any]:
        """Type, algorithm, names, pieces and their ids; `tokenizers` has no such model."""
        return {
            "type": "SentencePiece",
            "algorithm": self._algorithm,
            "byte_fallback": self._byte_fallback,
            **self._named,
            **({"vocab": self._by_id()} if self._is_renumbered else {}),
            "pieces": [list(row) for row in self._rows],
        }

    def __reduce__(self) -> tuple[Any, ...]:
        options = {"byte_fallback": self._byte_fallback, **self.unwritten()}
        return (_rebuild, (self._rows, self._algorithm, {**options, **self._named, "vocab": self.vocab}))


def _rebuild(rows: list[SentencePieceRow], algorithm: str, options: dict[str, Any]) -> SentencePiece:
    return SentencePiece(rows, algorithm, **options)
