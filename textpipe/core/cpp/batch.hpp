// Many documents on several threads, long ones in parts. Enters: views of the documents. Leaves: their ids, flat, with
// an offset a document. Promises: the same ids for any number of threads; it can be stopped; no thread outlives a job;
// an exception in a thread comes out of wait().
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "encoder.hpp"
#include "id_array.hpp"
#include "parts.hpp"
#include "stopping.hpp"
#include "text_view.hpp"

namespace textpipe {

// A program with the workers that have run it; their caches stay warm between jobs.
class Encoder {
  public:
    // Long texts are parted about every part_chars characters.
    Encoder(ModelPointer model, size_t cache_bytes, size_t part_chars)
        : program(std::make_unique<Program>(std::move(model))), part_chars(part_chars), cache_bytes_(cache_bytes) {}

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
        return std::make_unique<Worker>(*program, cache_bytes_);
    }

    void give_back(std::unique_ptr<Worker> worker) {
        std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
        if (lock.owns_lock() && idle_.size() < most_idle_) idle_.push_back(std::move(worker));
    }

    const std::unique_ptr<Program> program;
    const size_t part_chars;

  private:
    const size_t cache_bytes_;
    const size_t most_idle_ = std::max(1u, std::thread::hardware_concurrency());  // more would never be at work at once
    std::mutex mutex_;
    std::vector<std::unique_ptr<Worker>> idle_;
};

// Documents and parts of documents handed out in runs to threads. What is done with a part, and where its ids go, is
// the derived class's.
class Job {
  public:
    // A run has about this many characters.
    static constexpr size_t run_chars = 1 << 16;

    Job(Encoder& encoder, const std::vector<TextView>& texts)
        : encoder_(encoder),
          num_documents_(texts.size()),
          parts_(parts_of(texts, encoder.program->keeps_seams(), encoder.part_chars)),
          counts_(parts_.size()) {
        size_t chars = 0;
        for (size_t i = 0; i < parts_.size(); ++i) {
            if (ranges_.empty() || chars >= run_chars) {
                ranges_.push_back({i, i});
                chars = 0;
            }
            ranges_.back().end = i + 1;
            const TextView& view = parts_[i].view;
            chars += view.length;
            bytes_ += view.length * (view.kind == 0 ? 1 : 2);
        }
    }
    virtual ~Job() = default;  // the derived class has called finish()
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    // Work on this thread until all is done.
    void run() {
        work();
        if (failure_) std::rethrow_exception(failure_);
    }

    void start(size_t num_threads) {
        num_threads = std::max<size_t>(1, std::min(num_threads, ranges_.size()));
        for (size_t i = 0; i < num_threads; ++i)
            if (!start_one()) break;
        if (threads_.empty()) work();  // where no thread can be had the work is done all the same
    }

