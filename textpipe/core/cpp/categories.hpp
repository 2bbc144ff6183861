// General categories of characters as sets. Enters: valid UTF-8. Leaves: the category of a character, and where a run of
// characters of a set ends. Promises: the sets of the pattern engine of `tokenizers` 0.23.3, which is Unicode 16; linear
// time, at reading speed for ASCII and for Hangul.
//
// A category is one bit, a set is bits: \p{L} is letter, [^\s\p{L}\p{N}] is ~(space | letter | number). The white space
// among the control characters has two bits of its own, so that \s and [\r\n] are sets too.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "scanner.hpp"
#include "unicode.hpp"

namespace textpipe::category {

using Set = uint32_t;

constexpr Set upper = 1u << 0, lower = 1u << 1, title = 1u << 2, modifier = 1u << 3, other_letter = 1u << 4;
constexpr Set letter = upper | lower | title | modifier | other_letter;
constexpr Set mark = 7u << 5;
constexpr Set decimal = 1u << 8;
constexpr Set number = 7u << 8;
constexpr Set connector = 1u << 11;
constexpr Set punctuation = 0x7Fu << 11;
constexpr Set symbol = 0xFu << 18;
constexpr Set newline = 1u << 28;  // \r and \n
constexpr Set control_space = 1u << 29;
constexpr Set space = 7u << 22 | newline | control_space;

constexpr Set of(uint32_t c) { return 1u << unicode::look_up(unicode::category_index, unicode::category_pages, c); }

inline constexpr std::array<Set, 256> make_ascii_sets() {
    std::array<Set, 256> table{};
    for (uint32_t c = 0; c < 128; ++c) table[c] = of(c);
    return table;  // zero from 128 up, so that a lead byte ends every run of ASCII
}

inline constexpr std::array<Set, 256> ascii_sets = make_ascii_sets();

// The category of the character at p, and its length in bytes.
inline Set at(const uint8_t* p, unsigned& length) {
    if (*p < 0x80) {
        length = 1;
        return ascii_sets[*p];
    }
    if ((*p & 0xF0) == 0xE0) {
        length = 3;
        const uint32_t c = (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        return c - 0xAC00u <= 0xD7A3u - 0xAC00u ? other_letter : of(c);
    }
    return of(unicode::decode(p, length));
}

inline Set at(const uint8_t* p) {
    unsigned length;
    return at(p, length);
}

// The end of the run of characters of `wanted`, from p on.
template <Set wanted>
inline const uint8_t* skip(const uint8_t* p, const uint8_t* end) {
    for (;;) {
        while (p < end && (ascii_sets[*p] & wanted)) ++p;
        if (p == end || *p < 0x80) return p;
        if constexpr ((wanted & other_letter) != 0) {
            const uint8_t* start = p;
            while (end - p >= 3 && scanner::Utf8Source::is_syllable(p)) p += 3;
            if (p != start) continue;
        }
        unsigned length;
        if (!(at(p, length) & wanted)) return p;
        p += length;
    }
}

}  // namespace textpipe::category
