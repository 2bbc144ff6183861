// One rewriting step for callers that go one step at a time. Enters: a step and UTF-8 text. Leaves: the rewritten text,
// and for each of its characters the characters [begin, end) of the text it stands for.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "spans.hpp"
#include "unicode.hpp"

namespace textpipe {

inline std::string rewrite_with_places(const RewritePointer& step, const uint8_t* text, size_t size, bool at_start,
                                       std::vector<uint32_t>& begins, std::vector<uint32_t>& ends) {
    std::string out;
    if (size == 0) return out;
    std::vector<Origin> in, origins;
    in.reserve(size);
    list_origins(text, size, 0, in);
    step->run(text, size, at_start, out, in.data(), &origins);
    for (size_t i = 0; i < out.size(); i += unicode::utf8_size(static_cast<uint8_t>(out[i]))) {
        begins.push_back(origins[i].begin);
        ends.push_back(origins[i].end);
    }
    return out;
}

}  // namespace textpipe
