// Text as Python holds it. Enters: a buffer of 1-, 2- or 4-byte characters. Leaves: UTF-8. Promises: ASCII is passed
// through in place; a surrogate, which is not a character, is reported and nothing is written past it; it can be
// stopped.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "unicode.hpp"

namespace textpipe {

struct TextView {
    const void* data;
    size_t length;  // in characters
    int kind;       // bytes a character; 0 for ASCII (or bytes known to be UTF-8)
};

// Units of a run: what is written of it stays in a near cache, and the stop flag is looked at after each.
constexpr size_t units_a_run = 1 << 15;

// Latin-1, UCS-2 or UCS-4 to UTF-8, unless there is a surrogate; its index is then the result, else the length. Less of
// the text is there when `stop` was set meanwhile.
template <class Unit>
inline size_t transcode(const Unit* text, size_t length, std::string& out, const std::atomic<bool>& stop) {
    // Three bytes are the most for one unit of UCS-2, four for UCS-4.
    constexpr size_t most = sizeof(Unit) == 1 ? 2 : sizeof(Unit) == 2 ? 3 : 4;
    out.clear();
    out.reserve(length * most);
    for (size_t i = 0; i < length;) {
        if (stop.load(std::memory_order_relaxed)) return length;
        const size_t begin = out.size(), end = std::min(length, i + units_a_run);
        out.resize(begin + (end - i) * most);
        uint8_t* to = reinterpret_cast<uint8_t*>(out.data()) + begin;
        for (; i < end; ++i) {
            const uint32_t c = text[i];
            if (c < 0x80) {
                *to++ = static_cast<uint8_t>(c);
            } else if (sizeof(Unit) > 1 && c - 0x800u < 0xD000u) {  // up to the surrogates: Hangul and most of the world
                to[0] = static_cast<uint8_t>(0xE0 | c >> 12);
                to[1] = static_cast<uint8_t>(0x80 | (c >> 6 & 0x3F));
                to[2] = static_cast<uint8_t>(0x80 | (c & 0x3F));
                to += 3;
            } else if (c - 0xD800u < 0x800u) {
                return i;
            } else {
                to = unicode::encode(c, to);
            }
        }
        out.resize(static_cast<size_t>(to - reinterpret_cast<uint8_t*>(out.data())));
    }
    return length;
}

// UTF-8 of a view: in place for ASCII, else in `buffer`. False when a surrogate stands in the way.
inline bool as_utf8(const TextView& view, std::string& buffer, const uint8_t*& text, size_t& size,
                    const std::atomic<bool>& stop) {
    size_t done = view.length;
    switch (view.kind) {
        case 0:
            text = static_cast<const uint8_t*>(view.data);
            size = view.length;
            return true;
        case 1:
            done = transcode(static_cast<const uint8_t*>(view.data), view.length, buffer, stop);
            break;
        case 2:
            done = transcode(static_cast<const uint16_t*>(view.data), view.length, buffer, stop);
            break;
        default:
            done = transcode(static_cast<const uint32_t*>(view.data), view.length, buffer, stop);
    }
    text = reinterpret_cast<const uint8_t*>(buffer.data());
    size = buffer.size();
    return done == view.length;
}

}  // namespace textpipe
