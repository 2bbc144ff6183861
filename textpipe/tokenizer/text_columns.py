"""The tokens of a text that a native program encoded.

What enters: for each text the rows of its tokens, and the pipeline they came from. What leaves: columns. Promises: a
list is made when it is asked for; a token that reads as the text it stands for is looked for in that text only when
pieces, places or words are asked for, by the stages as they were then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from textpipe.core._places import TokenRows, number_list, token_rows
from textpipe.encoding.columns import Columns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from textpipe.encoding import Encoding
    from textpipe.models.base import Lots
    from textpipe.tokenizer.pipeline import Pipeline

    Rows = tuple[NDArray[np.uint32], NDArray[np.int64], dict[int, str]]
    """What a native program finds of texts: rows (4, num_ids), where each text begins in them, the added tokens."""

__all__ = ["IdColumns", "Spans", "TextColumns", "columns_of_texts", "columns_of_words"]


class Spans(NamedTuple):
    """The tokens of texts with their places, flat."""

    ids: NDArray[np.uint32]
    """(num_ids,)."""
    begins: NDArray[np.uint32]
    """(num_ids,): the first character each token stands for, in its text."""
    ends: NDArray[np.uint32]
    """(num_ids,): the character after the last one."""
    words: NDArray[np.uint32]
    """(num_ids,): the number of each token's word in its text."""
    offsets: NDArray[np.int64]
    """(num_texts + 1,): text ``n`` has the tokens ``offsets[n]`` to ``offsets[n + 1]``."""
    added: dict[int, str]
    """Of a native program: which tokens are added ones, and the texts they were found as."""

    @classmethod
    def of_encodings(cls, encodings: Sequence[Encoding]) -> Spans:
        """Those of encodings of one text each; which tokens are added ones they do not tell."""
        import numpy as np

        offsets = np.zeros(len(encodings) + 1, dtype=np.int64)
        np.cumsum([len(encoding) for encoding in encodings], out=offsets[1:])
        rows = np.empty((4, offsets[-1]), dtype=np.uint32)
        for encoding, (begin, end) in zip(encodings, pairwise(offsets.tolist()), strict=True):
            rows[0, begin:end] = encoding.ids
            rows[1:3, begin:end] = np.array(encoding.offsets, dtype=np.uint32).reshape(-1, 2).T
            rows[3, begin:end] = [
                number for number in encoding.word_ids if number is not None
            ]  # none is, without template
        ids, begins, ends, words = rows
        return cls(ids, begins, ends, words, offsets, {})


class IdColumns(Columns):
    """Ids of which nothing else is known."""

    __slots__ = ("_ids",)

    type_id = 0

    def __init__(self, ids: NDArray[Any]) -> None:
        super().__init__(len(ids))
        self._ids = ids

    def make(self, name: str) -> list[Any]:
        """The ids; of everything else what stands for nothing."""
        if name == "ids":
            return number_list(self._ids)
        return [_BLANK[name]] * self.num_tokens


_BLANK = {
    "tokens": "",
    "offsets": (0, 0),
    "word_ids": None,
    "type_ids": 0,
    "special_tokens_mask": 0,
    "attention_mask": 1,
}


class TextColumns(Columns):
    """The tokens of one text, or of the words it was cut into beforehand.

    Parameters
    ----------
    pipeline : the stages that encoded it.
    rows : its tokens.
    added : which of them are added tokens, and the texts they were found as.
    staged : encodes it stage by stage, where a token reads as normalized text, which no row tells.
    """

    __slots__ = ("_added", "_pipeline", "_rows", "_staged")

    type_id = 0

    def __init__(
        self, pipeline: Pipeline, rows: TokenRows, added: dict[int, str], staged: Callable[[], Encoding] | None
    ) -> None:
        super().__init__(rows.num_tokens)
        self._pipeline = pipeline
        self._rows = rows
        self._added = added
        self._staged = staged

    @property
    def spells_bytes(self) -> bool:
        """As the pre-tokenizer did."""
        return self._pipeline.spells_bytes

    def make(self, name: str) -> list[Any]:
        """Ids, pieces, places and words; no token is special, and all of them count."""
        if name == "ids":
            return self._rows.ids()
        if name not in {"tokens", "offsets", "word_ids"}:
            return [_BLANK[name]] * self.num_tokens
        if self._staged is not None:
            return list(getattr(self._staged(), name))
        if name == "tokens":
            return self._tokens()
        return self._rows.places() if name == "offsets" else self._rows.words()

    def _tokens(self) -> list[str]:
        tokens, left = self._rows.pieces(self._pipeline.pieces)
        ids = self._rows.ids() if left else []
        for index in left:
            found = self._added.get(index)
            tokens[index] = self._pipeline.model.pieces[ids[index]] if found is None else found
        return tokens


def columns_of_texts(
    pipeline: Pipeline, texts: Sequence[str], found: Rows, *, skip_special: bool, lots: Lots | None
) -> Iterator[TextColumns]:
    """The tokens of each text, drawn by ``lots`` where the model draws."""
    rows, offsets, added = found
    waiting = deque(added.items())
    surface = pipeline.model.surface_id
    begin = 0
    for number, (row, end) in enumerate(zip(token_rows(rows, offsets), offsets[1:].tolist(), strict=True)):
        own = {}
        while waiting and waiting[0][0] < end:
            index, text = waiting.popleft()
            own[index - begin] = text
        begin = end
        staged = None
        if surface is not None and row.has_id(surface):
            encode = pipeline.kept.encode_text_staged
            staged = partial(encode, texts[number], number, skip_special=skip_special, lots=lots)
        yield TextColumns(pipeline, row, own, staged)


def columns_of_words(
    pipeline: Pipeline, words: Sequence[str], found: Rows, *, skip_special: bool, lots: Lots | None
) -> TextColumns:
    """The tokens of a text that was cut into words beforehand, which are numbered as they were given."""
    import numpy as np

    rows, offsets, added = found
    rows[3] = np.repeat(np.arange(len(words), dtype=np.uint32), np.diff(offsets))
    (row,) = token_rows(rows, offsets[[0, -1]])
    surface = pipeline.model.surface_id
    staged = None
    if surface is not None and row.has_id(surface):
        staged = partial(pipeline.kept.encode_words_staged, tuple(words), skip_special=skip_special, lots=lots)
    return TextColumns(pipeline, row, added, staged)
