// Remembers the pieces of stretches of text. Enters: a stretch and its pieces. Leaves: the pieces of one seen before.
// Promises: exact (the whole stretch is compared, never a hash of it) and bounded: short ones forget the older of two, and
// when there is no more room for long ones they are all forgotten.
//
// Most stretches are words of up to 15 bytes with up to three pieces; these lie in half a cache line, text and pieces
// together. The others, up to 255 bytes, lie one after the other in one piece of memory, with a table of where.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "word_cache.hpp"

namespace textpipe {

class PieceCache {
  public:
    PieceCache() { allocate_shorts(first_shorts); }

    static constexpr size_t longest = 255, most_pieces = 255;

    // What is remembered of one stretch. `note` is the caller's own.
    struct Found {
        const uint32_t* ids = nullptr;
        uint32_t count = 0;
        float note = 0;
    };

    // A stretch with its hash; `readable` bytes may be read from its beginning on.
    struct Key {
        const uint8_t* text;
        size_t size;
        uint64_t hash;
        WordKey word;  // of a short one
    };

    static Key key_of(const uint8_t* text, size_t size, size_t readable) {
        Key key{text, size, 0, {0, 0}};
        if (size <= 15) {
            key.word = WordKey::of(text, size, readable);
            key.hash = key.word.hash();
        } else if (size <= longest) {
            key.hash = hash_of(text, size);
        }
        return key;
    }

    void prefetch(const Key& key) const {
        if (key.size <= 15)
            __builtin_prefetch(&shorts_[short_set(key.hash)]);
        else if (key.size <= longest)
            __builtin_prefetch(&places_[key.hash & (places_.size() - 1)]);
    }

    bool find(const Key& key, Found& found) const {
        if (key.size <= 15) {
            const Short* set = &shorts_[short_set(key.hash)];
            for (size_t i = 0; i < 2; ++i)
                if (set[i].key[0] == key.word.low && set[i].key[1] == key.word.high) {
                    found.ids = set[i].ids;
                    found.count = set[i].count();
                    found.note = set[i].note();
                    return found.count != too_many || find_long(key, found);
                }
            return false;
        }
        return key.size <= longest && find_long(key, found);
    }

    void insert(const Key& key, const uint32_t* ids, size_t count, float note) {
        if (key.size > longest || count > most_pieces) return;
        if (key.size > 15) return insert_long(key, ids, count, note);
        if (++num_shorts_ * 4 > room_ && room_ < max_shorts) grow_shorts();
        Short made;
        made.key[0] = key.word.low;
        made.key[1] = key.word.high;
        std::memset(made.ids, 0, sizeof made.ids);
        if (count > 3) {
            made.ids[0] = many_mark;
            insert_long(key, ids, count, note);
        } else {
            std::memcpy(made.ids, ids, count * sizeof *ids);
            std::memcpy(&made.ids[3], &note, sizeof note);
            made.ids[3] = (made.ids[3] & ~3u) | static_cast<uint32_t>(count);
        }
        Short* set = &shorts_[short_set(key.hash)];
        set[1] = set[0];
        set[0] = made;
    }

  private:
    static constexpr uint32_t too_many = 0xFFFFFFFF, many_mark = 0xFFFFFFFF;
    static constexpr size_t first_shorts = 1 << 12, max_shorts = 1 << 20, max_bytes = 24 << 20;

    struct Short {
        uint64_t key[2];
        uint32_t ids[4];  // the last is the note, its lowest bits how many there are; many_mark: it is with the long ones

        uint32_t count() const { return ids[0] == many_mark ? too_many : ids[3] & 3; }
        float note() const {
            const uint32_t bits = ids[3] & ~3u;
            float note;
            std::memcpy(&note, &bits, sizeof note);
            return note;
        }
    };
    struct Place {
        uint32_t tag = 0, at = 0;  // the upper half of the hash; where in memory_, counted from 1
    };
    // In memory_: sizes (text, pieces), note, ids, text; in units of four bytes.

    static uint64_t hash_of(const uint8_t* text, size_t size) {
        uint64_t hash = size, eight;
        const uint8_t* const end = text + size;
        for (; end - text >= 8; text += 8) {
            std::memcpy(&eight, text, 8);
            hash = mix_hash(hash, eight);
        }
        eight = 0;
        std::memcpy(&eight, text, static_cast<size_t>(end - text));
        return mix_hash(hash, eight);
    }

