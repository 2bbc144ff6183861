// The ways to cut units into pieces. Enters: a UnitStore, seed pieces with the places where they stand, and a score for each.
// Leaves: expected counts, best ways to cut, and for a piece the best way to do without it. Promises: float32 sums in the
// order in which sentencepiece 0.2.3 takes them, and its choice among equal scores; memory is fixed once built, and forgets
// pieces that are dropped.
//
// The pieces that begin at each place are found once, from the sorted suffixes that gave the seeds; no trie is searched. In
// forward and backward sums all nodes that begin (or end) at one place have one value, which is computed once.
//
// Complexity: O(nodes) a pass; four bytes a node and eight a character.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <queue>
#include <stdexcept>
#include <vector>

#include "suffix_pieces.hpp"
#include "unigram_trainer_math.hpp"

namespace textpipe::unigram {

constexpr unsigned length_bits = 9;  // of a node: its length less one
constexpr uint32_t length_mask = (1u << length_bits) - 1;
constexpr uint32_t most_pieces = uint32_t{1} << (32 - length_bits);
constexpr float unknown_penalty = 10.0f;
constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

struct Piece {
    uint32_t place;   // where it stands in the store's characters; of a single character, its number
    uint32_t length;  // in characters
};

// A step of a path that is being built from its right end; `next` is the step to its right.
struct Hypothesis {
    uint32_t node, next;
    float score, so_far;  // of the best whole path through here, and of the steps up to here
};

struct LatticeNode {
    uint32_t begin, end, id;
    float score, best;  // best: the score of the best path up to its end
};

// What one thread needs.
struct LatticeSpace {
    std::vector<float> forward, backward;
    std::vector<LatticeNode> nodes;
    std::vector<std::vector<uint32_t>> ending;  // nodes by where they end
    std::vector<Hypothesis> hypotheses, kept;
    std::vector<uint32_t> path;
};

class Lattices {
public:
    // Piece i < num_characters is the character of that number; the store's characters are renamed so. Others follow.
    Lattices(UnitStore& store, const SuffixPieces& seeds, const std::vector<uint32_t>& new_ids, size_t num_characters, Crew& crew)
        : store_(store), crew_(crew), num_characters_(num_characters) {
        if (num_characters + seeds.pieces.size() >= most_pieces) throw std::overflow_error("there are too many seed pieces");
        for (uint32_t& c : store_.chars) c = new_ids[c];
        for (uint32_t c = 0; c < num_characters; ++c) pieces_.push_back({c, 1});
        for (const Recurring& seed : seeds.pieces) {
            pieces_.push_back({seeds.places[seed.first], seed.length});
            longest_ = std::max<uint32_t>(longest_, seed.length);
        }
        list_nodes(seeds);
    }

    size_t num_pieces() const { return pieces_.size(); }
    const Piece& piece(size_t id) const { return pieces_[id]; }
    const std::vector<float>& scores() const { return scores_; }

    // Know exactly these pieces from now on, by these scores, and number them in this order.
    void keep(const std::vector<uint32_t>& ids, std::vector<float> scores) {
        std::vector<uint32_t> new_ids(pieces_.size(), nobody);
        std::vector<Piece> pieces;
        pieces.reserve(ids.size());
        for (const uint32_t id : ids) {
            new_ids[id] = static_cast<uint32_t>(pieces.size());
            pieces.push_back(pieces_[id]);
        }
        pieces_.swap(pieces);
        scores_ = std::move(scores);
        const float unknown = *std::min_element(scores_.begin(), scores_.end()) - unknown_penalty;
        characters_.assign(num_characters_ + 1, {unknown, 0, false});
        for (uint32_t id = 0; id < pieces_.size(); ++id)
            if (pieces_[id].length == 1) characters_[pieces_[id].place] = {scores_[id], id, true};
        rename_nodes(new_ids);
    }

    // Ask for what a visit of the unit will read and write.
    void prefetch(uint32_t unit, const float* sums) const {
        if (unit >= store_.num_units()) return;
        const uint32_t end = node_begins_[store_.ends[unit]];
        for (uint32_t n = node_begins_[store_.begins[unit]]; n < end; ++n) {
            words::prefetch(&scores_[id_of(nodes_[n])]);
            words::prefetch(&sums[id_of(nodes_[n])]);
        }
    }

