// UTF-8 in and out: the validator against a decoder written the long way, and CPython's three kinds of buffer against
// each other.
#include "input.hpp"
#include "text_view.hpp"

namespace {

const std::atomic<bool> never{false};

// Code points of well-formed UTF-8, or false.
bool decode_slowly(const std::string& text, std::vector<uint32_t>& out) {
    for (size_t i = 0; i < text.size();) {
        const uint8_t lead = static_cast<uint8_t>(text[i]);
        const size_t size = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
        if (size == 0 || i + size > text.size()) return false;
        uint32_t c = size == 1 ? lead : lead & (0xFFu >> (size + 1));
        for (size_t j = 1; j < size; ++j) {
            const uint8_t next = static_cast<uint8_t>(text[i + j]);
            if (next >> 6 != 2) return false;
            c = c << 6 | (next & 0x3F);
        }
        const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (c < least[size] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return false;
        out.push_back(c);
        i += size;
    }
    return true;
}

template <class Unit>
void check_view(const std::vector<uint32_t>& points, int kind, const std::string& text) {
    std::vector<Unit> units(points.begin(), points.end());
    units.shrink_to_fit();
    textpipe::ByteBuffer buffer;
    const uint8_t* found = nullptr;
    size_t size = 0;
    CHECK(textpipe::as_utf8({units.data(), units.size(), kind}, buffer, found, size, never));
    CHECK(std::string(reinterpret_cast<const char*>(found), size) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const Exact exact(text);
    std::vector<uint32_t> points;
    const bool good = decode_slowly(text, points);
    CHECK(textpipe::is_valid_utf8(exact.data, exact.size) == good);
    if (good && !points.empty()) {
        const uint32_t top = *std::max_element(points.begin(), points.end());
        check_view<uint32_t>(points, 4, text);
        if (top < 0x10000) check_view<uint16_t>(points, 2, text);
        if (top < 0x100) check_view<uint8_t>(points, 1, text);
    }
    // Any units at all: a surrogate is reported, nothing else is.
    std::vector<uint16_t> units(size / 2);
    std::copy(data, data + size / 2 * 2, reinterpret_cast<uint8_t*>(units.data()));
    textpipe::ByteBuffer buffer;
    const uint8_t* found = nullptr;
    size_t length = 0;
    const bool whole = std::none_of(units.begin(), units.end(), [](uint16_t unit) { return unit >> 11 == 27; });
    CHECK(textpipe::as_utf8({units.data(), units.size(), 2}, buffer, found, length, never) == whole);
    if (whole) CHECK(textpipe::is_valid_utf8(found, length));
    return 0;
}
