# distutils: language = c++
"""The native tables of a BPE model: marshalling only.

What enters: a vocabulary and its merges. What leaves: a native model.
"""

from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint32_t
from libcpp cimport bool as cbool
from libcpp.memory cimport make_shared, shared_ptr
from libcpp.string cimport string
from libcpp.unordered_set cimport unordered_set
from libcpp.vector cimport vector

from textpipe.core._native cimport ModelPointer, NativeModel
from textpipe.core._pairs cimport CppPairList, PairList, string_view
from textpipe.core._strings cimport assign_bytes
from textpipe.core._text import surrogate_error
from textpipe.errors import InputError

cdef extern from "bpe_model.hpp" namespace "textpipe" nogil:
    cdef cppclass BpeOptions:
        string unk_token, prefix, suffix
        cbool has_unk, fuse_unk, byte_fallback, ignore_merges
    cdef cppclass BpeModel:
        BpeModel(BpeOptions options) except +
        void reserve(size_t pieces, size_t merges) except +
        void add_piece(uint32_t id, string_view piece) except +
        void add_merge(uint32_t left, uint32_t right, uint32_t id) except +
        void finish(cbool byte_level) except +
        cbool complete()
    cdef cppclass DroppingBpe:
        DroppingBpe(shared_ptr[BpeModel] tables, double dropout) except +

cdef extern from "merge_resolution.hpp" namespace "textpipe" nogil:
    cdef cppclass Merge "textpipe::MergeTable::Merge":
        uint32_t left, right, id
    cdef cppclass PieceIndex:
        void reserve(size_t count) except +
        void add(uint32_t id, string_view piece) except +
        size_t resolve(const CppPairList& pairs, size_t cut, vector[Merge]& merges, string& missing) except +

cdef inline string_view view_utf8(str text) except *:
    cdef Py_ssize_t size
    cdef const char* data
    try:
        data = PyUnicode_AsUTF8AndSize(text, &size)
    except UnicodeEncodeError:
        raise surrogate_error(text) from None
    return string_view(data, <size_t>size)


cdef class MergeIds:
    """Merges by the ids of their pieces, in the order of their ranks.

    ``cut`` is how many characters of a right piece, its prefix, are not in what the two make.

    Raises
    ------
    InputError
        when a merge needs a piece that ``vocab`` lacks.
    """

    cdef vector[Merge] merges

    def __init__(self, dict vocab, PairList pairs not None, *, size_t cut):
        cdef PieceIndex index
        cdef str piece
        cdef string missing
        cdef size_t rank
        index.reserve(len(vocab))
        for piece, number in vocab.items():
            index.add(number, view_utf8(piece))
        rank = index.resolve(pairs.pairs, cut, self.merges, missing)
        if rank < pairs.pairs.size():
            left, right = (
                part.data()[:part.size()].decode() for part in (pairs.pairs.left(rank), pairs.pairs.right(rank)))
            raise InputError(
                f'merge {rank} ("{left}" + "{right}") needs the piece "{missing.decode()}", which the vocabulary lacks')

    def __len__(self):
        return self.merges.size()

    def made(self, ids not None):
        """Those of some ids that a merge makes."""
        cdef unordered_set[uint32_t] wanted = ids
        cdef unordered_set[uint32_t] found
        cdef Merge merge
        for merge in self.merges:
            if wanted.count(merge.id):
                found.insert(merge.id)
        return set(found)

    def without(self, made not None, used not None):
        """The merges that make none of the first ids and merge none of the others."""
        cdef unordered_set[uint32_t] unmade = made, unused = used
        cdef MergeIds kept = MergeIds.__new__(MergeIds)
        cdef Merge merge
        for merge in self.merges:
            if not (unmade.count(merge.id) or unused.count(merge.left) or unused.count(merge.right)):
                kept.merges.push_back(merge)
        return kept

    def pairs(self, dict pieces):
        """The merges as pairs of pieces, by id → piece."""
        return [(pieces[merge.left], pieces[merge.right]) for merge in self.merges]


cdef class NativeBpe(NativeModel):
    """Byte-pair encoding: pieces and merges as native tables.

    Ids are below 2**24.
    ``complete`` says whether every byte has a piece, so that a byte-level model loses nothing.
    """

    cdef readonly bint complete
    cdef shared_ptr[BpeModel] tables

    def __init__(self, dict vocab, MergeIds merges not None, *, bint byte_level, str unk_token=None,
                 str continuing_subword_prefix=None, str end_of_word_suffix=None, bint fuse_unk=False,
                 bint byte_fallback=False, bint ignore_merges=False):
        cdef BpeOptions options
        if unk_token is not None:
            options.has_unk = True
            assign_bytes(options.unk_token, unk_token.encode())
        assign_bytes(options.prefix, (continuing_subword_prefix or "").encode())
        assign_bytes(options.suffix, (end_of_word_suffix or "").encode())
        options.fuse_unk = fuse_unk
        options.byte_fallback = byte_fallback
        options.ignore_merges = ignore_merges
        self.tables = make_shared[BpeModel](options)
        cdef BpeModel* model = self.tables.get()
        model.reserve(len(vocab), merges.merges.size())
        cdef str piece
        for piece, number in vocab.items():
            model.add_piece(number, view_utf8(piece))
        cdef size_t rank
        for rank in range(merges.merges.size()):
            model.add_merge(merges.merges[rank].left, merges.merges[rank].right, merges.merges[rank].id)
        model.finish(byte_level)
        self.complete = model.complete()
        self.model = <ModelPointer>self.tables

    def dropping(self, double dropout):
        """The same tables as a model that passes over each merge with this chance."""
        cdef NativeModel made = NativeModel.__new__(NativeModel)
        made.model = <ModelPointer>make_shared[DroppingBpe](self.tables, dropout)
        return made
