// How long a word may be that is merged as a whole. Enters: its size in bytes. Leaves: nothing, or std::range_error.
// Promises: merging takes some thirty bytes for each of a word's, so that no word takes more than about four gigabytes.
#pragma once
#include <cstddef>
#include <stdexcept>

namespace textpipe {

constexpr size_t longest_word = size_t{128} << 20;

inline void check_word(size_t size) {
    if (size > longest_word) throw std::range_error("a word is longer than there may be");
}

}  // namespace textpipe
