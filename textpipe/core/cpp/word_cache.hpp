// Remembers the ids of words. Enters: a word of at most 255 bytes and its ids. Leaves: the ids of a word seen before.
// Promises: exact (the whole word is compared, never a hash of it) and bounded: a full set forgets the older of two
// short words, a full store of long ones forgets all of them.
//
// Words of up to 15 bytes with up to four ids lie in half a cache line, key and ids together; two share a set. Hangul
// takes three bytes a syllable, so one Korean word in ten is longer, and four in ten of the distinct ones: up to seven
// characters of three bytes, and a blank before them, are packed into 16 bits each. What is longer still, or no such
// word, lies one after the other in a store, found through a table of places.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "large_memory.hpp"
#include "model.hpp"

namespace textpipe {

constexpr size_t longest_short = 15, longest_cached = 255;

// A short word as a number: its bytes, zeros, and its length in the last byte.
struct WordKey {
    uint64_t low, high;

    // `readable` bytes may be read from the word on. Of a longer word the key of nothing but that it is one.
    static WordKey of(const uint8_t* word, size_t size, size_t readable) {
        if (__builtin_expect(readable >= sizeof(WordKey), 1)) return of(word, size);
        uint8_t copy[sizeof(WordKey)] = {};
        std::memcpy(copy, word, std::min(size, longest_short));
        return of(copy, size);
    }
    // When so many may be read as a key has.
    static WordKey of(const uint8_t* word, size_t size) {
        WordKey key;
        std::memcpy(&key, word, sizeof key);
        const size_t kept = std::min(size, longest_short + 1);
        key.low &= masks[kept].low;
        key.high = (key.high & masks[kept].high) | static_cast<uint64_t>(kept) << 56;
        return key;
    }
    uint64_t hash() const { return mix_hash(low, high); }

    // A word of more than longest_short bytes that is an optional blank and characters of three bytes each; none() where
    // it is no such word or has more than seven.
    static WordKey packed(const uint8_t* word, size_t size, size_t readable) {
        const size_t blank = *word == ' ', num_chars = (size - blank) / 3;
        if (num_chars > 7 || num_chars * 3 + blank != size) return none();
        uint8_t copy[27];
        const uint8_t* p = word;
        if (readable < sizeof copy) {
            std::memcpy(copy, word, size);
            std::memset(copy + size, 0, sizeof copy - size);
            p = copy;
        }
        uint64_t chars[4];
        bool good = true;
        for (size_t i = 0; i < 4; ++i) {
            const size_t first = 2 * i;
            chars[i] = two_chars(p + blank + 3 * first, num_chars > first ? num_chars - first : 0, good);
        }
        if (!good) return none();
        return {chars[0] | chars[1] << 32, chars[2] | chars[3] << 32 | (0x80 | blank << 4 | num_chars) << 56};
    }
    bool operator==(const WordKey& other) const { return ((low ^ other.low) | (high ^ other.high)) == 0; }
    static WordKey none() { return {~uint64_t{0}, ~uint64_t{0}}; }  // the key of no word
    bool is_none() const { return high == ~uint64_t{0}; }

  private:
    // The 16 bits each of two characters at p, of one, or of none; not good where they have not three bytes.
    static uint64_t two_chars(const uint8_t* p, size_t count, bool& good) {
        constexpr uint64_t masks[] = {0, 0xFFFFFF, 0xFFFFFFFFFFFF};
        const uint64_t mask = masks[std::min<size_t>(count, 2)];
        uint64_t bytes;
        std::memcpy(&bytes, p, sizeof bytes);
        bytes &= mask;
        good = good && (bytes & (0xC0C0F0C0C0F0 & mask)) == (0x8080E08080E0 & mask);
        // A character's bits stay in some fixed order: first the low ones of its lead.
        const uint64_t packed = (bytes & 0x00000F00000F) | (bytes >> 4 & 0x0003F00003F0) | (bytes >> 6 & 0x00FC0000FC00);
        return (packed & 0xFFFF) | (packed >> 8 & 0xFFFF0000);
    }

    struct Mask {
        uint64_t low, high;
    };
    struct Masks {
        Mask of[longest_short + 2];
        constexpr Masks() : of{} {
            for (unsigned size = 0; size <= longest_short; ++size) {
                of[size].low = size >= 8 ? ~uint64_t{0} : (uint64_t{1} << 8 * size) - 1;
                of[size].high = size <= 8 ? 0 : (uint64_t{1} << 8 * (size - 8)) - 1;
            }
        }
        constexpr const Mask& operator[](size_t size) const { return of[size]; }
    };
    static const Masks masks;
};
inline constexpr WordKey::Masks WordKey::masks{};

// Sets of two slots, the newer first; zeroed memory is an empty table.
class ShortWords {
  public:
    static constexpr unsigned max_ids = 4, elsewhere = 0x80;

