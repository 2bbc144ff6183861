# What models that draw lots draw by, for the extensions that hand it on.
from libc.stdint cimport uint64_t
from libcpp cimport bool as cbool

cdef extern from "lots.hpp" namespace "textpipe" nogil:
    cdef struct Lots:
        uint64_t seed
        cbool by_number


cdef inline Lots lots_of(object row) except *:
    """A seed, and whether the number of a text counts too."""
    cdef Lots lots
    lots.seed, lots.by_number = row
    return lots
