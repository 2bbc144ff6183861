// Cuts text into words, step by step. Enters: normalized text. Leaves: the words, in order, and the text they lie in,
// which steps may have rewritten. Promises: linear in the text for each step; the words of the last step come in batches
// that stay in the nearest cache.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "machine.hpp"
#include "steps.hpp"
#include "stopping.hpp"

namespace textpipe {

class Cutting {
  public:
    // The text before the last cut, and the pieces of it that the last cut works on.
    struct Pieces {
        const uint8_t* text;
        size_t size;
        const Origin* origins;            // one a byte, or null
        const std::vector<Piece>* places; // null for the whole text
    };

    // What one thread needs meanwhile.
    struct Scratch {
        std::string texts[2];
        std::vector<Origin> origins[2];
        std::vector<Piece> places[2];
    };

    void add(Step step) {
        if (step.rewrite && step.rewrite->looks_at_start()) {
            looks_at_start_ = true;
            follows_rewriting_ = follows_rewriting_ || rewrites_;
        }
        rewrites_ = rewrites_ || step.rewrite != nullptr;
        if (last_) steps_.push_back({nullptr, std::move(last_)});
        last_ = nullptr;
        if (step.cut)
            last_ = std::move(step.cut);
        else
            steps_.push_back(std::move(step));
    }

    // May a step rewrite the text?
    bool rewrites() const { return rewrites_; }

    // Is a text cut at every seam, and otherwise as its parts by themselves? The first cut decides: what comes after it
    // works on its pieces.
    bool keeps_seams() const {
        if (looks_at_start_) return false;
        if (steps_.empty()) return last_ != nullptr && last_->keeps_seams();
        return steps_.front().cut != nullptr && steps_.front().cut->keeps_seams();
    }

    // Must the steps know which pieces begin where the document does? Only origins tell where the text was normalized,
    // or where steps before those that ask rewrote it.
    bool needs_origins(bool normalized) const { return looks_at_start_ && (normalized || follows_rewriting_); }

    // The cutting that does to every line of a text, its newline with it, what this one does to a text. False where there
    // is none.
    bool by_lines(Cutting& lines) const {
        CutPointer last = steps_.empty() && last_ ? last_->by_lines() : nullptr;
        lines.last_ = std::move(last);
        return lines.last_ != nullptr;
    }

    // All steps before the last cut. The result points into the text or into the scratch.
    Pieces prepare(const uint8_t* text, size_t size, bool at_start, const Origin* origins, Scratch& scratch) const {
        Pieces pieces{text, size, origins, nullptr};
        size_t turn = 0, place_turn = 0;
        for (const Step& step : steps_) {
            std::vector<Piece>& places = scratch.places[place_turn];
            if (step.cut) {
                places.clear();
                each_piece(pieces, [&](Piece piece) {
                    each_word(*step.cut, pieces.text + piece.begin, piece.end - piece.begin, [&](Piece word) {
                        places.push_back({piece.begin + word.begin, piece.begin + word.end});
                    });
                });
            } else if (is_unchanged(*step.rewrite, pieces, at_start)) {
                continue;
            } else {
                rewrite(*step.rewrite, pieces, at_start, scratch.texts[turn], scratch.origins[turn], places);
                turn = 1 - turn;
                if (pieces.places == nullptr) continue;
            }
            pieces.places = &places;
            place_turn = 1 - place_turn;
        }
        return pieces;
    }

    // Call take(text, words, count) for runs of words, which are places in the text; at most batch_words of them. It ends
    // early where take returns false.
    template <class Take>
    void batches(const Pieces& pieces, Take&& take) const {
        Piece words[batch_words];
        bool more = true;
        if (!last_) {
            size_t count = 0;
            each_piece(pieces, [&](Piece piece) {
                words[count++] = piece;
                if (count == batch_words && more) more = take(pieces.text, words, count);
                count %= batch_words;
            });
            if (count != 0 && more) take(pieces.text, words, count);
            return;
        }
        each_piece(pieces, [&](Piece piece) {
            const uint8_t* text = pieces.text + piece.begin;
            const size_t size = piece.end - piece.begin;
            for (size_t at = 0; at < size && more;) {
                ask_for(text, size, at);
                if (const size_t count = last_->cut(text, size, at, words, batch_words)) more = take(text, words, count);
            }
        });
    }

    static constexpr size_t batch_words = 256;

  private:
    // The memory of the text that the next batches lie in: what a batch looks up in between keeps the machine from seeing
    // that the text is read from one end to the other.
    static TEXTPIPE_INLINE void ask_for(const uint8_t* text, size_t size, size_t at) {
        for (size_t ahead = at + 1024; ahead < std::min(at + 2560, size); ahead += 64) __builtin_prefetch(text + ahead);
    }

    template <class Visit>
    static void each_piece(const Pieces& pieces, Visit&& visit) {
        if (pieces.places != nullptr) {
            for (const Piece piece : *pieces.places) visit(piece);
        } else if (pieces.size != 0) {
            visit(Piece{0, static_cast<uint32_t>(pieces.size)});
        }
    }

    template <class Visit>
    static void each_word(const CutStep& step, const uint8_t* text, size_t size, Visit&& visit) {
        Piece words[batch_words];
        for (size_t at = 0; at < size;) {
            Stopping::look();
            const size_t count = step.cut(text, size, at, words, batch_words);
            for (size_t i = 0; i < count; ++i) visit(words[i]);
        }
    }

    // Does the piece begin with the first character of the document? What was dropped before it counts.
    static bool is_first(const Pieces& pieces, Piece piece, bool at_start) {
        if (pieces.origins != nullptr) return pieces.origins[piece.begin].begin == 0;
        return at_start && piece.begin == 0;
    }

    static bool is_unchanged(const RewriteStep& step, const Pieces& pieces, bool at_start) {
        bool unchanged = true;
        each_piece(pieces, [&](Piece piece) {
            unchanged = unchanged && step.is_unchanged(pieces.text + piece.begin, piece.end - piece.begin,
                                                       is_first(pieces, piece, at_start));
        });
        return unchanged;
    }

    // Rewrite every piece into `text`; a piece that is empty then is gone.
    static void rewrite(const RewriteStep& step, Pieces& pieces, bool at_start, std::string& text,
                        std::vector<Origin>& origins, std::vector<Piece>& places) {
        text.clear();
        origins.clear();
        places.clear();
        Turns turns;
        each_piece(pieces, [&](Piece piece) {
            turns.next();
            const uint32_t begin = static_cast<uint32_t>(text.size());
            const Origin* from = pieces.origins != nullptr ? pieces.origins + piece.begin : nullptr;
            step.run(pieces.text + piece.begin, piece.end - piece.begin, is_first(pieces, piece, at_start), text, from,
                     from != nullptr ? &origins : nullptr);
            if (text.size() > begin) places.push_back({begin, static_cast<uint32_t>(text.size())});
        });
        pieces.text = reinterpret_cast<const uint8_t*>(text.data());
        pieces.size = text.size();
        if (pieces.origins != nullptr) pieces.origins = origins.data();
    }

    std::vector<Step> steps_;  // all but the last cut
    CutPointer last_;
    bool looks_at_start_ = false, follows_rewriting_ = false, rewrites_ = false;
};

}  // namespace textpipe
