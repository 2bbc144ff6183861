"""The shapes of models: what has to be known of one before torch is loaded.

What enters: numbers, from flags or a file. What leaves: checked, comparable configurations. They stand apart from the
models so that a wrong setting is refused at once, without waiting for torch.
"""

from __future__ import annotations

from typing import Literal, Self
from unicodedata import normalize

import pydantic

from textpipe.config import Config, Field

__all__ = [
    "BertConfig",
    "BilingualConfig",
    "ClassifierConfig",
    "EncoderConfig",
    "GptConfig",
    "LabelsConfig",
    "RegressorConfig",
    "RopeScaling",
    "Seq2SeqConfig",
    "SpanFinderConfig",
    "TaggerConfig",
    "TransformerConfig",
]

MAX_ENTRIES, MAX_CONTEXT, MAX_LAYERS, MAX_WIDTH = 1 << 24, 1 << 20, 1024, 1 << 16


class _ModelConfig(Config):
    """What the shapes of all models here share."""

    vocab_size: int = Field(ge=1, le=MAX_ENTRIES, description="entries of the vocabulary, exactly the tokenizer's")
    context: int = Field(256, ge=1, le=MAX_CONTEXT, description="longest sequence, in tokens")
    dropout: float = Field(0.0, ge=0.0, lt=1.0, description="share of activations zeroed while training")


class _AttentionConfig(_ModelConfig):
    heads: int = Field(4, ge=1, le=MAX_LAYERS, description="attention heads of a block")
    width: int = Field(128, ge=1, le=MAX_WIDTH, description="numbers a position is represented by; a multiple of heads")

    @pydantic.model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        return self


def _linear(inner: int, outer: int, *, bias: bool = True) -> int:
    return inner * outer + (outer if bias else 0)


class RopeScaling(Config):
    """How Llama 3.1 and later read further than they were first trained on: slow rotary angles are slowed more.

    An angle that turns fewer than ``low_turns`` times in ``original_context`` positions is divided by ``factor``, one
    that turns more than ``high_turns`` times is kept, and between the two it is divided by something between.
    """

    factor: float = Field(ge=1.0, description="what the slowest angles are divided by")
    low_turns: float = Field(1.0, gt=0.0, description="angles that turn less often are divided by the whole factor")
    high_turns: float = Field(4.0, gt=0.0, description="angles that turn more often are kept")
    original_context: int = Field(ge=1, le=MAX_CONTEXT, description="context of the first training")

    @pydantic.model_validator(mode="after")
    def _low_below_high(self) -> Self:
        if self.low_turns >= self.high_turns:
            raise ValueError(f"low_turns {self.low_turns:g} is not less than high_turns {self.high_turns:g}")
        return self


