// The Unigram model of sentencepiece. Enters: a stretch of a sentence that no piece reaches out of, and the score of the
// best path up to it. Leaves: the pieces of the best path and its score. Promises: the path sentencepiece 0.2.3 takes,
// which adds single-precision scores up over the whole sentence.
//
// A rounded sum depends on all that came before, so the path of a word could too. It does not where the likeliest path
// wins by more than all the rounding there can be. sentencepiece takes sums beyond 100,000 back to zero, so they stay
// below 2^17, where an addition errs by at most 2^-8; two paths of n characters differ by at most n·2^-7 from what they
// are without rounding. As long as sums are below 2^13, which is most texts, it is n·2^-11. certain_paths() finds paths in whole numbers and says which are certain and can be
// remembered.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "certain_paths.hpp"
#include "sentence_pieces.hpp"

namespace textpipe {

class SentenceUnigram {
  public:
    // sentencepiece takes larger sums back to zero.
    static constexpr float largest_sum = 100000.0f;
    // Up to here paths may be close to each other.
    static constexpr float small_sum = 8000.0f;

    struct Node {
        float score;
        uint32_t begin, id;
    };
    struct Scratch {
        std::vector<uint32_t> codes, begins;  // the characters of the word
        std::vector<Node> nodes;              // one for the end of each, and one before the first
        std::vector<Token> path;              // an unknown character has the id no_id
        CertainPaths::Scratch certain;
    };

    void build(const SentencePieces& pieces) {
        std::vector<PieceTrie::Entry> entries;
        float least = 3.402823466e38f;
        uint32_t longest = 0;
        scores_.resize(pieces.texts.size());
        for (uint32_t id = 0; id < pieces.texts.size(); ++id) {
            const PieceKind kind = pieces.kinds[id];
            scores_[id] = kind == PieceKind::user_defined
                              ? static_cast<float>(0.1 * (static_cast<int>(pieces.texts[id].size()) - 1))
                              : pieces.scores[id];
            if (kind == PieceKind::normal || kind == PieceKind::kept_out) least = std::min(least, pieces.scores[id]);
            if (!pieces.stands_in_text(id) || kind == PieceKind::unused) continue;
            entries.emplace_back(pieces.texts[id], id);
            longest = std::max(longest, pieces.lengths[id]);
            finite_ &= std::isfinite(scores_[id]);
            largest_ = std::max(largest_, std::fabs(scores_[id]));
        }
        unknown_score_ = least - 10.0f;
        largest_ = std::max(largest_, std::fabs(unknown_score_));
        trie_.build(entries);
        if (!finite_ || most(SpelledWords::most_chars) >= largest_certain || !CertainPaths::holds(trie_)) return;
        std::vector<int32_t> units(scores_.size());
        for (uint32_t id = 0; id < scores_.size(); ++id)
            units[id] = std::fabs(scores_[id]) <= largest_ ? in_units(scores_[id]) : 0;  // others are in no path
        certain_.build(trie_, units, in_units(unknown_score_), longest);
        has_certain_ = true;
    }

    float score(uint32_t id) const { return scores_[id]; }
    float unknown_score() const { return unknown_score_; }

    // No path of so many characters has a score further from zero.
    float most(size_t count) const { return static_cast<float>(count) * largest_; }

    const PieceTrie& trie() const { return trie_; }

    // Are there paths that are certain?
    bool has_certain_paths() const { return has_certain_; }

    // The ids of the paths that are the best whatever the sum before them, as long as it is within largest_sum by what
    // the word can add, or within small_sum where others are close; none for other words. Only if has_certain_paths().
    void certain_paths(SpelledWords& words, Scratch& scratch) const {
        // In units: 2^12 n·2^-7 or 2^12 n·2^-11, and half a unit for each piece of either path.
        certain_.solve(
            words, scratch.certain, unknown_bit, [](uint32_t place) { return static_cast<int32_t>(33 * place + 2); },
            [](uint32_t place) { return static_cast<int32_t>(3 * place + 2); });
    }

    // The path in the arithmetic of sentencepiece, on top of `sum`, into scratch.path; returns the sum after it. Where the
    // work is stopped there is no path.
    float path(const uint8_t* word, size_t size, float sum, const Model::Scratch& base, Scratch& scratch) const {
        scratch.path.clear();
        const uint32_t count = trie_.spell(word, size, scratch.codes, scratch.begins);
        scratch.nodes.assign(count + 1, Node{0, no_id, no_id});
        Node* const nodes = scratch.nodes.data();
        nodes[0].score = sum;
        uint32_t frontier = 0;
        for (uint32_t at = 0; at < count; ++at) {
            if (at % 4096 == 4095 && base.is_stopped()) return sum;
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
        for (uint32_t to = count; to > 0; to = nodes[to].begin)
            scratch.path.push_back({nodes[to].id, scratch.begins[to] - scratch.begins[nodes[to].begin]});
        std::reverse(scratch.path.begin(), scratch.path.end());
        return nodes[count].score;
    }

  private:
    static_assert(PieceTrie::no_value == no_id);

    // Scores in whole numbers of 2^-12.
    static int32_t in_units(float score) { return static_cast<int32_t>(std::lround(score * 4096.0f)); }

    // Sums of a certain path stay below 2^17 with this much.
    static constexpr float largest_certain = 31000.0f;
    static_assert(largest_certain / SpelledWords::most_chars * 4096 < CertainPaths::largest_weight);

    PieceTrie trie_;
    CertainPaths certain_;
    std::vector<float> scores_;
    float unknown_score_ = 0, largest_ = 0;
    bool finite_ = true, has_certain_ = false;
};

}  // namespace textpipe
