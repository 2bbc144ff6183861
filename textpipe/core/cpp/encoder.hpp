// The whole way from text to ids in one pass. Enters: a program (added tokens, normalization, grammar, model,
// template) and valid UTF-8. Leaves: ids, and when asked for each token the characters it stands for. Promises: the
// result does not depend on threads, on the cache or on what was encoded before; memory is bounded by the text and the
// cache budget.
#pragma once
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
#include "model.hpp"
#include "steps.hpp"
#include "unicode.hpp"
#include "word_cache.hpp"

namespace textpipe {

// What to do, fixed once built and shared by all threads.
struct Program {
    explicit Program(ModelPointer model) : model(std::move(model)) {}

    ModelPointer model;
    AddedTokens raw, normalized;  // matched before and after normalization
    std::vector<RewritePointer> normalization;
    Cutting cutting;
    bool byte_level = false;              // words go to the model as bytes, or spelled in the printable alphabet
    std::vector<uint32_t> before, after;  // ids the template puts around every document
};

// One document with its tokens' places.
struct Spans {
    std::vector<uint32_t> ids, begins, ends, words;  // words: the number of the pre-token
    std::vector<uint32_t> added;                     // which of the tokens are added ones,
    std::vector<std::string> added_text;             // and the text they were found as
};

class Worker {
  public:
    Worker(const Program& program, size_t cache_bytes)
        : program_(program),
          model_(*program.model),
          spelled_(program.byte_level && !program.model->takes_bytes()),
          cache_(cache_bytes),
          scratch_(program.model->make_scratch()) {}

