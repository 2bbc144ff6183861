// The distinct words of one partition of a count, and the hash that chooses it. Enters: words as spans of bytes, each with its
// hash and how often it came. Leaves: every distinct word once with a 64-bit count. Promises: exact counts; a word's bytes and
// its count lie together, so that counting it again costs one place of memory beside its slot.
//
// The arena is a run of records, count (8 bytes), size (seven bits a byte, the last group first marked) and bytes of the word:
// it is whole without the table, which can be dropped when counting is over, and made again.
//
// Complexity: 8 / load + 9 + length bytes a distinct word; 9 + length when packed.
#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

namespace textpipe {

struct Word {
    const uint8_t* data;
    size_t size;
    uint64_t count;
};

namespace words {

#if defined(__GNUC__)
#define TEXTPIPE_LIKELY(x) __builtin_expect(!!(x), 1)
#define TEXTPIPE_NOINLINE __attribute__((noinline))
inline void prefetch(const void* address) { __builtin_prefetch(address); }
#else
#define TEXTPIPE_LIKELY(x) (x)
#define TEXTPIPE_NOINLINE
inline void prefetch(const void*) {}
#endif

constexpr size_t inline_bytes = 24;  // a space and seven Hangul syllables: all but about one Korean word in thirty

template <class Unsigned>
inline Unsigned load(const uint8_t* p) {
    Unsigned value;
    std::memcpy(&value, p, sizeof value);
    return value;
}
inline uint64_t load64(const uint8_t* p) { return load<uint64_t>(p); }

// As memcmp() == 0, which is slow to begin: words are short.
inline bool same_bytes(const uint8_t* x, const uint8_t* y, size_t size) {
    const auto differ_at = [&](auto unit, size_t at) { return load<decltype(unit)>(x + at) ^ load<decltype(unit)>(y + at); };
    if (size >= 8) {
        uint64_t differ = differ_at(uint64_t{}, size - 8);
        for (size_t at = 0; at + 8 < size; at += 8) differ |= differ_at(uint64_t{}, at);
        return differ == 0;
    }
    if (size >= 4) return (differ_at(uint32_t{}, 0) | differ_at(uint32_t{}, size - 4)) == 0;
    for (size_t at = 0; at < size; ++at)
        if (x[at] != y[at]) return false;
    return true;
}

// Fold two words into one by the high and low halves of their product.
inline uint64_t mix(uint64_t a, uint64_t b) {
#if defined(__SIZEOF_INT128__)
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
#else
    const uint64_t low = (a & 0xFFFFFFFFu) * b, high = (a >> 32) * b;
    return low ^ (high << 32 | high >> 32) ^ (low >> 29);
#endif
}

// The first 24 bytes of a word as three machine words, bytes past its end zero.
struct Key {
    uint64_t a, b, c;
};

constexpr uint64_t seed_a = 0x9E3779B97F4A7C15u, seed_b = 0xD1B54A32D192ED03u, seed_c = 0x8CB92BA72F3D8DD7u;

inline uint64_t hash_key(const Key& key, size_t size) {
    return mix(mix(key.a ^ seed_a, key.b ^ seed_b) ^ key.c ^ seed_c, seed_b + size);
}

constexpr std::array<std::array<uint64_t, 3>, inline_bytes + 1> make_key_masks() {
    std::array<std::array<uint64_t, 3>, inline_bytes + 1> masks{};
    for (size_t size = 0; size <= inline_bytes; ++size)
        for (size_t byte = 0; byte < size; ++byte) masks[size][byte / 8] |= uint64_t{0xFF} << (byte % 8 * 8);
    return masks;
}
inline constexpr auto key_masks = make_key_masks();

// Reads 24 bytes at data whatever the size; the caller vouches for them.
inline Key load_key(const uint8_t* data, size_t size) {
    const auto& mask = key_masks[size];
    return {load64(data) & mask[0], load64(data + 8) & mask[1], load64(data + 16) & mask[2]};
}

inline Key load_key_at_end(const uint8_t* data, size_t size) {
    uint8_t copy[inline_bytes] = {};
    std::memcpy(copy, data, size);
    return {load64(copy), load64(copy + 8), load64(copy + 16)};
}

TEXTPIPE_NOINLINE inline uint64_t hash_long(const uint8_t* data, size_t size) {
    uint64_t hash = seed_c;
    size_t at = 0;
    for (; at + 16 <= size; at += 16) hash = mix(load64(data + at) ^ seed_a, load64(data + at + 8) ^ hash);
    uint8_t rest[16] = {};
    std::memcpy(rest, data + at, size - at);
    hash = mix(load64(rest) ^ seed_a, load64(rest + 8) ^ hash);
    return mix(hash, seed_b + size);
}

inline uint64_t hash_bytes(const uint8_t* data, size_t size) {
    return size <= inline_bytes ? hash_key(load_key_at_end(data, size), size) : hash_long(data, size);
}

// What words are written as in an arena.
class Record {
public:
    // How a word of this size is laid out beside its bytes.
    static size_t bytes(size_t size) {
        size_t total = sizeof(uint64_t) + 1 + size;
        for (size_t rest = size; rest >= 0x80; rest >>= 7) ++total;
        return total;
    }

