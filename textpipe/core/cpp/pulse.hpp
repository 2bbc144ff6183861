// Lets a long native loop be watched and stopped. Enters: a callback of the owner. Leaves: a call of it about twenty times a
// second, and for every MiB the loop says it took, with the phase and its progress. Promises: when the callback answers 0 the loop unwinds by Interrupted at once; when
// it answers 2 the loop is told that what it knows is to be kept.
#pragma once
#include <chrono>
#include <cstdint>
#include <exception>
#include <utility>

namespace textpipe {

class Interrupted : public std::exception {
public:
    const char* what() const noexcept override { return "stopped by its owner"; }
};

class Pulse {
public:
    using Callback = int (*)(void* owner, int phase, uint64_t done, uint64_t total);

    Pulse() = default;
    Pulse(Callback callback, void* owner) : callback_(callback), owner_(owner) {}

    void begin(int phase, uint64_t total) {
        phase_ = phase;
        total_ = total;
        report(0);
    }

    void end(uint64_t done) { report(done); }

    // Cheap enough for every few hundred instructions: reads the clock once in 256 calls.
    void beat(uint64_t done) {
        if (++beats_ % 256 == 0) beat_slow(done);
    }

    // For loops whose single round may be long.
    void beat_slow(uint64_t done) {
        if (std::chrono::steady_clock::now() - last_ >= std::chrono::milliseconds(50)) report(done);
    }

    // Memory was taken: the owner may limit it, and a fast loop takes much in a twentieth of a second.
    void took(uint64_t num_bytes) {
        if ((taken_ += num_bytes) < most_untold) return;
        taken_ = 0;
        last_ = {};  // the next slow beat reports
    }

    // Whether the owner has asked for what is known to be kept, since this was asked last.
    bool is_due() { return std::exchange(is_due_, false); }

private:
    static constexpr uint64_t most_untold = uint64_t{1} << 20;

    void report(uint64_t done) {
        last_ = std::chrono::steady_clock::now();
        const int answer = callback_ == nullptr ? 1 : callback_(owner_, phase_, done, total_);
        if (answer == 0) throw Interrupted();
        if (answer != 2) return;
        is_due_ = true;
        last_ = {};  // keeping takes time: the owner is asked again at once
    }

    Callback callback_ = nullptr;
    void* owner_ = nullptr;
    int phase_ = 0;
    bool is_due_ = false;
    uint64_t total_ = 0, beats_ = 0, taken_ = 0;
    std::chrono::steady_clock::time_point last_{};
};

}  // namespace textpipe
