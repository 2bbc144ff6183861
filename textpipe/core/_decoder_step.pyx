# distutils: language = c++
"""One token more of a few texts, through all blocks of a decoder: marshalling only.

What enters: a decoder's weights as float32 arrays, which are read where they lie; then, step by step, ids, keys and
values. What leaves: hidden states. Promises: the shape of every array is checked, and so is every id and place, before
the native code reads by it.
"""

from libc.stdint cimport int64_t
from libcpp cimport bool as cbool
from libcpp.memory cimport unique_ptr
from libcpp.vector cimport vector

ctypedef const float* Numbers

cdef extern from "decoder_step.hpp" namespace "textpipe::decoder" nogil:
    cdef cppclass Matrix:
        Numbers weight, bias
        size_t out, in_ "in"
    cdef cppclass Norm:
        Numbers weight, bias
        size_t width
        float epsilon
        cbool subtracts_mean
    cdef cppclass Heads:
        Matrix query, key, value, output
    cdef cppclass Block:
        Norm attention_norm, source_norm, feed_forward_norm
        Heads attention, source_attention
        Matrix up, gate, down
    cdef enum class Bend:
        relu, gelu, gelu_tanh, silu, swiglu
    cdef cppclass Decoder:
        size_t width, heads, kv_heads, head_width, inner
        cbool norm_first, has_source
        Bend bend
        Numbers embedding, added, positions, turns
        float embedding_scale
        vector[Block] blocks
        Norm final_norm
    cdef cppclass Past:
        float* keys
        float* values
        size_t rows, capacity, length
        const int64_t* padding
    cdef cppclass SourceHeads:
        Numbers keys, values
        size_t key_strides[3]
        size_t value_strides[3]
    cdef cppclass Source:
        vector[SourceHeads] blocks
        const int64_t* lengths
    cdef cppclass CppDecoderStep "textpipe::decoder::DecoderStep":
        CppDecoderStep(Decoder decoder, size_t num_threads, cbool plain) except +
        void run(const Past& past, const Source* source, const int64_t* tokens, float* states) except +

BENDS = {"relu": <int>Bend.relu, "gelu": <int>Bend.gelu, "gelu_tanh": <int>Bend.gelu_tanh, "silu": <int>Bend.silu,
         "swiglu": <int>Bend.swiglu}

cdef int _require(bint holds, str what) except -1:
    if not holds:
        raise ValueError(what)
    return 0


cdef Numbers _numbers(object array, Py_ssize_t count, str name) except? NULL:
    cdef const float[::1] numbers = array
    _require(numbers.shape[0] == count and count > 0, f"{name} has {numbers.shape[0]} numbers, not {count}")
    return &numbers[0]


cdef Matrix _matrix(dict block, str name, Py_ssize_t rows, Py_ssize_t columns) except *:
    """``block[name]`` is its weight (rows, columns) and its bias (rows) or None."""
    cdef Matrix made
    weight, bias = block[name]
    cdef const float[:, ::1] numbers = weight
    found = (numbers.shape[0], numbers.shape[1])
    _require(found == (rows, columns), f"{name} has the shape {found}, not {(rows, columns)}")
    made.weight = &numbers[0, 0]
    if bias is not None:
        made.bias = _numbers(bias, rows, name)
    made.out, made.in_ = rows, columns
    return made


cdef Norm _norm(tuple parts, Py_ssize_t width, str name) except *:
    """``parts`` are weight (width), bias (width) or None, epsilon, and whether the mean is subtracted."""
    cdef Norm made
    weight, bias, epsilon, subtracts_mean = parts
    made.weight = _numbers(weight, width, name)
    if bias is not None:
        made.bias = _numbers(bias, width, name)
    made.width, made.epsilon, made.subtracts_mean = width, epsilon, subtracts_mean
    return made


cdef Heads _heads(dict block, str name, Py_ssize_t width, Py_ssize_t kv_width) except *:
    cdef Heads made
    made.query = _matrix(block, name + ".query", width, width)
    made.key = _matrix(block, name + ".key", kv_width, width)
    made.value = _matrix(block, name + ".value", kv_width, width)
    made.output = _matrix(block, name + ".output", width, width)
    return made


