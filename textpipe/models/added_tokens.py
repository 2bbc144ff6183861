"""Tokens added to a vocabulary: special tokens and whatever else a user wants kept whole.

What enters: added tokens, one after the other, over a model. What leaves: their ids, and the rules by which they are
found in text. Promises: the ids and the matches are those of `tokenizers`; a token the model already has keeps the
model's id.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from textpipe.models import Model

__all__ = ["AddedToken", "AddedVocabulary"]


@dataclass(frozen=True, slots=True)
class AddedToken:
    """A piece that is found in text before the model sees it.

    Parameters
    ----------
    content : the text of the token.
    single_word : only where no word character touches it.
    lstrip, rstrip : take in the white space to the left, to the right.
    normalized : look for it in the normalized text instead of the raw one.
    special : a mark of the model's own, left out when decoding.
    """

    content: str = ""
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = True
    special: bool = False

    def __str__(self) -> str:
        return self.content

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


class AddedVocabulary:
    """The added tokens of one tokenizer, in the order they were given."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.by_id: dict[int, AddedToken] = {}
        self._special: dict[str, None] = {}
        self._ordinary: list[str] = []
        self._last_id = -1

    def token_to_id(self, content: str, model: Model) -> int | None:
        """The id of an added token or of a piece."""
        found = self.ids.get(content)
        return model.token_to_id(content) if found is None else found

    @property
    def special_texts(self) -> list[str]:
        """The special tokens, in the order they were given."""
        return list(self._special)

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
            return replace(token, special=True) if special else token
        return AddedToken(token, normalized=not special, special=special)
