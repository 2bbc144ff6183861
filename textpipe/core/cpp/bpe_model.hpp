// Byte-pair encoding of one word. Enters: the vocabulary and the merges, once; then words as UTF-8. Leaves: for each
// word its tokens, an id and the number of bytes each. Promises: the tokens are those of `tokenizers`: at every step
// the pair with the lowest rank is merged, the leftmost of equals; O(n log n) for a word of n characters, whatever it
// holds.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <queue>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "byte_alphabet.hpp"
#include "bpe_dropout.hpp"
#include "bpe_merging.hpp"
#include "bpe_seeds.hpp"
#include "longest_word.hpp"
#include "merge_table.hpp"
#include "model.hpp"
#include "piece_table.hpp"
#include "stopping.hpp"
#include "unicode.hpp"

namespace textpipe {

struct BpeOptions {
    std::string unk_token, prefix, suffix;
    bool has_unk = false, fuse_unk = false, byte_fallback = false, ignore_merges = false;
};

class BpeModel final : public Model {
  public:
    explicit BpeModel(BpeOptions options) : options_(std::move(options)) { byte_ids_.fill(no_id); }

    void reserve(size_t pieces, size_t merges) {
        pieces_.reserve(pieces);
        merges_.reserve(merges);
    }
    void add_piece(uint32_t id, std::string_view piece) {
        pieces_.insert(id, piece);
        if (id >= ends_.size()) ends_.resize(id + 1);
        ids_differ_ = ids_differ_ && ends_[id].size == 0;
        ends_[id] = ends_of(piece);
        set_size(sizes_, id, piece.size());
    }
    // In the order of their ranks.
    void add_merge(uint32_t left, uint32_t right, uint32_t id) { merges_.insert(left, right, id); }

    // Call once after the pieces. When words are byte-level and all 256 bytes have a piece, the words need not be
    // spelled in the printable alphabet first, and a token's bytes are its piece's.
    void finish(bool byte_level) {
        if (options_.has_unk) unk_id_ = pieces_.find(options_.unk_token);
        // With two pieces of one id a token would not tell how many bytes it stands for.
        complete_ = byte_level && ids_differ_ && options_.prefix.empty() && options_.suffix.empty();
        std::string piece;
        for (unsigned byte = 0; byte < 256; ++byte) {
            piece.clear();
            append_mapped(static_cast<uint8_t>(byte), piece);
            byte_ids_[byte] = pieces_.find(piece);
            complete_ = complete_ && byte_ids_[byte] != no_id;
            char name[8];
            std::snprintf(name, sizeof name, "<0x%02X>", byte);
            fallback_ids_[byte] = pieces_.find(name);
        }
        if (!complete_) return forget_sizes();
        for (size_t id = 0; id < ends_.size(); ++id) sizes_[id] = ends_[id].size;
        seeds_ = BpeSeeds(byte_ids_, ends_, merges_);
        compact_ = !merges_.merges().empty() && merges_.is_compact() &&
                   *std::max_element(byte_ids_.begin(), byte_ids_.end()) < MergeTable::id_end;
    }

    bool complete() const { return complete_; }

    std::unique_ptr<Model::Scratch> make_scratch() const override { return std::make_unique<Scratch>(); }
    bool takes_bytes() const override { return complete_; }
    const uint32_t* sizes() const override { return sizes_.empty() ? nullptr : sizes_.data(); }

    void encode(const uint8_t* word, size_t size, Model::Scratch& own, std::vector<Token>& out) const override {
        Scratch& scratch = static_cast<Scratch&>(own);
        if (is_plain()) {
            scratch.ids.clear();
            encode_ids(word, size, own, scratch.ids);
            for (const uint32_t id : scratch.ids) out.push_back({id, sizes_[id]});
            return;
        }
        if (options_.ignore_merges) {
            const uint32_t id = find_word(word, size, scratch);
            if (id != no_id) return out.push_back({id, static_cast<uint32_t>(size)});
        }
        split(word, size, scratch);
        merge_queued(scratch, LowestFirst{scratch.heap});
        out.insert(out.end(), scratch.symbols.begin(), scratch.symbols.end());
    }

    // The same where each merge is passed over with the chance `dropout`, each time; a word that is a piece is merged too.
    void encode_dropping(const uint8_t* word, size_t size, double dropout, Model::Scratch& own,
                         std::vector<Token>& out) const {
        Scratch& scratch = static_cast<Scratch&>(own);
        split(word, size, scratch);
        merge_queued(scratch, WithDropout{scratch.chances, dropout, scratch.random});
        out.insert(out.end(), scratch.symbols.begin(), scratch.symbols.end());
    }

    void encode_ids(const uint8_t* word, size_t size, Model::Scratch& own, std::vector<uint32_t>& out) const override {
        if (!is_plain()) return Model::encode_ids(word, size, own, out);
        const Piece whole{0, static_cast<uint32_t>(size)};
        Piece place;
        encode_words(word, &whole, 1, own, out, &place);
    }

