// What a model that draws lots draws by. Enters: a seed, a text and the number of one of its words. Leaves: the seed of
// that word. Promises: nothing else decides it, no order, thread or text before; the seeds of two words, two texts or
// two seeds have no more to do with each other than chance has.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace textpipe {

struct Lots {
    uint64_t seed = 0;
    bool by_number = false;  // the texts of one call are told apart by their numbers too, so equal ones are drawn apart
};

// The finaliser of SplitMix64 (Steele, Lea, Flood, 2014): every input bit reaches every output bit.
inline uint64_t finalized(uint64_t z) {
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

constexpr uint64_t golden_step = 0x9E3779B97F4A7C15u;

// The seed of a text, by its bytes; eight at a time, the last of them filled up with zeros.
inline uint64_t seed_of_text(const Lots& lots, const uint8_t* text, size_t size, uint64_t number) {
    uint64_t state = finalized(lots.seed + golden_step);
    const auto add = [&](uint64_t part) { state = finalized((state ^ part) + golden_step); };
    add(size);
    if (lots.by_number) add(number);
    for (size_t at = 0; at < size; at += 8) {
        uint64_t part = 0;
        std::memcpy(&part, text + at, size - at < 8 ? size - at : 8);
        add(part);
    }
    return state;
}

inline uint64_t seed_of_word(uint64_t text_seed, uint64_t number) {
    return finalized(text_seed + golden_step * (number + 1));
}

}  // namespace textpipe
