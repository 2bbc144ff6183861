"""A step of writing without a framework: one token more of a few texts, by native code that reads a model's weights.

What enters: a GPT or Transformer, and step by step a token of each row and what was read before. What leaves: hidden
states, as the model's own methods give them up to rounding. A step of a small model is some sixty products of a few
microseconds, between which torch takes longer than for them; here they follow each other. The modules stay the
definition: this is a table of where their weights lie, made anew for each writing, and whatever is not just as they are
(other types or devices, autocast, gradients, dropout, parts with hooks or put in their places) is left to them.

Axes: B row, K width of a head, D model width.
"""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import nn

from textpipe.core._decoder_step import DecoderStep, SourceStates
from textpipe.nn.activations import ACTIVATIONS
from textpipe.nn.attention import Attention, KeyValueCache, rotary_steps
from textpipe.nn.bilingual import Bilingual
from textpipe.nn.blocks import Block, DecoderBlock, FeedForward, GatedFeedForward
from textpipe.nn.gpt import GPT
from textpipe.nn.transformer import Source, Transformer

__all__ = ["NativeStep"]

_BLOCKS = (Block, DecoderBlock, Attention, FeedForward, GatedFeedForward)
_LAYERS = (nn.Embedding, nn.Linear, nn.LayerNorm, nn.RMSNorm, nn.Dropout, nn.Identity, nn.ModuleList)
_KNOWN = frozenset((GPT, Transformer, Bilingual, *_BLOCKS, *_LAYERS))
MOST_ROWS = 32
"""With more rows the products are so long that torch's are as fast."""


class NativeStep:
    """The step of one model; see :meth:`of`."""

    def __init__(self, decoder: DecoderStep, width: int) -> None:
        self._decoder, self._width = decoder, width
        self._source: tuple[Source, SourceStates] | None = None

    @classmethod
    def of(cls, model: Any) -> Self | None:
        """The step of a model, which must not be in training; None when only the model itself can do it.

        Examples
        --------
        >>> from textpipe.nn.shapes import GptConfig
        >>> model = GPT(GptConfig(vocab_size=100, context=8, layers=1, heads=2, width=16)).eval()
        >>> step, cache = NativeStep.of(model), model.new_cache(2)
        >>> with torch.no_grad():
        ...     step(torch.tensor([[3], [4]]), cache).shape
        torch.Size([2, 1, 16])
        """
        parts = _parts(model) if type(model) in (GPT, Transformer, Bilingual) else None
        if parts is None:
            return None
        blocks: Any = model.blocks if isinstance(model, GPT) else model.decoder
        bends = {_bend(block.feed_forward) for block in blocks}
        bend = bends.pop()
        if bends or bend is None:
            return None
        decoder = DecoderStep(
            **_gpt(model) if isinstance(model, GPT) else _transformer(model),
            blocks=[_within(parts, block) for block in blocks],
            final_norm=parts.get(model.final_norm if isinstance(model, GPT) else model.decoder_norm),
            heads=model.config.heads,
            bend=bend,
            threads=torch.get_num_threads(),
        )
        return cls(decoder, model.config.width)

    def takes(self, tokens_BT: torch.Tensor) -> bool:
        """Whether these tokens are such a step, and one that is faster here."""
        is_plain = not torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
        return is_plain and tokens_BT.shape[1] == 1 and len(tokens_BT) <= MOST_ROWS

    def __call__(self, tokens_B1: torch.Tensor, cache: KeyValueCache, source: Source | None = None) -> torch.Tensor:
        """Hidden states (B, 1, D) after one token more of each row; the cache grows as the model lets it grow."""
        states_B1D = torch.empty(len(tokens_B1), 1, self._width)
        self._decoder.step(
            tokens_B1[:, 0].contiguous().numpy(),
            cache.kept_2LBGSK.numpy(),
            cache.length,
            states_B1D[:, 0].numpy(),
            padding=None if cache.padding_B is None else cache.padding_B.numpy(),
            source=None if source is None else self._states(source),
        )
        cache.length += 1
        return states_B1D

    def _states(self, source: Source) -> SourceStates:
        """A source as the native code reads it, made once and again when rows of it are chosen."""
        if self._source is None or self._source[0] is not source:
            read = [(keys.numpy(), values.numpy()) for keys, values in source.keys_values]
            self._source = source, SourceStates(read, source.lengths_B.numpy())
        return self._source[1]


def _parts(model: nn.Module) -> dict[nn.Module, tuple[Any, ...]] | None:
    """Of each matrix weight and bias, of each norm also epsilon and whether the mean is subtracted.

    None when a part is not one of the known ones, or not as native code can read it.
    """
    found: dict[nn.Module, tuple[Any, ...]] = {}
    for part in model.modules():
        if type(part) not in _KNOWN or part.training or part._forward_hooks or part._forward_pre_hooks:
            return None
        weights = part._parameters
        if not all(weight is None or _is_readable(weight) for weight in weights.values()):
            return None
        if isinstance(part, nn.Linear):
            found[part] = _array(weights["weight"]), _array(weights["bias"])
        elif isinstance(part, nn.LayerNorm | nn.RMSNorm):
            bias, subtracts_mean = weights.get("bias"), isinstance(part, nn.LayerNorm)
            found[part] = _array(weights["weight"]), _array(bias), part.eps, subtracts_mean
    return found


def _is_readable(weight: torch.Tensor) -> bool:
    is_own = type(weight) in (nn.Parameter, torch.Tensor)
    return is_own and weight.is_cpu and weight.dtype == torch.float32 and weight.is_contiguous()


def _within(parts: dict[nn.Module, tuple[Any, ...]], block: nn.Module) -> dict[str, tuple[Any, ...]]:
    """The parts of a block, by the names they have in it."""
    return {name: parts[part] for name, part in block.named_modules() if part in parts}


def _gpt(model: GPT) -> dict[str, Any]:
    config, places = model.config, model.position_embedding
    turns_K = None
    if places is None:
        turns_K = rotary_steps(config.head_width, config.rope_base, config.rope_scaling)
    return {
        "embedding": _array(model.token_embedding.weight),
        "embedding_scale": 1.0,
        "added": None,
        "positions": None if places is None else _array(places.weight),
        "turns": None if turns_K is None else turns_K.numpy(),
        "kv_heads": config.kv_heads or config.heads,
        "norm_first": config.layout != "gpt1",
    }


def _transformer(model: Transformer) -> dict[str, Any]:
    added_D = None
    if isinstance(model, Bilingual):
        added_D = _array(model.language_embedding.weight[model.direction[1]])
    return {
        "embedding": _array(model.embedding.weight),
        "embedding_scale": model.embedding_scale,
        "added": added_D,
        "positions": _array(model.positions_TD),
        "turns": None,
        "kv_heads": model.config.heads,
        "norm_first": model.config.layout == "pre",
    }


def _bend(feed_forward: FeedForward) -> str | None:
    """The name of what bends a feed-forward layer; None when it is none of those known."""
    names = [name for name, function in ACTIVATIONS.items() if function is feed_forward.activation]
    if isinstance(feed_forward, GatedFeedForward):
        return "swiglu" if "swiglu" in names else None
    return names[0] if names else None


def _array(weight: torch.Tensor | None) -> Any:
    return None if weight is None else weight.detach().numpy()
