// Words and their ids, for a model that keeps its own memory of them. Enters: runs of words, then the ids of those that
// are not known. Leaves: the ids of a word seen before. Promises: those of word_cache.hpp; the memory of a whole run is
// asked for before the first of its words is looked up.
#pragma once
#include <cstdint>

#include "word_cache.hpp"

namespace textpipe {

class RememberedWords {
  public:
    static constexpr size_t most_words = 64;  // of a run

    explicit RememberedWords(size_t budget_bytes) : cache_(budget_bytes) {}

    struct Word {
        const uint8_t* text;
        size_t size;
    };
    struct Found {
        const uint32_t* ids;  // null for a word that is not known
        size_t count;
    };

    void clear() { count_ = num_long_ = 0; }
    size_t count() const { return count_; }
    const Word& operator[](size_t i) const { return words_[i]; }

    // One more word of the run; `readable` bytes may be read from its beginning on.
    void add(const uint8_t* text, size_t size, size_t readable) {
        words_[count_] = {text, size};
        if (size <= longest_short) {
            keys_[count_] = WordKey::of(text, size, readable);
            hashes_[count_] = keys_[count_].hash();
            cache_.shorts.prefetch(hashes_[count_]);
        } else if (size <= longest_cached) {
            hashes_[count_] = LongWords::hash(text, size);
            cache_.longs.prefetch_place(hashes_[count_]);
            long_[num_long_++] = static_cast<uint8_t>(count_);
        }
        ++count_;
    }

    // Call when all words are added.
    void ask() const {
        for (size_t i = 0; i < num_long_; ++i) cache_.longs.prefetch_word(hashes_[long_[i]]);
    }

    // The ids of a short word, the count above the first; null where they are not at hand.
    const ShortWords::Slot* find_short(size_t i) const {
        if (words_[i].size > longest_short) return nullptr;
        const ShortWords::Found found = cache_.shorts.find(keys_[i], hashes_[i]);
        return found.known && found.slot->count() != ShortWords::elsewhere ? found.slot : nullptr;
    }

    // Of a word that find_short() does not give.
    LongWords::Found find_long(size_t i) const {
        const Word word = words_[i];
        if (word.size > longest_cached) return {nullptr, 0};
        if (word.size > longest_short) return cache_.longs.find(word.text, word.size, hashes_[i]);
        if (!cache_.shorts.find(keys_[i], hashes_[i]).known) return {nullptr, 0};
        return cache_.longs.find(word.text, word.size, LongWords::hash(word.text, word.size));
    }

    // With `apart` even a short word is not found by find_short(), whose users can do without telling two kinds apart.
    void insert(size_t i, const uint32_t* ids, size_t count, bool apart) {
        const Word word = words_[i];
        if (word.size > longest_cached) return;
        if (word.size <= longest_short) {
            const bool is_elsewhere = apart || count > ShortWords::max_ids;
            cache_.shorts.insert(keys_[i], hashes_[i], ids, is_elsewhere ? ShortWords::max_ids + 1 : count);
            if (!is_elsewhere) return;
            cache_.longs.insert(word.text, word.size, LongWords::hash(word.text, word.size), ids, count);
        } else {
            cache_.longs.insert(word.text, word.size, hashes_[i], ids, count);
        }
    }

  private:
    WordCache cache_;
    Word words_[most_words];
    WordKey keys_[most_words];
    uint64_t hashes_[most_words];
    uint8_t long_[most_words];
    size_t count_ = 0, num_long_ = 0;
};

}  // namespace textpipe
