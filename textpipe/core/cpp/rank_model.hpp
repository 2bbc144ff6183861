// Byte-pair encoding by ranks, as tiktoken does it. Enters: byte strings with their ranks, which are their ids; then
// words as bytes. Leaves: the tokens of a word. Promises: of all neighbours that together are a piece, the pair whose
// piece has the lowest rank is joined first, the leftmost of equals, until no two are a piece; a word that is a piece
// is that piece. O(n log n) look-ups for a word of n bytes.
//
// A list of merges says by which parts a piece is made; here any two parts will do. So what two neighbours are together
// is looked up by their bytes, which lie together in the word; two bytes have a table of their own.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "longest_word.hpp"
#include "model.hpp"
#include "piece_table.hpp"

namespace textpipe {

class RankModel final : public Model {
  public:
    RankModel() : pair_ids_(size_t{1} << 16, no_id) { byte_ids_.fill(no_id); }

    void reserve(size_t pieces) { pieces_.reserve(pieces); }

    void add_piece(uint32_t id, std::string_view bytes) {
        longest_ = std::max(longest_, bytes.size());
        set_size(sizes_, id, bytes.size());
        if (bytes.size() == 1)
            byte_ids_[static_cast<uint8_t>(bytes[0])] = id;
        else if (bytes.size() == 2)
            pair_ids_[pair_of(reinterpret_cast<const uint8_t*>(bytes.data()))] = id;
        else
            pieces_.insert(id, bytes);
    }

    // Of a piece that comes soon: asks for the memory it needs. reserve() has been called.
    void expect(std::string_view bytes) const {
        if (bytes.size() > 2) pieces_.prefetch(bytes);
    }

    bool has_byte(uint8_t byte) const { return byte_ids_[byte] != no_id; }

    bool takes_bytes() const override { return true; }
    const uint32_t* sizes() const override { return sizes_.data(); }
    std::unique_ptr<Model::Scratch> make_scratch() const override { return std::make_unique<RankScratch>(); }

    void encode(const uint8_t* word, size_t size, Model::Scratch& scratch, std::vector<Token>& out) const override {
        for_each_id(word, size, scratch, [&](uint32_t id) { out.push_back({id, sizes_[id]}); });
    }
    void encode_ids(const uint8_t* word, size_t size, Model::Scratch& scratch, std::vector<uint32_t>& out) const override {
        for_each_id(word, size, scratch, [&](uint32_t id) { out.push_back(id); });
    }

  private:
    static constexpr size_t short_word = 64;  // bytes; beyond, a heap keeps it from being quadratic

    struct RankScratch final : Model::Scratch {
        std::vector<uint32_t> ids, previous, next;
        std::vector<uint64_t> heap;
    };

    static size_t pair_of(const uint8_t* p) { return size_t{p[0]} << 8 | p[1]; }

    // The id of some bytes, or no_id.
    uint32_t find(const uint8_t* begin, size_t size) const {
        if (size == 1) return byte_ids_[*begin];
        if (size == 2) return pair_ids_[pair_of(begin)];
        return size > longest_ ? no_id : pieces_.find({reinterpret_cast<const char*>(begin), size});
    }

    template <class Out>
    void for_each_id(const uint8_t* word, size_t size, Model::Scratch& scratch, Out&& out) const {
        const uint32_t whole = find(word, size);
        if (whole != no_id) return out(whole);
        RankScratch& own = static_cast<RankScratch&>(scratch);
        check_word(size);
        own.ids.resize(size);
        for (size_t i = 0; i < size; ++i) own.ids[i] = byte_ids_[word[i]];
        if (size > short_word) {
            join_long(word, own);
            for (const uint32_t id : own.ids)
                if (id != no_id) out(id);
            return;
        }
        const size_t count = join_short(word, own.ids.data(), size);
        for (size_t i = 0; i < count; ++i) out(own.ids[i]);
    }

    // starts[i] is where symbol i begins, made[i] the id of it and the next one together.
    size_t join_short(const uint8_t* word, uint32_t* ids, size_t count) const {
        uint32_t made[short_word];
        uint8_t starts[short_word + 1];
        for (size_t i = 0; i <= count; ++i) starts[i] = static_cast<uint8_t>(i);
        for (size_t i = 0; i + 1 < count; ++i) made[i] = pair_ids_[pair_of(word + i)];
        const auto joined = [&](size_t i) { return find(word + starts[i], starts[i + 2] - size_t{starts[i]}); };
        while (count > 1) {
            size_t best = 0;
            for (size_t i = 1; i + 1 < count; ++i) best = made[i] < made[best] ? i : best;
            if (made[best] == no_id) break;
            ids[best] = made[best];
            for (size_t i = best + 1; i < count; ++i) {
                starts[i] = starts[i + 1];
                made[i - 1] = made[i];
            }
            --count;
            std::copy(ids + best + 2, ids + count + 1, ids + best + 1);
            if (best > 0) made[best - 1] = joined(best - 1);
            if (best + 1 < count) made[best] = joined(best);
        }
        return count;
    }

    // Linked list, and a heap of id << 32 | place; an entry is stale when its place joins to something else by now. A
    // symbol's place is where it begins.
    void join_long(const uint8_t* word, RankScratch& scratch) const {
        auto &ids = scratch.ids, &previous = scratch.previous, &next = scratch.next;
        auto& heap = scratch.heap;
        const uint32_t count = static_cast<uint32_t>(ids.size());
        previous.resize(count);
        next.resize(count);
        heap.clear();
        for (uint32_t i = 0; i < count; ++i) {
            previous[i] = i == 0 ? no_id : i - 1;
            next[i] = i + 1 == count ? no_id : i + 1;
        }
        const auto made_at = [&](uint32_t at) {
            if (next[at] == no_id) return no_id;
            const uint32_t after = next[next[at]];
            return find(word + at, (after == no_id ? count : after) - at);
        };
        const auto push = [&](uint32_t at) {
            const uint32_t made = made_at(at);
            if (made == no_id) return;
            heap.push_back(static_cast<uint64_t>(made) << 32 | at);
            std::push_heap(heap.begin(), heap.end(), std::greater<>());
        };
        for (uint32_t i = 0; i + 1 < count; ++i) push(i);
        for (uint32_t turn = 1; !heap.empty(); ++turn) {
            if (turn % 4096 == 0 && scratch.is_stopped()) break;
            const uint64_t top = heap.front();
            std::pop_heap(heap.begin(), heap.end(), std::greater<>());
            heap.pop_back();
            const uint32_t at = static_cast<uint32_t>(top), made = static_cast<uint32_t>(top >> 32);
            if (ids[at] == no_id || made_at(at) != made) continue;
            const uint32_t right = next[at];
            ids[at] = made;
            ids[right] = no_id;
            next[at] = next[right];
            if (next[at] != no_id) previous[next[at]] = at;
            if (previous[at] != no_id) push(previous[at]);
            push(at);
        }
    }

    PieceTable pieces_;  // of three bytes and more
    std::array<uint32_t, 256> byte_ids_;
    std::vector<uint32_t> pair_ids_, sizes_;
    size_t longest_ = 0;
};

}  // namespace textpipe
