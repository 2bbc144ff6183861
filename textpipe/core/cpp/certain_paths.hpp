// The likeliest spellings of many words at once, in whole numbers. Enters: pieces with weights, once, and then runs of
// words. Leaves: the pieces of each word's best path, or nothing where the second best comes too near. Promises: exact
// in integers; time linear in characters for pieces of bounded length; the same from every function here.
//
// All pieces are found in steps, one character further each, for all beginnings of all words of a run: how far a piece
// goes is as good as chance, so that a branch on it would be foretold wrongly for every other character, and the waits
// for one node after the other would not overlap. What goes on no further is left out of the next step without a branch.
// Then the best sum of every place follows from those before it; which piece made it, and how near another came, is
// looked at on the best path alone.
//
// A node is eight bytes: its character, the base of its children and its weight. A child by a character lies at the base
// xor that; as no other node has this base, it is a child if it has the character. Sums go on from word to word: no piece
// reaches across the end of one, and only differences count.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "machine.hpp"
#include "model.hpp"
#include "piece_trie.hpp"
#include "spelled_words.hpp"

namespace textpipe {

class CertainPaths {
  public:
    // The weight of no piece. All others, a character of a run each, are so small that a path with this one is no best.
    static constexpr int32_t nothing = -(1 << 23), largest_weight = 1 << 19;
    static_assert(int64_t{largest_weight} * SpelledWords::capacity <= 1 << 30);

    static constexpr uint32_t lanes = 8;  // so many more places may be written

    // A row for each length of a piece: of the pieces that end at a place, their weights and nodes.
    struct Scratch {
        std::vector<int32_t> weights;
        std::vector<uint32_t> nodes;
        int32_t best[SpelledWords::capacity];     // the best sum of what ends at a place
        uint32_t near[SpelledWords::capacity];    // a bit for each length of the short ones that come near to it
        uint64_t longer[SpelledWords::capacity];  // a bit for each length of the long pieces that end there
        uint32_t bases[SpelledWords::capacity + lanes], places[SpelledWords::capacity + lanes];  // of what goes on
    };

    // Can pieces of so many nodes be laid out here?
    static bool holds(const PieceTrie& trie) {
        return trie.num_units() + 2 * trie.num_codes() < size_t{1} << base_bits && trie.num_codes() <= 1 << code_bits;
    }

    // Weights of the pieces by their ids, at most largest_weight; of a character that is no piece `unknown`. No piece has
    // more than `longest` characters.
    void build(const PieceTrie& trie, const std::vector<int32_t>& weights, int32_t unknown, uint32_t longest) {
        num_rows_ = std::min(std::max(longest, num_short), most_length);
        const auto size = static_cast<uint32_t>(trie.num_units());
        std::vector<bool> has_children(size), is_base(size + trie.num_codes() + 1);
        for (uint32_t node = 0; node < size; ++node)
            if (trie.is_child(node)) has_children[trie.parent(node)] = is_base[trie.base(trie.parent(node))] = true;
        dead_ = static_cast<uint32_t>(std::find(is_base.begin(), is_base.end(), false) - is_base.begin());
        nodes_.resize(size + trie.num_codes());  // dead_ may lie behind all others
        ids_.assign(nodes_.size(), no_id);
        for (uint32_t node = 0; node < nodes_.size(); ++node) nodes_[node] = {free_code(node, is_base), dead_, nothing};
        for (uint32_t node = 0; node < size; ++node) {
            if (!trie.is_child(node)) continue;
            const uint32_t id = ids_[node] = trie.value(node), base = trie.base(trie.parent(node));
            nodes_[node] = {node ^ base, has_children[node] ? trie.base(node) : dead_, id != no_id ? weights[id] : nothing};
        }
        start_bases_.assign(trie.num_codes(), dead_);
        start_weights_.assign(trie.num_codes(), unknown);
        start_ids_.assign(trie.num_codes(), no_id);
        for (uint32_t code = 1; code < trie.num_codes(); ++code) {
            const uint32_t node = trie.step(PieceTrie::root, code);
            if (node == PieceTrie::no_node) continue;
            start_bases_[code] = nodes_[node].base();
            start_ids_[code] = ids_[node];
            if (ids_[node] != no_id) start_weights_[code] = nodes_[node].weight();
        }
    }

