"""The model of a shape.

What enters: one of the configurations of :mod:`textpipe.nn.shapes`. What leaves: a model of that shape, with its first
weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textpipe.nn import bert, gpt, seq2seq, transformer

if TYPE_CHECKING:
    from torch import nn

__all__ = ["new_model"]

_KINDS: dict[type[Any], Any] = {
    gpt.GptConfig: gpt.GPT,
    bert.BertConfig: bert.BERT,
    transformer.TransformerConfig: transformer.Transformer,
    seq2seq.Seq2SeqConfig: seq2seq.Seq2Seq,
}


def new_model(
    shape: gpt.GptConfig | bert.BertConfig | transformer.TransformerConfig | seq2seq.Seq2SeqConfig, *, seed: int = 0
) -> nn.Module:
    """A model of this shape; the same seed gives the same first weights.

    Examples
    --------
    >>> type(new_model(gpt.GptConfig(vocab_size=10, width=8, heads=2))).__name__
    'GPT'
    """
    made: nn.Module = _KINDS[type(shape)](shape, seed=seed)
    return made
