"""The error tree: builtin bases, exit codes, messages with thing and cure, safe passage between processes."""

from __future__ import annotations

import pickle

import pytest

from textpipe import errors


def every_error() -> list[errors.TextpipeError]:
    return [
        errors.ConfigError("a", hint="b"),
        errors.MissingExtraError("a"),
        errors.InputError("a", where="w", allowed="x"),
        errors.FormatError("a", path="p", field="f", offset=3),
        errors.StateError("a"),
        errors.LimitError("a"),
        errors.CrawlError("a", url="http://x/"),
    ]


@pytest.mark.parametrize(
    ("kind", "builtin", "code"),
    [
        (errors.ConfigError, ValueError, 2),
        (errors.MissingExtraError, ImportError, 2),
        (errors.InputError, ValueError, 3),
        (errors.FormatError, errors.InputError, 3),
        (errors.StateError, RuntimeError, 3),
        (errors.LimitError, ValueError, 4),
        (errors.CrawlError, OSError, 5),
    ],
)
def test_each_error_is_also_the_natural_builtin_and_has_its_exit_code(
    kind: type[errors.TextpipeError], builtin: type[Exception], code: int
) -> None:
    assert issubclass(kind, builtin)
    assert issubclass(kind, errors.TextpipeError)
    assert kind.exit_code == code


def test_the_tree_in_the_docstring_names_every_class() -> None:
    for name in errors.__all__:
        if name.endswith("Error"):
            assert name in (errors.__doc__ or "") or name == "TextpipeError"


def test_a_message_says_what_where_allowed_and_what_to_do() -> None:
    error = errors.FormatError(
        "it ends early", path="a.bin", field="header", offset=7, allowed="64 bytes", hint="pack it again"
    )
    assert str(error) == "a.bin: header at byte 7: it ends early (allowed: 64 bytes). pack it again"


@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
def test_an_error_survives_the_way_between_processes(error: errors.TextpipeError) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes: this is what multiprocessing does
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert copy.__dict__ == error.__dict__


def test_a_missing_extra_answers_with_the_exact_pip_line() -> None:
    with pytest.raises(errors.MissingExtraError, match=r'pip install "textpipe\[train\]"'):
        errors.require("no_such_package_here", extra="train")


def test_the_nearest_known_name_is_suggested() -> None:
    assert errors.did_you_mean("ByteLevl", ["ByteLevel", "Metaspace"]).startswith('did you mean "ByteLevel"?')


def test_a_message_shows_a_megabyte_of_a_broken_file_cut_short():
    error = errors.FormatError("no such name: " + "가" * 1_000_000, path="x.json", field="a" * 1_000_000)
    assert len(str(error)) < 1500
    assert str(error).startswith("x.json: aaa")
    assert "no such name: 가가" in str(error)
