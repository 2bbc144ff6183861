// What kinds of characters may stand together in a token. Enters: a character, or the classes of two. Leaves: its class, whether
// the two go together, whether word marks may stand where they do. Promises: the one place where the trainers of merges and
// of unigram vocabularies have their rules from; those of sentencepiece 0.2.3 where a PieceShape tells the classes.
#pragma once
#include <cstdint>

#include "traits.hpp"
#include "unicode.hpp"

namespace textpipe::rules {

// neutral goes with anything. open ends what came before: anything may follow. barrier joins nothing. space is a word mark.
// Every class above these is a script: a token holds one script at most, counted from its last open character.
enum CharacterClass : uint16_t { neutral = 0, open = 1, barrier = 2, space = 3, first_script = 4 };

constexpr uint32_t word_mark = 0x2581, unknown_character = 0x2585;

// Whether one class after the other begins another script.
constexpr bool changes_script(uint16_t before, uint16_t next) {
    return before >= first_script && next >= first_script && before != next;
}

// The class that decides on what follows; neutral where none does.
constexpr uint16_t deciding(uint16_t found) { return found == open || found >= first_script ? found : uint16_t{neutral}; }

// Where word marks may stand in a token of more than one character.
enum class Spaces : int { anywhere, first_only, not_last, last_only, not_first };

struct SpaceRule {
    Spaces where = Spaces::anywhere;
    bool alone = false;  // tokens of word marks alone are free of that

    bool allows(uint32_t num_chars, uint32_t num_spaces, bool is_first, bool is_last) const {
        if (num_spaces == 0 || (alone && num_spaces == num_chars)) return true;
        switch (where) {
            case Spaces::anywhere: return true;
            case Spaces::first_only: return num_spaces == (is_first ? 1u : 0u);
            case Spaces::not_last: return !is_last;
            case Spaces::last_only: return num_spaces == (is_last ? 1u : 0u);
            case Spaces::not_first: return !is_first;
        }
        return true;
    }

    // Whether what begins with one character and goes on with another may yet be allowed.
    bool may_go_on(uint16_t before, uint16_t next) const {
        if (alone) return true;
        return !(where == Spaces::first_only && next == space) && !(where == Spaces::last_only && before == space);
    }
};

// By which of its properties sentencepiece keeps a character apart.
struct PieceShape {
    bool split_by_unicode_script = true, split_by_number = true, split_digits = false;

    uint16_t class_of(uint32_t c) const {
        const bool is_digit = (c >= '0' && c <= '9') || (c >= 0xFF10 && c <= 0xFF19);
        if (c == word_mark) return space;
        if (c == 0 || c == unknown_character || (is_digit && split_digits)) return barrier;
        if (!split_by_unicode_script) return neutral;
        if (is_digit && !split_by_number) return open;
        // What has no script is like punctuation; accents have that of the character before.
        constexpr uint16_t inherited = unicode::script(0x300), common = unicode::script('!');
        const uint16_t script = unicode::script(c) == 0 ? common : unicode::script(c);
        return script == inherited ? uint16_t{neutral} : static_cast<uint16_t>(first_script + script);
    }
};

}  // namespace textpipe::rules
