// The normalization of sentencepiece: the rules of a charsmap, and spaces. Enters: valid UTF-8. Leaves: what
// sentencepiece makes of it before it looks for pieces, each byte with its origin where that is asked for. Promises: the
// text of sentencepiece 0.2.3; linear time.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "charsmap.hpp"
#include "piece_trie.hpp"
#include "steps.hpp"

namespace textpipe {

class SentenceNormalization final : public RewriteStep {
  public:
    struct Options {
        bool add_dummy_prefix = true, remove_extra_whitespaces = true, escape_whitespaces = true;
        bool whitespace_as_suffix = false;
    };

    // `kept` are pieces the text is to hold as they stand: no rule looks into them.
    SentenceNormalization(std::shared_ptr<const Charsmap> charsmap, Options options,
                          const std::vector<std::string>& kept)
        : charsmap_(std::move(charsmap)), options_(options), space_(options.escape_whitespaces ? "\xE2\x96\x81" : " ") {
        std::vector<PieceTrie::Entry> entries;
        for (const std::string& piece : kept) {
            entries.emplace_back(piece, 0);
            keeps_[static_cast<uint8_t>(piece[0])] = stops_[static_cast<uint8_t>(piece[0])] = true;
        }
        if (!entries.empty()) kept_.build(std::move(entries));
        // Spaces are a matter of their own, and characters of four bytes rare.
        stops_[' '] = true;
        for (unsigned lead = 0xF0; lead < 256; ++lead) stops_[lead] = true;
        // A space is quick to deal with where nothing is said of it.
        plain_space_ = charsmap_->is_plain(' ') && !keeps_[' '];
        breaks_[' '] = plain_space_ && !charsmap_->is_inside(' ');
        for (unsigned byte = 0; byte < 0x20; ++byte)
            breaks_[byte] |= charsmap_->is_space(static_cast<uint8_t>(byte)) && !charsmap_->is_inside(static_cast<uint8_t>(byte));
        for (const std::string& piece : kept)
            for (const char byte : piece) breaks_[static_cast<uint8_t>(byte)] = false;
        has_words_ = breaks_[' '] && options_.escape_whitespaces && !options_.whitespace_as_suffix &&
                     !charsmap_->makes("  ") && !charsmap_->makes("\xE2\x96\x81");
    }

    const Options& options() const { return options_; }

    // Does every word stand for itself, words being what is between spaces? Then the text is made of a mark for each space
    // (or for several) and what the words become, as run_word() says.
    bool has_words() const { return has_words_; }

    // Is this byte a space between words?
    bool is_break(uint8_t byte) const { return breaks_[byte]; }

    // The first space between words from p on, or the end.
    const uint8_t* next_break(const uint8_t* p, const uint8_t* end) const {
        for (; p < end; p += window)
            for (uint64_t low = low_bytes(p, end); low != 0; low &= low - 1) {
                const uint8_t* const at = p + __builtin_ctzll(low);
                if (breaks_[*at]) return at;
            }
        return end;
    }

    // A bit for each of the next `window` bytes before the end that is at most 0x20, as all breaks are and few others.
    static constexpr size_t window = 64;
    static uint64_t low_bytes(const uint8_t* p, const uint8_t* end) {
        uint64_t bits = 0;
        if (static_cast<size_t>(end - p) < window) {
            for (size_t i = 0; p + i < end; ++i) bits |= uint64_t{p[i] <= 0x20} << i;
            return bits;
        }
        for (unsigned i = 0; i < window; i += 16) bits |= uint64_t{low_bytes(p + i)} << i;
        return bits;
    }

    // What is done to the character c, of Unicode's first 65,536, whose first byte is `lead`.
    Charsmap::Kind kind(uint32_t c, uint8_t lead) const { return stops_[lead] ? Charsmap::ruled : charsmap_->kind(c); }
    Charsmap::Kind tolerated(uint8_t next) const { return charsmap_->tolerated(next); }

    // Past what becomes spaces at the beginning of a text, where these are dropped.
    const uint8_t* past_spaces(const uint8_t* p, const uint8_t* end) const {
        while (options_.remove_extra_whitespaces && p < end) {
            const Step next = step(p, end);
            if (next.text != " ") break;
            p += next.size;
        }
        return p;
    }

    struct Word {
        bool ends_in_space;  // which is one with the next
        bool is_aligned;     // each of its characters became one, and none a space
    };

    // Append what a word that stands after a space becomes.
    Word run_word(const uint8_t* text, size_t size, std::string& out, const Origin* in_origins = nullptr,
                  std::vector<Origin>* origins = nullptr) const {
        Writer writer{*this, text, text, text + size, out, out.size(), in_origins, origins};
        const bool ends_in_space = writer.rewrite();
        return {ends_in_space, writer.is_aligned};
    }

    bool is_unchanged(const uint8_t*, size_t, bool) const override { return false; }

    void run(const uint8_t* text, size_t size, bool, std::string& out, const Origin* in_origins,
             std::vector<Origin>* origins) const override {
        Writer writer{*this, text, text, text + size, out, out.size(), in_origins, origins};
        out.reserve(out.size() + size + size / 2 + 8);
        writer.at = past_spaces(text, writer.end);
        if (writer.at == writer.end) return;
        if (options_.add_dummy_prefix && !options_.whitespace_as_suffix) writer.put_space(0);
        writer.rewrite();
        if (options_.remove_extra_whitespaces) writer.drop_last_spaces();
        if (options_.add_dummy_prefix && options_.whitespace_as_suffix) writer.put_space(0);
    }

