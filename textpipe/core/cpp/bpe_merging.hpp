// Merges the symbols of short words, several words abreast. Enters: symbols. Leaves: the tokens they become. Promises: at
// every step the pair with the lowest rank is merged, the leftmost of equals; nothing branches on which one that is.
//
// What takes time in a word is that each merge waits for the one before it, so words that wait for nothing of each other
// are merged in step.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "merge_table.hpp"

namespace textpipe {

// Words of at most `most` symbols, `abreast` of them. The table is compact, holds a merge, and the symbols fit it.
template <size_t most, size_t abreast>
class BpeMerging {
  public:
    // Add a word under a number; is there room for more?
    bool add(const MergeTable& merges, size_t number, const uint32_t* ids, size_t count) {
        Word& word = words_[num_words_++];
        word.number = number;
        word.count = count;
        for (size_t i = 0; i < most + 3; ++i) {
            word.pairs[i] = unmerged;
            word.next[i] = static_cast<uint8_t>(i + 1);
            word.previous[i] = static_cast<uint8_t>(i - 1);
        }
        word.ids[0] = word.ids[count + 1] = word.ids[nowhere] = MergeTable::no_piece;
        word.next[nowhere] = word.previous[nowhere] = nowhere;
        std::copy_n(ids, count, word.ids + 1);
        for (size_t i = 1; i < count; ++i) look_up(merges, word, i, i + 1);
        return num_words_ < abreast;
    }

    // Call take(number, ids, count) for the tokens of each word, and forget them.
    template <class Take>
    void finish(const MergeTable& merges, Take&& take) {
        if (num_words_ == 0) return;
        for (size_t i = num_words_; i < abreast; ++i) words_[i] = words_[0];
        for (bool more = true; more;) {
            more = false;
            for (Word& word : words_) more |= merge_lowest(merges, word);
        }
        for (size_t i = 0; i < num_words_; ++i) {
            Word& word = words_[i];
            size_t kept = 0;
            for (size_t j = 1; j <= word.count; ++j) {
                word.ids[kept] = word.ids[j];
                kept += word.ids[j] != MergeTable::no_piece;
            }
            take(word.number, word.ids, kept);
        }
        num_words_ = 0;
    }

  private:
    static_assert(most + 3 <= 256);
    static constexpr size_t nowhere = most + 2;
    static constexpr uint32_t unmerged = MergeTable::no_rank << 8;

    // Symbols 1 to count, between two marks that merge with nothing. A symbol knows the places of its neighbours; of each
    // pair there is its rank and the place of its left symbol, so that the lowest is the one to merge. What is done to a
    // word that is finished is done `nowhere`.
    struct Word {
        uint32_t ids[most + 3], pairs[most + 3];
        uint8_t next[most + 3], previous[most + 3];
        size_t count, number;
    };

    static void look_up(const MergeTable& merges, Word& word, size_t left, size_t right) {
        const uint32_t rank = merges.compact_rank_of(word.ids[left], word.ids[right]);
        word.pairs[left] = rank << 8 | static_cast<uint32_t>(left);
    }

    static bool merge_lowest(const MergeTable& merges, Word& word) {
        const uint32_t lowest = lowest_of<1, most>(word.pairs);
        const bool found = lowest < unmerged;
        const size_t at = found ? lowest & 0xFF : nowhere;
        const uint32_t rank = found ? lowest >> 8 : 0;
        const size_t right = word.next[at], after = word.next[right], before = word.previous[at];
        word.ids[at] = merges.id_of(rank);
        word.ids[right] = MergeTable::no_piece;
        word.pairs[right] = unmerged;
        word.next[at] = static_cast<uint8_t>(after);
        word.previous[after] = static_cast<uint8_t>(at);
        look_up(merges, word, at, after);
        look_up(merges, word, before, at);
        return found;
    }

    // Of pairs first to end - 1, as a tree.
    template <size_t first, size_t end>
    static uint32_t lowest_of(const uint32_t* pairs) {
        if constexpr (end - first == 1) {
            return pairs[first];
        } else {
            constexpr size_t middle = (first + end) / 2;
            return std::min(lowest_of<first, middle>(pairs), lowest_of<middle, end>(pairs));
        }
    }

    size_t num_words_ = 0;
    Word words_[abreast];
};

// Words of at most `most` symbols, in step with others of about their size.
class BpeMergings {
  public:
    static constexpr size_t most = 65;

    // Add a word under a number; take(number, ids, count) may be called for it and for others.
    template <class Take>
    void add(const MergeTable& merges, size_t number, const uint32_t* ids, size_t count, Take&& take) {
        if (count <= 9)
            add_to(nine_, merges, number, ids, count, take);
        else if (count <= 17)
            add_to(seventeen_, merges, number, ids, count, take);
        else if (count <= 33)
            add_to(thirty_three_, merges, number, ids, count, take);
        else
            add_to(sixty_five_, merges, number, ids, count, take);
    }

    // Call take() for the words it was not called for yet.
    template <class Take>
    void finish(const MergeTable& merges, Take&& take) {
        nine_.finish(merges, take);
        seventeen_.finish(merges, take);
        thirty_three_.finish(merges, take);
        sixty_five_.finish(merges, take);
    }

  private:
    template <class Merging, class Take>
    static void add_to(Merging& merging, const MergeTable& merges, size_t number, const uint32_t* ids, size_t count,
                       Take&& take) {
        if (!merging.add(merges, number, ids, count)) merging.finish(merges, take);
    }

    BpeMerging<9, 2> nine_;
    BpeMerging<17, 2> seventeen_;
    BpeMerging<33, 2> thirty_three_;
    BpeMerging<65, 2> sixty_five_;
};

}  // namespace textpipe
