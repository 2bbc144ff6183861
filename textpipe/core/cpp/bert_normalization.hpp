// The clean-up of BERT. Enters: valid UTF-8 and, when wanted, the origin of each of its bytes. Leaves: text without
// control characters, with plain spaces, with spaces around Chinese characters, decomposed and without accents, in
// lower case, each as asked. Promises: text and origins of `tokenizers` 0.23.3; linear time.
//
// There are two ways to the same text. Without origins every character is done in one go: taking accents away leaves
// almost nothing to reorder after decomposition. Text in which something is left, and text with origins, goes
// through the steps one by one.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "normalization_steps.hpp"
#include "stopping.hpp"

namespace textpipe {

struct BertOptions {
    bool clean_text, handle_chinese_chars, strip_accents, lowercase;
};

class BertStep final : public RewriteStep {
  public:
    explicit BertStep(BertOptions options) : options_(options) {
        for (uint32_t c = 0; c < 128; ++c) {
            const uint8_t lower = options.lowercase && c - 'A' < 26u ? c | 0x20 : c;
            ascii_[c] = !options.clean_text ? lower : is_dirt(c) ? dropped : is_space(c) ? ' ' : lower;
        }
    }

    bool is_unchanged(const uint8_t*, size_t, bool) const override { return false; }

    void run(const uint8_t* text, size_t size, bool, std::string& out, const Origin* in_origins,
             std::vector<Origin>* origins) const override {
        if (origins != nullptr || !run_at_once(text, size, out)) run_in_steps(text, size, out, in_origins, origins);
    }

    // Is this where text can be cut before it is normalized? White space that stays: it becomes a space of its own.
    static bool is_kept_space(const uint8_t* p, unsigned& length) {
        if (!(category::at(p, length) & category::space)) return false;
        return !is_dirt(unicode::decode(p, length));
    }

    // Append the text; false, and nothing appended, when marks are left whose order matters.
    bool run_at_once(const uint8_t* text, size_t size, std::string& out) const {
        const size_t start = out.size();
        out.resize(start + size * 3 + 8);  // two bytes of Latin can become six; a syllable of three becomes nine
        uint8_t* to = reinterpret_cast<uint8_t*>(out.data()) + start;
        const uint8_t *p = text, *end = text + size;
        bool good = true;
        while (p < end && good) {
            Stopping::look();
            const uint8_t* const block_end = p + std::min<size_t>(static_cast<size_t>(end - p), size_t{1} << 16);
            while (p < block_end && good) {
                if (*p < 128) {
                    *to = ascii_[*p++];
                    to += *to != dropped;
                    continue;
                }
                unsigned length;
                const uint32_t c = unicode::decode(p, length);
                p += length;
                if (c - 0xAC00u < 11172u)
                    to = put_syllable(c, to);
                else
                    good = put(c, to);
            }
        }
        out.resize(good ? static_cast<size_t>(to - reinterpret_cast<uint8_t*>(out.data())) : start);
        return good;
    }

    // What a character becomes wherever it stands: so many bytes of a word, or of a word by itself. Nothing is sure where
    // there are spaces among them, or marks whose order matters.
    struct Shape {
        enum Kind : uint8_t { inside, alone, unsure } kind;
        uint8_t size;
    };

    Shape shape_of(uint32_t c) const {
        if (c - 0xAC00u < 11172u) {
            const uint8_t size = !options_.strip_accents ? 3 : (c - 0xAC00u) % 28 == 0 ? 6 : 9;
            return {Shape::inside, size};
        }
        if (c < 128) {
            if (ascii_[c] == dropped) return {Shape::inside, 0};
            if (is_space(ascii_[c])) return {Shape::unsure, 0};
            return {unicode::traits(c) & unicode::punctuation_mark ? Shape::alone : Shape::inside, 1};
        }
        return shape_of_other(c);
    }

  private:
    static constexpr uint8_t dropped = 0xFF;

    static bool is_dirt(uint32_t c) { return unicode::traits(c) & unicode::control; }
    static bool is_space(uint32_t c) { return category::of(c) & category::space; }

    uint8_t* put_syllable(uint32_t c, uint8_t* to) const {
        if (!options_.strip_accents) return unicode::encode(c, to);
        const uint32_t index = c - 0xAC00u, tail = index % 28, lead = 0x1100 + index / 588;
        const uint32_t vowel = 0x1161 + index % 588 / 28;
        to[0] = 0xE1;
        to[1] = static_cast<uint8_t>(0x80 | (lead >> 6 & 0x3F));
        to[2] = static_cast<uint8_t>(0x80 | (lead & 0x3F));
        to[3] = 0xE1;
        to[4] = static_cast<uint8_t>(0x80 | (vowel >> 6 & 0x3F));
        to[5] = static_cast<uint8_t>(0x80 | (vowel & 0x3F));
        return tail == 0 ? to + 6 : unicode::encode(0x11A7 + tail, to + 6);
    }

