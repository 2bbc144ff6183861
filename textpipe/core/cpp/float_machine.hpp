// Which kernels over float32 numbers the machine can run, asked once at run time (see machine.hpp), and their marks.
#pragma once

#include "machine.hpp"

#if TEXTPIPE_X86
#define TEXTPIPE_FLOATS_AVX2 __attribute__((target("avx2,fma")))
#define TEXTPIPE_FLOATS_AVX512 __attribute__((target("avx512f,avx512dq,avx512vl,fma,prefer-vector-width=512")))
#endif

namespace textpipe::machine {

inline bool has_floats_avx2() {
#if TEXTPIPE_X86
    static const bool found = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return found;
#else
    return false;
#endif
}

inline bool has_floats_avx512() {
#if TEXTPIPE_X86
    static const bool found =
        has_floats_avx2() && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    return found;
#else
    return false;
#endif
}

}  // namespace textpipe::machine
