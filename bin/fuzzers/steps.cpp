// Every step between text and words. Cuts are in order, inside the text and on characters; taken up in small portions
// they are the same; rewritten text is UTF-8 and has an origin a byte, none before the one before it.
#include "bert_normalization.hpp"
#include "grammars/known.hpp"
#include "input.hpp"
#include "normalization.hpp"
#include "normalization_steps.hpp"
#include "precompiled.hpp"
#include "scanner.hpp"

using namespace textpipe;

namespace {

constexpr size_t least_room = 64;  // that a step may be given

std::vector<Piece> cut(const CutStep& step, const Exact& text, size_t room) {
    std::vector<Piece> found, portion(room);
    for (size_t at = 0; at < text.size;) {
        const size_t count = step.cut(text.data, text.size, at, portion.data(), room);
        CHECK(count <= room);
        found.insert(found.end(), portion.begin(), portion.begin() + static_cast<std::ptrdiff_t>(count));
    }
    return found;
}

void check_cut(const CutStep& step, const std::string& text) {
    const Exact exact(text);
    const std::vector<Piece> whole = cut(step, exact, 1000), portions = cut(step, exact, least_room);
    CHECK(whole.size() == portions.size());
    uint32_t done = 0;
    for (size_t i = 0; i < whole.size(); ++i) {
        const Piece piece = whole[i];
        CHECK(piece.begin == portions[i].begin && piece.end == portions[i].end);
        CHECK(done <= piece.begin && piece.begin < piece.end && piece.end <= text.size());
        CHECK((text[piece.begin] & 0xC0) != 0x80 && (piece.end == text.size() || (text[piece.end] & 0xC0) != 0x80));
        done = piece.end;
    }
}

void check_rewrite(const RewriteStep& step, const std::string& text, bool at_start) {
    const Exact exact(text);
    std::string plain, placed;
    std::vector<Origin> origins;
    const std::vector<Origin> own = own_origins(text);
    step.run(exact.data, exact.size, at_start, plain, nullptr, nullptr);
    step.run(exact.data, exact.size, at_start, placed, own.data(), &origins);
    CHECK(plain == placed && origins.size() == placed.size());
    CHECK(is_valid_utf8(bytes_of(plain), plain.size()));
    CHECK(!step.is_unchanged(exact.data, exact.size, at_start) || plain == text);
    const uint32_t length = own.back().end;
    for (const Origin origin : origins) CHECK(origin.begin <= origin.end && origin.end <= length);
}

// An alternative or two of up to three runs.
grammars::PatternMatcher draw_matcher(Input& input) {
    static const grammars::Ranges sets[] = {
        {{' ', ' '}}, {{0xAC00, 0xD7A3}, {0x1F600, 0x1F64F}}, {{'a', 'z'}}, {{0, 0x60}, {0x7B, 0x10FFFF}}, {}};
    grammars::PatternMatcher made;
    for (size_t alternatives = 1 + input.below(2); alternatives > 0; --alternatives) {
        made.add_alternative(input.coin() ? sets[4] : sets[input.below(4)]);
        const size_t least = 1 + input.below(3), most = input.below(4);  // most 0 is any number
        if (input.coin()) made.add_run(sets[input.below(4)], 0, 1);
        made.add_run(sets[input.below(4)], least, most == 0 ? 0 : least + most);
        if (input.coin()) made.add_run(sets[input.below(4)], 0, input.below(2));
    }
    return made;
}

// A step that cuts, by numbers the fuzzer draws; null where a grammar has no such behaviour.
CutPointer draw_cut(Input& input) {
    using namespace grammars;
    const int behavior = static_cast<int>(input.below(5));
    const bool invert = input.coin();
    static const char* const names[] = {"gpt2", "gpt4", "gpt4 ends", "gpt4 digit", "gpt4 two digits", "gpt4 digit marks",
                                        "gpt4o", "gpt4o digit", "gpt4o bare", "gpt4o bare digit", "deepseek", "clip"};
    switch (input.below(8)) {
        case 0: return std::make_shared<const GrammarStep>(static_cast<int>(input.below(4)));
        case 1: return literal_split(" ", behavior, invert);
        case 2: return pattern_split(draw_matcher(input), behavior, invert);
        case 3: return input.coin() ? digit_split(behavior) : punctuation_split(behavior);
        case 4: return std::make_shared<const BertCut>();
        case 5: return std::make_shared<const FixedLengthCut>(1 + input.below(9));
        case 6: return std::make_shared<const ScriptCut>();
        default: return known_grammar(names[input.below(12)], behavior, invert);
    }
}

// A step that rewrites; null where a charsmap made up by the fuzzer is none.
RewritePointer draw_rewrite(Input& input) {
    switch (input.below(10)) {
        case 0: return std::make_shared<const PrefixSpace>();
        case 1: return std::make_shared<const BertStep>(BertOptions{input.coin(), input.coin(), input.coin(), input.coin()});
        case 2: return input.coin() ? accent_step() : nmt_step();
        case 3: return std::make_shared<const StripStep>(input.coin(), input.coin());
        case 4: return std::make_shared<const PrependStep>(input.text(3));
        case 5:
            if (input.coin()) return std::make_shared<const ReplaceStep>(input.text(3), input.text(4));
            return std::make_shared<const grammars::ReplaceMatches>(draw_matcher(input), input.text(4));
        case 6: return std::make_shared<const ByteLevelStep>();
        case 7: return std::make_shared<const MetaspaceStep>("▁", static_cast<int>(input.below(3)));
        case 8: try {
                const size_t size = 4 + 1024 * (1 + input.below(2)) + input.byte();
                return std::make_shared<const PrecompiledStep>(std::make_shared<const Charsmap>(input.bytes(size)));
            } catch (const std::invalid_argument&) {
                return nullptr;
            }
        default: return std::make_shared<const NormalFormStep>(static_cast<int>(input.below(5)));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Input input(data, size);
    const bool at_start = input.coin();
    if (input.coin()) {
        const CutPointer step = draw_cut(input);
        const std::string text = input.text();
        if (step != nullptr && !text.empty()) check_cut(*step, text);
    } else {
        const RewritePointer step = draw_rewrite(input);
        const std::string text = input.text();
        if (step != nullptr && !text.empty()) check_rewrite(*step, text, at_start);
    }
    return 0;
}