    // About how many characters the texts come to, rewritten.
    size_t num_chars() const {
        size_t chars = 0;
        for (const Part& part : parts_) chars += part.view.length;
        for (const RewritePointer& step : encoder_.program->normalization)
            chars = std::min(chars, size_t{1} << 32) * std::min(step->growth(), size_t{1} << 30);
        return chars;
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

    // What words are drawn by, where the model draws lots; set before the work begins.
    void draw_by(Lots lots) { lots_ = lots; }

    // A document with a surrogate, of several the first that a thread met; or -1.
    long long bad_document() const { return bad_; }

  protected:
    struct Range {
        size_t begin, end;
    };

    // Parts begin to end - 1 are run number `run`; counts_ is to be set for each.
    virtual void encode(size_t run, Range range, Worker& worker) = 0;

    // UTF-8 of a part, which the worker encodes next; false when it holds a surrogate, and then all threads stop, or when
    // they are to stop.
    bool read(const Part& part, ByteBuffer& buffer, Worker& worker, const uint8_t*& text, size_t& size) {
        if (as_utf8(part.view, buffer, text, size, stop_)) {
            if (worker.draws()) worker.draw_by(seed_of_text(lots_, text, size, part.document));  // all of a document
            return !stop_;
        }
        bad_ = static_cast<long long>(part.document);
        stop_ = true;
        return false;
    }

    // Where the ids of each document begin; one more than there are documents.
    void write_offsets(int64_t* offsets) const {
        std::fill_n(offsets, num_documents_ + 1, int64_t{0});
        for (size_t i = 0; i < parts_.size(); ++i) offsets[parts_[i].document + 1] += counts_[i];
        for (size_t i = 0; i < num_documents_; ++i) offsets[i + 1] += offsets[i];
    }

    void finish() {
        stop_ = true;
        join();
    }

    Encoder& encoder_;
    const size_t num_documents_;
    const std::vector<Part> parts_;
    std::vector<uint32_t> counts_;  // of the ids of each part
    std::vector<Range> ranges_;
    size_t bytes_ = 0;  // of the text as it is held
    std::atomic<bool> stop_{false};

  private:
    void work() {
        try {
            const Stopping stopping(stop_);
            std::unique_ptr<Worker> worker = encoder_.lease();
            worker->expect(bytes_);
            for (size_t i; !stop_ && (i = next_++) < ranges_.size();) encode(i, ranges_[i], *worker);
            // Of a word it was stopped in a worker may remember less than there is.
            if (!stop_) encoder_.give_back(std::move(worker));
        } catch (const Stopped&) {  // by what failed in another thread, or by the owner
        } catch (...) {
            std::lock_guard<std::mutex> lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
            stop_ = true;
        }
    }

    // False where the system gives no thread more: those there are do the work.
    bool start_one() {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            ++num_running_;
        }
        try {
            threads_.emplace_back([this] {
                work();
                const std::lock_guard<std::mutex> lock(mutex_);
                if (--num_running_ == 0) finished_.notify_all();
            });
            return true;
        } catch (const std::system_error&) {
            const std::lock_guard<std::mutex> lock(mutex_);
            --num_running_;
            return false;
        }
    }

    void join() {
        for (std::thread& thread : threads_)
            if (thread.joinable()) thread.join();
    }

    Lots lots_;
    std::atomic<size_t> next_{0};
    std::atomic<long long> bad_{-1};
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable finished_;
    size_t num_running_ = 0;
    std::exception_ptr failure_;
};

// The ids of documents, flat, in the width they leave in. A run's ids go behind those of the run before it as soon as
// that is done; until then they wait.
template <class Id>
class EncodeJob final : public Job {
  public:
    EncodeJob(Encoder& encoder, const std::vector<TextView>& texts, bool skip_special, bool add_special)
        : Job(encoder, texts), skip_special_(skip_special), add_special_(add_special), waiting_(ranges_.size()) {
        ids_.reserve(bytes_ / 2);  // few texts have more
    }
    ~EncodeJob() override { finish(); }

    size_t num_ids() const { return ids_.size(); }

    // All ids, to be freed by the caller; null when there are none. offsets has room for one more than there are documents.
    Id* release(int64_t* offsets) {
        write_offsets(offsets);
        return ids_.release();
    }

  private:
    void encode(size_t run, Range range, Worker& worker) override {
        const Program& program = *encoder_.program;
        ByteBuffer buffer;
        IdBuffer& ids = worker.ids();
        for (size_t i = range.begin; i < range.end; ++i) {
            const Part& part = parts_[i];
            const uint8_t* text = nullptr;
            size_t size = 0;
            if (i + 1 < range.end) prefetch(parts_[i + 1].view);
            if (!read(part, buffer, worker, text, size)) return;
            const size_t before = ids.size();
            if (add_special_ && part.is_first()) ids.append(program.before.data(), program.before.size());
            worker.encode(text, size, skip_special_, ids, stop_);
            if (add_special_ && part.is_last) ids.append(program.after.data(), program.after.size());
            counts_[i] = static_cast<uint32_t>(ids.size() - before);
        }
        keep(run, ids);
    }

