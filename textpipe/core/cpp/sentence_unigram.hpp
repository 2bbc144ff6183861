// The Unigram model of sentencepiece. Enters: a stretch of a sentence that no piece reaches out of, and the score of the
// best path up to it. Leaves: the pieces of the best path and its score. Promises: the path sentencepiece 0.2.3 takes,
// which adds single-precision scores up over the whole sentence.
//
// A rounded sum depends on all that came before, so the path of a word could too. It does not where the likeliest path
// wins by more than all the rounding there can be. sentencepiece takes sums beyond 100,000 back to zero, so they stay
// below 2^17, where an addition errs by at most 2^-8; two paths of n characters differ by at most n·2^-7 from what they
// are without rounding. certain_path() finds paths in whole numbers and says which are certain; they can be remembered.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "sentence_pieces.hpp"

namespace textpipe {

class SentenceUnigram {
  public:
    // sentencepiece takes larger sums back to zero.
    static constexpr float largest_sum = 100000.0f;
    static constexpr uint32_t most_chars = 256;  // of a certain path

    struct Node {
        float score;
        uint32_t begin, id;
    };
    struct Scratch {
        std::vector<uint32_t> codes, begins;  // the characters of the word
        std::vector<Node> nodes;              // one for the end of each, and one before the first
        std::vector<Token> path;              // an unknown character has the id no_id
        std::vector<uint32_t> rows;
        int64_t best[most_chars + 1], second[most_chars + 1];
    };

    void build(const SentencePieces& pieces) {
        std::vector<PieceTrie::Entry> entries;
        float least = 3.402823466e38f;
        scores_.resize(pieces.texts.size());
        for (uint32_t id = 0; id < pieces.texts.size(); ++id) {
            const PieceKind kind = pieces.kinds[id];
            scores_[id] = kind == PieceKind::user_defined
                              ? static_cast<float>(0.1 * (static_cast<int>(pieces.texts[id].size()) - 1))
                              : pieces.scores[id];
            if (kind == PieceKind::normal) least = std::min(least, pieces.scores[id]);
            if (!pieces.stands_in_text(id) || kind == PieceKind::unused) continue;
            entries.emplace_back(pieces.texts[id], id);
            finite_ &= std::isfinite(scores_[id]);
            largest_ = std::max(largest_, std::fabs(scores_[id]));
        }
        unknown_score_ = least - 10.0f;
        largest_ = std::max(largest_, std::fabs(unknown_score_));
        trie_.build(entries);
        if (!has_certain_paths()) return;
        std::vector<int32_t> units(scores_.size());
        lengths_ = pieces.lengths;
        for (uint32_t id = 0; id < scores_.size(); ++id)
            units[id] = std::fabs(scores_[id]) <= largest_ ? in_units(scores_[id]) : 0;  // others are in no path
        trie_.set_weights(units, -(1 << 29));
        unknown_ = packed(in_units(unknown_score_), no_id);
    }

    float score(uint32_t id) const { return scores_[id]; }
    float unknown_score() const { return unknown_score_; }

    // No path of so many characters has a score further from zero.
    float most(size_t count) const { return static_cast<float>(count) * largest_; }

    // Are scores such that the sum of a certain path stays below 2^17?
    bool has_certain_paths() const { return finite_ && most(most_chars) < 31000.0f; }

    const PieceTrie& trie() const { return trie_; }

