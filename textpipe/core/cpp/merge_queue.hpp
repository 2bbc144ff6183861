// The queue of a BPE trainer. Enters: entries, and which of two precedes. Leaves: the first entry. Promises: entries of which
// neither precedes, which only a pair that was queued twice has, leave in the order of a heap of
// eight children a node, as in the trainer whose output ours equals: pushed entries rise past smaller ones only; when the top
// goes, the last entry sinks along the greatest children (the last of equal ones) to a leaf and rises from there.
#pragma once
#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace textpipe {

// Precedes: called with two entries.
template <class Entry, class Precedes>
class MergeQueue {
public:
    explicit MergeQueue(Precedes precedes = {}) : precedes_(precedes) {}

    bool empty() const { return entries_.empty(); }

    void push(Entry entry) {
        entries_.emplace_back();
        rise(entries_.size() - 1, std::move(entry));
    }

    Entry pop() {
        Entry last = std::move(entries_.back());
        entries_.pop_back();
        if (entries_.empty()) return last;
        Entry top = std::move(entries_.front());
        const size_t size = entries_.size();
        size_t hole = 0;
        for (size_t child = 1; child < size; child = children * hole + 1) {
            const size_t stop = std::min(child + children, size);
            for (size_t other = child + 1; other < stop; ++other)
                if (!precedes_(entries_[child], entries_[other])) child = other;
            entries_[hole] = std::move(entries_[child]);
            hole = child;
        }
        rise(hole, std::move(last));
        return top;
    }

    // In the order of the heap.
    std::vector<Entry>& entries() { return entries_; }

private:
    static constexpr size_t children = 8;

    void rise(size_t hole, Entry entry) {
        while (hole > 0) {
            const size_t parent = (hole - 1) / children;
            if (!precedes_(entry, entries_[parent])) break;
            entries_[hole] = std::move(entries_[parent]);
            hole = parent;
        }
        entries_[hole] = std::move(entry);
    }

    Precedes precedes_;
    std::vector<Entry> entries_;
};

}  // namespace textpipe
