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
};
#endif

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
        const size_t base = at;
        for (; starts != 0; starts &= starts - 1) {
            const size_t end = base + static_cast<size_t>(__builtin_ctzll(starts));
            out[count++] = {static_cast<uint32_t>(at), static_cast<uint32_t>(end)};
            at = end;
        }
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
#endif

// Null where going character by character is quicker.
template <bool by_lines>
Windows windows_of_this_machine() {
#if TEXTPIPE_X86
    if (machine::has_avx2()) return cut_avx2<by_lines>;
#endif
    return nullptr;
}

}  // namespace textpipe::gpt2