    // Find the ids of all words, none for a word whose best path does not win by more than least_margin(place) at every
    // place it comes to; where it does not by margin(place), another is close. An unknown character has its number with
    // `unknown_bit`.
    template <class Margin, class LeastMargin>
    void solve(SpelledWords& words, Scratch& scratch, uint32_t unknown_bit, Margin&& margin,
               LeastMargin&& least_margin) const {
        scratch.weights.resize(num_rows_ * stride);
        scratch.nodes.resize(num_rows_ * stride);
        const bool is_cut_off = find_pieces(words, scratch);
        add_up(words, scratch);
        compare(words, scratch, margin(usual_length));
        for (size_t i = 0; i < words.count(); ++i) {
            if (is_cut_off && words.length(i) > num_rows_)
                words.set_ids(i, words.room(i), 0);
            else
                trace(words, i, scratch, unknown_bit, margin, least_margin);
        }
    }

  private:
    static constexpr uint32_t num_short = 4;     // lengths that are looked at in every place
    static constexpr uint32_t most_length = 64;  // of a piece, in characters: one for each bit of `longer`
    // Rows begin in different sets of the cache, and some more than all characters may be written.
    static constexpr size_t stride = SpelledWords::capacity + 24;
    static constexpr unsigned code_bits = 16, base_bits = 24, weight_bits = 24;

    struct Node {
        uint64_t bits = 0;

        Node() = default;
        Node(uint32_t code, uint32_t base, int32_t weight)
            : bits(code | uint64_t{base} << code_bits |
                   static_cast<uint64_t>(int64_t{weight}) << (code_bits + base_bits)) {}
        uint32_t code() const { return bits & ((1 << code_bits) - 1); }
        uint32_t base() const { return bits >> code_bits & ((1 << base_bits) - 1); }
        int32_t weight() const { return static_cast<int32_t>(static_cast<int64_t>(bits) >> (code_bits + base_bits)); }
    };

    // A code by which a node is no one's child; not 0, which stands behind words.
    static uint32_t free_code(uint32_t node, const std::vector<bool>& is_base) {
        uint32_t code = 1;
        while ((node ^ code) < is_base.size() && is_base[node ^ code]) ++code;
        return code;
    }

    // Write down the pieces by where they end. Is there more than most_length characters can tell?
    bool find_pieces(const SpelledWords& words, Scratch& scratch) const {
        const uint32_t end = words.end();
        for (uint32_t length = 3; length <= num_short; ++length)
            std::fill_n(row(scratch.weights, length), end + 1, nothing);
        std::fill_n(scratch.longer, end + 1, 0);
        std::fill_n(row(scratch.weights, 2), SpelledWords::first + 2, nothing);
        uint32_t count = find_pairs(words, scratch);
        for (uint32_t length = 3; length <= num_rows_ && count > 0; ++length) {
            int32_t* const weights = row(scratch.weights, length);
            uint32_t* const nodes = row(scratch.nodes, length);
            const uint32_t before = count;
            count = 0;
            for (uint32_t i = 0; i < before; ++i) {
                const uint32_t to = scratch.places[i] + 1, base = scratch.bases[i];
                go_on(words.codes(), base, to, weights, nodes, scratch, count);
                if (length > num_short) scratch.longer[to] |= uint64_t{weights[to] != nothing} << (length - 1);
            }
        }
        return count > 0;
    }

    template <class Value>
    static Value* row(std::vector<Value>& rows, uint32_t length) {
        return rows.data() + (length - 1) * stride;
    }

    // One character further from a node, to where `to` is; nothing branches.
    void go_on(const uint16_t* codes, uint32_t base, uint32_t to, int32_t* weights, uint32_t* nodes, Scratch& scratch,
               uint32_t& count) const {
        const uint32_t code = codes[to - 1], child = base ^ code;
        const Node node = nodes_[child];
        const bool is_child = node.code() == code;
        weights[to] = is_child ? node.weight() : nothing;
        nodes[to] = child;
        scratch.bases[count] = node.base();
        scratch.places[count] = to;
        count += is_child & (node.base() != dead_);
    }

    // The pieces of one character and of two. Returns how many go on.
    uint32_t find_pairs(const SpelledWords& words, Scratch& scratch) const {
        const uint16_t* const codes = words.codes();
        int32_t *const ones = row(scratch.weights, 1), *const twos = row(scratch.weights, 2);
        uint32_t* const nodes = row(scratch.nodes, 2);
        uint32_t count = 0;
        for (uint32_t at = SpelledWords::first; at + 1 < words.end(); ++at) {
            ones[at + 1] = start_weights_[codes[at]];
            go_on(codes, start_bases_[codes[at]], at + 2, twos, nodes, scratch, count);
        }
        ones[words.end()] = start_weights_[0];
        return count;
    }

