# std::string from the bytes of a caller. Cython's own conversion copies them once more outside of its try, where memory
# that runs out ends the process; this raises MemoryError.
from libcpp.string cimport string


cdef inline int assign_bytes(string& target, bytes data) except -1:
    target.assign(<const char*>data, <size_t>len(data))
    return 0
