"""Question answering: where a text answers a question.

What enters: questions, each with a text, and where its answers stand. What leaves: the answer as the text has it; exact
match and F1. A text too long for the model is read in windows that overlap, each with the question before it; a window
without the answer points at its first position, and the best span of all windows is the answer (Devlin et al. 2018).

Axes: T position, I and J first and last position of a span.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from textpipe.data.batches import IGNORED
from textpipe.data.question_text import Question
from textpipe.errors import InputError
from textpipe.evaluation.answers import AnswerLanguage, AnswerScores, score_answers
from textpipe.nn.bert_heads import SpanFinder
from textpipe.tasks.label_alignment import align_answer, spans_of
from textpipe.tasks.windows import Window, WindowBatch

if TYPE_CHECKING:
    from textpipe.encoding import Encoding
    from textpipe.evaluation.bootstrap import Interval
    from textpipe.evaluation.labels import ClassScores
    from textpipe.nn.shapes import SpanFinderConfig
    from textpipe.tokenizer import Tokenizer

__all__ = ["AnswerPrediction", "QuestionAnswering"]

_ENCODED_AT_ONCE = 1024
_LONGEST_ANSWER = 64  # tokens; longer spans are not looked at
_HANGUL = re.compile(r"[\uac00-\ud7a3\u1100-\u11ff]")


@dataclass(frozen=True, slots=True)
class AnswerPrediction:
    """The answer, where it stands, and how probable its ends are; empty where the text has none."""

    answer: str
    begin: int
    end: int
    probability: float

    def __str__(self) -> str:
        return f"{self.answer or '—'} {self.probability:.3f}"

    def as_json(self) -> dict[str, Any]:
        found = {"answer": self.answer, "begin": self.begin, "end": self.end}
        return {**found, "probability": round(self.probability, 6)}


class QuestionAnswering:
    """The task of a model that finds answers; ``num_lost`` answers of the training stand in no window as a whole."""

    def __init__(self, shape: SpanFinderConfig, tokenizer: Tokenizer) -> None:
        self._shape, self._tokenizer = shape, tokenizer
        self.lost_as, self.num_lost, self.num_cut = "answers_in_no_window", 0, 0

    def windows(self, examples: Sequence[Question], *, is_labelled: bool = True) -> list[Window]:
        made = []
        for number, (question, encoding) in enumerate(zip(examples, self._encoded(examples), strict=True)):
            parts = [encoding, *encoding.overflowing]
            targets = [self._target(question, part) if is_labelled else (0, 0) for part in parts]
            if is_labelled and question.answers and all(target == (0, 0) for target in targets):
                self.num_lost += 1
                targets = [(IGNORED, IGNORED)] * len(parts)
            made += [Window.of(part, number, target) for part, target in zip(parts, targets, strict=True)]
        return made

    def _encoded(self, examples: Sequence[Question]) -> Iterator[Encoding]:
        """Each question with its text, in as many windows as it takes."""
        context, tokenizer = self._shape.context, self._tokenizer
        stride = context // 4
        most = context - tokenizer.num_special_tokens_to_add(is_pair=True) - stride - 1
        for start in range(0, len(examples), _ENCODED_AT_ONCE):
            part = examples[start : start + _ENCODED_AT_ONCE]
            tokenizer.no_truncation()
            questions = [each.text for each in part]
            lengths = tokenizer.encode_batch(questions, add_special_tokens=False, special="text", threads=1)
            for question, length in zip(part, map(len, lengths), strict=True):
                if length > most:
                    raise InputError(
                        f"a question of {length} tokens leaves no room for the text",
                        where=question.where,
                        allowed=f"{most} tokens, with a context of {context}",
                    )
                if not question.context.strip():
                    raise InputError("the text of the question is empty", where=question.where)
            tokenizer.enable_truncation(context, stride=stride, strategy="only_second")
            pairs = [(each.text, each.context) for each in part]
            yield from tokenizer.encode_batch(pairs, special="text", threads=1)

    @staticmethod
    def _target(question: Question, encoding: Encoding) -> tuple[int, int]:
        """The first and the last position of the answer; the first position of all where it is not in this window."""
        if not question.answers:
            return 0, 0
        begin, end = question.answers[0]
        offsets = [place for place, owner in zip(encoding.offsets, encoding.sequence_ids, strict=True) if owner == 1]
        if not offsets or offsets[0][0] > begin or offsets[-1][1] < end:
            return 0, 0
        return align_answer(question.context, begin, end, encoding)

    def loss(self, logits: torch.Tensor, batch: WindowBatch) -> tuple[torch.Tensor, torch.Tensor]:
        return SpanFinder.loss(logits, batch.targets)

    def predictions(
        self, examples: Sequence[Question], windows: Sequence[Window], logits: Sequence[torch.Tensor]
    ) -> list[AnswerPrediction]:
        found: list[tuple[float, AnswerPrediction] | None] = [None] * len(examples)
        nothing = [float("inf")] * len(examples)
        for window, logits_T2 in zip(windows, logits, strict=True):
            number = window.example
            best = self._best(examples[number].context, window, logits_T2.float())
            nothing[number] = min(nothing[number], float(logits_T2[0].sum()))
            before = found[number]
            if before is None or best[0] > before[0]:
                found[number] = best
        made = []
        for score, kept in zip(nothing, found, strict=True):
            assert kept is not None  # every question has a window
            is_none = self._shape.may_be_unanswered and score > kept[0]
            made.append(AnswerPrediction("", 0, 0, 1 - kept[1].probability) if is_none else kept[1])
        return made

    @staticmethod
    def _best(context: str, window: Window, logits_T2: torch.Tensor) -> tuple[float, AnswerPrediction]:
        """The likeliest span of a window and the sum of its two logits."""
        first, last = window.second, len(window.ids) - 1  # behind the text stands a mark
        sums_IJ = logits_T2[first:last, 0, None] + logits_T2[None, first:last, 1]
        size = last - first
        allowed_IJ = torch.ones(size, size, dtype=torch.bool).triu().tril(_LONGEST_ANSWER - 1)
        place = int(sums_IJ.masked_fill(~allowed_IJ, float("-inf")).argmax())
        begin, end = divmod(place, size)
        offsets = [(one, other) for one, other in window.offsets[first + begin : last].tolist()]
        tags = ["B-answer", *["I-answer"] * (end - begin), *["O"] * (len(offsets) - 1 - end + begin)]
        spans = spans_of(context, offsets, tags)
        shares_T2 = logits_T2.softmax(dim=0)
        probability = float(shares_T2[first + begin, 0] * shares_T2[first + end, 1])
        where = (spans[0].begin, spans[0].end) if spans else (0, 0)
        prediction = AnswerPrediction(context[slice(*where)], *where, probability)
        return float(sums_IJ[begin, end]), prediction

    def scores(self, examples: Sequence[Question], predictions: Sequence[AnswerPrediction]) -> dict[str, float | None]:
        found = self._scored(examples, predictions, 1)
        return {"exact_match": found.exact_match.value, "answer_f1": found.f1.value}

    def intervals(self, examples: Sequence[Question], predictions: Sequence[AnswerPrediction]) -> dict[str, Interval]:
        found = self._scored(examples, predictions, 1000)
        return {"exact_match": found.exact_match, "answer_f1": found.f1}

    def by_class(self, examples: Sequence[Question], predictions: Sequence[AnswerPrediction]) -> dict[str, ClassScores]:
        return {}

    @staticmethod
    def _scored(
        examples: Sequence[Question], predictions: Sequence[AnswerPrediction], num_resamples: int
    ) -> AnswerScores:
        """By the rules for Korean where most questions have Hangul, else by those for English."""
        korean = sum(_HANGUL.search(each.text) is not None for each in examples)
        language: AnswerLanguage = "ko" if 2 * korean > len(examples) else "en"
        given, right = [each.answer for each in predictions], [each.answer_texts for each in examples]
        return score_answers(given, right, language=language, num_resamples=num_resamples)

    def sample(self, example: Question, prediction: AnswerPrediction) -> dict[str, str]:
        return {"prompt": example.text, "text": str(prediction), "reference": " / ".join(example.answer_texts) or "—"}
