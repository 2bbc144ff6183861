"""How well a trained model knows texts: nats, perplexity and bits per byte, whatever the model is.

What enters: a run, a checkpoint or a folder of `transformers`, and texts or packed data. What leaves: a score for each.
A decoder predicts every token and the end of every document, an encoder the tokens that are hidden from it (always the
same ones), an encoder and decoder the targets of its sources. Nothing is drawn, so the same model and texts give the
same numbers; those of a run on its own held-out data are those of its log.

Bits per byte can be compared between vocabularies, perplexity and nats a token only within one. A masked model has no
bits per byte: what it is asked is only a share of the text, with both sides to be seen.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from textpipe.data.masking import Marks, Masking
from textpipe.data.packing import PackedData, encode_documents
from textpipe.data.pair_plans import PairPlan, Pairs
from textpipe.data.pairs import Ids, PackedPairs, PairBatch, pair_batch
from textpipe.errors import ConfigError, InputError, StateError
from textpipe.evaluation.bits_per_byte import bits_per_byte
from textpipe.generation.decoding import TextWriter
from textpipe.nn.shapes import BertConfig, EncoderConfig, GptConfig
from textpipe.tasks.base import summed_loss
from textpipe.tasks.masked_language_modelling import masked_language_modelling_loss
from textpipe.tasks.sequence_to_sequence import sequence_to_sequence_loss

if TYPE_CHECKING:
    from textpipe.data.parallel_text import Pair
    from textpipe.data.shards import TokenSplit
    from textpipe.evaluation.translations import Tokenization, TranslationScores
    from textpipe.formats.translation_folders import Languages
    from textpipe.generation.beam import BeamConfig
    from textpipe.records import Document
    from textpipe.tokenizer import Tokenizer

__all__ = ["Evaluator", "TextScore"]

_PAIRS_AT_ONCE = 16384  # encoded and sorted by length together
Predicted = Literal["every token", "hidden tokens", "targets"]


@dataclass(frozen=True, slots=True)
class TextScore:
    """A model on a text: ``nats`` summed over the ``num_predicted`` of its ``num_tokens``, and its size in UTF-8.

    Of pairs, tokens and bytes are those of the targets; ``num_left_out`` pairs were longer than the model reads.
    """

    predicted: Predicted
    nats: float
    num_predicted: int
    num_tokens: int
    text_bytes: int
    num_left_out: int = 0

    @property
    def loss(self) -> float:
        """Nats a predicted token."""
        return self.nats / self.num_predicted

    @property
    def perplexity(self) -> float:
        """exp(loss); depends on the vocabulary."""
        return math.exp(min(self.loss, 700.0))

    @property
    def bits_per_byte(self) -> float | None:
        """Bits a byte of text; None where not all of the text was predicted."""
        if self.predicted == "hidden tokens" or self.num_left_out or not self.text_bytes:
            return None
        return self.nats / math.log(2) / self.text_bytes

    def __add__(self, other: TextScore) -> TextScore:
        """The same model on both texts."""
        ours, theirs = (astuple(each)[1:] for each in (self, other))
        return TextScore(self.predicted, *map(sum, zip(ours, theirs, strict=True)))

    def as_json(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "predicted": self.predicted,
            "bits_per_byte": self.bits_per_byte,
            "perplexity": self.perplexity,
            "loss": self.loss,
            "nats": self.nats,
            "num_predicted": self.num_predicted,
            "num_tokens": self.num_tokens,
            "text_bytes": self.text_bytes,
            "num_left_out": self.num_left_out,
        }


_NOTHING = TextScore("targets", 0.0, 0, 0, 0)


class Evaluator:
    """A trained model that is asked how well it knows texts.

    Parameters
    ----------
    model : one that :func:`~textpipe.training.load_model` gave, as are ``tokenizer`` and ``facts``.
    document_mask : of a gpt or a bert, whether documents are read each by itself; as it was trained when absent.
    batch_size : sequences read at once, or pairs of the longest; it changes speed and memory alone.

    Raises
    ------
    ConfigError
        for an encoder with a head, which predicts labels and no text.

    Examples
    --------
    >>> scored = Evaluator.open("run").documents(iter_documents(["held-out.txt"]))  # doctest: +SKIP
    >>> round(scored.bits_per_byte, 3)  # doctest: +SKIP
    1.831
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        facts: dict[str, Any],
        *,
        document_mask: bool | None = None,
        batch_size: int = 16,
    ) -> None:
        self.model, self.tokenizer, self.facts, self.batch_size = model, tokenizer, facts, batch_size
        self.shape = model.config
        if isinstance(self.shape, EncoderConfig) and not isinstance(self.shape, BertConfig):
            raise ConfigError(
                f"a {facts['architecture']} tells labels and predicts no text", hint="use textpipe predict --score"
            )
        if document_mask is not None and self.is_of_pairs:
            raise ConfigError("a document mask is for a gpt or a bert", where="document_mask", hint="leave it out")
        self.document_mask = facts.get("document_mask", False) if document_mask is None else document_mask

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        best: bool = False,
        average: int = 1,
        device: str = "cpu",
        languages: Languages = (None, None),
        **more: Any,
    ) -> Evaluator:
        """The model of a run, a checkpoint or a folder; see :func:`~textpipe.training.load_model`."""
        from textpipe.training.loading import load_model

        return cls(*load_model(path, best=best, average=average, device=device, languages=languages), **more)

    @property
    def is_of_pairs(self) -> bool:
        """Whether it is asked for targets of sources."""
        return not isinstance(self.shape, GptConfig | BertConfig)

    def documents(self, documents: Iterable[Document], *, progress: Callable[..., None] | None = None) -> TextScore:
        """Score texts, each ended as those of the training were.

        Raises
        ------
        InputError
            when there is none, or nothing in them is to be predicted.

        Notes
        -----
        The ids are kept in a temporary folder: memory does not grow with the texts.
        """
        eos_id = self.facts["eos_id"]
        if eos_id is None:
            raise InputError("nothing ends a text for this model", hint="its folder names no eos_token_id")
        with tempfile.TemporaryDirectory(prefix="textpipe-") as folder:
            eos = self.tokenizer.id_to_token(eos_id) or ""
            split = encode_documents(documents, self.tokenizer, Path(folder) / "ids", eos=eos)
            return self._split(split, progress)

    def packed(
        self,
        path: str | os.PathLike[str],
        *,
        split: Literal["train", "val"] = "val",
        progress: Callable[..., None] | None = None,
    ) -> TextScore:
        """Score a split of what :func:`textpipe.data.pack` or :func:`~textpipe.data.pairs.pack_pairs` made.

        Raises
        ------
        StateError
            when it was packed with another tokenizer.
        """
        if not self.is_of_pairs:
            texts = PackedData(path, verify=True)
            _check_ids(self.tokenizer, texts.tokenizer_path)
            return self._split(getattr(texts, split), progress)
        data = PackedPairs(path, verify=True)
        _check_ids(self.tokenizer, data.tokenizer_path)
        _check_ids(self.facts["borders"].get("source_tokenizer") or self.tokenizer, data.source_tokenizer_path)
        chosen = getattr(data, split)
        return self._pairs(chosen, chosen.target.info.num_tokens, chosen.text_bytes)

    def pairs(self, pairs: Iterable[Pair]) -> TextScore:
        """Score targets of sources, some thousands at once: memory does not grow with their number.

        Raises
        ------
        InputError
            when there is no pair, a text of one is empty, or all are longer than the model reads.
        """
        stream, num_pairs, total = iter(pairs), 0, _NOTHING
        while listed := list(islice(stream, _PAIRS_AT_ONCE)):
            found = _EncodedPairs(listed, num_pairs, self.model, self.tokenizer, self.facts["borders"])
            num_pairs += found.num_pairs
            if found.lengths().min() <= self.shape.context:
                total += self._pairs(found, found.num_target_tokens, found.text_bytes)
            else:
                counts = found.num_target_tokens, found.text_bytes, found.num_pairs
                total += TextScore("targets", 0.0, 0, *counts)
        if not num_pairs:
            raise InputError("there is no pair", hint="name a file that holds pairs of texts")
        if not total.num_predicted:
            raise InputError(f"all {num_pairs} pairs are longer than the {self.shape.context} tokens the model reads")
        return total

    def translations(
        self,
        pairs: Sequence[Pair],
        config: BeamConfig | None = None,
        *,
        tokenization: Tokenization | None = None,
    ) -> TranslationScores:
        """BLEU and chrF of what the model writes for the sources, the targets being the references.

        All pairs count: of a source longer than the model reads, its first tokens are translated.
        """
        from textpipe.evaluation.translations import score_translations
        from textpipe.generation.translating import Translator

        translator = Translator(self.model, self.tokenizer, **self.facts["borders"])
        written = translator.translate([source for source, _ in pairs], config, cut=True)
        references = [[target for _, target in pairs]]
        return score_translations([each.text for each in written], references, tokenization=tokenization)

    def _split(self, split: TokenSplit, progress: Callable[..., None] | None = None) -> TextScore:
        if isinstance(self.shape, BertConfig):
            return self._hidden(split)
        before = self.facts["borders"].get("before")
        found = bits_per_byte(
            self.model,
            split,
            batch_size=self.batch_size,
            document_mask=self.document_mask,
            begin_id=before[-1] if before else None,
            progress=progress,
        )
        return TextScore("every token", found.nats, found.num_tokens, split.num_tokens, split.text_bytes)

    def _hidden(self, split: TokenSplit) -> TextScore:
        marks = Marks.of(self.tokenizer, eos_id=split.eos_id)
        pairs = isinstance(self.shape, BertConfig) and self.shape.next_sentence
        num_marks = split.num_documents if self.document_mask else 3 if pairs else 2
        hidden = Masking(
            split,
            marks,
            batch_size=self.batch_size,
            context=min(self.shape.context, split.num_tokens + num_marks),
            seed=0,
            share=self.facts.get("mask_share", 0.15),
            next_sentence=pairs,
            document_mask=self.document_mask,
        )
        nats, count = summed_loss(
            lambda batch: masked_language_modelling_loss(self.model, batch),
            hidden.consecutive(self.batch_size),
            self.model.head_weight.device,
        )
        if not count:
            raise InputError("no token of it can be hidden", hint="give a longer text")
        return TextScore("hidden tokens", nats, count, split.num_tokens, split.text_bytes)

    def _pairs(self, pairs: Pairs, num_tokens: int, text_bytes: int) -> TextScore:
        context = self.shape.context
        begin = self.facts["borders"].get("before", (self.facts["eos_id"],))[0]
        plan = PairPlan(pairs, batch_tokens=self.batch_size * context, context=context, seed=0, begin=begin)
        nats, count = summed_loss(
            lambda batch: sequence_to_sequence_loss(self.model, batch),
            plan.consecutive(),
            self.model.head_weight.device,
        )
        return TextScore("targets", nats, count, num_tokens, text_bytes, plan.num_too_long)


