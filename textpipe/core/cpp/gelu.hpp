// The bend of GPT's feed-forward layers over many numbers at once. Enters: float32 numbers (and what comes back to them
// in backward). Leaves: gelu(x) = x · σ(z), with z = 2 √(2/π) (x + 0.044715 x³), which is the tanh form of Hendrycks and
// Gimpel (2016) written with one exponential; or its gradient. Promises: within 1e-6 of the formula; what is not a number
// stays so; the loops hold no branch, so that compilers turn them into vectors, and the widest kernel the processor has
// is chosen when run.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "float_machine.hpp"

namespace textpipe::gelu {

constexpr float slope = 1.5957691216057308f;  // 2 √(2/π)
constexpr float cubic = slope * 0.044715f;

// e^z = 2^n · e^r with n whole and |r| <= ln(2)/2; the series of e^r ends where float32 does. Past ±64 z is held: the
// share is then 0 or 1 for float32, and no product becomes too small for the processor's fast path.
TEXTPIPE_INLINE float exponential(float z) {
    z = z < -64.0f ? -64.0f : z;
    z = z > 64.0f ? 64.0f : z;
    constexpr float whole_bits = 12582912.0f;  // 1.5 · 2^23: what is added to it is rounded to a whole number
    const float shifted = z * 1.44269504088896341f + whole_bits;
    const float n = shifted - whole_bits;
    const float r = (z - n * 0.693359375f) + n * 2.12194440054690583e-4f;  // ln 2 in two parts, the first exact
    const float tail = 1.0f / 6 + r * (1.0f / 24 + r * (1.0f / 120 + r * (1.0f / 720 + r * (1.0f / 5040))));
    const float series = 1.0f + r * (1.0f + r * (0.5f + r * tail));
    uint32_t bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127) << 23;  // n as the exponent of a float
    float power;
    std::memcpy(&power, &bits, sizeof power);
    return power * series;
}

// e^−z: σ(z) is 1 / (1 + e^−z), and 1 − σ(z) the same times e^−z, with nothing lost to a difference.
TEXTPIPE_INLINE float odds(float x) { return exponential(-x * (slope + cubic * x * x)); }

TEXTPIPE_INLINE void forward_loop(const float* x, float* y, size_t count) {
    for (size_t i = 0; i < count; ++i) y[i] = x[i] * (1.0f / (1.0f + odds(x[i])));
}

TEXTPIPE_INLINE void backward_loop(const float* x, const float* above, float* below, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        const float against = odds(x[i]);
        const float s = 1.0f / (1.0f + against);
        const float rise = x[i] * (slope + 3.0f * cubic * x[i] * x[i]);
        below[i] = above[i] * (s + s * (s * against) * rise);
    }
}

using Forward = void (*)(const float*, float*, size_t);
using Backward = void (*)(const float*, const float*, float*, size_t);

// The two loops compiled once for each kind of processor.
#define TEXTPIPE_GELU_KERNELS(name, ...)                                                                   \
    __VA_ARGS__ inline void forward_##name(const float* x, float* y, size_t count) {                       \
        forward_loop(x, y, count);                                                                         \
    }                                                                                                      \
    __VA_ARGS__ inline void backward_##name(const float* x, const float* above, float* below, size_t count) { \
        backward_loop(x, above, below, count);                                                             \
    }
TEXTPIPE_GELU_KERNELS(scalar, )
#if TEXTPIPE_X86
TEXTPIPE_GELU_KERNELS(avx2, TEXTPIPE_FLOATS_AVX2)
TEXTPIPE_GELU_KERNELS(avx512, TEXTPIPE_FLOATS_AVX512)
#endif
#undef TEXTPIPE_GELU_KERNELS

inline std::pair<Forward, Backward> kernels(bool scalar) {
#if TEXTPIPE_X86
    if (!scalar && machine::has_floats_avx512()) return {forward_avx512, backward_avx512};
    if (!scalar && machine::has_floats_avx2()) return {forward_avx2, backward_avx2};
#endif
    static_cast<void>(scalar);
    return {forward_scalar, backward_scalar};
}

// Calls part(first, count) for pieces of equal length, one a thread; pieces too short to be worth a thread go together.
template <class Part>
void in_parts(size_t count, size_t num_threads, Part&& part) {
    constexpr size_t least = size_t{1} << 17;
    const size_t wanted = count / least < num_threads ? count / least : num_threads;
    const size_t pieces = wanted == 0 ? 1 : wanted;
    const size_t size = (count + pieces - 1) / pieces;
    std::vector<std::thread> threads;
    struct Joiner {
        std::vector<std::thread>& threads;
        ~Joiner() {
            for (std::thread& thread : threads) thread.join();
        }
    } joiner{threads};
    for (size_t first = size; first < count; first += size)
        threads.emplace_back([&part, first, size, count] { part(first, count - first < size ? count - first : size); });
    part(0, count < size ? count : size);
}

inline void forward(const float* x, float* y, size_t count, size_t num_threads, bool scalar) {
    const Forward kernel = kernels(scalar).first;
    in_parts(count, num_threads, [&](size_t first, size_t size) { kernel(x + first, y + first, size); });
}

inline void backward(const float* x, const float* above, float* below, size_t count, size_t num_threads, bool scalar) {
    const Backward kernel = kernels(scalar).second;
    in_parts(count, num_threads,
             [&](size_t first, size_t size) { kernel(x + first, above + first, below + first, size); });
}

}  // namespace textpipe::gelu
