// Text as Python holds it. Enters: a buffer of 1-, 2- or 4-byte characters. Leaves: UTF-8. Promises: ASCII is passed
// through in place; a surrogate, which is not a character, is reported and nothing is written past it; it can be
// stopped.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "large_memory.hpp"
#include "transcoding.hpp"

namespace textpipe {

struct TextView {
    const void* data;
    size_t length;  // in characters
    int kind;       // bytes a character; 0 for ASCII (or bytes known to be UTF-8)
};

// Ask for the memory of a text that is read soon, as far as it is read before the machine sees how.
TEXTPIPE_INLINE void prefetch(const TextView& view) {
    const size_t bytes = std::min(view.length * std::max<size_t>(1, static_cast<size_t>(view.kind)), size_t{4096});
    for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch(static_cast<const uint8_t*>(view.data) + at);
}

// Bytes to write to. They are not cleared first, so that of a large buffer only what is written takes memory.
class ByteBuffer {
  public:
    // At least so many bytes; what was written before is lost.
    uint8_t* room(size_t bytes) {
        if (bytes > capacity_) {
            capacity_ = 0;
            bytes_.reset(static_cast<uint8_t*>(std::malloc(bytes)));
            if (!bytes_) throw std::bad_alloc();
            capacity_ = bytes;
        }
        return bytes_.get();
    }

  private:
    std::unique_ptr<uint8_t, Freed> bytes_;
    size_t capacity_ = 0;
};

// Units of a run: the stop flag is looked at after each.
constexpr size_t units_a_run = 1 << 15;

// Latin-1, UCS-2 or UCS-4 to UTF-8; returns the index of the first surrogate, else the length. Less of the text is there
// when `stop` was set meanwhile.
template <class Unit>
inline size_t transcode(const Unit* text, size_t length, uint8_t*& to, const std::atomic<bool>& stop) {
    static const transcoding::Writer<Unit> write = transcoding::writer_of_this_machine<Unit>();
    for (size_t i = 0; i < length;) {
        if (stop.load(std::memory_order_relaxed)) return length;
        const size_t count = std::min(length - i, units_a_run);
        const size_t written = write(text + i, count, to);
        i += written;
        if (written != count) return i;
    }
    return length;
}

// UTF-8 of a view: in place for ASCII, else in `buffer`. False when a surrogate stands in the way.
inline bool as_utf8(const TextView& view, ByteBuffer& buffer, const uint8_t*& text, size_t& size,
                    const std::atomic<bool>& stop) {
    if (view.kind == 0) {
        text = static_cast<const uint8_t*>(view.data);
        size = view.length;
        return true;
    }
    const auto run = [&](auto* units) {
        using Unit = std::remove_const_t<std::remove_pointer_t<decltype(units)>>;
        uint8_t* to = buffer.room(view.length * transcoding::most_bytes<Unit> + transcoding::slack_bytes);
        text = to;
        const bool whole = transcode(units, view.length, to, stop) == view.length;
        size = static_cast<size_t>(to - text);
        return whole;
    };
    if (view.kind == 1) return run(static_cast<const uint8_t*>(view.data));
    if (view.kind == 2) return run(static_cast<const uint16_t*>(view.data));
    return run(static_cast<const uint32_t*>(view.data));
}

}  // namespace textpipe