    void encode_words(const uint8_t* text, const Piece* words, size_t count, Model::Scratch& own,
                      std::vector<uint32_t>& out, Piece* places) const override {
        if (!is_plain()) return Model::encode_words(text, words, count, own, out, places);
        Scratch& scratch = static_cast<Scratch&>(own);
        const auto take = [&](size_t number, const uint32_t* ids, size_t num_ids) {
            const uint32_t before = static_cast<uint32_t>(out.size());
            out.insert(out.end(), ids, ids + num_ids);
            places[number] = {before, static_cast<uint32_t>(out.size())};
        };
        for (size_t i = 0; i < count; ++i) {
            const size_t size = words[i].end - words[i].begin;
            check_word(size);
            if (scratch.split.size() < size) scratch.split.resize(size);
            uint32_t* const ids = scratch.split.data();
            const size_t num_symbols = seeds_.split(text + words[i].begin, size, ids);
            if (num_symbols <= BpeMergings::most && compact_) {
                scratch.mergings.add(merges_, i, ids, num_symbols, take);
            } else {
                merge_many(ids, num_symbols, scratch);
                take(i, ids, scratch.symbols.size());
            }
        }
        scratch.mergings.finish(merges_, take);
    }

  private:
    struct Scratch final : Model::Scratch {
        std::vector<Token> symbols;
        std::vector<uint32_t> ids, split, previous, next;
        BpeMergings mergings;
        std::vector<uint64_t> heap;
        MergeChances chances;
        std::string piece, mapped;
    };

    // Whether a word's ids follow from its bytes and the merges alone.
    bool is_plain() const { return complete_ && !options_.ignore_merges; }

    // What stands for unknown characters tells no size, and what stands for a byte may also be spelled out: their sizes
    // are the least they can be, so that the sizes in a word with such a token come to its own only where they are right.
    // Where they merge with others that is not so.
    void forget_sizes() {
        if (!ids_differ_ || !options_.prefix.empty() || !options_.suffix.empty()) return sizes_.clear();
        std::vector<bool> varies(sizes_.size());
        const auto set_least = [&](uint32_t id, uint32_t size) {
            if (id == no_id) return;
            sizes_[id] = size;
            varies[id] = true;
        };
        if (options_.byte_fallback)
            for (const uint32_t id : fallback_ids_) set_least(id, 1);
        set_least(unk_id_, 0);
        for (const MergeTable::Merge& merge : merges_.merges())
            if (varies[merge.left] || varies[merge.right]) return sizes_.clear();
    }

    // The piece that the word is, or no_id.
    uint32_t find_word(const uint8_t* word, size_t size, Scratch& scratch) const {
        if (!complete_) return pieces_.find({reinterpret_cast<const char*>(word), size});
        scratch.mapped.clear();
        for (size_t i = 0; i < size; ++i) append_mapped(word[i], scratch.mapped);
        return pieces_.find(scratch.mapped);
    }

    static BpeSeeds::Ends ends_of(std::string_view piece) {
        BpeSeeds::Ends ends;
        for (size_t i = 0; i < piece.size(); ++ends.size) {
            unsigned length;
            const uint32_t c = unicode::decode(reinterpret_cast<const uint8_t*>(piece.data()) + i, length);
            const uint8_t byte = byte_of_mapped(c);
            if (ends.size < ends.first.size()) ends.first[ends.size] = byte;
            ends.last = {byte, ends.last[0], ends.last[1]};
            i += length;
        }
        return ends;
    }

    // The symbols that merging begins with.
    void split(const uint8_t* word, size_t size, Scratch& scratch) const {
        check_word(size);
        if (!complete_) return split_characters({reinterpret_cast<const char*>(word), size}, scratch);
        scratch.symbols.resize(size);
        for (size_t i = 0; i < size; ++i) scratch.symbols[i] = {byte_ids_[word[i]], 1};
    }

    // One symbol a character, as merge_word of `tokenizers` makes them.
    void split_characters(std::string_view text, Scratch& scratch) const {
        auto& symbols = scratch.symbols;
        symbols.clear();
        Token unk{no_id, 0};
        const auto flush = [&] {
            if (unk.id != no_id) symbols.push_back(unk);
            unk = {no_id, 0};
        };
        const uint8_t* p = reinterpret_cast<const uint8_t*>(text.data());
        const uint8_t* end = p + text.size();
        Turns turns;
        for (bool first = true; p < end; first = false) {
            turns.next();
            const uint32_t size = unicode::utf8_size(*p);
            std::string& piece = scratch.piece;
            piece.clear();
            if (!first) piece += options_.prefix;
            piece.append(reinterpret_cast<const char*>(p), size);
            if (p + size == end) piece += options_.suffix;
            const uint32_t id = pieces_.find(piece);
            if (id != no_id) {
                flush();
                symbols.push_back({id, size});
            } else if (!options_.byte_fallback || !fall_back(piece, symbols)) {
                if (unk_id_ != no_id) {
                    if (!options_.fuse_unk) flush();
                    unk = {unk_id_, unk.size + size};
                }
            }
            p += size;
        }
        flush();
    }

