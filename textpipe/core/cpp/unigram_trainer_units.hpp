// The text a unigram model is estimated on. Enters: words with counts, or sentences in order, and the share of characters to
// keep. Leaves: a UnitStore: every distinct unit as ids of characters, laid out by stripe, and what follows each unit in the
// text. Promises: an order that depends on the words and counts alone; rare characters are replaced by U+2585 and units that
// thereby become equal are one.
//
// A unit is what pieces may not cross: a word, or a whole sentence. Stripes are the parts whose float32 sums are added one
// after the other, so that a sum does not depend on the number of threads: unit i is in stripe i modulo their number.
//
// Complexity: O(characters + units log units); four bytes a character and 24 bytes a unit.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "token_rules.hpp"
#include "unicode.hpp"
#include "word_counts.hpp"

namespace textpipe::unigram {

using rules::unknown_character;

// What comes after a unit, as the suffixes of the whole text would tell: the lead byte of the next character, or past_end plus
// the lead byte of the next sentence (nothing where the text ends).
constexpr uint16_t past_end = 256;

struct CharacterCount {
    uint32_t character;
    uint64_t count;
};

inline bool is_more_frequent(const CharacterCount& x, const CharacterCount& y) {
    return x.count != y.count ? x.count > y.count : x.character < y.character;
}

inline uint8_t lead_byte(uint32_t character) {
    uint8_t bytes[4];
    unicode::encode(character, bytes);
    return bytes[0];
}

struct UnitStore {
    std::vector<uint32_t> alphabet;         // code points, ascending; a character's id is its place here
    std::vector<CharacterCount> required;   // most frequent first
    std::vector<uint32_t> chars;            // units one after the other, by stripe; one spare id ends each stripe
    std::vector<uint32_t> begins;           // of each unit in chars; a unit ends where the next begins, or its stripe ends
    std::vector<uint32_t> ends;
    std::vector<uint64_t> counts;
    std::vector<uint64_t> counts_at_end;    // occurrences that end a sentence
    std::vector<uint32_t> follower_begins;  // one more than units
    std::vector<uint16_t> followers;        // ascending within a unit
    std::vector<uint32_t> stripes;          // first unit of each stripe, and the number of units
    uint64_t num_characters = 0;            // of the text

    size_t num_units() const { return counts.size(); }
    size_t num_stripes() const { return stripes.size() - 1; }
};

// How sentences are cut.
struct CutSettings {
    bool split_by_whitespace = true, treat_whitespace_as_suffix = false, allow_whitespace_only_pieces = false;
};

struct CoverageSettings {
    float coverage = 1.0f;
    std::vector<uint32_t> required;  // characters to have in any case
};

// Builds a UnitStore: count the characters of every text, choose(), add every text again as a word or a sentence, finish().
class UnitBuilder {
public:
    explicit UnitBuilder(CutSettings cut) : cut_(cut), counts_(unicode::code_point_end, 0) {}

    void count(const uint8_t* data, size_t size, uint64_t count) {
        const uint8_t* const end = data + size;
        while (data < end) {
            unsigned length;
            counts_[unicode::decode(data, length)] += count;
            data += length;
        }
    }

    // The characters to keep: those asked for, then the most frequent until they cover the share wanted.
    void choose(const CoverageSettings& settings) {
        std::vector<bool> asked(unicode::code_point_end, false);
        for (const uint32_t c : settings.required) asked[c] = c != 0;
        std::vector<CharacterCount> all;
        uint64_t total = 0;
        for (uint32_t c = 1; c < unicode::code_point_end; ++c) {
            if (c == unknown_character || (counts_[c] == 0 && !asked[c])) continue;
            all.push_back({c, counts_[c]});
            total += counts_[c];
        }
        std::sort(all.begin(), all.end(), [&](const CharacterCount& x, const CharacterCount& y) {
            return asked[x.character] != asked[y.character] ? asked[x.character] : is_more_frequent(x, y);
        });
        uint64_t covered = 0;
        kept_.assign(unicode::code_point_end, false);
        for (const CharacterCount& c : all) {
            if (total != 0 && static_cast<float>(static_cast<double>(covered) / static_cast<double>(total)) >= settings.coverage)
                break;
            covered += c.count;
            if (c.character == boundary) continue;
            store_.required.push_back(c);
            kept_[c.character] = true;
        }
        std::sort(store_.required.begin(), store_.required.end(), is_more_frequent);
        store_.num_characters = total;
        fix_alphabet();
    }

