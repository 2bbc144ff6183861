"""Writing: the cache changes nothing, batches change nothing, streams never split a character."""

from __future__ import annotations

import itertools

import pytest
import regex
import torch

from textpipe.errors import InputError
from textpipe.generation.decoding import generate, generate_ids, stream
from textpipe.generation.sampling import SamplingConfig, choose
from textpipe.interchange.names import to_theirs
from textpipe.nn.gpt import GPT, GptConfig

GREEDY = SamplingConfig(max_tokens=20, temperature=0.0)
NEVER = -1  # an eos that never comes


def spread(model, seed=1):
    """Weights far enough from zero that texts differ and do not repeat one token."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 2:
                weight.normal_(0.0, 0.25, generator=generator)
    return model.eval()


@pytest.fixture(scope="module")
def model():
    return spread(GPT(GptConfig(vocab_size=120, context=40, layers=2, heads=2, width=32)))


def ids(model, prompts, config, eos_id=0):
    rows = [[] for _ in prompts]
    for step in generate_ids(model, prompts, config, eos_id=eos_id):
        for row, found in zip(rows, step, strict=True):
            if found is not None:
                row.append(found)
    return rows


@torch.no_grad()
def without_cache(model, prompt, config):
    """The same, reading everything anew for each token, with the same window."""
    text, read = list(prompt), list(prompt)
    generator = torch.Generator().manual_seed(_seed(config))
    for _ in range(config.max_tokens):
        if len(read) > model.config.context:
            read = text[-max(1, model.config.context // 2) :]
        logits = model.logits(model(torch.tensor([read]))[:, -1])
        found = int(choose(logits, config, [generator]))
        text.append(found)
        read.append(found)
    return text[len(prompt) :]


def _seed(config):
    from textpipe.data.permutation import derive_key

    return derive_key("sample", config.seed, 0) >> 1


@pytest.mark.parametrize("config", [GREEDY, SamplingConfig(max_tokens=20, top_k=20, seed=4)])
def test_the_cache_changes_no_id(model, config):
    prompt = [5, 17, 99]
    assert ids(model, [prompt], config, eos_id=NEVER)[0] == without_cache(model, prompt, config)


def test_a_text_longer_than_the_context_goes_on_as_without_cache(model):
    config = SamplingConfig(max_tokens=130, temperature=1.0, seed=2)
    prompt = [5, 17, 99]
    written = ids(model, [prompt], config, eos_id=NEVER)[0]
    assert len(written) == 130
    assert written == without_cache(model, prompt, config)


def test_greedy_ids_equal_transformers(model):
    transformers = pytest.importorskip("transformers")
    shape = model.config
    theirs = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=shape.vocab_size,
            n_positions=shape.context,
            n_embd=shape.width,
            n_layer=shape.layers,
            n_head=shape.heads,
            bos_token_id=0,
            eos_token_id=0,
        )
    ).eval()
    theirs.load_state_dict(to_theirs(shape, model.state_dict()), strict=False)
    for prompt in ([7], [3, 50, 119, 4], list(range(1, 21))):
        expected = theirs.generate(torch.tensor([prompt]), max_new_tokens=19, do_sample=False, pad_token_id=0)[0]
        expected = expected[len(prompt) :].tolist()
        expected = expected[: expected.index(0)] if 0 in expected else expected
        assert ids(model, [prompt], GREEDY.replaced(max_tokens=19))[0] == expected


@pytest.mark.parametrize("config", [GREEDY, SamplingConfig(max_tokens=60, temperature=0.9, seed=6)])
def test_prompts_of_mixed_length_in_one_batch_are_written_as_alone(model, config):
    prompts = [[5], [9, 30, 31, 32, 33, 34], [77, 12, 3]]
    if config.temperature == 0.0:
        assert ids(model, prompts, config) == [ids(model, [prompt], config)[0] for prompt in prompts]
    else:  # a row draws by its place in the batch: compare with itself in another company
        other = [[1, 2, 3, 4, 5, 6], prompts[1], [8, 8]]
        assert ids(model, prompts, config)[1][:30] == ids(model, other, config)[1][:30]


def test_the_seed_decides_the_text(model):
    texts = [ids(model, [[5]], SamplingConfig(max_tokens=30, seed=seed))[0] for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_eos_ends_a_text_and_is_not_part_of_it(model):
    prompts = [[5], [9]]
    free = ids(model, prompts, GREEDY)
    eos = free[0][4]
    first = free[0].index(eos)
    stopped = []
    for step in generate_ids(model, prompts, GREEDY, eos_id=eos):
        stopped.append(step)
    assert [step[0] for step in stopped][: first + 1] in ([*free[0][:first], None], free[0][:first])
    assert all(step[0] is None for step in stopped[first:])


def test_no_more_than_max_tokens_are_written(model):
    for most in (0, 1, 7):
        assert len(ids(model, [[5]], GREEDY.replaced(max_tokens=most), eos_id=NEVER)[0]) == most


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ([], "no prompt given"),
        ([[]], "prompt 0 is empty"),
        ([[1], list(range(41))], r"prompt 1 has 41 tokens \(allowed: 40, the model's context\)"),
        ([[1, 120]], r"prompt 0 has the id 120 \(allowed: 0 … 119\)"),
        ([[-1]], "prompt 0 has the id -1"),
    ],
)
def test_a_prompt_that_cannot_be_read_is_refused(model, prompts, message):
    with pytest.raises(InputError, match=message):
        next(generate_ids(model, prompts, GREEDY, eos_id=0))


@pytest.fixture(scope="module")
def writer(small_tokenizer):
    """A model of the small tokenizer that mostly writes the bytes of Hangul."""
    return spread(GPT(GptConfig(vocab_size=small_tokenizer.get_vocab_size(), context=32, layers=1, heads=2, width=32)))


@pytest.mark.parametrize("seed", range(5))
def test_streamed_pieces_joined_are_the_text(writer, small_tokenizer, seed):
    config = SamplingConfig(max_tokens=60, seed=seed)
    pieces = list(stream(writer, small_tokenizer, "바다", config, eos_id=0))
    assert "".join(pieces) == generate(writer, small_tokenizer, ["바다"], config, eos_id=0)[0]


def test_a_text_ends_before_a_stop_string_streamed_or_not(writer, small_tokenizer):
    config = SamplingConfig(max_tokens=60, seed=3)
    whole = generate(writer, small_tokenizer, ["바다"], config, eos_id=0)[0]
    stop = whole[len(whole) // 2 : len(whole) // 2 + 2]
    config = config.replaced(stop=(stop,))
    expected = whole[: whole.index(stop)]
    assert generate(writer, small_tokenizer, ["바다"], config, eos_id=0)[0] == expected
    assert "".join(stream(writer, small_tokenizer, "바다", config, eos_id=0)) == expected


def test_no_run_of_tokens_is_written_twice_when_forbidden(model):
    written = [5, *ids(model, [[5]], GREEDY.replaced(max_tokens=30, no_repeat_ngram=2), eos_id=NEVER)[0]]
    runs = list(itertools.pairwise(written))
    assert len(set(runs)) == len(runs)


def test_a_stream_never_splits_a_character(writer, small_tokenizer, monkeypatch):
    text = "한글은 자음과 모음 ㅎㅎ 🙂 뷁똠 👩‍🌾🇰🇷 e̤ end"
    written = small_tokenizer.encode(text, add_special_tokens=False).ids
    assert len(written) > len(text)  # most characters are several tokens here
    monkeypatch.setattr("textpipe.generation.decoding.sample_ids", lambda *a, **k: ([found] for found in written))
    pieces = list(stream(writer, small_tokenizer, "", eos_id=0))
    assert "".join(pieces) == text
    assert all("\ufffd" not in piece for piece in pieces)
    assert regex.findall(r"\X", text) == [one for piece in pieces for one in regex.findall(r"\X", piece)]
