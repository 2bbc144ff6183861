"""A conversation with a model: messages in, answers out, with what was said before.

What enters: a model of pairs (questions and answers), or a decoder trained on texts in which a special token stands
before what each side says. What leaves: answers, piece by piece as they are written. What a person writes is text
whatever it looks like: it never becomes a special token, and so cannot speak for the other side.

A decoder reads the newest turns that leave room for an answer. A model of pairs reads the message alone, or as many
turns before it as the sources had that it was trained on, each text with what ends it, as they have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from textpipe.errors import ConfigError, InputError
from textpipe.generation.decoding import TextWriter
from textpipe.generation.sampling import SamplingConfig
from textpipe.nn.shapes import GptConfig
from textpipe.tokenizer.special_text import Special, Text

if TYPE_CHECKING:
    from textpipe.tokenizer import Tokenizer

__all__ = ["Conversation", "Roles", "Turn"]


class Roles(NamedTuple):
    """The special tokens that stand before what each side says."""

    user: str = "<|user|>"
    assistant: str = "<|assistant|>"


class Turn(NamedTuple):
    """A message and its answer."""

    message: str
    answer: str


class Conversation:
    """One conversation; ``turns`` is what was said so far.

    Parameters
    ----------
    model : a GPT, a Transformer or a recurrent model, not in training.
    tokenizer : its own.
    roles : of a GPT: the tokens that stand before messages and answers.
    history : most turns before a message that are read with it; when absent, of a GPT all that fit, of others as many
        as sources had.
    learnt_history : of a model of pairs: the most turns that sources had before a message.
    borders : what stands around texts, see :class:`~textpipe.generation.TextWriter`.

    Raises
    ------
    ConfigError
        when a GPT's vocabulary has no such tokens, the model writes nothing, or it is to read more turns than sources
        had: it would take them for one message.

    Examples
    --------
    >>> model, tokenizer, facts = load_model("run")  # doctest: +SKIP
    >>> talk = Conversation(model, tokenizer, **facts["borders"])  # doctest: +SKIP
    >>> "".join(talk.answer("오늘 날씨 좋다"))  # doctest: +SKIP
    '산책 가기 좋은 날이네요.'
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        *,
        roles: Roles | None = None,
        history: int | None = None,
        learnt_history: int = 0,
        **borders: Any,
    ) -> None:
        self.turns: list[Turn] = []
        self._is_decoder = isinstance(model.config, GptConfig)
        most = 1 << 30 if self._is_decoder else learnt_history
        if history is not None and history > most:
            raise ConfigError(
                f"{history} turns before a message",
                where="history",
                allowed=f"{most}, as this model was trained on",
                hint="textpipe pack-pairs --history makes sources of dialogues",
            )
        self._history = most if history is None else history
        self._roles = roles or Roles()
        self._model, self._tokenizer = model, tokenizer
        if self._is_decoder:
            absent = [name for name in self._roles if tokenizer.token_to_id(name) is None]
            if absent:
                raise ConfigError(
                    f"the vocabulary has no token {absent[0]}",
                    hint="train it with --special-token for both sides, on texts in which they stand before each turn",
                )
        # an answer also ends where a GPT would go on as the person it talks with
        own = tokenizer.token_to_id(self._roles.user) if self._is_decoder else None
        self._ends = () if own is None else (own,)
        self._writer = TextWriter(model, tokenizer, **borders)

    def answer(self, message: str, config: SamplingConfig | None = None) -> Iterator[str]:
        """Answer a message, piece by piece; when all was written, the turn is part of the conversation.

        Raises
        ------
        InputError
            for an empty message, or one that leaves no room for an answer.
        """
        if not message.strip():
            raise InputError("an empty message")
        config = config or SamplingConfig()
        ids = self._read(message, config)
        pieces = []
        for piece in self._writer.stream_ids(ids, config, ends=self._ends):
            pieces.append(piece)
            yield piece
        self.turns.append(Turn(message, "".join(pieces)))

    def _read(self, message: str, config: SamplingConfig) -> list[int]:
        """What the model reads: the message after the newest turns that there is room for."""
        before = self.turns[-self._history :] if self._history else []
        context = self._model.config.context
        room = context - min(config.max_tokens, context // 2) if self._is_decoder else context
        while True:
            ids = self._ids(before, message)
            if len(ids) <= room:
                return ids
            if not before:
                raise InputError(
                    f"a message of {len(ids)} tokens leaves no room for an answer",
                    allowed=f"{room}, of a context of {context}",
                    hint="shorten it",
                )
            before = before[1:]

    def _ids(self, before: list[Turn], message: str) -> list[int]:
        if not self._is_decoder:
            return self._writer.row_of_turns([text for turn in before for text in turn] + [message])
        user, assistant = self._roles
        segments: list[Special | Text] = []
        for turn in before:
            segments += [Special(user), Text(turn.message), Special(assistant), Text(turn.answer)]
        segments += [Special(user), Text(message), Special(assistant)]
        return [self._writer.begin, *self._tokenizer.encode_segments(segments).ids]
