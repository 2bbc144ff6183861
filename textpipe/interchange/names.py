"""Which parameter of a `transformers` model is which of ours, family by family.

What enters: the configuration of one of our models. What leaves: pairs of names, in the order of the model. A matrix of
theirs may stand for several of ours one above the other (GPT-2's queries, keys and values), and may be stored with its
axes the other way round. :func:`to_theirs` and :func:`from_theirs` turn whole sets of weights, and lose nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch

from textpipe.errors import InputError
from textpipe.nn.shapes import (
    BertConfig,
    ClassifierConfig,
    EncoderConfig,
    GptConfig,
    RegressorConfig,
    SpanFinderConfig,
    TransformerConfig,
)

__all__ = ["LOGITS_BIAS", "POOLER", "Pair", "encoder_pairs", "from_theirs", "pairs", "to_theirs"]

ModelConfig = GptConfig | EncoderConfig | TransformerConfig
LOGITS_BIAS = "final_logits_bias"
"""What Marian and Pegasus add to the logits: zeros in most folders, and then nothing here."""


class Pair(NamedTuple):
    """One parameter of theirs and what it is here."""

    theirs: str
    ours: tuple[str, ...]
    turned: bool = False
    is_row: bool = False
    """Stored as a matrix of one row."""


_WEIGHT_AND_BIAS = ("weight", "bias")


def _layer(
    theirs: str, ours: str, parts: Mapping[str, str | tuple[str, ...]], kinds: tuple[str, ...], *, turned: bool = False
) -> Iterator[Pair]:
    for their_part, our_parts in parts.items():
        names = (our_parts,) if isinstance(our_parts, str) else our_parts
        is_norm = names[0].endswith("norm")
        for kind in kinds:
            yield Pair(
                f"{theirs}.{their_part}.{kind}",
                tuple(f"{ours}.{name}.{kind}".removeprefix(".") for name in names),
                turned and kind == "weight" and not is_norm,
            )


_QUERY_KEY_VALUE = ("attention.query", "attention.key", "attention.value")
_GPT_BLOCK: Mapping[str, str | tuple[str, ...]] = {
    "ln_1": "attention_norm",
    "attn.c_attn": _QUERY_KEY_VALUE,
    "attn.c_proj": "attention.output",
    "ln_2": "feed_forward_norm",
    "mlp.c_fc": "feed_forward.up",
    "mlp.c_proj": "feed_forward.down",
}
_LLAMA_NORMS = {"input_layernorm": "attention_norm", "post_attention_layernorm": "feed_forward_norm"}
_LLAMA_BLOCK = {
    "self_attn.q_proj": "attention.query",
    "self_attn.k_proj": "attention.key",
    "self_attn.v_proj": "attention.value",
    "self_attn.o_proj": "attention.output",
    "mlp.gate_proj": "feed_forward.gate",
    "mlp.up_proj": "feed_forward.up",
    "mlp.down_proj": "feed_forward.down",
}
_BERT_BLOCK = {
    "attention.self.query": "attention.query",
    "attention.self.key": "attention.key",
    "attention.self.value": "attention.value",
    "attention.output.dense": "attention.output",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "feed_forward.up",
    "output.dense": "feed_forward.down",
    "output.LayerNorm": "feed_forward_norm",
}


def _attention(theirs: str, ours: str) -> dict[str, str]:
    parts = {"q_proj": "query", "k_proj": "key", "v_proj": "value", "out_proj": "output"}
    return {f"{theirs}.{name}": f"{ours}.{part}" for name, part in parts.items()}


_ENCODER_BLOCK = {
    **_attention("self_attn", "attention"),
    "self_attn_layer_norm": "attention_norm",
    "fc1": "feed_forward.up",
    "fc2": "feed_forward.down",
    "final_layer_norm": "feed_forward_norm",
}
_DECODER_BLOCK = {
    **_ENCODER_BLOCK,
    **_attention("encoder_attn", "source_attention"),
    "encoder_attn_layer_norm": "source_norm",
}


def pairs(config: ModelConfig) -> list[Pair]:
    """Every parameter of the model, by both names.

    Examples
    --------
    >>> pairs(GptConfig(vocab_size=10, layers=1))[0]
    Pair(theirs='transformer.wte.weight', ours=('token_embedding.weight',), turned=False, is_row=False)
    """
    if isinstance(config, EncoderConfig):
        return [*encoder_pairs(config), *_bert_head(config)]
    if isinstance(config, TransformerConfig):
        return list(_transformer(config))
    return list(_llama(config) if config.layout == "llama" else _gpt(config))


def _gpt(config: GptConfig) -> Iterator[Pair]:
    tokens, positions = ("wte", "wpe") if config.layout == "gpt2" else ("tokens_embed", "positions_embed")
    yield Pair(f"transformer.{tokens}.weight", ("token_embedding.weight",))
    yield Pair(f"transformer.{positions}.weight", ("position_embedding.weight",))
    for layer in range(config.layers):
        yield from _layer(f"transformer.h.{layer}", f"blocks.{layer}", _GPT_BLOCK, _WEIGHT_AND_BIAS, turned=True)
    if config.layout == "gpt2":
        yield from _layer("transformer", "", {"ln_f": "final_norm"}, _WEIGHT_AND_BIAS)
    if not config.tied:
        yield Pair("lm_head.weight", ("head.weight",))


def _llama(config: GptConfig) -> Iterator[Pair]:
    yield Pair("model.embed_tokens.weight", ("token_embedding.weight",))
    kinds = _WEIGHT_AND_BIAS if config.has_bias else ("weight",)
    for layer in range(config.layers):
        yield from _layer(f"model.layers.{layer}", f"blocks.{layer}", _LLAMA_NORMS, ("weight",))
        yield from _layer(f"model.layers.{layer}", f"blocks.{layer}", _LLAMA_BLOCK, kinds)
    yield Pair("model.norm.weight", ("final_norm.weight",))
    if not config.tied:
        yield Pair("lm_head.weight", ("head.weight",))


def encoder_pairs(config: EncoderConfig) -> Iterator[Pair]:
    """The embeddings and blocks of a BERT, whatever stands on them."""
    for theirs, ours in (("word", "token"), ("position", "position"), ("token_type", "segment")):
        yield Pair(f"bert.embeddings.{theirs}_embeddings.weight", (f"{ours}_embedding.weight",))
    yield from _layer("bert.embeddings", "", {"LayerNorm": "embedding_norm"}, _WEIGHT_AND_BIAS)
    for layer in range(config.layers):
        yield from _layer(f"bert.encoder.layer.{layer}", f"blocks.{layer}", _BERT_BLOCK, _WEIGHT_AND_BIAS)


POOLER = tuple(_layer("bert", "", {"pooler.dense": "pooler"}, _WEIGHT_AND_BIAS))


def _bert_head(config: EncoderConfig) -> Iterator[Pair]:
    if not isinstance(config, BertConfig):
        if isinstance(config, ClassifierConfig | RegressorConfig):
            yield from POOLER
        theirs, ours = ("qa_outputs", "ends") if isinstance(config, SpanFinderConfig) else ("classifier", "classifier")
        yield from (Pair(f"{theirs}.{kind}", (f"{ours}.{kind}",)) for kind in _WEIGHT_AND_BIAS)
        return
    if config.next_sentence:
        yield from POOLER
        yield from _layer("cls", "", {"seq_relationship": "next_sentence"}, _WEIGHT_AND_BIAS)
    head = {"dense": "transform", "LayerNorm": "transform_norm"}
    yield from _layer("cls.predictions.transform", "", head, _WEIGHT_AND_BIAS)
    yield Pair("cls.predictions.bias", ("head_bias",))


def _transformer(config: TransformerConfig) -> Iterator[Pair]:
    if config.source_vocab_size is None:
        yield Pair("model.shared.weight", ("embedding.weight",))
    else:
        yield Pair("model.encoder.embed_tokens.weight", ("source_embedding.weight",))
        yield Pair("model.decoder.embed_tokens.weight", ("embedding.weight",))
    for side, count, parts in (
        ("encoder", config.encoder_layers, _ENCODER_BLOCK),
        ("decoder", config.decoder_layers, _DECODER_BLOCK),
    ):
        for layer in range(count):
            yield from _layer(f"model.{side}.layers.{layer}", f"{side}.{layer}", parts, _WEIGHT_AND_BIAS)
        if config.layout == "pre":
            yield from _layer(f"model.{side}", "", {"layer_norm": f"{side}_norm"}, _WEIGHT_AND_BIAS)
    if config.head_bias:
        yield Pair(LOGITS_BIAS, ("head_bias",), is_row=True)


def to_theirs(config: ModelConfig, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Our weights under their names and in their shapes. A bias that they always have and ours does not is zero."""
    made = {}
    for theirs, ours, turned, is_row in pairs(config):
        whole = torch.cat([_weight(state, name) for name in ours])
        made[theirs] = whole[None] if is_row else (whole.T if turned else whole).contiguous()
    if isinstance(config, RegressorConfig):  # theirs has no unit beside the weights
        made["classifier.weight"] = made["classifier.weight"] * config.spread
        made["classifier.bias"] = made["classifier.bias"] * config.spread + config.mean
    return made


