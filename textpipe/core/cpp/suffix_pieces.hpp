// Strings that recur in the text, to begin a unigram vocabulary with. Enters: a UnitStore and the rules of pieces. Leaves: the
// best-scored strings, and for each the places in the store where it stands. Promises: the strings and counts that the internal
// nodes of a suffix tree over the bytes of the whole text have, though only suffixes of distinct units are sorted, and only as
// far as a piece may reach; the same for any number of threads.
//
// A string is a node when two different bytes follow it somewhere (the end of a sentence counts as a byte), or, where nodes
// are not sought by bytes, two different characters. Where its unit
// ends, what follows is told by the unit's followers. A node that reaches just past the end of a sentence counts for the string
// before the end once more, as in sentencepiece 0.2.3.
//
// Complexity: O(n log n) comparisons of three characters for n places where a piece may begin; 8 bytes a place, and 16 more
// while the places with one first character are sorted.
// Source: Abouelhoda, Kurtz, Ohlebusch: Replacing suffix trees with enhanced suffix arrays, 2004.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "crew.hpp"
#include "unigram_trainer_rules.hpp"
#include "unigram_trainer_units.hpp"

namespace textpipe::unigram {

// A string of `length` characters that stands at places[first] to places[last - 1].
struct Recurring {
    float score;
    uint32_t first, last;
    uint16_t length, bytes;
};

class SuffixPieces {
public:
    std::vector<uint32_t> places;     // where pieces may begin, sorted by the characters there
    std::vector<size_t> bucket_ends;  // of the places with one first character each
    std::vector<Recurring> pieces;    // best first

