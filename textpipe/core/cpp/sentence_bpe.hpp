// The byte-pair encoding of sentencepiece. Enters: a stretch of a sentence that no piece reaches out of. Leaves: its
// pieces. Promises: those of sentencepiece 0.2.3: any two neighbours whose texts together are a piece may be joined, the
// piece with the highest score first and of equals the leftmost; n log n time, whatever the text.
//
// The texts that can stand side by side are the pieces and the characters pieces are made of, so they are numbered, and
// a table gives the piece two of them make.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sentence_pieces.hpp"

namespace textpipe {

class SentenceBpe {
  public:
    struct Symbol {
        uint32_t number, size;  // which text (no_id: a character of no piece), in how many bytes; 0: joined to the left
        int32_t left, right;    // its neighbours, -1 for none
        bool frozen;
    };
    struct Pair {
        uint32_t rank, number;  // of the piece the two make
    };
    struct Candidate {
        uint32_t rank, left, number, size;
        int32_t right;
        bool operator<(const Candidate& other) const {  // the queue gives the largest first
            return rank != other.rank ? rank > other.rank : left > other.left;
        }
    };
    struct Scratch {
        std::vector<Symbol> symbols;
        std::vector<Pair> pairs;
        std::vector<Candidate> candidates;
        std::unordered_map<uint32_t, std::pair<uint32_t, uint32_t>> parts;  // of unused pieces, as last seen
        std::vector<std::pair<uint32_t, uint32_t>> todo;
        std::vector<Token> path;  // an unknown character has the id no_id
    };

    void build(const SentencePieces& pieces) {
        pieces_ = &pieces;
        number_texts();
        rank_pieces();
        for (uint32_t id = 0; id < pieces.texts.size(); ++id)
            if (pieces.stands_in_text(id)) add_splits(pieces.texts[id]);
    }

    // Unused pieces are taken apart the way they were last put together anywhere in the sentence.
    bool has_unused() const { return has_unused_; }

    void encode(const uint8_t* word, size_t size, Model::Scratch& base, Scratch& scratch) const {
        scratch.path.clear();
        cut(word, size, scratch.symbols);
        scratch.parts.clear();
        if (scratch.symbols.size() <= max_small && !has_unused_)
            join_few(scratch);
        else
            join_many(base, scratch);
        for (const Symbol& symbol : scratch.symbols)
            if (symbol.size > 0) emit(symbol, scratch);
    }

  private:
    static constexpr size_t max_small = 48;
    static constexpr uint32_t no_rank = 0xFFFFFFFF;
    static constexpr uint32_t max_depth = 100;  // how deep sentencepiece takes pieces apart

    struct Entry {
        uint64_t key = ~uint64_t{0};
        Pair pair{no_rank, no_id};
    };

    // Numbers: first the pieces that can stand in text, under their ids, then characters that are no such piece.
    void number_texts() {
        const SentencePieces& pieces = *pieces_;
        std::vector<PieceTrie::Entry> entries;
        for (uint32_t id = 0; id < pieces.texts.size(); ++id) {
            if (!pieces.stands_in_text(id)) continue;
            entries.emplace_back(pieces.texts[id], id);
            has_unused_ |= pieces.kinds[id] == PieceKind::unused;
        }
        if (!entries.empty()) numbers_.build(entries);
        uint32_t next = static_cast<uint32_t>(pieces.texts.size());
        characters_.assign(1 << 16, no_id);
        for (const auto& [text, id] : entries) {
            const uint8_t* const end = reinterpret_cast<const uint8_t*>(text.data()) + text.size();
            for (const uint8_t* p = reinterpret_cast<const uint8_t*>(text.data()); p < end;) {
                unsigned size;
                const uint32_t c = unicode::decode(p, size);
                uint32_t& number = c < 1 << 16 ? characters_[c] : rare_characters_.try_emplace(c, no_id).first->second;
                if (number == no_id) {
                    const uint32_t piece = numbers_.find({reinterpret_cast<const char*>(p), size});
                    number = piece != PieceTrie::no_node ? piece : next++;
                    if (piece == PieceTrie::no_node) character_sizes_.push_back(size);
                }
                p += size;
            }
        }
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
        std::sort(orders.begin(), orders.end(), [](uint32_t a, uint32_t b) { return a > b; });
        orders.erase(std::unique(orders.begin(), orders.end()), orders.end());
        for (const float score : pieces_->scores) {
            const auto at = std::lower_bound(orders.begin(), orders.end(), order(score), std::greater<uint32_t>());
            ranks_.push_back(static_cast<uint32_t>(at - orders.begin()));
        }
    }

