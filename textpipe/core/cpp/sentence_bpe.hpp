// The byte-pair encoding of sentencepiece. Enters: a stretch of a sentence that no piece reaches out of. Leaves: its
// pieces. Promises: those of sentencepiece 0.2.3: any two neighbours whose texts together are a piece may be joined, the
// piece with the highest score first and of equals the leftmost; n log n time, whatever the text.
//
// Every neighbour is a node of a trie of the pieces. What two of them make is found by going on from the left one's node
// with the characters of the right one.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sentence_pieces.hpp"
#include "spelled_words.hpp"

namespace textpipe {

// What two pieces next to each other make. Slots of eight bytes: both ids in 20 bits each, that of the piece in 24.
class PiecePairs {
  public:
    static constexpr uint32_t id_end = 1 << 20;

    void reserve(size_t count) {
        shift_ = 60;
        size_t capacity = 16;
        for (; capacity < count * 2; capacity *= 2) --shift_;
        slots_.assign(capacity, free_slot);
    }

    // reserve() has made room.
    void insert(uint32_t left, uint32_t right, uint32_t id) {
        const uint64_t key = key_of(left, right);
        size_t i = home_of(key);
        while (slots_[i] != free_slot) i = (i + 1) & (slots_.size() - 1);
        slots_[i] = key << id_bits | id;
    }

    // no_id when the two are no piece.
    uint32_t find(uint32_t left, uint32_t right) const {
        const uint64_t key = key_of(left, right);
        for (size_t i = home_of(key);; i = (i + 1) & (slots_.size() - 1)) {
            if (slots_[i] >> id_bits == key) return static_cast<uint32_t>(slots_[i]) & ((1u << id_bits) - 1);
            if (slots_[i] == free_slot) return no_id;
        }
    }

  private:
    static constexpr unsigned id_bits = 24;
    static constexpr uint64_t free_slot = ~uint64_t{0};

    static uint64_t key_of(uint32_t left, uint32_t right) { return uint64_t{left} << 20 | right; }
    size_t home_of(uint64_t key) const { return (key * 0x9E3779B97F4A7C15u) >> shift_; }

    std::vector<uint64_t> slots_;
    unsigned shift_ = 60;
};

class SentenceBpe {
  public:
    struct Symbol {
        uint32_t begin, count;  // characters of the word; none: joined to the left
        uint32_t node;          // no_node for a character no piece begins with
        int32_t left, right;    // its neighbours, -1 for none
        bool frozen;
    };
    struct Pair {
        uint32_t rank, node;  // of the piece the two make
    };
    struct Candidate {
        uint32_t rank, left, node, count;
        int32_t right;
        bool operator<(const Candidate& other) const {  // the queue gives the largest first
            return rank != other.rank ? rank > other.rank : left > other.left;
        }
    };
    struct Scratch {
        std::vector<uint32_t> codes, begins;  // the characters of the word
        std::vector<Symbol> symbols;
        std::vector<Pair> pairs;
        std::vector<Candidate> candidates;
        std::unordered_map<uint32_t, uint32_t> parts;  // of unused pieces: bytes of the left part, as last joined
        std::vector<std::pair<std::string_view, uint32_t>> todo;
        std::vector<Token> path;  // an unknown character has the id no_id
    };

    void build(const SentencePieces& pieces) {
        pieces_ = &pieces;
        std::vector<PieceTrie::Entry> entries;
        for (uint32_t id = 0; id < pieces.texts.size(); ++id) {
            if (!pieces.stands_in_text(id)) continue;
            entries.emplace_back(pieces.texts[id], id);
            has_unused_ |= pieces.kinds[id] == PieceKind::unused;
        }
        trie_.build(entries);
        rank_pieces();
        pair_pieces();
    }

    const PieceTrie& trie() const { return trie_; }

    static constexpr uint32_t most_chars = 48;  // of a word for join()

