"""What tests of several folders share: a small bilingual corpus in our own words and a small tokenizer of it."""

from __future__ import annotations

import pytest
from hypothesis import settings

from textpipe.records import Document

settings.register_profile("no clock", settings.default, deadline=None)  # a busy machine is no failure
settings.load_profile("no clock")

KOREAN = (
    "아침 바다는 조용하고 배는 천천히 항구로 들어온다.",
    "할머니는 마당에서 콩을 고르고 고양이는 볕을 쬔다 ㅎㅎ",
    "기차가 늦어져서 우리는 역 앞 식당에서 국수를 먹었다ㅠㅠ",
    "한글은 자음과 모음을 모아 한 글자를 만든다.",
)
ENGLISH = (
    "The ferry is late again, and nobody on the pier seems to mind.",
    "She planted beans along the wall and counted the days.",
    "A small lamp burned in the window of the station.",
    "He repaired the bicycle with a piece of wire and some patience.",
)


@pytest.fixture(scope="session")
def small_documents():
    """320 short documents, Korean and English in turn, each different, ids ``doc-0`` … ."""
    rows = []
    for number in range(320):
        lang, lines = ("ko", KOREAN) if number % 2 else ("en", ENGLISH)
        text = " ".join(lines[(number // 2 + step) % len(lines)] for step in range(1 + number % 3))
        rows.append(Document(id=f"doc-{number}", text=f"{text} {number}", lang=lang))
    return rows


@pytest.fixture(scope="session")
def small_tokenizer_json(small_documents):
    """tokenizer.json of a byte-level BPE with 400 entries, made by the `tokenizers` package."""
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<|other|>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([document.text for document in small_documents], trainer)
    return tokenizer.to_str()


@pytest.fixture(scope="session")
def small_tokenizer(small_tokenizer_json):
    """The same tokenizer in ours."""
    from textpipe.tokenizer import Tokenizer

    return Tokenizer.from_str(small_tokenizer_json)


@pytest.fixture(scope="session")
def small_packed(small_documents, small_tokenizer, tmp_path_factory):
    """The corpus packed: a folder of token shards."""
    from textpipe.data.packing import PackConfig, pack

    out = tmp_path_factory.mktemp("packed") / "shards"
    return pack(small_documents, small_tokenizer, out, PackConfig(val_fraction=0.1))
