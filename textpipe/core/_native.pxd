# What native models and steps have in common, for the extensions that make them. A model's extension derives a class
# from NativeModel and sets `model` in its __init__; a step's derives from NativeStep, or calls rewrite_step or
# cut_step, and sets one of the two pointers.
#
#     self.model = <ModelPointer>make_shared[MyModel](…)        # MyModel derives from textpipe::Model (model.hpp)
#     return cut_step(<CutPointer>make_shared[MyCut](…), "my cut")   # from textpipe::CutStep (steps.hpp)
from libc.stdint cimport uint8_t, uint32_t
from libcpp.vector cimport vector

cdef extern from "model.hpp" namespace "textpipe" nogil:
    cdef cppclass Token:
        uint32_t id
        uint32_t size
    cdef cppclass CppModel "const textpipe::Model":
        bint has_places()
    cdef cppclass ModelPointer:
        CppModel* get()

cdef extern from "steps.hpp" namespace "textpipe" nogil:
    cdef cppclass CppRewrite "const textpipe::RewriteStep":
        size_t growth()
    cdef cppclass RewritePointer:
        CppRewrite* get()
    cdef cppclass CutPointer:
        pass
    cdef cppclass Step:
        RewritePointer rewrite
        CutPointer cut


cdef class NativeModel:
    cdef ModelPointer model


cdef class NativeStep:
    cdef Step step
    cdef readonly str name  # of the step with its arguments: equal steps have equal names
    cdef readonly bint cuts
    cdef bint grows(self)


cdef NativeStep rewrite_step(RewritePointer step, str name)
cdef NativeStep cut_step(CutPointer step, str name)
