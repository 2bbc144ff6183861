"""Special tokens written in a text that nobody vouches for.

What enters: texts, or a chat's marks and texts. What leaves: the stages that are to read them, an error that says
which text holds such a token and where, or the stretches the encoder is to keep apart. Promises: text nobody vouches
for makes no special token but the unknown one, neither where the tokenizer looks for them, nor as a piece of its model,
nor by what a normalizer makes of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from textpipe.errors import InputError, WrongTypeError, did_you_mean

if TYPE_CHECKING:
    from textpipe.models.added_tokens import AddedVocabulary
    from textpipe.tokenizer.pipeline import Pipeline

__all__ = ["Special", "SpecialPolicy", "Text", "refuse_special", "segment_pieces", "stages_for"]

SpecialPolicy = Literal["allow", "text", "raise"]
"""What becomes of special tokens that stand in a text: they are tokens, plain text, or an error."""


@dataclass(frozen=True, slots=True)
class Special:
    """A special token of a chat template, by its text."""

    token: str


@dataclass(frozen=True, slots=True)
class Text:
    """Text nobody vouches for: whatever stands in it, it makes no special token."""

    text: str


def stages_for(
    pipeline: Pipeline, special: SpecialPolicy, texts: Iterable[str], item: int | None = None
) -> tuple[Pipeline, bool]:
    """The stages that read these texts, and whether special tokens in them are plain text.

    One of these is an error where the policy is ``raise``; what passes is read as text nobody vouches for. The texts
    are those of a batch, or all of its one ``item``.
    """
    if not isinstance(special, str) or special not in get_args(SpecialPolicy):
        raise InputError(f"no such policy: {special!r}", hint=did_you_mean(str(special), get_args(SpecialPolicy)))
    if special == "raise":
        for number, text in enumerate(texts):
            refuse_special(pipeline, text, f"text {number if item is None else item}")
    return (pipeline, False) if special == "allow" else (pipeline.untrusted, True)


def refuse_special(pipeline: Pipeline, text: str, name: str) -> None:
    """Do nothing, unless a special token stands in the text.

    Parameters
    ----------
    pipeline : of the tokenizer.
    text : the text.
    name : which one it is, as the message shall call it.

    Raises
    ------
    InputError
        with the token and the character it begins at.
    """
    found = pipeline.first_special(text)
    if found is not None:
        token, at = found
        raise InputError(
            f'{name} holds the special token "{token}" at character {at}',
            hint='take it out, or encode it as plain text: special="text"',
        )


def segment_pieces(added: AddedVocabulary, segments: Iterable[Special | Text]) -> list[tuple[str, int | None]]:
    """The texts of the segments, a mark with its id, any other text with None.

    Raises
    ------
    InputError
        when a mark is no special token, or a segment is neither.
    """
    if isinstance(segments, str) or not isinstance(segments, Iterable):
        raise WrongTypeError(f"segments are {segments!r:.40}", allowed="a list of Special(token) and Text(text)")
    pieces: list[tuple[str, int | None]] = []
    for number, segment in enumerate(segments):
        if isinstance(segment, Special) and isinstance(segment.token, str):
            token_id = added.ids.get(segment.token)
            if token_id is None or not added.is_special(segment.token):
                raise InputError(
                    f'segment {number}: "{segment.token}" is no special token of this tokenizer',
                    hint=did_you_mean(segment.token, added.special_texts),
                )
            pieces.append((segment.token, token_id))
        elif isinstance(segment, Text) and isinstance(segment.text, str):
            pieces.append((segment.text, None))
        else:
            raise WrongTypeError(
                f"segment {number} is {segment!r}"[:200], allowed="Special(token) or Text(text), a str each"
            )
    return pieces
