"""The native step gives what the modules give, for every family, and leaves to them what it cannot do."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from textpipe.core._decoder_step import DecoderStep
from textpipe.generation.beam import BeamConfig, beam_search
from textpipe.generation.decoding import generate_ids
from textpipe.generation.sampling import SamplingConfig
from textpipe.generation.writing import PromptWriting, SourceWriting
from textpipe.nn import native_step
from textpipe.nn.bilingual import Bilingual, BilingualConfig
from textpipe.nn.gpt import GPT, GptConfig
from textpipe.nn.native_step import NativeStep
from textpipe.nn.seq2seq import Seq2Seq, Seq2SeqConfig
from textpipe.nn.shapes import RopeScaling
from textpipe.nn.transformer import Transformer, TransformerConfig

CLOSE = {"rtol": 2e-5, "atol": 2e-5}  # float32, in sums of another order


def stirred(model, seed=1):
    """Weights, biases and norms that are all something: a part left out would show."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            spread = torch.randn(weight.shape, generator=generator)
            weight.copy_(1 + 0.2 * spread if "norm.weight" in name else 0.15 * spread)
    return model.eval()


def ids(seed, *shape, entries):
    return torch.randint(0, entries, shape, generator=torch.Generator().manual_seed(seed))


@st.composite
def gpt_shapes(draw):
    layout = draw(st.sampled_from(["gpt1", "gpt2", "llama"]))
    kv_heads = draw(st.integers(1, 3))
    heads = kv_heads * draw(st.integers(1, 3))
    keys = {"layout": layout, "heads": heads, "width": heads * draw(st.sampled_from([2, 4, 6, 16, 20, 32, 34]))}
    if layout == "llama":
        scaling = RopeScaling(factor=4.0, original_context=16)
        keys |= {"kv_heads": kv_heads, "rope_scaling": draw(st.sampled_from([None, scaling]))}
    return GptConfig(
        vocab_size=draw(st.integers(1, 40)),
        context=32,
        layers=draw(st.integers(1, 3)),
        feed_forward=draw(st.integers(1, 70)),
        bias=draw(st.sampled_from([None, True, False])),
        tied=draw(st.booleans()),
        **keys,
    )


@settings(max_examples=40, deadline=None)
@given(
    shape=gpt_shapes(),
    padding=st.lists(st.integers(0, 5), min_size=1, max_size=6),
    prompt=st.integers(6, 9),
    steps=st.integers(1, 6),
    seed=st.integers(0, 99),
)
def test_a_gpt_of_any_shape_goes_on_as_its_modules_do(shape, padding, prompt, steps, seed):
    model = stirred(GPT(shape), seed)
    step = NativeStep.of(model)
    tokens = ids(seed, len(padding), prompt + steps, entries=shape.vocab_size)
    with torch.no_grad():
        caches = [model.new_cache(len(padding), padding=padding) for _ in range(2)]
        for cache in caches:
            model(tokens[:, :prompt], cache=cache)
        for token in tokens[:, prompt:].split(1, dim=1):
            torch.testing.assert_close(step(token, caches[0]), model(token, cache=caches[1]), **CLOSE)
    assert caches[0].length == caches[1].length == prompt + steps
    torch.testing.assert_close(caches[0].kept_2LBGSK, caches[1].kept_2LBGSK, **CLOSE)


def pairs():
    shapes = [
        {"layout": layout, "activation": activation, "head_bias": activation == "relu"}
        for layout in ("post", "pre")
        for activation in ("relu", "gelu", "silu")
    ]
    return [*shapes, {"layout": "pre", "positions": "fairseq"}, {"source_vocab_size": 23}, {"scaled_embedding": False}]


@pytest.mark.parametrize("keys", pairs(), ids=str)
@pytest.mark.parametrize("rows", [1, 5])
def test_a_transformer_goes_on_as_its_modules_do(keys, rows):
    shape = TransformerConfig(vocab_size=20, context=16, width=36, heads=3, feed_forward=50, **keys)
    assert_same_targets(stirred(Transformer(shape)), rows)


