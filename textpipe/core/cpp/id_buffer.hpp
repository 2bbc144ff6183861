// Ids as they come, and ids that are kept. Enters: ids. Leaves: all of them in one piece. Promises: room is asked for
// before writing and is not cleared first, so that whole slots can be copied to it and the end put where the ids end.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "large_memory.hpp"

namespace textpipe {

class IdBuffer {
  public:
    // Where the next id goes, with room for `count`; what was given out before is not valid any more.
    uint32_t* room(size_t count) {
        if (size_ + count > capacity_) grow(size_ + count);
        return ids_.get() + size_;
    }
    // The ids end here.
    void end_at(const uint32_t* end) { size_ = static_cast<size_t>(end - ids_.get()); }

    // Forget the ids, and give back the room of very many.
    void clear() {
        size_ = 0;
        if (capacity_ <= most_kept) return;
        ids_.reset();
        capacity_ = 0;
    }

    void push_back(uint32_t id) {
        *room(1) = id;
        ++size_;
    }
    void append(const uint32_t* ids, size_t count) {
        std::copy_n(ids, count, room(count));
        size_ += count;
    }
    const uint32_t* begin() const { return ids_.get(); }
    const uint32_t* end() const { return ids_.get() + size_; }
    size_t size() const { return size_; }

  private:
    static constexpr size_t most_kept = size_t{1} << 20;

    void grow(size_t least) {
        const size_t capacity = std::max(least, std::max<size_t>(64, capacity_ * 2));
        void* moved = std::realloc(ids_.get(), capacity * sizeof(uint32_t));
        if (moved == nullptr) throw std::bad_alloc();
        ids_.release();
        ids_.reset(static_cast<uint32_t*>(moved));
        capacity_ = capacity;
    }

    std::unique_ptr<uint32_t, Freed> ids_;
    size_t size_ = 0, capacity_ = 0;
};

// Ids that stay as they are, in two bytes each where all of them fit.
class PackedIds {
  public:
    PackedIds() = default;
    PackedIds(const uint32_t* ids, size_t count) : size_(count) {
        uint32_t all = 0;
        for (size_t i = 0; i < count; ++i) all |= ids[i];
        if (all < 1u << 16)
            narrow_ = hold<uint16_t>(ids);
        else
            wide_ = hold<uint32_t>(ids);
    }
    size_t size() const { return size_; }

    // Write them as ids of another width, which holds them; returns where they end.
    template <class Id>
    Id* copy(Id* out) const {
        for (size_t i = 0; i < size_; ++i) out[i] = static_cast<Id>(narrow_ ? narrow_[i] : wide_[i]);
        return out + size_;
    }

  private:
    template <class Id>
    std::unique_ptr<Id[]> hold(const uint32_t* ids) const {
        std::unique_ptr<Id[]> held(new Id[size_]);  // not cleared first
        for (size_t i = 0; i < size_; ++i) held[i] = static_cast<Id>(ids[i]);
        return held;
    }

    size_t size_ = 0;
    std::unique_ptr<uint16_t[]> narrow_;
    std::unique_ptr<uint32_t[]> wide_;
};

}  // namespace textpipe
