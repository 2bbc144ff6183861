// Estimates a unigram vocabulary. Enters: units with counts, characters to keep and settings. Leaves: pieces with their scores,
// best first. Promises: the pieces and scores of sentencepiece 0.2.3 from the same units, bit for bit where float32 and the
// system's log() agree; the same for any number of threads.
//
// Seeds from recurring strings; then rounds of expectation and maximization, with a sparse prior (the digamma of the counts),
// after each of which the pieces whose loss changes the likelihood least are dropped, until about the size wanted is left.
//
// Source: Kudo, Subword Regularization, ACL 2018; the prior: Liang, Jordan, Klein, EMNLP 2007.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "crew.hpp"
#include "pulse.hpp"
#include "snapshot.hpp"
#include "sentences.hpp"
#include "suffix_pieces.hpp"
#include "unigram_trainer_lattice.hpp"
#include "unigram_trainer_math.hpp"
#include "unigram_trainer_rules.hpp"
#include "unigram_trainer_units.hpp"

namespace textpipe::unigram {

struct TrainerSettings {
    uint64_t vocab_size = 8000, num_reserved = 3;  // reserved: entries that are no learned pieces
    uint64_t seed_size = 1000000;                  // strings to begin with, 0 for eight times the vocabulary
    uint64_t min_frequency = 0;                    // of a seed
    float shrinking_factor = 0.75f;
    uint32_t num_sub_iterations = 2;
    uint32_t num_threads = 1;
};

struct ScoredPiece {
    std::string text;
    float score;
};

class UnigramTrainer {
public:
    enum Phase : int { order_words, find_seeds, estimate };

    // The store's characters are ids of its alphabet; `lead_bytes` are theirs.
    UnigramTrainer(const TrainerSettings& settings, const PieceRules& rules, UnitStore& store,
                   const std::vector<uint8_t>& lead_bytes, Pulse& pulse)
        : settings_(settings), store_(store), pulse_(pulse), crew_(settings.num_threads, pulse) {
        pulse_.begin(find_seeds, store_.chars.size());
        std::vector<float> scores;
        {
            SuffixPieces seeds(store_, rules, lead_bytes, crew_, seed_size(), settings.min_frequency);
            const std::vector<uint32_t> new_ids = rank_characters();
            for (const CharacterCount& c : characters_) scores.push_back(static_cast<float>(c.count));
            for (const Recurring& seed : seeds.pieces) scores.push_back(seed.score);
            lattices_.emplace_back(store_, seeds, new_ids, characters_.size(), crew_);
        }
        to_log_probabilities(scores);
        std::vector<uint32_t> ids(scores.size());
        for (uint32_t id = 0; id < ids.size(); ++id) ids[id] = id;
        first_ids_ = ids;
        keep(ids, std::move(scores));
        spaces_.resize(crew_.num_threads());
        sums_.resize(crew_.num_threads());
        pulse_.end(store_.chars.size());
    }

    // Throws std::domain_error when nothing is left to learn.
    std::vector<ScoredPiece> train(const Keeper& keeper) {
        const auto enough = static_cast<size_t>(static_cast<double>(settings_.vocab_size) * 1.1);
        const uint64_t num_visits = num_visits_left(enough);
        keeper.resume(*this);
        pulse_.begin(estimate, num_visits);
        while (num_rounds_ == 0 || num_pieces() > enough) {
            crew_.done = num_visits - std::min(num_visits, num_visits_left(enough));
            while (num_estimates_ < settings_.num_sub_iterations)
                keeper.step(*this, pulse_, [&] {
                    maximize(sum_over_units(&Lattices::expect));
                    ++num_estimates_;
                });
            keeper.step(*this, pulse_, [&] {
                prune(enough);
                num_estimates_ = 0;
                ++num_rounds_;
            });
        }
        pulse_.end(num_visits);
        drop_outdone();
        return final_pieces();
    }

    // The pieces that are left, by their numbers among the seeds, and their scores.
    void exchange(Snapshot& with) {
        with.same(store_.num_units());
        with.same(store_.chars.size());
        std::vector<uint32_t> ids = first_ids_;
        std::vector<float> scores = lattices().scores();
        with(ids);
        with(scores);
        with(num_estimates_);
        with(num_rounds_);
        if (with.is_saving()) return;
        std::vector<bool> is_left(first_ids_.size());
        bool sound = ids.size() == scores.size() && num_estimates_ <= settings_.num_sub_iterations;
        for (const uint32_t id : ids) {
            sound = sound && id < is_left.size() && !is_left[id];
            if (sound) is_left[id] = true;
        }
        Snapshot::require(sound);
        keep(ids, std::move(scores));
    }

private:
    using Visit = void (Lattices::*)(uint32_t, LatticeSpace&, float*) const;
    static constexpr float least_expected = 0.5f;
    static constexpr size_t pieces_a_task = 4096;

