# What the trainers use of _watch.
from libc.stdint cimport int64_t, uint64_t


cdef class Watch:
    cdef object progress, state, failure
    cdef tuple phases
    cdef object reason(self, error)


cdef int on_pulse(void* owner, int phase, uint64_t done, uint64_t total) noexcept with gil
cdef int64_t on_keep(void* owner, int act, char* data, size_t size) noexcept with gil
