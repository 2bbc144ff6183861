// A BERT pipeline whose words are what stands between white space before it is normalized. Enters: raw text. Leaves:
// ids, and where they are asked for their places. Promises: the ids of normalizing the whole text, cutting it and spelling the words; a stretch of
// raw text is normalized once and then remembered with its ids.
//
// White space that the clean-up keeps is a place where text may be cut first: it ends every word, nothing is put
// together over it, and marks are put in order between it alone. So are the punctuation marks of ASCII, words by
// themselves that nothing changes.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "bert_normalization.hpp"
#include "bert_places.hpp"
#include "grammars/characters.hpp"
#include "model.hpp"

namespace textpipe {

namespace bert_words {

enum Lead : uint8_t { inside, space, alone, unsure };  // what a byte says of its character

inline constexpr std::array<uint8_t, 256> make_leads() {
    std::array<uint8_t, 256> table{};
    for (uint32_t byte = 0; byte < 0x20; ++byte) table[byte] = unsure;
    for (uint32_t byte = 0x21; byte < 0x7F; ++byte)
        if (unicode::traits(byte) & unicode::punctuation_mark) table[byte] = alone;
    for (const uint32_t byte : {0x09u, 0x0Au, 0x0Du, 0x20u}) table[byte] = space;
    for (const uint32_t byte : {0xC2u, 0xE1u, 0xE2u, 0xE3u}) table[byte] = unsure;  // no white space has another lead
    return table;
}

inline constexpr std::array<uint8_t, 256> leads = make_leads();

// A bit for each of 64 bytes.
struct Window {
    static constexpr size_t size = 64;
    uint64_t space = 0, alone = 0, unsure = 0;

    explicit Window(const uint8_t* p) {
        for (unsigned i = 0; i < size; i += 16) classify(p + i, i);
    }

  private:
#if defined(__SSE2__)
    // first <= byte < first + count
    static __m128i within(__m128i bytes, unsigned first, unsigned count) {
        const __m128i above = _mm_sub_epi8(bytes, _mm_set1_epi8(static_cast<char>(first)));
        return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(static_cast<char>(count - 1))), above);
    }
    static __m128i is(__m128i bytes, unsigned byte) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(static_cast<char>(byte))); }
    static uint64_t bits(__m128i found) { return static_cast<uint16_t>(_mm_movemask_epi8(found)); }

    // ASCII that is visible and neither letter nor digit is punctuation.
    void classify(const uint8_t* p, unsigned shift) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
        const __m128i word = _mm_or_si128(within(lower, 'a', 26), within(bytes, '0', 10));
        const __m128i white = _mm_or_si128(_mm_or_si128(is(bytes, ' '), within(bytes, 0x09, 2)), is(bytes, 0x0D));
        const __m128i odd = _mm_or_si128(is(bytes, 0xC2), within(bytes, 0xE1, 3));
        space |= bits(white) << shift;
        alone |= bits(_mm_andnot_si128(word, within(bytes, 0x21, 0x5E))) << shift;
        unsure |= bits(_mm_or_si128(odd, _mm_andnot_si128(white, within(bytes, 0, 0x20)))) << shift;
    }
#else
    void classify(const uint8_t* p, unsigned shift) {
        for (unsigned i = 0; i < 16; ++i) {
            const uint8_t lead = leads[p[i]];
            space |= uint64_t{lead == Lead::space} << (shift + i);
            alone |= uint64_t{lead == Lead::alone} << (shift + i);
            unsure |= uint64_t{lead == Lead::unsure} << (shift + i);
        }
    }
#endif
};

}  // namespace bert_words

// Stretches of raw text between white space that is kept and punctuation marks of ASCII, and those.
class BertStretchCut final : public CutStep {
  public:
    explicit BertStretchCut(bool clean_text) : clean_text_(clean_text) {}

    size_t cut(const uint8_t* text, size_t size, size_t& at, Piece* out, size_t room) const override {
        size_t count = 0, i = at;
        while (i < size && count < room) {
            if (size - i >= bert_words::Window::size && room - count >= bert_words::Window::size) {
                const size_t before = i;
                count += cut_window(text, i, out + count);
                if (i > before) continue;
            }
            i = skip(text, size, i, true);
            const size_t begin = i;
            if (i < size && bert_words::leads[text[i]] == bert_words::alone)
                ++i;
            else
                i = skip(text, size, i, false);
            if (i > begin) out[count++] = {static_cast<uint32_t>(begin), static_cast<uint32_t>(i)};
        }
        at = i;
        return count;
    }

