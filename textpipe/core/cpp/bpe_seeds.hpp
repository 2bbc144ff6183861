// Where a byte-level word may begin with whole characters instead of their bytes. Enters: the pieces and the merges, once;
// then words. Leaves: the symbols the merging may begin with. Promises: merging them gives the same tokens as merging the
// bytes.
//
// A character of three bytes, as Hangul has, may begin as one token when its bytes have become that token before
// anything can merge across its borders. With R the rank of the merge that completes it, that is so when no merge up to
// R takes the token itself, none joins one of its first bytes to what ends at its left border, and none joins one of its
// last bytes to what begins at its right border. What ends or begins there is told by the neighbouring character: on the
// left by the character itself, on the right by its first byte. A word's first blank and the character after it are
// treated as one.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "merge_table.hpp"
#include "model.hpp"
#include "unicode.hpp"

namespace textpipe {

class BpeSeeds {
  public:
    using Bytes = std::array<uint32_t, 256>;  // the id of each byte

    // What the bytes of a piece look like from outside.
    struct Ends {
        uint32_t size = 0;
        std::array<uint8_t, 3> first{}, last{};  // the first three bytes; the last three, the very last first
    };

    BpeSeeds() = default;

    BpeSeeds(const Bytes& bytes, const std::vector<Ends>& pieces, const MergeTable& merges)
        : bytes_(bytes), seeds_(bmp_end), blank_seeds_(bmp_end), borders_of_(bmp_end, 0), borders_(1) {
        std::vector<ByNext> after(pieces.size());
        std::vector<uint32_t> lowest(pieces.size(), no_id);
        std::vector<Borders> borders(bmp_end);
        const auto& list = merges.merges();
        for (uint32_t rank = 0; rank < list.size(); ++rank) {
            const auto [left, right, id] = list[rank];
            if (merges.rank_of(left, right) != rank) continue;  // listed again later
            lowest[left] = std::min(lowest[left], rank);
            lowest[right] = std::min(lowest[right], rank);
            const uint8_t next = pieces[right].first[0];
            if (!is_continuation(next)) {
                uint32_t& entry = after[left].rank[kind_of(next)];
                entry = std::min(entry, rank);
            }
            if (is_lead(next) && pieces[right].size < 3) note_border(pieces[left], kind_of(next), rank, borders);
        }
        for (const Ends& piece : pieces) {  // nothing else becomes one token
            const uint8_t text[4] = {piece.first[0], piece.first[1], piece.first[2], piece.last[0]};
            const bool has_blank = piece.size == 4 && text[0] == ' ';
            const uint8_t* const character = text + has_blank;
            if (piece.size != 3u + has_blank || !is_lead(character[0])) continue;
            if (!is_continuation(character[1]) || !is_continuation(character[2])) continue;
            (has_blank ? blank_seeds_ : seeds_)[three_bytes(character)] =
                make_seed(text, piece.size, merges, after, lowest);
        }
        keep_borders(borders);
    }

    // The symbols of a word into `ids`, which has room for one a byte; returns how many.
    size_t split(const uint8_t* word, size_t size, uint32_t* ids) const {
        uint32_t* out = ids;
        size_t i = 0;
        uint32_t previous = none;
        if (size >= 4 && word[0] == ' ' && is_lead(word[1])) {
            const uint32_t c = three_bytes(word + 1);
            if (const Seed& seed = blank_seeds_[c]; holds(seed, word, 4, size)) {
                *out++ = seed.token & token_mask;
                i = 4;
                previous = c;
            }
        }
        while (i < size) {
            const uint8_t byte = word[i];
            if (is_lead(byte) && size - i >= 3) {
                const uint32_t c = three_bytes(word + i);
                const Seed& seed = seeds_[c];
                const bool left =
                    previous == none || borders_[borders_of_[previous]].rank[kind_of(byte)] > seed.done;
                previous = c;
                if (left && holds(seed, word, i + 3, size)) {
                    *out++ = seed.token & token_mask;
                    i += 3;
                    continue;
                }
                *out++ = bytes_[byte];
                *out++ = bytes_[word[i + 1]];
                *out++ = bytes_[word[i + 2]];
                i += 3;
                continue;
            }
            if (byte < 0x80) {
                do *out++ = bytes_[word[i]];
                while (++i < size && word[i] < 0x80);
                previous = word[i - 1];
                continue;
            }
            unsigned length;
            previous = unicode::decode(word + i, length);
            if (previous >= bmp_end) previous = beyond;
            for (const size_t end = i + length; i < end; ++i) *out++ = bytes_[word[i]];
        }
        return static_cast<size_t>(out - ids);
    }

