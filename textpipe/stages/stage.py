"""What the stages of a tokenizer have in common: settings that may be changed, and how they print.

What enters: the settings of a normalizer, a pre-tokenizer, a model, a post-processor, a decoder or a trainer. What
leaves: a value that compares and prints by them. Promises: a setting is checked when it is changed as when it was
given, and keeps its old value when the new one is refused; :func:`revision` tells that some stage was changed, so that
a tokenizer knows when to look again at its own.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Iterable, Iterator, Sized
from typing import Any, ClassVar, Generic, NoReturn, Self, SupportsIndex, TypeVar

from textpipe.errors import InputError, StateError, WrongTypeError, a_kind, did_you_mean

__all__ = [
    "Stage",
    "StageSequence",
    "check_characters",
    "check_methods",
    "checked_parts",
    "describe",
    "plain_value",
    "refuse_to_write",
    "revision",
]

Part = TypeVar("Part", bound="Stage")

_numbers = itertools.count(1)
_revision = 0


def revision() -> int:
    """A number that is another one after any stage of the process was changed."""
    return _revision


class Stage:
    """Base of the stages.

    A subclass is a dataclass with ``eq=False``, whose fields are its settings; ``__post_init__`` checks them.
    """

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> None:
        global _revision  # noqa: PLW0603  (one number for the process; a lost update is still an update)
        known = self.__dict__
        value = plain_value(type(self), name, value)
        if name not in known or name.startswith("_"):
            self._check_name(name)
            object.__setattr__(self, name, value)
            return
        before = dict(known)
        object.__setattr__(self, name, value)
        try:
            self.settings_changed()
        except BaseException:
            known.update(before)
            raise
        _revision = next(_numbers)

    def _check_name(self, name: str) -> None:
        """Refuse a setting there is none of, such as a misspelled one."""
        fields = getattr(self, "__dataclass_fields__", None)
        if fields is not None and name not in fields and not name.startswith("_"):
            settings = [field for field in fields if not field.startswith("_")]
            hint = did_you_mean(name, settings) if settings else "it has none"
            raise AttributeError(f"{type(self).__name__} has no setting {name!r}; {hint}")

    def settings_changed(self) -> None:
        """Check the settings, and forget what was made from the old ones; called after each change."""
        check = getattr(self, "__post_init__", None)
        if check is not None:
            check()

    def settings(self) -> tuple[Any, ...]:
        """All that decides what the stage does, to compare; the settings of the stages within it are among them."""
        fields = getattr(self, "__dataclass_fields__", {})
        return (type(self), *(_settings_of(getattr(self, name)) for name in fields if not name.startswith("_")))

    def copy(self) -> Self:
        """A stage set as this one is, with copies of the stages within it: no later change of this one reaches it."""
        made = object.__new__(type(self))
        made.__dict__.update({name: _copied(value) for name, value in self.__dict__.items()})
        return made

    def to_dict(self) -> dict[str, Any]:
        """The object that stands for it in tokenizer.json."""
        raise NotImplementedError(f"{type(self).__name__} cannot be written to tokenizer.json")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Stage) and self.settings() == other.settings()

    def __hash__(self) -> int:
        return hash(type(self))  # settings change, and a value must keep its place in a set

    def __repr__(self) -> str:
        return describe(self.to_dict())


_PLAIN: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "None": (type(None),),
}


@functools.cache
def _plain_types(kind: type, name: str) -> tuple[str, tuple[type, ...]] | None:
    """The declared type of a setting and the types it allows, where it is made of plain ones alone."""
    written = next(
        (base.__annotations__[name] for base in kind.__mro__ if name in vars(base).get("__annotations__", ())), None
    )
    names = written.split(" | ") if isinstance(written, str) else []
    if not names or not set(names) <= _PLAIN.keys():
        return None
    return " or ".join(names), tuple(itertools.chain.from_iterable(_PLAIN[each] for each in names))


def plain_value(kind: type, name: str, value: Any) -> Any:
    """A value for the setting ``name`` of stages of this kind, which must have the type that the class declares.

    A number of another library (NumPy's, say) becomes Python's own, which a file can hold. A setting that is declared
    as more than plain values is left for the class to check.

    Raises
    ------
    ConfigError
        when it has another type.
    """
    declared = _plain_types(kind, name)
    if isinstance(value, str):
        check_characters(value, f"{name} of {kind.__name__}")
    if declared is None or type(value) in declared[1]:
        return value
    wanted, types = declared
    if int in types and isinstance(value, SupportsIndex) and not isinstance(value, bool):
        return operator.index(value)
    if float in types and hasattr(value, "__float__") and not isinstance(value, bool | str):
        return float(value)
    item = getattr(value, "item", None)  # of NumPy, which is not imported for this
    if bool in types and callable(item) and isinstance(item(), bool):
        return item()
    if str in types and isinstance(value, str):
        return str(value)
    raise WrongTypeError(f"{name} of {kind.__name__} is {value!r:.60}", allowed=wanted)


def check_characters(text: str, name: str) -> None:
    """Refuse half a surrogate pair: no file could hold the text, and no text holds it.

    Parameters
    ----------
    name : what the text is, as the message shall call it.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{name} is {text!a:.60}, with half a surrogate pair at character {error.start}",
            allowed="characters that can be written as UTF-8",
        ) from None


