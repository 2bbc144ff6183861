# distutils: language = c++
"""Lists from rows of numbers: marshalling only.

What enters: ids, or all that is known of the tokens of texts: ids, where tokens begin and end, the numbers of their
words. What leaves: one small value a text, and from it the lists of numbers, of pieces or of pairs that Python sees.
Promises: a number that is wanted often is one object, and the garbage collector never tracks the pairs.
"""

from cpython.buffer cimport PyBUF_ND, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.long cimport PyLong_FromUnsignedLong
from libc.stdint cimport int64_t, uint16_t, uint32_t
from libc.string cimport memcpy

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


cdef list places_of(Number* begins, Number* ends, Py_ssize_t count):
    cdef list made = PyList_New(count)
    cdef uint32_t last = 0
    cdef object begin, end = 0
    cdef tuple pair
    cdef Py_ssize_t i
    cdef int was_enabled = PyGC_Disable()  # it would look through thousands of new pairs again and again
    try:
        for i in range(count):
            begin = end if begins[i] == last else number_of(begins[i])
            last = ends[i]
            end = number_of(last)
            pair = PyTuple_New(2)
            Py_INCREF(begin)
            PyTuple_SET_ITEM(pair, 0, begin)
            Py_INCREF(end)
            PyTuple_SET_ITEM(pair, 1, end)
            PyObject_GC_UnTrack(pair)  # numbers refer to nothing: the collector would find out each time by itself
            Py_INCREF(pair)
            PyList_SET_ITEM(made, i, pair)
    finally:
        if was_enabled:
            PyGC_Enable()
    return made


def number_list(numbers not None) -> list:
    """``numbers.tolist()`` of an array of uint16 or uint32."""
    cdef Py_buffer view
    PyObject_GetBuffer(numbers, &view, PyBUF_ND)
    try:
        if view.ndim != 1 or view.itemsize not in (2, 4):
            raise ValueError(f"{type(numbers).__name__} is no row of numbers of two or four bytes")
        if view.itemsize == 2:
            return numbers_of(<const uint16_t*>view.buf, view.shape[0])
        return numbers_of(<const uint32_t*>view.buf, view.shape[0])
    finally:
        PyBuffer_Release(&view)


cdef enum Row:
    ID, BEGIN, END, WORD, NUM_ROWS


cdef class TokenRows:
    """The ids of a text's tokens, the characters they begin and end at, and the numbers of their words.

    Made by :func:`token_rows`; numbers below 65,536 take two bytes each.
    """

    cdef bytes held
    cdef bint narrow
    cdef readonly Py_ssize_t num_tokens

    cdef inline const uint16_t* two(self, Row row) noexcept:
        return <const uint16_t*>PyBytes_AS_STRING(self.held) + row * self.num_tokens

    cdef inline const uint32_t* four(self, Row row) noexcept:
        return <const uint32_t*>PyBytes_AS_STRING(self.held) + row * self.num_tokens

    cdef list numbers(self, Row row):
        if self.narrow:
            return numbers_of(self.two(row), self.num_tokens)
        return numbers_of(self.four(row), self.num_tokens)

    def ids(self) -> list:
        """The ids."""
        return self.numbers(ID)

    def words(self) -> list:
        """The numbers of the tokens' words."""
        return self.numbers(WORD)

    def places(self) -> list:
        """The pairs of beginnings and ends."""
        if self.narrow:
            return places_of(self.two(BEGIN), self.two(END), self.num_tokens)
        return places_of(self.four(BEGIN), self.four(END), self.num_tokens)

    def pieces(self, dict pieces not None) -> tuple:
        """The piece of each id, and the numbers of the tokens whose piece is None."""
        cdef list left = []
        if self.narrow:
            return pieces_of(self.two(ID), self.num_tokens, pieces, left), left
        return pieces_of(self.four(ID), self.num_tokens, pieces, left), left

    def has_id(self, uint32_t number) -> bool:
        """Whether a token has this id."""
        cdef Py_ssize_t i
        for i in range(self.num_tokens):
            if (self.two(ID)[i] if self.narrow else self.four(ID)[i]) == number:
                return True
        return False


cdef TokenRows rows_between(const uint32_t[:, ::1] rows, Py_ssize_t begin, Py_ssize_t end):
    cdef TokenRows made = TokenRows.__new__(TokenRows)
    cdef Py_ssize_t row, i, count = end - begin
    cdef uint32_t most = 0
    cdef const uint32_t* values
    cdef uint16_t* narrow
    made.num_tokens = count
    for row in range(NUM_ROWS if count else 0):
        values = &rows[row, begin]
        for i in range(count):
            most |= values[i]
    made.narrow = most < 1 << 16
    made.held = PyBytes_FromStringAndSize(NULL, NUM_ROWS * count * (2 if made.narrow else 4))
    for row in range(NUM_ROWS if count else 0):
        values = &rows[row, begin]
        if made.narrow:
            narrow = <uint16_t*>PyBytes_AS_STRING(made.held) + row * count
            for i in range(count):
                narrow[i] = <uint16_t>values[i]
        else:
            memcpy(PyBytes_AS_STRING(made.held) + row * count * 4, values, count * 4)
    return made


def token_rows(const uint32_t[:, ::1] rows not None, const int64_t[::1] offsets not None) -> list:
    """For each text the rows (4, num_ids) of its tokens, which are those from ``offsets[n]`` to ``offsets[n + 1]``."""
    cdef Py_ssize_t i
    cdef int64_t last = 0
    if rows.shape[0] != NUM_ROWS:
        raise ValueError(f"{rows.shape[0]} rows, not {NUM_ROWS}")
    for i in range(offsets.shape[0]):
        if not last <= offsets[i] <= rows.shape[1]:
            raise ValueError(f"offset {i} is {offsets[i]}, in rows of {rows.shape[1]} after {last}")
        last = offsets[i]
    return [rows_between(rows, offsets[i], offsets[i + 1]) for i in range(offsets.shape[0] - 1)]
