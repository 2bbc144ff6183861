// What a long computation knows, kept so that it goes on after a kill. Enters: a computation whose exchange(Snapshot&) names all
// that its steps change, and an owner who stores bytes. Leaves: those bytes, or the computation as it stood. Promises: what is
// kept was known between two steps; who has no owner keeps nothing and pays nothing.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "pulse.hpp"

namespace textpipe {

// What the owner is asked to do; he answers below 0 when he could not.
enum KeepAct : int {
    keep_open,     // begin to read: 0 where nothing was kept
    keep_read,     // the next bytes: how many there were
    keep_begin,    // begin to write
    keep_write,    // the next bytes
    keep_end,      // they were all
    keep_at_stop,  // the computation is stopped: 0 when there is no time to keep what it knows
};
using KeepCallback = int64_t (*)(void* owner, int act, char* data, size_t size);

// One pass over the parts of a computation: all are written, or all are read. That what was read fits together is for the
// computation to require.
class Snapshot {
public:
    Snapshot(bool is_saving, KeepCallback callback, void* owner) : is_saving_(is_saving), callback_(callback), owner_(owner) {}

    bool is_saving() const { return is_saving_; }

    void bytes(void* data, size_t size) {
        char* at = static_cast<char*>(data);
        while (size > 0) {
            if (!is_saving_ && used_ == buffer_.size()) fill();
            const size_t part = std::min(size, (is_saving_ ? buffer_bytes : buffer_.size()) - used_);
            if (is_saving_)
                buffer_.insert(buffer_.end(), at, at + part);
            else
                std::memcpy(at, buffer_.data() + used_, part);
            used_ += part;
            at += part;
            size -= part;
            if (is_saving_ && used_ == buffer_bytes) flush();
        }
    }

    void flush() {
        if (!buffer_.empty() && callback_(owner_, keep_write, buffer_.data(), buffer_.size()) < 0) throw Interrupted();
        buffer_.clear();
        used_ = 0;
    }

    // What follows from the words and the settings is not read, but must be the same.
    void same(uint64_t value) {
        uint64_t kept = value;
        (*this)(kept);
        require(kept == value);
    }

    static void require(bool may_be) {
        if (!may_be) throw std::range_error("what was kept is of other words or other settings");
    }

    template <class T, std::enable_if_t<std::is_trivially_copyable<T>::value, int> = 0>
    void operator()(T& value) {
        bytes(&value, sizeof value);
    }

    void operator()(std::string& text) {
        resize(text);
        bytes(&text[0], text.size());
    }

    template <class T>
    void operator()(std::vector<T>& values) {
        resize(values);
        if constexpr (std::is_trivially_copyable<T>::value)
            bytes(values.data(), values.size() * sizeof(T));
        else
            for (T& value : values) (*this)(value);
    }

    template <class T>
    void operator()(std::unordered_set<T>& values) {
        std::vector<T> listed(values.begin(), values.end());
        (*this)(listed);
        values.insert(listed.begin(), listed.end());
    }

    template <class Key, class Value>
    void operator()(std::unordered_map<Key, Value>& rows) {
        std::vector<Key> keys;
        for (const auto& row : rows) keys.push_back(row.first);
        (*this)(keys);
        for (const Key& key : keys) (*this)(rows[key]);
    }

private:
    static constexpr size_t buffer_bytes = 1 << 20;

    template <class Sequence>
    void resize(Sequence& sequence) {
        uint64_t size = sequence.size();
        (*this)(size);
        require(size <= sequence.max_size());
        if (!is_saving_) sequence.resize(static_cast<size_t>(size));
    }

    void fill() {
        buffer_.resize(buffer_bytes);
        const int64_t size = callback_(owner_, keep_read, buffer_.data(), buffer_.size());
        if (size < 0) throw Interrupted();
        require(size > 0);
        buffer_.resize(static_cast<size_t>(size));
        used_ = 0;
    }

    const bool is_saving_;
    const KeepCallback callback_;
    void* const owner_;
    std::vector<char> buffer_;
    size_t used_ = 0;
};

// Steps of a computation, and what is kept between them. Where a computation may have to begin anew in another way, its
// attempts have numbers.
class Keeper {
public:
    Keeper(KeepCallback callback, void* owner, uint64_t attempt = 0) : attempt_(attempt), callback_(callback), owner_(owner) {}

    uint64_t attempt() const { return attempt_; }
    Keeper of_attempt(uint64_t attempt) const { return Keeper(callback_, owner_, attempt); }

    // The attempt that was kept last; 0 where nothing was.
    uint64_t last_attempt() const {
        if (callback_ == nullptr || ask(keep_open) == 0) return 0;
        Snapshot snapshot(false, callback_, owner_);
        uint64_t last = 0;
        snapshot(last);
        return last;
    }

    // Bring a new computation to where it stood when it was kept, if it was, in this attempt.
    template <class Work>
    void resume(Work& work) const {
        if (callback_ == nullptr || ask(keep_open) == 0) return;
        Snapshot snapshot(false, callback_, owner_);
        uint64_t last = 0;
        snapshot(last);
        if (last == attempt_) work.exchange(snapshot);
    }

    // Take a step, which may be interrupted while nothing has changed; keep what is known when the owner asks for it after the
    // step, or stops within it.
    template <class Work, class Step>
    void step(Work& work, Pulse& pulse, Step&& step) const {
        try {
            step();
        } catch (const Interrupted&) {
            if (callback_ != nullptr && ask(keep_at_stop) != 0) save(work);
            throw;
        }
        if (pulse.is_due() && callback_ != nullptr) save(work);
    }

private:
    template <class Work>
    void save(Work& work) const {
        ask(keep_begin);
        Snapshot snapshot(true, callback_, owner_);
        uint64_t attempt = attempt_;
        snapshot(attempt);
        work.exchange(snapshot);
        snapshot.flush();
        ask(keep_end);
    }

    int64_t ask(int act) const {
        const int64_t answer = callback_(owner_, act, nullptr, 0);
        if (answer < 0) throw Interrupted();
        return answer;
    }

    const uint64_t attempt_;
    const KeepCallback callback_;
    void* const owner_;
};

}  // namespace textpipe
