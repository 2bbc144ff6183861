// Which pieces begin here? Enters: the pieces of a vocabulary, once, and then any text. Leaves: every piece that the text
// at a place begins with, shortest first. Promises: a step a character, whatever the vocabulary; reading never leaves the
// arrays, since a child is its parent's by its own word (`parent`), not by where it lies.
//
// A double array (Aoe, 1989) over characters: those of the pieces are numbered, the most frequent first, and the child
// of a node by a character lies at the node's base xor that number. A Hangul syllable is one step and not three.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "unicode.hpp"

namespace textpipe {

class PieceTrie {
  public:
    using Entry = std::pair<std::string_view, uint32_t>;  // a piece, not empty, and its value
    static constexpr uint32_t no_node = 0xFFFFFFFF, no_value = 0xFFFFFFFF;
    static constexpr uint32_t root = 0;

    // Of equal pieces the last counts.
    void build(const std::vector<Entry>& entries) {
        number_characters(entries);
        std::vector<Spelled> pieces;
        pieces.reserve(entries.size());
        for (const auto& [text, value] : entries) {
            spelling_.clear();
            for (size_t at = 0; at < text.size();) {
                unsigned size;
                spelling_.push_back(code(unicode::decode(bytes(text) + at, size)));
                at += size;
            }
            pieces.push_back({spelling_, value});
        }
        std::stable_sort(pieces.begin(), pieces.end(), [](const Spelled& a, const Spelled& b) { return a.codes < b.codes; });
        place(pieces);
        is_base_ = {};
        spelling_ = {};
    }

    bool empty() const { return units_.empty(); }

    // The numbers of a text's characters, and where each begins and the last ends; returns how many there are. The
    // vectors only grow.
    uint32_t spell(const uint8_t* text, size_t size, std::vector<uint32_t>& codes, std::vector<uint32_t>& begins) const {
        if (codes.size() < size + 1) {
            codes.resize(size + 1);
            begins.resize(size + 1);
        }
        uint32_t count = 0;
        for (uint32_t at = 0; at < size;) {
            unsigned length;
            codes[count] = code(unicode::decode(text + at, length));
            begins[count++] = at;
            at += length;
        }
        begins[count] = static_cast<uint32_t>(size);
        return count;
    }

    // The number of a character in the pieces, 0 for one that is in none.
    uint32_t code(uint32_t c) const {
        if (c < codes_.size()) return codes_[c];
        const auto found = rare_codes_.find(c);
        return found == rare_codes_.end() ? 0 : found->second;
    }

    // Numbers are below this.
    uint32_t num_codes() const { return block_; }

    uint32_t first_code(std::string_view text) const {
        unsigned size;
        return code(unicode::decode(bytes(text), size));
    }

    // The child of a node by a character's number, or no_node.
    uint32_t step(uint32_t node, uint32_t code) const {
        const uint32_t child = units_[node].base ^ code;
        return units_[child].parent == node && code != 0 ? child : no_node;
    }

    // The value of the piece that ends at a node, or no_value.
    uint32_t value(uint32_t node) const { return units_[node].value; }

    // The nodes as they lie, for who lays them out otherwise: the child of a node by a character is at base(node) xor
    // the number of that. No two nodes with children have the same base.
    size_t num_units() const { return units_.size(); }
    bool is_child(uint32_t node) const { return node != root && units_[node].parent != no_node; }
    uint32_t parent(uint32_t node) const { return units_[node].parent; }
    uint32_t base(uint32_t node) const { return units_[node].base; }

    // found(characters, value) for each piece that these numbers of characters begin with.
    template <class Found>
    void prefixes(const uint32_t* codes, size_t count, Found&& found) const {
        uint32_t node = root;
        const Unit* const units = units_.data();
        for (size_t i = 0; i < count; ++i) {
            const uint32_t child = units[node].base ^ codes[i];
            if (units[child].parent != node) return;
            node = child;
            if (units[node].value != no_value) found(i + 1, units[node].value);
        }
    }

    // found(bytes, value) for each piece the text begins with.
    template <class Found>
    void text_prefixes(const uint8_t* p, const uint8_t* end, Found&& found) const {
        uint32_t node = root;
        for (const uint8_t* at = p; at < end;) {
            unsigned size;
            node = step(node, code(unicode::decode(at, size)));
            if (node == no_node) return;
            at += size;
            if (units_[node].value != no_value) found(static_cast<size_t>(at - p), units_[node].value);
        }
    }

    // The value of exactly this piece, or no_value.
    uint32_t find(std::string_view piece) const {
        uint32_t node = root;
        for (size_t at = 0; at < piece.size();) {
            unsigned size;
            node = step(node, code(unicode::decode(bytes(piece) + at, size)));
            if (node == no_node) return no_value;
            at += size;
        }
        return units_[node].value;
    }

    static bool is_space_mark(const uint8_t* p) { return p[0] == 0xE2 && p[1] == 0x96 && p[2] == 0x81; }

