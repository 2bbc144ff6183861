// JSON text, below the level of values. Enters: bytes that are valid UTF-8. Leaves: where strings and numbers end, and
// what escaped strings mean. Promises: nothing is read past the end; the grammar is that
// of RFC 8259, to the letter.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "unicode.hpp"

namespace textpipe::json {

inline const uint8_t* skip_space(const uint8_t* p, const uint8_t* end) {
    for (;; ++p) {
        if (p == end || *p > ' ') return p;  // most often there is none
        if (*p == '\n') {  // what is written for people goes on with a row of spaces
            uint64_t eight;
            for (; end - p > 8; p += 8) {
                std::memcpy(&eight, p + 1, 8);
                if (eight != 0x2020202020202020u) break;
            }
        } else if (*p != ' ' && *p != '\r' && *p != '\t') {
            return p;
        }
    }
}

// The quote that ends a string whose first character is at p; what stops it (a control character, or the end) otherwise.
// `escaped` tells whether there is a backslash before.
inline const uint8_t* string_end(const uint8_t* p, const uint8_t* end, bool& escaped) {
    escaped = false;
    for (;; ++p) {
        // Eight at a time: a byte below 0x20, a quote or a backslash leaves a high bit.
        while (end - p >= 8) {
            uint64_t eight;
            std::memcpy(&eight, p, 8);
            constexpr uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
            const uint64_t quote = eight ^ ones * '"', slash = eight ^ ones * '\\';
            const uint64_t hits = ((eight - ones * 0x20) | (quote - ones) | (slash - ones)) & ~eight & highs;
            if (hits != 0) break;
            p += 8;
        }
        while (p < end && *p >= 0x20 && *p != '"' && *p != '\\') ++p;
        if (p == end || *p != '\\') return p;
        escaped = true;
        if (end - p < 2) return end;
        ++p;
    }
}

inline int hex_digit(uint8_t c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// The four digits of \uXXXX, or -1.
inline int32_t four_digits(const uint8_t* p, const uint8_t* end) {
    if (end - p < 4) return -1;
    int32_t value = 0;
    for (int i = 0; i < 4; ++i) {
        const int digit = hex_digit(p[i]);
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

enum class Escape { good, wrong, lone_surrogate };

// The text of a string with escapes; `at` stops at the one that is wrong.
inline Escape unescape(const uint8_t*& at, const uint8_t* end, std::string& out) {
    out.clear();
    while (at < end) {
        if (*at != '\\') {
            out += static_cast<char>(*at++);
            continue;
        }
        if (end - at < 2) return Escape::wrong;
        static constexpr char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
        const char* name = at[1] == 0 ? nullptr : std::strchr(names, at[1]);
        if (name != nullptr) {
            out += meanings[name - names];
            at += 2;
            continue;
        }
        int32_t c = at[1] == 'u' ? four_digits(at + 2, end) : -1;
        if (c < 0) return Escape::wrong;
        size_t size = 6;
        if (c >> 10 == 0xD800 >> 10) {  // the first half of a pair: the other must follow
            const int32_t low = end - at >= 12 && at[6] == '\\' && at[7] == 'u' ? four_digits(at + 8, end) : -1;
            if (low >> 10 != 0xDC00 >> 10) return Escape::lone_surrogate;
            c = 0x10000 + ((c & 0x3FF) << 10 | (low & 0x3FF));
            size = 12;
        } else if (c >> 10 == 0xDC00 >> 10) {
            return Escape::lone_surrogate;
        }
        uint8_t buffer[4];
        const uint8_t* stop = unicode::encode(static_cast<uint32_t>(c), buffer);
        out.append(reinterpret_cast<const char*>(buffer), static_cast<size_t>(stop - buffer));
        at += size;
    }
    return Escape::good;
}

inline bool is_digit(const uint8_t* p, const uint8_t* end) { return p < end && *p >= '0' && *p <= '9'; }

// The end of a number at p, or null where there is none; `whole` tells whether it has neither fraction nor exponent.
inline const uint8_t* number_end(const uint8_t* p, const uint8_t* end, bool& whole) {
    whole = true;
    if (p < end && *p == '-') ++p;
    if (!is_digit(p, end)) return nullptr;
    if (*p == '0')
        ++p;
    else
        while (is_digit(p, end)) ++p;
    if (p < end && *p == '.') {
        whole = false;
        if (!is_digit(++p, end)) return nullptr;
        while (is_digit(p, end)) ++p;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        whole = false;
        if (++p < end && (*p == '+' || *p == '-')) ++p;
        if (!is_digit(p, end)) return nullptr;
        while (is_digit(p, end)) ++p;
    }
    return p;
}

}  // namespace textpipe::json
