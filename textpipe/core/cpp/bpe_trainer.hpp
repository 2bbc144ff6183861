// Learns byte-pair merges from word counts. Enters: distinct words with counts, the ids of their first symbols, the settings.
// Leaves: merges in order and the strings of the new tokens. Promises: the merges of one of three trainers (below), whatever
// the order of the words; counts in 64 bits.
//
// As `tokenizers`. Each word is a run of symbols. The count of a pair is the sum over words of (places where it stands, overlapping ones
// too) x (count of the word). The queue gives the highest count, then the lowest left id, then the lowest right id. An entry
// whose count has changed since it was queued goes back with the new one. Merging joins the pair from left to right in the
// words the entry was made for. A joined string that has an id already keeps it (the merge still counts as one). The count of
// a merged pair stays as it was. Pairs that gained in a step get a new entry for the words of that step alone, so that a pair
// can be queued twice.
//
// Plain. The count of a pair is the number of places that joining it from left to right joins, x (count of the word), always
// as the words stand: "aaa" counts once, and a merged pair counts nothing. Merging joins the pair in all words.
//
// As `sentencepiece`. Counts are as in the first. Of equal counts the pair of fewer characters is first, then the one whose
// string has the lower bytes. A pair whose string has an id already is dropped. Pairs that count nothing are merged too.
//
// Layout. All words lie in one array of cells, a separator between; the words of one count lie together, so that a place
// tells its count. A token of k symbols covers k cells: its first and its last hold its id, those between a hole. Neighbours
// are one step away and nothing moves. A queued pair has the list of the places where it stood when it was queued; a place
// whose cells changed since is passed over. Places, not words, are enough: only a pair whose count rises again later (its
// left or right id was given a second time) can stand where its list does not say, and such pairs search whole words.
//
// Forms. Where a prefix or suffix decorates symbols and can also be read in the text, one string may be made of different
// numbers of symbols ("##" + "#" and a "###" that begins a word). Each number beyond the first is a form of the id: cells
// tell forms apart, counts and the queue do not, and a pair with forms searches whole words.
//
// Floor. With room for V more tokens, and more than V distinct words of at least two symbols with a count of c or more, one
// of those words is still in pieces when the vocabulary is full; so the best pair always counts c or more, and entries below
// c are never needed. They are the many; they are not queued, listed or counted. Not so where a word may hold the text that
// ends words: one string is then an ending or not, and entries that were low when queued rise and are merged a second time.
//
// Threads. Merges depend on each other, places do not: the words of a long list are shared out, each thread keeps its own
// neighbours, and their sums decide. The gain of merging several pairs at once would be small beside: the long lists are few.
//
// Complexity: O(symbols of distinct words) to lay out; each place of a list is visited once.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <exception>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "bpe_cells.hpp"
#include "bpe_first_pairs.hpp"
#include "bpe_pairs.hpp"
#include "bpe_parts.hpp"
#include "bpe_rules.hpp"
#include "bpe_vocabulary.hpp"
#include "merge_queue.hpp"
#include "pulse.hpp"
#include "snapshot.hpp"
#include "team.hpp"

