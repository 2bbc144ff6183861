// A sentencepiece model on raw text. Enters: valid UTF-8. Leaves: the ids of the normalized text, and where they are asked
// for their places. Promises: those of normalizing the whole text first; words as they stand in the raw text are remembered
// with their ids.
//
// Words are what is between spaces. In the usual model no rule and no piece reaches over a space but from the space mark
// into the word after it, so a text is its words, each with the mark before it. The few words that a sum decides (see
// sentence_unigram.hpp) are found anew each time; the sum is only added up when one is met. A text that itself holds a
// space mark is normalized as a whole.
#pragma once
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "id_buffer.hpp"
#include "remembered_words.hpp"
#include "sentence_model.hpp"
#include "sentence_normalization.hpp"
#include "sentence_places.hpp"

namespace textpipe {

class RawSentences final : public Model {
  public:
    RawSentences(std::shared_ptr<const SentenceModel> model, std::shared_ptr<const SentenceNormalization> normalization,
                 size_t cache_bytes)
        : model_(std::move(model)), normalization_(std::move(normalization)), cache_bytes_(cache_bytes),
          has_words_(model_->has_words() && normalization_->has_words()) {
        if (has_words_) mark_code_ = model_->trie().first_code(space_mark);
    }

    std::unique_ptr<Model::Scratch> make_scratch() const override { return std::make_unique<Scratch>(*this); }

    bool cacheable() const override { return false; }  // it remembers words itself

    // The sizes are those of the normalized text.
    void encode(const uint8_t* text, size_t size, Model::Scratch& base, std::vector<Token>& out) const override {
        Scratch& scratch = begin(base);
        normalization_->run(text, size, true, scratch.text, nullptr, nullptr);
        model_->encode(bytes_of(scratch.text), scratch.text.size(), scratch.model, out);
    }

    void encode_ids(const uint8_t* text, size_t size, Model::Scratch& base, std::vector<uint32_t>& out) const override {
        Scratch& scratch = begin(base);
        scratch.is_placing = false;
        if (has_words_ && encode_words(text, text + size, scratch))
            return model_->put_together(scratch.ids.begin(), scratch.ids.size(), out);
        scratch.text.clear();
        normalization_->run(text, size, true, scratch.text, nullptr, nullptr);
        model_->encode_ids(bytes_of(scratch.text), scratch.text.size(), scratch.model, out);
    }

    bool has_places() const override { return true; }

    void encode_spans(const uint8_t* text, size_t size, uint32_t chars, Model::Scratch& base,
                      Spans& out) const override {
        Scratch& scratch = begin(base);
        scratch.is_placing = true;
        scratch.places.begin(text, text + size, chars);
        if (has_words_ && encode_words(text, text + size, scratch))
            return model_->put_together(scratch.ids.begin(), scratch.places.begins(), scratch.places.ends(),
                                        scratch.ids.size(), out);
        std::vector<Origin> own, origins;
        list_origins(text, size, chars, own);
        scratch.text.clear();
        normalization_->run(text, size, true, scratch.text, own.data(), &origins);
        if (scratch.text.empty()) return;
        scratch.tokens.clear();
        model_->encode(bytes_of(scratch.text), scratch.text.size(), scratch.model, scratch.tokens);
        out.push_back(scratch.tokens, origins.data(), origins.size());
    }

  private:
    struct Scratch final : Model::Scratch {
        explicit Scratch(const RawSentences& raw)
            : words(raw.cache_bytes_), places(raw.model_->pieces(), *raw.normalization_) {}

        SentenceModel::Scratch model;
        RememberedWords words;
        std::string text;  // normalized
        std::vector<uint32_t> spelled, codes, begins;
        IdBuffer ids;
        float sum = 0;  // of the scores of the first so many ids
        size_t num_summed = 0;
        bool is_placing = false;  // are places wanted?
        SentencePlaces places;
        bool is_aligned = true;  // did the characters of the last word stay one for one?
    };

