# distutils: language = c++
"""The native tables of a BPE model: marshalling only.

What enters: a vocabulary and its merges. What leaves: a native model.
"""

from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint32_t
from libcpp cimport bool as cbool
from libcpp.memory cimport make_shared, shared_ptr
from libcpp.string cimport string

from textpipe.core._native cimport ModelPointer, NativeModel
from textpipe.core._text import surrogate_error

cdef extern from "<string_view>" namespace "std" nogil:
    cdef cppclass string_view:
        string_view()
        string_view(const char* data, size_t size)

cdef extern from "bpe_model.hpp" namespace "textpipe" nogil:
    cdef cppclass BpeOptions:
        string unk_token, prefix, suffix
        cbool has_unk, fuse_unk, byte_fallback, ignore_merges
        float dropout
    cdef cppclass BpeModel:
        BpeModel(BpeOptions options) except +
        void reserve(size_t pieces, size_t merges) except +
        void add_piece(uint32_t id, string_view piece) except +
        void add_merge(uint32_t left, uint32_t right, uint32_t id) except +
        void finish(cbool byte_level) except +
        cbool complete()

cdef inline string_view view_utf8(str text) except *:
    cdef Py_ssize_t size
    cdef const char* data
    try:
        data = PyUnicode_AsUTF8AndSize(text, &size)
    except UnicodeEncodeError:
        raise surrogate_error(text) from None
    return string_view(data, <size_t>size)


cdef class NativeBpe(NativeModel):
    """Byte-pair encoding: pieces and merges as native tables.

    ``merges`` are pairs of pieces in rank order, each piece and each result in ``vocab``; ids are below 2**24.
    ``complete`` says whether every byte has a piece, so that a byte-level model loses nothing.
    """

    cdef readonly bint complete

    def __init__(self, dict vocab, list merges, *, bint byte_level, str unk_token=None, str prefix=None,
                 str suffix=None, bint fuse_unk=False, bint byte_fallback=False, bint ignore_merges=False,
                 dropout=None):
        cdef BpeOptions options
        if unk_token is not None:
            options.has_unk = True
            options.unk_token = unk_token.encode()
        options.prefix = (prefix or "").encode()
        options.suffix = (suffix or "").encode()
        options.fuse_unk = fuse_unk
        options.byte_fallback = byte_fallback
        options.ignore_merges = ignore_merges
        options.dropout = dropout or 0.0
        cdef shared_ptr[BpeModel] made = make_shared[BpeModel](options)
        cdef BpeModel* model = made.get()
        model.reserve(len(vocab), len(merges))
        cdef str piece, left, right
        for piece, number in vocab.items():
            model.add_piece(number, view_utf8(piece))
        cdef Py_ssize_t cut = len(prefix or "")
        for left, right in merges:
            model.add_merge(vocab[left], vocab[right], vocab[left + (right[cut:] if cut else right)])
        model.finish(byte_level)
        self.complete = model.complete()
        self.model = <ModelPointer>made