    // A word that stands alone; nothing is said of what follows it but that it ends. One of very many bytes is cut: float32
    // would not tell the likelihoods of the ways to cut it.
    void add_word(const uint8_t* data, size_t size, uint64_t count) {
        while (size > most_bytes) {
            size_t part = most_bytes;
            while ((data[part] & 0xC0) == 0x80) --part;
            add_unit(data, part, count);
            data += part, size -= part;
        }
        add_unit(data, size, count);
    }

    // A sentence, which comes after the one added before.
    void add_sentence(const uint8_t* data, size_t size, uint64_t count) {
        if (size == 0) return;
        const Unit whole = read(data, size);
        std::vector<uint32_t>& line = line_;
        line.assign(text_.begin() + whole.begin, text_.end());
        text_.resize(whole.begin);
        link(lead_of_[line.front()]);
        size_t unit = 0;
        for (size_t begin = 0, end; begin < line.size(); begin = end) {
            for (end = begin + 1; end < line.size() && !is_cut(line, end);) ++end;
            const auto from = static_cast<uint32_t>(text_.size());
            text_.insert(text_.end(), line.begin() + static_cast<ptrdiff_t>(begin), line.begin() + static_cast<ptrdiff_t>(end));
            unit = find({from, static_cast<uint32_t>(text_.size()), 0, 0, 0});
            units_[unit].count += count;
            if (end < line.size()) see(unit, lead_of_[line[end]]);
        }
        units_[unit].count_at_end += count;
        last_ = {unit, lead_of_[line.front()], count};
    }

    // `beat` is called now and then.
    template <class Beat>
    UnitStore finish(size_t num_stripes, Beat&& beat) {
        link(0);
        const std::vector<uint32_t> order = in_order(beat);
        std::vector<uint32_t>().swap(table_);
        lay_out(order, num_stripes);
        return std::move(store_);
    }

    const std::vector<uint8_t>& lead_bytes() const { return lead_of_; }

private:
    static constexpr size_t most_bytes = size_t{1} << 16;  // of a word
    static constexpr uint32_t boundary = 0x1F;  // stands where a special token was cut out; never part of a piece

    struct Unit {
        uint32_t begin, end, seen;  // seen: which of the usual followers
        uint64_t count, count_at_end;
    };
    struct Last {
        size_t unit;
        uint8_t lead;
        uint64_t count;  // 0 before the first sentence
    };
    // What follows most units: a space, a sentence that begins with one, the end of the text.
    static constexpr uint16_t usual[] = {0xE2, past_end + 0xE2, past_end};

    void add_unit(const uint8_t* data, size_t size, uint64_t count) {
        const size_t unit = find(read(data, size));
        units_[unit].count += count;
        see(unit, past_end);
    }

    // Append the ids of a text.
    Unit read(const uint8_t* data, size_t size) {
        const auto begin = static_cast<uint32_t>(text_.size());
        if (text_.size() + size > std::numeric_limits<uint32_t>::max() - 4096)
            throw std::overflow_error("the distinct words hold more than four billion characters");
        for (const uint8_t* p = data; p < data + size;) {
            unsigned length;
            text_.push_back(ids_[unicode::decode(p, length)]);
            p += length;
        }
        return {begin, static_cast<uint32_t>(text_.size()), 0, 0, 0};
    }

