# distutils: language = c++
"""Counting words from Python: marshalling only.

What enters: UTF-8 text or single words, from as many threads as there are counters. What leaves: each distinct word
with a 64-bit count. The GIL is released while text is counted.
"""

from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint8_t, uint64_t
from libcpp.memory cimport make_unique, unique_ptr
from libcpp.string cimport string
from libcpp.vector cimport vector

from textpipe.core._native cimport NativeStep
from textpipe.errors import InputError, LimitError


cdef extern from "utf8.hpp" namespace "textpipe" nogil:
    cbool is_valid_utf8(const uint8_t* p, size_t size)

cdef extern from "word_counts.hpp" nogil:
    const size_t num_partitions "textpipe::WordCounts::num_partitions"
    void release_freed_memory_ "textpipe::release_freed_memory"()

cdef extern from "word_columns.hpp" namespace "textpipe" nogil:
    cdef cppclass WordColumns:
        string counts, sizes, words
    WordColumns to_columns(const CppWordCounts& counts) except +
    vector[Word] read_columns(const uint8_t* counts, const uint8_t* sizes, size_t num_words, const uint8_t* data,
                              size_t data_size, cbool byte_level) except +
    void add_words(CppWordCounts& counts, const vector[Word]& words) except +

NUM_PARTITIONS = num_partitions


def release_freed_memory():
    """Give memory that was freed back to the system where the allocator keeps it."""
    release_freed_memory_()


cdef class WordCounts:
    """Distinct words and how often each occurs.

    Parameters
    ----------
    byte_level : the characters of a word are its bytes (a byte-level vocabulary), not its code points.
    """

    def __cinit__(self, *, bint byte_level=False):
        self.counts = make_unique[CppWordCounts]()
        self.byte_level = byte_level

    def __len__(self):
        return self.counts.get().num_words()

    def __repr__(self):
        return f"WordCounts({len(self):,} words, {self.num_occurrences:,} in all, byte_level={bool(self.byte_level)})"

    @property
    def num_occurrences(self) -> int:
        """The sum of all counts."""
        return self.counts.get().num_occurrences()

    @property
    def num_bytes(self) -> int:
        """Bytes of all distinct words, each once."""
        return self.counts.get().num_bytes()

    @property
    def num_chars(self) -> int:
        """Their characters, which are their bytes in a byte-level count."""
        return self.counts.get().num_bytes() if self.byte_level else self.counts.get().num_chars()

    @property
    def num_text_bytes(self) -> int:
        """Bytes of all words, each as often as it came."""
        return self.counts.get().num_text_bytes()

    def scale(self, uint64_t factor):
        """Multiply every count by ``factor`` / 2**20, rounded to the nearest, at least 1; ``factor`` below 2**43."""
        try:
            with nogil:
                self.counts.get().scale(factor)
        except OverflowError as error:
            raise LimitError(str(error), hint="weigh the corpora less apart") from None

    @property
    def memory_bytes(self) -> int:
        """Bytes held."""
        return self.counts.get().memory()

    def add(self, bytes word not None, uint64_t count=1):
        """Count a word ``count`` more times."""
        cdef const uint8_t* data = <const uint8_t*><const char*>word
        if not self.byte_level and not is_valid_utf8(data, len(word)):
            raise InputError("a word is not UTF-8", allowed="UTF-8, or any bytes in a byte-level count")
        require_room(self, count)
        self.counts.get().add(data, len(word), count)

    def merge(self, WordCounts other not None):
        """Add every count of ``other``, which keeps its own."""
        if self.byte_level != other.byte_level:
            raise InputError("byte-level counts and character counts cannot be added", hint="count both the same way")
        if other is self:
            raise InputError("counts cannot be added to themselves")
        require_room(self, other.counts.get().num_occurrences())
        with nogil:
            self.counts.get().merge(other.counts.get()[0])

    @property
    def memory_bytes_soon(self) -> int:
        """The most this holds until a few thousand more words have come, tables growing; others may count meanwhile."""
        return self.counts.get().memory_soon()

    def take(self, size_t partition) -> bytes:
        """The words of one partition, which is empty then, for :meth:`give_back`; others may count meanwhile."""
        cdef vector[uint8_t] records
        check_partition(partition)
        with nogil:
            records = self.counts.get().take(partition)
        return (<const char*>records.data())[:records.size()] if records.size() else b""

    def give_back(self, size_t partition, bytes records not None):
        """Add words that :meth:`take` gave for the same partition."""
        cdef const uint8_t* data = <const uint8_t*><const char*>records
        cdef size_t size = len(records)
        check_partition(partition)
        try:
            with nogil:
                self.counts.get().add_records(partition, data, size)
        except ValueError as error:
            raise InputError(str(error)) from None

    def pack(self, object partition=None):
        """Keep nothing but the words and their counts, of one partition or of all; for when counting is over."""
        if partition is None:
            self.counts.get().pack()
        else:
            check_partition(partition)
            self.counts.get().pack(<size_t>partition)

    def clear(self):
        """Forget every word."""
        self.counts.get().clear()

    def stop(self):
        """Make the counters that feed this one fail soon; the counts are not whole then."""
        self.counts.get().stop()

    def items(self) -> list:
        """Every (word, count), most frequent first, then by bytes."""
        cdef vector[Word] words
        with nogil:
            words = self.counts.get().sorted()
        return [((<const char*>word.data)[:word.size], word.count) for word in words]

    def columns(self) -> tuple:
        """Counts (8 bytes each), sizes (4 bytes each) and words, ordered by the bytes of the words, little-endian."""
        cdef WordColumns columns
        with nogil:
            columns = to_columns(self.counts.get()[0])
        return columns.counts, columns.sizes, columns.words

    def add_columns(self, bytes counts not None, bytes sizes not None, bytes words not None):
        """Add what :meth:`columns` gave; all of it, or nothing when an error is raised."""
        cdef size_t num_words = len(sizes) // 4, data_size = len(words)
        cdef const uint8_t* data = <const uint8_t*><const char*>words
        cdef const uint8_t* first_count = <const uint8_t*><const char*>counts
        cdef const uint8_t* first_size = <const uint8_t*><const char*>sizes
        cdef vector[Word] read
        if <size_t>len(sizes) != 4 * num_words or <size_t>len(counts) != 8 * num_words:
            raise InputError("the columns of counts and sizes differ in length")
        try:
            with nogil:
                read = read_columns(first_count, first_size, num_words, data, data_size, self.byte_level)
                add_words(self.counts.get()[0], read)
        except ValueError as error:
            raise InputError(str(error)) from None
        except OverflowError as error:
            raise LimitError(str(error), hint="count fewer texts at once") from None


