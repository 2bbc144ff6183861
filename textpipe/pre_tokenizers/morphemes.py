"""Korean text cut between morphemes, by an analyser that is asked for by name.

What enters: text, and which analyser: kiwi (the package kiwipiepy), or one of konlpy's (okt, komoran, hannanum, kkma;
they need a Java runtime). What leaves: stretches of the text. Promises: only cuts: the pieces joined are the text,
whatever the analyser says; a morpheme that is not spelled in the text (했다 holds 하, 었 and 다) makes no cut.

No other package knows this stage: a tokenizer.json that holds it is for this one alone, and is read where the stage is
allowed by its name (:mod:`textpipe.formats.own_stages`). A vocabulary is better learned
with it and used without (the preset ko-morpheme does so): nearly all of its pieces keep to the cuts all the same.

Notes
-----
Park et al.: An Empirical Study of Tokenization Strategies for Various Korean NLP Tasks, AACL 2020.
"""

from __future__ import annotations

import functools
import gc
import itertools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from textpipe.errors import InputError, MissingExtraError, did_you_mean, require
from textpipe.normalizers.aligned import AlignedText
from textpipe.pre_tokenizers.base import PreTokenizer

__all__ = ["ANALYSERS", "Morphemes"]

ANALYSERS = ("kiwi", "okt", "komoran", "hannanum", "kkma")
"""The first is kiwipiepy, the others are konlpy's."""

_CLASSES = {"okt": "Okt", "komoran": "Komoran", "hannanum": "Hannanum", "kkma": "Kkma"}
# konlpy's analysers take time with the square of a run and worse, and some end at an emoji: they get Hangul alone.
_HANGUL = re.compile("[가-힣]+")
_LONGEST_RUN = 60
_REMEMBERED = 1 << 17


@dataclass(eq=False, repr=False)
class Morphemes(PreTokenizer):
    """Cut between morphemes.

    Parameters
    ----------
    analyser : kiwi, okt, komoran, hannanum or kkma.

    Raises
    ------
    MissingExtraError
        when the analyser, or the Java runtime it needs, is not installed; on first use.
    """

    analyser: str = "kiwi"

    name_in_files: ClassVar[str] = "textpipe.Morphemes"

    def __post_init__(self) -> None:
        if self.analyser not in ANALYSERS:
            raise InputError(f"no analyser {self.analyser!r}", hint=did_you_mean(self.analyser, ANALYSERS))

    def apply(self, text: AlignedText) -> list[AlignedText]:
        """The stretches between the cuts."""
        places = sorted({0, len(text.text), *_finder(self.analyser)(text.text)})
        return [text.slice(begin, end) for begin, end in itertools.pairwise(places)]

    def to_dict(self) -> dict[str, Any]:
        """Type and analyser; the name says whose stage it is."""
        return {"type": self.name_in_files, "analyser": self.analyser}


@functools.cache
def _finder(analyser: str) -> Callable[[str], Iterable[int]]:
    return _kiwi() if analyser == "kiwi" else _konlpy(analyser)


def _kiwi() -> Callable[[str], list[int]]:
    kiwi = require("kiwipiepy", extra="ko").Kiwi()

    def cuts(text: str) -> list[int]:
        found = []
        for token in kiwi.tokenize(text):
            # of morphemes that share a syllable, those that begin or end inside it share its place
            found += [token.start, token.start + token.len]
        # a space goes with the word after it, and that word is not cut off from it
        return [at for at in found if 0 < at < len(text) and not (text[at - 1].isspace() or text[at].isspace())]

    return cuts


def _konlpy(analyser: str) -> Callable[[str], list[int]]:
    tag = require("konlpy.tag", extra="ko")
    watching = list(gc.callbacks)
    try:
        tagger = getattr(tag, _CLASSES[analyser])()
        # The bridge to Java measures the whole heap at every collection of garbage, which makes a large process many
        # times slower; only strings cross it here, and they need no such care.
        gc.callbacks[:] = watching
    except Exception as error:  # jpype's own errors, of which there is no base outside it
        if "JVM" not in type(error).__name__ and "JVM" not in str(error) and "java" not in str(error).lower():
            raise
        raise MissingExtraError(
            f"the analyser {analyser} needs a Java runtime, which was not found", hint="install a JDK, or use kiwi"
        ) from None

    @functools.lru_cache(maxsize=_REMEMBERED)
    def inside(run: str) -> tuple[int, ...]:
        morphemes = [str(morpheme) for morpheme in tagger.morphs(run)]
        if "".join(morphemes) != run:
            return ()
        ends = []
        at = 0
        for morpheme in morphemes[:-1]:
            at += len(morpheme)
            ends.append(at)
        return tuple(ends)

    def cuts(text: str) -> list[int]:
        return [
            found.start() + at
            for found in _HANGUL.finditer(text)
            if len(found[0]) <= _LONGEST_RUN
            for at in inside(found[0])
        ]

    return cuts