    const Lattices& lattices() const { return lattices_.front(); }

    size_t seed_size() const {
        return settings_.seed_size != 0 ? settings_.seed_size : std::max<size_t>(100000, settings_.vocab_size * 8);
    }

    // The characters of the text, most frequent first; returns the new id of each id of the alphabet.
    std::vector<uint32_t> rank_characters() {
        std::vector<uint64_t> counts(store_.alphabet.size(), 0);
        for (size_t unit = 0; unit < store_.num_units(); ++unit)
            for (uint32_t i = store_.begins[unit]; i < store_.ends[unit]; ++i) counts[store_.chars[i]] += store_.counts[unit];
        for (size_t id = 0; id < counts.size(); ++id)
            if (counts[id] != 0 && store_.alphabet[id] != unknown_character) characters_.push_back({store_.alphabet[id], counts[id]});
        std::sort(characters_.begin(), characters_.end(), is_more_frequent);
        std::vector<uint32_t> new_ids(store_.alphabet.size(), static_cast<uint32_t>(characters_.size()));
        for (size_t rank = 0; rank < characters_.size(); ++rank) {
            const auto id = std::lower_bound(store_.alphabet.begin(), store_.alphabet.end(), characters_[rank].character);
            new_ids[static_cast<size_t>(id - store_.alphabet.begin())] = static_cast<uint32_t>(rank);
        }
        return new_ids;
    }

    static void to_log_probabilities(std::vector<float>& scores) {
        double sum = 0;
        for (const float score : scores) sum += static_cast<double>(score);
        const double log_sum = std::log(sum);
        for (float& score : scores) score = static_cast<float>(std::log(static_cast<double>(score)) - log_sum);
    }

    size_t num_pieces() const { return lattices().num_pieces(); }

    void keep(const std::vector<uint32_t>& ids, std::vector<float> scores) {
        if (ids.empty()) throw std::domain_error("no piece is left: the text is too small to learn from");
        for (const float score : scores)
            if (!std::isfinite(score)) throw std::domain_error("a word is too long: its likelihood passes what float32 can tell");
        std::vector<uint32_t> first_ids;
        first_ids.reserve(ids.size());
        for (const uint32_t id : ids) first_ids.push_back(first_ids_[id]);
        first_ids_ = std::move(first_ids);
        lattices_.front().keep(ids, std::move(scores));
    }

    void keep(const std::vector<uint32_t>& ids) {
        std::vector<float> scores;
        scores.reserve(ids.size());
        for (const uint32_t id : ids) scores.push_back(lattices().scores()[id]);
        keep(ids, std::move(scores));
    }

    // Visits of units until enough pieces are gone, if each round drops as many as it may.
    uint64_t num_visits_left(size_t enough) const {
        uint64_t rounds = 0;
        for (auto size = static_cast<double>(num_pieces()); size > static_cast<double>(enough); ++rounds)
            size *= static_cast<double>(settings_.shrinking_factor);
        if (num_rounds_ == 0) rounds = std::max<uint64_t>(rounds, 1);  // there is one in any case
        return rounds * (settings_.num_sub_iterations + 1) * store_.num_units();
    }

    // The float32 sum of a visit to every unit, each stripe by itself and then the stripes in order.
    std::vector<float> sum_over_units(Visit visit) {
        std::vector<float> total(num_pieces(), 0.0f);
        crew_.run(store_.num_stripes(), [&](size_t stripe, size_t thread) {
            std::vector<float>& sums = sums_[thread];
            sums.assign(total.size(), 0.0f);
            for (uint32_t unit = store_.stripes[stripe]; unit < store_.stripes[stripe + 1]; ++unit) {
                lattices().prefetch(unit + 3, sums.data());
                (lattices().*visit)(unit, spaces_[thread], sums.data());
                if (unit % 256 == 0) {
                    crew_.check();
                    crew_.done += 256;
                }
            }
            crew_.in_turn(stripe, [&] {
                for (size_t i = 0; i < total.size(); ++i) total[i] += sums[i];
            });
        });
        return total;
    }

