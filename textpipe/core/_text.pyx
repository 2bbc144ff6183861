# distutils: language = c++
"""Single steps of the native pipeline on a text of its own, added tokens, and classes of characters.

What enters: ``str``. What leaves: ``str``, and places counted in characters. A lone surrogate is an ``InputError``.
"""

from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeUTF8
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libcpp cimport bool as cbool
from libcpp.string cimport string
from libcpp.vector cimport vector

from textpipe.core._native cimport NativeStep, RewritePointer, Step
from textpipe.errors import InputError, LimitError

cdef extern from "steps.hpp" namespace "textpipe" nogil:
    const size_t longest_text, most_growth, grown_bytes

cdef extern from "staged.hpp" namespace "textpipe" nogil:
    cdef struct Origin:
        uint32_t begin, end
    string run_rewrite "textpipe::rewrite"(
        const RewritePointer& step, const uint8_t* text, size_t size, cbool at_start, vector[Origin]* origins) except +
    void cut_places(const Step& step, const uint8_t* text, size_t size, vector[uint32_t]& places) except +

cdef extern from "<string_view>" namespace "std" nogil:
    cdef cppclass string_view:
        string_view(const char* data, size_t size)

cdef extern from "added_tokens.hpp" namespace "textpipe" nogil:
    cdef cppclass AddedToken:
        uint32_t id
        cbool single_word, lstrip, rstrip, special
    cdef cppclass Stretch:
        uint32_t id
        size_t begin, end
    cdef cppclass AddedTokens:
        void add(string_view content, AddedToken token) except +
        void finish() except +
        void split(const uint8_t* text, size_t size, cbool skip_special, vector[Stretch]& out) except +
    const uint32_t no_id

cdef extern from "utf8.hpp" namespace "textpipe" nogil:
    cbool is_valid_utf8(const uint8_t* p, size_t size)

cdef extern from "unicode.hpp" namespace "textpipe::unicode" nogil:
    uint8_t property(uint32_t c)
    const char* version

cdef extern from "staged.hpp" namespace "textpipe" nogil:
    void category_bounds(uint32_t categories, vector[uint32_t]& bounds) except +
    void script_bounds(uint8_t script, vector[uint32_t]& bounds) except +
    uint8_t script_number "textpipe::unicode::script"(uint32_t c)

