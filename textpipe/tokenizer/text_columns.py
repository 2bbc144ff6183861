"""The tokens of a text that a native program encoded.

What enters: the ids, the text they came from and the pipeline. What leaves: columns. Promises: of a text nothing but
its ids is computed until pieces, places or words are asked for; then the program goes over it once more. A model that
draws lots would not give the same tokens twice: what it gave is kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from textpipe.core._places import number_list, number_lists, piece_list, place_lists
from textpipe.encoding.columns import Columns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from textpipe.encoding import Encoding
    from textpipe.tokenizer.pipeline import Pipeline

__all__ = ["IdColumns", "SharedSpans", "Spans", "TextColumns", "later_spans"]

_SHARED_CHARS = 1 << 14  # of texts whose places are found together; a call for each would cost more than its work


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

    def added_in(self, number: int) -> dict[int, str]:
        """The added tokens of one text."""
        begin, end = self.offsets[number : number + 2].tolist()
        return {index - begin: text for index, text in self.added.items() if begin <= index < end}

    def each(self) -> Iterator[Spans]:
        """Those of each text; who holds one does not hold the others."""
        added = deque(self.added.items())
        for begin, end in pairwise(self.offsets.tolist()):
            own = {}
            while added and added[0][0] < end:
                index, text = added.popleft()
                own[index - begin] = text
            ids, begins, ends, words = (row[begin:end].copy() for row in self[:4])
            offsets = self.offsets[:2].copy()
            offsets[:] = 0, end - begin
            yield Spans(ids, begins, ends, words, offsets, own)


class SharedSpans:
    """The places in a few texts, found together when those of one are asked for.

    Parameters
    ----------
    find : gives the tokens of the texts; what it holds is held as long as one of their encodings is.
    """

    __slots__ = ("_find", "_places", "_spans", "_words")

    def __init__(self, find: Callable[[], Spans]) -> None:
        self._find = find
        self._spans: Spans | None = None
        self._places: list[list[tuple[int, int]]] | None = None
        self._words: list[list[int]] | None = None

    def all(self) -> Spans:
        """Those of all the texts, one after the other."""
        if self._spans is None:
            self._spans = self._find()
        return self._spans

    def places(self) -> list[list[tuple[int, int]]]:
        """For each text where its tokens begin and end, to read."""
        if self._places is None:
            spans = self.all()
            self._places = place_lists(spans.begins, spans.ends, spans.offsets)
        return self._places

    def words(self) -> list[list[int]]:
        """For each text the numbers of its tokens' words, to read."""
        if self._words is None:
            spans = self.all()
            self._words = number_lists(spans.words, spans.offsets)
        return self._words


def later_spans(pipeline: Pipeline, texts: Sequence[str], *, skip_special: bool) -> Iterator[tuple[SharedSpans, int]]:
    """For each text what finds its places, with those of its neighbours where they are short, and its number there."""
    begin = size = 0
    for end in range(1, len(texts) + 1):
        size += len(texts[end - 1])
        if end < len(texts) and size + len(texts[end]) <= _SHARED_CHARS:
            continue
        shared = SharedSpans(partial(pipeline.spans, tuple(texts[begin:end]), skip_special=skip_special))
        for number in range(end - begin):
            yield shared, number
        begin, size = end, 0


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


class TextColumns(IdColumns):
    """The tokens of one text, or of the words it was cut into beforehand.

    Parameters
    ----------
    pipeline : the stages that encoded it.
    texts : the text, or its words.
    ids : (num_ids,), of all of them.
    skip_special : special tokens in the texts were plain text.
    spans : what knows the rest of it, or finds it.
    number : of the text among those that ``spans`` knows; None for words, which are all of them: they are numbered as
        they were given.
    """

    __slots__ = ("_number", "_pipeline", "_skip_special", "_spans", "_texts")

    def __init__(
        self,
        pipeline: Pipeline,
        texts: Sequence[str],
        ids: NDArray[Any],
        *,
        skip_special: bool,
        spans: SharedSpans,
        number: int | None,
    ) -> None:
        super().__init__(ids)
        self._pipeline = pipeline
        self._texts = texts
        self._skip_special = skip_special
        self._spans = spans
        self._number = number

    def make(self, name: str) -> list[Any]:
        """Ids, pieces, places and words; no token is special, and all of them count."""
        make = _OF_TEXT.get(name)
        if make is None:
            return super().make(name)
        surface = self._pipeline.model.surface_id
        if surface is not None and surface in self._ids:
            return self._staged(name)  # its tokens read as normalized text, which no row tells
        return make(self)

    def _offsets(self) -> list[Any]:
        places = self._spans.places()
        return list(chain.from_iterable(places)) if self._number is None else places[self._number].copy()

    def _word_ids(self) -> list[Any]:
        if self._number is not None:
            return self._spans.words()[self._number].copy()
        counts = [end - begin for begin, end in pairwise(self._spans.all().offsets.tolist())]
        return [number for number, count in enumerate(counts) for _ in range(count)]

    def _tokens(self) -> list[str]:
        tokens, left = piece_list(self._ids, self._pipeline.pieces)
        if left:
            spans = self._spans.all()
            added = spans.added if self._number is None else spans.added_in(self._number)
            for index in left:
                found = added.get(index)
                tokens[index] = self._pipeline.model.pieces[int(self._ids[index])] if found is None else found
        return tokens

    def _staged(self, name: str) -> list[Any]:
        """The list as the stages give it one by one, set as they were."""
        staged = self._pipeline.kept.encode_words_staged(
            self._texts, skip_special=self._skip_special, words=self._number is None
        )
        return list(getattr(staged, name))


_OF_TEXT = {
    "tokens": TextColumns._tokens,
    "offsets": TextColumns._offsets,
    "word_ids": TextColumns._word_ids,
}
