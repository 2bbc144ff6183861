# distutils: language = c++
"""Lists of pairs from two rows of numbers: marshalling only.

What enters: where tokens begin and where they end. What leaves: the list of pairs that Python sees. Promises: a number
that is wanted often is one object, and the garbage collector never tracks the pairs.
"""

from cpython.object cimport PyObject
from cpython.long cimport PyLong_FromUnsignedLong
from libc.stdint cimport uint32_t

cdef extern from "Python.h":
    object PyList_New(Py_ssize_t size)
    void PyList_SET_ITEM(object holder, Py_ssize_t i, object item)
    object PyTuple_New(Py_ssize_t size)
    void PyTuple_SET_ITEM(object holder, Py_ssize_t i, object item)
    void PyObject_GC_UnTrack(object item)
    PyObject* PyList_GET_ITEM(object holder, Py_ssize_t i)
    void Py_INCREF(object item)

cdef list SMALL = list(range(4096))  # most texts are no longer: their places cost no numbers of their own


cdef inline object number_of(uint32_t value):
    return <object>PyList_GET_ITEM(SMALL, value) if value < 4096 else PyLong_FromUnsignedLong(value)


def place_list(const uint32_t[::1] begins not None, const uint32_t[::1] ends not None):
    """``list(zip(begins, ends))`` of the same length, as plain numbers."""
    cdef Py_ssize_t count = begins.shape[0], i
    if ends.shape[0] != count:
        raise ValueError(f"{count} beginnings and {ends.shape[0]} ends")
    cdef list made = PyList_New(count)
    cdef uint32_t last = 0
    cdef object begin, end = 0
    cdef tuple pair
    for i in range(count):
        begin = end if begins[i] == last else number_of(begins[i])
        last = ends[i]
        end = number_of(last)
        pair = PyTuple_New(2)
        Py_INCREF(begin)  # SET_ITEM takes over the reference it is given
        PyTuple_SET_ITEM(pair, 0, begin)
        Py_INCREF(end)
        PyTuple_SET_ITEM(pair, 1, end)
        PyObject_GC_UnTrack(pair)  # numbers refer to nothing: the collector would find out each time by itself
        Py_INCREF(pair)
        PyList_SET_ITEM(made, i, pair)
    return made
