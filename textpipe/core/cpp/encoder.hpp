// The whole way from text to ids in one pass. Enters: a program (added tokens, normalization, grammar, model,
// template) and valid UTF-8. Leaves: ids, and when asked for each token the characters it stands for. Promises: the
// result does not depend on threads, on the cache or on what was encoded before; memory is bounded by the text and the
// cache budget.
#pragma once
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "added_tokens.hpp"
#include "byte_alphabet.hpp"
#include "cutting.hpp"
#include "id_buffer.hpp"
#include "model.hpp"
#include "spans.hpp"
#include "steps.hpp"
#include "unicode.hpp"
#include "utf8.hpp"
#include "word_ids.hpp"

namespace textpipe {

// What to do, fixed once built and shared by all threads.
struct Program {
    explicit Program(ModelPointer model) : model(std::move(model)) {}

    // Are the tokens of a text those of its parts, when it is parted at seams? Not where they are drawn, by the whole text.
    bool keeps_seams() const {
        const auto keeps = [](const RewritePointer& step) { return step->keeps_seams(); };
        return model->cacheable() && raw.keeps_seams() && normalized.keeps_seams() && cutting.keeps_seams() &&
               std::all_of(normalization.begin(), normalization.end(), keeps);
    }

    ModelPointer model;
    AddedTokens raw, normalized;  // matched before and after normalization
    std::vector<RewritePointer> normalization;
    Cutting cutting;
    bool byte_level = false;              // words go to the model as bytes, or spelled in the printable alphabet
    std::vector<uint32_t> before, after;  // ids the template puts around every document
};

class Worker {
  public:
    Worker(const Program& program, size_t cache_bytes)
        : program_(program),
          model_(*program.model),
          spelled_(program.byte_level && !program.model->takes_bytes()),
          draws_(!model_.cacheable()),
          word_ids_(model_, spelled_, cache_bytes),
          scratch_(program.model->make_scratch()) {}

    // Make room in the cache for the words of a text of so many bytes.
    void expect(size_t text_bytes) { word_ids_.expect(text_bytes); }

    // Append the ids of one document. `stop` is looked at every few hundred words.
    void encode(const uint8_t* text, size_t size, bool skip_special, IdBuffer& ids,
                const std::atomic<bool>& stop) {
        if (program_.cutting.needs_origins(!program_.normalization.empty())) {
            Spans& spans = this->spans();
            encode_spans(text, size, skip_special, spans, stop);
            ids.append(spans.ids.begin(), spans.ids.size());
            return;
        }
        ids_ = &ids;
        spans_ = nullptr;
        scratch_->stop = stop_ = &stop;
        walk(text, size, skip_special);
    }

    // The same with the places of the tokens, in characters of the document.
    void encode_spans(const uint8_t* text, size_t size, bool skip_special, Spans& spans,
                      const std::atomic<bool>& stop) {
        ids_ = &spans.ids;
        spans_ = &spans;
        scratch_->stop = stop_ = &stop;
        num_words_ = 0;
        counted_ = text;
        num_chars_ = 0;
        walk(text, size, skip_special);
    }

    // An empty buffer for ids, whose memory stays with the worker.
    IdBuffer& ids() {
        own_ids_.clear();
        return own_ids_;
    }

    // The same for places.
    Spans& spans() {
        own_spans_.clear();
        return own_spans_;
    }

    // How many words the last text has whose places were asked for.
    uint32_t num_words() const { return num_words_; }

    bool draws() const { return draws_; }

    // The words of the text that is encoded next are drawn by its seed, each by its number.
    void draw_by(uint64_t text_seed) {
        text_seed_ = text_seed;
        num_drawn_ = 0;
    }

  private:
    static_assert(WordIds::batch_words >= Cutting::batch_words);

    void walk(const uint8_t* text, size_t size, bool skip_special) {
        if (program_.raw.empty()) return segment(text, size, skip_special, true);
        stretches_.clear();
        program_.raw.split(text, size, skip_special, stretches_, stop_);
        for (size_t i = 0; i < stretches_.size() && !scratch_->is_stopped(); ++i) {
            const Stretch stretch = stretches_[i];
            if (stretch.id != no_id)
                added(stretch, text, nullptr);
            else
                segment(text + stretch.begin, stretch.end - stretch.begin, skip_special, stretch.begin == 0);
        }
    }

