// Finds added tokens in text. Enters: the tokens with their matching rules, once; then UTF-8 text. Leaves: the text
// cut into stretches, each plain or one added token. Promises: at each place the longest token that starts there, as
// `tokenizers` finds them, with the white space its lstrip and rstrip rules take in.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model.hpp"
#include "unicode.hpp"

namespace textpipe {

struct AddedToken {
    uint32_t id;
    bool single_word, lstrip, rstrip, special;
};

struct Stretch {
    uint32_t id;  // no_id for plain text
    size_t begin, end;
};

class AddedTokens {
  public:
    // The first of two tokens with the same content wins.
    void add(std::string_view content, AddedToken token) {
        if (content.empty()) return;
        uint32_t node = 0;
        for (const char c : content) {
            const uint64_t key = edge(node, static_cast<uint8_t>(c));
            const auto found = edges_.find(key);
            if (found != edges_.end()) {
                node = found->second;
            } else {
                const uint32_t made = static_cast<uint32_t>(token_at_.size());
                token_at_.push_back(no_id);
                edges_.emplace(key, made);
                node = made;
            }
        }
        if (token_at_[node] != no_id) return;
        token_at_[node] = static_cast<uint32_t>(tokens_.size());
        tokens_.push_back(token);
        const uint8_t first = static_cast<uint8_t>(content[0]);
        if (!starts_[first]) {
            starts_[first] = true;
            only_start_ = num_starts_++ == 0 ? first : 0;
        }
    }

    bool empty() const { return tokens_.empty(); }

    // Cut text into stretches, in order; `skip_special` leaves special tokens as plain text.
    void split(const uint8_t* text, size_t size, bool skip_special, std::vector<Stretch>& out) const {
        size_t done = 0, space_begin = 1, space_end = 0;
        for (size_t at = 0; (at = next_start(text, at, size)) < size;) {
            size_t stop = 0;
            const uint32_t found = longest(text, at, size, stop);
            if (found == no_id) {
                ++at;
                continue;
            }
            const AddedToken& token = tokens_[found];
            size_t begin = at;
            at = stop;
            if (skip_special && token.special) continue;
            const bool touched = ends_with_word(text, begin) || starts_with_word(text + stop, text + size);
            if (token.single_word && touched) continue;
            if (token.rstrip) {
                // Within white space already walked through the end is known: each run is walked once.
                if (stop < space_begin || stop > space_end) {
                    space_begin = stop;
                    space_end = static_cast<size_t>(strip_right(text + stop, text + size) - text);
                }
                stop = space_end;
            }
            if (token.lstrip) {
                if (stop <= done) continue;  // all of it is white space that the token before has taken
                begin = begin > done ? strip_left(text, begin, done) : done;
            }
            if (done < begin) out.push_back({no_id, done, begin});
            out.push_back({token.id, begin, stop});
            done = stop;
        }
        if (done != size) out.push_back({no_id, done, size});
    }

  private:
    static uint64_t edge(uint32_t node, uint8_t byte) { return static_cast<uint64_t>(node) << 8 | byte; }

    size_t next_start(const uint8_t* text, size_t at, size_t size) const {
        if (num_starts_ == 1) {
            const void* found = at < size ? std::memchr(text + at, only_start_, size - at) : nullptr;
            return found == nullptr ? size : static_cast<size_t>(static_cast<const uint8_t*>(found) - text);
        }
        while (at < size && !starts_[text[at]]) ++at;
        return at;
    }

    uint32_t longest(const uint8_t* text, size_t at, size_t size, size_t& stop) const {
        uint32_t node = 0, best = no_id;
        for (size_t i = at; i < size; ++i) {
            const auto found = edges_.find(edge(node, text[i]));
            if (found == edges_.end()) break;
            node = found->second;
            if (token_at_[node] != no_id) {
                best = token_at_[node];
                stop = i + 1;
            }
        }
        return best;
    }

    static bool ends_with_word(const uint8_t* text, size_t at) {
        unsigned length;
        return at > 0 && (unicode::property(unicode::decode_before(text + at, length)) & unicode::word);
    }
    static bool starts_with_word(const uint8_t* p, const uint8_t* end) {
        unsigned length;
        return p < end && (unicode::property(unicode::decode(p, length)) & unicode::word);
    }
    static size_t strip_left(const uint8_t* text, size_t at, size_t least) {
        unsigned length;
        while (at > least && (unicode::property(unicode::decode_before(text + at, length)) & unicode::space)) at -= length;
        return at;
    }
    static const uint8_t* strip_right(const uint8_t* p, const uint8_t* end) {
        unsigned length;
        while (p < end && (unicode::property(unicode::decode(p, length)) & unicode::space)) p += length;
        return p;
    }

    std::unordered_map<uint64_t, uint32_t> edges_;
    std::vector<uint32_t> token_at_{no_id};
    std::vector<AddedToken> tokens_;
    bool starts_[256] = {};
    unsigned num_starts_ = 0;
    uint8_t only_start_ = 0;
};

}  // namespace textpipe
