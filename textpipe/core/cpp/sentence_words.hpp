// The words of sentences. Enters: sentences with U+2581 for spaces. Leaves: word counts. Promises: the words that
// sentencepiece 0.2.3 cuts, each with the mark before it (or after it); O(bytes).
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sentences.hpp"
#include "word_counts.hpp"

namespace textpipe {

struct SentenceCut {
    bool split_by_whitespace = true;
    bool treat_whitespace_as_suffix = false;
    bool allow_whitespace_only_pieces = false;  // marks that follow each other stay together
};

inline void add_sentence_words(const SentenceList& sentences, const SentenceCut& cut, WordCounts& counts) {
    constexpr size_t mark = 3;
    const auto is_mark = [](const uint8_t* p, const uint8_t* end) {
        return end - p >= 3 && p[0] == 0xE2 && p[1] == 0x96 && p[2] == 0x81;
    };
    sentences.each([&](const uint8_t* data, size_t size, uint64_t count) {
        const uint8_t *const end = data + size, *begin = data;
        const auto add_until = [&](const uint8_t* to) {
            if (to != begin) counts.add(begin, static_cast<size_t>(to - begin), count);
            begin = to;
        };
        bool after_mark = false;
        for (const uint8_t* p = data; cut.split_by_whitespace && p < end;) {
            const auto* const next = static_cast<const uint8_t*>(std::memchr(p, 0xE2, static_cast<size_t>(end - p)));
            if (next != p) after_mark = false;
            if (next == nullptr) break;
            p = next;
            if (!is_mark(p, end)) {
                ++p;
                after_mark = false;
                continue;
            }
            const bool stays = cut.allow_whitespace_only_pieces && after_mark;
            if (cut.treat_whitespace_as_suffix) {
                const bool goes_on = cut.allow_whitespace_only_pieces && is_mark(p + mark, end);
                if (!goes_on) add_until(p + mark);
            } else if (!stays) {
                add_until(p);
            }
            p += mark;
            after_mark = true;
        }
        add_until(end);
    });
}

}  // namespace textpipe
