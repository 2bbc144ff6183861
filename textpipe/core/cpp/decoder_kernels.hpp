// What a decoder computes of a few positions at a time. Enters: float32 weights and hidden states. Leaves: products, norms,
// attention and what bends a feed-forward layer. Promises: the widest kernel the processor has is chosen when run; each number
// is the same however many are computed beside it; what is not a number stays so.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "gelu.hpp"
#include "float_machine.hpp"
#include "vector_math.hpp"

namespace textpipe::decoder {

using namespace vector_math;

// (out, in), with a number that is added to each out or without.
struct Matrix {
    const float* weight = nullptr;
    const float* bias = nullptr;
    size_t out = 0, in = 0;
};

// Over `width` numbers; of the root mean square alone, or subtracting the mean.
struct Norm {
    const float* weight = nullptr;
    const float* bias = nullptr;
    size_t width = 0;
    float epsilon = 0.0f;
    bool subtracts_mean = true;
};

enum class Bend : int { relu, gelu, gelu_tanh, silu, swiglu };

// Queries (queries, K) that look at the same keys and values, and where what they find is to go.
struct Looking {
    const float* queries;
    size_t num_queries;
    const float* keys;
    size_t key_stride;
    const float* values;
    size_t value_stride, count, width;  // of `count` keys and values, each K numbers
    float* found;
};

// y[row][out …] of each row, for `num_outs` columns of the product.
template <class V, size_t num_outs, size_t num_rows>
TEXTPIPE_INLINE void columns(const Matrix& matrix, const float* x, size_t out, float* y) {
    float found[num_rows][num_outs];
    dots<V, num_outs, num_rows>(matrix.weight + out * matrix.in, matrix.in, x, matrix.in, found);
    for (size_t row = 0; row < num_rows; ++row)
        for (size_t k = 0; k < num_outs; ++k)
            y[row * matrix.out + out + k] = found[row][k] + (matrix.bias == nullptr ? 0.0f : matrix.bias[out + k]);
}

template <class V, size_t num_rows>
TEXTPIPE_INLINE void product_of_rows(const Matrix& matrix, const float* x, size_t first, size_t last, float* y) {
    size_t out = first;
    for (; out + 4 <= last; out += 4) columns<V, 4, num_rows>(matrix, x, out, y);
    for (; out < last; ++out) columns<V, 1, num_rows>(matrix, x, out, y);
}

// y = x · matrixᵀ + bias, its columns first … last.
template <class V, size_t most_rows>
TEXTPIPE_INLINE void product_loop(const Matrix& matrix, const float* x, size_t rows, size_t first, size_t last, float* y) {
    constexpr size_t strip = 16;  // of the matrix: short enough to stay at hand while all rows are multiplied with it
    for (size_t end; first < last; first = end) {
        end = rows == 1 ? last : std::min(last, first + strip);
        size_t row = 0;
        for (; row + most_rows <= rows; row += most_rows)
            product_of_rows<V, most_rows>(matrix, x + row * matrix.in, first, end, y + row * matrix.out);
        for (; row < rows; ++row)
            product_of_rows<V, 1>(matrix, x + row * matrix.in, first, end, y + row * matrix.out);
    }
}

template <class V>
TEXTPIPE_INLINE void norm_loop(const Norm& norm, const float* x, size_t rows, float* y) {
    const size_t width = norm.width;
    const float share = 1.0f / static_cast<float>(width);
    for (size_t row = 0; row < rows; ++row, x += width, y += width) {
        const float mean = norm.subtracts_mean ? sum<V>(x, width) * share : 0.0f;
        const float scale = 1.0f / std::sqrt(sum_of_squares<V>(x, width, mean) * share + norm.epsilon);
        for (size_t i = 0; i < width; ++i) y[i] = (x[i] - mean) * scale * norm.weight[i];
        if (norm.bias != nullptr)
            for (size_t i = 0; i < width; ++i) y[i] += norm.bias[i];
    }
}

template <class V>
TEXTPIPE_INLINE void score(const float* query, const Looking& looking, float* scores) {
    const float scale = 1.0f / std::sqrt(static_cast<float>(looking.width));
    size_t s = 0;
    for (; s + 4 <= looking.count; s += 4) {
        float found[1][4];
        dots<V, 4, 1>(looking.keys + s * looking.key_stride, looking.key_stride, query, looking.width, found);
        for (size_t k = 0; k < 4; ++k) scores[s + k] = found[0][k] * scale;
    }
    for (; s < looking.count; ++s) {
        float found[1][1];
        dots<V, 1, 1>(looking.keys + s * looking.key_stride, looking.key_stride, query, looking.width, found);
        scores[s] = found[0][0] * scale;
    }
}

// The vectors of the values that a width is made of, from the column `from` on; the column that is left to narrower ones.
template <class V>
TEXTPIPE_INLINE size_t mixed(const Looking& looking, const float* shares, float part, size_t from, float* found) {
    for (; from + lanes<V> <= looking.width; from += lanes<V>) {
        const V sums = weighted<V>(shares, looking.values + from, looking.value_stride, looking.count);
        store(found + from, static_cast<V>(sums * part));
    }
    return from;
}

template <class V>
TEXTPIPE_INLINE void attend_loop(const Looking& looking, float* scores) {
    for (size_t number = 0; number < looking.num_queries; ++number) {
        const float* query = looking.queries + number * looking.width;
        if (looking.width % lanes<V> == 0)
            score<V>(query, looking, scores);
        else if (looking.width % lanes<Float4> == 0)
            score<Float4>(query, looking, scores);
        else
            score<float>(query, looking, scores);
        const float most = highest<V>(scores, looking.count);
        for (size_t s = 0; s < looking.count; ++s) scores[s] = gelu::exponential(scores[s] - most);
        const float part = 1.0f / sum<V>(scores, looking.count);
        float* found = looking.found + number * looking.width;
        size_t column = mixed<V>(looking, scores, part, 0, found);
        column = mixed<Float4>(looking, scores, part, column, found);
        mixed<float>(looking, scores, part, column, found);
    }
}

// erf(x) for x >= 0 within 2e-7, by formula 7.1.26 of Abramowitz and Stegun (1964).
TEXTPIPE_INLINE float error_function(float x) {
    const float t = 1.0f / (1.0f + 0.3275911f * x);
    const float series = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
    return 1.0f - series * gelu::exponential(-x * x);
}

TEXTPIPE_INLINE float bent_gelu(float x) {
    const float away = std::fabs(x) * 0.70710678118654752f;
    return 0.5f * (x + std::fabs(x) * error_function(away));
}

TEXTPIPE_INLINE float bent_silu(float x) { return x / (1.0f + gelu::exponential(-x)); }

// Bends x where it stands; the gate is read by swiglu alone.
TEXTPIPE_INLINE void bend_loop(Bend bend, float* x, const float* gate, size_t count) {
    switch (bend) {
        case Bend::relu:
            for (size_t i = 0; i < count; ++i) x[i] = x[i] < 0.0f ? 0.0f : x[i];
            break;
        case Bend::gelu:
            for (size_t i = 0; i < count; ++i) x[i] = bent_gelu(x[i]);
            break;
        case Bend::gelu_tanh:
            gelu::forward_loop(x, x, count);
            break;
        case Bend::silu:
            for (size_t i = 0; i < count; ++i) x[i] = bent_silu(x[i]);
            break;
        case Bend::swiglu:
            for (size_t i = 0; i < count; ++i) x[i] *= bent_silu(gate[i]);
    }
}

struct Kernels {
    void (*product)(const Matrix&, const float* x, size_t rows, size_t first, size_t last, float* y);
    void (*norm)(const Norm&, const float* x, size_t rows, float* y);
    void (*attend)(const Looking&, float* scores);
    void (*bend)(Bend, float* x, const float* gate, size_t count);
};

// The loops compiled once for each kind of processor: its vector, how many rows its registers hold sums of, and its marks.
#define TEXTPIPE_DECODER_KERNELS(name, Vector, most_rows, ...)                                                            \
    __VA_ARGS__ inline void product_##name(const Matrix& matrix, const float* x, size_t rows, size_t first, size_t last, \
                                           float* y) {                                                                    \
        product_loop<Vector, most_rows>(matrix, x, rows, first, last, y);                                                 \
    }                                                                                                                     \
    __VA_ARGS__ inline void norm_##name(const Norm& norm, const float* x, size_t rows, float* y) {                        \
        norm_loop<Vector>(norm, x, rows, y);                                                                              \
    }                                                                                                                     \
    __VA_ARGS__ inline void attend_##name(const Looking& looking, float* scores) { attend_loop<Vector>(looking, scores); } \
    __VA_ARGS__ inline void bend_##name(Bend bend, float* x, const float* gate, size_t count) {                           \
        bend_loop(bend, x, gate, count);                                                                                  \
    }                                                                                                                     \
    constexpr Kernels kernels_##name{product_##name, norm_##name, attend_##name, bend_##name};
TEXTPIPE_DECODER_KERNELS(plain, Float4, 2, )
#if TEXTPIPE_X86
TEXTPIPE_DECODER_KERNELS(avx2, Float8, 2, TEXTPIPE_FLOATS_AVX2)
TEXTPIPE_DECODER_KERNELS(avx512, Float16, 4, TEXTPIPE_FLOATS_AVX512)
#endif
#undef TEXTPIPE_DECODER_KERNELS

// Those of this processor; of any, when `plain`.
inline const Kernels& kernels(bool plain) {
#if TEXTPIPE_X86
    if (!plain && machine::has_floats_avx512()) return kernels_avx512;
    if (!plain && machine::has_floats_avx2()) return kernels_avx2;
#endif
    static_cast<void>(plain);
    return kernels_plain;
}

}  // namespace textpipe::decoder
