# distutils: language = c++
"""The native encoder for Python: marshalling only.

What enters: a compiled program (plain values) and ``str`` objects. What leaves: NumPy ids with offsets, or the ids of
one text with their places. Promises: the text is read in CPython's own buffers, the GIL is released while it is
encoded, and Ctrl-C is answered within a tenth of a second.
"""

from cpython.exc cimport PyErr_CheckSignals
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libcpp cimport bool as cbool
from libcpp.memory cimport make_shared, make_unique, shared_ptr, unique_ptr
from libcpp.string cimport string
from libcpp.utility cimport move
from libcpp.vector cimport vector

import re
import numpy as np

from textpipe.core._text import surrogate_error

cdef extern from "Python.h":
    int PyUnicode_KIND(object text)
    void* PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    bint PyUnicode_IS_ASCII(object text)

cdef extern from "<string_view>" namespace "std" nogil:
    cdef cppclass string_view:
        string_view()
        string_view(const char* data, size_t size)
        const char* data()
        size_t size()

cdef extern from "batch.hpp" namespace "textpipe" nogil:
    cdef struct TextView:
        const void* data
        size_t length
        int kind
    cdef cppclass Token:
        uint32_t id
        uint32_t size
    cdef cppclass BpeOptions:
        string unk_token, prefix, suffix
        cbool has_unk, fuse_unk, byte_fallback, ignore_merges
        float dropout
    cdef cppclass BpeModel:
        BpeModel(BpeOptions options) except +
        void reserve(size_t pieces, size_t merges) except +
        void add_piece(uint32_t id, string_view piece) except +
        void add_merge(uint32_t left, uint32_t right, uint32_t id) except +
        void finish(cbool byte_level) except +
        cbool complete()
        void encode(const uint8_t* word, size_t size, uint64_t seed, vector[Token]& out) except +
    cdef cppclass AddedToken:
        uint32_t id
        cbool single_word, lstrip, rstrip, special
    cdef cppclass AddedTokens:
        void add(string_view content, AddedToken token) except +
    cdef cppclass Program:
        void add_form(int form) except +
        void set_grammar(int number)
        AddedTokens raw, normalized
        cbool prefix_space
        vector[uint32_t] before, after
    cdef cppclass Spans:
        vector[uint32_t] ids, begins, ends, words, added
        vector[string] added_text
    cdef cppclass Encoder:
        Encoder(shared_ptr[BpeModel] model, size_t cache_bytes) except +
        cbool encode_spans(const TextView& view, cbool skip_special, Spans& spans) except +
        unique_ptr[Program] program
    cdef cppclass EncodeJob:
        EncodeJob(Encoder& encoder, vector[TextView] texts, cbool skip_special, cbool add_special) except +
        void run() except +
        void start(size_t num_threads) except +
        cbool wait(int milliseconds) except +
        void stop()
        long long bad_document()
        size_t num_ids()
        void copy[Id](Id* ids, int64_t* offsets)

HALF_PAIR = re.compile("[\ud800-\udfff]")
cdef size_t INLINE_CHARS = 1 << 18  # below this many a thread costs more than it saves

cdef inline string_view view_utf8(str text) except *:
    cdef Py_ssize_t size
    cdef const char* data
    try:
        data = PyUnicode_AsUTF8AndSize(text, &size)
    except UnicodeEncodeError:
        raise surrogate_error(text) from None
    return string_view(data, <size_t>size)


cdef inline TextView view_of(object text) except *:
    cdef TextView view
    if not isinstance(text, str):
        raise TypeError(f"a text is a str, not {type(text).__name__}")
    view.data = PyUnicode_DATA(text)
    view.length = <size_t>PyUnicode_GET_LENGTH(text)
    view.kind = 0 if PyUnicode_IS_ASCII(text) else PyUnicode_KIND(text)
    return view


cdef AddedToken added_token(tuple row) except *:
    cdef AddedToken token
    _, token.id, token.single_word, token.lstrip, token.rstrip, token.special = row
    return token