NFC, NFD, NFKC, NFKD, LOWERCASE = range(5)
GPT2, WHITESPACE, WHITESPACE_SPLIT = range(3)
LETTER, NUMBER, SPACE, WORD, NUMERIC = 1, 2, 4, 8, 16
CATEGORIES = ("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf",
              "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "C")
NEWLINE, CONTROL_SPACE = 1 << 28, 1 << 29  # \r and \n; the other white space of Cc
UNASSIGNED = 1 << 27  # with what is for private use
UNICODE_VERSION = version.decode()
LONGEST_TEXT, MOST_GROWTH, GROWN_BYTES = longest_text, most_growth, grown_bytes


def surrogate_error(str text, where=None):
    """The error for text that cannot be UTF-8."""
    cdef Py_ssize_t at = next(i for i, c in enumerate(text) if "\ud800" <= c <= "\udfff")
    return InputError(
        f"the text holds a lone surrogate, U+{ord(text[at]):04X}, at character {at}",
        where=where,
        allowed="characters that can be written as UTF-8",
        hint='decode the bytes with errors="replace", or drop it with text.encode("utf-8", "ignore").decode()',
    )


def length_error(steps):
    """The error for a text that one of the native ``steps`` makes too long."""
    return LimitError(
        "a normalizer makes a text too long",
        where=", ".join([f"{step.name:.60}" for step in steps if (<NativeStep>step).grows()]) or None,
        allowed=f"{MOST_GROWTH} times its bytes and {GROWN_BYTES:,} more, and at most {LONGEST_TEXT:,}",
        hint="encode it in parts, or look at what replaces short strings by long ones",
    )


cdef const uint8_t* utf8_of(str text, size_t* size) except NULL:
    cdef Py_ssize_t length
    cdef const char* data
    try:
        data = PyUnicode_AsUTF8AndSize(text, &length)
    except UnicodeEncodeError:
        raise surrogate_error(text) from None
    size[0] = <size_t>length
    return <const uint8_t*>data


cdef str rewritten(NativeStep step, str text, bint at_start, vector[Origin]* origins):
    cdef size_t size
    cdef const uint8_t* data = utf8_of(text, &size)
    cdef string out
    if step.cuts:
        raise ValueError(f"{step} cuts")
    try:
        with nogil:
            out = run_rewrite(step.step.rewrite, data, size, at_start, origins)
    except OverflowError:
        raise length_error([step]) from None
    return PyUnicode_DecodeUTF8(out.data(), <Py_ssize_t>out.size(), NULL)


def rewrite(NativeStep step not None, str text, bint at_start=True):
    """What a rewriting step makes of a text; ``at_start`` says that the text begins where its document does."""
    return rewritten(step, text, at_start, NULL)


def rewrite_with_sources(NativeStep step not None, str text, bint at_start=True):
    """The same, and for each character of the result the index of the one of ``text`` it stands for, -1 for none."""
    cdef vector[Origin] origins
    made = rewritten(step, text, at_start, &origins)
    return made, [<int64_t>origin.begin if origin.end > origin.begin else -1 for origin in origins]


def rewrite_with_places(NativeStep step not None, str text, bint at_start=True):
    """The same, and where the characters that each character of the result stands for begin and end."""
    cdef vector[Origin] origins
    made = rewritten(step, text, at_start, &origins)
    return made, [origin.begin for origin in origins], [origin.end for origin in origins]


def cut(NativeStep step not None, str text):
    """[begin, end, begin, end, …] of the pieces, in characters."""
    cdef size_t size
    cdef const uint8_t* data = utf8_of(text, &size)
    cdef vector[uint32_t] places
    if not step.cuts:
        raise ValueError(f"{step} does not cut")
    with nogil:
        cut_places(step.step, data, size, places)
    return places


def is_utf8(bytes text not None) -> bool:
    """Whether bytes are well-formed UTF-8."""
    cdef const uint8_t* data = <const uint8_t*><const char*>text
    cdef size_t size = len(text)
    cdef cbool valid
    with nogil:
        valid = is_valid_utf8(data, size)
    return valid


def check_characters(str text):
    """Refuse a lone surrogate."""
    cdef size_t size
    utf8_of(text, &size)


def classes_of(str text):
    """One byte a character: LETTER, NUMBER, SPACE, WORD, NUMERIC, added up."""
    cdef bytearray out = bytearray(len(text))
    cdef Py_ssize_t i
    cdef Py_UCS4 c
    for i, c in enumerate(text):
        out[i] = property(c)
    return bytes(out)


def category_ranges(uint32_t categories):
    """(first, last) of the stretches of code points in a set: bit n is CATEGORIES[n]."""
    cdef vector[uint32_t] bounds
    category_bounds(categories, bounds)
    return list(zip(bounds[::2], bounds[1::2]))


def script_of(str character not None):
    """The number of the script of a character, None for one that goes with any; Hanja and kana are one script."""
    return script_number(<Py_UCS4>character) or None


def script_ranges(str character not None):
    """(first, last) of the stretches of code points that have the script of a character."""
    cdef vector[uint32_t] bounds
    script_bounds(script_number(<Py_UCS4>character), bounds)
    return list(zip(bounds[::2], bounds[1::2]))


cdef class AddedMatcher:
    """Finds added tokens; ``tokens`` are (content, id, single_word, lstrip, rstrip, special)."""

    cdef AddedTokens tokens

    def __init__(self, list tokens):
        cdef AddedToken token
        cdef size_t size
        cdef const uint8_t* data
        for content, number, single_word, lstrip, rstrip, special in tokens:
            token.id, token.single_word, token.lstrip, token.rstrip = number, single_word, lstrip, rstrip
            token.special = special
            data = utf8_of(content, &size)
            self.tokens.add(string_view(<const char*>data, size), token)
        self.tokens.finish()

    def split(self, str text, bint skip_special=False):
        """(id or None, begin, end) of every stretch, in characters."""
        cdef size_t size
        cdef const uint8_t* data = utf8_of(text, &size)
        cdef vector[Stretch] stretches
        self.tokens.split(data, size, skip_special, stretches)
        found = []
        cdef size_t at = 0
        cdef Py_ssize_t chars = 0, begin
        for stretch in stretches:
            if stretch.begin < at:  # white space taken by two tokens
                at, chars = 0, 0
            while at < stretch.begin:
                chars += (data[at] & 0xC0) != 0x80
                at += 1
            begin = chars
            while at < stretch.end:
                chars += (data[at] & 0xC0) != 0x80
                at += 1
            found.append((None if stretch.id == no_id else stretch.id, begin, chars))
        return found
