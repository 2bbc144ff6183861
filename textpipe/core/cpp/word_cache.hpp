// Remembers the ids of words. Enters: a word of at most 31 bytes and its ids. Leaves: the ids of a word seen before.
// Promises: exact (the whole word is compared, never a hash of it) and bounded: a full cache forgets the older of two
// words.
//
// Words of up to 15 bytes with up to four ids lie in half a cache line, key and ids together; longer ones, up to 31
// bytes and eight ids, in a whole line; two share a set. Hangul takes three bytes a syllable, so one Korean word in
// ten needs the long slots.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "model.hpp"

namespace textpipe {

constexpr size_t longest_cached = 31;

// A word as a number: its bytes, zeros, and its length in the last byte of the slot's key.
struct WordKey {
    uint64_t part[4];

    // `readable` bytes may be read from the word on.
    static WordKey of(const uint8_t* word, size_t size, size_t readable) {
        WordKey key;
        if (size <= 15) {
            if (readable >= 16) {
                std::memcpy(key.part, word, 16);
            } else {
                key.part[0] = key.part[1] = 0;
                std::memcpy(key.part, word, size);
            }
            if (size <= 8) {
                key.part[0] &= mask(size);
                key.part[1] = 0;
            } else {
                key.part[1] &= mask(size - 8);
            }
            key.part[1] |= static_cast<uint64_t>(size) << 56;
            key.part[2] = key.part[3] = 0;
        } else {
            if (readable >= 32) {
                std::memcpy(key.part, word, 32);
            } else {
                std::memset(key.part, 0, 32);
                std::memcpy(key.part, word, size);
            }
            if (size <= 24) {
                key.part[2] &= mask(size - 16);
                key.part[3] = 0;
            } else {
                key.part[3] &= mask(size - 24);
            }
            key.part[3] |= static_cast<uint64_t>(size) << 56;
        }
        return key;
    }

    uint64_t hash_short() const { return mix_hash(part[0], part[1]); }
    uint64_t hash_long() const { return mix_hash(mix_hash(part[0], part[1]) ^ part[2], part[3]); }

  private:
    static uint64_t mask(size_t bytes) { return bytes == 0 ? 0 : ~uint64_t{0} >> (64 - 8 * bytes); }
};

// A table of sets of two slots, the newer first; zeroed memory is an empty table.
template <size_t key_parts, size_t max_ids>
class SlotTable {
  public:
    struct Slot {
        uint64_t key[key_parts];
        uint32_t ids[max_ids];  // the count in the top byte of the first

        unsigned count() const { return ids[0] >> 24; }
        bool holds(const WordKey& word) const {
            uint64_t difference = 0;
            for (size_t i = 0; i < key_parts; ++i) difference |= key[i] ^ word.part[i];
            return difference == 0;
        }
    };
    static constexpr size_t ways = 2, set_bytes = ways * sizeof(Slot);
    static_assert(set_bytes % 64 == 0);

    explicit SlotTable(size_t budget_bytes) : budget_sets_(budget_bytes / set_bytes) {
        allocate(first_sets, sets_, memory_);
    }

    void prefetch(uint64_t hash) const {
        const Slot* slots = set_of(hash);
        for (size_t i = 0; i < set_bytes; i += 64) __builtin_prefetch(reinterpret_cast<const char*>(slots) + i);
    }

    const Slot* find(const WordKey& word, uint64_t hash) const {
        const Slot* slots = set_of(hash);
        for (size_t i = 0; i < ways; ++i)
            if (slots[i].holds(word)) return slots + i;
        return nullptr;
    }

    void insert(const WordKey& word, uint64_t hash, const uint32_t* ids, size_t count) {
        if (++num_inserted_ > sets_ && sets_ * 2 <= budget_sets_) grow();
        Slot* slots = set_of(hash);
        slots[1] = slots[0];
        std::memcpy(slots[0].key, word.part, sizeof slots[0].key);
        slots[0].ids[0] = 0;
        std::memcpy(slots[0].ids, ids, count * sizeof *ids);
        slots[0].ids[0] |= static_cast<uint32_t>(count) << 24;
    }

  private:
    static constexpr size_t first_sets = 1024;
    struct Unmap {
        void operator()(void* memory) const { std::free(memory); }
    };
    using Memory = std::unique_ptr<void, Unmap>;

    Slot* set_of(uint64_t hash) const { return base_ + (hash & (sets_ - 1)) * ways; }

    void allocate(size_t sets, size_t& num_sets, Memory& memory) {
        memory.reset(std::calloc(sets + 1, set_bytes));
        if (!memory) throw std::bad_alloc();
        base_ = reinterpret_cast<Slot*>((reinterpret_cast<uintptr_t>(memory.get()) + 63) & ~uintptr_t{63});
        num_sets = sets;
#if defined(__linux__)
        // Advice before the first touch: most of a cold run's waits are for the address, not for the line.
        constexpr uintptr_t huge = 2u << 20;
        const uintptr_t begin = (reinterpret_cast<uintptr_t>(base_) + huge - 1) & ~(huge - 1);
        const uintptr_t end = reinterpret_cast<uintptr_t>(base_ + sets * ways) & ~(huge - 1);
        if (end > begin) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
    }

    // Four times the sets: each old slot goes to its own place, the newer of a set last so that it stays in front.
    void grow() {
        Memory old = std::move(memory_);
        Slot* slots = base_;
        const size_t count = sets_ * ways;
        size_t sets = sets_ * 4;
        if (sets > budget_sets_) sets = sets_ * 2;
        allocate(sets, sets_, memory_);
        num_inserted_ = 0;
        for (size_t i = count; i-- > 0;) {
            const Slot& slot = slots[i];
            if (slot.key[key_parts - 1] == 0) continue;
            WordKey word{};
            std::memcpy(word.part, slot.key, sizeof slot.key);
            Slot* target = set_of(key_parts == 2 ? word.hash_short() : word.hash_long());
            target[1] = target[0];
            target[0] = slot;
            ++num_inserted_;
        }
    }

    size_t budget_sets_, sets_ = 0, num_inserted_ = 0;
    Memory memory_;
    Slot* base_ = nullptr;
};

class WordCache {
  public:
    using Short = SlotTable<2, 4>;
    using Long = SlotTable<4, 8>;

    explicit WordCache(size_t budget_bytes) : shorts(budget_bytes / 3 * 2), longs(budget_bytes / 3) {}

    Short shorts;
    Long longs;
};

}  // namespace textpipe
