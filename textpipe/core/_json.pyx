# distutils: language = c++
"""JSON text to Python values, with every fault placed: marshalling only.

What enters: bytes. What leaves: dicts, lists, strings, numbers; merges, hundreds of thousands of them, without a
Python object for each. Promises: valid UTF-8, RFC 8259 to the letter, no key twice in an object, no half of a
surrogate pair, no nesting deeper than told.
"""

from cpython.dict cimport PyDict_SetItem, PyDict_Size
from cpython.exc cimport PyErr_CheckSignals
from cpython.list cimport PyList_Append
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libcpp cimport bool as cbool
from libcpp.string cimport string

from textpipe.core._pairs cimport CppPairList, PairList

from textpipe.errors import FormatError
from textpipe.files.reading import decode_text

cdef extern from "Python.h":
    object PyUnicode_DecodeUTF8(const char* text, Py_ssize_t size, const char* errors)

cdef extern from "utf8.hpp" namespace "textpipe" nogil:
    cbool is_valid_utf8(const uint8_t* p, size_t size)

cdef extern from "json_text.hpp" namespace "textpipe::json" nogil:
    cdef enum class Escape:
        good, wrong, lone_surrogate
    const uint8_t* skip_space(const uint8_t* p, const uint8_t* end)
    const uint8_t* string_end(const uint8_t* p, const uint8_t* end, cbool& escaped)
    Escape unescape(const uint8_t*& at, const uint8_t* end, string& out) except +
    const uint8_t* number_end(const uint8_t* p, const uint8_t* end, cbool& whole)

cdef extern from "json_pairs.hpp" namespace "textpipe::json" nogil:
    cbool take_pairs(const uint8_t*& at, const uint8_t* end, CppPairList& out) except +

