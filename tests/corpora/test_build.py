"""The bundled site is what its sources make of it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

CORPORA = Path(__file__).resolve().parents[2] / "corpora"


@pytest.fixture(scope="module")
def build_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("corpora_build", CORPORA / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    path = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = path
    return module


def test_committed_site_is_a_fresh_build_byte_for_byte(build_module: ModuleType) -> None:
    assert build_module.differences(build_module.build()) == []


def test_two_builds_are_equal(build_module: ModuleType) -> None:
    assert build_module.build() == build_module.build()


def test_a_changed_a_missing_and_a_stray_file_are_noticed(
    build_module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"MANIFEST.toml": "a", "site/changed.html": "old", "truth/stray.txt": "s"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(build_module, "HERE", tmp_path)
    fresh = {"MANIFEST.toml": b"a", "site/changed.html": b"new", "site/missing.html": b"m"}
    assert build_module.differences(fresh) == ["site/changed.html", "site/missing.html", "truth/stray.txt"]


def test_blocks_of_the_plain_markup(build_module: ModuleType) -> None:
    sources = sys.modules["generator.sources"]
    blocks = sources.parse_blocks("하나\n\n## 제목\n\n- 가\n- 나\n\n| 칸 | 값 |\n|---|---|\n| a | 1 |\n\n> 말\n")
    assert [(block.kind, block.text) for block in blocks] == [
        ("p", "하나"),
        ("h2", "제목"),
        ("ul", "- 가\n- 나"),
        ("table", "칸 | 값\na | 1"),
        ("blockquote", "말"),
    ]


def test_a_near_duplicate_whose_words_are_not_there_is_refused(build_module: ModuleType) -> None:
    damage, sources = sys.modules["generator.damage"], sys.modules["generator.sources"]
    article = next(sources.read_articles(CORPORA / "source"))
    with pytest.raises(ValueError, match="does not stand in the source"):
        damage.reworded(article, [["no such words", "x"]])


def test_a_page_meant_to_be_euc_kr_may_not_need_cp949(build_module: ModuleType) -> None:
    pages = sys.modules["generator.pages"]
    assert pages.encoded("가 ©", "euc-kr") == b"\xb0\xa1 &#169;"
    with pytest.raises(UnicodeDecodeError):
        pages.encoded("똠", "euc-kr")
