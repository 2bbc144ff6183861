// The pre-token patterns of language models since GPT-3.5, as scanners. Enters: valid UTF-8. Leaves: where the match
// that begins at a place ends. Promises: the leftmost match with the choices of the expression written at each grammar,
// whose alternatives are tried in order and backtrack; here each is decided by looking ahead, in time linear in the
// text.
//
// A grammar is a type with match(p, end): the byte after the match at p, or p where none begins. `covers` says that one
// begins everywhere.
#pragma once
#include <cstddef>
#include <cstdint>

#include "../categories.hpp"

namespace textpipe::grammars {

using category::Set;

// (?i:'s|'t|'re|'ve|'m|'ll|'d) at p, or p. The long s, ſ, is an s without case.
inline const uint8_t* contraction(const uint8_t* p, const uint8_t* end) {
    if (end - p < 2 || *p != '\'') return p;
    const uint8_t a = p[1] | 0x20;
    if (p[1] < 0x80 && (a == 's' || a == 't' || a == 'm' || a == 'd')) return p + 2;
    if (end - p < 3) return p;
    if (p[1] == 0xC5 && p[2] == 0xBF) return p + 3;
    if (p[1] >= 0x80 || p[2] >= 0x80) return p;
    const uint8_t b = p[2] | 0x20;
    return ((a == 'r' || a == 'v') && b == 'e') || (a == 'l' && b == 'l') ? p + 3 : p;
}

// \s*[\r\n]+|\s+(?!\S)|\s+ at white space; with `ends`, \s+\z before them.
template <bool ends>
inline const uint8_t* white_space(const uint8_t* p, const uint8_t* end) {
    const uint8_t* stop = category::skip<category::space>(p, end);
    if (ends && stop == end) return stop;
    for (const uint8_t* q = stop; q > p; --q)
        if (q[-1] == '\n' || q[-1] == '\r') return q;
    if (stop == end) return stop;
    do --stop;  // the last one is left to what follows, unless it is all there is
    while ((*stop & 0xC0) == 0x80);
    return stop > p ? stop : category::skip<category::space>(p, end);
}

// \p{N}{1,most} at a number; 0 for no limit.
template <unsigned most>
inline const uint8_t* number(const uint8_t* p, const uint8_t* end) {
    if (most == 0) return category::skip<category::number>(p, end);
    for (unsigned i = 0, length; i < most && p < end && (category::at(p, length) & category::number); ++i) p += length;
    return p;
}

//  (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?BODY+|\p{N}{1,digits}| ?[^\s BODY \p{N}]+[\r\n]*
// |\s*[\r\n]+|\s+(?!\S)|\s+        BODY is \p{L}, or [\p{L}\p{M}]; `ends` puts \s+\z before the last three.
template <Set body, unsigned digits, bool ends>
struct Gpt4 {
    static constexpr bool covers = true, keeps_seams = true;

    static const uint8_t* match(const uint8_t* p, const uint8_t* end) {
        using namespace category;
        unsigned length;
        const Set first = category::at(p, length);
        const uint8_t* next = p + length;
        if (first & body) return skip<body>(next, end);
        if (*p == '\'') {
            const uint8_t* stop = contraction(p, end);
            if (stop != p) return stop;
        }
        const Set second = next < end ? category::at(next) : 0;
        if (!(first & (newline | category::number)) && (second & body)) return skip<body>(next, end);
        if (first & category::number) return grammars::number<digits>(p, end);
        constexpr Set other = ~(space | body | category::number);
        if ((first & other) || (*p == ' ' && (second & other))) return skip<newline>(skip<other>(next, end), end);
        return white_space<ends>(p, end);
    }
};

//  [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
// |[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
// |\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+        without `contractions` they are left out.
template <bool contractions, unsigned digits>
struct Gpt4o {
    static constexpr bool covers = true, keeps_seams = true;
    static constexpr Set caseless = category::modifier | category::other_letter | category::mark;
    static constexpr Set capital = category::upper | category::title;
    static constexpr Set word = category::letter | category::mark;

