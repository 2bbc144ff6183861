// A model for text that nobody vouches for. Enters: a model, and a strict one that lacks some of its pieces; words as both
// take them. Leaves: the tokens of a word by the first, or by the strict one where a piece that it lacks is among them.
// Promises: no such piece comes out, and a word that is spelled without them is spelled as ever; at most the time of both.
#pragma once
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "model.hpp"

namespace textpipe {

class GuardedModel final : public Model {
  public:
    // `lacking` are the ids that the strict model does not have.
    GuardedModel(ModelPointer model, ModelPointer strict, const std::vector<uint32_t>& lacking)
        : model_(std::move(model)), strict_(std::move(strict)) {
        for (const uint32_t id : lacking) {
            if (id >= lacks_.size()) lacks_.resize(size_t{id} + 1);
            lacks_[id] = true;
        }
    }

    std::unique_ptr<Model::Scratch> make_scratch() const override {
        return std::make_unique<Scratch>(model_->make_scratch(), strict_->make_scratch());
    }
    bool cacheable() const override { return model_->cacheable(); }
    bool takes_bytes() const override { return model_->takes_bytes(); }
    const uint32_t* sizes() const override { return strict_->sizes(); }  // it has every piece that comes out

    void encode(const uint8_t* word, size_t size, Model::Scratch& base, std::vector<Token>& out) const override {
        Scratch& scratch = static_cast<Scratch&>(base);
        const size_t before = out.size();
        const auto run = [&](const Model& model, Model::Scratch& own) {
            own.random = base.random;
            own.stop = base.stop;
            model.encode(word, size, own, out);
        };
        run(*model_, *scratch.model);
        for (size_t i = before; i < out.size(); ++i) {
            if (out[i].id >= lacks_.size() || !lacks_[out[i].id]) continue;
            out.resize(before);
            return run(*strict_, *scratch.strict);
        }
    }

  private:
    struct Scratch final : Model::Scratch {
        Scratch(std::unique_ptr<Model::Scratch> one, std::unique_ptr<Model::Scratch> other)
            : model(std::move(one)), strict(std::move(other)) {}
        std::unique_ptr<Model::Scratch> model, strict;
    };

    const ModelPointer model_, strict_;
    std::vector<bool> lacks_;
};

}  // namespace textpipe
