"""The stages of a tokenizer put together.

What enters: a normalizer, a pre-tokenizer, a model, added tokens and a post-processor. What leaves: for a text, its
tokens with their places; for many texts, flat ids. Promises: one native pass when every stage has a native step, else
the stages one by one, exact but slower; both give the same tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from textpipe.core import _text
from textpipe.core._encoder import NativeEncoder
from textpipe.core._native import NativeModel, NativeStep
from textpipe.core._unigram import NativeSentenceModel
from textpipe.core._word_piece import NativeBertWords, bert_stretches
from textpipe.encoding import Encoding
from textpipe.errors import LimitError, StateError
from textpipe.limits import DEFAULT_LIMITS
from textpipe.models import Model
from textpipe.models.added_tokens import AddedVocabulary
from textpipe.models.base import Lots
from textpipe.normalizers import AlignedText, BertNormalizer, Normalizer, SentencePiece
from textpipe.pre_tokenizers import BertPreTokenizer, NativeCut, PreTokenizer
from textpipe.processors import PostProcessor
from textpipe.processors.base import join
from textpipe.tokenizer.staged import encoding_of, speller
from textpipe.tokenizer.text_columns import IdColumns, Spans, columns_of_texts, columns_of_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from textpipe.tokenizer.text_columns import Rows
    from textpipe.trainers import WordCutter

__all__ = ["CACHE_BYTES", "Pipeline"]

CACHE_BYTES = 48 << 20  # for the words one thread remembers
PART_CHARS = 1 << 16  # of a long text, for one thread at a time

_Rule = tuple[str, int, bool, bool, bool, bool]
_NO_LOTS = Lots(0, by_number=False)


@dataclass(frozen=True)
class Pipeline:
    """One state of a tokenizer's stages; a change of any of them makes a new one."""

    model: Model
    added: AddedVocabulary
    normalizer: Normalizer | None = None
    pre_tokenizer: PreTokenizer | None = None
    post_processor: PostProcessor | None = None

    def settings(self) -> tuple[Any, ...]:
        """All that the stages are set to, to tell whether one was changed since."""
        stages = (self.normalizer, self.pre_tokenizer, self.model, self.post_processor)
        return tuple(None if stage is None else stage.settings() for stage in stages)

    @cached_property
    def native(self) -> NativeEncoder | None:
        """All stages as one native program, or None when one of them has no native step."""
        cut = NativeCut() if self.pre_tokenizer is None else self.pre_tokenizer.native_cut()
        model = None if cut is None else self.model.native(byte_level=cut.byte_level)
        steps = () if self.kept.normalizer is None else self.kept.normalizer.native_steps()
        frame = ([], []) if self.post_processor is None else self.post_processor.native_frame()
        if steps is None or cut is None or frame is None or model is None:
            return None
        return self.kept._program(model, steps, cut, frame)

    @property
    def spells_bytes(self) -> bool:
        """Whether words come to the model as bytes in the printable alphabet."""
        cutter = self.kept.pre_tokenizer
        cut = None if cutter is None else cutter.native_cut()
        return cut is not None and cut.byte_level

    @cached_property
    def kept(self) -> Pipeline:
        """The same of copies of its stages, whose settings nobody changes: for what is read of an encoding later."""
        return Pipeline(
            self.model.copy(),
            self.added,
            None if self.normalizer is None else self.normalizer.copy(),
            None if self.pre_tokenizer is None else self.pre_tokenizer.copy(),
            self.post_processor,
        )

    @cached_property
    def untrusted(self) -> Pipeline:
        """The same for text nobody vouches for, no word of which becomes a special token; itself where none could."""
        model = self.model.without(self.added.special_ids)
        return self if model is self.model else replace(self, model=model)

    @cached_property
    def native_ids(self) -> NativeEncoder | None:
        """The program for ids: the same, but where words can be remembered as they are in raw text."""
        if self.native is None or self._rules[1]:
            return self.native
        frame = ([], []) if self.post_processor is None else self.post_processor.native_frame()
        raw = self._raw_model()
        return self.native if frame is None or raw is None else self._program(raw[0], (), raw[1], frame)

    @property
    def native_spans(self) -> NativeEncoder | None:
        """The program for places: that for ids, where its model finds places in raw text."""
        return self.native_ids if self.native_ids is not None and self.native_ids.has_places else self.native

    def _raw_model(self) -> tuple[NativeModel, NativeCut] | None:
        """A native model of raw text and what cuts it, of stages that can be made one."""
        if isinstance(self.normalizer, SentencePiece) and self.pre_tokenizer is None:
            model = self.model.native(byte_level=False)
            if not isinstance(model, NativeSentenceModel):  # as where spellings are drawn by chance
                return None
            return self.normalizer.before(model, CACHE_BYTES), NativeCut()
        if isinstance(self.normalizer, BertNormalizer) and isinstance(self.pre_tokenizer, BertPreTokenizer):
            options = self.normalizer.options()
            model = self.model.native(byte_level=False)
            cut = NativeCut((bert_stretches(options["clean_text"]),))
            return None if model is None else (NativeBertWords(model, **options), cut)
        return None

    def _program(
        self, model: NativeModel, steps: tuple[NativeStep, ...], cut: NativeCut, frame: tuple[list[int], list[int]]
    ) -> NativeEncoder:
        raw, normalized = self._rules
        return NativeEncoder(
            model,
            normalization=steps,
            cutting=cut.steps,
            byte_level=cut.byte_level,
            raw=raw,
            normalized=normalized,
            before=frame[0],
            after=frame[1],
            max_id=max(self.max_id, 0),  # an empty vocabulary has none
            cache_bytes=CACHE_BYTES,
            part_chars=PART_CHARS,
        )

    @property
    def max_id(self) -> int:
        """The largest id that can come out."""
        template = -1 if self.post_processor is None else self.post_processor.max_id
        return max(self.model.max_id, max(self.added.by_id, default=-1), template)

    @cached_property
    def _rules(self) -> tuple[list[_Rule], list[_Rule]]:
        raw: list[_Rule] = []
        normalized: list[_Rule] = []
        for content, number, token in self.added.rules(self.model):
            flags = (token.single_word, token.lstrip, token.rstrip, token.special)
            if token.normalized:
                text = content if self.normalizer is None else self.normalizer.normalize_str(content)
                normalized.append((text, number, *flags))
            else:
                raw.append((content, number, *flags))
        return raw, normalized

    @cached_property
    def normalized_tokens(self) -> dict[int, str]:
        """What added tokens that are looked for in normalized text read as there; decoding gives this text."""
        return {number: text for text, number, *_ in self._rules[1]}

    @cached_property
    def _matchers(self) -> tuple[_text.AddedMatcher, _text.AddedMatcher]:
        raw, normalized = self._rules
        return _text.AddedMatcher(raw), _text.AddedMatcher(normalized)

    def encode(
        self, texts: Sequence[str], *, skip_special: bool, threads: int = 1, ids_alone: bool = False
    ) -> list[Encoding]:
        """The tokens of each text, without the template; with ``ids_alone`` nothing is known of them but their ids."""
        lots = self.model.lots()
        program = self.native_spans
        if program is None:
            staged = self.encode_staged(texts, skip_special=skip_special, lots=lots)
            return [_ids_alone(encoding) for encoding in staged] if ids_alone else staged
        if ids_alone:
            ids, offsets = self._flat_ids(texts, skip_special=skip_special, threads=threads, lots=lots)
            # Each row is copied: one that is kept does not keep those of all texts.
            rows = (ids[begin:end].copy() for begin, end in pairwise(offsets.tolist()))
            return [Encoding.of_columns(IdColumns(row)) for row in rows]
        found = self._rows(program, texts, skip_special=skip_special, threads=threads, lots=lots)
        columns = columns_of_texts(self, texts, found, skip_special=skip_special, lots=lots)
        return list(map(Encoding.of_columns, columns))

    def encode_words(self, words: Sequence[str], *, skip_special: bool, ids_alone: bool = False) -> Encoding:
        """The same of one text that was cut into words beforehand; a token's place is that in its word."""
        lots = self.model.lots(words)
        program = self.native_spans
        if program is None:
            staged = self.encode_words_staged(words, skip_special=skip_special, lots=lots)
            return _ids_alone(staged) if ids_alone else staged
        if ids_alone:
            ids, _ = self._flat_ids(words, skip_special=skip_special, threads=1, lots=lots)
            return Encoding.of_columns(IdColumns(ids))
        found = self._rows(program, words, skip_special=skip_special, threads=1, lots=lots)
        return Encoding.of_columns(columns_of_words(self, words, found, skip_special=skip_special, lots=lots))

    def _flat_ids(
        self, texts: Sequence[str], *, skip_special: bool, threads: int, lots: Lots | None
    ) -> tuple[Any, NDArray[np.int64]]:
        _check_lengths(texts)
        program = self.native_ids
        assert program is not None  # as `native` is
        return program.encode_batch(
            texts, threads=threads, skip_special=skip_special, add_special=False, lots=lots or _NO_LOTS
        )

    @staticmethod
    def _rows(
        program: NativeEncoder, texts: Sequence[str], *, skip_special: bool, threads: int, lots: Lots | None
    ) -> Rows:
        _check_lengths(texts)
        return program.encode_batch_spans(texts, threads=threads, skip_special=skip_special, lots=lots or _NO_LOTS)

    def spans(self, texts: Sequence[str], *, skip_special: bool, threads: int = 1) -> Spans:
        """The tokens of texts with their places, flat, without the template."""
        lots = self.model.lots()
        program = self.native_spans
        if program is None:
            return Spans.of_encodings(self.encode_staged(texts, skip_special=skip_special, lots=lots))
        rows, offsets, added = self._rows(program, texts, skip_special=skip_special, threads=threads, lots=lots)
        ids, begins, ends, words = rows
        return Spans(ids, begins, ends, words, offsets, added)

    @cached_property
    def pieces(self) -> dict[int, str | None]:
        """The piece of each id; None for that of an added token, which reads as it was found."""
        return {**self.model.pieces, **dict.fromkeys(self.added.by_id)}

    def stages(self, text: str, *, skip_special: bool) -> Iterable[tuple[AlignedText, int | None]]:
        """The words of a text, normalized and cut, and the added tokens between them with their ids."""
        yield from self._stages_of(AlignedText.of(text), skip_special=skip_special)

    def _stages_of(self, text: AlignedText, *, skip_special: bool) -> Iterable[tuple[AlignedText, int | None]]:
        raw, normalized = self._matchers
        for number, begin, end in raw.split(text.text, skip_special):
            part = text.slice(begin, end)
            if number is not None:
                yield part, number
                continue
            if self.normalizer is not None:
                part = self.normalizer.apply(part)
            for inner, inner_begin, inner_end in normalized.split(part.text, skip_special):
                piece = part.slice(inner_begin, inner_end)
                if inner is not None:
                    yield piece, inner
                elif self.pre_tokenizer is None:
                    yield piece, None
                else:
                    yield from ((cut, None) for cut in self.pre_tokenizer.apply(piece))

    def encode_segments(self, segments: Sequence[tuple[str, int | None]]) -> Encoding:
        """The tokens of texts put together: those with an id are that token, in the others no token is special."""
        whole = AlignedText.of("".join([text for text, _ in segments]))
        _check_lengths([whole.text])

        def stages() -> Iterable[tuple[AlignedText, int | None]]:
            begin = 0
            for text, number in segments:
                part = whole.slice(begin, begin + len(text))
                begin += len(text)
                if number is None:
                    yield from self._stages_of(part, skip_special=True)
                else:
                    yield part, number

        return encoding_of(stages(), speller(self.model, whole.text, self.model.lots()))

    def first_special(self, text: str) -> tuple[str, int] | None:
        """The first special token that encoding would find in a text, and the character it begins at."""
        special = self.added.special_ids
        raw, normalized = self._matchers
        whole = AlignedText.of(text)
        for number, begin, end in raw.split(text, False):
            if number in special:
                return self.added.by_id[number].content, begin
            if number is None and any(token.normalized and token.special for token in self.added.by_id.values()):
                part = whole.slice(begin, end)
                part = part if self.normalizer is None else self.normalizer.apply(part)
                for inner, inner_begin, inner_end in normalized.split(part.text, False):
                    if inner in special:
                        return self.added.by_id[inner].content, part.slice(inner_begin, inner_end).offsets[0]
        return None

    def put_together(self, encodings: list[Encoding], add_special_tokens: bool) -> Encoding:
        """One encoding of one text or two, by the post-processor."""
        if self.post_processor is None:
            return join(encodings)
        return self.post_processor.put_together(encodings, add_special_tokens)

    def put_together_each(self, encodings: list[Encoding], add_special_tokens: bool) -> list[Encoding]:
        """The same of each of several texts by itself."""
        if self.post_processor is None:
            return encodings
        return self.post_processor.put_together_each(encodings, add_special_tokens)

    def encode_to_numpy(
        self, texts: Sequence[str], *, threads: int, skip_special: bool, add_special: bool
    ) -> tuple[Any, NDArray[np.int64]]:
        """The ids of many texts, flat, and their offsets."""
        _check_lengths(texts)
        if self.native_ids is not None:
            return self.native_ids.encode_batch(
                texts,
                threads=threads,
                skip_special=skip_special,
                add_special=add_special,
                lots=self.model.lots() or _NO_LOTS,
            )
        rows = [
            self.put_together([encoding], add_special).ids for encoding in self.encode(texts, skip_special=skip_special)
        ]
        return self.flat(rows)

    def flat(self, rows: Sequence[list[int]]) -> tuple[Any, NDArray[np.int64]]:
        """Rows of ids in one array, and their offsets."""
        import numpy as np

        offsets = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        id_type = np.uint16 if self.max_id < 1 << 16 else np.uint32
        return np.array([number for row in rows for number in row], dtype=id_type), offsets

    def words_of(self, text: str) -> list[str]:
        """The normalized words of a text, as the model sees them; each added token is a word of its own."""
        return [piece.text for piece, _ in self.stages(text, skip_special=False) if piece.text]

    def word_cutter(self) -> WordCutter:
        """The same for a trainer, native where the stages are."""
        from textpipe.trainers import WordCutter

        cut = NativeCut() if self.pre_tokenizer is None else self.pre_tokenizer.native_cut()
        steps = () if self.normalizer is None else self.normalizer.native_steps()
        settings = self._word_settings()
        if cut is None or steps is None:
            return WordCutter(split=self.words_of, settings=settings)
        apart = self.added.looked_for(is_normalized=self.normalizer is not None, byte_level=cut.byte_level)
        if apart is None:
            return WordCutter(split=self.words_of, settings=settings)
        split = self.words_of if apart else None
        return WordCutter(cut.steps, cut.byte_level, steps, split=split, apart=apart, settings=settings)

    def _word_settings(self) -> str | None:
        """JSON of all that decides what a word is, or None when a stage of the user's own has no JSON."""
        try:
            stages = {
                "normalizer": None if self.normalizer is None else self.normalizer.to_dict(),
                "pre_tokenizer": None if self.pre_tokenizer is None else self.pre_tokenizer.to_dict(),
                "added_tokens": [token.to_dict(0) for _, token in sorted(self.added.by_id.items())],
            }
        except (NotImplementedError, StateError):
            return None
        return json.dumps(stages, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def encode_staged(self, texts: Sequence[str], *, skip_special: bool, lots: Lots | None = None) -> list[Encoding]:
        """The tokens of each text, stage by stage."""
        _check_lengths(texts)
        return [
            self.encode_text_staged(text, number, skip_special=skip_special, lots=lots)
            for number, text in enumerate(texts)
        ]

    def encode_text_staged(self, text: str, number: int, *, skip_special: bool, lots: Lots | None) -> Encoding:
        """The same of one text, which has a number in its call."""
        return encoding_of(self.stages(text, skip_special=skip_special), speller(self.model, text, lots, number))

    def encode_words_staged(self, words: Sequence[str], *, skip_special: bool, lots: Lots | None) -> Encoding:
        """The same of one text that was cut into words beforehand."""
        encodings = self.encode_staged(words, skip_special=skip_special, lots=lots)
        numbers = [number for number, encoding in enumerate(encodings) for _ in range(len(encoding))]
        return Encoding.merge(encodings, growing_offsets=False).with_columns(word_ids=lambda: numbers)


def _ids_alone(encoding: Encoding) -> Encoding:
    import numpy as np

    return Encoding.of_columns(IdColumns(np.array(encoding.ids, dtype=np.uint32)))


def _check_lengths(texts: Sequence[str]) -> None:
    """Places in a text are 32 bits wide in the native engine; the cap keeps them from running over."""
    cap = DEFAULT_LIMITS.text_bytes
    for number, text in enumerate(texts):
        if isinstance(text, str) and len(text) > cap // 4:  # a character takes four bytes at the most
            raise LimitError(
                f"text {number} has {len(text):,} characters",
                allowed=f"{cap // 4:,}",
                hint="encode it in parts, cut at line ends",
            )
