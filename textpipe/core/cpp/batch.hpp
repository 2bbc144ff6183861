// Many documents on several threads. Enters: views of the documents. Leaves: their ids, flat, with an offset a
// document. Promises: the same ids for any number of threads; it can be stopped; no thread outlives a job; an
// exception in a thread comes out of wait().
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "encoder.hpp"
#include "text_view.hpp"

namespace textpipe {

// A program with the workers that have run it; their caches stay warm between jobs.
class Encoder {
  public:
    Encoder(ModelPointer model, size_t cache_bytes)
        : program(std::make_unique<Program>(std::move(model))), cache_bytes_(cache_bytes) {}

    std::unique_ptr<Worker> lease() {
        {
            // try_lock: a fork while another thread holds the mutex must not hang the child.
            std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
            if (lock.owns_lock() && !idle_.empty()) {
                std::unique_ptr<Worker> worker = std::move(idle_.back());
                idle_.pop_back();
                return worker;
            }
        }
        auto worker = std::make_unique<Worker>(*program, cache_bytes_);
        worker->seed(0x9E3779B97F4A7C15u * ++num_workers_ ^ reinterpret_cast<uintptr_t>(worker.get()));
        return worker;
    }

    void give_back(std::unique_ptr<Worker> worker) {
        std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
        if (lock.owns_lock() && idle_.size() < 64) idle_.push_back(std::move(worker));
    }

    // One document with the places of its tokens; false when it holds a surrogate.
    bool encode_spans(const TextView& view, bool skip_special, Spans& spans) {
        std::string buffer;
        const uint8_t* text = nullptr;
        size_t size = 0;
        if (!as_utf8(view, buffer, text, size)) return false;
        std::unique_ptr<Worker> worker = lease();
        const std::atomic<bool> never{false};
        worker->encode_spans(text, size, skip_special, spans, never);
        give_back(std::move(worker));
        return true;
    }

    const std::unique_ptr<Program> program;

  private:
    size_t cache_bytes_;
    std::atomic<uint64_t> num_workers_{0};
    std::mutex mutex_;
    std::vector<std::unique_ptr<Worker>> idle_;
};

class EncodeJob {
  public:
    // Documents are handed out in runs of about this many characters.
    static constexpr size_t run_chars = 1 << 16;

    EncodeJob(Encoder& encoder, std::vector<TextView> texts, bool skip_special, bool add_special)
        : encoder_(encoder), texts_(std::move(texts)), skip_special_(skip_special), add_special_(add_special) {
        size_t chars = 0;
        for (size_t i = 0; i < texts_.size(); ++i) {
            if (runs_.empty() || chars >= run_chars) {
                runs_.push_back({i, i, {}, {}});
                chars = 0;
            }
            runs_.back().end = i + 1;
            chars += texts_[i].length;
            bytes_ += texts_[i].length * (texts_[i].kind == 0 ? 1 : 2);
        }
    }
    ~EncodeJob() {
        stop();
        join();
    }
    EncodeJob(const EncodeJob&) = delete;
    EncodeJob& operator=(const EncodeJob&) = delete;

    // Work on this thread until all is done.
    void run() {
        work();
        if (failure_) std::rethrow_exception(failure_);
    }

    void start(size_t num_threads) {
        num_threads = std::max<size_t>(1, std::min(num_threads, runs_.size()));
        num_running_ = num_threads;
        for (size_t i = 0; i < num_threads; ++i)
            threads_.emplace_back([this] {
                work();
                std::lock_guard<std::mutex> lock(mutex_);
                if (--num_running_ == 0) finished_.notify_all();
            });
    }

    // Wait at most so long; true when all is done.
    bool wait(int milliseconds) {
        {
            std::unique_lock<std::mutex> lock(mutex_);
            const auto all_done = [this] { return num_running_ == 0; };
            if (!finished_.wait_for(lock, std::chrono::milliseconds(milliseconds), all_done)) return false;
        }
        join();
        if (failure_) std::rethrow_exception(failure_);
        return true;
    }

    void stop() { stop_ = true; }

    // The first document with a surrogate, or -1.
    long long bad_document() const {
        long long bad = -1;
        for (const Run& run : runs_)
            if (run.bad >= 0 && (bad < 0 || run.bad < bad)) bad = run.bad;
        return bad;
    }

    size_t num_ids() const {
        size_t total = 0;
        for (const Run& run : runs_) total += run.ids.size();
        return total;
    }

    // offsets has room for one more than there are documents.
    template <class Id>
    void copy(Id* ids, int64_t* offsets) const {
        int64_t total = 0;
        *offsets++ = 0;
        for (const Run& run : runs_) {
            for (const uint32_t count : run.counts) *offsets++ = total += count;
            for (const uint32_t id : run.ids) *ids++ = static_cast<Id>(id);
        }
    }

  private:
    struct Run {
        size_t begin, end;
        IdBuffer ids;
        std::vector<uint32_t> counts;
        long long bad = -1;
    };

    void work() {
        try {
            std::unique_ptr<Worker> worker = encoder_.lease();
            worker->expect(bytes_);
            std::string buffer;
            for (size_t i; !stop_ && (i = next_++) < runs_.size();) encode(runs_[i], *worker, buffer);
            encoder_.give_back(std::move(worker));
        } catch (...) {
            std::lock_guard<std::mutex> lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
            stop_ = true;
        }
    }

    void encode(Run& run, Worker& worker, std::string& buffer) {
        const Program& program = *encoder_.program;
        size_t chars = 0;
        for (size_t i = run.begin; i < run.end; ++i) chars += texts_[i].length;
        run.ids.room(chars / 3 + 1024);
        for (size_t i = run.begin; i < run.end && !stop_; ++i) {
            const uint8_t* text = nullptr;
            size_t size = 0;
            if (!as_utf8(texts_[i], buffer, text, size)) {
                run.bad = static_cast<long long>(i);
                stop_ = true;
                return;
            }
            const size_t before = run.ids.size();
            if (add_special_) run.ids.append(program.before.data(), program.before.size());
            worker.encode(text, size, skip_special_, run.ids, stop_);
            if (add_special_) run.ids.append(program.after.data(), program.after.size());
            run.counts.push_back(static_cast<uint32_t>(run.ids.size() - before));
        }
    }

    Encoder& encoder_;
    std::vector<TextView> texts_;
    const bool skip_special_, add_special_;
    std::vector<Run> runs_;
    size_t bytes_ = 0;
    std::atomic<size_t> next_{0};
    std::atomic<bool> stop_{false};
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable finished_;
    size_t num_running_ = 0;
    std::exception_ptr failure_;

    void join() {
        for (std::thread& thread : threads_)
            if (thread.joinable()) thread.join();
    }
};

}  // namespace textpipe
