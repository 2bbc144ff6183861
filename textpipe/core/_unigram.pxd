# What other extensions may use of _unigram.
from libcpp cimport bool as cbool
from libcpp.memory cimport shared_ptr

from textpipe.core._native cimport NativeModel

cdef extern from "<string_view>" namespace "std" nogil:
    cdef cppclass string_view:
        string_view(const char* data, size_t size)

cdef extern from "sentence_model.hpp" namespace "textpipe" nogil:
    cdef cppclass SentenceModel:
        SentenceModel(int kind, cbool byte_fallback) except +
        void add_piece(string_view text, float score, int kind) except +
        void finish() except +
    ctypedef SentenceModel ConstSentenceModel "const textpipe::SentenceModel"


cdef class NativeSentenceModel(NativeModel):
    cdef shared_ptr[ConstSentenceModel] sentences