    static Scratch& begin(Model::Scratch& base) {
        Scratch& scratch = static_cast<Scratch&>(base);
        scratch.model.stop = scratch.stop;
        scratch.text.clear();
        scratch.ids.clear();
        scratch.sum = 0;
        scratch.num_summed = 0;
        return scratch;
    }

    static const uint8_t* bytes_of(const std::string& text) { return reinterpret_cast<const uint8_t*>(text.data()); }

    // False where the text does not fall into words after all.
    bool encode_words(const uint8_t* text, const uint8_t* end, Scratch& scratch) const {
        const SentenceNormalization::Options& options = normalization_->options();
        RememberedWords& words = scratch.words;
        const uint8_t* p = text;
        if (!options.add_dummy_prefix) {
            if (options.remove_extra_whitespaces) p = past_breaks(p, end);
            const uint8_t* const begin = p;
            p = normalization_->next_break(p, end);
            if (p > begin && !encode_odd(begin, static_cast<size_t>(p - begin), 0, scratch)) return false;
            if (p > begin && scratch.ids.size() == 0) return false;  // of an empty word the next one begins the text
        }
        bool is_first = p == text && options.add_dummy_prefix;
        while (p < end && !scratch.is_stopped()) {
            const uint8_t* const run = p;
            words.clear();
            while (p < end && words.count() < RememberedWords::most_words) {
                const uint8_t* begin = p;
                const uint8_t* const word = p = past_breaks(p, end);
                p = normalization_->next_break(p, end);
                if (options.remove_extra_whitespaces)
                    begin = word;
                else if (!is_first)
                    ++begin;  // the mark of one space is understood
                is_first = false;
                if (begin < p) words.add(begin, static_cast<size_t>(p - begin), static_cast<size_t>(end - begin));
                if (begin == p && !options.remove_extra_whitespaces) return encode_run(run, p, scratch) && encode_odd(p, 0, 1, scratch);
            }
            if (!encode_run(run, p, scratch)) return false;
        }
        return true;
    }

    const uint8_t* past_breaks(const uint8_t* p, const uint8_t* end) const {
        while (p < end && normalization_->is_break(*p)) ++p;
        return p;
    }

    // What is found for a word: the ids it always has, those it has here, or that it is none.
    enum class Answer { settled, here, no_word };

    bool encode_run(const uint8_t* begin, const uint8_t* end, Scratch& scratch) const {
        RememberedWords& words = scratch.words;
        words.ask();
        const size_t most_chars = static_cast<size_t>(end - begin) + words.count();
        bool is_near = is_near_largest(most_chars, scratch);
        uint32_t* out = scratch.ids.room(words.count() * ShortWords::max_ids);
        for (size_t i = 0; i < words.count(); ++i) {
            const ShortWords::Slot* slot = words.find_short(i);
            if (__builtin_expect(slot != nullptr && !is_near, 1)) {
                std::memcpy(out, slot->ids, sizeof slot->ids);
                out[0] &= 0xFFFFFF;
                if (scratch.is_placing) scratch.places.add_aligned(words[i], out, slot->count());
                out += slot->count();
                continue;
            }
            scratch.ids.end_at(out);
            const size_t before = scratch.ids.size();
            const Answer answer = is_near ? encode_near(words[i], scratch) : encode_other(i, scratch);
            if (answer == Answer::no_word) return false;
            place(words[i], 1, before, scratch);
            if (answer == Answer::here) is_near = is_near_largest(most_chars, scratch);  // it may have grown in the rewriting
            out = scratch.ids.room((words.count() - i) * ShortWords::max_ids);
        }
        scratch.ids.end_at(out);
        return true;
    }

    // The places of the ids from number `before` on, which are a word's.
    static void place(RememberedWords::Word word, size_t num_marks, size_t before, Scratch& scratch) {
        if (!scratch.is_placing) return;
        const uint32_t* const ids = scratch.ids.begin() + before;
        const size_t count = scratch.ids.size() - before;
        if (scratch.is_aligned)
            scratch.places.add_aligned(word, ids, count);
        else
            scratch.places.add(word, num_marks, ids, count);
    }

