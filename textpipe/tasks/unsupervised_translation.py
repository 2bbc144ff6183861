"""Unsupervised translation: two languages learn to be each other's, from two corpora that nobody has aligned.

What enters: sentences of two languages in one vocabulary. What leaves: batches of sentences with noise, and the summed
loss of two things that one model does with them (Lample et al. 2018):

* denoising: a sentence with tokens left out, hidden and moved is written as it was, in its own language;
* back-translation: a sentence is translated by the model as it now is, the likeliest token at each step, and then
  written again from that translation. The translation is a fact of the step, not a path of its gradient.

Translations are a function of the weights and the batch, so a run resumes as exactly as any other. ``val_round_trip``
says how many tokens come back, in their places, from a translation there and back; it is what checkpoints are compared
by where no pair is known, and it cannot tell a right lexicon from a wrong one that is one-to-one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from textpipe.data.noise import Noise
from textpipe.data.pair_plans import PairPlan
from textpipe.data.pairs import PairBatch, pair_batch
from textpipe.data.permutation import derive_key
from textpipe.data.word_vectors import SELF_LEARNING, word_vectors
from textpipe.generation.translation import likeliest_ids
from textpipe.nn.architectures import new_model
from textpipe.nn.bilingual import Bilingual
from textpipe.nn.losses import linear_cross_entropy
from textpipe.tasks.base import require_alike

if TYPE_CHECKING:
    from textpipe.data.two_corpora import TwoCorpora
    from textpipe.nn.shapes import BilingualConfig
    from textpipe.training.run_config import TrainConfig

__all__ = ["LanguageBatch", "LanguagePart", "UnsupervisedTranslation"]

_NUM_SAMPLES = 2  # of each direction
_ROUND_TRIPS = 256  # sentences of each language that a look translates there and back
_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class LanguagePart:
    """Sentences of one language as they are, and with noise."""

    language: int
    clean: PairBatch
    noisy: PairBatch

    def rows(self, start: int, end: int) -> LanguagePart:
        """The sentences from ``start`` up to ``end``."""
        return LanguagePart(self.language, self.clean.rows(start, end), self.noisy.rows(start, end))


@dataclass(frozen=True, slots=True, eq=False)
class LanguageBatch:
    """What a step reads: sentences of both languages, and what each of the two losses weighs."""

    parts: tuple[LanguagePart, ...]
    denoising: float
    translating: float

    @property
    def samples(self) -> tuple[int, ...]:
        """Numbers of the sentences, each in its own corpus."""
        return tuple(number for part in self.parts for number in part.clean.samples)

    @property
    def num_targets(self) -> int:
        """Tokens of the sentences, which both losses are to write."""
        return sum(part.clean.num_targets for part in self.parts)

    def split(self, size: int) -> Iterator[LanguageBatch]:
        """The same sentences, ``size`` at a time, the languages one after the other."""
        if size >= len(self.samples):
            yield self
            return
        pieces: list[LanguagePart] = []
        room = size
        for part in self.parts:
            start, end = 0, len(part.clean.samples)
            while start < end:
                taken = min(room, end - start)
                pieces.append(part.rows(start, start + taken))
                start, room = start + taken, room - taken
                if not room:
                    yield replace(self, parts=tuple(pieces))
                    pieces, room = [], size
        if pieces:
            yield replace(self, parts=tuple(pieces))

    def to(self, device: torch.device | str) -> LanguageBatch:
        """The same batch on another device."""
        moved = (LanguagePart(part.language, part.clean.to(device), part.noisy.to(device)) for part in self.parts)
        return replace(self, parts=tuple(moved))


class UnsupervisedTranslation:
    """The task of a :class:`~textpipe.nn.bilingual.Bilingual` on two corpora.

    Raises
    ------
    ConfigError
        when the model is of other languages or another vocabulary than the corpora.
    """

    def __init__(self, model: BilingualConfig, data: TwoCorpora, config: TrainConfig) -> None:
        from textpipe.tokenizer import Tokenizer

        require_alike(model, data, "vocab_size", "languages")
        self.model, self.data, self.config = model, data, config
        self.tokenizer = Tokenizer.from_file(str(data.tokenizer_path))
        self.noise = Noise(config.word_drop, config.word_blank, config.word_shuffle)
        self._train, self._val = (
            [
                PairPlan(
                    split,
                    batch_tokens=config.batch_tokens,
                    context=model.context,
                    seed=derive_key("language", config.seed, number),
                    begin=data.eos_id,
                )
                for number, split in enumerate(splits)
            ]
            for splits in (data.train, data.val)
        )

    @property
    def tokenizer_files(self) -> dict[str, bytes]:
        return {"tokenizer.json": self.data.tokenizer_path.read_bytes()}

    def new_model(self, seed: int) -> Bilingual:
        model = new_model(self.model, seed=seed)
        assert isinstance(model, Bilingual)
        counts_LV = self.data.counts_LV()
        model.words_LV.copy_(torch.from_numpy(counts_LV > 0))
        if self.config.initial_vectors != "random":
            rounds = SELF_LEARNING if self.config.initial_vectors == "self-learned" else 0
            vectors_VD = torch.from_numpy(word_vectors(self.data, self.model.width, seed=seed, rounds=rounds))
            known_V1 = vectors_VD.abs().sum(dim=1, keepdim=True) > 0
            with torch.no_grad():
                model.embedding.weight.copy_(torch.where(known_V1, vectors_VD, model.embedding.weight))
        return model

    def batch(self, step: int) -> LanguageBatch:
        parts = tuple(
            self._part(language, plan.batch(step), "noise", self.config.seed, step)
            for language, plan in enumerate(self._train)
        )
        done = step / max(1, self.config.steps - 1)
        denoising = 1.0 + (self.config.denoising_floor - 1.0) * done
        return LanguageBatch(parts, denoising, float(step >= self.config.back_translation_after))

    def _part(self, language: int, clean: PairBatch, *key: int | str) -> LanguagePart:
        """Sentences with the noise that belongs to the key."""
        generator = np.random.default_rng(derive_key(*key, language))
        eos_id, noisy, targets = self.data.eos_id, [], []
        for ids_S, length in zip(clean.source_BS, clean.lengths_B.tolist(), strict=True):
            ids = ids_S[:length].numpy()
            targets.append(ids)
            # what hides a token is eos, which stands nowhere else but at the end
            noisy.append(np.append(self.noise.of(ids[:-1], eos_id, generator), eos_id))
        return LanguagePart(language, clean, pair_batch(noisy, targets, begin=eos_id, samples=clean.samples))

    def loss(self, model: Any, batch: LanguageBatch) -> tuple[torch.Tensor, torch.Tensor]:
        sums, counts = [], []
        for part in batch.parts:
            weight = batch.denoising + batch.translating
            total, count = self._written_again(model, part.language, part.language, part.noisy)
            total = total * (batch.denoising / weight)
            if batch.translating:
                other = 1 - part.language
                back, _ = self._written_again(model, other, part.language, self.translated(model, part))
                total = total + back * (batch.translating / weight)
            sums.append(total)
            counts.append(count)
        return torch.stack(sums).sum(), torch.stack(counts).sum()

    @staticmethod
    def _written_again(model: Any, source: int, target: int, pairs: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        x_BTD = model.facing(source, target)(pairs.source_BS, pairs.lengths_B, pairs.read_BT)
        return linear_cross_entropy(
            x_BTD.flatten(0, 1), model.head_weight, pairs.targets_BT.flatten(), bias_V=model.head_bias
        )

    def translated(self, model: Any, part: LanguagePart) -> PairBatch:
        """The same sentences, to be written from what the model now translates them to."""
        clean, was_training = part.clean, model.training
        model.eval()
        written = self._translate(model, clean.source_BS, clean.lengths_B, part.language, 1 - part.language)
        model.train(was_training)
        device = clean.source_BS.device
        lengths_B = torch.tensor([len(ids) for ids in written], device=device)
        source_BS = torch.zeros(len(written), int(lengths_B.max()), dtype=torch.long, device=device)
        for row, ids in enumerate(written):
            source_BS[row, : len(ids)] = torch.tensor(ids, device=device)
        return replace(clean, source_BS=source_BS, lengths_B=lengths_B)

    def _translate(
        self, model: Any, source_BS: torch.Tensor, lengths_B: torch.Tensor, source: int, target: int
    ) -> list[list[int]]:
        """The likeliest translations, with eos; at most half as long again as the longest source, and ten tokens."""
        most = min(self.model.context - 1, source_BS.shape[1] * 3 // 2 + 10)
        found = likeliest_ids(
            model.facing(source, target), source_BS, lengths_B, eos_id=self.data.eos_id, max_tokens=most
        )
        return [[*ids, self.data.eos_id] for ids in found]

    @torch.no_grad()
    def validate(self, model: Any, dtype: torch.dtype) -> dict[str, float | None]:
        device, nats, done, came_back, sent = model.head_weight.device, 0.0, 0, 0, 0
        for language, plan in enumerate(self._val):
            for number, clean in enumerate(plan.consecutive()):
                part = self._part(language, clean, "validation noise", number)
                with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
                    total, count = self._written_again(model, language, language, part.noisy.to(device))
                    nats, done = nats + total.item(), done + int(count)
            for clean in self._sent_there_and_back(language).to(device).split(_AT_ONCE):
                with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
                    same, all_ = self._round_trip(model, language, clean)
                came_back, sent = came_back + same, sent + all_
        return {"val_loss": nats / done, "val_round_trip": came_back / sent}

    def _sent_there_and_back(self, language: int) -> PairBatch:
        """Held-out sentences, evenly spread over the split, none longer than the model reads."""
        split = self.data.val[language]
        short = np.flatnonzero(split.lengths() <= self.model.context)
        chosen = np.linspace(0, len(short) - 1, min(len(short), _ROUND_TRIPS)).astype(np.int64)
        return split.batch(short[chosen], begin=self.data.eos_id)

    def _round_trip(self, model: Any, language: int, clean: PairBatch) -> tuple[int, int]:
        """Tokens that came back in their places, and how many were sent."""
        there = self.translated(model, LanguagePart(language, clean, clean))
        back = self._translate(model, there.source_BS, there.lengths_B, 1 - language, language)
        sent = [ids[:length] for ids, length in zip(clean.source_BS.tolist(), clean.lengths_B.tolist(), strict=True)]
        both = (zip(ids, found, strict=False) for ids, found in zip(sent, back, strict=True))
        same = sum(one == other for tokens in both for one, other in tokens)
        return same, sum(map(len, sent))

    def baseline(self) -> dict[str, float | None]:
        counts = self.data.counts_LV().sum(axis=0)
        shares = counts[counts > 0] / counts.sum()
        too_long = sum(plan.num_too_long for plan in self._train)
        left_out = {"sentences_left_out": float(too_long)} if too_long else {}
        return {"unigram_entropy": -float((shares * np.log(shares)).sum()), **left_out}

    def samples(self, model: Any) -> list[dict[str, str]]:
        """The first held-out sentences of each language and their translations."""
        found = []
        for language, split in enumerate(self.data.val):
            numbers = np.arange(min(_NUM_SAMPLES, split.num_pairs))
            clean = split.batch(numbers, begin=self.data.eos_id).to(model.head_weight.device)
            most = self.model.context
            source_BS, lengths_B = clean.source_BS[:, :most], clean.lengths_B.clamp(max=most)
            written = self._translate(model, source_BS, lengths_B, language, 1 - language)
            for ids, length, translation in zip(source_BS.tolist(), lengths_B.tolist(), written, strict=True):
                read, wrote = ids[: length - 1], translation[:-1]
                found.append({"prompt": self.tokenizer.decode(read), "text": self.tokenizer.decode(wrote)})
        return found