    static const uint8_t* match(const uint8_t* p, const uint8_t* end) {
        using namespace category;
        unsigned length;
        const Set first = category::at(p, length);
        const uint8_t* next = p + length;
        if (first & letter) return word_end(p, end);
        const Set second = next < end ? category::at(next) : 0;
        if (!(first & (newline | category::number))) {
            if (second & word) {
                // A mark before capitals alone is a word of its own: the first alternative comes first.
                const uint8_t* stop = lower_end(next, end);
                if (stop == nullptr && (first & mark)) stop = next;
                return suffix(stop != nullptr ? stop : skip<capital>(next, end), end);
            }
            if (first & mark) return suffix(next, end);
        }
        if (first & category::number) return grammars::number<digits>(p, end);
        constexpr Set other = ~(space | letter | category::number);
        if ((first & other) || (*p == ' ' && (second & other))) {
            const uint8_t* stop = skip<other>(next, end);
            while (stop < end && (*stop == '\r' || *stop == '\n' || *stop == '/')) ++stop;
            return stop;
        }
        return white_space<false>(p, end);
    }

  private:
    static const uint8_t* suffix(const uint8_t* p, const uint8_t* end) {
        return contractions ? contraction(p, end) : p;
    }

    static const uint8_t* word_end(const uint8_t* p, const uint8_t* end) {
        const uint8_t* stop = lower_end(p, end);
        return suffix(stop != nullptr ? stop : category::skip<capital>(p, end), end);
    }

    // The end of the first alternative's two runs; null where only capitals are.
    static const uint8_t* lower_end(const uint8_t* p, const uint8_t* end) {
        const uint8_t* stop = nullptr;
        for (;;) {
            const uint8_t* q = category::skip<caseless>(p, end);
            if (q != p) stop = q;
            p = category::skip<capital>(q, end);
            if (p == q) break;
        }
        if (p < end && (category::at(p) & category::lower)) return category::skip<caseless | category::lower>(p, end);
        return stop;
    }
};

//  [!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*
// |\s*[\r\n]+|\s+(?!\S)|\s+        Numbers and control characters that no word follows are left over.
struct DeepSeek {
    static constexpr bool covers = false;

    static const uint8_t* match(const uint8_t* p, const uint8_t* end) {
        using namespace category;
        constexpr Set word = letter | mark, sign = punctuation | symbol;
        unsigned length;
        const Set first = category::at(p, length);
        const uint8_t* next = p + length;
        if (first & letter) return skip<word>(next, end);
        if ((first & sign) && *p < 0x80 && next < end && is_latin(*next)) {
            while (next < end && is_latin(*next)) ++next;
            return next;
        }
        const Set second = next < end ? category::at(next) : 0;
        if (!(first & (newline | sign)) && (second & word)) return skip<word>(next, end);
        if (first & mark) return next;
        if ((first & sign) || (*p == ' ' && (second & sign))) return skip<newline>(skip<sign>(next, end), end);
        return (first & space) ? white_space<false>(p, end) : p;
    }

  private:
    static bool is_latin(uint8_t byte) { return static_cast<uint8_t>((byte | 0x20) - 'a') < 26; }
};

//  's|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+        White space is left over.
struct Clip {
    static constexpr bool covers = false;

    static const uint8_t* match(const uint8_t* p, const uint8_t* end) {
        using namespace category;
        unsigned length;
        const Set first = category::at(p, length);
        if (first & letter) return skip<letter>(p, end);
        if (first & category::number) return p + length;
        if (first & space) return p;
        if (*p == '\'')
            if (const size_t taken = scanner::contraction(p, end)) return p + taken;
        return skip<~(space | letter | category::number)>(p, end);
    }
};

}  // namespace textpipe::grammars
