// The pieces of a sentencepiece model. Enters: pieces with scores and kinds in the order of their ids. Leaves: which of
// them can stand in text, and where a sentence can be cut without cutting a piece. Promises: a cut is only proposed
// where no piece, whatever its score, reaches across.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "model.hpp"
#include "piece_trie.hpp"
#include "unicode.hpp"
#include "utf8.hpp"

namespace textpipe {

enum class PieceKind : int { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6, kept_out = 7 };  // the last: a normal one that stands in no text

constexpr std::string_view space_mark = "\xE2\x96\x81";

// Which neighbours no piece joins: (▁, ▁), (x, ▁) and (▁, x), where x is any other character.
class SpaceJoints {
  public:
    void add_piece(std::string_view piece) {
        const uint8_t* const begin = reinterpret_cast<const uint8_t*>(piece.data());
        const uint8_t* const end = begin + piece.size();
        bool was_space = false;
        for (const uint8_t* p = begin; p < end;) {
            const bool is_space = end - p >= 3 && PieceTrie::is_space_mark(p);
            if (p > begin && is_space) (was_space ? space_space_ : other_space_) = false;
            if (p > begin && !is_space && was_space) space_other_ = false;
            was_space = is_space;
            p += unicode::utf8_size(*p);
        }
    }

    void forbid() { space_space_ = other_space_ = space_other_ = false; }

    // Is there no piece with a mark after another character?
    bool is_before_marks() const { return other_space_; }

    // The end of the stretch that begins at p.
    const uint8_t* next(const uint8_t* p, const uint8_t* end) const {
        if (!(space_space_ || other_space_ || space_other_)) return end;
        const uint8_t* mark = p;
        bool is_mark = end - p >= 3 && PieceTrie::is_space_mark(p);
        for (;;) {
            if (is_mark) {
                const uint8_t* after = mark + space_mark.size();
                if (after == end) return end;
                is_mark = end - after >= 3 && PieceTrie::is_space_mark(after);
                if (is_mark ? space_space_ : space_other_) return after;
                mark = after;
                if (is_mark) continue;
            }
            mark = find_mark(mark, end);
            if (mark == end) return end;
            is_mark = true;
            if (mark > p && other_space_) return mark;
        }
    }

  private:
    static const uint8_t* find_mark(const uint8_t* p, const uint8_t* end) {
        for (; end - p >= 8; p += 8) {
            uint64_t eight;
            std::memcpy(&eight, p, 8);
            eight ^= 0xE2E2E2E2E2E2E2E2u;
            if (((eight - 0x0101010101010101u) & ~eight & 0x8080808080808080u) == 0) continue;
            for (const uint8_t* stop = p + 8; p < stop; ++p)
                if (*p == 0xE2 && end - p >= 3 && PieceTrie::is_space_mark(p)) return p;
            p -= 8;
        }
        for (; p < end; ++p)
            if (*p == 0xE2 && end - p >= 3 && PieceTrie::is_space_mark(p)) return p;
        return end;
    }

    bool space_space_ = true, other_space_ = true, space_other_ = true;
};

// With this bit an id is an unknown character, which stands for itself until the parts of a sentence are put together.
constexpr uint32_t unknown_bit = 1u << 23;

struct SentencePieces {
    // `text` is not empty and holds no zero byte.
    void add(std::string_view text, float score, int kind) {
        texts.emplace_back(text);
        scores.push_back(score);
        kinds.push_back(static_cast<PieceKind>(kind));
    }

    bool stands_in_text(uint32_t id) const {
        return kinds[id] == PieceKind::normal || kinds[id] == PieceKind::user_defined || kinds[id] == PieceKind::unused;
    }

    // Of texts that are not unknown: how many bytes a token stands for.
    uint32_t size_of(uint32_t id) const { return static_cast<uint32_t>(texts[id].size()); }

    // The characters of a piece, and of an unknown one with unknown_bit.
    uint32_t length_of(uint32_t id) const { return id < lengths.size() ? lengths[id] : 1; }

    void finish(bool byte_fallback) {
        for (const std::string& text : texts)
            lengths.push_back(static_cast<uint32_t>(std::count_if(
                text.begin(), text.end(), [](char byte) { return !utf8::is_continuation(static_cast<uint8_t>(byte)); })));
        std::vector<PieceTrie::Entry> kept;
        for (uint32_t id = 0; id < texts.size(); ++id) {
            if (kinds[id] == PieceKind::unknown) unk_id = id;
            if (kinds[id] == PieceKind::user_defined) {
                kept.emplace_back(texts[id], id);
                keeps[static_cast<uint8_t>(texts[id][0])] = true;
            }
            if (kinds[id] == PieceKind::byte && byte_fallback) byte_ids[byte_of(texts[id])] = id;
            if (stands_in_text(id)) joints.add_piece(texts[id]);
        }
        has_bytes = byte_fallback;
        if (!kept.empty()) user_defined.build(std::move(kept));
    }

    // The longest user-defined piece here, else one character; was it one?
    size_t prefix(const uint8_t* p, const uint8_t* end, bool& found) const {
        size_t longest = 0;
        if (keeps[*p]) user_defined.text_prefixes(p, end, [&](size_t size, uint32_t) { longest = size; });
        found = longest > 0;
        return found ? longest : unicode::utf8_size(*p);
    }

    std::vector<std::string> texts;
    std::vector<uint32_t> lengths;  // of each piece, in characters
    std::vector<float> scores;
    std::vector<PieceKind> kinds;
    SpaceJoints joints;
    PieceTrie user_defined;
    bool keeps[256] = {};
    uint32_t unk_id = no_id;
    bool has_bytes = false;
    uint32_t byte_ids[256] = {};

  private:
    static unsigned byte_of(const std::string& name) {  // <0xEA>
        const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'A' + 10) & 15; };
        return name.size() == 6 ? digit(name[3]) << 4 | digit(name[4]) : 0;
    }
};

}  // namespace textpipe