cdef class WordCounter:
    """Feeds a :class:`WordCounts` from one thread; nothing is complete there before :meth:`flush`.

    Parameters
    ----------
    normalization, cutting : native steps, the first to rewrite the text, the others to make words of it.
    """

    cdef unique_ptr[CppWordCounter] counter
    cdef readonly WordCounts counts

    def __cinit__(self, WordCounts counts not None, *, tuple normalization=(), tuple cutting=()):
        cdef WordCut cut
        cdef NativeStep step
        for step in normalization:
            cut.normalization.push_back(step.step.rewrite)
        for step in cutting:
            cut.cutting.add(step.step)
        self.counts = counts
        self.counter = make_unique[CppWordCounter](counts.counts.get()[0], cut)

    def add_lines(self, bytes text not None):
        """Count the words of each line of valid UTF-8, its line end with it."""
        cdef const uint8_t* data = <const uint8_t*><const char*>text
        cdef size_t size = len(text)
        with nogil:
            self.counter.get().add_lines(data, size)

    def add_texts(self, list texts not None):
        """Count the words of each string by itself."""
        cdef Py_ssize_t size
        cdef const char* data
        for text in texts:
            data = utf8(text, &size)
            with nogil:
                self.counter.get().add_text(<const uint8_t*>data, <size_t>size)

    def add_words(self, list words not None):
        """Count each string as a word; bytes are a word as it is, in a byte-level count."""
        cdef Py_ssize_t size
        cdef const char* data
        for word in words:
            size = len(word)
            data = <const char*><bytes>word if isinstance(word, bytes) else utf8(word, &size)
            self.counter.get().add_word(<const uint8_t*>data, <size_t>size, <const uint8_t*>data + size)

    def flush(self):
        """Hand over everything counted so far."""
        with nogil:
            self.counter.get().flush()


cdef int require_room(WordCounts counts, uint64_t more) except -1:
    if more >> 63 or (counts.counts.get().num_occurrences() + more) >> 63:
        raise LimitError("the counts together pass 2^63 - 1", hint="count fewer texts at once")


cdef int check_partition(size_t partition) except -1:
    if partition >= num_partitions:
        raise InputError(f"there is no partition {partition}", allowed=f"0 to {num_partitions - 1}")


cdef const char* utf8(object text, Py_ssize_t* size) except NULL:
    try:
        return PyUnicode_AsUTF8AndSize(text, size)
    except UnicodeEncodeError as error:
        what = f"character {error.start} is half of a surrogate pair, which is no text"
        raise InputError(what, hint="decode the source with errors='replace'") from None
