// Where the tokens of a sentence stand in raw text. Enters: the words of the text one after the other, each with its ids.
// Leaves: for each id the characters it stands for. Promises: the places that come of the origins of the whole text
// normalized; of a word whose characters stay one for one nothing is looked at but its ids.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "id_buffer.hpp"
#include "remembered_words.hpp"
#include "sentence_normalization.hpp"
#include "sentence_pieces.hpp"
#include "spans.hpp"
#include "utf8.hpp"

namespace textpipe {

class SentencePlaces {
  public:
    using Word = WordRun::Word;

    SentencePlaces(const SentencePieces& pieces, const SentenceNormalization& normalization)
        : pieces_(pieces), normalization_(normalization) {}

    // A text, of whose document so many characters are before it.
    void begin(const uint8_t* text, const uint8_t* end, uint32_t chars) {
        begins_.clear();
        ends_.clear();
        placed_ = text;
        chars_ = chars;
        has_mark_ = normalization_.options().add_dummy_prefix;
        const uint8_t* const first = normalization_.past_spaces(text, end);
        const uint32_t before = chars + utf8::num_characters(text, first, end);
        mark_ = {before, before};
    }

    // Forget them, and give back the room of very many.
    void clear() {
        begins_.clear();
        ends_.clear();
        text_ = {};
        own_ = {};
        origins_ = {};
    }

    // The next word, whose characters stay one for one; a mark is understood before it.
    void add_aligned(Word word, const uint32_t* ids, size_t count) {
        const auto gap = static_cast<uint32_t>(word.text - placed_);  // spaces, of a byte each
        uint32_t *const begins = begins_.room(count), *const ends = ends_.room(count);
        uint32_t at = chars_ + gap - 1;  // of the mark, as if it stood right before the word
        for (size_t i = 0; i < count; ++i) {
            begins[i] = at;
            at += pieces_.length_of(ids[i]);
            ends[i] = at;
        }
        if (has_mark_ || gap != 1) {
            const Origin mark = take_mark();
            begins[0] = mark.begin;
            if (pieces_.length_of(ids[0]) == 1) ends[0] = mark.end;
        }
        begins_.end_at(begins + count);
        ends_.end_at(ends + count);
        chars_ = at;
        placed_ = word.text + word.size;
    }

    // The next word, whatever becomes of it, after so many marks that are understood, one or none.
    void add(Word word, size_t num_marks, const uint32_t* ids, size_t count) {
        const Origin mark = take_mark();
        origins_.clear();
        if (num_marks != 0) origins_.insert(origins_.end(), space_mark.size(), mark);
        chars_ += static_cast<uint32_t>(word.text - placed_);
        placed_ = word.text + word.size;
        if (!normalization_.options().remove_extra_whitespaces)
            for (; word.size > 0 && normalization_.is_break(*word.text); ++word.text, --word.size, ++chars_)
                origins_.insert(origins_.end(), space_mark.size(), Origin{chars_, chars_ + 1});
        rewrite(word, mark);
        chars_ += utf8::num_characters(word.text, placed_, placed_);
        size_t at = 0;
        for (size_t i = 0; i < count; ++i) {
            const Origin first = origins_[at];
            at += size_of(ids[i]);
            begins_.push_back(first.begin);
            ends_.push_back(origins_[at - 1].end);
        }
    }

    const uint32_t* begins() const { return begins_.begin(); }
    const uint32_t* ends() const { return ends_.begin(); }

  private:
    // The place of the mark before the next word: of the first space before it, where nothing else is said.
    Origin take_mark() {
        const Origin mark = has_mark_ ? mark_ : Origin{chars_, chars_ + 1};
        has_mark_ = false;
        return mark;
    }

    // The origins of what the word becomes; a space at its end is the mark of the next word, and that of an empty one too.
    void rewrite(Word word, Origin mark) {
        text_.clear();
        own_.clear();
        list_origins(word.text, word.size, chars_, own_);
        const SentenceNormalization::Word done =
            normalization_.run_word(word.text, word.size, text_, own_.data(), &origins_);
        if (!normalization_.options().remove_extra_whitespaces) return;
        has_mark_ = text_.empty() || done.ends_in_space;
        mark_ = mark;
        if (text_.empty() || !done.ends_in_space) return;
        mark_ = origins_.back();
        origins_.resize(origins_.size() - space_mark.size());
    }

    // The bytes an id stands for.
    size_t size_of(uint32_t id) const {
        if (!(id & unknown_bit)) return pieces_.size_of(id);
        uint8_t bytes[4];
        return static_cast<size_t>(unicode::encode(id ^ unknown_bit, bytes) - bytes);
    }

    const SentencePieces& pieces_;
    const SentenceNormalization& normalization_;
    IdBuffer begins_, ends_;
    const uint8_t* placed_ = nullptr;  // so far the text is placed,
    uint32_t chars_ = 0;               // and so many characters of the document come before
    bool has_mark_ = false;            // is the place of the next mark known?
    Origin mark_{0, 0};
    std::string text_;
    std::vector<Origin> own_, origins_;
};

}  // namespace textpipe
