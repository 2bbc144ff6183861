// A sentencepiece model: unigram, BPE, words or characters. Enters: a sentence as sentencepiece has normalized it.
// Leaves: its pieces. Promises: those of sentencepiece 0.2.3, single-precision sums and ties included.
//
// Sentences are cut where no piece reaches across, which is before every space mark in the usual model, and the pieces
// of short stretches are remembered. For a unigram model together with how large the sum before may be for them to be
// the same (see sentence_unigram.hpp).
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "model.hpp"
#include "piece_cache.hpp"
#include "sentence_bpe.hpp"
#include "sentence_pieces.hpp"
#include "sentence_unigram.hpp"

namespace textpipe {

class SentenceModel final : public Model {
  public:
    enum class Kind : int { unigram = 1, bpe = 2, words = 3, characters = 4 };

    SentenceModel(int kind, bool byte_fallback) : kind_(static_cast<Kind>(kind)), byte_fallback_(byte_fallback) {}

    void add_piece(std::string_view text, float score, int kind) { pieces_.add(text, score, kind); }

    void finish() {
        pieces_.finish(byte_fallback_);
        if (kind_ == Kind::unigram) unigram_.build(pieces_);
        if (kind_ == Kind::bpe) bpe_.build(pieces_);
        if (kind_ == Kind::words || kind_ == Kind::characters) build_texts();
        if (bpe_.has_unused() || kind_ == Kind::characters) pieces_.joints.forbid();
    }

    struct Scratch final : Model::Scratch {
        PieceCache cache;
        SentenceUnigram::Scratch unigram;
        SentenceBpe::Scratch bpe;
        std::vector<uint32_t> ids;  // of the sentence, near at hand until all are there
    };

    std::unique_ptr<Model::Scratch> make_scratch() const override { return std::make_unique<Scratch>(); }

    void encode(const uint8_t* text, size_t size, Model::Scratch& base, std::vector<Token>& out) const override {
        Scratch& scratch = static_cast<Scratch&>(base);
        TokenWriter writer{*this, out};
        run(text, size, scratch, writer);
    }

    void encode_ids(const uint8_t* text, size_t size, Model::Scratch& base, std::vector<uint32_t>& out) const override {
        Scratch& scratch = static_cast<Scratch&>(base);
        IdWriter writer{*this, scratch.ids, 0};
        if (scratch.ids.size() < size + 8) scratch.ids.resize(size + 8);  // no piece is shorter than a byte
        run(text, size, scratch, writer);
        out.insert(out.end(), scratch.ids.begin(), scratch.ids.begin() + static_cast<std::ptrdiff_t>(writer.at));
    }

  private:
    static constexpr size_t batch_size = 32;

    // Runs of unknown characters are one token, unless they have bytes.
    struct TokenWriter {
        const SentenceModel& model;
        std::vector<Token>& out;
        bool was_unknown = false;

        void known(const uint32_t* ids, size_t count) {
            for (size_t i = 0; i < count; ++i) out.push_back({ids[i], model.pieces_.size_of(ids[i])});
            was_unknown = false;
        }
        void unknown(const uint8_t* text, uint32_t size) {
            if (model.byte_fallback_) {
                for (uint32_t i = 0; i < size; ++i)
                    out.push_back({model.pieces_.byte_ids[text[i]], i == 0 ? size : same_place});
            } else if (was_unknown) {
                out.back().size += size;
            } else {
                out.push_back({model.pieces_.unk_id, size});
                was_unknown = true;
            }
        }
    };

    struct IdWriter {
        const SentenceModel& model;
        std::vector<uint32_t>& out;
        size_t at;
        bool was_unknown = false;

        void known(const uint32_t* ids, size_t count) {
            uint32_t* to = out.data() + at;
            for (size_t i = 0; i < count; ++i) to[i] = ids[i];
            at += count;
            was_unknown = false;
        }
        void unknown(const uint8_t* text, uint32_t size) {
            if (model.byte_fallback_) {
                for (uint32_t i = 0; i < size; ++i) out[at++] = model.pieces_.byte_ids[text[i]];
            } else if (!was_unknown) {
                out[at++] = model.pieces_.unk_id;
                was_unknown = true;
            }
        }
    };