    // Find the ids of a word of characters that are all pieces, and no user-defined one among them; none for any other
    // word, and one of more than most_chars.
    void join(SpelledWords& words, size_t word) const {
        uint32_t* const ids = words.room(word);
        words.set_ids(word, ids, join(words.codes() + words.begin(word), words.length(word), ids));
    }

    // Unused pieces are taken apart the way they were last put together anywhere in the sentence.
    bool has_unused() const { return has_unused_; }

    void encode(const uint8_t* word, size_t size, Model::Scratch& base, Scratch& scratch) const {
        scratch.path.clear();
        cut(word, trie_.spell(word, size, scratch.codes, scratch.begins), scratch);
        if (scratch.symbols.size() <= max_small && !has_unused_) {
            join_few(scratch);
        } else {
            scratch.parts.clear();
            join_many(base, scratch);
        }
        if (base.is_stopped()) return;
        for (const Symbol& symbol : scratch.symbols)
            if (symbol.count > 0) emit(word, symbol, scratch);
    }

  private:
    static constexpr size_t max_small = 48;
    static constexpr uint32_t no_rank = 0xFFFFFFFF, no_node = PieceTrie::no_node;
    static constexpr uint32_t max_depth = 100;  // how deep sentencepiece takes pieces apart

    size_t join(const uint16_t* codes, uint32_t count, uint32_t* ids) const {
        uint32_t ranks[most_chars], made[most_chars];
        if (count > most_chars) return 0;
        for (uint32_t i = 0; i < count; ++i) {
            ids[i] = ids_of_codes_[codes[i]];
            if (ids[i] == no_id) return 0;
        }
        const auto look = [&](uint32_t i) {
            made[i] = pairs_.find(ids[i], ids[i + 1]);
            ranks[i] = made[i] == no_id ? no_rank : ranks_[made[i]];
        };
        for (uint32_t i = 0; i + 1 < count; ++i) look(i);
        while (count > 1) {
            uint32_t best = 0, rank = ranks[0];
            for (uint32_t i = 1; i + 1 < count; ++i) {
                best = ranks[i] < rank ? i : best;
                rank = ranks[i] < rank ? ranks[i] : rank;
            }
            if (rank == no_rank) break;
            ids[best] = made[best];
            --count;
            for (uint32_t i = best + 1; i < count; ++i) {
                ids[i] = ids[i + 1];
                ranks[i] = ranks[i + 1];  // the last of them is of no pair
                made[i] = made[i + 1];
            }
            if (best > 0) look(best - 1);
            if (best + 1 < count) look(best);
        }
        return count;
    }

    // Equal scores have equal ranks; -0 is below 0.
    void rank_pieces() {
        const auto order = [](float score) {
            uint32_t bits;
            std::memcpy(&bits, &score, 4);
            return bits >> 31 ? ~bits : bits | 0x80000000u;
        };
        std::vector<uint32_t> orders;
        for (const float score : pieces_->scores) orders.push_back(order(score));
        std::sort(orders.begin(), orders.end(), std::greater<uint32_t>());
        orders.erase(std::unique(orders.begin(), orders.end()), orders.end());
        for (const float score : pieces_->scores) {
            const auto at = std::lower_bound(orders.begin(), orders.end(), order(score), std::greater<uint32_t>());
            ranks_.push_back(static_cast<uint32_t>(at - orders.begin()));
        }
    }

