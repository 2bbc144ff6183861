"""Options made of a configuration: each key has its flag, with the same words."""

from __future__ import annotations

import json
import re

import pytest
from typer.testing import CliRunner

from textpipe.cli import app
from textpipe.vocabulary import PRESETS, VocabConfig, preset_settings


def helped(verb: str) -> str:
    built = app._build(verb, debug=False)
    text = CliRunner().invoke(built, [verb, "--help"], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"}).output
    return re.sub(r"[\s│]+", " ", re.sub(r"\x1b\[[0-9;]*m", "", text))


def test_every_key_of_a_vocabulary_has_its_flag_and_its_words_once() -> None:
    text = helped("train-vocab")
    for name, field in VocabConfig.model_fields.items():
        flag = {"special_tokens": "--special-token"}.get(name, "--" + name.replace("_", "-"))
        assert len(re.findall(rf"{flag} (-n )?(--no-[a-z-]+ )?<", text)) == 1, flag
        words = str(field.description)[1:]
        assert text.count(words) == 1, words


@pytest.mark.parametrize("preset", PRESETS)
def test_a_written_configuration_is_what_the_preset_is(tmp_path, capsys, preset: str) -> None:
    text, file = tmp_path / "text.txt", tmp_path / "vocab.toml"
    text.write_text("밥을 먹고 학교에 갔다\n" * 9, encoding="utf-8")
    assert app.run(["config", "init", "vocab", "--preset", preset, "--out", str(file)]) == 0
    capsys.readouterr()
    dry = ["train-vocab", str(text), "--dry-run", "--json"]
    assert app.run([*dry, "--config", str(file)]) == 0
    from_file = json.loads(capsys.readouterr().out)
    assert app.run([*dry, "--preset", preset]) == 0
    assert json.loads(capsys.readouterr().out)["settings"] == from_file["settings"]
    assert preset_settings(preset) == dict(PRESETS[preset].settings)


def test_help_texts_begin_with_a_capital_but_for_names():
    from textpipe.cli.config_options import sentence
    from textpipe.nn.shapes import GptConfig

    fields = GptConfig.model_fields
    assert sentence(fields["layers"]).startswith("Blocks, one")
    assert sentence(fields["context"]).startswith("Longest")
    assert sentence(fields["kv_heads"]).startswith("llama: heads")
