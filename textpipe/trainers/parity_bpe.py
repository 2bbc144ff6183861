"""Byte-pair vocabularies for several languages, none of which is left behind.

What enters: a :class:`ParityBpeTrainer` and the texts of each language, and texts or ratios to measure them by. What
leaves: a tokenizer with one vocabulary, or a :class:`~textpipe.trainers.TrainedBpe`. Promises: the merges that
`tokenizers` 0.23.3 learns from the same words, whatever their order; of symbols with a prefix or suffix, whose ids
differ there from run to run, the ids go by their strings.

At each step the language that needs it most has its turn, and the pair that is most frequent in it is joined in all of
them. It is the language whose text to measure by is the longest in tokens; or, where ratios are given, whose text
shrank least for its ratio; or else whose text to learn from is the longest. Pairs that count alike are taken from the
end of the order of their strings, unlike in :class:`~textpipe.trainers.BpeTrainer`, where ids decide.

Where `tokenizers` runs for ever, since a language is left that cannot have its turn, the training ends here.

Notes
-----
Foroutan, Meister, Paul, Niklaus, Ahmadi, Bosselut, Sennrich: Parity-Aware Byte-Pair Encoding, 2025, arXiv 2508.04796.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textpipe.core._bpe_trainer import train_parity
from textpipe.core._word_counts import WordCounts
from textpipe.errors import ConfigError, InputError
from textpipe.models import BPE
from textpipe.models.added_tokens import AddedToken
from textpipe.trainers.bpe import MERGING_UNITS, TrainedBpe
from textpipe.trainers.counting import Progress, count_texts
from textpipe.trainers.first_symbols import FirstSymbols, first_characters
from textpipe.trainers.progress_lines import report_of
from textpipe.trainers.settings import TrainerSettings
from textpipe.trainers.token_rules import UNLIMITED

if TYPE_CHECKING:
    from textpipe.tokenizer import Tokenizer

__all__ = ["ParityBpeTrainer", "train_parity_bpe"]

_VARIANTS = ("base", "window")


@dataclass(eq=False, kw_only=True, repr=False)
class ParityBpeTrainer(TrainerSettings):
    """What byte-pair vocabulary to learn for several languages.

    Parameters
    ----------
    num_merges : how often a pair is joined. The vocabulary has the special tokens and the alphabet besides.
    variant : ``"base"``, the neediest language has every turn; or ``"window"``, where none has more than
        ``alpha`` / (number of languages) of the last ``window_size`` turns.
    min_frequency : a pair that occurs less often in the language whose turn it is is not merged.
    ratio : a number a language, in proportion to how much it is to be compressed; for trainings without texts to
        measure by.
    global_merges : how many of the merges come first, by the counts of all languages together.
    window_size, alpha : see ``variant``.
    total_symbols : take the special tokens and the alphabet off ``num_merges``, which is then the most entries of all.
    special_tokens : strings or added tokens, first in the vocabulary; kept as added tokens that are special.
    show_progress : report on a terminal's standard error while training.
    limit_alphabet : keep only that many of the most frequent characters, those of the texts to measure by counted.
    initial_alphabet : characters to have even where the text lacks them; of a longer string the first counts.
    continuing_subword_prefix : put before every symbol that does not begin a word.
    end_of_word_suffix : put after every symbol that ends one.
    max_token_length : pairs of this many characters or more are not formed anew.

    Examples
    --------
    >>> from textpipe import Tokenizer
    >>> from textpipe.pre_tokenizers import WhitespaceSplit
    >>> tokenizer = Tokenizer(BPE())
    >>> tokenizer.pre_tokenizer = WhitespaceSplit()
    >>> trainer = ParityBpeTrainer(num_merges=2, show_progress=False)
    >>> trainer.train_from_iterator(tokenizer, [["low low low"], ["밥물"]], dev_iterators=[["low"], ["밥물 밥물"]])
    >>> tokenizer.encode("low 밥물").tokens
    ['l', 'ow', '밥물']
    """

    num_merges: int = 32000
    variant: str = "base"
    min_frequency: int = 0
    ratio: Sequence[float] | None = None
    global_merges: int = 0
    window_size: int = 100
    alpha: float = 2.0
    total_symbols: bool = False
    special_tokens: Sequence[str | AddedToken] = ()
    show_progress: bool = True
    limit_alphabet: int | None = None
    initial_alphabet: Sequence[str] = ()
    continuing_subword_prefix: str | None = None
    end_of_word_suffix: str | None = None
    max_token_length: int | None = None

    _numbers: ClassVar[tuple[str, ...]] = ("num_merges", "min_frequency", "global_merges", "window_size")
    _optional_numbers: ClassVar[tuple[str, ...]] = ("limit_alphabet", "max_token_length")

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial_alphabet", first_characters(self.initial_alphabet or ()))
        object.__setattr__(self, "special_tokens", self.special_tokens or ())
        super().__post_init__()
        if self.variant not in _VARIANTS:
            raise ConfigError(f"variant cannot be {self.variant!r}", allowed=" or ".join(_VARIANTS))
        if self.variant == "window" and self.window_size == 0:
            raise ConfigError("window_size cannot be 0 where the variant is window", allowed="1 or more")
        if self.variant == "window" and not _is_positive(self.alpha):
            raise ConfigError(f"alpha cannot be {self.alpha!r}", allowed="a finite number above 0")
        if self.ratio is not None:
            object.__setattr__(self, "ratio", checked_ratio(self.ratio))

    def train_from_iterator(
        self,
        tokenizer: Tokenizer,
        train_iterators: Sequence[Iterable[str] | Iterable[list[str]]],
        dev_iterators: Sequence[Iterable[str] | Iterable[list[str]]] | None = None,
        ratio: Sequence[float] | None = None,
        *,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Learn the model of a tokenizer, whose other stages say what a word is.

        Parameters
        ----------
        tokenizer : one whose model is a :class:`~textpipe.models.BPE`; what the model is set to otherwise stays, and so
            do tokens that were added before.
        train_iterators : for each language strings, or lists of strings, to learn from.
        dev_iterators : for each language strings to measure it by, best the same sentences in all of them.
        ratio : in place of the trainer's own. Where there are ``dev_iterators`` it is not looked at.
        threads, progress : as in :func:`~textpipe.trainers.count_texts`.

        Raises
        ------
        InputError
            when the model is of another kind, or there are not as many of one as of the other.
        """
        if type(tokenizer.model) is not BPE:
            kind = type(tokenizer.model).__name__
            raise InputError(f"a ParityBpeTrainer cannot train a {kind}", allowed="a BPE")
        ratio = None if dev_iterators is not None else self.ratio if ratio is None else checked_ratio(ratio)
        _check_number(train_iterators, dev_iterators, ratio)
        cutter = tokenizer.pipeline.word_cutter()
        languages, measured = (
            [count_texts(texts, cutter, threads=threads, progress=progress) for texts in listed]
            for listed in (train_iterators, dev_iterators or ())
        )
        trained = train_parity_bpe(languages, self, measured or None, ratio, progress=progress)
        prefix, suffix = self.continuing_subword_prefix, self.end_of_word_suffix
        model = tokenizer.model.learned(trained.vocab, trained.merges, prefix, suffix)
        tokenizer.take_learned(model, self.special_tokens)


