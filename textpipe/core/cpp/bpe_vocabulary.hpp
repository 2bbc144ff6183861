// What a BPE trainer knows of characters and strings. Enters: word counts; which characters are symbols and under which ids.
// Leaves: how often each character occurs, the symbols of a word, the string of a merge and its id.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "bpe_model.hpp"
#include "snapshot.hpp"
#include "word_counts.hpp"

namespace textpipe {

namespace bpe {

constexpr uint32_t no_id = std::numeric_limits<uint32_t>::max();

// Token strings and their ids.
class Vocabulary {
public:
    explicit Vocabulary(const std::vector<std::string>& initial) {
        for (const std::string& text : initial) add(text);
    }

    // The id of a string; a new one where it has none.
    uint32_t add(const std::string& text) {
        const auto [place, is_new] = ids_.emplace(text, static_cast<uint32_t>(strings_.size()));
        if (is_new) strings_.push_back(&place->first);
        return place->second;
    }

    bool has(const std::string& text) const { return ids_.count(text) != 0; }
    const std::string& string(uint32_t id) const { return *strings_[id]; }
    size_t size() const { return strings_.size(); }

    // Beyond the first strings, which follow from the words and the settings.
    void exchange(Snapshot& with, size_t num_initial) {
        std::vector<std::string> learned;
        for (size_t id = num_initial; id < size(); ++id) learned.push_back(string(static_cast<uint32_t>(id)));
        with(learned);
        for (const std::string& text : learned) add(text);
        Snapshot::require(size() == num_initial + learned.size());
    }

private:
    std::unordered_map<std::string, uint32_t> ids_;
    std::vector<const std::string*> strings_;  // keys of ids_, which stay where they are
};

// The string of a merge: the right part loses the prefix.
inline std::string joined(const std::string& left, const std::string& right, const std::string& prefix) {
    const bool cut = !prefix.empty() && right.compare(0, prefix.size(), prefix) == 0;
    return left + (cut ? right.substr(prefix.size()) : right);
}

// Which ids a word begins with: those of its characters, by where in the word they stand, or the tokens a model gives it.
class SymbolIds {
public:
    static constexpr unsigned num_places = 4;  // 1 for not first, plus 2 for last

    // With byte_level a character is a byte, else a code point of UTF-8.
    SymbolIds(bool byte_level, const std::vector<uint32_t>& characters, const std::vector<uint32_t>& ids)
        : byte_level_(byte_level), characters_(characters), row_(byte_level ? 256 : 0x110000, 0), ids_(num_places, no_id) {
        for (size_t i = 0; i < characters.size(); ++i) row_.at(characters[i]) = static_cast<uint32_t>(i + 1);
        ids_.insert(ids_.end(), ids.begin(), ids.end());
    }

    // Words begin as the tokens of a model, whose ids are all below num_ids.
    SymbolIds(const BpeModel& model, uint32_t num_ids, bool byte_level)
        : byte_level_(byte_level), model_(&model), num_ids_(num_ids), scratch_(model.make_scratch()) {}

    // Call visit(id) for every symbol of a word; characters without an id are passed over.
    template <class Visit>
    void each(const Word& word, Visit&& visit) const {
        if (model_ != nullptr) {
            tokens_.clear();
            if (byte_level_ && !model_->takes_bytes()) {
                spelled_.clear();
                for (size_t i = 0; i < word.size; ++i) append_mapped(word.data[i], spelled_);
                encode(reinterpret_cast<const uint8_t*>(spelled_.data()), spelled_.size());
            } else {
                encode(word.data, word.size);
            }
            for (const uint32_t id : tokens_) visit(id);
            return;
        }
        const uint8_t *p = word.data, *const end = p + word.size;
        for (bool first = true; p < end; first = false) {
            unsigned length = 1;
            const uint32_t character = byte_level_ ? *p : unicode::decode(p, length);
            p += length;
            const uint32_t id = ids_[row_[character] * num_places + (first ? 0 : 1) + (p == end ? 2 : 0)];
            if (id != no_id) visit(id);
        }
    }

    bool byte_level() const { return byte_level_; }

    // Call visit(id, character) for every id that is a symbol; of a model every id is one, of no character.
    template <class Visit>
    void each_id(Visit&& visit) const {
        for (uint32_t id = 0; id < num_ids_; ++id) visit(id, 0);
        for (size_t i = num_places; i < ids_.size(); ++i)
            if (ids_[i] != no_id) visit(ids_[i], characters_[i / num_places - 1]);
    }

private:
    void encode(const uint8_t* word, size_t size) const {
        if (size != 0) model_->encode_ids(word, size, *scratch_, tokens_);
    }

    bool byte_level_;
    std::vector<uint32_t> characters_;
    std::vector<uint32_t> row_;
    std::vector<uint32_t> ids_;
    const BpeModel* model_ = nullptr;
    uint32_t num_ids_ = 0;
    std::unique_ptr<Model::Scratch> scratch_;
    mutable std::vector<uint32_t> tokens_;
    mutable std::string spelled_;
};

}  // namespace bpe

// How often a character occurs and in which places of a word.
struct CharacterUse {
    uint32_t character;
    uint8_t places;  // bit k set: seen at place k of SymbolIds
    uint64_t count;
};

inline std::vector<CharacterUse> survey_characters(const WordCounts& words, bool byte_level) {
    std::vector<uint64_t> counts(byte_level ? 256 : 0x110000);
    std::vector<uint8_t> places(counts.size());
    words.each([&](const Word& word) {
        const uint8_t *p = word.data, *const end = p + word.size;
        for (bool first = true; p < end; first = false) {
            unsigned length = 1;
            const uint32_t character = byte_level ? *p : unicode::decode(p, length);
            p += length;
            counts[character] += word.count;
            places[character] |= static_cast<uint8_t>(1 << ((first ? 0 : 1) + (p == end ? 2 : 0)));
        }
    });
    std::vector<CharacterUse> used;
    for (size_t c = 0; c < counts.size(); ++c)
        if (counts[c] != 0) used.push_back({static_cast<uint32_t>(c), places[c], counts[c]});
    return used;
}

// Whether a word may hold the text that ends words. Of bytes, whose characters are others, it is taken for granted.
inline bool is_read_in(const std::string& suffix, const WordCounts& words, bool byte_level) {
    if (suffix.empty() || byte_level) return !suffix.empty();
    bool is_read = false;
    words.each([&](const Word& word) {
        const uint8_t* const end = word.data + word.size;
        is_read = is_read || std::search(word.data, end, suffix.begin(), suffix.end(),
                                         [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); }) != end;
    });
    return is_read;
}

}  // namespace textpipe