    // Append the ids of one document. `stop` is looked at every few hundred words.
    void encode(const uint8_t* text, size_t size, bool skip_special, std::vector<uint32_t>& ids,
                const std::atomic<bool>& stop) {
        if (program_.cutting.looks_at_start() && !program_.normalization.empty()) {
            Spans spans;  // only the origins tell whether what was normalized still begins with the first character
            encode_spans(text, size, skip_special, spans, stop);
            ids.insert(ids.end(), spans.ids.begin(), spans.ids.end());
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
        origins_.clear();
        origins_.reserve(size);
        for (uint32_t i = 0, at = 0; i < size; ++at) {
            const uint32_t length = unicode::utf8_size(text[i]);
            for (uint32_t j = 0; j < length; ++j) origins_.push_back({at, at + 1});
            i += length;
        }
        walk(text, size, skip_special);
    }

    void seed(uint64_t value) { scratch_->random = value | 1; }

  private:
    struct Word {
        const uint8_t* begin;
        size_t size;
        uint64_t hash;
        WordKey key;
    };
    static constexpr size_t batch_size = 64;

    void walk(const uint8_t* text, size_t size, bool skip_special) {
        const Origin* origins = spans_ != nullptr ? origins_.data() : nullptr;
        if (program_.raw.empty()) return segment(text, size, skip_special, true, origins);
        stretches_.clear();
        program_.raw.split(text, size, skip_special, stretches_);
        for (size_t i = 0; i < stretches_.size(); ++i) {
            const Stretch stretch = stretches_[i];
            const Origin* from = origins != nullptr ? origins + stretch.begin : nullptr;
            if (stretch.id != no_id)
                added(stretch, text, from);
            else
                segment(text + stretch.begin, stretch.end - stretch.begin, skip_special, stretch.begin == 0, from);
        }
    }

    // A stretch without raw added tokens: normalize it, cut the normalized added tokens out.
    void segment(const uint8_t* text, size_t size, bool skip_special, bool at_start, const Origin* origins) {
        if (size == 0) return;
        size_t turn = 0;
        for (const RewritePointer& step : program_.normalization) {
            if (size == 0) return;
            if (step->is_unchanged(text, size, at_start)) continue;
            std::string& target = normalized_[turn];
            std::vector<Origin>& target_origins = normalized_origins_[turn];
            target.clear();
            target_origins.clear();
            step->run(text, size, at_start, target, origins, origins != nullptr ? &target_origins : nullptr);
            text = reinterpret_cast<const uint8_t*>(target.data());
            size = target.size();
            if (origins != nullptr) origins = target_origins.data();
            turn = 1 - turn;
        }
        if (program_.normalized.empty()) return plain(text, size, at_start, origins);
        std::vector<Stretch> stretches;
        program_.normalized.split(text, size, skip_special, stretches);
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
        spans_->added.push_back(static_cast<uint32_t>(ids_->size() - 1));
        const char* found = reinterpret_cast<const char*>(text + stretch.begin);
        spans_->added_text.emplace_back(found, stretch.end - stretch.begin);
        spans_->begins.push_back(origins[0].begin);
        spans_->ends.push_back(origins[stretch.end - stretch.begin - 1].end);
        spans_->words.push_back(num_words_++);
    }

    // Normalized text without added tokens: cut into words and encode them.
    void plain(const uint8_t* text, size_t size, bool at_start, const Origin* origins) {
        if (size == 0) return;
        const Cutting::Pieces pieces = program_.cutting.prepare(text, size, at_start, origins, cutting_);
        end_ = pieces.text + pieces.size;
        if (spans_ != nullptr) {
            program_.cutting.words(
                pieces, [&](const uint8_t* p, size_t n) { place_word(p, n, pieces.origins + (p - pieces.text)); });
        } else if (!model_.cacheable()) {
            program_.cutting.words(pieces, [&](const uint8_t* p, size_t n) { append_word(p, n); });
        } else {
            num_waiting_ = 0;
            program_.cutting.words(pieces, [&](const uint8_t* p, size_t n) { wait_word(p, n); });
            flush();
        }
    }

    void append_word(const uint8_t* word, size_t size) {
        if (scratch_->is_stopped()) return;
        if (spelled_) spell(word, size);
        model_.encode_ids(word, size, *scratch_, *ids_);
    }

    // Hash the word and ask for its cache line; by the time the batch is full the line has come.
    void wait_word(const uint8_t* p, size_t size) {
        Word& word = waiting_[num_waiting_++];
        set_word(word, p, size);
        if (size <= 15)
            cache_.shorts.prefetch(word.hash);
        else if (size <= longest_cached)
            cache_.longs.prefetch(word.hash);
        if (num_waiting_ == batch_size) flush();
    }

    void set_word(Word& word, const uint8_t* p, size_t size) const {
        word.begin = p;
        word.size = size;
        if (size > longest_cached) return;
        word.key = WordKey::of(p, size, static_cast<size_t>(end_ - p));
        word.hash = size <= 15 ? word.key.hash_short() : word.key.hash_long();
    }

    void flush() {
        if (stop_->load(std::memory_order_relaxed)) num_waiting_ = 0;
        std::vector<uint32_t>& ids = *ids_;
        size_t at = ids.size();
        ids.resize(at + num_waiting_ * 8);  // room to write a whole slot without asking
        uint32_t* out = ids.data() + at;
        for (size_t i = 0; i < num_waiting_; ++i) {
            const Word& word = waiting_[i];
            if (word.size <= 15) {
                if (const auto* slot = cache_.shorts.find(word.key, word.hash)) {
                    std::memcpy(out, slot->ids, sizeof slot->ids);
                    out[0] &= 0xFFFFFF;
                    out += slot->count();
                    continue;
                }
            } else if (word.size <= longest_cached) {
                if (const auto* slot = cache_.longs.find(word.key, word.hash)) {
                    std::memcpy(out, slot->ids, sizeof slot->ids);
                    out[0] &= 0xFFFFFF;
                    out += slot->count();
                    continue;
                }
            }
            out = miss(word, out, num_waiting_ - i - 1);
        }
        ids.resize(static_cast<size_t>(out - ids.data()));
        num_waiting_ = 0;
    }

    // Encode a word that is not in the cache; keeps room for `remaining` slots after it.
    uint32_t* miss(const Word& word, uint32_t* out, size_t remaining) {
        find_ids(word);
        if (found_.size() > 8) {
            const size_t at = static_cast<size_t>(out - ids_->data());
            ids_->resize(at + found_.size() + (remaining + 1) * 8);
            out = ids_->data() + at;
        }
        std::copy(found_.begin(), found_.end(), out);
        return out + found_.size();
    }

    // The ids of a word into found_, and into the cache where it has room for them.
    void find_ids(const Word& word) {
        found_.clear();
        const uint8_t* begin = word.begin;
        size_t size = word.size;
        if (spelled_) spell(begin, size);
        model_.encode_ids(begin, size, *scratch_, found_);
        if (word.size <= 15) {
            if (found_.size() <= 4) cache_.shorts.insert(word.key, word.hash, found_.data(), found_.size());
        } else if (word.size <= longest_cached && found_.size() <= 8) {
            cache_.longs.insert(word.key, word.hash, found_.data(), found_.size());
        }
    }

    template <class Slot>
    void take_slot(const Slot& slot) {
        found_.assign(slot.ids, slot.ids + slot.count());
        if (!found_.empty()) found_[0] &= 0xFFFFFF;
    }

    // With places: the sizes of the tokens run along the word's bytes.
    void place_word(const uint8_t* word, size_t size, const Origin* origins) {
        if (scratch_->is_stopped()) return;
        if (model_.cacheable() && model_.sizes() != nullptr && !spelled_ && place_found(word, size, origins)) return;
        if (spelled_) {
            map_origins(word, size, origins);
            origins = mapped_origins_.data();
            spell(word, size);
        }
        scratch_->tokens.clear();
        model_.encode(word, size, *scratch_, scratch_->tokens);
        // Tokens may say they are longer than the word, where a prefix was spelled out; places stay inside.
        size_t at = 0;
        for (const Token& token : scratch_->tokens) {
            spans_->ids.push_back(token.id);
            spans_->words.push_back(num_words_);
            if (token.size == same_place) {
                spans_->begins.push_back(spans_->begins.back());
                spans_->ends.push_back(spans_->ends.back());
                continue;
            }
            const size_t last = std::max<size_t>(at + token.size, 1) - 1;
            spans_->begins.push_back(origins[std::min(at, size - 1)].begin);
            spans_->ends.push_back(origins[std::min(last, size - 1)].end);
            at += token.size;
        }
        ++num_words_;
    }

    // The same from remembered ids, where each tells its size.
    bool place_found(const uint8_t* p, size_t size, const Origin* origins) {
        Word word;
        set_word(word, p, size);
        const auto* short_slot = size <= 15 ? cache_.shorts.find(word.key, word.hash) : nullptr;
        const auto* long_slot = size > 15 && size <= longest_cached ? cache_.longs.find(word.key, word.hash) : nullptr;
        if (short_slot != nullptr)
            take_slot(*short_slot);
        else if (long_slot != nullptr)
            take_slot(*long_slot);
        else
            find_ids(word);
        const uint32_t* sizes = model_.sizes();
        for (const uint32_t id : found_)
            if (sizes[id] == 0) return false;
        for (const uint32_t id : found_) {
            spans_->ids.push_back(id);
            spans_->begins.push_back(origins->begin);
            origins += sizes[id];
            spans_->ends.push_back(origins[-1].end);
            spans_->words.push_back(num_words_);
        }
        ++num_words_;
        return true;
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
    WordCache cache_;
    std::unique_ptr<Model::Scratch> scratch_;
    Cutting::Scratch cutting_;
    std::vector<uint32_t>* ids_ = nullptr;
    Spans* spans_ = nullptr;
    const std::atomic<bool>* stop_ = nullptr;
    uint32_t num_words_ = 0;
    const uint8_t* end_ = nullptr;
    Word waiting_[batch_size];
    size_t num_waiting_ = 0;
    std::vector<uint32_t> found_;
    std::vector<Stretch> stretches_;
    std::string normalized_[2], spelling_;
    std::vector<Origin> origins_, normalized_origins_[2], mapped_origins_;
};

}  // namespace textpipe
