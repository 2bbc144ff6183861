// Byte-pair encoding with a vocabulary made up by the fuzzer: by merges, with every option, and by ranks. Tokens cover
// the word, ids alone are the ids of tokens, and a textbook loop gives the same.
#include <map>

#include "bpe_model.hpp"
#include "byte_alphabet.hpp"
#include "input.hpp"
#include "rank_model.hpp"

using namespace textpipe;

namespace {

std::vector<uint32_t> ids_of(const Model& model, const std::string& word, std::vector<Token>& tokens) {
    const Exact exact(word);
    const auto scratch = model.make_scratch();
    model.encode(exact.data, exact.size, *scratch, tokens);
    std::vector<uint32_t> ids;
    model.encode_ids(exact.data, exact.size, *scratch, ids);
    return ids;
}

// By ranks: join the two neighbours that make the piece of the lowest rank, the leftmost of equals.
std::vector<uint32_t> spell_slowly(const std::map<std::string, uint32_t>& ranks, const std::string& word) {
    if (ranks.count(word)) return {ranks.at(word)};
    std::vector<std::string> parts;
    for (const char byte : word) parts.emplace_back(1, byte);
    for (;;) {
        size_t best = 0;
        uint32_t rank = no_id;
        for (size_t i = 0; i + 1 < parts.size(); ++i) {
            const auto found = ranks.find(parts[i] + parts[i + 1]);
            if (found != ranks.end() && found->second < rank) {
                rank = found->second;
                best = i;
            }
        }
        if (rank == no_id) break;
        parts[best] += parts[best + 1];
        parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    }
    std::vector<uint32_t> ids;
    for (const std::string& part : parts) ids.push_back(ranks.at(part));
    return ids;
}

void by_ranks(Input& input) {
    std::map<std::string, uint32_t> ranks;
    std::vector<std::string> pieces;
    for (uint32_t byte = 0; byte < 256; ++byte) pieces.emplace_back(1, static_cast<char>(byte));
    for (size_t count = input.below(24); count > 0; --count)  // two pieces together, as learned ones are
        pieces.push_back(pieces[input.byte() % pieces.size()] + pieces[pieces.size() - 1 - input.below(8)]);
    RankModel model;
    model.reserve(pieces.size());
    for (const std::string& piece : pieces) {
        if (piece.size() > 64) continue;
        const uint32_t rank = static_cast<uint32_t>(ranks.size());
        if (ranks.emplace(piece, rank).second) model.add_piece(rank, piece);
    }
    while (!input.empty()) {
        const std::string word = input.bytes(1 + input.byte());
        if (word.empty()) return;
        std::vector<Token> tokens;
        const std::vector<uint32_t> ids = ids_of(model, word, tokens);
        CHECK(ids == spell_slowly(ranks, word));
        size_t total = 0;
        for (const Token& token : tokens) total += token.size;
        CHECK(total == word.size() && tokens.size() == ids.size());
    }
}

void by_merges(Input& input) {
    BpeOptions options;
    const uint8_t flags = input.byte();
    options.fuse_unk = flags & 1;
    options.byte_fallback = flags & 2;
    options.ignore_merges = flags & 4;
    options.has_unk = flags & 8;
    options.unk_token = "?";
    const bool drops = flags & 16;
    const double dropout = drops ? input.below(101) / 100.0 : 0;
    if (flags & 32) options.prefix = "##";
    if (flags & 64) options.suffix = "</w>";
    const bool byte_level = flags & 128;
    std::vector<std::string> pieces{"?", "a", "b", "##a", "##b", "a</w>", "##b</w>", "가", "##나"};
    if (byte_level)
        for (unsigned byte = 0; byte < 256; ++byte) append_mapped(static_cast<uint8_t>(byte), pieces.emplace_back());
    if (options.byte_fallback)
        for (unsigned byte = 0; byte < 256; ++byte) {
            char name[8];
            std::snprintf(name, sizeof name, "<0x%02X>", byte);
            pieces.emplace_back(name);
        }
    std::map<std::string, uint32_t> ids;
    std::vector<MergeTable::Merge> merges;
    for (const std::string& piece : pieces) ids.emplace(piece, static_cast<uint32_t>(ids.size()));
    for (size_t count = input.below(40); count > 0; --count) {
        const std::string left = pieces[input.byte() % pieces.size()], right = pieces[pieces.size() - 1 - input.below(32) % pieces.size()];
        const std::string joined = left + (right.compare(0, options.prefix.size(), options.prefix) == 0 ? right.substr(options.prefix.size()) : right);
        if (joined.size() > 256) continue;
        if (ids.emplace(joined, static_cast<uint32_t>(ids.size())).second) pieces.push_back(joined);
        merges.push_back({ids.at(left), ids.at(right), ids.at(joined)});
    }
    const auto tables = std::make_shared<BpeModel>(options);
    tables->reserve(ids.size(), merges.size());
    for (const auto& [piece, id] : ids) tables->add_piece(id, piece);
    for (const auto& merge : merges) tables->add_merge(merge.left, merge.right, merge.id);
    tables->finish(byte_level);
    const DroppingBpe dropping(tables, dropout);
    const Model& model = drops ? static_cast<const Model&>(dropping) : *tables;
    const bool takes_bytes = byte_level && model.takes_bytes();
    while (!input.empty()) {
        const size_t most = 1 + input.byte();
        const std::string word = input.text(most);
        if (word.empty()) return;
        std::vector<Token> tokens;
        const std::vector<uint32_t> found = ids_of(model, word, tokens);
        size_t total = 0;
        for (const Token& token : tokens) {
            CHECK(token.id < ids.size());
            total += token.size;
        }
        CHECK(!takes_bytes || total == word.size());
        if (!model.cacheable()) continue;
        CHECK(found.size() == tokens.size());
        for (size_t i = 0; i < found.size(); ++i) CHECK(found[i] == tokens[i].id);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Input input(data, size);
    input.coin() ? by_ranks(input) : by_merges(input);
    return 0;
}
