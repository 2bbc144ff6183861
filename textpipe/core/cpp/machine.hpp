// What the machine can do, asked once at run time. Nothing is compiled for more than the plain machine but the functions
// marked here, and they are called where it can run them.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define TEXTPIPE_X86 1
#include <immintrin.h>
#define TEXTPIPE_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt")))
#define TEXTPIPE_AVX512 __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt,avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")))
#else
#define TEXTPIPE_X86 0
#endif

#define TEXTPIPE_INLINE inline __attribute__((always_inline))

namespace textpipe::machine {

inline bool has_avx2() {
#if TEXTPIPE_X86
    static const bool found = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
    return found;
#else
    return false;
#endif
}

// With instructions that move the bytes of a mask together.
inline bool has_avx512() {
#if TEXTPIPE_X86
    static const bool found = has_avx2() && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                              __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2");
    return found;
#else
    return false;
#endif
}

}  // namespace textpipe::machine