    // Every way of making a piece of two others, and the characters that are pieces.
    void pair_pieces() {
        std::vector<uint32_t> codes, begins;
        std::vector<std::array<uint32_t, 3>> found;
        ids_of_codes_.assign(trie_.num_codes(), no_id);
        for (uint32_t id = 0; id < pieces_->texts.size(); ++id) {
            if (!pieces_->stands_in_text(id)) continue;
            const std::string& text = pieces_->texts[id];
            const uint8_t* const bytes = reinterpret_cast<const uint8_t*>(text.data());
            const uint32_t count = trie_.spell(bytes, text.size(), codes, begins);
            if (trie_.find(text) != id || count > most_chars || id >= PiecePairs::id_end) continue;
            if (count == 1) ids_of_codes_[codes[0]] = id;
            uint32_t node = PieceTrie::root;
            for (uint32_t i = 0; i + 1 < count; ++i) {
                node = trie_.step(node, codes[i]);
                if (trie_.value(node) == no_id) continue;
                const uint32_t right = trie_.find(std::string_view(text).substr(begins[i + 1]));
                if (right != no_id) found.push_back({trie_.value(node), right, id});
            }
        }
        for (uint32_t id = 0; id < pieces_->texts.size(); ++id)
            if (pieces_->kinds[id] == PieceKind::user_defined)
                ids_of_codes_[trie_.first_code(pieces_->texts[id])] = no_id;
        pairs_.reserve(found.size());
        for (const auto& [left, right, id] : found) pairs_.insert(left, right, id);
    }

    // Characters and user-defined pieces, which stay as they are.
    void cut(const uint8_t* word, uint32_t count, Scratch& scratch) const {
        std::vector<Symbol>& symbols = scratch.symbols;
        symbols.clear();
        const uint8_t* const end = word + scratch.begins[count];
        for (uint32_t at = 0; at < count;) {
            const uint8_t* p = word + scratch.begins[at];
            uint32_t length = 1;
            uint32_t node = trie_.step(PieceTrie::root, scratch.codes[at]);
            bool frozen = false;
            if (pieces_->keeps[*p]) {
                const uint32_t stop = scratch.begins[at] + static_cast<uint32_t>(pieces_->prefix(p, end, frozen));
                for (; scratch.begins[at + length] < stop; ++length)
                    if (node != no_node) node = trie_.step(node, scratch.codes[at + length]);
            }
            const int32_t number = static_cast<int32_t>(symbols.size());
            symbols.push_back({at, length, node, number - 1, at + length < count ? number + 1 : -1, frozen});
            at += length;
        }
    }

    Pair pair_of(const Symbol& left, const Symbol& right, const std::vector<uint32_t>& codes) const {
        constexpr Pair none{no_rank, no_node};
        if (left.frozen || right.frozen || left.node == no_node) return none;
        uint32_t node = left.node;
        for (uint32_t i = right.begin; i < right.begin + right.count; ++i) {
            node = trie_.step(node, codes[i]);
            if (node == no_node) return none;
        }
        const uint32_t id = trie_.value(node);
        return id == PieceTrie::no_value ? none : Pair{ranks_[id], node};
    }

    // The best pair by looking at all of them, as often as there is one.
    void join_few(Scratch& scratch) const {
        std::vector<Symbol>& symbols = scratch.symbols;
        std::vector<Pair>& pairs = scratch.pairs;
        size_t count = symbols.size();
        if (count < 2) return;
        pairs.resize(count);
        for (size_t i = 0; i + 1 < count; ++i) pairs[i] = pair_of(symbols[i], symbols[i + 1], scratch.codes);
        for (;;) {
            size_t best = 0;
            uint32_t rank = no_rank;
            for (size_t i = 0; i + 1 < count; ++i) {
                best = pairs[i].rank < rank ? i : best;
                rank = pairs[i].rank < rank ? pairs[i].rank : rank;
            }
            if (rank == no_rank) break;
            symbols[best].node = pairs[best].node;
            symbols[best].count += symbols[best + 1].count;
            for (size_t i = best + 1; i + 1 < count; ++i) {
                symbols[i] = symbols[i + 1];
                pairs[i] = pairs[i + 1];
            }
            --count;
            if (best > 0) pairs[best - 1] = pair_of(symbols[best - 1], symbols[best], scratch.codes);
            if (best + 1 < count) pairs[best] = pair_of(symbols[best], symbols[best + 1], scratch.codes);
        }
        symbols.resize(count);
    }

