// The pairs of symbols as a BPE trainer finds them. Enters: the words laid out. Leaves: each pair with its count and how many
// places it has, and then these places in order. Promises: the same for any number of threads, each of which takes a run of
// whole words; O(cells), twice.
//
// A pair is looked up for every cell. Where ids are few the table has a row an id; else it is hashed, and what a few dozen
// lookups will read is asked for ahead.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "bpe_cells.hpp"
#include "bpe_pairs.hpp"
#include "bpe_parts.hpp"
#include "pulse.hpp"
#include "team.hpp"

namespace textpipe {

template <class Cell>
class FirstPairs {
public:
    struct Pair {
        uint64_t count = 0;
        uint32_t num_places = 0;  // of all parts; of the others than the first: of the parts before
        uint32_t* cursor = nullptr;
    };

    // With every_other the places in a run of one id count alternately.
    FirstPairs(const BpeCells<Cell>& cells, uint32_t num_ids, bool every_other, Team& team, Pulse& pulse)
        : cells_(cells), num_ids_(num_ids), every_other_(every_other), team_(team), pulse_(pulse) {
        const size_t num_parts = std::min(team.size(), bpe::most_parts);
        for (size_t part = 0; part <= num_parts; ++part) bounds_.push_back(word_end(cells.size / num_parts * part));
        bounds_.back() = static_cast<uint32_t>(cells.size);
        tables_.resize(num_parts);
        pulse_.begin(phase_pairs, cells_.size);  // each is seen twice
        team_.run(num_parts, [this](size_t part) { count(part); });
        for (size_t part = 1; part < num_parts; ++part) add(part);
    }

    // Call visit(pair, Pair&) for each, in no promised order. Where it leaves a cursor the places are to be written.
    template <class Visit>
    void each(Visit&& visit) {
        tables_[0].each(num_ids_, visit);
    }

    void write_places() {
        for (size_t part = 1; part < tables_.size(); ++part)
            tables_[part].each(num_ids_, [&](uint64_t key, Pair& pair) {
                uint32_t* const first = tables_[0].at(bpe::left_of(key), bpe::right_of(key), num_ids_).cursor;
                pair.cursor = first == nullptr ? nullptr : first + pair.num_places;
            });
        team_.run(tables_.size(), [this](size_t part) {
            each_pair(part, cells_.size, [](Pair& pair, uint32_t place, uint64_t, bool) {
                if (pair.cursor != nullptr) *pair.cursor++ = place;
            });
        });
        pulse_.end(cells_.size);
    }

private:
    static constexpr uint32_t most_rows = 512;
    static constexpr size_t ahead = 32;

    // A row an id, or hashed.
    class Table {
    public:
        void begin(uint32_t num_ids) {
            if (num_ids <= most_rows) rows_.resize(size_t{num_ids} * num_ids);
        }
        Pair& at(uint32_t left, uint32_t right, uint32_t num_ids) {
            return rows_.empty() ? hashed_[bpe::pair_key(left, right)] : rows_[size_t{left} * num_ids + right];
        }
        void prefetch(uint32_t left, uint32_t right) const {
            if (rows_.empty()) hashed_.prefetch(bpe::pair_key(left, right));
        }
        template <class Visit>
        void each(uint32_t num_ids, Visit&& visit) {
            if (rows_.empty()) return hashed_.each(visit);
            for (size_t at = 0; at < rows_.size(); ++at)
                if (rows_[at].num_places != 0 || rows_[at].count != 0)
                    visit(bpe::pair_key(static_cast<uint32_t>(at / num_ids), static_cast<uint32_t>(at % num_ids)), rows_[at]);
        }

    private:
        std::vector<Pair> rows_;
        bpe::PairTable<Pair> hashed_;
    };

    struct Sight {
        uint32_t place;
        Cell left, right;
        uint64_t count;
        bool counts;
    };

    uint32_t word_end(size_t at) const {
        while (at < cells_.size && cells_.cells[at] != cells_.separator) ++at;
        return static_cast<uint32_t>(at);
    }

    void count(size_t part) {
        tables_[part].begin(num_ids_);
        each_pair(part, 0, [](Pair& pair, uint32_t, uint64_t count, bool counts) {
            if (counts) pair.count += count;
            ++pair.num_places;
        });
    }

    // To the totals of the first part; what stays is where the places of this part begin.
    void add(size_t part) {
        tables_[part].each(num_ids_, [&](uint64_t key, Pair& pair) {
            Pair& total = tables_[0].at(bpe::left_of(key), bpe::right_of(key), num_ids_);
            total.count += pair.count;
            total.num_places += std::exchange(pair.num_places, total.num_places);
        });
    }

    // Call visit(pair, place, count of the word, whether the place counts) for every place of a part.
    template <class Visit>
    void each_pair(size_t part, uint64_t done, Visit&& visit) {
        Table& table = tables_[part];
        Sight sights[ahead];
        size_t num_sights = 0;
        const auto take = [&] {
            for (size_t i = 0; i < num_sights; ++i) table.prefetch(sights[i].left, sights[i].right);
            for (size_t i = 0; i < num_sights; ++i)
                visit(table.at(sights[i].left, sights[i].right, num_ids_), sights[i].place, sights[i].count, sights[i].counts);
            num_sights = 0;
        };
        uint32_t last = 0, run = 0;
        const uint32_t begin = bounds_[part], end = bounds_[part + 1];
        cells_.each_first_pair(begin, end, [&](uint32_t place, Cell left, Cell right, uint64_t count) {
            run = left == right ? (place == last + 1 ? run : 0) + 1 : 0;
            last = place;
            sights[num_sights++] = {place, left, right, count, !every_other_ || run == 0 || run % 2 == 1};
            if (num_sights != ahead) return;
            take();
            // The owner is told by one thread; of parts alike in size that says enough.
            if (part == 0) pulse_.beat((done + uint64_t{place} * tables_.size()) / 2);
            if (team_.has_failed()) throw Interrupted();
        });
        take();
    }

    const BpeCells<Cell>& cells_;
    const uint32_t num_ids_;
    const bool every_other_;
    Team& team_;
    Pulse& pulse_;
    std::vector<uint32_t> bounds_;
    std::vector<Table> tables_;
};

}  // namespace textpipe