    void maximize(const std::vector<float>& expected) {
        std::vector<uint32_t> ids;
        std::vector<float> scores;
        float sum = 0;
        for (uint32_t id = 0; id < expected.size(); ++id) {
            if (expected[id] < least_expected) continue;
            ids.push_back(id);
            scores.push_back(expected[id]);
            sum += expected[id];
        }
        const auto log_sum = static_cast<float>(digamma(static_cast<double>(sum)));
        for (float& score : scores)
            score = static_cast<float>(digamma(static_cast<double>(score)) - static_cast<double>(log_sum));
        keep(ids, std::move(scores));
    }

    enum class Fate : uint8_t { drop, keep, compete };

    void prune(size_t enough) {
        const std::vector<float> counts = sum_over_units(&Lattices::count_best);
        double sum = 0;
        for (const float count : counts) sum += static_cast<double>(count);
        const auto whole = static_cast<float>(sum);
        std::vector<Fate> fates(counts.size(), Fate::drop);
        std::vector<float> losses(counts.size(), 0.0f);
        each_piece([&](uint32_t id, LatticeSpace& space) {
            if (counts[id] == 0) return;
            const Lattices::Need need = lattices().replace(id, space);
            if (need == Lattices::Need::outdone) return;
            fates[id] = need == Lattices::Need::alone ? Fate::keep : Fate::compete;
            if (need == Lattices::Need::replaceable) losses[id] = loss(counts, id, space.path, whole);
        });
        std::vector<uint32_t> competing, kept;
        for (uint32_t id = 0; id < fates.size(); ++id) {
            if (fates[id] == Fate::keep) kept.push_back(id);
            if (fates[id] == Fate::compete) competing.push_back(id);
        }
        std::sort(competing.begin(), competing.end(),
                  [&](uint32_t x, uint32_t y) { return losses[x] != losses[y] ? losses[x] > losses[y] : x < y; });
        const size_t size = std::max(enough, static_cast<size_t>(settings_.shrinking_factor * static_cast<float>(num_pieces())));
        for (const uint32_t id : competing) {
            if (kept.size() == size) break;
            kept.push_back(id);
        }
        keep(kept);
    }

    // How much less likely the text gets, about, when a piece is replaced by others wherever it is used.
    static float loss(const std::vector<float>& counts, uint32_t id, const std::vector<uint32_t>& others, float whole) {
        const float count = counts[id];
        const auto log_whole = static_cast<float>(std::log(static_cast<double>(whole)));
        const auto with = static_cast<float>(std::log(static_cast<double>(count)) - static_cast<double>(log_whole));
        const float more = whole + count * static_cast<float>(others.size() - 1);
        const auto log_more = static_cast<float>(std::log(static_cast<double>(more)));
        float without = 0;
        for (const uint32_t other : others) {
            const double share = std::log(static_cast<double>(counts[other] + count)) - static_cast<double>(log_more);
            without = static_cast<float>(static_cast<double>(without) + share);
        }
        return count / whole * (with - without);
    }

    template <class Act>
    void each_piece(Act&& act) {
        crew_.run((num_pieces() + pieces_a_task - 1) / pieces_a_task, [&](size_t task, size_t thread) {
            crew_.check();
            const size_t end = std::min(num_pieces(), (task + 1) * pieces_a_task);
            for (size_t id = task * pieces_a_task; id < end; ++id) act(static_cast<uint32_t>(id), spaces_[thread]);
        });
    }

    // Pieces that would never be used, because others score better together, go.
    void drop_outdone() {
        std::vector<uint8_t> is_outdone(num_pieces(), 0);
        each_piece([&](uint32_t id, LatticeSpace& space) { is_outdone[id] = lattices().is_outdone(id, space); });
        std::vector<uint32_t> kept;
        for (uint32_t id = 0; id < is_outdone.size(); ++id)
            if (!is_outdone[id]) kept.push_back(id);
        keep(kept);
    }

    std::string text_of(const Piece& piece) const {
        std::string text;
        uint8_t bytes[4];
        for (uint32_t i = 0; i < piece.length; ++i) {
            const uint32_t number = piece.length == 1 ? piece.place : store_.chars[piece.place + i];
            text.append(bytes, unicode::encode(characters_[number].character, bytes));
        }
        return text;
    }

