# distutils: language = c++
"""Lists from rows of numbers: marshalling only.

What enters: ids, numbers of words, or where tokens begin and where they end. What leaves: the lists of numbers, of
pieces or of pairs that Python sees, of one text or of several at once. Promises: a number that is wanted often is one
object, and the garbage collector never tracks the pairs.
"""

from cpython.buffer cimport PyBUF_ND, PyBuffer_Release, PyObject_GetBuffer
from cpython.object cimport PyObject
from cpython.long cimport PyLong_FromUnsignedLong
from libc.stdint cimport int64_t, uint16_t, uint32_t

cdef extern from "Python.h":
    object PyList_New(Py_ssize_t size)
    void PyList_SET_ITEM(object holder, Py_ssize_t i, object item)
    object PyTuple_New(Py_ssize_t size)
    void PyTuple_SET_ITEM(object holder, Py_ssize_t i, object item)
    void PyObject_GC_UnTrack(object item)
    int PyGC_Disable()
    int PyGC_Enable()
    PyObject* PyList_GET_ITEM(object holder, Py_ssize_t i)
    void Py_INCREF(object item)

cdef list NUMBERS = list(range(1 << 16))  # most ids and places: they cost no numbers of their own


cdef inline object number_of(uint32_t value):
    return <object>PyList_GET_ITEM(NUMBERS, value) if value < 1 << 16 else PyLong_FromUnsignedLong(value)


ctypedef fused Number:
    const uint16_t
    const uint32_t


cdef list numbers_of(Number* values, Py_ssize_t count):
    cdef list made = PyList_New(count)
    cdef object number
    cdef Py_ssize_t i
    for i in range(count):
        number = number_of(values[i])
        Py_INCREF(number)  # SET_ITEM takes over the reference it is given
        PyList_SET_ITEM(made, i, number)
    return made


cdef list pieces_of(Number* values, Py_ssize_t count, dict pieces, list left):
    cdef list made = PyList_New(count)
    cdef object piece
    cdef Py_ssize_t i
    for i in range(count):
        piece = pieces[number_of(values[i])]
        if piece is None:
            left.append(i)
        Py_INCREF(piece)
        PyList_SET_ITEM(made, i, piece)
    return made


cdef int take_row(object numbers, Py_buffer* view) except -1:
    """A row of uint16 or uint32; to be released."""
    PyObject_GetBuffer(numbers, view, PyBUF_ND)
    if view.ndim == 1 and view.itemsize in (2, 4):
        return 0
    PyBuffer_Release(view)
    raise ValueError(f"{type(numbers).__name__} is no row of numbers of two or four bytes")


def number_list(numbers not None) -> list:
    """``numbers.tolist()`` of an array of uint16 or uint32."""
    cdef Py_buffer view
    take_row(numbers, &view)
    try:
        if view.itemsize == 2:
            return numbers_of(<const uint16_t*>view.buf, view.shape[0])
        return numbers_of(<const uint32_t*>view.buf, view.shape[0])
    finally:
        PyBuffer_Release(&view)


def piece_list(ids not None, dict pieces not None) -> tuple:
    """The piece of each id of an array of uint16 or uint32, and the places in it whose piece is None."""
    cdef Py_buffer view
    cdef list left = []
    take_row(ids, &view)
    try:
        if view.itemsize == 2:
            return pieces_of(<const uint16_t*>view.buf, view.shape[0], pieces, left), left
        return pieces_of(<const uint32_t*>view.buf, view.shape[0], pieces, left), left
    finally:
        PyBuffer_Release(&view)


cdef int check_offsets(const int64_t[::1] offsets, Py_ssize_t count) except -1:
    """Refuse what does not cut a row of so many into parts."""
    cdef Py_ssize_t i
    cdef int64_t last = 0
    for i in range(offsets.shape[0]):
        if not last <= offsets[i] <= count:
            raise ValueError(f"offset {i} is {offsets[i]}, in a row of {count} after {last}")
        last = offsets[i]
    return 0


def number_lists(const uint32_t[::1] numbers not None, const int64_t[::1] offsets not None) -> list:
    """``[numbers[begin:end].tolist() for begin, end in pairwise(offsets)]``."""
    check_offsets(offsets, numbers.shape[0])
    cdef const uint32_t* row = &numbers[0] if numbers.shape[0] else NULL
    cdef Py_ssize_t i
    return [numbers_of(row + offsets[i], offsets[i + 1] - offsets[i]) for i in range(offsets.shape[0] - 1)]


cdef list places_of(const uint32_t* begins, const uint32_t* ends, Py_ssize_t count):
    cdef list made = PyList_New(count)
    cdef uint32_t last = 0
    cdef object begin, end = 0
    cdef tuple pair
    cdef Py_ssize_t i
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


def place_lists(const uint32_t[::1] begins not None, const uint32_t[::1] ends not None,
                const int64_t[::1] offsets not None) -> list:
    """The same of ``list(zip(begins, ends))``, as plain numbers."""
    cdef Py_ssize_t count = begins.shape[0], i
    if ends.shape[0] != count:
        raise ValueError(f"{count} beginnings and {ends.shape[0]} ends")
    check_offsets(offsets, count)
    cdef const uint32_t* first = &begins[0] if count else NULL
    cdef const uint32_t* last = &ends[0] if count else NULL
    cdef int was_enabled = PyGC_Disable()  # it would look through thousands of new pairs again and again
    try:
        return [places_of(first + offsets[i], last + offsets[i], offsets[i + 1] - offsets[i])
                for i in range(offsets.shape[0] - 1)]
    finally:
        if was_enabled:
            PyGC_Enable()
