// The merges in a tokenizer.json, read without a value for each. Enters: JSON text at an array. Leaves: pairs, from arrays
// of two strings or from strings with one space, as older files have them. Promises: such a string that is the first line
// of a merges.txt, "#version: 0.2", is no pair; anything else is left to the reader of values, which says what is wrong.
#pragma once
#include <string>

#include "json_text.hpp"
#include "pair_list.hpp"

namespace textpipe::json {

// A string into `out`, and the white space after it; false where there is none, or a wrong one.
inline bool take_string(const uint8_t*& at, const uint8_t* end, std::string& out) {
    bool escaped = false;
    if (at == end || *at != '"') return false;
    const uint8_t* first = at + 1;
    const uint8_t* stop = string_end(first, end, escaped);
    if (stop == end || *stop != '"') return false;
    if (!escaped)
        out.assign(reinterpret_cast<const char*>(first), static_cast<size_t>(stop - first));
    else if (unescape(first, stop, out) != Escape::good)
        return false;
    at = skip_space(stop + 1, end);
    return true;
}

inline bool take(const uint8_t*& at, const uint8_t* end, uint8_t mark) {
    if (at == end || *at != mark) return false;
    at = skip_space(at + 1, end);
    return true;
}

// Moves `at` behind the array; or leaves it, and some of the pairs in `out`, and says no.
inline bool take_pairs(const uint8_t*& at, const uint8_t* end, PairList& out) {
    const uint8_t* p = skip_space(at, end);
    if (!take(p, end, '[')) return false;
    std::string left, right;
    do {
        if (take(p, end, '[')) {
            if (!take_string(p, end, left) || !take(p, end, ',') || !take_string(p, end, right) || !take(p, end, ']'))
                return false;
        } else {
            if (!take_string(p, end, left)) return false;
            if (left.compare(0, 8, "#version") == 0) continue;
            const size_t space = left.find(' ');
            if (space == std::string::npos || left.find(' ', space + 1) != std::string::npos) return false;
            right.assign(left, space + 1);
            left.resize(space);
        }
        out.add(left, right);
    } while (take(p, end, ','));
    if (p == end || *p != ']') return false;
    at = p + 1;
    return true;
}

}  // namespace textpipe::json
