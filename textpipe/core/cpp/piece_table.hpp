// Pieces by their bytes. Enters: pieces with their ids. Leaves: the id of a piece. Promises: the whole piece is compared.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "model.hpp"

namespace textpipe {

// Open addressing over one arena.
class PieceTable {
  public:
    void reserve(size_t count) {
        size_t capacity = 16;
        while (capacity < count * 2) capacity *= 2;
        slots_.assign(capacity, Slot{0, no_id, 0});
    }

    // A piece seen twice keeps its first id.
    void insert(uint32_t id, std::string_view piece) {
        if ((count_ + 1) * 2 > slots_.size()) grow();
        const uint64_t h = hash(piece);
        Slot& slot = find_slot(piece, h);
        if (slot.id != no_id) return;
        slot = {arena_.size(), id, tag_of(h)};
        const uint32_t size = static_cast<uint32_t>(piece.size());
        arena_.append(reinterpret_cast<const char*>(&size), sizeof size);
        arena_.append(piece);
        ++count_;
    }

    uint32_t find(std::string_view piece) const {
        return slots_.empty() ? no_id : const_cast<PieceTable*>(this)->find_slot(piece, hash(piece)).id;
    }

    // Of a piece that find() will be asked for; reserve() has been called.
    void prefetch(std::string_view piece) const { __builtin_prefetch(&slots_[hash(piece) & (slots_.size() - 1)]); }

  private:
    struct Slot {
        size_t at;
        uint32_t id, tag;  // bits of the hash: most other pieces differ in them, and are not looked at
    };

    static uint32_t tag_of(uint64_t h) { return static_cast<uint32_t>(h >> 32); }

    template <class Unit>
    static uint64_t read(const char* p) {
        Unit unit;
        std::memcpy(&unit, p, sizeof unit);
        return unit;
    }

    static uint64_t hash(std::string_view piece) {
        const char *p = piece.data(), *const end = p + piece.size();
        uint64_t h = piece.size();
        if (h >= 8) {
            for (; end - p > 8; p += 8) h = mix_hash(h, read<uint64_t>(p));
            return mix_hash(h, read<uint64_t>(end - 8));
        }
        if (h >= 4) return mix_hash(h, read<uint32_t>(p) | read<uint32_t>(end - 4) << 32);
        if (h == 0) return 0;
        return mix_hash(h, read<uint8_t>(p) | read<uint8_t>(p + h / 2) << 8 | read<uint8_t>(end - 1) << 16);
    }

    std::string_view at(size_t offset) const {
        uint32_t size;
        std::memcpy(&size, arena_.data() + offset, sizeof size);
        return {arena_.data() + offset + sizeof size, size};
    }

    Slot& find_slot(std::string_view piece, uint64_t h) {
        const size_t mask = slots_.size() - 1;
        for (size_t i = h & mask;; i = (i + 1) & mask)
            if (slots_[i].id == no_id || (slots_[i].tag == tag_of(h) && at(slots_[i].at) == piece)) return slots_[i];
    }

    void grow() {
        std::vector<Slot> old;
        old.swap(slots_);
        slots_.assign(std::max<size_t>(16, old.size() * 2), Slot{0, no_id, 0});
        for (const Slot& slot : old) {
            if (slot.id == no_id) continue;
            const std::string_view piece = at(slot.at);
            find_slot(piece, hash(piece)) = slot;
        }
    }

    std::vector<Slot> slots_;
    std::string arena_;
    size_t count_ = 0;
};

}  // namespace textpipe
