// Counts how often each word occurs. Enters: words (spans of bytes) from any number of threads. Leaves: every distinct word
// once with a 64-bit count. Promises: exact counts whatever the threads and chunks, each word stored once, and memory that
// follows the distinct words, not the text.
//
//   WordCounter     one a thread: a small table that stays in the second-level cache and absorbs the frequent words; what it
//                   evicts is buffered by partition
//   WordCounts      shared: partitions chosen by hash (word_partition.hpp), each with a lock
//
// A count that must not take much memory gives its partitions away one by one as records, and adds them up again one by one
// when all text has been read: only the distinct words of one partition are then in a table.
//
// Complexity: O(bytes) to count.
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
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "cutting.hpp"
#include "normalization.hpp"
#include "pulse.hpp"
#include "spans.hpp"
#include "steps.hpp"
#include "word_partition.hpp"

namespace textpipe {

// Give pages that the allocator keeps for later back to the system.
inline void release_freed_memory() {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

class WordCounts {
public:
    static constexpr unsigned partition_bits = 6;
    static constexpr size_t num_partitions = size_t{1} << partition_bits;

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

    // Multiply every count by factor / 2^20, rounded to the nearest, at least 1. Throws std::overflow_error at a factor
    // of 2^43, and when all together would pass 2^63 - 1; the counts are changed in part then.
    void scale(uint64_t factor) {
        constexpr unsigned bits = 20;
        if (factor >> 43 != 0) throw std::overflow_error("the counts are multiplied too much");
        constexpr uint64_t low = (uint64_t{1} << bits) - 1, most = std::numeric_limits<int64_t>::max();
        uint64_t total = 0;
        for (auto& partition : partitions_)
            partition.change([&](uint64_t count) {
                const uint64_t high = count >> bits;
                if (factor != 0 && high > most / factor) throw std::overflow_error("the counts together pass 2^63 - 1");
                const uint64_t rest = ((count & low) * factor + (low + 1) / 2) >> bits;
                const uint64_t scaled = std::max<uint64_t>(1, high * factor + rest);
                if (scaled > most - total) throw std::overflow_error("the counts together pass 2^63 - 1");
                total += scaled;
                return scaled;
            });
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

    // Bytes of all words, each as often as it came; no more than 2^64 - 1.
    uint64_t num_text_bytes() const {
        uint64_t total = 0;
        each([&](const Word& word) {
            const uint64_t room = std::numeric_limits<uint64_t>::max() - total;
            total += word.size != 0 && word.count > room / word.size ? room : word.size * word.count;
        });
        return total;
    }

    uint64_t num_occurrences() const {
        uint64_t total = 0;
        for (const auto& partition : partitions_) total += partition.num_occurrences();
        return total;
    }

    // Bytes of all distinct words.
    size_t num_bytes() const {
        size_t total = 0;
        each([&](const Word& word) { total += word.size; });
        return total;
    }

    // Characters of all distinct words, which are UTF-8.
    size_t num_chars() const {
        size_t total = 0;
        const auto begins = [](uint8_t byte) { return (byte & 0xC0) != 0x80; };
        each([&](const Word& word) { total += static_cast<size_t>(std::count_if(word.data, word.data + word.size, begins)); });
        return total;
    }

    size_t memory() const {
        size_t total = sizeof(*this);
        for (const auto& partition : partitions_) total += partition.memory();
        return total;
    }

    void clear() {
        for (auto& partition : partitions_) partition.take();
    }

    // Make room when counting is over: nothing but the words and their counts is kept.
    void pack() {
        for (auto& partition : partitions_) partition.pack();
        release_freed_memory();
    }

    // The most this will take until a few thousand more words have come; others may count meanwhile.
    size_t memory_soon() const {
        size_t total = sizeof(*this);
        for (const auto& partition : partitions_) {
            const std::lock_guard<std::mutex> hold(partition.lock);
            total += partition.memory_soon();
        }
        return total;
    }

    // The records of one partition, which is empty then; others may count meanwhile.
    std::vector<uint8_t> take(size_t index) {
        const std::lock_guard<std::mutex> hold(partitions_[index].lock);
        return partitions_[index].take();
    }

    // Add records that take(index) gave. Throws std::invalid_argument at what is no record.
    void add_records(size_t index, const uint8_t* records, size_t size) {
        const std::lock_guard<std::mutex> hold(partitions_[index].lock);
        for (const uint8_t* const end = records + size; records < end;) {
            if (!words::Record::is_whole(records, end)) throw std::invalid_argument("the records of words are damaged");
            const Word word = words::Record::read(records);
            partitions_[index].add(words::hash_bytes(word.data, word.size), word.data, word.size, word.count);
            records = word.data + word.size;
        }
    }

    void pack(size_t index) { partitions_[index].pack(); }

    words::Partition& partition(size_t index) { return partitions_[index]; }

    // Make every counter that feeds this one throw Interrupted soon. What was counted so far stays, but is not the whole.
    void stop() { stopped_.store(true, std::memory_order_relaxed); }
    bool is_stopped() const { return stopped_.load(std::memory_order_relaxed); }

private:
    std::atomic<bool> stopped_{false};
    std::array<words::Partition, num_partitions> partitions_;
};

// How a text becomes words.
struct WordCut {
    std::vector<RewritePointer> normalization;
    Cutting cutting;
};

// Feeds a WordCounts from one thread. Nothing is complete in the WordCounts before flush().
class WordCounter {
public:
    WordCounter(WordCounts& counts, WordCut cut)
        : counts_(counts), cut_(std::move(cut)),
          cuts_lines_(cut_.normalization.empty() && cut_.cutting.by_lines(line_cutting_)), front_(num_rows) {}
    WordCounter(const WordCounter&) = delete;
    WordCounter& operator=(const WordCounter&) = delete;

    // Count the words of one text.
    void add_text(const uint8_t* text, size_t size) { add_text(text, text + size, text + size); }

    // Count the words of each line by itself, its line end with it.
    void add_lines(const uint8_t* text, size_t size) {
        const uint8_t* const end = text + size;
        if (cuts_lines_) return count_words(line_cutting_, text, size, end);
        while (text < end) {
            const auto* newline = static_cast<const uint8_t*>(std::memchr(text, '\n', static_cast<size_t>(end - text)));
            const uint8_t* const stop = newline == nullptr ? end : newline + 1;
            add_text(text, stop, end);
            text = stop;
        }
    }

    // Bytes up to readable_end may be read.
    void add_word(const uint8_t* data, size_t size, const uint8_t* readable_end) {
        if (size > words::inline_bytes) return push(words::hash_long(data, size), data, size, 1);
        const Piece whole{0, static_cast<uint32_t>(size)};
        count(data, &whole, 1, readable_end);
    }

    void flush() {
        for (Row& row : front_) evict(row, 0), evict(row, 1);
        for (size_t i = 0; i < pending_.size(); ++i) send(i);
    }

private:
    static constexpr size_t num_rows = size_t{1} << 13;
    static constexpr size_t pending_bytes = size_t{1} << 13;  // of each partition

    struct Found {
        words::Key key;
        uint32_t size, row;
    };

    // Two words: the one that came again last, and the one that came last. The second is what makes room, so that the many
    // words that come once do not drive out a frequent one. A count of 0 marks a free place.
    struct alignas(64) Row {
        words::Key keys[2]{};
        uint32_t sizes[2]{}, counts[2]{};

        bool holds(size_t i, const Found& word) const {
            const words::Key& key = keys[i];
            return ((key.a ^ word.key.a) | (key.b ^ word.key.b) | (key.c ^ word.key.c) | (sizes[i] ^ word.size)) == 0;
        }
        void exchange() {
            std::swap(keys[0], keys[1]), std::swap(sizes[0], sizes[1]), std::swap(counts[0], counts[1]);
        }
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
        const auto own_size = static_cast<size_t>(stop - text);
        const bool with_origins = cut_.cutting.needs_origins(!cut_.normalization.empty());
        origins_.clear();
        if (with_origins) list_origins(text, own_size, 0, origins_);
        for (const RewritePointer& step : cut_.normalization) {
            const auto size = static_cast<size_t>(stop - text);
            if (size == 0 || step->is_unchanged(text, size, true)) continue;
            std::string changed;
            std::vector<Origin> origins;
            check_growth(own_size, step->new_size(text, size));
            step->run(text, size, true, changed, with_origins ? origins_.data() : nullptr, with_origins ? &origins : nullptr);
            check_growth(own_size, changed.size());
            text_.swap(changed);
            origins_.swap(origins);
            text = reinterpret_cast<const uint8_t*>(text_.data());
            stop = readable_end = text + text_.size();
        }
        const auto size = static_cast<size_t>(stop - text);
        count_words(cut_.cutting, text, size, readable_end, with_origins ? origins_.data() : nullptr);
    }

    void count_words(const Cutting& cutting, const uint8_t* text, size_t size, const uint8_t* readable_end,
                     const Origin* origins = nullptr) {
        const Cutting::Pieces pieces = cutting.prepare(text, size, true, origins, scratch_);
        if (pieces.text != text) readable_end = pieces.text + pieces.size;
        cutting.batches(pieces, [&](const uint8_t* in, const Piece* words, size_t num_words) {
            count(in, words, num_words, readable_end);
            return true;
        });
    }

    // Count at most Cutting::batch_words words; bytes up to readable_end may be read. First all keys and rows, then the
    // counts: whether a row holds its word is anybody's guess, and a wrong one throws away what was begun after it.
    void count(const uint8_t* text, const Piece* pieces, size_t num_pieces, const uint8_t* readable_end) {
        using namespace words;
        Found found[Cutting::batch_words];
        Found* end = found;
        for (size_t i = 0; i < num_pieces; ++i) {
            const uint8_t* const data = text + pieces[i].begin;
            const uint32_t size = pieces[i].end - pieces[i].begin;
            if (size > inline_bytes) {
                push(hash_long(data, size), data, size, 1);
                continue;
            }
            const bool inside = data + inline_bytes <= readable_end;
            end->key = TEXTPIPE_LIKELY(inside) ? load_key(data, size) : load_key_at_end(data, size);
            end->size = size;
            end->row = static_cast<uint32_t>(hash_key(end->key, size) & (num_rows - 1));
            prefetch(&front_[end->row]);
            ++end;
        }
        for (const Found* word = found; word != end; ++word) count(*word);
    }

    void count(const Found& word) {
        Row& row = front_[word.row];
        if (!row.holds(0, word)) {
            if (!row.holds(1, word)) {
                evict(row, 1);
                row.keys[1] = word.key, row.sizes[1] = word.size, row.counts[1] = 1;
                return;
            }
            row.exchange();
        }
        if (row.counts[0] == std::numeric_limits<uint32_t>::max()) evict(row, 0);
        ++row.counts[0];
    }

    void evict(Row& row, size_t i) {
        const uint32_t size = row.sizes[i], count = std::exchange(row.counts[i], 0);
        if (count == 0) return;
        const uint64_t hash = words::hash_key(row.keys[i], size);
        uint8_t* const to = room_for(hash >> (64 - WordCounts::partition_bits), record_bytes(size));
        const Header header{hash, size, count};
        std::memcpy(to, &header, sizeof header);
        std::memcpy(to + sizeof header, &row.keys[i], words::inline_bytes);  // the size as a constant: the rest is overwritten
    }

    static size_t record_bytes(size_t size) { return sizeof(Header) + (size + 7) / 8 * 8; }

    void push(uint64_t hash, const uint8_t* data, size_t size, uint32_t count) {
        const size_t index = hash >> (64 - WordCounts::partition_bits), need = record_bytes(size);
        if (need > pending_bytes) {
            send(index);
            words::Partition& partition = counts_.partition(index);
            const std::lock_guard<std::mutex> hold(partition.lock);
            return partition.add(hash, data, size, count);
        }
        uint8_t* const to = room_for(index, need);
        const Header header{hash, static_cast<uint32_t>(size), count};
        std::memcpy(to, &header, sizeof header);
        std::memcpy(to + sizeof header, data, size);
    }

    // Where a record of that many bytes is to be written; as many as a key has can be written after its header.
    uint8_t* room_for(size_t index, size_t need) {
        Pending& pending = pending_[index];
        if (pending.used + need > pending_bytes) send(index);
        if (!pending.bytes) pending.bytes.reset(new uint8_t[pending_bytes + words::inline_bytes]);
        uint8_t* const to = pending.bytes.get() + pending.used;
        pending.used += need;
        return to;
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
        size_t num_records = 0;
        each_record(pending, [&](const Header&, const uint8_t*) { ++num_records; });
        partition.make_room(num_records);
        each_record(pending, [&](const Header& header, const uint8_t*) { partition.prefetch_slot(header.hash); });
        std::array<size_t, pending_bytes / sizeof(Header)> slots;
        size_t* slot = slots.data();
        each_record(pending, [&](const Header& header, const uint8_t*) { *slot++ = partition.find(header.hash, header.size); });
        slot = slots.data();
        each_record(pending, [&](const Header& header, const uint8_t* data) {
            partition.add_from(*slot++, header.hash, data, header.size, header.count);
        });
        pending.used = 0;
    }

    WordCounts& counts_;
    const WordCut cut_;
    Cutting line_cutting_;
    const bool cuts_lines_;  // by line_cutting_, many at once
    Cutting::Scratch scratch_;
    std::string text_;  // a normalized text while it is cut
    std::vector<Origin> origins_;  // of its bytes, where the cutting needs them
    std::vector<Row> front_;
    std::array<Pending, WordCounts::num_partitions> pending_;
};

}  // namespace textpipe
