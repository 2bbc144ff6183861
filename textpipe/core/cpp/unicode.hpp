// What a code point is. Enters: a code point, or valid UTF-8. Leaves: its class, or the code point and its length.
// Promises: no allocation, no state; bytes are taken to be valid UTF-8, which the caller has checked.
#pragma once
#include <cstddef>
#include <cstdint>

#include "unicode_tables.hpp"

namespace textpipe::unicode {

enum Property : uint8_t {
    letter = 1,   // \p{L}
    number = 2,   // \p{N}
    space = 4,    // White_Space, which is \s
    word = 8,     // \w of UTS #18 annex C
    numeric = 16  // Nd, Nl or No, of the newer Unicode the digit splitter follows
};

constexpr uint32_t code_point_end = 0x110000;

// The tables are in two stages: for each page of code points the number of its contents, and the distinct contents.
template <class Index, class Value>
constexpr Value look_up(const Index* index, const Value* pages, uint32_t c) {
    return pages[index[c / page_size] * page_size + c % page_size];
}

constexpr uint8_t property(uint32_t c) { return look_up(property_index, property_pages, c); }
inline uint8_t combining_class(uint32_t c) { return look_up(combining_class_index, combining_class_pages, c); }
// Lower case of one character by itself; U+0130, which becomes two, is left to the caller.
inline uint32_t lower(uint32_t c) {
    return c + static_cast<uint32_t>(lower_delta[look_up(lower_index, lower_pages, c)]);
}
inline uint8_t form_flags(uint32_t c) { return look_up(form_index, form_pages, c); }

// How many bytes the character takes whose first byte is `lead`.
inline unsigned utf8_size(uint8_t lead) { return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }

// Decode one character and its size in bytes.
inline uint32_t decode(const uint8_t* p, unsigned& size) {
    const uint8_t lead = p[0];
    if (lead < 0x80) {
        size = 1;
        return lead;
    }
    if (lead < 0xE0) {
        size = 2;
        return (lead & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    }
    if (lead < 0xF0) {
        size = 3;
        return (lead & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    }
    size = 4;
    return (lead & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
}

// Decode the character that ends just before `p`.
inline uint32_t decode_before(const uint8_t* p, unsigned& size) {
    const uint8_t* start = p - 1;
    while ((*start & 0xC0) == 0x80) --start;
    return decode(start, size);
}

// Write one code point as UTF-8; returns the byte after it.
inline uint8_t* encode(uint32_t c, uint8_t* out) {
    if (c < 0x80) {
        *out++ = static_cast<uint8_t>(c);
    } else if (c < 0x800) {
        *out++ = static_cast<uint8_t>(0xC0 | c >> 6);
        *out++ = static_cast<uint8_t>(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *out++ = static_cast<uint8_t>(0xE0 | c >> 12);
        *out++ = static_cast<uint8_t>(0x80 | (c >> 6 & 0x3F));
        *out++ = static_cast<uint8_t>(0x80 | (c & 0x3F));
    } else {
        *out++ = static_cast<uint8_t>(0xF0 | c >> 18);
        *out++ = static_cast<uint8_t>(0x80 | (c >> 12 & 0x3F));
        *out++ = static_cast<uint8_t>(0x80 | (c >> 6 & 0x3F));
        *out++ = static_cast<uint8_t>(0x80 | (c & 0x3F));
    }
    return out;
}

}  // namespace textpipe::unicode
