"""Counts are those of the models themselves: every weight, every multiplication, every number kept for backward."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textpipe.errors import ConfigError
from textpipe.nn.shapes import BertConfig, GptConfig, Seq2SeqConfig, TransformerConfig
from textpipe.planning.anatomy import anatomy
from textpipe.planning.memory import CPU_KERNELS, PRECISIONS, block_activations

torch = pytest.importorskip("torch", reason="needs the extra: pip install 'textpipe[train]'")
POSITIONS, SEQUENCES = 16, 2


def model_of(shape):
    from textpipe.nn.architectures import new_model

    return new_model(shape)


@st.composite
def shapes(draw):
    heads = draw(st.sampled_from([1, 2, 4]))
    sizes = {
        "vocab_size": draw(st.integers(1, 90)),
        "heads": heads,
        "width": heads * 2 * draw(st.integers(1, 6)),
        "context": draw(st.integers(1, 20)),
        "feed_forward": draw(st.none() | st.integers(1, 70)),
    }
    kind = draw(st.sampled_from(["gpt", "bert", "transformer"]))
    if kind == "bert":
        return BertConfig(
            **sizes,
            layers=draw(st.integers(1, 3)),
            segment_types=draw(st.integers(1, 3)),
            next_sentence=draw(st.booleans()),
        )
    if kind == "transformer":
        return TransformerConfig(
            **sizes,
            encoder_layers=draw(st.integers(1, 2)),
            decoder_layers=draw(st.integers(1, 2)),
            layout=draw(st.sampled_from(["pre", "post"])),
            source_vocab_size=draw(st.none() | st.integers(1, 90)),
        )
    layout = draw(st.sampled_from(["gpt1", "gpt2", "llama"]))
    return GptConfig(
        **sizes,
        layout=layout,
        layers=draw(st.integers(1, 3)),
        tied=draw(st.booleans()),
        bias=draw(st.none() | st.booleans()),
        kv_heads=draw(st.sampled_from([None, 1, heads])) if layout == "llama" else None,
    )


@settings(max_examples=60)
@given(shapes())
def test_parameters_are_those_of_the_model(shape):
    counted = anatomy(shape)
    model = model_of(shape)
    assert counted.num_parameters == sum(weight.numel() for weight in model.parameters())
    inner = [
        weight.numel()
        for name, weight in model.named_parameters()
        if weight.dim() == 2 and name.split(".")[0] in ("blocks", "encoder", "decoder")
    ]
    assert counted.inner_matrix_parameters == sum(inner)


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        (GptConfig(vocab_size=50_257, context=1024, layers=24, heads=16, width=1024), "GPT2LMHeadModel"),
        (
            GptConfig(
                vocab_size=32_000, context=2048, layers=22, heads=32, kv_heads=4, width=2048, layout="llama",
                feed_forward=5632, tied=False,
            ),
            "LlamaForCausalLM",
        ),
        (BertConfig(vocab_size=30_522, context=512, layers=12, heads=12, width=768), "BertForMaskedLM"),
    ],
    ids=["gpt2-medium", "tinyllama-1.1b", "bert-base"],
)  # fmt: skip
def test_parameters_are_those_transformers_counts(shape, kind):
    transformers = pytest.importorskip("transformers")
    settings = {
        "GPT2LMHeadModel": lambda: transformers.GPT2Config(
            vocab_size=shape.vocab_size, n_positions=shape.context, n_layer=shape.layers, n_head=shape.heads,
            n_embd=shape.width,
        ),
        "LlamaForCausalLM": lambda: transformers.LlamaConfig(
            vocab_size=shape.vocab_size, hidden_size=shape.width, intermediate_size=shape.feed_forward,
            num_hidden_layers=shape.layers, num_attention_heads=shape.heads, num_key_value_heads=shape.kv_heads,
        ),
        "BertForMaskedLM": lambda: transformers.BertConfig(
            vocab_size=shape.vocab_size, hidden_size=shape.width, num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads, intermediate_size=4 * shape.width,
        ),
    }  # fmt: skip
    with torch.device("meta"):  # no memory is taken
        model = getattr(transformers, kind)(settings[kind]())
    assert anatomy(shape).num_parameters == model.num_parameters()


def kept_bytes(model, *arguments):
    """Bytes autograd keeps, each storage once, without the weights."""
    own = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = (storage.nbytes(), tensor)  # held, so that no address comes twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model(*arguments)
    return sum(size for size, _ in kept.values())


def with_one_more_block(shape, where):
    return shape.replaced(**{where: getattr(shape, where) + 1})


@pytest.mark.parametrize("recompute", [False, True], ids=["kept", "recomputed"])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize(
    ("shape", "where", "block"),
    [
        (GptConfig(vocab_size=9, context=POSITIONS, layers=1, heads=2, width=32), "layers", 0),
        (GptConfig(vocab_size=9, context=POSITIONS, layers=1, heads=2, width=32, layout="gpt1"), "layers", 0),
        (GptConfig(vocab_size=9, context=POSITIONS, layers=1, heads=2, width=32, layout="llama"), "layers", 0),
        (BertConfig(vocab_size=9, context=POSITIONS, layers=1, heads=2, width=32), "layers", 0),
        (
            TransformerConfig(
                vocab_size=9, context=POSITIONS, heads=2, width=32, encoder_layers=1, decoder_layers=1, layout="pre"
            ),
            "encoder_layers",
            0,
        ),
        (
            TransformerConfig(
                vocab_size=9, context=POSITIONS, heads=2, width=32, encoder_layers=1, decoder_layers=1
            ),
            "decoder_layers",
            1,
        ),
    ],
    ids=["gpt2", "gpt1", "llama", "bert", "encoder", "decoder"],
)  # fmt: skip
def test_a_block_keeps_what_is_counted(shape, where, block, dropout, recompute):
    from textpipe.nn.blocks import set_checkpointing

    shape = shape.replaced(dropout=dropout)
    tokens = torch.zeros(SEQUENCES, POSITIONS, dtype=torch.int64)
    inputs = (tokens,)
    if isinstance(shape, TransformerConfig):
        inputs = (tokens, torch.full((SEQUENCES,), POSITIONS), tokens)
    kept = []
    for one in (shape, with_one_more_block(shape, where)):
        model = model_of(one).train()
        set_checkpointing(model, recompute)
        kept.append(kept_bytes(model, *inputs))
    counted = block_activations(
        anatomy(shape).blocks[block],
        sequences=SEQUENCES,
        positions=POSITIONS,
        precision=PRECISIONS["float32"],
        kernels=CPU_KERNELS,
        fused=dropout == 0.0,
        dropout=dropout > 0.0,
        recompute=recompute,
    )
    assert kept[1] - kept[0] == pytest.approx(counted, rel=0.05)  # norms keep two numbers a position more


def test_a_recurrent_model_is_refused_by_name():
    with pytest.raises(ConfigError, match=r"a recurrent model cannot be planned.*gpt, bert, transformer"):
        anatomy(Seq2SeqConfig(vocab_size=10))