    void add_splits(const std::string& text) {
        const uint32_t whole = numbers_.find(text);
        for (size_t at = unicode::utf8_size(static_cast<uint8_t>(text[0])); at < text.size();
             at += unicode::utf8_size(static_cast<uint8_t>(text[at]))) {
            const uint32_t left = number_of(std::string_view(text).substr(0, at));
            const uint32_t right = number_of(std::string_view(text).substr(at));
            if (left != no_id && right != no_id) insert(left, right, {ranks_[whole], whole});
        }
    }

    uint32_t number_of(std::string_view text) const {
        const uint8_t* p = reinterpret_cast<const uint8_t*>(text.data());
        if (unicode::utf8_size(*p) == text.size()) return character(p);
        const uint32_t number = numbers_.find(text);
        return number == PieceTrie::no_node ? no_id : number;
    }

    uint32_t character(const uint8_t* p) const {
        unsigned size;
        const uint32_t c = unicode::decode(p, size);
        if (c < 1 << 16) return characters_[c];
        const auto found = rare_characters_.find(c);
        return found == rare_characters_.end() ? no_id : found->second;
    }

    static uint64_t key_of(uint32_t left, uint32_t right) { return static_cast<uint64_t>(left) << 32 | right; }

    void insert(uint32_t left, uint32_t right, Pair pair) {
        if (++num_entries_ * 2 > entries_.size()) {
            std::vector<Entry> old(std::max<size_t>(64, entries_.size() * 2));
            old.swap(entries_);
            for (const Entry& entry : old)
                if (entry.pair.rank != no_rank) *slot(entry.key) = entry;
        }
        *slot(key_of(left, right)) = {key_of(left, right), pair};
    }

    Entry* slot(uint64_t key) { return const_cast<Entry*>(std::as_const(*this).slot(key)); }
    const Entry* slot(uint64_t key) const {
        size_t at = mix_hash(key, 0x9E3779B97F4A7C15u) & (entries_.size() - 1);
        while (entries_[at].pair.rank != no_rank && entries_[at].key != key) at = (at + 1) & (entries_.size() - 1);
        return &entries_[at];
    }

    Pair pair_of(const Symbol& left, const Symbol& right) const {
        if (left.frozen || right.frozen || left.number == no_id || right.number == no_id || entries_.empty())
            return {no_rank, no_id};
        return slot(key_of(left.number, right.number))->pair;
    }

    void cut(const uint8_t* word, size_t size, std::vector<Symbol>& symbols) const {
        symbols.clear();
        for (const uint8_t *p = word, *const end = word + size; p < end;) {
            bool frozen;
            const uint32_t length = static_cast<uint32_t>(pieces_->prefix(p, end, frozen));
            const uint32_t number =
                frozen ? numbers_.find({reinterpret_cast<const char*>(p), length}) : character(p);
            const int32_t at = static_cast<int32_t>(symbols.size());
            p += length;
            symbols.push_back({number, length, at - 1, p < end ? at + 1 : -1, frozen});
        }
    }

    // The best pair by looking at all of them, as often as there is one.
    void join_few(Scratch& scratch) const {
        std::vector<Symbol>& symbols = scratch.symbols;
        std::vector<Pair>& pairs = scratch.pairs;
        size_t count = symbols.size();
        if (count < 2) return;
        pairs.resize(count);
        for (size_t i = 0; i + 1 < count; ++i) pairs[i] = pair_of(symbols[i], symbols[i + 1]);
        for (;;) {
            size_t best = 0;
            uint32_t rank = no_rank;
            for (size_t i = 0; i + 1 < count; ++i) {
                best = pairs[i].rank < rank ? i : best;
                rank = pairs[i].rank < rank ? pairs[i].rank : rank;
            }
            if (rank == no_rank) break;
            symbols[best].number = pairs[best].number;
            symbols[best].size += symbols[best + 1].size;
            for (size_t i = best + 1; i + 1 < count; ++i) {
                symbols[i] = symbols[i + 1];
                pairs[i] = pairs[i + 1];
            }
            --count;
            if (best > 0) pairs[best - 1] = pair_of(symbols[best - 1], symbols[best]);
            if (best + 1 < count) pairs[best] = pair_of(symbols[best], symbols[best + 1]);
        }
        symbols.resize(count);
    }

