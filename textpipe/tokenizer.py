"""The tokenizer: text to ids and back.

What enters: a model and the stages around it, or a tokenizer.json. What leaves: encodings, flat NumPy ids, text.
Promises: code written for `tokenizers` runs with the import changed, and gives the same ids, tokens and places; the
stages are values, and a change of one makes a new native program.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from textpipe.added_tokens import AddedToken, AddedVocabulary
from textpipe.composition import Composition
from textpipe.encoding import Encoding
from textpipe.errors import InputError
from textpipe.formats import Parts, read_file, tokenizer_json
from textpipe.limits import DEFAULT_LIMITS
from textpipe.stage import describe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from textpipe.sources import Inputs
    from textpipe.trainers import VocabularyTrainer, WordCounts
    from textpipe.trainers.counting import Progress

__all__ = ["AddedToken", "Tokenizer"]


class Tokenizer(Composition):
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

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Tokenizer:
        """Read a tokenizer from a file of any format, or from its folder; the content tells which.

        Raises
        ------
        FormatError
            when the file is broken; the message names the field.
        """
        return cls.from_parts(read_file(path))

    @classmethod
    def from_str(cls, json: str) -> Tokenizer:
        """Read the text of a tokenizer.json."""
        return cls.from_parts(tokenizer_json.read(json, path="tokenizer.json"))

    @classmethod
    def from_buffer(cls, buffer: bytes) -> Tokenizer:
        """Read the bytes of a tokenizer.json."""
        return cls.from_parts(tokenizer_json.read(buffer, path="tokenizer.json"))

    @classmethod
    def from_parts(cls, parts: Parts) -> Tokenizer:
        """A tokenizer of these parts."""
        tokenizer = cls(parts.model)
        tokenizer._added = parts.added
        tokenizer._decoder = parts.decoder
        tokenizer._change(
            normalizer=parts.normalizer, pre_tokenizer=parts.pre_tokenizer, post_processor=parts.post_processor
        )
        return tokenizer

    @property
    def parts(self) -> Parts:
        """What it is made of, for the formats to write."""
        kept = self.pipeline
        return Parts(kept.model, self._added, kept.normalizer, kept.pre_tokenizer, kept.post_processor, self._decoder)

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
        self._look_again()
        if self._sha256 is None:
            self._sha256 = hashlib.sha256(self.to_str().encode()).hexdigest()
        return self._sha256

    def encode(
        self,
        sequence: str | Sequence[str],
        pair: str | Sequence[str] | None = None,
        is_pretokenized: bool = False,
        add_special_tokens: bool = True,
    ) -> Encoding:
        """The tokens of a text, or of two.

        Parameters
        ----------
        sequence, pair : a text; with ``is_pretokenized`` its words.
        add_special_tokens : let the post-processor add its tokens.

        Raises
        ------
        InputError
            when the text holds a lone surrogate.
        """
        encodings = [self._encode_one(sequence, 0, is_pretokenized)]
        if pair is not None:
            encodings.append(self._encode_one(pair, 1, is_pretokenized))
        return self.pipeline.put_together(encodings, add_special_tokens)

    def _encode_one(self, sequence: str | Sequence[str], type_id: int, is_pretokenized: bool) -> Encoding:
        skip = self.encode_special_tokens
        if not is_pretokenized:
            if not isinstance(sequence, str):
                raise InputError(
                    f"a text is a str, not {type(sequence).__name__}",
                    hint="pass is_pretokenized=True for a list of words",
                )
            return self.pipeline.encode(sequence, skip_special=skip, type_id=type_id)
        if isinstance(sequence, str) or not all(isinstance(word, str) for word in sequence):
            raise InputError("with is_pretokenized=True a text is a list of words")
        parts = [
            self.pipeline.encode(word, skip_special=skip, type_id=type_id, word=number)
            for number, word in enumerate(sequence)
        ]
        return Encoding.merge(parts, growing_offsets=False)

    def encode_batch(
        self, input: Sequence[Any], is_pretokenized: bool = False, add_special_tokens: bool = True
    ) -> list[Encoding]:
        """The tokens of each text or pair of texts (a tuple of two)."""
        made = []
        for item in input:
            is_pair = isinstance(item, tuple) and len(item) == 2 and not (is_pretokenized and isinstance(item[0], str))
            sequence, pair = item if is_pair else (item, None)
            made.append(self.encode(sequence, pair, is_pretokenized, add_special_tokens))
        return made

    def encode_to_numpy(
        self, texts: Sequence[str], *, threads: int | None = None, add_special_tokens: bool = True
    ) -> tuple[NDArray[np.uint16] | NDArray[np.uint32], NDArray[np.int64]]:
        """The ids of many texts in one array, and where each text begins in it.

        Parameters
        ----------
        texts : the documents.
        threads : how many encode at once; by default as many as there are processors.
        add_special_tokens : let the post-processor add its tokens.

        Returns
        -------
        ids : uint16 when every id fits, else uint32.
        offsets : int64, one more than there are texts; text ``n`` has ``ids[offsets[n]:offsets[n + 1]]``.
        """
        if isinstance(texts, str):
            raise InputError("texts is one str", allowed="a sequence of them", hint="pass [text]")
        if threads is not None and not 1 <= threads <= DEFAULT_LIMITS.threads:
            raise InputError(f"{threads} threads cannot encode", allowed=f"1 to {DEFAULT_LIMITS.threads}")
        return self.pipeline.encode_to_numpy(
            texts,
            threads=threads or _num_processors(),
            skip_special=self.encode_special_tokens,
            add_special=add_special_tokens,
        )

    def post_process(
        self, encoding: Encoding, pair: Encoding | None = None, add_special_tokens: bool = True
    ) -> Encoding:
        """What the post-processor makes of encodings."""
        encodings = [encoding] if pair is None else [encoding, pair]
        return self.pipeline.put_together(encodings, add_special_tokens)

    def num_special_tokens_to_add(self, is_pair: bool) -> int:
        """How many tokens the post-processor adds."""
        processor = self.pipeline.post_processor
        return 0 if processor is None else processor.num_special_tokens_to_add(is_pair)

    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> str:
        """The text of ids; an id without a piece stands for nothing."""
        tokens = []
        for number in ids:
            token = self.id_to_token(int(number))
            if token is not None and not (skip_special_tokens and self._added.is_special(token)):
                tokens.append(token)
        return " ".join(tokens) if self._decoder is None else self._decoder.decode(tokens)

    def decode_batch(self, sequences: Iterable[Iterable[int]], skip_special_tokens: bool = True) -> list[str]:
        """The text of each sequence of ids."""
        return [self.decode(ids, skip_special_tokens) for ids in sequences]

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
        self._learn(lambda: count_files(files, cutter, threads=threads, progress=progress), trainer, progress)

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
        self._learn(lambda: count_texts(iterator, cutter, threads=threads, progress=progress), trainer, progress)

    def _learn(
        self, count: Callable[[], WordCounts], trainer: VocabularyTrainer | None, progress: Progress | None
    ) -> None:
        from textpipe.trainers import fit, trainer_for

        trainer = trainer_for(self.model, trainer)  # refuses what does not fit before anything is read
        self.model = fit(self.model, count(), trainer, progress=progress)
        # Ids of the old model mean nothing in the new one: whatever was added before is added again.
        kept = [token for _, token in sorted(self._added.by_id.items())]
        self._added = AddedVocabulary()
        self.add_special_tokens(trainer.special_tokens)
        self.add_tokens(kept)

    def __repr__(self) -> str:
        tokens = describe([token.to_dict(number) for number, token in self.get_added_tokens_decoder().items()])
        parts = ["normalizer", "pre_tokenizer", "post_processor", "decoder", "model"]
        stages = ", ".join(f"{name}={getattr(self, name)!r}" for name in parts)
        return f'Tokenizer(version="1.0", truncation=None, padding=None, added_tokens={tokens}, {stages})'

    def __reduce__(self) -> tuple[Any, ...]:
        return (Tokenizer.from_str, (self.to_str(),))


def _num_processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