namespace textpipe {

// More forms than BpeTrainer holds, or any where the length of tokens is limited; the wordwise trainer can do that.
class AmbiguousLength : public std::exception {
public:
    const char* what() const noexcept override { return "one token string stands for different numbers of symbols"; }
};

struct Merge {
    uint32_t left, right, id;
};

enum class Compat : int { tokenizers, plain, sentencepiece, likelihood };

// A floor above what is left to merge: only pairs dropped for strings that exist can bring that about. Begin anew without.
class FloorTooHigh : public std::exception {
public:
    const char* what() const noexcept override { return "the pairs below the floor are needed"; }
};

struct BpeSettings {
    Compat compat = Compat::tokenizers;
    bpe::RuleSettings rules;
    uint64_t vocab_size = 30000;
    uint64_t min_frequency = 0;
    uint64_t max_token_length = std::numeric_limits<uint64_t>::max();
    std::string prefix;             // of symbols that do not begin a word; cut from the right part of a merge
    std::string suffix;             // of symbols that end a word
    bool has_floor = true;          // no two words become the same token, and no length is limited but by the rules
};

struct BpeResult {
    std::vector<Merge> merges;
    std::vector<std::string> strings;  // of every id
};

template <class Cell, bool by_piece>
class BpeTrainer {
public:
    BpeTrainer(const BpeSettings& settings, const std::vector<std::string>& initial, const bpe::SymbolIds& symbols,
               const WordCounts& words, Team& team, Pulse& pulse)
        : settings_(settings), team_(team), pulse_(pulse), vocabulary_(initial), num_initial_(vocabulary_.size()),
          rules_(settings.rules, symbols.byte_level()), traits_(first_traits(symbols)),
          cells_(words, symbols, initial.size(), max_ids(settings, initial.size()), !by_piece, pulse,
                 [this](const Word& word, const bpe::SymbolIds& ids) { return may_be_token(word, ids); }),
          separator_(cells_.separator), lengths_(size_t{cells_.hole} + 1), queue_(Precedes{*this}), parts_(1, Part(cells_)) {
        symbols.each_id([&](uint32_t id, uint32_t) { lengths_[id] = 1; });
        least_ = by_piece ? 0 : std::max<uint64_t>(1, settings.min_frequency);
        // Where the suffix can be read in a word, symbols join to what ends one; rare pairs then come to count more.
        const bool is_read = is_read_in(settings.suffix, words, symbols.byte_level());
        floor_ = is_read ? std::min<uint64_t>(1, least_) : least_;
        if (settings.has_floor && !is_read && settings.vocab_size > initial.size()) {
            // The first strings count as room too: a merge may land on one of them.
            floor_ = std::max(floor_, cells_.nth_count(settings.vocab_size));
        }
    }

    // All ids are below this.
    static uint64_t max_ids(const BpeSettings& settings, size_t num_initial) {
        return std::max<uint64_t>(settings.vocab_size, num_initial);
    }

    BpeResult run(const Keeper& keeper) {
        if (vocabulary_.size() < settings_.vocab_size) {
            keeper.resume(*this);
            if (merges_.empty()) queue_first_pairs();
            pulse_.begin(phase_merges, settings_.vocab_size - num_initial_);
            while (vocabulary_.size() < settings_.vocab_size && merge_best())
                keeper.step(*this, pulse_, [&] { pulse_.beat_slow(vocabulary_.size() - num_initial_); });
            pulse_.end(vocabulary_.size() - num_initial_);
            if (by_piece && floor_ > 0 && vocabulary_.size() < settings_.vocab_size) throw FloorTooHigh();
        }
        BpeResult result{std::move(merges_), {}};
        for (uint32_t id = 0; id < vocabulary_.size(); ++id) result.strings.push_back(vocabulary_.string(id));
        return result;
    }

