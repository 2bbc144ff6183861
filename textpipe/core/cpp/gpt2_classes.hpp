// What the GPT-2 grammar asks of 64 bytes, by each kind of machine. Enters: bytes of a window. Leaves: a bit for each byte
// in the mask of its class, and pieces of text from a mask of their ends. Promises: the same from every kind.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "machine.hpp"
#include "scanner.hpp"
#include "steps.hpp"
#include "unicode.hpp"

namespace textpipe::gpt2 {

constexpr size_t window_bytes = 64;
constexpr size_t readable_bytes = window_bytes + 8;  // that a window may read from its beginning on

// A bit for each byte of a window.
struct Classes {
    uint64_t letter, number, space;
    uint64_t blank, apostrophe;  // ' ' and '\''
    uint64_t rest;               // bytes of characters whose class is still to be found
};

// Write the pieces that lie one after the other from `at` on and end at the bits of a window at `base`, of which there is
// one. Returns how many; `out` has room for window_bytes. Eight at a time, so that few branches depend on how many.
TEXTPIPE_INLINE size_t write_bits(uint64_t ends, size_t base, size_t at, Piece* out) {
    const auto count = static_cast<size_t>(__builtin_popcountll(ends));
    for (size_t written = 0; written < count; written += 8)
        for (size_t i = 0; i < 8; ++i) {
            const auto bit = static_cast<uint32_t>(__builtin_ctzll(ends | uint64_t{1} << 63));  // any beyond the last
            const uint32_t end = static_cast<uint32_t>(base) + bit;
            out[written + i] = {static_cast<uint32_t>(at), end};
            at = end;
            ends &= ends - 1;
        }
    return count;
}

// One byte after the other: for machines without vectors, and the twin of the others.
struct Bytes {
    static Classes classify(const uint8_t* p) {
        Classes classes{};
        for (size_t i = 0; i < window_bytes; ++i) {
            const uint8_t found = scanner::ascii_properties[p[i]];
            classes.letter |= uint64_t{(found & unicode::letter) != 0} << i;
            classes.number |= uint64_t{(found & unicode::number) != 0} << i;
            classes.space |= uint64_t{(found & unicode::space) != 0} << i;
            classes.blank |= uint64_t{p[i] == ' '} << i;
            classes.apostrophe |= uint64_t{p[i] == '\''} << i;
            classes.rest |= uint64_t{p[i] >= 0x80} << i;
        }
        return classes;
    }
    static uint64_t newlines(const uint8_t* p) {
        uint64_t found = 0;
        for (size_t i = 0; i < window_bytes; ++i) found |= uint64_t{p[i] == '\n'} << i;
        return found;
    }
    static size_t write(uint64_t ends, size_t base, size_t at, Piece* out) { return write_bits(ends, base, at, out); }
};

// Vectors compare ASCII with the bounds of the classes. Of the rest they know the characters that are letters by their
// first two bytes: Hangul syllables (but the last hundred), half of the compatibility jamo, the Han of U+5000 to U+8FFF.
#if TEXTPIPE_X86
struct Avx2 {
    struct Half {
        uint32_t letter, number, space, blank, apostrophe, high, lead;
    };
    TEXTPIPE_AVX2 static inline uint32_t bits(__m256i v) { return static_cast<uint32_t>(_mm256_movemask_epi8(v)); }
    TEXTPIPE_AVX2 static inline __m256i is(__m256i v, int byte) {
        return _mm256_cmpeq_epi8(v, _mm256_set1_epi8(static_cast<char>(byte)));
    }
    // low <= v < low + count
    TEXTPIPE_AVX2 static inline __m256i within(__m256i v, int low, int count) {
        const __m256i shifted = _mm256_sub_epi8(v, _mm256_set1_epi8(static_cast<char>(low)));
        return _mm256_cmpeq_epi8(_mm256_min_epu8(shifted, _mm256_set1_epi8(static_cast<char>(count - 1))), shifted);
    }
    TEXTPIPE_AVX2 static inline Half half(const uint8_t* p) {
        const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
        const __m256i blank = is(v, ' ');
        Half found{bits(within(_mm256_or_si256(v, _mm256_set1_epi8(0x20)), 'a', 26)),
                   bits(within(v, '0', 10)),
                   bits(_mm256_or_si256(blank, within(v, 9, 5))),
                   bits(blank),
                   bits(is(v, '\'')),
                   bits(v),
                   0};
        if (found.high != 0) {
            const __m256i next = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 1));
            const __m256i syllable = _mm256_or_si256(
                within(v, 0xEB, 2), _mm256_or_si256(_mm256_and_si256(is(v, 0xEA), within(next, 0xB0, 16)),
                                                    _mm256_and_si256(is(v, 0xED), within(next, 0x80, 30))));
            const __m256i jamo = _mm256_and_si256(is(v, 0xE3), is(next, 0x85));
            found.lead = bits(_mm256_or_si256(syllable, _mm256_or_si256(jamo, within(v, 0xE5, 4))));
        }
        return found;
    }
    TEXTPIPE_AVX2 static inline uint64_t join(uint32_t low, uint32_t high) { return low | uint64_t{high} << 32; }
    TEXTPIPE_AVX2 static inline Classes classify(const uint8_t* p) {
        const Half a = half(p), b = half(p + 32);
        uint64_t known = join(a.lead, b.lead);
        known |= known << 1 | known << 2;
        return {join(a.letter, b.letter) | known, join(a.number, b.number), join(a.space, b.space),
                join(a.blank, b.blank), join(a.apostrophe, b.apostrophe), join(a.high, b.high) & ~known};
    }
    TEXTPIPE_AVX2 static inline uint64_t newlines(const uint8_t* p) {
        const auto half = [](const uint8_t* from) TEXTPIPE_AVX2 {
            return bits(is(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)), '\n'));
        };
        return join(half(p), half(p + 32));
    }
    TEXTPIPE_AVX2 static inline size_t write(uint64_t ends, size_t base, size_t at, Piece* out) {
        return write_bits(ends, base, at, out);
    }
};

