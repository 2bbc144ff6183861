// Work on several threads that can be watched and stopped. Enters: numbered tasks. Leaves: what the tasks made. Promises: tasks
// start in the order of their numbers; the calling thread only watches, so that a callback of its owner may run there; no
// thread outlives run(); what a task throws comes out of run().
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "pulse.hpp"

namespace textpipe {

class Crew {
public:
    Crew(size_t num_threads, Pulse& pulse) : num_threads_(std::max<size_t>(1, num_threads)), pulse_(pulse) {}

    size_t num_threads() const { return num_threads_; }

    // Call work(task, thread) for each task. `done` may be raised by the tasks; the owner sees it.
    template <class Work>
    void run(size_t num_tasks, Work&& work) {
        next_ = 0;
        turn_ = 0;
        stopped_ = false;
        failure_ = nullptr;
        const size_t num_threads = std::min(num_threads_, num_tasks);
        running_ = num_threads;
        std::vector<std::thread> threads;
        const Joiner joiner{*this, threads};
        for (size_t thread = 0; thread < num_threads; ++thread)
            threads.emplace_back([&, thread] {
                try {
                    for (size_t task; !stopped_ && (task = next_++) < num_tasks;) work(task, thread);
                } catch (...) {
                    const std::lock_guard<std::mutex> hold(mutex_);
                    if (!failure_) failure_ = std::current_exception();
                    stopped_ = true;
                }
                const std::lock_guard<std::mutex> hold(mutex_);
                --running_;
                changed_.notify_all();
            });
        std::unique_lock<std::mutex> hold(mutex_);
        while (!changed_.wait_for(hold, std::chrono::milliseconds(20), [&] { return running_ == 0; })) {
            hold.unlock();
            pulse_.beat_slow(done);
            hold.lock();
        }
        if (failure_) std::rethrow_exception(failure_);
    }

    // Within a task: wait until every task before this one has had its turn, then act. Each task must take its turn.
    template <class Act>
    void in_turn(size_t task, Act&& act) {
        {
            std::unique_lock<std::mutex> hold(mutex_);
            changed_.wait(hold, [&] { return turn_ == task || stopped_; });
        }
        check();
        act();
        const std::lock_guard<std::mutex> hold(mutex_);
        ++turn_;
        changed_.notify_all();
    }

    // Within a task, often: leaves it when the crew was stopped.
    void check() const {
        if (stopped_) throw Interrupted();
    }

    std::atomic<uint64_t> done{0};

private:
    struct Joiner {
        Crew& crew;
        std::vector<std::thread>& threads;
        ~Joiner() {
            {
                const std::lock_guard<std::mutex> hold(crew.mutex_);
                if (crew.running_ != 0) crew.stopped_ = true;
                crew.changed_.notify_all();
            }
            for (std::thread& thread : threads) thread.join();
        }
    };

    const size_t num_threads_;
    Pulse& pulse_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::atomic<size_t> next_{0};
    std::atomic<bool> stopped_{false};
    size_t turn_ = 0, running_ = 0;
    std::exception_ptr failure_;
};

}  // namespace textpipe
