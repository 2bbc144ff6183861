// The grammars of the scanner as a step. Enters: valid UTF-8. Leaves: the places of its pre-tokens. Promises: the cuts of
// scanner.hpp; GPT-2's by the quickest scanner that the machine can run.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "gpt2_windows.hpp"
#include "scanner.hpp"
#include "steps.hpp"

namespace textpipe {

class GrammarStep final : public CutStep {
  public:
    explicit GrammarStep(int number)
        : GrammarStep(number, number == static_cast<int>(Grammar::gpt2) ? gpt2::windows_of_this_machine<false>() : nullptr) {}

    // By one scanner of several that cut alike; null goes character by character.
    GrammarStep(int number, gpt2::Windows windows) : grammar_(static_cast<Grammar>(number)), windows_(windows) {}

    size_t cut(const uint8_t* text, size_t size, size_t& at, Piece* out, size_t room) const override {
        if (windows_ != nullptr) return windows_(text, size, at, out, room);
        size_t count = 0;
        const uint8_t* end = scan_until(grammar_, text + at, size - at, [&](const uint8_t* begin, size_t length) {
            const uint32_t place = static_cast<uint32_t>(begin - text);
            out[count] = {place, place + static_cast<uint32_t>(length)};
            return ++count < room;
        });
        at = static_cast<size_t>(end - text);
        return count;
    }

    bool keeps_seams() const override { return grammar_ != Grammar::none; }

    CutPointer by_lines() const override {
        const gpt2::Windows windows = grammar_ == Grammar::gpt2 ? gpt2::windows_of_this_machine<true>() : nullptr;
        const bool drops_spaces = grammar_ == Grammar::whitespace || grammar_ == Grammar::whitespace_split;
        if (windows == nullptr && !drops_spaces) return nullptr;
        return std::make_shared<const GrammarStep>(static_cast<int>(grammar_), windows);
    }

  private:
    const Grammar grammar_;
    const gpt2::Windows windows_;
};

// GPT-2's cuts by each scanner that this machine can run; lines are known to those that have windows.
struct Scanner {
    const char* name;
    CutPointer step;
};
inline std::vector<Scanner> gpt2_scanners(bool by_lines) {
    std::vector<Scanner> found;
    const auto add = [&](const char* name, gpt2::Windows windows) {
        found.push_back({name, std::make_shared<const GrammarStep>(static_cast<int>(Grammar::gpt2), windows)});
    };
    if (!by_lines) add("characters", nullptr);
    add("bytes", by_lines ? gpt2::cut_bytes<true> : gpt2::cut_bytes<false>);
#if TEXTPIPE_X86
    if (machine::has_avx2()) add("avx2", by_lines ? gpt2::cut_avx2<true> : gpt2::cut_avx2<false>);
    if (machine::has_avx512()) add("avx512", by_lines ? gpt2::cut_avx512<true> : gpt2::cut_avx512<false>);
#endif
    return found;
}

}  // namespace textpipe
