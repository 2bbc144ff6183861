// Learns one byte-pair vocabulary for several languages, so that none of them is left behind. Enters: the words of each language
// to learn from, and perhaps others to measure it by; which ids their characters have. Leaves: merges, and the string of every
// id. Promises: the merges of `tokenizers` 0.23.3, for any order of the words; of pairs that count alike in the language whose
// turn it is, the one whose left string is the last by its bytes is joined, then the one whose right string is.
//
// At each step one language has its turn: that of the longest measured text, or, of ratios, the one whose text shrank least for
// its ratio. Its most frequent pair is joined in all languages. With a window no language has more than its share of the last
// turns, unless there is no other. Before that, the first merges go by the counts of all languages together.
//
// A joined pair counts nothing until it comes up anew; a pair that would be too long is not counted, and loses all the same what
// its parts lose. A language whose best pair is too rare has no more turns.
//
// Where `tokenizers` would look for a language for ever (no language is below its share, and some have no more turns; or a
// language without words is left over), the last language that was looked at has its turn here, and the training ends.
//
// Complexity: O(symbols of distinct words) to lay out, then the words a merge is made in, for each of the languages.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "bpe_trainer.hpp"

namespace textpipe {

struct ParitySettings {
    uint64_t num_merges = 0, min_frequency = 0, global_merges = 0;
    uint64_t max_token_length = std::numeric_limits<uint64_t>::max();
    uint64_t window_size = 0;  // 0: the neediest language has every turn
    double alpha = 0;
    std::vector<double> ratios;  // none, or one a language
    std::string prefix;
};

namespace bpe {

// Pairs by how often they count, the most frequent first.
class PairRanking {
public:
    explicit PairRanking(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}

    int64_t count(uint64_t pair) {
        const Use* const use = uses_.find(pair);
        return use == nullptr ? 0 : use->count;
    }

    void set(uint64_t pair, int64_t count) { uses_[pair].count = count; }
    void change(uint64_t pair, int64_t by) { uses_[pair].count += by; }

    // To be called when a count has risen. An entry that is too high is put right when it comes first.
    void queue(uint64_t pair) {
        Use& use = uses_[pair];
        if (use.count <= use.queued) return;
        use.queued = use.count;
        queue_.push_back({use.count, pair});
        std::push_heap(queue_.begin(), queue_.end(), Follows{vocabulary_});
    }

    void queue_all() {
        uses_.each([&](uint64_t pair, Use& use) {
            use.queued = use.count;
            if (use.count > 0) queue_.push_back({use.count, pair});
        });
        std::make_heap(queue_.begin(), queue_.end(), Follows{vocabulary_});
    }

    // Take the first pair from the queue; false where none counts anything.
    bool pop(uint64_t& pair, int64_t& count) {
        while (!queue_.empty()) {
            std::pop_heap(queue_.begin(), queue_.end(), Follows{vocabulary_});
            const Entry first = queue_.back();
            queue_.pop_back();
            Use& use = uses_[first.pair];
            if (first.count != use.queued) continue;  // a higher one came before
            use.queued = 0;
            pair = first.pair;
            count = use.count;
            if (count == first.count) return true;
            queue(pair);
        }
        return false;
    }

private:
    struct Use {
        int64_t count = 0, queued = 0;
    };
    struct Entry {
        int64_t count;
        uint64_t pair;
    };
    struct Follows {
        const Vocabulary& of;
        bool operator()(const Entry& x, const Entry& y) const {
            if (x.count != y.count) return x.count < y.count;
            if (left_of(x.pair) != left_of(y.pair)) return of.string(left_of(x.pair)) < of.string(left_of(y.pair));
            return of.string(right_of(x.pair)) < of.string(right_of(y.pair));
        }
    };

