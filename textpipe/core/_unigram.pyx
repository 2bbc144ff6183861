# distutils: language = c++
"""The native tables of Unigram and sentencepiece models: marshalling only.

What enters: pieces with their scores, in the order of their ids. What leaves: a native model.
"""

from libc.stdint cimport uint8_t, uint32_t
from libcpp cimport bool as cbool
from libcpp.memory cimport make_shared, shared_ptr
from libcpp.string cimport string
from libcpp.vector cimport vector

from textpipe.core._native cimport ModelPointer, NativeModel, Token
from textpipe.core._strings cimport assign_bytes

cdef extern from "renumbered_model.hpp" namespace "textpipe" nogil:
    cdef cppclass RenumberedModel:
        RenumberedModel(shared_ptr[ConstSentenceModel] model, vector[uint32_t] ids) except +
        void add_entry(const string& text, uint32_t id) except +

cdef extern from "unigram_model.hpp" namespace "textpipe" nogil:
    const uint32_t no_id
    cdef cppclass UnigramOptions "textpipe::UnigramModel::Options":
        uint32_t unk_id
        cbool byte_fallback
        double alpha
        size_t nbest_size
    cdef cppclass Spelling "textpipe::UnigramModel::Spelling":
        double score
        vector[Token] tokens
    cdef cppclass UnigramModel:
        UnigramModel(UnigramOptions options) except +
        void add_piece(string_view piece, double score) except +
        void set_byte(uint8_t byte, uint32_t id)
        void finish() except +
        vector[Spelling] nbest(const uint8_t* word, size_t size, size_t count) except +


cdef int add_piece(UnigramModel* model, bytes data, double score) except -1:
    model.add_piece(string_view(data, len(data)), score)
    return 0


cdef class NativeUnigram(NativeModel):
    """The likeliest spelling of a word; with ``alpha`` one by chance, of the ``nbest_size`` likeliest or of all.

    A piece without text stands nowhere. ``bytes`` are the ids that spell the bytes, where these are not to be found in
    the vocabulary by their names, which then stand in no text.
    """

    cdef shared_ptr[UnigramModel] unigram

    def __init__(self, list vocab, *, unk_id=None, bint byte_fallback=False, list bytes=None,
                 alpha=None, nbest_size=None):
        cdef UnigramOptions options
        options.unk_id = no_id if unk_id is None else unk_id
        options.byte_fallback = byte_fallback or bytes is not None
        options.alpha = alpha or 0.0
        options.nbest_size = nbest_size or 0
        self.unigram = make_shared[UnigramModel](options)
        cdef double score
        for piece, score in vocab:
            add_piece(self.unigram.get(), piece.encode(), score)
        for byte, number in enumerate(bytes or ()):
            self.unigram.get().set_byte(byte, number)
        self.unigram.get().finish()
        self.model = <ModelPointer>self.unigram

    def nbest(self, str word not None, size_t count):
        """(score, [(id, bytes), …]) of the likeliest spellings, likeliest first."""
        cdef bytes data = word.encode()
        cdef const char* text = data
        cdef size_t size = len(data)
        cdef vector[Spelling] found
        with nogil:
            found = self.unigram.get().nbest(<const uint8_t*>text, size, count)
        return [(spelling.score, [(token.id, token.size) for token in spelling.tokens]) for spelling in found]


cdef class NativeSentenceModel(NativeModel):
    """A sentencepiece model; ``kind`` and the kinds of the pieces are the numbers of its file format."""

    def __init__(self, list pieces, *, int kind, bint byte_fallback=False):
        cdef shared_ptr[SentenceModel] made = make_shared[SentenceModel](kind, byte_fallback)
        cdef bytes data
        for text, score, piece_kind in pieces:
            data = text.encode()
            made.get().add_piece(string_view(data, len(data)), score, piece_kind)
        made.get().finish()
        self.sentences = <shared_ptr[ConstSentenceModel]>made
        self.model = <ModelPointer>made


cdef class NativeRenumbered(NativeModel):
    """A sentencepiece model whose pieces have the ids ``ids``, and whose unknown runs those of ``entries``."""

    def __init__(self, NativeSentenceModel model not None, list ids not None, dict entries not None):
        cdef vector[uint32_t] numbers = ids
        cdef shared_ptr[RenumberedModel] made = make_shared[RenumberedModel](model.sentences, numbers)
        cdef string text
        for entry, number in entries.items():
            assign_bytes(text, entry.encode())
            made.get().add_entry(text, number)
        self.model = <ModelPointer>made
