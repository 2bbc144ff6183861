// What the fuzz targets share. Enters: the bytes a fuzzer made up. Leaves: numbers, byte strings and valid UTF-8 drawn
// from them; CHECK, which ends the run with the place of a promise that was broken.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "steps.hpp"
#include "utf8.hpp"

#define CHECK(promise)                                                            \
    do {                                                                          \
        if (!(promise)) {                                                         \
            std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #promise); \
            std::abort();                                                         \
        }                                                                         \
    } while (false)

class Input {
  public:
    Input(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}

    bool empty() const { return at_ == end_; }
    uint8_t byte() { return at_ == end_ ? 0 : *at_++; }
    size_t below(size_t limit) { return byte() % limit; }
    bool coin() { return byte() & 1; }

    std::string bytes(size_t most) {
        const size_t size = std::min(most, static_cast<size_t>(end_ - at_));
        std::string out(reinterpret_cast<const char*>(at_), size);
        at_ += size;
        return out;
    }
    std::string bytes() { return bytes(static_cast<size_t>(end_ - at_)); }

    // The next bytes as text: what is no UTF-8 becomes a character of Latin-1.
    std::string text(size_t most) { return as_text(bytes(most)); }
    std::string text() { return as_text(bytes()); }

  private:
    static std::string as_text(const std::string& raw) {
        const uint8_t* p = reinterpret_cast<const uint8_t*>(raw.data());
        const uint8_t* const end = p + raw.size();
        std::string out;
        while (p < end) {
            const size_t size = *p < 0x80 ? 1 : textpipe::utf8::character_size(p, static_cast<size_t>(end - p));
            if (size == 0) {
                out += static_cast<char>(0xC0 | *p >> 6);
                out += static_cast<char>(0x80 | (*p & 0x3F));
                ++p;
            } else {
                out.append(reinterpret_cast<const char*>(p), size);
                p += size;
            }
        }
        return out;
    }

    const uint8_t *at_, *end_;
};

inline const uint8_t* bytes_of(const std::string& text) { return reinterpret_cast<const uint8_t*>(text.data()); }

// A buffer of exactly these bytes, so that a sanitizer sees the first byte read past the end.
struct Exact {
    explicit Exact(const std::string& text) : size(text.size()), data(new uint8_t[size + (size == 0)]) {
        std::copy(text.begin(), text.end(), data);
    }
    ~Exact() { delete[] data; }
    Exact(const Exact&) = delete;
    Exact& operator=(const Exact&) = delete;
    const size_t size;
    uint8_t* const data;
};

// The origin of each byte of a text: its own character.
inline std::vector<textpipe::Origin> own_origins(const std::string& text) {
    std::vector<textpipe::Origin> origins;
    uint32_t character = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        if (i > 0 && (text[i] & 0xC0) != 0x80) ++character;
        origins.push_back({character, character + 1});
    }
    return origins;
}
