// The Unigram model of one word. Enters: pieces with their log-probabilities, once, and valid UTF-8. Leaves: the pieces
// of the likeliest spelling, the n likeliest, or one drawn by chance. Promises: the ids and places of `tokenizers`,
// scores added up in double precision from the left, of equal spellings the one whose last piece is longer; linear time
// for pieces of bounded length.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "model.hpp"
#include "piece_trie.hpp"
#include "unicode.hpp"

namespace textpipe {

// One piece in one place.
struct LatticeNode {
    double score = 0;
    uint32_t begin = no_id, id = 0;
};

class UnigramModel final : public Model {
  public:
    static constexpr double unknown_penalty = 10.0;

    struct Options {
        uint32_t unk_id = no_id;
        bool byte_fallback = false;
        double alpha = 0;       // 0: the likeliest spelling, always
        size_t nbest_size = 0;  // 0: draw from all spellings
    };

    struct Scratch final : Model::Scratch {
        std::vector<uint32_t> codes, begins;  // the characters of the word
        std::vector<LatticeNode> best;        // one for the end of each, and one before the first
        std::vector<Token> path;
        // The lattice: nodes in the order of their ends, and the first that ends after each character.
        std::vector<LatticeNode> nodes;
        std::vector<uint32_t> first;
        std::vector<double> weights;
    };

    explicit UnigramModel(Options options) : options_(options) {}

    // Pieces in the order of their ids; of equal ones the last is found.
    void add_piece(std::string_view piece, double score) {
        pieces_.emplace_back(piece);
        scores_.push_back(score);
        least_ = std::min(least_, score);
    }

    // The piece that spells a byte, where such pieces are not found in text by their names as all others are.
    void set_byte(uint8_t byte, uint32_t id) {
        byte_ids_[byte] = id;
        has_own_bytes_ = true;
    }

    void finish() {
        std::vector<PieceTrie::Entry> entries;
        for (uint32_t id = 0; id < pieces_.size(); ++id)
            if (!pieces_[id].empty()) entries.emplace_back(pieces_[id], id);
        trie_.build(entries);
        if (options_.byte_fallback && !has_own_bytes_) find_bytes();
        for (const std::string& piece : pieces_) sizes_.push_back(static_cast<uint32_t>(piece.size()));
        const auto forget = [&](uint32_t id) {
            if (id < sizes_.size()) sizes_[id] = 0;
        };
        forget(options_.unk_id);
        if (options_.byte_fallback)
            for (const uint32_t id : byte_ids_) forget(id);
    }

    // Unknown characters, and the bytes that spell them, have no size of their own.
    const uint32_t* sizes() const override { return sizes_.data(); }

    std::unique_ptr<Model::Scratch> make_scratch() const override { return std::make_unique<Scratch>(); }

    bool cacheable() const override { return options_.alpha == 0; }

    // Throws when there is an unknown character and no piece for such.
    void encode(const uint8_t* word, size_t size, Model::Scratch& base, std::vector<Token>& out) const override {
        Scratch& scratch = static_cast<Scratch&>(base);
        scratch.path.clear();
        if (!(cacheable() ? best_path(word, size, scratch) : draw(word, size, scratch)))
            throw std::invalid_argument("unknown character");
        spell(word, scratch.path, out);
    }

    struct Spelling {
        double score;
        std::vector<Token> tokens;
    };

    // The n likeliest spellings, likeliest first; of equal ones in the order of the best spellings of their beginnings.
    std::vector<Spelling> nbest(const uint8_t* word, size_t size, size_t count) const {
        Scratch scratch;
        std::vector<Spelling> found;
        std::vector<std::vector<Token>> paths;
        std::vector<double> scores;
        if (size == 0 || count == 0) return found;
        best_paths(word, size, count, scratch, paths, scores);
        for (size_t i = 0; i < paths.size(); ++i) {
            found.push_back({scores[i], {}});
            spell(word, paths[i], found.back().tokens);
        }
        return found;
    }

  private:
    void find_bytes() {
        char name[] = "<0x00>";
        static const char digits[] = "0123456789ABCDEF";
        for (unsigned byte = 0; byte < 256; ++byte) {
            name[3] = digits[byte >> 4];
            name[4] = digits[byte & 15];
            byte_ids_[byte] = trie_.find({name, 6});
        }
    }

