// The words of a BPE trainer laid out in one array. Enters: word counts and the ids of their symbols. Leaves: cells, and the
// count of the word at a place. Promises: words of one count lie together, the most frequent first; a separator stands before
// the first word and after each.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <vector>

#include "bpe_vocabulary.hpp"
#include "pulse.hpp"

namespace textpipe {

enum BpePhase : int { phase_layout = 0, phase_pairs = 1, phase_merges = 2 };

// Cell is uint16_t where ids, separator and hole fit, else uint32_t.
template <class Cell>
class BpeCells {
public:
    // Lays out the words of two symbols or more, most frequent first. There are num_initial ids, and at most max_ids ever;
    // with joins_only a merge that makes an id joins cells.
    // counts_for_nth(word, symbols) says which words nth_count() tells of.
    template <class CountsForNth>
    BpeCells(const WordCounts& words, const bpe::SymbolIds& symbols, uint64_t num_initial, uint64_t max_ids, bool joins_only,
             Pulse& pulse, const CountsForNth& counts_for_nth) {
        std::vector<Word> frequent;
        std::vector<uint64_t> num_cells(rare_count), num_words(rare_count);
        pulse.begin(phase_layout, words.num_words());  // each is seen twice
        uint64_t seen = 0, total = 1;
        words.each([&](const Word& word) {
            pulse.beat(++seen / 2);
            size_t size = 0;
            symbols.each(word, [&](uint32_t) { ++size; });
            if (size < 2) return;
            total += size + 1;
            if (word.count >= rare_count) return frequent.push_back(word);
            num_cells[word.count] += size + 1;
            num_words[word.count] += counts_for_nth(word, symbols);
        });
        if (total > std::numeric_limits<uint32_t>::max())
            throw std::overflow_error("the distinct words hold more than 4 billion symbols");
        num_ids = static_cast<size_t>(joins_only ? std::min(max_ids, num_initial + total) : max_ids);
        separator = static_cast<Cell>(num_ids);
        hole = static_cast<Cell>(num_ids + 1);
        std::sort(frequent.begin(), frequent.end(), [](const Word& x, const Word& y) { return x.count > y.count; });
        cells.reset(new Cell[total]);
        size = static_cast<size_t>(total);
        place(words, frequent, num_cells, num_words, symbols, counts_for_nth, pulse);
        index_blocks();
    }

    // Whether that many ids fit, and as many forms as can be used above the hole.
    static bool can_hold(uint64_t max_ids, uint64_t num_forms) {
        return max_ids + num_forms < std::numeric_limits<Cell>::max();
    }

    // Tells the count of the word at a place; cheapest when asked for places that lie together.
    class Counts {
    public:
        explicit Counts(const BpeCells& cells) : cells_(cells) {}

        uint64_t at(uint32_t place) {
            if (place - start_ >= size_) seek(place);
            return count_;
        }

    private:
        void seek(uint32_t place) {
            size_t group = cells_.group_of_block_[place / block];
            while (cells_.groups_[group + 1].start <= place) ++group;
            start_ = cells_.groups_[group].start;
            size_ = cells_.groups_[group + 1].start - start_;
            count_ = cells_.groups_[group].count;
        }

        const BpeCells& cells_;
        uint32_t start_ = 0, size_ = 0;
        uint64_t count_ = 0;
    };

    // The count of the n-th most frequent of the words that count for it, from 0; 0 when there are not as many.
    uint64_t nth_count(uint64_t n) const {
        for (const Group& group : groups_) {
            if (n < group.num_words) return group.count;
            n -= group.num_words;
        }
        return 0;
    }

    // Call visit(place, id, next id, count) for every pair of neighbours from one place to another, as laid out: one symbol
    // a cell.
    template <class Visit>
    void each_first_pair(uint32_t begin, uint32_t end, Visit&& visit) const {
        for (size_t group = 0; group + 1 < groups_.size(); ++group) {
            const uint64_t stop = std::min<uint64_t>(groups_[group + 1].start, end);
            for (uint32_t at = std::max(groups_[group].start, begin); at + 1 < stop; ++at)
                if (cells[at] != separator && cells[at + 1] != separator)
                    visit(at, cells[at], cells[at + 1], groups_[group].count);
        }
    }

    // Whether the cells are tokens of these lengths between separators: `lengths` of each id and of each form above the hole.
    template <class IsId>
    bool are_tokens(const std::vector<uint32_t>& lengths, IsId&& is_id) const {
        if (cells[0] != separator || cells[size - 1] != separator) return false;
        for (size_t at = 1; at < size;) {
            const Cell form = cells[at];
            const bool is_token = form > hole ? form < lengths.size() : is_id(form);
            const size_t length = form == separator ? 1 : is_token ? lengths[form] : 0;
            if (length == 0 || length > size - at || cells[at + length - 1] != form) return false;
            at += length;
        }
        return true;
    }

    // Tells words of other counts apart.
    uint64_t fingerprint() const {
        uint64_t all = 0;
        for (const Group& group : groups_) all = words::mix(all ^ group.start, group.count ^ words::seed_a);
        return all;
    }

    std::unique_ptr<Cell[]> cells;
    size_t size = 0, num_ids = 0;
    Cell separator = 0, hole = 0;  // above all ids; what is above the hole is the trainer's

private:
    static constexpr uint64_t rare_count = 4096;
    static constexpr uint32_t block = 64;

    // Words of one count. The last group is empty and starts past the end.
    struct Group {
        uint32_t start;
        uint64_t count, num_words;  // those that count for nth_count()
    };

    template <class CountsForNth>
    void place(const WordCounts& words, const std::vector<Word>& frequent, const std::vector<uint64_t>& num_cells,
               const std::vector<uint64_t>& num_words, const bpe::SymbolIds& symbols,
               const CountsForNth& counts_for_nth, Pulse& pulse) {
        uint32_t at = 0;
        cells[at++] = separator;
        const auto write = [&](const Word& word, uint32_t start) {
            symbols.each(word, [&](uint32_t id) { cells[start++] = static_cast<Cell>(id); });
            cells[start++] = separator;
            return start;
        };
        for (const Word& word : frequent) {
            if (groups_.empty() || groups_.back().count != word.count) groups_.push_back({at, word.count, 0});
            groups_.back().num_words += counts_for_nth(word, symbols);
            at = write(word, at);
        }
        std::vector<uint32_t> start(rare_count);
        for (uint64_t count = rare_count - 1; count > 0; --count) {
            start[count] = at;
            if (num_cells[count] != 0) groups_.push_back({at, count, num_words[count]});
            at += static_cast<uint32_t>(num_cells[count]);
        }
        groups_.push_back({std::numeric_limits<uint32_t>::max(), 0, 0});
        uint64_t seen = words.num_words();
        words.each([&](const Word& word) {
            pulse.beat(++seen / 2);
            if (word.count >= rare_count) return;
            size_t size = 0;
            symbols.each(word, [&](uint32_t) { ++size; });
            if (size >= 2) start[word.count] = write(word, start[word.count]);
        });
        pulse.end(seen / 2);
    }

    void index_blocks() {
        group_of_block_.resize(size / block + 1);
        size_t group = 0;
        for (size_t i = 0; i < group_of_block_.size(); ++i) {
            while (group + 1 < groups_.size() && groups_[group + 1].start <= i * block) ++group;
            group_of_block_[i] = static_cast<uint32_t>(group);
        }
    }

    std::vector<Group> groups_;
    std::vector<uint32_t> group_of_block_;
};

}  // namespace textpipe
