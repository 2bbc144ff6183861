// The rules of a precompiled charsmap: this text becomes that. Enters: a charsmap as sentencepiece writes it (the size of
// a double array, the array, the replacements, each ended by a zero). Leaves: the longest or the shortest rule a text
// begins with. Promises: garbage is refused when it is loaded, with what is wrong; afterwards no look-up leaves the
// array, takes more steps than the longest rule has bytes, or gives anything but UTF-8; most characters, Hangul among
// them, are known at one look to have no rule.
#pragma once
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "unicode.hpp"
#include "utf8.hpp"

namespace textpipe {

class Charsmap {
  public:
    static constexpr size_t max_matches = 32;          // sentencepiece looks at no more rules at one place
    static constexpr size_t max_replacement = 1 << 10;  // bytes; the longest rule of the usual maps makes 33

    // Throws std::invalid_argument, which says what is wrong.
    explicit Charsmap(std::string_view blob) {
        if (!blob.empty()) parse(blob);
        note_plain();
    }

    bool empty() const { return units_.empty(); }

    struct Rule {
        size_t size = 0;  // bytes of text it takes; 0: there is none
        std::string_view text;
    };

    Rule longest(const uint8_t* p, const uint8_t* end) const {
        Rule rule;
        size_t matches = 0;
        match(p, end, [&](size_t size, uint32_t value) {
            rule = {size, replacement(value)};
            return ++matches < max_matches;
        });
        return rule;
    }

    // The same for the shortest; a zero byte ends the text.
    Rule shortest(const uint8_t* p, const uint8_t* end) const {
        Rule rule;
        const void* zero = std::memchr(p, 0, static_cast<size_t>(end - p));
        if (zero != nullptr) end = static_cast<const uint8_t*>(zero);
        match(p, end, [&](size_t size, uint32_t value) {
            rule = {size, replacement(value)};
            return false;
        });
        return rule;
    }

    // Does the rule of this byte alone make a space, and no longer rule begin with it?
    bool is_space(uint8_t byte) const {
        if (units_.empty() || byte >= 0x80) return false;
        const size_t node = offset(units_[0]) ^ byte;
        if (label(units_[node]) != byte || !has_value(units_[node])) return false;
        const size_t children = node ^ offset(units_[node]);
        for (uint32_t next = 1; next < 256; ++next)
            if (label(units_[children ^ next]) == next) return false;
        return replacement(units_[children] & 0x7FFFFFFF) == " ";
    }

    // Does this byte stand in a rule where it does not begin?
    bool is_inside(uint8_t byte) const { return inside_[byte]; }

    // Does a replacement hold this text?
    bool makes(std::string_view text) const { return texts_.find(text) != std::string::npos; }

    // Does no rule begin with the character c, of Unicode's first 65,536?
    bool is_plain(uint32_t c) const { return kinds_[c] == plain; }

    // What the rules do to a character: nothing; something with what follows it, like 가 before a conjoining ᆨ; or
    // something by itself.
    enum Kind : uint8_t { plain = 0, begins = 1, ruled = 2 };

    // Of a character of Unicode's first 65,536.
    Kind kind(uint32_t c) const { return static_cast<Kind>(kinds_[c]); }

    // Up to this kind characters are sure to stay as they are before this byte.
    Kind tolerated(uint8_t next) const { return static_cast<Kind>(tolerated_[next]); }

    bool is_plain_before(uint32_t c, uint8_t next) const { return kinds_[c] <= tolerated_[next]; }

  private:

    [[noreturn]] static void refuse(const char* what) { throw std::invalid_argument(what); }

    void parse(std::string_view blob) {
        if (blob.size() < 4) refuse("it is cut off");
        const uint32_t size = read(blob.data());
        if (size >= blob.size() - 4) refuse("its double array is cut off");
        if (size < 1024 || size % 1024 != 0) refuse("its double array is not whole blocks of 1,024 bytes");
        units_.resize(size / 4);
        for (size_t i = 0; i < units_.size(); ++i) units_[i] = read(blob.data() + 4 + 4 * i);
        texts_.assign(blob.substr(4 + size));
        if (texts_.back() != '\0') refuse("its last replacement has no end");
        if (!is_valid_utf8(reinterpret_cast<const uint8_t*>(texts_.data()), texts_.size()))
            refuse("its replacements are not UTF-8");
        check();
    }

