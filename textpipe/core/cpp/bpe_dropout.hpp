// Chances to merge, for dropout. Enters: entries, the pairs of a word by rank and place. Leaves: the next to be taken when
// each of them, lowest first, is passed over with the same chance. Promises: the chances of drawing for one entry after
// the other, at O(log n) a turn: how many are passed over is drawn at once.
//
// A treap: a search tree by entry, a heap by random weight, every node with the number of nodes below it.
#pragma once
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "model.hpp"

namespace textpipe {

class MergeChances {
  public:
    void clear() {
        nodes_.clear();
        root_ = no_id;
    }

    void insert(uint64_t entry, uint64_t& random) {
        const uint32_t made = static_cast<uint32_t>(nodes_.size());
        nodes_.push_back({entry, static_cast<uint32_t>(next(random)), no_id, no_id, 1});
        uint32_t* at = &root_;
        while (*at != no_id && nodes_[*at].weight >= nodes_[made].weight) {
            Node& node = nodes_[*at];
            ++node.count;
            at = entry < node.entry ? &node.left : &node.right;
        }
        split(*at, entry, nodes_[made].left, nodes_[made].right);
        *at = made;
        recount(made);
    }

    // Take one out; false when all were passed over, or none is there.
    bool take(double dropout, uint64_t& random, uint64_t& entry) {
        if (root_ == no_id || dropout >= 1) return false;
        const double uniform = static_cast<double>((next(random) >> 11) + 1) / 9007199254740992.0;  // in (0, 1]
        const double passed = std::floor(std::log(uniform) / std::log(dropout));
        if (!(passed < nodes_[root_].count)) return false;
        entry = take_out(static_cast<uint32_t>(passed));
        return true;
    }

  private:
    struct Node {
        uint64_t entry;
        uint32_t weight, left, right, count;
    };

    static uint64_t next(uint64_t& x) {  // xorshift64*
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        return x * 0x2545F4914F6CDD1Du;
    }

    uint32_t count_of(uint32_t at) const { return at == no_id ? 0 : nodes_[at].count; }
    void recount(uint32_t at) { nodes_[at].count = 1 + count_of(nodes_[at].left) + count_of(nodes_[at].right); }

    // Entries not above `entry` to the left, the others to the right. As deep as the tree: a few logarithms.
    void split(uint32_t at, uint64_t entry, uint32_t& left, uint32_t& right) {
        if (at == no_id) {
            left = right = no_id;
        } else if (nodes_[at].entry <= entry) {
            split(nodes_[at].right, entry, nodes_[at].right, right);
            recount(left = at);
        } else {
            split(nodes_[at].left, entry, left, nodes_[at].left);
            recount(right = at);
        }
    }

    uint32_t join(uint32_t left, uint32_t right) {
        if (left == no_id) return right;
        if (right == no_id) return left;
        if (nodes_[left].weight >= nodes_[right].weight) {
            nodes_[left].right = join(nodes_[left].right, right);
            recount(left);
            return left;
        }
        nodes_[right].left = join(left, nodes_[right].left);
        recount(right);
        return right;
    }

    // The entry with so many lower ones.
    uint64_t take_out(uint32_t lower) {
        uint32_t* at = &root_;
        for (;;) {
            Node& node = nodes_[*at];
            const uint32_t on_left = count_of(node.left);
            if (lower == on_left) break;
            --node.count;
            at = lower < on_left ? &node.left : &node.right;
            if (lower > on_left) lower -= on_left + 1;
        }
        const uint64_t entry = nodes_[*at].entry;
        *at = join(nodes_[*at].left, nodes_[*at].right);
        return entry;
    }

    std::vector<Node> nodes_;
    uint32_t root_ = no_id;
};

}  // namespace textpipe