    // Add the expected number of uses of each piece in a unit to `sums`.
    void expect(uint32_t unit, LatticeSpace& space, float* sums) const {
        const uint32_t begin = store_.begins[unit], size = store_.ends[unit] - begin;
        const uint32_t *chars = store_.chars.data() + begin, *starts = node_begins_.data() + begin;
        space.forward.assign(size + 1, minus_infinity);
        space.backward.resize(size + 1);
        float *forward = space.forward.data(), *backward = space.backward.data();
        forward[0] = 0;
        backward[size] = 0;
        // Each step waits for the one before it; the two directions do not wait for each other.
        for (uint32_t from = 0, to = size; from < size; ++from) {
            if (from % chars_a_check == chars_a_check - 1) crew_.check();
            const float here = forward[from];
            forward[from + 1] = log_sum_exp(forward[from + 1], characters_[chars[from]].score + here);
            for (uint32_t n = starts[from]; n < starts[from + 1]; ++n) {
                float& there = forward[from + length_of(nodes_[n])];
                there = log_sum_exp(there, scores_[id_of(nodes_[n])] + here);
            }
            const Character& c = characters_[chars[--to]];
            const float single = c.score + backward[to + 1];
            float sum = c.is_known ? single : minus_infinity;
            for (uint32_t n = starts[to]; n < starts[to + 1]; ++n)
                sum = log_sum_exp(sum, scores_[id_of(nodes_[n])] + backward[to + length_of(nodes_[n])]);
            backward[to] = c.is_known ? sum : log_sum_exp(sum, single);
        }
        const float whole = forward[size];
        const auto weight = static_cast<double>(static_cast<float>(store_.counts[unit]));
        for (uint32_t at = 0; at < size; ++at) {
            const Character& c = characters_[chars[at]];
            const float single = forward[at] + c.score + backward[at + 1] - whole;
            if (c.is_known) add_exp(sums[c.id], weight, single);
            for (uint32_t n = starts[at]; n < starts[at + 1]; ++n) {
                const uint32_t id = id_of(nodes_[n]);
                add_exp(sums[id], weight, forward[at] + scores_[id] + backward[at + length_of(nodes_[n])] - whole);
            }
            if (!c.is_known) add_exp(sums[c.id], weight, single);
        }
    }

    // Add the unit's count to `sums` for each piece of the best way to cut it.
    void count_best(uint32_t unit, LatticeSpace& space, float* sums) const {
        const uint32_t begin = store_.begins[unit], size = store_.ends[unit] - begin;
        find_best(begin, size, nobody, space);
        const auto weight = static_cast<float>(store_.counts[unit]);
        float score = 0;
        for (uint32_t at = size; at > 0;) {
            const Node node = choose(begin, at, score, space);
            sums[node.id] += weight;
            score = node.score;
            at = node.begin;
        }
    }

    // Is there a way to cut a piece into others that scores better than the piece?
    bool is_outdone(uint32_t id, LatticeSpace& space) const {
        if (pieces_[id].length == 1) return false;
        find_best(pieces_[id].place, pieces_[id].length, id, space);
        return space.forward[pieces_[id].length] > scores_[id];
    }

    enum class Need { alone, outdone, replaceable };

    // What becomes of a piece's text without it: nothing else (alone), it is not the best way anyhow (outdone), or the pieces
    // in space.path stand for it. Found as the two best paths by A* from the right.
    Need replace(uint32_t id, LatticeSpace& space) const {
        if (pieces_[id].length == 1) return Need::alone;
        list_piece_nodes(id, space);
        const uint32_t size = pieces_[id].length;
        Agenda agenda{IsWorse{&space.hypotheses}};
        space.hypotheses.assign(1, {end_of_text, nobody, space.forward[size], 0.0f});
        agenda.push(0);
        size_t most = most_hypotheses, total = 1, num_shrinks = 0;
        bool is_split = false, is_second = false;
        while (!agenda.empty()) {
            const Hypothesis top = space.hypotheses[agenda.top()];
            const uint32_t index = agenda.top();
            agenda.pop();
            if (top.node == begin_of_text) {
                read_path(top.next, space);
                if (is_second) return is_split ? Need::outdone : Need::replaceable;
                is_second = true;
                is_split = space.path.size() > 1;
                if (is_split && size <= surely_searchable) return Need::outdone;
                continue;
            }
            const auto& before = space.ending[top.node == end_of_text ? size : space.nodes[top.node].begin];
            for (const uint32_t node : before) {
                const bool is_begin = node == begin_of_text;
                const float score = is_begin ? 0.0f : space.nodes[node].score, best = is_begin ? 0.0f : space.nodes[node].best;
                space.hypotheses.push_back({node, index, best + top.so_far, score + top.so_far});
                agenda.push(static_cast<uint32_t>(space.hypotheses.size() - 1));
            }
            total += before.size();
            if (total >= most_in_all || space.hypotheses.size() >= most_in_all) return Need::alone;
            if (agenda.size() < most_waiting && (agenda.size() <= few_waiting || space.hypotheses.size() < most)) continue;
            if (num_shrinks++ >= most_shrinks) return Need::alone;
            shrink(agenda, space);
            most = space.hypotheses.size() + most_hypotheses;
        }
        return Need::alone;
    }

private:
    static constexpr uint32_t nobody = std::numeric_limits<uint32_t>::max();
    static constexpr uint32_t chars_a_check = 1u << 16;  // a unit may be very long

