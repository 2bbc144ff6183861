"""The model of a shape.

What enters: one of the configurations of :mod:`textpipe.nn.shapes`. What leaves: a model of that shape, with its first
weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textpipe.nn import bert, bert_heads, bilingual, gpt, seq2seq, shapes, transformer

if TYPE_CHECKING:
    from torch import nn

__all__ = ["new_model"]

_KINDS: dict[type[Any], Any] = {
    shapes.GptConfig: gpt.GPT,
    shapes.BertConfig: bert.BERT,
    shapes.ClassifierConfig: bert_heads.SequenceClassifier,
    shapes.RegressorConfig: bert_heads.SequenceRegressor,
    shapes.TaggerConfig: bert_heads.TokenClassifier,
    shapes.SpanFinderConfig: bert_heads.SpanFinder,
    shapes.BilingualConfig: bilingual.Bilingual,
    shapes.TransformerConfig: transformer.Transformer,
    shapes.Seq2SeqConfig: seq2seq.Seq2Seq,
}


def new_model(
    shape: shapes.GptConfig | shapes.EncoderConfig | shapes.TransformerConfig | shapes.Seq2SeqConfig, *, seed: int = 0
) -> nn.Module:
    """A model of this shape; the same seed gives the same first weights.

    Examples
    --------
    >>> type(new_model(shapes.GptConfig(vocab_size=10, width=8, heads=2))).__name__
    'GPT'
    """
    made: nn.Module = _KINDS[type(shape)](shape, seed=seed)
    return made