    // All that merging changes; the rest follows from the words and the settings.
    void exchange(Snapshot& with) {
        with.same(cells_.size);
        with.same(cells_.fingerprint());
        with.same(cells_.num_ids);
        with.same(floor_);
        vocabulary_.exchange(with, num_initial_);
        with.bytes(cells_.cells.get(), cells_.size * sizeof(Cell));
        with(lengths_), with(id_of_form_), with(forms_), with(traits_), with(merges_);
        counts_.exchange(with);
        with(regained_);
        with(queue_.entries());
        with(free_lists_);
        lists_.resize(queue_.entries().size() + free_lists_.size());
        for (const Entry& entry : queue_.entries()) {
            Snapshot::require(entry.list < lists_.size());
            if (!with.is_saving()) lists_[entry.list].reset(new uint32_t[entry.num_places]);
            with.bytes(lists_[entry.list].get(), entry.num_places * sizeof(uint32_t));
        }
        if (!with.is_saving()) require_sound();
    }

private:
    // No read by what was kept may lead out of the arrays.
    void require_sound() {
        const auto is_id = [&](uint64_t id) { return id < vocabulary_.size(); };
        bool sound = lengths_.size() == size_t{cells_.hole} + 1 + id_of_form_.size() && cells_.are_tokens(lengths_, is_id) &&
                     (!rules_ || traits_.size() == vocabulary_.size());
        for (const uint32_t id : id_of_form_) sound = sound && is_id(id);
        for (const auto& row : forms_)
            for (const Cell form : row.second) sound = sound && is_id(row.first) && form > cells_.hole && form < lengths_.size();
        for (const Merge& merge : merges_) sound = sound && is_id(merge.left) && is_id(merge.right) && is_id(merge.id);
        for (const Entry& entry : queue_.entries()) {
            const uint32_t left = bpe::left_of(entry.pair);
            sound = sound && is_id(left) && is_id(bpe::right_of(entry.pair)) && counts_.find(entry.pair) != nullptr;
            for (uint32_t i = 0; sound && i < entry.num_places; ++i)
                sound = lists_[entry.list][i] > 0 && uint64_t{lists_[entry.list][i]} + lengths_[left] < cells_.size;
        }
        Snapshot::require(sound);
    }

    using Places = std::unique_ptr<uint32_t[]>;
    using Part = bpe::Part<Cell>;
    using Joined = typename Part::Joined;
    static constexpr uint32_t ahead = 24;  // places fetched before they are needed
    // Of real text five sixths of all places are in longer lists; a shorter one is joined before two threads have met.
    static constexpr uint32_t shared_places = 1024;

    struct ByPair {
        uint64_t count, pair;
        uint32_t list, num_places;
    };
    struct ByPiece {
        uint64_t count, pair;
        uint32_t list, num_places;
        uint64_t rank;  // as many characters as there are, and the first bytes of the string
    };
    using Entry = std::conditional_t<by_piece, ByPiece, ByPair>;

    struct Precedes {
        const BpeTrainer& trainer;
        bool operator()(const Entry& x, const Entry& y) const {
            if (x.count != y.count) return x.count > y.count;
            if constexpr (by_piece) {
                if (x.rank != y.rank) return x.rank < y.rank;
                return x.pair != y.pair && trainer.piece_precedes(x.pair, y.pair);
            } else {
                return x.pair < y.pair;
            }
        }
    };

    // A pair that this step brings into the queue; `cursor` is where the place of its list is to be kept.
    struct Gain {
        uint64_t pair;
        int64_t count;
        uint32_t num_places;
        uint32_t** cursor;
    };

    // ---- the queue

    uint32_t* enqueue(uint64_t pair, int64_t count, uint32_t num_places) {
        uint32_t list = static_cast<uint32_t>(lists_.size());
        if (free_lists_.empty()) {
            lists_.emplace_back();
        } else {
            list = free_lists_.back();
            free_lists_.pop_back();
        }
        lists_[list].reset(new uint32_t[num_places]);
        pulse_.took(num_places * sizeof(uint32_t));
        Entry entry{};
        entry.count = static_cast<uint64_t>(count);
        entry.pair = pair;
        entry.list = list;
        entry.num_places = num_places;
        if constexpr (by_piece) entry.rank = rank_of(pair);
        queue_.push(entry);
        return lists_[list].get();
    }

    void gain(uint64_t pair, int64_t count, uint32_t num_places, uint32_t*& cursor) {
        if (count < static_cast<int64_t>(floor_) || num_places == 0) return;
        if (rules_ && !rules_.allows(traits_[bpe::left_of(pair)], traits_[bpe::right_of(pair)])) return;
        gains_.push_back({pair, count, num_places, &cursor});
    }

    // ---- the order and the rules of pieces

    static constexpr unsigned bytes_of_rank = 6;

    uint64_t num_chars(uint64_t pair) const { return traits_[bpe::left_of(pair)].num_chars + traits_[bpe::right_of(pair)].num_chars; }

