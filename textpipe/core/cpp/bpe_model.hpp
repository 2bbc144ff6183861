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
#include <queue>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "byte_alphabet.hpp"
#include "model.hpp"
#include "unicode.hpp"

namespace textpipe {

// Pieces by their bytes: open addressing over one arena.
class PieceTable {
  public:
    void reserve(size_t count) {
        size_t capacity = 16;
        while (capacity < count * 2) capacity *= 2;
        slots_.assign(capacity, Slot{0, no_id});
    }

    // A piece seen twice keeps its first id.
    void insert(uint32_t id, std::string_view piece) {
        if ((count_ + 1) * 2 > slots_.size()) grow();
        Slot& slot = find_slot(piece);
        if (slot.id != no_id) return;
        slot = {arena_.size(), id};
        const uint32_t size = static_cast<uint32_t>(piece.size());
        arena_.append(reinterpret_cast<const char*>(&size), sizeof size);
        arena_.append(piece);
        ++count_;
    }

    uint32_t find(std::string_view piece) const {
        return slots_.empty() ? no_id : const_cast<PieceTable*>(this)->find_slot(piece).id;
    }

  private:
    struct Slot {
        size_t at;
        uint32_t id;
    };

    static uint64_t hash(std::string_view piece) {
        uint64_t h = piece.size();
        size_t i = 0;
        for (uint64_t part; i + 8 <= piece.size(); i += 8) {
            std::memcpy(&part, piece.data() + i, 8);
            h = mix_hash(h, part);
        }
        uint64_t tail = 0;
        std::memcpy(&tail, piece.data() + i, piece.size() - i);
        return mix_hash(h, tail);
    }

    std::string_view at(size_t offset) const {
        uint32_t size;
        std::memcpy(&size, arena_.data() + offset, sizeof size);
        return {arena_.data() + offset + sizeof size, size};
    }

    Slot& find_slot(std::string_view piece) {
        const size_t mask = slots_.size() - 1;
        for (size_t i = hash(piece) & mask;; i = (i + 1) & mask)
            if (slots_[i].id == no_id || at(slots_[i].at) == piece) return slots_[i];
    }

    void grow() {
        std::vector<Slot> old;
        old.swap(slots_);
        slots_.assign(std::max<size_t>(16, old.size() * 2), Slot{0, no_id});
        for (const Slot& slot : old)
            if (slot.id != no_id) find_slot(at(slot.at)) = slot;
    }

    std::vector<Slot> slots_;
    std::string arena_;
    size_t count_ = 0;
};

// Merges by their pair of ids. A slot is 32 bits of hash and the rank: most look-ups are for pairs that do not merge,
// and those end at one load of eight bytes. Pairs of low ids, where the single bytes are, have a square of their own.
class MergeTable {
  public:
    struct Merge {
        uint32_t left, right, id;
    };

    void reserve(size_t count) {
        size_t capacity = 16;
        while (capacity < count * 2) capacity *= 2;
        slots_.assign(capacity, Slot{0, no_id});
        merges_.reserve(count);
        square_.assign(square_side * square_side, no_id);
    }

    // Ranks come in order; a pair listed twice keeps its last rank, as `tokenizers` does. reserve() has made room.
    void insert(uint32_t left, uint32_t right, uint32_t id) {
        const uint32_t rank = static_cast<uint32_t>(merges_.size());
        merges_.push_back({left, right, id});
        if (left < square_side && right < square_side) square_[left * square_side + right] = rank;
        const uint64_t hash = hash_of(left, right);
        size_t i = hash & (slots_.size() - 1);
        while (slots_[i].rank != no_id && !is_pair(slots_[i].rank, left, right)) i = (i + 1) & (slots_.size() - 1);
        slots_[i] = {static_cast<uint32_t>(hash >> 32), rank};
    }

    // no_id where the two do not merge.
    uint32_t rank_of(uint32_t left, uint32_t right) const {
        if (left < square_side && right < square_side) return square_[left * square_side + right];
        const uint64_t hash = hash_of(left, right);
        const uint32_t tag = static_cast<uint32_t>(hash >> 32);
        for (size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
            const Slot slot = slots_[i];
            if (slot.rank == no_id || (slot.tag == tag && is_pair(slot.rank, left, right))) return slot.rank;
        }
    }

    const std::vector<Merge>& merges() const { return merges_; }
    uint32_t id_of(uint32_t rank) const { return merges_[rank].id; }

  private:
    struct Slot {
        uint32_t tag, rank;
    };
    static constexpr uint32_t square_side = 320;

    static uint64_t hash_of(uint32_t left, uint32_t right) {
        uint64_t hash = (static_cast<uint64_t>(left) << 32 | right) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
        return hash * 0xBF58476D1CE4E5B9u ^ hash >> 32;
    }
    bool is_pair(uint32_t rank, uint32_t left, uint32_t right) const {
        return merges_[rank].left == left && merges_[rank].right == right;
    }

