"""Code as a user writes it: read by type checkers, and run. What a checker must know is asserted by ``assert_type``."""

from __future__ import annotations

import asyncio
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from textpipe import (
    AddedToken,
    Encoding,
    NormalizedString,
    PreTokenizedString,
    Regex,
    Special,
    Text,
    Token,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)


class KeepHangul:
    """A normalizer and a pre-tokenizer of the user's own."""

    def normalize(self, normalized: NormalizedString) -> None:
        normalized.nfc()
        normalized.filter(lambda character: character == " " or "가" <= character <= "힣")

    def pre_tokenize(self, pretok: PreTokenizedString) -> None:
        pretok.split(lambda number, split: split.split(Regex(r"\s+"), "removed"))


def build() -> Tokenizer:
    """A tokenizer of native stages."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Strip(left=False)])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=("<unk>", "<s>"), initial_alphabet=tuple(pre_tokenizers.ByteLevel.alphabet())
    )
    tokenizer.train_from_iterator(["한국어를 배워요", "나무가 많아요"], trainer)
    start = tokenizer.token_to_id("<s>")
    assert_type(start, int | None)
    assert start is not None
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A", None, [("<s>", start)])
    tokenizer.add_tokens([AddedToken("나무", single_word=True), "숲"])
    return tokenizer


def use(tokenizer: Tokenizer) -> str:
    """Every way to encode, and back."""
    encoding = tokenizer.encode("한국어", special="text")
    assert_type(encoding, Encoding)
    assert_type(encoding.ids, list[int])
    assert_type(encoding.offsets, list[tuple[int, int]])
    assert_type(encoding.word_ids, list[int | None])
    assert_type(encoding.char_to_token(0), int | None)
    assert_type(tokenizer.encode_batch(["가", ("나", "다")]), list[Encoding])
    ids, offsets = tokenizer.encode_to_numpy(["가", "나"])
    assert_type(ids, NDArray[np.uint16] | NDArray[np.uint32])
    assert_type(offsets, NDArray[np.int64])
    assert_type(tokenizer.get_vocab(), dict[str, int])
    assert_type(asyncio.run(tokenizer.async_encode("가")), Encoding)
    tokenizer.enable_truncation(5, stride=1)
    tokenizer.enable_padding(length=8)
    tokenizer.encode_segments([Special("<s>"), Text("<s> 가")])
    stream = decoders.DecodeStream(skip_special_tokens=True)
    assert_type(stream.step(tokenizer, encoding.ids), str | None)
    return tokenizer.decode(encoding.ids)


def own() -> list[int]:
    """Stages of the user's own."""
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, "나무": 1}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Normalizer.custom(KeepHangul())
    tokenizer.pre_tokenizer = pre_tokenizers.PreTokenizer.custom(KeepHangul())
    pre_tokenized = PreTokenizedString("나무")
    pre_tokenized.tokenize(lambda text: [Token(1, text, (0, len(text.encode())))])
    assert_type(pre_tokenized.to_encoding(), Encoding)
    return tokenizer.encode("나무, 나무!").ids


if __name__ == "__main__":
    assert use(build()) == "한국어"
    assert own() == [1, 1]
