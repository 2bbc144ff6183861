"""Prompts in, text out; or sources in, targets out.

What enters: a model, its tokenizer and texts, which a decoder by itself goes on from and an encoder and decoder reads
as its sources. What leaves: ids step by step, whole texts, or a stream of text whose pieces never split a character.
Texts are made of whole characters only, whatever bytes the model would put together (see
:mod:`textpipe.generation.whole_characters`); ids by themselves are as the model chooses. A prompt begins as a document
begins in training, after eos, so the empty prompt is one too. Writing stops at eos, at ``max_tokens`` or before a
string of ``stop``. With a :class:`BeamConfig` the likeliest texts are searched for instead of drawn.

Each step reads one token: what was read before is kept. Prompts of mixed length stand in one batch, padded at the left
with positions nothing attends to.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from textpipe.data.permutation import derive_key
from textpipe.errors import InputError
from textpipe.generation.beam import BeamConfig, Hypothesis, beam_search
from textpipe.generation.sampling import SamplingConfig, choose
from textpipe.generation.shown_characters import in_shown_characters
from textpipe.generation.stop_strings import StopStrings
from textpipe.generation.whole_characters import WholeCharacters
from textpipe.generation.writing import PromptWriting, SourceWriting, Writing
from textpipe.nn.shapes import GptConfig

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from textpipe.nn.gpt import GPT
    from textpipe.tokenizer import Tokenizer
    from textpipe.tokenizer.special_text import SpecialPolicy

__all__ = ["TextWriter", "check_prompts", "generate", "generate_ids", "sample_ids", "stream"]

Settings = TypeVar("Settings", SamplingConfig, BeamConfig)


def generate_ids(
    model: GPT,
    prompts: Sequence[Sequence[int]],
    config: SamplingConfig,
    *,
    eos_id: int,
    only: WholeCharacters | None = None,
) -> Iterator[list[int | None]]:
    """Yield the next id of every sequence, step by step; None for a sequence that has ended.

    Parameters
    ----------
    prompts : ids to go on from, each at least one and no more than the model's context.
    eos_id : ends a sequence; it is not yielded.
    only : keeps each sequence UTF-8, taking its prompt to end between characters.

    Raises
    ------
    InputError
        when a prompt is empty, too long, or has an id the model does not know.
    """
    _check_ids(model.config, prompts)
    yield from sample_ids(PromptWriting(model, prompts, filler=eos_id), prompts, config, ends=[eos_id], only=only)


@torch.inference_mode()
def sample_ids(
    writing: Writing,
    before: Sequence[Sequence[int]],
    config: SamplingConfig,
    *,
    ends: Collection[int],
    at_limit: Sequence[int] = (),
    only: WholeCharacters | None = None,
    numbers: Sequence[int] | None = None,
    never: Sequence[int] = (),
) -> Iterator[list[int | None]]:
    """Draw the next id of every row of a writing, step by step.

    As :func:`generate_ids`; any id of ``ends`` ends a row, and with ``at_limit`` the last token there is room for does.
    ``before`` are ids that penalties count as written, ``numbers`` which draw each row has of the seed (0, 1, … when
    absent), and ``never`` ids that are not written.
    """
    written = [list(ids) for ids in before]
    generators = [
        torch.Generator().manual_seed(derive_key("sample", config.seed, row) >> 1)
        for row in numbers or range(len(written))
    ]
    running, states = [True] * len(written), [0] * len(written)
    chosen_B: torch.Tensor | None = None
    for _ in range(config.max_tokens - bool(at_limit)):
        logits_BV = writing.first() if chosen_B is None else writing.next(None, chosen_B)
        if never:
            logits_BV[:, list(never)] = -math.inf
        if only is not None:
            only.block_(logits_BV, states)
        chosen_B = choose(logits_BV, config, generators, written)
        ids: list[int] = chosen_B.tolist()
        for row, found in zip(written, ids, strict=True):
            row.append(found)
        if only is not None:
            states = [only.after(state, found) for state, found in zip(states, ids, strict=True)]
        running = [was and found not in ends for was, found in zip(running, ids, strict=True)]
        if not any(running):
            return
        yield [found if still else None for still, found in zip(running, ids, strict=True)]


def _check_ids(model: Any, texts: Sequence[Sequence[int]]) -> None:
    kind, entries = "prompt", model.vocab_size
    if not isinstance(model, GptConfig):
        kind, entries = "source", model.source_vocab_size or model.vocab_size
    if not texts:
        raise InputError(f"no {kind} given")
    for number, ids in enumerate(texts):
        if not ids:
            raise InputError(f"{kind} {number} is empty", hint="begin it with the id of eos")
        if len(ids) > model.context:
            raise InputError(
                f"{kind} {number} has {len(ids)} tokens",
                allowed=f"{model.context}, the model's context",
                hint="shorten it",
            )
        if not 0 <= min(ids) <= max(ids) < entries:
            wrong = next(found for found in ids if not 0 <= found < entries)
            raise InputError(f"{kind} {number} has the id {wrong}", allowed=f"0 … {entries - 1}")


def check_prompts(tokenizer: Tokenizer, prompts: Sequence[str], model: GptConfig, *, eos_id: int) -> None:
    """Refuse what a model of this shape could not go on from, before there is one.

    Raises
    ------
    InputError
        when a prompt is longer than the model's context.
    """
    _check_ids(model, [[eos_id, *tokenizer.encode(prompt, add_special_tokens=False).ids] for prompt in prompts])


class TextWriter:
    """A model that writes texts: its tokenizers, and what stands around texts.

    Parameters
    ----------
    model : a GPT, which goes on from prompts; or a Transformer or recurrent model, whose prompts are sources.
    tokenizer : of prompts and of what is written.
    eos_id : ends what is written, as do those of ``ends``.
    before : ids a prompt begins with; eos when absent. Of an encoder and decoder: the id a target is read from, and
        those it then begins with whatever is likely.
    before_source, after_source : ids a source begins and ends with; nothing and eos when absent.
    source_tokenizer : of the sources, when they have a vocabulary of their own.
    never : ids that are not written.
    at_limit : where there are some, the last token that ``max_tokens`` leaves room for is one of them.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        *,
        eos_id: int,
        ends: Collection[int] = (),
        at_limit: Sequence[int] = (),
        before: Sequence[int] | None = None,
        before_source: Sequence[int] = (),
        after_source: Sequence[int] | None = None,
        source_tokenizer: Tokenizer | None = None,
        never: Sequence[int] = (),
    ) -> None:
        self.model, self.tokenizer, self.eos_id = model, tokenizer, eos_id
        self._is_decoder = isinstance(model.config, GptConfig)
        self._before = [eos_id] if before is None else list(before)
        self._before_source = list(before_source)
        self._after_source = [eos_id] if after_source is None else list(after_source)
        self._encoder = source_tokenizer or tokenizer
        self._ends, self._at_limit, self._never = {eos_id, *ends}, tuple(at_limit), tuple(never)
        self._only: WholeCharacters | None = None

    def check(self, prompts: Sequence[str], *, cut: bool = False) -> list[list[int]]:
        """The ids the model reads of each prompt; with ``cut``, of a source that is too long the first that fit.

        Raises
        ------
        InputError
            when there is none, or one is longer than the model's context.
        """
        rows = self.rows(prompts)
        if cut and not self._is_decoder:
            room = self.model.config.context
            inner = room - len(self._after_source)
            rows = [row if len(row) <= room else [*row[:inner], *self._after_source] for row in rows]
        _check_ids(self.model.config, rows)
        return rows

    def rows(self, prompts: Sequence[str], *, special: SpecialPolicy | None = None) -> list[list[int]]:
        """The same ids, however many; ``special`` says what becomes of special tokens that stand in a prompt."""
        encodings = self._encoder.encode_batch(list(prompts), add_special_tokens=False, special=special)
        inner = [encoding.ids for encoding in encodings]
        if self._is_decoder:
            return [[*self._before, *ids] or [self.eos_id] for ids in inner]
        return [[*self._before_source, *ids, *self._after_source] for ids in inner]

    def row_of_turns(self, turns: Sequence[str]) -> list[int]:
        """The ids of a source of several texts, each ended as the last one is; none of them holds a special token."""
        encodings = self._encoder.encode_batch(list(turns), add_special_tokens=False, special="text")
        return [*self._before_source, *(one for found in encodings for one in [*found.ids, *self._after_source])]

    def generate(
        self, prompts: Sequence[str], config: SamplingConfig | BeamConfig | None = None, *, batch_size: int = 32
    ) -> list[str]:
        """Continue each prompt, or write the target of each source; the texts do not include the prompts.

        Prompts of like length are written together, ``batch_size`` at a time.
        """
        rows, config = self.check(prompts), config or SamplingConfig()
        order = sorted(range(len(rows)), key=lambda number: len(rows[number]))
        written = [""] * len(rows)
        for start in range(0, len(order), batch_size):
            numbers = order[start : start + batch_size]
            batch = [rows[number] for number in numbers]
            if isinstance(config, BeamConfig):
                texts = [text for text, _ in self._searched(batch, config)]
            else:
                texts = ["".join(pieces) for pieces in zip(*self._pieces(batch, config, numbers), strict=True)]
            for number, text in zip(numbers, texts, strict=True):
                written[number] = text
        return written

    def search(
        self, prompts: Sequence[str], config: BeamConfig, *, batch_size: int = 32, cut: bool = False
    ) -> list[tuple[str, Hypothesis]]:
        """The likeliest text of each prompt or source, as :meth:`generate` finds it, with its ids and score."""
        rows = self.check(prompts, cut=cut)
        order = sorted(range(len(rows)), key=lambda number: len(rows[number]))
        found: dict[int, tuple[str, Hypothesis]] = {}
        for start in range(0, len(order), batch_size):
            numbers = order[start : start + batch_size]
            found |= zip(numbers, self._searched([rows[number] for number in numbers], config), strict=True)
        return [found[number] for number in range(len(rows))]

    @property
    def begin(self) -> int:
        """The id that what is written is read from."""
        return self._before[-1 if self._is_decoder else 0]

    def stream(self, prompt: str, config: SamplingConfig | None = None) -> Iterator[str]:
        """Continue one prompt, piece by piece as it is written; no piece ends inside a character as readers see them.

        The pieces joined are what :meth:`generate` gives.
        """
        pieces = self._pieces(self.check([prompt]), config or SamplingConfig(), [0])
        yield from in_shown_characters(piece for (piece,) in pieces)

    def stream_ids(
        self, ids: Sequence[int], config: SamplingConfig | None = None, *, ends: Collection[int] = ()
    ) -> Iterator[str]:
        """Write what follows ids, or the target of a source's ids, piece by piece; tokens of ``ends`` end it too."""
        _check_ids(self.model.config, [ids])
        pieces = self._pieces([list(ids)], config or SamplingConfig(), [0], ends=ends)
        yield from in_shown_characters(piece for (piece,) in pieces)

    def _pieces(
        self, rows: list[list[int]], config: SamplingConfig, numbers: list[int], *, ends: Collection[int] = ()
    ) -> Iterator[list[str]]:
        """The text each step adds to each row; bytes of a character that max_tokens leaves unfinished are dropped."""
        from textpipe.decoders import DecodeStream

        decoders = [DecodeStream(skip_special_tokens=True) for _ in rows]
        watches = [StopStrings(config.stop) for _ in rows]
        self._only = self._only or WholeCharacters(self.tokenizer)
        writing, begun = self._begun(rows)
        steps = sample_ids(
            writing,
            begun,
            self._within(config),
            ends=self._ends.union(ends),
            at_limit=self._at_limit,
            only=self._only,
            numbers=numbers,
            never=self._never,
        )
        for step in steps:
            yield [
                watch.feed("" if found is None else decoder.step(self.tokenizer, found) or "")
                for decoder, watch, found in zip(decoders, watches, step, strict=True)
            ]
            if config.stop and all(watch.has_stopped for watch in watches):
                return
        yield [watch.finish() for watch in watches]

    def _searched(self, rows: list[list[int]], config: BeamConfig) -> list[tuple[str, Hypothesis]]:
        writing, begun = self._begun(rows)
        self._only = self._only or WholeCharacters(self.tokenizer)
        texts = []
        found = beam_search(
            writing,
            self._within(config),
            ends=self._ends,
            at_limit=self._at_limit,
            before=begun,
            never=self._never,
            only=self._only,
        )
        for best, *_ in found:
            watch = StopStrings(config.stop)
            shown = watch.feed(self.tokenizer.decode(self._only.whole(best.ids)))
            texts.append((shown + watch.finish(), best))
        return texts

    def _begun(self, rows: list[list[int]]) -> tuple[Writing, list[list[int]]]:
        """The writing, and the ids its rows begin with."""
        if self._is_decoder:
            return PromptWriting(self.model, rows, filler=self.eos_id), rows
        begin, *forced = self._before
        with torch.inference_mode():
            return SourceWriting.of(self.model, rows, begin=begin, forced=forced), [[begin]] * len(rows)

    def _within(self, config: Settings) -> Settings:
        """The same settings with no more tokens than an encoder and decoder has positions for."""
        context = self.model.config.context
        if self._is_decoder or config.max_tokens <= context:
            return config
        return config.replaced(max_tokens=context)


def generate(
    model: Any,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    config: SamplingConfig | BeamConfig | None = None,
    *,
    eos_id: int,
) -> list[str]:
    """Continue each prompt (see :class:`TextWriter`).

    Examples
    --------
    >>> model, tokenizer, facts = load_model("run")  # doctest: +SKIP
    >>> generate(model, tokenizer, ["옛날에"], eos_id=facts["eos_id"])  # doctest: +SKIP
    [' 작은 마을에 …']
    """
    return TextWriter(model, tokenizer, eos_id=eos_id).generate(prompts, config)


def stream(
    model: Any, tokenizer: Tokenizer, prompt: str, config: SamplingConfig | None = None, *, eos_id: int
) -> Iterator[str]:
    """Continue one prompt, piece by piece as it is written (see :class:`TextWriter`)."""
    return TextWriter(model, tokenizer, eos_id=eos_id).stream(prompt, config)
