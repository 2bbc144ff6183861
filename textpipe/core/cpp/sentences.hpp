// Sentences as sentencepiece trains on them. Enters: texts, one a sentence, or lines of them. Leaves: the sentences in the order
// of training, normalized, with U+2581 for spaces. Promises: the spaces, the marks where special tokens were cut out, and the
// order, are those of sentencepiece 0.2.3.
//
// Complexity: O(bytes); the text once, and 24 bytes a sentence.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "steps.hpp"
#include "unicode.hpp"

namespace textpipe {

struct SentenceSettings {
    bool add_dummy_prefix = true, remove_extra_whitespaces = true, treat_whitespace_as_suffix = false;
    std::vector<std::string> reserved;  // special tokens, which the text is cut at; none is empty
    std::vector<RewritePointer> normalization;
};

// Call visit(line) for every line that is trained on: it is not empty, not longer than max_bytes, and has no U+2585, which
// stands for unknown characters. Only a newline ends a line.
template <class Visit>
void each_training_line(std::string_view text, size_t max_bytes, Visit&& visit) {
    for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        at = end + 1;
        if (!line.empty() && line.size() <= max_bytes && line.find("\xE2\x96\x85") == std::string_view::npos) visit(line);
    }
}

class SentenceList {
public:
    explicit SentenceList(SentenceSettings settings) : settings_(std::move(settings)) {
        for (const std::string& text : settings_.reserved) has_reserved_[static_cast<uint8_t>(text[0])] = true;
    }

    void add(std::string_view text, uint64_t count) {
        const size_t begin = text_.size();
        escape(normalized(text), begin);
        if (!settings_.reserved.empty()) cut_reserved(begin);
        spans_.push_back({begin, text_.size(), count});
    }

    // The lines that are trained on, a sentence each.
    void add_lines(std::string_view text, size_t max_bytes) {
        each_training_line(text, max_bytes, [&](std::string_view line) { add(line, 1); });
    }

    // To be called when all are added: an empty sentence gives its place to the last one.
    void drop_empty() {
        for (size_t i = 0; i < spans_.size();) {
            if (spans_[i].begin != spans_[i].end) {
                ++i;
                continue;
            }
            spans_[i] = spans_.back();
            spans_.pop_back();
        }
    }

    size_t size() const { return spans_.size(); }
    // Of the text, with an end for each sentence.
    size_t num_bytes() const { return text_.size() + spans_.size(); }
    size_t memory() const { return text_.capacity() + spans_.capacity() * sizeof(Span); }

    template <class Visit>
    void each(Visit&& visit) const {
        const auto* data = reinterpret_cast<const uint8_t*>(text_.data());
        for (const Span& span : spans_) visit(data + span.begin, span.end - span.begin, span.count);
    }

    const uint8_t* end() const { return reinterpret_cast<const uint8_t*>(text_.data()) + text_.size(); }

    // With keep_memory for others to come.
    void clear(bool keep_memory = false) {
        text_.clear();
        spans_.clear();
        if (keep_memory) return;
        std::string().swap(text_);
        std::vector<Span>().swap(spans_);
    }

private:
    static constexpr char space_mark[] = "\xE2\x96\x81";
    static constexpr char cut_mark = 0x1F;

    struct Span {
        size_t begin, end;
        uint64_t count;
    };

    std::string_view normalized(std::string_view line) {
        const size_t own_size = line.size();
        for (const RewritePointer& step : settings_.normalization) {
            const auto* const text = reinterpret_cast<const uint8_t*>(line.data());
            if (line.empty() || step->is_unchanged(text, line.size(), true)) continue;
            std::string changed;
            check_growth(own_size, step->new_size(text, line.size()));
            step->run(text, line.size(), true, changed, nullptr, nullptr);
            line_.swap(changed);
            line = line_;
        }
        return line;
    }

    void escape(std::string_view text, size_t begin) {
        if (settings_.remove_extra_whitespaces) {
            const size_t first = text.find_first_not_of(' '), last = text.find_last_not_of(' ');
            if (first == std::string_view::npos) return;
            text = text.substr(first, last - first + 1);
        }
        if (text.empty()) return;
        const bool adds_mark = settings_.add_dummy_prefix;
        if (adds_mark && !settings_.treat_whitespace_as_suffix) text_ += space_mark;
        for (size_t at = 0; at < text.size();) {
            const size_t space = std::min(text.find(' ', at), text.size());
            text_.append(text, at, space - at);
            at = space;
            if (at == text.size()) break;
            text_ += space_mark;
            for (++at; settings_.remove_extra_whitespaces && text[at] == ' ';) ++at;
        }
        if (settings_.remove_extra_whitespaces) drop_marks_at_end(begin);
        if (adds_mark && settings_.treat_whitespace_as_suffix) text_ += space_mark;
    }

    // Text may itself end with U+2581, which no longer differs from a space.
    void drop_marks_at_end(size_t begin) {
        while (text_.size() >= begin + 3 && std::memcmp(text_.data() + text_.size() - 3, space_mark, 3) == 0)
            text_.resize(text_.size() - 3);
    }

    void cut_reserved(size_t begin) {
        size_t to = begin;
        for (size_t at = begin; at < text_.size();) {
            const size_t length = reserved_at(at);
            if (length != 0) {
                text_[to++] = cut_mark;
                at += length;
                continue;
            }
            const size_t end = std::min(text_.size(), at + unicode::utf8_size(static_cast<uint8_t>(text_[at])));
            while (at < end) text_[to++] = text_[at++];
        }
        text_.resize(to);
    }

    // The size of the longest special token that stands there.
    size_t reserved_at(size_t at) const {
        if (!has_reserved_[static_cast<uint8_t>(text_[at])]) return 0;
        size_t longest = 0;
        for (const std::string& token : settings_.reserved)
            if (token.size() > longest && text_.compare(at, token.size(), token) == 0) longest = token.size();
        return longest;
    }

    SentenceSettings settings_;
    bool has_reserved_[256] = {};
    std::string text_, line_;
    std::vector<Span> spans_;
};

struct SentenceRow {
    std::string text;
    uint64_t count;
};

inline std::vector<SentenceRow> sentence_rows(const SentenceList& sentences) {
    std::vector<SentenceRow> rows;
    sentences.each([&](const uint8_t* data, size_t size, uint64_t count) {
        rows.push_back({std::string(reinterpret_cast<const char*>(data), size), count});
    });
    return rows;
}

}  // namespace textpipe