  private:
    // A bit for each of 16 bytes that is at most 0x20.
    static unsigned low_bytes(const uint8_t* p) {
#if defined(__SSE2__)
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x20)), bytes)));
#else
        unsigned bits = 0;
        for (unsigned i = 0; i < 16; ++i) bits |= static_cast<unsigned>(p[i] <= 0x20) << i;
        return bits;
#endif
    }

    // What the text at a place becomes, and how much of it.
    struct Step {
        size_t size;
        std::string_view text;
    };

    struct Writer {
        const SentenceNormalization& rules;
        const uint8_t* text;
        const uint8_t* at;
        const uint8_t* end;
        std::string& out;
        size_t start;  // of what is written here
        const Origin* in_origins;
        std::vector<Origin>* origins;
        bool is_aligned = true;

        // The mark of a space that stands for `size` bytes of text from here on.
        void put_space(size_t size) {
            out.append(rules.space_);
            if (origins == nullptr) return;
            origins->insert(origins->end(), rules.space_.size(), place(size));
        }

        // [begin, end) of `size` bytes from here on, in characters of the document.
        Origin place(size_t size) const {
            if (size > 0) return {in_origins[at - text].begin, in_origins[at - text + size - 1].end};
            if (at < end) return {in_origins[at - text].begin, in_origins[at - text].begin};
            return {in_origins[end - text - 1].end, in_origins[end - text - 1].end};
        }

        // Is the last character a space, where that matters?
        bool rewrite() {
            bool after_space = rules.options_.remove_extra_whitespaces;
            while (at < end) {
                if (copy_plain()) after_space = false;
                if (at == end) break;
                if (*at == ' ' && rules.plain_space_) {
                    is_aligned = false;
                    if (!after_space) put_space(1);
                    ++at;
                    after_space = rules.options_.remove_extra_whitespaces;
                    continue;
                }
                after_space = put(rules.step(at, end), after_space);
            }
            return after_space;
        }

        // Copies what is sure to stay as it is and is no space; was there any?
        bool copy_plain() {
            const uint8_t* const from = at;
            const uint8_t* const stop = rules.plain_end(at, end);
            if (stop == from) return false;
            out.append(reinterpret_cast<const char*>(from), static_cast<size_t>(stop - from));
            if (origins != nullptr) origins->insert(origins->end(), in_origins + (from - text), in_origins + (stop - text));
            at = stop;
            return true;
        }

        // Writes one step; was the last character a space, where that matters?
        bool put(Step step, bool after_space) {
            is_aligned &= step.size == unicode::utf8_size(*at) && is_character(step.text);
            if (after_space) step.text.remove_prefix(std::min(step.text.find_first_not_of(' '), step.text.size()));
            for (const char byte : step.text) {
                if (byte == ' ') {
                    put_space(step.size);
                } else {
                    out += byte;
                    if (origins != nullptr) origins->push_back(place(step.size));
                }
            }
            if (!step.text.empty()) after_space = step.text.back() == ' ';
            at += step.size;
            return after_space && rules.options_.remove_extra_whitespaces;
        }

        static bool is_character(std::string_view text) {
            return !text.empty() && text[0] != ' ' && text.size() == unicode::utf8_size(static_cast<uint8_t>(text[0]));
        }

        // Marks at the end that stood in the text itself go too.
        void drop_last_spaces() {
            const size_t size = rules.space_.size();
            while (out.size() - start >= size && out.compare(out.size() - size, size, rules.space_) == 0) {
                out.resize(out.size() - size);
                if (origins != nullptr) origins->resize(origins->size() - size);
            }
        }
    };

    Step step(const uint8_t* p, const uint8_t* end) const {
        if (keeps_[*p]) {
            size_t longest = 0, matches = 0;
            kept_.text_prefixes(p, end, [&](size_t size, uint32_t) {
                if (matches++ < max_kept_matches) longest = size;
            });
            if (longest > 0) return {longest, {reinterpret_cast<const char*>(p), longest}};
        }
        const Charsmap::Rule rule = charsmap_->longest(p, end);
        if (rule.size > 0) return {rule.size, rule.text};
        const size_t size = unicode::utf8_size(*p);
        return {size, {reinterpret_cast<const char*>(p), size}};
    }

    // The end of what is sure to stay as it is, and is no space.
    const uint8_t* plain_end(const uint8_t* p, const uint8_t* end) const {
        while (end - p > 4) {  // so that the byte after a character can be read
            const uint8_t lead = *p;
            if (stops_[lead]) return p;
            uint32_t c = lead, size = 1;
            if (lead >= 0xE0) {
                c = (lead & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
                size = 3;
            } else if (lead >= 0xC0) {
                c = (lead & 0x1Fu) << 6 | (p[1] & 0x3Fu);
                size = 2;
            }
            if (!charsmap_->is_plain_before(c, p[size])) return p;
            p += size;
        }
        while (p < end && !stops_[*p]) {
            unsigned size;
            const uint32_t c = unicode::decode(p, size);
            if (!charsmap_->is_plain_before(c, p + size < end ? p[size] : 0xFF)) return p;
            p += size;
        }
        return p;
    }

    static constexpr size_t max_kept_matches = 64;  // as many as sentencepiece looks at

    std::shared_ptr<const Charsmap> charsmap_;
    Options options_;
    std::string_view space_;
    PieceTrie kept_;
    bool keeps_[256] = {}, stops_[256] = {};  // by the first byte: of a kept piece; of what is not copied as it is
    bool breaks_[256] = {};                    // bytes that are a space and in nothing else
    bool plain_space_ = true, has_words_ = false;
};

}  // namespace textpipe
