// Ids as they come. Enters: ids. Leaves: all of them in one piece. Promises: room is asked for before writing and is not
// cleared first, so that whole slots can be copied to it and the end put where the ids end.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

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
    struct Free {
        void operator()(uint32_t* ids) const { std::free(ids); }
    };

    void grow(size_t least) {
        const size_t capacity = std::max(least, std::max<size_t>(64, capacity_ * 2));
        void* moved = std::realloc(ids_.get(), capacity * sizeof(uint32_t));
        if (moved == nullptr) throw std::bad_alloc();
        ids_.release();
        ids_.reset(static_cast<uint32_t*>(moved));
        capacity_ = capacity;
    }

    std::unique_ptr<uint32_t, Free> ids_;
    size_t size_ = 0, capacity_ = 0;
};

}  // namespace textpipe