    void keep(size_t run, const IdBuffer& ids) {
        const std::lock_guard<std::mutex> lock(ids_mutex_);
        if (run != num_kept_) {
            waiting_[run] = std::make_unique<IdArray<Id>>();
            waiting_[run]->append(ids.begin(), ids.size());
            return;
        }
        ids_.append(ids.begin(), ids.size());
        while (++num_kept_ < waiting_.size() && waiting_[num_kept_] != nullptr) {
            const std::unique_ptr<IdArray<Id>> next = std::move(waiting_[num_kept_]);
            ids_.append(next->begin(), next->size());
        }
    }

    const bool skip_special_, add_special_;
    std::mutex ids_mutex_;
    IdArray<Id> ids_;  // of the first num_kept_ runs
    size_t num_kept_ = 0;
    std::vector<std::unique_ptr<IdArray<Id>>> waiting_;  // of each run
};

// The tokens of documents with their places, flat, without the template.
class SpansJob final : public Job {
  public:
    SpansJob(Encoder& encoder, const std::vector<TextView>& texts, bool skip_special)
        : Job(encoder, texts), skip_special_(skip_special), runs_(ranges_.size()), num_words_(parts_.size()) {}
    ~SpansJob() override { finish(); }

    // The added tokens of each run of documents, and how many tokens it has.
    size_t num_runs() const { return runs_.size(); }
    const AddedSpans& added(size_t run) const { return runs_[run].added; }
    size_t num_ids(size_t run) const { return runs_[run].columns[0].size(); }

    size_t num_ids() const {
        size_t total = 0;
        for (size_t run = 0; run < runs_.size(); ++run) total += num_ids(run);
        return total;
    }

    // rows has four times num_ids() places: ids, begins, ends, words. offsets has one more than there are documents.
    void copy(uint32_t* rows, int64_t* offsets) const {
        write_offsets(offsets);
        uint32_t* out = rows;
        for (size_t column = 0; column < num_columns; ++column)
            for (const Run& run : runs_) out = run.columns[column].copy(out);
        count_on(rows, num_ids());
    }

  private:
    static constexpr size_t num_columns = 4;

    struct Run {
        PackedIds columns[num_columns];
        AddedSpans added;
    };

    void encode(size_t run, Range range, Worker& worker) override {
        ByteBuffer buffer;
        Spans& spans = worker.spans();
        for (size_t i = range.begin; i < range.end; ++i) {
            const uint8_t* text = nullptr;
            size_t size = 0;
            if (!read(parts_[i], buffer, worker, text, size)) return;
            const size_t before = spans.ids.size();
            worker.encode_spans(text, size, skip_special_, spans, stop_);
            counts_[i] = static_cast<uint32_t>(spans.ids.size() - before);
            num_words_[i] = worker.num_words();
        }
        PackedIds* packed = runs_[run].columns;
        for (const IdBuffer* column : {&spans.ids, &spans.begins, &spans.ends, &spans.words})
            *packed++ = PackedIds(column->begin(), column->size());
        runs_[run].added = std::move(spans.added);
    }

    // The parts of a text count their characters and words each from 0.
    void count_on(uint32_t* rows, size_t num_ids) const {
        uint32_t *begins = rows + num_ids, *ends = begins + num_ids, *words = ends + num_ids;
        uint32_t words_before = 0;
        for (size_t i = 0; i < parts_.size(); ++i) {
            const Part& part = parts_[i];
            if (part.is_first()) words_before = 0;
            const uint32_t count = counts_[i], chars_before = static_cast<uint32_t>(part.first_char);
            for (uint32_t n = 0; n < count && !part.is_first(); ++n) {
                begins[n] += chars_before;
                ends[n] += chars_before;
                words[n] += words_before;
            }
            begins += count;
            ends += count;
            words += count;
            words_before += num_words_[i];
        }
    }

    const bool skip_special_;
    std::vector<Run> runs_;            // of parts
    std::vector<uint32_t> num_words_;  // of each part
};

}  // namespace textpipe
