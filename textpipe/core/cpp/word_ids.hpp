// The ids of words, remembered. Enters: batches of words. Leaves: their ids, one word after the other, and how many each
// has. Promises: the ids of the model, whatever was asked before; memory is bounded by the budget.
//
// A batch goes through in strides: keys, the cache lines of all of them asked for, the ids of known short words written,
// what is missing found among the long words or through the model at once, put between the others, what was unknown
// remembered. No stride waits for memory or branches on whether a short word is known.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "byte_alphabet.hpp"
#include "id_buffer.hpp"
#include "model.hpp"
#include "steps.hpp"
#include "word_cache.hpp"

namespace textpipe {

class WordIds {
  public:
    static constexpr size_t batch_words = 256;

    // `spelled`: the model takes the words spelled in the printable alphabet.
    WordIds(const Model& model, bool spelled, size_t cache_bytes)
        : model_(model), spelled_(spelled), cache_(cache_bytes) {}

    // Make room for the words of a text of so many bytes.
    void expect(size_t text_bytes) { cache_.shorts.expect(text_bytes); }

    // Append the ids of at most batch_words words, which are places in the text; it can be read up to `end`.
    void append(const uint8_t* text, const uint8_t* end, const Piece* words, size_t count, Model::Scratch& scratch,
                IdBuffer& ids) {
        make_keys(text, end, words, count);
        const size_t before = ids.size(), num_missing = write_short(count, ids);
        if (num_missing == 0) return;
        const size_t num_unknown = fold_repeated(find_long(text, words, num_missing));
        if (num_unknown != 0) ask(text, words, num_unknown, scratch);
        fill_gaps(num_missing, before, ids);
        for (size_t i = 0; i < num_unknown; ++i) remember(text, words, unknown_[i]);
    }

    // How many ids each word of the last batch has.
    const uint32_t* counts() const { return counts_; }

  private:
    static constexpr size_t num_firsts = 512, copied = ShortWords::max_ids;

    struct Repeated {
        uint16_t word, first;
    };

    static const uint8_t* begin_of(const uint8_t* text, Piece word) { return text + word.begin; }
    static size_t size_of(Piece word) { return word.end - word.begin; }

    void make_keys(const uint8_t* text, const uint8_t* end, const Piece* words, size_t count) {
        size_t num_readable = count, num_long = 0;
        while (num_readable > 0 && end - begin_of(text, words[num_readable - 1]) < ptrdiff_t{sizeof(WordKey)}) --num_readable;
        for (size_t i = 0; i < count; ++i) {
            const uint8_t* word = begin_of(text, words[i]);
            const size_t size = size_of(words[i]);
            missing_[num_long] = static_cast<uint16_t>(i);
            num_long += size > longest_short;
            const WordKey key = i < num_readable ? WordKey::of(word, size) : WordKey::of(word, size, static_cast<size_t>(end - word));
            const ShortWords::Slot* const set = cache_.shorts.set_of(key.hash());
            __builtin_prefetch(set);
            keys_[i] = key;
            sets_[i] = set;
        }
        for (size_t j = 0; j < num_long; ++j) {
            const size_t i = missing_[j], size = size_of(words[i]);
            const uint8_t* word = begin_of(text, words[i]);
            keys_[i] = WordKey::packed(word, size, static_cast<size_t>(end - word));
            if (keys_[i].is_none()) {
                cache_.longs.prefetch_place(LongWords::hash(word, size));
            } else {
                sets_[i] = cache_.shorts.set_of(keys_[i].hash());
                __builtin_prefetch(sets_[i]);
            }
        }
    }

    // Append the ids of the short words that are known. Returns how many words are missing; their numbers are in missing_
    // and unknown_, and in gaps_ how many ids come before theirs.
    size_t write_short(size_t count, IdBuffer& ids) {
        uint32_t* const begin = ids.room(count * ShortWords::max_ids);
        uint32_t* out = begin;
        size_t num_missing = 0;
        for (size_t i = 0; i < count; ++i) {
            const uint32_t num_ids = ShortWords::copy(keys_[i], sets_[i], out);
            counts_[i] = num_ids;
            missing_[num_missing] = unknown_[num_missing] = static_cast<uint16_t>(i);
            gaps_[num_missing] = static_cast<uint32_t>(out - begin);
            num_missing += num_ids == 0;
            out += num_ids;
        }
        ids.end_at(out);
        return num_missing;
    }

    bool is_elsewhere(size_t i) const {
        const ShortWords::Found found = ShortWords::find(keys_[i], sets_[i]);
        return found.known && found.slot->count() == ShortWords::elsewhere;
    }

    // Of the first words in unknown_ those that are not among the long ones either stay there; returns how many.
    size_t find_long(const uint8_t* text, const Piece* words, size_t num_missing) {
        size_t num_unknown = 0;
        for (size_t j = 0; j < num_missing; ++j) {
            const uint16_t i = unknown_[j];
            if (keys_[i].is_none() || is_elsewhere(i)) {
                const uint8_t* word = begin_of(text, words[i]);
                const size_t size = size_of(words[i]);
                const LongWords::Found found = cache_.longs.find(word, size, LongWords::hash(word, size));
                if (found.ids != nullptr) {
                    ids_[i] = found.ids;
                    counts_[i] = static_cast<uint32_t>(found.count);
                    continue;
                }
            }
            unknown_[num_unknown++] = i;
        }
        return num_unknown;
    }

