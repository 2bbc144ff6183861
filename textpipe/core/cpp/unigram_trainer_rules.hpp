// Which strings may be pieces. Enters: the alphabet and the settings. Leaves: whether a string may be a piece,
// and whether any string that begins so may. Promises: the rules of sentencepiece 0.2.3.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "traits.hpp"
#include "unigram_trainer_units.hpp"

namespace textpipe::unigram {

struct PieceSettings {
    uint32_t max_piece_length = 16;  // characters
    bool split_by_unicode_script = true, split_by_number = true, split_by_whitespace = true, split_digits = false;
    bool treat_whitespace_as_suffix = false, allow_whitespace_only_pieces = false;
    bool seeds_by_bytes = true;  // what tells strings apart that recur: the byte that follows, or the character
};

class PieceRules {
public:
    // Goes with every other; that of accents and the like is the one of the character before; what has none is like "!".
    static constexpr uint16_t any_script = 0xFFFF;
    static constexpr uint16_t inherited_script = unicode::script(0x300), common_script = unicode::script('!');

    PieceRules(const PieceSettings& settings, const std::vector<uint32_t>& alphabet)
        : settings_(settings), of_(alphabet.size()) {
        for (size_t id = 0; id < alphabet.size(); ++id) of_[id] = classify(alphabet[id]);
    }

    const PieceSettings& settings() const { return settings_; }

    // May a string that begins with a piece's first characters (the last of their scripts being `script`) go on with one more?
    bool may_go_on(uint32_t before, uint32_t character, uint16_t& script) const {
        const Class& c = of_[character];
        if (c.kind == Kind::never || of_[before].kind == Kind::never) return false;
        if (settings_.split_digits && (c.is_digit || of_[before].is_digit)) return false;
        if (settings_.split_by_whitespace && !settings_.allow_whitespace_only_pieces &&
            (settings_.treat_whitespace_as_suffix ? of_[before] : c).kind == Kind::space)
            return false;
        return goes_with(c, script);
    }

    uint16_t first_script(uint32_t character) const {
        uint16_t script = any_script;
        goes_with(of_[character], script);
        return script;
    }

    template <class Characters>
    bool is_piece(Characters&& character, size_t size) const {
        if (size == 0 || size > settings_.max_piece_length) return false;
        bool only_spaces = settings_.allow_whitespace_only_pieces;
        for (size_t i = 0; i < size && only_spaces; ++i) only_spaces = of_[character(i)].kind == Kind::space;
        uint16_t script = any_script;
        for (size_t i = 0; i < size; ++i) {
            const Class& c = of_[character(i)];
            if (c.kind == Kind::never) return false;
            if (c.kind == Kind::space && !only_spaces && !is_space_allowed(i, size)) return false;
            if (c.is_digit && settings_.split_digits && size > 1) return false;
            if (!goes_with(c, script)) return false;
        }
        return true;
    }

private:
    enum class Kind : uint8_t { plain, space, never };
    struct Class {
        Kind kind;
        bool is_digit;
        uint16_t script;
    };

    Class classify(uint32_t c) const {
        const bool is_digit = (c >= '0' && c <= '9') || (c >= 0xFF10 && c <= 0xFF19);
        const auto kind = c == 0x2581 ? Kind::space : c == unknown_character || c == 0 ? Kind::never : Kind::plain;
        uint16_t script = unicode::script(c) == 0 ? common_script : unicode::script(c);
        if (is_digit && !settings_.split_by_number) script = any_script;
        return {kind, is_digit, script};
    }

    // Whitespace begins a piece (or ends it), or stands within it where pieces may cross words.
    bool is_space_allowed(size_t at, size_t size) const {
        const bool is_first = at == 0, is_last = at + 1 == size;
        if (settings_.treat_whitespace_as_suffix) return is_last || (!settings_.split_by_whitespace && !is_first);
        return is_first || (!settings_.split_by_whitespace && !is_last);
    }

    bool goes_with(const Class& c, uint16_t& script) const {
        if (c.kind == Kind::space) return true;
        const uint16_t own = c.script == inherited_script ? script : c.script;
        if (settings_.split_by_unicode_script && own != any_script && script != any_script && own != script) return false;
        script = own;
        return true;
    }

    PieceSettings settings_;
    std::vector<Class> of_;
};

}  // namespace textpipe::unigram