    // A word that is not aligned is remembered apart from short ones, with no_id behind its ids.
    Answer encode_other(size_t i, Scratch& scratch) const {
        const LongWords::Found found = scratch.words.find_long(i);
        if (found.ids != nullptr) {
            scratch.is_aligned = found.count == 0 || found.ids[found.count - 1] != no_id;
            scratch.ids.append(found.ids, found.count - !scratch.is_aligned);
            return Answer::settled;
        }
        const size_t before = scratch.ids.size();
        const Answer answer = encode_new(scratch.words[i], scratch);
        if (answer != Answer::settled) return answer;
        if (!scratch.is_aligned) scratch.ids.push_back(no_id);
        scratch.words.insert(i, scratch.ids.begin() + before, scratch.ids.size() - before, !scratch.is_aligned);
        scratch.ids.end_at(scratch.ids.end() - !scratch.is_aligned);
        return answer;
    }

    // A word as it stands, with the spaces before it but one.
    Answer encode_new(RememberedWords::Word word, Scratch& scratch) const {
        const size_t num_marks = take_marks(word);
        const uint32_t count = spell(word, num_marks, scratch);
        scratch.is_aligned = true;
        if (count != 0 && encode_codes(scratch.spelled.data(), count, word.text, num_marks, scratch))
            return Answer::settled;
        if (!rewrite(word, num_marks, scratch)) return Answer::no_word;
        if (scratch.text.empty()) return Answer::settled;
        if (count == 0 && scratch.text.size() <= 4 * SentenceModel::most_chars) {
            const uint8_t* const text = bytes_of(scratch.text);
            const uint32_t length = model_->trie().spell(text, scratch.text.size(), scratch.codes, scratch.begins);
            // How far the sum can go is told by the bytes of the raw text.
            if (length <= num_marks + word.size && encode_codes(scratch.codes.data(), length, text, 0, scratch))
                return Answer::settled;
        }
        add_up(scratch);
        encode_text(scratch);
        return model_->is_summed() ? Answer::here : Answer::settled;
    }

    // The mark that is understood, and one for each of the spaces the word begins with; these are taken from it.
    size_t take_marks(RememberedWords::Word& word) const {
        size_t num_marks = 1;
        if (!normalization_->options().remove_extra_whitespaces)
            for (; word.size > 0 && normalization_->is_break(*word.text); ++word.text, --word.size) ++num_marks;
        return num_marks;
    }

    // The numbers of the characters of a word that is sure to stay as it is; how many there are, 0 for any other.
    uint32_t spell(RememberedWords::Word word, size_t num_marks, Scratch& scratch) const {
        const PieceTrie& trie = model_->trie();
        if (scratch.spelled.size() < word.size + num_marks) scratch.spelled.resize(word.size + num_marks);
        uint32_t* out = scratch.spelled.data();
        for (size_t i = 0; i < num_marks; ++i) *out++ = mark_code_;
        const uint8_t* const end = word.text + word.size;
        for (const uint8_t* p = word.text; p < end;) {
            unsigned size;
            const uint32_t c = unicode::decode(p, size);
            if (c >= 0x10000 || c == 0x2581 || !normalization_->is_plain(p, c, p + size < end ? p[size] : 0xFF)) return 0;
            *out++ = trie.code(c);
            p += size;
        }
        return static_cast<uint32_t>(out - scratch.spelled.data());
    }

    // The ids a word of these characters always has, if it has such; `text` is what follows its first num_marks.
    bool encode_codes(const uint32_t* codes, uint32_t count, const uint8_t* text, size_t num_marks,
                      Scratch& scratch) const {
        if (count > SentenceModel::most_chars) return false;
        uint32_t* const out = scratch.ids.room(count);
        const size_t found = model_->encode_word(codes, count, out, scratch.model);
        for (size_t i = 0; i < found; ++i) {
            if (__builtin_expect(!(out[i] & unknown_bit), 1)) continue;
            const uint8_t* p = text;
            for (size_t place = out[i] ^ unknown_bit; place > num_marks; --place) p += unicode::utf8_size(*p);
            unsigned size;
            out[i] = unknown_bit | unicode::decode(p, size);
        }
        scratch.ids.end_at(out + found);
        return found != 0;
    }

