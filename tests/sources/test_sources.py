"""Sources: the same text whatever the file's packing, and all that is whole before any damage."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from textpipe import files, sources
from textpipe.errors import FormatError, InputError, LimitError
from textpipe.limits import Limits
from textpipe.records import Document

TEXT = "첫째 줄 ㅋㅋㅋ\n둘째\r\n\n나중 문단\n끝"


def pack(path: Path, data: bytes) -> Path:
    if path.suffix == ".gz":
        data = gzip.compress(data)
    elif path.suffix == ".zst":
        data = zstandard.ZstdCompressor().compress(data)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a.txt.zst"])
@pytest.mark.parametrize(
    ("unit", "texts"),
    [
        ("line", ["첫째 줄 ㅋㅋㅋ", "둘째", "나중 문단", "끝"]),
        ("paragraph", ["첫째 줄 ㅋㅋㅋ\n둘째", "나중 문단\n끝"]),
        ("file", ["첫째 줄 ㅋㅋㅋ\n둘째\n\n나중 문단\n끝"]),
    ],
)
def test_text_files_give_lines_paragraphs_or_themselves(
    name: str, unit: sources.TextUnit, texts: list[str], tmp_path: Path
) -> None:
    path = pack(tmp_path / name, TEXT.encode())
    assert list(sources.iter_texts(path, text_unit=unit)) == texts


@given(st.binary(max_size=60).map(lambda b: b.decode("latin1")), st.integers(1, 12))
def test_line_chunks_join_to_the_file_whatever_their_size(
    tmp_path_factory: pytest.TempPathFactory, text: str, size: int
) -> None:
    path = tmp_path_factory.mktemp("chunks") / "a.txt"
    path.write_bytes(text.encode())
    chunks = list(sources.iter_line_chunks(path, chunk_bytes=size))
    assert b"".join(chunks) == text.encode()
    assert all(chunk.endswith(b"\n") for chunk in chunks[:-1])


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_a_packed_file_cut_at_any_byte_gives_whole_lines_then_the_error(suffix: str, tmp_path: Path) -> None:
    lines = [f"{n} 줄".encode() for n in range(50)]
    whole = pack(tmp_path / f"a.txt.{suffix}", b"\n".join(lines)).read_bytes()
    for cut in range(1, len(whole)):
        path = tmp_path / f"cut.txt.{suffix}"
        path.write_bytes(whole[:cut])
        got: list[str] = []
        with pytest.raises(FormatError, match=str(cut)):
            got.extend(sources.iter_texts(path))
        assert got == [line.decode() for line in lines][: len(got)]


def test_several_packed_members_are_one_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress("가\n".encode()) + gzip.compress("나\n".encode()))
    assert list(sources.iter_texts(tmp_path / "a.txt.gz")) == ["가", "나"]


def test_text_that_is_not_utf8_is_refused_with_its_byte(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc\n" + "한글".encode("cp949"))
    with pytest.raises(FormatError, match=r"a\.txt at byte 4: byte 0xc7 is not UTF-8.*CP949"):
        list(sources.iter_texts(tmp_path / "a.txt"))


def test_a_broken_jsonl_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "가"}\n\n{"text": 3}\n')
    with pytest.raises(FormatError, match=r"a\.jsonl: line 3: .*string field text"):
        list(sources.iter_texts(tmp_path / "a.jsonl"))


def test_a_folder_made_by_clean_stands_for_its_kept_documents(tmp_path: Path) -> None:
    for folder, word in (("docs", "kept"), ("removed", "dropped")):
        files.write_text(tmp_path / folder / "part-00000.jsonl", Document(id="1", text=word).to_json() + "\n")
    files.write_manifest(tmp_path, kind="documents", files=["docs/part-00000.jsonl", "removed/part-00000.jsonl"])
    assert list(sources.iter_texts(tmp_path)) == ["kept"]


def test_a_folder_of_text_is_read_in_a_fixed_order_without_temporaries(tmp_path: Path) -> None:
    for name in ("b.txt", "a.md", ".c.txt.1-0.tmp", "d.png"):
        (tmp_path / name).write_text(name)
    assert list(sources.iter_texts(tmp_path)) == ["a.md", "b.txt"]


def test_a_folder_that_a_killed_writer_was_filling_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / ".out.1-0.tmp").mkdir()
    (tmp_path / ".out.1-0.tmp" / "b.txt").write_text("half")
    assert list(sources.iter_texts(tmp_path)) == ["a"]


def test_an_output_that_is_not_finished_is_refused(tmp_path: Path) -> None:
    with files.lock_directory(tmp_path):
        files.write_text(tmp_path / "docs" / "part-00000.jsonl", Document(id="1", text="half").to_json() + "\n")
    with pytest.raises(InputError, match=r"not finished.*goes on where it stopped"):
        sources.expand(tmp_path)


def test_absent_and_empty_inputs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        sources.expand(tmp_path / "nothing")
    with pytest.raises(InputError, match="no text files"):
        sources.expand(tmp_path)


def test_an_endless_line_meets_its_cap(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * 5000)
    with pytest.raises(LimitError):
        list(sources.iter_line_chunks(tmp_path / "a.txt", chunk_bytes=10, limits=Limits(text_bytes=4999)))
    assert list(sources.iter_line_chunks(tmp_path / "a.txt", chunk_bytes=10, limits=Limits(text_bytes=5000)))


def test_a_folder_of_outputs_gives_their_documents_alone(tmp_path: Path) -> None:
    for folder, name, word in (("corpus", "docs", "kept"), ("corpus", "removed", "dropped")):
        line = Document(id="1", text=word).to_json() + "\n"
        files.write_text(tmp_path / folder / name / "part-00000.jsonl", line)
    names = ["docs/part-00000.jsonl", "removed/part-00000.jsonl"]
    files.write_manifest(tmp_path / "corpus", kind="clean", files=names)
    files.write_text(tmp_path / "vocab" / "README.md", "a card")
    files.write_manifest(tmp_path / "vocab", kind="train-vocab", files=["README.md"])
    files.write_text(tmp_path / "notes" / "a.txt", "own")
    assert list(sources.iter_texts(tmp_path)) == ["kept", "own"]