    bool keeps_seams() const override { return true; }  // a newline is white space, with clean_text too

  private:
    // The stretches of a window that end before its last byte and before what is unsure; moves to where the next begins.
    // A window begins where a stretch begins, or white space.
    static size_t cut_window(const uint8_t* text, size_t& i, Piece* out) {
        const bert_words::Window window(text + i);
        const uint64_t inside = ~(window.space | window.alone);
        const uint64_t starts = window.alone | (inside & ~(inside << 1));
        // Where a stretch or a white space begins, and so where the one before ends.
        uint64_t bounds = window.space | starts;
        if (window.unsure != 0) bounds &= (window.unsure & (0 - window.unsure)) - 1;
        if (bounds == 0) return 0;
        size_t count = 0;
        unsigned begin = static_cast<unsigned>(__builtin_ctzll(bounds));
        for (bounds &= bounds - 1; bounds != 0; bounds &= bounds - 1) {
            const unsigned end = static_cast<unsigned>(__builtin_ctzll(bounds));
            out[count] = {static_cast<uint32_t>(i + begin), static_cast<uint32_t>(i + end)};
            count += starts >> begin & 1;  // no branch: it would be foretold wrongly for every other one
            begin = end;
        }
        i += begin;
        return count;
    }

    // Past the characters that are white space, or past those that are not.
    size_t skip(const uint8_t* text, size_t size, size_t i, bool spaces) const {
        using namespace bert_words;
        for (;;) {
            const uint8_t wanted = spaces ? space : inside;
            while (i < size && leads[text[i]] == wanted) ++i;
            if (i == size || leads[text[i]] != unsure) return i;
            unsigned length;
            if (is_space(text + i, length) != spaces) return i;
            i += length;
        }
    }

    bool is_space(const uint8_t* p, unsigned& length) const {
        return clean_text_ ? BertStep::is_kept_space(p, length) : (category::at(p, length) & category::space) != 0;
    }

    const bool clean_text_;
};

class BertWords final : public Model {
  public:
    BertWords(BertOptions options, ModelPointer model) : normalizer_(options), model_(std::move(model)) {}

    std::unique_ptr<Model::Scratch> make_scratch() const override {
        return std::make_unique<Scratch>(*this);
    }

    // The sizes are those of the normalized text.
    void encode(const uint8_t* word, size_t size, Model::Scratch& scratch, std::vector<Token>& out) const override {
        each_word(word, size, scratch, [&](const uint8_t* p, size_t n, Model::Scratch& inner) {
            model_->encode(p, n, inner, out);
        });
    }

    void encode_ids(const uint8_t* word, size_t size, Model::Scratch& scratch,
                    std::vector<uint32_t>& out) const override {
        each_word(word, size, scratch, [&](const uint8_t* p, size_t n, Model::Scratch& inner) {
            model_->encode_ids(p, n, inner, out);
        });
    }

    bool cacheable() const override { return model_->cacheable(); }

    bool has_places() const override { return cacheable() && model_->sizes() != nullptr; }

    void place_words(const FoundWords& found, uint32_t& chars, uint32_t& num_words, Model::Scratch& scratch,
                     Spans& spans) const override {
        Scratch& mine = static_cast<Scratch&>(scratch);
        mine.places.add(found, chars, num_words, *mine.inner, spans);
    }

  private:
    struct Scratch final : Model::Scratch {
        explicit Scratch(const BertWords& words)
            : inner(words.model_->make_scratch()), places(words.normalizer_, *words.model_) {}

        std::unique_ptr<Model::Scratch> inner;
        std::string text;
        BertPlaces places;
    };

    template <class Visit>
    void each_word(const uint8_t* word, size_t size, Model::Scratch& scratch, Visit visit) const {
        Scratch& mine = static_cast<Scratch&>(scratch);
        mine.text.clear();
        normalizer_.run(word, size, true, mine.text, nullptr, nullptr);
        const uint8_t* text = reinterpret_cast<const uint8_t*>(mine.text.data());
        Piece words[64];
        for (size_t at = 0; at < mine.text.size() && !scratch.is_stopped();) {
            const size_t count = cut_.cut(text, mine.text.size(), at, words, 64);
            for (size_t i = 0; i < count; ++i) visit(text + words[i].begin, words[i].end - words[i].begin, *mine.inner);
        }
    }

    const BertStep normalizer_;
    const grammars::BertCut cut_;
    const ModelPointer model_;
};

}  // namespace textpipe