    static void append(std::vector<uint8_t>& arena, const uint8_t* data, size_t size, uint64_t count) {
        uint8_t header[sizeof count + 10 + inline_bytes];
        std::memcpy(header, &count, sizeof count);
        uint8_t* end = header + sizeof count;
        size_t rest = size;
        for (; rest >= 0x80; rest >>= 7) *end++ = static_cast<uint8_t>(rest | 0x80);
        *end++ = static_cast<uint8_t>(rest);
        if (size <= inline_bytes) {
            std::memcpy(end, data, size);
            arena.insert(arena.end(), header, end + size);
        } else {
            arena.insert(arena.end(), header, end);
            arena.insert(arena.end(), data, data + size);
        }
    }

    static Word read(const uint8_t* record) {
        Word word{record + sizeof word.count, 0, 0};
        std::memcpy(&word.count, record, sizeof word.count);
        for (unsigned shift = 0;; shift += 7) {
            word.size |= static_cast<size_t>(*word.data & 0x7F) << shift;
            if (!(*word.data++ & 0x80)) return word;
        }
    }

    // Whether a record that begins here ends by `end`.
    static bool is_whole(const uint8_t* record, const uint8_t* end) {
        constexpr ptrdiff_t fixed = sizeof(uint64_t);
        ptrdiff_t marked = fixed;
        while (end - record > marked && marked - fixed < 9 && (record[marked] & 0x80)) ++marked;
        if (end - record <= marked || (record[marked] & 0x80)) return false;
        const Word word = read(record);
        return word.size <= static_cast<size_t>(end - word.data);
    }

    static bool is(const uint8_t* record, const uint8_t* data, size_t size) {
        if (TEXTPIPE_LIKELY(size < 0x80))
            return record[sizeof(uint64_t)] == size && same_bytes(record + sizeof(uint64_t) + 1, data, size);
        const Word known = read(record);
        return known.size == size && std::memcmp(known.data, data, size) == 0;
    }

    static void set(uint8_t* record, uint64_t count) { std::memcpy(record, &count, sizeof count); }

    static void add(uint8_t* record, uint64_t count) {
        uint64_t sum;
        std::memcpy(&sum, record, sizeof sum);
        sum += count;
        std::memcpy(record, &sum, sizeof sum);
    }
};

class Partition {
public:
    mutable std::mutex lock;

    void add(uint64_t hash, const uint8_t* data, size_t size, uint64_t count) {
        make_room(1);
        add_from(static_cast<uint32_t>(hash) & mask_, hash, data, size, count);
    }

    // Many words cost less together, since the memory that one waits for is on its way while the others ask: first room
    // for all of them, then their slots, then the words that lie there, and at last each is added from where its search ended.
    void make_room(size_t num_words) {
        while ((used_ + num_words) * 4 > slots_.size() * 3) grow();
    }

    void prefetch_slot(uint64_t hash) const { prefetch(&slots_[static_cast<uint32_t>(hash) & mask_]); }

    // The slot of the word, or one that looks like it, or a free one: in any case one that add_from() may begin at.
    size_t find(uint64_t hash, size_t size) const {
        const auto tag = static_cast<uint32_t>(hash);
        for (size_t at = tag & mask_;; at = (at + 1) & mask_) {
            const Slot& slot = slots_[at];
            if (slot.place == free_slot) return at;
            if (slot.tag != tag) continue;
            const uint8_t* const record = arena_.data() + slot.place;
            prefetch(record), prefetch(record + Record::bytes(size) - 1);
            return at;
        }
    }

