"""The command line's frame: verbs in order, light start, one message and the right exit code a failure."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from textpipe import errors
from textpipe.cli import app


def textpipe(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "textpipe", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_help_lists_the_verbs_in_pipeline_order() -> None:
    out = textpipe("--help").stdout
    places = [out.index(f"│ {verb.name} ") for verb in app.VERBS]
    assert places == sorted(places)


def test_the_version_is_answered_without_loading_the_command_line() -> None:
    assert textpipe("--version").stdout.startswith("textpipe 0.")
    loaded = loaded_by("import sys; sys.argv[1:] = ['--version']; import textpipe.__main__ as m; m.main()")
    assert not {"typer", "rich", "numpy", "pydantic"} & loaded


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not {"torch", "lxml", "numpy", "pydantic", "requests", "tokenizers"} & loaded_by("import textpipe")


@pytest.mark.parametrize("verb", [verb.name for verb in app.VERBS])
def test_every_verb_explains_itself_without_loading_torch(verb: str) -> None:
    code = f"from textpipe.cli.app import run; assert run(['{verb}', '--help']) == 0"
    assert "torch" not in loaded_by(code)


def test_a_misspelt_verb_is_a_usage_error_with_a_suggestion() -> None:
    done = textpipe("crwl")
    assert done.returncode == 2
    assert "crawl" in done.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("bad setting"), 2),
        (errors.InputError("bad input"), 3),
        (errors.LimitError("too much"), 4),
        (errors.CrawlError("no answer", url="http://x/"), 5),
        (FileNotFoundError(2, "No such file", "gone.txt"), 5),
        (MemoryError(), 4),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_is_one_line_and_an_exit_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app._failed(error, debug=False) == code
    err = capsys.readouterr().err
    assert err.startswith("textpipe: error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    app._failed(errors.InputError("bad"), debug=True)
    assert "InputError" in capsys.readouterr().err


@pytest.mark.parametrize(("verb", "goes_on"), [("clean", True), ("chat", False), ("plan", False)])
def test_only_a_verb_that_goes_on_says_so_when_it_is_interrupted(verb, goes_on, monkeypatch, capsys) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, f"textpipe.cli.{verb}", SimpleNamespace(command=interrupted))
    assert app.run([verb]) == 130
    assert ("the same command goes on from there" in capsys.readouterr().err) == goes_on


def test_an_interrupt_while_the_command_line_loads_ends_without_a_traceback() -> None:
    # the import itself is interrupted, as by a Ctrl-C in the first instant
    code = (
        "import sys, builtins; real = builtins.__import__\n"
        "def load(name, *rest):\n"
        "    if name == 'textpipe.cli.app': raise KeyboardInterrupt\n"
        "    return real(name, *rest)\n"
        "builtins.__import__ = load; sys.argv[1:] = ['crawl']\n"
        "from textpipe.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (130, "")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("set scratch_folder to a folder", "set --scratch-folder to a folder"),
        ("set scratch_folder.", "set --scratch-folder."),
        ("look into /data/scratch_folder/ko", "look into /data/scratch_folder/ko"),
        ("look into scratch_folder/ko", "look into scratch_folder/ko"),
        ("read scratch_folder.toml", "read scratch_folder.toml"),
        ("scratch_folder= in Python", "scratch_folder= in Python"),
    ],
)
def test_a_setting_that_a_hint_names_is_an_option_and_a_part_of_a_path_is_not(said: str, shown: str) -> None:
    def verb(scratch_folder: str) -> None: ...

    assert app._message(errors.InputError("no room", hint=said), app._options_of(verb)).endswith(shown)