cdef class SourceStates:
    """Keys and values (rows, heads, positions, K) of a source for each block; of a row ``lengths`` positions count."""

    cdef Source _source
    cdef object _kept
    cdef readonly tuple shape

    def __init__(self, list keys_values, const int64_t[::1] lengths):
        cdef const float[:, :, :, :] keys, values
        cdef SourceHeads heads
        cdef Py_ssize_t axis, number_bytes = sizeof(float)
        self._kept = (keys_values, lengths)
        self.shape = ()
        for keys, values in keys_values:
            found = (keys.shape[0], keys.shape[1], keys.shape[2], keys.shape[3])
            self.shape = self.shape or found
            same = (values.shape[0], values.shape[1], values.shape[2], values.shape[3])
            _require(found == same == self.shape, f"keys and values of the shapes {found} and {same}, not {self.shape}")
            _require(min(found) > 0, f"keys of the shape {found}")
            _require(keys.strides[3] == values.strides[3] == number_bytes, "a head's numbers do not follow each other")
            for axis in range(3):
                _require(min(keys.strides[axis], values.strides[axis]) >= 0, "keys and values run backwards")
                heads.key_strides[axis] = keys.strides[axis] // number_bytes
                heads.value_strides[axis] = values.strides[axis] // number_bytes
            heads.keys, heads.values = &keys[0, 0, 0, 0], &values[0, 0, 0, 0]
            self._source.blocks.push_back(heads)
        _require(len(keys_values) > 0 and lengths.shape[0] == self.shape[0], f"lengths of {lengths.shape[0]} rows")
        longest = self.shape[2]
        for length in lengths:
            _require(1 <= length <= longest, f"a source of {length} positions; allowed: 1 to {longest}")
        self._source.lengths = &lengths[0]


