# distutils: language = c++
"""The native tables of a BPE model by ranks: marshalling only.

What enters: byte strings with their ranks. What leaves: a native model. Also many byte strings at once to and from the
printable alphabet of byte-level vocabularies.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libcpp cimport bool as cbool
from libcpp.memory cimport make_shared, shared_ptr
from libcpp.vector cimport vector

from textpipe.core._native cimport ModelPointer, NativeModel, Token

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
        cppclass Split:
            uint32_t left, right, id
        RankModel() except +
        void reserve(size_t pieces) except +
        void add_piece(uint32_t id, string_view data) except +
        void add_splits(uint32_t id, string_view data, vector[Split]& splits) except +
        void finish(const vector[Split]& splits) except +
        const vector[Split]& splits()
        cbool has_byte(uint8_t value)

cdef extern from "model.hpp" namespace "textpipe" nogil:
    vector[Token] tokens_of(const ModelPointer& model, string_view word, uint64_t seed) except +

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


cdef inline string_view view_bytes(bytes data) except *:
    return string_view(<const char*>data, <size_t>len(data))


cdef class NativeRankBpe(NativeModel):
    """BPE by ranks: ``ranks`` maps byte strings, in the order of their ranks, to ids below 2**24.

    Raises
    ------
    InputError
        when a single byte has no rank.
    LimitError
        when the squares of the pieces' sizes sum up to more than ``max_work``, by which the time to build is bounded.
    """

    cdef shared_ptr[RankModel] made

    def __init__(self, dict ranks, *, size_t max_work):
        self.made = make_shared[RankModel]()
        cdef RankModel* model = self.made.get()
        cdef vector[RankModel.Split] splits
        cdef size_t work = 0, size
        cdef bytes piece
        model.reserve(len(ranks))
        for piece, number in ranks.items():
            size = len(piece)
            work += size * size
            if work > max_work:
                raise LimitError(
                    f"pieces as long as {max(map(len, ranks))} bytes",
                    allowed=f"squares of sizes that sum to {max_work}")
            model.add_piece(number, view_bytes(piece))
        for byte in range(256):
            if not model.has_byte(byte):
                raise InputError(f"the byte 0x{byte:02X} has no rank", allowed="every one of the 256 has one")
        for piece, number in ranks.items():
            model.add_splits(number, view_bytes(piece), splits)
        model.finish(splits)
        self.model = <ModelPointer>self.made

    def tokenize_bytes(self, bytes word not None):
        """The ids of one word of bytes."""
        return [token.id for token in tokens_of(self.model, view_bytes(word), 0)]

    def splits(self):
        """(left, right, whole) by id for every cut of a piece into two pieces, in the order of the whole's id."""
        cdef vector[RankModel.Split] found = self.made.get().splits()
        return [(split.left, split.right, split.id) for split in found]