    // The ids of the path that is the best whatever the sum before it, as long as it is within largest_sum by what the
    // word can add; 0 where there is no such path. With unknown_bit it is the place of an unknown character. At most most_chars characters, and
    // only if has_certain_paths().
    size_t certain_path(const uint32_t* codes, uint32_t count, uint32_t* ids, Scratch& scratch) const {
        constexpr int64_t nothing = -(int64_t{1} << 62);
        if (scratch.rows.empty()) scratch.rows.resize(most_chars * most_chars);
        const uint32_t* const rows = scratch.rows.data();
        const uint32_t num_rows = trie_.walk_all(codes, count, scratch.rows.data());
        int64_t *const best = scratch.best, *const second = scratch.second;
        best[0] = 0;
        for (uint32_t to = 1; to <= count; ++to) {
            int64_t first = nothing, other = nothing;
            const auto reach = [&](uint32_t at, int64_t added) {
                const int64_t candidate = (best[at] & ~int64_t{0xFFFFFFFF}) + added;
                other = std::max(other, std::min(first, candidate));
                first = std::max(first, candidate);
            };
            for (uint32_t length = std::min(to, num_rows); length > 1; --length)
                reach(to - length, trie_.weighted(rows[(length - 1) * size_t{count} + to - length]));
            const int64_t alone = trie_.weighted(rows[to - 1]);
            reach(to - 1, static_cast<uint32_t>(alone) == no_id ? unknown_ : alone);
            best[to] = first;
            second[to] = other;
        }
        size_t begin = count;
        for (uint32_t to = count; to > 0;) {
            const uint32_t id = static_cast<uint32_t>(best[to]);
            // In units: 2^12 n·2^-7, and half a unit for each piece of either path.
            if ((best[to] >> 32) - (second[to] >> 32) <= 33 * int64_t{to} + 2) return 0;
            const uint32_t length = id == no_id ? 1 : lengths_[id];
            to -= length;
            ids[--begin] = id == no_id ? unknown_bit | to : id;
        }
        std::copy(ids + begin, ids + count, ids);
        return count - begin;
    }

    // The path in the arithmetic of sentencepiece, on top of `sum`, into scratch.path; returns the sum after it.
    float path(const uint8_t* word, size_t size, float sum, Scratch& scratch) const {
        const uint32_t count = trie_.spell(word, size, scratch.codes, scratch.begins);
        scratch.nodes.assign(count + 1, Node{0, no_id, no_id});
        Node* const nodes = scratch.nodes.data();
        nodes[0].score = sum;
        uint32_t frontier = 0;
        for (uint32_t at = 0; at < count; ++at) {
            float until = nodes[at].score;
            if (!(until >= -largest_sum && until <= largest_sum)) {
                for (uint32_t i = at; i <= frontier; ++i)
                    if (i == at || nodes[i].begin != no_id) nodes[i].score -= until;
                until = 0;
            }
            const auto reach = [&](uint32_t to, uint32_t id, float score) {
                frontier = std::max(frontier, to);
                const float candidate = score + until;
                if (nodes[to].begin == no_id || candidate > nodes[to].score) nodes[to] = {candidate, at, id};
            };
            bool alone = false;
            trie_.prefixes(scratch.codes.data() + at, count - at, [&](size_t length, uint32_t id) {
                reach(at + static_cast<uint32_t>(length), id, scores_[id]);
                alone |= length == 1;
            });
            if (!alone) reach(at + 1, no_id, unknown_score_);
        }
        scratch.path.clear();
        for (uint32_t to = count; to > 0; to = nodes[to].begin)
            scratch.path.push_back({nodes[to].id, scratch.begins[to] - scratch.begins[nodes[to].begin]});
        std::reverse(scratch.path.begin(), scratch.path.end());
        return nodes[count].score;
    }

  private:
    static_assert(PieceTrie::no_value == no_id);

    // Scores in whole numbers of 2^-12.
    static int32_t in_units(float score) { return static_cast<int32_t>(std::lround(score * 4096.0f)); }

    // A score above the id it is for: the larger of two is that of the better score.
    static int64_t packed(int32_t score, uint32_t id) {
        return static_cast<int64_t>(static_cast<uint64_t>(static_cast<uint32_t>(score)) << 32 | id);
    }

    PieceTrie trie_;
    std::vector<float> scores_;
    std::vector<uint32_t> lengths_;  // of each piece, in characters
    float unknown_score_ = 0, largest_ = 0;
    int64_t unknown_ = 0;
    bool finite_ = true;
};

}  // namespace textpipe
