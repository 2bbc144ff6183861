# distutils: language = c++
"""Charsmaps and the normalizers that follow them: marshalling only.

What enters: the bytes of a charsmap. What leaves: native steps. Promises: garbage is an
``InputError`` that says what is wrong with it.
"""

from libcpp cimport bool as cbool
from libcpp.memory cimport make_shared, shared_ptr
from libcpp.string cimport string
from libcpp.vector cimport vector

from textpipe.core._native cimport ModelPointer, NativeModel, NativeStep, RewritePointer, rewrite_step
from textpipe.core._unigram cimport ConstSentenceModel, NativeSentenceModel

from textpipe.errors import InputError

cdef extern from "<string_view>" namespace "std" nogil:
    cdef cppclass string_view:
        string_view(const char* data, size_t size)

cdef extern from "charsmap.hpp" namespace "textpipe" nogil:
    cdef cppclass CppCharsmap "textpipe::Charsmap":
        CppCharsmap(string_view blob) except +
    ctypedef CppCharsmap ConstCharsmap "const textpipe::Charsmap"

cdef extern from "precompiled.hpp" namespace "textpipe" nogil:
    cdef cppclass PrecompiledStep:
        PrecompiledStep(shared_ptr[ConstCharsmap] charsmap)

cdef extern from "sentence_normalization.hpp" namespace "textpipe" nogil:
    cdef cppclass SpaceOptions "textpipe::SentenceNormalization::Options":
        cbool add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces, whitespace_as_suffix
    cdef cppclass SentenceNormalization:
        SentenceNormalization(
            shared_ptr[ConstCharsmap] charsmap, SpaceOptions options, const vector[string]& kept) except +
    ctypedef SentenceNormalization ConstNormalization "const textpipe::SentenceNormalization"

cdef extern from "raw_sentences.hpp" namespace "textpipe" nogil:
    cdef cppclass RawSentences:
        RawSentences(shared_ptr[ConstSentenceModel] model, shared_ptr[ConstNormalization] normalization,
                     size_t cache_bytes) except +


cdef class Charsmap:
    """The rules of a precompiled charsmap.

    Raises
    ------
    InputError
        when the bytes are not one.
    """

    cdef shared_ptr[ConstCharsmap] charsmap
    cdef readonly str name

    def __init__(self, bytes blob not None, str name=""):
        cdef const char* data = blob
        try:
            self.charsmap = <shared_ptr[ConstCharsmap]>make_shared[CppCharsmap](string_view(data, len(blob)))
        except ValueError as error:
            raise InputError(f"the charsmap cannot be read: {error}", hint="it is damaged, or none at all") from None
        self.name = name

    def precompiled_step(self):
        """The normalizer Precompiled of `tokenizers`."""
        return rewrite_step(<RewritePointer>make_shared[PrecompiledStep](self.charsmap), f"precompiled {self.name}")

    def sentence_step(self, *, bint add_dummy_prefix, bint remove_extra_whitespaces, bint escape_whitespaces,
                      bint whitespace_as_suffix, list kept):
        """The normalization of sentencepiece; ``kept`` are texts that no rule looks into."""
        cdef SpaceOptions options
        options.add_dummy_prefix = add_dummy_prefix
        options.remove_extra_whitespaces = remove_extra_whitespaces
        options.escape_whitespaces = escape_whitespaces
        options.whitespace_as_suffix = whitespace_as_suffix
        name = f"sentence {self.name} {add_dummy_prefix:d}{remove_extra_whitespaces:d}{escape_whitespaces:d}"
        name += f"{whitespace_as_suffix:d} {kept!r}"
        cdef SentenceStep step = SentenceStep.__new__(SentenceStep)
        step.normalization = <shared_ptr[ConstNormalization]>make_shared[SentenceNormalization](
            self.charsmap, options, <vector[string]>[text.encode() for text in kept])
        step.step.rewrite = <RewritePointer>step.normalization
        step.name = name
        return step


cdef class SentenceStep(NativeStep):
    """The normalization of sentencepiece, which can go together with its model."""

    cdef shared_ptr[ConstNormalization] normalization

    def before(self, NativeSentenceModel model not None, size_t cache_bytes):
        """A model of raw text: it remembers words as they are before they are normalized."""
        cdef NativeModel raw = NativeModel.__new__(NativeModel)
        raw.model = <ModelPointer>make_shared[RawSentences](model.sentences, self.normalization, cache_bytes)
        return raw