    // The marks and what the word becomes; false where it does not stand for itself.
    bool rewrite(RememberedWords::Word word, size_t num_marks, Scratch& scratch) const {
        std::string& text = scratch.text;
        text.clear();
        for (size_t i = 0; i < num_marks; ++i) text += space_mark;
        const size_t begin = text.size();
        const std::string_view raw(reinterpret_cast<const char*>(word.text), word.size);
        if (raw.find(space_mark) != std::string_view::npos) return false;
        const SentenceNormalization::Word done = normalization_->run_word(word.text, word.size, text);
        scratch.is_aligned = done.is_aligned;
        if (normalization_->options().remove_extra_whitespaces) {
            if (text.size() == begin)
                text.clear();  // the next word has the mark
            else if (done.ends_in_space)
                text.resize(text.size() - space_mark.size());  // it is the mark of the next word
            return true;
        }
        const bool ends_in_mark = text.size() >= begin + space_mark.size() &&
                                  text.compare(text.size() - space_mark.size(), space_mark.size(), space_mark) == 0;
        return word.size == 0 || (text.size() > begin && !ends_in_mark);
    }

    // A word that is not remembered.
    bool encode_odd(const uint8_t* word, size_t size, size_t num_marks, Scratch& scratch) const {
        if (!rewrite({word, size}, num_marks, scratch)) return false;
        const size_t before = scratch.ids.size();
        add_up(scratch);
        encode_text(scratch);
        scratch.is_aligned = false;  // as no mark is understood
        place({word, size}, num_marks, before, scratch);
        return true;
    }

    // The ids of scratch.text, on top of the sum.
    void encode_text(Scratch& scratch) const {
        model_->encode_part(bytes_of(scratch.text), scratch.text.size(), scratch.sum, scratch.model,
                            [&](uint32_t id) { scratch.ids.push_back(id); });
        scratch.num_summed = scratch.ids.size();
    }

    void add_up(Scratch& scratch) const {
        if (!model_->is_summed()) return;
        const uint32_t* const ids = scratch.ids.begin();
        for (; scratch.num_summed < scratch.ids.size(); ++scratch.num_summed)
            scratch.sum += model_->score(ids[scratch.num_summed]);
    }

    // Could the sum go beyond the largest within so many characters?
    bool is_near_largest(size_t num_chars, Scratch& scratch) const {
        if (!model_->is_summed()) return false;
        const SentenceUnigram& unigram = model_->unigram();
        const auto reaches = [&](size_t count) {
            return std::fabs(scratch.sum) + unigram.most(count) > SentenceUnigram::largest_sum;
        };
        if (!reaches(scratch.ids.size() - scratch.num_summed + num_chars)) return false;
        add_up(scratch);
        return reaches(num_chars);
    }

    // A word near where the sum is taken back to zero: what it always has holds here if it cannot happen in the word.
    Answer encode_near(RememberedWords::Word word, Scratch& scratch) const {
        add_up(scratch);
        if (std::fabs(scratch.sum) + model_->unigram().most(word.size + 1) <= SentenceUnigram::largest_sum)
            return encode_new(word, scratch);
        const size_t num_marks = take_marks(word);
        if (!rewrite(word, num_marks, scratch)) return Answer::no_word;
        encode_text(scratch);
        return Answer::here;
    }

    const std::shared_ptr<const SentenceModel> model_;
    const std::shared_ptr<const SentenceNormalization> normalization_;
    const size_t cache_bytes_;
    const bool has_words_;
    uint32_t mark_code_ = 0;
};

}  // namespace textpipe
