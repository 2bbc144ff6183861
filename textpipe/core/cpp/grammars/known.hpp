// Cut steps by what they match. Enters: a grammar's name or a matcher's arguments, and a behaviour. Leaves: a cut step,
// or null where there is none. A grammar whose matches cover the text has one use only, every match a piece, and so goes
// without the account of what lies between.
#pragma once
#include <memory>
#include <string>

#include "../grammar_step.hpp"
#include "characters.hpp"
#include "patterns.hpp"
#include "split_step.hpp"
#include "words.hpp"

namespace textpipe::grammars {

template <class Grammar>
class CoverStep final : public CutStep {
  public:
    size_t cut(const uint8_t* text, size_t size, size_t& at, Piece* out, size_t room) const override {
        const uint8_t *p = text + at, *end = text + size;
        size_t count = 0;
        while (p < end && count < room) {
            const uint8_t* stop = Grammar::match(p, end);
            out[count++] = {static_cast<uint32_t>(p - text), static_cast<uint32_t>(stop - text)};
            p = stop;
        }
        at = static_cast<size_t>(p - text);
        return count;
    }
    bool keeps_seams() const override { return Grammar::keeps_seams; }
};

template <class Matcher>
inline CutPointer split_with(Matcher matcher, int behavior, bool invert) {
    return std::make_shared<const SplitStep<Matcher>>(std::move(matcher), static_cast<Behavior>(behavior), invert);
}

inline CutPointer literal_split(std::string text, int behavior, bool invert) {
    return split_with(LiteralMatcher(std::move(text)), behavior, invert);
}

inline CutPointer pattern_split(PatternMatcher matcher, int behavior, bool invert) {
    return split_with(std::move(matcher), behavior, invert);
}

inline CutPointer digit_split(int behavior) { return split_with(NumericMatcher{}, behavior, false); }
inline CutPointer punctuation_split(int behavior) { return split_with(PunctuationMatcher{}, behavior, false); }

template <class Grammar>
inline CutPointer split_by(Behavior behavior, bool invert) {
    if constexpr (Grammar::covers) {
        const bool each_match = behavior == Behavior::isolated || (behavior == Behavior::removed && invert);
        return each_match ? std::make_shared<const CoverStep<Grammar>>() : nullptr;
    } else {
        return split_with(GrammarMatcher<Grammar>{}, static_cast<int>(behavior), invert);
    }
}

inline CutPointer known_grammar(const std::string& name, int number, bool invert) {
    constexpr Set letter = category::letter, marked = category::letter | category::mark;
    const Behavior behavior = static_cast<Behavior>(number);
    if (name == "gpt2") {
        const bool each_match = behavior == Behavior::isolated || (behavior == Behavior::removed && invert);
        return each_match ? std::make_shared<const GrammarStep>(static_cast<int>(Grammar::gpt2)) : nullptr;
    }
    if (name == "gpt4") return split_by<Gpt4<letter, 3, false>>(behavior, invert);
    if (name == "gpt4 ends") return split_by<Gpt4<letter, 3, true>>(behavior, invert);
    if (name == "gpt4 digit") return split_by<Gpt4<letter, 1, false>>(behavior, invert);
    if (name == "gpt4 two digits") return split_by<Gpt4<letter, 2, false>>(behavior, invert);
    if (name == "gpt4 digit marks") return split_by<Gpt4<marked, 1, false>>(behavior, invert);
    if (name == "gpt4o") return split_by<Gpt4o<true, 3>>(behavior, invert);
    if (name == "gpt4o digit") return split_by<Gpt4o<true, 1>>(behavior, invert);
    if (name == "gpt4o bare") return split_by<Gpt4o<false, 3>>(behavior, invert);
    if (name == "gpt4o bare digit") return split_by<Gpt4o<false, 1>>(behavior, invert);
    if (name == "deepseek") return split_by<DeepSeek>(behavior, invert);
    if (name == "clip") return split_by<Clip>(behavior, invert);
    return nullptr;
}

}  // namespace textpipe::grammars
