"""A text's tokens by Python's stages.

What enters: the words of a text, normalized and cut, the added tokens between them, and what spells a word. What
leaves: an encoding. Promises: the tokens that a native program of the same stages gives, those drawn by lot included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textpipe.encoding import Encoding
from textpipe.models import Model, Token
from textpipe.models.base import Lots
from textpipe.models.chance import word_seeds
from textpipe.normalizers import AlignedText

__all__ = ["encoding_of", "speller"]

Speller = Callable[[str], list[Token]]


def speller(model: Model, text: str, lots: Lots | None, number: int = 0) -> Speller:
    """What gives the tokens of a text's words, one after the other; ``number`` is the text's in its call."""
    if lots is None:
        return model.tokenize
    seeds = word_seeds(lots, text, number)
    return lambda word: model.sample(word, next(seeds))


def encoding_of(stages: Iterable[tuple[AlignedText, int | None]], spell: Speller) -> Encoding:
    """The tokens of words and of added tokens, which have an id, with their places."""
    ids: list[int] = []
    tokens: list[str] = []
    offsets: list[tuple[int, int]] = []
    words: list[int] = []
    pieces = (stage for stage in stages if stage[0].text)
    for number, (piece, added) in enumerate(pieces):
        found = _placed(piece, spell) if added is None else [(added, piece.text, piece.offsets)]
        for token_id, token, place in found:
            ids.append(token_id)
            tokens.append(token)
            offsets.append(place)
            words.append(number)
    return Encoding.of_tokens(ids, tokens, offsets, words)


def _placed(piece: AlignedText, spell: Speller) -> list[tuple[int, str, tuple[int, int]]]:
    tokens = spell(piece.text)
    places = piece.origins_of_bytes([token.offsets for token in tokens])
    return [(token.id, token.value, place) for token, place in zip(tokens, places, strict=True)]
