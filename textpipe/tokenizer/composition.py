"""What a tokenizer is made of: its stages, its added tokens, its vocabulary.

What enters: a model and the stages around it, which may be replaced and whose settings may be changed at any time.
What leaves: one :class:`~textpipe.tokenizer.pipeline.Pipeline` of the stages as they are now. Promises: a change of a
stage or of one of its settings is seen by the next call, and costs a new native program only if it changes something.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from textpipe.decoders import Decoder
from textpipe.errors import InputError, WrongTypeError, a_kind
from textpipe.models import Model
from textpipe.models.added_tokens import AddedToken, AddedVocabulary
from textpipe.normalizers import Normalizer
from textpipe.pre_tokenizers import PreTokenizer
from textpipe.processors import PostProcessor
from textpipe.stages.stage import Stage, revision
from textpipe.tokenizer.pipeline import Pipeline

__all__ = ["Composition"]


_KINDS: dict[str, type[Stage]] = {
    "model": Model,
    "normalizer": Normalizer,
    "pre_tokenizer": PreTokenizer,
    "post_processor": PostProcessor,
    "decoder": Decoder,
}


def _checked(name: str, stage: Any) -> Any:
    """A stage that can be what it is set as; all but the model may be None."""
    kind = _KINDS[name]
    if isinstance(stage, kind) or (stage is None and kind is not Model):
        return stage
    hint = f"wrap an object of your own: {kind.__name__}.custom(…)" if hasattr(kind, "custom") else None
    raise WrongTypeError(
        f"the {name} is {a_kind(stage)}",
        allowed=kind.__name__ if kind is Model else f"{kind.__name__} or None",
        hint=hint,
    )


@dataclass(frozen=True)
class _State:
    """The stages of one moment: all that a call needs to know, so that another thread can change them meanwhile."""

    revision: int
    settings: tuple[Any, ...]
    pipeline: Pipeline
    readings: dict[bool, Any] = field(default_factory=dict)
    """What ids read as, for decoding; by whether special tokens are left out."""

    @staticmethod
    def of(pipeline: Pipeline) -> _State:
        return _State(revision(), pipeline.settings(), pipeline)  # in this order: a change in between is seen later


class Composition:
    """A model, the stages around it, and added tokens."""

    def __init__(self, model: Model) -> None:
        self._lock = threading.RLock()  # around what reads the stages, changes some, and writes them all
        self._added = AddedVocabulary()
        self._decoder: Decoder | None = None
        self._use(Pipeline(_checked("model", model), self._added))

    def _use(self, pipeline: Pipeline) -> None:
        self._state = _State.of(pipeline)
        self._sha256: str | None = None

    def _change(self, **stages: Any) -> None:
        checked = {name: _checked(name, stage) for name, stage in stages.items()}
        with self._lock:
            self._use(replace(self._state.pipeline, added=self._added, **checked))

    @property
    def model(self) -> Model:
        """What turns a word into tokens."""
        return self.pipeline.model

    @model.setter
    def model(self, model: Model) -> None:
        self._change(model=model)

    @property
    def normalizer(self) -> Normalizer | None:
        """What cleans the text first."""
        return self.pipeline.normalizer

    @normalizer.setter
    def normalizer(self, normalizer: Normalizer | None) -> None:
        self._change(normalizer=normalizer)

    @property
    def pre_tokenizer(self) -> PreTokenizer | None:
        """What cuts the text into words."""
        return self.pipeline.pre_tokenizer

    @pre_tokenizer.setter
    def pre_tokenizer(self, pre_tokenizer: PreTokenizer | None) -> None:
        self._change(pre_tokenizer=pre_tokenizer)

    @property
    def post_processor(self) -> PostProcessor | None:
        """What puts special tokens around the text."""
        return self.pipeline.post_processor

    @post_processor.setter
    def post_processor(self, post_processor: PostProcessor | None) -> None:
        self._change(post_processor=post_processor)

    @property
    def decoder(self) -> Decoder | None:
        """What turns tokens back into text."""
        return self._decoder

    @decoder.setter
    def decoder(self, decoder: Decoder | None) -> None:
        checked = _checked("decoder", decoder)
        with self._lock:
            self._decoder = checked
            self._change()

    @property
    def pipeline(self) -> Pipeline:
        """The stages as they are now; a setting of one of them that was changed makes a new native program."""
        return self._looked_at().pipeline

    def _looked_at(self) -> _State:
        """The state as the settings of the stages are now."""
        state = self._state
        if state.revision == revision():
            return state
        now = _State.of(state.pipeline)
        if now.settings != state.settings:
            now = _State.of(replace(state.pipeline))  # without what was made of the old settings
        else:
            now.readings.update(state.readings)  # another tokenizer's stage was changed, or the decoder
        with self._lock:
            if self._state is state:
                self._state = now
                self._sha256 = None
                return now
        return self._looked_at()  # another thread has set a stage meanwhile

    def add_tokens(self, tokens: Iterable[str | AddedToken]) -> int:
        """Add tokens that are found in text as a whole; returns how many were new."""
        return self._add(tokens, special=False)

    def add_special_tokens(self, tokens: Iterable[str | AddedToken]) -> int:
        """Add tokens that are the model's own marks; returns how many were new."""
        return self._add(tokens, special=True)

    def _add(self, tokens: Iterable[str | AddedToken], *, special: bool) -> int:
        if isinstance(tokens, str | Mapping) or not isinstance(tokens, Iterable):
            raise WrongTypeError(f"the tokens to add are {a_kind(tokens)}", allowed="a list of str or AddedToken")
        wanted = [AddedVocabulary.of(token, special=special) for token in tokens]
        with self._lock:
            vocabulary = self._added.copy()  # threads that encode meanwhile have the one there was
            added = vocabulary.add(wanted, self.model)
            self._added = vocabulary
            self._change()
        return added

    def get_added_tokens_decoder(self) -> dict[int, AddedToken]:
        """The added tokens by id."""
        return {number: token.copy() for number, token in sorted(self._added.by_id.items())}

    def get_vocab(self, with_added_tokens: bool = True) -> dict[str, int]:
        """Piece → id."""
        return {**self.model.get_vocab(), **(self._added.ids if with_added_tokens else {})}

    def get_vocab_size(self, with_added_tokens: bool = True) -> int:
        """How many pieces there are."""
        return len(self.get_vocab()) if with_added_tokens else self.model.get_vocab_size()

    def token_to_id(self, token: str) -> int | None:
        """The id of a piece, or None."""
        if not isinstance(token, str):
            raise WrongTypeError(f"a piece is {token!r:.40}", allowed="a str")
        return self._added.token_to_id(token, self.model)

    def id_to_token(self, id: int) -> str | None:
        """The piece of an id, or None; an added token that is looked for in normalized text comes as it reads there."""
        if not hasattr(id, "__index__") or id < 0:
            raise InputError(f"an id is {id!r:.40}", allowed="a whole number, 0 or more")
        added = self._added.by_id.get(id)
        if added is None:
            return self.model.id_to_token(id)
        return self.pipeline.normalized_tokens.get(id, added.content)

    def is_special(self, token: str) -> bool:
        """Whether decoding leaves this piece out, unless it is told not to."""
        return self._added.is_special(token)

    def id_to_bytes(self, id: int) -> bytes:
        """The bytes a piece stands for; nothing for a special token.

        Raises
        ------
        InputError
            when no piece has this id.
        """
        if self.id_to_token(id) is None:
            raise InputError(f"no piece has the id {id}", allowed=f"0 to {self.pipeline.max_id}")
        return self.piece_bytes(id, skip_special=True) or b""

    def piece_bytes(self, id: int, *, skip_special: bool) -> bytes | None:
        """The bytes an id adds to decoded text; None for an id that adds nothing."""
        piece = self.id_to_token(id)
        if piece is None or (skip_special and self._added.is_special(piece)):
            return None
        return piece.encode() if self._decoder is None else self._decoder.bytes_of(piece)
