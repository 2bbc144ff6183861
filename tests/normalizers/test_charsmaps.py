"""Charsmaps: Precompiled against `tokenizers`, the normalization of sentencepiece against sentencepiece, garbage."""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import pickle
import struct

import pytest
import sentencepiece
import tokenizers as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece_models import LINES, SPACED_ALPHABET
from tokenizer_samples import any_text

from textpipe import Tokenizer
from textpipe.errors import FormatError, InputError, LimitError
from textpipe.formats import sentencepiece_file
from textpipe.limits import DEFAULT_LIMITS
from textpipe.models import BPE
from textpipe.normalizers import Precompiled, SentencePiece
from textpipe.pre_tokenizers import PreTokenizer

# Rules of one character, of several, that begin others, that make nothing, more, or a space.
RULES = {
    "a": "X", "ab": "YZ", "abc": "", "가": "나다", "가\u11a8": "각", "\u0301": "", "e\u0301": "é", "©": "(c)",
    "ㅋㅋ": "ㅋ", "\u200d": "", "b": " ", "\u3000": "  ", "\u0600": "", "c\u0308": "c", "한\u1112": "한",
    "\x01": "", "😀": ":)", "☺\ufe0f": "☻", "d\u0903": "D", "\r": "", "\n": " ", "\u1100": "ㄱ",
}  # fmt: skip
NAMES = ["nmt_nfkc", "nfkc_cf", "identity", "own"]


@functools.cache
def trained(name: str) -> bytes:
    """The .model with a charsmap of sentencepiece's own, or with the rules above."""
    written = io.BytesIO()
    options = {"normalization_rule_name": name}
    if name == "own":
        import tempfile
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder) / "rules.tsv"
            table.write_text(
                "".join(
                    " ".join(f"{ord(c):X}" for c in before) + "\t" + " ".join(f"{ord(c):X}" for c in after) + "\n"
                    for before, after in RULES.items()
                )
            )
            return trained_with({"normalization_rule_tsv": str(table)}, written)
    return trained_with(options, written)


def trained_with(options: dict[str, str], written: io.BytesIO) -> bytes:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES), model_writer=written, vocab_size=200, hard_vocab_limit=False, minloglevel=2,
        num_threads=1, **options,
    )  # fmt: skip
    return written.getvalue()


@functools.cache
def charsmap(name: str) -> bytes:
    return sentencepiece_file.read(trained(name), path="x", limits=DEFAULT_LIMITS).normalizer.charsmap


texts = st.one_of(
    st.text(
        alphabet=st.sampled_from(SPACED_ALPHABET + "".join(RULES) + "©®☺❤\ufe0f🇰🇷\u0903\u0600क\u094d"), max_size=30
    ),
    any_text,
)


@functools.cache
def pair(name: str) -> tuple[Precompiled, oracle.normalizers.Precompiled]:
    return Precompiled(charsmap(name)), oracle.normalizers.Precompiled(charsmap(name))


@pytest.mark.parametrize("name", ["nmt_nfkc", "nfkc_cf", "own"])
@given(text=texts)
def test_precompiled_rewrites_text_as_in_tokenizers(name, text):
    ours, theirs = pair(name)
    assert ours.normalize_str(text) == theirs.normalize_str(text)


@functools.cache
def tokenizers_with(name: str) -> tuple[Tokenizer, oracle.Tokenizer]:
    theirs = oracle.Tokenizer(oracle.models.BPE({"?": 0}, [], unk_token="?", fuse_unk=False))
    theirs.normalizer = oracle.normalizers.Precompiled(charsmap(name))
    return Tokenizer.from_str(theirs.to_str()), theirs


@pytest.mark.parametrize("name", ["nmt_nfkc", "own"])
@given(text=texts)
def test_precompiled_keeps_the_places_of_tokenizers(name, text):
    ours, theirs = tokenizers_with(name)
    found, expected = ours.encode(text), theirs.encode(text)
    assert ours.pipeline.native is not None
    assert (found.ids, found.offsets) == (expected.ids, expected.offsets)
    staged = Tokenizer.from_str(theirs.to_str())
    staged.pre_tokenizer = Whole()
    assert staged.encode(text).offsets == expected.offsets


class Whole(PreTokenizer):
    """A part of the user's own: with it there is no native program."""

    def apply(self, text):
        return [text]


def test_every_character_joins_the_one_before_or_after_it_as_in_tokenizers():
    ours, theirs = pair("own")  # "a" is rewritten with all of its cluster
    for start in range(0, 0x110000, 0x800):
        if 0xD800 <= start < 0xE000:
            continue
        text = "".join(f"a{chr(c)}한{chr(c)}a " for c in range(start, start + 0x800))
        assert ours.normalize_str(text) == theirs.normalize_str(text)


