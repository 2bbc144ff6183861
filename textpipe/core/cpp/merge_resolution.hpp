// What the merges of a BPE model mean. Enters: pieces with their ids; pairs of pieces in the order of their ranks. Leaves:
// for each pair the ids of its two pieces and of the piece they make. Promises: linear time; a pair that needs a piece
// there is none of is named by its rank.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bpe_model.hpp"
#include "pair_list.hpp"
#include "unicode.hpp"

namespace textpipe {

// Pieces by their bytes and by the order they came in.
class PieceIndex {
  public:
    void reserve(size_t count) {
        table_.reserve(count);
        pieces_.reserve(count);
        ids_.reserve(count);
    }

    // The bytes must outlive the index.
    void add(uint32_t id, std::string_view piece) {
        table_.insert(static_cast<uint32_t>(pieces_.size()), piece);
        pieces_.push_back(piece);
        ids_.push_back(id);
    }

    // The ids of every pair; `cut` characters of a right piece, its prefix, are not in what the two make. Returns the rank
    // of the first pair that needs a missing piece, and which; else the number of pairs.
    size_t resolve(const PairList& pairs, size_t cut, std::vector<MergeTable::Merge>& merges, std::string& missing) const {
        merges.reserve(pairs.size());
        std::string joined;
        uint32_t last = 0;
        for (size_t rank = 0; rank < pairs.size(); ++rank) {
            const std::string_view left = pairs.left(rank), right = pairs.right(rank);
            joined.assign(left);
            joined.append(right.substr(prefix_size(right, cut)));
            const uint32_t a = table_.find(left), b = table_.find(right);
            // Learned merges make one piece after the other, in the order of ids.
            const uint32_t next = last + 1;
            if (last >= pieces_.size() || pieces_[last] != joined)
                last = next < pieces_.size() && pieces_[next] == joined ? next : table_.find(joined);
            if (a == no_id || b == no_id || last == no_id) {
                missing = a == no_id ? std::string(left) : b == no_id ? std::string(right) : joined;
                return rank;
            }
            merges.push_back({ids_[a], ids_[b], ids_[last]});
        }
        return pairs.size();
    }

  private:
    static size_t prefix_size(std::string_view piece, size_t cut) {
        size_t at = 0;
        for (; cut > 0 && at < piece.size(); --cut) at += unicode::utf8_size(static_cast<uint8_t>(piece[at]));
        return std::min(at, piece.size());
    }

    PieceTable table_;
    std::vector<std::string_view> pieces_;
    std::vector<uint32_t> ids_;
};

}  // namespace textpipe