    struct Slot {
        uint64_t low, high;
        uint32_t ids[max_ids];  // the count in the top byte of the first, or `elsewhere` for a word kept as a long one

        unsigned count() const { return ids[0] >> 24; }
        bool is_of(const WordKey& key) const { return ((low ^ key.low) | (high ^ key.high)) == 0; }
    };

    explicit ShortWords(size_t budget_bytes) : budget_sets_(budget_bytes / set_bytes) { allocate(first_sets); }

    void prefetch(uint64_t hash) const { __builtin_prefetch(set_of(hash)); }

    // The two slots a word may be in; there until the next insert() or expect().
    const Slot* set_of(uint64_t hash) const {
        return reinterpret_cast<const Slot*>(reinterpret_cast<const char*>(base_) + (hash & set_mask_));
    }

    // The slot of a word; some other where it is not known.
    struct Found {
        const Slot* slot;
        bool known;
    };
    Found find(const WordKey& key, uint64_t hash) const { return find(key, set_of(hash)); }
    static Found find(const WordKey& key, const Slot* set) {
        const bool first = set[0].is_of(key), second = set[1].is_of(key);
        return {set + !first, static_cast<bool>(first | second)};  // no branch
    }

    // Write the ids of a word to `out`, which has room for max_ids. Returns how many there are; 0 where they are not here.
    static uint32_t copy(const WordKey& key, const Slot* set, uint32_t* out) {
        const Found found = find(key, set);
        const uint32_t* const ids = found.slot->ids;
        uint64_t low, high;
        std::memcpy(&low, ids, sizeof low);
        std::memcpy(&high, ids + 2, sizeof high);
        const uint32_t count = static_cast<uint32_t>(low >> 24) & 0x7F;
        low &= ~(uint64_t{0xFF} << 24);
        std::memcpy(out, &low, sizeof low);
        std::memcpy(out + 2, &high, sizeof high);
        return count & (0u - static_cast<uint32_t>(found.known));
    }

    // With more than max_ids ids the word is marked as kept elsewhere.
    void insert(const WordKey& key, uint64_t hash, const uint32_t* ids, size_t count) {
        if (++num_inserted_ > sets_ && sets_ * 2 <= budget_sets_) grow(std::min(sets_ * 4, budget_sets_));
        Slot* slots = own_set_of(hash);
        slots[1] = slots[0];
        Slot& slot = slots[0];
        slot = {key.low, key.high, {}};
        if (count > max_ids) {
            slot.ids[0] = elsewhere << 24;
        } else {
            std::memcpy(slot.ids, ids, count * sizeof *ids);
            slot.ids[0] |= static_cast<uint32_t>(count) << 24;
        }
    }

    // Make room beforehand for the words of a text of so many bytes.
    void expect(size_t text_bytes) {
        const size_t sets = std::min(text_bytes / 256, budget_sets_);
        if (sets >= 4 * sets_) grow(sets);
    }

  private:
    static constexpr size_t ways = 2, set_bytes = ways * sizeof(Slot), first_sets = 1024;
    static_assert(set_bytes == 64);

    Slot* own_set_of(uint64_t hash) { return const_cast<Slot*>(set_of(hash)); }

    void allocate(size_t least_sets) {
        sets_ = first_sets;
        while (sets_ * 2 <= least_sets) sets_ *= 2;
        set_mask_ = (sets_ - 1) * set_bytes;
        memory_ = ZeroedMemory(sets_ * set_bytes);
        base_ = static_cast<Slot*>(memory_.begin());
    }

    // Each old slot goes to its own place, the newer of a set last so that it stays in front.
    void grow(size_t sets) {
        const ZeroedMemory old = std::move(memory_);
        const Slot* slots = base_;
        const size_t count = sets_ * ways;
        allocate(sets);
        num_inserted_ = 0;
        for (size_t i = count; i-- > 0;) {
            const Slot& slot = slots[i];
            if (slot.high == 0) continue;
            Slot* target = own_set_of(WordKey{slot.low, slot.high}.hash());
            target[1] = target[0];
            target[0] = slot;
            ++num_inserted_;
        }
    }

    size_t budget_sets_, sets_ = 0, set_mask_ = 0, num_inserted_ = 0;
    ZeroedMemory memory_;
    Slot* base_ = nullptr;
};

// Words of any length up to longest_cached in a store of 32-bit units: size, count, bytes, ids.
class LongWords {
  public:
    struct Found {
        const uint32_t* ids;
        size_t count;
    };

