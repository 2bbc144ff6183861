// A sentencepiece model on raw text. Enters: valid UTF-8. Leaves: the ids of the normalized text, and where they are
// asked for their places. Promises: those of normalizing the whole text first; words as they stand in the raw text are
// remembered with their ids.
//
// Words are what is between spaces. In the usual model no rule and no piece reaches over a space but from the space mark
// into the word after it, so a text is its words, each with the mark before it. Words go through in runs: while the
// memory of one run is on its way the next is collected, and the new words of a run are encoded together. The few words
// that a sum decides (see sentence_unigram.hpp) are found anew each time; the sum is only added up when one is met. A
// text that itself holds a space mark is normalized as a whole.
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
#include "spelled_words.hpp"

namespace textpipe {

class RawSentences final : public Model {
  public:
    RawSentences(std::shared_ptr<const SentenceModel> model, std::shared_ptr<const SentenceNormalization> normalization,
                 size_t cache_bytes)
        : model_(std::move(model)), normalization_(std::move(normalization)), cache_bytes_(cache_bytes),
          has_words_(model_->has_words() && normalization_->has_words()) {
        if (has_words_) note_characters();
    }

    std::unique_ptr<Model::Scratch> make_scratch() const override { return std::make_unique<Scratch>(*this); }

    bool cacheable() const override { return false; }  // it remembers words itself

    // The sizes are those of the normalized text.
    void encode(const uint8_t* text, size_t size, Model::Scratch& base, std::vector<Token>& out) const override {
        Scratch& scratch = begin(base);
        normalization_->run(text, size, true, scratch.text, nullptr, nullptr);
        model_->encode(bytes_of(scratch.text), scratch.text.size(), *scratch.model, out);
        end(size, scratch);
    }

    void encode_ids(const uint8_t* text, size_t size, Model::Scratch& base, std::vector<uint32_t>& out) const override {
        Scratch& scratch = begin(base);
        scratch.is_placing = false;
        if (has_words_ && encode_words(text, text + size, scratch)) {
            model_->put_together(scratch.ids.begin(), scratch.ids.size(), out);
        } else {
            scratch.text.clear();
            normalization_->run(text, size, true, scratch.text, nullptr, nullptr);
            model_->encode_ids(bytes_of(scratch.text), scratch.text.size(), *scratch.model, out);
        }
        end(size, scratch);
    }

    bool has_places() const override { return true; }

    void encode_spans(const uint8_t* text, size_t size, uint32_t chars, Model::Scratch& base,
                      Spans& out) const override {
        Scratch& scratch = begin(base);
        scratch.is_placing = true;
        scratch.places.begin(text, text + size, chars);
        if (has_words_ && encode_words(text, text + size, scratch))
            model_->put_together(scratch.ids.begin(), scratch.places.begins(), scratch.places.ends(),
                                 scratch.ids.size(), out);
        else
            place_whole(text, size, chars, scratch, out);
        end(size, scratch);
    }

  private:
    // A new word of a run that does not stay as it is, and where its ids are.
    struct OddWord {
        uint8_t number;
        size_t begin, count;
        bool is_aligned;
    };
    struct Scratch final : Model::Scratch {
        explicit Scratch(const RawSentences& raw)
            : words(raw.cache_bytes_), places(raw.model_->pieces(), *raw.normalization_) {}

        std::unique_ptr<SentenceModel::Scratch> model = std::make_unique<SentenceModel::Scratch>();
        RememberedWords words;
        WordRun runs[2];  // one is collected while the memory of the other is on its way
        SpelledWords spelled, single;  // the new words of a run, and one on its own
        uint8_t numbers[WordRun::most_words];  // of the new words in the run
        bool was_aligned[WordRun::most_words];  // did their characters stay one for one?
        std::string text;  // normalized
        std::vector<OddWord> odd;
        IdBuffer ids;
        float sum = 0;  // of the scores of the first so many ids
        size_t num_summed = 0;
        bool is_placing = false;  // are places wanted?
        SentencePlaces places;
        bool is_aligned = true;  // did the characters of the last word stay one for one?
    };

    static constexpr uint32_t mark = 0x2581;

    // A text that does not fall into words.
    void place_whole(const uint8_t* text, size_t size, uint32_t chars, Scratch& scratch, Spans& out) const {
        std::vector<Origin> own, origins;
        list_origins(text, size, chars, own);
        scratch.text.clear();
        normalization_->run(text, size, true, scratch.text, own.data(), &origins);
        if (scratch.text.empty()) return;
        std::vector<Token> tokens;
        model_->encode(bytes_of(scratch.text), scratch.text.size(), *scratch.model, tokens);
        out.push_back(tokens, origins.data(), origins.size());
    }