@pytest.mark.parametrize("direction", [(0, 1), (1, 0)])
def test_a_model_of_two_languages_goes_on_in_each(direction):
    shape = BilingualConfig(vocab_size=20, context=16, width=32, heads=4, languages=("ko", "en"))
    assert_same_targets(stirred(Bilingual(shape)).facing(*direction), 3)


@torch.no_grad()
def assert_same_targets(model, rows):
    step = NativeStep.of(model)
    lengths = torch.arange(rows) % 4 + 1
    memory = model.encode(ids(2, rows, 4, entries=20), lengths)
    states = [model.start(memory) for _ in range(2)]
    for number in range(16):  # to the end of the cache
        token = ids(number, rows, 1, entries=20)
        found, expected = step(token, states[0], memory), model.step(token, memory, states[1])
        torch.testing.assert_close(found, expected, **CLOSE)
        torch.testing.assert_close(model.logits(found), model.logits(expected), **CLOSE)
        if number % 5 == 4:  # as a beam search does
            chosen = ids(number, rows, entries=rows)
            memory = memory.select(chosen)
            for state in states:
                state.select(chosen)


def native_and_not(monkeypatch, write):
    found = write()
    monkeypatch.setattr(native_step, "MOST_ROWS", 0)
    return found, write()


@pytest.mark.parametrize("layout", ["gpt1", "gpt2", "llama"])
def test_texts_longer_than_the_context_are_those_of_the_modules(layout, monkeypatch):
    model = stirred(GPT(GptConfig(vocab_size=50, context=12, width=32, layers=2, layout=layout)))
    config = SamplingConfig(temperature=0.0, max_tokens=30)
    prompts = [[1], [2, 3, 4, 5, 6, 7, 8], [9, 10, 11]]
    one, other = native_and_not(monkeypatch, lambda: list(generate_ids(model, prompts, config, eos_id=49)))
    assert one == other
    assert len(one) == 30


@pytest.mark.parametrize("beams", [2, 4])
def test_beams_are_those_of_the_modules(beams, monkeypatch):
    config = BeamConfig(beams=beams, max_tokens=20)
    gpt = stirred(GPT(GptConfig(vocab_size=50, context=12, width=32, layers=2)))
    pair = stirred(Transformer(TransformerConfig(vocab_size=50, context=24, width=32)))
    source, lengths = ids(3, 3, 6, entries=50), torch.tensor([6, 2, 4])

    def write():
        writings = [PromptWriting(gpt, [[1, 2, 3], [4]]), SourceWriting(pair, source, lengths, begin=1)]
        return [beam_search(writing, config, ends=[0, 7]) for writing in writings]

    with torch.inference_mode():
        one, other = native_and_not(monkeypatch, write)
    for ours, theirs in zip(
        (text for found in one for text in found), (t for found in other for t in found), strict=True
    ):
        assert [text.ids for text in ours] == [text.ids for text in theirs]
        np.testing.assert_allclose([text.score for text in ours], [text.score for text in theirs], atol=1e-5)


def test_weights_that_training_moves_are_seen():
    model = stirred(GPT(GptConfig(vocab_size=30, context=16, width=32, layers=2)))
    writing = PromptWriting(model, [[1, 2, 3]])
    with torch.no_grad():
        writing.first()
        moved = stirred(copy.deepcopy(model), seed=5)
        model.load_state_dict(moved.state_dict())  # in place, as an optimizer's step
        for begun in (writing, PromptWriting(model, [[1, 2, 3]])):
            if begun is not writing:
                begun.first()
            found, cache = begun.next(None, torch.tensor([4])), moved.new_cache(1)
            cache.kept_2LBGSK.copy_(begun._cache.kept_2LBGSK)
            cache.length = 3
            torch.testing.assert_close(found, moved.logits(moved(torch.tensor([[4]]), cache=cache)[:, -1]), **CLOSE)


@pytest.mark.parametrize("threads", [1, 2, 5])
@torch.no_grad()
def test_threads_and_other_rows_change_nothing(threads):
    model = stirred(GPT(GptConfig(vocab_size=30, context=64, width=192, heads=6, layers=1, layout="llama", kv_heads=2)))
    tokens = ids(1, 16, 40, entries=30)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    together = NativeStep.of(model)
    torch.set_num_threads(before)
    alone = NativeStep.of(model)
    cache, caches = model.new_cache(16), [model.new_cache(1) for _ in range(16)]
    for token in tokens.split(1, dim=1):
        rows = [alone(token[[row]], caches[row]) for row in range(16)]
        assert torch.equal(together(token, cache), torch.cat(rows))