    bool is_cut(const std::vector<uint32_t>& line, size_t at) const {
        if (!cut_.split_by_whitespace) return false;
        const bool is_space = line[at] == space_, was_space = line[at - 1] == space_;
        const bool joins = cut_.allow_whitespace_only_pieces;  // spaces that follow each other stay together
        if (cut_.treat_whitespace_as_suffix) return was_space && !(joins && is_space);
        return is_space && !(joins && was_space);
    }

    void see(size_t unit, uint16_t code) {
        for (unsigned i = 0; i < 3; ++i)
            if (code == usual[i]) {
                units_[unit].seen |= 1u << i;
                return;
            }
        followers_.push_back({static_cast<uint32_t>(unit), code});
    }

    // The last sentence is followed by one that begins with this byte (0: by none), and by itself where it counts twice.
    void link(uint8_t lead) {
        if (last_.count == 0) return;
        see(last_.unit, static_cast<uint16_t>(past_end + lead));
        if (last_.count > 1) see(last_.unit, static_cast<uint16_t>(past_end + last_.lead));
    }

    // Ids ascend with code points; every character that is not kept has the id of U+2585.
    void fix_alphabet() {
        std::vector<uint64_t>().swap(counts_);
        for (uint32_t c = 0; c < unicode::code_point_end; ++c)
            if (c == unknown_character || kept_[c]) store_.alphabet.push_back(c);
        const auto unknown = static_cast<uint32_t>(
            std::lower_bound(store_.alphabet.begin(), store_.alphabet.end(), unknown_character) - store_.alphabet.begin());
        ids_.assign(unicode::code_point_end, unknown);
        for (uint32_t id = 0; id < store_.alphabet.size(); ++id) {
            if (store_.alphabet[id] == rules::word_mark) space_ = id;
            ids_[store_.alphabet[id]] = id;
            lead_of_.push_back(lead_byte(store_.alphabet[id]));
        }
    }

    bool equal(const Unit& x, const Unit& y) const {
        return x.end - x.begin == y.end - y.begin &&
               std::equal(text_.begin() + x.begin, text_.begin() + x.end, text_.begin() + y.begin);
    }

    uint64_t hash(const Unit& unit) const {
        uint64_t h = unit.end - unit.begin;
        for (uint32_t i = unit.begin; i < unit.end; ++i) h = words::mix(h ^ text_[i], words::seed_a);
        return h;
    }

    // The unit equal to the one at the end of text_, which is dropped then; uncut sentences stay apart, in order.
    size_t find(Unit unit) {
        if (!cut_.split_by_whitespace) {
            units_.push_back(unit);
            return units_.size() - 1;
        }
        if (units_.size() * 2 >= table_.size()) grow();
        const size_t mask = table_.size() - 1;
        size_t at = hash(unit) & mask;
        for (; table_[at] != 0; at = (at + 1) & mask) {
            if (!equal(units_[table_[at] - 1], unit)) continue;
            text_.resize(unit.begin);
            return table_[at] - 1;
        }
        units_.push_back(unit);
        table_[at] = static_cast<uint32_t>(units_.size());
        return units_.size() - 1;
    }

    void grow() {
        table_.assign(std::max<size_t>(1024, table_.size() * 2), 0);
        const size_t mask = table_.size() - 1;
        for (size_t i = 0; i < units_.size(); ++i) {
            size_t at = hash(units_[i]) & mask;
            while (table_[at] != 0) at = (at + 1) & mask;
            table_[at] = static_cast<uint32_t>(i + 1);
        }
    }