    std::string piece(uint64_t pair) const {
        return vocabulary_.string(bpe::left_of(pair)) + vocabulary_.string(bpe::right_of(pair));
    }

    uint64_t rank_of(uint64_t pair) const {
        const std::string text = piece(pair);
        uint64_t rank = std::min<uint64_t>(num_chars(pair), 0xFFFF);
        for (unsigned i = 0; i < bytes_of_rank; ++i) rank = rank << 8 | (i < text.size() ? static_cast<uint8_t>(text[i]) : 0);
        return rank;
    }

    bool piece_precedes(uint64_t x, uint64_t y) const {
        return num_chars(x) != num_chars(y) ? num_chars(x) < num_chars(y) : piece(x) < piece(y);
    }

    std::vector<bpe::Traits> first_traits(const bpe::SymbolIds& symbols) const {
        std::vector<bpe::Traits> traits;
        if (!rules_) return traits;
        traits.resize(vocabulary_.size());
        symbols.each_id([&](uint32_t id, uint32_t character) { traits[id] = rules_.of_character(character); });
        return traits;
    }

    // Whether the rules let a word become one token. Joins from left to right tell: every part of such a word may be one.
    bool may_be_token(const Word& word, const bpe::SymbolIds& symbols) const {
        if (!rules_) return true;
        bool may = true, is_first = true;
        bpe::Traits all, part;
        const auto add = [&](bpe::Traits& to, bool& empty, const bpe::Traits& next) {
            may = may && (empty || rules_.allows(to, next));
            if (may) to = empty ? next : rules_.joined(to, next);
            empty = false;
        };
        // Bytes are joined to characters first, since no token is characters and a part.
        bool no_part = true;
        symbols.each(word, [&](uint32_t id) {
            add(part, no_part, traits_[id]);
            if (!may || part.missing != 0) return;
            add(all, is_first, part);
            no_part = true;
        });
        return may;
    }

    // Queue what was gained, in the order of the pairs: what happens may not depend on the order of the words.
    void queue_gains() {
        std::sort(gains_.begin(), gains_.end(), [](const Gain& x, const Gain& y) { return x.pair < y.pair; });
        for (const Gain& gained : gains_) {
            counts_[gained.pair] = gained.count;
            *gained.cursor = enqueue(gained.pair, gained.count, gained.num_places);
        }
        gains_.clear();
    }

    Places take_list(uint32_t list) {
        free_lists_.push_back(list);
        return std::move(lists_[list]);
    }

    void queue_first_pairs() {
        FirstPairs<Cell> pairs(cells_, static_cast<uint32_t>(vocabulary_.size()), is_plain(), team_, pulse_);
        pairs.each([&](uint64_t key, auto& pair) { gain(key, static_cast<int64_t>(pair.count), pair.num_places, pair.cursor); });
        queue_gains();
        pairs.write_places();
    }

    // ---- one merge

    // Returns false when no pair is left.
    bool merge_best() {
        while (!queue_.empty()) {
            Entry best = queue_.pop();
            const auto count = static_cast<uint64_t>(*counts_.find(best.pair));
            if (count == best.count) {
                if (count < std::max(floor_, least_)) return false;
                if (by_piece && vocabulary_.has(piece(best.pair))) {
                    take_list(best.list);
                    continue;
                }
                merge(best);
                return true;
            }
            // Without a floor what counts nothing stays too: it has its part in the order of equal entries.
            if (count >= floor_ || floor_ <= 1) {
                best.count = count;
                queue_.push(best);
            } else {
                take_list(best.list);
            }
        }
        return false;
    }

