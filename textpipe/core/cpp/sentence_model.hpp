// A sentencepiece model: unigram, BPE, words or characters. Enters: a sentence as sentencepiece has normalized it.
// Leaves: its pieces. Promises: those of sentencepiece 0.2.3, single-precision sums and ties included.
//
// Sentences are cut where no piece reaches across, which is before every space mark in the usual model. Words that are
// remembered are the matter of raw_sentences.hpp.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "model.hpp"
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
        SentenceUnigram::Scratch unigram;
        SentenceBpe::Scratch bpe;
    };

    std::unique_ptr<Model::Scratch> make_scratch() const override { return std::make_unique<Scratch>(); }

    void encode(const uint8_t* text, size_t size, Model::Scratch& scratch, std::vector<Token>& out) const override {
        TokenWriter writer{*this, out};
        float sum = 0;
        run(text, size, sum, static_cast<Scratch&>(scratch), writer);
    }

    void encode_ids(const uint8_t* text, size_t size, Model::Scratch& base, std::vector<uint32_t>& out) const override {
        Scratch& scratch = static_cast<Scratch&>(base);
        float sum = 0;
        scratch.tokens.clear();
        TokenWriter writer{*this, scratch.tokens};
        run(text, size, sum, scratch, writer);
        for (const Token& token : scratch.tokens) out.push_back(token.id);
    }

    // Call take(id) for the pieces of a part of a sentence that no piece reaches out of, and for each unknown character,
    // with unknown_bit; `sum` is the score of the best
    // path to where it begins, and then to where it ends.
    template <class Take>
    void encode_part(const uint8_t* text, size_t size, float& sum, Scratch& scratch, Take&& take) const {
        PartWriter<Take> writer{take};
        run(text, size, sum, scratch, writer);
    }

    // Append the ids of all parts.
    void put_together(const uint32_t* ids, size_t count, std::vector<uint32_t>& out) const {
        if (!has_unknown(ids, count)) return void(out.insert(out.end(), ids, ids + count));
        put_together(ids, count, [&](uint32_t id, size_t, bool is_more) {
            if (!is_more) out.push_back(id);
        });
    }

    // The same with the places of the parts.
    void put_together(const uint32_t* ids, const uint32_t* begins, const uint32_t* ends, size_t count,
                      Spans& out) const {
        if (!has_unknown(ids, count)) {
            out.ids.append(ids, count);
            out.begins.append(begins, count);
            out.ends.append(ends, count);
            return;
        }
        put_together(ids, count, [&](uint32_t id, size_t i, bool is_more) {
            if (is_more)
                out.ends.room(0)[-1] = ends[i];
            else
                out.push_back(id, {begins[i], ends[i]});
        });
    }

    // What a part's id adds to the sum.
    float score(uint32_t id) const { return id & unknown_bit ? unigram_.unknown_score() : unigram_.score(id); }

    // Can words be taken for themselves, each with the mark before it? The mark alone is a piece then, and what is
    // unknown in one word does not go on in the next.
    bool has_words() const {
        return (kind_ == Kind::unigram ? unigram_.has_certain_paths() : kind_ == Kind::bpe) &&
               pieces_.texts.size() <= unknown_bit && trie().num_codes() <= 1 << 16 &&
               pieces_.joints.is_before_marks() && trie().find(space_mark) != no_id;
    }

    // Pieces by the numbers of their characters.
    const PieceTrie& trie() const { return kind_ == Kind::bpe ? bpe_.trie() : unigram_.trie(); }

    // The ids of words that have them in every sentence; none for other words. An unknown character has its number with
    // unknown_bit. Only if has_words().
    void encode_words(SpelledWords& words, Scratch& scratch) const {
        if (kind_ == Kind::unigram) return unigram_.certain_paths(words, scratch.unigram);
        for (size_t i = 0; i < words.count(); ++i) bpe_.join(words, i);
    }

    const SentencePieces& pieces() const { return pieces_; }
    bool is_summed() const { return kind_ == Kind::unigram; }
    const SentenceUnigram& unigram() const { return unigram_; }

  private:
    static bool has_unknown(const uint32_t* ids, size_t count) {
        uint32_t all = 0;
        for (size_t i = 0; i < count; ++i) all |= ids[i];
        return all & unknown_bit;
    }

    // Call take(id, number, is_more) for what each part becomes; is_more where it goes into the token before it.
    template <class Take>
    void put_together(const uint32_t* ids, size_t count, Take&& take) const {
        bool was_unknown = false;
        for (size_t i = 0; i < count; ++i) {
            const bool is_unknown = ids[i] & unknown_bit;
            if (!is_unknown) {
                take(ids[i], i, false);
            } else if (byte_fallback_) {
                uint8_t bytes[4];
                const uint8_t* const end = unicode::encode(ids[i] ^ unknown_bit, bytes);
                for (const uint8_t* p = bytes; p < end; ++p) take(pieces_.byte_ids[*p], i, false);
            } else {
                take(pieces_.unk_id, i, was_unknown);
            }
            was_unknown = is_unknown;
        }
    }

    // Runs of unknown characters are one token, unless they have bytes.
    struct TokenWriter {
        const SentenceModel& model;
        std::vector<Token>& out;
        bool was_unknown = false;

        void known(uint32_t id, uint32_t size) {
            out.push_back({id, size});
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

    template <class Take>
    struct PartWriter {
        Take& take;

        void known(uint32_t id, uint32_t) { take(id); }
        void unknown(const uint8_t* text, uint32_t size) {
            for (const uint8_t* p = text; p < text + size;) {
                unsigned length;
                take(unknown_bit | unicode::decode(p, length));
                p += length;
            }
        }
    };

    template <class Writer>
    void run(const uint8_t* text, size_t size, float& sum, Scratch& scratch, Writer& writer) const {
        const uint8_t* const end = text + size;
        if (kind_ == Kind::words || kind_ == Kind::characters) return look_up(text, end, scratch, writer);
        while (text < end && !scratch.is_stopped()) {
            const uint8_t* const next = pieces_.joints.next(text, end);
            const size_t length = static_cast<size_t>(next - text);
            if (kind_ == Kind::bpe)
                bpe_.encode(text, length, scratch, scratch.bpe);
            else
                sum = unigram_.path(text, length, sum, scratch, scratch.unigram);
            for (const Token& token : kind_ == Kind::bpe ? scratch.bpe.path : scratch.unigram.path) {
                token.id == no_id ? writer.unknown(text, token.size) : writer.known(token.id, token.size);
                text += token.size;
            }
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
                writer.known(id, size);
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