def _check_ids(tokenizer: Tokenizer, packed: Path) -> None:
    """Refuse data whose tokenizer gives texts other ids than the model's own."""
    from textpipe.tokenizer import Tokenizer
    from textpipe.training.starting import ids_by

    if ids_by(Tokenizer.from_file(str(packed))) != ids_by(tokenizer):
        raise StateError(
            "these data were packed with a tokenizer that is not the model's",
            where=packed,
            hint="name the texts themselves, or pack them with the tokenizer of the model",
        )


class _EncodedPairs:
    """Some pairs as a model reads them; ``num_before`` of the same stream came before."""

    def __init__(
        self, listed: list[Pair], num_before: int, model: Any, tokenizer: Tokenizer, borders: dict[str, Any]
    ) -> None:
        for number, pair in enumerate(listed, num_before + 1):
            if not (pair[0].strip() and pair[1].strip()):
                raise InputError(f"pair {number} has an empty {'target' if pair[0].strip() else 'source'}")
        writer = TextWriter(model, tokenizer, **borders)
        forced = borders.get("before", ())[1:]
        targets = tokenizer.encode_batch([target for _, target in listed], add_special_tokens=False, special="text")
        rows = writer.rows([source for source, _ in listed], special="text")
        self._sources = [np.array(ids, dtype=np.int32) for ids in rows]
        self._targets: list[Ids] = [
            np.array([*forced, *encoding.ids, borders["eos_id"]], dtype=np.int32) for encoding in targets
        ]
        self.num_pairs = len(listed)
        self.num_target_tokens = sum(map(len, self._targets))
        self.text_bytes = sum(len(target.encode()) for _, target in listed)

    def lengths(self) -> Any:
        return np.array([max(map(len, both)) for both in zip(self._sources, self._targets, strict=True)])

    def batch(self, numbers: Any, *, begin: int) -> PairBatch:
        chosen = numbers.tolist()
        sources, targets = ([side[number] for number in chosen] for side in (self._sources, self._targets))
        return pair_batch(sources, targets, begin=begin, samples=tuple(chosen))
