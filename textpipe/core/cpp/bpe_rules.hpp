// Which pairs a BPE trainer may join. Enters: the class of each character, and for every merge the two ids it joins. Leaves:
// whether a pair may become a token. Promises: an answer in constant time from what is kept of each id; every stretch of a
// word that may become a token is reached by joins that may (so words that may become tokens whole never stand still).
//
// Classes and where word marks may stand are those of token_rules.hpp.
//
// Where symbols are bytes, any rule at all brings this one: a token is whole characters, or a part of one.
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "token_rules.hpp"

namespace textpipe {

namespace bpe {

using rules::neutral;

// Code points first to last have this class; those in no range are neutral.
struct ClassRange {
    uint32_t first, last;
    uint16_t character_class;
};

struct RuleSettings {
    bool any = false;  // false: every pair may be joined
    uint64_t max_chars = std::numeric_limits<uint64_t>::max();
    int spaces = 0;                   // a value of rules::Spaces
    bool spaces_alone = false;        // tokens of word marks alone are free of that
    std::vector<ClassRange> classes;  // ascending, apart
};

// What the rules keep of one token.
struct Traits {
    uint16_t first = neutral, last = neutral;  // deciding classes; neutral where no character decides
    bool is_barrier = false, first_space = false, last_space = false;
    uint8_t missing = 0;     // bytes, of a token that is the first part of a character
    uint8_t num_inside = 0;  // bytes, of a token that is a later part of one
    uint32_t bits = 0;       // of the code point so far
    uint32_t num_chars = 0, num_spaces = 0;
};

class Rules {
public:
    Rules(const RuleSettings& settings, bool byte_level)
        : settings_(settings), spaces_{static_cast<rules::Spaces>(settings.spaces), settings.spaces_alone},
          byte_level_(byte_level) {}

    explicit operator bool() const { return settings_.any; }

    Traits of_character(uint32_t character) const {
        if (!byte_level_ || character < 0x80) return whole(character);
        Traits traits;
        if (character < 0xC0) {
            traits.num_inside = 1;
            traits.bits = character & 0x3F;
            return traits;
        }
        traits.missing = character >= 0xF0 ? 3 : character >= 0xE0 ? 2 : 1;
        traits.bits = character & (0x3F >> traits.missing);
        return traits;
    }

    bool allows(const Traits& left, const Traits& right) const {
        if (left.is_barrier || right.is_barrier) return false;
        if (is_part(right) ? right.num_inside == 0 : is_part(left)) return false;
        if (rules::changes_script(left.last, right.first)) return false;
        if (uint64_t{left.num_chars} + right.num_chars > settings_.max_chars) return false;
        const Traits both = joined(left, right);
        return spaces_.allows(both.num_chars, both.num_spaces, both.first_space, both.last_space);
    }

    // Of a pair that is allowed.
    Traits joined(const Traits& left, const Traits& right) const {
        if (is_part(left)) return with_part(left, right);
        Traits both = right;
        if (left.first != neutral) both.first = left.first;
        if (right.last == neutral) both.last = left.last;
        both.first_space = left.first_space;
        both.num_chars = left.num_chars + right.num_chars;
        both.num_spaces = left.num_spaces + right.num_spaces;
        return both;
    }

private:
    Traits whole(uint32_t character) const {
        Traits traits;
        const auto after = std::upper_bound(settings_.classes.begin(), settings_.classes.end(), character,
                                            [](uint32_t c, const ClassRange& range) { return c < range.first; });
        uint16_t found = neutral;
        if (after != settings_.classes.begin() && character <= std::prev(after)->last) found = std::prev(after)->character_class;
        traits.num_chars = 1;
        traits.is_barrier = found == rules::barrier;
        traits.first_space = traits.last_space = found == rules::space;
        traits.num_spaces = found == rules::space;
        traits.first = traits.last = rules::deciding(found);
        return traits;
    }

    static bool is_part(const Traits& traits) { return traits.missing != 0 || traits.num_inside != 0; }

    // The bytes of one word are UTF-8, so that a later part stands after a part of the same character.
    Traits with_part(const Traits& left, const Traits& right) const {
        Traits both = left;
        both.bits = left.bits << 6 * right.num_inside | right.bits;
        if (left.missing == 0) {
            both.num_inside = static_cast<uint8_t>(left.num_inside + right.num_inside);
            return both;
        }
        both.missing = static_cast<uint8_t>(left.missing - std::min(left.missing, right.num_inside));
        return both.missing == 0 ? whole(both.bits) : both;
    }

    const RuleSettings settings_;
    const rules::SpaceRule spaces_;
    const bool byte_level_;
};

}  // namespace bpe

}  // namespace textpipe