    std::vector<Slot> slots_;
    std::vector<Merge> merges_;
    std::vector<uint32_t> square_;
};

struct BpeOptions {
    std::string unk_token, prefix, suffix;
    bool has_unk = false, fuse_unk = false, byte_fallback = false, ignore_merges = false;
    float dropout = 0;
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
        if (id >= ends_.size()) ends_.resize(id + 1, {0, 0, 0});
        ids_differ_ = ids_differ_ && ends_[id].size == 0;
        ends_[id] = ends_of(piece);
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
        if (!complete_) return;
        for (const Ends& ends : ends_) sizes_.push_back(ends.size);
        make_seeds();
    }

    bool complete() const { return complete_; }
    bool cacheable() const override { return options_.dropout == 0; }

    std::unique_ptr<Model::Scratch> make_scratch() const override { return std::make_unique<Scratch>(); }
    bool takes_bytes() const override { return complete_; }
    const uint32_t* sizes() const override { return complete_ ? sizes_.data() : nullptr; }

    void encode(const uint8_t* word, size_t size, Model::Scratch& own, std::vector<Token>& out) const override {
        Scratch& scratch = static_cast<Scratch&>(own);
        if (is_plain()) {
            scratch.ids.clear();
            encode_ids(word, size, own, scratch.ids);
            for (const uint32_t id : scratch.ids) out.push_back({id, sizes_[id]});
            return;
        }
        if (options_.ignore_merges && options_.dropout == 0) {
            const uint32_t id = find_word(word, size, scratch);
            if (id != no_id) return out.push_back({id, static_cast<uint32_t>(size)});
        }
        if (complete_) {
            scratch.symbols.clear();
            for (size_t i = 0; i < size; ++i) scratch.symbols.push_back({byte_ids_[word[i]], 1});
        } else {
            split_characters({reinterpret_cast<const char*>(word), size}, scratch);
        }
        merge_long(scratch);
        out.insert(out.end(), scratch.symbols.begin(), scratch.symbols.end());
    }

    void encode_ids(const uint8_t* word, size_t size, Model::Scratch& own, std::vector<uint32_t>& out) const override {
        if (!is_plain()) return Model::encode_ids(word, size, own, out);
        Scratch& scratch = static_cast<Scratch&>(own);
        const size_t before = out.size();
        out.resize(before + size);  // room for one a byte
        uint32_t* ids = out.data() + before;
        size_t count = seed(word, size, ids);
        if (count <= short_word) {
            count = merge_short(ids, count);
        } else {
            scratch.symbols.clear();
            for (size_t i = 0; i < count; ++i) scratch.symbols.push_back({ids[i], 1});
            merge_long(scratch);
            count = scratch.symbols.size();
            for (size_t i = 0; i < count; ++i) ids[i] = scratch.symbols[i].id;
        }
        out.resize(before + count);
    }

  private:
    struct Scratch final : Model::Scratch {
        std::vector<Token> symbols;
        std::vector<uint32_t> ids, previous, next;
        std::vector<uint64_t> heap, skipped;
        std::string piece, mapped;
    };
    static constexpr size_t short_word = 64;  // symbols; beyond, a heap keeps it from being quadratic

    // What the bytes of a piece look like from outside.
    struct Ends {
        uint32_t size;
        uint8_t first, last;
    };

    // Whether a word's ids follow from its bytes and the merges alone.
    bool is_plain() const { return complete_ && !options_.ignore_merges && options_.dropout == 0; }

    // The piece that the word is, or no_id.
    uint32_t find_word(const uint8_t* word, size_t size, Scratch& scratch) const {
        if (!complete_) return pieces_.find({reinterpret_cast<const char*>(word), size});
        scratch.mapped.clear();
        for (size_t i = 0; i < size; ++i) append_mapped(word[i], scratch.mapped);
        return pieces_.find(scratch.mapped);
    }

    static Ends ends_of(std::string_view piece) {
        Ends ends{0, 0, 0};
        for (size_t i = 0; i < piece.size(); ++ends.size) {
            unsigned length;
            const uint32_t c = unicode::decode(reinterpret_cast<const uint8_t*>(piece.data()) + i, length);
            // Only whether the byte is ASCII is asked; the other half of the alphabet is above it.
            const uint8_t byte = c < 0x80 ? static_cast<uint8_t>(c) : c < 0x100 ? 0x80 : c <= 0x121 ? 0x20 : 0x80;
            if (i == 0) ends.first = byte;
            ends.last = byte;
            i += length;
        }
        return ends;
    }

