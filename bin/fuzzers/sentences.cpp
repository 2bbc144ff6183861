// Sentencepiece models and rules made up by the fuzzer: words remembered as they stand in raw text have the ids and the
// places of the text normalized as a whole, the first time and the second.
#include "input.hpp"
#include "raw_sentences.hpp"

using namespace textpipe;

namespace {

// A charsmap of rules for single characters of ASCII.
std::string charsmap_of(const std::vector<std::pair<uint8_t, std::string>>& rules) {
    if (rules.empty()) return "";
    std::vector<uint32_t> units(512 + 256 * rules.size(), 1u << 31);  // values, which are no children
    std::string texts;
    units[0] = 256u << 10;
    for (size_t i = 0; i < rules.size(); ++i) {
        const uint32_t node = 256u ^ rules[i].first, leaf = static_cast<uint32_t>(512 + 256 * i);
        units[node] = (node ^ leaf) << 10 | 1u << 8 | rules[i].first;
        units[leaf] = 1u << 31 | static_cast<uint32_t>(texts.size());
        texts += rules[i].second + '\0';
    }
    std::string blob;
    const auto put = [&](uint32_t unit) {
        for (unsigned shift = 0; shift < 32; shift += 8) blob += static_cast<char>(unit >> shift);
    };
    put(static_cast<uint32_t>(4 * units.size()));
    for (const uint32_t unit : units) put(unit);
    return blob + texts;
}

std::vector<std::pair<uint8_t, std::string>> rules_of(Input& input) {
    static const char* const made[] = {" ", "", "x ", " x", "a b", "ABCD", "  ", "\xE2\x96\x81"};
    std::vector<std::pair<uint8_t, std::string>> rules;
    for (const char c : {'\n', '\t', 'q', 'z', 'y'})
        if (input.coin()) rules.emplace_back(static_cast<uint8_t>(c), c == '\n' ? " " : made[input.below(8)]);
    return rules;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Input input(data, size);
    const bool byte_fallback = input.coin();
    const auto model = std::make_shared<SentenceModel>(1 + static_cast<int>(input.below(2)), byte_fallback);
    std::vector<std::string> kept;
    std::vector<std::string> seen;
    const auto add = [&](const std::string& text, float score, int kind) {
        if (text.empty() || text.find('\0') != std::string::npos) return;
        if (std::find(seen.begin(), seen.end(), text) != seen.end()) return;
        seen.push_back(text);
        model->add_piece(text, score, kind);
        if (kind == static_cast<int>(PieceKind::user_defined)) kept.push_back(text);
    };
    add("<unk>", 0, 2);
    if (byte_fallback)
        for (unsigned byte = 0; byte < 256; ++byte) {
            char name[8];
            std::snprintf(name, sizeof name, "<0x%02X>", byte);
            add(name, 0, 6);
        }
    if (!input.coin()) add(std::string(space_mark), -2, 1);
    const unsigned scale = input.coin() ? 1 : 64;  // coarse scores tie
    for (size_t count = input.below(24); count > 0; --count) {
        const uint8_t choice = input.byte();
        std::string text = input.text(1 + input.below(7));
        std::replace(text.begin(), text.end(), ' ', 'b');
        if (choice % 3 == 0) text.insert(0, space_mark);
        if (choice % 31 == 1) text += space_mark;
        add(text, -static_cast<float>(input.byte() / scale) * 0.37f, choice % 17 == 2 ? 4 : choice % 29 == 3 ? 5 : 1);
    }
    model->finish();
    SentenceNormalization::Options options;
    options.add_dummy_prefix = input.below(4) != 0;
    options.remove_extra_whitespaces = input.coin();
    const auto charsmap = std::make_shared<Charsmap>(charsmap_of(rules_of(input)));
    const auto normalization = std::make_shared<SentenceNormalization>(charsmap, options, kept);
    const RawSentences raw(model, normalization, 1 << 16);
    const auto scratch = raw.make_scratch(), whole = model->make_scratch();
    while (!input.empty()) {
        std::string text = input.text(1 + 4 * input.byte());
        if (text.empty()) break;
        if (input.below(40) == 7)
            for (int i = 0; i < 9; ++i) text += text;  // as long as sums need to be taken back
        const Exact exact(text);
        std::string normalized;
        const std::vector<Origin> own = own_origins(text);
        std::vector<Origin> origins;
        normalization->run(exact.data, exact.size, true, normalized, own.data(), &origins);
        std::vector<uint32_t> expected;
        model->encode_ids(reinterpret_cast<const uint8_t*>(normalized.data()), normalized.size(), *whole, expected);
        for (int i = 0; i < 2; ++i) {
            std::vector<uint32_t> ids;
            raw.encode_ids(exact.data, exact.size, *scratch, ids);
            CHECK(ids == expected);
        }
        std::vector<Token> tokens;
        model->encode(reinterpret_cast<const uint8_t*>(normalized.data()), normalized.size(), *whole, tokens);
        Spans placed;
        if (!normalized.empty()) placed.push_back(tokens, origins.data(), origins.size());
        for (int i = 0; i < 2; ++i) {
            Spans spans;
            raw.encode_spans(exact.data, exact.size, 0, *scratch, spans);
            CHECK(std::vector<uint32_t>(spans.ids.begin(), spans.ids.end()) == expected);
            for (const auto column : {&Spans::begins, &Spans::ends}) {
                const IdBuffer &found = spans.*column, &right = placed.*column;
                CHECK(std::vector<uint32_t>(found.begin(), found.end()) ==
                      std::vector<uint32_t>(right.begin(), right.end()));
            }
        }
    }
    return 0;
}
