"""Which configuration of `transformers` is which shape here, family by family.

What enters: a shape of ours, or the config.json of a model of theirs. What leaves: the other. A key that has no place
here must hold the one value that the models here compute with; another value is refused by its name, because the same
weights would then give other numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from textpipe.errors import InputError
from textpipe.formats.fields import Field
from textpipe.interchange.heads import HEADS, head_from, labels_of
from textpipe.interchange.rotary import rotary_from, rotary_to
from textpipe.nn.shapes import (
    BertConfig,
    ClassifierConfig,
    EncoderConfig,
    GptConfig,
    RegressorConfig,
    Seq2SeqConfig,
    SpanFinderConfig,
    TaggerConfig,
    TransformerConfig,
)

__all__ = ["FAMILIES", "M2M100_PAD", "OWN_TYPE", "Family", "Ids", "config_of", "family_of", "shape_from"]

HeadConfig = ClassifierConfig | RegressorConfig | TaggerConfig | SpanFinderConfig
ModelConfig = GptConfig | BertConfig | HeadConfig | TransformerConfig | Seq2SeqConfig

OWN_TYPE = "textpipe-seq2seq"
"""The model_type of a recurrent model: no model of `transformers` is one, so only textpipe reads it."""

M2M100_PAD = 1
"""The id of padding there, wherever the tokenizer has it."""

_NEEDED: Any = object()


class Ids(NamedTuple):
    """The ids of tokens with a part in writing."""

    eos: int
    pad: int
    begin: int


class Key(NamedTuple):
    """One of their keys, ours for it (a name in dots is a value inside an object of theirs), and theirs when absent.

    ``written`` is the property that has the value when ours may be absent.
    """

    theirs: str
    ours: str
    kind: type
    default: Any = _NEEDED
    written: str | None = None


@dataclass(frozen=True, kw_only=True)
class Family:
    """A model of `transformers` and the keys of its config.json.

    ``same`` are keys that must equal another of theirs; ``fixed`` are keys and the values that are computed the same
    here, the first being what is written; ``dropout`` are rates a run may choose anew.
    """

    architecture: str
    shape: type[GptConfig | EncoderConfig | TransformerConfig]
    ours: Mapping[str, Any] = field(default_factory=dict)
    keys: tuple[Key, ...]
    same: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    dropout: tuple[str, ...]
    prefix: str
    """What stands before the names of weights, and is missing where only the inner model was saved."""


def _gpt_family(architecture: str, layout: str, inner: tuple[Key, ...], activation: str, **more: Any) -> Family:
    return Family(
        architecture=architecture,
        shape=GptConfig,
        ours={"layout": layout},
        keys=(
            Key("vocab_size", "vocab_size", int),
            Key("n_positions", "context", int),
            Key("n_embd", "width", int),
            Key("n_layer", "layers", int),
            Key("n_head", "heads", int),
            *inner,
            Key("layer_norm_epsilon", "norm_epsilon", float, 1e-5),
            Key("tie_word_embeddings", "tied", bool, True),
        ),
        fixed={activation: more.pop("activations", ("gelu_new", "gelu_pytorch_tanh")), **more},
        dropout=("resid_pdrop", "embd_pdrop", "attn_pdrop"),
        prefix="transformer.",
    )


def _pair_family(
    architecture: str,
    ours: Mapping[str, str],
    more: tuple[Key, ...],
    fixed: Mapping[str, tuple[Any, ...]],
    *,
    is_scaled: bool = False,
) -> Family:
    """``is_scaled`` is what a file without the key means."""
    return Family(
        architecture=architecture,
        shape=TransformerConfig,
        ours=ours,
        keys=(
            *more,
            Key("max_position_embeddings", "context", int),
            Key("d_model", "width", int),
            Key("encoder_layers", "encoder_layers", int),
            Key("decoder_layers", "decoder_layers", int),
            Key("encoder_attention_heads", "heads", int),
            Key("encoder_ffn_dim", "feed_forward", int, written="inner_width"),
            Key("scale_embedding", "scaled_embedding", bool, is_scaled),
        ),
        same={"decoder_attention_heads": "encoder_attention_heads", "decoder_ffn_dim": "encoder_ffn_dim"},
        fixed={"tie_word_embeddings": (True,), **fixed},
        dropout=("dropout", "attention_dropout"),
        prefix="model.",
    )


_GPT2 = _gpt_family(
    "GPT2LMHeadModel",
    "gpt2",
    (Key("n_inner", "feed_forward", int, None, "inner_width"),),
    "activation_function",
    scale_attn_weights=(True,),
    scale_attn_by_inverse_layer_idx=(False,),
    add_cross_attention=(False,),
)
_GPT1 = _gpt_family("OpenAIGPTLMHeadModel", "gpt1", (), "afn", activations=("gelu",))  # theirs calls tanh's that
_LLAMA = Family(
    architecture="LlamaForCausalLM",
    shape=GptConfig,
    ours={"layout": "llama"},
    keys=(
        Key("vocab_size", "vocab_size", int),
        Key("max_position_embeddings", "context", int, 2048),
        Key("hidden_size", "width", int),
        Key("num_hidden_layers", "layers", int),
        Key("num_attention_heads", "heads", int),
        Key("num_key_value_heads", "kv_heads", int, None),
        Key("intermediate_size", "feed_forward", int, written="inner_width"),
        Key("rms_norm_eps", "norm_epsilon", float, 1e-6),
        Key("attention_bias", "bias", bool, False, "has_bias"),
        Key("tie_word_embeddings", "tied", bool, False),
    ),
    same={"mlp_bias": "attention_bias"},
    fixed={"hidden_act": ("silu",), "pretraining_tp": (1,)},
    dropout=("attention_dropout",),
    prefix="model.",
)
_BERT = Family(
    architecture="BertForMaskedLM",
    shape=EncoderConfig,
    keys=(
        Key("vocab_size", "vocab_size", int),
        Key("max_position_embeddings", "context", int),
        Key("hidden_size", "width", int),
        Key("num_hidden_layers", "layers", int),
        Key("num_attention_heads", "heads", int),
        Key("intermediate_size", "feed_forward", int, written="inner_width"),
        Key("type_vocab_size", "segment_types", int, 2),
        Key("layer_norm_eps", "norm_epsilon", float, 1e-12),
    ),
    fixed={
        "hidden_act": ("gelu",),
        "position_embedding_type": ("absolute",),
        "tie_word_embeddings": (True,),
        "is_decoder": (False,),
        "add_cross_attention": (False,),
    },
    dropout=("hidden_dropout_prob", "attention_probs_dropout_prob"),
    prefix="bert.",
)
_MARIAN = _pair_family(
    "MarianMTModel",
    {"layout": "post"},
    (
        Key("vocab_size", "source_vocab_size", int),
        Key("decoder_vocab_size", "vocab_size", int, None),
    ),
    {},
)
_M2M100 = _pair_family(
    "M2M100ForConditionalGeneration",
    {"layout": "pre", "positions": "fairseq"},
    (Key("vocab_size", "vocab_size", int),),
    {"pad_token_id": (M2M100_PAD,)},  # positions are counted from behind it
    is_scaled=True,
)
_PEGASUS = _pair_family(
    "PegasusForConditionalGeneration",
    {"layout": "pre", "positions": "vaswani"},
    (Key("vocab_size", "vocab_size", int),),
    {},
)

_ACTIVATIONS = {"relu": "relu", "gelu": "gelu", "silu": "silu", "swish": "silu"}  # of pairs; theirs → ours

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "gpt2": _GPT2,
        "openai-gpt": _GPT1,
        "llama": _LLAMA,
        "bert": _BERT,
        "marian": _MARIAN,
        "pegasus": _PEGASUS,
        "m2m_100": _M2M100,
    }
)


def family_of(shape: ModelConfig) -> tuple[str, Family]:
    """The model_type and family of a shape.

    Raises
    ------
    InputError
        when no family computes what a model of this shape does.
    """
    for name, family in FAMILIES.items():
        if isinstance(shape, family.shape) and all(getattr(shape, key) == value for key, value in family.ours.items()):
            _check_exportable(shape, family)
            return name, family
    raise InputError(f"no family of transformers is a {type(shape).__name__}")


def _check_exportable(shape: ModelConfig, family: Family) -> None:
    if isinstance(shape, TransformerConfig) and shape.layout == "pre" and shape.source_vocab_size is not None:
        raise InputError(
            "transformers has no model with layout pre and two vocabularies",
            hint="train with layout post (MarianMTModel has two), or with one vocabulary for both sides",
        )
    if family is _M2M100 and getattr(shape, "head_bias", False):
        raise InputError("M2M100ForConditionalGeneration has no head_bias", hint="train with positions vaswani")
    inner = getattr(shape, "inner_width", None)
    if family is _GPT1 and inner != 4 * shape.width:
        raise InputError(
            f"a feed_forward of {inner} has no place in OpenAIGPTLMHeadModel", allowed="4 · width", hint="train gpt2"
        )


def config_of(shape: ModelConfig, ids: Ids) -> dict[str, Any]:
    """The config.json of a shape; reading it back with :func:`shape_from` gives the shape."""
    if isinstance(shape, Seq2SeqConfig):
        own = shape.model_dump(mode="json")
        return {"model_type": OWN_TYPE, **own, "eos_token_id": ids.eos, "decoder_start_token_id": ids.begin}
    model_type, family = family_of(shape)
    made: dict[str, Any] = {"model_type": model_type, "architectures": [_architecture(shape, family)]}
    for key in family.keys:
        _put(made, key.theirs, getattr(shape, key.written or key.ours))
    if family is _MARIAN:
        made["share_encoder_decoder_embeddings"] = getattr(shape, "source_vocab_size", None) is None
        made["vocab_size"] = made["vocab_size"] or shape.vocab_size
    if isinstance(shape, GptConfig) and family is _LLAMA:
        made["num_key_value_heads"] = made["num_key_value_heads"] or made["num_attention_heads"]
        made["rope_parameters"] = rotary_to(shape)
    if isinstance(shape, TransformerConfig):
        made["activation_function"] = shape.activation
    made |= {theirs: made[other] for theirs, other in family.same.items()}
    for theirs, values in family.fixed.items():
        _put(made, theirs, values[0])
    made |= dict.fromkeys(family.dropout, shape.dropout) | labels_of(shape)
    if family.shape is TransformerConfig:
        made |= {"decoder_start_token_id": ids.begin, "is_encoder_decoder": True, "activation_dropout": 0.0}
        made |= {"encoder_layerdrop": 0.0, "decoder_layerdrop": 0.0, "forced_eos_token_id": None}
    ends = {"bos_token_id": ids.eos, "eos_token_id": ids.eos, "pad_token_id": ids.pad}
    return {**made, **ends, "dtype": "float32"}


def _architecture(shape: ModelConfig, family: Family) -> str:
    if isinstance(shape, BertConfig) and shape.next_sentence:
        return "BertForPreTraining"
    return HEADS.get(type(shape), family.architecture)


def _put(made: dict[str, Any], dotted: str, value: Any) -> None:
    outer, _, inner = dotted.rpartition(".")
    (made.setdefault(outer, {}) if outer else made)[inner] = value


def _find(config: Field, dotted: str) -> Field | None:
    outer, _, inner = dotted.rpartition(".")
    inside = config.part(outer, required=False) if outer else config
    if inside is None or inside.value is None:
        return None
    return inside.part(inner, required=False)


def shape_from(config: Field) -> tuple[ModelConfig, Family | None]:
    """The shape that a config.json describes, and its family; None for a recurrent model of our own.

    Raises
    ------
    FormatError
        naming the key, when one is missing or asks for something the models here do not compute.
    """
    name = config.need("model_type")
    if name.value == OWN_TYPE:
        return _own_shape(config), None
    family = FAMILIES.get(name.of(str))
    if family is None:
        name.fail(f'is "{name.value}", a family that is not known here', allowed=", ".join((*FAMILIES, OWN_TYPE)))
    _check_fixed(config, family)
    found: dict[str, Any] = dict(family.ours)
    for key in family.keys:
        found[key.ours] = _value(config, key)
    if family is _LLAMA:
        _check_head_width(config, found)
        found |= rotary_from(config)
    if family is _MARIAN:
        found |= _vocabularies(config, found)
    if family.shape is TransformerConfig:
        found["activation"] = _activation(config)
    rate = config.part(family.dropout[0], required=False)
    found["dropout"] = 0.0 if rate is None else rate.of(float)
    if family is _BERT:
        kind, more = head_from(config, config.get("architectures", list, None, nullable=True) or [])
        return kind(**found, **more), family  # type: ignore[return-value]
    return family.shape(**found), family  # type: ignore[return-value]


def _value(config: Field, key: Key) -> Any:
    part = _find(config, key.theirs)
    if part is None:
        if key.default is _NEEDED:
            config.need(key.theirs)
        return key.default
    return None if part.value is None and key.default is None else part.of(key.kind)


def _check_fixed(config: Field, family: Family) -> None:
    for dotted, values in family.fixed.items():
        part = _find(config, dotted)
        if part is not None and part.value not in values:
            part.fail(f"is {part.value!r}, which is not computed here", allowed=" or ".join(repr(v) for v in values))
    for theirs, other in family.same.items():
        one, two = config.part(theirs, required=False), config.part(other, required=False)
        if one is not None and one.value != (two.value if two is not None else False):
            one.fail(f"is {one.value!r} and differs from {other}: here both are one")


def _check_head_width(config: Field, found: Mapping[str, Any]) -> None:
    width = config.part("head_dim", required=False)
    if width is not None and width.value not in (None, found["width"] // max(1, found["heads"])):
        width.fail(f"is {width.value!r}", allowed="hidden_size / num_attention_heads")


def _activation(config: Field) -> str:
    theirs = config.need("activation_function")
    if theirs.value not in _ACTIVATIONS:
        allowed = " or ".join(repr(name) for name in _ACTIVATIONS)
        theirs.fail(f"is {theirs.value!r}, which is not computed here", allowed=allowed)
    return _ACTIVATIONS[theirs.value]


def _vocabularies(config: Field, found: Mapping[str, Any]) -> dict[str, Any]:
    """Marian's sizes: ours is the target's, and the source has its own only where they are not shared."""
    source, target = found["source_vocab_size"], found["vocab_size"] or found["source_vocab_size"]
    if config.get("share_encoder_decoder_embeddings", bool, True):
        if source != target:
            config.need("decoder_vocab_size").fail("differs from vocab_size, though the embeddings are shared")
        source = None
    return {"source_vocab_size": source, "vocab_size": target}


def _own_shape(config: Field) -> Seq2SeqConfig:
    keys = {key: value for key, value in config.of(dict).items() if key in Seq2SeqConfig.model_fields}
    return Seq2SeqConfig(**keys)