    // A three-byte character whose bytes always become one token before anything across its borders can merge may
    // begin as that token. With R the rank at which it is complete, that is so when, up to R, no merge has one of its
    // first bytes on the right, none has one of its last bytes on the left, and none has the token itself. The
    // neighbours are told apart by whether they are ASCII: after a space, for instance, the first byte of a Korean
    // syllable is merged early.
    enum : uint32_t {
        after_ascii = 1u << 24,
        after_other = 1u << 25,
        before_ascii = 1u << 26,
        before_other = 1u << 27
    };

    struct Lowest {
        uint32_t rank[2] = {no_id, no_id};  // of neighbours in ASCII, of others
    };

    void make_seeds() {
        std::vector<Lowest> as_right(ends_.size()), as_left(ends_.size());
        const auto& merges = merges_.merges();
        for (uint32_t rank = 0; rank < merges.size(); ++rank) {
            const auto [left, right, id] = merges[rank];
            if (merges_.rank_of(left, right) != rank) continue;  // listed again later
            uint32_t& right_lowest = as_right[right].rank[ends_[left].last >= 0x80];
            uint32_t& left_lowest = as_left[left].rank[ends_[right].first >= 0x80];
            right_lowest = std::min(right_lowest, rank);
            left_lowest = std::min(left_lowest, rank);
        }
        seeds_.assign(0x10000, 0);
        for (uint32_t c = 0x800; c < 0x10000; ++c) {
            uint8_t bytes[4];
            unicode::encode(c, bytes);
            const uint32_t x = byte_ids_[bytes[0]], y = byte_ids_[bytes[1]], z = byte_ids_[bytes[2]];
            const uint32_t xy = merges_.rank_of(x, y), yz = merges_.rank_of(y, z);
            if (xy == yz) continue;  // neither
            const bool front = xy < yz;
            const uint32_t part = merges_.id_of(front ? xy : yz);
            const uint32_t last = front ? merges_.rank_of(part, z) : merges_.rank_of(x, part);
            if (last == no_id || merges_.id_of(last) >= 1u << 24) continue;
            const uint32_t whole = merges_.id_of(last), done = std::max(last, front ? xy : yz);
            const Lowest &own_left = as_left[whole], &own_right = as_right[whole];
            if (std::min({own_left.rank[0], own_left.rank[1], own_right.rank[0], own_right.rank[1]}) <= done) continue;
            uint32_t entry = whole;
            for (const int other : {0, 1}) {
                const uint32_t before = std::min(as_right[x].rank[other], front ? as_right[part].rank[other] : no_id);
                const uint32_t after = std::min(as_left[z].rank[other], front ? no_id : as_left[part].rank[other]);
                if (before > done) entry |= after_ascii << other;
                if (after > done) entry |= before_ascii << other;
            }
            seeds_[c] = entry;
        }
        make_space_seeds(as_left);
    }

    // The same for a space and such a character at the beginning of a word, as most Korean words begin: up to the rank at
    // which the two are one token, no merge may have any token on the left that ends the two on the way there.
    void make_space_seeds(const std::vector<Lowest>& as_left) {
        space_seeds_.assign(0x10000, 0);
        for (uint32_t c = 0x800; c < 0x10000; ++c) {
            uint8_t bytes[4];
            unicode::encode(c, bytes);
            uint32_t ids[4] = {byte_ids_[' '], byte_ids_[bytes[0]], byte_ids_[bytes[1]], byte_ids_[bytes[2]]};
            uint32_t done = 0, lowest[2] = {no_id, no_id};
            size_t count = 4;
            while (count > 1) {
                uint32_t best = no_id;
                size_t at = 0;
                for (size_t i = 0; i + 1 < count; ++i) {
                    const uint32_t rank = merges_.rank_of(ids[i], ids[i + 1]);
                    if (rank < best) {
                        best = rank;
                        at = i;
                    }
                }
                if (best == no_id) break;
                for (const int other : {0, 1}) lowest[other] = std::min(lowest[other], as_left[ids[count - 1]].rank[other]);
                done = std::max(done, best);
                ids[at] = merges_.id_of(best);
                for (size_t i = at + 1; i + 1 < count; ++i) ids[i] = ids[i + 1];
                --count;
            }
            if (count > 1 || ids[0] >= 1u << 24) continue;
            const Lowest& own = as_left[ids[0]];
            if (std::min(own.rank[0], own.rank[1]) <= done) continue;
            space_seeds_[c] = ids[0] | (lowest[0] > done ? before_ascii : 0) | (lowest[1] > done ? before_other : 0);
        }
    }

