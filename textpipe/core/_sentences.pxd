# What other extensions may use of _sentences.
from libc.stdint cimport uint8_t, uint64_t
from libcpp cimport bool as cbool
from libcpp.memory cimport unique_ptr
from libcpp.string cimport string
from libcpp.vector cimport vector

from textpipe.core._native cimport RewritePointer

cdef extern from "<string_view>" namespace "std" nogil:
    cdef cppclass string_view:
        string_view()
        string_view(const char* data, size_t size)

cdef extern from "sentences.hpp" namespace "textpipe" nogil:
    cdef cppclass SentenceSettings:
        cbool add_dummy_prefix, remove_extra_whitespaces, treat_whitespace_as_suffix
        vector[string] reserved
        vector[RewritePointer] normalization
    cdef cppclass CppSentenceList "textpipe::SentenceList":
        CppSentenceList(SentenceSettings settings) except +
        void add(string_view text, uint64_t count) except +
        void drop_empty()
        size_t size()
        size_t num_bytes()
        size_t memory()
        void clear()
        void add_lines(string_view text, size_t max_bytes) except +


cdef class Sentences:
    cdef unique_ptr[CppSentenceList] sentences
    cdef tuple normalization
