"""The way from text to ids.

What enters: texts, pairs of texts, words cut beforehand. What leaves: encodings, or flat NumPy ids. Promises: the
encodings of `tokenizers`, truncated and padded as it does; what is no text is refused with its place in the batch; text
that nobody vouches for can be kept from making special tokens, or refused for trying.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from textpipe.encoding import Encoding
from textpipe.encoding.padding import padded_matrix
from textpipe.errors import InputError, WrongTypeError, a_kind
from textpipe.models import Model
from textpipe.tokenizer.batches import batch_of, checked_threads, parts_of_item, text_of, texts_of, words_of
from textpipe.tokenizer.fitting import Fitting
from textpipe.tokenizer.special_text import Special, SpecialPolicy, Text, segment_pieces, stages_for
from textpipe.tokenizer.text_columns import Spans

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from textpipe.tokenizer.pipeline import Pipeline

__all__ = ["Encoder"]


class Encoder(Fitting):
    """A tokenizer's half that encodes."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._encode_special_tokens = False

    @property
    def encode_special_tokens(self) -> bool:
        """Whether special tokens written in a text are encoded as plain text."""
        return self._encode_special_tokens

    @encode_special_tokens.setter
    def encode_special_tokens(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise WrongTypeError(f"encode_special_tokens is {value!r:.40}", allowed="True or False")
        self._encode_special_tokens = value

    def encode(
        self,
        sequence: str | Sequence[str],
        pair: str | Sequence[str] | None = None,
        is_pretokenized: bool = False,
        add_special_tokens: bool = True,
        *,
        special: SpecialPolicy | None = None,
    ) -> Encoding:
        """The tokens of a text, or of two.

        Parameters
        ----------
        sequence, pair : a text; with ``is_pretokenized`` its words.
        add_special_tokens : let the post-processor add its tokens.
        special : what becomes of special tokens that stand in the text: ``allow`` makes them tokens, ``text`` encodes
            them as any other text, ``raise`` refuses them. With the last two no special token but the unknown one comes
            out of any text, also where it is a piece of the model or what a normalizer makes of the text. By default as
            ``encode_special_tokens`` says, which is about the tokens that are looked for in texts, and not the model's.

        Raises
        ------
        InputError
            when the text holds a lone surrogate, is none, or holds a special token that ``special`` refuses.

        Examples
        --------
        >>> from textpipe.models import WordLevel
        >>> tokenizer = Encoder(WordLevel({"<unk>": 0, "가": 1}, "<unk>"))
        >>> tokenizer.add_special_tokens(["<s>"])
        1
        >>> tokenizer.encode("<s>가").ids, tokenizer.encode("<s>가", special="text").ids
        ([2, 1], [0])
        """
        texts = [sequence] if pair is None else [sequence, pair]
        encoding = self._put_together(self._encode_item(texts, is_pretokenized, special), add_special_tokens)
        self._pad([encoding])
        return encoding

    def _encode_item(
        self,
        texts: Sequence[Any],
        is_pretokenized: bool,
        special: SpecialPolicy | None,
        item: int | None = None,
        *,
        ids_alone: bool = False,
    ) -> list[Encoding]:
        """The encodings of one text or two, without the template; ``item`` is their number in a batch."""
        parts = [words_of(text) for text in texts] if is_pretokenized else [[text_of(text) for text in texts]]
        read = [self._stages_for(part, special, item or 0) for part in parts]
        try:
            if is_pretokenized:
                encodings = [
                    stages.encode_words(words, skip_special=skip, ids_alone=ids_alone)
                    for words, (stages, skip) in zip(parts, read, strict=True)
                ]
            else:
                stages, skip = read[0]
                encodings = stages.encode(parts[0], skip_special=skip, ids_alone=ids_alone)
        except InputError as error:
            if item is None:
                raise
            where = f"item {item} of the batch"
            raise InputError(error.what, where=where, allowed=error.allowed, hint=error.hint) from None
        return [encoding.with_type_id(number) if number else encoding for number, encoding in enumerate(encodings)]

    def _stages_for(
        self, texts: Iterable[str], special: SpecialPolicy | None, item: int | None = None
    ) -> tuple[Pipeline, bool]:
        """The stages that read these texts, and whether special tokens in them are plain text."""
        stages = self.pipeline
        return (stages, self.encode_special_tokens) if special is None else stages_for(stages, special, texts, item)

    def encode_segments(self, segments: Iterable[Special | Text], *, add_special_tokens: bool = False) -> Encoding:
        """The tokens of a text put together of marks and of text nobody vouches for, such as a chat.

        Parameters
        ----------
        segments : :class:`Special` for the marks of a template, :class:`Text` for everything else; only the first
            makes special tokens.
        add_special_tokens : let the post-processor add its tokens; a chat template has them already.

        Returns
        -------
        Encoding
            with the places in the segments' joined text.

        Raises
        ------
        InputError
            when a mark is no special token of this tokenizer.

        Examples
        --------
        >>> from textpipe.models import WordLevel
        >>> tokenizer = Encoder(WordLevel({"<unk>": 0, "가": 1}, "<unk>"))
        >>> tokenizer.add_special_tokens(["<user>"])
        1
        >>> tokenizer.encode_segments([Special("<user>"), Text("가"), Text("<user>")]).ids
        [2, 1, 0]
        """
        pieces = segment_pieces(self._added, segments)
        encoding = self._put_together([self.pipeline.untrusted.encode_segments(pieces)], add_special_tokens)
        self._pad([encoding])
        return encoding

    def encode_batch(
        self,
        input: Iterable[Any],
        is_pretokenized: bool = False,
        add_special_tokens: bool = True,
        *,
        special: SpecialPolicy | None = None,
        threads: int | None = None,
    ) -> list[Encoding]:
        """The tokens of each text or pair of texts (a tuple or list of two), padded as one batch.

        Parameters
        ----------
        input : texts or pairs; with ``is_pretokenized`` lists of words or pairs of them.
        add_special_tokens : let the post-processor add its tokens.
        special : what becomes of special tokens that stand in a text, as in :meth:`encode`.
        threads : how many encode a batch of texts at once; by default as many as there are processors.

        Raises
        ------
        InputError
            when one of them is neither; the message has its number.
        """
        made = self._encode_all(input, is_pretokenized, add_special_tokens, special, threads, ids_alone=False)
        self._pad(made)
        return made

    def _encode_all(
        self,
        batch: Iterable[Any],
        is_pretokenized: bool,
        add_special_tokens: bool,
        special: SpecialPolicy | None,
        threads: int | None,
        *,
        ids_alone: bool,
    ) -> list[Encoding]:
        batch = batch_of(batch)
        num_threads = checked_threads(threads)
        if not is_pretokenized and all(isinstance(item, str) for item in batch):
            stages, skip = self._stages_for(batch, special)
            encodings = stages.encode(batch, skip_special=skip, threads=num_threads, ids_alone=ids_alone)
            made = self._put_together_each(encodings, add_special_tokens)
        else:
            items = [parts_of_item(item, number, is_pretokenized) for number, item in enumerate(batch)]
            made = [
                self._put_together(
                    self._encode_item(texts, is_pretokenized, special, number, ids_alone=ids_alone), add_special_tokens
                )
                for number, texts in enumerate(items)
            ]
        return made

    def encode_batch_fast(
        self,
        input: Iterable[Any],
        is_pretokenized: bool = False,
        add_special_tokens: bool = True,
        *,
        special: SpecialPolicy | None = None,
        threads: int | None = None,
    ) -> list[Encoding]:
        """The ids of each text or pair; as in `tokenizers`, nothing is kept of the texts' pieces, places and words."""
        made = self._encode_all(input, is_pretokenized, add_special_tokens, special, threads, ids_alone=True)
        self._pad(made)
        return made

    def encode_to_numpy(
        self,
        texts: Iterable[str],
        *,
        threads: int | None = None,
        add_special_tokens: bool = True,
        special: SpecialPolicy | None = None,
    ) -> tuple[NDArray[np.uint16] | NDArray[np.uint32], NDArray[np.int64]]:
        """The ids of many texts in one array, and where each text begins in it; nothing is truncated or padded.

        Parameters
        ----------
        texts : the documents.
        threads : how many encode at once; by default as many as there are processors.
        add_special_tokens : let the post-processor add its tokens.
        special : what becomes of special tokens that stand in a text, as in :meth:`encode`.

        Returns
        -------
        ids : uint16 when every id fits, else uint32.
        offsets : int64, one more than there are texts; text ``n`` has ``ids[offsets[n]:offsets[n + 1]]``.
        """
        texts = texts_of(texts)
        stages, skip = self._stages_for(texts, special)
        return stages.encode_to_numpy(
            texts, threads=checked_threads(threads), skip_special=skip, add_special=add_special_tokens
        )

    def encode_spans_to_numpy(
        self, texts: Iterable[str], *, threads: int | None = None, special: SpecialPolicy | None = None
    ) -> Spans:
        """The ids of many texts with the places of their tokens, in flat arrays, without the template's tokens.

        Parameters
        ----------
        texts : the documents.
        threads, special : as in :meth:`encode_to_numpy`.

        Returns
        -------
        Spans
            uint32 (num_ids,) each: ``ids``, ``begins``, ``ends``, ``words``; and the ``offsets`` of the texts in them.

        Examples
        --------
        >>> from textpipe.models import BPE
        >>> spans = Encoder(BPE({"가": 0, "나": 1})).encode_spans_to_numpy(["가나", "나"])
        >>> spans.ids.tolist(), spans.begins.tolist(), spans.ends.tolist(), spans.offsets.tolist()
        ([0, 1, 1], [0, 1, 0], [1, 2, 1], [0, 2, 3])
        """
        texts = texts_of(texts)
        stages, skip = self._stages_for(texts, special)
        return stages.spans(texts, skip_special=skip, threads=checked_threads(threads))

    def post_process(
        self, encoding: Encoding, pair: Encoding | None = None, add_special_tokens: bool = True
    ) -> Encoding:
        """What truncation, the post-processor and padding make of encodings."""
        encodings = [encoding] if pair is None else [encoding, pair]
        for each in encodings:
            if not isinstance(each, Encoding):
                raise WrongTypeError(f"post_process() got {a_kind(each)}", allowed="an Encoding")
        if self.post_processor is not None:
            encodings = [each.with_type_id(number) for number, each in enumerate(encodings)]
        made = self._put_together(encodings, add_special_tokens)
        self._pad([made])
        return made

    def encode_to_matrix(
        self,
        texts: Iterable[str],
        *,
        pad_id: int,
        length: int | None = None,
        direction: str = "right",
        threads: int | None = None,
        add_special_tokens: bool = True,
        special: SpecialPolicy | None = None,
    ) -> tuple[NDArray[np.uint16] | NDArray[np.uint32], NDArray[np.int64]]:
        """The ids of N texts in rows of L, and how many of each row are the text's; truncated where that is enabled.

        Parameters
        ----------
        texts : the documents.
        pad_id : what fills a row; what :meth:`enable_padding` says is not looked at.
        length : L; by default as many as the longest text has.
        direction : the side to fill, ``right`` or ``left``.
        threads, add_special_tokens, special : as in :meth:`encode_to_numpy`.

        Returns
        -------
        ids : (N, L), uint16 when every id fits, else uint32.
        lengths : (N,), int64.

        Raises
        ------
        InputError
            when a text has more than ``length`` ids: none is cut unless truncation is enabled.
        LimitError
            when the matrix would be too large.

        Examples
        --------
        >>> from textpipe.models import BPE
        >>> ids, lengths = Encoder(BPE({"가": 0, "나": 1, "<pad>": 2})).encode_to_matrix(["가", "가나"], pad_id=2)
        >>> ids.tolist(), lengths.tolist()
        ([[0, 2], [0, 1]], [1, 2])
        """
        if self._truncation is None:
            ids, offsets = self.encode_to_numpy(
                texts, threads=threads, add_special_tokens=add_special_tokens, special=special
            )
        else:
            rows = self._encode_all(texts, False, add_special_tokens, special, threads, ids_alone=True)
            ids, offsets = self.pipeline.flat([row.ids for row in rows])
        return padded_matrix(ids, offsets, pad_id=pad_id, length=length, direction=direction)
