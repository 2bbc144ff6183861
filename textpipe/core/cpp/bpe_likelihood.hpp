// Learns merges by what they add to the likelihood of the text. Enters and leaves: as BpeTrainer. Promises: each merge is of the
// pair with the greatest count(ab) / (count(a) x count(b)); of equal ones that of the greatest count(ab), then of the lowest
// left id, then of the lowest right id; compared as fractions, exactly, whatever the order of the words.
//
// count(a) is how often a symbol stands in the words as they are at that step, count(ab) how often two stand side by side,
// overlapping places too. Merging joins the pair from left to right in all words.
//
// A merge changes the score of every pair that holds one of three ids, most of them upwards, so the queue gets a new entry
// for each of these pairs; an entry whose counts are no longer those of now is passed over.
//
// Complexity: O(symbols of distinct words) to lay out, then for each merge its places and the pairs of its ids.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "bpe_trainer.hpp"

namespace textpipe {

class LikelihoodTrainer {
public:
    LikelihoodTrainer(const BpeSettings& settings, const std::vector<std::string>& initial, const bpe::SymbolIds& symbols,
                      const WordCounts& words, Pulse& pulse)
        : settings_(settings), least_(std::max<uint64_t>(1, settings.min_frequency)), pulse_(pulse), vocabulary_(initial),
          num_initial_(vocabulary_.size()), counts_(initial.size()), partners_(initial.size()) {
        pulse.begin(phase_layout, words.num_words());
        uint64_t seen = 0;
        cells_.push_back({none, none, none, 0});  // place `none` is no place of a word
        words.each([&](const Word& word) {
            pulse.beat(++seen);
            uint32_t before = none;
            symbols.each(word, [&](uint32_t id) {
                if (cells_.size() >= std::numeric_limits<uint32_t>::max())
                    throw std::overflow_error("the distinct words hold more than 4 billion symbols");
                const auto place = static_cast<uint32_t>(cells_.size());
                cells_.push_back({id, before, none, static_cast<uint32_t>(weights_.size())});
                cells_[before].next = before == none ? none : place;
                counts_[id] += word.count;
                before = place;
            });
            weights_.push_back(word.count);
        });
        pulse.end(seen);
    }

    BpeResult run(const Keeper& keeper) {
        if (vocabulary_.size() < settings_.vocab_size) {
            keeper.resume(*this);
            queue_pairs();
            pulse_.begin(phase_merges, settings_.vocab_size - num_initial_);
            while (vocabulary_.size() < settings_.vocab_size && merge_best())
                keeper.step(*this, pulse_, [&] { pulse_.beat_slow(vocabulary_.size() - num_initial_); });
            pulse_.end(vocabulary_.size() - num_initial_);
        }
        BpeResult result{std::move(merges_), {}};
        for (uint32_t id = 0; id < vocabulary_.size(); ++id) result.strings.push_back(vocabulary_.string(id));
        return result;
    }

    // The words as they stand and how they came to; pairs and their order follow from them.
    void exchange(Snapshot& with) {
        with.same(cells_.size());
        with.same(weights_.size());
        vocabulary_.exchange(with, num_initial_);
        with(cells_);
        with(weights_);
        with(merges_);
        if (with.is_saving()) return;
        const auto is_id = [&](uint32_t id) { return id < vocabulary_.size(); };
        bool sound = !cells_.empty() && cells_[none].next == none;
        counts_.assign(vocabulary_.size(), 0);
        partners_.resize(vocabulary_.size());
        for (const Cell& cell : cells_) {
            sound = sound && (cell.id == gone || is_id(cell.id) || &cell == &cells_[none]) && cell.previous < cells_.size() &&
                    cell.next < cells_.size() && (cell.word < weights_.size() || weights_.empty()) &&
                    (cell.next == none || cells_[cell.next].id != gone);
            if (sound && cell.id != gone && &cell != &cells_[none]) counts_[cell.id] += weights_[cell.word];
        }
        for (const Merge& merge : merges_) sound = sound && is_id(merge.left) && is_id(merge.right) && is_id(merge.id);
        Snapshot::require(sound);
    }

private:
    static constexpr uint32_t none = 0;
    static constexpr uint32_t gone = bpe::no_id;  // the id of what was joined to its left neighbour
    static constexpr size_t least_entries = 1 << 16;

    struct Cell {
        uint32_t id, previous, next, word;
    };
    struct Pair {
        uint64_t key = 0, count = 0;
        std::vector<uint32_t> places;  // of all its left symbols, and some where it stands no more
        bool with_left = false, with_right = false;  // whether the ids have it among their partners
    };
    struct Entry {
        uint64_t count, left, right, key;
        uint32_t pair;
    };
    __extension__ using Wide = unsigned __int128;

    // a x b x c, high part first.
    static std::pair<Wide, uint64_t> product(uint64_t a, uint64_t b, uint64_t c) {
        const Wide ab = Wide{a} * b;
        const Wide low = Wide{static_cast<uint64_t>(ab)} * c;
        return {(ab >> 64) * c + (low >> 64), static_cast<uint64_t>(low)};
    }

    struct Follows {
        bool operator()(const Entry& x, const Entry& y) const {
            const auto mine = product(x.count, y.left, y.right), other = product(y.count, x.left, x.right);
            if (mine != other) return mine < other;
            return x.count != y.count ? x.count < y.count : x.key > y.key;
        }
    };