    // Path: tokens as found, unknown characters one by one.
    bool best_path(const uint8_t* word, size_t size, Scratch& scratch) const {
        const uint32_t count = trie_.spell(word, size, scratch.codes, scratch.begins);
        std::vector<LatticeNode>& best = scratch.best;
        best.assign(count + 1, LatticeNode{});
        for (uint32_t at = 0; at < count; ++at) {
            const double until = best[at].score;
            bool alone = false;
            const auto reach = [&](uint32_t to, double score, uint32_t id) {
                LatticeNode& node = best[to];
                if (node.begin != no_id && !(score > node.score)) return false;
                node = {score, at, id};
                return true;
            };
            trie_.prefixes(scratch.codes.data() + at, count - at, [&](size_t length, uint32_t id) {
                reach(at + static_cast<uint32_t>(length), scores_[id] + until, id);
                alone |= length == 1;
            });
            if (!alone && reach(at + 1, least_ - unknown_penalty + until, options_.unk_id) && options_.unk_id == no_id)
                return false;
        }
        for (uint32_t to = count; to > 0; to = best[to].begin) scratch.path.push_back(token_of(best[to], to, scratch));
        std::reverse(scratch.path.begin(), scratch.path.end());
        return true;
    }

    static Token token_of(const LatticeNode& node, uint32_t to, const Scratch& scratch) {
        return {node.id, scratch.begins[to] - scratch.begins[node.begin]};
    }

    // Runs of the unknown piece become one token: the piece that reads so, its bytes, or the unknown piece.
    void spell(const uint8_t* word, const std::vector<Token>& path, std::vector<Token>& out) const {
        for (size_t i = 0; i < path.size();) {
            if (path[i].id != options_.unk_id) {
                out.push_back(path[i]);
                word += path[i++].size;
                continue;
            }
            uint32_t size = 0;
            while (i < path.size() && path[i].id == options_.unk_id) size += path[i++].size;
            spell_unknown(word, size, out);
            word += size;
        }
    }

    // Every one of the bytes stands for all of the run.
    void spell_unknown(const uint8_t* text, uint32_t size, std::vector<Token>& out) const {
        const uint32_t id = trie_.find({reinterpret_cast<const char*>(text), size});
        if (id != no_id) return out.push_back({id, size});
        bool has_bytes = options_.byte_fallback;
        for (uint32_t i = 0; has_bytes && i < size; ++i) has_bytes = byte_ids_[text[i]] != no_id;
        if (!has_bytes) return out.push_back({options_.unk_id, size});
        for (uint32_t i = 0; i < size; ++i) out.push_back({byte_ids_[text[i]], i == 0 ? size : same_place});
    }

    // All pieces in all places, by where they end: first[at] is the first node that ends there. Returns how many
    // characters there are.
    uint32_t build_lattice(const uint8_t* word, size_t size, Scratch& scratch) const {
        const uint32_t count = trie_.spell(word, size, scratch.codes, scratch.begins);
        std::vector<uint32_t>& first = scratch.first;
        std::vector<std::pair<uint32_t, LatticeNode>> found;  // where it ends, where it begins
        first.assign(count + 2, 0);
        const auto add = [&](uint32_t at, size_t length, double score, uint32_t id) {
            found.push_back({at + static_cast<uint32_t>(length), {score, at, id}});
            ++first[at + length + 1];
        };
        for (uint32_t at = 0; at < count; ++at) {
            bool alone = false;
            trie_.prefixes(scratch.codes.data() + at, count - at, [&](size_t length, uint32_t id) {
                add(at, length, scores_[id], id);
                alone |= length == 1;
            });
            if (!alone && options_.unk_id != no_id) add(at, 1, least_ - unknown_penalty, options_.unk_id);
        }
        for (size_t at = 1; at < first.size(); ++at) first[at] += first[at - 1];
        scratch.nodes.resize(found.size());
        std::vector<uint32_t> next(first.begin(), first.end());
        for (const auto& [to, node] : found) scratch.nodes[next[to]++] = node;
        return count;
    }

