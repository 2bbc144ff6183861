# distutils: language = c++
"""How Python watches a long training, stops it and keeps what it knows: marshalling only.

What enters: calls of the engine, about twenty a second. What leaves: calls of ``progress``, and bytes to and from a
state. Promises: what either raises, and Ctrl-C, stops the engine between two steps and comes out of the training.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

from textpipe.errors import LimitError, StateError

cdef enum:
    STOP = 0
    GO_ON = 1
    KEEP = 2

cdef extern from "snapshot.hpp" namespace "textpipe" nogil:
    cdef int keep_open, keep_read, keep_begin, keep_write, keep_end, keep_at_stop


cdef class Watch:
    """The owner of a training.

    Parameters
    ----------
    phases : the names of the engine's phases.
    progress : None, or called as ``progress(phase, done, total)``.
    state : None, or a :class:`~textpipe.trainers.training_state.TrainingState`.
    """

    def __cinit__(self, tuple phases not None, progress, state):
        self.phases = phases
        self.progress = progress
        self.state = state

    cdef object reason(self, error):
        """What to raise for what came out of the engine."""
        if self.state is not None:
            self.state.abandon()
        if self.failure is not None:
            return self.failure
        if isinstance(error, OverflowError):
            return LimitError(str(error), hint="train on fewer texts")
        if isinstance(error, ArithmeticError) and self.state is not None:
            return StateError(str(error), where=self.state.path, hint="remove this file to begin anew")
        return error


cdef int on_pulse(void* owner, int phase, uint64_t done, uint64_t total) noexcept with gil:
    watch = <Watch>owner
    try:
        PyErr_CheckSignals()
        if watch.progress is not None:
            watch.progress(watch.phases[phase], done, total)
        return KEEP if watch.state is not None and watch.state.is_due() else GO_ON
    except BaseException as error:
        watch.failure = error
        return STOP


cdef int64_t on_keep(void* owner, int act, char* data, size_t size) noexcept with gil:
    watch = <Watch>owner
    cdef bytes part
    if watch.state is None:
        return 0
    try:
        if act == keep_open:
            return watch.state.open()
        if act == keep_read:
            part = watch.state.read(size)
            memcpy(data, <const char*>part, len(part))
            return len(part)
        if act == keep_begin:
            watch.state.begin()
        elif act == keep_write:
            watch.state.write(data[:size])
        elif act == keep_end:
            watch.state.end()
        else:
            return watch.state.has_time_at_stop()
        return GO_ON
    except BaseException as error:
        if watch.failure is None:
            watch.failure = error
        return -1
