# distutils: language = c++
"""Native models and native steps, as Python holds them.

What enters: a step's number or arguments. What leaves: an object that a native program takes. Promises: fixed once
made, shared by every program and thread that uses it; steps are equal when they do the same.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libcpp cimport bool as cbool
from libcpp.memory cimport make_shared
from libcpp.string cimport string

from textpipe.core._lots cimport Lots
from textpipe.core._strings cimport assign_bytes
from textpipe.errors import LimitError

cdef extern from "model.hpp" namespace "textpipe" nogil:
    vector[Token] tokens_of(const ModelPointer& model, const string& word, uint64_t seed) except +

cdef extern from "guarded_model.hpp" namespace "textpipe" nogil:
    cdef cppclass GuardedModel:
        GuardedModel(ModelPointer model, ModelPointer strict, const vector[uint32_t]& lacking) except +

cdef extern from "lots.hpp" namespace "textpipe" nogil:
    uint64_t seed_of_text(const Lots& lots, const uint8_t* text, size_t size, uint64_t number)
    uint64_t word_seed_ "textpipe::seed_of_word"(uint64_t text_seed, uint64_t number)

cdef extern from "normalization.hpp" namespace "textpipe" nogil:
    cdef cppclass NormalFormStep:
        NormalFormStep(int form)

cdef extern from "grammar_step.hpp" namespace "textpipe" nogil:
    cdef cppclass GrammarStep:
        GrammarStep(int number)
    cdef struct Scanner:
        const char* name
        CutPointer step
    vector[Scanner] gpt2_scanners(cbool by_lines) except +

cdef extern from "steps.hpp" namespace "textpipe" nogil:
    cdef cppclass PrefixSpace:
        PrefixSpace()


cdef extern from "longest_word.hpp" namespace "textpipe" nogil:
    const size_t longest_word

LONGEST_WORD = longest_word


def word_error():
    """The error for a word that is too long to be merged."""
    return LimitError(
        "a word is too long to be merged",
        allowed=f"{LONGEST_WORD:,} bytes",
        hint="put a pre-tokenizer before the model, or encode the text in parts",
    )


cdef class NativeModel:
    """Base of the native models: the tables of one vocabulary, shared by every program that uses them."""

    def tokenize(self, str word not None, uint64_t seed=0):
        """The ids of one word and how many bytes of it each takes; ``seed`` starts a model that draws lots."""
        cdef string text
        assign_bytes(text, word.encode())
        try:
            return [(token.id, token.size) for token in tokens_of(self.model, text, seed)]
        except ArithmeticError:
            raise word_error() from None

    def tokenize_bytes(self, bytes word not None):
        """The ids of one word of bytes."""
        cdef string text
        assign_bytes(text, word)
        try:
            return [token.id for token in tokens_of(self.model, text, 0)]
        except ArithmeticError:
            raise word_error() from None


cdef class NativeGuarded(NativeModel):
    """A model, but that a word of which the ids ``lacking`` come out is spelled by one that is ``strict``.

    Both take words alike, and the strict one knows every other piece.
    """

    def __init__(self, NativeModel model not None, NativeModel strict not None, lacking not None):
        cdef vector[uint32_t] ids = sorted(lacking)
        self.model = <ModelPointer>make_shared[GuardedModel](model.model, strict.model, ids)


def text_seed(uint64_t seed, bint by_number, str text not None, uint64_t number):
    """The seed of a text, of which those of its words are made; its number counts with ``by_number`` alone."""
    cdef bytes data = text.encode()
    cdef const char* begin = data
    return seed_of_text(Lots(seed, by_number), <const uint8_t*>begin, len(data), number)


def word_seed(uint64_t text_seed, uint64_t number):
    """The seed of a text's word, by the text's."""
    return word_seed_(text_seed, number)


cdef class NativeStep:
    """One native step of a normalizer or a pre-tokenizer."""

    cdef bint grows(self):
        """May it make a text several times as long?"""
        return not self.cuts and self.step.rewrite.get().growth() > 1

    def __eq__(self, other):
        return isinstance(other, NativeStep) and (<NativeStep>other).name == self.name

    def __hash__(self):
        return hash(self.name)

    def __repr__(self):
        return f"NativeStep({self.name})"


cdef NativeStep rewrite_step(RewritePointer step, str name):
    cdef NativeStep made = NativeStep.__new__(NativeStep)
    made.step.rewrite = step
    made.name = name
    return made


cdef NativeStep cut_step(CutPointer step, str name):
    cdef NativeStep made = NativeStep.__new__(NativeStep)
    made.step.cut = step
    made.name = name
    made.cuts = True
    return made


def normal_form_step(int form):
    """A Unicode normal form or lower case, by its number in normalization.hpp."""
    return rewrite_step(<RewritePointer>make_shared[NormalFormStep](form), f"form {form}")


def grammar_step(int grammar):
    """The cuts of a grammar, by its number in scanner.hpp."""
    return cut_step(<CutPointer>make_shared[GrammarStep](grammar), f"grammar {grammar}")


def gpt2_steps(*, bint by_lines=False):
    """GPT-2's cuts, or those of every line by itself, by each scanner that this machine can run; they cut alike."""
    cdef dict steps = {}
    cdef Scanner scanner
    for scanner in gpt2_scanners(by_lines):
        name = scanner.name.decode()
        steps[name] = cut_step(scanner.step, f"gpt2 by {name}, lines {by_lines}")
    return steps


def prefix_space_step():
    """A space before a text that begins without one."""
    return rewrite_step(<RewritePointer>make_shared[PrefixSpace](), "prefix space")
