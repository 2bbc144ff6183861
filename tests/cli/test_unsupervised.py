"""train unsupervised, and translate into either, as a person types them."""

from __future__ import annotations

import pytest
import two_languages as two

from textpipe.cli.app import run

torch = pytest.importorskip("torch", reason="needs the extra: pip install 'textpipe[train]'")
FAST = [
    "--steps",
    "3",
    "--warmup-steps",
    "1",
    "--context",
    "16",
    "--batch-tokens",
    "60",
    "--width",
    "16",
    "--heads",
    "2",
]
SMALL = [*FAST, "--encoder-layers", "1", "--decoder-layers", "1", "--back-translation-after", "1", "--quiet"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """en and ko, packed, and a run of three steps on them."""
    torch.set_num_threads(1)
    here = tmp_path_factory.mktemp("unsupervised")
    two.corpora(two.tokenizer(), here)
    assert run(["train", "unsupervised", str(here / "en"), str(here / "ko"), "--out", str(here / "run"), *SMALL]) == 0
    return here


def test_an_interrupted_run_goes_on_by_its_own_settings(folder, tmp_path, interrupted_at):
    begun = ["train", "unsupervised", str(folder / "en"), str(folder / "ko"), "--out", str(tmp_path / "run")]
    with interrupted_at(2):
        assert run([*begun, *SMALL, "--languages", "english,korean"]) == 130
    assert run([*begun, "--resume", "--quiet"]) == 0
    found, expected = (
        (run_ / "checkpoints" / "step-00000003" / "model.safetensors").read_bytes()
        for run_ in (tmp_path / "run", folder / "run")
    )
    assert found == expected


def test_languages_are_named_after_their_folders_and_either_is_written(folder, capsys):
    assert 'languages = ["en", "ko"]' in (folder / "run" / "config.toml").read_text(encoding="utf-8")
    capsys.readouterr()
    assert (
        run(
            [
                "translate",
                str(folder / "run"),
                "--target-language",
                "en",
                "--text",
                "Mina 바다 본다",
                "--text",
                "Taro 새 본다",
            ]
        )
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(line.isascii() for line in lines)
    assert run(["translate", str(folder / "run"), "--text", "Mina sees sea", "--alignments"]) == 0
    assert "\t" in capsys.readouterr().out


def test_the_same_command_goes_on_and_a_dry_run_writes_nothing(folder, capsys):
    both = [str(folder / "en"), str(folder / "ko")]
    assert run(["train", "unsupervised", *both, "--out", str(folder / "run"), *SMALL]) == 0
    assert "step-00000003" in capsys.readouterr().out
    assert run(["train", "unsupervised", *both, "--out", str(folder / "dry"), "--dry-run", *SMALL]) == 0
    assert "architecture\tbilingual" in capsys.readouterr().out
    assert not (folder / "dry").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["en", "ko", "--languages", "ko,ko"], "both languages are named 'ko'"),
        (["en", "ko", "--languages", "ko"], "'ko' are not two names"),
        (["en", "en"], "both languages are named 'en'"),
        (["en", "en", "--languages", "a,b"], "both languages have the same corpus"),
        (["en", "absent"], "no such folder"),
        (["en", "ko", "--preset", "huge"], "no preset 'huge' of transformer"),
        (["en", "ko", "--word-drop", "1.5"], "word_drop"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_before_a_folder_is_made(folder, words, message, capsys):
    given = [str(folder / word) if word in ("en", "ko", "absent") and place < 2 else word
             for place, word in enumerate(words)]  # fmt: skip
    assert run(["train", "unsupervised", *given, "--out", str(folder / "refused"), "--quiet"]) in (2, 3)
    assert message in capsys.readouterr().err
    assert not (folder / "refused").exists()


def test_a_language_that_is_none_is_refused(folder, capsys):
    assert run(["translate", str(folder / "run"), "--target-language", "fr", "--text", "바다"]) == 2
    assert "no language 'fr' in this model (allowed: en or ko)" in capsys.readouterr().err


def test_an_export_is_refused_with_what_to_use_instead(folder, capsys):
    assert run(["export", str(folder / "run"), "--to", str(folder / "exported")]) == 2
    assert "textpipe translate RUN" in capsys.readouterr().err
