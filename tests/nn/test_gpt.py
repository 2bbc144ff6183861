"""Each layout of GPT agrees with transformers' model of it; its cache, masks and seed keep their promises."""

from __future__ import annotations

import copy
import itertools

import pytest
import torch
from model_twins import assert_same_gradients, twins_of

from textpipe.config import dump_toml, load_toml
from textpipe.data.batches import IGNORED
from textpipe.errors import ConfigError
from textpipe.interchange.rotary import rotary_to
from textpipe.nn.gpt import GPT, GptConfig
from textpipe.nn.losses import linear_cross_entropy
from textpipe.nn.shapes import RopeScaling

SHAPE = GptConfig(vocab_size=211, context=32, layers=3, heads=4, width=64)


def their_gpt1(transformers, shape):
    config = transformers.OpenAIGPTConfig(
        vocab_size=shape.vocab_size,
        n_positions=shape.context,
        n_embd=shape.width,
        n_layer=shape.layers,
        n_head=shape.heads,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
    )
    return transformers.OpenAIGPTLMHeadModel(config)


def their_gpt2(transformers, shape):
    config = transformers.GPT2Config(
        vocab_size=shape.vocab_size,
        n_positions=shape.context,
        n_embd=shape.width,
        n_layer=shape.layers,
        n_head=shape.heads,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=0,
        eos_token_id=0,
        tie_word_embeddings=shape.tied,
    )
    return transformers.GPT2LMHeadModel(config)


def their_llama(transformers, shape):
    config = transformers.LlamaConfig(
        vocab_size=shape.vocab_size,
        max_position_embeddings=shape.context,
        hidden_size=shape.width,
        intermediate_size=shape.inner_width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads or shape.heads,
        rms_norm_eps=shape.norm_epsilon,
        attention_bias=shape.has_bias,
        mlp_bias=shape.has_bias,
        tie_word_embeddings=shape.tied,
        rope_parameters=rotary_to(shape),
    )
    return transformers.LlamaForCausalLM(config)


FAMILIES = {
    "gpt1": (their_gpt1, SHAPE.replaced(layout="gpt1")),
    "gpt2": (their_gpt2, SHAPE),
    "gpt2-untied": (their_gpt2, SHAPE.replaced(tied=False)),
    "llama": (their_llama, SHAPE.replaced(layout="llama", tied=False)),
    "llama-scaled": (
        their_llama,
        SHAPE.replaced(layout="llama", rope_scaling=RopeScaling(factor=32.0, original_context=12)),
    ),
    "llama-grouped": (their_llama, SHAPE.replaced(layout="llama", kv_heads=2, bias=True, rope_base=500.0)),
}


@pytest.fixture(scope="module", params=FAMILIES)
def twins(request):
    """The same weights in transformers' model and in ours; every number random, biases and norms too."""
    make, shape = FAMILIES[request.param]
    return twins_of(make(pytest.importorskip("transformers"), shape), GPT(shape))


@pytest.fixture(scope="module")
def ids():
    return torch.randint(0, SHAPE.vocab_size, (3, 32), generator=torch.Generator().manual_seed(1))


def test_logits_equal_transformers(twins, ids):
    theirs, ours = twins
    with torch.no_grad():
        difference = (theirs(ids).logits - ours.logits(ours(ids))).abs().max()
    assert difference <= 1e-6 * 4  # logits here reach 4: one part in a million


def test_loss_and_every_gradient_equal_transformers(twins, ids):
    theirs, ours = twins
    theirs.zero_grad()
    ours.zero_grad()
    their_loss = theirs(ids, labels=ids).loss
    their_loss.backward()
    x_BTD = ours(ids[:, :-1])
    total, count = linear_cross_entropy(x_BTD.flatten(0, 1), ours.head_weight, ids[:, 1:].flatten())
    (total / count).backward()
    assert abs(their_loss.item() - (total / count).item()) <= 1e-6
    assert_same_gradients(theirs, ours)


def test_number_of_parameters_is_that_of_the_model_and_of_gpt2():
    shapes = [shape for _, shape in FAMILIES.values()]
    for config in [*shapes, SHAPE.replaced(bias=False), SHAPE.replaced(feed_forward=100)]:
        assert config.num_parameters == sum(p.numel() for p in GPT(config).parameters())
    known = {(12, 768): 124_439_808, (24, 1024): 354_823_168, (36, 1280): 774_030_080, (48, 1600): 1_557_611_200}
    for (layers, width), count in known.items():
        shape = GptConfig(vocab_size=50257, context=1024, layers=layers, heads=width // 64, width=width)
        assert shape.num_parameters == count


def test_reading_with_a_cache_equals_reading_at_once(twins, ids):
    ours = copy.deepcopy(twins[1]).double()  # in float32 the order of sums, a matter of the processor, shows
    with torch.no_grad():
        whole = ours(ids)
        cache = ours.new_cache(3)
        parts = [ours(ids[:, start:end], cache=cache) for start, end in ((0, 7), (7, 8), (8, 9), (9, 20), (20, 32))]
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=1e-9, atol=1e-9)


