// The printable characters that stand for bytes, as GPT-2 chose them. Enters: a byte. Leaves: its character. Promises:
// all 256 differ; printable Latin-1 stands for itself.
#pragma once
#include <cstdint>
#include <string>

#include "unicode.hpp"

namespace textpipe {

// Printable Latin-1 stands for itself; the rest, in order, for U+0100 and up.
inline uint32_t mapped_code_point(uint8_t byte) {
    if (byte <= 0x20) return 0x100u + byte;
    if (byte <= 0x7E) return byte;
    if (byte <= 0xA0) return 0x121u + (byte - 0x7Fu);
    return byte == 0xAD ? 0x143u : byte;
}

// The byte that a character stands for; of a character that stands for none, a byte that begins no character.
inline uint8_t byte_of_mapped(uint32_t c) {
    if (c < 0x100) return static_cast<uint8_t>(c);
    if (c <= 0x120) return static_cast<uint8_t>(c - 0x100);
    if (c <= 0x142) return static_cast<uint8_t>(c - 0x121 + 0x7F);
    return c == 0x143 ? 0xAD : 0x80;
}

// The character as UTF-8.
inline void append_mapped(uint8_t byte, std::string& out) {
    uint8_t buffer[4];
    const uint8_t* end = unicode::encode(mapped_code_point(byte), buffer);
    out.append(reinterpret_cast<const char*>(buffer), static_cast<size_t>(end - buffer));
}

}  // namespace textpipe