    bool put(uint32_t c, uint8_t*& to) const {
        if (options_.clean_text) {
            if (is_dirt(c)) return true;
            if (is_space(c)) {
                *to++ = ' ';
                return true;
            }
        }
        const bool is_chinese = options_.handle_chinese_chars && (unicode::traits(c) & unicode::chinese);
        if (is_chinese) *to++ = ' ';
        if (!options_.strip_accents) {
            to = put_lower(c, to);
        } else {
            using namespace unicode;
            const uint32_t entry = look_up(canonical_index, canonical_pages, c);
            if (entry == 0) {
                if (!put_bare(c, to)) return false;
            } else {
                for (uint32_t i = decomposition_start[entry]; i < decomposition_start[entry + 1]; ++i)
                    if (!put_bare(decomposition_pool[i], to)) return false;
            }
        }
        if (is_chinese) *to++ = ' ';
        return true;
    }

    // A decomposed character, unless it is an accent; false when its place depends on its neighbours.
    bool put_bare(uint32_t c, uint8_t*& to) const {
        if (unicode::traits(c) & unicode::nonspacing_mark) return true;
        if (unicode::combining_class(c) != 0) return false;
        to = put_lower(c, to);
        return true;
    }

    uint8_t* put_lower(uint32_t c, uint8_t* to) const {
        if (!options_.lowercase) return unicode::encode(c, to);
        if (c == 0x130) return unicode::encode(0x307, unicode::encode('i', to));
        return unicode::encode(unicode::lower(c), to);
    }

    Shape shape_of_other(uint32_t c) const {
        uint8_t made[64], *end = made;
        if (!put(c, end)) return {Shape::unsure, 0};
        const bool is_chinese = options_.handle_chinese_chars && (unicode::traits(c) & unicode::chinese);
        if (is_chinese) return {Shape::alone, static_cast<uint8_t>(end - made - 2)};
        const auto size = static_cast<uint8_t>(end - made);
        unsigned length;
        for (const uint8_t* p = made; p < end; p += length) {
            const uint32_t part = unicode::decode(p, length);
            if (is_space(part)) return {Shape::unsure, 0};
            if (!(unicode::traits(part) & unicode::punctuation_mark)) continue;
            return {length == size ? Shape::alone : Shape::unsure, size};
        }
        return {Shape::inside, size};
    }

    void run_in_steps(const uint8_t* text, size_t size, std::string& out, const Origin* in_origins,
                      std::vector<Origin>* origins) const {
        std::string texts[2];
        std::vector<Origin> places[2];
        size_t turn = 0;
        const auto pass = [&](auto&& rewrite) {
            texts[turn].clear();
            places[turn].clear();
            rewrite(texts[turn], origins != nullptr ? &places[turn] : nullptr);
            text = reinterpret_cast<const uint8_t*>(texts[turn].data());
            size = texts[turn].size();
            if (origins != nullptr) in_origins = places[turn].data();
            turn = 1 - turn;
        };
        const auto form = [&](NormalForm form) {
            pass([&](std::string& to, std::vector<Origin>* from) {
                Normalization().run(form, text, size, to, in_origins, from);
            });
        };
        const auto fates = [&](Fate (*fate_of)(uint32_t)) {
            pass([&](std::string& to, std::vector<Origin>* from) {
                rewrite_characters(fate_of, text, size, Copier(to, in_origins, from));
            });
        };
        if (options_.clean_text)
            fates([](uint32_t c) { return is_dirt(c) ? Fate::dropped : is_space(c) ? Fate::space : Fate::kept; });
        if (options_.handle_chinese_chars)
            pass([&](std::string& to, std::vector<Origin>* from) { space_chinese(text, size, {to, in_origins, from}); });
        if (options_.strip_accents) {
            form(NormalForm::nfd);
            fates([](uint32_t c) {
                return unicode::traits(c) & unicode::nonspacing_mark ? Fate::dropped : Fate::kept;
            });
        }
        if (options_.lowercase) form(NormalForm::lowercase);
        Copier(out, in_origins, origins).copy(text, 0, size);
    }

    static void space_chinese(const uint8_t* text, size_t size, Copier to) {
        unsigned length;
        for (size_t i = 0; i < size; i += length) {
            const bool is_chinese = unicode::traits(unicode::decode(text + i, length)) & unicode::chinese;
            if (is_chinese) to.put(" ", 1, i);
            to.copy(text, i, i + length);
            if (is_chinese) to.put(" ", 1, i);
        }
    }

    const BertOptions options_;
    std::array<uint8_t, 128> ascii_;
};

}  // namespace textpipe
