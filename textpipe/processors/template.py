"""Special tokens around texts, by a template.

What enters: templates such as ``[CLS] $A [SEP]`` and the ids of their special tokens. What leaves: the encodings of
the texts with those tokens between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textpipe.encoding import Encoding, special_columns
from textpipe.encoding.columns import Columns
from textpipe.errors import InputError, WrongTypeError
from textpipe.limits import DEFAULT_LIMITS
from textpipe.processors.base import PostProcessor, numbered
from textpipe.stages.stage import check_characters

__all__ = ["Piece", "SpecialToken", "TemplateProcessing"]

_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Piece:
    """One place of a template: text ``A`` or ``B`` (``is_text``) or a special token, and its type."""

    id: str
    type_id: int
    is_text: bool

    @classmethod
    def parse(cls, word: str) -> Piece:
        """``$A``, ``$B:1``, ``$1`` (text A of type 1), ``[SEP]``, ``[SEP]:1``."""
        if not isinstance(word, str):
            raise WrongTypeError(f"a template has {word!r:.40}", allowed='"$A:0", "[SEP]:1", …')
        name, colon, number = word.partition(":")
        if not colon:
            number = "0"
        elif not _NUMBER.fullmatch(number):
            raise InputError(f'"{word}" in a template has no type after its colon', allowed='"$A:0", "[SEP]:1", …')
        if not name.startswith("$"):
            return cls(name, int(number), is_text=False)
        text = name[1:]
        if text in ("", "A", "a"):
            return cls("A", int(number), is_text=True)
        if text in ("B", "b"):
            return cls("B", int(number), is_text=True)
        if _NUMBER.fullmatch(text):
            return cls("A", int(number if colon else text), is_text=True)
        raise InputError(f'"{word}" in a template names no text', allowed="$A, $B, $0, $1, …")

    def to_dict(self) -> dict[str, Any]:
        """As tokenizer.json has it."""
        return {"Sequence" if self.is_text else "SpecialToken": {"id": self.id, "type_id": self.type_id}}


@dataclass(frozen=True, slots=True)
class SpecialToken:
    """What a template's special token stands for: one id or several, with their pieces."""

    id: str
    ids: tuple[int, ...]
    tokens: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As tokenizer.json has it."""
        return {"id": self.id, "ids": list(self.ids), "tokens": list(self.tokens)}


Template = str | Sequence[str] | Sequence[Piece]


@dataclass(eq=False, repr=False, init=False)
class TemplateProcessing(PostProcessor):
    """Put special tokens around one text (``single``) or two (``pair``).

    Parameters
    ----------
    single, pair : a template, words with spaces between or a list; ``$A`` and ``$B`` are the texts, ``:1`` a type.
    special_tokens : (token, id) pairs, or dictionaries with ``id``, ``ids``, ``tokens``.

    Raises
    ------
    InputError
        when a template has a special token that is not listed, ``pair`` lacks one of the texts, or an id is too large.

    Examples
    --------
    >>> TemplateProcessing("[S] $A", "[S] $A [S] $B:1", [("[S]", 0)]).num_special_tokens_to_add(is_pair=True)
    2
    """

    single: tuple[Piece, ...]
    pair: tuple[Piece, ...]
    special_tokens: tuple[SpecialToken, ...]

    def __init__(
        self,
        single: Template | None = None,
        pair: Template | None = None,
        special_tokens: Iterable[tuple[str, int] | tuple[int, str] | Mapping[str, Any] | SpecialToken] | None = None,
    ) -> None:
        self.single = _template("$A" if single is None else single)
        self.pair = _template("$A:0 $B:1" if pair is None else pair)
        self.special_tokens = tuple(map(_special, special_tokens or ()))
        self.__post_init__()

    def __post_init__(self) -> None:
        listed = {token.id: token for token in map(_special, self.special_tokens)}
        object.__setattr__(self, "special_tokens", tuple(listed[name] for name in sorted(listed)))
        for name in ("single", "pair"):
            object.__setattr__(self, name, _template(getattr(self, name)))
        for text in (text for token in self.special_tokens for text in (token.id, *token.tokens)):
            check_characters(text, "a special token")
        wrong = next(
            (n for token in self.special_tokens for n in token.ids if not 0 <= n < DEFAULT_LIMITS.token_id), None
        )
        if wrong is not None:
            raise InputError(f"a special token has the id {wrong}", allowed=f"0 to {DEFAULT_LIMITS.token_id - 1}")
        for piece in (*self.single, *self.pair):
            if not piece.is_text and piece.id not in listed:
                raise InputError(f'the template has "{piece.id}", which special_tokens does not list')
        if any(piece.is_text and piece.id == "B" for piece in self.single):
            raise InputError("the template for one text has $B", allowed="$A")
        if {piece.id for piece in self.pair if piece.is_text} != {"A", "B"}:
            raise InputError("the template for pairs must have both $A and $B")

    def apply(self, encodings: list[Encoding], *, add_special_tokens: bool) -> list[Encoding]:
        """Texts and special tokens in the template's order."""
        if len(encodings) > 2:
            raise InputError(
                f"a template got {len(encodings)} parts", hint="a template or Bert tokens once in a Sequence are enough"
            )
        tokens = {token.id: token for token in self.special_tokens}
        texts = numbered(encodings)
        made = []
        for piece in self.single if len(encodings) == 1 else self.pair:
            if piece.is_text:
                number = 0 if piece.id == "A" else 1
                made.append(texts[number].with_type_id(piece.type_id))
            elif add_special_tokens:
                token = tokens[piece.id]
                made.append(Encoding.of_special_tokens(token.ids, token.tokens, piece.type_id))
        return made

    def put_together_each(self, encodings: list[Encoding], add_special_tokens: bool) -> list[Encoding]:
        """The template around each text; where it has the text once, its tokens are made once for all of them."""
        texts = [number for number, piece in enumerate(self.single) if piece.is_text]
        if len(texts) != 1:
            return super().put_together_each(encodings, add_special_tokens)
        tokens = {token.id: token for token in self.special_tokens}
        type_id = self.single[texts[0]].type_id

        def columns(pieces: tuple[Piece, ...]) -> tuple[Columns, ...]:
            added = [(tokens[piece.id], piece.type_id) for piece in pieces if add_special_tokens]
            return tuple(special_columns(token.ids, token.tokens, number) for token, number in added)

        before, after = columns(self.single[: texts[0]]), columns(self.single[texts[0] + 1 :])
        return [
            encoding.framed(before, after)
            if encoding.has_type(type_id)
            else self.put_together([encoding], add_special_tokens)
            for encoding in encodings
        ]

    def num_special_tokens_to_add(self, is_pair: bool) -> int:
        """How many ids the template adds."""
        counts = {token.id: len(token.ids) for token in self.special_tokens}
        return sum(counts[piece.id] for piece in (self.pair if is_pair else self.single) if not piece.is_text)

    @property
    def max_id(self) -> int:
        """The largest id the template can add."""
        return max((number for token in self.special_tokens for number in token.ids), default=-1)

    def native_frame(self) -> tuple[list[int], list[int]] | None:
        """The ids before and after ``$A``, where it stands once."""
        places = [number for number, piece in enumerate(self.single) if piece.is_text]
        if len(places) != 1 or self.single[places[0]].id != "A":
            return None
        ids = {token.id: token.ids for token in self.special_tokens}
        before = [number for piece in self.single[: places[0]] for number in ids[piece.id]]
        after = [number for piece in self.single[places[0] + 1 :] for number in ids[piece.id]]
        return before, after

    def to_dict(self) -> dict[str, Any]:
        """Type, templates, special tokens."""
        return {
            "type": "TemplateProcessing",
            "single": [piece.to_dict() for piece in self.single],
            "pair": [piece.to_dict() for piece in self.pair],
            "special_tokens": {token.id: token.to_dict() for token in self.special_tokens},
        }


def _template(template: Template) -> tuple[Piece, ...]:
    words = template.split() if isinstance(template, str) else template
    return tuple(word if isinstance(word, Piece) else Piece.parse(word) for word in words)


def _special(token: Any) -> SpecialToken:
    if isinstance(token, SpecialToken):
        return token
    if isinstance(token, Mapping):
        missing = {"id", "ids", "tokens"} - token.keys()
        if missing:
            raise InputError(f"a special token lacks {', '.join(sorted(missing))}", allowed="id, ids and tokens")
        made = SpecialToken(token["id"], tuple(token["ids"]), tuple(token["tokens"]))
        if len(made.ids) != len(made.tokens):
            raise InputError(f'special token "{made.id}" has {len(made.ids)} ids and {len(made.tokens)} tokens')
        return made
    name, number = pair_of(token)
    return SpecialToken(name, (number,), (name,))


def pair_of(token: Any) -> tuple[str, int]:
    """A special token and its id, given in either order.

    Raises
    ------
    InputError
        when it is something else.
    """
    match token:
        case (str(name), int(number)) | (int(number), str(name)):
            return name, number
    raise InputError(f"a special token is {token!r:.60}", allowed="(token, id)")
