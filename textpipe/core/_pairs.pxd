# Pairs of pieces as a reader of files hands them to a model.
from libcpp.string cimport string

cdef extern from "<string_view>" namespace "std" nogil:
    cdef cppclass string_view:
        string_view()
        string_view(const char* data, size_t size)
        const char* data()
        size_t size()

cdef extern from "pair_list.hpp" namespace "textpipe" nogil:
    cdef cppclass CppPairList "textpipe::PairList":
        void add(string_view left, string_view right) except +
        size_t size()
        string_view left(size_t rank)
        string_view right(size_t rank)


cdef class PairList:
    cdef CppPairList pairs
