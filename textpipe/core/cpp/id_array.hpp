// Ids in the width they leave in. Enters: ids of 32 bits, which fit. Leaves: one array, handed over. Promises: it is grown
// without being copied where the system can move pages, and takes no more memory in the end than the ids need.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace textpipe {

template <class Id>
class IdArray {
  public:
    size_t size() const { return size_; }

    template <class Other>
    void append(const Other* ids, size_t count) {
        if (size_ + count > capacity_) resize(std::max(size_ + count, capacity_ * 2));
        Id* const out = ids_.get() + size_;
        for (size_t i = 0; i < count; ++i) out[i] = static_cast<Id>(ids[i]);
        size_ += count;
    }
    const Id* begin() const { return ids_.get(); }

    // The ids, to be freed by the caller; null when there are none.
    Id* release() noexcept {
        if (size_ == 0) return nullptr;
        if (void* const moved = std::realloc(ids_.get(), size_ * sizeof(Id))) {  // else they keep the room they have
            ids_.release();
            ids_.reset(static_cast<Id*>(moved));
        }
        size_ = capacity_ = 0;
        return ids_.release();
    }

  private:
    struct Free {
        void operator()(Id* ids) const { std::free(ids); }
    };

    void resize(size_t capacity) {
        void* const moved = std::realloc(ids_.get(), capacity * sizeof(Id));
        if (moved == nullptr) throw std::bad_alloc();
        ids_.release();
        ids_.reset(static_cast<Id*>(moved));
        capacity_ = capacity;
    }

    std::unique_ptr<Id, Free> ids_;
    size_t size_ = 0, capacity_ = 0;
};

}  // namespace textpipe