    // One spelling by chance: the likelihood of each to the power alpha.
    bool draw(const uint8_t* word, size_t size, Scratch& scratch) const {
        if (options_.unk_id == no_id) return false;
        if (options_.nbest_size > 0) return draw_of_best(word, size, scratch);
        const uint32_t count = build_lattice(word, size, scratch);
        std::vector<double>& weights = scratch.weights;  // of all spellings that end at a place, as a logarithm
        constexpr double nothing = -std::numeric_limits<double>::infinity();
        weights.assign(count + 1, nothing);
        weights[0] = 0;
        for (uint32_t at = 1; at <= count; ++at)
            for (uint32_t i = scratch.first[at]; i < scratch.first[at + 1]; ++i) {
                const double weight = weight_of(scratch.nodes[i], weights);
                const double most = std::max(weights[at], weight), least = std::min(weights[at], weight);
                if (most != nothing) weights[at] = most + std::log1p(std::exp(least - most));
            }
        for (uint32_t to = count; to > 0;) {
            double left = uniform(scratch);
            uint32_t chosen = scratch.first[to];
            for (uint32_t i = chosen; i < scratch.first[to + 1]; ++i) {
                const double share = std::exp(weight_of(scratch.nodes[i], weights) - weights[to]);
                if (share > 0) chosen = i;  // rounding must not leave the last of them for nothing
                left -= share;
                if (left < 0) break;
            }
            const LatticeNode& node = scratch.nodes[chosen];
            scratch.path.push_back(token_of(node, to, scratch));
            to = node.begin;
        }
        std::reverse(scratch.path.begin(), scratch.path.end());
        return true;
    }

    double weight_of(const LatticeNode& node, const std::vector<double>& weights) const {
        return weights[node.begin] + options_.alpha * node.score;
    }

    bool draw_of_best(const uint8_t* word, size_t size, Scratch& scratch) const {
        std::vector<std::vector<Token>> paths;
        std::vector<double> scores;
        best_paths(word, size, options_.nbest_size, scratch, paths, scores);
        if (paths.empty()) return true;
        double total = 0;
        const double best = scores[0];
        for (double& score : scores) total += score = std::exp(options_.alpha * (score - best));
        double left = uniform(scratch) * total;
        size_t chosen = 0;
        while (chosen + 1 < scores.size() && (left -= scores[chosen]) >= 0) ++chosen;
        scratch.path = paths[chosen];
        return true;
    }

    // The best `count` ways to each place, from the best ways to the places before it.
    void best_paths(const uint8_t* word, size_t size, size_t count, Scratch& scratch,
                    std::vector<std::vector<Token>>& paths, std::vector<double>& scores) const {
        const uint32_t length = build_lattice(word, size, scratch);
        struct Way {
            double score;
            uint32_t node, rank;  // its last piece, and which of the ways to where that begins
        };
        std::vector<std::vector<Way>> ways(length + 1);
        ways[0].push_back({0, no_id, 0});
        for (uint32_t at = 1; at <= length; ++at) {
            std::vector<Way>& here = ways[at];
            for (uint32_t i = scratch.first[at]; i < scratch.first[at + 1]; ++i) {
                const std::vector<Way>& before = ways[scratch.nodes[i].begin];
                for (uint32_t rank = 0; rank < before.size(); ++rank)
                    here.push_back({before[rank].score + scratch.nodes[i].score, i, rank});
            }
            const auto better = [](const Way& a, const Way& b) { return a.score > b.score; };
            std::stable_sort(here.begin(), here.end(), better);
            if (here.size() > count) here.resize(count);
        }
        for (const Way& last : ways[length]) {
            scores.push_back(last.score);
            paths.emplace_back();
            uint32_t to = length;
            for (const Way* way = &last; to > 0;) {
                const LatticeNode& node = scratch.nodes[way->node];
                paths.back().push_back(token_of(node, to, scratch));
                to = node.begin;
                way = &ways[to][way->rank];
            }
            std::reverse(paths.back().begin(), paths.back().end());
        }
    }

    // SplitMix64, which small seeds do not trouble: 0 to 1, without 1.
    static double uniform(Scratch& scratch) {
        return static_cast<double>(finalized(scratch.random += golden_step) >> 11) * 0x1p-53;
    }

    Options options_;
    std::vector<std::string> pieces_;
    std::vector<double> scores_;
    std::vector<uint32_t> sizes_;
    double least_ = std::numeric_limits<double>::infinity();
    PieceTrie trie_;
    uint32_t byte_ids_[256];
    bool has_own_bytes_ = false;
};

}  // namespace textpipe