    void merge(const Entry& entry) {
        Step step;
        step.left = bpe::left_of(entry.pair);
        step.right = bpe::right_of(entry.pair);
        step.left_length = lengths_[step.left];
        step.length = step.left_length + lengths_[step.right];
        step.id = vocabulary_.add(bpe::joined(vocabulary_.string(step.left), vocabulary_.string(step.right), settings_.prefix));
        // A first string that is no symbol (a special token) is as new as any when it is met the first time.
        const bool is_new = lengths_[step.id] == 0;
        if (is_new) lengths_[step.id] = step.length;
        if (is_new && rules_) {
            if (traits_.size() <= step.id) traits_.resize(step.id + 1);
            traits_[step.id] = rules_.joined(traits_[step.left], traits_[step.right]);
        }
        merges_.push_back({step.left, step.right, step.id});
        overlaps_ = {};
        join_places(entry, step, is_new);
        if (is_new) {
            settle_new(step);
            if (is_plain()) settle_overlaps(step);
        } else {
            if (is_plain()) settle_overlaps(step);
            settle_known(step);
        }
        for (size_t i = 0; i < num_parts_; ++i) parts_[i].end();
    }

    struct Step {
        uint32_t left, right, id, left_length, length;
    };

    bool has_forms(const Step& step) const {
        if (lengths_[step.id] != step.length) return true;
        return !forms_.empty() && (forms_.count(step.left) | forms_.count(step.right) | forms_.count(step.id)) != 0;
    }

    void join_places(const Entry& entry, const Step& step, bool is_new) {
        const Places list = take_list(entry.list);
        const uint32_t num_places = entry.num_places;
        num_parts_ = 1;
        parts_[0].begin(separator_);
        if ((!regained_.empty() && regained_.count(entry.pair) != 0) || has_forms(step)) {
            if (is_plain() && regained_.count(entry.pair) != 0) return join_everywhere(step);
            uint32_t joined_to = 0;  // words before it are done
            for (uint32_t i = 0; i < num_places; ++i)
                if (list[i] >= joined_to) joined_to = join_word(list[i], step);
        } else if (num_places < shared_places || team_.size() == 1 || !is_new || is_plain()) {
            join_each(parts_[0], &list[0], num_places, step);
        } else {
            join_shared(&list[0], num_places, step);
        }
    }

    // In two rounds, so that the misses of the first (cells) and of the second (rows of neighbours) do not wait for each other.
    void join_each(Part& part, const uint32_t* list, uint32_t num_places, const Step& step) {
        if (is_plain()) {
            for (uint32_t i = 0; i < num_places; ++i)
                if (stands(step, list[i])) join(part, step, list[i], step.left_length, step.length, static_cast<Cell>(step.id));
            return;
        }
        part.joined.resize(num_places);
        Joined* out = part.joined.data();
        const Cell* const cells = cells_.cells.get();
        for (uint32_t i = 0; i < num_places; ++i) {
            if (i + ahead < num_places) words::prefetch(&cells[list[i + ahead]]);
            if (stands(step, list[i])) *out++ = put(list[i], step.left_length, step.length, static_cast<Cell>(step.id));
        }
        part.joined.resize(static_cast<size_t>(out - part.joined.data()));
        for (const Joined& at : part.joined) note(part, at);
    }

    bool stands(const Step& step, uint32_t place) const {
        const Cell* const cells = cells_.cells.get();
        return cells[place] == step.left && cells[place + step.left_length] == step.right;
    }

    // ---- a step on several threads

    void join_shared(const uint32_t* list, uint32_t num_places, const Step& step) {
        num_parts_ = std::min(team_.size(), bpe::most_parts);
        while (parts_.size() < num_parts_) parts_.emplace_back(cells_);
        const std::vector<uint32_t> bounds = bpe::share(cells_, list, num_places, num_parts_);
        team_.run(num_parts_, [&](size_t i) {
            if (i != 0) parts_[i].begin(separator_);
            join_each(parts_[i], list + bounds[i], bounds[i + 1] - bounds[i], step);
        });
        for (size_t i = 1; i < num_parts_; ++i) parts_[0].add_neighbours(parts_[i]);
    }