cdef class NativeBpe:
    """The model alone: pieces and merges as native tables, shared by every program that uses them.

    ``merges`` are pairs of pieces in rank order, each piece and each result in ``vocab``; ids are below 2**24.
    """

    cdef shared_ptr[BpeModel] model

    def __init__(self, dict vocab, list merges, *, bint byte_level, str unk_token=None, str prefix=None,
                 str suffix=None, bint fuse_unk=False, bint byte_fallback=False, bint ignore_merges=False,
                 dropout=None):
        cdef BpeOptions options
        if unk_token is not None:
            options.has_unk = True
            options.unk_token = unk_token.encode()
        options.prefix = (prefix or "").encode()
        options.suffix = (suffix or "").encode()
        options.fuse_unk = fuse_unk
        options.byte_fallback = byte_fallback
        options.ignore_merges = ignore_merges
        options.dropout = dropout or 0.0
        self.model = make_shared[BpeModel](options)
        cdef BpeModel* model = self.model.get()
        model.reserve(len(vocab), len(merges))
        cdef str piece, left, right
        for piece, number in vocab.items():
            model.add_piece(number, view_utf8(piece))
        cdef Py_ssize_t cut = len(prefix or "")
        for left, right in merges:
            model.add_merge(vocab[left], vocab[right], vocab[left + (right[cut:] if cut else right)])
        model.finish(byte_level)

    @property
    def complete(self):
        """Whether every byte has a piece, so that a byte-level model loses nothing."""
        return self.model.get().complete()

    def tokenize(self, str word, uint64_t seed=0):
        """The ids of one word and how many bytes of it each takes."""
        cdef string_view view = view_utf8(word)
        cdef vector[Token] found
        self.model.get().encode(<const uint8_t*>view.data(), view.size(), seed, found)
        return [(token.id, token.size) for token in found]


cdef class NativeEncoder:
    """A whole pipeline as one native program.

    ``forms`` and ``grammar`` are the numbers of the headers; added tokens are (content, id, single_word, lstrip,
    rstrip, special), those of ``normalized`` with their content normalized; ``before`` and ``after`` frame a document.
    """

    cdef unique_ptr[Encoder] encoder
    cdef readonly object id_type

    def __init__(self, NativeBpe model, *, list forms, int grammar, bint prefix_space, list raw, list normalized,
                 list before, list after, size_t max_id, size_t cache_bytes):
        self.encoder = make_unique[Encoder](model.model, cache_bytes)
        self.id_type = np.uint16 if max_id < 1 << 16 else np.uint32
        cdef Program* program = self.encoder.get().program.get()
        for form in forms:
            program.add_form(form)
        program.set_grammar(grammar)
        program.prefix_space = prefix_space
        program.before = before
        program.after = after
        for token in raw:
            program.raw.add(view_utf8(token[0]), added_token(token))
        for token in normalized:
            program.normalized.add(view_utf8(token[0]), added_token(token))

    def encode_batch(self, texts, *, size_t threads=1, bint skip_special=False, bint add_special=True):
        """Ids of every text, flat, and the offsets of the documents in them.

        Raises
        ------
        InputError
            when a text holds a lone surrogate.
        """
        cdef list held = list(texts)  # keeps every buffer alive while threads read it
        cdef vector[TextView] views
        cdef size_t chars = 0
        views.reserve(len(held))
        for text in held:
            views.push_back(view_of(text))
            chars += views.back().length
        cdef unique_ptr[EncodeJob] job = make_unique[EncodeJob](
            self.encoder.get()[0], move(views), skip_special, add_special)
        self._finish(job.get(), threads, chars)
        cdef long long bad = job.get().bad_document()
        if bad >= 0:
            bad = next(i for i in range(bad + 1) if HALF_PAIR.search(held[i]))  # threads may meet a later one first
            raise surrogate_error(held[bad], f"text {bad}" if len(held) > 1 else None)
        return self._collect(job.get(), len(held))

    cdef _finish(self, EncodeJob* job, size_t threads, size_t chars):
        cdef cbool done = False
        if chars < INLINE_CHARS:
            with nogil:
                job.run()
            return
        job.start(threads)
        while not done:
            with nogil:
                done = job.wait(50)
            PyErr_CheckSignals()  # an interrupt leaves here; the job's destructor stops and joins its threads

    cdef _collect(self, EncodeJob* job, Py_ssize_t num_texts):
        offsets = np.empty(num_texts + 1, dtype=np.int64)
        ids = np.empty(max(job.num_ids(), 1), dtype=self.id_type)  # a view needs an element to point at
        cdef int64_t[::1] places = offsets
        cdef uint16_t[::1] narrow
        cdef uint32_t[::1] wide
        if self.id_type is np.uint16:
            narrow = ids
            with nogil:
                job.copy[uint16_t](&narrow[0], &places[0])
        else:
            wide = ids
            with nogil:
                job.copy[uint32_t](&wide[0], &places[0])
        return ids[: job.num_ids()], offsets

    def encode_spans(self, str text, *, bint skip_special=False):
        """(ids, begins, ends, words, added) of one text, without the template.

        Places are in characters, words are numbers; ``added`` maps the index of an added token to its text.
        """
        cdef Spans spans
        cdef TextView view = view_of(text)
        cdef cbool good
        with nogil:
            good = self.encoder.get().encode_spans(view, skip_special, spans)
        if not good:
            raise surrogate_error(text)
        added = {index: found.decode() for index, found in zip(spans.added, spans.added_text)}
        return spans.ids, spans.begins, spans.ends, spans.words, added
