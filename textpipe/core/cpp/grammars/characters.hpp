// Cuts that go by single characters, by a fixed text or by a run of characters of a set. Enters: valid UTF-8. Leaves:
// matches for SplitStep, or pieces. Promises: linear time; the cuts of `tokenizers` 0.23.3.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "../categories.hpp"
#include "../steps.hpp"
#include "../traits.hpp"

namespace textpipe::grammars {

// Digits: one character that is numeric.
struct NumericMatcher {
    static constexpr bool covers = false;

    const uint8_t* find(const uint8_t* p, const uint8_t* end, const uint8_t*& stop) const {
        for (unsigned length; p < end; p += length) {
            if (scanner::Utf8Source::class_at(p, length) & unicode::numeric) {
                stop = p + length;
                return p;
            }
        }
        return end;
    }
};

inline bool is_punctuation_mark(const uint8_t* p, unsigned& length) {
    return unicode::traits(unicode::decode(p, length)) & unicode::punctuation_mark;
}

// One punctuation mark.
struct PunctuationMatcher {
    static constexpr bool covers = false;

    const uint8_t* find(const uint8_t* p, const uint8_t* end, const uint8_t*& stop) const {
        for (unsigned length; p < end; p += length) {
            if (is_punctuation_mark(p, length)) {
                stop = p + length;
                return p;
            }
        }
        return end;
    }
};

// A fixed text, never empty.
class LiteralMatcher {
  public:
    static constexpr bool covers = false;

    explicit LiteralMatcher(std::string text) : text_(std::move(text)) {}

    const uint8_t* find(const uint8_t* p, const uint8_t* end, const uint8_t*& stop) const {
        const size_t size = text_.size();
        while (static_cast<size_t>(end - p) >= size) {
            const size_t places = static_cast<size_t>(end - p) - size + 1;
            p = static_cast<const uint8_t*>(std::memchr(p, text_[0], places));
            if (p == nullptr) break;
            if (std::memcmp(p, text_.data(), size) == 0) {
                stop = p + size;
                return p;
            }
            ++p;
        }
        return end;
    }

  private:
    const std::string text_;
};

using Ranges = std::vector<std::pair<uint32_t, uint32_t>>;  // [first, last], in order

// Any set of code points.
class CharacterSet {
  public:
    explicit CharacterSet(const Ranges& ranges) {
        for (const auto& [first, last] : ranges) {
            for (uint32_t c = first; c <= last && c < 128; ++c) ascii_[c] = true;
            if (last < 128) continue;
            if (table_.empty()) table_.resize(table_end / 64);
            for (uint32_t c = first; c <= last && c < table_end; ++c) table_[c / 64] |= uint64_t{1} << c % 64;
            if (last < table_end) continue;
            bounds_.push_back(std::max(first, table_end));
            bounds_.push_back(last + 1);
        }
    }

    bool holds(const uint8_t* p, unsigned& length) const {
        if (*p < 128) {
            length = 1;
            return ascii_[*p];
        }
        if (table_.empty()) return false;
        const uint32_t c = unicode::decode(p, length);
        if (c < table_end) return table_[c / 64] >> c % 64 & 1;
        // Inside is past an odd number of bounds.
        return (std::upper_bound(bounds_.begin(), bounds_.end(), c) - bounds_.begin()) % 2 == 1;
    }

  private:
    static constexpr uint32_t table_end = 1 << 16;

    std::array<bool, 128> ascii_{};
    std::vector<uint64_t> table_;   // a bit for each character below table_end, or none at all
    std::vector<uint32_t> bounds_;  // of the ranges beyond
};

// The words of BERT: white space dropped, every punctuation mark alone.
class BertCut final : public CutStep {
  public:
    size_t cut(const uint8_t* text, size_t size, size_t& at, Piece* out, size_t room) const override {
        const uint8_t *p = text + at, *end = text + size;
        size_t count = 0;
        const auto add = [&](const uint8_t* begin, const uint8_t* stop) {
            out[count++] = {static_cast<uint32_t>(begin - text), static_cast<uint32_t>(stop - text)};
            return count < room;
        };
        while ((p = category::skip<category::space>(p, end)) < end) {
            const uint8_t* begin = p;
            unsigned length = 0;
            if (is_punctuation_mark(p, length)) {
                p += length;
            } else {
                p += length;
                while (p < end && !ends_word(p, length)) p += length;
            }
            if (!add(begin, p)) break;
        }
        at = static_cast<size_t>(p - text);
        return count;
    }

  private:
    static bool ends_word(const uint8_t* p, unsigned& length) {
        if (category::at(p, length) & category::space) return true;
        return is_punctuation_mark(p, length);
    }
};

// Pieces of so many characters.
class FixedLengthCut final : public CutStep {
  public:
    explicit FixedLengthCut(size_t length) : length_(length) {}

    size_t cut(const uint8_t* text, size_t size, size_t& at, Piece* out, size_t room) const override {
        size_t count = 0;
        while (at < size && count < room) {
            const size_t begin = at;
            for (size_t n = 0; n < length_ && at < size; ++n) at += unicode::utf8_size(text[at]);
            out[count++] = {static_cast<uint32_t>(begin), static_cast<uint32_t>(at)};
        }
        return count;
    }

  private:
    const size_t length_;
};

// Stretches of one script. What stands before the first character that has one is dropped.
class ScriptCut final : public CutStep {
  public:
    size_t cut(const uint8_t* text, size_t size, size_t& at, Piece* out, size_t room) const override {
        size_t count = 0, begin = at;
        uint8_t last = 0;
        unsigned length;
        for (size_t i = at; i < size; i += length) {
            const uint8_t script = unicode::script(unicode::decode(text + i, length));
            if (script == 0 || script == last) continue;
            if (last != 0) {
                out[count++] = {static_cast<uint32_t>(begin), static_cast<uint32_t>(i)};
                if (count == room) {
                    at = i;
                    return count;
                }
            }
            begin = i;
            last = script;
        }
        if (last != 0) out[count++] = {static_cast<uint32_t>(begin), static_cast<uint32_t>(size)};
        at = size;
        return count;
    }
};

}  // namespace textpipe::grammars
