// Memory on large pages where it is large. Enters: a size. Leaves: memory from the allocator, advised before its first
// touch. Promises: where there are no large pages it is memory as any other.
//
// A page of 4 KiB costs a microsecond when it is first touched, and then a place among the addresses that the processor
// remembers: most waits of a cold run are for addresses, not for lines.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace textpipe {

constexpr size_t large_page = size_t{2} << 20;

struct Freed {
    void operator()(void* memory) const { std::free(memory); }
};

// Of memory that nobody has touched yet: its whole large pages come as such.
inline void advise_large_pages([[maybe_unused]] void* memory, [[maybe_unused]] size_t bytes) {
#if defined(__linux__)
    const uintptr_t begin = (reinterpret_cast<uintptr_t>(memory) + large_page - 1) & ~(large_page - 1);
    const uintptr_t end = (reinterpret_cast<uintptr_t>(memory) + bytes) & ~(large_page - 1);
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

// Not cleared, beginning with a cache line, or with a page where it is large: what is not used of it takes no memory.
class LargeMemory {
  public:
    LargeMemory() = default;
    explicit LargeMemory(size_t bytes) : LargeMemory(bytes, std::malloc) {}
    void* begin() const { return begin_; }

  protected:
    template <class Allocate>
    LargeMemory(size_t bytes, Allocate&& allocate) {
        constexpr size_t line = 64;
        const size_t unit = bytes >= large_page ? large_page : line;
        memory_.reset(allocate(bytes + unit));
        if (!memory_) throw std::bad_alloc();
        const uintptr_t begin = (reinterpret_cast<uintptr_t>(memory_.get()) + unit - 1) & ~(unit - 1);
        begin_ = reinterpret_cast<void*>(begin);
        advise_large_pages(begin_, bytes);
    }

  private:
    std::unique_ptr<void, Freed> memory_;
    void* begin_ = nullptr;
};

// The same, zeroed.
class ZeroedMemory : public LargeMemory {
  public:
    ZeroedMemory() = default;
    explicit ZeroedMemory(size_t bytes) : LargeMemory(bytes, [](size_t size) { return std::calloc(size, 1); }) {}
};

}  // namespace textpipe
