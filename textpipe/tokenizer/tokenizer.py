"""The tokenizer: text to ids and back.

What enters: a model and the stages around it, or a tokenizer.json. What leaves: encodings, flat NumPy ids, text.
Promises: code written for `tokenizers` runs with the import changed, and gives the same ids, tokens and places; the
stages are values, and a change of one makes a new native program.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textpipe.errors import StateError
from textpipe.formats import Parts, read_file, tokenizer_json
from textpipe.formats.own_stages import allowing
from textpipe.models.added_tokens import AddedToken, AddedVocabulary
from textpipe.stages.stage import describe
from textpipe.tokenizer.asynchronous import AsyncEncoder
from textpipe.tokenizer.lossless import loss

if TYPE_CHECKING:
    from textpipe.models import Model
    from textpipe.sources import Inputs
    from textpipe.trainers import VocabularyTrainer, WordCounts
    from textpipe.trainers.counting import Progress

__all__ = ["AddedToken", "Tokenizer"]


class Tokenizer(AsyncEncoder):
    """Normalizer → pre-tokenizer → model → post-processor, and a decoder for the way back.

    Examples
    --------
    >>> from textpipe.models import BPE
    >>> from textpipe.pre_tokenizers import WhitespaceSplit
    >>> tokenizer = Tokenizer(BPE({"가": 0, "나": 1, "가나": 2}, [("가", "나")]))
    >>> tokenizer.pre_tokenizer = WhitespaceSplit()
    >>> tokenizer.encode("가나 가").ids
    [2, 0]
    """

    @staticmethod
    def from_file(path: str | os.PathLike[str], *, allow: Iterable[str] = ()) -> Tokenizer:
        """Read a tokenizer from a file of any format, or from its folder; the content tells which.

        Parameters
        ----------
        allow : names of stages that are no part of the format and may be made (see :mod:`textpipe.formats.own_stages`).

        Raises
        ------
        FormatError
            when the file is broken; the message names the field.
        """
        with allowing(allow):
            return Tokenizer.from_parts(read_file(path))

    @staticmethod
    def from_str(json: str, *, allow: Iterable[str] = ()) -> Tokenizer:
        """Read the text of a tokenizer.json; ``allow`` as in :meth:`from_file`."""
        with allowing(allow):
            return Tokenizer.from_parts(tokenizer_json.read(json, path="tokenizer.json"))

    @staticmethod
    def from_buffer(buffer: bytes, *, allow: Iterable[str] = ()) -> Tokenizer:
        """Read the bytes of a tokenizer.json; ``allow`` as in :meth:`from_file`."""
        with allowing(allow):
            return Tokenizer.from_parts(tokenizer_json.read(buffer, path="tokenizer.json"))

    @staticmethod
    def from_pretrained(identifier: str, revision: str = "main", token: str | None = None) -> Tokenizer:
        """Refused: nothing is downloaded here.

        Raises
        ------
        StateError
            always, with what to do instead.
        """
        raise StateError(
            f'"{identifier}" would have to be downloaded, and textpipe downloads no tokenizers',
            hint="download its tokenizer.json by the means you trust, and read it with Tokenizer.from_file(path)",
        )

    @staticmethod
    def from_parts(parts: Parts) -> Tokenizer:
        """A tokenizer of these parts."""
        tokenizer = Tokenizer(parts.model)
        tokenizer._added = parts.added
        tokenizer._padding, tokenizer._truncation = parts.padding, parts.truncation
        tokenizer._decoder = parts.decoder
        tokenizer._change(
            normalizer=parts.normalizer, pre_tokenizer=parts.pre_tokenizer, post_processor=parts.post_processor
        )
        return tokenizer

    @property
    def parts(self) -> Parts:
        """What it is made of, for the formats to write."""
        kept = self.pipeline
        return Parts(
            kept.model,
            self._added,
            kept.normalizer,
            kept.pre_tokenizer,
            kept.post_processor,
            self._decoder,
            padding=self._padding,
            truncation=self._truncation,
        )

    def seeded(self, seed: int) -> Tokenizer:
        """A tokenizer whose texts read alike in every run: itself, or a copy whose model draws lots by ``seed``.

        A model that has a seed of its own keeps it, and one without dropout or sampling draws nothing.

        Examples
        --------
        >>> from textpipe.models import BPE
        >>> drawing = Tokenizer(BPE({"가": 0, "나": 1, "가나": 2}, [("가", "나")], dropout=0.5))
        >>> drawing.seeded(7).encode("가나가나").ids == drawing.seeded(7).encode("가나가나").ids
        True
        """
        model = self.model.seeded(seed)
        if model is self.model:
            return self
        made = Tokenizer.from_parts(replace(self.parts, model=model))
        made.encode_special_tokens = self.encode_special_tokens
        return made

    def to_str(self, pretty: bool = False) -> str:
        """The text of a tokenizer.json, as `tokenizers` writes it."""
        return tokenizer_json.write(self.parts, pretty=pretty)

    def save(self, path: str | os.PathLike[str], pretty: bool = True) -> None:
        """Write a tokenizer.json, whole or not at all."""
        from textpipe.files import write_text

        write_text(path, self.to_str(pretty))

    @property
    def sha256(self) -> str:
        """Hex digest of the compact tokenizer.json: two tokenizers that encode alike by the same parts share it."""
        self._looked_at()
        if self._sha256 is None:
            self._sha256 = hashlib.sha256(self.to_str().encode()).hexdigest()
        return self._sha256

    @property
    def lossless(self) -> bool:
        """Whether decoding gives every text back: it is certain, not merely likely.

        That is ``decode(encode(text, add_special_tokens=False).ids, skip_special_tokens=False) == text`` where nothing
        is truncated or padded.
        """
        kept = self.pipeline
        if self._truncation is not None or self._padding is not None:
            return False
        return (
            loss(
                normalizer=kept.normalizer,
                pre_tokenizer=kept.pre_tokenizer,
                model=kept.model,
                decoder=self._decoder,
                added=self._added,
            )
            is None
        )

    def train(
        self,
        files: Inputs,
        trainer: VocabularyTrainer | None = None,
        *,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Learn the model from files, line by line; JSONL documents as a whole."""
        from textpipe.trainers import count_files

        cutter = self.pipeline.word_cutter()
        self._learn(lambda: count_files(files, cutter, threads=threads, progress=progress), trainer, threads, progress)

    def train_from_iterator(
        self,
        iterator: Iterable[str] | Iterable[list[str]],
        trainer: VocabularyTrainer | None = None,
        length: int | None = None,
        *,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Learn the model from strings or lists of strings; ``length`` is taken as `tokenizers` does and not used."""
        from textpipe.trainers import count_texts

        cutter = self.pipeline.word_cutter()
        self._learn(
            lambda: count_texts(iterator, cutter, threads=threads, progress=progress), trainer, threads, progress
        )

    def _learn(
        self,
        count: Callable[[], WordCounts],
        trainer: VocabularyTrainer | None,
        threads: int | None,
        progress: Progress | None,
    ) -> None:
        from textpipe.trainers import fit, trainer_for

        trainer = trainer_for(self.model, trainer)  # refuses what does not fit before anything is read
        learned = fit(self.model, count(), trainer, threads=threads, progress=progress)
        self.take_learned(learned, trainer.special_tokens)

    def take_learned(self, model: Model, special_tokens: Sequence[str | AddedToken]) -> None:
        """Have a model that was learned, and the special tokens that it was learned with."""
        with self._lock:
            self.model = model
            # Ids of the old model mean nothing in the new one: whatever was added before is added again.
            kept = [token for _, token in sorted(self._added.by_id.items())]
            self._added = AddedVocabulary()
            self.add_special_tokens(special_tokens)
            self.add_tokens(kept)

    def __repr__(self) -> str:
        tokens = describe([token.to_dict(number) for number, token in self.get_added_tokens_decoder().items()])
        parts = ["normalizer", "pre_tokenizer", "post_processor", "decoder", "model"]
        stages = ", ".join(f"{name}={getattr(self, name)!r}" for name in parts)
        return (
            f'Tokenizer(version="1.0", truncation={self._truncation or None}, padding={self._padding or None}, '
            f"added_tokens={tokens}, {stages})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restored, (self.to_str(), self.pipeline.model.unwritten()))


def _restored(text: str, unwritten: dict[str, Any]) -> Tokenizer:
    """A tokenizer from its file and the settings of its model that no file holds."""
    made = Tokenizer.from_str(text)
    for name, value in unwritten.items():
        setattr(made.model, name, value)
    return made