def _weight(state: Mapping[str, torch.Tensor], name: str) -> torch.Tensor:
    if name in state or not name.endswith(".bias"):
        return state[name]
    beside = state[name.removesuffix("bias") + "weight"]
    return beside.new_zeros(len(beside))


def from_theirs(
    config: ModelConfig, state: Mapping[str, torch.Tensor], shapes: Mapping[str, torch.Size]
) -> dict[str, torch.Tensor]:
    """Their weights under our names; ``shapes`` are those of our parameters.

    Raises
    ------
    InputError
        when one is missing or has another shape.
    """
    made: dict[str, torch.Tensor] = {}
    for theirs, ours, turned, is_row in pairs(config):
        found = state.get(theirs)
        if found is None:
            raise InputError(f"the weights have no {theirs}")
        whole = found.T if turned else found.flatten() if is_row else found
        sizes = [shapes[name][0] for name in ours]
        if whole.shape != (sum(sizes), *shapes[ours[0]][1:]):
            expected = [sum(sizes), *shapes[ours[0]][1:]]
            raise InputError(
                f"{theirs} has the shape {list(found.shape)}", allowed=str(expected[:: -1 if turned else 1])
            )
        made |= {name: part.contiguous() for name, part in zip(ours, torch.split(whole, sizes), strict=True)}
    return made
