// What the encoder asks of a model. Enters: one word as UTF-8. Leaves: its tokens, each an id and the bytes of the word
// it stands for. Promises: a model is fixed once built and shared by all threads; what changes while it works is in the
// Scratch, of which every thread has its own.
//
// A new kind of model is a class derived from Model in a header of its own, and a `cdef class` derived from NativeModel
// (core/_native.pxd) that builds it. The encoder remembers the ids of short words of a cacheable() model, so encode()
// is called for words not met lately.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "lots.hpp"
#include "spans.hpp"
#include "steps.hpp"

namespace textpipe {

constexpr uint32_t no_id = UINT32_MAX;

// Words, which are places in a text that can be read up to `end`, and their ids one after the other, so many of each.
struct FoundWords {
    const uint8_t *text, *end;
    const Piece* words;
    size_t count;
    const uint32_t* ids;
    size_t num_ids;
    const uint32_t* counts;
};

class Model {
  public:
    // What one thread needs while it encodes; kept between words to save allocations. A model that needs more derives
    // its own and makes it in make_scratch().
    struct Scratch {
        Scratch() = default;
        Scratch(const Scratch&) = delete;
        Scratch& operator=(const Scratch&) = delete;
        virtual ~Scratch() = default;

        uint64_t random = 1;                      // the state of the word's generator, never 0
        const std::atomic<bool>* stop = nullptr;  // when it is set, what comes out is not wanted any more

        std::vector<Token> tokens;                // for encode_ids()

        // What is drawn from here on is decided by the seed.
        void draw_by(uint64_t seed) { random = seed | 1; }

        // A model that may work long on one word asks every few thousand steps, and may then leave the word half done.
        bool is_stopped() const { return stop != nullptr && stop->load(std::memory_order_relaxed); }
    };

    Model() = default;
    Model(const Model&) = delete;
    Model& operator=(const Model&) = delete;
    virtual ~Model() = default;

    virtual std::unique_ptr<Scratch> make_scratch() const { return std::make_unique<Scratch>(); }

    // Append the tokens of one word, which is never empty. Time is to be near linear in `size`, whatever the word holds.
    // The places of the tokens are found by adding up their sizes from the beginning of the word.
    virtual void encode(const uint8_t* word, size_t size, Scratch& scratch, std::vector<Token>& out) const = 0;

    // Append the ids alone, for a model that has a quicker way to them.
    virtual void encode_ids(const uint8_t* word, size_t size, Scratch& scratch, std::vector<uint32_t>& out) const {
        scratch.tokens.clear();
        encode(word, size, scratch, scratch.tokens);
        for (const Token& token : scratch.tokens) out.push_back(token.id);
    }

    // The same for several words at once, which are places in the text: places[i] becomes where in `out` the ids of
    // word i are, in any order of the words. Here one word after the other.
    virtual void encode_words(const uint8_t* text, const Piece* words, size_t count, Scratch& scratch,
                              std::vector<uint32_t>& out, Piece* places) const {
        for (size_t i = 0; i < count; ++i) {
            const uint32_t before = static_cast<uint32_t>(out.size());
            encode_ids(text + words[i].begin, words[i].end - words[i].begin, scratch, out);
            places[i] = {before, static_cast<uint32_t>(out.size())};
        }
    }

    // Does a word always have the same tokens? Not so with dropout or sampling.
    virtual bool cacheable() const { return true; }

    // After a byte-level pre-tokenizer: does the model take the bytes of the word as they are? Otherwise they are
    // spelled in the printable alphabet first, and token sizes count bytes of that spelling.
    virtual bool takes_bytes() const { return false; }

    // By id, the bytes of the word that a token with this id stands for, or fewer where that depends on the word. With it
    // places follow from the remembered ids of a word, if the sizes come to its own. nullptr where none are known.
    virtual const uint32_t* sizes() const { return nullptr; }

    // Does the model find the places of its tokens itself? Then encode_spans() is called instead of encode(), or where
    // its words are remembered place_words().
    virtual bool has_places() const { return false; }

    // Append the tokens of a text with their places, in every column but `words`; `chars` of its document are before it.
    virtual void encode_spans(const uint8_t*, size_t, uint32_t /*chars*/, Scratch&, Spans&) const {}

    // Append the places of words whose ids are known, in every column but `ids`. So many characters of the document are
    // before the first of them, and so many pre-tokens; then before the end of the last.
    virtual void place_words(const FoundWords&, uint32_t& /*chars*/, uint32_t& /*num_words*/, Scratch&, Spans&) const {}
};

// For Model::sizes(): sizes[id] = size, where ids come in any order.
inline void set_size(std::vector<uint32_t>& sizes, uint32_t id, size_t size) {
    if (sizes.size() <= id) sizes.resize(size_t{id} + 1);
    sizes[id] = static_cast<uint32_t>(size);
}

using ModelPointer = std::shared_ptr<const Model>;

// The tokens of one word by itself.
inline std::vector<Token> tokens_of(const ModelPointer& model, std::string_view word, uint64_t seed) {
    std::vector<Token> tokens;
    if (word.empty()) return tokens;
    const std::unique_ptr<Model::Scratch> scratch = model->make_scratch();
    scratch->draw_by(seed);
    model->encode(reinterpret_cast<const uint8_t*>(word.data()), word.size(), *scratch, tokens);
    return tokens;
}

inline uint64_t mix_hash(uint64_t a, uint64_t b) {
    const unsigned __int128 product =
        static_cast<unsigned __int128>(a ^ 0x9E3779B97F4A7C15u) * (b ^ 0xD6E8FEB86659FD93u);
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace textpipe
