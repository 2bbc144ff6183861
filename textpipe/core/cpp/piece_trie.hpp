// Which pieces begin here? Enters: the pieces of a vocabulary, once, and then any text. Leaves: every piece that the text
// at a place begins with, shortest first. Promises: a step a byte, whatever the vocabulary; reading never leaves the
// arrays, since a child is its parent's by its own word (`parent`), not by where it lies.
//
// A double array (Aoe, 1989): the child of a node by a byte lies at the node's base plus that byte. Hangul takes three
// bytes a syllable, so from the root, and from the space mark that most words begin with, one look-up goes three at once.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace textpipe {

class PieceTrie {
  public:
    using Entry = std::pair<std::string_view, uint32_t>;  // a piece, not empty, and its value
    static constexpr uint32_t no_node = 0xFFFFFFFF;

    // Of equal pieces the last counts.
    void build(std::vector<Entry> entries) {
        std::stable_sort(entries.begin(), entries.end(),
                         [](const Entry& a, const Entry& b) { return a.first < b.first; });
        size_t kept = 0;
        for (size_t i = 0; i < entries.size(); ++i)
            if (i + 1 == entries.size() || entries[i].first != entries[i + 1].first) entries[kept++] = entries[i];
        entries.resize(kept);
        units_.clear();
        values_.clear();
        grow(1024);
        units_[0].parent = no_node - 1;
        first_free_ = 1;
        place(entries);
        units_.resize(last_used_ + 257);  // a base is never above last_used_, a byte never above 255
        values_.resize(units_.size());
        units_.shrink_to_fit();
        values_.shrink_to_fit();
        fill_jumps(0, from_root_);
        space_ = walk(0, reinterpret_cast<const uint8_t*>("\xE2\x96\x81"), 3);
        if (space_ != no_node) fill_jumps(space_, from_space_);
    }

    bool empty() const { return units_.empty(); }

    // found(size, value) for each piece the text begins with. Text and pieces are UTF-8: no piece ends inside a character.
    template <class Found>
    void prefixes(const uint8_t* p, const uint8_t* end, Found&& found) const {
        const uint8_t* const start = p;
        const Unit* const units = units_.data();
        const std::vector<uint32_t>* jumps = &from_root_;
        uint32_t node = 0;
        if (end - p >= 3 && is_space_mark(p)) {
            if ((node = space_) == no_node) return;
            p += 3;
            if (units[node].base & value_bit) found(static_cast<size_t>(3), values_[node]);
            jumps = &from_space_;
        }
        if (end - p >= 3) {
            const uint32_t syllable = syllable_at(p);
            if (syllable < num_syllables) {
                if ((node = (*jumps)[syllable]) == no_node) return;
                p += 3;
                if (units[node].base & value_bit) found(static_cast<size_t>(p - start), values_[node]);
            }
        }
        while (p < end) {
            const uint32_t child = (units[node].base & base_mask) + *p;
            if (units[child].parent != node) return;
            node = child;
            ++p;
            if (units[node].base & value_bit) found(static_cast<size_t>(p - start), values_[node]);
        }
    }

    static bool is_space_mark(const uint8_t* p) { return p[0] == 0xE2 && p[1] == 0x96 && p[2] == 0x81; }

    // The value of exactly this piece, or no_node.
    uint32_t find(std::string_view piece) const {
        const uint32_t node = walk(0, reinterpret_cast<const uint8_t*>(piece.data()), piece.size());
        if (node == no_node || node == 0 || !(units_[node].base & value_bit)) return no_node;
        return values_[node];
    }

  private:
    struct Unit {
        uint32_t base = 0;  // the top bit: a piece ends here
        uint32_t parent = no_node;
    };
    static constexpr uint32_t value_bit = 0x80000000, base_mask = 0x7FFFFFFF;
    static constexpr uint32_t num_syllables = 11172;

    // The number of the Hangul syllable at p, counted from 가; another character gives a number past the last.
    static uint32_t syllable_at(const uint8_t* p) {
        const uint32_t c = (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        return (p[0] & 0xF0) == 0xE0 ? c - 0xAC00 : num_syllables;
    }

    uint32_t walk(uint32_t node, const uint8_t* p, size_t size) const {
        for (size_t i = 0; i < size; ++i) {
            const uint32_t child = (units_[node].base & base_mask) + p[i];
            if (units_[child].parent != node) return no_node;
            node = child;
        }
        return node;
    }

    void fill_jumps(uint32_t node, std::vector<uint32_t>& jumps) {
        jumps.resize(num_syllables);
        for (uint32_t i = 0; i < num_syllables; ++i) {
            const uint32_t c = 0xAC00 + i;
            const uint8_t bytes[3] = {static_cast<uint8_t>(0xE0 | c >> 12), static_cast<uint8_t>(0x80 | (c >> 6 & 0x3F)),
                                      static_cast<uint8_t>(0x80 | (c & 0x3F))};
            jumps[i] = walk(node, bytes, 3);
        }
    }

    void grow(size_t size) {
        if (size <= units_.size()) return;
        size = std::max(size, units_.size() * 2);
        units_.resize(size);
        values_.resize(size);
    }

    bool is_free(size_t at) const { return at >= units_.size() || units_[at].parent == no_node; }

    struct Stretch {
        uint32_t node;
        size_t begin, end, depth;  // entries [begin, end) share the node's `depth` bytes
    };

    void place(const std::vector<Entry>& entries) {
        std::vector<Stretch> todo{{0, 0, entries.size(), 0}};
        std::vector<std::pair<uint8_t, size_t>> labels;  // a byte and where its entries begin
        while (!todo.empty()) {
            const Stretch here = todo.back();
            todo.pop_back();
            size_t begin = here.begin;
            if (begin < here.end && entries[begin].first.size() == here.depth) {
                units_[here.node].base |= value_bit;
                values_[here.node] = entries[begin++].second;
            }
            labels.clear();
            for (size_t i = begin; i < here.end; ++i) {
                const uint8_t label = static_cast<uint8_t>(entries[i].first[here.depth]);
                if (labels.empty() || labels.back().first != label) labels.emplace_back(label, i);
            }
            if (labels.empty()) continue;
            const uint32_t base = find_base(labels);
            units_[here.node].base |= base;
            for (size_t i = 0; i < labels.size(); ++i) {
                const uint32_t child = base + labels[i].first;
                units_[child].parent = here.node;
                last_used_ = std::max<size_t>(last_used_, child);
                const size_t end = i + 1 < labels.size() ? labels[i + 1].second : here.end;
                todo.push_back({child, labels[i].second, end, here.depth + 1});
            }
            while (!is_free(first_free_)) ++first_free_;
        }
    }

    // A base with room for all of the labels. Places that were tried in vain too often are given up, so that building
    // takes linear time.
    uint32_t find_base(const std::vector<std::pair<uint8_t, size_t>>& labels) {
        size_t at = std::max<size_t>(first_free_, labels[0].first + size_t{1}), tried = 0;
        for (;; ++at) {
            if (!is_free(at)) continue;
            const size_t base = at - labels[0].first;
            bool fits = true;
            for (size_t i = 1; fits && i < labels.size(); ++i) fits = is_free(base + labels[i].first);
            if (fits) {
                grow(base + 512);
                return static_cast<uint32_t>(base);
            }
            if (++tried == 256) first_free_ = std::max(first_free_, at - std::min<size_t>(at, 128));
        }
    }

    std::vector<Unit> units_;
    std::vector<uint32_t> values_, from_root_, from_space_;
    uint32_t space_ = no_node;
    size_t first_free_ = 1, last_used_ = 0;
};

}  // namespace textpipe
