// Texts in parts. Enters: views of texts. Leaves: the parts that the work is handed out in, each a view with its place
// in its text. Promises: in order, together the whole text; a part ends at a seam (steps.hpp) or with its text, so a
// text without seams stays whole.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "text_view.hpp"

namespace textpipe {

struct Part {
    size_t document;
    size_t first_char;  // of the text
    TextView view;
    bool is_last;  // of its text

    bool is_first() const { return first_char == 0; }
};

namespace seams {

inline bool is_letter(uint32_t c) { return (c | 0x20) - 'a' < 26 || c - 0xAC00 <= 0xD7A3 - 0xAC00; }
inline bool ends_sentence(uint32_t c) { return c == '.' || c == '!' || c == '?'; }

// The first seam from character `at` on, which is 2 at least; the length where there is none.
template <class Unit>
inline size_t find(const Unit* text, size_t length, size_t at) {
    for (; at < length; ++at)
        if (text[at - 1] == '\n' && is_letter(text[at]) && (is_letter(text[at - 2]) || ends_sentence(text[at - 2])))
            return at;
    return length;
}

inline size_t find(const TextView& view, size_t at) {
    if (view.kind == 2) return find(static_cast<const uint16_t*>(view.data), view.length, at);
    if (view.kind == 4) return find(static_cast<const uint32_t*>(view.data), view.length, at);
    return find(static_cast<const uint8_t*>(view.data), view.length, at);
}

}  // namespace seams

// A part has `chars` characters (2 at least), and what comes then up to a seam; the last may have up to twice as many.
// Without `parted` texts stay whole.
inline std::vector<Part> parts_of(const std::vector<TextView>& texts, bool parted, size_t chars) {
    chars = std::max<size_t>(2, chars);
    std::vector<Part> parts;
    parts.reserve(texts.size());
    for (size_t document = 0; document < texts.size(); ++document) {
        const TextView& text = texts[document];
        const size_t unit = text.kind == 0 ? 1 : static_cast<size_t>(text.kind);
        for (size_t begin = 0, end = 0;; begin = end) {
            end = parted && text.length - begin > 2 * chars ? seams::find(text, begin + chars) : text.length;
            const void* const data = static_cast<const uint8_t*>(text.data) + begin * unit;
            parts.push_back({document, begin, {data, end - begin, text.kind}, end == text.length});
            if (end == text.length) break;
        }
    }
    return parts;
}

}  // namespace textpipe