cdef class DecoderStep:
    """A decoder, as a table of where its weights lie; they may change, but not move.

    Parameters
    ----------
    embedding : (entries, width); times ``embedding_scale``, and plus ``added`` (width), it is a token's vector.
    positions : (context, width), added to it; or None.
    turns : (K / 2), the angle by which a position turns each pair of a head's K numbers; or None.
    blocks : for each the weight and bias of its matrices, and the weight, bias, epsilon of its norms and whether they
        subtract the mean, by the names they have in a block. One with ``source_norm`` attends to a source.
    final_norm : the same of the last norm; or None.
    bend : a key of ``BENDS``.
    plain : keep to the kernels that every processor can run.
    """

    cdef unique_ptr[CppDecoderStep] _step
    cdef object _kept
    cdef Py_ssize_t _width, _entries, _places, _layers, _heads, _kv_heads
    cdef bint _has_source

    def __init__(
        self, *, const float[:, ::1] embedding, float embedding_scale, const float[::1] added,
        const float[:, ::1] positions, const float[::1] turns, list blocks, tuple final_norm, Py_ssize_t heads,
        Py_ssize_t kv_heads, str bend, bint norm_first, size_t threads, bint plain=False,
    ):
        cdef Decoder decoder
        cdef Py_ssize_t width = embedding.shape[1]
        self._kept = (embedding, added, positions, turns, blocks, final_norm)
        self._entries, self._width = embedding.shape[0], width
        _require(self._entries > 0 and width > 0, "an embedding without numbers")
        _require(heads > 0 and width % heads == 0, f"a width of {width} in {heads} heads")
        _require(kv_heads > 0 and heads % kv_heads == 0, f"{heads} heads that share {kv_heads} of keys and values")
        _require(bend in BENDS, f"a bend {bend!r}; allowed: {', '.join(BENDS)}")
        self._layers, self._heads, self._kv_heads = len(blocks), heads, kv_heads
        self._has_source = bool(blocks) and "source_norm" in blocks[0]
        decoder.width, decoder.heads, decoder.kv_heads, decoder.head_width = width, heads, kv_heads, width // heads
        decoder.norm_first, decoder.has_source = norm_first, self._has_source
        decoder.bend = <Bend><int>BENDS[bend]
        decoder.embedding, decoder.embedding_scale = &embedding[0, 0], embedding_scale
        if added is not None:
            decoder.added = _numbers(added, width, "added")
        if turns is not None:
            decoder.turns = _numbers(turns, width // heads // 2, "turns")
        self._places = -1
        if positions is not None:
            _require(positions.shape[0] > 0 and positions.shape[1] == width, f"positions of width {positions.shape[1]}")
            self._places, decoder.positions = positions.shape[0], &positions[0, 0]
        if final_norm is not None:
            decoder.final_norm = _norm(final_norm, width, "final_norm")
        for block in blocks:
            decoder.inner = len(blocks[0]["feed_forward.up"][0])
            decoder.blocks.push_back(self._block(block, width, kv_heads * (width // heads), decoder.inner, bend))
        self._step.reset(new CppDecoderStep(decoder, threads, plain))

    cdef Block _block(self, dict block, Py_ssize_t width, Py_ssize_t kv_width, Py_ssize_t inner, str bend) except *:
        cdef Block made
        made.attention_norm = _norm(block["attention_norm"], width, "attention_norm")
        made.feed_forward_norm = _norm(block["feed_forward_norm"], width, "feed_forward_norm")
        made.attention = _heads(block, "attention", width, kv_width)
        if self._has_source:
            made.source_norm = _norm(block["source_norm"], width, "source_norm")
            made.source_attention = _heads(block, "source_attention", width, width)
        made.up = _matrix(block, "feed_forward.up", inner, width)
        made.down = _matrix(block, "feed_forward.down", width, inner)
        if bend == "swiglu":
            made.gate = _matrix(block, "feed_forward.gate", inner, width)
        return made

    def step(
        self, const int64_t[::1] tokens, float[:, :, :, :, :, ::1] past, Py_ssize_t length, float[:, ::1] states, *,
        const int64_t[::1] padding=None, SourceStates source=None,
    ):
        """Read a token of each row, put its keys and values at position ``length`` of ``past``, and write states.

        Parameters
        ----------
        tokens : (rows).
        past : keys and values (2, layers, rows, kv_heads, capacity, K) of ``length`` positions.
        states : (rows, width), which is written.
        padding : how many positions at the left of each row are none of its text.
        source : what the rows write a target of.
        """
        cdef Past written
        cdef const Source* read = NULL
        cdef Py_ssize_t row, rows = tokens.shape[0], least = 0
        shape = (2, self._layers, rows, self._kv_heads, past.shape[4], self._width // self._heads)
        found = tuple(past.shape[axis] for axis in range(6))
        _require(rows > 0 and found == shape, f"a cache of the shape {found}, not {shape}")
        _require(0 <= length < past.shape[4], f"position {length} of a cache of {past.shape[4]}")
        _require((states.shape[0], states.shape[1]) == (rows, self._width), "states of another shape")
        _require(self._has_source == (source is not None), "a decoder with a source reads one, and no other does")
        if padding is not None:
            _require(padding.shape[0] == rows, f"padding of {padding.shape[0]} rows, not {rows}")
            least = length
        for row in range(rows):
            _require(0 <= tokens[row] < self._entries, f"the id {tokens[row]}; allowed: 0 to {self._entries - 1}")
            if padding is not None:
                _require(0 <= padding[row] <= length, f"{padding[row]} positions of padding, of {length}")
                least = min(least, padding[row])
        _require(self._places < 0 or length - least < self._places, f"position {length - least} of {self._places}")
        if source is not None:
            expected = (rows, self._heads, source.shape[2], self._width // self._heads)
            _require(source.shape == expected, f"a source of the shape {source.shape}, not {expected}")
            _require(<Py_ssize_t>source._source.blocks.size() == self._layers, "a source for another number of blocks")
        written.keys, written.values = &past[0, 0, 0, 0, 0, 0], &past[1, 0, 0, 0, 0, 0]
        written.rows, written.capacity, written.length = rows, past.shape[4], length
        if padding is not None:
            written.padding = &padding[0]
        if source is not None:
            read = &source._source
        with nogil:
            self._step.get().run(written, read, &tokens[0], &states[0, 0])
