"""One form for every text: what changes, what must not, and that a second time changes nothing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textpipe.clean.normalize import Normalize, normalize
from textpipe.records import Document

HANGUL = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)
JAMO = st.characters(min_codepoint=0x1100, max_codepoint=0x11FF)
ODD = st.sampled_from(
    "ᅟᅠㅤﾠ각각ᄒㅋ！？，（）Ａ１｡ｱﾡ漢か🏴"
    "👩‍💻❤️\u200b\u200c\u200d\u2028\x85\r\n \t\u3000\ufeff\u0300\u0344\u0f73\u0958\u212b\u0338＜"
    "\ud800\udc00\ue000\U000e0067\U000e007f\u05b0\u0627\u0653\ufb2c\u034f\u00ad"
)
TEXT = st.text(alphabet=st.one_of(ODD, HANGUL, JAMO, st.characters()), max_size=40)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (unicodedata.normalize("NFD", "한글을 분해해 두었다"), "한글을 분해해 두었다"),
        (unicodedata.normalize("NFD", "café Ångström"), "café Ångström"),
        ("가\r\n나\r다\u2028라\x85마\x0b바", "가\n나\n다\n라\n마\n바"),
        ("한\xa0글\u3000입\u2009니다", "한 글 입 니다"),
        ("줄 끝  \t\n다음", "줄 끝\n다음"),
        ("문단\n\n\n\n문단", "문단\n\n문단"),
        ("  앞뒤  \n", "앞뒤"),
        ("제\u200b로\u00ad폭\ufeff", "제로폭"),
        ("가\x00나\x1b[0m", "가나[0m"),
        ("한글\ue0bc\U000f0001", "한글"),
        ("\ud83d한\udc00", "한"),
        ("ＫＯＲＥＡ２０２６", "KOREA2026"),
        ("정말？（예）！　￦１，０００", "정말?(예)! ₩1,000"),
        ("东京，大阪！（日本）", "东京，大阪！（日本）"),
        ("ﾡﾢￂ", "ㄱㄲㅏ"),
        ("ᄏᄏᄏ ᅲᅲ", "ㅋㅋㅋ ㅠㅠ"),
        ("각ᆨ", "각ㄱ"),
        ("가나ㅤ다ﾠ라", "가나다라"),
        ("\u202e거꾸로\u202c", "거꾸로"),
        ("ha\U000e0068\U000e0069", "ha"),
        ("한\u200d글 a\u200cb", "한글 ab"),
    ],
)
def test_one_form_for_many(before: str, after: str) -> None:
    assert normalize(before)[0] == after


@pytest.mark.parametrize(
    "text",
    [
        "ㅋㅋㅋㅋ ㅠㅠ ㅎㄷㄷ ㄹㅇ ㅇㅈ ^^;;",
        "㈜한빛 ½ ① ℃ ™ ﬁ ㎏ Ⅳ",
        "ㄱㅏ ㅋㅋㅠ",
        "👩‍💻 🏳️‍🌈 ❤️‍🔥 👍🏽 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "\u1112\u119e\u11ab글",  # ᄒᆞᆫ: old Hangul has no precomposed form
        "می‌خواهم",
        "क्‍ष",
        "def f():\n    return\t1",
        "漢字、かな。「括弧」",
        "",
        "一\n\n二",
    ],
)
def test_what_is_right_stays_as_it_is(text: str) -> None:
    assert normalize(text) == (text, {})


def test_changes_are_counted_by_kind() -> None:
    assert normalize("\ufeff\u200bＡ１ 한\ue000 ᄒ a\u200db" + "\u0301" * 40)[1] == {
        "full_width": 2,
        "invisible": 2,
        "jamo": 1,
        "joiners": 1,
        "marks": 10,
        "private": 1,
    }


@settings(max_examples=600, deadline=None)
@example("＜\u0338")
@example("각ᅟ")
@example("e\u1160\u0301")
@example("a" + "\u0344" * 60)
@example("क" + "\u0300" * 30 + "\u200d" + "\u0300" * 30)
@example("🏴" + "\U000e0067" * 30)
@given(TEXT)
def test_a_second_time_changes_nothing(text: str) -> None:
    once, _ = normalize(text)
    assert normalize(once) == (once, {})


@settings(max_examples=200, deadline=None)
@given(TEXT)
def test_the_result_is_nfc_and_can_be_written_as_utf8(text: str) -> None:
    once, _ = normalize(text)
    assert unicodedata.is_normalized("NFC", once)
    once.encode("utf-8")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.one_of(HANGUL, st.sampled_from(" .,!?ㅋㅎㅠㅜabcXYZ0123\n")), max_size=60))
def test_composed_and_decomposed_korean_become_the_same(text: str) -> None:
    assert normalize(unicodedata.normalize("NFD", text))[0] == normalize(text)[0]


@pytest.mark.parametrize(
    "hostile",
    [
        "a" + "\u0301\u0316" * 500_000,
        "\u0344" * 500_000,
        " " * 2_000_000 + "x",
        "\n " * 700_000,
        "\u200d" * 1_000_000,
        "\u1100" * 500_000,
        "！" * 500_000,
        "🏴" + "\U000e0067" * 300_000,
        "\u1160" * 500_000,
        "가\u1160" * 200_000,
    ],
    ids=lambda text: f"U+{ord(text[1]):04X}",
)
def test_a_long_run_of_anything_is_done_in_one_go(hostile: str) -> None:
    once, _ = normalize(hostile)
    assert normalize(once)[0] == once


def test_the_stage_normalizes_text_and_title_and_notes_what_it_did() -> None:
    document = Document(id="1", text="Ａ", title=" 제\u200b목\n둘 ", metadata={"kept": "yes"})
    done = Normalize()(document)
    assert isinstance(done, Document)
    assert (done.text, done.title) == ("A", "제목 둘")
    assert done.metadata == {"kept": "yes", "normalize.full_width": "1"}
