# distutils: language = c++
"""Native steps of normalizers and pre-tokenizers.

What enters: their arguments. What leaves: a ``NativeStep``. Behaviours are numbers, in the order of split_step.hpp.
"""

from libc.stdint cimport uint32_t
from libcpp cimport bool as cbool
from libcpp.memory cimport make_shared
from libcpp.pair cimport pair
from libcpp.string cimport string
from libcpp.vector cimport vector

from textpipe.core._native cimport CutPointer, RewritePointer, cut_step, rewrite_step
from textpipe.core._strings cimport assign_bytes

cdef extern from "grammars/known.hpp" namespace "textpipe::grammars" nogil:
    CutPointer known_grammar(const string& name, int behavior, cbool invert) except +
    CutPointer split_literal "textpipe::grammars::literal_split"(string text, int behavior, cbool invert) except +
    cdef cppclass PatternMatcher:
        PatternMatcher()
        void add_alternative(const vector[pair[uint32_t, uint32_t]]& not_before) except +
        void add_run(const vector[pair[uint32_t, uint32_t]]& characters, size_t least, size_t most) except +
    cdef cppclass ReplaceMatches:
        ReplaceMatches(PatternMatcher matcher, string content) except +
    CutPointer split_pattern "textpipe::grammars::pattern_split"(
        PatternMatcher matcher, int behavior, cbool invert) except +
    CutPointer split_digits "textpipe::grammars::digit_split"(int behavior) except +
    CutPointer split_punctuation "textpipe::grammars::punctuation_split"(int behavior) except +
    cdef cppclass BertCut:
        BertCut()
    cdef cppclass FixedLengthCut:
        FixedLengthCut(size_t length)
    cdef cppclass ScriptCut:
        ScriptCut()

cdef extern from "bert_normalization.hpp" namespace "textpipe" nogil:
    cdef struct BertOptions:
        cbool clean_text, handle_chinese_chars, strip_accents, lowercase
    cdef cppclass BertStep:
        BertStep(BertOptions options)

cdef extern from "normalization_steps.hpp" namespace "textpipe" nogil:
    RewritePointer accent_step() except +
    RewritePointer nmt_step() except +
    cdef cppclass StripStep:
        StripStep(cbool left, cbool right)
    cdef cppclass PrependStep:
        PrependStep(string prefix) except +
    cdef cppclass ReplaceStep:
        ReplaceStep(string pattern, string content) except +
    cdef cppclass ByteLevelStep:
        ByteLevelStep()
    cdef cppclass MetaspaceStep:
        MetaspaceStep(string mark, int prepend) except +

cdef extern from *:
    """
    template <class Shared> inline bool is_absent(const Shared& pointer) { return pointer == nullptr; }
    """
    cbool is_absent(const CutPointer& pointer) nogil


def grammar_split(str name not None, int behavior, bint invert):
    """The matches of a grammar of known.hpp and what lies between; None where it has no such behaviour."""
    cdef string wanted
    assign_bytes(wanted, name.encode())
    cdef CutPointer step = known_grammar(wanted, behavior, invert)
    return None if is_absent(step) else cut_step(step, f"grammar {name} {behavior} {invert}")


def literal_split(str text not None, int behavior, bint invert):
    """The places of a text, which is not empty."""
    cdef string wanted
    assign_bytes(wanted, text.encode())
    return cut_step(split_literal(wanted, behavior, invert), f"literal {text!r} {behavior} {invert}")


cdef PatternMatcher matcher_of(alternatives) except *:
    cdef PatternMatcher matcher
    for runs, not_before in alternatives:
        matcher.add_alternative(not_before)
        for characters, least, most in runs:
            matcher.add_run(characters, least, most)
    return matcher


def pattern_split(tuple alternatives not None, int behavior, bint invert):
    """The matches of alternatives and what lies between.

    An alternative is (runs, ranges of code points that must not follow), a run (ranges, least, most; 0 for any number).
    """
    step = split_pattern(matcher_of(alternatives), behavior, invert)
    return cut_step(step, f"pattern {alternatives} {behavior} {invert}")


def pattern_replace(tuple alternatives not None, str content not None):
    """A text for each match of alternatives such as :func:`pattern_split` takes."""
    cdef string new = content.encode()
    step = <RewritePointer>make_shared[ReplaceMatches](matcher_of(alternatives), new)
    return rewrite_step(step, f"replace pattern {alternatives} {content!r}")


def digit_split(int behavior):
    """Numeric characters."""
    return cut_step(split_digits(behavior), f"digits {behavior}")


def punctuation_split(int behavior):
    """Punctuation marks."""
    return cut_step(split_punctuation(behavior), f"punctuation {behavior}")


def bert_cut():
    """The words of BERT."""
    return cut_step(<CutPointer>make_shared[BertCut](), "bert")


def fixed_length_cut(size_t length):
    """Pieces of so many characters."""
    return cut_step(<CutPointer>make_shared[FixedLengthCut](length), f"fixed length {length}")


def script_cut():
    """Stretches of one script."""
    return cut_step(<CutPointer>make_shared[ScriptCut](), "scripts")


def bert_rewrite(bint clean_text, bint handle_chinese_chars, bint strip_accents, bint lowercase):
    """The clean-up of BERT."""
    cdef BertOptions options
    options.clean_text = clean_text
    options.handle_chinese_chars = handle_chinese_chars
    options.strip_accents = strip_accents
    options.lowercase = lowercase
    return rewrite_step(
        <RewritePointer>make_shared[BertStep](options),
        f"bert {clean_text} {handle_chinese_chars} {strip_accents} {lowercase}",
    )


def accent_strip():
    """Combining marks taken away."""
    return rewrite_step(accent_step(), "strip accents")


def nmt_rewrite():
    """The clean-up of translation models."""
    return rewrite_step(nmt_step(), "nmt")


def strip(bint left, bint right):
    """White space at the ends taken away."""
    return rewrite_step(<RewritePointer>make_shared[StripStep](left, right), f"strip {left} {right}")


def prepend(str text not None):
    """A text in front."""
    cdef string prefix
    assign_bytes(prefix, text.encode())
    return rewrite_step(<RewritePointer>make_shared[PrependStep](prefix), f"prepend {text!r}")


def replace(str pattern not None, str content not None):
    """One text for another; an empty one is found nowhere."""
    cdef string old, new
    assign_bytes(old, pattern.encode())
    assign_bytes(new, content.encode())
    return rewrite_step(<RewritePointer>make_shared[ReplaceStep](old, new), f"replace {pattern!r} {content!r}")


def byte_spelling():
    """Every byte as its printable character."""
    return rewrite_step(<RewritePointer>make_shared[ByteLevelStep](), "byte level")


def metaspace(str mark not None, int prepend):
    """Spaces made visible; ``prepend`` is 0 for every text, 1 for the one at the start, 2 for none."""
    cdef string replacement
    assign_bytes(replacement, mark.encode())
    step = <RewritePointer>make_shared[MetaspaceStep](replacement, prepend)
    return rewrite_step(step, f"metaspace {mark!r} {prepend}")