    uint32_t pair_of(uint32_t left, uint32_t right) {
        uint32_t& number = number_of_[bpe::pair_key(left, right)];
        if (number == 0) {
            pairs_.emplace_back();
            pairs_.back().key = bpe::pair_key(left, right);
            number = static_cast<uint32_t>(pairs_.size());
        }
        return number - 1;
    }

    void gain(uint32_t place, uint64_t count) {
        const uint32_t left = cells_[place].id, right = cells_[cells_[place].next].id;
        const uint32_t number = pair_of(left, right);
        Pair& pair = pairs_[number];
        pair.count += count;
        pair.places.push_back(place);
        if (!pair.with_left) partners_[left].push_back(number);
        if (!pair.with_right && left != right) partners_[right].push_back(number);
        pair.with_left = pair.with_right = true;
    }

    void lose(uint32_t place, uint64_t count) {
        pairs_[pair_of(cells_[place].id, cells_[cells_[place].next].id)].count -= count;
    }

    Entry entry_of(uint32_t number) const {
        const Pair& pair = pairs_[number];
        return {pair.count, counts_[bpe::left_of(pair.key)], counts_[bpe::right_of(pair.key)], pair.key, number};
    }

    bool is_of_now(const Entry& entry) const {
        const Entry now = entry_of(entry.pair);
        return entry.count == now.count && entry.left == now.left && entry.right == now.right;
    }

    void push(uint32_t number) {
        queue_.push_back(entry_of(number));
        std::push_heap(queue_.begin(), queue_.end(), Follows{});
    }

    void queue_pairs() {
        pulse_.begin(phase_pairs, cells_.size());
        for (uint32_t place = 1; place < cells_.size(); ++place) {
            pulse_.beat(place);
            if (cells_[place].next != none) gain(place, weights_[cells_[place].word]);
        }
        for (uint32_t number = 0; number < pairs_.size(); ++number)
            if (pairs_[number].count >= least_) queue_.push_back(entry_of(number));
        std::make_heap(queue_.begin(), queue_.end(), Follows{});
        room_ = std::max(least_entries, 2 * queue_.size());
        pulse_.end(cells_.size());
    }

    // Returns false when no pair is left.
    bool merge_best() {
        while (!queue_.empty()) {
            std::pop_heap(queue_.begin(), queue_.end(), Follows{});
            const Entry best = queue_.back();
            queue_.pop_back();
            if (!is_of_now(best)) continue;
            merge(best);
            return true;
        }
        return false;
    }

    void merge(const Entry& best) {
        const uint32_t left = bpe::left_of(best.key), right = bpe::right_of(best.key);
        const uint32_t id = vocabulary_.add(bpe::joined(vocabulary_.string(left), vocabulary_.string(right), settings_.prefix));
        if (id >= counts_.size()) {
            counts_.resize(id + 1);
            partners_.resize(id + 1);
        }
        merges_.push_back({left, right, id});
        std::vector<uint32_t> places = std::move(pairs_[best.pair].places);
        pairs_[best.pair].places.clear();
        std::sort(places.begin(), places.end());
        for (const uint32_t place : places)
            if (cells_[place].id == left && cells_[cells_[place].next].id == right) join(place, id);
        refresh(left);
        if (right != left) refresh(right);
        if (id != left && id != right) refresh(id);
        if (queue_.size() > room_) drop_old_entries();
    }

    void join(uint32_t place, uint32_t id) {
        Cell& cell = cells_[place];
        const uint32_t joined = cell.next, after = cells_[joined].next;
        const uint64_t count = weights_[cell.word];
        if (cell.previous != none) lose(cell.previous, count);
        lose(place, count);
        if (after != none) lose(joined, count);
        counts_[cell.id] -= count;
        counts_[cells_[joined].id] -= count;
        counts_[id] += count;
        cell.id = id;
        cell.next = after;
        cells_[joined] = {gone, none, none, 0};
        if (after != none) cells_[after].previous = place;
        if (cell.previous != none) gain(cell.previous, count);
        if (after != none) gain(place, count);
    }

    // Queue every pair with an id anew; what counts nothing is struck from its partners.
    void refresh(uint32_t id) {
        std::vector<uint32_t>& partners = partners_[id];
        size_t kept = 0;
        for (const uint32_t number : partners) {
            Pair& pair = pairs_[number];
            if (pair.count == 0) {
                if (bpe::left_of(pair.key) == id) pair.with_left = false;
                if (bpe::right_of(pair.key) == id) pair.with_right = false;
                continue;
            }
            partners[kept++] = number;
            if (pair.count >= least_) push(number);
        }
        partners.resize(kept);
    }

    void drop_old_entries() {
        const auto is_old = [&](const Entry& entry) { return !is_of_now(entry); };
        queue_.erase(std::remove_if(queue_.begin(), queue_.end(), is_old), queue_.end());
        std::make_heap(queue_.begin(), queue_.end(), Follows{});
        room_ = std::max(least_entries, 2 * queue_.size());
    }

    const BpeSettings settings_;
    const uint64_t least_;
    Pulse& pulse_;
    bpe::Vocabulary vocabulary_;
    const size_t num_initial_;
    std::vector<Cell> cells_;         // all words, one after another; place 0 is none
    std::vector<uint64_t> weights_;   // of each word
    std::vector<uint64_t> counts_;    // of each id
    std::vector<std::vector<uint32_t>> partners_;  // the pairs that an id is part of
    std::deque<Pair> pairs_;
    bpe::PairTable<uint32_t> number_of_;  // of a pair, from 1
    std::vector<Entry> queue_;
    size_t room_ = least_entries;
    std::vector<Merge> merges_;
};

}  // namespace textpipe