    // Join the pair everywhere in the word that a place lies in; returns where the word ends.
    uint32_t join_word(uint32_t place, const Step& step) {
        const Cell* const cells = cells_.cells.get();
        while (cells[place - 1] != separator_) --place;
        while (cells[place] != separator_) {
            const uint32_t left_length = lengths_[cells[place]], next = place + left_length;
            if (id_of(cells[place]) == step.left && id_of(cells[next]) == step.right) {
                const uint32_t length = left_length + lengths_[cells[next]];
                join(parts_[0], step, place, left_length, length, form_of(step.id, length));
                place += length;
            } else {
                place = next;
            }
        }
        return place;
    }

    void join_everywhere(const Step& step) {
        const Cell* const cells = cells_.cells.get();
        const bool one_form = forms_.count(step.left) == 0;
        for (uint32_t place = 1; place < cells_.size; ++place) {  // past the separator
            if (one_form) place = static_cast<uint32_t>(std::find(cells + place, cells + cells_.size, step.left) - cells);
            if (place < cells_.size) place = join_word(place, step);
        }
    }

    void join(Part& part, const Step& step, uint32_t place, uint32_t left_length, uint32_t length, Cell form) {
        if (is_plain()) note_overlaps(step, place, place + length, static_cast<int64_t>(part.counts_at.at(place)));
        part.joined.push_back(put(place, left_length, length, form));
        note(part, part.joined.back());
    }

    // Write the form over the cells of a pair; returns what stands around them.
    Joined put(uint32_t place, uint32_t left_length, uint32_t length, Cell form) {
        Cell* const cells = cells_.cells.get();
        const uint32_t middle = place + left_length, end = place + length;
        const Joined joined{place, cells[place - 1], cells[end]};
        cells[middle - 1] = cells[middle] = cells_.hole;
        cells[place] = cells[end - 1] = form;
        return joined;
    }

    void note(Part& part, const Joined& at) {
        const auto count = static_cast<int64_t>(part.counts_at.at(at.place));
        bpe::Neighbour& left = part.touch(id_of(at.before));
        left.before += count;
        ++left.num_before;
        bpe::Neighbour& right = part.touch(id_of(at.after));
        right.after += count;
        ++right.num_after;
    }

    // ---- pairs of one id with itself, where places that overlap count once

    // What the counts by places are too high by: of the id with itself on the left, on the right, and the one made.
    struct Overlaps {
        int64_t left = 0, right = 0, made = 0;
        uint32_t run = 0, end = 0;  // of the one made, up to the last place joined
    };

    bool is_plain() const { return !by_piece && settings_.compat == Compat::plain; }

    // A run of r loses one of r / 2 places when r was even, none when it was odd; a run that grows to r gains likewise.
    void note_overlaps(const Step& step, uint32_t place, uint32_t end, int64_t count) {
        const Cell* const cells = cells_.cells.get();
        overlaps_.run = place == overlaps_.end ? overlaps_.run + 1 : 1;
        overlaps_.end = end;
        if (overlaps_.run > 1 && overlaps_.run % 2 == 1) overlaps_.made += count;
        if (step.left == step.right) return;  // counts nothing from now on
        uint32_t before = 0, after = 0;
        for (uint32_t at = place; id_of(cells[at - 1]) == step.left; at -= lengths_[cells[at - 1]]) ++before;
        for (uint32_t at = end; id_of(cells[at]) == step.right; at += lengths_[cells[at]]) ++after;
        if (before != 0 && before % 2 == 0) overlaps_.left += count;
        if (after != 0 && after % 2 == 0) overlaps_.right += count;
    }

    void settle_overlaps(const Step& step) {
        lose(bpe::pair_key(step.left, step.left), -overlaps_.left);
        lose(bpe::pair_key(step.right, step.right), -overlaps_.right);
        *counts_.find(bpe::pair_key(step.left, step.right)) = 0;
    }

    // ---- forms of an id: cells above the hole

    uint32_t id_of(Cell form) const { return form <= cells_.hole ? form : id_of_form_[form - cells_.hole - 1]; }

