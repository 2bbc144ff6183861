// The likeliest spellings of many words at once, in whole numbers. Enters: pieces with weights, once, and then runs of
// words. Leaves: the pieces of each word's best path, or nothing where the second best comes too near. Promises: exact
// in integers; time linear in characters for pieces of bounded length.
//
// All pieces are found in steps, one character further each, for all beginnings of all words of a run: how far a piece
// goes is as good as chance, so that a branch on it would be foretold wrongly for every other character, and the waits
// for one node after the other would not overlap. What goes on no further is left out of the next step without a branch.
// Then the best sum of every place follows from those before it; which piece made it, and how near another came, is
// looked at on the best path alone.
//
// A child is known by its parent's base, which no other node has. Sums go on from word to word: no piece reaches across
// the end of one, and only differences count.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "model.hpp"
#include "piece_trie.hpp"
#include "spelled_words.hpp"

namespace textpipe {

class CertainPaths {
  public:
    static constexpr int32_t nothing = -(1 << 29);  // below every sum

    // A piece in a place: what it weighs.
    struct Cell {
        int32_t weight = nothing;
        uint32_t id = no_id;
    };
    struct Scratch {
        std::vector<Cell> cells;                  // of the pieces that end at a place: a row for each length
        int32_t best[SpelledWords::capacity];     // the best sum of what ends at a place
        uint64_t longer[SpelledWords::capacity];  // a bit for each length of the long pieces that end there
        uint32_t bases[SpelledWords::capacity], places[SpelledWords::capacity];  // of what goes on
    };

    // The largest weight there may be, so that sums stay within 2^30.
    static constexpr int32_t largest_weight = (1 << 30) / SpelledWords::capacity;

    // Weights of the pieces by their ids; of a character that is no piece `unknown`. No piece has more than `longest`
    // characters.
    void build(const PieceTrie& trie, const std::vector<int32_t>& weights, int32_t unknown, uint32_t longest) {
        num_rows_ = std::min(std::max(longest, num_short), most_length);
        const auto size = static_cast<uint32_t>(trie.num_units());
        std::vector<bool> has_children(size), is_base(size + 1);
        for (uint32_t node = 0; node < size; ++node)
            if (trie.is_child(node)) has_children[trie.parent(node)] = is_base[trie.base(trie.parent(node))] = true;
        dead_ = static_cast<uint32_t>(std::find(is_base.begin(), is_base.end(), false) - is_base.begin());
        nodes_.assign(size + trie.num_codes() + 1, Node{0xFFFFFFFF, dead_, {}});  // dead_ may lie behind all others
        for (uint32_t node = 0; node < size; ++node) {
            if (!trie.is_child(node)) continue;
            const uint32_t id = trie.value(node), base = has_children[node] ? trie.base(node) : dead_;
            nodes_[node] = {trie.base(trie.parent(node)), base, {}};
            if (id != PieceTrie::no_value) nodes_[node].cell = {weights[id], id};
        }
        starts_.assign(trie.num_codes(), {{unknown, no_id}, dead_});
        for (uint32_t code = 1; code < starts_.size(); ++code) {
            const uint32_t node = trie.step(PieceTrie::root, code);
            if (node == PieceTrie::no_node) continue;
            starts_[code].base = nodes_[node].base;
            if (nodes_[node].cell.id != no_id) starts_[code].cell = nodes_[node].cell;
        }
    }

    // Find the ids of all words, none for a word whose best path does not win by more than margin(place) at every place
    // it comes to. An unknown character has its number with `unknown_bit`.
    template <class Margin>
    void solve(SpelledWords& words, Scratch& scratch, uint32_t unknown_bit, Margin&& margin) const {
        scratch.cells.resize(num_rows_ * stride);
        const bool is_cut_off = find_pieces(words, scratch);
        add_up(words, scratch);
        for (size_t i = 0; i < words.count(); ++i) {
            if (is_cut_off && words.length(i) > num_rows_)
                words.set_ids(i, words.room(i), 0);
            else
                trace(words, i, scratch, unknown_bit, margin);
        }
    }

  private:
    struct Node {  // that of no node comes last
        uint32_t parent_base = 0xFFFFFFFF, base = 0;
        Cell cell;
    };
    struct Start {  // a first character
        Cell cell;
        uint32_t base;
    };
    static constexpr uint32_t num_short = 4;     // lengths that are looked at in every place
    static constexpr uint32_t most_length = 64;  // of a piece, in characters: one for each bit of `longer`
    // Rows begin in different sets of the cache.
    static constexpr size_t stride = SpelledWords::capacity + 8;

