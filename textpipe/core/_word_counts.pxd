# What other extensions may use of _word_counts.
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libcpp cimport bool as cbool
from libcpp.memory cimport unique_ptr
from libcpp.vector cimport vector

from textpipe.core._native cimport RewritePointer, Step

cdef extern from "word_counts.hpp" namespace "textpipe" nogil:
    cdef cppclass Word:
        const uint8_t* data
        size_t size
        uint64_t count
    cdef cppclass CppWordCounts "textpipe::WordCounts":
        void add(const uint8_t* data, size_t size, uint64_t count) except +
        void merge(const CppWordCounts& other) except +
        vector[Word] sorted() except +
        size_t num_words()
        uint64_t num_occurrences()
        size_t num_bytes()
        size_t num_chars()
        uint64_t num_text_bytes()
        void scale(uint64_t factor) except +
        size_t memory()
        size_t memory_soon() except +
        vector[uint8_t] take(size_t index) except +
        void add_records(size_t index, const uint8_t* records, size_t size) except +
        void pack(size_t index)
        void pack()
        void clear()
        void stop()
    cdef cppclass Cutting:
        void add(Step step) except +
    cdef cppclass WordCut:
        vector[RewritePointer] normalization
        Cutting cutting
    cdef cppclass CppWordCounter "textpipe::WordCounter":
        CppWordCounter(CppWordCounts& counts, WordCut cut) except +
        void add_text(const uint8_t* text, size_t size) except +
        void add_lines(const uint8_t* text, size_t size) except +
        void add_word(const uint8_t* data, size_t size, const uint8_t* readable_end) except +
        void flush() except +


cdef const char* utf8(object text, Py_ssize_t* size) except NULL  # of a string; stays its own


cdef class WordCounts:
    cdef unique_ptr[CppWordCounts] counts
    cdef readonly bint byte_level
