// Words and their ids, for a model that keeps its own memory of them. Enters: runs of words, then the ids of those that
// are not known. Leaves: the ids of a word seen before. Promises: those of word_cache.hpp; the memory of a whole run is
// asked for before the first of its words is looked up.
#pragma once
#include <cstdint>
#include <vector>

#include "word_cache.hpp"

namespace textpipe {

// So many words are looked up together.
struct WordRun {
    static constexpr size_t most_words = 64;

    struct Word {
        const uint8_t* text;
        size_t size;
    };
    // What is known of a word, until the next insert(). Four ids may be read; only the low three bytes of each count.
    struct Found {
        const uint32_t* ids = nullptr;  // null for a word that is not known
        uint32_t count = 0;
        bool is_apart = false;
        bool has_none = false;  // it is known that it has not always the same
    };

    Word words[most_words];
    WordKey keys[most_words];
    uint64_t hashes[most_words], long_hashes[most_words];
    Found found[most_words];
    uint8_t longs[most_words];  // which are long
    size_t count = 0, num_long = 0;
    size_t num_bytes = 0;       // of the text they are from
    bool ends_in_mark = false;  // is nothing behind its last space?

    bool is_long(size_t i) const { return keys[i].is_none(); }

    uint64_t long_hash(size_t i) const {
        return is_long(i) ? long_hashes[i] : LongWords::hash(words[i].text, words[i].size);
    }
};

class RememberedWords {
  public:
    explicit RememberedWords(size_t budget_bytes) : cache_(budget_bytes) {}

    // One more word of a run; `readable` bytes may be read from its beginning on. Its memory is asked for.
    void add(WordRun& run, const uint8_t* text, size_t size, size_t readable) const {
        const size_t i = run.count++;
        run.words[i] = {text, size};
        WordKey& key = run.keys[i];
        key = size <= longest_short ? WordKey::of(text, size, readable) : WordKey::packed(text, size, readable);
        if (!key.is_none()) {
            run.hashes[i] = key.hash();
            cache_.shorts.prefetch(run.hashes[i]);
        } else {
            run.hashes[i] = 0;  // a place is looked at for every word, and this one is at hand
            if (size > longest_cached) return;
            run.long_hashes[i] = LongWords::hash(text, size);
            cache_.longs.prefetch_place(run.long_hashes[i]);
            run.longs[run.num_long++] = static_cast<uint8_t>(i);
        }
    }

    // The memory of the long words too; best some time after they are added, and before they are looked up.
    void ask(const WordRun& run) const {
        for (size_t k = 0; k < run.num_long; ++k) cache_.longs.prefetch_word(run.long_hashes[run.longs[k]]);
    }

    // Look all words of a run up.
    void find(WordRun& run) const {
        uint8_t unsure[WordRun::most_words];
        size_t num_unsure = 0;
        for (size_t i = 0; i < run.count; ++i) {
            const auto [slot, is_known] = cache_.shorts.find(run.keys[i], run.hashes[i]);
            const uint32_t count = slot->count();
            run.found[i] = {is_known ? slot->ids : nullptr, count, false, false};
            unsure[num_unsure] = static_cast<uint8_t>(i);
            num_unsure += !is_known | (count == ShortWords::elsewhere);  // no branch
        }
        for (size_t k = 0; k < num_unsure; ++k) {
            const size_t i = unsure[k];
            run.found[i] = run.is_long(i) || run.found[i].ids != nullptr ? find_long(run, i) : WordRun::Found{};
        }
    }

    // Word i of a run has these ids from now on; with `is_apart` it is found so.
    void insert(const WordRun& run, size_t i, const uint32_t* ids, size_t count, bool is_apart) {
        const WordRun::Word word = run.words[i];
        if (!run.is_long(i)) {
            // It may stand in the run twice.
            const ShortWords::Found found = cache_.shorts.find(run.keys[i], run.hashes[i]);
            const bool is_elsewhere = is_apart || count > ShortWords::max_ids;
            if (!found.known)
                cache_.shorts.insert(run.keys[i], run.hashes[i], ids, is_elsewhere ? ShortWords::max_ids + 1 : count);
            if (!is_elsewhere) return;
        }
        if (word.size > longest_cached || find_long(run, i).ids != nullptr) return;
        kept_.assign(ids, ids + count);
        if (is_apart) kept_.push_back(no_id);
        cache_.longs.insert(word.text, word.size, run.long_hash(i), kept_.data(), kept_.size());
    }

    // Word i of a run is found to have none from now on.
    void insert_none(const WordRun& run, size_t i) { insert(run, i, &none, 1, true); }

  private:
    static constexpr uint32_t none = no_id - 1;  // in the place of ids

    // Words that are apart have no_id behind their ids.
    WordRun::Found find_long(const WordRun& run, size_t i) const {
        const WordRun::Word word = run.words[i];
        if (word.size > longest_cached) return {};
        const LongWords::Found found = cache_.longs.find(word.text, word.size, run.long_hash(i));
        const bool is_apart = found.count > 0 && found.ids[found.count - 1] == no_id;
        if (is_apart && found.count == 2 && found.ids[0] == none) return {nullptr, 0, false, true};
        return {found.ids, static_cast<uint32_t>(found.count) - is_apart, is_apart, false};
    }

    WordCache cache_;
    std::vector<uint32_t> kept_;
};

}  // namespace textpipe
