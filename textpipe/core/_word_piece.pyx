# distutils: language = c++
"""The native WordPiece and WordLevel models: marshalling only.

What enters: a vocabulary, piece → id below 2**24. What leaves: a native model.
"""

from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint32_t
from libcpp cimport bool as cbool
from libcpp.memory cimport make_shared, shared_ptr
from libcpp.string cimport string

from textpipe.core._native cimport CutPointer, ModelPointer, NativeModel, cut_step
from textpipe.core._strings cimport assign_bytes

from textpipe.core._text import surrogate_error

cdef extern from "<string_view>" namespace "std" nogil:
    cdef cppclass string_view:
        string_view()
        string_view(const char* data, size_t size)

cdef extern from "word_piece.hpp" namespace "textpipe" nogil:
    cdef cppclass WordPieceModel:
        WordPieceModel(string prefix, uint32_t unknown, size_t most_chars) except +
        void add_piece(string_view piece, uint32_t id) except +
        void finish() except +
    cdef cppclass WordLevelModel:
        WordLevelModel(uint32_t unknown) except +
        void reserve(size_t words, size_t bytes) except +
        void add_piece(string_view piece, uint32_t id) except +

cdef extern from "bert_words.hpp" namespace "textpipe" nogil:
    cdef struct BertOptions:
        cbool clean_text, handle_chinese_chars, strip_accents, lowercase
    cdef cppclass BertWords:
        BertWords(BertOptions options, ModelPointer model) except +
    cdef cppclass BertStretchCut:
        BertStretchCut(cbool clean_text)


NO_ID = 0xFFFFFFFF  # stands for the unknown piece of a vocabulary without one


cdef inline string_view view_utf8(str text) except *:
    cdef Py_ssize_t size
    cdef const char* data
    try:
        data = PyUnicode_AsUTF8AndSize(text, &size)
    except UnicodeEncodeError:
        raise surrogate_error(text) from None
    return string_view(data, <size_t>size)


cdef class NativeWordPiece(NativeModel):
    """The longest pieces from the left; ``unknown`` is the id for a word without, or with more than ``most_chars``."""

    def __init__(self, dict vocab not None, *, str prefix not None, uint32_t unknown, size_t most_chars):
        cdef string inside
        assign_bytes(inside, prefix.encode())
        cdef shared_ptr[WordPieceModel] made = make_shared[WordPieceModel](inside, unknown, most_chars)
        for piece, number in vocab.items():
            made.get().add_piece(view_utf8(piece), number)
        made.get().finish()
        self.model = <ModelPointer>made


cdef class NativeWordLevel(NativeModel):
    """Whole words; ``unknown`` is the id for all others."""

    def __init__(self, dict vocab not None, *, uint32_t unknown):
        cdef shared_ptr[WordLevelModel] made = make_shared[WordLevelModel](unknown)
        made.get().reserve(len(vocab), sum(4 * len(piece) for piece in vocab))
        for piece, number in vocab.items():
            made.get().add_piece(view_utf8(piece), number)
        self.model = <ModelPointer>made


cdef class NativeBertWords(NativeModel):
    """A model behind the normalizer and the pre-tokenizer of BERT; words are stretches of raw text."""

    def __init__(self, NativeModel model not None, *, bint clean_text, bint handle_chinese_chars, bint strip_accents,
                 bint lowercase):
        cdef BertOptions options
        options.clean_text = clean_text
        options.handle_chinese_chars = handle_chinese_chars
        options.strip_accents = strip_accents
        options.lowercase = lowercase
        self.model = <ModelPointer>make_shared[BertWords](options, model.model)


def bert_stretches(bint clean_text):
    """The cut that goes with :class:`NativeBertWords`."""
    return cut_step(<CutPointer>make_shared[BertStretchCut](clean_text), f"bert stretches {clean_text}")
