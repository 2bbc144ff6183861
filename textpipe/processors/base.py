"""What a post-processor is.

What enters: the encodings of one text or of two. What leaves: one encoding, with the tokens the model expects around
them.
"""

from __future__ import annotations

from textpipe.encoding import Encoding
from textpipe.stages.stage import Stage

__all__ = ["PostProcessor", "join", "numbered"]


class PostProcessor(Stage):
    """Base of the post-processors: comparable, printable values."""

    __slots__ = ()

    def apply(self, encodings: list[Encoding], *, add_special_tokens: bool) -> list[Encoding]:
        """The encodings to put together, in order."""
        raise NotImplementedError(f"{type(self).__name__} has no apply()")

    def process(self, encoding: Encoding, pair: Encoding | None = None, add_special_tokens: bool = True) -> Encoding:
        """One encoding of one text, or of two,, whose tokens are of types 0 and 1 before the processor has its say."""
        encodings = [encoding] if pair is None else [encoding, pair]
        return self.put_together(
            [each.with_type_id(number) for number, each in enumerate(encodings)], add_special_tokens
        )

    def put_together(self, encodings: list[Encoding], add_special_tokens: bool) -> Encoding:
        """The same of encodings that have their types."""
        return Encoding.merge(self.apply(encodings, add_special_tokens=add_special_tokens), growing_offsets=False)

    def put_together_each(self, encodings: list[Encoding], add_special_tokens: bool) -> list[Encoding]:
        """The same of each of several texts by itself."""
        return [self.put_together([encoding], add_special_tokens) for encoding in encodings]

    def num_special_tokens_to_add(self, is_pair: bool) -> int:
        """How many tokens it adds."""
        return 0

    @property
    def max_id(self) -> int:
        """The largest id it can add, -1 when it adds none."""
        return -1

    def native_frame(self) -> tuple[list[int], list[int]] | None:
        """The ids it puts before and after one text, or None when it does anything else to the ids."""
        return None


def numbered(encodings: list[Encoding]) -> list[Encoding]:
    """The encodings, each saying which text its tokens come from; so do the parts cut off them."""
    return [
        encoding.with_overflowing(lambda part, number=number: part.with_sequence_id(number))  # type: ignore[misc]
        for number, encoding in enumerate(encodings)
    ]


def join(encodings: list[Encoding]) -> Encoding:
    """What stands in for a post-processor where there is none."""
    if len(encodings) == 1:
        return encodings[0]
    numbered = [encoding.with_sequence_id(number) for number, encoding in enumerate(encodings)]
    return Encoding.merge(numbered, growing_offsets=False)