    // Every byte as <0xXX>, all or none.
    bool fall_back(const std::string& piece, std::vector<Token>& symbols) const {
        for (const char byte : piece)
            if (fallback_ids_[static_cast<uint8_t>(byte)] == no_id) return false;
        for (const char byte : piece) symbols.push_back({fallback_ids_[static_cast<uint8_t>(byte)], 1});
        return true;
    }

    // The queue of a word's pairs, as rank << 32 | position: the lowest first,
    struct LowestFirst {
        std::vector<uint64_t>& heap;
        void clear() { heap.clear(); }
        void insert(uint64_t entry) {
            heap.push_back(entry);
            std::push_heap(heap.begin(), heap.end(), std::greater<>());
        }
        bool take(uint64_t& entry) {
            if (heap.empty()) return false;
            entry = heap.front();
            std::pop_heap(heap.begin(), heap.end(), std::greater<>());
            heap.pop_back();
            return true;
        }
    };
    // or with chances.
    struct WithDropout {
        MergeChances& chances;
        double dropout;
        uint64_t& random;
        void clear() { chances.clear(); }
        void insert(uint64_t entry) { chances.insert(entry, random); }
        bool take(uint64_t& entry) { return chances.take(dropout, random, entry); }
    };

    // Merge in place; afterwards there are as many as scratch.symbols.
    void merge_many(uint32_t* ids, size_t count, Scratch& scratch) const {
        scratch.symbols.resize(count);
        for (size_t i = 0; i < count; ++i) scratch.symbols[i] = {ids[i], 1};
        merge_queued(scratch, LowestFirst{scratch.heap});
        for (size_t i = 0; i < scratch.symbols.size(); ++i) ids[i] = scratch.symbols[i].id;
    }

    // Linked list and queue; a stale entry is one whose pair has another rank by now.
    template <class Queue>
    void merge_queued(Scratch& scratch, Queue queue) const {
        auto& symbols = scratch.symbols;
        const uint32_t count = static_cast<uint32_t>(symbols.size());
        scratch.previous.resize(count);
        scratch.next.resize(count);
        queue.clear();
        const auto push = [&](uint32_t at) {
            if (at == no_id || scratch.next[at] == no_id) return;
            const uint32_t rank = merges_.rank_of(symbols[at].id, symbols[scratch.next[at]].id);
            if (rank != no_id) queue.insert(static_cast<uint64_t>(rank) << 32 | at);
        };
        for (uint32_t i = 0; i < count; ++i) {
            scratch.previous[i] = i == 0 ? no_id : i - 1;
            scratch.next[i] = i + 1 == count ? no_id : i + 1;
        }
        // One word may be a whole text: the flag is looked at within it.
        for (uint32_t i = 0; i + 1 < count; ++i) {
            if (i % 4096 == 4095 && scratch.is_stopped()) return;
            push(i);
        }
        uint64_t top = 0;
        for (uint32_t turn = 1; queue.take(top); ++turn) {
            if (turn % 4096 == 0 && scratch.is_stopped()) break;
            const uint32_t at = static_cast<uint32_t>(top);
            if (symbols[at].size == 0 && symbols[at].id == no_id) continue;
            const uint32_t right = scratch.next[at];
            if (right == no_id) continue;
            const uint32_t rank = merges_.rank_of(symbols[at].id, symbols[right].id);
            if (rank != top >> 32) continue;
            symbols[at] = {merges_.id_of(rank), symbols[at].size + symbols[right].size};
            symbols[right] = {no_id, 0};
            scratch.next[at] = scratch.next[right];
            if (scratch.next[at] != no_id) scratch.previous[scratch.next[at]] = at;
            push(scratch.previous[at]);
            push(at);
        }
        const auto gone = [](const Token& token) { return token.id == no_id; };
        symbols.erase(std::remove_if(symbols.begin(), symbols.end(), gone), symbols.end());
    }

    BpeOptions options_;
    PieceTable pieces_;
    MergeTable merges_;
    std::array<uint32_t, 256> byte_ids_, fallback_ids_;
    std::vector<BpeSeeds::Ends> ends_;
    std::vector<uint32_t> sizes_;
    BpeSeeds seeds_;
    uint32_t unk_id_ = no_id;
    bool complete_ = false, compact_ = false, ids_differ_ = true;
};

// The same tables with dropout: another chance needs no others.
class DroppingBpe final : public Model {
  public:
    DroppingBpe(std::shared_ptr<const BpeModel> tables, double dropout) : tables_(std::move(tables)), dropout_(dropout) {}

    bool cacheable() const override { return false; }
    std::unique_ptr<Model::Scratch> make_scratch() const override { return tables_->make_scratch(); }
    bool takes_bytes() const override { return tables_->takes_bytes(); }
    void encode(const uint8_t* word, size_t size, Model::Scratch& scratch, std::vector<Token>& out) const override {
        tables_->encode_dropping(word, size, dropout_, scratch, out);
    }

  private:
    const std::shared_ptr<const BpeModel> tables_;
    const double dropout_;
};

}  // namespace textpipe