    static Scratch& begin(Model::Scratch& base) {
        Scratch& scratch = static_cast<Scratch&>(base);
        scratch.model->stop = scratch.stop;
        scratch.text.clear();
        scratch.ids.clear();
        scratch.sum = 0;
        scratch.num_summed = 0;
        return scratch;
    }

    // The memory that a long text took is given back.
    static void end(size_t size, Scratch& scratch) {
        if (size <= most_kept_bytes) return;
        scratch.model = std::make_unique<SentenceModel::Scratch>();
        scratch.text = {};
        scratch.ids.clear();
        scratch.places.clear();
    }
    static constexpr size_t most_kept_bytes = size_t{1} << 20;  // of a text

    static const uint8_t* bytes_of(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

    // After so many bytes a run takes no more words. Its characters, marks and ends fit in SpelledWords.
    static constexpr size_t most_run_bytes = 1408;
    static_assert(most_run_bytes + longest_cached + 2 * WordRun::most_words + SpelledWords::first <
                  SpelledWords::capacity);
    static_assert(WordRun::most_words <= SpelledWords::most_words);

    // False where the text does not fall into words after all.
    bool encode_words(const uint8_t* text, const uint8_t* end, Scratch& scratch) const {
        const SentenceNormalization::Options& options = normalization_->options();
        const uint8_t* p = text;
        if (!options.add_dummy_prefix) {
            if (options.remove_extra_whitespaces) p = past_breaks(p, end);
            const uint8_t* const begin = p;
            p = normalization_->next_break(p, end);
            if (p > begin && !encode_odd(begin, static_cast<size_t>(p - begin), 0, scratch)) return false;
            if (p > begin && scratch.ids.size() == 0) return false;  // of an empty word the next one begins the text
        }
        bool is_first = p == text && options.add_dummy_prefix, ends_in_mark = false;
        WordRun* before = nullptr;
        for (size_t turn = 0; p < end && !scratch.is_stopped(); turn ^= 1) {
            WordRun& run = scratch.runs[turn];
            p = collect(p, end, is_first, run, scratch.words);
            is_first = false;
            ends_in_mark = run.ends_in_mark;
            if (before != nullptr && !encode_run(*before, scratch)) return false;
            scratch.words.ask(run);
            before = &run;
        }
        if (before != nullptr && !encode_run(*before, scratch)) return false;
        return !ends_in_mark || encode_odd(end, 0, 1, scratch);
    }

    // The words from p on, where the text or a space begins; returns where the run ends, which is so too.
    const uint8_t* collect(const uint8_t* p, const uint8_t* end, bool is_first, WordRun& run,
                           const RememberedWords& words) const {
        const uint8_t* const first = p;
        const bool keeps_marks = !normalization_->options().remove_extra_whitespaces;
        const uint8_t *word = p, *mark = is_first ? p : p + 1;  // the mark of one space is understood
        const auto add = [&](const uint8_t* to) {
            const uint8_t* const begin = keeps_marks ? mark : word;
            if (begin < to) words.add(run, begin, static_cast<size_t>(to - begin), static_cast<size_t>(end - begin));
        };
        run.count = 0;
        run.ends_in_mark = false;
        for (; p < end; p += SentenceNormalization::window) {
            for (uint64_t low = normalization_->low_bytes(p, end); low != 0; low &= low - 1) {
                const uint8_t* const at = p + __builtin_ctzll(low);
                if (!normalization_->is_break(*at)) continue;
                if (at > word) {
                    add(at);
                    mark = at + 1;
                    run.num_bytes = static_cast<size_t>(at - first);
                    if (run.count == WordRun::most_words || run.num_bytes >= most_run_bytes) return at;
                }
                word = at + 1;
            }
        }
        add(end);
        run.ends_in_mark = keeps_marks && mark == end;
        run.num_bytes = static_cast<size_t>(end - first);
        return end;
    }

    const uint8_t* past_breaks(const uint8_t* p, const uint8_t* end) const {
        while (p < end && normalization_->is_break(*p)) ++p;
        return p;
    }

    // What is found for a word: the ids it always has, those it has here, or that it is none.
    enum class Answer { settled, here, no_word };

    bool encode_run(WordRun& run, Scratch& scratch) const {
        scratch.words.find(run);
        const size_t most_chars = run.num_bytes + run.count;
        bool is_near = is_near_largest(most_chars, scratch);
        scratch.odd.clear();
        if (!encode_new_words(run, scratch)) return false;
        uint32_t* out = scratch.ids.room(run.count * WordLog::max_ids);
        for (size_t i = 0; i < run.count; ++i) {
            const WordLog::Entry& entry = scratch.words[run.entries[i]];
            const unsigned count = entry.form() & ~WordLog::apart;
            if (__builtin_expect(!is_near && count - 1 < WordLog::max_ids && !scratch.is_placing, 1)) {
                std::memcpy(out, entry.ids, WordLog::max_ids * sizeof *out);
                out[0] &= 0xFFFFFF;
                out += count;
                continue;
            }
            scratch.ids.end_at(out);
            const size_t before = scratch.ids.size();
            const Answer answer = is_near ? encode_near(run.words[i], scratch) : encode_found(run, i, scratch);
            if (answer == Answer::no_word) return false;
            if (answer == Answer::here) is_near = is_near_largest(most_chars, scratch);  // it may grow when rewritten
            place(run.words[i], 1, before, scratch);
            out = scratch.ids.room((run.count - i) * WordLog::max_ids);
        }
        scratch.ids.end_at(out);
        for (const OddWord& odd : scratch.odd)
            scratch.words.insert(run, odd.number, scratch.ids.begin() + odd.begin, odd.count,
                                 odd.is_aligned ? 0 : WordLog::apart);
        return true;
    }

    // A word with many ids, one whose place matters, or one with none so far.
    Answer encode_found(const WordRun& run, size_t i, Scratch& scratch) const {
        const WordLog::Entry& entry = scratch.words[run.entries[i]];
        const unsigned form = entry.form() & ~WordLog::marks;
        scratch.is_aligned = !(entry.form() & WordLog::apart);
        if ((entry.form() & WordLog::close) && !is_sum_small(run.words[i], scratch))
            return encode_new(run.words[i], scratch, true);
        if (form == WordLog::stored) {
            const WordLog::Ids ids = scratch.words.stored_ids(entry);
            scratch.ids.append(ids.begin, ids.count);
            return Answer::settled;
        }
        if (form != WordLog::no_ids) {
            uint32_t* const out = scratch.ids.room(form);
            std::copy_n(entry.ids, form, out);
            out[0] &= 0xFFFFFF;
            scratch.ids.end_at(out + form);
            return Answer::settled;
        }
        const size_t before = scratch.ids.size();
        const bool has_none = run.entries[i] != 0;
        const Answer answer = encode_new(run.words[i], scratch, has_none);
        if (answer == Answer::settled)
            scratch.odd.push_back({static_cast<uint8_t>(i), before, scratch.ids.size() - before, scratch.is_aligned});
        return answer;
    }

    // The words of the run that are not known, all at once. False where the text does not fall into words after all.
    bool encode_new_words(WordRun& run, Scratch& scratch) const {
        SpelledWords& spelled = scratch.spelled;
        spelled.clear();
        for (size_t i = 0; i < run.count; ++i) {
            if (run.entries[i] != 0 || run.words[i].size > longest_cached) continue;
            const size_t number = spelled.count();
            scratch.numbers[number] = static_cast<uint8_t>(i);
            scratch.was_aligned[number] = true;
            WordRun::Word word = run.words[i];
            const size_t num_marks = take_marks(word);
            if (spell(word, num_marks, spelled)) continue;
            if (!rewrite(word, num_marks, scratch)) return false;
            scratch.was_aligned[number] = scratch.is_aligned;
            // How far the sum can go, and what there is room for, is told by the bytes of the raw text.
            if (!scratch.text.empty() && num_chars(scratch.text) <= num_marks + word.size) spell(scratch.text, spelled);
        }
        if (spelled.count() == 0) return true;
        model_->encode_words(spelled, *scratch.model);
        for (size_t k = 0; k < spelled.count(); ++k) {
            const bool has_ids = spelled.num_ids(k) > 0;
            if (has_ids || model_->is_summed())
                scratch.words.insert(run, scratch.numbers[k], has_ids ? spelled.ids(k) : nullptr, spelled.num_ids(k),
                                     (scratch.was_aligned[k] ? 0 : WordLog::apart) |
                                         (has_ids && spelled.is_close(k) ? WordLog::close : 0));
        }
        return true;
    }

    static size_t num_chars(std::string_view text) {
        return utf8::num_characters(bytes_of(text), bytes_of(text) + text.size(), bytes_of(text) + text.size());
    }

    // The places of the ids from number `before` on, which are a word's.
    static void place(WordRun::Word word, size_t num_marks, size_t before, Scratch& scratch) {
        if (!scratch.is_placing) return;
        const uint32_t* const ids = scratch.ids.begin() + before;
        const size_t count = scratch.ids.size() - before;
        if (scratch.is_aligned)
            scratch.places.add_aligned(word, ids, count);
        else
            scratch.places.add(word, num_marks, ids, count);
    }

    // A word on its own, with the spaces before it but one.
    Answer encode_new(WordRun::Word word, Scratch& scratch, bool has_none = false) const {
        const size_t num_marks = take_marks(word);
        SpelledWords& single = scratch.single;
        single.clear();
        scratch.is_aligned = true;
        const bool is_plain = has_none || (word.size <= longest_cached && spell(word, num_marks, single));
        if (is_plain && !has_none && encode_single(scratch)) return Answer::settled;
        if (!rewrite(word, num_marks, scratch)) return Answer::no_word;
        if (scratch.text.empty()) return Answer::settled;
        single.clear();
        // How far the sum can go is told by the bytes of the raw text.
        if (!is_plain && spell(scratch.text, single) && single.length(0) <= num_marks + word.size)
            if (encode_single(scratch)) return Answer::settled;
        add_up(scratch);
        encode_text(scratch);
        return model_->is_summed() ? Answer::here : Answer::settled;
    }

    bool encode_single(Scratch& scratch) const {
        SpelledWords& single = scratch.single;
        if (single.length(0) > SpelledWords::most_chars) return false;
        model_->encode_words(single, *scratch.model);
        if (single.num_ids(0) == 0 || single.is_close(0)) return false;
        scratch.ids.append(single.ids(0), single.num_ids(0));
        return true;
    }

    // The mark that is understood, and one for each of the spaces the word begins with; these are taken from it.
    size_t take_marks(WordRun::Word& word) const {
        size_t num_marks = 1;
        if (!normalization_->options().remove_extra_whitespaces)
            for (; word.size > 0 && normalization_->is_break(*word.text); ++word.text, --word.size) ++num_marks;
        return num_marks;
    }

    // Add a word of up to longest_cached bytes, if it is sure to stay as it is.
    bool spell(WordRun::Word word, size_t num_marks, SpelledWords& spelled) const {
        uint32_t at = spelled.end();
        for (size_t i = 0; i < num_marks; ++i) spelled.write(at++, mark, mark_code_);
        const uint8_t* const end = word.text + word.size;
        for (const uint8_t* p = word.text; p < end;) {
            unsigned size;
            const uint32_t c = unicode::decode(p, size);
            p += size;
            if (c >= 0x10000 || characters_[c].kind > normalization_->tolerated(p < end ? *p : 0xFF)) return false;
            spelled.write(at++, c, characters_[c].code);
        }
        spelled.keep(at);
        return true;
    }

    // Add a text that is normalized, if it is not too long.
    bool spell(std::string_view text, SpelledWords& spelled) const {
        if (text.size() > 4 * SpelledWords::most_chars) return false;
        const uint8_t* const end = bytes_of(text) + text.size();
        uint32_t at = spelled.end();
        for (const uint8_t* p = bytes_of(text); p < end;) {
            unsigned size;
            const uint32_t c = unicode::decode(p, size);
            p += size;
            spelled.write(at++, c, static_cast<uint16_t>(model_->trie().code(c)));
        }
        spelled.keep(at);
        return true;
    }

    // What is asked of each character of a word.
    void note_characters() {
        mark_code_ = static_cast<uint16_t>(model_->trie().code(mark));
        characters_.resize(1 << 16);
        for (uint32_t c = 0; c < characters_.size(); ++c) {
            uint8_t bytes[4];
            unicode::encode(c, bytes);
            // A mark in the text is no mark before a word.
            characters_[c] = {static_cast<uint16_t>(model_->trie().code(c)),
                              c == mark ? Charsmap::ruled : normalization_->kind(c, bytes[0])};
        }
    }

    // The marks and what the word becomes; false where it does not stand for itself.
    bool rewrite(WordRun::Word word, size_t num_marks, Scratch& scratch) const {
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
        model_->encode_part(bytes_of(scratch.text), scratch.text.size(), scratch.sum, *scratch.model,
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

    // Is the sum small as far as this word can take it?
    bool is_sum_small(WordRun::Word word, Scratch& scratch) const {
        const SentenceUnigram& unigram = model_->unigram();
        const auto reaches = [&](size_t count) {
            return std::fabs(scratch.sum) + unigram.most(count) > SentenceUnigram::small_sum;
        };
        // Without adding up, if not that much can have come together.
        const size_t most_chars = word.size + 1;
        if (!reaches(scratch.ids.size() - scratch.num_summed + most_chars)) return true;
        add_up(scratch);
        return !reaches(most_chars);
    }

    // A word near where the sum is taken back to zero: what it always has holds here if it cannot happen in the word.
    Answer encode_near(WordRun::Word word, Scratch& scratch) const {
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
    struct Character {
        uint16_t code;  // its number in the pieces
        Charsmap::Kind kind;
    };
    std::vector<Character> characters_;  // of Unicode's first 65,536
    uint16_t mark_code_ = 0;
};

}  // namespace textpipe
