// From matches to pieces. Enters: a matcher, and what becomes of a match. Leaves: a cut step. Promises: the five
// behaviours of `tokenizers` 0.23.3, matches and what lies between them exchanged when asked; nothing is kept between
// calls, so that a step is shared by all threads.
//
// A matcher finds the leftmost match at or after p: find(p, end, stop) gives its first byte and sets stop to the byte
// after it; end where there is none. A match is never empty. Every behaviour can go on at the end of a piece as if the
// text began there, which is what lets a step stop when there is no more room.
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>

#include "../steps.hpp"
#include "../unicode.hpp"

namespace textpipe::grammars {

enum class Behavior : int { removed = 0, isolated = 1, merged_with_previous = 2, merged_with_next = 3, contiguous = 4 };

// A grammar as a matcher.
template <class Grammar>
struct GrammarMatcher {
    static constexpr bool covers = Grammar::covers;

    const uint8_t* find(const uint8_t* p, const uint8_t* end, const uint8_t*& stop) const {
        for (; p < end; p += unicode::utf8_size(*p))
            if ((stop = Grammar::match(p, end)) != p) return p;
        return end;
    }
};

template <class Matcher>
class SplitStep final : public CutStep {
  public:
    SplitStep(Matcher matcher, Behavior behavior, bool invert)
        : matcher_(std::move(matcher)), behavior_(behavior), invert_(invert) {}

    size_t cut(const uint8_t* text, size_t size, size_t& at, Piece* out, size_t room) const override {
        Pieces pieces{text, out, room, 0, at};
        const uint8_t *p = text + at, *end = text + size, *stop = end;
        bool goes_on = true;
        while (p < end && goes_on) {
            const uint8_t* begin = matcher_.find(p, end, stop);
            if (!Matcher::covers && begin > p) goes_on = span(pieces, p, begin, invert_);
            if (begin < end && goes_on) goes_on = span(pieces, begin, stop, !invert_);
            p = begin < end ? stop : end;
        }
        if (goes_on) pieces.finish(size);
        at = pieces.resume;
        return pieces.count;
    }

  private:
    // What has been written, and the stretch that may still grow.
    struct Pieces {
        const uint8_t* text;
        Piece* out;
        size_t room, count, resume;
        uint32_t begin = 0, end = 0;
        bool is_waiting = false, is_match = false;

        bool add(uint32_t from, uint32_t to) {
            out[count++] = {from, to};
            resume = to;
            return count < room;
        }
        void wait(uint32_t from, uint32_t to, bool match) {
            begin = from;
            end = to;
            is_match = match;
            is_waiting = true;
        }
        // Write the stretch that waits; false when there is no more room.
        bool release() { return !std::exchange(is_waiting, false) || add(begin, end); }
        void finish(size_t size) {
            if (release()) resume = size;
        }
    };

    bool span(Pieces& pieces, const uint8_t* from, const uint8_t* to, bool match) const {
        const uint32_t begin = static_cast<uint32_t>(from - pieces.text), end = static_cast<uint32_t>(to - pieces.text);
        switch (behavior_) {
            case Behavior::removed:
                if (!match) return pieces.add(begin, end);
                pieces.resume = end;
                return true;
            case Behavior::isolated:
                return pieces.add(begin, end);
            case Behavior::contiguous:
                if (pieces.is_waiting && pieces.is_match == match) {
                    pieces.end = end;
                    return true;
                }
                break;
            case Behavior::merged_with_previous:
                // What a match joins takes no second one.
                if (match && pieces.is_waiting && !pieces.is_match) {
                    pieces.is_waiting = false;
                    return pieces.add(pieces.begin, end);
                }
                break;
            case Behavior::merged_with_next:
                if (!match && pieces.is_waiting && pieces.is_match) {
                    pieces.is_waiting = false;
                    return pieces.add(pieces.begin, end);
                }
                break;
        }
        if (!pieces.release()) return false;
        pieces.wait(begin, end, match);
        return true;
    }

    const Matcher matcher_;
    const Behavior behavior_;
    const bool invert_;
};

}  // namespace textpipe::grammars