  private:
    struct Unit {
        uint32_t base = 0;
        uint32_t parent = no_node;  // of a free place no_node
        uint32_t value = no_value;
        uint32_t next_free = 0;  // while it is built
    };
    struct Spelled {
        std::vector<uint32_t> codes;
        uint32_t value;
    };
    struct Stretch {
        uint32_t node;
        size_t begin, end, depth;  // pieces [begin, end) share the node's `depth` characters
        size_t num_children;

        // The first of a heap has the most children, and of equals the first pieces.
        bool operator<(const Stretch& other) const {
            return num_children != other.num_children ? num_children < other.num_children : begin > other.begin;
        }
    };

    static const uint8_t* bytes(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

    void number_characters(const std::vector<Entry>& entries) {
        std::unordered_map<uint32_t, uint32_t> counts;
        for (const auto& [text, value] : entries)
            for (size_t at = 0; at < text.size();) {
                unsigned size;
                ++counts[unicode::decode(bytes(text) + at, size)];
                at += size;
            }
        std::vector<std::pair<uint32_t, uint32_t>> order(counts.begin(), counts.end());
        std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
            return a.second != b.second ? a.second > b.second : a.first < b.first;
        });
        codes_.assign(1 << 16, 0);
        uint32_t next = 1;
        for (const auto& [c, count] : order) {
            if (c < codes_.size())
                codes_[c] = next++;
            else
                rare_codes_[c] = next++;
        }
        block_ = 256;
        while (block_ < next) block_ *= 2;
    }

    // Nodes with many children choose first, and those with one fill what is left between.
    void place(const std::vector<Spelled>& pieces) {
        units_.clear();
        is_base_.clear();
        first_free_ = cursor_ = no_node;
        add_block();
        take(root, no_node - 1);  // of nothing
        std::vector<Stretch> waiting;  // a heap
        std::vector<std::pair<uint32_t, size_t>> children;  // a character and where its pieces begin
        const auto list_children = [&](const Stretch& here) {
            children.clear();
            for (size_t i = here.begin; i < here.end; ++i) {
                const uint32_t code = pieces[i].codes[here.depth];
                if (children.empty() || children.back().first != code) children.emplace_back(code, i);
            }
        };
        const auto wait = [&](Stretch here) {
            for (; here.begin < here.end && pieces[here.begin].codes.size() == here.depth; ++here.begin)
                units_[here.node].value = pieces[here.begin].value;
            list_children(here);
            here.num_children = children.size();
            if (children.empty()) return;
            waiting.push_back(here);
            std::push_heap(waiting.begin(), waiting.end());
        };
        wait({root, 0, pieces.size(), 0, 0});
        while (!waiting.empty()) {
            std::pop_heap(waiting.begin(), waiting.end());
            const Stretch here = waiting.back();
            waiting.pop_back();
            list_children(here);
            const uint32_t base = find_base(children);
            units_[here.node].base = base;
            is_base_[base] = true;
            for (const auto& [code, first] : children) take(base ^ code, here.node);
            const std::vector<std::pair<uint32_t, size_t>> placed = children;
            for (size_t i = 0; i < placed.size(); ++i) {
                const size_t end = i + 1 < placed.size() ? placed[i + 1].second : here.end;
                wait({base ^ placed[i].first, placed[i].second, end, here.depth + 1, 0});
            }
        }
    }

    // Room for all of the children: from where room was found last, in what was added last, or else in a new block.
    uint32_t find_base(const std::vector<std::pair<uint32_t, size_t>>& children) {
        for (const int most_tries : {1024, 256}) {
            for (int tries = 0; tries < most_tries; ++tries) {
                const uint32_t at = next_free(cursor_);
                if (at == no_node) break;
                const uint32_t base = at ^ children[0].first;
                bool fits = !is_base_[base];
                for (size_t i = 1; fits && i < children.size(); ++i) fits = is_free(base ^ children[i].first);
                if (fits) return base;
                cursor_ = at;
            }
            cursor_ = no_node;  // from the first on
        }
        return add_block();
    }

    bool is_free(uint32_t at) const { return units_[at].parent == no_node; }

    // The free place after `before` in the list, or the first; places taken since are dropped from it.
    uint32_t next_free(uint32_t before) {
        uint32_t* link = before == no_node ? &first_free_ : &units_[before].next_free;
        while (*link != no_node && !is_free(*link)) *link = units_[*link].next_free;
        return *link;
    }

    // Returns where it begins.
    uint32_t add_block() {
        const uint32_t begin = static_cast<uint32_t>(units_.size());
        units_.resize(begin + block_);
        is_base_.resize(begin + block_);
        for (uint32_t i = 0; i < block_; ++i) units_[begin + i].next_free = i + 1 < block_ ? begin + i + 1 : no_node;
        // The new block comes first: what is left in the older ones has been tried for long.
        units_[begin + block_ - 1].next_free = first_free_;
        first_free_ = begin;
        return begin;
    }

    void take(uint32_t node, uint32_t parent) { units_[node].parent = parent; }

    std::vector<Unit> units_;
    std::vector<bool> is_base_;  // while it is built
    std::vector<uint32_t> codes_;
    std::unordered_map<uint32_t, uint32_t> rare_codes_;
    std::vector<uint32_t> spelling_;
    uint32_t block_ = 256, first_free_ = no_node, cursor_ = no_node;
};

}  // namespace textpipe