    struct Character {
        float score;
        uint32_t id;  // where it is no piece, the one that is charged with it: the first
        bool is_known;
    };
    using Node = LatticeNode;

    static uint32_t id_of(uint32_t node) { return node >> length_bits; }
    static uint32_t length_of(uint32_t node) { return (node & length_mask) + 1; }

    void list_nodes(const SuffixPieces& seeds) {
        std::vector<std::vector<uint32_t>> of_bucket(seeds.bucket_ends.size());
        for (uint32_t i = 0; i < seeds.pieces.size(); ++i) {
            const auto bucket = std::upper_bound(seeds.bucket_ends.begin(), seeds.bucket_ends.end(), seeds.pieces[i].first);
            of_bucket[static_cast<size_t>(bucket - seeds.bucket_ends.begin())].push_back(i);
        }
        std::vector<uint64_t> num_nodes(of_bucket.size(), 0);
        node_begins_.assign(store_.chars.size() + 1, 0);
        crew_.run(of_bucket.size(), [&](size_t bucket, size_t) {
            auto& some = of_bucket[bucket];
            std::sort(some.begin(), some.end(), [&](uint32_t x, uint32_t y) {
                const Recurring &a = seeds.pieces[x], &b = seeds.pieces[y];
                return a.length != b.length ? a.length < b.length : a.first < b.first;
            });
            for (const uint32_t i : some) {
                const Recurring& seed = seeds.pieces[i];
                crew_.check();
                for (uint32_t k = seed.first; k < seed.last; ++k) ++node_begins_[seeds.places[k]];
                num_nodes[bucket] += seed.last - seed.first;
            }
        });
        uint64_t total = 0;
        for (const uint64_t some : num_nodes) total += some;
        if (total > std::numeric_limits<uint32_t>::max()) throw std::overflow_error("the lattices hold more than four billion nodes");
        uint32_t next = 0;
        for (uint32_t& begin : node_begins_) {
            const uint32_t size = begin;
            begin = next;
            next += size;
        }
        nodes_.resize(total);
        crew_.run(of_bucket.size(), [&](size_t bucket, size_t) {
            for (const uint32_t i : of_bucket[bucket]) {
                crew_.check();
                const Recurring& seed = seeds.pieces[i];
                const auto node = static_cast<uint32_t>((i + num_characters_) << length_bits | (seed.length - 1u));
                for (uint32_t k = seed.first; k < seed.last; ++k) nodes_[node_begins_[seeds.places[k]]++] = node;
            }
        });
        // Each begin has moved to its end, where the next one is.
        for (size_t i = node_begins_.size(); i-- > 1;) node_begins_[i] = node_begins_[i - 1];
        node_begins_[0] = 0;
    }

    // Give the nodes their new ids, and close the gaps of those that have none, stripe by stripe; a stripe keeps where its
    // first node is.
    void rename_nodes(const std::vector<uint32_t>& new_ids) {
        crew_.run(store_.num_stripes(), [&](size_t stripe, size_t) {
            const uint32_t first = store_.stripes[stripe], last = store_.stripes[stripe + 1];
            if (first == last) return;
            const uint32_t begin = store_.begins[first], end = store_.ends[last - 1];
            uint32_t from = node_begins_[begin], to = from;
            for (uint32_t at = begin; at < end; ++at) {
                const uint32_t stop = node_begins_[at + 1];
                for (; from < stop; ++from) {
                    const uint32_t id = new_ids[id_of(nodes_[from])];
                    if (id != nobody) nodes_[to++] = id << length_bits | (nodes_[from] & length_mask);
                }
                node_begins_[at + 1] = to;
            }
        });
    }

    // space.forward[i]: the score of the best way to cut the first i characters, not using one piece.
    void find_best(uint32_t begin, uint32_t size, uint32_t without, LatticeSpace& space) const {
        space.forward.assign(size + 1, minus_infinity);
        float* best = space.forward.data();
        best[0] = 0;
        for (uint32_t at = 0; at < size; ++at) {
            if (at % chars_a_check == chars_a_check - 1) crew_.check();
            const float here = best[at];
            best[at + 1] = std::max(best[at + 1], here + characters_[store_.chars[begin + at]].score);
            for (uint32_t n = node_begins_[begin + at]; n < node_begins_[begin + at + 1]; ++n) {
                const uint32_t length = length_of(nodes_[n]), id = id_of(nodes_[n]);
                if (length > size - at) break;
                if (id != without) best[at + length] = std::max(best[at + length], here + scores_[id]);
            }
        }
    }

