// The ids of words, remembered. Enters: batches of words. Leaves: their ids, one word after the other, and how many each
// has. Promises: the ids of the model, whatever was asked before; memory is bounded by the budget.
//
// A batch goes through in strides: keys, the cache lines of all of them asked for, found or not, what is unknown through
// the model at once, ids written, what was unknown remembered. No stride waits for memory or branches on whether a short
// word is known.
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
        const size_t num_missing = find_short(count);
        const size_t num_unknown = fold_repeated(find_long(text, words, num_missing));
        if (num_unknown != 0) ask(text, words, num_unknown, scratch);
        write(count, ids);
        for (size_t i = 0; i < num_unknown; ++i) remember(text, words, unknown_[i]);
    }

    // How many ids each word of the last batch has.
    const uint32_t* counts() const { return counts_; }

  private:
    static constexpr size_t num_firsts = 512;

    struct Repeated {
        uint16_t word, first;
    };

    static const uint8_t* begin_of(const uint8_t* text, Piece word) { return text + word.begin; }
    static size_t size_of(Piece word) { return word.end - word.begin; }

    void make_keys(const uint8_t* text, const uint8_t* end, const Piece* words, size_t count) {
        size_t num_long = 0;
        for (size_t i = 0; i < count; ++i) {
            const uint8_t* word = begin_of(text, words[i]);
            const size_t size = size_of(words[i]);
            unknown_[num_long] = static_cast<uint16_t>(i);
            num_long += size > longest_short;
            keys_[i] = WordKey::of(word, std::min(size, longest_short), static_cast<size_t>(end - word));
            hashes_[i] = keys_[i].hash();
            cache_.shorts.prefetch(hashes_[i]);
        }
        for (size_t j = 0; j < num_long; ++j) {
            const size_t i = unknown_[j], size = size_of(words[i]);
            const uint8_t* word = begin_of(text, words[i]);
            keys_[i] = WordKey::packed(word, size, static_cast<size_t>(end - word));
            hashes_[i] = keys_[i].is_none() ? LongWords::hash(word, size) : keys_[i].hash();
            if (keys_[i].is_none())
                cache_.longs.prefetch_place(hashes_[i]);
            else
                cache_.shorts.prefetch(hashes_[i]);
        }
    }

    // Returns how many were not found; their numbers are in unknown_.
    size_t find_short(size_t count) {
        size_t num_missing = 0;
        for (size_t i = 0; i < count; ++i) {
            const ShortWords::Found found = cache_.shorts.find(keys_[i], hashes_[i]);
            ids_[i] = found.slot->ids;
            counts_[i] = found.slot->count();
            unknown_[num_missing] = static_cast<uint16_t>(i);
            num_missing += !found.known || counts_[i] == ShortWords::elsewhere;
        }
        return num_missing;
    }

    // Of the first words in unknown_ those that are not among the long ones either stay there; returns how many.
    size_t find_long(const uint8_t* text, const Piece* words, size_t num_missing) {
        size_t num_unknown = 0;
        for (size_t j = 0; j < num_missing; ++j) {
            const uint16_t i = unknown_[j];
            if (keys_[i].is_none() || counts_[i] == ShortWords::elsewhere) {
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
            uint16_t& first = first_[hashes_[i] % num_firsts];
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
        made_.resize(made_.size() + ShortWords::max_ids);  // whole slots are copied
        for (size_t j = 0; j < num_unknown; ++j) {
            ids_[unknown_[j]] = made_.data() + places_[j].begin;
            counts_[unknown_[j]] = places_[j].end - places_[j].begin;
        }
        for (size_t j = 0; j < num_repeated_; ++j) {
            ids_[repeated_[j].word] = ids_[repeated_[j].first];
            counts_[repeated_[j].word] = counts_[repeated_[j].first];
        }
    }

    void write(size_t count, IdBuffer& ids) const {
        constexpr size_t slot_bytes = ShortWords::max_ids * sizeof(uint32_t);
        uint32_t* out = ids.room(count * ShortWords::max_ids);
        for (size_t i = 0; i < count; ++i) {
            if (__builtin_expect(counts_[i] > ShortWords::max_ids, 0)) {
                ids.end_at(out);
                ids.append(ids_[i], counts_[i]);
                out = ids.room((count - i) * ShortWords::max_ids);
                continue;
            }
            std::memcpy(out, ids_[i], slot_bytes);
            *out &= 0xFFFFFF;  // a slot has the count above the first id
            out += counts_[i];
        }
        ids.end_at(out);
    }

    void remember(const uint8_t* text, const Piece* words, size_t i) {
        if (!keys_[i].is_none()) {
            cache_.shorts.insert(keys_[i], hashes_[i], ids_[i], counts_[i]);
            if (counts_[i] <= ShortWords::max_ids) return;
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
    uint64_t hashes_[batch_words];
    const uint32_t* ids_[batch_words];
    uint32_t counts_[batch_words];
    uint16_t unknown_[batch_words + 1];
    uint16_t first_[num_firsts];  // of the words that are unknown, by their hash
    Repeated repeated_[batch_words];
    size_t num_repeated_ = 0;
    Piece asked_[batch_words], places_[batch_words];
    std::vector<uint32_t> made_;
    std::string spelling_;
};

}  // namespace textpipe