    // Write down the pieces by where they end. Is there more than most_length characters can tell?
    bool find_pieces(const SpelledWords& words, Scratch& scratch) const {
        const uint16_t* const codes = words.codes();
        const uint32_t end = words.end();
        uint32_t *const bases = scratch.bases, *const places = scratch.places;
        const Node* const nodes = nodes_.data();
        const uint32_t nowhere = static_cast<uint32_t>(nodes_.size() - 1), dead = dead_;
        Cell *const ones = scratch.cells.data(), *const twos = ones + stride;
        for (uint32_t length = 3; length <= num_short; ++length)
            std::fill_n(ones + (length - 1) * stride, end + 1, Cell{});
        std::fill_n(scratch.longer, end + 1, 0);
        std::fill_n(twos, SpelledWords::first + 2, Cell{});
        uint32_t count = 0;
        // One character further from a node, to where `to` is; nothing branches.
        const auto go_on = [&](uint32_t base, uint32_t to, Cell* row) {
            const uint32_t child = base ^ codes[to - 1];
            const uint32_t is_child = 0u - static_cast<uint32_t>(nodes[child].parent_base == base);
            const Node& node = nodes[nowhere ^ ((nowhere ^ child) & is_child)];
            row[to] = node.cell;
            bases[count] = node.base;
            places[count] = to;
            count += node.base != dead;
        };
        for (uint32_t at = SpelledWords::first; at + 1 < end; ++at) {
            const Start& start = starts_[codes[at]];
            ones[at + 1] = start.cell;
            go_on(start.base, at + 2, twos);
        }
        ones[end] = starts_[0].cell;
        for (uint32_t length = 3; length <= num_rows_ && count > 0; ++length) {
            Cell* const row = ones + (length - 1) * stride;
            const uint32_t before = count;
            count = 0;
            for (uint32_t i = 0; i < before; ++i) {
                const uint32_t to = places[i] + 1;
                go_on(bases[i], to, row);
                if (length > num_short) scratch.longer[to] |= uint64_t{row[to].weight != nothing} << (length - 1);
            }
        }
        return count > 0;
    }

    void add_up(const SpelledWords& words, Scratch& scratch) const {
        const Cell* const cells = scratch.cells.data();
        int32_t* const best = scratch.best;
        const uint32_t end = words.end();
        std::fill_n(best, SpelledWords::first + 1, 0);
        for (uint32_t to = SpelledWords::first + 1; to < end; ++to) {
            const auto sum_of = [&](uint32_t length) {
                return best[to - length] + cells[(length - 1) * stride + to].weight;
            };
            int32_t sum = std::max(std::max(std::max(sum_of(4), sum_of(3)), sum_of(2)), sum_of(1));
            for (uint64_t longer = scratch.longer[to]; __builtin_expect(longer != 0, 0); longer &= longer - 1)
                sum = std::max(sum, sum_of(static_cast<uint32_t>(__builtin_ctzll(longer)) + 1));
            best[to] = sum;
        }
    }

    template <class Margin>
    void trace(SpelledWords& words, size_t i, const Scratch& scratch, uint32_t unknown_bit, Margin&& margin) const {
        const uint32_t begin = words.begin(i), end = words.end(i);
        const int32_t* const best = scratch.best;
        uint32_t *const room = words.room(i), *out = room + (end - begin);
        for (uint32_t to = end; to > begin;) {
            const Cell* const cells = scratch.cells.data() + to;
            const int32_t least = best[to] - margin(to - begin);
            uint64_t good = 0;  // lengths of the pieces that come so near
            const auto look = [&](uint32_t length) {
                const bool is_good = best[to - length] + cells[(length - 1) * stride].weight >= least;
                good |= uint64_t{is_good} << (length - 1);
            };
            for (uint32_t length = 1; length <= num_short; ++length) look(length);
            for (uint64_t longer = scratch.longer[to]; longer != 0; longer &= longer - 1)
                look(static_cast<uint32_t>(__builtin_ctzll(longer)) + 1);
            if ((good & (good - 1)) != 0) return words.set_ids(i, room, 0);
            const auto length = static_cast<uint32_t>(__builtin_ctzll(good)) + 1;
            const uint32_t id = cells[(length - 1) * stride].id;
            *--out = id == no_id ? unknown_bit | words.character(to - 1) : id;
            to -= length;
        }
        words.set_ids(i, out, static_cast<size_t>(room + (end - begin) - out));
    }

    std::vector<Node> nodes_;
    std::vector<Start> starts_;
    uint32_t num_rows_ = num_short;
    uint32_t dead_ = 0;  // the base of nodes without children
};

}  // namespace textpipe
