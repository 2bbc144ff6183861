"""What a model is.

What enters: a vocabulary, piece → id. What leaves: the tokens of a word. Promises: the tokens of `tokenizers`; a
model's vocabulary never changes.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence, Set
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from textpipe.errors import InputError, WrongTypeError, a_kind
from textpipe.limits import DEFAULT_LIMITS
from textpipe.stages.stage import Stage, check_characters
from textpipe.upward import upward

if TYPE_CHECKING:
    from textpipe.core._native import NativeModel
    from textpipe.trainers import VocabularyTrainer

__all__ = ["Lots", "Model", "Token"]


class Token(NamedTuple):
    """One token of a word: its id, its piece and the bytes of the word it stands for."""

    id: int
    value: str
    offsets: tuple[int, int]

    def as_tuple(self) -> tuple[int, str, tuple[int, int]]:
        """A plain tuple of the three."""
        return (self.id, self.value, self.offsets)


class Lots(NamedTuple):
    """What a model that draws lots draws by."""

    seed: int
    by_number: bool
    """Whether the number of a text in its call counts too, so that equal texts are drawn apart."""


class Model(Stage):
    """Base of the models: a vocabulary and a way to spell words with it.

    Raises
    ------
    InputError
        when a piece is no string, or an id is no whole number, below 0 or too large.
    """

    def __init__(self, vocab: Mapping[str, int] | None) -> None:
        self._kept_out: frozenset[int] = frozenset()
        self._vocab = _checked_vocab(vocab or {})
        self._piece_of = {number: piece for piece, number in self._vocab.items()}
        if self._vocab and not 0 <= min(self._piece_of) <= max(self._piece_of) < DEFAULT_LIMITS.token_id:
            raise InputError(
                f"ids run from {min(self._piece_of)} to {max(self._piece_of)}",
                allowed=f"0 to {DEFAULT_LIMITS.token_id - 1}",
            )

    def tokenize(self, sequence: str) -> list[Token]:
        """The tokens of one word."""
        raise NotImplementedError(f"{type(self).__name__} has no tokenize()")

    def sample(self, sequence: str, seed: int) -> list[Token]:
        """The same with a seed, which decides the tokens where lots are drawn."""
        return self.tokenize(sequence)

    def lots(self, words: Sequence[str] | None = None) -> Lots | None:
        """What the texts of a call are drawn by, or the ``words`` of one text; None where no lots are drawn."""
        return None

    def seeded(self, seed: int) -> Self:
        """The model itself; one that draws lots without a seed of its own as a copy that draws by this one."""
        return self

    def without(self, ids: Set[int]) -> Self:
        """The same model, but that it spells no text with the pieces of these ids: for text nobody vouches for.

        Parameters
        ----------
        ids : of pieces that are the marks of a program and no text, such as ``</s>``.

        Returns
        -------
        Model
            the model itself where no text could be spelled with them. All ids are as they were, and a word that is
            spelled without them is spelled as ever. The unknown piece may be among them: no text reads as it any more,
            and what has no piece still becomes it.

        Raises
        ------
        InputError
            when one of them is all there is to spell some character with.

        Examples
        --------
        >>> from textpipe.models import WordPiece
        >>> model = WordPiece({"[UNK]": 0, "[SEP]": 1, "가": 2})
        >>> [token.id for word in ("[SEP]", "가") for token in model.without({1}).tokenize(word)]
        [0, 2]
        """
        kept_out = self._kept_out | self._found_in_text(frozenset(ids) & self._piece_of.keys())
        if kept_out == self._kept_out:
            return self
        made = self.copy()
        made._kept_out = kept_out
        made._forget_tables()
        return made

    def _found_in_text(self, ids: frozenset[int]) -> frozenset[int]:
        """Those of some pieces that a text may be spelled with."""
        return ids

    def _forget_tables(self) -> None:
        """Let the native tables be built anew, without the pieces that are kept out."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it keeps pieces out of a text")

    def _pieces_in_text(self) -> dict[str, int]:
        """The vocabulary without the pieces that are kept out."""
        if not self._kept_out:
            return self._vocab
        return {piece: number for piece, number in self._vocab.items() if number not in self._kept_out}

    def _cannot_keep_out(self, piece: str) -> InputError:
        return InputError(
            f'text cannot be kept from the special token "{piece[:40]}": nothing else spells what it stands for',
            hint="let it be no special token, or give the model an unknown piece",
        )

    def unwritten(self) -> dict[str, Any]:
        """Settings that no file holds, by their names; a copy of a tokenizer has them all the same."""
        return {}

    def native(self, *, byte_level: bool) -> NativeModel | None:
        """The native tables for words of bytes or of characters, or None when there are none."""
        return None

    def get_trainer(self) -> VocabularyTrainer:
        """A trainer of this kind of model, with its defaults.

        Raises
        ------
        InputError
            when there is none for this kind.
        """
        trainer: VocabularyTrainer = upward("trainer_for")(self)
        return trainer

    def token_to_id(self, token: str) -> int | None:
        """The id of a piece."""
        return self._vocab.get(token)

    def id_to_token(self, id: int) -> str | None:
        """The piece of an id."""
        return self._piece_of.get(id)

    def get_vocab(self) -> dict[str, int]:
        """A copy of piece → id."""
        return dict(self._vocab)

    def get_vocab_size(self) -> int:
        """How many pieces there are."""
        return len(self._vocab)

    @property
    def pieces(self) -> Mapping[int, str]:
        """The piece of each id, to read."""
        return MappingProxyType(self._piece_of)

    @property
    def surface_id(self) -> int | None:
        """The id whose tokens read as the text they stand for and not as their piece, or None."""
        return None

    @property
    def unknown_id(self) -> int | None:
        """The id of what no piece spells, or None where there is none."""
        name: str | None = getattr(self, "unk_token", None)
        return self.surface_id if name is None else self.token_to_id(name)

    @property
    def repeatable(self) -> bool:
        """Whether a word has the same tokens each time; not so where lots are drawn."""
        return True

    @property
    def max_id(self) -> int:
        """The largest id, -1 of an empty vocabulary."""
        return max(self._piece_of, default=-1)

    def _by_id(self) -> dict[str, int]:
        return dict(sorted(self._vocab.items(), key=lambda item: item[1]))

    def save(self, folder: str, prefix: str | None = None) -> list[str]:
        """Write the vocabulary as the files usual for this kind of model; returns their paths."""
        raise NotImplementedError(f"{type(self).__name__} has no files of its own; save the tokenizer")

    def settings(self) -> tuple[Any, ...]:
        """The model itself, whose vocabulary never changes, and the settings that may."""
        return (id(self), *(value for name, value in vars(self).items() if not name.startswith("_")))

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Model) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((type(self).__name__, len(self._vocab)))


def _checked_vocab(vocab: Mapping[str, int]) -> dict[str, int]:
    if not isinstance(vocab, Mapping):
        raise WrongTypeError(f"a vocabulary is {a_kind(vocab)}", allowed="a dictionary, piece: id")
    if set(map(type, vocab)) <= {str} and set(map(type, vocab.values())) <= {int}:
        _check_pieces(vocab)
        return dict(vocab)
    checked = {}
    for piece, number in vocab.items():
        if not isinstance(piece, str) or not hasattr(number, "__index__") or isinstance(number, bool):
            raise WrongTypeError(
                f"the vocabulary has {piece!r:.40}: {number!r:.40}", allowed="a string: a whole number"
            )
        checked[str(piece)] = operator.index(number)
    _check_pieces(checked)
    return checked


def _check_pieces(vocab: Iterable[str]) -> None:
    try:
        "".join(vocab).encode()  # all at once: one of them is hardly ever wrong
    except UnicodeEncodeError:
        for piece in vocab:
            check_characters(piece, "a piece")
