// The WordPiece and WordLevel models. Enters: a vocabulary, and words as UTF-8. Leaves: the longest pieces from the left,
// or the piece of the whole word; the unknown piece for what has none. Promises: the tokens of `tokenizers` 0.23.3; time
// at most the word's length times that of the longest piece, whatever the word holds.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model.hpp"
#include "unicode.hpp"

namespace textpipe {

// Pieces by their characters. The children of a node lie side by side, in the order of their characters; those of the
// root are found by a table.
class ByteTrie {
  public:
    static constexpr uint32_t none = UINT32_MAX;
    static constexpr uint32_t root = 0;

    void add(std::string_view piece, uint32_t id) {
        if (!piece.empty()) pieces_.push_back({piece, id});
    }

    // Build from what was added; the pieces' bytes are not looked at afterwards.
    void finish() {
        std::sort(pieces_.begin(), pieces_.end());  // in UTF-8 the order of bytes is that of code points
        struct Range {
            size_t begin, end, depth;  // pieces that share their first `depth` bytes
        };
        std::vector<Range> ranges{{0, pieces_.size(), 0}};
        nodes_.push_back({0, none, 0, 0});
        for (size_t number = 0; number < ranges.size(); ++number) {  // ranges_[n] is of node n
            const Range range = ranges[number];
            const uint32_t first = static_cast<uint32_t>(nodes_.size());
            for (size_t i = range.begin; i < range.end;) {
                const std::string_view piece = pieces_[i].first;
                if (piece.size() == range.depth) {
                    nodes_[number].id = pieces_[i++].second;
                    continue;
                }
                unsigned length;
                const uint32_t c = unicode::decode(byte_at(piece, range.depth), length);
                size_t end = i;
                while (end < range.end && shares(pieces_[end].first, piece, range.depth, length)) ++end;
                nodes_.push_back({c, none, 0, 0});
                ranges.push_back({i, end, range.depth + length});
                i = end;
            }
            nodes_[number].first = first;
            nodes_[number].count = static_cast<uint32_t>(nodes_.size()) - first;
        }
        from_root_.assign(table_size, none);
        for (uint32_t i = 0; i < nodes_[root].count; ++i) {
            const uint32_t child = nodes_[root].first + i;
            if (nodes_[child].c < table_size) from_root_[nodes_[child].c] = child;
        }
        pieces_ = {};
    }

    // The node that a character leads to, or none.
    uint32_t next(uint32_t node, uint32_t c) const {
        if (node == root && c < table_size) return from_root_[c];
        const Node *begin = nodes_.data() + nodes_[node].first, *end = begin + nodes_[node].count;
        if (end - begin > 8) {
            begin = std::lower_bound(begin, end, c, [](const Node& child, uint32_t wanted) { return child.c < wanted; });
        } else {
            while (begin < end && begin->c < c) ++begin;
        }
        return begin < end && begin->c == c ? static_cast<uint32_t>(begin - nodes_.data()) : none;
    }

    // The piece that ends here, or no_id.
    uint32_t id(uint32_t node) const { return nodes_[node].id; }

  private:
    static constexpr uint32_t table_size = 0x10000;
    static_assert(no_id == none);

    struct Node {
        uint32_t c, id, first, count;
    };

    static const uint8_t* byte_at(std::string_view piece, size_t at) {
        return reinterpret_cast<const uint8_t*>(piece.data()) + at;
    }
    static bool shares(std::string_view a, std::string_view b, size_t depth, size_t length) {
        return a.size() > depth && a.substr(depth, length) == b.substr(depth, length);
    }

    std::vector<std::pair<std::string_view, uint32_t>> pieces_;
    std::vector<Node> nodes_;
    std::vector<uint32_t> from_root_;
};

class WordPieceModel final : public Model {
  public:
    WordPieceModel(std::string prefix, uint32_t unknown, size_t most_chars)
        : prefix_(std::move(prefix)), unknown_(unknown), most_chars_(most_chars) {}

