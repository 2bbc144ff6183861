// Is this UTF-8? Enters: bytes. Leaves: yes or no. Promises: yes exactly for what the Unicode Standard (table 3-7) calls
// well-formed: no overlong form, no surrogate, nothing above U+10FFFF, no cut character; linear time, at reading speed for
// ASCII and for Hangul.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "machine.hpp"

namespace textpipe {

namespace utf8 {

inline bool is_continuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }

// Which byte in memory order is the first with its high bit set; there is one.
inline size_t first_byte(uint64_t high_bits) {
#if defined(__GNUC__) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return static_cast<size_t>(__builtin_ctzll(high_bits)) / 8;
#else
    uint8_t bytes[8];
    std::memcpy(bytes, &high_bits, 8);
    size_t at = 0;
    while (bytes[at] == 0) ++at;
    return at;
#endif
}

// Bytes of the well-formed character at p, which is not ASCII; 0 when there is none.
inline size_t character_size(const uint8_t* p, size_t readable) {
    const uint8_t lead = p[0];
    if (lead < 0xC2 || lead > 0xF4) return 0;
    const size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (readable < size) return 0;
    // The second byte has a narrower range after the leads at the edges.
    const uint8_t least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const uint8_t most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < least || p[1] > most) return 0;
    for (size_t i = 2; i < size; ++i)
        if (!is_continuation(p[i])) return 0;
    return size;
}

inline bool is_ascii(const uint8_t* p, size_t size) {
    uint64_t seen = 0;
    for (; size >= 8; p += 8, size -= 8) {
        uint64_t eight;
        std::memcpy(&eight, p, 8);
        seen |= eight;
    }
    for (; size > 0; --size) seen |= *p++;
    return (seen & 0x8080808080808080u) == 0;
}

// How many characters begin in [p, end) of valid UTF-8 whose buffer can be read up to `readable`.
inline uint32_t num_characters(const uint8_t* p, const uint8_t* end, const uint8_t* readable) {
    uint32_t count = 0;
    while (p < end) {
        if (readable - p < 8) {
            count += !is_continuation(*p++);
            continue;
        }
        uint64_t eight;
        std::memcpy(&eight, p, 8);
        const auto size = static_cast<size_t>(end - p < 8 ? end - p : 8);
        uint64_t continuations = eight >> 7 & ~eight >> 6 & 0x0101010101010101u;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        continuations <<= 8 * (8 - size);
#else
        continuations >>= 8 * (8 - size);
#endif
        count += static_cast<uint32_t>(size - (continuations * 0x0101010101010101u >> 56));
        p += size;
    }
    return count;
}

}  // namespace utf8

namespace utf8 {

#if TEXTPIPE_X86
// 64 bytes at a time: leads of each length, shifted, must give the continuations that are there, across windows too; the
// four leads that narrow their second byte are compared with it. Moves p over whole characters; what is left is less than a
// window and a character. Returns whether all that was passed is well-formed.
struct Windows {
    TEXTPIPE_AVX2 static inline __m256i set(int byte) { return _mm256_set1_epi8(static_cast<char>(byte)); }
    TEXTPIPE_AVX2 static inline uint32_t bits(__m256i v) { return static_cast<uint32_t>(_mm256_movemask_epi8(v)); }
    TEXTPIPE_AVX2 static inline __m256i least(__m256i v, int byte) { return _mm256_cmpeq_epi8(_mm256_max_epu8(v, set(byte)), v); }

    struct Half {
        uint32_t two, three, four, continuation, wrong;  // leads of two bytes or more, of three or more, of four
    };
    TEXTPIPE_AVX2 static inline Half half(const uint8_t* p) {
        const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
        const __m256i next = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 1));
        const __m256i two = least(v, 0xC0), three = least(v, 0xE0);
        const auto is = [&](int byte) TEXTPIPE_AVX2 { return _mm256_cmpeq_epi8(v, set(byte)); };
        const __m256i too_low = _mm256_or_si256(_mm256_andnot_si256(least(next, 0xA0), is(0xE0)),
                                                _mm256_andnot_si256(least(next, 0x90), is(0xF0)));
        const __m256i too_high = _mm256_or_si256(_mm256_and_si256(least(next, 0xA0), is(0xED)),
                                                 _mm256_and_si256(least(next, 0x90), is(0xF4)));
        const __m256i never = _mm256_or_si256(_mm256_andnot_si256(least(v, 0xC2), two), least(v, 0xF5));
        return {bits(two), bits(three), bits(least(v, 0xF0)), bits(_mm256_andnot_si256(two, v)),
                bits(_mm256_or_si256(never, _mm256_or_si256(too_low, too_high)))};
    }
    TEXTPIPE_AVX2 static inline uint64_t join(uint32_t low, uint32_t high) { return low | uint64_t{high} << 32; }

    TEXTPIPE_AVX2 static bool pass(const uint8_t*& p, const uint8_t* end) {
        uint64_t carried = 0, wrong = 0;
        for (; end - p > 64 && wrong == 0; p += 64) {
            const Half a = half(p), b = half(p + 32);
            const uint64_t two = join(a.two, b.two), three = join(a.three, b.three), four = join(a.four, b.four);
            wrong = join(a.wrong, b.wrong) | ((two << 1 | three << 2 | four << 3 | carried) ^ join(a.continuation, b.continuation));
            carried = two >> 63 | three >> 62 | four >> 61;
        }
        if (carried != 0) {
            do --p;
            while (is_continuation(*p));
        }
        return wrong == 0;
    }
};
#endif

}  // namespace utf8

inline bool is_valid_utf8(const uint8_t* p, size_t size) {
    const uint8_t* const end = p + size;
#if TEXTPIPE_X86
    if (size > 64 && machine::has_avx2() && !utf8::Windows::pass(p, end)) return false;
#endif
    while (p < end) {
        while (end - p >= 8) {
            uint64_t eight;
            std::memcpy(&eight, p, 8);
            eight &= 0x8080808080808080u;
            if (eight != 0) {
                p += utf8::first_byte(eight);
                break;
            }
            p += 8;
        }
        // Leads E1 to EC (most of Hangul, Kana, Han): any two continuation bytes may follow.
        while (end - p >= 3 && static_cast<uint8_t>(p[0] - 0xE1) <= 0xEC - 0xE1) {
            if (!utf8::is_continuation(p[1]) || !utf8::is_continuation(p[2])) return false;
            p += 3;
        }
        if (p == end) break;
        if (*p < 0x80) {
            ++p;
            continue;
        }
        const size_t length = utf8::character_size(p, static_cast<size_t>(end - p));
        if (length == 0) return false;
        p += length;
    }
    return true;
}

}  // namespace textpipe
