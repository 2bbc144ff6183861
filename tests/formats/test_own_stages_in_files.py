"""Stages that the format does not know: written under their own name, read when asked for, refused otherwise."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
import tokenizers as oracle

from textpipe import Tokenizer, decoders, models, normalizers, pre_tokenizers
from textpipe.errors import ConfigError, FormatError
from textpipe.formats.own_stages import register


@register("tests.Jamo")
@dataclass(eq=False, repr=False)
class Jamo(normalizers.Normalizer):
    """Takes syllables apart, or puts jamo together."""

    compose: bool = False

    def apply(self, text):
        return (normalizers.NFC() if self.compose else normalizers.NFD()).apply(text)


@register("tests.Backwards")
@dataclass(eq=False, repr=False)
class Backwards(decoders.Decoder):
    """The last piece first."""

    def chain(self, tokens):
        return list(reversed(tokens))


NAMES = ["tests.Jamo", "tests.Backwards"]


@pytest.fixture
def tokenizer():
    made = Tokenizer(models.WordLevel({"\u1112\u1161\u11ab": 0, "?": 1}, "?"))
    made.normalizer = normalizers.Sequence([Jamo(), normalizers.Lowercase()])
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.decoder = Backwards()
    return made


def test_an_own_stage_comes_back_with_its_settings(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "tokenizer.json")
    again = Tokenizer.from_file(tmp_path / "tokenizer.json", allow=NAMES)
    assert again.normalizer == tokenizer.normalizer
    assert again.to_str() == tokenizer.to_str()
    assert repr(again) == repr(tokenizer)
    assert again.encode("한 글").ids == [0, 1]
    assert again.decode([0, 1]) == "?\u1112\u1161\u11ab"
    tokenizer.normalizer[0].compose = True
    changed = Tokenizer.from_buffer(tokenizer.to_str().encode(), allow=NAMES)
    assert changed.normalizer[0].compose is True
    assert json.loads(changed.to_str())["normalizer"]["normalizers"][0] == {"type": "tests.Jamo", "compose": True}


def test_a_file_alone_does_not_make_one(tokenizer):
    text = tokenizer.to_str()
    with pytest.raises(
        FormatError, match=r"normalizer\.normalizers\[0\]\.type: is \"tests\.Jamo\".*allow=\['tests\.Jamo'\]"
    ):
        Tokenizer.from_str(text)
    with pytest.raises(FormatError, match=r"decoder\.type: is \"tests\.Backwards\""):
        Tokenizer.from_str(text, allow=["tests.Jamo"])
    with pytest.raises(FormatError):  # what was allowed once is not allowed again
        Tokenizer.from_str(text)
    with pytest.raises(Exception, match=r"."):
        oracle.Tokenizer.from_str(text)


def test_a_name_nobody_registered_and_settings_that_do_not_fit_are_named(tokenizer):
    text = tokenizer.to_str()
    with pytest.raises(FormatError, match="nothing here has registered"):
        Tokenizer.from_str(text.replace("tests.Jamo", "tests.Jammo"), allow=["tests.Jammo"])
    with pytest.raises(FormatError, match=r"tests\.Jamo cannot be made.*compos"):
        Tokenizer.from_str(text.replace('"compose"', '"compos"'), allow=NAMES)


def test_only_a_stage_gets_a_name_and_only_a_new_one():
    with pytest.raises(ConfigError, match="with a dot"):
        register("Jamo")(Jamo)
    with pytest.raises(ConfigError, match="with a dot"):
        register("tests.Jamo")(Jamo)
    with pytest.raises(ConfigError, match="is no stage"):
        register("tests.Nothing")(dict)
