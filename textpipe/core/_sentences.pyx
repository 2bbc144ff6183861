# distutils: language = c++
"""Sentences as sentencepiece trains on them, for Python: marshalling only.

What enters: strings whose characters are already normalized. What leaves: sentences in the order of training, with
U+2581 for spaces, as trainers take them and as bytes.
"""

from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from cython.operator cimport dereference
from libc.stdint cimport uint64_t
from libcpp.memory cimport make_unique

from textpipe.errors import InputError

cdef extern from "sentences.hpp" namespace "textpipe" nogil:
    cdef cppclass SentenceRow:
        string text
        uint64_t count
    vector[SentenceRow] sentence_rows(const CppSentenceList& sentences) except +


cdef class Sentences:
    """Sentences with counts.

    Parameters
    ----------
    reserved : special tokens, which the sentences are cut at.
    add_dummy_prefix, remove_extra_whitespaces, treat_whitespace_as_suffix : what becomes of spaces.
    """

    def __cinit__(
        self, *, tuple reserved=(), bint add_dummy_prefix=True, bint remove_extra_whitespaces=True,
        bint treat_whitespace_as_suffix=False
    ):
        cdef SentenceSettings settings
        settings.add_dummy_prefix = add_dummy_prefix
        settings.remove_extra_whitespaces = remove_extra_whitespaces
        settings.treat_whitespace_as_suffix = treat_whitespace_as_suffix
        settings.reserved = [token.encode() for token in reserved]
        if "" in reserved:
            raise InputError("a special token cannot be empty")
        self.sentences = make_unique[CppSentenceList](settings)

    def __len__(self):
        return self.sentences.get().size()

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
            try:
                data = PyUnicode_AsUTF8AndSize(text, &size)
            except UnicodeEncodeError as error:
                raise InputError(
                    f"character {error.start} is half of a surrogate pair, which is no text",
                    hint="decode the source with errors='replace'",
                ) from None
            sentences.add(string_view(data, <size_t>size), 1)

    def drop_empty(self):
        """To be called when all are added: each sentence that has nothing gives its place to the last one."""
        self.sentences.get().drop_empty()

    def rows(self) -> list:
        """Every (sentence, count) in order, as bytes."""
        return [(row.text, row.count) for row in sentence_rows(dereference(self.sentences.get()))]
