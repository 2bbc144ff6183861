// Words and their ids, for a model that keeps its own memory of them. Enters: runs of words, then the ids of those that
// are not known. Leaves: the ids of a word seen before. Promises: those of word_log.hpp; the memory of a whole run is
// asked for before the first of its words is looked up.
#pragma once
#include <cstdint>

#include "spelled_words.hpp"
#include "word_log.hpp"

namespace textpipe {

// So many words are looked up together.
struct WordRun {
    static constexpr size_t most_words = 128;

    struct Word {
        const uint8_t* text;
        size_t size;
    };

    Word words[most_words];
    WordKey keys[most_words];
    uint64_t hashes[most_words];
    uint32_t entries[most_words];   // of the words that are known; 0 for others
    bool has_others[most_words];    // may it be another entry?
    size_t count = 0;
    size_t num_bytes = 0;       // of the text they are from
    bool ends_in_mark = false;  // is nothing behind its last space?

    bool is_long(size_t i) const { return WordLog::is_long(keys[i]); }
};

class RememberedWords {
  public:
    using Entry = WordLog::Entry;

    explicit RememberedWords(size_t budget_bytes) : log_(budget_bytes) {}

    // One more word of a run; `readable` bytes may be read from its beginning on. Its memory is asked for.
    void add(WordRun& run, const uint8_t* text, size_t size, size_t readable) const {
        const size_t i = run.count++;
        run.words[i] = {text, size};
        WordKey& key = run.keys[i];
        key = size <= longest_short ? WordKey::of(text, size, readable) : WordKey::packed(text, size, readable);
        if (key.is_none() && size <= longest_cached) key = WordLog::long_key(text, size);
        run.hashes[i] = WordLog::hash(key);
        log_.prefetch(run.hashes[i]);
    }

    // Now the memory of the words themselves; best some time after they are added, and before they are looked up. No other
    // run may be added to meanwhile.
    void ask(WordRun& run) {
        log_.make_room(WordRun::most_words, WordRun::most_words * (longest_cached / 4 + SpelledWords::most_chars));
        for (size_t i = 0; i < run.count; ++i) run.entries[i] = log_.likely(run.hashes[i], run.has_others[i]);
    }

    // Look all words of a run up.
    void find(WordRun& run) const {
        uint8_t unsure[WordRun::most_words];
        size_t num_unsure = 0;
        for (size_t i = 0; i < run.count; ++i) {
            const Entry& entry = log_[run.entries[i]];
            const bool is_known = entry.key() == run.keys[i];
            unsure[num_unsure] = static_cast<uint8_t>(i);
            num_unsure += is_known ? run.is_long(i) : run.has_others[i];
            run.entries[i] &= 0u - static_cast<uint32_t>(is_known);
            log_.ask_stored(entry);
        }
        for (size_t k = 0; k < num_unsure; ++k) find_again(run, unsure[k]);
    }

    // Of a word of a run that was looked up. The entry of one that is not known, 0, has no ids.
    const Entry& operator[](uint32_t entry) const { return log_[entry]; }
    WordLog::Ids stored_ids(const Entry& entry) const { return log_.stored_ids(entry); }

    // Word i of a run, which is not known, has these ids from now on, or always others where they are null; with
    // these marks.
    void insert(WordRun& run, size_t i, const uint32_t* ids, size_t count, unsigned marks) {
        const WordRun::Word word = run.words[i];
        if (word.size > longest_cached) return;
        find_again(run, i);  // it may stand in the run twice
        if (run.entries[i] != 0) return;
        run.entries[i] = log_.insert(run.keys[i], run.hashes[i], word.text, word.size, ids, count, marks);
    }

  private:
    void find_again(WordRun& run, size_t i) const {
        run.entries[i] = log_.find(run.keys[i], run.hashes[i], run.words[i].text, run.words[i].size);
    }

    WordLog log_;
};

}  // namespace textpipe
