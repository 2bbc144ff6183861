// Learns byte-pair merges word by word, as the rules say. Enters and leaves: as BpeTrainer (bpe_trainer.hpp has the rules).
// Promises: right also where one string stands for different numbers of symbols and the length of tokens is limited, which
// needs every count down to below zero. Several times slower and larger; run where BpeTrainer throws AmbiguousLength.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bpe_likelihood.hpp"
#include "bpe_trainer.hpp"
#include "merge_queue.hpp"

namespace textpipe {

class WordwiseBpeTrainer {
public:
    WordwiseBpeTrainer(const BpeSettings& settings, const std::vector<std::string>& initial, const bpe::SymbolIds& symbols,
                       const WordCounts& words, Pulse& pulse)
        : settings_(settings), pulse_(pulse), vocabulary_(initial) {
        words.each([&](const Word& word) {
            words_.emplace_back();
            words_.back().count = static_cast<int64_t>(word.count);
            symbols.each(word, [&](uint32_t id) { words_.back().symbols.push_back({id, 1}); });
        });
    }

    BpeResult run() {
        pulse_.begin(phase_pairs, words_.size());
        for (uint32_t i = 0; i < words_.size(); ++i) {
            pulse_.beat(i);
            const auto& symbols = words_[i].symbols;
            for (size_t at = 1; at < symbols.size(); ++at) change(bpe::pair_key(symbols[at - 1].id, symbols[at].id), 1, i);
        }
        pulse_.end(words_.size());
        queue_gained();
        const size_t initial = vocabulary_.size();
        pulse_.begin(phase_merges, settings_.vocab_size > initial ? settings_.vocab_size - initial : 0);
        while (vocabulary_.size() < settings_.vocab_size && merge_best()) pulse_.beat_slow(vocabulary_.size() - initial);
        pulse_.end(vocabulary_.size() - initial);
        BpeResult result{std::move(merges_), {}};
        for (uint32_t id = 0; id < vocabulary_.size(); ++id) result.strings.push_back(vocabulary_.string(id));
        return result;
    }

private:
    struct Symbol {
        uint32_t id;
        uint64_t length;
    };
    struct CountedWord {
        std::vector<Symbol> symbols;
        int64_t count = 0;
    };
    struct Entry {
        uint64_t count, pair;
        std::vector<uint32_t> words;
    };
    struct Precedes {
        bool operator()(const Entry& x, const Entry& y) const {
            return x.count != y.count ? x.count > y.count : x.pair < y.pair;
        }
    };

    void change(uint64_t pair, int sign, uint32_t word) {
        counts_[pair] += sign * words_[word].count;
        if (sign < 0) return;
        std::vector<uint32_t>& gained = gained_[pair];
        if (gained.empty() || gained.back() != word) gained.push_back(word);
    }

    void queue_gained() {
        std::vector<Entry> entries;
        for (auto& [pair, words] : gained_) {
            const int64_t count = counts_[pair];
            if (count > 0) entries.push_back({static_cast<uint64_t>(count), pair, std::move(words)});
        }
        // In a fixed order, not that of a hash.
        std::sort(entries.begin(), entries.end(), [](const Entry& x, const Entry& y) { return x.pair < y.pair; });
        for (Entry& entry : entries) queue_.push(std::move(entry));
        gained_.clear();
    }

    bool merge_best() {
        while (!queue_.empty()) {
            Entry best = queue_.pop();
            // A count below zero turns into the greatest there is, as in the trainer whose output this equals.
            const auto count = static_cast<uint64_t>(counts_[best.pair]);
            if (count != best.count) {
                best.count = count;
                queue_.push(std::move(best));
                continue;
            }
            if (count < 1 || count < settings_.min_frequency) return false;
            merge(best);
            return true;
        }
        return false;
    }

    void merge(const Entry& entry) {
        const uint32_t left = bpe::left_of(entry.pair), right = bpe::right_of(entry.pair);
        const uint32_t id = vocabulary_.add(bpe::joined(vocabulary_.string(left), vocabulary_.string(right), settings_.prefix));
        merges_.push_back({left, right, id});
        for (const uint32_t word : entry.words) merge_word(word, left, right, id);
        queue_gained();
    }

    void merge_word(uint32_t word, uint32_t left, uint32_t right, uint32_t id) {
        std::vector<Symbol>& symbols = words_[word].symbols;
        for (size_t at = 0; at + 1 < symbols.size(); ++at) {
            if (symbols[at].id != left || symbols[at + 1].id != right) continue;
            const Symbol joined{id, symbols[at].length + symbols[at + 1].length};
            if (at > 0) {
                const Symbol before = symbols[at - 1];
                change(bpe::pair_key(before.id, left), -1, word);
                if (before.length + joined.length < settings_.max_token_length) change(bpe::pair_key(before.id, id), 1, word);
            }
            symbols[at] = joined;
            symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(at) + 1);
            if (at + 1 < symbols.size()) {
                const Symbol after = symbols[at + 1];
                change(bpe::pair_key(right, after.id), -1, word);
                if (after.length + joined.length < settings_.max_token_length) change(bpe::pair_key(id, after.id), 1, word);
            }
        }
    }

