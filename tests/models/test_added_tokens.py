"""Added tokens as values: what can be set, how they print, and that a tokenizer keeps its own."""

from __future__ import annotations

import pickle

import pytest
import tokenizers as oracle

import textpipe
from textpipe import AddedToken
from textpipe.errors import InputError

FLAGS = [{}, {"special": True}, {"special": True, "normalized": True}, {"lstrip": True, "normalized": False}]


@pytest.mark.parametrize("flags", FLAGS, ids=str)
def test_an_added_token_reads_and_prints_as_in_tokenizers(flags):
    ours, theirs = AddedToken("한국\n", **flags), oracle.AddedToken("한국\n", **flags)
    for _ in range(2):
        assert (repr(ours), str(ours)) == (repr(theirs), str(theirs))
        assert ours.normalized == theirs.normalized
        for token in (ours, theirs):
            token.content, token.special = "ㅋㅋ", not token.special


def test_only_content_and_special_can_be_set():
    token = AddedToken("가")
    for name in ("single_word", "lstrip", "rstrip", "normalized"):
        with pytest.raises(AttributeError):
            setattr(token, name, True)
    with pytest.raises(AttributeError):
        token.contents = "나"
    with pytest.raises(TypeError):
        AddedToken("가", True)
    with pytest.raises(InputError, match="is 3"):
        AddedToken(3)


def test_added_tokens_compare_by_all_they_are():
    assert AddedToken("가") == AddedToken("가")
    assert AddedToken("가") != AddedToken("가", rstrip=True)
    assert AddedToken("가") != "가"
    assert len({AddedToken("가"), AddedToken("가"), AddedToken("나")}) == 2
    kept = AddedToken("가", lstrip=True, special=True)
    assert pickle.loads(pickle.dumps(kept)) == kept  # noqa: S301  (our own bytes)


def test_a_tokenizer_keeps_tokens_as_they_were_when_they_were_added():
    found = []
    for package in (textpipe, oracle):
        tokenizer = package.Tokenizer(package.models.WordLevel({"ab": 0}, "ab"))
        tokenizer.normalizer = package.normalizers.Lowercase()
        token = package.AddedToken("AB")
        tokenizer.add_special_tokens([token, package.AddedToken("CD", normalized=True)])
        token.content = "other"
        tokenizer.get_added_tokens_decoder()[1].content = "other"
        found.append(
            (str(tokenizer.get_added_tokens_decoder()), tokenizer.encode("ab AB cd").tokens, tokenizer.to_str())
        )
    assert found[0] == found[1]
