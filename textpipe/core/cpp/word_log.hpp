// Remembers words and their ids in the order they come. Enters: the key of a word, or all of it, and its ids. Leaves: the
// ids of a word seen before. Promises: exact (the whole word is compared, never a hash of it) and bounded: where a log is
// full, the older half of the words is forgotten.
//
// Half of the distinct words of a text are never met again. So a new word is written behind the last one, where memory is
// warm, and only four bytes of an index go to a place that its hash tells; what grows is the index alone. The words met
// first are the frequent ones, and they lie together.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "large_memory.hpp"
#include "word_cache.hpp"

namespace textpipe {

class WordLog {
  public:
    static constexpr unsigned max_ids = 4;  // that lie with the key

    // What is known of a word. Short words are their key; longer ones have their hash for a key, and their bytes in the
    // store.
    struct Entry {
        uint64_t low, high;
        uint32_t ids[max_ids];  // below 2^24; a form in the top byte of the first; of a `stored` word where in the store, and how many

        unsigned form() const { return ids[0] >> 24; }
        WordKey key() const { return {low, high}; }
    };
    // Or the count of ids, up to max_ids; with marks that stand for what the user says of a word.
    enum Form : unsigned { no_ids = 0, stored = max_ids + 1, apart = 0x80, close = 0x40, marks = apart | close };

    explicit WordLog(size_t budget_bytes)
        : entries_(std::clamp<size_t>(budget_bytes / 3 * 2 / sizeof(Entry), 1 << 9, 1 << at_bits)),
          store_(std::clamp<size_t>(budget_bytes / 6 / sizeof(uint32_t), 1 << 16, 1 << 24)) {
        allocate_index(first_groups);
        entries_.begin()[0] = {0, 0, {}};  // the key of no word
    }

    // A key for a word that is no short one.
    static WordKey long_key(const uint8_t* word, size_t size) {
        return {LongWords::hash(word, size), long_mark << 56 | size};
    }
    static bool is_long(const WordKey& key) { return key.high >> 56 == long_mark; }
    static uint64_t hash(const WordKey& key) { return is_long(key) ? key.low : key.hash(); }

    void prefetch(uint64_t hash) const { __builtin_prefetch(group_of(hash)); }

    // The entry that is likely a word's, whose memory is asked for; 0 where there is none. Are there others?
    uint32_t likely(uint64_t hash, bool& has_others) const {
        const uint32_t* const group = group_of(hash);
        const unsigned bits = matches(group, tag_of(hash));
        const uint32_t at = bits != 0 ? group[__builtin_ctz(bits)] & at_mask : 0;
        has_others = (bits & (bits - 1)) != 0;
        __builtin_prefetch(&(*this)[at]);
        return at;
    }

    const Entry& operator[](uint32_t at) const { return entries_.begin()[at]; }

    // Ask for the memory of a stored word.
    void ask_stored(const Entry& entry) const {
        if ((entry.form() & ~marks) == stored) __builtin_prefetch(store_.begin() + entry.ids[1]);
    }

    // Is a long word all of this entry's, whose key it has?
    bool has_bytes(const Entry& entry, const uint8_t* word, size_t size) const {
        return std::memcmp(store_.begin() + entry.ids[1], word, size) == 0;
    }

    // The entry of a word, or 0. Bytes are looked at where the key does not tell all.
    uint32_t find(const WordKey& key, uint64_t hash, const uint8_t* word, size_t size) const {
        const uint32_t* const group = group_of(hash);
        for (unsigned bits = matches(group, tag_of(hash)); bits != 0; bits &= bits - 1) {
            const uint32_t at = group[__builtin_ctz(bits)] & at_mask;
            if ((*this)[at].key() == key && (!is_long(key) || has_bytes((*this)[at], word, size))) return at;
        }
        return 0;
    }

    struct Ids {
        const uint32_t* begin;
        size_t count;
    };
    // The ids of a stored word; until the next insert().
    Ids stored_ids(const Entry& entry) const {
        return {store_.begin() + entry.ids[1] + num_byte_units(entry.key()), entry.ids[2]};
    }

    // Forget the older words if there may be no room for so many new ones. Entries have other numbers then.
    void make_room(size_t num_words, size_t num_units) {
        if (entries_.has_room(num_words) && store_.has_room(num_units)) return;
        keep_from(entries_.size() - entries_.size() / 2);
        if (!store_.has_room(num_units)) keep_from(entries_.size());
    }

    // A word that is not known has these ids from now on, or always other ones where they are none (null). Returns its
    // entry, or 0 where there is no room.
    uint32_t insert(const WordKey& key, uint64_t hash, const uint8_t* word, size_t size, const uint32_t* ids, size_t count,
                    unsigned marks) {
        if (!entries_.has_room(1)) return 0;
        const bool is_inline = ids != nullptr && count - 1 < max_ids && !is_long(key);
        const size_t num_units = is_inline || (ids == nullptr && !is_long(key)) ? 0 : num_byte_units(key) + count;
        if (!store_.has_room(num_units)) return 0;
        const auto at = static_cast<uint32_t>(entries_.size());
        Entry& entry = *entries_.extend(1);  // written in place and never read here: that would wait for the memory
        __builtin_prefetch(&entry + 8, 1);
        entry.low = key.low;
        entry.high = key.high;
        if (is_inline) {
            entry.ids[0] = (static_cast<uint32_t>(count) | marks) << 24 | ids[0];
            for (size_t i = 1; i < max_ids; ++i) entry.ids[i] = ids[i < count ? i : 0];
        } else {
            entry.ids[0] = ((ids != nullptr ? stored : no_ids) | marks) << 24;
            entry.ids[1] = static_cast<uint32_t>(store_.size());
            entry.ids[2] = static_cast<uint32_t>(count);
            uint32_t* const to = store_.extend(num_units);
            if (is_long(key)) std::memcpy(to, word, size);
            std::copy_n(ids, count, to + num_byte_units(key));
        }
        if (at > most_in_group * num_groups())
            index_all(num_groups() * (num_groups() < many_groups ? 4 : 2));
        else
            put(hash, at);
        return at;
    }

