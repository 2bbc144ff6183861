# distutils: language = c++
"""Pairs of strings in a row, without a Python object for each: marshalling only.

What enters: pairs, or a part of a JSON text. What leaves: a sequence of pairs that a model resolves natively.
"""

from cpython.unicode cimport PyUnicode_AsUTF8AndSize

from textpipe.core._text import surrogate_error
from textpipe.errors import InputError


cdef string_view view_utf8(str text) except *:
    cdef Py_ssize_t size
    cdef const char* data
    try:
        data = PyUnicode_AsUTF8AndSize(text, &size)
    except UnicodeEncodeError:
        raise surrogate_error(text) from None
    return string_view(data, <size_t>size)


cdef class PairList:
    """A row of pairs of strings.

    Parameters
    ----------
    pairs : any pairs, another PairList included.

    Raises
    ------
    InputError
        with the number of what is no pair of strings.
    """

    def __init__(self, pairs=()):
        cdef str left, right
        for pair in pairs:
            try:
                left, right = pair
            except (TypeError, ValueError):
                left = right = None
            if left is None or right is None:
                raise InputError(f"merge {self.pairs.size()} is {pair!r:.60}", allowed="a pair of strings")
            self.pairs.add(view_utf8(left), view_utf8(right))

    def __len__(self):
        return self.pairs.size()

    def __iter__(self):
        cdef string_view left, right
        cdef size_t rank
        for rank in range(self.pairs.size()):
            left = self.pairs.left(rank)
            right = self.pairs.right(rank)
            yield left.data()[:left.size()].decode(), right.data()[:right.size()].decode()
