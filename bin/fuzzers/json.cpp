// JSON text below the level of values: strings, escapes, numbers and rows of pairs end inside the text, what is unescaped is
// UTF-8, and what is read as pairs has no more of them than bytes.
#include "input.hpp"
#include "json_pairs.hpp"

using namespace textpipe;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Input input(data, size);
    const uint8_t kind = input.byte();
    const Exact text(kind & 1 ? "[[\"a\",\"b\"],\"c d\"," + input.text() : input.text());
    const uint8_t *const begin = text.data, *const end = begin + text.size;
    bool flag = false;
    const uint8_t* stop = json::string_end(begin, end, flag);
    CHECK(begin <= stop && stop <= end);
    CHECK(flag == (std::find(begin, stop, '\\') != stop));
    const uint8_t* at = begin;
    std::string out;
    const json::Escape outcome = json::unescape(at, end, out);
    CHECK(begin <= at && at <= end && (outcome != json::Escape::good || at == end));
    CHECK(is_valid_utf8(bytes_of(out), out.size()));
    stop = json::number_end(begin, end, flag);
    CHECK(stop == nullptr || (begin < stop && stop <= end));
    stop = json::skip_space(begin, end);
    CHECK(begin <= stop && stop <= end && (stop == end || (*stop != ' ' && *stop != '\n' && *stop != '\t' && *stop != '\r')));
    PairList pairs;
    at = begin;
    if (json::take_pairs(at, end, pairs)) {
        CHECK(begin < at && at <= end && at[-1] == ']' && pairs.size() < text.size);
        for (size_t i = 0; i < pairs.size(); ++i) {
            const std::string pair = std::string(pairs.left(i)) + std::string(pairs.right(i));
            CHECK(is_valid_utf8(bytes_of(pair), pair.size()));
        }
    } else {
        CHECK(at == begin);
    }
    return 0;
}
