// Counts how often each word occurs. Enters: words (spans of bytes) from any number of threads. Leaves: every distinct word
// once with a 64-bit count. Promises: exact counts whatever the threads and chunks, each word stored once, and memory that
// follows the distinct words, not the text.
//
//   WordCounter     one a thread: a small direct-mapped table that stays in the second-level cache and absorbs the frequent
//                   words; what it evicts is buffered by partition
//   WordCounts      shared: partitions chosen by hash, each a lock, an open-addressing table and an arena of bytes
//
// Complexity: O(bytes) to count; about 16 / load + 1 + length bytes a distinct word.
#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "normalization.hpp"
#include "pulse.hpp"
#include "cutting.hpp"
#include "steps.hpp"

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

inline uint64_t load64(const uint8_t* p) {
    uint64_t value;
    std::memcpy(&value, p, 8);
    return value;
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

// Distinct words of one partition: an open-addressing table of (low half of the hash, place in the arena, count).
class Partition {
public:
    std::mutex lock;

    void add(uint64_t hash, const uint8_t* data, size_t size, uint64_t count) {
        if (used_ * 4 >= slots_.size() * 3) grow();
        const auto tag = static_cast<uint32_t>(hash);
        for (size_t at = tag & mask_;; at = (at + 1) & mask_) {
            Slot& slot = slots_[at];
            if (slot.count == 0) {
                slot = {tag, append(data, size), count};
                ++used_;
                return;
            }
            if (slot.tag == tag && equals(slot.place, data, size)) {
                slot.count += count;
                return;
            }
        }
    }

    // Ask for what add() will read, the slot first and then the word it names, so that the misses of many words overlap.
    void prefetch_slot(uint64_t hash) const {
        if (!slots_.empty()) prefetch(&slots_[static_cast<uint32_t>(hash) & mask_]);
    }
    void prefetch_word(uint64_t hash) const {
        if (slots_.empty()) return;
        const Slot& slot = slots_[static_cast<uint32_t>(hash) & mask_];
        if (slot.tag == static_cast<uint32_t>(hash)) prefetch(arena_.data() + slot.place);
    }

    size_t num_words() const { return used_; }
    size_t memory() const { return slots_.capacity() * sizeof(Slot) + arena_.capacity(); }

    template <class Visit>
    void each(Visit&& visit) const {
        for (const Slot& slot : slots_)
            if (slot.count != 0) visit(word(slot));
    }

    void clear() {
        std::vector<Slot>().swap(slots_);
        std::vector<uint8_t>().swap(arena_);
        used_ = 0;
    }

private:
    struct Slot {
        uint32_t tag, place;
        uint64_t count;  // 0 marks a free slot
    };

    // In the arena a word is its size, seven bits a byte with the last group first marked, and its bytes.
    uint32_t append(const uint8_t* data, size_t size) {
        const size_t place = arena_.size();
        if (place + size + 10 > std::numeric_limits<uint32_t>::max())
            throw std::overflow_error("the distinct words of one partition pass 4 GiB");
        size_t rest = size;
        for (; rest >= 0x80; rest >>= 7) arena_.push_back(static_cast<uint8_t>(rest | 0x80));
        arena_.push_back(static_cast<uint8_t>(rest));
        arena_.insert(arena_.end(), data, data + size);
        return static_cast<uint32_t>(place);
    }

    Word word(const Slot& slot) const {
        const uint8_t* p = arena_.data() + slot.place;
        size_t size = 0;
        for (unsigned shift = 0;; shift += 7) {
            size |= static_cast<size_t>(*p & 0x7F) << shift;
            if (!(*p++ & 0x80)) break;
        }
        return {p, size, slot.count};
    }

    bool equals(uint32_t place, const uint8_t* data, size_t size) const {
        const uint8_t* p = arena_.data() + place;
        if (TEXTPIPE_LIKELY(size < 0x80)) return *p == size && std::memcmp(p + 1, data, size) == 0;
        const Word known = word({0, place, 1});
        return known.size == size && std::memcmp(known.data, data, size) == 0;
    }

    TEXTPIPE_NOINLINE void grow() {
        std::vector<Slot> bigger(slots_.empty() ? 64 : slots_.size() * 2);
        const size_t mask = bigger.size() - 1;
        for (const Slot& slot : slots_) {
            if (slot.count == 0) continue;
            size_t at = slot.tag & mask;
            while (bigger[at].count != 0) at = (at + 1) & mask;
            bigger[at] = slot;
        }
        slots_.swap(bigger);
        mask_ = mask;
    }

    std::vector<Slot> slots_;
    std::vector<uint8_t> arena_;
    size_t used_ = 0, mask_ = 0;
};

}  // namespace words