    void add_up(const SpelledWords& words, Scratch& scratch) const {
        const int32_t* const weights = scratch.weights.data();
        int32_t* const best = scratch.best;
        const uint32_t end = words.end();
        std::fill_n(best, SpelledWords::first + 1, 0);
        static_assert(num_short == 4);
        int32_t one = 0, two = 0, three = 0, four = 0;  // the best so many places back: to read what was just written waits
        for (uint32_t to = SpelledWords::first + 1; to < end; ++to) {
            const int32_t far = std::max(four + weights[3 * stride + to], three + weights[2 * stride + to]);
            int32_t sum = std::max(std::max(far, two + weights[stride + to]), one + weights[to]);
            for (uint64_t longer = scratch.longer[to]; __builtin_expect(longer != 0, 0); longer &= longer - 1) {
                const auto length = static_cast<uint32_t>(__builtin_ctzll(longer)) + 1;
                sum = std::max(sum, best[to - length] + weights[(length - 1) * stride + to]);
            }
            best[to] = sum;
            four = three;
            three = two;
            two = one;
            one = sum;
        }
    }

    // Of each place the lengths, up to num_short, whose pieces come as near to the best as this: a bit for each.
    void compare(const SpelledWords& words, Scratch& scratch, int32_t margin) const {
        static_assert(num_short == 4);
        const int32_t* const best = scratch.best;
        const int32_t* const weights = scratch.weights.data();
        uint32_t* __restrict const near = scratch.near;
        const uint32_t end = words.end();
        for (uint32_t to = SpelledWords::first + 1; to < end; ++to) {
            const int32_t least = best[to] - margin;
            near[to] = (best[to - 1] + weights[to] >= least ? 1u : 0u) |
                       (best[to - 2] + weights[stride + to] >= least ? 2u : 0u) |
                       (best[to - 3] + weights[2 * stride + to] >= least ? 4u : 0u) |
                       (best[to - 4] + weights[3 * stride + to] >= least ? 8u : 0u);
        }
    }

    // The lengths of all pieces that end at a place and come as near to the best as this.
    static uint64_t all_near(const Scratch& scratch, uint32_t to, int32_t margin) {
        const int32_t least = scratch.best[to] - margin;
        uint64_t near = 0;
        const auto look = [&](uint32_t length) {
            const bool is_near = scratch.best[to - length] + scratch.weights[(length - 1) * stride + to] >= least;
            near |= uint64_t{is_near} << (length - 1);
        };
        for (uint32_t length = 1; length <= num_short; ++length) look(length);
        for (uint64_t longer = scratch.longer[to]; longer != 0; longer &= longer - 1)
            look(static_cast<uint32_t>(__builtin_ctzll(longer)) + 1);
        return near;
    }

    template <class Margin, class LeastMargin>
    void trace(SpelledWords& words, size_t i, const Scratch& scratch, uint32_t unknown_bit, Margin&& margin,
               LeastMargin&& least_margin) const {
        bool is_close = false;
        const uint32_t begin = words.begin(i), end = words.end(i);
        uint32_t *const room = words.room(i), *out = room + (end - begin);
        for (uint32_t to = end; to > begin;) {
            uint64_t near = scratch.near[to];
            // More than one under the margin that holds for all places of most words are looked at again.
            if (__builtin_expect((near & (near - 1)) != 0 || scratch.longer[to] != 0 || to - begin > usual_length, 0)) {
                near = all_near(scratch, to, margin(to - begin));
                if ((near & (near - 1)) != 0) {
                    is_close = true;
                    near = all_near(scratch, to, least_margin(to - begin));
                    if ((near & (near - 1)) != 0) return words.set_ids(i, room, 0);
                }
            }
            const auto length = static_cast<uint32_t>(__builtin_ctzll(near)) + 1;
            const uint32_t id = length == 1 ? start_ids_[words.codes()[to - 1]]
                                            : ids_[scratch.nodes[(length - 1) * stride + to]];
            *--out = id == no_id ? unknown_bit | words.character(to - 1) : id;
            to -= length;
        }
        words.set_ids(i, out, static_cast<size_t>(room + (end - begin) - out), is_close);
    }

    static constexpr uint32_t usual_length = 24;  // of a word, at most

    std::vector<Node> nodes_;
    std::vector<uint32_t> ids_;  // of the nodes
    std::vector<uint32_t> start_bases_, start_ids_;  // of first characters
    std::vector<int32_t> start_weights_;
    uint32_t num_rows_ = num_short;
    uint32_t dead_ = 0;  // the base of nodes without children
};

}  // namespace textpipe
