// Ids in the width they leave in. Enters: ids of 32 bits, which fit. Leaves: one array, handed over. Promises: it is grown
// without being copied where the system can move pages, and takes no more memory in the end than the ids need; room that
// was asked for and not used takes none at all.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "large_memory.hpp"

namespace textpipe {

template <class Id>
class IdArray {
  public:
    size_t size() const { return size_; }

    // Room for so many beforehand; called when there are none yet. Without the memory for it the array grows later.
    void reserve(size_t count) {
        const size_t bytes = count * sizeof(Id);
        if (bytes < 2 * large_page) return;
        ids_.reset(static_cast<Id*>(std::aligned_alloc(large_page, (bytes + large_page - 1) & ~(large_page - 1))));
        if (!ids_) return;
        advise_large_pages(ids_.get(), bytes);
        capacity_ = count;
    }

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
    void resize(size_t capacity) {
        void* const moved = std::realloc(ids_.get(), capacity * sizeof(Id));
        if (moved == nullptr) throw std::bad_alloc();
        ids_.release();
        ids_.reset(static_cast<Id*>(moved));
        capacity_ = capacity;
    }

    std::unique_ptr<Id, Freed> ids_;
    size_t size_ = 0, capacity_ = 0;
};

}  // namespace textpipe
