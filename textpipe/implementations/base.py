"""What the whole tokenizers share.

What enters: a tokenizer made of stages, and the settings it was made by. What leaves: a tokenizer that prints these
settings and is trained by arguments instead of a trainer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from textpipe import normalizers
from textpipe.encoding import Encoding
from textpipe.errors import StateError
from textpipe.models.added_tokens import AddedToken
from textpipe.normalizers import Normalizer, unicode_normalizer_from_str
from textpipe.tokenizer import Tokenizer

__all__ = ["BaseTokenizer", "normalizer_of"]


class BaseTokenizer(Tokenizer):
    """A tokenizer with the settings it was made by.

    >>> from textpipe.models import WordLevel
    >>> BaseTokenizer(Tokenizer(WordLevel({"가": 0}, "가")), {"model": "words"})
    Tokenizer(vocabulary_size=1, model=words)
    """

    def __init__(self, tokenizer: Tokenizer, parameters: Mapping[str, Any] | None = None) -> None:
        self.__dict__.update(tokenizer.__dict__)
        self._parameters = dict(parameters or {})

    @property
    def _tokenizer(self) -> Tokenizer:
        """Itself; code written for `tokenizers` reaches for the tokenizer inside."""
        return self

    def enable_padding(  # noqa: PLR0917  (the order of `tokenizers`)
        self,
        direction: str = "right",
        pad_to_multiple_of: int | None = None,
        pad_id: int = 0,
        pad_type_id: int = 0,
        pad_token: str = "[PAD]",
        length: int | None = None,
    ) -> None:
        """As :meth:`Tokenizer.enable_padding`, in another order."""
        super().enable_padding(
            direction=direction,
            pad_id=pad_id,
            pad_type_id=pad_type_id,
            pad_token=pad_token,
            length=length,
            pad_to_multiple_of=pad_to_multiple_of,
        )

    def add_special_tokens(self, special_tokens: Iterable[str | AddedToken]) -> int:
        """As :meth:`Tokenizer.add_special_tokens`."""
        return super().add_special_tokens(special_tokens)

    def encode_batch(  # type: ignore[override]
        self, inputs: Sequence[Any], is_pretokenized: bool = False, add_special_tokens: bool = True, **options: Any
    ) -> list[Encoding]:
        """As :meth:`Tokenizer.encode_batch`, with its options."""
        return super().encode_batch(inputs, is_pretokenized, add_special_tokens, **options)

    async def async_encode_batch(  # type: ignore[override]
        self, inputs: Sequence[Any], is_pretokenized: bool = False, add_special_tokens: bool = True, **options: Any
    ) -> list[Encoding]:
        """As :meth:`Tokenizer.async_encode_batch`, with its options."""
        return await super().async_encode_batch(inputs, is_pretokenized, add_special_tokens, **options)

    async def async_encode_batch_fast(  # type: ignore[override]
        self, inputs: Sequence[Any], is_pretokenized: bool = False, add_special_tokens: bool = True, **options: Any
    ) -> list[Encoding]:
        """As :meth:`Tokenizer.async_encode_batch_fast`, with its options."""
        return await super().async_encode_batch_fast(inputs, is_pretokenized, add_special_tokens, **options)

    def normalize(self, sequence: str) -> str:
        """What the normalizer makes of a text.

        Raises
        ------
        StateError
            when there is no normalizer.
        """
        if self.normalizer is None:
            raise StateError("this tokenizer has no normalizer")
        return self.normalizer.normalize_str(sequence)

    def save_model(self, directory: str, prefix: str | None = None) -> list[str]:
        """Write the files of the model; returns their paths."""
        return self.model.save(directory, prefix)

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value}" for name, value in self._parameters.items())
        return f"Tokenizer(vocabulary_size={self.get_vocab_size()}, {settings})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuilt, (type(self), self.to_str(), self._parameters))


def _rebuilt(kind: type[BaseTokenizer], json: str, parameters: dict[str, Any]) -> BaseTokenizer:
    made = kind.__new__(kind)
    BaseTokenizer.__init__(made, Tokenizer.from_str(json), parameters)
    return made


def normalizer_of(unicode_normalizer: str | None, *others: Normalizer) -> Normalizer | None:
    """A Unicode form by its name, and others after it, as one normalizer."""
    parts = [*([unicode_normalizer_from_str(unicode_normalizer)] if unicode_normalizer else []), *others]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else normalizers.Sequence(parts)
