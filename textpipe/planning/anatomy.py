"""What a model is made of, counted: weights, multiplications, and the numbers a position keeps for backward.

What enters: the shape of a model. What leaves: its blocks and what stands around them, as plain integers from which
memory and time are computed. Nothing is built and torch is not loaded; that the counts are those of the models in
:mod:`textpipe.nn` is a test.

What a block keeps, for one position, with D the model width, F the inner width, K the width of keys and of values:

    on every rank         the stream before each norm, and what each norm gives out            4 · D
    shared out by heads   queries, what was attended to, keys and values, the inner layer      2 · D + 2 · K + 2 · F

Root-mean-square norms keep one number more for each; a ReLU keeps its inner layer once; a gated layer keeps four.
"""

from __future__ import annotations

from dataclasses import dataclass

from textpipe.errors import ConfigError
from textpipe.nn.shapes import BertConfig, EncoderConfig, GptConfig, Seq2SeqConfig, TransformerConfig

__all__ = ["Anatomy", "BlockCount", "anatomy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCount:
    """One kind of block; all but ``count`` is of one of them, and of one position where it is not of weights.

    Parameters
    ----------
    parameters, split_parameters : its weights, and those of them that tensor parallelism shares out.
    matrix_parameters : weights that a position is multiplied with; each is two operations.
    attention_widths : numbers of D an attended position costs: one for each attention.
    kept_stream, kept_inputs, kept_split : numbers kept for backward: the stream, the inputs of matrices, what is shared
        out by heads.
    dropped : numbers of which dropout keeps a mask.
    heads : whose scores are kept when attention is not fused; for each attention.
    recomputed_inputs : numbers kept when the block is computed again in backward.
    widest : numbers of the part with the most of them, whose gradients stand at once in backward.
    """

    name: str
    count: int
    parameters: int
    split_parameters: int
    matrix_parameters: int
    attention_widths: int
    kept_stream: int
    kept_inputs: int
    kept_split: int
    dropped: int
    heads: int
    recomputed_inputs: int
    widest: int

    @property
    def kept(self) -> int:
        """All numbers a position keeps."""
        return self.kept_stream + self.kept_inputs + self.kept_split


@dataclass(frozen=True, slots=True, kw_only=True)
class Anatomy:
    """A whole model: its blocks, bottom first, and what is around them.

    ``head_positions`` is the share of positions that something is predicted at; ``head_parameters`` are weights besides
    the matrix over the vocabulary that such a position is multiplied with.
    """

    architecture: str
    width: int
    context: int
    vocab_size: int
    blocks: tuple[BlockCount, ...]
    embedding_parameters: int
    tied: bool
    head_parameters: int
    other_parameters: int
    head_positions: float
    kept_around: int
    kv_width: int
    kv_layers: int
    heads: int
    kv_heads: int

    @property
    def writes(self) -> bool:
        """Whether it writes texts token by token, which keeps keys and values."""
        return self.architecture != "bert"

    @property
    def num_blocks(self) -> int:
        """Blocks of all kinds."""
        return sum(block.count for block in self.blocks)

    @property
    def block_parameters(self) -> int:
        """Weights of all blocks."""
        return sum(block.count * block.parameters for block in self.blocks)

    @property
    def around_parameters(self) -> int:
        """Weights outside blocks: embeddings, head, last norms."""
        head = 0 if self.tied else self.vocab_size * self.width
        return self.embedding_parameters + head + self.head_parameters + self.other_parameters

    @property
    def num_parameters(self) -> int:
        """All trained numbers, a shared embedding counted once."""
        return self.block_parameters + self.around_parameters

    @property
    def inner_matrix_parameters(self) -> int:
        """Weights that Muon moves: the matrices inside the blocks."""
        return sum(block.count * block.matrix_parameters for block in self.blocks)

    def forward_flops(self, positions: int, *, context: int | None = None) -> float:
        """Operations of a forward pass over so many positions, two for a multiplication with an addition.

        Attention is counted whole, as Korthikanti et al. 2022 do, though half of a causal one is masked.
        """
        seen = self.context if context is None else context
        blocks = sum(
            block.count * (2 * block.matrix_parameters + 4 * seen * self.width * block.attention_widths)
            for block in self.blocks
        )
        head = 2 * (self.vocab_size * self.width + self.head_parameters) * self.head_positions
        return positions * (blocks + head)


def anatomy(
    model: GptConfig | EncoderConfig | TransformerConfig | Seq2SeqConfig, *, mask_share: float = 1.0
) -> Anatomy:
    """Count a model.

    Parameters
    ----------
    mask_share : of an encoder's positions, how many are predicted.

    Raises
    ------
    ConfigError
        for a recurrent model, which does not grow past one machine.

    Examples
    --------
    >>> counted = anatomy(GptConfig(vocab_size=50257, context=1024, layers=12, heads=12, width=768))
    >>> counted.num_parameters, counted.num_blocks
    (124439808, 12)
    """
    if isinstance(model, GptConfig):
        return _gpt(model)
    if isinstance(model, EncoderConfig):
        return _bert(model, mask_share)
    if isinstance(model, TransformerConfig):
        return _transformer(model)
    raise ConfigError("a recurrent model cannot be planned", where="architecture", allowed="gpt, bert, transformer")


def _linear(inner: int, outer: int, bias: bool) -> int:
    return inner * outer + (outer if bias else 0)


def _block(
    name: str,
    count: int,
    *,
    width: int,
    inner: int,
    heads: int,
    kv_width: int,
    activation: str,
    bias: bool = True,
    norm: int = 2,
    attentions: int = 1,
    norm_keeps: int = 0,
) -> BlockCount:
    """``norm`` is its weights in units of the width; ``norm_keeps`` what it keeps beside input and output."""
    d, f, parts = width, inner, attentions + 1
    gated = activation == "swiglu"
    ups = 2 if gated else 1
    attention_matrices = 2 * d * d + 2 * d * kv_width
    matrices = attentions * attention_matrices + (ups + 1) * d * f
    column_bias = (attentions * (d + 2 * kv_width) + ups * f) if bias else 0
    row_bias = parts * d if bias else 0  # what is added after the ranks' sums, on every one of them
    inner_kept = {"swiglu": 4, "relu": 1}.get(activation, 2) * f
    return BlockCount(
        name=name,
        count=count,
        parameters=matrices + column_bias + row_bias + parts * norm * d,
        split_parameters=matrices + column_bias,
        matrix_parameters=matrices,
        attention_widths=attentions,
        kept_stream=parts * d * (1 + norm_keeps),
        kept_inputs=parts * d,
        kept_split=attentions * (2 * d + 2 * kv_width) + inner_kept,
        dropped=parts * d,
        heads=heads * attentions,
        recomputed_inputs=d,
        widest=2 * d + max(2 * d + 2 * kv_width, inner_kept),
    )


def _gpt(model: GptConfig) -> Anatomy:
    d, is_llama, bias = model.width, model.layout == "llama", model.has_bias
    norm = 1 if is_llama or not bias else 2
    kv_heads = model.kv_heads or model.heads
    block = _block(
        "block",
        model.layers,
        width=d,
        inner=model.inner_width,
        heads=model.heads,
        kv_width=kv_heads * model.head_width,
        activation="swiglu" if is_llama else "gelu",
        bias=bias,
        norm=norm,
        norm_keeps=1 if is_llama else 0,
    )
    has_last_norm = model.layout != "gpt1"
    return Anatomy(
        architecture="gpt",
        width=d,
        context=model.context,
        vocab_size=model.vocab_size,
        blocks=(block,),
        embedding_parameters=(model.vocab_size + (0 if is_llama else model.context)) * d,
        tied=model.tied,
        head_parameters=0,
        other_parameters=norm * d if has_last_norm else 0,
        head_positions=1.0,
        kept_around=(2 if is_llama else 1) * d if has_last_norm else 0,
        kv_width=kv_heads * model.head_width,
        kv_layers=model.layers,
        heads=model.heads,
        kv_heads=kv_heads,
    )


def _bert(model: EncoderConfig, mask_share: float) -> Anatomy:
    """Of a BERT, or of an encoder whose head tells labels: a small one that predicts no entry of the vocabulary."""
    d, is_masked = model.width, isinstance(model, BertConfig)
    block = _block(
        "block", model.layers, width=d, inner=model.inner_width, heads=model.heads, kv_width=d, activation="gelu"
    )
    dense = d * d if is_masked else 0
    return Anatomy(
        architecture="bert",
        width=d,
        context=model.context,
        vocab_size=model.vocab_size,
        blocks=(block,),
        embedding_parameters=(model.vocab_size + model.context + model.segment_types) * d,
        tied=True,
        head_parameters=dense,
        other_parameters=2 * d + model.num_parameters - model.encoder_parameters - dense,
        head_positions=mask_share if is_masked else 0.0,
        kept_around=d,
        kv_width=d,
        kv_layers=model.layers,
        heads=model.heads,
        kv_heads=model.heads,
    )


def _transformer(model: TransformerConfig) -> Anatomy:
    d, f = model.width, model.inner_width
    shared = {"width": d, "inner": f, "heads": model.heads, "kv_width": d, "activation": model.activation}
    encoder = _block("encoder block", model.encoder_layers, **shared)  # type: ignore[arg-type]
    decoder = _block("decoder block", model.decoder_layers, **shared, attentions=2)  # type: ignore[arg-type]
    is_pre = model.layout == "pre"
    return Anatomy(
        architecture="transformer",
        width=d,
        context=model.context,
        vocab_size=model.vocab_size,
        blocks=(encoder, decoder),
        embedding_parameters=(model.vocab_size + (model.source_vocab_size or 0)) * d,
        tied=True,
        head_parameters=0,
        other_parameters=(4 * d if is_pre else 0) + (model.vocab_size if model.head_bias else 0),
        head_positions=1.0,
        kept_around=2 * d if is_pre else 0,
        kv_width=d,
        kv_layers=model.decoder_layers,
        heads=model.heads,
        kv_heads=model.heads,
    )