    const Vocabulary& vocabulary_;
    PairTable<Use> uses_;
    std::vector<Entry> queue_;
};

// Distinct words as symbols, and the words that each pair came to stand in.
class ParityText {
public:
    // With `whole` a word that has a character without an id is left out.
    ParityText(const WordCounts& words, const SymbolIds& symbols, bool whole, Pulse& pulse) {
        uint64_t seen = 0;
        pulse.begin(phase_layout, words.num_words());
        words.each([&](const Word& word) {
            pulse.beat(++seen);
            const size_t start = symbols_.size();
            symbols.each(word, [&](uint32_t id) { symbols_.push_back({id, 1}); });
            const size_t size = symbols_.size() - start;
            if (size == 0 || (whole && size != num_chars(word, symbols.byte_level()))) {
                symbols_.resize(start);
                return;
            }
            words_.push_back({start, size, static_cast<int64_t>(word.count)});
            length_ += static_cast<int64_t>(size) * words_.back().count;
        });
        pulse.end(seen);
    }

    // Symbols of all words, each as often as it came.
    int64_t length() const { return length_; }

    // Call visit(pair, count) for every place of a pair.
    template <class Visit>
    void each_pair(Pulse& pulse, Visit&& visit) {
        pulse.begin(phase_pairs, words_.size());
        for (size_t number = 0; number < words_.size(); ++number) {
            pulse.beat(number);
            const Symbol* const symbols = &symbols_[words_[number].start];
            for (size_t at = 1; at < words_[number].size; ++at) {
                const uint64_t pair = pair_key(symbols[at - 1].id, symbols[at].id);
                came(pair, number);
                visit(pair, words_[number].count);
            }
        }
        pulse.end(words_.size());
    }

    // Join a pair in the words where it came to stand; false where there are none. Calls visit(pair, change of its count).
    template <class Visit>
    bool join(uint64_t pair, uint32_t id, uint64_t max_length, Visit&& visit) {
        const uint32_t* const list = list_of_.find(pair);
        if (list == nullptr || lists_[*list].empty()) return false;
        std::vector<size_t> numbers;
        numbers.swap(lists_[*list]);
        std::sort(numbers.begin(), numbers.end());
        numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
        for (const size_t number : numbers) join_word(number, pair, id, max_length, visit);
        return true;
    }

private:
    struct Symbol {
        uint32_t id;
        uint64_t length;
    };
    struct CountedWord {
        size_t start, size;
        int64_t count;
    };

    static size_t num_chars(const Word& word, bool byte_level) {
        const auto begins = [](uint8_t byte) { return (byte & 0xC0) != 0x80; };
        return byte_level ? word.size : static_cast<size_t>(std::count_if(word.data, word.data + word.size, begins));
    }

    void came(uint64_t pair, size_t number) {
        uint32_t& list = list_of_[pair];
        if (list == 0) {
            if (lists_.size() > std::numeric_limits<uint32_t>::max()) throw std::overflow_error("more than 4 billion pairs");
            list = static_cast<uint32_t>(lists_.size());
            lists_.emplace_back();
        }
        if (lists_[list].empty() || lists_[list].back() != number) lists_[list].push_back(number);
    }

    template <class Visit>
    void join_word(size_t number, uint64_t pair, uint32_t id, uint64_t max_length, Visit&& visit) {
        CountedWord& word = words_[number];
        Symbol* const symbols = &symbols_[word.start];
        const uint32_t left = left_of(pair), right = right_of(pair);
        const auto gain = [&](const Symbol& a, const Symbol& b) {
            if (a.length >= max_length || b.length >= max_length - a.length) return;
            came(pair_key(a.id, b.id), number);
            visit(pair_key(a.id, b.id), word.count);
        };
        size_t size = 0;  // of what is behind
        for (size_t at = 0; at < word.size; ++at) {
            if (symbols[at].id != left || at + 1 == word.size || symbols[at + 1].id != right) {
                symbols[size++] = symbols[at];
                continue;
            }
            const Symbol joined{id, symbols[at].length + symbols[at + 1].length};
            if (size > 0) {
                visit(pair_key(symbols[size - 1].id, left), -word.count);
                gain(symbols[size - 1], joined);
            }
            if (at + 2 < word.size) {
                visit(pair_key(right, symbols[at + 2].id), -word.count);
                gain(joined, symbols[at + 2]);
            }
            symbols[size++] = joined;
            ++at;
        }
        length_ -= static_cast<int64_t>(word.size - size) * word.count;
        word.size = size;
    }

