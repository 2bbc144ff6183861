"""Texts that replacements would make gigabytes of: refused at once, before any memory is asked for."""

from __future__ import annotations

import pytest

from textpipe import Regex, Tokenizer, decoders, models, normalizers
from textpipe.core import _text
from textpipe.errors import LimitError
from textpipe.limits import DEFAULT_LIMITS

TOO_MUCH = [
    [normalizers.Replace("가", "가" * 20_000)] * 9,
    [normalizers.Replace(Regex("가"), "가" * 20_000)] * 9,
    [
        normalizers.Replace("가", "나" * 2000),
        normalizers.Replace("나", "다" * 2000),
        normalizers.Replace("다", "a" * 500),
    ],
]


@pytest.mark.parametrize("steps", TOO_MUCH, ids=["strings", "patterns", "one after the other"])
def test_replacements_that_make_too_much_of_a_text_are_refused(steps):
    tokenizer = Tokenizer(models.BPE({"가": 0, "a": 1}))
    tokenizer.normalizer = normalizers.Sequence(steps)
    for call in (
        lambda: tokenizer.encode("가"),
        lambda: tokenizer.encode_batch(["가"] * 3, threads=2),
        lambda: tokenizer.encode_to_numpy(["나", "가"]),
        lambda: tokenizer.encode_spans_to_numpy(["가"]),
        lambda: tokenizer.normalizer.normalize_str("가"),
    ):
        with pytest.raises(LimitError, match=r"too long|replacing makes [0-9,]+ characters"):
            call()
    assert tokenizer.encode("a").ids == [1]


def test_a_decoder_that_makes_too_much_is_refused():
    decoder = decoders.Sequence([decoders.Replace("가", "가" * 20_000)] * 9)
    with pytest.raises(LimitError, match="replacing makes"):
        decoder.decode(["가"])


def test_replacing_up_to_the_cap_is_no_matter_of_how_often():
    text = "가a" * 1000
    for pattern in ("a", Regex("a")):
        assert normalizers.Replace(pattern, "나다").normalize_str(text) == text.replace("a", "나다")


def test_the_native_cap_is_that_of_the_limits():
    limits = DEFAULT_LIMITS
    assert (limits.text_bytes, limits.text_growth, limits.grown_bytes) == (
        _text.LONGEST_TEXT,
        _text.MOST_GROWTH,
        _text.GROWN_BYTES,
    )


def test_a_text_may_become_so_many_times_as_long_and_some_more_and_the_message_names_the_stage():
    limits = DEFAULT_LIMITS
    text = "a" * 70_000
    most = limits.text_growth * len(text) + limits.grown_bytes
    for pattern in ("a", Regex("a")):
        tokenizer = Tokenizer(models.WordLevel({"?": 0}, "?"))
        longest = most // len(text)
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(pattern, "b" * longest)])
        assert tokenizer.encode(text).ids == [0]
        assert len(tokenizer.normalizer.normalize_str(text)) == len(text) * longest
        tokenizer.normalizer = normalizers.Replace(pattern, "b" * (longest + 1))
        for call in (tokenizer.encode, tokenizer.normalizer.normalize_str):
            with pytest.raises(LimitError, match=r"^replace .*'b+: a normalizer makes a text too long") as refused:
                call(text)
            assert len(str(refused.value)) < 500


def test_a_decoder_may_make_as_much_of_a_text_and_no_more():
    limits = DEFAULT_LIMITS
    text = "a" * 70_000
    longest = (limits.text_growth * len(text) + limits.grown_bytes // 4) // len(text)
    assert len(decoders.Replace("a", "b" * longest).decode([text])) == longest * len(text)
    with pytest.raises(LimitError, match="replacing makes"):
        decoders.Replace("a", "b" * (longest + 1)).decode([text])


def test_steps_one_after_the_other_may_make_no_more_of_a_text_than_one():
    tokenizer = Tokenizer(models.WordLevel({"?": 0}, "?"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace("a", "b" * 60), normalizers.Replace("b", "c" * 60)]
    )
    assert tokenizer.encode("a" * 2000).ids == [0]
    with pytest.raises(LimitError, match="too long"):
        tokenizer.encode("a" * 20_000)