    size_t seed(const uint8_t* word, size_t size, uint32_t* ids) const {
        uint32_t* out = ids;
        size_t i = 0;
        if (size >= 4 && word[0] == ' ' && (word[1] & 0xF0) == 0xE0) {
            const uint32_t entry = space_seeds_[three_bytes(word + 1)];
            if (entry != 0 && holds(entry, needed_before(word, 4, size))) {
                *out++ = entry & 0xFFFFFF;
                i = 4;
            }
        }
        while (i < size) {
            if ((word[i] & 0xF0) == 0xE0 && size - i >= 3) {
                const uint32_t entry = seeds_[three_bytes(word + i)];
                uint32_t need = needed_before(word, i + 3, size);
                if (i > 0) need |= word[i - 1] < 0x80 ? after_ascii : after_other;
                if (entry != 0 && holds(entry, need)) {
                    *out++ = entry & 0xFFFFFF;
                    i += 3;
                    continue;
                }
            }
            *out++ = byte_ids_[word[i++]];
        }
        return static_cast<size_t>(out - ids);
    }

    static uint32_t three_bytes(const uint8_t* p) {
        return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    }
    static bool holds(uint32_t entry, uint32_t need) { return (entry & need) == need; }
    static uint32_t needed_before(const uint8_t* word, size_t next, size_t size) {
        return next == size ? 0 : word[next] < 0x80 ? before_ascii : before_other;
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
        for (bool first = true; p < end; first = false) {
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

    // Scan for the lowest rank, merge, look at the two new pairs; quadratic, and fastest for what words are like.
    size_t merge_short(uint32_t* ids, size_t count) const {
        uint32_t ranks[short_word];
        for (size_t i = 0; i + 1 < count; ++i) ranks[i] = merges_.rank_of(ids[i], ids[i + 1]);
        while (count > 1) {
            size_t best = 0;
            for (size_t i = 1; i + 1 < count; ++i) best = ranks[i] < ranks[best] ? i : best;
            if (ranks[best] == no_id) break;
            ids[best] = merges_.id_of(ranks[best]);
            --count;
            for (size_t i = best + 1; i < count; ++i) {
                ids[i] = ids[i + 1];
                ranks[i - 1] = ranks[i];
            }
            if (best > 0) ranks[best - 1] = merges_.rank_of(ids[best - 1], ids[best]);
            if (best + 1 < count) ranks[best] = merges_.rank_of(ids[best], ids[best + 1]);
        }
        return count;
    }

    // Linked list and heap of rank << 32 | position; a stale entry is one whose pair has another rank by now.
    void merge_long(Scratch& scratch) const {
        auto& symbols = scratch.symbols;
        auto& heap = scratch.heap;
        const uint32_t count = static_cast<uint32_t>(symbols.size());
        scratch.previous.resize(count);
        scratch.next.resize(count);
        heap.clear();
        scratch.skipped.clear();
        const auto push = [&](uint32_t at) {
            if (at == no_id || scratch.next[at] == no_id) return;
            const uint32_t rank = merges_.rank_of(symbols[at].id, symbols[scratch.next[at]].id);
            if (rank == no_id) return;
            heap.push_back(static_cast<uint64_t>(rank) << 32 | at);
            std::push_heap(heap.begin(), heap.end(), std::greater<>());
        };
        for (uint32_t i = 0; i < count; ++i) {
            scratch.previous[i] = i == 0 ? no_id : i - 1;
            scratch.next[i] = i + 1 == count ? no_id : i + 1;
        }
        for (uint32_t i = 0; i + 1 < count; ++i) push(i);
        // One word may be a whole text: the flag is looked at within it.
        for (uint32_t turn = 1; !heap.empty(); ++turn) {
            if (turn % 4096 == 0 && scratch.is_stopped()) break;
            const uint64_t top = heap.front();
            std::pop_heap(heap.begin(), heap.end(), std::greater<>());
            heap.pop_back();
            if (options_.dropout > 0 && draw(scratch) < options_.dropout) {
                scratch.skipped.push_back(top);
                continue;
            }
            for (const uint64_t entry : scratch.skipped) {
                heap.push_back(entry);
                std::push_heap(heap.begin(), heap.end(), std::greater<>());
            }
            scratch.skipped.clear();
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

    static float draw(Scratch& scratch) {  // xorshift64*
        uint64_t& x = scratch.random;
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        return static_cast<float>((x * 0x2545F4914F6CDD1Du) >> 40) / 16777216.0f;
    }

    BpeOptions options_;
    PieceTable pieces_;
    MergeTable merges_;
    std::array<uint32_t, 256> byte_ids_, fallback_ids_;
    std::vector<Ends> ends_;
    std::vector<uint32_t> sizes_;
    std::vector<uint32_t> seeds_, space_seeds_;  // by code point: a token and the flags, or 0
    uint32_t unk_id_ = no_id;
    bool complete_ = false, ids_differ_ = true;
};

}  // namespace textpipe