    std::vector<Symbol> symbols_;
    std::vector<CountedWord> words_;
    PairTable<uint32_t> list_of_;  // from 1
    std::vector<std::vector<size_t>> lists_{1};
    int64_t length_ = 0;
};

// Whose turn it is.
class ParityTurns {
public:
    ParityTurns(const ParitySettings& settings, size_t num_languages)
        : settings_(settings), num_left_(num_languages), is_left_(num_languages, true), recent_turns_(num_languages, 0) {}

    bool any_left() const { return num_left_ > 0; }

    void strike(size_t language) {
        num_left_ -= is_left_[language];
        is_left_[language] = false;
    }

    // need[i]: of the language that needs a merge most the greatest; the first of equal ones is taken.
    size_t next(const std::vector<long double>& need) {
        if (settings_.window_size == 0) return neediest(need, is_left_);
        const size_t language = within_window(need);
        recent_.push_back(language);
        ++recent_turns_[language];
        if (recent_.size() > settings_.window_size) {
            --recent_turns_[recent_.front()];
            recent_.pop_front();
        }
        return language;
    }

private:
    // Language 0 where none is among them.
    static size_t neediest(const std::vector<long double>& need, const std::vector<bool>& among) {
        size_t best = need.size();
        for (size_t i = 0; i < need.size(); ++i)
            if (among[i] && (best == need.size() || need[i] > need[best])) best = i;
        return best == need.size() ? 0 : best;
    }

    size_t within_window(const std::vector<long double>& need) const {
        const double share = settings_.alpha / static_cast<double>(need.size());
        std::vector<bool> among = is_left_, seen(need.size(), false);
        size_t last_left = neediest(need, is_left_), num_seen = 0;
        for (;;) {
            const size_t best = neediest(need, among);
            if (static_cast<double>(recent_turns_[best]) / static_cast<double>(settings_.window_size) <= share) return best;
            if (seen[best]) return last_left;
            seen[best] = true;
            if (is_left_[best]) last_left = best;
            among[best] = false;
            if (++num_seen == need.size()) return best;
        }
    }

    const ParitySettings& settings_;
    size_t num_left_;
    std::vector<bool> is_left_;
    std::vector<uint64_t> recent_turns_;
    std::deque<size_t> recent_;
};

}  // namespace bpe

class ParityTrainer {
public:
    // `measured` is empty, or has words for each language.
    ParityTrainer(const ParitySettings& settings, const std::vector<std::string>& initial, const bpe::SymbolIds& symbols,
                  const std::vector<const WordCounts*>& languages, const std::vector<const WordCounts*>& measured, Pulse& pulse)
        : settings_(settings), pulse_(pulse), vocabulary_(initial), together_(vocabulary_), turns_(settings_, languages.size()) {
        for (const WordCounts* const words : languages) {
            texts_.emplace_back(*words, symbols, false, pulse);
            rankings_.emplace_back(vocabulary_);
            count_pairs(texts_.back(), rankings_.back());
            first_lengths_.push_back(texts_.back().length());
            if (texts_.back().length() == 0) turns_.strike(texts_.size() - 1);
        }
        together_.queue_all();
        for (const WordCounts* const words : measured) {
            measured_.emplace_back(*words, symbols, true, pulse);
            measured_.back().each_pair(pulse, [](uint64_t, int64_t) {});
        }
    }

    BpeResult run() {
        pulse_.begin(phase_merges, settings_.num_merges);
        while (merges_.size() < settings_.num_merges && turns_.any_left()) {
            pulse_.beat_slow(merges_.size());
            const bool is_together = merges_.size() < settings_.global_merges;
            const size_t language = is_together ? 0 : turns_.next(need());
            uint64_t pair = 0;
            int64_t count = 0;
            if ((is_together ? together_ : rankings_[language]).pop(pair, count) && is_frequent(count)) {
                merge(pair);
            } else if (is_together) {
                break;
            } else {
                turns_.strike(language);
            }
        }
        pulse_.end(merges_.size());
        BpeResult result{std::move(merges_), {}};
        for (uint32_t id = 0; id < vocabulary_.size(); ++id) result.strings.push_back(vocabulary_.string(id));
        return result;
    }

private:
    bool is_frequent(int64_t count) const { return static_cast<uint64_t>(count) >= settings_.min_frequency; }