    static uint32_t read(const char* p) {
        const uint8_t* bytes = reinterpret_cast<const uint8_t*>(p);
        return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24;
    }

    // A unit is a node (offset of its children, whether a rule ends there, its own byte) or, with the top bit, a value.
    static bool is_value(uint32_t unit) { return unit >> 31; }
    static bool has_value(uint32_t unit) { return unit >> 8 & 1; }
    static uint32_t label(uint32_t unit) { return unit & 0x800000FF; }
    static uint32_t offset(uint32_t unit) { return unit >> 10 << ((unit & 1u << 9) >> 6); }

    std::string_view replacement(uint32_t value) const { return texts_.data() + value; }

    template <class Found>
    void match(const uint8_t* p, const uint8_t* end, Found&& found) const {
        if (units_.empty()) return;
        size_t children = offset(units_[0]);
        for (const uint8_t* at = p; at < end; ++at) {
            const size_t node = children ^ *at;
            const uint32_t unit = units_[node];
            if (label(unit) != *at) return;
            children = node ^ offset(unit);
            if (has_value(unit) && !found(static_cast<size_t>(at + 1 - p), units_[children] & 0x7FFFFFFF)) return;
        }
    }

    // Every node that can be reached: its children lie inside the array, its value is a place in the replacements, and
    // no way leads back to it.
    void check() {
        if (label(units_[0]) != 0 || has_value(units_[0]) || offset(units_[0]) == 0) refuse("it has no root");
        enum State : uint8_t { fresh, open, done };
        std::vector<uint8_t> states(units_.size(), fresh);
        struct Place {
            uint32_t node, next;  // the byte to try next
        };
        std::vector<Place> way{{0, 0}};
        states[0] = open;
        check_node(0);
        while (!way.empty()) {
            Place& here = way.back();
            const uint32_t children = here.node ^ offset(units_[here.node]);
            while (here.next < 256 && label(units_[children ^ here.next]) != here.next) ++here.next;
            if (here.next == 256) {
                states[here.node] = done;
                way.pop_back();
                continue;
            }
            if (here.node != 0) inside_[here.next] = true;
            const uint32_t child = children ^ here.next++;
            if (states[child] == open) refuse("its double array runs in a circle");
            if (states[child] == done) continue;  // what follows may be shared
            states[child] = open;
            check_node(child);
            way.push_back({child, 0});
        }
    }

    void check_node(uint32_t node) const {
        const uint32_t children = node ^ offset(units_[node]);
        if ((children | 0xFF) >= units_.size()) refuse("its double array leads out of itself");
        if (!has_value(units_[node])) return;
        const uint32_t unit = units_[children], value = unit & 0x7FFFFFFF;
        if (!is_value(unit)) refuse("a rule of it has no replacement");
        if (value >= texts_.size() || utf8::is_continuation(static_cast<uint8_t>(texts_[value])))
            refuse("a rule of it has a replacement outside the replacements");
        if (replacement(value).size() > max_replacement) refuse("a rule of it has a replacement of over 1,024 bytes");
    }

    // What each character of the first plane does to the rules, found by asking them.
    void note_plain() {
        kinds_.assign(1 << 16, plain);
        std::memset(tolerated_, begins, sizeof tolerated_);
        if (units_.empty()) return;
        for (uint32_t c = 0; c < 1 << 16; ++c) {
            if (c - 0xD800u < 0x800u) continue;
            uint8_t bytes[4];
            const uint8_t* end = unicode::encode(c, bytes);
            size_t children = offset(units_[0]);
            bool alive = true;
            for (const uint8_t* at = bytes; alive && at < end; ++at) {
                const size_t node = children ^ *at;
                const uint32_t unit = units_[node];
                alive = label(unit) == *at;
                if (!alive) break;
                children = node ^ offset(unit);
                if (has_value(unit)) kinds_[c] = ruled;
            }
            if (!alive || kinds_[c] == ruled) continue;
            kinds_[c] = begins;
            for (uint32_t next = 0; next < 256; ++next)
                if (label(units_[children ^ next]) == next) tolerated_[next] = plain;
        }
    }

    std::vector<uint32_t> units_;
    std::string texts_;
    std::vector<uint8_t> kinds_;
    bool inside_[256] = {};
    uint8_t tolerated_[256];  // by the next byte: the kinds of characters that stay as they are before it
};

}  // namespace textpipe