    // A stretch without raw added tokens: normalize it, cut the normalized added tokens out.
    // Origins are null as long as the text is the document's own: its places are counted then.
    void segment(const uint8_t* text, size_t size, bool skip_special, bool at_start) {
        if (size == 0) return;
        const Origin* origins = nullptr;
        const size_t own_size = size;
        size_t turn = 0;
        for (const RewritePointer& step : program_.normalization) {
            if (size == 0 || scratch_->is_stopped()) return;
            if (step->is_unchanged(text, size, at_start)) continue;
            if (spans_ != nullptr && origins == nullptr) origins = own_origins(text, size);
            std::string& target = normalized_[turn];
            std::vector<Origin>& target_origins = normalized_origins_[turn];
            target.clear();
            target_origins.clear();
            check_growth(own_size, step->new_size(text, size));
            step->run(text, size, at_start, target, origins, origins != nullptr ? &target_origins : nullptr);
            check_growth(own_size, target.size());
            text = reinterpret_cast<const uint8_t*>(target.data());
            size = target.size();
            if (origins != nullptr) origins = target_origins.data();
            turn = 1 - turn;
        }
        if (program_.normalized.empty()) return plain(text, size, at_start, origins);
        std::vector<Stretch> stretches;
        program_.normalized.split(text, size, skip_special, stretches, stop_);
        for (const Stretch& stretch : stretches) {
            const Origin* from = origins != nullptr ? origins + stretch.begin : nullptr;
            if (stretch.id != no_id)
                added(stretch, text, from);
            else
                plain(text + stretch.begin, stretch.end - stretch.begin, at_start && stretch.begin == 0, from);
        }
    }

    void added(const Stretch& stretch, const uint8_t* text, const Origin* origins) {
        ids_->push_back(stretch.id);
        if (spans_ == nullptr) return;
        spans_->added.tokens.push_back(static_cast<uint32_t>(ids_->size() - 1));
        const char* found = reinterpret_cast<const char*>(text + stretch.begin);
        spans_->added.texts.emplace_back(found, stretch.end - stretch.begin);
        const bool own = origins == nullptr;
        spans_->begins.push_back(own ? chars_to(text + stretch.begin) : origins[0].begin);
        spans_->ends.push_back(own ? chars_to(text + stretch.end) : origins[stretch.end - stretch.begin - 1].end);
        spans_->words.push_back(num_words_++);
    }

    // Normalized text without added tokens: cut into words and encode them.
    void plain(const uint8_t* text, size_t size, bool at_start, const Origin* origins) {
        if (size == 0) return;
        if (spans_ != nullptr && origins == nullptr && program_.cutting.rewrites()) origins = own_origins(text, size);
        const Cutting::Pieces pieces = program_.cutting.prepare(text, size, at_start, origins, cutting_);
        end_ = pieces.text + pieces.size;
        const auto origins_at = [&](const uint8_t* p) {
            return pieces.origins != nullptr ? pieces.origins + (p - pieces.text) : nullptr;
        };
        const bool placed = model_.has_places() || (model_.sizes() != nullptr && !spelled_);
        const bool remembered = model_.cacheable() && (spans_ == nullptr || placed);
        program_.cutting.batches(pieces, [&](const uint8_t* base, const Piece* words, size_t count) {
            if (scratch_->is_stopped()) return false;
            if (remembered && spans_ == nullptr) {
                word_ids_.append(base, end_, words, count, *scratch_, *ids_);
            } else if (remembered) {
                place_batch(base, words, count, origins_at(base));
            } else {
                for (size_t i = 0; i < count; ++i) {
                    const uint8_t* word = base + words[i].begin;
                    const size_t length = words[i].end - words[i].begin;
                    if (spans_ != nullptr)
                        place_word(word, length, origins_at(word));
                    else
                        append_word(word, length);
                }
            }
            return true;
        });
    }

    void append_word(const uint8_t* word, size_t size) {
        if (scratch_->is_stopped()) return;
        if (spelled_) spell(word, size);
        if (draws_) scratch_->draw_by(seed_of_word(text_seed_, num_drawn_++));
        found_.clear();
        model_.encode_ids(word, size, *scratch_, found_);
        ids_->append(found_.data(), found_.size());
    }