    // Words: most frequent first, then by code points. Sentences: as they came.
    template <class Beat>
    std::vector<uint32_t> in_order(Beat&& beat) const {
        struct Key {
            uint64_t count, first, second;
            uint32_t unit;
        };
        std::vector<Key> keys(units_.size());
        for (uint32_t i = 0; i < keys.size(); ++i) keys[i] = {units_[i].count, pack(i, 0), pack(i, 3), i};
        if (cut_.split_by_whitespace)
            std::sort(keys.begin(), keys.end(), [&](const Key& x, const Key& y) {
                beat();
                if (x.count != y.count) return x.count > y.count;
                if (x.first != y.first) return x.first < y.first;
                if (x.second != y.second) return x.second < y.second;
                const Unit &a = units_[x.unit], &b = units_[y.unit];
                return std::lexicographical_compare(text_.begin() + a.begin, text_.begin() + a.end,
                                                    text_.begin() + b.begin, text_.begin() + b.end);
            });
        std::vector<uint32_t> order(keys.size());
        for (size_t i = 0; i < keys.size(); ++i) order[i] = keys[i].unit;
        return order;
    }

    // Three characters from the given one on, so that numbers order as the characters do.
    uint64_t pack(size_t unit, uint32_t from) const {
        uint64_t packed = 0;
        for (uint32_t i = units_[unit].begin + from, n = 0; n < 3; ++i, ++n)
            packed = packed << 21 | (i < units_[unit].end ? text_[i] + 1 : 0);
        return packed;
    }

    void lay_out(const std::vector<uint32_t>& order, size_t num_stripes) {
        std::vector<uint32_t> place(order.size());
        store_.chars.reserve(text_.size() + num_stripes);
        store_.stripes.push_back(0);
        for (size_t stripe = 0; stripe < num_stripes; ++stripe) {
            for (size_t i = stripe; i < order.size(); i += num_stripes) {
                const Unit& unit = units_[order[i]];
                place[order[i]] = static_cast<uint32_t>(store_.counts.size());
                store_.begins.push_back(static_cast<uint32_t>(store_.chars.size()));
                store_.chars.insert(store_.chars.end(), text_.begin() + unit.begin, text_.begin() + unit.end);
                store_.ends.push_back(static_cast<uint32_t>(store_.chars.size()));
                store_.counts.push_back(unit.count);
            }
            store_.chars.push_back(0);
            store_.stripes.push_back(static_cast<uint32_t>(store_.counts.size()));
        }
        std::vector<uint32_t>().swap(text_);
        std::vector<uint64_t> pairs;
        for (const auto& [unit, code] : followers_) pairs.push_back(uint64_t{place[unit]} << 9 | code);
        store_.counts_at_end.assign(store_.counts.size(), 0);
        for (size_t unit = 0; unit < units_.size(); ++unit) {
            store_.counts_at_end[place[unit]] = units_[unit].count_at_end;
            for (unsigned i = 0; i < 3; ++i)
                if (units_[unit].seen >> i & 1) pairs.push_back(uint64_t{place[unit]} << 9 | usual[i]);
        }
        std::vector<Unit>().swap(units_);
        std::sort(pairs.begin(), pairs.end());
        pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
        store_.follower_begins.assign(store_.counts.size() + 1, 0);
        for (const uint64_t pair : pairs) {
            ++store_.follower_begins[(pair >> 9) + 1];
            store_.followers.push_back(static_cast<uint16_t>(pair & 511));
        }
        for (size_t i = 0; i < store_.counts.size(); ++i) store_.follower_begins[i + 1] += store_.follower_begins[i];
    }

    CutSettings cut_;
    UnitStore store_;
    uint32_t space_ = std::numeric_limits<uint32_t>::max();  // the id of U+2581, if it is kept
    Last last_{0, 0, 0};
    std::vector<uint64_t> counts_;  // by code point
    std::vector<bool> kept_;
    std::vector<uint32_t> ids_;
    std::vector<uint8_t> lead_of_;
    std::vector<uint32_t> text_, line_, table_;
    std::vector<Unit> units_;
    std::vector<std::pair<uint32_t, uint16_t>> followers_;  // the unusual
};

}  // namespace textpipe::unigram