class WordCounts {
public:
    static constexpr unsigned partition_bits = 6;

    void add(const uint8_t* data, size_t size, uint64_t count) {
        if (count == 0) return;
        const uint64_t hash = words::hash_bytes(data, size);
        words::Partition& partition = partitions_[hash >> (64 - partition_bits)];
        const std::lock_guard<std::mutex> hold(partition.lock);
        partition.add(hash, data, size, count);
    }

    // Add every word of another; the other may not change meanwhile.
    void merge(const WordCounts& other) {
        for (size_t i = 0; i < partitions_.size(); ++i) {
            const std::lock_guard<std::mutex> hold(partitions_[i].lock);
            other.partitions_[i].each([&](const Word& word) {
                partitions_[i].add(words::hash_bytes(word.data, word.size), word.data, word.size, word.count);
            });
        }
    }

    // Visit every distinct word once, in no promised order; nobody may count meanwhile.
    template <class Visit>
    void each(Visit&& visit) const {
        for (const auto& partition : partitions_) partition.each(visit);
    }

    // Every word, most frequent first, then by bytes; views into this object.
    std::vector<Word> sorted() const {
        std::vector<Word> all;
        all.reserve(num_words());
        each([&](const Word& word) { all.push_back(word); });
        std::sort(all.begin(), all.end(), [](const Word& x, const Word& y) {
            if (x.count != y.count) return x.count > y.count;
            const int order = std::memcmp(x.data, y.data, std::min(x.size, y.size));
            return order != 0 ? order < 0 : x.size < y.size;
        });
        return all;
    }

    size_t num_words() const {
        size_t total = 0;
        for (const auto& partition : partitions_) total += partition.num_words();
        return total;
    }

    uint64_t num_occurrences() const {
        uint64_t total = 0;
        each([&](const Word& word) { total += word.count; });
        return total;
    }

    size_t memory() const {
        size_t total = sizeof(*this);
        for (const auto& partition : partitions_) total += partition.memory();
        return total;
    }

    void clear() {
        for (auto& partition : partitions_) partition.clear();
    }

    words::Partition& partition(size_t index) { return partitions_[index]; }

    // Make every counter that feeds this one throw Interrupted soon. What was counted so far stays, but is not the whole.
    void stop() { stopped_.store(true, std::memory_order_relaxed); }
    bool is_stopped() const { return stopped_.load(std::memory_order_relaxed); }

private:
    std::atomic<bool> stopped_{false};
    std::array<words::Partition, size_t{1} << partition_bits> partitions_;
};

// How a text becomes words.
struct WordCut {
    std::vector<RewritePointer> normalization;
    Cutting cutting;
};

// Feeds a WordCounts from one thread. Nothing is complete in the WordCounts before flush().
class WordCounter {
public:
    WordCounter(WordCounts& counts, WordCut cut) : counts_(counts), cut_(std::move(cut)), front_(front_slots) {}
    WordCounter(const WordCounter&) = delete;
    WordCounter& operator=(const WordCounter&) = delete;

    // Count the words of one text.
    void add_text(const uint8_t* text, size_t size) { add_text(text, text + size, text + size); }

    // Count the words of each line by itself, its line end with it.
    void add_lines(const uint8_t* text, size_t size) {
        const uint8_t* const end = text + size;
        while (text < end) {
            const auto* newline = static_cast<const uint8_t*>(std::memchr(text, '\n', static_cast<size_t>(end - text)));
            const uint8_t* const stop = newline == nullptr ? end : newline + 1;
            add_text(text, stop, end);
            text = stop;
        }
    }

    void add_word(const uint8_t* data, size_t size) { count(data, size, data + size); }

    void flush() {
        for (Slot& slot : front_) {
            if (slot.count != 0) evict(slot);
            slot.count = 0;
        }
        for (size_t i = 0; i < pending_.size(); ++i) send(i);
    }

private:
    static constexpr size_t front_bits = 14, front_slots = size_t{1} << front_bits;
    static constexpr size_t pending_bytes = size_t{1} << 13;  // of each partition

    struct Slot {
        words::Key key;
        uint32_t size, count;  // count 0 marks a free slot
    };
    struct Header {
        uint64_t hash;
        uint32_t size, count;
    };
    struct Pending {
        std::unique_ptr<uint8_t[]> bytes;
        size_t used = 0;
    };

