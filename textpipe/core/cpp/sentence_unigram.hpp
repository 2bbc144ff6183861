// The Unigram model of sentencepiece. Enters: a stretch of a sentence that no piece reaches out of, and the score of the
// best path up to it. Leaves: the pieces of the best path and its score. Promises: the path sentencepiece 0.2.3 takes,
// which adds single-precision scores up over the whole sentence.
//
// A rounded sum depends on all that came before, so the path of a word could too. It does not where the likeliest path
// wins by more than all the rounding there can be: n additions to sums of at most m each err by n·m·2^-24 on either side.
// `limit` is the largest score before the word up to which that holds; such a word can be remembered.
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

    struct Node {
        double score, second;  // of the best and the second best path to here
        uint32_t begin, id;
    };
    struct SingleNode {
        float score;
        uint32_t begin, id;
    };
    struct Scratch {
        std::vector<uint32_t> codes, begins;  // the characters of the word
        std::vector<Node> nodes;              // one for the end of each, and one before the first
        std::vector<SingleNode> single;
        std::vector<Token> path;  // an unknown character has the id no_id
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
            largest_ = std::max(largest_, std::fabs(static_cast<double>(scores_[id])));
        }
        unknown_score_ = least - 10.0f;
        largest_ = std::max(largest_, std::fabs(static_cast<double>(unknown_score_)));
        trie_.build(entries);
        trie_.set_weights(scores_);
        trie_.set_weights(scores_);
    }

    float score(uint32_t id) const { return scores_[id]; }

    // The path into scratch.path. The limit is negative when the path has an unknown character or cannot be trusted.
    float best_path(const uint8_t* word, size_t size, Scratch& scratch) const {
        constexpr double nothing = -1e300;
        const uint32_t count = trie_.spell(word, size, scratch.codes, scratch.begins);
        if (scratch.nodes.size() <= count) scratch.nodes.resize(count + 1);
        Node* const nodes = scratch.nodes.data();
        nodes[0] = {0, nothing, 0, no_id};
        for (uint32_t i = 1; i <= count; ++i) nodes[i] = {nothing, nothing, 0, no_id};
        walk(scratch.codes.data(), count, [&](uint32_t at) { return nodes[at].score; },
             [&](uint32_t to, double until, uint32_t at, uint32_t id, float score) {
                 Node& node = nodes[to];
                 const double candidate = until + static_cast<double>(score);
                 if (candidate > node.score) {
                     node = {candidate, node.score, at, id};
                 } else if (candidate > node.second) {
                     node.second = candidate;
                 }
             });
        double margin = 1e300;
        bool known = true;
        scratch.path.clear();
        for (uint32_t to = count; to > 0; to = nodes[to].begin) {
            margin = std::min(margin, nodes[to].score - nodes[to].second);
            known &= nodes[to].id != no_id;
            scratch.path.push_back({nodes[to].id, scratch.begins[to] - scratch.begins[nodes[to].begin]});
        }
        std::reverse(scratch.path.begin(), scratch.path.end());
        if (!known) return -1;
        const double most = count * largest_;  // what the word can add
        const double limit = std::min(margin / (4 * 0x1p-24 * count), static_cast<double>(largest_sum)) - most;
        return static_cast<float>(limit * 0.999);
    }

    // The same in the arithmetic of sentencepiece, on top of `sum`; returns the sum after it.
    float single_path(const uint8_t* word, size_t size, float sum, Scratch& scratch) const {
        const uint32_t count = trie_.spell(word, size, scratch.codes, scratch.begins);
        scratch.single.assign(count + 1, SingleNode{0, no_id, no_id});
        SingleNode* const nodes = scratch.single.data();
        nodes[0].score = sum;
        uint32_t frontier = 0;
        const auto arrive = [&](uint32_t at) {
            const float offset = nodes[at].score;
            if (offset >= -largest_sum && offset <= largest_sum) return offset;
            for (uint32_t i = at; i <= frontier; ++i)
                if (i == at || nodes[i].begin != no_id) nodes[i].score -= offset;
            return 0.0f;
        };
        walk(scratch.codes.data(), count, arrive, [&](uint32_t to, float until, uint32_t at, uint32_t id, float score) {
            frontier = std::max(frontier, to);
            const float candidate = score + until;
            if (nodes[to].begin == no_id || candidate > nodes[to].score) nodes[to] = {candidate, at, id};
        });
        scratch.path.clear();
        for (uint32_t to = count; to > 0; to = nodes[to].begin)
            scratch.path.push_back({nodes[to].id, scratch.begins[to] - scratch.begins[nodes[to].begin]});
        std::reverse(scratch.path.begin(), scratch.path.end());
        return nodes[count].score;
    }

  private:
    // From each place every piece that begins there, shorter before longer; a character that is no piece last.
    template <class Arrive, class Reach>
    void walk(const uint32_t* codes, uint32_t count, Arrive&& arrive, Reach&& reach) const {
        for (uint32_t at = 0; at < count; ++at) {
            const auto until = arrive(at);
            bool alone = false;
            trie_.prefixes(codes + at, count - at, [&](size_t length, uint32_t id, float score) {
                    reach(at + static_cast<uint32_t>(length), until, at, id, score);
                    alone |= length == 1;
                });
            if (!alone) reach(at + 1, until, at, no_id, unknown_score_);
        }
    }

    PieceTrie trie_;
    std::vector<float> scores_;
    float unknown_score_ = 0;
    double largest_ = 0;
};

}  // namespace textpipe