    void join_many(Model::Scratch& base, Scratch& scratch) const {
        std::vector<Symbol>& symbols = scratch.symbols;
        std::vector<Candidate>& found = scratch.candidates;
        found.clear();
        for (size_t i = 0; i + 1 < symbols.size(); ++i)
            consider(scratch, static_cast<int32_t>(i), static_cast<int32_t>(i + 1));
        std::make_heap(found.begin(), found.end());
        for (uint32_t steps = 0; !found.empty(); ++steps) {
            if (steps % 4096 == 0 && base.is_stopped()) return;
            std::pop_heap(found.begin(), found.end());
            const Candidate top = found.back();
            found.pop_back();
            Symbol &left = symbols[top.left], &right = symbols[static_cast<size_t>(top.right)];
            // Texts only grow: as long as before means the same as before.
            if (left.size == 0 || right.size == 0 || left.size + right.size != top.size) continue;
            left.number = top.number;
            left.size = top.size;
            left.right = right.right;
            if (right.right >= 0) symbols[static_cast<size_t>(right.right)].left = static_cast<int32_t>(top.left);
            right.size = 0;
            if (consider(scratch, left.left, static_cast<int32_t>(top.left))) std::push_heap(found.begin(), found.end());
            if (consider(scratch, static_cast<int32_t>(top.left), left.right)) std::push_heap(found.begin(), found.end());
        }
    }

    bool consider(Scratch& scratch, int32_t left, int32_t right) const {
        if (left < 0 || right < 0) return false;
        const Symbol &a = scratch.symbols[static_cast<size_t>(left)], &b = scratch.symbols[static_cast<size_t>(right)];
        const Pair pair = pair_of(a, b);
        if (pair.rank == no_rank) return false;
        scratch.candidates.push_back({pair.rank, static_cast<uint32_t>(left), pair.number, a.size + b.size, right});
        if (has_unused_ && pieces_->kinds[pair.number] == PieceKind::unused)
            scratch.parts[pair.number] = {a.number, b.number};
        return true;
    }

    void emit(const Symbol& symbol, Scratch& scratch) const {
        const size_t num_pieces = pieces_->texts.size();
        if (symbol.number >= num_pieces) {
            scratch.path.push_back({no_id, symbol.size});
            return;
        }
        if (!has_unused_ || pieces_->kinds[symbol.number] != PieceKind::unused) {
            scratch.path.push_back({symbol.number, symbol.size});
            return;
        }
        take_apart(symbol, scratch);
    }

    void take_apart(const Symbol& symbol, Scratch& scratch) const {
        const size_t num_pieces = pieces_->texts.size();
        scratch.todo.assign(1, {symbol.number, 0});
        while (!scratch.todo.empty()) {
            const auto [number, depth] = scratch.todo.back();
            scratch.todo.pop_back();
            const bool is_piece = number < num_pieces;
            const auto parts = scratch.parts.find(number);
            if (is_piece && (depth > max_depth || pieces_->kinds[number] != PieceKind::unused)) {
                scratch.path.push_back({number, pieces_->size_of(number)});
            } else if (!is_piece || parts == scratch.parts.end()) {
                scratch.path.push_back({no_id, is_piece ? pieces_->size_of(number) : character_sizes_[number - num_pieces]});
            } else {
                scratch.todo.push_back({parts->second.second, depth + 1});
                scratch.todo.push_back({parts->second.first, depth + 1});
            }
        }
    }

    const SentencePieces* pieces_ = nullptr;
    PieceTrie numbers_;
    std::vector<uint32_t> characters_;
    std::unordered_map<uint32_t, uint32_t> rare_characters_;
    std::vector<uint32_t> character_sizes_;  // of those that are no piece, by number
    std::vector<uint32_t> ranks_;
    std::vector<Entry> entries_;
    size_t num_entries_ = 0;
    bool has_unused_ = false;
};

}  // namespace textpipe
