"""Sources in, targets out, with what is to be known of each: its score, and which token came from which.

What enters: a run of an encoder and decoder, and texts. What leaves: translations in the order of the sources.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textpipe.encoding.visible import visible, visible_bytes
from textpipe.errors import ConfigError, InputError
from textpipe.generation.attended import alignment, attended
from textpipe.generation.beam import BeamConfig
from textpipe.generation.decoding import TextWriter
from textpipe.nn.shapes import Seq2SeqConfig, TransformerConfig

if TYPE_CHECKING:
    from textpipe.formats.translation_folders import Languages
    from textpipe.generation.beam import Hypothesis
    from textpipe.tokenizer import Tokenizer

__all__ = ["Alignment", "Translation", "Translator"]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Tokens of both sides, which of the source each of the target is aligned with, and every pair's share.

    Tokens are given as they read: blanks are seen, bytes that are only part of a character are in hexadecimal. The last
    token of each side is its end; ``pairs`` have the tokens before it alone.
    """

    source_tokens: list[str]
    target_tokens: list[str]
    pairs: list[tuple[int, int]]
    shares: list[list[float]]

    def __str__(self) -> str:
        return " ".join(f"{one}-{other}" for one, other in self.pairs)


@dataclass(frozen=True, slots=True)
class Translation:
    """A target, the score its search gave it, and its alignment where that was asked for.

    ``num_cut`` tokens of the source were not read.
    """

    source: str
    text: str
    score: float
    alignment: Alignment | None = None
    num_cut: int = 0

    def as_json(self) -> dict[str, Any]:
        """All but the shares."""
        found: dict[str, Any] = {"source": self.source, "text": self.text, "score": round(self.score, 6)}
        if self.alignment is not None:
            found |= {"source_tokens": self.alignment.source_tokens, "target_tokens": self.alignment.target_tokens}
            found["alignment"] = self.alignment.pairs
        if self.num_cut:
            found["num_cut"] = self.num_cut
        return found


class Translator:
    """An encoder and decoder with its tokenizers.

    Parameters
    ----------
    model : a Transformer or a recurrent model, not in training.
    tokenizer : of the targets.
    borders : what stands around texts, see :class:`~textpipe.generation.TextWriter`.

    Raises
    ------
    ConfigError
        for a model of another kind.

    Examples
    --------
    >>> translator = Translator.open("run")  # doctest: +SKIP
    >>> translator.translate(["바다는 넓다"])[0].text  # doctest: +SKIP
    'the sea is wide'
    """

    def __init__(self, model: Any, tokenizer: Tokenizer, **borders: Any) -> None:
        if not isinstance(model.config, TransformerConfig | Seq2SeqConfig):
            raise ConfigError(
                "this model writes no targets of sources",
                allowed="what textpipe train transformer or seq2seq wrote",
                hint="textpipe generate goes on from prompts",
            )
        self.model, self.tokenizer = model, tokenizer
        self.source_tokenizer: Tokenizer = borders.get("source_tokenizer") or tokenizer
        self.writer = TextWriter(model, tokenizer, **borders)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        best: bool = False,
        average: int = 1,
        device: str = "cpu",
        languages: Languages = (None, None),
    ) -> Translator:
        """The model of a run, a checkpoint or an exported folder; see :func:`~textpipe.training.load_model`."""
        from textpipe.training.loading import load_model

        model, tokenizer, facts = load_model(path, best=best, average=average, device=device, languages=languages)
        return cls(model, tokenizer, **facts["borders"])

    def check(self, sources: Sequence[str], *, unit: str = "source", first: int = 1) -> None:
        """See that the model can read each source; those of white space alone are passed over.

        Raises
        ------
        InputError
            naming the first that is too long by its number, from ``first`` on, as what ``unit`` calls it.
        """
        context = self.model.config.context
        kept = [(number, text) for number, text in enumerate(sources, first) if text.strip()]
        rows = self.writer.rows([text for _, text in kept])
        for (number, _), row in zip(kept, rows, strict=True):
            if len(row) > context:
                raise InputError(
                    f"{len(row):,} tokens",
                    where=f"{unit} {number}",
                    allowed=f"{context:,}, the model's context",
                    hint="shorten it, or let what fits be read (--cut)",
                )

    def translate(
        self,
        sources: Sequence[str],
        config: BeamConfig | None = None,
        *,
        batch_size: int = 32,
        aligned: bool = False,
        cut: bool = False,
    ) -> list[Translation]:
        """The target of each source.

        Parameters
        ----------
        config : the search; four beams when absent.
        batch_size : sources of like length that are translated together.
        aligned : also say which token came from which, which takes one more pass a source.
        cut : of a source longer than the model's context the first tokens are read, instead of refusing it.

        Raises
        ------
        InputError
            when a source is longer than the model's context, without ``cut``.
        ConfigError
            when alignments are asked of a model without attention.
        """
        config = config or BeamConfig(max_tokens=self.model.config.context)
        found = self.writer.search(sources, config, batch_size=batch_size, cut=cut)
        over = [max(0, len(row) - self.model.config.context) for row in self.writer.rows(sources)]
        return [
            Translation(source, text, best.score, self._alignment(source, best) if aligned else None, num_cut)
            for source, (text, best), num_cut in zip(sources, found, over, strict=True)
        ]

    def _alignment(self, source: str, best: Hypothesis) -> Alignment:
        (read,) = self.writer.check([source], cut=True)
        # one that fills the context leaves no place to read its last token from, which then stands for the end
        reread = best.ids[: self.model.config.context - 1]
        shares_TS = attended(self.model, read, [self.writer.begin, *reread])
        written = [*best.ids, self.writer.eos_id][: len(shares_TS)]
        sides = ((self.source_tokenizer, read), (self.tokenizer, written))
        names = [[_reading(tokenizer, number) for number in ids] for tokenizer, ids in sides]
        return Alignment(names[0], names[1], alignment(shares_TS), shares_TS.tolist())


def _reading(tokenizer: Tokenizer, number: int) -> str:
    data = tokenizer.piece_bytes(number, skip_special=True)
    return visible(tokenizer.id_to_token(number) or "") if data is None else visible_bytes(data)
