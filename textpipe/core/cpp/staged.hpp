// Single steps of the pipeline for callers that go one step at a time. Enters: UTF-8 text and a step. Leaves: the
// rewritten text with the characters each character comes from; the places of the pieces in characters. For patterns
// also where sets of characters begin and end.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "categories.hpp"
#include "spans.hpp"
#include "steps.hpp"
#include "traits.hpp"

namespace textpipe {

// The rewritten text. origins, where it is given, gets for each character of the result the characters [begin, end) of
// the text it stands for.
inline std::string rewrite(const RewritePointer& step, const uint8_t* text, size_t size, bool at_start,
                           std::vector<Origin>* origins) {
    std::string out;
    if (size == 0) return out;
    std::vector<Origin> in, of_bytes;
    if (origins != nullptr) list_origins(text, size, 0, in);
    check_growth(size, step->new_size(text, size));
    step->run(text, size, at_start, out, in.empty() ? nullptr : in.data(), in.empty() ? nullptr : &of_bytes);
    check_growth(size, out.size());
    if (origins == nullptr) return out;
    for (size_t i = 0; i < out.size(); i += unicode::utf8_size(static_cast<uint8_t>(out[i])))
        origins->push_back(of_bytes[i]);
    return out;
}

// begin and end of every piece, in characters.
inline void cut_places(const Step& step, const uint8_t* text, size_t size, std::vector<uint32_t>& places) {
    Piece pieces[256];
    uint32_t chars = 0, done = 0;
    const auto chars_to = [&](uint32_t to) {
        for (; done < to; ++done) chars += (text[done] & 0xC0) != 0x80;
        return chars;
    };
    for (size_t at = 0; at < size;) {
        const size_t count = step.cut->cut(text, size, at, pieces, 256);
        for (size_t i = 0; i < count; ++i) {
            places.push_back(chars_to(pieces[i].begin));
            places.push_back(chars_to(pieces[i].end));
        }
    }
}

// The first and the last code point of every stretch that `holds` says yes to.
template <class Holds>
inline void bounds_of(Holds holds, std::vector<uint32_t>& bounds) {
    bool inside = false;
    for (uint32_t c = 0; c <= unicode::code_point_end; ++c) {
        const bool held = c < unicode::code_point_end && holds(c);
        if (held != inside) bounds.push_back(held ? c : c - 1);
        inside = held;
    }
}

inline void category_bounds(category::Set categories, std::vector<uint32_t>& bounds) {
    bounds_of([&](uint32_t c) { return (category::of(c) & categories) != 0; }, bounds);
}

inline void script_bounds(uint8_t script, std::vector<uint32_t>& bounds) {
    bounds_of([&](uint32_t c) { return unicode::script(c) == script; }, bounds);
}

}  // namespace textpipe
