# distutils: language = c++
"""The native encoder for Python: marshalling only.

What enters: a compiled program and ``str`` objects. What leaves: NumPy ids with offsets, or one text's ids with places.
Promises: text is read in CPython's own buffers, without the GIL, and Ctrl-C is answered within a tenth of a second.
"""

from cpython.exc cimport PyErr_CheckSignals
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from cython.view cimport array
from libc.stdint cimport int64_t, uint16_t, uint32_t
from libc.stdlib cimport free
from libcpp cimport bool as cbool
from libcpp.memory cimport make_unique, unique_ptr
from libcpp.string cimport string
from libcpp.vector cimport vector

import re
import numpy as np

from textpipe.core._lots cimport Lots, lots_of
from textpipe.core._native cimport ModelPointer, NativeModel, NativeStep, RewritePointer, Step
from textpipe.core._native import word_error
from textpipe.core._text import length_error, surrogate_error

cdef extern from "Python.h":
    int PyUnicode_KIND(object text)
    void* PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    bint PyUnicode_IS_ASCII(object text)

cdef extern from "<string_view>" namespace "std" nogil:
    cdef cppclass string_view:
        string_view()
        string_view(const char* data, size_t size)

cdef extern from "batch.hpp" namespace "textpipe" nogil:
    cdef struct TextView:
        const void* data
        size_t length
        int kind
    cdef cppclass AddedToken:
        uint32_t id
        cbool single_word, lstrip, rstrip, special
    cdef cppclass AddedTokens:
        void add(string_view content, AddedToken token) except +
        void finish() except +
    cdef cppclass Cutting:
        void add(Step step) except +
    cdef cppclass Program:
        AddedTokens raw, normalized
        vector[RewritePointer] normalization
        Cutting cutting
        cbool byte_level
        vector[uint32_t] before, after
    cdef cppclass AddedSpans:
        vector[uint32_t] tokens
        vector[string] texts
    cdef cppclass Encoder:
        Encoder(ModelPointer model, size_t cache_bytes, size_t part_chars) except +
        unique_ptr[Program] program
    cdef cppclass Job:
        void run() except +
        void start(size_t num_threads) except +
        size_t num_chars()
        void draw_by(Lots lots)
        cbool wait(int milliseconds) except +
        long long bad_document()
    cdef cppclass EncodeJob[Id](Job):
        EncodeJob(Encoder& encoder, vector[TextView]& texts, cbool skip_special, cbool add_special) except +
        size_t num_ids()
        Id* release(int64_t* offsets)
    cdef cppclass SpansJob(Job):
        SpansJob(Encoder& encoder, vector[TextView]& texts, cbool skip_special) except +
        size_t num_runs()
        const AddedSpans& added(size_t run)
        size_t num_ids()
        size_t num_ids(size_t run)
        void copy(uint32_t* rows, int64_t* offsets)

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