    // With places: the sizes of the tokens run along the word's bytes.
    void place_word(const uint8_t* word, size_t size, const Origin* origins) {
        if (scratch_->is_stopped()) return;
        if (model_.has_places() && origins == nullptr) {
            model_.encode_spans(word, size, chars_to(word), *scratch_, *spans_);
            num_words_ += number_tokens() != 0;
            return;
        }
        if (origins == nullptr) origins = own_origins(word, size);
        if (spelled_) {
            map_origins(word, size, origins);
            origins = mapped_origins_.data();
            spell(word, size);
        }
        if (draws_) scratch_->draw_by(seed_of_word(text_seed_, num_drawn_++));
        scratch_->tokens.clear();
        model_.encode(word, size, *scratch_, scratch_->tokens);
        spans_->push_back(scratch_->tokens, origins, size);
        number_tokens();
        ++num_words_;
    }

    // The tokens without a number are of the next word; returns how many they are.
    size_t number_tokens() {
        const size_t count = spans_->ids.size() - spans_->words.size();
        uint32_t* const numbers = spans_->words.room(count);
        std::fill_n(numbers, count, num_words_);
        spans_->words.end_at(numbers + count);
        return count;
    }

    // The same for a batch of words from remembered ids, which the model places or of which each tells its size.
    void place_batch(const uint8_t* text, const Piece* words, size_t count, const Origin* origins) {
        const size_t before = ids_->size();
        word_ids_.append(text, end_, words, count, *scratch_, *ids_);
        const uint32_t* ids = ids_->begin() + before;
        const size_t num_ids = ids_->size() - before;
        if (model_.has_places()) {
            uint32_t chars = chars_to(text + words[0].begin);
            const FoundWords found{text, end_, words, count, ids, num_ids, word_ids_.counts()};
            model_.place_words(found, chars, num_words_, *scratch_, *spans_);
            counted_ = text + words[count - 1].end;
            num_chars_ = chars;
            return;
        }
        if (origins != nullptr) {
            place_ids(text, words, ids, num_ids, ByOrigins{text, origins});
        } else {
            const uint32_t chars = chars_to(text + words[0].begin);
            const uint8_t *first = text + words[0].begin, *last = text + words[count - 1].end;
            if (utf8::is_ascii(first, static_cast<size_t>(last - first)))
                place_ids(text, words, ids, num_ids, ByBytes{first, chars});
            else
                place_ids(text, words, ids, num_ids, ByCharacters{first, end_, chars});
        }
        num_words_ += static_cast<uint32_t>(count);
    }

    // Where a token of the bytes [p, end) is, when each byte of the text knows its characters,
    struct ByOrigins {
        const uint8_t* text;
        const Origin* origins;
        Origin operator()(const uint8_t* p, const uint8_t* end) const {
            return {origins[p - text].begin, origins[end - 1 - text].end};
        }
    };

    // when each byte is a character,
    struct ByBytes {
        const uint8_t* first;
        uint32_t chars;  // characters of the document before `first`
        Origin operator()(const uint8_t* p, const uint8_t* end) const {
            return {chars + static_cast<uint32_t>(p - first), chars + static_cast<uint32_t>(end - first)};
        }
    };

    // and when characters are to be counted. A token may begin within one: it stands for all of it.
    struct ByCharacters {
        const uint8_t *counted, *readable;
        uint32_t chars;  // characters of the document before `counted`
        Origin operator()(const uint8_t* p, const uint8_t* end) {
            chars += utf8::num_characters(counted, p, readable);
            const uint32_t begin = chars - utf8::is_continuation(*p);
            chars += utf8::num_characters(p, end, readable);
            counted = end;
            return {begin, chars};
        }
    };

