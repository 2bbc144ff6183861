"""GPT agrees with transformers' GPT2LMHeadModel; its cache, masks and seed keep their promises."""

from __future__ import annotations

import itertools

import pytest
import torch

from textpipe.data.batches import IGNORED
from textpipe.errors import ConfigError
from textpipe.nn.gpt import GPT, GptConfig
from textpipe.nn.losses import linear_cross_entropy

SHAPE = GptConfig(vocab_size=211, context=32, layers=3, heads=4, width=64)

# Their name: ours, and whether their matrix is stored the other way round (they use Conv1D).
PARTS = {
    "ln_1": ("attention_norm", False),
    "attn.c_attn": ("attention.query_key_value", True),
    "attn.c_proj": ("attention.output", True),
    "ln_2": ("feed_forward_norm", False),
    "mlp.c_fc": ("feed_forward.up", True),
    "mlp.c_proj": ("feed_forward.down", True),
}


def pairs_of_names(layers):
    """(their name, our name, transposed) for every parameter."""
    yield "transformer.wte.weight", "token_embedding.weight", False
    yield "transformer.wpe.weight", "position_embedding.weight", False
    for layer in range(layers):
        for theirs, (ours, turned) in PARTS.items():
            for kind in ("weight", "bias"):
                yield (
                    f"transformer.h.{layer}.{theirs}.{kind}",
                    f"blocks.{layer}.{ours}.{kind}",
                    turned and kind == "weight",
                )
    for kind in ("weight", "bias"):
        yield f"transformer.ln_f.{kind}", f"final_norm.{kind}", False


@pytest.fixture(scope="module")
def twins():
    """The same weights in transformers' model and in ours; every number random, biases and norms too."""
    transformers = pytest.importorskip("transformers")
    theirs = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=SHAPE.vocab_size,
            n_positions=SHAPE.context,
            n_embd=SHAPE.width,
            n_layer=SHAPE.layers,
            n_head=SHAPE.heads,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=0,
            eos_token_id=0,
        )
    ).eval()
    ours = GPT(SHAPE)
    generator = torch.Generator().manual_seed(5)
    their_weights, our_weights = dict(theirs.named_parameters()), dict(ours.named_parameters())
    with torch.no_grad():
        for their_name, our_name, turned in pairs_of_names(SHAPE.layers):
            weight = our_weights.pop(our_name)
            weight.normal_(1.0 if "norm.weight" in our_name else 0.0, 0.08, generator=generator)
            their_weights.pop(their_name).copy_(weight.T if turned else weight)
    assert not our_weights
    assert not their_weights
    return theirs, ours.eval()


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
    their_weights, our_weights = dict(theirs.named_parameters()), dict(ours.named_parameters())
    for their_name, our_name, turned in pairs_of_names(SHAPE.layers):
        expected = their_weights[their_name].grad
        difference = ((expected.T if turned else expected) - our_weights[our_name].grad).abs().max()
        assert difference <= 1e-6, our_name


def test_number_of_parameters_is_that_of_the_model_and_of_gpt2():
    for bias in (True, False):
        config = SHAPE.replaced(bias=bias)
        assert config.num_parameters == sum(p.numel() for p in GPT(config).parameters())
    known = {(12, 768): 124_439_808, (24, 1024): 354_823_168, (36, 1280): 774_030_080, (48, 1600): 1_557_611_200}
    for (layers, width), count in known.items():
        shape = GptConfig(vocab_size=50257, context=1024, layers=layers, heads=width // 64, width=width)
        assert shape.num_parameters == count


def test_reading_with_a_cache_equals_reading_at_once(twins, ids):
    _, ours = twins
    with torch.no_grad():
        whole = ours(ids)
        cache = ours.new_cache(3)
        parts = [ours(ids[:, start:end], cache=cache) for start, end in ((0, 7), (7, 8), (8, 9), (9, 20), (20, 32))]
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=0, atol=2e-6)


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
            torch.testing.assert_close(together[0][row], alone[-2], rtol=0, atol=2e-6)
            torch.testing.assert_close(together[1][row], alone[-1], rtol=0, atol=2e-6)


def test_packed_documents_with_their_mask_equal_separate_documents(twins, ids):
    _, ours = twins
    cuts = (0, 6, 7, 20, 32)
    segments = torch.zeros(1, 32, dtype=torch.long)
    positions = torch.zeros(1, 32, dtype=torch.long)
    for number, (start, end) in enumerate(itertools.pairwise(cuts)):
        segments[0, start:end] = number
        positions[0, start:end] = torch.arange(end - start)
    with torch.no_grad():
        packed = ours(ids[:1], positions_BT=positions, segments_BT=segments)
        apart = torch.cat([ours(ids[:1, start:end]) for start, end in itertools.pairwise(cuts)], dim=1)
    torch.testing.assert_close(packed, apart, rtol=0, atol=2e-6)


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


def test_a_misspelt_key_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match='did you mean "context"'):
        GptConfig(vocab_size=10, contxt=5)


@pytest.mark.parametrize("vocab_size", [7, 30_000])  # one chunk, and several
def test_loss_of_a_linear_layer_equals_torch_cross_entropy(vocab_size):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(100, 24, generator=generator).requires_grad_()
    weight = (torch.randn(vocab_size, 24, generator=generator) * 0.3).requires_grad_()
    targets = torch.randint(0, vocab_size, (100,), generator=generator)
    targets[[3, 50, 99]] = IGNORED
    expected = torch.nn.functional.cross_entropy(x @ weight.T, targets, ignore_index=IGNORED)
    grads = torch.autograd.grad(expected, (x, weight))
    total, count = linear_cross_entropy(x, weight, targets)
    assert int(count) == 97
    torch.testing.assert_close(total / count, expected, rtol=1e-6, atol=0)
    for mine, theirs in zip(torch.autograd.grad(total / count, (x, weight)), grads, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-8)


def test_a_batch_in_which_nothing_counts_has_no_loss_and_no_gradient():
    x = torch.randn(4, 8, requires_grad=True)
    total, count = linear_cross_entropy(x, torch.randn(10, 8), torch.full((4,), IGNORED))
    total.backward()
    assert (total.item(), count.item(), x.grad.abs().sum().item()) == (0.0, 0, 0.0)
