// Single steps of the pipeline for callers that go one step at a time. Enters: UTF-8 text. Leaves: normalized text
// with the character each character comes from; the places of the pre-tokens in characters; the classes of the
// characters.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "normalization.hpp"
#include "scanner.hpp"

namespace textpipe {

// sources gets, for each character of the result, the index of the input's character it stands for.
inline std::string normalize(int form, const uint8_t* text, size_t size, std::vector<uint32_t>* sources) {
    std::string out;
    Normalization normalization;
    std::vector<Origin> in, origins;
    if (sources != nullptr) {
        for (uint32_t i = 0, at = 0; i < size; ++at)
            for (const uint32_t stop = i + unicode::utf8_size(text[i]); i < stop; ++i) in.push_back({at, at + 1});
    }
    std::vector<Origin>* wanted = sources != nullptr ? &origins : nullptr;
    normalization.run(static_cast<NormalForm>(form), text, size, out, in.data(), wanted);
    if (sources != nullptr) {
        for (size_t i = 0; i < out.size(); i += unicode::utf8_size(static_cast<uint8_t>(out[i])))
            sources->push_back(origins[i].begin);
    }
    return out;
}

// begin and end of every pre-token, in characters.
inline void scan_places(int grammar, const uint8_t* text, size_t size, std::vector<uint32_t>& places) {
    const uint8_t* at = text;
    uint32_t chars = 0;
    const auto advance = [&](const uint8_t* to) {
        for (; at < to; ++at) chars += (*at & 0xC0) != 0x80;
        return chars;
    };
    scan(static_cast<Grammar>(grammar), text, size, [&](const uint8_t* begin, size_t length) {
        places.push_back(advance(begin));
        places.push_back(advance(begin + length));
    });
}

}  // namespace textpipe