    void join_many(Model::Scratch& base, Scratch& scratch) const {
        std::vector<Symbol>& symbols = scratch.symbols;
        std::vector<Candidate>& found = scratch.candidates;
        found.clear();
        for (size_t i = 0; i + 1 < symbols.size(); ++i) {
            if (i % 4096 == 4095 && base.is_stopped()) return;
            consider(scratch, static_cast<int32_t>(i), static_cast<int32_t>(i + 1));
        }
        std::make_heap(found.begin(), found.end());
        for (uint32_t steps = 0; !found.empty(); ++steps) {
            if (steps % 4096 == 0 && base.is_stopped()) return;
            std::pop_heap(found.begin(), found.end());
            const Candidate top = found.back();
            found.pop_back();
            Symbol &left = symbols[top.left], &right = symbols[static_cast<size_t>(top.right)];
            // Texts only grow: as long as before means the same as before.
            if (left.count == 0 || right.count == 0 || left.count + right.count != top.count) continue;
            left.node = top.node;
            left.count = top.count;
            left.right = right.right;
            if (right.right >= 0) symbols[static_cast<size_t>(right.right)].left = static_cast<int32_t>(top.left);
            right.count = 0;
            const int32_t here = static_cast<int32_t>(top.left);
            if (consider(scratch, left.left, here)) std::push_heap(found.begin(), found.end());
            if (consider(scratch, here, left.right)) std::push_heap(found.begin(), found.end());
        }
    }

    bool consider(Scratch& scratch, int32_t left, int32_t right) const {
        if (left < 0 || right < 0) return false;
        const Symbol &a = scratch.symbols[static_cast<size_t>(left)], &b = scratch.symbols[static_cast<size_t>(right)];
        const Pair pair = pair_of(a, b, scratch.codes);
        if (pair.rank == no_rank) return false;
        scratch.candidates.push_back({pair.rank, static_cast<uint32_t>(left), pair.node, a.count + b.count, right});
        const uint32_t id = trie_.value(pair.node);
        if (has_unused_ && pieces_->kinds[id] == PieceKind::unused)
            scratch.parts[id] = scratch.begins[b.begin] - scratch.begins[a.begin];
        return true;
    }

    void emit(const uint8_t* word, const Symbol& symbol, Scratch& scratch) const {
        const uint32_t begin = scratch.begins[symbol.begin], size = scratch.begins[symbol.begin + symbol.count] - begin;
        const uint32_t id = symbol.node == no_node ? no_id : trie_.value(symbol.node);
        static_assert(PieceTrie::no_value == no_id);
        if (id == no_id || !has_unused_ || pieces_->kinds[id] != PieceKind::unused)
            scratch.path.push_back({id, size});
        else
            take_apart({reinterpret_cast<const char*>(word + begin), size}, scratch);
    }

    void take_apart(std::string_view text, Scratch& scratch) const {
        scratch.todo.assign(1, {text, 0});
        while (!scratch.todo.empty()) {
            const auto [part, depth] = scratch.todo.back();
            scratch.todo.pop_back();
            const uint32_t id = trie_.find(part);
            const bool is_unused = id != no_id && pieces_->kinds[id] == PieceKind::unused;
            const auto found = is_unused ? scratch.parts.find(id) : scratch.parts.end();
            if (!is_unused || depth > max_depth) {
                scratch.path.push_back({id, static_cast<uint32_t>(part.size())});
            } else if (found == scratch.parts.end()) {
                scratch.path.push_back({no_id, static_cast<uint32_t>(part.size())});
            } else {
                scratch.todo.push_back({part.substr(found->second), depth + 1});
                scratch.todo.push_back({part.substr(0, found->second), depth + 1});
            }
        }
    }

    const SentencePieces* pieces_ = nullptr;
    PieceTrie trie_;
    PiecePairs pairs_;
    std::vector<uint32_t> ranks_, ids_of_codes_;
    bool has_unused_ = false;
};

}  // namespace textpipe
