"""Chunks of lines: long lines cut where no word is cut, bytes that are no UTF-8, and memory that does not follow."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from textpipe import normalizers, pre_tokenizers, sources
from textpipe.errors import ConfigError, FormatError, LimitError
from textpipe.limits import Limits
from textpipe.models import BPE
from textpipe.sources import LineReader, cut_at_space
from textpipe.tokenizer import Tokenizer
from textpipe.trainers import count_files, count_texts

CHARACTERS = st.sampled_from(list("밥을 ㅋㅠ aZ09 .,'\t\u3000\u00a0é한한\u0301😀中\ufb01̈"))
FORMS = [
    None,
    *(getattr(normalizers, name)() for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt")),
    *(normalizers.BertNormalizer(lowercase=flag, clean_text=flag, strip_accents=not flag) for flag in (False, True)),
    normalizers.BertNormalizer(lowercase=True),
    normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()]),
]
CUTS = [
    pre_tokenizers.ByteLevel(add_prefix_space=False),
    pre_tokenizers.ByteLevel(add_prefix_space=True),
    pre_tokenizers.Whitespace(),
    pre_tokenizers.WhitespaceSplit(),
    pre_tokenizers.BertPreTokenizer(),
    *(pre_tokenizers.Metaspace(prepend_scheme=scheme) for scheme in ("always", "first", "never")),
    pre_tokenizers.Sequence([pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Digits(individual_digits=True)]),
]


def cutter_of(form, cut):
    tokenizer = Tokenizer(BPE())
    tokenizer.normalizer = form
    tokenizer.pre_tokenizer = cut
    return tokenizer.pipeline.word_cutter()


CUTTERS = [cutter_of(form, cut) for form in FORMS for cut in CUTS]


@given(st.lists(CHARACTERS, max_size=40).map("".join), st.sampled_from(CUTTERS))
def test_a_text_cut_at_a_space_has_the_words_of_the_whole(text, cutter):
    assert cutter.cuts_at_spaces
    data = text.encode()
    at = cut_at_space(data)
    parts = [part.decode() for part in (data[:at], data[at:])]
    assert count_texts(parts, cutter, threads=1).items() == count_texts([text], cutter, threads=1).items()


def test_no_text_is_cut_where_the_whole_of_it_is_a_word_or_a_normalizer_looks_further():
    assert not cutter_of(None, None).cuts_at_spaces
    assert not cutter_of(normalizers.Strip(), pre_tokenizers.Whitespace()).cuts_at_spaces
    assert not cutter_of(normalizers.Replace("b", "가"), pre_tokenizers.BertPreTokenizer()).cuts_at_spaces
    assert not cutter_of(None, pre_tokenizers.Punctuation()).cuts_at_spaces
    assert not cutter_of(None, pre_tokenizers.Metaspace(split=False)).cuts_at_spaces


def test_a_line_of_many_chunks_is_cut_and_its_words_are_those_of_the_whole(tmp_path, monkeypatch):
    line = "밥을 먹었다 and went. " * 3000
    file = tmp_path / "long.txt"
    file.write_text(line + "\n끝", encoding="utf-8")
    chunks = list(LineReader(chunk_bytes=1000).read(file, cut=cut_at_space))
    assert b"".join(chunks) == file.read_bytes()
    assert len(chunks) > 1
    monkeypatch.setattr("textpipe.sources.inflating._BLOCK_BYTES", 500)
    monkeypatch.setattr("textpipe.trainers.counting._CHUNK_BYTES", 1000)
    cutter = cutter_of(normalizers.NFC(), CUTS[0])
    assert count_files(file, cutter).items() == count_texts([line + "\n", "끝"], cutter).items()
    assert max(map(len, LineReader(chunk_bytes=1000).read(file, cut=cut_at_space))) < 6000


def test_a_line_that_cannot_be_cut_is_refused_beyond_the_cap(tmp_path):
    file = tmp_path / "long.txt"
    file.write_bytes(b"a" * 50_000)
    reader = LineReader(chunk_bytes=1000, limits=Limits(line_bytes=40_000))
    with pytest.raises(LimitError, match="a line is too long"):
        list(reader.read(file, cut=cut_at_space))
    reader = LineReader(chunk_bytes=1000, limits=Limits(line_bytes=60_000))
    assert list(reader.read(file, cut=cut_at_space)) == [file.read_bytes()]


def test_bytes_that_are_not_utf8_are_replaced_and_counted(tmp_path):
    file = tmp_path / "mixed.txt"
    file.write_bytes("밥 \ufffd\n".encode() + "밥".encode("cp949") + b"\xed\xa0\x80 a\n" + b"\xeb\xb0")
    reader = LineReader(chunk_bytes=1, invalid_utf8="replace")
    text = b"".join(reader.read(file)).decode()
    assert text == file.read_bytes().decode("utf-8", "replace")
    assert reader.num_replaced == text.count("\ufffd") - 1
    with pytest.raises(FormatError, match="at byte 8"):
        list(LineReader().read(file))
    with pytest.raises(ConfigError, match="refuse or replace"):
        LineReader(invalid_utf8="ignore")


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_a_file_packed_ten_thousandfold_is_inflated_in_bounded_memory(tmp_path, suffix):
    file = tmp_path / f"bomb.txt.{suffix}"
    size = 200_000_000
    data = b"\n" * 1_000_000
    if suffix == "gz":
        with gzip.open(file, "wb") as out:
            for _ in range(size // len(data)):
                out.write(data)
    else:
        with open(file, "wb") as raw, zstandard.ZstdCompressor().stream_writer(raw) as out:
            for _ in range(size // len(data)):
                out.write(data)
    tracemalloc.start()
    blocks = [len(block) for block in sources.read_blocks(file)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (sum(blocks), max(blocks)) == (size, 1 << 20)
    assert peak < 40_000_000


def test_a_packed_file_may_have_several_members(tmp_path):
    for suffix, pack in (("gz", gzip.compress), ("zst", zstandard.ZstdCompressor().compress)):
        file = tmp_path / f"a.txt.{suffix}"
        file.write_bytes(b"".join(pack(f"{n} 줄\n".encode()) for n in range(300)))
        assert b"".join(sources.read_blocks(file)).decode() == "".join(f"{n} 줄\n" for n in range(300))


def test_a_byte_order_mark_at_the_start_is_no_character_of_the_first_line_and_one_within_stays(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeff밥을\r\n\ufeff먹고\n".encode())
    assert list(sources.iter_lines(path)) == ["밥을", "\ufeff먹고"]
