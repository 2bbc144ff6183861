// Byte-pair encoding of one word. Enters: the vocabulary and the merges, once; then words as UTF-8. Leaves: for each word its
// tokens, an id and the number of bytes each. Promises: the tokens are those of `tokenizers`: at every step the pair with the
// lowest rank is merged, the leftmost of equals; O(n log n) for a word of n characters, whatever it holds.
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

#include "unicode.hpp"

namespace textpipe {

constexpr uint32_t no_id = UINT32_MAX;

struct Token {
    uint32_t id;
    uint32_t size;  // bytes of the word it stands for
};

inline uint64_t mix_hash(uint64_t a, uint64_t b) {
    const unsigned __int128 product =
        static_cast<unsigned __int128>(a ^ 0x9E3779B97F4A7C15u) * (b ^ 0xD6E8FEB86659FD93u);
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

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

// Merges by their pair of ids.
class MergeTable {
  public:
    struct Merge {
        uint32_t rank, id;  // rank is no_id where there is no such merge
    };

    void reserve(size_t count) {
        size_t capacity = 16;
        while (capacity < count * 2) capacity *= 2;
        slots_.assign(capacity, Slot{empty, {no_id, no_id}});
        shift_ = 64;
        for (size_t n = capacity; n > 1; n /= 2) --shift_;
    }

    // A pair listed twice keeps its last rank, as `tokenizers` does. reserve() has made room.
    void insert(uint32_t left, uint32_t right, uint32_t rank, uint32_t id) {
        const uint64_t key = make_key(left, right);
        size_t i = home(key);
        while (slots_[i].key != empty && slots_[i].key != key) i = (i + 1) & (slots_.size() - 1);
        slots_[i] = {key, {rank, id}};
    }

    Merge find(uint32_t left, uint32_t right) const {
        const uint64_t key = make_key(left, right);
        for (size_t i = home(key);; i = (i + 1) & (slots_.size() - 1)) {
            if (slots_[i].key == key) return slots_[i].merge;
            if (slots_[i].key == empty) return {no_id, no_id};
        }
    }

  private:
    struct Slot {
        uint64_t key;
        Merge merge;
    };
    static constexpr uint64_t empty = UINT64_MAX;

    static uint64_t make_key(uint32_t left, uint32_t right) { return static_cast<uint64_t>(left) << 32 | right; }
    size_t home(uint64_t key) const { return (key * 0x9E3779B97F4A7C15u ^ (key >> 32) * 0xC2B2AE3D27D4EB4Fu) >> shift_; }

    std::vector<Slot> slots_;
    int shift_ = 60;
};

struct BpeOptions {
    std::string unk_token, prefix, suffix;
    bool has_unk = false, fuse_unk = false, byte_fallback = false, ignore_merges = false;
    float dropout = 0;
};

class BpeModel {
  public:
    // What one thread needs while it encodes; kept between words to save allocations.
    struct Scratch {
        std::vector<Token> symbols;
        std::vector<uint32_t> previous, next;
        std::vector<uint64_t> heap, skipped;
        std::string piece, mapped;
        uint64_t random = 0x853C49E6748FEA9Bu;
    };

    explicit BpeModel(BpeOptions options) : options_(std::move(options)) { byte_ids_.fill(no_id); }

    void reserve(size_t pieces, size_t merges) {
        pieces_.reserve(pieces);
        merges_.reserve(merges);
    }
    void add_piece(uint32_t id, std::string_view piece) { pieces_.insert(id, piece); }
    void add_merge(uint32_t left, uint32_t right, uint32_t rank, uint32_t id) { merges_.insert(left, right, rank, id); }

    // Call once after the pieces. With byte-level words every byte is a symbol; when all 256 have a piece the words need not
    // be mapped to the printable alphabet first, and a token's bytes are its piece's.
    void finish(bool byte_level) {
        byte_level_ = byte_level;
        if (options_.has_unk) unk_id_ = pieces_.find(options_.unk_token);
        complete_ = byte_level && options_.prefix.empty() && options_.suffix.empty();
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
    }

    bool complete() const { return complete_; }
    bool byte_level() const { return byte_level_; }
    bool cacheable() const { return options_.dropout == 0; }

    // The tokens of one word, appended to `out`. A byte-level model takes the word's own bytes; sizes then count bytes of the
    // mapped word unless complete().
    template <class Out>
    void encode(const uint8_t* word, size_t size, Scratch& scratch, Out&& out) const {
        if (size == 0) return;
        if (byte_level_ && (!complete_ || options_.ignore_merges)) {
            scratch.mapped.clear();
            for (size_t i = 0; i < size; ++i) append_mapped(word[i], scratch.mapped);
        }
        const std::string_view text = byte_level_ && !scratch.mapped.empty() && (!complete_ || options_.ignore_merges)
                                          ? std::string_view(scratch.mapped)
                                          : std::string_view(reinterpret_cast<const char*>(word), size);
        if (options_.ignore_merges && options_.dropout == 0) {
            const uint32_t id = pieces_.find(text);
            if (id != no_id) return out(Token{id, static_cast<uint32_t>(complete_ ? size : text.size())});
        }
        auto& symbols = scratch.symbols;
        symbols.clear();
        if (complete_) {
            for (size_t i = 0; i < size; ++i) symbols.push_back({byte_ids_[word[i]], 1});
        } else {
            split_characters(text, scratch);
        }
        merge(scratch);
        for (const Token& token : symbols) out(token);
    }

    // The same into a vector, without a scratch of the caller's.
    void encode(const uint8_t* word, size_t size, uint64_t seed, std::vector<Token>& out) const {
        Scratch scratch;
        scratch.random = seed | 1;
        encode(word, size, scratch, [&](const Token& token) { out.push_back(token); });
    }

    // The printable character that stands for a byte, as UTF-8.
    static void append_mapped(uint8_t byte, std::string& out) {
        uint8_t buffer[4];
        const uint8_t* end = unicode::encode(mapped_code_point(byte), buffer);
        out.append(reinterpret_cast<const char*>(buffer), static_cast<size_t>(end - buffer));
    }

    // Printable Latin-1 stands for itself; the rest, in order, for U+0100 and up.
    static uint32_t mapped_code_point(uint8_t byte) {
        if (byte <= 0x20) return 0x100u + byte;
        if (byte <= 0x7E) return byte;
        if (byte <= 0xA0) return 0x121u + (byte - 0x7Fu);
        return byte == 0xAD ? 0x143u : byte;
    }

  private:
    static constexpr size_t short_word = 64;  // symbols; beyond, a heap keeps it from being quadratic

    // One symbol a character, as merge_word of `tokenizers` makes them.
    void split_characters(std::string_view text, Scratch& scratch) const {
        auto& symbols = scratch.symbols;
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

    void merge(Scratch& scratch) const {
        if (options_.dropout > 0) {
            merge_long(scratch);
        } else if (scratch.symbols.size() <= short_word) {
            scratch.symbols.resize(merge_short(scratch.symbols.data(), scratch.symbols.size()));
        } else {
            merge_long(scratch);
        }
    }

    // Scan for the lowest rank, merge, look at the two new pairs; quadratic, and fastest for what words are like.
    size_t merge_short(Token* symbols, size_t count) const {
        MergeTable::Merge merges[short_word];
        for (size_t i = 0; i + 1 < count; ++i) merges[i] = merges_.find(symbols[i].id, symbols[i + 1].id);
        while (count > 1) {
            size_t best = 0;
            for (size_t i = 1; i + 1 < count; ++i)
                if (merges[i].rank < merges[best].rank) best = i;
            if (merges[best].rank == no_id) break;
            symbols[best] = {merges[best].id, symbols[best].size + symbols[best + 1].size};
            --count;
            for (size_t i = best + 1; i < count; ++i) {
                symbols[i] = symbols[i + 1];
                merges[i - 1] = merges[i];
            }
            if (best > 0) merges[best - 1] = merges_.find(symbols[best - 1].id, symbols[best].id);
            if (best + 1 < count) merges[best] = merges_.find(symbols[best].id, symbols[best + 1].id);
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
            const auto found = merges_.find(symbols[at].id, symbols[scratch.next[at]].id);
            if (found.rank == no_id) return;
            heap.push_back(static_cast<uint64_t>(found.rank) << 32 | at);
            std::push_heap(heap.begin(), heap.end(), std::greater<>());
        };
        for (uint32_t i = 0; i < count; ++i) {
            scratch.previous[i] = i == 0 ? no_id : i - 1;
            scratch.next[i] = i + 1 == count ? no_id : i + 1;
        }
        for (uint32_t i = 0; i + 1 < count; ++i) push(i);
        while (!heap.empty()) {
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
            const auto found = merges_.find(symbols[at].id, symbols[right].id);
            if (found.rank != top >> 32) continue;
            symbols[at] = {found.id, symbols[at].size + symbols[right].size};
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
    uint32_t unk_id_ = no_id;
    bool byte_level_ = false, complete_ = false;
};

}  // namespace textpipe
