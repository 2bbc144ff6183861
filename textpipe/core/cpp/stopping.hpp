// Lets a job be stopped within one text, whatever works on it. Enters: the flag of a job, set on each of its threads while
// that works. Leaves: Stopped, thrown where a loop over a text looks at the flag. Promises: outside of a job nothing is
// ever stopped; a look costs a few nanoseconds, and a loop takes one in some thousands of turns.
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>

namespace textpipe {

// What was asked for is not wanted any more.
class Stopped : public std::exception {
  public:
    const char* what() const noexcept override { return "the job was stopped"; }
};

class Stopping {
  public:
    // While this lives, what this thread works on stops with the flag.
    explicit Stopping(const std::atomic<bool>& flag) : before_(flag_of_thread()) { flag_of_thread() = &flag; }
    ~Stopping() { flag_of_thread() = before_; }
    Stopping(const Stopping&) = delete;
    Stopping& operator=(const Stopping&) = delete;

    static void look() {
        const std::atomic<bool>* flag = flag_of_thread();
        if (flag != nullptr && flag->load(std::memory_order_relaxed)) throw Stopped();
    }

  private:
    static const std::atomic<bool>*& flag_of_thread() {
        static thread_local const std::atomic<bool>* flag = nullptr;
        return flag;
    }

    const std::atomic<bool>* const before_;
};

// Counts the turns of a loop, and looks once in some thousands.
class Turns {
  public:
    void next() {
        if (++count_ % 4096 == 0) Stopping::look();
    }

  private:
    uint32_t count_ = 0;
};

}  // namespace textpipe
