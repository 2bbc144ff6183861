// Unigram models of pieces and scores made up by the fuzzer: tokens cover the word, ids alone are the ids of tokens, and no
// other spelling of a short word has a higher score.
#include <cmath>
#include <map>

#include "input.hpp"
#include "unigram_model.hpp"

using namespace textpipe;

namespace {

using Vocabulary = std::vector<std::pair<std::string, double>>;

// The highest score of a spelling, each unknown character at ten below the least score.
double best_score(const Vocabulary& pieces, double unknown, const std::string& word) {
    std::map<std::string, double> scores;
    for (const auto& [piece, score] : pieces)
        if (!piece.empty()) scores[piece] = score;
    std::vector<double> best(word.size() + 1, -INFINITY);
    best[0] = 0;
    for (size_t at = 0; at < word.size(); ++at) {
        if (best[at] == -INFINITY) continue;
        const size_t one = unicode::utf8_size(static_cast<uint8_t>(word[at]));
        for (size_t size = one; at + size <= word.size(); ++size) {
            const auto found = scores.find(word.substr(at, size));
            if (found != scores.end()) best[at + size] = std::max(best[at + size], best[at] + found->second);
        }
        if (scores.count(word.substr(at, one)) == 0) best[at + one] = std::max(best[at + one], best[at] + unknown);
    }
    return best.back();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Input input(data, size);
    UnigramModel::Options options;
    options.unk_id = 0;
    UnigramModel model(options);
    Vocabulary pieces{{"<unk>", 0.0}};
    for (size_t count = input.below(20); count > 0; --count) {
        const double score = -static_cast<double>(input.byte()) / 8;
        pieces.emplace_back(input.text(1 + input.below(12)), score);
    }
    double least = 0;
    for (const auto& [piece, score] : pieces) {
        model.add_piece(piece, score);
        least = std::min(least, score);
    }
    model.finish();
    const auto scratch = model.make_scratch();
    while (!input.empty()) {
        const std::string word = input.text(1 + input.byte());
        if (word.empty()) break;
        const Exact exact(word);
        std::vector<Token> tokens;
        std::vector<uint32_t> ids;
        model.encode(exact.data, exact.size, *scratch, tokens);
        model.encode_ids(exact.data, exact.size, *scratch, ids);
        CHECK(ids.size() == tokens.size());
        size_t at = 0;
        double total = 0;
        for (size_t i = 0; i < ids.size(); ++i) {
            CHECK(ids[i] == tokens[i].id && ids[i] < pieces.size());
            if (ids[i] == 0) {
                for (size_t j = at; j < at + tokens[i].size; ++j) total += (word[j] & 0xC0) != 0x80 ? least - 10 : 0;
            } else {
                CHECK(word.compare(at, tokens[i].size, pieces[ids[i]].first) == 0);
                total += pieces[ids[i]].second;
            }
            at += tokens[i].size;
        }
        CHECK(at == word.size());
        CHECK(word.find("<unk>") != std::string::npos || total > best_score(pieces, least - 10, word) - 1e-6);
    }
    return 0;
}