def test_left_padding_changes_nothing(twins, ids):
    _, ours = twins
    lengths = (5, 12, 9)
    padding = [12 - length for length in lengths]
    padded = torch.zeros(3, 12, dtype=torch.long)
    for row, length in enumerate(lengths):
        padded[row, 12 - length :] = ids[row, :length]
    with torch.no_grad():
        cache = ours.new_cache(3, padding=padding)
        together = [ours(padded, cache=cache)[:, -1], ours(ids[:, 20:21], cache=cache)[:, -1]]
        for row, length in enumerate(lengths):
            alone = ours(torch.cat([ids[row : row + 1, :length], ids[row : row + 1, 20:21]], dim=1))[0]
            torch.testing.assert_close(together[0][row], alone[-2], rtol=1e-6, atol=2e-6)
            torch.testing.assert_close(together[1][row], alone[-1], rtol=1e-6, atol=2e-6)


def test_packed_documents_with_their_mask_equal_separate_documents(twins, ids):
    _, ours = twins
    cuts = (0, 6, 7, 20, 32)
    documents = torch.zeros(1, 32, dtype=torch.long)
    positions = torch.zeros(1, 32, dtype=torch.long)
    for number, (start, end) in enumerate(itertools.pairwise(cuts)):
        documents[0, start:end] = number
        positions[0, start:end] = torch.arange(end - start)
    with torch.no_grad():
        packed = ours(ids[:1], positions_BT=positions, documents_BT=documents)
        apart = torch.cat([ours(ids[:1, start:end]) for start, end in itertools.pairwise(cuts)], dim=1)
    torch.testing.assert_close(packed, apart, rtol=1e-6, atol=2e-6)


def test_a_position_never_sees_what_comes_after_it(twins, ids):
    _, ours = twins
    changed = ids.clone()
    changed[:, 20:] = 0
    with torch.no_grad():
        assert torch.equal(ours(ids)[:, :20], ours(changed)[:, :20])


def test_the_seed_alone_decides_the_first_weights():
    torch.manual_seed(1)
    first = GPT(SHAPE, seed=3).state_dict()
    torch.manual_seed(2)
    again, other = GPT(SHAPE, seed=3).state_dict(), GPT(SHAPE, seed=4).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["token_embedding.weight"], other["token_embedding.weight"])


def test_width_that_heads_do_not_divide_is_refused():
    with pytest.raises(ConfigError, match="width 64 is not a multiple of heads 5"):
        GptConfig(vocab_size=10, width=64, heads=5)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"kv_heads": 2}, "kv_heads belongs to the layout llama, this is gpt2"),
        ({"layout": "llama", "kv_heads": 3}, "heads 4 is not a multiple of kv_heads 3"),
        ({"layout": "llama", "width": 12, "heads": 4}, "heads of width 3 have no pairs to rotate"),
    ],
)
def test_a_key_of_another_layout_is_refused(keys, message):
    with pytest.raises(ConfigError, match=message):
        GptConfig(vocab_size=10, **keys)


def test_a_misspelt_key_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match='did you mean "context"'):
        GptConfig(vocab_size=10, contxt=5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("has_bias", [False, True])
@pytest.mark.parametrize("vocab_size", [7, 30_000])  # one chunk, and several
def test_loss_of_a_linear_layer_equals_torch_cross_entropy(vocab_size, has_bias, smoothing):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(100, 24, generator=generator).requires_grad_()
    weight = (torch.randn(vocab_size, 24, generator=generator) * 0.3).requires_grad_()
    targets = torch.randint(0, vocab_size, (100,), generator=generator)
    targets[[3, 50, 99]] = IGNORED
    bias = torch.randn(vocab_size, generator=generator).requires_grad_() if has_bias else None
    trained = (x, weight, bias) if has_bias else (x, weight)
    logits = torch.nn.functional.linear(x, weight, bias)
    expected = torch.nn.functional.cross_entropy(logits, targets, ignore_index=IGNORED, label_smoothing=smoothing)
    grads = torch.autograd.grad(expected, trained)
    total, count = linear_cross_entropy(x, weight, targets, bias_V=bias, label_smoothing=smoothing)
    assert int(count) == 97
    torch.testing.assert_close(total / count, expected, rtol=1e-6, atol=0)
    for mine, theirs in zip(torch.autograd.grad(total / count, trained), grads, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-7)


def test_a_batch_in_which_nothing_counts_has_no_loss_and_no_gradient():
    x = torch.randn(4, 8, requires_grad=True)
    total, count = linear_cross_entropy(x, torch.randn(10, 8), torch.full((4,), IGNORED))
    total.backward()
    assert (total.item(), count.item(), x.grad.abs().sum().item()) == (0.0, 0, 0.0)


def test_a_scaling_of_angles_is_checked_and_is_for_llama_alone(tmp_path):
    table = {"factor": 8.0, "original_context": 16}
    shape = SHAPE.replaced(layout="llama", rope_scaling=table)
    assert shape.rope_scaling == RopeScaling(factor=8.0, low_turns=1.0, high_turns=4.0, original_context=16)
    dump_toml(shape, tmp_path / "shape.toml")
    assert load_toml(tmp_path / "shape.toml", GptConfig) == shape
    with pytest.raises(ConfigError, match="rope_scaling belongs to the layout llama, this is gpt2"):
        SHAPE.replaced(rope_scaling=table)
    with pytest.raises(ConfigError, match="low_turns 4 is not less than high_turns 4"):
        RopeScaling(**table, low_turns=4.0)
    with pytest.raises(ConfigError, match='did you mean "low_turns"'):
        SHAPE.replaced(layout="llama", rope_scaling={**table, "low_turn": 1.0})
