// Byte-pair encoding by ranks, as tiktoken does it. Enters: byte strings with their ranks, which are their ids; then
// words as bytes. Leaves: the tokens of a word. Promises: of all neighbours that together are a piece, the pair whose
// piece has the lowest rank is joined first, the leftmost of equals, until no two are a piece; a word that is a piece
// is that piece. O(n log n) for a word of n bytes.
//
// A list of merges says by which parts a piece is made; here any two parts will do. So every cut of every piece into two
// pieces is looked up once, beforehand, and encoding asks for pairs of ids alone.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "bpe_model.hpp"
#include "model.hpp"

namespace textpipe {

class RankModel final : public Model {
  public:
    RankModel() { byte_ids_.fill(no_id); }

    void reserve(size_t pieces) { pieces_.reserve(pieces); }

    // In the order of their ids.
    void add_piece(uint32_t id, std::string_view bytes) {
        pieces_.insert(id, bytes);
        set_size(sizes_, id, bytes.size());
        if (bytes.size() == 1) byte_ids_[static_cast<uint8_t>(bytes[0])] = id;
    }

    // The ids of two pieces and of the piece they are together.
    using Split = MergeTable::Merge;

    // Every cut of a piece in two, in the order of ids. Costs the square of a piece's size: the caller bounds the sum.
    void add_splits(uint32_t id, std::string_view bytes, std::vector<Split>& splits) const {
        const size_t first = splits.size();
        for (size_t cut = 1; cut < bytes.size(); ++cut) {
            const uint32_t left = find(bytes.substr(0, cut));
            const uint32_t right = left == no_id ? no_id : find(bytes.substr(cut));
            if (right != no_id) splits.push_back({left, right, id});
        }
        if (splits.size() > first + 1)
            std::sort(splits.begin() + static_cast<std::ptrdiff_t>(first), splits.end(), [](const Split& a, const Split& b) {
            return std::pair(a.left, a.right) < std::pair(b.left, b.right);
        });
    }

    // The same for a piece that comes soon: asks for the memory it needs.
    void expect_splits(std::string_view bytes) const {
        for (size_t cut = 1; cut < bytes.size(); ++cut) {
            if (cut > 1) pieces_.prefetch(bytes.substr(0, cut));
            if (bytes.size() - cut > 1) pieces_.prefetch(bytes.substr(cut));
        }
    }

    void finish(const std::vector<Split>& splits) {
        pairs_.reserve(splits.size());
        for (const Split& split : splits) pairs_.insert(split.left, split.right, split.id);
    }

    const std::vector<Split>& splits() const { return pairs_.merges(); }
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

    uint32_t find(std::string_view piece) const {
        return piece.size() == 1 ? byte_ids_[static_cast<uint8_t>(piece[0])] : pieces_.find(piece);
    }

    uint32_t joined(uint32_t left, uint32_t right) const {
        const uint32_t at = pairs_.rank_of(left, right);
        return at == no_id ? no_id : pairs_.id_of(at);
    }

    template <class Out>
    void for_each_id(const uint8_t* word, size_t size, Model::Scratch& scratch, Out&& out) const {
        const uint32_t whole = pieces_.find({reinterpret_cast<const char*>(word), size});
        if (whole != no_id) return out(whole);
        RankScratch& own = static_cast<RankScratch&>(scratch);
        own.ids.resize(size);
        for (size_t i = 0; i < size; ++i) own.ids[i] = byte_ids_[word[i]];
        if (size > short_word) {
            join_long(own);
            for (const uint32_t id : own.ids)
                if (id != no_id) out(id);
            return;
        }
        const size_t count = join_short(own.ids.data(), size);
        for (size_t i = 0; i < count; ++i) out(own.ids[i]);
    }

    size_t join_short(uint32_t* ids, size_t count) const {
        uint32_t made[short_word];
        for (size_t i = 0; i + 1 < count; ++i) made[i] = joined(ids[i], ids[i + 1]);
        while (count > 1) {
            size_t best = 0;
            for (size_t i = 1; i + 1 < count; ++i) best = made[i] < made[best] ? i : best;
            if (made[best] == no_id) break;
            ids[best] = made[best];
            --count;
            for (size_t i = best + 1; i < count; ++i) {
                ids[i] = ids[i + 1];
                made[i - 1] = made[i];
            }
            if (best > 0) made[best - 1] = joined(ids[best - 1], ids[best]);
            if (best + 1 < count) made[best] = joined(ids[best], ids[best + 1]);
        }
        return count;
    }

    // Linked list, and a heap of id << 32 | place; an entry is stale when its place joins to something else by now.
    void join_long(RankScratch& scratch) const {
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
        const auto made_at = [&](uint32_t at) { return next[at] == no_id ? no_id : joined(ids[at], ids[next[at]]); };
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

    PieceTable pieces_;
    MergeTable pairs_;
    std::array<uint32_t, 256> byte_ids_;
    std::vector<uint32_t> sizes_;
};

}  // namespace textpipe
