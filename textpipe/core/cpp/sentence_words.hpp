// The words of sentences. Enters: sentences with U+2581 for spaces, or the lines they are made of. Leaves: word counts.
// Promises: the words that sentencepiece 0.2.3 cuts, each with the mark before it (or after it); O(bytes). Of lines nothing
// but the words is kept.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "sentences.hpp"
#include "word_counts.hpp"

namespace textpipe {

struct SentenceCut {
    bool split_by_whitespace = true;
    bool treat_whitespace_as_suffix = false;
    bool allow_whitespace_only_pieces = false;  // marks that follow each other stay together
};

// Call visit(begin, size) for every word of a sentence.
template <class Visit>
void each_sentence_word(const uint8_t* data, size_t size, const SentenceCut& cut, Visit&& visit) {
    constexpr size_t mark = 3;
    const auto is_mark = [](const uint8_t* p, const uint8_t* end) {
        return end - p >= 3 && p[0] == 0xE2 && p[1] == 0x96 && p[2] == 0x81;
    };
    const uint8_t *const end = data + size, *begin = data;
    const auto visit_until = [&](const uint8_t* to) {
        if (to != begin) visit(begin, static_cast<size_t>(to - begin));
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
            if (!goes_on) visit_until(p + mark);
        } else if (!stays) {
            visit_until(p);
        }
        p += mark;
        after_mark = true;
    }
    visit_until(end);
}

// Counts the words of sentences from one thread. Nothing is complete in the WordCounts before flush().
class SentenceCounter {
public:
    SentenceCounter(WordCounts& counts, SentenceSettings settings, SentenceCut cut, size_t max_bytes)
        : cut_(cut), max_bytes_(max_bytes), sentences_(std::move(settings)), counter_(counts, {}) {}

    // Count the words of the lines that are trained on.
    void add_lines(std::string_view text) {
        sentences_.add_lines(text, max_bytes_);
        count();
    }

    // Count the words of a text that is a sentence as it is.
    void add_sentence(std::string_view text) {
        sentences_.add(text, 1);
        count();
    }

    void flush() { counter_.flush(); }

private:
    void count() {
        const uint8_t* const readable_end = sentences_.end();
        sentences_.each([&](const uint8_t* data, size_t size, uint64_t) {
            each_sentence_word(data, size, cut_, [&](const uint8_t* word, size_t length) {
                counter_.add_word(word, length, readable_end);
            });
        });
        sentences_.clear(true);
    }

    const SentenceCut cut_;
    const size_t max_bytes_;
    SentenceList sentences_;
    WordCounter counter_;
};

inline void add_sentence_words(const SentenceList& sentences, const SentenceCut& cut, WordCounts& counts) {
    WordCounter counter(counts, {});
    sentences.each([&](const uint8_t* data, size_t size, uint64_t count) {
        each_sentence_word(data, size, cut, [&](const uint8_t* word, size_t length) {
            if (count == 1) return counter.add_word(word, length, sentences.end());
            counts.add(word, length, count);
        });
    });
    counter.flush();
}

}  // namespace textpipe
