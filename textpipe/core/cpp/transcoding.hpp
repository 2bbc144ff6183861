// Characters of one width to UTF-8. Enters: Latin-1, UCS-2 or UCS-4 as CPython holds it. Leaves: UTF-8. Promises: it ends
// before a surrogate, which is not a character; the same bytes from every function here, on every machine.
//
// Korean is Hangul and blanks: characters of three bytes and of one. Four of such become four words of four bytes, of
// which a shuffle chosen by what is ASCII among them drops the unused.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "machine.hpp"
#include "unicode.hpp"

namespace textpipe::transcoding {

// Bytes beyond the text that may be written.
constexpr size_t slack_bytes = 16;

// The most bytes that one unit becomes.
template <class Unit>
constexpr size_t most_bytes = sizeof(Unit) == 1 ? 2 : sizeof(Unit) == 2 ? 3 : 4;

// Writes units to `to`, which it moves on. Returns how many; fewer than `count` where a surrogate follows.
template <class Unit>
using Writer = size_t (*)(const Unit* text, size_t count, uint8_t*& to);

// One after the other: for machines without vectors, and the twin of the other.
template <class Unit>
inline size_t write_units(const Unit* text, size_t count, uint8_t*& to) {
    uint8_t* out = to;
    size_t i = 0;
    for (; i < count; ++i) {
        const uint32_t c = text[i];
        if (c < 0x80) {
            *out++ = static_cast<uint8_t>(c);
        } else if (sizeof(Unit) > 1 && c - 0x800u < 0xD000u) {  // up to the surrogates: Hangul and most of the world
            out[0] = static_cast<uint8_t>(0xE0 | c >> 12);
            out[1] = static_cast<uint8_t>(0x80 | (c >> 6 & 0x3F));
            out[2] = static_cast<uint8_t>(0x80 | (c & 0x3F));
            out += 3;
        } else if (c - 0xD800u < 0x800u) {
            break;
        } else {
            out = unicode::encode(c, out);
        }
    }
    to = out;
    return i;
}

#if TEXTPIPE_X86

// By which of four characters are ASCII: the bytes to keep of four words, and how many they are.
struct Kept {
    alignas(16) std::array<std::array<uint8_t, 16>, 16> bytes{};
    std::array<uint8_t, 16> count{};

    constexpr Kept() {
        for (unsigned ascii = 0; ascii < 16; ++ascii) {
            uint8_t at = 0;
            for (unsigned i = 0; i < 16; ++i) bytes[ascii][i] = 0x80;
            for (unsigned word = 0; word < 4; ++word)
                for (unsigned byte = 0; byte < (ascii >> word & 1 ? 1u : 3u); ++byte)
                    bytes[ascii][at++] = static_cast<uint8_t>(4 * word + byte);
            count[ascii] = at;
        }
    }
};
inline constexpr Kept kept;

// Eight characters as words.
TEXTPIPE_AVX2 inline __m256i load_eight(const uint16_t* text) {
    return _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(text)));
}
TEXTPIPE_AVX2 inline __m256i load_eight(const uint32_t* text) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
}
TEXTPIPE_AVX2 inline __m256i load_eight(const uint8_t* text) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(text)));
}

TEXTPIPE_AVX2 inline void write_four(__m128i words, unsigned ascii, uint8_t*& to) {
    const __m128i chosen = _mm_load_si128(reinterpret_cast<const __m128i*>(kept.bytes[ascii].data()));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_shuffle_epi8(words, chosen));
    to += kept.count[ascii];
}

TEXTPIPE_AVX2 inline __m256i all(uint32_t value) { return _mm256_set1_epi32(static_cast<int>(value)); }
// first <= c < end
TEXTPIPE_AVX2 inline __m256i among(__m256i c, uint32_t first, uint32_t end) {
    const __m256i shifted = _mm256_sub_epi32(c, all(first));
    return _mm256_cmpeq_epi32(_mm256_min_epu32(shifted, all(end - first - 1)), shifted);
}
TEXTPIPE_AVX2 inline unsigned bits(__m256i v) {
    return static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(v)));
}

// Eight at a time where each is ASCII or has three bytes.
template <class Unit>
TEXTPIPE_AVX2 inline size_t write_vectors(const Unit* text, size_t count, uint8_t*& to) {
    size_t i = 0;
    while (i + 8 <= count) {
        const __m256i c = load_eight(text + i);
        const __m256i ascii = among(c, 0, 0x80);
        const unsigned is_ascii = bits(ascii);
        const __m256i three = _mm256_or_si256(among(c, 0x800, 0xD800), among(c, 0xE000, 0x10000));
        if (__builtin_expect((is_ascii | bits(three)) != 0xFF, 0)) {
            const size_t written = write_units(text + i, 8, to);
            i += written;
            if (written != 8) return i;
            continue;
        }
        const __m256i second = _mm256_and_si256(_mm256_slli_epi32(c, 2), all(0x3F00));
        const __m256i third = _mm256_and_si256(_mm256_slli_epi32(c, 16), all(0x3F0000));
        const __m256i parts = _mm256_or_si256(_mm256_or_si256(_mm256_srli_epi32(c, 12), second), third);
        const __m256i words = _mm256_blendv_epi8(_mm256_or_si256(parts, all(0x8080E0)), c, ascii);
        write_four(_mm256_castsi256_si128(words), is_ascii & 15, to);
        write_four(_mm256_extracti128_si256(words, 1), is_ascii >> 4, to);
        i += 8;
    }
    return i + write_units(text + i, count - i, to);
}
#endif

// The quickest that this machine can run.
template <class Unit>
inline Writer<Unit> writer_of_this_machine() {
#if TEXTPIPE_X86
    if (machine::has_avx2()) return write_vectors<Unit>;
#endif
    return write_units<Unit>;
}

}  // namespace textpipe::transcoding
