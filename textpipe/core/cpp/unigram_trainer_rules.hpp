// Which strings may be pieces. Enters: the alphabet and the settings. Leaves: whether a string may be a piece,
// and whether any string that begins so may. Promises: the rules of token_rules.hpp, by numbers of characters.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "token_rules.hpp"

namespace textpipe::unigram {

struct PieceSettings {
    uint32_t max_piece_length = 16;  // characters
    rules::PieceShape shape;
    int spaces = 0;                  // a value of rules::Spaces
    bool spaces_alone = false;       // pieces of word marks alone are free of that
    bool split_by_whitespace = true, treat_whitespace_as_suffix = false;
    bool seeds_by_bytes = true;      // what tells strings apart that recur: the byte that follows, or the character
};

class PieceRules {
public:
    PieceRules(const PieceSettings& settings, const std::vector<uint32_t>& alphabet)
        : settings_(settings), spaces_{static_cast<rules::Spaces>(settings.spaces), settings.spaces_alone} {
        classes_.reserve(alphabet.size());
        for (const uint32_t character : alphabet) classes_.push_back(settings.shape.class_of(character));
    }

    const PieceSettings& settings() const { return settings_; }

    // May a string go on with one more character, `script` being the class that its last ones decide by?
    bool may_go_on(uint32_t before, uint32_t character, uint16_t& script) const {
        const uint16_t last = classes_[before], next = classes_[character];
        return last != rules::barrier && spaces_.may_go_on(last, next) && goes_with(next, script);
    }

    uint16_t first_script(uint32_t character) const { return rules::deciding(classes_[character]); }

    // Of strings of two characters and more.
    template <class Characters>
    bool is_piece(Characters&& character, size_t size) const {
        if (size > settings_.max_piece_length) return false;
        uint16_t script = rules::neutral;
        uint32_t num_spaces = 0;
        for (size_t i = 0; i < size; ++i) {
            const uint16_t next = classes_[character(i)];
            if (!goes_with(next, script)) return false;
            num_spaces += next == rules::space;
        }
        const auto is_space = [&](size_t i) { return classes_[character(i)] == rules::space; };
        return spaces_.allows(static_cast<uint32_t>(size), num_spaces, is_space(0), is_space(size - 1));
    }

private:
    static bool goes_with(uint16_t next, uint16_t& script) {
        if (next == rules::barrier || rules::changes_script(script, next)) return false;
        if (const uint16_t decides = rules::deciding(next)) script = decides;
        return true;
    }

    const PieceSettings settings_;
    const rules::SpaceRule spaces_;
    std::vector<uint16_t> classes_;
};

}  // namespace textpipe::unigram
