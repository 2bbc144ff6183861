// Every step between text and words. Cuts are in order, inside the text and on characters; taken up in small portions
// they are the same; rewritten text is UTF-8 and has an origin a byte, none before the one before it.
#include "input.hpp"
#include "normalization.hpp"
#include "scanner.hpp"

using namespace textpipe;

namespace {

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
    const std::vector<Piece> whole = cut(step, exact, 1000), portions = cut(step, exact, 16);
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Input input(data, size);
    const size_t which = input.below(10);
    const bool at_start = input.coin();
    const std::string text = input.text();
    if (text.empty()) return 0;
    if (which < 4)
        check_cut(GrammarStep(static_cast<int>(which)), text);
    else if (which < 9)
        check_rewrite(NormalFormStep(static_cast<int>(which - 4)), text, at_start);
    else
        check_rewrite(PrefixSpace(), text, at_start);
    return 0;
}