    void count_pairs(bpe::ParityText& text, bpe::PairRanking& ranking) {
        text.each_pair(pulse_, [&](uint64_t pair, int64_t count) {
            ranking.change(pair, count);
            if (settings_.global_merges > 0) together_.change(pair, count);
        });
        ranking.queue_all();
    }

    // Wide enough for every length, and no wider than a double for what is compared as one.
    std::vector<long double> need() const {
        std::vector<long double> all;
        for (size_t i = 0; i < texts_.size(); ++i) {
            if (settings_.ratios.empty()) {
                all.push_back(static_cast<long double>((measured_.empty() ? texts_ : measured_)[i].length()));
            } else {
                const double rate = static_cast<double>(first_lengths_[i]) / static_cast<double>(texts_[i].length());
                all.push_back(first_lengths_[i] == 0 ? -std::numeric_limits<long double>::infinity()
                                                     : static_cast<long double>(-(rate / settings_.ratios[i])));
            }
        }
        return all;
    }

    void merge(uint64_t pair) {
        const uint32_t left = bpe::left_of(pair), right = bpe::right_of(pair);
        const uint32_t id = vocabulary_.add(bpe::joined(vocabulary_.string(left), vocabulary_.string(right), settings_.prefix));
        merges_.push_back({left, right, id});
        changed_.assign(1, pair);
        for (size_t i = 0; i < texts_.size(); ++i) {
            bpe::PairRanking& ranking = rankings_[i];
            const size_t num_before = changed_.size();
            const bool is_joined = texts_[i].join(pair, id, settings_.max_token_length, [&](uint64_t changed, int64_t by) {
                ranking.change(changed, by);
                if (changed_.back() != changed) changed_.push_back(changed);
            });
            if (!is_joined) continue;
            ranking.set(pair, 0);
            for (size_t at = num_before; at < changed_.size(); ++at) ranking.queue(changed_[at]);
        }
        for (bpe::ParityText& text : measured_)
            text.join(pair, id, std::numeric_limits<uint64_t>::max(), [](uint64_t, int64_t) {});
        if (merges_.size() < settings_.global_merges) add_up_changed();
    }

    void add_up_changed() {
        std::sort(changed_.begin(), changed_.end());
        changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
        for (const uint64_t pair : changed_) {
            int64_t sum = 0;
            for (bpe::PairRanking& ranking : rankings_) sum += ranking.count(pair);
            together_.set(pair, std::max<int64_t>(sum, 0));
            together_.queue(pair);
        }
    }

    const ParitySettings settings_;
    Pulse& pulse_;
    bpe::Vocabulary vocabulary_;
    std::deque<bpe::PairRanking> rankings_;  // of each language
    bpe::PairRanking together_;              // of all of them, while the first merges last
    bpe::ParityTurns turns_;
    std::deque<bpe::ParityText> texts_, measured_;
    std::vector<int64_t> first_lengths_;
    std::vector<uint64_t> changed_;  // pairs of the step at hand; some more than once
    std::vector<Merge> merges_;
};

inline BpeResult train_parity(const ParitySettings& settings, const std::vector<std::string>& initial,
                              const std::vector<uint32_t>& characters, const std::vector<uint32_t>& ids,
                              const std::vector<const WordCounts*>& languages, const std::vector<const WordCounts*>& measured,
                              bool byte_level, Pulse::Callback callback, void* owner) {
    Pulse pulse(callback, owner);
    return ParityTrainer(settings, initial, bpe::SymbolIds(byte_level, characters, ids), languages, measured, pulse).run();
}

}  // namespace textpipe
