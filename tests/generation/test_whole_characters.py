"""Text is made of whole characters: the mask agrees with Python's decoder; no U+FFFD is written."""

from __future__ import annotations

import functools
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe import Tokenizer
from textpipe.decoders import ByteLevel as ByteLevelDecoder
from textpipe.models import BPE
from textpipe.pre_tokenizers import ByteLevel
from textpipe.trainers import BpeTrainer

torch = pytest.importorskip("torch")

from textpipe.generation import BeamConfig, SamplingConfig, TextWriter, generate, stream  # noqa: E402
from textpipe.generation.translation import translate_ids  # noqa: E402
from textpipe.generation.whole_characters import WholeCharacters  # noqa: E402
from textpipe.nn.gpt import GPT, GptConfig  # noqa: E402
from textpipe.nn.transformer import Transformer, TransformerConfig  # noqa: E402


def byte_level(alphabet: list[str], vocab_size: int) -> Tokenizer:
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(vocab_size=vocab_size, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet)
    tokenizer.train_from_iterator(["한글은 소리를 적는다 ㅋㅋㅋ 😀🎉 naïve café"] * 3, trainer)
    return tokenizer


TOKENIZER = byte_level(ByteLevel.alphabet(), 300)
ONLY = WholeCharacters(TOKENIZER)
SIZE = TOKENIZER.get_vocab_size()


TAILS = [bytes(tail) for length in range(4) for tail in itertools.product((0x80, 0x90, 0xA0, 0xBF), repeat=length)]


def is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@functools.cache
def can_begin_text(data: bytes) -> bool:
    """Whether some continuation makes ``data`` UTF-8; these four bytes stand for every kind of continuation byte."""
    return any(is_text(data + tail) for tail in TAILS)


@given(st.lists(st.integers(0, 10**9), max_size=12))
def test_what_the_mask_allows_is_exactly_what_can_still_become_text(choices: list[int]) -> None:
    state, written = 0, b""
    for choice in choices:
        allowed = ONLY.mask([state])[0]
        for token in range(SIZE):
            piece = TOKENIZER.id_to_bytes(token)
            expected = can_begin_text(written + piece) if piece else state == 0
            assert bool(allowed[token]) == expected
        blocked = torch.zeros(2, SIZE)
        ONLY.block_(blocked, [state, state])
        assert torch.equal(blocked == 0.0, allowed.expand(2, -1))
        tokens = allowed.nonzero()[:, 0].tolist()
        token = tokens[choice % len(tokens)]
        state = ONLY.after(state, token)
        written += TOKENIZER.id_to_bytes(token)
        assert (state == 0) == is_text(written)


def test_a_vocabulary_without_some_byte_is_never_led_to_where_it_is_needed() -> None:
    few = [c for c in ByteLevel.alphabet() if c not in set(TOKENIZER.encode("글").tokens)]
    tokenizer = byte_level(few, 260)
    only = WholeCharacters(tokenizer)
    reached = {0}
    for _ in range(4):
        reached |= {only.after(s, t) for s in reached for t in only.mask([s])[0].nonzero()[:, 0].tolist()}
    for state in reached:
        assert bool(only.mask([state]).any())


@pytest.mark.parametrize("seed", range(4))
def test_an_untrained_model_writes_whole_characters_only(seed: int) -> None:
    model = GPT(GptConfig(vocab_size=SIZE, context=32, layers=1, heads=2, width=16), seed=seed).eval()
    config = SamplingConfig(max_tokens=40, seed=seed, temperature=2.0)
    prompts = ["", "한글", "caf"]
    texts = generate(model, TOKENIZER, prompts, config, eos_id=0)
    assert any(texts)
    assert "�" not in "".join(texts)
    assert "".join(stream(model, TOKENIZER, prompts[0], config, eos_id=0)) == texts[0]


@pytest.mark.parametrize("beams", [1, 3, 64])
@pytest.mark.parametrize("seed", range(4))
def test_a_search_writes_whole_characters_only(seed: int, beams: int) -> None:
    model = GPT(GptConfig(vocab_size=SIZE, context=32, layers=1, heads=2, width=16), seed=seed).eval()
    with torch.no_grad():
        model.head_weight[0] = 0.0  # eos is no choice of its own: the search writes on to the limit
    writer = TextWriter(model, TOKENIZER, eos_id=0)
    found = writer.search(["", "한글", "caf"], BeamConfig(beams=beams, max_tokens=11))
    for text, best in found:
        data = b"".join(TOKENIZER.id_to_bytes(token) for token in best.ids)
        assert can_begin_text(data)
        assert text == data.decode("utf-8", errors="ignore")
    assert any(text for text, _ in found)


@pytest.mark.parametrize("limit", [6, 7, 8])
def test_a_translation_cut_at_its_limit_ends_with_a_whole_character(limit: int) -> None:
    shape = TransformerConfig(vocab_size=SIZE, context=24, width=16, heads=2, encoder_layers=1, decoder_layers=1)
    model = Transformer(shape, seed=1).eval()
    hangul = TOKENIZER.encode("뷁").ids  # three bytes of its own: no merge joins them
    assert len(hangul) == 3
    with torch.no_grad():
        model.embedding.weight.zero_()
        for place, token in enumerate(hangul):
            model.embedding.weight[token, place] = 1.0
    writer = TextWriter(model, TOKENIZER, eos_id=0, never=(0,))
    for text, best in writer.search(["바다", "a"], BeamConfig(beams=4, max_tokens=limit)):
        assert "\ufffd" not in text
        assert text == b"".join(map(TOKENIZER.id_to_bytes, ONLY.whole(best.ids))).decode()
        assert len(best.ids) == limit
    written = translate_ids(model, [[5, 0], [6, 0]], eos_id=0, before=[1], max_tokens=limit, only=ONLY)
    assert all(is_text(b"".join(map(TOKENIZER.id_to_bytes, ids))) for ids in written)


@pytest.mark.parametrize("text", ["", "한글", "😀 é"])
def test_what_begins_a_character_and_does_not_end_it_is_cut_off(text: str) -> None:
    ids, bytes_of_one = TOKENIZER.encode(text).ids, TOKENIZER.encode("뷁").ids
    for count in range(len(bytes_of_one)):
        assert ONLY.whole([*ids, *bytes_of_one[:count]]) == ids
