"""The page of one run: curves of what there is, texts as they came on, nothing where there is nothing."""

from __future__ import annotations

import pytest

from textpipe import files
from textpipe.report import write_report

pytest.importorskip("jinja2", reason="needs the extra: pip install 'textpipe[report]'")


def run_folder(root, rows):
    with files.LineLog(root / "log.jsonl") as log:
        for row in rows:
            log.append(row)
    files.write_text(root / "config.toml", "[train]\nsteps = 20\n")
    return root


def step(number, **more):
    return {"step": number, "loss": 5.0 / number, "lr": 1e-3, "grad_norm": 1.0, **more}


def test_a_model_without_bits_per_byte_has_no_curve_of_them(tmp_path):
    rows = [{"step": 0, "val_loss": 5.0, "unigram_entropy": 4.0}, step(10, val_loss=3.0)]
    found = write_report([run_folder(tmp_path / "run", rows)], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert found.training.held_out[-1].bits_per_byte is None
    assert "nan" not in page.replace("</span", "")
    assert "Bits per byte by step" not in page
    assert "held-out loss 3.000" in page
    assert "Gradient and rate by step" in page


def test_texts_are_shown_newest_first_with_an_early_and_a_middle_one(tmp_path):
    rows = [step(n, samples=[{"prompt": "바다", "text": f" {n}번째 글"}]) for n in (10, 20, 30, 40, 50)]
    found = write_report([run_folder(tmp_path / "run", rows)], tmp_path / "page.html")
    assert [sample.heading for sample in found.training.samples] == [f"after {n} steps" for n in (50, 30, 10)]


def test_a_translation_is_shown_with_what_was_expected_and_escaped(tmp_path):
    sample = {"prompt": "the sea", "text": "<b>바다", "reference": "바다 & 배"}
    write_report([run_folder(tmp_path / "run", [step(5, samples=[sample])])], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "the sea</b> → &lt;b&gt;바다" in page
    assert "expected: 바다 &amp; 배" in page


def test_a_run_that_has_only_begun_has_a_page(tmp_path):
    found = write_report([run_folder(tmp_path / "run", [{"step": 0, "val_loss": 5.0}])], tmp_path / "page.html")
    assert found.training.losses == []


def test_a_sample_without_text_says_so(tmp_path):
    sample = {"prompt": "", "text": ""}
    write_report([run_folder(tmp_path / "run", [step(5, samples=[sample])])], tmp_path / "page.html")
    assert "(nothing: it ended at once)" in (tmp_path / "page.html").read_text(encoding="utf-8")
