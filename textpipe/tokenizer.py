"""The tokenizer: text to ids and back.

What enters: a model and the stages around it, or a tokenizer.json. What leaves: encodings, flat NumPy ids, text.
Promises: code written for `tokenizers` runs with the import changed, and gives the same ids, tokens and places; the
stages are frozen values, and a change of one makes a new native program.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from textpipe.added_tokens import AddedToken, AddedVocabulary
from textpipe.decoders import Decoder
from textpipe.encoding import Encoding
from textpipe.errors import InputError
from textpipe.formats import Parts, read_file, tokenizer_json
from textpipe.limits import DEFAULT_LIMITS
from textpipe.models import Model
from textpipe.normalizers import Normalizer
from textpipe.pipeline import Pipeline
from textpipe.pre_tokenizers import PreTokenizer
from textpipe.processors import PostProcessor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from textpipe.sources import Inputs
    from textpipe.trainers import VocabularyTrainer, WordCounts
    from textpipe.trainers.counting import Progress

__all__ = ["AddedToken", "Tokenizer"]


class Tokenizer:
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

    def __init__(self, model: Model) -> None:
        self._added = AddedVocabulary()
        self._decoder: Decoder | None = None
        self._pipeline = Pipeline(model, self._added)
        self._sha256: str | None = None
        self.encode_special_tokens = False
        """Whether special tokens written in a text are encoded as plain text."""

    def _change(self, **stages: Any) -> None:
        kept = self._pipeline
        parts = {
            "model": kept.model,
            "normalizer": kept.normalizer,
            "pre_tokenizer": kept.pre_tokenizer,
            "post_processor": kept.post_processor,
        }
        self._pipeline = Pipeline(added=self._added, **{**parts, **stages})
        self._sha256 = None

    @property
    def model(self) -> Model:
        """What turns a word into tokens."""
        return self._pipeline.model

    @model.setter
    def model(self, model: Model) -> None:
        self._change(model=model)

    @property
    def normalizer(self) -> Normalizer | None:
        """What cleans the text first."""
        return self._pipeline.normalizer

    @normalizer.setter
    def normalizer(self, normalizer: Normalizer | None) -> None:
        self._change(normalizer=normalizer)

    @property
    def pre_tokenizer(self) -> PreTokenizer | None:
        """What cuts the text into words."""
        return self._pipeline.pre_tokenizer

    @pre_tokenizer.setter
    def pre_tokenizer(self, pre_tokenizer: PreTokenizer | None) -> None:
        self._change(pre_tokenizer=pre_tokenizer)

    @property
    def post_processor(self) -> PostProcessor | None:
        """What puts special tokens around the text."""
        return self._pipeline.post_processor

    @post_processor.setter
    def post_processor(self, post_processor: PostProcessor | None) -> None:
        self._change(post_processor=post_processor)

    @property
    def decoder(self) -> Decoder | None:
        """What turns tokens back into text."""
        return self._decoder

    @decoder.setter
    def decoder(self, decoder: Decoder | None) -> None:
        self._decoder = decoder
        self._change()

    @property
    def pipeline(self) -> Pipeline:
        """The stages as they are now."""
        return self._pipeline

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
        kept = self._pipeline
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
        if self._sha256 is None:
            self._sha256 = hashlib.sha256(self.to_str().encode()).hexdigest()
        return self._sha256

    def add_tokens(self, tokens: Iterable[str | AddedToken]) -> int:
        """Add tokens that are found in text as a whole; returns how many were new."""
        return self._add(tokens, special=False)

    def add_special_tokens(self, tokens: Iterable[str | AddedToken]) -> int:
        """Add tokens that are the model's own marks; returns how many were new."""
        return self._add(tokens, special=True)

    def _add(self, tokens: Iterable[str | AddedToken], *, special: bool) -> int:
        added = self._added.add([AddedVocabulary.of(token, special=special) for token in tokens], self.model)
        self._change()
        return added

    def get_added_tokens_decoder(self) -> dict[int, AddedToken]:
        """The added tokens by id."""
        return dict(sorted(self._added.by_id.items()))

    def get_vocab(self, with_added_tokens: bool = True) -> dict[str, int]:
        """Piece → id."""
        return {**self.model.get_vocab(), **(self._added.ids if with_added_tokens else {})}

    def get_vocab_size(self, with_added_tokens: bool = True) -> int:
        """How many pieces there are."""
        return len(self.get_vocab()) if with_added_tokens else self.model.get_vocab_size()

    def token_to_id(self, token: str) -> int | None:
        """The id of a piece, or None."""
        return self._added.token_to_id(token, self.model)

    def id_to_token(self, id: int) -> str | None:
        """The piece of an id, or None; an added token that is looked for in normalized text comes as it reads there."""
        added = self._added.by_id.get(id)
        if added is None:
            return self.model.id_to_token(id)
        return self._pipeline.normalized_tokens.get(id, added.content)

    def id_to_bytes(self, id: int) -> bytes:
        """The bytes a piece stands for; nothing for a special token.

        Raises
        ------
        InputError
            when no piece has this id.
        """
        if self.id_to_token(id) is None:
            raise InputError(f"no piece has the id {id}", allowed=f"0 to {self._pipeline.max_id}")
        return self.piece_bytes(id, skip_special=True) or b""

    def piece_bytes(self, id: int, *, skip_special: bool) -> bytes | None:
        """The bytes an id adds to decoded text; None for an id that adds nothing."""
        piece = self.id_to_token(id)
        if piece is None or (skip_special and self._added.is_special(piece)):
            return None
        return piece.encode() if self._decoder is None else self._decoder.bytes_of(piece)

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
        return self._pipeline.put_together(encodings, add_special_tokens)

    def _encode_one(self, sequence: str | Sequence[str], type_id: int, is_pretokenized: bool) -> Encoding:
        skip = self.encode_special_tokens
        if not is_pretokenized:
            if not isinstance(sequence, str):
                raise InputError(
                    f"a text is a str, not {type(sequence).__name__}",
                    hint="pass is_pretokenized=True for a list of words",
                )
            return self._pipeline.encode(sequence, skip_special=skip, type_id=type_id)
        if isinstance(sequence, str) or not all(isinstance(word, str) for word in sequence):
            raise InputError("with is_pretokenized=True a text is a list of words")
        parts = [
            self._pipeline.encode(word, skip_special=skip, type_id=type_id, word=number)
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
        return self._pipeline.encode_to_numpy(
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
        return self._pipeline.put_together(encodings, add_special_tokens)

    def num_special_tokens_to_add(self, is_pair: bool) -> int:
        """How many tokens the post-processor adds."""
        processor = self._pipeline.post_processor
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

        cutter = self._pipeline.word_cutter()
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

        cutter = self._pipeline.word_cutter()
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
        kept = self._pipeline
        stages = {
            "normalizer": kept.normalizer,
            "pre_tokenizer": kept.pre_tokenizer,
            "model": kept.model,
            "post_processor": kept.post_processor,
            "decoder": self._decoder,
            "added_tokens": [token.content for token in self.get_added_tokens_decoder().values()],
        }
        return "Tokenizer(\n" + "".join(f"  {name}={stage!r},\n" for name, stage in stages.items()) + ")"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Tokenizer.from_str, (self.to_str(),))


def _num_processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
