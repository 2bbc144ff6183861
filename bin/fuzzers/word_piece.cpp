// WordPiece of pieces made up by the fuzzer against the definition: the longest piece from the left, the unknown one for a
// word that cannot be spelled so.
#include <map>

#include "input.hpp"
#include "word_piece.hpp"

using namespace textpipe;

namespace {

std::vector<uint32_t> spell_slowly(const std::map<std::string, uint32_t>& pieces, const std::string& word, size_t most) {
    size_t chars = 0;
    for (const char byte : word) chars += (byte & 0xC0) != 0x80;
    if (chars > most) return {0};
    std::vector<uint32_t> ids;
    for (size_t at = 0; at < word.size();) {
        size_t size = word.size() - at;
        const std::string prefix = at == 0 ? "" : "##";
        while (size > 0 && pieces.count(prefix + word.substr(at, size)) == 0) --size;
        if (size == 0) return {0};
        ids.push_back(pieces.at(prefix + word.substr(at, size)));
        at += size;
    }
    return ids;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Input input(data, size);
    std::map<std::string, uint32_t> pieces{{"[UNK]", 0}};
    for (size_t count = input.below(24); count > 0; --count) {
        const std::string prefix = input.coin() ? "##" : "";
        const std::string piece = prefix + input.text(1 + input.below(8));
        if (piece.size() > prefix.size()) pieces.emplace(piece, static_cast<uint32_t>(pieces.size()));
    }
    const size_t most = 1 + input.below(120);
    WordPieceModel model("##", 0, most);
    for (const auto& [piece, id] : pieces) model.add_piece(piece, id);
    model.finish();
    const auto scratch = model.make_scratch();
    while (!input.empty()) {
        const std::string word = input.text(1 + input.below(160));
        if (word.empty()) break;
        const Exact exact(word);
        std::vector<Token> tokens;
        std::vector<uint32_t> ids;
        model.encode(exact.data, exact.size, *scratch, tokens);
        model.encode_ids(exact.data, exact.size, *scratch, ids);
        CHECK(ids == spell_slowly(pieces, word, most));
        size_t total = 0;
        CHECK(tokens.size() == ids.size());
        for (const Token& token : tokens) total += token.size;
        CHECK(total == word.size());
    }
    return 0;
}
