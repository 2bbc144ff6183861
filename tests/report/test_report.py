"""The page: every figure from the manifests and the log, nothing active, nothing from the network, text escaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from textpipe import Tokenizer, files
from textpipe.decoders import ByteLevel as ByteLevelDecoder
from textpipe.errors import FormatError, InputError
from textpipe.models import BPE
from textpipe.pre_tokenizers import ByteLevel
from textpipe.records import Document
from textpipe.report import write_report
from textpipe.report.collect import collect
from textpipe.trainers import BpeTrainer

TEXTS = {"ko": "바다는 넓고 배는 작다. ㅋㅋㅋ " * 20, "en": "The sea is wide & the <boat> is small. " * 20}


def make_folders(root: Path) -> list[Path]:
    """A small output of every verb, as those verbs write them."""
    total = {"discovered": 10, "pages": 7, "bytes": 900}
    files.write_manifest(
        root / "crawl",
        kind="crawl",
        files=[],
        counts={"total": total, "by_reason": {"done/ok": 7, "skipped/robots": 3}},
    )
    lines = [Document(id=lang, text=text, lang=lang).to_json() for lang, text in TEXTS.items()]
    files.write_text(root / "corpus" / "docs" / "part-00000.jsonl", "\n".join(lines) + "\n")
    counts = {
        "documents_in": 7,
        "kept": 2,
        "stages": {"fetch": 1, "length": 4},
        "reasons": {"length.too_short": 4, "fetch.status_404": 1},
        "langs": {"ko": 1, "en": 1},
    }
    files.write_manifest(root / "corpus", kind="clean", files=["docs/part-00000.jsonl"], counts=counts)
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(vocab_size=300, special_tokens=["<|endoftext|>"], initial_alphabet=ByteLevel.alphabet())
    tokenizer.train_from_iterator(TEXTS.values(), trainer)
    files.write_text(root / "vocab" / "tokenizer.json", tokenizer.to_str())
    files.write_manifest(root / "vocab", kind="train-vocab", files=["tokenizer.json"])
    with files.LineLog(root / "run" / "log.jsonl") as log:
        log.append(
            {"step": 0, "val_loss": 5.7, "val_bits_per_byte": 2.5, "unigram_entropy": 4.9, "num_parameters": 1234}
        )
        log.append({"step": 10, "loss": 4.25, "tokens_per_s": 100.0})
        samples = [{"prompt": "바다<script>", "text": "는 넓다 & 깊다"}]
        log.append({"step": 20, "loss": 3.5, "val_loss": 3.75, "val_bits_per_byte": 1.625, "samples": samples})
    files.write_text(root / "run" / "config.toml", "[train]\nsteps = 20\n")
    return [root / name for name in ("crawl", "corpus", "vocab", "run")]


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    for name in ("crawl", "corpus", "vocab", "run"):
        (tmp_path / name).mkdir()
    return make_folders(tmp_path)


class Collector(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_shows_the_numbers_of_every_folder(folders: list[Path], tmp_path: Path) -> None:
    found = write_report(folders, tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert [(step.name, step.count) for step in found.funnel] == [
        ("URLs discovered", 10),
        ("pages fetched", 7),
        ("pages read", 6),
        ("documents kept", 2),
    ]
    for shown in ("skipped: robots", "too short", "3.7500", "1.6250", "unigram entropy: 4.900", "는 넓다"):
        assert shown in html


def test_the_page_is_inert_and_asks_for_nothing(folders: list[Path], tmp_path: Path) -> None:
    write_report(folders, tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    page = Collector()
    page.feed(html)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "iframe", "object", "img", "base", "form"}
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in {"href", "src", "srcset", "action"}]
    assert not re.search(r"url\(|@import|https?://", html)


def test_text_from_a_corpus_cannot_leave_its_place(folders: list[Path], tmp_path: Path) -> None:
    write_report(folders, tmp_path / "report.html", title="<b>제목</b>")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "바다&lt;script&gt;" in html
    assert "&lt;b&gt;제목" in html


def test_vocabulary_figures_are_those_of_the_tokenizer(folders: list[Path]) -> None:
    metrics = collect(folders).vocabulary
    assert metrics is not None
    tokenizer = Tokenizer.from_file(str(folders[2] / "tokenizer.json"))
    for fit in metrics.languages:
        ids = tokenizer.encode(TEXTS[fit.lang]).ids
        assert fit.num_tokens == len(ids)
        assert fit.bytes_per_token == len(TEXTS[fit.lang].encode()) / len(ids)
        assert fit.tokens_per_word == len(ids) / len(TEXTS[fit.lang].split())
    assert sum(metrics.length_histogram.values()) == 299  # every entry but the special token
    assert sum(metrics.scripts.values()) == 299


def test_each_folder_alone_makes_a_page(folders: list[Path], tmp_path: Path) -> None:
    for folder in folders:
        write_report([folder], tmp_path / "report.html")
        assert folder.name in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_folder_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no manifest"):
        write_report([tmp_path], tmp_path / "report.html")
    files.write_manifest(tmp_path, kind="recipe", files=[])
    with pytest.raises(InputError, match="recipe"):
        write_report([tmp_path], tmp_path / "report.html")


def test_an_output_with_a_missing_file_is_refused(folders: list[Path], tmp_path: Path) -> None:
    (folders[1] / "docs" / "part-00000.jsonl").unlink()
    with pytest.raises(FormatError, match="missing"):
        write_report(folders, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()
