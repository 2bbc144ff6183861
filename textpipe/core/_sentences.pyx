# distutils: language = c++
"""Sentences as sentencepiece trains on them, for Python: marshalling only.

What enters: strings, or lines of UTF-8. What leaves: sentences in the order of training, with U+2581 for spaces, as
trainers take them and as bytes; or the counts of their words. The GIL is released while lines are read.
"""

from cython.operator cimport dereference
from libc.stdint cimport uint64_t
from libcpp.memory cimport make_unique

from textpipe.core._native cimport NativeStep
from textpipe.core._word_counts cimport CppWordCounts, WordCounts, utf8

from textpipe.core._text import length_error
from textpipe.errors import InputError

cdef extern from "sentences.hpp" namespace "textpipe" nogil:
    cdef cppclass SentenceRow:
        string text
        uint64_t count
    vector[SentenceRow] sentence_rows(const CppSentenceList& sentences) except +

cdef extern from "sentence_words.hpp" namespace "textpipe" nogil:
    cdef cppclass SentenceCut:
        cbool split_by_whitespace, treat_whitespace_as_suffix, allow_whitespace_only_pieces
    cdef cppclass CppSentenceCounter "textpipe::SentenceCounter":
        CppSentenceCounter(CppWordCounts& counts, SentenceSettings settings, SentenceCut cut, size_t max_bytes) except +
        void add_lines(string_view text) except +
        void add_sentence(string_view text) except +
        void flush() except +
    void add_sentence_words(const CppSentenceList& sentences, const SentenceCut& cut, CppWordCounts& counts) except +


cdef SentenceSettings settings_of(
    tuple normalization, tuple reserved, bint add_dummy_prefix, bint remove_extra_whitespaces,
    bint treat_whitespace_as_suffix
) except *:
    cdef SentenceSettings settings
    cdef NativeStep step
    for step in normalization:
        settings.normalization.push_back(step.step.rewrite)
    if "" in reserved:
        raise InputError("a special token cannot be empty")
    settings.add_dummy_prefix = add_dummy_prefix
    settings.remove_extra_whitespaces = remove_extra_whitespaces
    settings.treat_whitespace_as_suffix = treat_whitespace_as_suffix
    settings.reserved = [token.encode() for token in reserved]
    return settings


cdef class Sentences:
    """Sentences with counts.

    Parameters
    ----------
    normalization : native steps that rewrite each sentence.
    reserved : special tokens, which the sentences are cut at.
    add_dummy_prefix, remove_extra_whitespaces, treat_whitespace_as_suffix : what becomes of spaces.
    """

    def __cinit__(
        self, *, tuple normalization=(), tuple reserved=(), bint add_dummy_prefix=True,
        bint remove_extra_whitespaces=True, bint treat_whitespace_as_suffix=False
    ):
        self.normalization = normalization
        self.sentences = make_unique[CppSentenceList](
            settings_of(normalization, reserved, add_dummy_prefix, remove_extra_whitespaces, treat_whitespace_as_suffix)
        )

    def __len__(self):
        return self.sentences.get().size()

    @property
    def num_bytes(self) -> int:
        """Bytes of the text, and one for the end of each sentence."""
        return self.sentences.get().num_bytes()

    @property
    def memory_bytes(self) -> int:
        """Bytes held."""
        return self.sentences.get().memory()

    def extend(self, list texts not None):
        """Add each string as a sentence."""
        cdef Py_ssize_t size
        cdef const char* data
        cdef CppSentenceList* sentences = self.sentences.get()
        for text in texts:
            data = utf8(text, &size)
            try:
                sentences.add(string_view(data, <size_t>size), 1)
            except OverflowError:
                raise length_error(self.normalization) from None

    def add_lines(self, bytes text not None, size_t max_bytes):
        """Add each line of valid UTF-8 that is trained on: not empty, not longer, without U+2585."""
        cdef string_view lines = string_view(<const char*>text, <size_t>len(text))
        try:
            with nogil:
                self.sentences.get().add_lines(lines, max_bytes)
        except OverflowError:
            raise length_error(self.normalization) from None

    def drop_empty(self):
        """To be called when all are added: each sentence that has nothing gives its place to the last one."""
        self.sentences.get().drop_empty()

    def rows(self) -> list:
        """Every (sentence, count) in order, as bytes."""
        return [(row.text, row.count) for row in sentence_rows(dereference(self.sentences.get()))]


cdef class SentenceCounter:
    """Counts the words of sentences from one thread; nothing is complete in ``counts`` before :meth:`flush`.

    Parameters
    ----------
    max_bytes : longer lines are left out.
    normalization, reserved, add_dummy_prefix, remove_extra_whitespaces, treat_whitespace_as_suffix : as of
        :class:`Sentences`.
    split_by_whitespace, allow_whitespace_only_pieces : whether words are cut, and whether spaces in a row stay one.
    """

    cdef unique_ptr[CppSentenceCounter] counter
    cdef readonly WordCounts counts

    def __cinit__(
        self, WordCounts counts not None, *, tuple normalization=(), size_t max_bytes, tuple reserved=(),
        bint add_dummy_prefix=True, bint remove_extra_whitespaces=True, bint treat_whitespace_as_suffix=False,
        bint split_by_whitespace=True, bint allow_whitespace_only_pieces=False
    ):
        cdef SentenceCut cut
        cut.split_by_whitespace = split_by_whitespace
        cut.treat_whitespace_as_suffix = treat_whitespace_as_suffix
        cut.allow_whitespace_only_pieces = allow_whitespace_only_pieces
        self.counts = counts
        self.counter = make_unique[CppSentenceCounter](
            counts.counts.get()[0],
            settings_of(
                normalization, reserved, add_dummy_prefix, remove_extra_whitespaces, treat_whitespace_as_suffix
            ),
            cut, max_bytes,
        )

    def add_lines(self, bytes text not None):
        """Count the words of each line of valid UTF-8 that is trained on."""
        cdef string_view lines = string_view(<const char*>text, <size_t>len(text))
        with nogil:
            self.counter.get().add_lines(lines)

    def add_texts(self, list texts not None):
        """Count the words of the lines of each string."""
        cdef Py_ssize_t size
        cdef const char* data
        for text in texts:
            data = utf8(text, &size)
            with nogil:
                self.counter.get().add_lines(string_view(data, <size_t>size))

    def add_sentences(self, list texts not None):
        """Count the words of each string, a sentence whatever it holds."""
        cdef Py_ssize_t size
        cdef const char* data
        for text in texts:
            data = utf8(text, &size)
            self.counter.get().add_sentence(string_view(data, <size_t>size))

    def flush(self):
        """Hand over everything counted so far."""
        with nogil:
            self.counter.get().flush()


def count_sentence_words(
    Sentences sentences not None, *, bint split_by_whitespace, bint treat_whitespace_as_suffix,
    bint allow_whitespace_only_pieces
) -> WordCounts:
    """The words of sentences, cut at U+2581 in the way of sentencepiece."""
    cdef WordCounts counts = WordCounts()
    cdef SentenceCut cut
    cdef CppSentenceList* all_sentences = sentences.sentences.get()
    cdef CppWordCounts* words = counts.counts.get()
    cut.split_by_whitespace = split_by_whitespace
    cut.treat_whitespace_as_suffix = treat_whitespace_as_suffix
    cut.allow_whitespace_only_pieces = allow_whitespace_only_pieces
    with nogil:
        add_sentence_words(all_sentences[0], cut, words[0])
    return counts
