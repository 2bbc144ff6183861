// Classes of characters that only BERT-like and script-wise parts know. Enters: a code point. Leaves: its traits, or the
// number of its script. Promises: the classes of `tokenizers` 0.23.3 at every code point, its slips included.
#pragma once
#include <cstdint>

#include "trait_tables.hpp"
#include "unicode.hpp"

namespace textpipe::unicode {

enum Trait : uint8_t {
    punctuation_mark = 1,  // what Punctuation and BertPreTokenizer cut out
    control = 2,           // what BertNormalizer takes for dirt
    chinese = 4,           // what BertNormalizer puts spaces around
    nonspacing_mark = 8,   // what BertNormalizer takes for an accent
    combining_mark = 16    // what StripAccents takes away
};

constexpr uint8_t traits(uint32_t c) { return look_up(trait_index, trait_pages, c); }

// Scripts that stay together have one number; 0 goes with any.
constexpr uint8_t script(uint32_t c) { return look_up(script_index, script_pages, c); }

}  // namespace textpipe::unicode
