"""Languages by script and function words."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.clean.language import LanguageFilter, identify, script_shares
from textpipe.clean.stages import Drop
from textpipe.records import Document

ENGLISH = "The harbour was quiet in the morning, and the first boat left with only three people on it."


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("오늘은 날씨가 맑고 바람이 분다.", "ko"),
        ("ㅋㅋㅋㅋㅋ ㅠㅠ", "ko"),
        ("오늘 deploy는 CI pipeline이 green이면 진행합니다", "ko"),
        ("大韓民國 憲法 第一條 大韓民國은 民主共和國이다", "ko"),
        (unicodedata.normalize("NFD", "맥에서 온 파일 이름"), "ko"),
        ("똠방각하 " * 3 + ENGLISH * 3, "en"),
        (ENGLISH, "en"),
        ("今日はいい天気ですね。散歩に行きましょう。", "ja"),
        ("カタカナノミ", "ja"),
        ("今天天气很好，我们去散步吧。", "zh"),
        ("Der Hafen war am Morgen ruhig, und das erste Boot fuhr mit nur drei Leuten an Bord hinaus.", "und"),
        ("Le port était calme le matin et le premier bateau est parti avec trois personnes à bord.", "und"),
        ("El puerto estaba tranquilo por la mañana y el primer barco salió con solo tres personas.", "und"),
        ("Il porto era tranquillo la mattina e la prima barca partì con solo tre persone a bordo.", "und"),
        ("Pelabuhan itu tenang di pagi hari dan perahu pertama berangkat dengan tiga orang saja.", "und"),
        ("Привет, как дела?", "und"),
        ("สวัสดีครับ วันนี้อากาศดี", "und"),
        ("12345 67.8 %% --- !!!", "und"),
        ("", "und"),
    ],
)
def test_a_text_is_given_its_language(text: str, lang: str) -> None:
    assert identify(text)[0] == lang


@pytest.mark.parametrize(("num_hangul", "lang"), [(19, "en"), (20, "ko"), (21, "ko")])
def test_one_fifth_hangul_makes_a_text_korean(num_hangul: int, lang: str) -> None:
    english = ("the and of to in is that for it with " * 10).replace(" ", "")[: 100 - num_hangul]
    spaced = " ".join(["the"] * (len(english) // 3)) + "a" * (len(english) % 3)
    assert identify("가" * num_hangul + " " + spaced)[0] == lang


def test_a_page_that_says_it_is_english_needs_to_show_less() -> None:
    table = "Cast iron pan, 26 cm, black. Oven proof. Weight 3.1 kg. Price 49000 won. Lid extra. Dry after washing."
    assert identify(table)[0] == "und"
    assert identify(table, claimed="en-GB")[0] == "en"


def test_what_a_page_claims_never_overrules_its_script() -> None:
    assert identify("오늘은 날씨가 맑고 바람이 분다.", claimed="en")[0] == "ko"


def test_shares_are_of_letters_only() -> None:
    shares = script_shares("한글 abc 漢字 かな 123 !? 👍 ×÷")
    assert shares.num_letters == 9
    assert (shares.hangul, shares.latin, shares.han, shares.kana) == pytest.approx((2 / 9, 3 / 9, 2 / 9, 2 / 9))


@given(st.text(max_size=200))
def test_any_text_has_a_score_between_zero_and_one(text: str) -> None:
    lang, score = identify(text)
    assert lang in {"ko", "en", "ja", "zh", "und"}
    assert 0.0 <= score <= 1.0


def test_the_stage_sets_the_language_and_drops_the_others() -> None:
    keep = LanguageFilter(("en",))
    kept = keep(Document(id="1", text=ENGLISH))
    assert isinstance(kept, Document)
    assert (kept.lang, kept.lang_score > 0.5) == ("en", True)
    dropped = keep(Document(id="2", text="한국어 글"))
    assert isinstance(dropped, Drop)
    assert dropped.reason == "lang_ko"


def test_no_languages_named_keeps_every_language() -> None:
    assert isinstance(LanguageFilter(())(Document(id="1", text="Привет, мир")), Document)