    // Bytes up to readable_end may be read, though the text stops before.
    void add_text(const uint8_t* text, const uint8_t* stop, const uint8_t* readable_end) {
        for (const RewritePointer& step : cut_.normalization) {
            const auto size = static_cast<size_t>(stop - text);
            if (size == 0 || step->is_unchanged(text, size, true)) continue;
            std::string changed;
            step->run(text, size, true, changed, nullptr, nullptr);
            text_.swap(changed);
            text = reinterpret_cast<const uint8_t*>(text_.data());
            stop = readable_end = text + text_.size();
        }
        const auto size = static_cast<size_t>(stop - text);
        const Cutting::Pieces pieces = cut_.cutting.prepare(text, size, true, nullptr, cutting_);
        if (pieces.text != text) readable_end = pieces.text + pieces.size;
        cut_.cutting.words(pieces, [&](const uint8_t* begin, size_t length) { count(begin, length, readable_end); });
    }

    // Bytes from data up to readable_end may be read.
    void count(const uint8_t* data, size_t size, const uint8_t* readable_end) {
        using namespace words;
        if (size > inline_bytes) return push(hash_long(data, size), data, size, 1);
        const bool inside = data + inline_bytes <= readable_end;
        const Key key = TEXTPIPE_LIKELY(inside) ? load_key(data, size) : load_key_at_end(data, size);
        const uint64_t hash = hash_key(key, size);
        Slot& slot = front_[hash & (front_slots - 1)];
        const bool same = ((slot.key.a ^ key.a) | (slot.key.b ^ key.b) | (slot.key.c ^ key.c)) == 0 && slot.size == size;
        if (TEXTPIPE_LIKELY(same && slot.count != std::numeric_limits<uint32_t>::max())) {
            ++slot.count;
            return;
        }
        if (slot.count != 0) evict(slot);
        slot = {key, static_cast<uint32_t>(size), 1};
    }

    void evict(const Slot& slot) {
        uint8_t bytes[words::inline_bytes];
        std::memcpy(bytes, &slot.key, words::inline_bytes);
        push(words::hash_key(slot.key, slot.size), bytes, slot.size, slot.count);
    }

    static size_t record_bytes(size_t size) { return sizeof(Header) + (size + 7) / 8 * 8; }

    void push(uint64_t hash, const uint8_t* data, size_t size, uint32_t count) {
        const size_t index = hash >> (64 - WordCounts::partition_bits), need = record_bytes(size);
        Pending& pending = pending_[index];
        if (pending.used + need > pending_bytes) {
            send(index);
            if (need > pending_bytes) {
                words::Partition& partition = counts_.partition(index);
                const std::lock_guard<std::mutex> hold(partition.lock);
                return partition.add(hash, data, size, count);
            }
        }
        if (!pending.bytes) pending.bytes.reset(new uint8_t[pending_bytes]);
        const Header header{hash, static_cast<uint32_t>(size), count};
        std::memcpy(pending.bytes.get() + pending.used, &header, sizeof header);
        std::memcpy(pending.bytes.get() + pending.used + sizeof header, data, size);
        pending.used += need;
    }

    template <class Visit>
    static void each_record(const Pending& pending, Visit&& visit) {
        for (size_t at = 0; at < pending.used;) {
            Header header;
            std::memcpy(&header, pending.bytes.get() + at, sizeof header);
            visit(header, pending.bytes.get() + at + sizeof header);
            at += record_bytes(header.size);
        }
    }

    // Move what waits for a partition into it.
    TEXTPIPE_NOINLINE void send(size_t index) {
        Pending& pending = pending_[index];
        if (pending.used == 0) return;
        if (counts_.is_stopped()) throw Interrupted();
        words::Partition& partition = counts_.partition(index);
        const std::lock_guard<std::mutex> hold(partition.lock);
        each_record(pending, [&](const Header& header, const uint8_t*) { partition.prefetch_slot(header.hash); });
        each_record(pending, [&](const Header& header, const uint8_t*) { partition.prefetch_word(header.hash); });
        each_record(pending, [&](const Header& header, const uint8_t* data) {
            partition.add(header.hash, data, header.size, header.count);
        });
        pending.used = 0;
    }

    WordCounts& counts_;
    const WordCut cut_;
    Cutting::Scratch cutting_;
    std::string text_;  // a normalized text while it is cut
    std::vector<Slot> front_;
    std::array<Pending, size_t{1} << WordCounts::partition_bits> pending_;
};

}  // namespace textpipe
