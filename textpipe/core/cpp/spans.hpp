// Tokens with their places. Enters: tokens, and the origin of each byte of the text they were found in. Leaves: their
// ids and places, column by column. Promises: a place lies inside the text, and has every character that the token
// stands for in part.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "id_buffer.hpp"
#include "steps.hpp"
#include "utf8.hpp"

namespace textpipe {

// The size of a token that stands for the same bytes as the one before it.
constexpr uint32_t same_place = UINT32_MAX;

struct Token {
    uint32_t id;
    uint32_t size;  // bytes of the word it stands for, or same_place
};

// Call visit(id, place) for tokens of a text that is not empty. They may say they are longer than the text, where a prefix
// was spelled out.
template <class Visit>
void each_place(const std::vector<Token>& tokens, const Origin* origins, size_t size, Visit&& visit) {
    size_t at = 0;
    Origin place{0, 0};
    for (const Token& token : tokens) {
        if (token.size != same_place) {
            const size_t last = std::max<size_t>(at + token.size, 1) - 1;
            place = {origins[std::min(at, size - 1)].begin, origins[std::min(last, size - 1)].end};
            at += token.size;
        }
        visit(token.id, place);
    }
}

// Which tokens are added ones, and the texts they were found as.
struct AddedSpans {
    std::vector<uint32_t> tokens;
    std::vector<std::string> texts;
};

// The tokens of documents: where each begins and ends, in characters of its document.
struct Spans {
    IdBuffer ids, begins, ends, words;  // words: the number of the pre-token
    AddedSpans added;

    void clear() {
        for (IdBuffer* column : {&ids, &begins, &ends, &words}) column->clear();
        added = {};
    }

    // Every column but `words`.
    void push_back(uint32_t id, Origin place) {
        ids.push_back(id);
        begins.push_back(place.begin);
        ends.push_back(place.end);
    }

    // Every column but `words`, for tokens of a text that is not empty.
    void push_back(const std::vector<Token>& tokens, const Origin* origins, size_t size) {
        each_place(tokens, origins, size, [&](uint32_t id, Origin place) { push_back(id, place); });
    }
};

// The origin of each byte of a text, of which so many characters come before it: its own character.
inline void list_origins(const uint8_t* text, size_t size, uint32_t num_before, std::vector<Origin>& origins) {
    const size_t before = origins.size();
    origins.resize(before + size);
    Origin* const out = origins.data() + before;
    uint32_t end = num_before;
    for (size_t i = 0; i < size; ++i) {
        end += !utf8::is_continuation(text[i]);
        out[i] = {end - 1, end};
    }
}

}  // namespace textpipe
