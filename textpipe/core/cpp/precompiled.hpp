// The normalizer Precompiled of `tokenizers`: the rules of a charsmap, one user-perceived character at a time. Enters:
// valid UTF-8. Leaves: the text with the rules followed. Promises: text and origins of `tokenizers` 0.23.3, whose rule
// is its own: a cluster of under six bytes becomes what the *shortest* rule it begins with says, all of it; any other is
// taken character by character. (sentencepiece follows the longest rule, see sentence_normalization.hpp.)
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "charsmap.hpp"
#include "graphemes.hpp"
#include "steps.hpp"
#include "stopping.hpp"

namespace textpipe {

class PrecompiledStep final : public RewriteStep {
  public:
    explicit PrecompiledStep(std::shared_ptr<const Charsmap> charsmap) : charsmap_(std::move(charsmap)) {}

    bool is_unchanged(const uint8_t* text, size_t size, bool) const override {
        return plain_run(text, text + size) == size;
    }

    void run(const uint8_t* text, size_t size, bool, std::string& out, const Origin* in_origins,
             std::vector<Origin>* origins) const override {
        std::vector<Change> changes;
        const uint8_t* const end = text + size;
        bool modified = false;
        Turns turns;
        for (const uint8_t* p = text; p < end;) {
            turns.next();
            const uint8_t* next = unicode::Graphemes::next(p, end);
            if (next - p < 6 && rewrite(p, next, changes)) {
                modified = true;
                p = next;
                continue;
            }
            while (p < next) {
                unsigned length;
                const uint32_t c = unicode::decode(p, length);
                if (rewrite(p, p + length, changes))
                    modified = true;
                else
                    changes.push_back({c, 0});
                p += length;
            }
        }
        if (modified) return apply(changes, text, end, out, in_origins, origins);
        out.append(reinterpret_cast<const char*>(text), size);
        if (origins != nullptr) origins->insert(origins->end(), in_origins, in_origins + size);
    }

  private:
    // A character of the new text: `by` 0 replaces one of the old, 1 is added after it, -n swallows n more.
    struct Change {
        uint32_t c;
        int64_t by;
    };

    static int64_t count(const uint8_t* p, const uint8_t* end) {
        int64_t characters = 0;
        for (; p < end; p += unicode::utf8_size(*p)) ++characters;
        return characters;
    }

    bool rewrite(const uint8_t* p, const uint8_t* end, std::vector<Change>& changes) const {
        const Charsmap::Rule rule = charsmap_->shortest(p, end);
        if (rule.size == 0) return false;
        const uint8_t* to = reinterpret_cast<const uint8_t*>(rule.text.data());
        const uint8_t* const to_end = to + rule.text.size();
        const int64_t more = count(to, to_end) - count(p, end);
        while (to < to_end) {
            unsigned length;
            changes.push_back({unicode::decode(to, length), 0});
            to += length;
        }
        if (more > 0) {
            for (int64_t i = 0; i < more; ++i) changes[changes.size() - 1 - static_cast<size_t>(i)].by = 1;
        } else if (more < 0 && !changes.empty()) {
            changes.back().by += more;  // lost where nothing stands before: everything after it then shifts
        }
        return true;
    }

    static void apply(const std::vector<Change>& changes, const uint8_t* text, const uint8_t* end, std::string& out,
                      const Origin* in_origins, std::vector<Origin>* origins) {
        const uint8_t* cursor = text;
        for (const Change& change : changes) {
            uint8_t bytes[4];
            const size_t size = static_cast<size_t>(unicode::encode(change.c, bytes) - bytes);
            out.append(reinterpret_cast<const char*>(bytes), size);
            Origin origin{0, 0};
            if (change.by > 0) {
                if (origins != nullptr && cursor > text) origin = in_origins[cursor - text - 1];
            } else {
                if (origins != nullptr && cursor < end) origin = in_origins[cursor - text];
                for (int64_t n = change.by; n <= 0 && cursor < end; ++n) cursor += unicode::utf8_size(*cursor);
            }
            if (origins != nullptr) origins->insert(origins->end(), size, origin);
        }
    }

    // How many bytes from here on no rule can touch, whatever clusters they are in?
    size_t plain_run(const uint8_t* p, const uint8_t* end) const {
        const uint8_t* const start = p;
        while (p < end) {
            unsigned size;
            const uint32_t c = unicode::decode(p, size);
            if (c >= 0x10000 || !charsmap_->is_plain_before(c, p + size < end ? p[size] : 0xFF)) break;
            p += size;
        }
        return static_cast<size_t>(p - start);
    }

    std::shared_ptr<const Charsmap> charsmap_;
};

}  // namespace textpipe
