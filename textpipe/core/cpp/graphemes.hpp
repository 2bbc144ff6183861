// User-perceived characters. Enters: valid UTF-8. Leaves: where the next extended grapheme cluster ends. Promises: the
// clusters of UAX #29 (Unicode 17), in linear time over a text.
#pragma once
#include <algorithm>
#include <cstdint>

#include "grapheme_table.hpp"
#include "unicode.hpp"

namespace textpipe::unicode {

class Graphemes {
  public:
    // The end of the cluster that begins at p; p < end.
    static const uint8_t* next(const uint8_t* p, const uint8_t* end) {
        unsigned size;
        uint8_t value = value_of(decode(p, size));
        p += size;
        Break before = class_of(value);
        bool pictograph = before == Break::pictograph, joined = false;  // joined: pictograph, extenders, joiner
        bool consonant = value & consonant_bit, linked = false;         // linked: consonant, with a linker after it
        bool odd_indicator = before == Break::indicator;
        while (p < end) {
            const uint8_t next_value = value_of(decode(p, size));
            const Break next = class_of(next_value);
            bool stays = stay_together(before, next);
            if (before == Break::indicator && next == Break::indicator) {
                stays = odd_indicator;
                odd_indicator = false;
            }
            if (next == Break::pictograph && joined) stays = true;
            if ((next_value & consonant_bit) && linked) stays = true;
            if (!stays) return p;
            joined = pictograph && next == Break::joiner;
            if (next == Break::pictograph)
                pictograph = true;
            else if (next != Break::extend)
                pictograph = false;
            if (next_value & consonant_bit) {
                consonant = true;
                linked = false;
            } else if (consonant && (next_value & (linker_bit | extender_bit))) {
                linked |= (next_value & linker_bit) != 0;
            } else {
                consonant = linked = false;
            }
            before = next;
            p += size;
        }
        return p;
    }

  private:
    enum class Break : uint8_t {
        other, cr, lf, control, extend, joiner, indicator, prepend, spacing, lead, vowel, tail, pictograph, lv, lvt
    };
    static constexpr uint8_t consonant_bit = 16, linker_bit = 32, extender_bit = 64;

    static Break class_of(uint8_t value) { return static_cast<Break>(value & 15); }

    static uint8_t value_of(uint32_t c) {
        if (c >= 0x20 && c < 0x7F) return 0;
        if (c - 0xAC00 < 11172) return static_cast<uint8_t>((c - 0xAC00) % 28 == 0 ? Break::lv : Break::lvt);
        const auto* last = grapheme_ranges + sizeof grapheme_ranges / sizeof *grapheme_ranges;
        const auto* found = std::lower_bound(grapheme_ranges, last, c,
                                             [](const GraphemeRange& range, uint32_t code) { return range.last < code; });
        return found != last && found->first <= c ? found->value : 0;
    }

    static bool is_control(Break b) { return b == Break::cr || b == Break::lf || b == Break::control; }

    // The rules that look at two neighbours only.
    static bool stay_together(Break a, Break b) {
        if (a == Break::cr && b == Break::lf) return true;
        if (is_control(a) || is_control(b)) return false;
        if (b == Break::extend || b == Break::joiner || b == Break::spacing || a == Break::prepend) return true;
        if (a == Break::lead) return b == Break::lead || b == Break::vowel || b == Break::lv || b == Break::lvt;
        if (a == Break::lv || a == Break::vowel) return b == Break::vowel || b == Break::tail;
        return (a == Break::lvt || a == Break::tail) && b == Break::tail;
    }
};

}  // namespace textpipe::unicode