    explicit LongWords(size_t budget_bytes)
        : budget_units_(budget_bytes / 4 / 4 * 3), budget_places_(budget_bytes / 4 / sizeof(Place)) {
        allocate(first_places);
    }

    static uint64_t hash(const uint8_t* word, size_t size) {
        uint64_t hash = size, part = 0;
        if (size < 8) {
            std::memcpy(&part, word, size);
            return mix_hash(hash, part);
        }
        for (size_t i = 0; i + 8 < size; i += 8) {
            std::memcpy(&part, word + i, 8);
            hash = mix_hash(hash, part);
        }
        std::memcpy(&part, word + size - 8, 8);
        return mix_hash(hash, part);
    }

    void prefetch_place(uint64_t hash) const { __builtin_prefetch(group_of(hash)); }
    void prefetch_word(uint64_t hash) const {
        const Place* group = group_of(hash);
        for (size_t i = 0; i < ways; ++i)
            if (group[i].tag == tag_of(hash)) {
                __builtin_prefetch(&store_[group[i].at]);
                __builtin_prefetch(&store_[group[i].at] + 16);
            }
    }

    Found find(const uint8_t* word, size_t size, uint64_t hash) const {
        const Place* group = group_of(hash);
        for (size_t i = 0; i < ways; ++i) {
            if (group[i].tag != tag_of(hash)) continue;
            const uint32_t* entry = &store_[group[i].at];
            if (entry[0] == size && std::memcmp(entry + 2, word, size) == 0) return {entry + 2 + units(size), entry[1]};
        }
        return {nullptr, 0};
    }

    void insert(const uint8_t* word, size_t size, uint64_t hash, const uint32_t* ids, size_t count) {
        const size_t need = 2 + units(size) + count;
        if (need > budget_units_) return;
        if (end_ + need > budget_units_) clear();
        if (2 * num_words_ > places_ && places_ * 2 <= budget_places_) grow();
        const uint32_t at = end_;
        end_ += static_cast<uint32_t>(need);
        if (end_ + slack_units > store_.size()) store_.resize(std::max<size_t>(end_ + slack_units, store_.size() * 2));
        uint32_t* entry = &store_[at];
        entry[0] = static_cast<uint32_t>(size);
        entry[1] = static_cast<uint32_t>(count);
        std::memcpy(entry + 2, word, size);
        std::memcpy(entry + 2 + units(size), ids, count * sizeof *ids);
        put({tag_of(hash), at}, hash);
    }

  private:
    struct Place {
        uint32_t tag, at;  // tag 0 is free
    };
    static constexpr size_t ways = 4, first_places = 1024, slack_units = 4;  // so many ids may be read from any entry's on

    static size_t units(size_t bytes) { return (bytes + 3) / 4; }
    static uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32) | 1; }
    Place* group_of(uint64_t hash) const { return base_ + (hash & (places_ / ways - 1)) * ways; }

    void put(Place place, uint64_t hash) {
        Place* group = group_of(hash);
        size_t i = 0;
        while (i < ways && group[i].tag != 0) ++i;
        if (i == ways) i = (hash >> 40) % ways;  // one of the older ones is forgotten
        group[i] = place;
        ++num_words_;
    }

    void allocate(size_t places) {
        places_ = places;
        memory_ = ZeroedMemory(places * sizeof(Place));
        base_ = static_cast<Place*>(memory_.begin());
        num_words_ = 0;
    }

    void clear() {
        store_.clear();
        end_ = 0;
        allocate(places_);
    }

    void grow() {
        allocate(places_ * 4 <= budget_places_ ? places_ * 4 : places_ * 2);
        for (size_t at = 0; at < end_;) {
            const size_t size = store_[at];
            const uint64_t word_hash = hash(reinterpret_cast<const uint8_t*>(&store_[at + 2]), size);
            put({tag_of(word_hash), static_cast<uint32_t>(at)}, word_hash);
            at += 2 + units(size) + store_[at + 1];
        }
    }

    size_t budget_units_, budget_places_, places_ = 0, num_words_ = 0;
    std::vector<uint32_t> store_;
    uint32_t end_ = 0;  // of what is in the store
    ZeroedMemory memory_;
    Place* base_ = nullptr;
};

class WordCache {
  public:
    explicit WordCache(size_t budget_bytes) : shorts(budget_bytes / 3 * 2), longs(budget_bytes / 3) {}

    ShortWords shorts;
    LongWords longs;
};

}  // namespace textpipe
