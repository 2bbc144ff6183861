// Single steps of the pipeline for callers that go one step at a time. Enters: UTF-8 text and a step. Leaves: the
// rewritten text with the character each character comes from; the places of the pieces in characters. For patterns
// also where sets of characters begin and end.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "categories.hpp"
#include "steps.hpp"
#include "traits.hpp"

namespace textpipe {

constexpr int64_t nowhere = -1;

// sources gets, for each character of the result, the index of the input's character it stands for, or nowhere.
inline std::string rewrite(const Step& step, const uint8_t* text, size_t size, bool at_start,
                           std::vector<int64_t>* sources) {
    std::string out;
    if (size == 0) return out;
    if (sources == nullptr) {
        step.rewrite->run(text, size, at_start, out, nullptr, nullptr);
        check_length(out.size());
        return out;
    }
    std::vector<Origin> in, origins;
    in.reserve(size);
    for (uint32_t i = 0, at = 0; i < size; ++at)
        for (const uint32_t stop = i + unicode::utf8_size(text[i]); i < stop; ++i) in.push_back({at, at + 1});
    step.rewrite->run(text, size, at_start, out, in.data(), &origins);
    check_length(out.size());
    for (size_t i = 0; i < out.size(); i += unicode::utf8_size(static_cast<uint8_t>(out[i])))
        sources->push_back(origins[i].end > origins[i].begin ? int64_t{origins[i].begin} : nowhere);
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