cdef class Parser:
    """One text on its way to a value."""

    cdef const uint8_t* begin
    cdef const uint8_t* at
    cdef const uint8_t* end
    cdef int room, most  # how many levels more, and in all
    cdef str path, pairs_key
    cdef list names  # of the fields down to here, kept only to say where a fault is
    cdef string buffer
    cdef uint32_t turn

    cdef object broken(self, str what):
        raise FormatError(f"not JSON: {what}", path=self.path, offset=self.at - self.begin, hint="is the file whole?")

    cdef object value(self):
        self.at = skip_space(self.at, self.end)
        if self.at == self.end:
            return self.broken("it ends where a value should stand")
        cdef uint8_t c = self.at[0]
        if c == b'"':
            return self.text()
        if c == b"{":
            return self.table()
        if c == b"[":
            return self.array()
        return self.number() if c <= b"9" else self.word()

    cdef object word(self):
        for word, meaning in ((b"null", None), (b"true", True), (b"false", False)):
            if self.at[:min(5, self.end - self.at)].startswith(word):
                self.at += len(word)
                return meaning
        return self.broken("no value")

    cdef object number(self):
        cdef cbool whole = False
        cdef const uint8_t* stop = number_end(self.at, self.end, whole)
        cdef const uint8_t* p = self.at
        cdef int64_t small = 0
        if stop == NULL:
            return self.broken("no value")
        if whole and p[0] != b"-" and stop - p <= 18:
            while p < stop:
                small = small * 10 + (p[0] - <uint8_t>b"0")
                p += 1
            self.at = stop
            return small
        cdef bytes digits = self.at[:stop - self.at]
        try:
            made = int(digits) if whole else float(digits)
        except ValueError as error:  # a number of thousands of digits
            place = self.at - self.begin
            raise FormatError(f"not JSON that can be used: {error}", path=self.path, offset=place) from None
        self.at = stop
        return made

    cdef object text(self):
        """The string whose opening quote is here."""
        cdef cbool escaped = False
        cdef const uint8_t* first = self.at + 1
        cdef const uint8_t* stop = string_end(first, self.end, escaped)
        if stop == self.end or stop[0] != b'"':
            self.at = stop
            return self.broken("a string does not end" if stop == self.end else "a control character in a string")
        self.at = stop + 1
        return self.decode(first, stop, escaped)

    cdef object decode(self, const uint8_t* first, const uint8_t* stop, cbool escaped):
        cdef const uint8_t* place = first
        if not escaped:
            return PyUnicode_DecodeUTF8(<const char*>first, stop - first, "strict")
        cdef Escape outcome = unescape(place, stop, self.buffer)
        if outcome == Escape.wrong:
            self.at = place
            return self.broken("a wrong escape")
        if outcome == Escape.lone_surrogate:
            shown = first[:min(40, stop - first)].decode("utf-8", "replace")
            if self.names is None:
                raise NamesNeeded
            raise FormatError(f'holds a lone surrogate in "{shown}"', path=self.path, field=self.field())
        return PyUnicode_DecodeUTF8(self.buffer.data(), self.buffer.size(), "strict")

    cdef object field(self):
        shown = ""
        for name in self.names:
            if name is not None:  # a key that is the fault itself has no name yet
                shown += f"[{name}]" if isinstance(name, int) else f".{name}" if shown else name
        return shown or None

    cdef int deeper(self) except? -1:
        self.room -= 1
        if self.room < 0:
            raise FormatError(
                f"nested deeper than {self.most} levels", path=self.path, offset=self.at - self.begin)
        self.at = skip_space(self.at + 1, self.end)
        if self.names is not None:
            self.names.append(None)

    cdef int shallower(self) except? -1:
        self.at += 1
        self.room += 1
        if self.names is not None:
            self.names.pop()

    cdef cbool goes_on(self, uint8_t closing) except? True:
        """After a part: whether another follows, or the end is here."""
        self.turn += 1
        if self.turn & 0xFFFFF == 0:
            PyErr_CheckSignals()
        self.at = skip_space(self.at, self.end)
        if self.at < self.end and self.at[0] == b",":
            self.at = skip_space(self.at + 1, self.end)
            return True
        if self.at == self.end or self.at[0] != closing:
            self.broken(f'no comma and no "{chr(closing)}" after a value')
        return False

    cdef object table(self):
        cdef dict made = {}
        cdef Py_ssize_t size = 0
        self.deeper()
        if self.at < self.end and self.at[0] == b"}":
            self.shallower()
            return made
        while True:
            if self.at == self.end or self.at[0] != b'"':
                return self.broken("no key")
            key = self.text()
            if self.names is not None:
                self.names[-1] = key
            self.at = skip_space(self.at, self.end)
            if self.at == self.end or self.at[0] != b":":
                return self.broken("no colon after a key")
            self.at += 1
            pairs = self.pairs() if key == self.pairs_key else None
            PyDict_SetItem(made, key, self.value() if pairs is None else pairs)
            size += 1
            if PyDict_Size(made) != size:
                raise FormatError("a key stands twice in one object", path=self.path, field=repr(key))
            if not self.goes_on(b"}"):
                break
        self.shallower()
        return made

    cdef object array(self):
        cdef list made = []
        self.deeper()
        if self.at < self.end and self.at[0] == b"]":
            self.shallower()
            return made
        while True:
            if self.names is not None:
                self.names[-1] = len(made)
            PyList_Append(made, self.value())
            if not self.goes_on(b"]"):
                break
        self.shallower()
        return made

    cdef object pairs(self):
        """An array of pairs; None when it is anything else."""
        cdef PairList made = PairList.__new__(PairList)
        return made if self.room >= 2 and take_pairs(self.at, self.end, made.pairs) else None


class NamesNeeded(Exception):
    """The text is to be read again, with an eye on where it is, to say which field is wrong."""


def parse(bytes data not None, *, str path, int depth, str pairs=None):
    """The value of a JSON text; ``path`` names it in messages.

    Under the key ``pairs`` an array of pairs, as merges are, is a PairList.

    Raises
    ------
    FormatError
        with the byte where the text stops being JSON, or the field that holds what no text can.
    """
    if not is_valid_utf8(data, len(data)):
        decode_text(data, path)
    try:
        return read_through(data, path, depth, pairs, None)
    except NamesNeeded:
        return read_through(data, path, depth, None, [])


cdef object read_through(bytes data, str path, int depth, str pairs, list names):
    cdef Parser parser = Parser.__new__(Parser)
    parser.begin = data
    parser.at = parser.begin + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
    parser.end = parser.begin + len(data)
    parser.room = parser.most = depth
    parser.path = path
    parser.names = names
    parser.pairs_key = pairs
    value = parser.value()
    parser.at = skip_space(parser.at, parser.end)
    if parser.at != parser.end:
        parser.broken("something follows the value")
    return value
