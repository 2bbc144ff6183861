// Patterns made of runs of characters. Enters: alternatives, each a row of runs. Leaves: matches, for SplitStep and for
// ReplaceMatches. Promises: the leftmost match, of the first alternative that has one, as long as greedy runs make it;
// what they took is given back where what follows needs it. Whoever builds one sees to it that this is seldom and short
// (stages/plain_patterns.py), so that time is linear in the text.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../normalization_steps.hpp"
#include "../steps.hpp"
#include "../stopping.hpp"
#include "characters.hpp"

namespace textpipe::grammars {

class PatternMatcher {
  public:
    static constexpr bool covers = false;

    // One more alternative, empty as yet, that no character of `not_before` may follow.
    void add_alternative(const Ranges& not_before) { alternatives_.push_back({{}, CharacterSet(not_before)}); }

    // One more run of the last alternative: `least` to `most` characters of a set; `most` 0 for any number.
    void add_run(const Ranges& characters, size_t least, size_t most) {
        alternatives_.back().runs.push_back({CharacterSet(characters), least, most});
    }

    const uint8_t* find(const uint8_t* p, const uint8_t* end, const uint8_t*& stop) const {
        for (; p < end; p += unicode::utf8_size(*p))
            for (const Alternative& each : alternatives_)
                if ((stop = match(each, 0, p, end)) != nullptr) return p;
        return end;
    }

    // A match has at least so many bytes.
    size_t shortest() const {
        size_t found = SIZE_MAX;
        for (const Alternative& each : alternatives_) {
            size_t sum = 0;
            for (const Run& run : each.runs) sum += run.least;
            found = std::min(found, sum);
        }
        return found;
    }

  private:
    struct Run {
        CharacterSet characters;
        size_t least, most;
    };

    struct Alternative {
        std::vector<Run> runs;
        CharacterSet not_before;
    };

    // The end of what the runs from number `at` on match at p; null where they do not.
    static const uint8_t* match(const Alternative& of, size_t at, const uint8_t* p, const uint8_t* end) {
        unsigned length;
        if (at == of.runs.size()) return p < end && of.not_before.holds(p, length) ? nullptr : p;
        const Run& run = of.runs[at];
        size_t count = 0;
        while (p < end && run.characters.holds(p, length)) {
            p += length;
            if (++count == run.most) break;
        }
        if (count < run.least) return nullptr;
        for (;; --count, p = scanner::Utf8Source::before(p)) {
            const uint8_t* stop = match(of, at + 1, p, end);
            if (stop != nullptr || count == run.least) return stop;
        }
    }

    std::vector<Alternative> alternatives_;
};

// Puts a text for every match; it stands for the last character of the match.
class ReplaceMatches final : public RewriteStep {
  public:
    ReplaceMatches(PatternMatcher matcher, std::string content)
        : matcher_(std::move(matcher)), content_(std::move(content)) {}

    size_t growth() const override { return content_.size() / std::max<size_t>(1, matcher_.shortest()) + 1; }

    bool is_unchanged(const uint8_t* text, size_t size, bool) const override {
        const uint8_t* stop;
        return matcher_.find(text, text + size, stop) == text + size;
    }

    size_t new_size(const uint8_t* text, size_t size) const override {
        size_t made = size;
        if (content_.size() <= matcher_.shortest()) return made;
        each_match(text, size, [&](size_t begin, size_t stop) { made += content_.size() - (stop - begin); });
        return made;
    }

    void run(const uint8_t* text, size_t size, bool, std::string& out, const Origin* in_origins,
             std::vector<Origin>* origins) const override {
        Copier to(out, in_origins, origins);
        size_t at = 0;
        each_match(text, size, [&](size_t begin, size_t stop) {
            to.copy(text, at, begin);
            to.put(content_.data(), content_.size(), stop - 1);
            at = stop;
        });
        to.copy(text, at, size);
    }

  private:
    template <class Take>
    void each_match(const uint8_t* text, size_t size, Take take) const {
        const uint8_t *end = text + size, *stop = end;
        Turns turns;
        for (const uint8_t* p = text; (p = matcher_.find(p, end, stop)) < end; p = stop) {
            turns.next();
            take(static_cast<size_t>(p - text), static_cast<size_t>(stop - text));
        }
    }

    const PatternMatcher matcher_;
    const std::string content_;
};

}  // namespace textpipe::grammars