    // The places of tokens whose sizes run along their words. Of a word whose tokens' sizes do not come to its own the
    // model is asked again.
    template <class Place>
    void place_ids(const uint8_t* text, const Piece* words, const uint32_t* ids, size_t num_ids, Place place) {
        const uint32_t *sizes = model_.sizes(), *counts = word_ids_.counts();
        uint32_t *begins = spans_->begins.room(num_ids), *ends = spans_->ends.room(num_ids);
        uint32_t* numbers = spans_->words.room(num_ids);
        const uint32_t* const last = ids + num_ids;
        for (uint32_t word = 0; ids < last; ++word) {
            const uint8_t *p = text + words[word].begin, *const end = text + words[word].end;
            const uint32_t count = counts[word];
            const Place before = place;
            for (uint32_t n = 0; n < count; ++n) {
                const uint32_t size = sizes[ids[n]];
                if (size == 0) break;
                const Origin at = place(p, p + size);
                begins[n] = at.begin;
                ends[n] = at.end;
                p += size;
            }
            if (p != end && count != 0) {
                place = before;
                place_again(text + words[word].begin, end, count, place, begins, ends);
            }
            std::fill_n(numbers, count, num_words_ + word);
            ids += count;
            begins += count;
            ends += count;
            numbers += count;
        }
        spans_->begins.end_at(begins);
        spans_->ends.end_at(ends);
        spans_->words.end_at(numbers);
    }

    // A stop between the two may leave it fewer ids than there are tokens now.
    template <class Place>
    void place_again(const uint8_t* word, const uint8_t* end, uint32_t count, Place& place, uint32_t* begins,
                     uint32_t* ends) {
        scratch_->tokens.clear();
        model_.encode(word, static_cast<size_t>(end - word), *scratch_, scratch_->tokens);
        const uint8_t* p = word;
        Origin at{0, 0};
        for (const Token& token : scratch_->tokens) {
            if (count-- == 0) break;
            if (token.size != same_place) {
                const uint8_t* const from = std::min(p, end - 1);
                p = std::min(p + token.size, end);
                at = place(from, std::max(p, from + 1));
            }
            *begins++ = at.begin;
            *ends++ = at.end;
        }
    }

    // How many characters of the document there are before p.
    uint32_t chars_to(const uint8_t* p) {
        if (counted_ < p) {
            num_chars_ += utf8::num_characters(counted_, p, p);
            counted_ = p;
        }
        for (; counted_ > p; --counted_) num_chars_ -= !utf8::is_continuation(counted_[-1]);
        return num_chars_;
    }

    // The origin of each byte of a stretch of the document.
    const Origin* own_origins(const uint8_t* text, size_t size) {
        origins_.clear();
        list_origins(text, size, chars_to(text), origins_);
        return origins_.data();
    }

    // Point to the word spelled in the printable alphabet.
    void spell(const uint8_t*& word, size_t& size) {
        spelling_.clear();
        for (size_t i = 0; i < size; ++i) append_mapped(word[i], spelling_);
        word = reinterpret_cast<const uint8_t*>(spelling_.data());
        size = spelling_.size();
    }

    void map_origins(const uint8_t* word, size_t size, const Origin* origins) {
        mapped_origins_.clear();
        for (size_t i = 0; i < size; ++i) {
            const size_t num_bytes = mapped_code_point(word[i]) < 0x80 ? 1 : 2;
            mapped_origins_.insert(mapped_origins_.end(), num_bytes, origins[i]);
        }
    }

    const Program& program_;
    const Model& model_;
    const bool spelled_;  // words are spelled in the printable alphabet before the model sees them
    const bool draws_;    // a word may have other tokens each time: its seed is told to the model
    WordIds word_ids_;
    std::unique_ptr<Model::Scratch> scratch_;
    Cutting::Scratch cutting_;
    IdBuffer own_ids_;
    Spans own_spans_;
    IdBuffer* ids_ = nullptr;
    Spans* spans_ = nullptr;
    const std::atomic<bool>* stop_ = nullptr;
    uint32_t num_words_ = 0;
    uint64_t text_seed_ = 0, num_drawn_ = 0;  // words of the text that the model was asked for
    const uint8_t* counted_ = nullptr;  // so far the characters of the document are counted,
    uint32_t num_chars_ = 0;            // and so many they are
    const uint8_t* end_ = nullptr;
    std::vector<uint32_t> found_;
    std::vector<Stretch> stretches_;
    std::string normalized_[2], spelling_;
    std::vector<Origin> origins_, normalized_origins_[2], mapped_origins_;
};

}  // namespace textpipe