cdef class NativeEncoder:
    """A whole pipeline as one native program.

    ``normalization`` is a list of steps that rewrite, ``cutting`` one of steps of both kinds; added tokens are
    (content, id, single_word, lstrip, rstrip, special), those of ``normalized`` with their content
    normalized; ``before`` and ``after`` frame a document. Long texts are parted about every ``part_chars`` characters.
    A text with a lone surrogate is an InputError. ``lots`` are what a model that draws them draws by: a seed, and
    whether the number of a text counts too.
    """

    cdef unique_ptr[Encoder] encoder
    cdef tuple normalization
    cdef readonly object id_type
    cdef readonly bint has_places  # does the model find the places of its tokens itself?

    def __init__(self, NativeModel model not None, *, tuple normalization, tuple cutting, bint byte_level, list raw,
                 list normalized, list before, list after, size_t max_id, size_t cache_bytes, size_t part_chars):
        self.encoder = make_unique[Encoder](model.model, cache_bytes, part_chars)
        self.has_places = model.model.get().has_places()
        self.normalization = normalization
        self.id_type = np.uint16 if max_id < 1 << 16 else np.uint32
        cdef Program* program = self.encoder.get().program.get()
        cdef NativeStep step
        for step in normalization:
            if step.cuts:
                raise ValueError(f"{step} cuts, and a normalizer only rewrites")
            program.normalization.push_back(step.step.rewrite)
        for step in cutting:
            program.cutting.add(step.step)
        program.byte_level = byte_level
        program.before = before
        program.after = after
        for token in raw:
            program.raw.add(view_utf8(token[0]), added_token(token))
        for token in normalized:
            program.normalized.add(view_utf8(token[0]), added_token(token))
        program.raw.finish()
        program.normalized.finish()

    def encode_batch(self, texts, *, size_t threads=1, bint skip_special=False, bint add_special=True,
                     lots=(0, False)):
        """Ids of every text, flat, and the offsets of the documents in them."""
        cdef list held = list(texts)
        offsets = np.empty(len(held) + 1, dtype=np.int64)
        cdef int64_t[::1] places = offsets
        if self.id_type is np.uint16:
            return encode_as(<uint16_t>0, self, held, &places[0], threads, skip_special, add_special, lots), offsets
        return encode_as(<uint32_t>0, self, held, &places[0], threads, skip_special, add_special, lots), offsets

    def encode_batch_spans(self, texts, *, size_t threads=1, bint skip_special=False, lots=(0, False)):
        """The tokens of every text with their places, flat, without the template.

        Returns
        -------
        rows : uint32 (4, num_ids): ids, the characters tokens begin and end at, the numbers of their words.
        offsets : int64; text ``n`` has the columns ``offsets[n]`` to ``offsets[n + 1]``.
        added : the column of each added token, and the text it was found as.
        """
        cdef list held = list(texts)
        cdef vector[TextView] views
        views_of(held, views)
        cdef unique_ptr[SpansJob] job
        with nogil:
            job = make_unique[SpansJob](self.encoder.get()[0], views, skip_special)
        job.get().draw_by(lots_of(lots))
        finish(job.get(), held, threads, self.normalization)
        cdef size_t count = job.get().num_ids()
        offsets = np.empty(len(held) + 1, dtype=np.int64)
        rows = np.empty(max(4 * count, 1), dtype=np.uint32)  # a view needs an element to point at
        cdef int64_t[::1] places = offsets
        cdef uint32_t[::1] view = rows
        with nogil:
            job.get().copy(&view[0], &places[0])
        return rows[: 4 * count].reshape(4, count), offsets, added_of(job.get())


ctypedef fused Id:
    uint16_t
    uint32_t


cdef encode_as(Id width, NativeEncoder encoder, list texts, int64_t* offsets, size_t threads, bint skip_special,
               bint add_special, object lots):
    """The ids of texts in the width of ``width``; the array is the memory they were written to."""
    cdef vector[TextView] views
    cdef size_t count
    views_of(texts, views)
    cdef unique_ptr[EncodeJob[Id]] job
    with nogil:
        job = make_unique[EncodeJob[Id]](encoder.encoder.get()[0], views, skip_special, add_special)
    job.get().draw_by(lots_of(lots))
    finish(job.get(), texts, threads, encoder.normalization)
    count = job.get().num_ids()
    cdef Id* ids = job.get().release(offsets)
    if ids == NULL:
        return np.empty(0, dtype=np.uint16 if sizeof(Id) == 2 else np.uint32)
    cdef array held = <Id[:count]>ids
    held.callback_free_data = free
    return np.asarray(held)


cdef dict added_of(SpansJob* job):
    cdef dict found = {}
    cdef size_t run, i, before = 0
    for run in range(job.num_runs()):
        for i in range(job.added(run).tokens.size()):
            found[before + job.added(run).tokens[i]] = job.added(run).texts[i].decode()
        before += job.num_ids(run)
    return found


cdef int views_of(list texts, vector[TextView]& views) except -1:
    """Views of the buffers of ``texts``, which keeps them alive."""
    views.reserve(len(texts))
    for text in texts:
        views.push_back(view_of(text))
    return 0


cdef int finish(Job* job, list texts, size_t threads, tuple normalization) except -1:
    """Run a job to its end; an interrupt leaves here, and the job's destructor stops and joins its threads."""
    cdef cbool done = False
    try:
        if job.num_chars() < INLINE_CHARS:
            with nogil:
                job.run()
        else:
            job.start(threads)
            while not done:
                with nogil:
                    done = job.wait(50)
                PyErr_CheckSignals()
    except OverflowError:
        raise length_error(normalization) from None
    except ArithmeticError:
        raise word_error() from None
    cdef long long bad = job.bad_document()
    if bad >= 0:
        bad = next(i for i in range(bad + 1) if HALF_PAIR.search(texts[i]))  # threads may meet a later one first
        raise surrogate_error(texts[bad], f"text {bad}" if len(texts) > 1 else None)
    return 0