    // The form of an id that covers `length` cells; made when there is none.
    Cell form_of(uint32_t id, uint32_t length) {
        if (lengths_[id] == length) return static_cast<Cell>(id);
        for (const Cell form : forms_[id])
            if (lengths_[form] == length) return form;
        const uint64_t form = lengths_.size();
        if (form > std::numeric_limits<Cell>::max() || settings_.max_token_length != BpeSettings{}.max_token_length)
            throw AmbiguousLength();
        lengths_.push_back(length);
        id_of_form_.push_back(id);
        forms_[id].push_back(static_cast<Cell>(form));
        return static_cast<Cell>(form);
    }

    // ---- what a merge does to the counts

    bool is_counted(const Step& step, uint32_t neighbour) const {
        return uint64_t{step.length} + lengths_[neighbour] < settings_.max_token_length;
    }

    void lose(uint64_t pair, int64_t count) {
        if (int64_t* const known = counts_.find(pair)) *known -= count;
    }

    // The id is new, so every pair with it is.
    void settle_new(const Step& step) {
        Part& all = parts_[0];
        for (const uint32_t id : all.touched) {
            counts_.prefetch(bpe::pair_key(id, step.left));
            counts_.prefetch(bpe::pair_key(step.right, id));
        }
        for (const uint32_t id : all.touched) {
            const bpe::Neighbour& neighbour = all.neighbours[id];
            bpe::Cursors& cursors = all.cursors[id];
            cursors = {};
            if (neighbour.num_before != 0) {
                if (id != step.id) lose(bpe::pair_key(id, step.left), neighbour.before);
                const int64_t over = id == step.id ? overlaps_.made : 0;
                if (is_counted(step, id))
                    gain(bpe::pair_key(id, step.id), neighbour.before - over, neighbour.num_before, cursors.before);
            }
            if (neighbour.num_after != 0) {
                lose(bpe::pair_key(step.right, id), neighbour.after);
                // "abab": what stands after the first place is joined itself at the second.
                const int64_t gone = id == step.left ? all.neighbours[step.id].before : 0;
                if (is_counted(step, id))
                    gain(bpe::pair_key(step.id, id), neighbour.after - gone, neighbour.num_after, cursors.after);
            }
        }
        if (gains_.empty()) return;
        queue_gains();
        for (size_t i = 1; i < num_parts_; ++i) all.lead(parts_[i]);
        if (num_parts_ == 1) return write_places(all);
        team_.run(num_parts_, [&](size_t i) { write_places(parts_[i]); });
    }

    void write_places(Part& part) {
        for (const Joined& at : part.joined) {
            uint32_t*& before = part.cursors[id_of(at.before)].before;
            if (before != nullptr) *before++ = at.place - lengths_[at.before];
            uint32_t*& after = part.cursors[id_of(at.after)].after;
            if (after != nullptr) *after++ = at.place;
        }
    }

    struct Change {
        int64_t count = 0;
        std::vector<uint32_t> places;  // where the pair came to stand
        uint32_t* cursor = nullptr;
    };

    // The id stood in words before. Pairs with it may have entries already; they get another one for these words.
    void settle_known(const Step& step) {
        std::unordered_map<uint64_t, Change> changes;
        for (const uint32_t id : parts_[0].touched) {
            const bpe::Neighbour& neighbour = parts_[0].neighbours[id];
            changes[bpe::pair_key(id, step.left)].count -= neighbour.before;
            changes[bpe::pair_key(step.right, id)].count -= neighbour.after;
            if (!is_counted(step, id)) continue;
            changes[bpe::pair_key(id, step.id)].count += neighbour.before;
            changes[bpe::pair_key(step.id, id)].count += neighbour.after;
        }
        for (const Joined& at : parts_[0].joined) {
            if (at.before != separator_ && is_counted(step, at.before))
                changes[bpe::pair_key(id_of(at.before), step.id)].places.push_back(at.place - lengths_[at.before]);
            if (at.after != separator_ && is_counted(step, at.after))
                changes[bpe::pair_key(step.id, id_of(at.after))].places.push_back(at.place);
        }
        std::unordered_map<uint64_t, int64_t> present;
        for (auto& [pair, change] : changes) {
            int64_t* const known = counts_.find(pair);
            // Plain: what the merge itself took and gave in one is counted anew.
            const bool anew = is_plain() && (pair == bpe::pair_key(step.id, step.id) ||
                                             pair == bpe::pair_key(step.left, step.right));
            if (known != nullptr && !anew) {
                *known += change.count;
            } else if (!change.places.empty()) {
                present[pair] = 0;
            }
        }
        // A pair below the floor was never merged, so its count is what stands in the words.
        if (!present.empty()) count_present(step, present);
        for (auto& [pair, change] : changes) {
            if (change.places.empty()) continue;
            regained_.insert(pair);
            const auto found = present.find(pair);
            const int64_t count = found == present.end() ? *counts_.find(pair) : found->second;
            if (int64_t* const known = counts_.find(pair)) *known = count;
            gain(pair, count, static_cast<uint32_t>(change.places.size()), change.cursor);
        }
        queue_gains();
        for (auto& [pair, change] : changes)
            if (change.cursor != nullptr) std::copy(change.places.begin(), change.places.end(), change.cursor);
    }

