# distutils: language = c++
"""The bend of GPT's feed-forward layers, over arrays.

What enters: flat float32 arrays of one length. What leaves: the last one, filled. ``scalar`` keeps to the kernel that
every processor can run.
"""

from libcpp cimport bool as cbool

cdef extern from "gelu.hpp" namespace "textpipe::gelu" nogil:
    void _forward "textpipe::gelu::forward"(
        const float* x, float* y, size_t count, size_t num_threads, cbool scalar) except +
    void _backward "textpipe::gelu::backward"(
        const float* x, const float* above, float* below, size_t count, size_t num_threads, cbool scalar) except +


cdef int _check(Py_ssize_t one, Py_ssize_t other) except -1:
    if one != other:
        raise ValueError(f"arrays of {one} and {other} numbers")
    return 0


def forward(const float[::1] x, float[::1] y, *, size_t threads=1, bint scalar=False):
    """Write gelu(x) to y."""
    _check(x.shape[0], y.shape[0])
    if x.shape[0]:
        with nogil:
            _forward(&x[0], &y[0], x.shape[0], threads, scalar)


def backward(const float[::1] x, const float[::1] above, float[::1] below, *, size_t threads=1, bint scalar=False):
    """Write gelu'(x) · above to below."""
    _check(x.shape[0], above.shape[0])
    _check(x.shape[0], below.shape[0])
    if x.shape[0]:
        with nogil:
            _backward(&x[0], &above[0], &below[0], x.shape[0], threads, scalar)
