"""Every public name of `tokenizers` is here, with its arguments, defaults and settings; the exceptions are listed."""

from __future__ import annotations

import importlib
import inspect

import pytest
import tokenizers as oracle

import textpipe

PACKAGES = ["", "normalizers", "pre_tokenizers", "models", "processors", "decoders", "trainers", "implementations"]

MISSING = {
    "tokenizers": "the compiled module inside the package",
    "Enum List Tuple Union tools": "names it imports for itself; the notebook view is Encoding's own",
    "BPE._clear_cache BPE._resize_cache Unigram._clear_cache Unigram._resize_cache": "the caches here need no care",
}
"""What is not here, and why."""

OTHER_ARGUMENTS = {
    "Metaspace.replacement": "its text signature shows an underscore; the default is the same U+2581",
    "token_to_id.tokens": "it takes one token",
    "Sequence.pretokenizers": "shown by the signature of pre_tokenizers.Sequence, which takes pre_tokenizers",
    "AddedToken.content": "nothing given is the empty string there too",
}
"""Arguments that differ in what is shown, and why."""

GENERIC = {"__dict__", "__setstate__", "__getnewargs__", "__weakref__", "__module__", "__doc__", "__annotations__"}


def names_of(listed):
    return {name for names in listed for name in names.split()}


def classes_and_functions():
    for package in PACKAGES:
        theirs = importlib.import_module(f"tokenizers.{package}".rstrip("."))
        for name, value in sorted(vars(theirs).items()):
            path = f"{package}.{name}".lstrip(".")
            if name.startswith("_") or inspect.ismodule(value) or {name, path} & names_of(MISSING):
                continue
            yield path


def found(package, path):
    home, _, name = path.rpartition(".")
    return getattr(importlib.import_module(f"{package.__name__}.{home}".rstrip(".")), name)


PATHS = sorted(set(classes_and_functions()))
CLASSES = [path for path in PATHS if inspect.isclass(found(oracle, path)) and not path.startswith("Offsets")]


def members(path):
    kind = found(oracle, path)
    for name in sorted(set(dir(kind)) - set(dir(object)) - GENERIC):
        if f"{kind.__name__}.{name}" not in names_of(MISSING) and (not name.startswith("_") or name.endswith("__")):
            yield name, getattr(kind, name)


def test_the_lists_are_not_empty():
    assert len(PATHS) > 80
    assert sum(len(list(members(path))) for path in CLASSES) > 500


@pytest.mark.parametrize("path", PATHS)
def test_every_public_name_is_here(path):
    ours, theirs = found(textpipe, path), found(oracle, path)
    assert inspect.isclass(ours) == inspect.isclass(theirs)
    assert path.rpartition(".")[2] in importlib.import_module(f"textpipe.{path}".rpartition(".")[0]).__all__


def has(kind, name):
    """Whether its values have this attribute: of the class, a field, or given a value by the constructor."""
    if hasattr(kind, name) or name in getattr(kind, "__dataclass_fields__", {}):
        return True
    return any(f"self.{name} = " in inspect.getsource(each) for each in kind.__mro__[:-1])


@pytest.mark.parametrize("path", CLASSES)
def test_every_method_and_setting_is_here(path):
    ours = found(textpipe, path)
    assert [name for name, _ in members(path) if not has(ours, name)] == []


def arguments(function):
    """Names and defaults, as far as they are known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return None
    return {p.name: p.default for p in parameters if p.name != "self" and p.kind not in {p.VAR_POSITIONAL}}


def plain(default):
    """A default, whatever holds it: a list and a tuple of the same are one."""
    return list(default) if isinstance(default, tuple | list) else default


def differ(ours, theirs):
    """Whether two defaults mean different things; None stands for the documented one, on either side."""
    return theirs is not inspect.Parameter.empty and None not in (ours, theirs) and plain(ours) != plain(theirs)


def calls(path):
    kind = found(oracle, path)
    yield path, kind, found(textpipe, path)
    for name, member in members(path):
        if callable(member) and not name.startswith("__"):
            yield f"{path}.{name}", member, getattr(found(textpipe, path), name)


@pytest.mark.parametrize("path", CLASSES)
def test_every_argument_has_its_name_and_default(path):
    wrong = []
    for name, theirs, ours in calls(path):
        wanted, given = arguments(theirs), arguments(ours)
        if wanted is None or given is None or path in {"trainers.Trainer", "models.Model"}:
            continue
        for argument, default in wanted.items():
            if f"{name.rpartition('.')[2]}.{argument}" in names_of(OTHER_ARGUMENTS) or argument == "kwargs":
                continue
            if argument not in given:
                wrong.append(f"{name} takes no {argument}")
            elif differ(given[argument], default):
                wrong.append(f"{name}: {argument} is {given[argument]!r}, not {default!r}")
    assert wrong == []