@torch.no_grad()
def test_every_kernel_gives_the_same(monkeypatch):
    model = stirred(GPT(GptConfig(vocab_size=30, context=40, width=96, heads=3, layers=2)))
    token = ids(1, 3, 1, entries=30)
    found = []
    for plain in (False, True):
        monkeypatch.setattr(native_step, "DecoderStep", lambda plain=plain, **keys: DecoderStep(**keys, plain=plain))
        step, cache = NativeStep.of(model), model.new_cache(3)
        found.append([step(token, cache) for _ in range(40)][-1])
    torch.testing.assert_close(*found, **CLOSE)


@torch.no_grad()
def test_what_is_no_number_stays_so():
    model = stirred(GPT(GptConfig(vocab_size=5, context=4, width=16, layers=1)))
    model.token_embedding.weight[3] = torch.nan
    states = NativeStep.of(model)(torch.tensor([[3], [2]]), model.new_cache(2))
    assert states[0].isnan().all()
    assert states[1].isfinite().all()


class OwnGpt(GPT):
    pass


def changed_models():
    def gpt(**keys):
        return GPT(GptConfig(vocab_size=20, context=8, width=16, layers=2, **keys)).eval()

    own_bend, own_part, one_bend = gpt(), gpt(), gpt()
    for block in own_bend.blocks:
        block.feed_forward.activation = torch.tanh
    own_part.blocks[1].attention.query = nn.Sequential(nn.Linear(16, 16)).eval()
    one_bend.blocks[1].feed_forward.activation = nn.functional.relu
    hooked, one_frozen = gpt(), gpt()
    hooked.blocks[0].attention.register_forward_hook(lambda *_: None)
    one_frozen.blocks[0].train()
    turned = gpt()
    turned.blocks[0].attention.query.weight = nn.Parameter(torch.zeros(16, 16).T)
    turned.blocks[0].attention.key.weight = nn.Parameter(torch.zeros(16, 32)[:, ::2])
    return {
        "doubles": gpt().double(),
        "halves": gpt().bfloat16(),
        "training": gpt(dropout=0.1).train(),
        "a part in training": one_frozen,
        "hooks": hooked,
        "a bend of one's own": own_bend,
        "a bend of one block": one_bend,
        "a part of one's own": own_part,
        "a class of one's own": OwnGpt(GptConfig(vocab_size=20, context=8, width=16)).eval(),
        "weights with gaps": turned,
        "a recurrent model": Seq2Seq(Seq2SeqConfig(vocab_size=20)).eval(),
        "on no device": gpt().to("meta"),
    }


@pytest.mark.parametrize("what", changed_models())
def test_a_model_that_native_code_does_not_know_is_left_to_torch(what):
    assert NativeStep.of(changed_models()[what]) is None


def test_gradients_autocast_and_many_rows_are_left_to_torch():
    step = NativeStep.of(GPT(GptConfig(vocab_size=20, context=8, width=16)).eval())
    token = torch.zeros(1, 1, dtype=torch.long)
    assert not step.takes(token)
    with torch.no_grad():
        assert step.takes(token)
        assert not step.takes(token.expand(1, 2))
        with torch.autocast("cpu", torch.bfloat16):
            assert not step.takes(token)
        assert step.takes(token.expand(native_step.MOST_ROWS, 1))
        assert not step.takes(token.expand(native_step.MOST_ROWS + 1, 1))


@torch.no_grad()
def test_an_id_or_place_the_model_has_not_is_refused():
    model = GPT(GptConfig(vocab_size=20, context=3, width=16)).eval()
    step, cache = NativeStep.of(model), model.new_cache(1)
    with pytest.raises(ValueError, match="the id 20; allowed: 0 to 19"):
        step(torch.tensor([[20]]), cache)
    for _ in range(3):
        step(torch.tensor([[1]]), cache)
    with pytest.raises(ValueError, match="position 3 of a cache of 3"):
        step(torch.tensor([[1]]), cache)