  private:
    // Values one behind the other. Only what is used of its memory is taken, after the first few.
    template <class Value>
    class Log {
      public:
        explicit Log(size_t most) : most_(most), memory_(first * sizeof(Value)) {}

        size_t size() const { return size_; }
        bool has_room(size_t count) const { return size_ + count <= most_; }
        Value* begin() { return static_cast<Value*>(memory_.begin()); }
        const Value* begin() const { return static_cast<const Value*>(memory_.begin()); }

        // Room for so many more, of which there is enough.
        Value* extend(size_t count) {
            if (size_ + count > capacity_) grow();
            size_ += count;
            return begin() + size_ - count;
        }
        void shrink(size_t size) { size_ = size; }

      private:
        static constexpr size_t first = 1 << 11;

        void grow() {
            LargeMemory memory(most_ * sizeof(Value));
            std::memcpy(memory.begin(), begin(), size_ * sizeof(Value));
            memory_ = std::move(memory);
            capacity_ = most_;
        }

        size_t most_;
        LargeMemory memory_;
        size_t size_ = 1, capacity_ = first;
    };

    static constexpr uint64_t long_mark = 0xC0;  // in the last byte of a key, which is a count in those of short words
    static constexpr unsigned at_bits = 20;
    static constexpr uint32_t at_mask = (1 << at_bits) - 1;
    // Slots of an index line, of which most_in_group are used on average when there are to be more lines.
    static constexpr size_t ways = 16, most_in_group = 10, first_groups = 64, many_groups = 1 << 14;

    size_t num_groups() const { return group_mask_ + 1; }
    static uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32) & ~at_mask; }
    uint32_t* group_of(uint64_t hash) const {
        return static_cast<uint32_t*>(index_.begin()) + (hash & group_mask_) * ways;
    }

    // A bit for each slot of a group that has this tag; also for free ones where it is 0, which lead to entry 0.
    static unsigned matches(const uint32_t* group, uint32_t tag) { return matches(group, tag, ~at_mask); }
    // A bit for each slot that is this under the mask.
    static unsigned matches(const uint32_t* group, uint32_t slot, uint32_t slot_mask) {
#if defined(__SSE2__)
        const __m128i wanted = _mm_set1_epi32(static_cast<int>(slot)), mask = _mm_set1_epi32(static_cast<int>(slot_mask));
        const auto equal = [&](int i) {
            const __m128i four = _mm_load_si128(reinterpret_cast<const __m128i*>(group) + i);
            return _mm_cmpeq_epi32(_mm_and_si128(four, mask), wanted);
        };
        const __m128i low = _mm_packs_epi32(equal(0), equal(1)), high = _mm_packs_epi32(equal(2), equal(3));
        return static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(low, high)));
#else
        unsigned bits = 0;
        for (unsigned i = 0; i < ways; ++i) bits |= static_cast<unsigned>((group[i] & slot_mask) == slot) << i;
        return bits;
#endif
    }

    static size_t num_byte_units(const WordKey& key) { return is_long(key) ? ((key.high & 0xFFFFFFFF) + 3) / 4 : 0; }

    void allocate_index(size_t groups) {
        index_ = ZeroedMemory(groups * ways * sizeof(uint32_t));
        group_mask_ = groups - 1;
    }

    void put(uint64_t hash, uint32_t at) {
        uint32_t* const group = group_of(hash);
        const unsigned bits = matches(group, 0, ~uint32_t{0});
        const size_t i = bits != 0 ? __builtin_ctz(bits) : (hash >> 28) % ways;  // the word there is forgotten
        group[i] = tag_of(hash) | at;
    }

    void index_all(size_t groups) {
        allocate_index(groups);
        constexpr uint32_t ahead = 16;
        uint64_t hashes[ahead];  // of the entries whose memory is on its way
        for (uint32_t at = 1; at < entries_.size() + ahead; ++at) {
            uint64_t& next = hashes[at % ahead];
            if (at > ahead) put(next, at - ahead);
            if (at >= entries_.size()) continue;
            next = hash((*this)[at].key());
            prefetch(next);
        }
    }

    // Forget all entries before this one.
    void keep_from(size_t first) {
        Entry* const entries = entries_.begin();
        size_t end = 1, store_end = 0;
        for (size_t i = first; i < entries_.size(); ++i) {
            Entry& entry = entries[end++] = entries[i];
            if ((entry.form() & ~marks) != stored && num_byte_units(entry.key()) == 0) continue;
            const size_t units = num_byte_units(entry.key()) + entry.ids[2];
            std::memmove(store_.begin() + store_end, store_.begin() + entry.ids[1], units * sizeof(uint32_t));
            entry.ids[1] = static_cast<uint32_t>(store_end);
            store_end += units;
        }
        entries_.shrink(end);
        store_.shrink(store_end);
        index_all(num_groups());
    }

    Log<Entry> entries_;
    Log<uint32_t> store_;
    ZeroedMemory index_;
    size_t group_mask_ = 0;
};

}  // namespace textpipe
