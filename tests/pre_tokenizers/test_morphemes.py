"""Cuts between morphemes: the text is only cut, whatever the analyser, and what is missing is said."""

from __future__ import annotations

import gc
import itertools
import sys

import pytest

from textpipe import Tokenizer, models
from textpipe.errors import FormatError, InputError, MissingExtraError
from textpipe.formats import losses
from textpipe.pre_tokenizers import Morphemes, Sequence, WhitespaceSplit, morphemes

TEXTS = [
    "아버지가 방에 들어가신다.",
    "밥을 먹었다ㅋㅋㅋㅋ 진짜 했다 😀 GPT-2가 3D로",
    "\u1112\u1161\u11ab국어 ㅠㅠ",
    "가" * 70 + "는 길다",
    "",
    " ",
    "English only, nothing to cut.",
]
KOREAN = "학교에서는 친구들이 밥을 먹는다"


def pieces(text, analyser):
    return [piece for piece, _ in Morphemes(analyser).pre_tokenize_str(text)]


@pytest.fixture(params=["kiwi", "okt", "komoran"])
def analyser(request):
    pytest.importorskip("kiwipiepy" if request.param == "kiwi" else "konlpy")
    try:
        pieces("밥", request.param)
    except MissingExtraError as error:
        pytest.skip(str(error))
    return request.param


def test_the_pieces_joined_are_the_text(analyser):
    for text in TEXTS:
        made = Morphemes(analyser).pre_tokenize_str(text)
        assert "".join(piece for piece, _ in made) == text
        assert all(text[begin:end] == piece for piece, (begin, end) in made)


def test_particles_are_cut_off_and_no_cut_is_beside_a_space(analyser):
    made = pieces(KOREAN, analyser)
    assert len(made) > len(KOREAN.split())
    assert "을 " in made or "을" in [piece.split(" ")[0] for piece in made]
    for before, after in itertools.pairwise(made):
        assert not before[-1].isspace()
        assert not after[0].isspace()


def test_an_analyser_leaves_no_work_behind_for_every_collection_of_garbage(analyser):
    assert not [callback for callback in gc.callbacks if callback.__module__ == "_jpype"]


def test_an_analyser_there_is_none_of_is_refused_with_the_names():
    with pytest.raises(InputError, match=r"no analyser 'kiwii'.*did you mean \"kiwi\""):
        Morphemes("kiwii")


@pytest.mark.parametrize(("analyser", "module"), [("kiwi", "kiwipiepy"), ("okt", "konlpy.tag")])
def test_without_the_package_the_line_that_installs_it_is_said(monkeypatch, analyser, module):
    monkeypatch.setitem(sys.modules, module, None)
    morphemes._finder.cache_clear()
    with pytest.raises(MissingExtraError, match=r'pip install "textpipe\[ko\]"'):
        pieces("밥을", analyser)


def test_a_cut_that_does_not_spell_the_word_is_left_out(monkeypatch):
    class Tagger:
        def morphs(self, run):
            return {"했다": ["하", "었", "다"], "밥을": ["밥", "을"]}[run]

    monkeypatch.setattr(morphemes, "require", lambda *_row, **_facts: type("tag", (), {"Okt": Tagger}))
    morphemes._finder.cache_clear()
    try:
        assert pieces("밥을 했다!", "okt") == ["밥", "을 했다!"]
    finally:
        morphemes._finder.cache_clear()


def test_the_stage_says_in_json_that_it_is_of_this_package():
    assert Morphemes("okt").to_dict() == {"type": "textpipe.Morphemes", "analyser": "okt"}


@pytest.fixture
def text_of_a_file():
    tokenizer = Tokenizer(models.WordLevel({"밥": 0, "?": 1}, "?"))
    tokenizer.pre_tokenizer = Sequence([WhitespaceSplit(), Morphemes("okt")])
    return tokenizer.to_str()


def test_a_file_that_holds_the_stage_is_read_when_it_is_asked_for(text_of_a_file):
    loaded = Tokenizer.from_str(text_of_a_file, allow=["textpipe.Morphemes"])
    assert list(loaded.pre_tokenizer) == [WhitespaceSplit(), Morphemes("okt")]
    assert loaded.to_str() == text_of_a_file


def test_a_file_that_holds_the_stage_is_refused_when_nobody_asked(text_of_a_file):
    where = r"pre_tokenizer\.pretokenizers\[1\]\.type: is \"textpipe\.Morphemes\""
    with pytest.raises(FormatError, match=where + r".*allow=\['textpipe\.Morphemes'\]"):
        Tokenizer.from_str(text_of_a_file)
    with pytest.raises(FormatError, match=r"cannot be made: no analyser 'oct'.*okt"):
        Tokenizer.from_str(text_of_a_file.replace('"okt"', '"oct"'), allow=["textpipe.Morphemes"])


def test_that_tokenizers_cannot_read_the_stage_is_among_the_losses(text_of_a_file):
    parts = Tokenizer.from_str(text_of_a_file, allow=["textpipe.Morphemes"]).parts
    assert losses(parts, "tokenizer.json") == ["pre_tokenizer of textpipe's own: `tokenizers` cannot read the file"]
