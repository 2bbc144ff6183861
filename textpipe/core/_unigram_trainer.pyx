# distutils: language = c++
"""The estimation of unigram vocabularies for Python: marshalling only.

What enters: word counts, or sentences in order, and settings. What leaves: pieces with their scores, and the characters
that were kept. The GIL is released; ``_watch`` stops the engine.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libcpp cimport bool as cbool
from libcpp.string cimport string
from libcpp.vector cimport vector

from textpipe.core._sentences cimport CppSentenceList, Sentences
from textpipe.core._watch cimport Watch, on_keep, on_pulse
from textpipe.core._word_counts cimport CppWordCounts, WordCounts

from textpipe.core._bpe_trainer import SPACES
from textpipe.errors import InputError

cdef extern from "token_rules.hpp" namespace "textpipe::rules" nogil:
    cdef cppclass PieceShape:
        cbool split_by_unicode_script, split_by_number, split_digits

cdef extern from "unigram_trainer.hpp" namespace "textpipe::unigram" nogil:
    ctypedef int (*Callback)(void* owner, int phase, uint64_t done, uint64_t total) noexcept
    ctypedef int64_t (*KeepCallback)(void* owner, int act, char* data, size_t size) noexcept
    cdef cppclass CharacterCount:
        uint32_t character
        uint64_t count
    cdef cppclass CoverageSettings:
        float coverage
        vector[uint32_t] required
    cdef cppclass PieceSettings:
        uint32_t max_piece_length
        PieceShape shape
        int spaces
        cbool spaces_alone, split_by_whitespace, treat_whitespace_as_suffix, seeds_by_bytes
    cdef cppclass TrainerSettings:
        uint64_t vocab_size, num_reserved, seed_size, min_frequency
        float shrinking_factor
        uint32_t num_sub_iterations, num_threads
    cdef cppclass ScoredPiece:
        string text
        float score
    cdef cppclass UnigramText:
        CppWordCounts* words
        CppSentenceList* sentences
        cbool release
    cdef cppclass UnigramVocabulary:
        vector[ScoredPiece] pieces
        vector[CharacterCount] required
        uint64_t num_units
    UnigramVocabulary train_unigram(const TrainerSettings& settings, const PieceSettings& piece_settings,
                                    const CoverageSettings& coverage, size_t num_stripes,
                                    const UnigramText& text, Callback callback, KeepCallback keep,
                                    void* owner) except +

PHASES = ("order words", "find seed pieces", "estimate")


def train(
    object text not None, *, uint64_t vocab_size, uint64_t num_reserved, uint64_t seed_size, uint64_t min_frequency,
    float shrinking_factor, uint32_t num_sub_iterations, uint32_t num_threads, uint32_t num_stripes, float coverage,
    list required, object shape, bint seeds_by_bytes, bint release=False, object progress=None, object state=None
) -> tuple:
    """Estimate a vocabulary.

    Parameters
    ----------
    text : WordCounts, or Sentences.
    shape : what a piece may be, with the attributes of :class:`~textpipe.trainers.token_rules.PieceShape`.
    seeds_by_bytes : strings are told to recur by the byte after them, not by the character.
    release : empty the text as soon as it is laid out.
    state : None, or where to keep what is known, and to go on from.

    Returns
    -------
    pieces : list of (string, score), best first; empty where the characters kept leave no room, or there is no text
    required : list of (character, count) kept, most frequent first
    """
    cdef TrainerSettings settings
    cdef PieceSettings rules
    cdef CoverageSettings cover
    cdef UnigramText source
    cdef UnigramVocabulary learned
    cdef size_t stripes = num_stripes
    cdef Watch watch = Watch(PHASES, progress, state)
    cdef void* owner = <void*>watch
    settings.vocab_size = vocab_size
    settings.num_reserved = num_reserved
    settings.seed_size = seed_size
    settings.min_frequency = min_frequency
    settings.shrinking_factor = shrinking_factor
    settings.num_sub_iterations = num_sub_iterations
    settings.num_threads = num_threads
    rules.max_piece_length = shape.max_piece_length
    rules.shape.split_by_unicode_script = shape.split_by_unicode_script
    rules.shape.split_by_number = shape.split_by_number
    rules.shape.split_digits = shape.split_digits
    rules.spaces = SPACES.index(shape.spaces)
    rules.spaces_alone = shape.allow_whitespace_only_pieces
    rules.split_by_whitespace = shape.split_by_whitespace
    rules.treat_whitespace_as_suffix = shape.treat_whitespace_as_suffix
    rules.seeds_by_bytes = seeds_by_bytes
    cover.coverage = coverage
    cover.required = required
    source.release = release
    if isinstance(text, WordCounts):
        source.words = (<WordCounts>text).counts.get()
    else:
        source.sentences = (<Sentences?>text).sentences.get()
    try:
        with nogil:
            learned = train_unigram(settings, rules, cover, stripes, source, on_pulse, on_keep, owner)
    except ValueError as error:
        raise InputError(str(error), hint="train on other text, such as shorter lines or more of them") from None
    except Exception as error:
        raise watch.reason(error) from None
    pieces = [(piece.text.decode("utf-8", "surrogatepass"), piece.score) for piece in learned.pieces]
    kept = [(chr(use.character), use.count) for use in learned.required]
    return pieces, kept