def _settings_of(value: Any) -> Any:
    if isinstance(value, Stage):
        return value.settings()
    return tuple(map(_settings_of, value)) if isinstance(value, tuple) else value


def _copied(value: Any) -> Any:
    if isinstance(value, Stage):
        return value.copy()
    return tuple(map(_copied, value)) if isinstance(value, tuple) else value


class StageSequence(Generic[Part]):
    """Stages one after the other, to read and to replace by their number."""

    __slots__ = ()

    _parts_name: ClassVar[str]

    @classmethod
    def of_parts(cls, parts: Iterable[Part]) -> Self:
        """A sequence of just these, as a file has them; the constructor takes the parts out of sequences among them."""
        made = cls(())  # type: ignore[call-arg]  # every sequence of stages takes its parts
        setattr(made, cls._parts_name, tuple(parts))
        return made

    @classmethod
    def _flat(cls, parts: Iterable[Part]) -> tuple[Part, ...]:
        """Parts in place of the sequences they are in."""
        return tuple(each for part in parts for each in (part._parts if isinstance(part, cls) else (part,)))

    @property
    def _parts(self) -> tuple[Part, ...]:
        parts: tuple[Part, ...] = getattr(self, self._parts_name)
        return parts

    def __len__(self) -> int:
        return len(self._parts)

    def __iter__(self) -> Iterator[Part]:
        return iter(self._parts)

    def __getitem__(self, key: int) -> Part:
        return self._parts[key]

    def __setitem__(self, key: int, value: Part) -> None:
        parts = list(self._parts)
        parts[key] = value
        setattr(self, self._parts_name, tuple(parts))

    def __delitem__(self, key: int) -> None:
        parts = list(self._parts)
        del parts[key]
        setattr(self, self._parts_name, tuple(parts))


def checked_parts(parts: Iterable[Any], kind: type[Part]) -> tuple[Part, ...]:
    """The parts of a sequence of stages, each of which must be of this kind.

    Raises
    ------
    InputError
        with the number of the part that is something else.
    """
    checked = tuple(parts)
    for number, part in enumerate(checked):
        if not isinstance(part, kind):
            raise WrongTypeError(f"part {number} of a sequence is {a_kind(part)}", allowed=f"a {kind.__name__}")
    return checked


def check_methods(component: object, methods: Iterable[str], stage: str) -> None:
    """Refuse an object that cannot be a stage, when it is given and not at first use."""
    for method in methods:
        if not callable(getattr(component, method, None)):
            raise WrongTypeError(f"{a_kind(component)} cannot be a {stage}", allowed=f"an object with {method}()")


def refuse_to_write(component: object, stage: str) -> NoReturn:
    """Say that a file cannot hold a stage of the user's own."""
    raise StateError(
        f"a {stage} of your own ({type(component).__name__}) cannot be written to tokenizer.json",
        hint="set the stage to None to save the rest, and set it again after loading",
    )


_SHOWN = 5  # entries of a list or table; a vocabulary has hundreds of thousands
_CHOICES = (
    "behavior",
    "prepend_scheme",
    "direction",
    "strategy",
)  # settings whose value is one of a few names, printed without quotes


def describe(value: Any, key: str = "") -> str:
    """An object of tokenizer.json as `tokenizers` prints it: a call of its type, long lists cut short.

    >>> describe({"type": "Digits", "individual_digits": False})
    'Digits(individual_digits=False)'
    """
    if isinstance(value, dict):
        return _describe_object(value, key)
    if isinstance(value, list | tuple):
        of_pairs = "merge" if key == "merges" else ""
        parts = [describe(part, of_pairs) for part in value[:_SHOWN]]
        is_scored = len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int | float)
        return _listed(parts, value, "()" if is_scored or key == "merge" else "[]")
    if isinstance(value, str):
        return value if key in _CHOICES else f'"{value}"'
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() else repr(value)
    return repr(value)


def _describe_object(value: dict[str, Any], key: str) -> str:
    if "type" in value:
        return _call(value["type"], {name: part for name, part in value.items() if name != "type"})
    if set(value) == {"Sequence"}:  # a text of a template, named by one of two letters
        return f"Sequence(id={value['Sequence']['id']}, type_id={value['Sequence']['type_id']})"
    if set(value) in ({"SpecialToken"}, {"String"}, {"Regex"}, {"Fixed"}):
        ((tag, part),) = value.items()
        return _call(tag, part) if isinstance(part, dict) else f"{tag}({describe(part)})"
    parts = []
    for name in itertools.islice(value, _SHOWN):
        part = value[name]
        parts.append(f'"{name}":' + (_call("SpecialToken", part) if key == "special_tokens" else describe(part)))
    return _listed(parts, value, "{}")


def _call(name: str, arguments: dict[str, Any]) -> str:
    return f"{name}({', '.join(f'{key}={describe(part, key)}' for key, part in arguments.items())})"


def _listed(parts: list[str], whole: Sized, brackets: str) -> str:
    more = ["..."] if len(whole) > _SHOWN else []
    return brackets[0] + ", ".join([*parts, *more]) + brackets[1]
