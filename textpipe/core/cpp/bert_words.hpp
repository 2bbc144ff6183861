// A BERT pipeline whose words are what stands between white space before it is normalized. Enters: raw text. Leaves:
// ids, without places. Promises: the ids of normalizing the whole text, cutting it and spelling the words; a stretch of
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

#include "bert_normalization.hpp"
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
    table[' '] = space;
    for (const uint32_t byte : {0xC2u, 0xE1u, 0xE2u, 0xE3u}) table[byte] = unsure;  // no white space has another lead
    return table;
}

inline constexpr std::array<uint8_t, 256> leads = make_leads();

}  // namespace bert_words

// Stretches of raw text between white space that is kept and punctuation marks of ASCII, and those.
class BertStretchCut final : public CutStep {
  public:
    explicit BertStretchCut(bool clean_text) : clean_text_(clean_text) {}

    size_t cut(const uint8_t* text, size_t size, size_t& at, Piece* out, size_t room) const override {
        size_t count = 0, i = at;
        while (i < size && count < room) {
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

  private:
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
        auto made = std::make_unique<Scratch>();
        made->inner = model_->make_scratch();
        return made;
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

  private:
    struct Scratch final : Model::Scratch {
        std::unique_ptr<Model::Scratch> inner;
        std::string text;
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
