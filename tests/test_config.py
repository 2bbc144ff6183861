"""Configuration: TOML in and out, unknown keys refused with the nearest known one."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

import pytest

from textpipe.config import Config, Field, commented_keys, dump_toml, load_toml
from textpipe.errors import ConfigError


class Optimizer(Config):
    rate: float = Field(1e-3, description="peak learning rate", gt=0)


class Run(Config):
    fast: bool = Field(False, description="whether to hurry")
    steps: int = Field(100, description="optimizer steps", ge=1)
    name: str | None = None
    sizes: tuple[int, ...] = (1, 2)
    optimizer: Optimizer = Optimizer()


def test_a_config_written_as_toml_reads_back_equal(tmp_path: Path) -> None:
    config = Run(steps=7, name='한글 "run"', optimizer=Optimizer(rate=0.5))
    text = dump_toml(config, tmp_path / "run.toml")
    assert load_toml(tmp_path / "run.toml", Run) == config
    assert "# optimizer steps" in text
    assert "# whether to hurry" in text
    assert "# peak learning rate" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stps = 3", r'run\.toml: line 1: unknown key stps\. did you mean "steps"'),
        ("[optimizer]\nrat = 1.0", r'line 2: \[optimizer\] unknown key rat\. did you mean "rate"'),
        ("steps = 0", r"steps = 0: .*greater than or equal to 1"),
        (
            "# one\n\nfast = true\nstps = 1\nsizes = [\n 1,\n 'a',\n]",
            r"line 5: sizes\.1 = 'a': .*; line 4: unknown key stps",
        ),
        ('name = """\nsteps = 0\n"""\noptimizer = {rate = -1}', r"line 4: \[optimizer\] rate = -1"),
        ("[optimizer]\n\n[[deep]]\na = 1", r"line 3: unknown key deep"),
        ('steps = "many"', r"steps = 'many'"),
        ("steps = ", r"run\.toml: not a TOML file"),
        ("steps = 1\nsteps = 2", r"not a TOML file"),
    ],
)
def test_a_wrong_config_is_refused_naming_file_and_key(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_toml(path, Run)


def test_a_config_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_bytes('name = "한글"'.encode("cp949"))
    with pytest.raises(ConfigError, match=r"not a TOML file: byte 0xc7 at offset 8 is not UTF-8\. save it as UTF-8"):
        load_toml(tmp_path / "run.toml", Run)


def test_a_byte_order_mark_is_no_part_of_a_config(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(b"\xef\xbb\xbf" + dump_toml(Run(steps=3)).encode())
    assert load_toml(path, Run) == Run(steps=3)
    path.write_bytes(b"\xef\xbb\xbfstps = 3\n")
    with pytest.raises(ConfigError, match=r"line 1: unknown key stps"):
        load_toml(path, Run)


def test_a_config_cannot_be_changed_only_replaced() -> None:
    config = Run()
    with pytest.raises(ValueError, match="frozen"):
        config.steps = 3  # type: ignore[misc]
    assert config.replaced(steps=3).differences(config) == {"steps": (3, 100)}
    with pytest.raises(ConfigError, match="stepz"):
        config.replaced(stepz=3)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_a_setting_is_a_finite_number(value: float) -> None:
    class Rate(Config):
        rate: float = 1.0

    with pytest.raises(ConfigError, match="rate"):
        Rate(rate=value)


def test_the_line_of_a_fault_is_found_in_a_long_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    lines = [f"# {number}" for number in range(20_000)]
    lines[12_345] = "steps = -1"
    path.write_text("\n".join(lines))
    with pytest.raises(ConfigError, match="line 12346: steps"):
        load_toml(path, Run)


def test_lines_to_edit_read_back_as_they_are_and_tell_the_words_a_key_takes() -> None:
    class Words(Config):
        kind: Literal["small", "large"] = Field("small", description="how large")
        most: int | None = Field(None, description="no more; any when absent")
        name: str = Field("가", description="what it is called")

    lines = commented_keys(Words, {"kind": "large"}, left_out=("name",))
    assert lines == ["# how large; one of small, large", 'kind = "large"', "# no more; any when absent", "# most ="]
    assert Words(**tomllib.loads("\n".join(lines))) == Words(kind="large")
