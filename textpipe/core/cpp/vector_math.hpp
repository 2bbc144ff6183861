// Sums of products of float32 numbers, in vectors of 4, 8 or 16 of them. Enters: plain arrays, of any length and alignment.
// Leaves: dot products, weighted sums and what norms need. Promises: no more is read than the arrays hold; what is not a number
// stays so; a sum is added up in the same order whatever is computed beside it. Everything is a template over the vector and
// inlined: a function that is compiled for a kind of processor has what it calls here compiled for that one.
#pragma once
#include <cstddef>
#include <cstring>

#include "machine.hpp"

namespace textpipe::vector_math {

typedef float Float4 __attribute__((vector_size(16)));
typedef float Float8 __attribute__((vector_size(32)));
typedef float Float16 __attribute__((vector_size(64)));

template <class V>
constexpr size_t lanes = sizeof(V) / sizeof(float);

template <class V>
TEXTPIPE_INLINE V load(const float* from) {
    V numbers;
    std::memcpy(&numbers, from, sizeof numbers);
    return numbers;
}

template <class V>
TEXTPIPE_INLINE void store(float* to, const V& numbers) {
    std::memcpy(to, &numbers, sizeof numbers);
}

template <class Half, class V>
TEXTPIPE_INLINE Half folded(const V& numbers) {
    Half halves[2];
    std::memcpy(halves, &numbers, sizeof numbers);
    return halves[0] + halves[1];
}

TEXTPIPE_INLINE float total(float number) { return number; }
TEXTPIPE_INLINE float total(const Float4& numbers) { return (numbers[0] + numbers[1]) + (numbers[2] + numbers[3]); }
TEXTPIPE_INLINE float total(const Float8& numbers) { return total(folded<Float4>(numbers)); }
TEXTPIPE_INLINE float total(const Float16& numbers) { return total(folded<Float8>(numbers)); }

// found[row][out] = Σ matrix[out][i] · x[row][i], for `num_outs` rows of a matrix at once and `num_rows` vectors.
template <class V, size_t num_outs, size_t num_rows>
TEXTPIPE_INLINE void dots(const float* matrix, size_t stride, const float* x, size_t count,
                          float (&found)[num_rows][num_outs]) {
    V sums[num_rows][num_outs] = {};
    size_t i = 0;
    for (; i + lanes<V> <= count; i += lanes<V>) {
        V read[num_rows];
        for (size_t row = 0; row < num_rows; ++row) read[row] = load<V>(x + row * count + i);
        for (size_t out = 0; out < num_outs; ++out) {
            const V weights = load<V>(matrix + out * stride + i);
            for (size_t row = 0; row < num_rows; ++row) sums[row][out] += weights * read[row];
        }
    }
    for (size_t row = 0; row < num_rows; ++row)
        for (size_t out = 0; out < num_outs; ++out) {
            float sum = total(sums[row][out]);
            for (size_t k = i; k < count; ++k) sum += matrix[out * stride + k] * x[row * count + k];
            found[row][out] = sum;
        }
}

// Σ shares[s] · rows[s], for as many of the rows' numbers as a vector has.
template <class V>
TEXTPIPE_INLINE V weighted(const float* shares, const float* rows, size_t stride, size_t count) {
    V sums[4] = {};
    size_t s = 0;
    for (; s + 4 <= count; s += 4)
        for (size_t k = 0; k < 4; ++k) sums[k] += shares[s + k] * load<V>(rows + (s + k) * stride);
    for (; s < count; ++s) sums[0] += shares[s] * load<V>(rows + s * stride);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

template <class V>
TEXTPIPE_INLINE float sum(const float* x, size_t count) {
    V sums[2] = {};
    size_t i = 0;
    for (; i + 2 * lanes<V> <= count; i += 2 * lanes<V>)
        for (size_t k = 0; k < 2; ++k) sums[k] += load<V>(x + i + k * lanes<V>);
    float found = total(static_cast<V>(sums[0] + sums[1]));
    for (; i < count; ++i) found += x[i];
    return found;
}

// Σ (x[i] − middle)²
template <class V>
TEXTPIPE_INLINE float sum_of_squares(const float* x, size_t count, float middle) {
    V sums[2] = {};
    size_t i = 0;
    for (; i + 2 * lanes<V> <= count; i += 2 * lanes<V>)
        for (size_t k = 0; k < 2; ++k) {
            const V away = load<V>(x + i + k * lanes<V>) - middle;
            sums[k] += away * away;
        }
    float found = total(static_cast<V>(sums[0] + sums[1]));
    for (; i < count; ++i) found += (x[i] - middle) * (x[i] - middle);
    return found;
}

// The highest of x, of which there is one at least; what is not a number is passed over.
template <class V>
TEXTPIPE_INLINE float highest(const float* x, size_t count) {
    float found = x[0];
    size_t i = 0;
    if (count >= lanes<V>) {
        V most = load<V>(x);
        for (i = lanes<V>; i + lanes<V> <= count; i += lanes<V>) {
            const V numbers = load<V>(x + i);
            most = most < numbers ? numbers : most;
        }
        float each[lanes<V>];
        store(each, most);
        for (float number : each) found = found < number ? number : found;
    }
    for (; i < count; ++i) found = found < x[i] ? x[i] : found;
    return found;
}

}  // namespace textpipe::vector_math