def checked_ratio(ratio: Sequence[float]) -> list[float]:
    """The numbers of a ratio.

    Raises
    ------
    ConfigError
        when one of them is not above 0.
    """
    for number, value in enumerate(ratio):
        if not _is_positive(value):
            raise ConfigError(f"ratio[{number}] cannot be {value!r}", allowed="a finite number above 0")
    return [float(value) for value in ratio]


def _is_positive(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value > 0  # type: ignore[arg-type,operator]


def _check_number(
    languages: Sequence[object], measured: Sequence[object] | None, ratio: Sequence[float] | None
) -> None:
    if not languages:
        raise InputError("there is no language to learn from", hint="give one iterator a language")
    for name, given in (("dev_iterators", measured), ("ratio", ratio)):
        if given is not None and len(given) != len(languages):
            raise InputError(f"{name} has {len(given)} for {len(languages)} languages", allowed="one a language")


def train_parity_bpe(
    languages: Sequence[WordCounts],
    trainer: ParityBpeTrainer,
    measured: Sequence[WordCounts] | None = None,
    ratio: Sequence[float] | None = None,
    *,
    progress: Progress | None = None,
) -> TrainedBpe:
    """Learn one byte-pair vocabulary from the word counts of several languages.

    Parameters
    ----------
    languages : the words of each to learn from.
    measured : the words of each to measure it by.
    ratio : in place of the trainer's own; not looked at where ``measured`` is given.
    progress : called with each phase, what is done and the total; what it raises stops the training.

    Raises
    ------
    InputError
        when there are not as many of one as of the other, or some are counted by bytes and some by characters.
    LimitError
        when the words come so often that their symbols cannot be counted.

    Examples
    --------
    >>> english, korean = WordCounts(), WordCounts()
    >>> english.add(b"low", 9)
    >>> korean.add("밥물".encode(), 3)
    >>> train_parity_bpe([english, korean], ParityBpeTrainer(num_merges=9), ratio=[1.0, 4.0]).merges
    [('밥', '물'), ('o', 'w'), ('l', 'ow')]

    Notes
    -----
    Time in proportion to the symbols of distinct words, then to the words that each merge is made in; memory about
    80 bytes a symbol. One thread.
    """
    ratio = None if measured is not None else trainer.ratio if ratio is None else checked_ratio(ratio)
    _check_number(languages, measured, ratio)
    others = list(measured or ())
    if len({counts.byte_level for counts in (*languages, *others)}) > 1:
        raise InputError("some of the counts are byte-level and some are not", hint="count all the same way")
    symbols = FirstSymbols(languages, trainer, others)
    num_merges = trainer.num_merges - (len(symbols.vocab) if trainer.total_symbols else 0)
    report = progress or report_of(trainer.show_progress)
    merges, strings = train_parity(
        list(languages),
        others,
        initial=list(symbols.vocab),
        characters=symbols.characters,
        ids=symbols.ids,
        num_merges=max(0, num_merges),
        min_frequency=min(trainer.min_frequency, UNLIMITED),
        max_token_length=UNLIMITED if trainer.max_token_length is None else trainer.max_token_length,
        prefix=trainer.continuing_subword_prefix or "",
        global_merges=trainer.global_merges,
        window_size=trainer.window_size if trainer.variant == "window" else 0,
        alpha=trainer.alpha,
        ratios=list(ratio or ()),
        progress=None
        if report is None
        else lambda phase, done, total: report(phase, done, total, unit=MERGING_UNITS[phase]),
    )
    # A pair that was merged twice stands where it was merged last.
    place = {(left, right): number for number, (left, right, _) in enumerate(merges)}
    return TrainedBpe(
        vocab={text: number for number, text in enumerate(strings)},
        merges=[(strings[a], strings[b]) for n, (a, b, _) in enumerate(merges) if place[a, b] == n],
        special_tokens=list(trainer.special_tokens),
    )
