"""The doctor says what is whole, what is wrong, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from textpipe import files
from textpipe.report.doctor import check_environment, check_path


def verdicts(path: Path) -> list[str]:
    return [finding.verdict for finding in check_path(path)]


def test_this_installation_is_in_order() -> None:
    findings = list(check_environment())
    assert not [finding for finding in findings if finding.verdict == "wrong"]
    assert {"textpipe", "python", "textpipe.core._encoder", "extra train"} <= {finding.subject for finding in findings}


def test_a_finished_output_is_whole_until_a_byte_changes(tmp_path: Path) -> None:
    files.write_text(tmp_path / "a.jsonl", '{"text": "가"}\n')
    files.write_manifest(tmp_path, kind="clean", files=["a.jsonl"])
    assert verdicts(tmp_path) == ["ok"]
    (tmp_path / "a.jsonl").write_text('{"text": "나"}\n')
    assert verdicts(tmp_path) == ["wrong"]


def test_text_in_another_encoding_and_a_broken_tokenizer_are_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("한글".encode("cp949"))
    assert verdicts(tmp_path / "a.txt") == ["wrong"]
    (tmp_path / "tokenizer.json").write_text("{")
    assert verdicts(tmp_path / "tokenizer.json") == ["wrong"]
    assert verdicts(tmp_path / "nothing") == ["wrong"]


def test_repeated_texts_and_empty_files_are_noted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("같은 줄\n" * 50)
    assert verdicts(tmp_path / "a.txt") == ["ok", "note"]
    (tmp_path / "b.txt").write_text("")
    assert verdicts(tmp_path / "b.txt") == ["ok", "note"]


def test_what_a_killed_run_left_behind_is_noted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("글\n")
    (tmp_path / ".b.txt.1-00.tmp").write_text("")
    assert verdicts(tmp_path) == ["note", "ok"]


def test_a_tokenizer_is_compared_with_the_tokenizers_package(small_tokenizer, tmp_path: Path) -> None:
    small_tokenizer.save(str(tmp_path / "tokenizer.json"))
    (finding,) = check_path(tmp_path / "tokenizer.json")
    assert (finding.verdict, "encodes as tokenizers" in finding.text) == ("ok", True)


def test_a_run_is_whole_until_a_byte_of_a_checkpoint_changes(small_packed, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra: pip install 'textpipe[train]'")
    from textpipe.nn.shapes import GptConfig
    from textpipe.training import TrainConfig, Trainer

    model = GptConfig(vocab_size=small_packed.vocab_size, context=8, layers=1, heads=1, width=8)
    config = TrainConfig(steps=1, warmup_steps=0, batch_size=2, sample_tokens=0, device="cpu")
    checkpoint = Trainer(model, small_packed, config, out=tmp_path / "run").run().checkpoint
    assert verdicts(tmp_path / "run") == ["ok", "ok"]
    with (checkpoint / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"x")
    assert verdicts(tmp_path / "run") == ["ok", "wrong"]


def test_a_folder_of_outputs_is_each_of_them(tmp_path: Path) -> None:
    for size in ("100", "200"):
        files.write_text(tmp_path / size / "a.txt", "밥")
        files.write_manifest(tmp_path / size, kind="train-vocab", files=["a.txt"])
    assert verdicts(tmp_path) == ["ok", "ok"]
    files.write_text(tmp_path / "100" / "a.txt", "국")
    assert verdicts(tmp_path) == ["wrong", "ok"]
