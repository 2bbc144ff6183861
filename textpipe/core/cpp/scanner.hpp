// Cuts text into pre-tokens. Enters: valid UTF-8 and a grammar. Leaves: one emit(begin, size) a pre-token, in order,
// pointing into the text. Promises: linear time, no allocation, and the same cuts as the regular expression written at
// each grammar (Unicode 16 classes); a grammar that keeps everything emits every byte of the text exactly once. The
// scan ends early where emit returns false, and can be taken up at the end of the last pre-token.
//
// The functions are templates over a Source (where characters come from), so that UTF-16 text can be scanned in place
// by the same grammars: a Source names its unit type and answers skip_* and class_at.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "unicode.hpp"

namespace textpipe {

enum class Grammar : int {
    gpt2 = 0,              // 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+; keeps everything
    whitespace = 1,        // \w+|[^\w\s]+; drops white space
    whitespace_split = 2,  // \S+; drops white space
    none = 3               // the whole text
};

namespace scanner {

using unicode::letter;
using unicode::number;
using unicode::space;
using unicode::word;

constexpr uint8_t gpt2_classes = letter | number | space;

inline constexpr std::array<uint8_t, 256> make_ascii_properties() {
    std::array<uint8_t, 256> table{};
    for (uint32_t c = 0; c < 128; ++c)
        table[c] = unicode::property(c);
    return table;  // zero from 128 up, so that a lead byte ends every run of an ASCII class
}

inline constexpr std::array<uint8_t, 256> ascii_properties = make_ascii_properties();

// UTF-8 bytes.
struct Utf8Source {
    using unit = uint8_t;

    // Classes of the character at p, and its length in units.
    static uint8_t class_at(const uint8_t* p, unsigned& length) {
        if (*p < 0x80) {
            length = 1;
            return ascii_properties[*p];
        }
        return unicode::property(unicode::decode(p, length));
    }

    // Is a precomposed Hangul syllable (U+AC00 to U+D7A3) here? Three bytes must be readable.
    static bool is_syllable(const uint8_t* p) {
        const uint32_t c = (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        return (p[0] & 0xF0) == 0xE0 && c - 0xAC00u <= 0xD7A3u - 0xAC00u;
    }

    // The end of the run of characters that have any of `wanted`, from p on. Letters: most text is ASCII or Hangul.
    template <uint8_t wanted>
    static const uint8_t* skip_run(const uint8_t* p, const uint8_t* end) {
        for (;;) {
            while (p < end && (ascii_properties[*p] & wanted)) ++p;
            if (p == end || *p < 0x80) return p;
            if constexpr ((wanted & (letter | word)) != 0) {
                const uint8_t* start = p;
                while (end - p >= 3 && is_syllable(p)) p += 3;
                if (p != start) continue;
            }
            unsigned length;
            if (!(class_at(p, length) & wanted)) return p;
            p += length;
        }
    }

    // The end of the run of characters that have none of `unwanted`, from p on.
    template <uint8_t unwanted>
    static const uint8_t* skip_other(const uint8_t* p, const uint8_t* end) {
        while (p < end) {
            unsigned length;
            if (class_at(p, length) & unwanted) break;
            p += length;
        }
        return p;
    }

    // Start of the character that ends at p.
    static const uint8_t* before(const uint8_t* p) {
        do --p;
        while ((*p & 0xC0) == 0x80);
        return p;
    }
};

// The length of 's 't 'm 'd 're 've 'll at p, or 0.
template <class Unit>
inline size_t contraction(const Unit* p, const Unit* end) {
    if (end - p < 2) return 0;
    const auto a = p[1];
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
    if (end - p < 3) return 0;
    const auto b = p[2];
    return ((a == 'r' || a == 'v') && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

// The end of the run that begins at `run`, whose first character has the classes `first` (never white space).
template <class Source, class Unit>
inline const Unit* gpt2_run_end(const Unit* run, const Unit* end, uint8_t first) {
    if (first & letter) return Source::template skip_run<letter>(run, end);
    if (first & number) return Source::template skip_run<number>(run, end);
    return Source::template skip_other<gpt2_classes>(run, end);
}

template <class Source, class Unit, class Emit>
inline const Unit* scan_gpt2(const Unit* p, const Unit* end, Emit& emit) {
    while (p < end) {
        unsigned length;
        const Unit* run = p;
        uint8_t first = Source::class_at(run, length);
        if (*p == '\'') {
            if (const size_t taken = contraction(p, end)) {
                const bool more = emit(p, taken);
                p += taken;
                if (!more) return p;
                continue;
            }
        } else if (*p == ' ' && p + 1 < end) {
            ++run;
            first = Source::class_at(run, length);
        }
        const Unit* stop;
        if (!(first & space)) {
            stop = gpt2_run_end<Source>(run, end, first);
        } else {
            stop = Source::template skip_run<space>(run, end);
            // A run before text leaves its last character to what follows, unless that is all there is.
            if (stop < end) {
                const Unit* last = Source::before(stop);
                if (last > p) stop = last;
            }
        }
        const bool more = emit(p, static_cast<size_t>(stop - p));
        p = stop;
        if (!more) return p;
    }
    return p;
}

template <class Source, class Unit, class Emit>
inline const Unit* scan_whitespace(const Unit* p, const Unit* end, Emit& emit) {
    while ((p = Source::template skip_run<space>(p, end)) < end) {
        const Unit* stop = Source::template skip_run<word>(p, end);
        if (stop == p) stop = Source::template skip_other<word | space>(p, end);
        const bool more = emit(p, static_cast<size_t>(stop - p));
        p = stop;
        if (!more) return p;
    }
    return p;
}

template <class Source, class Unit, class Emit>
inline const Unit* scan_whitespace_split(const Unit* p, const Unit* end, Emit& emit) {
    while ((p = Source::template skip_run<space>(p, end)) < end) {
        const Unit* stop = Source::template skip_other<space>(p, end);
        const bool more = emit(p, static_cast<size_t>(stop - p));
        p = stop;
        if (!more) return p;
    }
    return p;
}

}  // namespace scanner

// Call emit(begin, size) for every pre-token of valid UTF-8 until it returns false; returns where the scan ended.
template <class Emit>
inline const uint8_t* scan_until(Grammar grammar, const uint8_t* text, size_t size, Emit&& emit) {
    using Source = scanner::Utf8Source;
    const uint8_t* end = text + size;
    switch (grammar) {
        case Grammar::gpt2:
            return scanner::scan_gpt2<Source>(text, end, emit);
        case Grammar::whitespace:
            return scanner::scan_whitespace<Source>(text, end, emit);
        case Grammar::whitespace_split:
            return scanner::scan_whitespace_split<Source>(text, end, emit);
        case Grammar::none:
            if (size != 0) emit(text, size);
    }
    return end;
}

// Call emit(begin, size) for every pre-token of valid UTF-8.
template <class Emit>
inline void scan(Grammar grammar, const uint8_t* text, size_t size, Emit&& emit) {
    scan_until(grammar, text, size, [&](const uint8_t* begin, size_t length) {
        emit(begin, length);
        return true;
    });
}

}  // namespace textpipe
