// Words by the numbers of their characters, and the ids that are found for them. Enters: characters, one after another.
// Leaves: for each word its ids. Promises: nothing but arrays; who adds words sees to it that they fit in.
//
// The words of a run lie in one array with a zero behind each, so that what is done for every character of them is one
// loop: the few characters of a word make loops that end anew each time, and a processor foretells such ends badly.
#pragma once
#include <cstddef>
#include <cstdint>

namespace textpipe {

class SpelledWords {
  public:
    static constexpr uint32_t capacity = 2048, most_words = 128;
    static constexpr uint32_t first = 4;  // so much may be read before the first character
    static constexpr uint32_t most_chars = 256;  // of a word that ids are found for here

    struct Char {
        uint32_t c;
        uint16_t code;  // its number in the pieces, 0 for one in none
    };

    void clear() {
        count_ = 0;
        begins_[0] = end_ = first;
    }
    size_t count() const { return count_; }

    // A character of the word that is being added, from end() on.
    void write(uint32_t at, uint32_t c, uint16_t code) {
        chars_[at] = c;
        codes_[at] = code;
    }
    // The word is complete.
    void keep(uint32_t word_end) {
        codes_[word_end] = 0;
        begins_[++count_] = end_ = word_end + 1;
    }

    // All characters are in [first, end()), those of word i in [begin(i), end(i)).
    uint32_t end() const { return end_; }
    uint32_t begin(size_t i) const { return begins_[i]; }
    uint32_t end(size_t i) const { return begins_[i + 1] - 1; }
    uint32_t length(size_t i) const { return end(i) - begin(i); }
    const uint16_t* codes() const { return codes_; }
    uint32_t character(uint32_t at) const { return chars_[at]; }

    // Where the ids of word i are written: there is room for one a character. Four may be read from any of them on.
    uint32_t* room(size_t i) { return ids_ + begin(i); }
    void set_ids(size_t i, const uint32_t* ids, size_t count, bool is_close = false) {
        close_[i] = is_close;
        places_[i] = static_cast<uint32_t>(ids - ids_);
        counts_[i] = static_cast<uint32_t>(count);
    }
    const uint32_t* ids(size_t i) const { return ids_ + places_[i]; }
    // Did others come so close that these are sure under some condition alone?
    bool is_close(size_t i) const { return close_[i]; }
    // 0 where none are found.
    uint32_t num_ids(size_t i) const { return counts_[i]; }

  private:
    uint16_t codes_[capacity];
    uint32_t chars_[capacity], ids_[capacity + 4];
    uint32_t begins_[most_words + 1], places_[most_words], counts_[most_words];
    bool close_[most_words];
    uint32_t end_ = first;
    size_t count_ = 0;
};

}  // namespace textpipe
