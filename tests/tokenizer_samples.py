"""Texts and tokenizers that the tokenizer tests share; Korean first."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import tokenizers as oracle
from hypothesis import strategies as st

from textpipe import Text, Tokenizer

CORPORA = Path(__file__).resolve().parent.parent.parent / "shared" / "corpora"

# Syllables, jamo of both blocks, decomposed Hangul, marks, emoji with joiners, right-to-left, control, odd spaces.
ALPHABET = (
    "가힣한국어각똠쀍ㄱㅋㅎㅏㅠ\u1100\u1112\u1161\u1175\u11a8\u11ab\u11c2"
    "ab'stremvdlAZ09  \t\n\r.,!<>|_"
    "²½①ﬁＡ\u3000\xa0\u0661中\ufdfaéİßΣς\u0344\u1e69\u0301\u0323\u0307\u0345"
    "\u05d0\u202e\x00\x1c\x7f\x85\u200c\u200d\u180e\ufeff😀👨\U0001f468\U0010ffff"
)
mixed_text = st.text(alphabet=st.sampled_from(ALPHABET), max_size=40)
any_text = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)
texts = st.one_of(mixed_text, any_text)

KOREAN_LINES = [
    "안녕하세요, 오늘은 날씨가 참 좋네요 ㅋㅋㅋㅋ 산책하러 갈까요?",
    "할머니께서 국수를 삶아 주셨다. 정말 맛있었다ㅠㅠ 2024년 3월의 일이다.",
    "한글은 자음과 모음을 모아 한 글자를 만드는 문자이다. It's we've they'll.",
    "기차가 늦어져서 우리는 역 앞에서 기다렸다... \t 그리고\n\n다시 걸었다!!",
]


@functools.cache
def byte_level_json(vocab_size: int = 600) -> str:
    """A byte-level tokenizer.json that `tokenizers` trained on Korean lines."""
    tokenizer = oracle.Tokenizer(oracle.models.BPE())
    tokenizer.pre_tokenizer = oracle.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = oracle.decoders.ByteLevel()
    trainer = oracle.trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=oracle.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(KOREAN_LINES * 3, trainer)
    return tokenizer.to_str()


@functools.cache
def corpus(name: str, num_chars: int) -> str:
    """The beginning of a real corpus; the test skips where it is not at hand."""
    path = CORPORA / name
    if not path.exists():
        pytest.skip(f"{path.name} is not in ../shared/corpora")
    import io

    import zstandard

    with path.open("rb") as file:
        reader = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), encoding="utf-8", newline="")
        return reader.read(num_chars)


def untrusted_ids(tokenizer: Tokenizer, text: str) -> list[int]:
    """The ids of a text by every way in, as text nobody vouches for; they must agree."""
    options: dict[str, Any] = {"add_special_tokens": False, "special": "text"}
    matrix, lengths = tokenizer.encode_to_matrix([text], pad_id=0, **options)
    found = {
        "encode": tokenizer.encode(text, **options).ids,
        "batch": tokenizer.encode_batch([text], **options)[0].ids,
        "fast": tokenizer.encode_batch_fast([text], **options)[0].ids,
        "numpy": tokenizer.encode_to_numpy([text], **options)[0].tolist(),
        "spans": tokenizer.encode_spans_to_numpy([text], special="text").ids.tolist(),
        "matrix": matrix[0, : lengths[0]].tolist(),
        "words": tokenizer.encode([text], is_pretokenized=True, **options).ids,
        "segments": tokenizer.encode_segments([Text(text)]).ids,
    }
    found["pair"] = tokenizer.encode("", text, **options).ids
    assert all(ids == found["encode"] for ids in found.values()), found
    return found["encode"]
