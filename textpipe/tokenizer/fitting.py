"""How long encodings are: padding and truncation.

What enters: the settings of both, and the encodings of texts. What leaves: encodings with the post-processor's tokens,
cut and padded. Promises: the settings, their defaults and what they do are those of `tokenizers`.
"""

from __future__ import annotations

from typing import Any

from textpipe.encoding import Encoding
from textpipe.encoding.padding import Padding
from textpipe.encoding.truncation import Truncation
from textpipe.errors import InputError
from textpipe.models import Model
from textpipe.tokenizer.decoding import Decoding

__all__ = ["Fitting"]


class Fitting(Decoding):
    """A composition whose encodings are cut and padded to a length."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._padding: Padding | None = None
        self._truncation: Truncation | None = None

    def enable_padding(
        self,
        *,
        direction: str = "right",
        pad_id: int = 0,
        pad_type_id: int = 0,
        pad_token: str = "[PAD]",
        length: int | None = None,
        pad_to_multiple_of: int | None = None,
    ) -> None:
        """Pad each encoding, to the longest of its batch or to ``length``.

        Parameters
        ----------
        direction : ``left`` or ``right``.
        pad_id, pad_type_id, pad_token : what a padding token is.
        length : how long, where it is not that of the longest.
        pad_to_multiple_of : round the length up.

        Raises
        ------
        InputError
            when one of them cannot be.
        """
        self._padding = Padding(direction, pad_id, pad_type_id, pad_token, length, pad_to_multiple_of)
        self._sha256 = None

    def no_padding(self) -> None:
        """Pad no more."""
        self._padding = None
        self._sha256 = None

    @property
    def padding(self) -> dict[str, Any] | None:
        """The arguments of :meth:`enable_padding`, or None."""
        return None if self._padding is None else self._padding.arguments()

    def enable_truncation(
        self, max_length: int, stride: int = 0, strategy: str = "longest_first", direction: str = "right"
    ) -> None:
        """Cut each encoding to ``max_length`` tokens; the rest is in its ``overflowing``.

        Parameters
        ----------
        max_length : special tokens included.
        stride : how many tokens a part that was cut off shares with the one before.
        strategy : which of two texts is cut: ``longest_first``, ``only_first``, ``only_second``.
        direction : the side to cut tokens off, ``right`` or ``left``.

        Raises
        ------
        InputError
            when one of them cannot be, or ``stride`` is more than what the special tokens leave.
        """
        wanted = Truncation(max_length, stride, strategy, direction)
        room = max(wanted.max_length - self.num_special_tokens_to_add(False), 0)
        if wanted.stride > room:
            raise InputError(
                f"parts of {room} tokens beside the special ones cannot share {wanted.stride}", allowed=f"0 to {room}"
            )
        self._truncation = wanted
        self._sha256 = None

    def no_truncation(self) -> None:
        """Cut no more."""
        self._truncation = None
        self._sha256 = None

    @property
    def truncation(self) -> dict[str, Any] | None:
        """The arguments of :meth:`enable_truncation`, or None."""
        return None if self._truncation is None else self._truncation.arguments()

    def _put_together(self, encodings: list[Encoding], add_special_tokens: bool) -> Encoding:
        if self._truncation is not None:
            encodings = [encoding.copy() for encoding in encodings]
            num_added = self.num_special_tokens_to_add(len(encodings) == 2) if add_special_tokens else 0
            self._truncation.apply(encodings, num_added=num_added)
        return self.pipeline.put_together(encodings, add_special_tokens)

    def _put_together_each(self, encodings: list[Encoding], add_special_tokens: bool) -> list[Encoding]:
        """The same of each of several texts by itself."""
        if self._truncation is not None:
            return [self._put_together([encoding], add_special_tokens) for encoding in encodings]
        return self.pipeline.put_together_each(encodings, add_special_tokens)

    def _pad(self, encodings: list[Encoding]) -> None:
        if self._padding is not None:
            self._padding.apply(encodings)

    def num_special_tokens_to_add(self, is_pair: bool) -> int:
        """How many tokens the post-processor adds."""
        processor = self.pipeline.post_processor
        return 0 if processor is None else processor.num_special_tokens_to_add(is_pair)