    // The characters to keep, with a score near the least where they have none, and the best of the rest.
    std::vector<ScoredPiece> final_pieces() const {
        const std::vector<float>& scores = lattices().scores();
        const float least = *std::min_element(scores.begin(), scores.end());
        std::unordered_map<uint32_t, float> missing;
        for (const CharacterCount& c : store_.required) missing[c.character] = minus_infinity;
        std::vector<ScoredPiece> rest;
        for (uint32_t id = 0; id < num_pieces(); ++id) {
            const Piece& piece = lattices().piece(id);
            const auto known = piece.length == 1 ? missing.find(characters_[piece.place].character) : missing.end();
            if (known != missing.end())
                known->second = scores[id];
            else
                rest.push_back({text_of(piece), scores[id]});
        }
        std::vector<ScoredPiece> all;
        float penalty = 0;  // so that no two have the same
        for (const CharacterCount& c : store_.required) {
            uint8_t bytes[4];
            const float score = missing[c.character];
            all.push_back({std::string(bytes, unicode::encode(c.character, bytes)), score});
            if (score != minus_infinity) continue;
            all.back().score = least + penalty;
            penalty += 0.0001f;
        }
        std::sort(rest.begin(), rest.end(), is_before);
        const size_t room = settings_.vocab_size > settings_.num_reserved ? settings_.vocab_size - settings_.num_reserved : 0;
        for (ScoredPiece& piece : rest) {
            if (all.size() == room) break;
            all.push_back(std::move(piece));
        }
        std::sort(all.begin(), all.end(), is_before);
        return all;
    }

    static bool is_before(const ScoredPiece& x, const ScoredPiece& y) {
        return x.score != y.score ? x.score > y.score : x.text < y.text;
    }

    const TrainerSettings settings_;
    UnitStore& store_;
    Pulse& pulse_;
    Crew crew_;
    std::vector<CharacterCount> characters_;  // by their numbers
    std::vector<uint32_t> first_ids_;         // of each piece: its number among the seeds
    uint32_t num_rounds_ = 0, num_estimates_ = 0;  // done; of the round at hand
    std::vector<Lattices> lattices_;  // one; made after the seeds
    std::vector<LatticeSpace> spaces_;
    std::vector<std::vector<float>> sums_;
};

// Words in any order, or sentences; what was read is emptied where `release` is set.
struct UnigramText {
    WordCounts* words = nullptr;
    SentenceList* sentences = nullptr;
    bool release = false;

    template <class Visit>
    void each(Visit&& visit) const {
        if (words != nullptr) words->each([&](const Word& word) { visit(word.data, word.size, word.count); });
        if (sentences != nullptr) sentences->each(visit);
    }
};

struct UnigramVocabulary {
    std::vector<ScoredPiece> pieces;  // best first
    std::vector<CharacterCount> required;
    uint64_t num_units = 0;
};

// With no room for the characters to keep, or with no text, the vocabulary has no pieces.
inline UnigramVocabulary train_unigram(const TrainerSettings& settings, const PieceSettings& piece_settings,
                                       const CoverageSettings& coverage, size_t num_stripes, const UnigramText& text,
                                       Pulse::Callback callback, KeepCallback keep, void* owner) {
    Pulse pulse(callback, owner);
    pulse.begin(UnigramTrainer::order_words, 0);
    const bool cuts = text.words != nullptr || piece_settings.split_by_whitespace;
    UnitBuilder builder({cuts, piece_settings.treat_whitespace_as_suffix, piece_settings.spaces_alone});
    uint64_t seen = 0;  // each word twice
    const auto beat = [&](size_t size) { size > 4096 ? pulse.beat_slow(++seen / 2) : pulse.beat(++seen / 2); };
    text.each([&](const uint8_t* data, size_t size, uint64_t count) {
        builder.count(data, size, count);
        beat(size);
    });
    builder.choose(coverage);
    text.each([&](const uint8_t* data, size_t size, uint64_t count) {
        text.words != nullptr ? builder.add_word(data, size, count) : builder.add_sentence(data, size, count);
        beat(size);
    });
    if (text.release && text.words != nullptr) text.words->clear();
    if (text.release && text.sentences != nullptr) text.sentences->clear();
    UnigramVocabulary vocabulary;
    const std::vector<uint8_t> lead_bytes = builder.lead_bytes();
    UnitStore store = builder.finish(num_stripes, [&] { pulse.beat(seen / 2); });
    pulse.end(seen / 2);
    vocabulary.required = store.required;
    vocabulary.num_units = store.num_units();
    if (store.num_units() == 0 || store.required.size() + settings.num_reserved > settings.vocab_size) return vocabulary;
    const PieceRules rules(piece_settings, store.alphabet);
    UnigramTrainer trainer(settings, rules, store, lead_bytes, pulse);
    vocabulary.pieces = trainer.train(Keeper(keep, owner));
    return vocabulary;
}

}  // namespace textpipe::unigram
