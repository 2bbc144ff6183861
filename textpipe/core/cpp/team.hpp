// Threads that share short work again and again. Enters: numbered parts of a piece of work. Leaves: what the parts made.
// Promises: the calling thread takes parts too, so that nothing waits for a thread the system does not run; run() returns when
// all parts are done, and what one of them throws comes out of it; a team of one starts no thread, and where the system gives
// fewer threads than were asked for the team is smaller.
//
// A helper that has had nothing to do for a moment sleeps until it is called. Between two pieces of work that follow each
// other closely none does, which is what makes pieces of a tenth of a millisecond worth sharing.
#pragma once
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace textpipe {

class Team {
public:
    static constexpr size_t most_parts = 0xFFFF;

    explicit Team(size_t num_threads) {
        helpers_.reserve(num_threads);
        try {
            for (size_t i = 1; i < num_threads; ++i) helpers_.emplace_back([this] { help(); });
        } catch (const std::exception&) {  // the system has no more threads, or no memory for them: fewer do as well
        }
    }
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;
    ~Team() {
        {
            const std::lock_guard<std::mutex> hold(mutex_);
            ended_ = true;
        }
        called_.notify_all();
        for (std::thread& helper : helpers_) helper.join();
    }

    size_t size() const { return helpers_.size() + 1; }

    // Call work(part) for every part from 0 on, at most most_parts.
    template <class Work>
    void run(size_t num_parts, Work&& work) {
        call_ = [](void* context, size_t part) { (*static_cast<std::remove_reference_t<Work>*>(context))(part); };
        context_ = &work;
        num_done_ = 0;
        failed_ = false;
        const uint64_t round = (ticket_.load(std::memory_order_relaxed) >> 32) + 1;
        ticket_.store(round << 32 | static_cast<uint64_t>(num_parts) << 16, std::memory_order_release);
        if (!helpers_.empty()) {
            const std::lock_guard<std::mutex> hold(mutex_);
            if (num_asleep_ != 0) called_.notify_all();
        }
        while (take_part()) {}
        while (num_done_.load(std::memory_order_acquire) != num_parts) std::this_thread::yield();
        if (failed_) std::rethrow_exception(failure_);
    }

    // Within a long part, often: whether another part has failed, so that this one need not be done.
    bool has_failed() const { return failed_.load(std::memory_order_relaxed); }

private:
    static constexpr int num_looks = 4000;  // some tens of microseconds

    // Do the next part of the work there is; false when none is left.
    bool take_part() {
        uint64_t ticket = ticket_.load(std::memory_order_acquire);
        do {
            if ((ticket & 0xFFFF) == (ticket >> 16 & 0xFFFF)) return false;
        } while (!ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel, std::memory_order_acquire));
        try {
            call_(context_, ticket & 0xFFFF);
        } catch (...) {
            const std::lock_guard<std::mutex> hold(mutex_);
            if (!failed_) failure_ = std::current_exception();
            failed_ = true;
        }
        num_done_.fetch_add(1, std::memory_order_acq_rel);
        return true;
    }

    bool has_parts() const {
        const uint64_t ticket = ticket_.load(std::memory_order_relaxed);
        return (ticket & 0xFFFF) != (ticket >> 16 & 0xFFFF);
    }

    void help() {
        while (!ended_.load(std::memory_order_relaxed)) {
            if (take_part()) continue;
            for (int look = 0; look < num_looks && !has_parts(); ++look) pause();
            if (has_parts()) continue;
            std::unique_lock<std::mutex> hold(mutex_);
            ++num_asleep_;
            called_.wait(hold, [&] { return ended_ || has_parts(); });
            --num_asleep_;
        }
    }

    static void pause() {
#if defined(__x86_64__) && defined(__GNUC__)
        __builtin_ia32_pause();
#endif
    }

    std::vector<std::thread> helpers_;
    // The number of the round (32 bits), how many parts it has (16) and how many are taken (16): a helper that comes late
    // takes no part of a round that is over.
    std::atomic<uint64_t> ticket_{0};
    void (*call_)(void* context, size_t part) = nullptr;
    void* context_ = nullptr;
    std::atomic<size_t> num_done_{0};
    std::atomic<bool> failed_{false}, ended_{false};
    std::exception_ptr failure_;
    std::mutex mutex_;
    std::condition_variable called_;
    size_t num_asleep_ = 0;
};

}  // namespace textpipe