class GptConfig(_AttentionConfig):
    """The shape of a decoder-only language model.

    ``layout`` is one of three published ones: ``gpt1`` normalises after each part (Radford 2018), ``gpt2`` before it,
    with a last norm on top (GPT-2 and GPT-3), ``llama`` as gpt2 but with rotary positions, root-mean-square norms, a
    gated feed-forward layer and, when ``kv_heads`` is less than ``heads``, shared keys and values (Touvron 2023).

    Examples
    --------
    >>> GptConfig(vocab_size=50257, context=1024, layers=12, heads=12, width=768).num_parameters
    124439808
    """

    layout: Literal["gpt1", "gpt2", "llama"] = Field("gpt2", description="which published arrangement of the parts")
    layers: int = Field(4, ge=1, le=MAX_LAYERS, description="blocks, one on top of the other")
    kv_heads: int | None = Field(
        None, ge=1, description="llama: heads of keys and values; as many as heads when absent"
    )
    feed_forward: int | None = Field(
        None, ge=1, le=MAX_WIDTH * 8, description="inner width of a block; 4 · width, of llama 8/3 · width, when absent"
    )
    bias: bool | None = Field(None, description="linear layers and norms add one; as the layout does when absent")
    tied: bool = Field(True, description="the embedding also turns states into logits")
    rope_base: float = Field(10_000.0, gt=0.0, description="llama: base of the rotary angles")
    rope_scaling: RopeScaling | None = Field(
        None, description="llama: a table of factor, low_turns, high_turns and original_context, as Llama 3.1 has one"
    )
    norm_epsilon: float = Field(1e-5, gt=0.0, description="added to the variance in norms")

    @pydantic.model_validator(mode="after")
    def _check_layout(self) -> Self:
        is_llama = self.layout == "llama"
        for name, default in (("kv_heads", None), ("rope_base", 10_000.0), ("rope_scaling", None)):
            if not is_llama and getattr(self, name) != default:
                raise ValueError(f"{name} belongs to the layout llama, this is {self.layout}")
        if self.kv_heads is not None and self.heads % self.kv_heads:
            raise ValueError(f"heads {self.heads} is not a multiple of kv_heads {self.kv_heads}")
        if is_llama and self.head_width % 2:
            raise ValueError(f"heads of width {self.head_width} have no pairs to rotate: width / heads must be even")
        return self

    @property
    def head_width(self) -> int:
        """Numbers of one attention head."""
        return self.width // self.heads

    @property
    def has_bias(self) -> bool:
        """Whether linear layers (and, but for llama's, norms) add a bias."""
        return self.layout != "llama" if self.bias is None else self.bias

    @property
    def inner_width(self) -> int:
        """Width inside a block's feed-forward layer."""
        if self.feed_forward is not None:
            return self.feed_forward
        # Three matrices of 8/3 · width have the size of two of 4 · width; rounded up to what kernels like.
        return -(-8 * self.width // 3 // 16) * 16 if self.layout == "llama" else 4 * self.width

    @property
    def num_parameters(self) -> int:
        """Trained numbers of the model, a shared embedding counted once."""
        d, bias, is_llama = self.width, self.has_bias, self.layout == "llama"
        norm = d if is_llama or not bias else 2 * d
        kv_width = (self.kv_heads or self.heads) * self.head_width
        attention = 2 * _linear(d, d, bias=bias) + 2 * _linear(d, kv_width, bias=bias)
        up = _linear(d, self.inner_width, bias=bias)
        block = attention + (2 if is_llama else 1) * up + _linear(self.inner_width, d, bias=bias) + 2 * norm
        total = self.layers * block + self.vocab_size * d * (1 if self.tied else 2)
        return total + (0 if is_llama else self.context * d) + (0 if self.layout == "gpt1" else norm)


class EncoderConfig(_AttentionConfig):
    """The shape of an encoder that reads both ways (Devlin 2018), whatever heads stand on it."""

    layers: int = Field(4, ge=1, le=MAX_LAYERS, description="blocks, one on top of the other")
    feed_forward: int | None = Field(None, ge=1, le=MAX_WIDTH * 8, description="inner width of a block; 4 · width")
    segment_types: int = Field(2, ge=1, le=16, description="kinds of segments: the first text, the second")
    norm_epsilon: float = Field(1e-12, gt=0.0, description="added to the variance in norms")

    @property
    def inner_width(self) -> int:
        """Width inside a block's feed-forward layer."""
        return self.feed_forward or 4 * self.width

    @property
    def encoder_parameters(self) -> int:
        """Trained numbers of embeddings and blocks."""
        d, f = self.width, self.inner_width
        block = 4 * _linear(d, d) + _linear(d, f) + _linear(f, d) + 4 * d
        embeddings = (self.vocab_size + self.context + self.segment_types) * d + 2 * d
        return self.layers * block + embeddings

    @property
    def num_parameters(self) -> int:
        """Trained numbers of the model; of an encoder without a head those of embeddings and blocks."""
        return self.encoder_parameters


class BertConfig(EncoderConfig):
    """The shape of an encoder with its masked-language-model head.

    Examples
    --------
    >>> BertConfig(vocab_size=30522, context=512, layers=12, heads=12, width=768).num_parameters
    109514298
    """

    next_sentence: bool = Field(
        False, description="a pooler, and a head that is trained to tell if a second segment follows the first"
    )

    @property
    def num_parameters(self) -> int:
        """Trained numbers of the model with its heads, the shared embedding counted once."""
        d = self.width
        head = _linear(d, d) + 2 * d + self.vocab_size
        follows = _linear(d, d) + _linear(d, 2) if self.next_sentence else 0
        return self.encoder_parameters + head + follows


class LabelsConfig(EncoderConfig):
    """The shape of an encoder with a head that tells labels apart."""

    labels: tuple[str, ...] = Field(min_length=2, description="what is told apart, in the order of the logits")

    @pydantic.field_validator("labels")
    @classmethod
    def _each_label_once(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        labels = tuple(normalize("NFC", label) for label in labels)  # as files of examples are read
        if len(set(labels)) != len(labels):
            twice = next(label for label in labels if labels.count(label) > 1)
            raise ValueError(f"the label {twice!r} has two numbers")
        return labels


class ClassifierConfig(LabelsConfig):
    """The shape of an encoder that gives a text, or a pair of texts, one of ``labels``."""

    @property
    def num_parameters(self) -> int:
        """Trained numbers of the model with pooler and head."""
        return self.encoder_parameters + _linear(self.width, self.width) + _linear(self.width, len(self.labels))


class RegressorConfig(EncoderConfig):
    """The shape of an encoder that gives a text, or a pair of texts, a number.

    It is ``mean`` + ``spread`` · what the head says: so it learns as fast whether numbers lie between 0 and 1 or 100.
    """

    mean: float = Field(0.0, allow_inf_nan=False, description="mean of the numbers in training")
    spread: float = Field(1.0, gt=0.0, allow_inf_nan=False, description="their standard deviation")

    @property
    def num_parameters(self) -> int:
        """Trained numbers of the model with pooler and head."""
        return self.encoder_parameters + _linear(self.width, self.width) + _linear(self.width, 1)


class TaggerConfig(LabelsConfig):
    """The shape of an encoder that gives each token one of ``labels``: BIO tags, among which O is one."""

    @property
    def num_parameters(self) -> int:
        """Trained numbers of the model with its head."""
        return self.encoder_parameters + _linear(self.width, len(self.labels))


class SpanFinderConfig(EncoderConfig):
    """The shape of an encoder that finds where in a text a question is answered."""

    may_be_unanswered: bool = Field(False, description="a text need not have the answer; what is said then is nothing")

    @property
    def num_parameters(self) -> int:
        """Trained numbers of the model with its head."""
        return self.encoder_parameters + _linear(self.width, 2)


class _PairConfig(_ModelConfig):
    """``vocab_size`` is the target's; ``source_vocab_size`` is given when the source has a vocabulary of its own."""

    source_vocab_size: int | None = Field(
        None,
        ge=1,
        le=MAX_ENTRIES,
        description="entries of the source's own vocabulary; shared when absent",
    )


class TransformerConfig(_PairConfig, _AttentionConfig):
    """The shape of an encoder and decoder. ``post`` normalises after each part (Vaswani 2017), ``pre`` before it.

    Examples
    --------
    >>> TransformerConfig(vocab_size=37000, width=512, heads=8, encoder_layers=6, decoder_layers=6).num_parameters
    63082496
    """

    layout: Literal["post", "pre"] = Field("post", description="where a block normalises")
    positions: Literal["vaswani", "fairseq"] = Field(
        "vaswani", description="wavelengths of the positions; fairseq, of layout pre, counts from 2 as M2M100 does"
    )
    activation: Literal["relu", "gelu", "silu"] = Field("relu", description="what bends the feed-forward layers")
    encoder_layers: int = Field(3, ge=1, le=MAX_LAYERS, description="blocks that read the source")
    decoder_layers: int = Field(3, ge=1, le=MAX_LAYERS, description="blocks that write the target")
    feed_forward: int | None = Field(None, ge=1, le=MAX_WIDTH * 8, description="inner width of a block; 4 · width")
    norm_epsilon: float = Field(1e-5, gt=0.0, description="added to the variance in norms")
    head_bias: bool = Field(False, description="each entry has a number that is added to its logit")
    scaled_embedding: bool = Field(True, description="embeddings are multiplied by √width, as in Vaswani 2017")

    @pydantic.model_validator(mode="after")
    def _check_positions(self) -> Self:
        if self.positions == "fairseq" and self.layout == "post":
            raise ValueError("positions fairseq belong to the layout pre, this is post")
        return self

    @pydantic.model_validator(mode="after")
    def _even_width(self) -> Self:
        if self.width % 2:
            raise ValueError(f"width {self.width} is odd: positions are sines and cosines in equal parts")
        return self

    @property
    def inner_width(self) -> int:
        """Width inside a block's feed-forward layer."""
        return self.feed_forward or 4 * self.width

    @property
    def num_parameters(self) -> int:
        """Trained numbers of the model, a shared embedding counted once."""
        d, f = self.width, self.inner_width
        attention, feed_forward, norm = 4 * _linear(d, d), _linear(d, f) + _linear(f, d), 2 * d
        encoder = self.encoder_layers * (attention + feed_forward + 2 * norm)
        decoder = self.decoder_layers * (2 * attention + feed_forward + 3 * norm)
        last = (2 * norm if self.layout == "pre" else 0) + (self.vocab_size if self.head_bias else 0)
        return encoder + decoder + last + (self.vocab_size + (self.source_vocab_size or 0)) * d


class BilingualConfig(TransformerConfig):
    """The shape of one encoder and decoder for two languages of one vocabulary, each with a vector of its own.

    Examples
    --------
    >>> BilingualConfig(vocab_size=107, width=96, languages=("ko", "en")).languages
    ('ko', 'en')
    """

    languages: tuple[str, str] = Field(description="names of the two languages, in the order of their vectors")

    @pydantic.model_validator(mode="after")
    def _two_languages(self) -> Self:
        if self.languages[0] == self.languages[1] or not all(name.strip() for name in self.languages):
            raise ValueError(f"languages {self.languages[0]!r} and {self.languages[1]!r} must be two names")
        if self.source_vocab_size is not None:
            raise ValueError("source_vocab_size: two languages share one vocabulary here")
        return self

    @property
    def num_parameters(self) -> int:
        """Trained numbers of the model, a shared embedding counted once."""
        return super().num_parameters + 2 * self.width


class Seq2SeqConfig(_PairConfig):
    """The shape of a recurrent encoder and decoder, with attention or without.

    ``attention``: ``none`` (Sutskever 2014), ``bahdanau`` (2015: scored from the state before the step), or Luong's
    (2015) ``dot``, ``general`` and ``concat``, scored from the state after it. ``input_feeding`` gives the decoder what
    the last step attended to.
    """

    cell: Literal["lstm", "gru"] = Field("lstm", description="kind of recurrent cell")
    attention: Literal["none", "bahdanau", "dot", "general", "concat"] = Field(
        "general", description="kind of attention"
    )
    input_feeding: bool | None = Field(
        None, description="the decoder reads what its last step attended to; when absent, on for Luong's attentions"
    )
    embedding: int = Field(128, ge=1, le=MAX_WIDTH, description="numbers a token is represented by")
    width: int = Field(256, ge=1, le=MAX_WIDTH, description="numbers of the decoder's state")
    encoder_width: int = Field(128, ge=1, le=MAX_WIDTH, description="numbers of the encoder's state, each way")
    layers: int = Field(1, ge=1, le=64, description="cells, one on top of the other, in encoder and decoder each")
    bidirectional: bool = Field(True, description="the encoder reads both ways")

    @property
    def feeds_input(self) -> bool:
        """Whether the decoder reads what its last step attended to."""
        return self.attention in ("dot", "general", "concat") if self.input_feeding is None else self.input_feeding

    @property
    def memory_width(self) -> int:
        """Numbers of the encoder's states that the decoder attends to."""
        return self.encoder_width * (2 if self.bidirectional else 1)

    @property
    def num_parameters(self) -> int:
        """Trained numbers of the model."""
        d, m, e = self.width, self.memory_width, self.embedding
        gates = 4 if self.cell == "lstm" else 3

        def cells(inner: int, state: int, above: int) -> int:
            """Of a stack of cells that reads ``inner`` numbers, and ``above`` of them further up."""
            widths = [inner] + [above] * (self.layers - 1)
            return sum(gates * state * (width + state + 2) for width in widths)  # each has two biases

        fed = (m if self.attention == "bahdanau" else 0) + (d if self.feeds_input else 0)
        recurrent = cells(e, self.encoder_width, m) * (2 if self.bidirectional else 1) + cells(e + fed, d, d)
        additive = m * d + d * d + d
        score = {"none": 0, "dot": 0, "general": m * d, "bahdanau": additive, "concat": additive}[self.attention]
        combine = 0 if self.attention == "none" else (d + m) * d
        tables = (self.vocab_size + (self.source_vocab_size or 0)) * e + self.vocab_size * d
        return recurrent + _linear(m, d) + score + combine + tables

    @pydantic.model_validator(mode="after")
    def _check_attention(self) -> Self:
        if self.attention == "dot" and self.memory_width != self.width:
            raise ValueError(
                f"attention dot compares states of one width: the decoder's {self.width} and the encoder's "
                f"{self.memory_width} (encoder_width × directions) differ; general and concat need not"
            )
        if self.attention == "none" and self.input_feeding:
            raise ValueError("input_feeding feeds what was attended to: it needs an attention")
        return self
