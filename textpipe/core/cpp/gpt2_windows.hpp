// The GPT-2 grammar 64 bytes at a time. Enters: valid UTF-8. Leaves: the places of its pre-tokens. Promises: the same
// cuts as scan_gpt2() of scanner.hpp, on every machine; what the machine can do is asked once, at run time.
//
// A window of 64 bytes begins where a pre-token begins, so it needs to know nothing of what came before. Each byte gets
// a bit in the mask of its class (letter, number, white space, or none: other), all bytes of a character alike; where
// pre-tokens start follows from the masks by shifts. The last start in a window is where the next window begins. What
// fits no window, a pre-token of 64 bytes and more, is left to the scanner that goes character by character.
//
// A text can also be cut as if each of its lines, its end with it, were a text of its own: a newline is then the end of
// what white space it stands in, and whatever follows it starts anew. Lines of a few words cost no more than long ones.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "gpt2_classes.hpp"
#include "machine.hpp"
#include "scanner.hpp"
#include "steps.hpp"
#include "unicode.hpp"

namespace textpipe::gpt2 {

// Give the characters of `rest` their classes. Returns the bits of all but the first byte of wide white space.
inline uint64_t classify_rest(const uint8_t* p, Classes& classes) {
    uint64_t wide = 0;
    for (uint64_t rest = classes.rest; rest != 0;) {
        const auto at = static_cast<unsigned>(__builtin_ctzll(rest));
        unsigned length;
        const uint8_t found = unicode::property(unicode::decode(p + at, length));
        const uint64_t bytes = ((uint64_t{1} << length) - 1) << at;
        if (found & unicode::letter) {
            classes.letter |= bytes;
        } else if (found & unicode::number) {
            classes.number |= bytes;
        } else if (found & unicode::space) {
            classes.space |= bytes;
            wide |= bytes & (bytes - 1);
        }
        rest &= ~bytes;
    }
    return wide;
}

// A contraction is a pre-token of its own where a pre-token would start with its apostrophe.
inline uint64_t cut_contractions(const uint8_t* p, size_t readable, uint64_t starts, uint64_t apostrophes) {
    for (; apostrophes != 0; apostrophes &= apostrophes - 1) {
        const auto at = static_cast<unsigned>(__builtin_ctzll(apostrophes));
        // It may reach to the end of the window where the text goes on: then the next one begins here.
        if (at > window_bytes - 4 && readable >= window_bytes) return starts & ((uint64_t{2} << at) - 1);
        const size_t taken = scanner::contraction(p + at, p + (readable < window_bytes ? readable : window_bytes));
        if (taken == 0) continue;
        starts &= ~(uint64_t{2} << at);         // not at the letter after the apostrophe
        starts |= uint64_t{1} << (at + taken);  // but at what comes then
    }
    return starts;
}

// Where pre-tokens start in a window that begins with one; whatever starts before the last of them is among them. The
// end of the text, `readable` bytes on, counts as a start.
template <class Isa, bool by_lines>
TEXTPIPE_INLINE uint64_t find_starts(const uint8_t* p, size_t readable) {
    Classes classes = Isa::classify(p);
    uint64_t valid = ~uint64_t{0}, wide = 0;
    if (__builtin_expect(readable < window_bytes, 0)) {
        valid = (uint64_t{1} << readable) - 1;
        classes.rest &= valid;
        classes.letter &= valid;
        classes.number &= valid;
    }
    if (__builtin_expect(classes.rest != 0, 0)) wide = classify_rest(p, classes);
    // White space at the end of the text is cut as if more of it followed: not before its last character.
    const uint64_t space = classes.space | ~valid, letter = classes.letter, number = classes.number;
    const uint64_t other = ~(letter | number | space);
    const uint64_t runs = (letter & ~(letter << 1)) | (number & ~(number << 1)) | (other & ~(other << 1));
    // What follows the last byte of the window is not known.
    uint64_t last_spaces = space & ~(space >> 1) & (~uint64_t{0} >> 1);
    if (__builtin_expect((last_spaces & wide) != 0, 0)) {
        for (int i = 0; i < 2; ++i) last_spaces = (last_spaces & ~wide) | (last_spaces & wide) >> 1;
    }
    // A run takes the blank before it along; white space leaves its last character to what follows.
    uint64_t starts = 1 | (space & ~(space << 1)) | (runs & ~(classes.blank << 1));
    if constexpr (by_lines) {
        const uint64_t newlines = Isa::newlines(p);
        starts |= (last_spaces & ~newlines) | newlines << 1;
    } else {
        starts |= last_spaces;
    }
    const uint64_t apostrophes = starts & classes.apostrophe & letter >> 1;
    if (__builtin_expect(apostrophes != 0, 0)) starts = cut_contractions(p, readable, starts, apostrophes);
    if (__builtin_expect(readable < window_bytes, 0)) starts = (starts & valid) | uint64_t{1} << readable;
    return starts;
}

// The end of the line, or of the text.
template <bool by_lines>
inline const uint8_t* end_of(const uint8_t* at, const uint8_t* end) {
    const void* const newline = by_lines ? std::memchr(at, '\n', static_cast<size_t>(end - at)) : nullptr;
    return newline == nullptr ? end : static_cast<const uint8_t*>(newline) + 1;
}

template <class Isa, bool by_lines>
TEXTPIPE_INLINE size_t cut_windows(const uint8_t* text, size_t size, size_t& from, Piece* out, size_t room) {
    size_t at = from, count = 0;
    uint8_t tail[2 * readable_bytes];
    while (at < size && count + window_bytes <= room) {
        const uint8_t* p = text + at;
        const size_t readable = size - at;
        if (readable < readable_bytes) {
            std::memcpy(tail, p, readable);
            std::memset(tail + readable, 0, readable_bytes - readable);
            p = tail;
        }
        uint64_t starts = find_starts<Isa, by_lines>(p, readable);
        starts &= starts - 1;  // the first is `at` itself
        if (__builtin_expect(starts == 0, 0)) {
            const auto one = [](const uint8_t*, size_t) { return false; };
            const uint8_t* begin = text + at;
            const uint8_t* end = scanner::scan_gpt2<scanner::Utf8Source>(begin, end_of<by_lines>(begin, text + size), one);
            const size_t taken = static_cast<size_t>(end - begin);
            out[count++] = {static_cast<uint32_t>(at), static_cast<uint32_t>(at + taken)};
            at += taken;
            continue;
        }
        count += Isa::write(starts, at, at, out + count);
        at += window_bytes - 1 - static_cast<size_t>(__builtin_clzll(starts));
    }
    from = at;
    return count;
}

// As CutStep::cut().
using Windows = size_t (*)(const uint8_t* text, size_t size, size_t& at, Piece* out, size_t room);

template <bool by_lines>
size_t cut_bytes(const uint8_t* text, size_t size, size_t& at, Piece* out, size_t room) {
    return cut_windows<Bytes, by_lines>(text, size, at, out, room);
}
#if TEXTPIPE_X86
template <bool by_lines>
TEXTPIPE_AVX2 size_t cut_avx2(const uint8_t* text, size_t size, size_t& at, Piece* out, size_t room) {
    return cut_windows<Avx2, by_lines>(text, size, at, out, room);
}
template <bool by_lines>
TEXTPIPE_AVX512 size_t cut_avx512(const uint8_t* text, size_t size, size_t& at, Piece* out, size_t room) {
    return cut_windows<Avx512, by_lines>(text, size, at, out, room);
}
#endif

// Null where going character by character is quicker.
template <bool by_lines>
Windows windows_of_this_machine() {
#if TEXTPIPE_X86
    if (machine::has_avx512()) return cut_avx512<by_lines>;
    if (machine::has_avx2()) return cut_avx2<by_lines>;
#endif
    return nullptr;
}

}  // namespace textpipe::gpt2