    const BpeSettings settings_;
    Pulse& pulse_;
    bpe::Vocabulary vocabulary_;
    std::vector<CountedWord> words_;
    std::vector<Merge> merges_;
    MergeQueue<Entry, Precedes> queue_;
    std::unordered_map<uint64_t, int64_t> counts_;
    std::unordered_map<uint64_t, std::vector<uint32_t>> gained_;
};

constexpr uint64_t narrow_forms = 4096;  // room for forms in cells of 16 bits; more are a matter of contrived texts

// How the fast trainer goes about it when it could not otherwise; what is kept says so, and is gone on with in that way.
enum Attempt : uint64_t { with_wide_cells = 1, without_floor = 2 };

// Train by the fast trainer, or by this one where the fast one cannot; then nothing is kept. With release the words are dropped
// once laid out; the caller asks for it only where no prefix or suffix can make them needed a second time.
inline BpeResult train_bpe_once(const BpeSettings& settings, const std::vector<std::string>& initial,
                                const bpe::SymbolIds& symbols, WordCounts& words, bool release, bool has_forms, Team& team,
                                Pulse& pulse, const Keeper& keeper, uint64_t last_attempt) {
    if (settings.compat == Compat::likelihood) {
        LikelihoodTrainer trainer(settings, initial, symbols, words, pulse);
        if (release) words.clear();
        return trainer.run(keeper);
    }
    const auto run = [&](auto cell, auto by_piece, const Keeper& keeper) {
        BpeTrainer<decltype(cell), by_piece.value> trainer(settings, initial, symbols, words, team, pulse);
        if (release) words.clear();
        return trainer.run(keeper);
    };
    const uint64_t max_ids = std::max<uint64_t>(settings.vocab_size, initial.size());
    const bool narrow = BpeCells<uint16_t>::can_hold(max_ids, has_forms ? narrow_forms : 0);
    if (settings.compat == Compat::sentencepiece)
        return narrow ? run(uint16_t{}, std::true_type{}, keeper) : run(uint32_t{}, std::true_type{}, keeper);
    try {
        if ((last_attempt & with_wide_cells) == 0)
            return narrow ? run(uint16_t{}, std::false_type{}, keeper) : run(uint32_t{}, std::false_type{}, keeper);
    } catch (const AmbiguousLength&) {
        if (settings.max_token_length != BpeSettings{}.max_token_length)
            return WordwiseBpeTrainer(settings, initial, symbols, words, pulse).run();
    }
    return run(uint32_t{}, std::false_type{}, keeper.of_attempt(keeper.attempt() | with_wide_cells));
}

// As train_bpe_once(), with a floor where one helps.
inline BpeResult train_bpe(BpeSettings settings, const std::vector<std::string>& initial,
                           const std::vector<uint32_t>& characters, const std::vector<uint32_t>& ids, WordCounts& words,
                           bool byte_level, bool release, size_t num_threads, Pulse::Callback callback, KeepCallback keep,
                           void* owner) {
    const bpe::SymbolIds symbols(byte_level, characters, ids);
    Pulse pulse(callback, owner);
    Team team(std::min(num_threads, bpe::most_parts));
    const bool has_forms = !settings.prefix.empty();
    const Keeper keeper(keep, owner);
    const uint64_t last_attempt = keeper.last_attempt();
    const auto run = [&](const Keeper& of) {
        return train_bpe_once(settings, initial, symbols, words, release, has_forms, team, pulse, of, last_attempt);
    };
    try {
        if ((last_attempt & without_floor) == 0) return run(keeper);
    } catch (const FloorTooHigh&) {  // anew, and rarely
    }
    settings.has_floor = false;
    return run(keeper.of_attempt(without_floor));
}

// Go on from merges that are there already. A token of theirs is one symbol, whatever it is made of.
inline BpeResult extend_bpe(const BpeSettings& settings, const std::vector<std::string>& initial, const std::vector<Merge>& known,
                            WordCounts& words, bool byte_level, size_t num_threads, Pulse::Callback callback,
                            KeepCallback keep, void* owner) {
    BpeOptions options;
    options.prefix = settings.prefix;
    options.suffix = settings.suffix;
    BpeModel model(options);
    model.reserve(initial.size(), known.size());
    for (uint32_t id = 0; id < initial.size(); ++id) model.add_piece(id, initial[id]);
    for (const Merge& merge : known) model.add_merge(merge.left, merge.right, merge.id);
    model.finish(byte_level);
    const bpe::SymbolIds symbols(model, static_cast<uint32_t>(initial.size()), byte_level);
    Pulse pulse(callback, owner);
    Team team(std::min(num_threads, bpe::most_parts));
    const Keeper keeper(keep, owner);
    return train_bpe_once(settings, initial, symbols, words, false, true, team, pulse, keeper, keeper.last_attempt());
}

}  // namespace textpipe