    // The node before one of this score that begins at `at`: of those that make its sum largest, the first to begin.
    Node choose(uint32_t begin, uint32_t at, float score, const LatticeSpace& space) const {
        const float* best = space.forward.data();
        const float wanted = best[at] + score;
        for (uint32_t from = at - std::min(at, longest_); from + 1 < at; ++from) {
            const uint32_t length = at - from;
            for (uint32_t n = node_begins_[begin + from]; n < node_begins_[begin + from + 1]; ++n) {
                if (length_of(nodes_[n]) < length) continue;
                const uint32_t id = id_of(nodes_[n]);
                if (length_of(nodes_[n]) == length && best[from] + scores_[id] + score == wanted)
                    return {from, at, id, scores_[id], 0};
                break;
            }
        }
        const Character& c = characters_[store_.chars[begin + at - 1]];
        return {at - 1, at, c.id, c.score, 0};
    }

    struct IsWorse {
        const std::vector<Hypothesis>* hypotheses;
        bool operator()(uint32_t x, uint32_t y) const { return (*hypotheses)[x].score < (*hypotheses)[y].score; }
    };
    using Agenda = std::priority_queue<uint32_t, std::vector<uint32_t>, IsWorse>;

    // Bounds of the search, as in sentencepiece 0.2.3. No piece as short as this can meet them.
    static constexpr size_t most_waiting = 10000, few_waiting = 20, most_hypotheses = 100000, most_in_all = 500000;
    static constexpr size_t most_shrinks = 10;
    static constexpr uint32_t surely_searchable = 10;
    static constexpr uint32_t end_of_text = nobody - 1, begin_of_text = nobody - 2;

    // The nodes within a piece, by where they end, and the best scores up to them.
    void list_piece_nodes(uint32_t id, LatticeSpace& space) const {
        const uint32_t begin = pieces_[id].place, size = pieces_[id].length;
        find_best(begin, size, nobody, space);
        if (space.ending.size() <= size) space.ending.resize(size + 1);
        for (uint32_t at = 0; at <= size; ++at) space.ending[at].clear();
        space.ending[0].push_back(begin_of_text);
        space.nodes.clear();
        const auto add = [&](uint32_t at, uint32_t length, uint32_t piece, float score) {
            space.ending[at + length].push_back(static_cast<uint32_t>(space.nodes.size()));
            space.nodes.push_back({at, at + length, piece, score, space.forward[at] + score});
        };
        for (uint32_t at = 0; at < size; ++at) {
            const Character& c = characters_[store_.chars[begin + at]];
            add(at, 1, c.id, c.score);
            for (uint32_t n = node_begins_[begin + at]; n < node_begins_[begin + at + 1]; ++n) {
                if (length_of(nodes_[n]) > size - at) break;
                add(at, length_of(nodes_[n]), id_of(nodes_[n]), scores_[id_of(nodes_[n])]);
            }
        }
    }

    static void read_path(uint32_t hypothesis, LatticeSpace& space) {
        space.path.clear();
        for (; space.hypotheses[hypothesis].next != nobody; hypothesis = space.hypotheses[hypothesis].next)
            space.path.push_back(space.nodes[space.hypotheses[hypothesis].node].id);
    }

    // Keep the best of the agenda, and of the hypotheses those on their paths.
    static void shrink(Agenda& agenda, LatticeSpace& space) {
        space.kept.clear();
        std::vector<uint32_t> moved(space.hypotheses.size(), nobody), tops;
        for (; tops.size() < few_waiting && !agenda.empty(); agenda.pop()) {
            tops.push_back(agenda.top());
            for (uint32_t h = agenda.top(); h != nobody && moved[h] == nobody; h = space.hypotheses[h].next) {
                moved[h] = static_cast<uint32_t>(space.kept.size());
                space.kept.push_back(space.hypotheses[h]);
            }
        }
        for (Hypothesis& h : space.kept)
            if (h.next != nobody) h.next = moved[h.next];
        space.hypotheses.swap(space.kept);
        Agenda smaller{IsWorse{&space.hypotheses}};
        for (const uint32_t top : tops) smaller.push(moved[top]);
        agenda = std::move(smaller);
    }

    UnitStore& store_;
    Crew& crew_;
    size_t num_characters_;
    uint32_t longest_ = 1;
    std::vector<Piece> pieces_;
    std::vector<float> scores_;
    std::vector<Character> characters_;
    std::vector<uint32_t> node_begins_, nodes_;
};

}  // namespace textpipe::unigram
