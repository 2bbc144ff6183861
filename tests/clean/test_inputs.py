"""Files and folders into pages and documents, in one order, whatever the charset."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard

from textpipe.clean.inputs import find_sources, iter_items
from textpipe.errors import FormatError, InputError
from textpipe.records import Document, Page

LINES = ["첫째 줄입니다", "", "둘째 문단 똠방", "그 둘째 줄", "", "", "끝"]


def documents(path: Path, unit: str = "file") -> list[Document]:
    items = list(iter_items(find_sources(path), text_unit=unit))  # type: ignore[arg-type]
    assert all(isinstance(item, Document) for item in items)
    return items  # type: ignore[return-value]


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    for name in ("b/2.html", "b/10.html", "a/z.txt", "c.jsonl", "b/notes.pdf", ".a.txt.1-ab.tmp"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    assert [source.name for source in find_sources(tmp_path)] == ["a/z.txt", "b/10.html", "b/2.html", "c.jsonl"]


def test_inputs_keep_the_order_they_were_named_in(tmp_path: Path) -> None:
    for name in ("b.txt", "a.html"):
        (tmp_path / name).write_text("x")
    sources = find_sources([tmp_path / "b.txt", tmp_path / "a.html"])
    assert [(source.name, source.kind) for source in sources] == [("b.txt", "text"), ("a.html", "html")]


@pytest.mark.parametrize("name", ["picture.png", "page.html.gz", "noextension"])
def test_a_file_of_no_known_kind_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match="this kind of file is not read"):
        find_sources(tmp_path / name)


def test_an_absent_path_an_empty_folder_and_nothing_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        find_sources(tmp_path / "absent")
    with pytest.raises(InputError, match="nothing to clean"):
        find_sources(tmp_path)
    with pytest.raises(InputError, match="no input named"):
        find_sources([])


def test_an_html_file_is_a_page_named_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "ko").mkdir()
    (tmp_path / "ko" / "글.html").write_bytes("<p>한글".encode("cp949"))
    (page,) = iter_items(find_sources(tmp_path))
    assert page == Page(url="ko/글.html", status=200, headers={}, body="<p>한글".encode("cp949"))


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
@pytest.mark.parametrize(
    ("unit", "texts"),
    [
        ("file", ["\n".join(LINES)]),
        ("line", ["첫째 줄입니다", "둘째 문단 똠방", "그 둘째 줄", "끝"]),
        ("paragraph", ["첫째 줄입니다", "둘째 문단 똠방\n그 둘째 줄", "끝"]),
    ],
)
def test_text_of_any_charset_is_cut_as_asked(tmp_path: Path, codec: str, unit: str, texts: list[str]) -> None:
    (tmp_path / "a.txt").write_bytes("\r\n".join(LINES).encode(codec))
    found = documents(tmp_path / "a.txt", unit)
    assert [document.text for document in found] == texts
    assert [document.id for document in found] == [f"a.txt:{n}" for n in range(len(texts))]


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".zst", zstandard.compress)])
def test_packed_text_is_read(tmp_path: Path, suffix: str, pack: object) -> None:
    (tmp_path / f"a.txt{suffix}").write_bytes(pack("한글\n".encode("cp949") * 3))  # type: ignore[operator]
    assert [document.text for document in documents(tmp_path / f"a.txt{suffix}", "line")] == ["한글"] * 3


def test_a_character_across_two_blocks_stays_whole(tmp_path: Path) -> None:
    line = "가나다라마바사아자차카타파하" * 7 + "\n"
    (tmp_path / "a.txt").write_bytes(line.encode("cp949") * 12_000)  # above the megabyte the charset is told by
    texts = {document.text for document in documents(tmp_path / "a.txt", "line")}
    assert texts == {line.strip()}


def test_text_cut_short_gives_its_whole_lines_then_the_error(tmp_path: Path) -> None:
    whole = gzip.compress("".join(f"{n} 번째 줄\n" for n in range(150_000)).encode(), compresslevel=1)
    (tmp_path / "a.txt.gz").write_bytes(whole[:-100])
    texts = []
    with pytest.raises(FormatError, match=r"a\.txt\.gz"):
        texts.extend(d.text for d in iter_items(find_sources(tmp_path), text_unit="line") if isinstance(d, Document))
    assert len(texts) > 100_000
    assert texts[-1].endswith("번째 줄")


def test_binary_rubbish_named_txt_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(bytes((i * 7919 + i // 3) % 256 for i in range(4000)))
    with pytest.raises(FormatError, match="no charset fits"):
        documents(tmp_path / "a.txt")
