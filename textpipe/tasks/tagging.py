"""Tagging: what each part of a text is, such as the names in it.

What enters: texts whose tokens have BIO tags. What leaves: the spans of each text, and F1 over whole entities. Labels
go from characters to tokens and back by the offsets of the encoding, so that how a text is cut into tokens, and what a
normalizer does to it, changes neither the task nor its score. A long text is read in several windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from textpipe.data.batches import IGNORED
from textpipe.data.labelled_text import Labels
from textpipe.data.tagged_text import TaggedText
from textpipe.errors import InputError
from textpipe.evaluation.entities import EntityScores, entities_of, score_entities
from textpipe.evaluation.labels import check_same_length
from textpipe.nn.bert_heads import TokenClassifier
from textpipe.tasks.label_alignment import Span, align_tags, spans_of
from textpipe.tasks.windows import Window, WindowBatch

if TYPE_CHECKING:
    from textpipe.encoding import Encoding
    from textpipe.evaluation.bootstrap import Interval
    from textpipe.evaluation.labels import ClassScores
    from textpipe.nn.shapes import TaggerConfig
    from textpipe.tokenizer import Tokenizer

__all__ = ["SpanPrediction", "Tagging", "score_spans", "spans_in", "tags_of"]


@dataclass(frozen=True, slots=True)
class SpanPrediction:
    """A text and what is marked in it."""

    text: str
    spans: tuple[Span, ...]

    def __str__(self) -> str:
        return ", ".join(f"{self.text[span.begin : span.end]} ({span.type})" for span in self.spans) or "—"

    def as_json(self) -> dict[str, Any]:
        rows = [
            {"begin": s.begin, "end": s.end, "type": s.type, "text": self.text[s.begin : s.end]} for s in self.spans
        ]
        return {"spans": rows}


def spans_in(example: TaggedText) -> list[Span]:
    """What is marked in a tagged text.

    Raises
    ------
    InputError
        for a tag that is not of BIO; file and line of the sentence are named.
    """
    try:
        found = list(entities_of(example.tags))
    except InputError as error:
        raise InputError(error.what, where=f"{example.where}, {error.where}", allowed=error.allowed) from None
    return [Span(example.offsets[each.begin][0], example.offsets[each.end - 1][1], each.type) for each in found]


def tags_of(examples: Sequence[TaggedText]) -> tuple[str, ...]:
    """The tags a model needs for these examples: O, and B- and I- of every type, sorted.

    Raises
    ------
    InputError
        when nothing is marked in any of them.
    """
    types = sorted({span.type for example in examples for span in spans_in(example)})
    if not types:
        raise InputError("nothing is marked in any text: every tag is O", allowed="B-TYPE and I-TYPE somewhere")
    return ("O", *(f"{prefix}-{name}" for name in types for prefix in "BI"))


class Tagging:
    """The task of a model that marks spans; ``num_lost`` entities of the training have no token of their own."""

    def __init__(self, shape: TaggerConfig, tokenizer: Tokenizer) -> None:
        self._labels, self._tokenizer, self._context = Labels(shape.labels), tokenizer, shape.context
        self.lost_as, self.num_lost, self.num_cut = "labels_that_fit_no_token", 0, 0

    def windows(self, examples: Sequence[TaggedText], *, is_labelled: bool = True) -> list[Window]:
        self._tokenizer.enable_truncation(self._context)
        encodings = self._tokenizer.encode_batch([each.text for each in examples], special="text", threads=1)
        made = []
        for number, (example, encoding) in enumerate(zip(examples, encodings, strict=True)):
            spans = spans_in(example) if is_labelled else []
            lost = tuple(spans)
            for part in (encoding, *encoding.overflowing):
                aligned = align_tags(spans, part, begun=set(spans).difference(lost))
                lost = aligned.lost
                made.append(self._window(part, number, aligned.tags, example.where))
            self.num_lost += len(lost)
        return made

    def _window(self, encoding: Encoding, number: int, tags: Sequence[str | None], where: str) -> Window:
        ids = [IGNORED if tag is None else self._labels.id_of(tag, where=where) for tag in tags]
        return Window.of(encoding, number, ids, by_position=True)

    def loss(self, logits: torch.Tensor, batch: WindowBatch) -> tuple[torch.Tensor, torch.Tensor]:
        return TokenClassifier.loss(logits, batch.targets)

    def predictions(
        self, examples: Sequence[TaggedText], windows: Sequence[Window], logits: Sequence[torch.Tensor]
    ) -> list[SpanPrediction]:
        tags: list[list[str | None]] = [[] for _ in examples]
        places: list[list[tuple[int, int]]] = [[] for _ in examples]
        for window, logits_TL in zip(windows, logits, strict=True):
            is_text_T = window.target != IGNORED
            best_T = logits_TL.argmax(dim=1).numpy()
            tags[window.example] += [self._labels.names[number] for number in best_T[is_text_T].tolist()]
            places[window.example] += [(begin, end) for begin, end in window.offsets[is_text_T].tolist()]
        rows = zip(examples, places, tags, strict=True)
        return [SpanPrediction(each.text, tuple(spans_of(each.text, where, tag))) for each, where, tag in rows]

    def scores(self, examples: Sequence[TaggedText], predictions: Sequence[SpanPrediction]) -> dict[str, float | None]:
        found = score_spans(examples, [each.spans for each in predictions], num_resamples=1)
        return {"entity_f1": found.f1.value, "entity_macro_f1": found.macro_f1}

    def intervals(self, examples: Sequence[TaggedText], predictions: Sequence[SpanPrediction]) -> dict[str, Interval]:
        return {"entity_f1": score_spans(examples, [each.spans for each in predictions]).f1}

    def by_class(self, examples: Sequence[TaggedText], predictions: Sequence[SpanPrediction]) -> dict[str, ClassScores]:
        return score_spans(examples, [each.spans for each in predictions], num_resamples=1).types

    def sample(self, example: TaggedText, prediction: SpanPrediction) -> dict[str, str]:
        meant = SpanPrediction(example.text, tuple(spans_in(example)))
        return {"prompt": example.text, "text": str(prediction), "reference": str(meant)}


def score_spans(
    examples: Sequence[TaggedText], predicted: Iterable[Sequence[Span]], *, num_resamples: int = 1000
) -> EntityScores:
    """Score what is marked in each text, whoever marked it, against what is meant.

    Raises
    ------
    InputError
        when there are not as many as examples.
    """
    true = [_by_character(each.text, spans_in(each)) for each in examples]
    marked = list(predicted)
    check_same_length(true, marked, "texts")
    told = [_by_character(each.text, spans) for each, spans in zip(examples, marked, strict=True)]
    return score_entities(true, told, num_resamples=num_resamples)


def _by_character(text: str, spans: Sequence[Span]) -> list[str]:
    """A BIO tag for each character: entities are the same if and only if their characters and types are."""
    tags = np.full(len(text), "O", dtype=object)
    for span in spans:
        tags[span.begin : span.end] = f"I-{span.type}"
        tags[span.begin] = f"B-{span.type}"
    found: list[str] = tags.tolist()
    return found
