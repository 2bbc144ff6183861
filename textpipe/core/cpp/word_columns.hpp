// Word counts as three columns of bytes, and back. Enters: a WordCounts, or columns from outside. Leaves: columns that are the
// same bytes for the same counts whatever made them, or a WordCounts with those counts added. Promises: words ascend by their
// bytes, numbers are little-endian on every machine, and columns that are not whole, ordered and countable add nothing.
//
// Complexity: O(words log words) to write, O(bytes) to read.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "utf8.hpp"
#include "word_counts.hpp"

namespace textpipe {

struct WordColumns {
    std::string counts;  // 8 bytes a word
    std::string sizes;   // 4 bytes a word
    std::string words;   // one after the other
};

namespace words {

constexpr uint64_t most_occurrences = std::numeric_limits<int64_t>::max();

template <size_t bytes>
inline void put_number(std::string& out, uint64_t value) {
    for (size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

template <size_t bytes>
inline uint64_t get_number(const uint8_t* from) {
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; ++i) value |= uint64_t{from[i]} << (8 * i);
    return value;
}

inline int compare(const Word& x, const Word& y) {
    const size_t size = std::min(x.size, y.size);
    const int order = size == 0 ? 0 : std::memcmp(x.data, y.data, size);
    return order != 0 ? order : x.size < y.size ? -1 : x.size > y.size;
}

}  // namespace words

inline WordColumns to_columns(const WordCounts& counts) {
    std::vector<Word> all;
    all.reserve(counts.num_words());
    size_t size = 0;
    counts.each([&](const Word& word) {
        all.push_back(word);
        size += word.size;
    });
    std::sort(all.begin(), all.end(), [](const Word& x, const Word& y) { return words::compare(x, y) < 0; });
    WordColumns columns;
    columns.counts.reserve(8 * all.size());
    columns.sizes.reserve(4 * all.size());
    columns.words.reserve(size);
    for (const Word& word : all) {
        words::put_number<8>(columns.counts, word.count);
        words::put_number<4>(columns.sizes, word.size);
        columns.words.append(reinterpret_cast<const char*>(word.data), word.size);
    }
    return columns;
}

// A view of columns as words. Throws std::invalid_argument with the reason when they are not what to_columns() writes.
inline std::vector<Word> read_columns(const uint8_t* counts, const uint8_t* sizes, size_t num_words, const uint8_t* data,
                                      size_t data_size, bool byte_level) {
    const auto refuse = [](size_t number, const char* reason) {
        throw std::invalid_argument("word " + std::to_string(number) + " " + reason);
    };
    std::vector<Word> all;
    all.reserve(num_words);
    size_t at = 0;
    for (size_t i = 0; i < num_words; ++i) {
        const Word word{data + at, words::get_number<4>(sizes + 4 * i), words::get_number<8>(counts + 8 * i)};
        if (word.size > data_size - at) refuse(i, "runs past the end of the words");
        if (word.count == 0 || word.count > words::most_occurrences) refuse(i, "has a count that cannot be");
        if (i != 0 && words::compare(all.back(), word) >= 0) refuse(i, "is not after the word before it");
        if (!byte_level && !is_valid_utf8(word.data, word.size)) refuse(i, "is not UTF-8");
        all.push_back(word);
        at += word.size;
    }
    if (at != data_size) refuse(num_words, "is missing: there are more bytes than the words have");
    return all;
}

// Throws std::overflow_error when the occurrences of all words together would pass 2^63 - 1.
inline void add_words(WordCounts& counts, const std::vector<Word>& all) {
    uint64_t total = counts.num_occurrences();
    for (const Word& word : all) {
        if (total > words::most_occurrences || word.count > words::most_occurrences - total)
            throw std::overflow_error("the counts together pass 2^63 - 1");
        total += word.count;
    }
    for (const Word& word : all) counts.add(word.data, word.size, word.count);
}

}  // namespace textpipe
