# distutils: language = c++
"""The native tables of a BPE model by ranks: marshalling only.

What enters: byte strings with their ranks. What leaves: a native model. Also many byte strings at once in the printable
alphabet of byte-level vocabularies, and out of a file.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libcpp cimport bool as cbool
from libcpp.memory cimport make_shared, shared_ptr
from libcpp.vector cimport vector

from textpipe.core._native cimport ModelPointer, NativeModel

from textpipe.core.byte_alphabet import CHARACTER_OF
from textpipe.errors import InputError, LimitError

cdef extern from "Python.h":
    object PyUnicode_FromKindAndData(int kind, const void* data, Py_ssize_t size)

cdef extern from "<string_view>" namespace "std" nogil:
    cdef cppclass string_view:
        string_view()
        string_view(const char* data, size_t size)

cdef extern from "rank_model.hpp" namespace "textpipe" nogil:
    cdef cppclass RankModel:
        RankModel() except +
        void reserve(size_t pieces) except +
        void add_piece(uint32_t id, string_view data) except +
        void expect(string_view data)
        cbool has_byte(uint8_t value)

cdef uint16_t[256] CHARACTERS
for number, character in enumerate(CHARACTER_OF):
    CHARACTERS[number] = ord(character)


def to_characters_each(list pieces):
    """The printable form of each of many byte strings."""
    cdef vector[uint16_t] buffer
    cdef bytes piece
    cdef Py_ssize_t i, size
    cdef const uint8_t* data
    made = []
    for piece in pieces:
        size = len(piece)
        data = piece
        buffer.resize(max(size, 1))
        for i in range(size):
            buffer[i] = CHARACTERS[data[i]]
        made.append(PyUnicode_FromKindAndData(2, buffer.data(), size))
    return made


cdef size_t AHEAD = 8  # pieces, whose memory is asked for while others are looked up

cdef uint8_t[256] SIXTETS  # of the characters of base64; 64 of all others
for number in range(256):
    SIXTETS[number] = 64
for number, character in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):
    SIXTETS[ord(character)] = number


cdef Py_ssize_t decode_base64(const uint8_t* text, Py_ssize_t size, char* to) noexcept:
    """Write the bytes; returns how many, -1 where it is not plain base64."""
    cdef Py_ssize_t i, pads = 0
    cdef char* begin = to
    cdef uint32_t bits
    if size == 0 or size % 4 != 0:
        return -1
    if text[size - 1] == 61:  # =
        pads = 2 if text[size - 2] == 61 else 1
    for i in range(0, size - 4 if pads else size, 4):
        if (SIXTETS[text[i]] | SIXTETS[text[i + 1]] | SIXTETS[text[i + 2]] | SIXTETS[text[i + 3]]) & 64:
            return -1
        bits = (SIXTETS[text[i]] << 18 | SIXTETS[text[i + 1]] << 12 | SIXTETS[text[i + 2]] << 6 | SIXTETS[text[i + 3]])
        to[0], to[1], to[2] = <char>(bits >> 16), <char>(bits >> 8), <char>bits
        to += 3
    if pads:
        text += size - 4
        if (SIXTETS[text[0]] | SIXTETS[text[1]]) & 64 or (pads == 1 and SIXTETS[text[2]] & 64):
            return -1
        to[0] = <char>(SIXTETS[text[0]] << 2 | SIXTETS[text[1]] >> 4)
        if pads == 1:
            to[1] = <char>(SIXTETS[text[1]] << 4 | SIXTETS[text[2]] >> 2)
        to += 3 - pads
    return to - begin


def plain_ranks(bytes data not None, *, size_t piece_bytes, uint32_t rank_end):
    """Byte string → rank of a file of lines of base64, one space and a rank; None where it is any other file.

    That is also one with a piece of more than ``piece_bytes`` or none, with a rank of ``rank_end`` or more, or with a
    piece that stands twice.
    """
    cdef const uint8_t* p = data
    cdef const uint8_t* end = p + len(data)
    cdef const uint8_t* begin
    cdef uint32_t rank
    cdef Py_ssize_t size, count = 0
    cdef vector[char] piece
    cdef dict found = {}
    piece.resize(piece_bytes + 3)
    while p < end:
        begin = p
        while p < end and p[0] > 32:  # what lies behind bytes is a zero
            p += 1
        if p[0] != 32 or <size_t>(p - begin) > piece_bytes // 3 * 4 + 4:
            return None
        size = decode_base64(begin, p - begin, piece.data())
        if size <= 0 or <size_t>size > piece_bytes:
            return None
        p += 1
        begin = p
        rank = 0
        while 48 <= p[0] <= 57 and p - begin < 9:
            rank = rank * 10 + p[0] - 48
            p += 1
        if p == begin or rank >= rank_end or (p < end and p[0] != 10):
            return None
        p += 1  # a last line may go without its end
        found[PyBytes_FromStringAndSize(piece.data(), size)] = rank
        count += 1
    return found if len(found) == count else None


cdef inline string_view view_bytes(bytes data) except *:
    return string_view(<const char*>data, <size_t>len(data))


cdef class NativeRankBpe(NativeModel):
    """BPE by ranks: ``ranks`` maps byte strings, in the order of their ranks, to ids below 2**24.

    Raises
    ------
    InputError
        when a single byte has no rank.
    LimitError
        when the squares of the pieces' sizes sum up to more than ``max_work``, by which the time to take them apart is
        bounded.
    """

    def __init__(self, dict ranks, *, size_t max_work):
        cdef shared_ptr[RankModel] made = make_shared[RankModel]()
        cdef RankModel* model = made.get()
        cdef list pieces = list(ranks), numbers = list(ranks.values())
        cdef size_t work = 0, size, i, count = len(pieces)
        cdef bytes piece
        model.reserve(count)
        for i in range(count):
            if i + AHEAD < count:
                model.expect(view_bytes(pieces[i + AHEAD]))
            piece = pieces[i]
            size = len(piece)
            work += size * size
            if work > max_work:
                raise LimitError(
                    f"pieces as long as {max(map(len, ranks))} bytes",
                    allowed=f"squares of sizes that sum to {max_work}")
            model.add_piece(numbers[i], view_bytes(piece))
        for byte in range(256):
            if not model.has_byte(byte):
                raise InputError(f"the byte 0x{byte:02X} has no rank", allowed="every one of the 256 has one")
        self.model = <ModelPointer>made