    // Count the wanted pairs that hold the id of this step, in all words.
    void count_present(const Step& step, std::unordered_map<uint64_t, int64_t>& wanted) {
        count_present(step.id, static_cast<Cell>(step.id), wanted);
        const auto forms = forms_.find(step.id);
        if (forms == forms_.end()) return;
        for (const Cell form : forms->second) count_present(step.id, form, wanted);
    }

    void count_present(uint32_t id, Cell form, std::unordered_map<uint64_t, int64_t>& wanted) {
        const Cell* const cells = cells_.cells.get();
        const uint32_t length = lengths_[form];
        const auto add = [&](uint64_t pair, uint32_t place) {
            const auto found = wanted.find(pair);
            if (found != wanted.end()) found->second += static_cast<int64_t>(parts_[0].counts_at.at(place));
        };
        const Cell* const end = cells + cells_.size;
        for (const Cell* at = std::find(cells, end, form); at != end; at = std::find(at + length, end, form)) {
            const auto place = static_cast<uint32_t>(at - cells);
            const Cell before = cells[place - 1], after = cells[place + length];
            if (before != separator_ && id_of(before) != id) add(bpe::pair_key(id_of(before), id), place);
            if (after == separator_) continue;
            if (!is_plain() || id_of(after) != id) {
                add(bpe::pair_key(id, id_of(after)), place);
            } else if (id_of(before) != id) {  // a run begins
                uint32_t run = 1;
                for (uint32_t next = place + length; id_of(cells[next]) == id; next += lengths_[cells[next]])
                    if (++run % 2 == 0) add(bpe::pair_key(id, id), place);
            }
        }
    }

    const BpeSettings settings_;
    Team& team_;
    Pulse& pulse_;
    bpe::Vocabulary vocabulary_;
    const size_t num_initial_;
    const bpe::Rules rules_;
    std::vector<bpe::Traits> traits_;  // of every id, where there are rules
    BpeCells<Cell> cells_;
    const Cell separator_;
    std::vector<uint32_t> lengths_;  // symbols of each id, then of each form; 0: no symbol yet
    std::vector<uint32_t> id_of_form_;
    std::unordered_map<uint32_t, std::vector<Cell>> forms_;  // of the ids that have any
    uint64_t floor_ = 1, least_ = 1;  // of what is queued, of what is merged

    std::vector<Merge> merges_;
    MergeQueue<Entry, Precedes> queue_;
    std::vector<Places> lists_;
    std::vector<uint32_t> free_lists_;
    bpe::PairTable<int64_t> counts_;          // of every pair that was ever queued
    std::unordered_set<uint64_t> regained_;   // pairs with more than one entry ever: they search whole words

    // of the step at hand
    std::vector<Part> parts_;  // one; more of them from the first step on that is shared
    size_t num_parts_ = 1;     // of the step
    std::vector<Gain> gains_;
    Overlaps overlaps_;
};

}  // namespace textpipe
