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
// c are never needed. They are the many; they are not queued, listed or counted.
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
#include "bpe_pairs.hpp"
#include "bpe_rules.hpp"
#include "bpe_vocabulary.hpp"
#include "merge_queue.hpp"
#include "pulse.hpp"

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
    bool has_floor = true;          // no two words become the same token, and no length is limited but by the rules
};

// Merges that are there already: words begin as they leave them.
struct KnownMerges {
    std::vector<Merge> merges;  // in the order they apply
    std::string suffix;         // of symbols that end a word
};

struct BpeResult {
    std::vector<Merge> merges;
    std::vector<std::string> strings;  // of every id
};

template <class Cell, bool by_piece>
class BpeTrainer {
public:
    BpeTrainer(const BpeSettings& settings, const std::vector<std::string>& initial, const bpe::SymbolIds& symbols,
               const WordCounts& words, Pulse& pulse)
        : settings_(settings), pulse_(pulse), vocabulary_(initial), rules_(settings.rules, symbols.byte_level()),
          traits_(first_traits(symbols)),
          cells_(words, symbols, initial.size(), max_ids(settings, initial.size()), !by_piece, pulse,
                 [this](const Word& word, const bpe::SymbolIds& ids) { return may_be_token(word, ids); }),
          separator_(cells_.separator), counts_at_(cells_), lengths_(size_t{cells_.hole} + 1),
          queue_(Precedes{*this}), neighbours_(cells_.num_ids + 1), cursors_(cells_.num_ids + 1) {
        symbols.each_id([&](uint32_t id, uint32_t) { lengths_[id] = 1; });
        floor_ = by_piece ? 0 : std::max<uint64_t>(1, settings.min_frequency);
        if (settings.has_floor && settings.vocab_size > initial.size()) {
            // The first strings count as room too: a merge may land on one of them.
            floor_ = std::max(floor_, cells_.nth_count(settings.vocab_size));
        }
    }

    // All ids are below this.
    static uint64_t max_ids(const BpeSettings& settings, size_t num_initial) {
        return std::max<uint64_t>(settings.vocab_size, num_initial);
    }

    BpeResult run() {
        if (vocabulary_.size() < settings_.vocab_size) {
            queue_first_pairs();
            const size_t initial = vocabulary_.size();
            pulse_.begin(phase_merges, settings_.vocab_size - initial);
            while (vocabulary_.size() < settings_.vocab_size && merge_best()) pulse_.beat_slow(vocabulary_.size() - initial);
            pulse_.end(vocabulary_.size() - initial);
            if (by_piece && floor_ > 0 && vocabulary_.size() < settings_.vocab_size) throw FloorTooHigh();
        }
        BpeResult result{std::move(merges_), {}};
        for (uint32_t id = 0; id < vocabulary_.size(); ++id) result.strings.push_back(vocabulary_.string(id));
        return result;
    }

private:
    using Places = std::unique_ptr<uint32_t[]>;
    static constexpr uint32_t ahead = 24;  // places fetched before they are needed

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

    // Of one id in one step: what stood before and after the places that were joined. The separator has a row of its own,
    // so that joining asks no questions about the ends of words; what gathers there is never read.
    struct alignas(32) Neighbour {
        int64_t before = 0, after = 0;
        uint32_t num_before = 0, num_after = 0;
    };
    struct Cursors {
        uint32_t *before = nullptr, *after = nullptr;
    };
    struct Joined {
        uint32_t place;
        Cell before, after;
    };
    struct FirstPair {
        uint64_t count = 0;
        uint32_t num_places = 0;
        uint32_t* cursor = nullptr;
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
        pulse_.begin(phase_pairs, 2 * cells_.size);
        const auto num_ids = static_cast<uint32_t>(vocabulary_.size());
        if (num_ids <= 1024) {
            std::vector<FirstPair> table(size_t{num_ids} * num_ids);
            queue_pairs([&](Cell left, Cell right) -> FirstPair& { return table[left * num_ids + right]; },
                        [&](auto&& visit) {
                            for (uint32_t left = 0; left < num_ids; ++left)
                                for (uint32_t right = 0; right < num_ids; ++right)
                                    visit(bpe::pair_key(left, right), table[left * num_ids + right]);
                        });
        } else {
            bpe::PairTable<FirstPair> table;
            queue_pairs([&](Cell left, Cell right) -> FirstPair& { return table[bpe::pair_key(left, right)]; },
                        [&](auto&& visit) { table.each(visit); });
        }
    }

