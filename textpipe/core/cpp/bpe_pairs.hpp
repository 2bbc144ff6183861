// Pairs of ids as one number, and tables by them. Enters: ids. Leaves: keys that order as (left, right), and a value for each.
// Promises: O(1) to find or make a value; memory is at most four times what the pairs need.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "snapshot.hpp"
#include "word_counts.hpp"

namespace textpipe {

namespace bpe {

inline uint64_t pair_key(uint32_t left, uint32_t right) { return uint64_t{left} << 32 | right; }
inline uint32_t left_of(uint64_t pair) { return static_cast<uint32_t>(pair >> 32); }
inline uint32_t right_of(uint64_t pair) { return static_cast<uint32_t>(pair); }

// Pair -> value, open addressing, never shrinks.
template <class Value>
class PairTable {
public:
    PairTable() : slots_(1024) {}

    Value* find(uint64_t pair) {
        for (size_t at = place(pair);; at = (at + 1) & (slots_.size() - 1)) {
            if (slots_[at].pair == pair) return &slots_[at].value;
            if (slots_[at].pair == empty) return nullptr;
        }
    }

    void prefetch(uint64_t pair) const { words::prefetch(&slots_[place(pair)]); }

    // The value of a pair, made from nothing when it has none; later calls may move it.
    Value& operator[](uint64_t pair) {
        if (used_ * 2 >= slots_.size()) grow();
        size_t at = place(pair);
        for (; slots_[at].pair != pair; at = (at + 1) & (slots_.size() - 1)) {
            if (slots_[at].pair != empty) continue;
            slots_[at].pair = pair;
            ++used_;
            break;
        }
        return slots_[at].value;
    }

    template <class Visit>
    void each(Visit&& visit) {
        for (Slot& slot : slots_)
            if (slot.pair != empty) visit(slot.pair, slot.value);
    }

    void exchange(Snapshot& with) {
        with(slots_);
        with(used_);
        Snapshot::require(slots_.size() >= 2 && (slots_.size() & (slots_.size() - 1)) == 0 && used_ < slots_.size());
    }

private:
    static constexpr uint64_t empty = std::numeric_limits<uint64_t>::max();
    struct Slot {
        uint64_t pair = empty;
        Value value{};
    };

    size_t place(uint64_t pair) const { return words::mix(pair ^ words::seed_a, words::seed_b) & (slots_.size() - 1); }

    void grow() {
        std::vector<Slot> old(slots_.size() * 2);
        old.swap(slots_);
        for (Slot& slot : old) {
            if (slot.pair == empty) continue;
            size_t at = place(slot.pair);
            while (slots_[at].pair != empty) at = (at + 1) & (slots_.size() - 1);
            slots_[at] = slot;
        }
    }

    std::vector<Slot> slots_;
    size_t used_ = 0;
};

}  // namespace bpe

}  // namespace textpipe
