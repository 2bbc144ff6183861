// Merges by their pair of ids. Enters: the merges in the order of their ranks. Leaves: the rank of a pair and what it
// becomes. Promises: exact; a look-up touches one place of the table, whether the two merge or not.
//
// A slot is eight bytes: both ids in 20 bits each and the rank in 24. Merges that do not fit lie apart, in a map.
#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "model.hpp"

namespace textpipe {

class MergeTable {
  public:
    struct Merge {
        uint32_t left, right, id;
    };

    void reserve(size_t count) {
        size_t capacity = 16;
        shift_ = 60;
        for (; capacity < count * 2; capacity *= 2) --shift_;
        slots_.assign(capacity, free_slot);
        merges_.reserve(count);
        ids_.reserve(count);
    }

    // Ranks come in order; a pair listed twice keeps its last rank, as `tokenizers` does. reserve() has made room.
    void insert(uint32_t left, uint32_t right, uint32_t id) {
        const uint32_t rank = static_cast<uint32_t>(merges_.size());
        merges_.push_back({left, right, id});
        ids_.push_back(id);
        if ((left | right) >= id_end || rank >= rank_end) {
            others_[wide_key(left, right)] = rank;
            return;
        }
        const uint64_t key = key_of(left, right);
        size_t i = home_of(key);
        while (slots_[i] != free_slot && slots_[i] >> rank_bits != key) i = (i + 1) & (slots_.size() - 1);
        slots_[i] = key << rank_bits | rank;
    }

    // no_id where the two do not merge.
    uint32_t rank_of(uint32_t left, uint32_t right) const {
        if (__builtin_expect(!others_.empty() || (left | right) >= id_end, 0)) {
            const auto found = others_.find(wide_key(left, right));
            if (found != others_.end()) return found->second;
            if ((left | right) >= id_end) return no_id;
        }
        const uint64_t key = key_of(left, right);
        for (size_t i = home_of(key);; i = (i + 1) & (slots_.size() - 1)) {
            const uint64_t slot = slots_[i];
            if (slot >> rank_bits == key) return static_cast<uint32_t>(slot) & rank_end;
            if (slot == free_slot) return no_id;
        }
    }

    const std::vector<Merge>& merges() const { return merges_; }
    uint32_t id_of(uint32_t rank) const { return ids_[rank]; }

  private:
    static constexpr unsigned id_bits = 20, rank_bits = 24;
    static constexpr uint32_t id_end = 1u << id_bits, rank_end = (1u << rank_bits) - 1;
    static constexpr uint64_t free_slot = ~uint64_t{0};  // would be a rank that does not fit

    static uint64_t key_of(uint32_t left, uint32_t right) { return uint64_t{left} << id_bits | right; }
    static uint64_t wide_key(uint32_t left, uint32_t right) { return uint64_t{left} << 32 | right; }
    size_t home_of(uint64_t key) const { return (key * 0x9E3779B97F4A7C15u) >> shift_; }

    std::vector<uint64_t> slots_;
    std::vector<Merge> merges_;
    std::vector<uint32_t> ids_;
    std::unordered_map<uint64_t, uint32_t> others_;
    unsigned shift_ = 60;
};

}  // namespace textpipe