struct Avx512 {
    TEXTPIPE_AVX512 static inline uint64_t is(__m512i v, int byte) {
        return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(static_cast<char>(byte)));
    }
    // low <= v < low + count
    TEXTPIPE_AVX512 static inline uint64_t within(__m512i v, int low, int count) {
        const __m512i shifted = _mm512_sub_epi8(v, _mm512_set1_epi8(static_cast<char>(low)));
        return _mm512_cmplt_epu8_mask(shifted, _mm512_set1_epi8(static_cast<char>(count)));
    }
    TEXTPIPE_AVX512 static inline Classes classify(const uint8_t* p) {
        const __m512i v = _mm512_loadu_si512(p);
        const uint64_t blank = is(v, ' '), high = _mm512_movepi8_mask(v);
        Classes found{within(_mm512_or_si512(v, _mm512_set1_epi8(0x20)), 'a', 26),
                      within(v, '0', 10),
                      blank | within(v, 9, 5),
                      blank,
                      is(v, '\''),
                      high};
        if (high != 0) {
            const __m512i next = _mm512_loadu_si512(p + 1);
            const uint64_t syllable = within(v, 0xEB, 2) | (is(v, 0xEA) & within(next, 0xB0, 16)) |
                                      (is(v, 0xED) & within(next, 0x80, 30));
            uint64_t known = syllable | (is(v, 0xE3) & is(next, 0x85)) | within(v, 0xE5, 4);
            known |= known << 1 | known << 2;
            found.letter |= known;
            found.rest &= ~known;
        }
        return found;
    }
    TEXTPIPE_AVX512 static inline uint64_t newlines(const uint8_t* p) { return is(_mm512_loadu_si512(p), '\n'); }

    // The bits become bytes, and sixteen of them at a time pieces: each begins where the one before it ends.
    TEXTPIPE_AVX512 static inline size_t write(uint64_t ends, size_t base, size_t at, Piece* out) {
        const auto count = static_cast<size_t>(__builtin_popcountll(ends));
        __m512i bits = _mm512_maskz_compress_epi8(ends, numbers());
        __m512i before = _mm512_set1_epi32(static_cast<int>(at));
        const __m512i from = _mm512_set1_epi32(static_cast<int>(base));
        for (size_t written = 0; written < count; written += 16) {
            const __m512i places = _mm512_add_epi32(_mm512_cvtepu8_epi32(_mm512_castsi512_si128(bits)), from);
            const __m512i begins = _mm512_alignr_epi32(places, before, 15);
            before = places;
            _mm512_storeu_si512(out + written, _mm512_permutex2var_epi32(begins, pairs(0), places));
            _mm512_storeu_si512(out + written + 8, _mm512_permutex2var_epi32(begins, pairs(8), places));
            bits = _mm512_alignr_epi64(bits, bits, 2);
        }
        return count;
    }

  private:
    TEXTPIPE_AVX512 static inline __m512i numbers() {
        alignas(64) static constexpr auto bytes = [] {
            std::array<uint8_t, 64> made{};
            for (unsigned i = 0; i < 64; ++i) made[i] = static_cast<uint8_t>(i);
            return made;
        }();
        return _mm512_load_si512(bytes.data());
    }
    // Lane 2 n is number first + n of one vector, the lane after it that of the other.
    TEXTPIPE_AVX512 static inline __m512i pairs(int first) {
        const __m512i lanes = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        return _mm512_add_epi32(lanes, _mm512_set1_epi32(first));
    }
};
#endif

}  // namespace textpipe::gpt2
