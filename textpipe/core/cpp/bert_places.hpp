// Where the tokens of BERT words stand in raw text. Enters: stretches of raw text, each with its ids. Leaves: for each id
// the characters it stands for, and the number of its word. Promises: the places that come of the origins of the whole
// text normalized.
//
// Of nearly every character it is known how many bytes it becomes and whether it is a word by itself, so the sizes of the
// tokens run along the characters of the raw text. A stretch with another character, or whose tokens' sizes do not come
// to its own, is normalized again, with origins.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "bert_normalization.hpp"
#include "grammars/characters.hpp"
#include "model.hpp"
#include "spans.hpp"
#include "utf8.hpp"

namespace textpipe {

class BertPlaces {
  public:
    BertPlaces(const BertStep& normalizer, const Model& model) : normalizer_(normalizer), model_(model) {}

    // Append the places of all words, in every column but `ids`; see Model::place_words().
    void add(const FoundWords& found, uint32_t& chars, uint32_t& number, Model::Scratch& inner, Spans& spans) {
        begins_ = spans.begins.room(found.num_ids);
        ends_ = spans.ends.room(found.num_ids);
        words_ = spans.words.room(found.num_ids);
        number_ = number;
        const uint32_t* ids = found.ids;
        const uint8_t* placed = found.text + found.words[0].begin;
        for (size_t i = 0; i < found.count; ++i) {
            const uint8_t *const word = found.text + found.words[i].begin, *const end = found.text + found.words[i].end;
            const uint32_t count = found.counts[i];
            chars += utf8::num_characters(placed, word, found.end);
            placed = end;
            if (add_ascii(word, end, ids, count, chars)) {
                chars += static_cast<uint32_t>(end - word);
            } else {
                if (!add_plain(word, end, ids, count, chars) && !add_whole(word, end, ids, count, chars))
                    add_again(word, end, count, chars, inner);
                chars += utf8::num_characters(word, end, found.end);
            }
            ids += count;
            begins_ += count;
            ends_ += count;
            words_ += count;
        }
        number = number_;
        spans.begins.end_at(begins_);
        spans.ends.end_at(ends_);
        spans.words.end_at(words_);
    }

  private:
    // The characters of a stretch that become something, one after the other.
    struct Characters {
        const BertStep& normalizer;
        const uint8_t *p, *end;
        uint32_t at;           // how many characters of the document are before p
        uint32_t size = 0;     // bytes that the last one becomes
        bool is_first = true;  // does it begin a word?
        bool was_alone = true;
        bool is_sure = true;  // is it known what became of all?

        // False at the end, and where a character is met of which nothing is sure.
        bool next() {
            while (p < end) {
                unsigned length;
                const BertStep::Shape shape = normalizer.shape_of(unicode::decode(p, length));
                if (shape.kind == BertStep::Shape::unsure) return is_sure = false;
                p += length;
                ++at;
                if (shape.size == 0) continue;
                const bool is_alone = shape.kind == BertStep::Shape::alone;
                size = shape.size;
                is_first = is_alone || was_alone;
                was_alone = is_alone;
                return true;
            }
            return false;
        }
        // Is there nothing more?
        bool is_done() { return !next() && is_sure; }
    };

    // Tokens that all tell a size, of ASCII: of a stretch that lost a byte the sizes do not come to its own.
    bool add_ascii(const uint8_t* word, const uint8_t* end, const uint32_t* ids, uint32_t count, uint32_t chars) {
        const auto length = static_cast<size_t>(end - word);
        if (count == 0 || !utf8::is_ascii(word, length)) return false;
        const uint32_t* const sizes = model_.sizes();
        uint32_t at = chars;
        for (uint32_t n = 0; n < count; ++n) {
            const uint32_t size = sizes[ids[n]];
            if (size == 0) return false;
            begins_[n] = at;
            ends_[n] = at += size;
            words_[n] = number_;
        }
        if (at - chars != length) return false;
        ++number_;
        return true;
    }

    // Tokens that all tell a size, of characters that are all sure. No token is shorter than it tells, so if the sizes
    // come to the whole they are right.
    bool add_plain(const uint8_t* word, const uint8_t* end, const uint32_t* ids, uint32_t count, uint32_t chars) {
        if (count == 0) return false;
        const uint32_t* const sizes = model_.sizes();
        Characters characters{normalizer_, word, end, chars};
        uint32_t left = 0, number = number_;  // bytes of the last character that no token has yet
        for (uint32_t n = 0; n < count; ++n) {
            uint32_t wanted = sizes[ids[n]];
            if (wanted == 0) return false;
            if (left == 0) {
                if (!characters.next()) return false;
                left = characters.size;
                number += characters.is_first;
            }
            begins_[n] = characters.at - 1;
            while (wanted > left) {
                wanted -= left;
                if (!characters.next() || characters.is_first) return false;
                left = characters.size;
            }
            left -= wanted;
            ends_[n] = characters.at;
            words_[n] = number - 1;
        }
        if (left != 0 || !characters.is_done()) return false;
        number_ = number;
        return true;
    }

    // The one token of a word that tells no size, as the unknown one: it stands for all of it.
    bool add_whole(const uint8_t* word, const uint8_t* end, const uint32_t* ids, uint32_t count, uint32_t chars) {
        if (count != 1 || model_.sizes()[ids[0]] != 0) return false;
        Characters characters{normalizer_, word, end, chars};
        if (!characters.next()) return false;
        begins_[0] = characters.at - 1;
        ends_[0] = characters.at;
        words_[0] = number_;
        while (characters.next()) {
            if (characters.is_first) return false;
            ends_[0] = characters.at;
        }
        if (!characters.is_sure) return false;
        ++number_;
        return true;
    }

    // Any stretch, normalized and spelled as for its ids. A stop between the two may leave it fewer ids than it has tokens.
    void add_again(const uint8_t* word, const uint8_t* end, uint32_t count, uint32_t chars, Model::Scratch& inner) {
        const auto size = static_cast<size_t>(end - word);
        text_.clear();
        own_.clear();
        origins_.clear();
        list_origins(word, size, chars, own_);
        normalizer_.run(word, size, true, text_, own_.data(), &origins_);
        const auto* const text = reinterpret_cast<const uint8_t*>(text_.data());
        Piece pieces[64];
        uint32_t n = 0;
        for (size_t at = 0; at < text_.size();) {
            const size_t num_pieces = cut_.cut(text, text_.size(), at, pieces, 64);
            for (size_t i = 0; i < num_pieces; ++i, ++number_) {
                const Piece piece = pieces[i];
                inner.tokens.clear();
                model_.encode(text + piece.begin, piece.end - piece.begin, inner, inner.tokens);
                each_place(inner.tokens, origins_.data() + piece.begin, piece.end - piece.begin, [&](uint32_t, Origin place) {
                    if (n == count) return;
                    begins_[n] = place.begin;
                    ends_[n] = place.end;
                    words_[n++] = number_;
                });
            }
        }
    }

    const BertStep& normalizer_;
    const Model& model_;
    const grammars::BertCut cut_;
    uint32_t *begins_ = nullptr, *ends_ = nullptr, *words_ = nullptr;  // of the next stretch
    uint32_t number_ = 0;                                              // of the next word
    std::string text_;
    std::vector<Origin> own_, origins_;
};

}  // namespace textpipe
