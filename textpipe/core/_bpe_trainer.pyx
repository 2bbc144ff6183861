# distutils: language = c++
"""The merge engine for Python: marshalling only.

What enters: word counts, the first strings of the vocabulary and which characters they stand for. What leaves: merges
as pairs of ids with the id they make, and the string of every id. The GIL is released; ``_watch`` stops the engine.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libcpp cimport bool as cbool
from libcpp.string cimport string
from libcpp.vector cimport vector

from textpipe.core._watch cimport Watch, on_keep, on_pulse
from textpipe.core._word_counts cimport CppWordCounts, WordCounts

cdef extern from "bpe_wordwise.hpp" namespace "textpipe" nogil:
    ctypedef int (*Callback)(void* owner, int phase, uint64_t done, uint64_t total) noexcept
    ctypedef int64_t (*KeepCallback)(void* owner, int act, char* data, size_t size) noexcept
    cdef cppclass CharacterUse:
        uint32_t character
        uint8_t places
        uint64_t count
    cdef cppclass Merge:
        uint32_t left, right, id
    cdef enum class Compat(int):
        pass
    cdef cppclass BpeSettings:
        Compat compat
        RuleSettings rules
        uint64_t vocab_size, min_frequency, max_token_length
        string prefix, suffix
        cbool has_floor
    cdef cppclass BpeResult:
        vector[Merge] merges
        vector[string] strings
    BpeResult extend_bpe(const BpeSettings& settings, const vector[string]& initial, const vector[Merge]& known,
                         CppWordCounts& words, cbool byte_level, size_t num_threads, Callback callback,
                         KeepCallback keep, void* owner) except +
    vector[CharacterUse] survey_characters(const CppWordCounts& words, cbool byte_level) except +
    BpeResult train_bpe(const BpeSettings& settings, const vector[string]& initial, const vector[uint32_t]& characters,
                        const vector[uint32_t]& ids, CppWordCounts& words, cbool byte_level, cbool release,
                        size_t num_threads, Callback callback, KeepCallback keep, void* owner) except +

cdef extern from "bpe_parity.hpp" namespace "textpipe" nogil:
    cdef cppclass ParitySettings:
        uint64_t num_merges, min_frequency, global_merges, max_token_length, window_size
        double alpha
        vector[double] ratios
        string prefix
    BpeResult learn_parity "textpipe::train_parity"(
        const ParitySettings& settings, const vector[string]& initial, const vector[uint32_t]& characters,
        const vector[uint32_t]& ids, const vector[const CppWordCounts*]& languages,
        const vector[const CppWordCounts*]& measured, cbool byte_level, Callback callback, void* owner) except +

cdef extern from "token_rules.hpp" namespace "textpipe::rules" nogil:
    cdef cppclass PieceShape:
        cbool split_by_unicode_script, split_by_number, split_digits
        uint16_t class_of(uint32_t character)

cdef extern from "bpe_rules.hpp" namespace "textpipe::bpe" nogil:
    cdef cppclass ClassRange:
        uint32_t first, last
        uint16_t character_class
    cdef cppclass RuleSettings:
        cbool any, spaces_alone
        uint64_t max_chars
        int spaces
        vector[ClassRange] classes

NO_ID = 0xFFFFFFFF
COMPAT = ("tokenizers", "plain", "sentencepiece", "likelihood")  # in the order of the engine, as are these
SPACES = ("anywhere", "first only", "not last", "last only", "not first")
BARRIER, FIRST_SCRIPT = 2, 4  # of the classes of characters
PHASES = ("lay out words", "count pairs", "merge")


def survey(WordCounts counts not None) -> list:
    """Each character (a byte, or a code point) with the places it stands in and its count.

    Bit k of the places is set when it was seen at place k: 1 for not first in its word, plus 2 for last.
    """
    cdef vector[CharacterUse] used
    cdef CppWordCounts* words = counts.counts.get()
    cdef cbool byte_level = counts.byte_level
    with nogil:
        used = survey_characters(words[0], byte_level)
    return [(use.character, use.places, use.count) for use in used]


def piece_classes(object shape not None, list characters not None) -> list:
    """The class of each character in pieces of this :class:`~textpipe.trainers.token_rules.PieceShape`."""
    cdef PieceShape by
    by.split_by_unicode_script = shape.split_by_unicode_script
    by.split_by_number = shape.split_by_number
    by.split_digits = shape.split_digits
    return [by.class_of(character) for character in characters]


cdef void put_rules(RuleSettings& to, tuple rules) except *:
    cdef ClassRange row
    max_chars, spaces, spaces_alone, classes = rules
    to.any = True
    to.max_chars = max_chars
    to.spaces = SPACES.index(spaces)
    to.spaces_alone = spaces_alone
    for row.first, row.last, row.character_class in classes:
        to.classes.push_back(row)


def train(
    WordCounts counts not None, *, list initial, list characters, list ids, uint64_t vocab_size, uint64_t min_frequency,
    uint64_t max_token_length, str prefix, str suffix, bint has_floor, bint release, str compat,
    object rules=None, size_t num_threads=1, object progress=None, object state=None
) -> tuple:
    """Learn merges.

    Parameters
    ----------
    initial : the first strings of the vocabulary, in the order of their ids.
    characters, ids : the characters that are symbols, and four ids (or ``NO_ID``) each, one a place.
    has_floor : no two distinct words have the same symbols, and nothing but the rules limits a token.
    compat : one of ``COMPAT``.
    rules : None, or what a token may be: most characters, where word marks stand (one of ``SPACES``), whether marks
        alone are free of that, and (first, last, class) of code points in order.
    release : empty ``counts`` as soon as they are laid out.
    num_threads : how many share long steps; they do not change the result.
    state : None, or where to keep what is known, and to go on from.

    Returns
    -------
    merges : list of (left id, right id, id)
    strings : the string of every id
    """
    cdef vector[string] first = [text.encode("utf-8", "surrogatepass") for text in initial]
    cdef vector[uint32_t] symbols = characters, symbol_ids = ids
    cdef BpeSettings settings
    cdef BpeResult result
    cdef CppWordCounts* words = counts.counts.get()
    cdef cbool byte_level = counts.byte_level, drop = release
    cdef Watch watch = Watch(PHASES, progress, state)
    cdef void* owner = <void*>watch
    settings.vocab_size = vocab_size
    settings.min_frequency = min_frequency
    settings.max_token_length = max_token_length
    settings.prefix = prefix.encode()
    settings.suffix = suffix.encode()
    settings.has_floor = has_floor
    settings.compat = <Compat><int>COMPAT.index(compat)
    if rules is not None:
        put_rules(settings.rules, rules)
    try:
        with nogil:
            result = train_bpe(settings, first, symbols, symbol_ids, words[0], byte_level, drop, num_threads, on_pulse,
                               on_keep, owner)
    except Exception as error:
        raise watch.reason(error) from None
    return to_python(result)


def extend(
    WordCounts counts not None, *, list initial, list merges, uint64_t vocab_size, uint64_t min_frequency, str prefix,
    str suffix, bint has_floor, str compat, size_t num_threads=1, object progress=None, object state=None
) -> tuple:
    """Learn merges that go on from others.

    Parameters
    ----------
    initial : the strings of the vocabulary, in the order of their ids.
    merges : (left id, right id, id) of those there are, in the order they apply.

    Returns
    -------
    merges : list of (left id, right id, id), the new ones alone
    strings : the string of every id
    """
    cdef vector[string] first = [text.encode("utf-8", "surrogatepass") for text in initial]
    cdef BpeSettings settings
    cdef vector[Merge] known
    cdef Merge merge
    cdef BpeResult result
    cdef CppWordCounts* words = counts.counts.get()
    cdef cbool byte_level = counts.byte_level
    cdef Watch watch = Watch(PHASES, progress, state)
    cdef void* owner = <void*>watch
    settings.vocab_size = vocab_size
    settings.min_frequency = min_frequency
    settings.prefix = prefix.encode()
    settings.has_floor = has_floor
    settings.compat = <Compat><int>COMPAT.index(compat)
    settings.suffix = suffix.encode()
    for merge.left, merge.right, merge.id in merges:
        known.push_back(merge)
    try:
        with nogil:
            result = extend_bpe(settings, first, known, words[0], byte_level, num_threads, on_pulse, on_keep, owner)
    except Exception as error:
        raise watch.reason(error) from None
    return to_python(result)


def train_parity(
    list languages, list measured, *, list initial, list characters, list ids, uint64_t num_merges,
    uint64_t min_frequency, uint64_t max_token_length, str prefix, uint64_t global_merges, uint64_t window_size,
    double alpha, list ratios, object progress=None
) -> tuple:
    """Learn merges for several languages.

    Parameters
    ----------
    languages, measured : word counts of each, all byte-level or none; of ``measured`` none, or as many.
    initial, characters, ids : as in :func:`train`.
    window_size : how many of the last turns a language has a share of; 0 for no such rule.
    ratios : none, or one a language.

    Returns
    -------
    merges, strings : as in :func:`train`.
    """
    cdef vector[string] first = [text.encode("utf-8", "surrogatepass") for text in initial]
    cdef vector[uint32_t] symbols = characters, symbol_ids = ids
    cdef vector[const CppWordCounts*] learned, other
    cdef ParitySettings settings
    cdef BpeResult result
    cdef WordCounts counts
    cdef cbool byte_level = (<WordCounts?>languages[0]).byte_level
    cdef Watch watch = Watch(PHASES, progress, None)
    cdef void* owner = <void*>watch
    for counts in languages:
        learned.push_back(counts.counts.get())
    for counts in measured:
        other.push_back(counts.counts.get())
    settings.num_merges, settings.min_frequency = num_merges, min_frequency
    settings.global_merges, settings.max_token_length = global_merges, max_token_length
    settings.window_size, settings.alpha, settings.ratios = window_size, alpha, ratios
    settings.prefix = prefix.encode()
    try:
        with nogil:
            result = learn_parity(settings, first, symbols, symbol_ids, learned, other, byte_level, on_pulse, owner)
    except Exception as error:
        raise watch.reason(error) from None
    return to_python(result)


cdef tuple to_python(BpeResult& result):
    merges = [(merge.left, merge.right, merge.id) for merge in result.merges]
    return merges, [text.decode("utf-8", "surrogatepass") for text in result.strings]