    void add_piece(std::string_view piece, uint32_t id) {
        const size_t inside = piece.substr(0, prefix_.size()) == prefix_ ? prefix_.size() : 0;
        initial_.add(piece, id);
        if (inside != 0 || prefix_.empty()) inner_.add(piece.substr(inside), id);
        set_size(sizes_, id, piece.size() - inside);
    }
    void finish() {
        initial_.finish();
        inner_.finish();
        if (unknown_ != no_id) set_size(sizes_, unknown_, 0);  // it need not be among the pieces
    }

    // A piece with the prefix may also begin a word that begins so: then it is longer.
    const uint32_t* sizes() const override { return sizes_.data(); }

    void encode(const uint8_t* word, size_t size, Scratch&, std::vector<Token>& out) const override {
        const size_t before = out.size();
        const auto keep = [&](uint32_t id, size_t length) { out.push_back({id, static_cast<uint32_t>(length)}); };
        if (spell(word, size, keep)) return;
        out.resize(before);
        out.push_back({unknown_, static_cast<uint32_t>(size)});
    }

    void encode_ids(const uint8_t* word, size_t size, Scratch&, std::vector<uint32_t>& out) const override {
        const size_t before = out.size();
        if (spell(word, size, [&](uint32_t id, size_t) { out.push_back(id); })) return;
        out.resize(before);
        out.push_back(unknown_);
    }

  private:
    // Call keep(id, bytes) for every piece; false when there are characters that no piece begins with, or too many.
    template <class Keep>
    bool spell(const uint8_t* word, size_t size, Keep keep) const {
        if (size > most_chars_ && is_long(word, size)) return false;
        const uint8_t *p = word, *end = word + size;
        const ByteTrie* trie = &initial_;
        while (p < end) {
            const uint8_t *q = p, *stop = p;
            uint32_t node = ByteTrie::root, found = no_id;
            while (q < end) {
                unsigned length;
                node = trie->next(node, unicode::decode(q, length));
                if (node == ByteTrie::none) break;
                q += length;
                if (trie->id(node) != no_id) {
                    found = trie->id(node);
                    stop = q;
                }
            }
            if (found == no_id) return false;
            keep(found, static_cast<size_t>(stop - p));
            p = stop;
            trie = &inner_;
        }
        return true;
    }

    bool is_long(const uint8_t* word, size_t size) const {
        size_t chars = 0;
        for (size_t i = 0; i < size; ++i) chars += (word[i] & 0xC0) != 0x80;
        return chars > most_chars_;
    }

    const std::string prefix_;
    const uint32_t unknown_;
    const size_t most_chars_;
    ByteTrie initial_, inner_;  // at the beginning of a word, and inside
    std::vector<uint32_t> sizes_;
};

class WordLevelModel final : public Model {
  public:
    explicit WordLevelModel(uint32_t unknown) : unknown_(unknown) {
        set_size(sizes_, unknown_, 0);  // it need not be among the pieces
    }

    void reserve(size_t words, size_t bytes) {
        ids_.reserve(words);
        text_.reserve(bytes);  // views point into it
    }
    void add_piece(std::string_view word, uint32_t id) {
        const size_t begin = text_.size();
        text_.append(word);
        ids_.emplace(std::string_view(text_).substr(begin), id);
        set_size(sizes_, id, id == unknown_ ? 0 : word.size());
    }
    const uint32_t* sizes() const override { return sizes_.data(); }

    void encode(const uint8_t* word, size_t size, Scratch&, std::vector<Token>& out) const override {
        const auto found = ids_.find({reinterpret_cast<const char*>(word), size});
        out.push_back({found != ids_.end() ? found->second : unknown_, static_cast<uint32_t>(size)});
    }

  private:
    const uint32_t unknown_;
    std::string text_;
    std::unordered_map<std::string_view, uint32_t> ids_;
    std::vector<uint32_t> sizes_;
};

}  // namespace textpipe
