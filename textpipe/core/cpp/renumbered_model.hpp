// A sentencepiece model whose ids are those of another vocabulary. Enters: a sentence as sentencepiece has normalized it.
// Leaves: the same pieces with the ids that their texts have there. Promises: a run of unknown characters has the id of
// its text too, where the other vocabulary has one; whatever it lacks is its unknown entry.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sentence_model.hpp"

namespace textpipe {

class RenumberedModel final : public Model {
  public:
    // `ids` has for each piece its id.
    RenumberedModel(std::shared_ptr<const SentenceModel> model, std::vector<uint32_t> ids)
        : model_(std::move(model)), ids_(std::move(ids)), unk_id_(model_->pieces().unk_id) {}

    // An entry of the other vocabulary.
    void add_entry(const std::string& text, uint32_t id) { entries_.emplace(text, id); }

    std::unique_ptr<Model::Scratch> make_scratch() const override { return model_->make_scratch(); }

    void encode(const uint8_t* text, size_t size, Model::Scratch& scratch, std::vector<Token>& out) const override {
        size_t number = out.size();
        model_->encode(text, size, scratch, out);
        const char* at = reinterpret_cast<const char*>(text);
        for (; number < out.size(); ++number) {
            Token& token = out[number];
            const uint32_t length = token.size == same_place ? 0 : token.size;
            token.id = token.id == unk_id_ ? id_of({at, length}, ids_[token.id]) : ids_[token.id];
            at += length;
        }
    }

  private:
    uint32_t id_of(const std::string& text, uint32_t otherwise) const {
        const auto found = entries_.find(text);
        return found == entries_.end() ? otherwise : found->second;
    }

    std::shared_ptr<const SentenceModel> model_;
    std::vector<uint32_t> ids_;
    uint32_t unk_id_;
    std::unordered_map<std::string, uint32_t> entries_;
};

}  // namespace textpipe