    template <class Lookup, class Each>
    void queue_pairs(Lookup&& lookup, Each&& each) {
        uint32_t last = 0, run = 0;
        cells_.each_first_pair([&](uint32_t place, Cell left, Cell right, uint64_t count) {
            pulse_.beat(place);
            FirstPair& pair = lookup(left, right);
            // Plain: of the places in a run of one id every other counts.
            run = left == right ? (place == last + 1 ? run : 0) + 1 : 0;
            last = place;
            if (!is_plain() || run == 0 || run % 2 == 1) pair.count += count;
            ++pair.num_places;
        });
        each([&](uint64_t key, FirstPair& pair) { gain(key, static_cast<int64_t>(pair.count), pair.num_places, pair.cursor); });
        queue_gains();
        cells_.each_first_pair([&](uint32_t place, Cell left, Cell right, uint64_t) {
            pulse_.beat(cells_.size + place);
            uint32_t*& cursor = lookup(left, right).cursor;
            if (cursor != nullptr) *cursor++ = place;
        });
        pulse_.end(2 * cells_.size);
    }

    // ---- one merge

    // Returns false when no pair is left.
    bool merge_best() {
        while (!queue_.empty()) {
            Entry best = queue_.pop();
            const auto count = static_cast<uint64_t>(*counts_.find(best.pair));
            if (count == best.count) {
                if (count < floor_) return false;
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
        join_places(entry, step);
        if (is_new) {
            settle_new(step);
            if (is_plain()) settle_overlaps(step);
        } else {
            if (is_plain()) settle_overlaps(step);
            settle_known(step);
        }
        for (const uint32_t id : touched_) neighbours_[id] = {};
        touched_.clear();
    }

    struct Step {
        uint32_t left, right, id, left_length, length;
    };

    bool has_forms(const Step& step) const {
        if (lengths_[step.id] != step.length) return true;
        return !forms_.empty() && (forms_.count(step.left) | forms_.count(step.right) | forms_.count(step.id)) != 0;
    }

    void join_places(const Entry& entry, const Step& step) {
        const Places list = take_list(entry.list);
        const uint32_t num_places = entry.num_places;
        const Cell* const cells = cells_.cells.get();
        neighbours_[separator_] = {0, 0, 1, 1};  // not to be touched
        joined_.clear();
        if ((!regained_.empty() && regained_.count(entry.pair) != 0) || has_forms(step)) {
            if (is_plain() && regained_.count(entry.pair) != 0) return join_everywhere(step);
            uint32_t joined_to = 0;  // words before it are done
            for (uint32_t i = 0; i < num_places; ++i)
                if (list[i] >= joined_to) joined_to = join_word(list[i], step);
            return;
        }
        joined_.reserve(num_places);
        for (uint32_t i = 0; i < num_places; ++i) {
            if (i + ahead < num_places) words::prefetch(&cells[list[i + ahead]]);
            const uint32_t place = list[i];
            if (cells[place] == step.left && cells[place + step.left_length] == step.right)
                join(step, place, step.left_length, step.length, static_cast<Cell>(step.id));
        }
    }

    // Join the pair everywhere in the word that a place lies in; returns where the word ends.
    uint32_t join_word(uint32_t place, const Step& step) {
        const Cell* const cells = cells_.cells.get();
        while (cells[place - 1] != separator_) --place;
        while (cells[place] != separator_) {
            const uint32_t left_length = lengths_[cells[place]], next = place + left_length;
            if (id_of(cells[place]) == step.left && id_of(cells[next]) == step.right) {
                const uint32_t length = left_length + lengths_[cells[next]];
                join(step, place, left_length, length, form_of(step.id, length));
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

    void join(const Step& step, uint32_t place, uint32_t left_length, uint32_t length, Cell form) {
        Cell* const cells = cells_.cells.get();
        const auto count = static_cast<int64_t>(counts_at_.at(place));
        const uint32_t middle = place + left_length, end = place + length;
        const Cell before = cells[place - 1], after = cells[end];
        Neighbour& left = touch(id_of(before));
        left.before += count;
        ++left.num_before;
        Neighbour& right = touch(id_of(after));
        right.after += count;
        ++right.num_after;
        joined_.push_back({place, before, after});
        if (is_plain()) note_overlaps(step, place, end, count);
        cells[middle - 1] = cells[middle] = cells_.hole;
        cells[place] = cells[end - 1] = form;
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

    Neighbour& touch(uint32_t id) {
        Neighbour& neighbour = neighbours_[id];
        if ((neighbour.num_before | neighbour.num_after) == 0) touched_.push_back(id);
        return neighbour;
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
        for (const uint32_t id : touched_) {
            counts_.prefetch(bpe::pair_key(id, step.left));
            counts_.prefetch(bpe::pair_key(step.right, id));
        }
        for (const uint32_t id : touched_) {
            const Neighbour& neighbour = neighbours_[id];
            Cursors& cursors = cursors_[id];
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
                const int64_t gone = id == step.left ? neighbours_[step.id].before : 0;
                if (is_counted(step, id))
                    gain(bpe::pair_key(step.id, id), neighbour.after - gone, neighbour.num_after, cursors.after);
            }
        }
        if (gains_.empty()) return;
        queue_gains();
        for (const Joined& at : joined_) {
            uint32_t*& before = cursors_[id_of(at.before)].before;
            if (before != nullptr) *before++ = at.place - lengths_[at.before];
            uint32_t*& after = cursors_[id_of(at.after)].after;
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
        for (const uint32_t id : touched_) {
            const Neighbour& neighbour = neighbours_[id];
            changes[bpe::pair_key(id, step.left)].count -= neighbour.before;
            changes[bpe::pair_key(step.right, id)].count -= neighbour.after;
            if (!is_counted(step, id)) continue;
            changes[bpe::pair_key(id, step.id)].count += neighbour.before;
            changes[bpe::pair_key(step.id, id)].count += neighbour.after;
        }
        for (const Joined& at : joined_) {
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
            if (found != wanted.end()) found->second += static_cast<int64_t>(counts_at_.at(place));
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
    Pulse& pulse_;
    bpe::Vocabulary vocabulary_;
    const bpe::Rules rules_;
    std::vector<bpe::Traits> traits_;  // of every id, where there are rules
    BpeCells<Cell> cells_;
    const Cell separator_;
    typename BpeCells<Cell>::Counts counts_at_;
    std::vector<uint32_t> lengths_;  // symbols of each id, then of each form; 0: no symbol yet
    std::vector<uint32_t> id_of_form_;
    std::unordered_map<uint32_t, std::vector<Cell>> forms_;  // of the ids that have any
    uint64_t floor_ = 1;

    std::vector<Merge> merges_;
    MergeQueue<Entry, Precedes> queue_;
    std::vector<Places> lists_;
    std::vector<uint32_t> free_lists_;
    bpe::PairTable<int64_t> counts_;          // of every pair that was ever queued
    std::unordered_set<uint64_t> regained_;   // pairs with more than one entry ever: they search whole words

    // of the step at hand
    std::vector<Neighbour> neighbours_;  // a row an id, and one for the separator
    std::vector<Cursors> cursors_;
    std::vector<uint32_t> touched_;
    std::vector<Joined> joined_;
    std::vector<Gain> gains_;
    Overlaps overlaps_;
};

}  // namespace textpipe