    template <class Writer>
    void run(const uint8_t* text, size_t size, Scratch& scratch, Writer& writer) const {
        const uint8_t* const end = text + size;
        if (kind_ == Kind::words || kind_ == Kind::characters) return look_up(text, end, scratch, writer);
        PieceCache::Key words[batch_size];
        float sum = 0;
        for (const uint8_t* p = text; p < end && !scratch.is_stopped();) {
            size_t count = 0;
            while (p < end && count < batch_size) {
                const uint8_t* next = pieces_.joints.next(p, end);
                words[count] = PieceCache::key_of(p, static_cast<size_t>(next - p), static_cast<size_t>(end - p));
                scratch.cache.prefetch(words[count++]);
                p = next;
            }
            for (size_t i = 0; i < count; ++i) write(words[i], scratch, writer, sum);
        }
    }

    // The pieces of a remembered word, or those found now, to be remembered with the largest sum before the word for
    // which they hold.
    template <class Writer>
    void write(const PieceCache::Key& word, Scratch& scratch, Writer& writer, float& sum) const {
        PieceCache::Found found;
        if (scratch.cache.find(word, found)) {
            if (kind_ == Kind::bpe) return writer.known(found.ids, found.count);
            if (std::fabs(sum) <= found.note) {
                for (size_t i = 0; i < found.count; ++i) sum += unigram_.score(found.ids[i]);
                return writer.known(found.ids, found.count);
            }
        }
        const float limit = find(word, scratch, writer, sum);
        if (limit <= 0) return;
        const std::vector<Token>& path = kind_ == Kind::bpe ? scratch.bpe.path : scratch.unigram.path;
        uint32_t ids[PieceCache::most_pieces];
        if (path.size() > PieceCache::most_pieces) return;
        for (size_t i = 0; i < path.size(); ++i) {
            if (path[i].id == no_id) return;
            ids[i] = path[i].id;
        }
        scratch.cache.insert(word, ids, path.size(), limit);
    }

    // The pieces of one word; returns the limit up to which they may be remembered.
    template <class Writer>
    float find(const PieceCache::Key& word, Scratch& scratch, Writer& writer, float& sum) const {
        if (kind_ == Kind::bpe) {
            bpe_.encode(word.text, word.size, scratch, scratch.bpe);
            put(word.text, scratch.bpe.path, writer);
            return SentenceUnigram::largest_sum;
        }
        const float limit = unigram_.best_path(word.text, word.size, scratch.unigram);
        const std::vector<Token>& path = scratch.unigram.path;
        if (std::fabs(sum) <= limit) {
            for (const Token& token : path) sum += unigram_.score(token.id);
        } else {
            sum = unigram_.single_path(word.text, word.size, sum, scratch.unigram);
        }
        put(word.text, path, writer);
        return std::fabs(sum) <= limit ? limit : -1;  // what was found now need not be the likeliest path
    }

    template <class Writer>
    void put(const uint8_t* text, const std::vector<Token>& path, Writer& writer) const {
        for (const Token& token : path) {
            if (token.id == no_id) {
                writer.unknown(text, token.size);
            } else {
                writer.known(&token.id, 1);
            }
            text += token.size;
        }
    }

    // Words and characters are looked up as they are.
    void build_texts() {
        std::vector<PieceTrie::Entry> entries;
        for (uint32_t id = 0; id < pieces_.texts.size(); ++id)
            if (pieces_.stands_in_text(id) && pieces_.kinds[id] != PieceKind::unused)
                entries.emplace_back(pieces_.texts[id], id);
        if (!entries.empty()) texts_.build(std::move(entries));
    }

    template <class Writer>
    void look_up(const uint8_t* p, const uint8_t* end, Scratch& scratch, Writer& writer) const {
        for (uint32_t steps = 0; p < end; ++steps) {
            if (steps % 4096 == 0 && scratch.is_stopped()) return;
            bool found;
            const uint8_t* next = kind_ == Kind::words ? next_word(p, end) : p + pieces_.prefix(p, end, found);
            const uint32_t size = static_cast<uint32_t>(next - p);
            const uint32_t id = texts_.empty() ? no_id : texts_.find({reinterpret_cast<const char*>(p), size});
            static_assert(PieceTrie::no_value == no_id);
            if (id == no_id)
                writer.unknown(p, size);
            else
                writer.known(&id, 1);
            p = next;
        }
    }

    // A word begins at every space mark.
    static const uint8_t* next_word(const uint8_t* p, const uint8_t* end) {
        for (p += unicode::utf8_size(*p); p < end; p += unicode::utf8_size(*p))
            if (end - p >= 3 && PieceTrie::is_space_mark(p)) break;
        return p;
    }

    Kind kind_;
    bool byte_fallback_;
    SentencePieces pieces_;
    SentenceUnigram unigram_;
    SentenceBpe bpe_;
    PieceTrie texts_;
};

}  // namespace textpipe
