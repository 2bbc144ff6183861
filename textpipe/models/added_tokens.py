"""Tokens added to a vocabulary: special tokens and whatever else a user wants kept whole.

What enters: added tokens, one after the other, over a model. What leaves: their ids, and the rules by which they are
found in text. Promises: the ids and the matches are those of `tokenizers`; a token the model already has keeps the
model's id.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textpipe.core.byte_alphabet import to_bytes
from textpipe.errors import WrongTypeError
from textpipe.models import Model
from textpipe.stages.stage import check_characters

__all__ = ["AddedToken", "AddedVocabulary"]


class AddedToken:
    """A piece that is found in text before the model sees it.

    Parameters
    ----------
    content : the text of the token.
    single_word : only where no word character touches it.
    lstrip, rstrip : take in the white space to the left, to the right.
    normalized : look for it in the normalized text instead of the raw one; by default, where it is not special.
    special : a mark of the model's own, left out when decoding.

    Notes
    -----
    ``content`` and ``special`` can be set. A tokenizer keeps tokens as they were when they were added.
    """

    __slots__ = ("_content", "_lstrip", "_normalized", "_rstrip", "_single_word", "_special")

    def __init__(
        self,
        content: str = "",
        *,
        single_word: bool = False,
        lstrip: bool = False,
        rstrip: bool = False,
        normalized: bool | None = None,
        special: bool = False,
    ) -> None:
        for name, value in (("single_word", single_word), ("lstrip", lstrip), ("rstrip", rstrip)):
            _check_flag(name, value)
        if normalized is not None:
            _check_flag("normalized", normalized)
        self.content = content
        self.special = special
        self._single_word = single_word
        self._lstrip = lstrip
        self._rstrip = rstrip
        self._normalized = normalized

    @property
    def content(self) -> str:
        """The text of the token."""
        return self._content

    @content.setter
    def content(self, content: str) -> None:
        if not isinstance(content, str):
            raise WrongTypeError(f"the content of an added token is {content!r:.40}", allowed="a str")
        check_characters(content, "the content of an added token")
        self._content = content

    @property
    def special(self) -> bool:
        """Whether it is a mark of the model's own."""
        return self._special

    @special.setter
    def special(self, special: bool) -> None:
        _check_flag("special", special)
        self._special = special

    @property
    def single_word(self) -> bool:
        """Whether it is found only where no word character touches it."""
        return self._single_word

    @property
    def lstrip(self) -> bool:
        """Whether it takes in the white space to its left."""
        return self._lstrip

    @property
    def rstrip(self) -> bool:
        """Whether it takes in the white space to its right."""
        return self._rstrip

    @property
    def normalized(self) -> bool:
        """Whether it is looked for in the normalized text."""
        return not self.special if self._normalized is None else self._normalized

    def copy(self, *, special: bool | None = None) -> AddedToken:
        """The same token, or one that is ``special`` or not."""
        return AddedToken(
            self.content,
            single_word=self._single_word,
            lstrip=self._lstrip,
            rstrip=self._rstrip,
            normalized=self._normalized,
            special=self.special if special is None else special,
        )

    def __str__(self) -> str:
        return self.content

    def __repr__(self) -> str:
        flags = ("rstrip", "lstrip", "single_word", "normalized", "special")
        return f'AddedToken("{self.content}", {", ".join(f"{flag}={getattr(self, flag)}" for flag in flags)})'

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AddedToken) and self.to_dict(0) == other.to_dict(0)

    def __hash__(self) -> int:
        return hash(self.content)

    def to_dict(self, number: int) -> dict[str, Any]:
        """The object that stands for it in tokenizer.json."""
        return {
            "id": number,
            "content": self.content,
            "single_word": self.single_word,
            "lstrip": self.lstrip,
            "rstrip": self.rstrip,
            "normalized": self.normalized,
            "special": self.special,
        }


def _check_flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise WrongTypeError(f"{name} of an added token is {value!r:.40}", allowed="True or False")


class AddedVocabulary:
    """The added tokens of one tokenizer, in the order they were given."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.by_id: dict[int, AddedToken] = {}
        self._special: dict[str, None] = {}
        self._ordinary: list[str] = []
        self._last_id = -1

    def copy(self) -> AddedVocabulary:
        """The same tokens, to be added to while others read these."""
        made = AddedVocabulary()
        made.ids, made.by_id = dict(self.ids), dict(self.by_id)
        made._special, made._ordinary, made._last_id = dict(self._special), list(self._ordinary), self._last_id
        return made

    def token_to_id(self, content: str, model: Model) -> int | None:
        """The id of an added token or of a piece."""
        found = self.ids.get(content)
        return model.token_to_id(content) if found is None else found

    @property
    def special_texts(self) -> list[str]:
        """The special tokens, in the order they were given."""
        return list(self._special)

    @property
    def special_ids(self) -> frozenset[int]:
        """The ids of the special tokens."""
        return frozenset(number for number, token in self.by_id.items() if token.special)

    def is_special(self, content: str) -> bool:
        """Whether decoding leaves this piece out."""
        return content in self._special

    def add(self, tokens: Iterable[AddedToken], model: Model) -> int:
        """Add tokens; returns how many were not there just so."""
        tokens = list(tokens)
        for token in tokens:
            if token.special and token.content:
                self._special.setdefault(token.content)
        added = 0
        for token in tokens:
            number = self.token_to_id(token.content, model)
            if not token.content or (number is not None and self.by_id.get(number) == token):
                continue
            if number is None:
                number = self._next_id(model)
            self.ids[token.content] = number
            self.by_id[number] = token
            self._last_id = max(self._last_id, number)
            if token.content not in self._special:
                self._ordinary.append(token.content)
            added += 1
        return added

    def looked_for(self, *, is_normalized: bool, byte_level: bool) -> tuple[str, ...] | None:
        """What a text holds that one of the tokens is in.

        None where the text must be normalized to tell, and where, in counts of bytes, a token's words may hold
        a character that stands for none.
        """
        tokens = self.by_id.values()
        if is_normalized and any(token.normalized for token in tokens):
            return None
        if byte_level and any(token.lstrip or token.rstrip or to_bytes(token.content) is None for token in tokens):
            return None
        return tuple(token.content for token in tokens)

    def _next_id(self, model: Model) -> int:
        size = model.get_vocab_size()
        last = self._last_id
        return last + 1 if last >= size or (last >= 0 and size == 0) else size

    def rules(self, model: Model) -> list[tuple[str, int, AddedToken]]:
        """(content, id, token) in the order in which equal matches are preferred.

        Tokens that read alike once normalized are such matches; there `tokenizers` takes any of them, by chance.
        """
        found = []
        for content in (*self._special, *self._ordinary):
            number = self.token_to_id(content, model)
            if number is not None and number in self.by_id:
                found.append((content, number, self.by_id[number]))
        return found

    @staticmethod
    def of(token: str | AddedToken, *, special: bool) -> AddedToken:
        """An added token from what a user gives: special tokens are looked for in the raw text."""
        if isinstance(token, AddedToken):
            return token.copy(special=token.special or special)
        return AddedToken(token, special=special)