    SuffixPieces(const UnitStore& store, const PieceRules& rules, const std::vector<uint8_t>& lead_bytes, Crew& crew,
                 size_t most, uint64_t min_frequency)
        : store_(store), rules_(rules), lead_(lead_bytes), crew_(crew), least_(std::max<uint64_t>(1, min_frequency)) {
        fill_buckets();
        places.resize(suffixes_.size());
        std::vector<size_t> order(bucket_ends.size());
        for (size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::sort(order.begin(), order.end(), [&](size_t x, size_t y) {
            const size_t a = bucket_size(x), b = bucket_size(y);
            return a != b ? a > b : x < y;
        });
        std::vector<std::vector<Recurring>> found(crew.num_threads());
        crew.run(order.size(), [&](size_t task, size_t thread) { sort_bucket(order[task], found[thread]); });
        std::vector<Suffix>().swap(suffixes_);
        keep_best(found, most);
    }

    size_t bucket_begin(size_t bucket) const { return bucket == 0 ? 0 : bucket_ends[bucket - 1]; }
    size_t bucket_size(size_t bucket) const { return bucket_ends[bucket] - bucket_begin(bucket); }

private:
    struct Suffix {
        uint32_t place, unit;
    };
    // The next three characters of a suffix, one up, packed so that numbers order as the characters do; 0 past its end.
    struct Keyed {
        uint64_t key;
        Suffix suffix;
    };
    static constexpr unsigned chars_a_key = 3, char_bits = 21;
    static constexpr uint64_t char_mask = (1u << char_bits) - 1;
    static constexpr int nothing = -1;
    static constexpr size_t comparisons_a_check = size_t{1} << 18;

    // Which bytes follow a string: none, one, or several.
    struct Followers {
        int only = nothing;
        bool are_many = false;
        void see(int byte) {
            if (only == nothing) only = byte;
            are_many |= only != byte;
        }
    };

    // What holds for all work on one bucket.
    struct Bucket {
        const Keyed* base;
        size_t begin;
        std::vector<Recurring>& found;
        uint64_t rounds = 0;
    };

    template <class Visit>
    void each_start(Visit&& visit) const {
        for (uint32_t unit = 0; unit < store_.num_units(); ++unit)
            for (uint32_t place = store_.begins[unit]; place + 1 < store_.ends[unit]; ++place) {
                const uint32_t c = store_.chars[place];
                uint16_t script = rules_.first_script(c);
                if (rules_.may_go_on(c, store_.chars[place + 1], script)) visit(c, Suffix{place, unit});
            }
    }

    void fill_buckets() {
        bucket_ends.assign(store_.alphabet.size(), 0);
        if (rules_.settings().max_piece_length < 2) return;
        each_start([&](uint32_t c, Suffix) { ++bucket_ends[c]; });
        size_t total = 0;
        for (size_t& end : bucket_ends) {
            const size_t size = end;
            end = total;  // where the bucket begins, and after the next loop where it ends
            total += size;
        }
        suffixes_.resize(total);
        each_start([&](uint32_t c, Suffix suffix) { suffixes_[bucket_ends[c]++] = suffix; });
    }

    void sort_bucket(size_t character, std::vector<Recurring>& found) {
        const size_t begin = bucket_begin(character), size = bucket_size(character);
        if (size == 0) return;
        std::vector<Keyed> keyed(size);
        for (size_t i = 0; i < size; ++i) keyed[i].suffix = suffixes_[begin + i];
        Bucket bucket{keyed.data(), begin, found};
        sort_further(keyed.data(), keyed.data() + size, 1, rules_.first_script(static_cast<uint32_t>(character)), bucket);
        for (size_t i = 0; i < size; ++i) places[begin + i] = keyed[i].suffix.place;
        crew_.done += size;
    }

    // Sort suffixes that share their first `depth` characters by what comes next; returns the occurrences of that prefix.
    uint64_t sort_further(Keyed* begin, Keyed* end, uint32_t depth, uint16_t script, Bucket& bucket) {
        if (++bucket.rounds % 64 == 0) crew_.check();
        for (Keyed* k = begin; k < end; ++k) k->key = next_chars(k->suffix, depth);
        size_t comparisons = 0;
        std::sort(begin, end, [&](const Keyed& x, const Keyed& y) {
            if (++comparisons % comparisons_a_check == 0) crew_.check();
            return x.key != y.key ? x.key < y.key : x.suffix.place < y.suffix.place;
        });
        return walk(begin, end, depth, 0, script, bucket);
    }

    uint64_t next_chars(Suffix suffix, uint32_t depth) const {
        const uint32_t end = store_.ends[suffix.unit];
        uint64_t key = 0;
        for (uint32_t i = suffix.place + depth, n = 0; n < chars_a_key; ++i, ++n)
            key = key << char_bits | (i < end ? store_.chars[i] + 1 : 0);
        return key;
    }

    // As sort_further(), for suffixes already sorted by their keys, of which `level` characters are shared.
    uint64_t walk(Keyed* begin, Keyed* end, uint32_t depth, unsigned level, uint16_t script, Bucket& bucket) {
        if (end - begin == 1) return walk_alone(begin, depth, script, bucket);
        if (level == chars_a_key) return sort_further(begin, end, depth, script, bucket);
        const unsigned shift = char_bits * (chars_a_key - 1 - level);
        Followers after, after_end_of_sentence;
        uint64_t count = 0, count_at_end = 0;
        for (Keyed* group = begin; group < end;) {
            const uint64_t next = group->key >> shift & char_mask;
            Keyed* stop = group + 1;
            while (stop < end && (stop->key >> shift & char_mask) == next) ++stop;
            if (next == 0) {
                for (const Keyed* k = group; k < stop; ++k) {
                    count += store_.counts[k->suffix.unit];
                    count_at_end += see_followers(k->suffix.unit, after, after_end_of_sentence);
                }
            } else {
                const auto c = static_cast<uint32_t>(next - 1);
                after.see(rules_.settings().seeds_by_bytes ? lead_[c] : static_cast<int>(c) + past_end);
                uint16_t next_script = script;
                const uint32_t before = store_.chars[group->suffix.place + depth - 1];
                if (depth < rules_.settings().max_piece_length && rules_.may_go_on(before, c, next_script))
                    count += walk(group, stop, depth + 1, level + 1, next_script, bucket);
                else
                    for (const Keyed* k = group; k < stop; ++k) count += store_.counts[k->suffix.unit];
            }
            group = stop;
        }
        report(begin, end, depth, (after.are_many ? count : 0) + (after_end_of_sentence.are_many ? count_at_end : 0), bucket);
        return count;
    }

    // A suffix that no other shares: something can follow it in two ways only where its unit ends.
    uint64_t walk_alone(Keyed* only, uint32_t depth, uint16_t script, Bucket& bucket) {
        const Suffix suffix = only->suffix;
        const uint64_t count = store_.counts[suffix.unit];
        if (store_.follower_begins[suffix.unit + 1] - store_.follower_begins[suffix.unit] < 2) return count;
        const uint32_t length = store_.ends[suffix.unit] - suffix.place;
        if (length > rules_.settings().max_piece_length) return count;
        for (uint32_t i = depth; i < length; ++i)
            if (!rules_.may_go_on(store_.chars[suffix.place + i - 1], store_.chars[suffix.place + i], script)) return count;
        Followers after, after_end_of_sentence;
        const uint64_t at_end = see_followers(suffix.unit, after, after_end_of_sentence);
        report(only, only + 1, length, (after.are_many ? count : 0) + (after_end_of_sentence.are_many ? at_end : 0), bucket);
        return count;
    }

    // Returns how often the unit ends a sentence.
    uint64_t see_followers(uint32_t unit, Followers& after, Followers& after_end_of_sentence) const {
        for (uint32_t i = store_.follower_begins[unit]; i < store_.follower_begins[unit + 1]; ++i) {
            const int code = store_.followers[i];
            after.see(code < past_end ? code : 0);
            if (code >= past_end) after_end_of_sentence.see(code - past_end);
        }
        return store_.counts_at_end[unit];
    }

    void report(const Keyed* begin, const Keyed* end, uint32_t length, uint64_t count, Bucket& bucket) const {
        if (count < least_ || length < 2) return;
        const uint32_t* chars = store_.chars.data() + begin->suffix.place;
        if (!rules_.is_piece([&](size_t i) { return chars[i]; }, length)) return;
        size_t bytes = 0;
        for (uint32_t i = 0; i < length; ++i) bytes += unicode::utf8_size(lead_[chars[i]]);
        const size_t first = bucket.begin + static_cast<size_t>(begin - bucket.base);
        bucket.found.push_back({static_cast<float>(count) * static_cast<float>(length), static_cast<uint32_t>(first),
                                static_cast<uint32_t>(first + static_cast<size_t>(end - begin)),
                                static_cast<uint16_t>(length), static_cast<uint16_t>(bytes)});
    }

    // The best by score, then the longest in bytes, then by their bytes: the order of the sorted places tells that.
    void keep_best(std::vector<std::vector<Recurring>>& found, size_t most) {
        size_t total = 0;
        for (const auto& some : found) total += some.size();
        pieces.reserve(total);
        for (auto& some : found) {
            pieces.insert(pieces.end(), some.begin(), some.end());
            std::vector<Recurring>().swap(some);
        }
        const auto is_better = [](const Recurring& x, const Recurring& y) {
            if (x.score != y.score) return x.score > y.score;
            if (x.bytes != y.bytes) return x.bytes > y.bytes;
            return x.first != y.first ? x.first < y.first : x.length < y.length;
        };
        if (pieces.size() > most) {
            std::nth_element(pieces.begin(), pieces.begin() + static_cast<ptrdiff_t>(most), pieces.end(), is_better);
            pieces.resize(most);
        }
        std::sort(pieces.begin(), pieces.end(), is_better);
        pieces.shrink_to_fit();
    }

    const UnitStore& store_;
    const PieceRules& rules_;
    const std::vector<uint8_t>& lead_;
    Crew& crew_;
    const uint64_t least_;
    std::vector<Suffix> suffixes_;
};

}  // namespace textpipe::unigram
