// What the threads of a BPE trainer keep of one step. Enters: the list of places where a pair is joined. Leaves: runs of it that
// several threads can join at once, and the sums of what they saw. Promises: parts have whole words, so that they neither read
// nor write the same cells but for separators; what they keep, one after the other, is what one thread keeps.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "bpe_cells.hpp"

namespace textpipe {

namespace bpe {

constexpr size_t most_parts = 8;  // each has tables as large as the vocabulary

// Of one id in one step: what stood before and after the places that were joined. The separator has a row of its own,
// so that joining asks no questions about the ends of words; what gathers there is never read.
struct alignas(32) Neighbour {
    int64_t before = 0, after = 0;
    uint32_t num_before = 0, num_after = 0;
};

// Where the next place of a new pair is to be written; null where the pair is not queued.
struct Cursors {
    uint32_t *before = nullptr, *after = nullptr;
};

template <class Cell>
struct Part {
    struct Joined {
        uint32_t place;
        Cell before, after;
    };

    explicit Part(const BpeCells<Cell>& cells) : neighbours(cells.num_ids + 1), cursors(cells.num_ids + 1), counts_at(cells) {}

    Neighbour& touch(uint32_t id) {
        Neighbour& neighbour = neighbours[id];
        if ((neighbour.num_before | neighbour.num_after) == 0) touched.push_back(id);
        return neighbour;
    }

    void begin(Cell separator) {
        neighbours[separator] = {0, 0, 1, 1};  // not to be touched
        joined.clear();
    }

    void end() {
        for (const uint32_t id : touched) neighbours[id] = {};
        touched.clear();
    }

    // Add those of another part; there the numbers of places in the parts before stay.
    void add_neighbours(Part& other) {
        for (const uint32_t id : other.touched) {
            Neighbour &total = touch(id), &own = other.neighbours[id];
            total.before += own.before;
            total.after += own.after;
            total.num_before += std::exchange(own.num_before, total.num_before);
            total.num_after += std::exchange(own.num_after, total.num_after);
        }
    }

    // After add_neighbours(): the other part writes its places after those of the parts before.
    void lead(Part& other) const {
        const auto moved = [](uint32_t* first, uint32_t by) { return first == nullptr ? nullptr : first + by; };
        for (const uint32_t id : other.touched) {
            const Neighbour& own = other.neighbours[id];
            other.cursors[id] = {moved(cursors[id].before, own.num_before), moved(cursors[id].after, own.num_after)};
        }
    }

    std::vector<Neighbour> neighbours;  // a row an id, and one for the separator
    std::vector<Cursors> cursors;
    std::vector<uint32_t> touched;
    std::vector<Joined> joined;
    typename BpeCells<Cell>::Counts counts_at;
};

// Where the runs of a list begin, and its end; no word is in two runs. The end of a word is not sought far: where a word is
// very long, what is left of the list is one run.
template <class Cell>
std::vector<uint32_t> share(const BpeCells<Cell>& cells, const uint32_t* list, uint32_t num_places, size_t num_parts) {
    constexpr size_t far = 4096;
    const Cell* const cell = cells.cells.get();
    const auto end_of_word = [&](uint32_t place) {
        const Cell* const stop = cell + std::min<size_t>(cells.size, size_t{place} + far);
        const Cell* const end = std::find(cell + place, stop, cells.separator);
        return end == stop ? std::numeric_limits<uint32_t>::max() : static_cast<uint32_t>(end - cell);
    };
    std::vector<uint32_t> bounds{0};
    for (size_t part = 1; part < num_parts; ++part) {
        uint32_t at = std::max(bounds.back(), static_cast<uint32_t>(uint64_t{num_places} * part / num_parts));
        if (at > 0 && at < num_places) {
            const uint32_t end = end_of_word(list[at - 1]);
            while (at < num_places && list[at] < end) ++at;
        }
        bounds.push_back(at);
    }
    bounds.push_back(num_places);
    return bounds;
}

}  // namespace bpe

}  // namespace textpipe