  private:
    static constexpr uint32_t bmp_end = 0x10000, none = no_id, token_mask = 0xFFFFFF;
    static constexpr uint32_t beyond = 0;  // U+0000 stands for what is outside the plane; its borders hold nothing
    static constexpr unsigned num_kinds = 6;

    struct Seed {
        uint32_t token = 0;    // and a bit for each kind of next byte before which it holds
        uint32_t done = no_id;  // the rank that completes it
    };
    struct ByNext {
        std::array<uint32_t, num_kinds> rank;
        ByNext() { rank.fill(no_id); }
    };
    // By the kind of the first byte on the right, the lowest rank that joins a part of that character to what ends here.
    using Borders = ByNext;

    static bool is_continuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }
    static bool is_lead(uint8_t byte) { return (byte & 0xF0) == 0xE0; }
    static uint32_t three_bytes(const uint8_t* p) {
        return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    }
    // Of a character by its first byte: the four of Hangul, others of three bytes, the rest.
    static unsigned kind_of(uint8_t first) {
        return first >= 0xEA && first <= 0xED ? first - 0xEAu : is_lead(first) ? 4 : 5;
    }
    static bool holds(const Seed& seed, const uint8_t* word, size_t next, size_t size) {
        const uint32_t bit = next == size ? 1u << 30 : 1u << (24 + kind_of(word[next]));
        return (seed.token & bit) != 0;
    }

    // A merge of `left` and the first one or two bytes of a character of three: which characters may `left` end with?
    static void note_border(const Ends& left, unsigned kind, uint32_t rank, std::vector<Borders>& borders) {
        const auto note = [&](uint32_t c) { borders[c].rank[kind] = std::min(borders[c].rank[kind], rank); };
        const uint8_t z = left.last[0], y = left.last[1], x = left.last[2];
        if (z < 0x80) return note(z);
        if (left.size >= 3 && is_lead(x)) return note((x & 0x0Fu) << 12 | (y & 0x3Fu) << 6 | (z & 0x3Fu));
        if (left.size >= 2 && (y & 0xE0) == 0xC0) return note((y & 0x1Fu) << 6 | (z & 0x3Fu));
        if (left.size > 2) return;  // the end of a character of four bytes, or of none
        const uint32_t tail = left.size == 1 ? z & 0x3Fu : (y & 0x3Fu) << 6 | (z & 0x3Fu);
        for (uint32_t c = tail; c < bmp_end; c += left.size == 1 ? 1u << 6 : 1u << 12) note(c);
    }

    // The token that the bytes become by themselves, if they become one.
    Seed make_seed(const uint8_t* text, size_t count, const MergeTable& merges, const std::vector<ByNext>& after,
                   const std::vector<uint32_t>& lowest) const {
        uint32_t ids[4], done = 0;
        for (size_t i = 0; i < count; ++i) ids[i] = bytes_[text[i]];
        ByNext ends;  // the lowest ranks that take the last symbol on the way
        while (count > 1) {
            uint32_t best = no_id;
            size_t at = 0;
            for (size_t i = 0; i + 1 < count; ++i) {
                const uint32_t rank = merges.rank_of(ids[i], ids[i + 1]);
                if (rank < best) {
                    best = rank;
                    at = i;
                }
            }
            if (best == no_id) return {};
            for (unsigned kind = 0; kind < num_kinds; ++kind)
                ends.rank[kind] = std::min(ends.rank[kind], after[ids[count - 1]].rank[kind]);
            done = std::max(done, best);
            ids[at] = merges.id_of(best);
            std::copy(ids + at + 2, ids + count, ids + at + 1);
            --count;
        }
        if (ids[0] > token_mask || lowest[ids[0]] <= done) return {};
        uint32_t entry = ids[0] | 1u << 30;
        for (unsigned kind = 0; kind < num_kinds; ++kind)
            if (ends.rank[kind] > done) entry |= 1u << (24 + kind);
        return {entry, done};
    }

    // Most characters have the same borders as others; each kind is kept once.
    void keep_borders(const std::vector<Borders>& borders) {
        borders_[0].rank.fill(0);  // nothing holds
        std::unordered_map<std::string, uint16_t> seen;
        for (uint32_t c = 1; c < bmp_end; ++c) {
            const std::string key(reinterpret_cast<const char*>(borders[c].rank.data()), sizeof borders[c].rank);
            const auto [found, is_new] = seen.try_emplace(key, static_cast<uint16_t>(borders_.size()));
            if (is_new) borders_.push_back(borders[c]);
            borders_of_[c] = found->second;
        }
    }

    Bytes bytes_{};
    std::vector<Seed> seeds_, blank_seeds_;  // by code point
    std::vector<uint16_t> borders_of_;       // by code point, the index of its borders
    std::vector<Borders> borders_;
};

}  // namespace textpipe