@pytest.mark.parametrize("name", ["nmt_nfkc", "nfkc_cf"])
def test_every_character_is_rewritten_as_in_sentencepiece(name):
    theirs = sentencepiece.SentencePieceProcessor(model_proto=trained(name))
    ours = SentencePiece(charsmap(name))
    for start in range(0, 0x110000, 0x400):
        if not 0xD800 <= start < 0xE000:
            text = "".join(f"{chr(c)}한{chr(c)}\u0301 " for c in range(start, start + 0x400))
            assert ours.normalize_str(text) == theirs.normalize(text)


@pytest.mark.parametrize("name", NAMES)
@given(text=texts)
def test_sentences_are_rewritten_as_in_sentencepiece(name, text):
    theirs = sentencepiece.SentencePieceProcessor(model_proto=trained(name))
    assert SentencePiece(charsmap(name)).normalize_str(text) == theirs.normalize(text)


def load(data: bytes) -> None:
    Precompiled(data).normalize_str("a가 b" * 50)
    SentencePiece(data).normalize_str("a가 b" * 50)


def test_a_charsmap_cut_off_anywhere_is_refused():
    data = charsmap("own")
    for size in [*range(300), *range(300, len(data) - 1, 97), len(data) - 1]:
        with pytest.raises(InputError, match="the charsmap cannot be read"):
            Precompiled(data[:size])


@settings(max_examples=300)
@given(st.data())
def test_a_charsmap_with_any_units_is_refused_or_does_no_harm(data):
    good = bytearray(charsmap("own"))
    size = struct.unpack_from("<I", good)[0]
    for _ in range(data.draw(st.integers(1, 8))):
        unit = data.draw(st.integers(0, min(size // 4, 1000) - 1))
        struct.pack_into("<I", good, 4 + 4 * unit, data.draw(st.integers(0, (1 << 32) - 1)))
    with contextlib.suppress(InputError):  # nothing else gets out
        load(bytes(good))


NOTHING = 0x80000000  # a value, which no byte leads to


def blob(units: list[int], texts: bytes) -> bytes:
    units = units + [NOTHING] * (-len(units) % 256)
    return struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + texts


def unit(label: int, offset: int, *, ends: bool = False) -> int:
    return offset << 10 | ends << 8 | label


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            blob([unit(0, 1), *[NOTHING] * 95, unit(97, 2, ends=True), NOTHING, NOTHING], b"x\0"),
            None,
        ),  # 96 = 0 ^ 1 ^ 97
        (blob([unit(0, 256)], b"x\0"), "leads out of itself"),
        (blob([unit(0, 1, ends=True)], b"x\0"), "has no root"),
        (blob([unit(5, 1)], b"x\0"), "has no root"),
        (blob([unit(0, 1), *[NOTHING] * 95, unit(97, 97)], b"x\0"), "runs in a circle"),  # 96 ^ 97 ^ 97
        (blob([unit(0, 1), *[NOTHING] * 95, unit(97, 1, ends=True), unit(7, 0)], b"x\0"), "has no replacement"),
        (blob([unit(0, 1)], b"x"), "has no end"),
        (blob([unit(0, 1)], b"\xff\0"), "not UTF-8"),
    ],
)
def test_what_is_wrong_with_a_charsmap_is_said(data, message):
    if message is None:
        return load(data)
    with pytest.raises(InputError, match=message):
        load(data)
    return None


def test_a_replacement_outside_the_replacements_or_inside_a_character_is_refused():
    for value in (3, 4, 6, 1 << 20):
        units = [unit(0, 1), *[NOTHING] * 95, unit(97, 8, ends=True), *[NOTHING] * 159]
        units[96 ^ 8] = NOTHING | value
        with pytest.raises(InputError, match="outside the replacements"):
            load(blob(units, "x\0한\0".encode()))


def test_a_charsmap_above_the_cap_is_refused():
    with pytest.raises(LimitError, match="allowed: 4194304 bytes"):
        Precompiled(bytes(DEFAULT_LIMITS.charsmap_bytes + 1))


@pytest.mark.parametrize("make", [Precompiled, SentencePiece])
def test_they_are_values(make):
    made, other = make(charsmap("own")), make(charsmap("identity") or charsmap("nfkc_cf"))
    for copied in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):  # noqa: S301  (its own bytes)
        assert copied == made != other
    tokenizer = Tokenizer(BPE({"a": 0}, []))
    tokenizer.normalizer = made
    assert Tokenizer.from_str(tokenizer.to_str()).normalizer == made


def test_precompiled_is_written_as_in_tokenizers():
    theirs = oracle.Tokenizer(oracle.models.BPE({"a": 0}, []))
    theirs.normalizer = oracle.normalizers.Precompiled(charsmap("own"))
    assert Tokenizer.from_str(theirs.to_str()).to_str() == theirs.to_str()


def test_base_64_that_is_none_is_named_with_its_field():
    row = '{"version":"1.0","added_tokens":[],"normalizer":{"type":"Precompiled","precompiled_charsmap":"%%"},'
    with pytest.raises(FormatError, match=r"normalizer\.precompiled_charsmap: is not base 64"):
        Tokenizer.from_str(row + '"model":{"type":"BPE","vocab":{},"merges":[]}}')