    // Of words that are in unknown_ several times the first stays there; returns how many do.
    size_t fold_repeated(size_t num_missing) {
        num_repeated_ = 0;
        if (num_missing < 2) return num_missing;
        std::memset(first_, 0xFF, sizeof first_);
        size_t num_unknown = 0;
        for (size_t j = 0; j < num_missing; ++j) {
            const uint16_t i = unknown_[j];
            uint16_t& first = first_[keys_[i].hash() % num_firsts];
            if (first != UINT16_MAX && !keys_[i].is_none() && keys_[i] == keys_[first]) {
                repeated_[num_repeated_++] = {i, first};
                continue;
            }
            first = i;
            unknown_[num_unknown++] = i;
        }
        return num_unknown;
    }

    void ask(const uint8_t* text, const Piece* words, size_t num_unknown, Model::Scratch& scratch) {
        made_.clear();
        if (spelled_) {
            for (size_t j = 0; j < num_unknown; ++j) {
                const uint16_t i = unknown_[j];
                spelling_.clear();
                for (size_t at = words[i].begin; at < words[i].end; ++at) append_mapped(text[at], spelling_);
                const size_t before = made_.size();
                model_.encode_ids(reinterpret_cast<const uint8_t*>(spelling_.data()), spelling_.size(), scratch, made_);
                places_[j] = {static_cast<uint32_t>(before), static_cast<uint32_t>(made_.size())};
            }
        } else {
            for (size_t j = 0; j < num_unknown; ++j) asked_[j] = words[unknown_[j]];
            model_.encode_words(text, asked_, num_unknown, scratch, made_, places_);
        }
        made_.resize(made_.size() + copied);  // so far they are read
        for (size_t j = 0; j < num_unknown; ++j) {
            ids_[unknown_[j]] = made_.data() + places_[j].begin;
            counts_[unknown_[j]] = places_[j].end - places_[j].begin;
        }
        for (size_t j = 0; j < num_repeated_; ++j) {
            ids_[repeated_[j].word] = ids_[repeated_[j].first];
            counts_[repeated_[j].word] = counts_[repeated_[j].first];
        }
    }

    // Write the ids of the batch once more, those of the missing words in their gaps.
    void fill_gaps(size_t num_missing, size_t before, IdBuffer& ids) {
        const size_t num_short = ids.size() - before;
        size_t num_ids = num_short;
        for (size_t j = 0; j < num_missing; ++j) num_ids += counts_[missing_[j]];
        std::memcpy(short_ids_, ids.begin() + before, num_short * sizeof(uint32_t));
        ids.end_at(ids.begin() + before);
        uint32_t* out = ids.room(num_ids + copied);
        size_t from = 0;
        for (size_t j = 0; j < num_missing; ++j) {
            const uint16_t i = missing_[j];
            out = copy_beyond(short_ids_ + from, gaps_[j] - from, out);
            out = copy_beyond(ids_[i], counts_[i], out);
            from = gaps_[j];
        }
        ids.end_at(copy_beyond(short_ids_ + from, num_short - from, out));
    }

    // Copies whole stretches: up to `copied` ids beyond the last are read, and written.
    static uint32_t* copy_beyond(const uint32_t* ids, size_t count, uint32_t* out) {
        for (size_t i = 0; i < count; i += copied) std::memcpy(out + i, ids + i, copied * sizeof(uint32_t));
        return out + count;
    }

    void remember(const uint8_t* text, const Piece* words, size_t i) {
        if (!keys_[i].is_none()) {
            const bool is_short = counts_[i] != 0 && counts_[i] <= ShortWords::max_ids;
            cache_.shorts.insert(keys_[i], keys_[i].hash(), ids_[i], is_short ? counts_[i] : ShortWords::elsewhere);
            if (is_short) return;
        }
        const size_t size = size_of(words[i]);
        if (size > longest_cached) return;
        const uint8_t* word = begin_of(text, words[i]);
        cache_.longs.insert(word, size, LongWords::hash(word, size), ids_[i], counts_[i]);
    }

    const Model& model_;
    const bool spelled_;
    WordCache cache_;
    WordKey keys_[batch_words];
    const ShortWords::Slot* sets_[batch_words];
    const uint32_t* ids_[batch_words];
    uint32_t counts_[batch_words];
    uint16_t missing_[batch_words + 1], unknown_[batch_words + 1];
    uint32_t gaps_[batch_words + 1];
    uint32_t short_ids_[(batch_words + 1) * ShortWords::max_ids];
    uint16_t first_[num_firsts];  // of the words that are unknown, by their hash
    Repeated repeated_[batch_words];
    size_t num_repeated_ = 0;
    Piece asked_[batch_words], places_[batch_words];
    std::vector<uint32_t> made_;
    std::string spelling_;
};

}  // namespace textpipe
