"""Charsets: each way a page can say, not say, or lie about what its bytes are."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.clean.decode import Decoded, Undecodable, codec_for_label, declared_labels, decode

KOREAN = "안녕하세요, 똠방각하 펲시맨입니다. 설거지는 됬고 뷁 쀍."  # 똠 펲 뷁 쀍 are not in KS X 1001
COMMON = "가나다라 마바사 아자차카 타파하 대한민국 서울특별시"


def page(charset: str, text: str = KOREAN, *, padding: int = 300) -> str:
    declaration = f'<meta charset="{charset}">' if charset else ""
    return f"<html><head>{declaration}<title>{text}</title></head><body>{'<p class=x>plain</p>' * padding}{text}</body>"


def read(body: bytes, content_type: str = "text/html") -> Decoded:
    decoded = decode(body, content_type=content_type)
    assert isinstance(decoded, Decoded), decoded
    return decoded


@pytest.mark.parametrize(
    "label",
    [
        "euc-kr",
        "EUC-KR",
        "ks_c_5601-1987",
        "ksc5601",
        "KSC_5601",
        "windows-949",
        "iso-ir-149",
        "korean",
        "cp949",
        "ms949",
    ],
)
def test_every_korean_label_reads_all_eleven_thousand_syllables(label: str) -> None:
    decoded = read(page(label).encode("cp949"))
    assert KOREAN in decoded.text
    assert (decoded.charset, decoded.charset_source, decoded.num_replaced) == ("cp949", "meta", 0)


@pytest.mark.parametrize(
    ("declaration", "content_type", "source"),
    [
        ('<meta charset="euc-kr">', "text/html", "meta"),
        ("<meta charset=euc-kr>", "text/html", "meta"),
        ("<META HTTP-EQUIV='Content-Type' CONTENT='text/html; charset=euc-kr'>", "text/html", "meta"),
        ('<meta content="text/html;charset=euc-kr" http-equiv=content-type>', "text/html", "meta"),
        ("<?xml version='1.0' encoding='euc-kr'?>", "text/html", "xml"),
        ("", "text/html; charset=euc-kr", "http"),
        ("", 'text/html; Charset = "EUC-KR"; x=y', "http"),
        ('<!-- <meta charset="utf-16"> --><meta charset="euc-kr">', "text/html", "meta"),
    ],
)
def test_a_declaration_is_found_wherever_it_stands(declaration: str, content_type: str, source: str) -> None:
    decoded = read((declaration + page("")).encode("cp949"), content_type)
    assert (decoded.charset, decoded.charset_source) == ("cp949", source)
    assert KOREAN in decoded.text


def test_a_declaration_past_the_first_four_kilobytes_is_not_looked_for() -> None:
    assert declared_labels(b" " * 4096 + b'<meta charset="euc-kr">') == []


@pytest.mark.parametrize(
    ("http", "meta", "real"),
    [
        ("utf-8", "euc-kr", "cp949"),
        ("euc-kr", "utf-8", "utf-8"),
        ("iso-8859-1", "euc-kr", "cp949"),  # a server's careless default
        ("iso-8859-1", "utf-8", "utf-8"),
        ("euc-kr", "iso-8859-1", "cp949"),
        ("utf-8", "utf-8", "cp949"),
        ("euc-kr", "euc-kr", "utf-8"),
        ("", "iso-8859-1", "cp949"),
        ("", "iso-8859-1", "utf-8"),
        ("", "no-such-charset", "cp949"),
        ("", "utf-16", "utf-8"),
        ("shift_jis", "euc-kr", "cp949"),
        ("", "", "cp949"),
        ("", "", "utf-8"),
    ],
)
def test_contradictory_declarations_give_the_text_that_was_written(http: str, meta: str, real: str) -> None:
    decoded = read(page(meta).encode(real), f"text/html; charset={http}" if http else "text/html")
    assert KOREAN in decoded.text
    assert decoded.charset == real


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_outranks_every_declaration(codec: str) -> None:
    decoded = read(page("euc-kr").encode(codec), "text/html; charset=shift_jis")
    assert KOREAN in decoded.text
    assert decoded.charset_source == "bom"
    assert "\ufeff" not in decoded.text


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [KOREAN, "plain English"])
def test_utf16_without_a_mark_is_seen_by_its_zero_bytes(codec: str, text: str) -> None:
    assert text in read(page("", text).encode(codec)).text


@pytest.mark.parametrize("syllable", ["똠", "펲", "뷁", "쀍", "힣"])
def test_what_pythons_euc_kr_codec_writes_for_rare_syllables_is_put_together_again(syllable: str) -> None:
    body = page("euc-kr", f"{COMMON} {syllable}방").encode("euc_kr")
    assert f"{syllable}방" in read(body).text


def test_one_short_korean_word_in_a_large_ascii_page_is_read() -> None:
    assert "공지" in read(page("", "공지", padding=3000).encode("cp949")).text


def test_two_syllables_of_cp949_that_happen_to_be_utf8_stay_korean() -> None:
    body = '<meta charset="euc-kr">찬짜'.encode("cp949")
    assert body.isascii() is False
    assert read(body).charset == "cp949"


@pytest.mark.parametrize(("codec", "label"), [("utf-8", "utf-8"), ("cp949", "euc-kr")])
def test_a_few_damaged_bytes_are_replaced_and_counted(codec: str, label: str) -> None:
    body = page(label, COMMON * 20).encode(codec)
    middle = body.index("특".encode(codec))
    decoded = read(body[:middle] + b"\xff" + body[middle:])
    assert decoded.charset == codec
    assert decoded.num_replaced == decoded.text.count("\ufffd") == 1


def test_a_page_cut_inside_its_last_character_is_read() -> None:
    decoded = read(page("utf-8", padding=1).encode() + "한".encode()[:2])
    assert (decoded.charset, decoded.num_replaced) == ("utf-8", 1)


def test_replacement_characters_the_page_itself_holds_are_not_counted() -> None:
    assert read(page("utf-8", "이미 깨진 \ufffd 글자").encode()).num_replaced == 0


def test_a_wrong_charset_is_never_passed_off_as_a_few_damaged_bytes() -> None:
    body = page("utf-8", "공지사항", padding=5000).encode("cp949")
    assert "공지사항" in read(body).text


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("johab", "안녕하세요 여러분. 오늘은 날씨가 참 좋습니다. 조합형으로 쓴 글입니다."),
        ("cp932", "日本語の文章です。これはテストです。よろしくお願いします。"),
        ("cp1251", "Привет, как дела? Это русский текст, написанный давно."),
        ("cp1252", "Die Straße ist schön und die Mädchen müssen noch größer werden, sagt der Bürgermeister."),
    ],
)
def test_undeclared_text_of_other_charsets_is_guessed(codec: str, text: str) -> None:
    decoded = read(text.encode(codec))
    assert (decoded.text, decoded.charset_source) == (text, "guess")


@pytest.mark.parametrize("body", [b"", b"<p>plain ASCII</p>"])
def test_ascii_needs_no_charset(body: bytes) -> None:
    assert read(body).text == body.decode()


def test_bytes_that_are_no_text_are_undecodable() -> None:
    noise = bytes((i * 7919 + i // 3) % 256 for i in range(4000))
    assert isinstance(decode(noise, content_type="text/html; charset=utf-8"), Undecodable)


@pytest.mark.parametrize("label", ["rot13", "hex", "zlib", "idna", "utf-7", "undefined", "unicode_escape", ""])
def test_python_codecs_that_are_no_charset_of_the_web_are_unknown(label: str) -> None:
    assert codec_for_label(label) is None


def test_every_codec_of_the_table_exists() -> None:
    from textpipe.clean.decode import _CODECS

    assert all(codecs.lookup(codec) for codec in set(_CODECS.values()))


@given(st.text(alphabet=st.characters(codec="cp949", exclude_categories=["Cc"]), min_size=12, max_size=60))
def test_declared_cp949_comes_back_as_it_was_written(text: str) -> None:
    body = f"<meta charset=euc-kr>{text}".encode("cp949")
    decoded = decode(body)
    assert isinstance(decoded, Decoded)
    if decoded.charset == "cp949" and "\u3164" not in text:
        assert decoded.text.endswith(text)


@given(st.binary(max_size=300), st.sampled_from(["", "text/html; charset=euc-kr", "text/html; charset=utf-8"]))
def test_any_bytes_are_decoded_or_refused_never_an_exception(body: bytes, content_type: str) -> None:
    decode(body, content_type=content_type)


@pytest.mark.parametrize("pump", [b"<", b"<!--", b"<script", b"<meta ", b"charset=", b"<meta charset", b"\xb0 <"])
def test_megabytes_of_one_opening_are_read_in_one_go(pump: bytes) -> None:
    decode(pump * (2_000_000 // len(pump)) + b"\xff", content_type="charset=" * 1000)