    size_t short_set(uint64_t hash) const { return (hash * 2) & (room_ - 1); }

    bool find_long(const Key& key, Found& found) const {
        const size_t mask = places_.size() - 1;
        for (size_t at = key.hash & mask; places_[at].at != 0; at = (at + 1) & mask) {
            if (places_[at].tag != static_cast<uint32_t>(key.hash >> 32)) continue;
            const uint32_t* record = &memory_[places_[at].at - 1];
            const uint32_t size = record[0] & 0xFFFF, count = record[0] >> 16;
            if (size != key.size || std::memcmp(record + 2 + count, key.text, size) != 0) continue;
            found.ids = record + 2;
            found.count = count;
            std::memcpy(&found.note, record + 1, sizeof found.note);
            return true;
        }
        return false;
    }

    void insert_long(const Key& key, const uint32_t* ids, size_t count, float note) {
        Found known;
        if (find_long(key, known)) return;
        if (memory_.empty()) memory_.reserve(1 << 16);
        if ((memory_.size() + 2 + count + longest) * 4 > max_bytes) {
            memory_.clear();
            places_.assign(places_.size(), Place{});
            num_longs_ = 0;
        }
        if (++num_longs_ * 2 > places_.size()) grow_places();
        const size_t begin = memory_.size();
        memory_.resize(begin + 2 + count + (key.size + 3) / 4);
        memory_[begin] = static_cast<uint32_t>(key.size | count << 16);
        std::memcpy(&memory_[begin + 1], &note, sizeof note);
        std::memcpy(&memory_[begin + 2], ids, count * sizeof *ids);
        std::memcpy(&memory_[begin + 2 + count], key.text, key.size);
        put_place(key.hash, static_cast<uint32_t>(begin + 1));
    }

    void put_place(uint64_t hash, uint32_t begin) {
        const size_t mask = places_.size() - 1;
        size_t at = hash & mask;
        while (places_[at].at != 0) at = (at + 1) & mask;
        places_[at] = {static_cast<uint32_t>(hash >> 32), begin};
    }

    void grow_places() {
        std::vector<Place> old(places_.size() * 4);
        old.swap(places_);
        for (const Place& place : old) {
            if (place.at == 0) continue;
            const uint32_t* record = &memory_[place.at - 1];
            const uint8_t* text = reinterpret_cast<const uint8_t*>(record + 2 + (record[0] >> 16));
            put_place(key_of(text, record[0] & 0xFFFF, record[0] & 0xFFFF).hash, place.at);
        }
    }

    struct Free {
        void operator()(void* memory) const { std::free(memory); }
    };

    // Empty places, two to a cache line.
    void allocate_shorts(size_t room) {
        memory_of_shorts_.reset(std::calloc(room + 2, sizeof(Short)));
        if (!memory_of_shorts_) throw std::bad_alloc();
        shorts_ = reinterpret_cast<Short*>((reinterpret_cast<uintptr_t>(memory_of_shorts_.get()) + 63) & ~uintptr_t{63});
        room_ = room;
#if defined(__linux__)
        // Advice before the first touch: most of a cold run's waits are for the address, not for the line.
        constexpr uintptr_t huge = 2u << 20;
        const uintptr_t begin = (reinterpret_cast<uintptr_t>(shorts_) + huge - 1) & ~(huge - 1);
        const uintptr_t end = reinterpret_cast<uintptr_t>(shorts_ + room) & ~(huge - 1);
        if (end > begin) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
    }

    void grow_shorts() {
        const std::unique_ptr<void, Free> held = std::move(memory_of_shorts_);
        const Short* const old = shorts_;
        const size_t count = room_;
        allocate_shorts(count * 4);
        num_shorts_ = 0;
        for (size_t i = count; i-- > 0;) {  // the newer of two last, so that it stays in front
            if (old[i].key[1] == 0) continue;
            WordKey word{0, 0};
            word.low = old[i].key[0];
            word.high = old[i].key[1];
            Short* set = &shorts_[short_set(word.hash())];
            set[1] = set[0];
            set[0] = old[i];
            ++num_shorts_;
        }
    }

    std::unique_ptr<void, Free> memory_of_shorts_;
    Short* shorts_ = nullptr;
    size_t room_ = 0;
    std::vector<Place> places_ = std::vector<Place>(1024);
    std::vector<uint32_t> memory_;
    size_t num_shorts_ = 0, num_longs_ = 0;
};

}  // namespace textpipe
