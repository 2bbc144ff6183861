// Merges by their pair of ids. Enters: the merges in the order of their ranks. Leaves: the rank of a pair and what it
// becomes. Promises: exact; a look-up reads two places of the table whatever they hold, without a branch to guess.
//
// A slot is eight bytes: both ids in 20 bits each and the rank in 24. A pair lies in one of its two places of two slots
// each; a new one pushes out one that lies there, and that goes to its own other place: so the table can be nearly full,
// and stays in the cache beside the words'. Merges that do not fit lie apart, in a map.
#pragma once
#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model.hpp"

namespace textpipe {

class MergeTable {
  public:
    struct Merge {
        uint32_t left, right, id;
    };

    // For compact_rank_of(): ids below id_end fit, no_piece merges with none of them, and no_rank is above all ranks.
    static constexpr uint32_t no_piece = (1u << 20) - 1, id_end = no_piece - 1, no_rank = (1u << 24) - 1;

    void reserve(size_t count) {
        size_t capacity = 16;
        while (capacity < count * 3 / 2) capacity *= 2;
        mask_ = capacity - place_slots;
        slots_.assign(capacity, free_slot);
        merges_.reserve(count);
        ids_.reserve(count);
    }

    // Ranks come in order; a pair listed twice keeps its last rank, as `tokenizers` does. reserve() has made room.
    void insert(uint32_t left, uint32_t right, uint32_t id) {
        const uint32_t rank = static_cast<uint32_t>(merges_.size());
        merges_.push_back({left, right, id});
        ids_.push_back(id);
        if (rank == 0) first_id_ = id;
        in_order_ = in_order_ && id == first_id_ + rank;
        if (std::max({left, right, id}) >= id_end || rank >= no_rank) {
            others_[wide_key(left, right)] = rank;
            return;
        }
        const auto other = others_.find(wide_key(left, right));
        if (other != others_.end()) {
            other->second = rank;
            return;
        }
        const uint64_t key = key_of(left, right), slot = key << rank_bits | rank;
        for (const size_t place : {first_place(key), second_place(key)})
            for (size_t i = 0; i < place_slots; ++i)
                if (slots_[place + i] >> rank_bits == key) {
                    slots_[place + i] = slot;
                    return;
                }
        settle(slot);
    }

    // no_id where the two do not merge.
    uint32_t rank_of(uint32_t left, uint32_t right) const {
        if (__builtin_expect(!others_.empty(), 0)) {
            const auto found = others_.find(wide_key(left, right));
            if (found != others_.end()) return found->second;
        }
        if (std::max(left, right) >= id_end) return no_id;
        const uint32_t rank = compact_rank_of(left, right);
        return rank == no_rank ? no_id : rank;
    }

    // Do all merges fit the slots? Then this is the same for ids that fit, but for no_rank where the two do not merge.
    bool is_compact() const { return others_.empty(); }
    uint32_t compact_rank_of(uint32_t left, uint32_t right) const {
        const uint64_t key = key_of(left, right), wanted = key << rank_bits;
        // What is left of the slot with the pair is its rank, and of any other slot more than a rank.
        const uint64_t *first = &slots_[first_place(key)], *second = &slots_[second_place(key)];
        const uint64_t one = std::min(first[0] ^ wanted, first[1] ^ wanted);
        const uint64_t other = std::min(second[0] ^ wanted, second[1] ^ wanted);
        return static_cast<uint32_t>(std::min({one, other, uint64_t{no_rank}}));
    }

    const std::vector<Merge>& merges() const { return merges_; }
    uint32_t id_of(uint32_t rank) const { return __builtin_expect(in_order_, 1) ? first_id_ + rank : ids_[rank]; }

  private:
    static constexpr unsigned id_bits = 20, rank_bits = 24, most_moves = 200;
    static constexpr size_t place_slots = 2;
    static constexpr uint64_t free_slot = (uint64_t{id_end} << id_bits | id_end) << rank_bits | no_rank;

    static uint64_t key_of(uint32_t left, uint32_t right) { return uint64_t{left} << id_bits | right; }
    static uint64_t wide_key(uint32_t left, uint32_t right) { return uint64_t{left} << 32 | right; }
    size_t first_place(uint64_t key) const { return (key * 0x9E3779B97F4A7C15u) >> 40 & mask_; }
    size_t second_place(uint64_t key) const { return (key * 0x9E3779B97F4A7C15u) >> 20 & mask_; }

    void settle(uint64_t slot) {
        size_t place = first_place(slot >> rank_bits);
        for (unsigned moves = 0; moves < most_moves; ++moves) {
            const size_t taken = slots_[place] == free_slot ? 0 : slots_[place + 1] == free_slot ? 1 : moves % 2;
            std::swap(slots_[place + taken], slot);
            if (slot == free_slot) return;
            const uint64_t key = slot >> rank_bits;
            place = place == first_place(key) ? second_place(key) : first_place(key);
        }
        const uint64_t key = slot >> rank_bits;
        others_[wide_key(static_cast<uint32_t>(key >> id_bits), key & no_piece)] = slot & no_rank;
    }

    std::vector<uint64_t> slots_;
    std::vector<Merge> merges_;
    std::vector<uint32_t> ids_;
    std::unordered_map<uint64_t, uint32_t> others_;
    size_t mask_ = 0;
    uint32_t first_id_ = 0;
    bool in_order_ = true;  // the ids follow one another as the ranks do: they need not be looked up
};

}  // namespace textpipe