    void add_from(size_t at, uint64_t hash, const uint8_t* data, size_t size, uint64_t count) {
        const auto tag = static_cast<uint32_t>(hash);
        total_.store(num_occurrences() + count, std::memory_order_relaxed);
        for (;; at = (at + 1) & mask_) {
            Slot& slot = slots_[at];
            if (slot.place == free_slot) {
                slot = {tag, append(data, size, count)};
                ++used_;
                return;
            }
            if (slot.tag == tag && Record::is(&arena_[slot.place], data, size)) return Record::add(&arena_[slot.place], count);
        }
    }

    size_t num_words() const { return used_; }

    // The sum of all counts; others may add meanwhile.
    uint64_t num_occurrences() const { return total_.load(std::memory_order_relaxed); }
    size_t memory() const { return slots_.capacity() * sizeof(Slot) + arena_.capacity(); }

    // What this takes when what is nearly full has grown: both halves of a doubling exist for a moment.
    size_t memory_soon() const {
        const bool table_full = used_ * 16 >= slots_.size() * 11, arena_full = arena_.size() * 8 >= arena_.capacity() * 7;
        return slots_.capacity() * sizeof(Slot) * (table_full ? 3 : 1) + arena_.capacity() * (arena_full ? 3 : 1);
    }

    template <class Visit>
    void each(Visit&& visit) const {
        for (size_t at = 0; at < arena_.size();) {
            const Word word = Record::read(&arena_[at]);
            visit(word);
            at = static_cast<size_t>(word.data + word.size - arena_.data());
        }
    }

    // Give every word another count, never 0.
    template <class Change>
    void change(Change&& change) {
        uint64_t total = 0;
        each([&](const Word& word) {
            uint8_t* const record = arena_.data() + (word.data - arena_.data()) - (Record::bytes(word.size) - word.size);
            const uint64_t count = change(word.count);
            Record::set(record, count);
            total += count;
        });
        total_.store(total, std::memory_order_relaxed);
    }

    // Drop the table and what the arena has to spare; the next add() makes them again.
    void pack() {
        std::vector<Slot>().swap(slots_);
        arena_.shrink_to_fit();
    }

    // The records so far; the partition is empty then.
    std::vector<uint8_t> take() {
        std::vector<uint8_t> records;
        records.swap(arena_);
        std::vector<Slot>().swap(slots_);
        used_ = 0;
        total_.store(0, std::memory_order_relaxed);
        return records;
    }

private:
    static constexpr uint32_t free_slot = std::numeric_limits<uint32_t>::max();
    struct Slot {
        uint32_t tag = 0, place = free_slot;
    };

    uint32_t append(const uint8_t* data, size_t size, uint64_t count) {
        const size_t place = arena_.size();
        if (place + Record::bytes(size) > free_slot) throw std::overflow_error("the distinct words of one partition pass 4 GiB");
        Record::append(arena_, data, size, count);
        return static_cast<uint32_t>(place);
    }

    TEXTPIPE_NOINLINE void grow() {
        size_t num_slots = std::max<size_t>(64, slots_.size() * 2);
        while (used_ * 4 >= num_slots * 3) num_slots *= 2;  // after pack() there are words, but no slots
        std::vector<Slot> bigger(num_slots);
        const size_t mask = num_slots - 1;
        const auto put = [&](const Slot& slot) {
            size_t at = slot.tag & mask;
            while (bigger[at].place != free_slot) at = (at + 1) & mask;
            bigger[at] = slot;
        };
        if (slots_.empty()) {
            each([&](const Word& word) {
                const uint8_t* record = word.data - (Record::bytes(word.size) - word.size);
                put({static_cast<uint32_t>(hash_bytes(word.data, word.size)), static_cast<uint32_t>(record - arena_.data())});
            });
        }
        for (const Slot& slot : slots_)
            if (slot.place != free_slot) put(slot);
        slots_.swap(bigger);
        mask_ = mask;
    }

    std::vector<Slot> slots_;
    std::vector<uint8_t> arena_;
    size_t used_ = 0, mask_ = 0;
    std::atomic<uint64_t> total_{0};
};

}  // namespace words

}  // namespace textpipe
