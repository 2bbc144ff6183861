// The normalizers that are not Unicode forms. Enters: valid UTF-8 and, when wanted, the origin of each of its bytes.
// Leaves: the rewritten UTF-8 and its origins. Promises: text and origins of `tokenizers` 0.23.3; linear time.
#pragma once
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "byte_alphabet.hpp"
#include "categories.hpp"
#include "normalization.hpp"
#include "steps.hpp"
#include "stopping.hpp"
#include "traits.hpp"

namespace textpipe {

// Copies bytes with their origins.
class Copier {
  public:
    Copier(std::string& out, const Origin* in_origins, std::vector<Origin>* origins)
        : out_(out), in_origins_(in_origins), origins_(origins) {}

    // Bytes `begin` to `end` of the text as they are.
    void copy(const uint8_t* text, size_t begin, size_t end) {
        out_.append(reinterpret_cast<const char*>(text) + begin, end - begin);
        if (origins_ != nullptr) origins_->insert(origins_->end(), in_origins_ + begin, in_origins_ + end);
    }

    // New bytes that stand for what byte `source` stands for.
    void put(const char* bytes, size_t size, size_t source) {
        out_.append(bytes, size);
        if (origins_ != nullptr) origins_->insert(origins_->end(), size, in_origins_[source]);
    }

  private:
    std::string& out_;
    const Origin* in_origins_;
    std::vector<Origin>* origins_;
};

// Takes characters away and replaces others by a space. `fate` says what becomes of each.
enum class Fate { kept, dropped, space };

template <class FateOf>
inline void rewrite_characters(FateOf fate_of, const uint8_t* text, size_t size, Copier to) {
    size_t kept = 0;  // from here to i nothing has changed
    unsigned length;
    Turns turns;
    for (size_t i = 0; i < size; i += length) {
        turns.next();
        const Fate fate = fate_of(unicode::decode(text + i, length));
        if (fate == Fate::kept) continue;
        to.copy(text, kept, i);
        if (fate == Fate::space) to.put(" ", 1, i);
        kept = i + length;
    }
    to.copy(text, kept, size);
}

// StripAccents and Nmt: every character by itself.
class CharacterStep final : public RewriteStep {
  public:
    explicit CharacterStep(Fate (*fate_of)(uint32_t)) : fate_of_(fate_of) {}

    bool is_unchanged(const uint8_t* text, size_t size, bool) const override {
        unsigned length;
        Turns turns;
        for (size_t i = 0; i < size; i += length) {
            turns.next();
            if (fate_of_(unicode::decode(text + i, length)) != Fate::kept) return false;
        }
        return true;
    }

    void run(const uint8_t* text, size_t size, bool, std::string& out, const Origin* in_origins,
             std::vector<Origin>* origins) const override {
        rewrite_characters(fate_of_, text, size, Copier(out, in_origins, origins));
    }

  private:
    Fate (*const fate_of_)(uint32_t);
};

inline Fate without_accents(uint32_t c) {
    return unicode::traits(c) & unicode::combining_mark ? Fate::dropped : Fate::kept;
}

// The clean-up of the sentencepiece rules called nmt.
inline Fate nmt_fate(uint32_t c) {
    if ((c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F)
        return Fate::dropped;
    const bool odd_space = c == 0x9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 ||
                           (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
                           c == 0xFEFF || c == 0xFFFD;
    return odd_space ? Fate::space : Fate::kept;
}

inline RewritePointer accent_step() { return std::make_shared<const CharacterStep>(without_accents); }
inline RewritePointer nmt_step() { return std::make_shared<const CharacterStep>(nmt_fate); }

class StripStep final : public RewriteStep {
  public:
    StripStep(bool left, bool right) : left_(left), right_(right) {}

    bool is_unchanged(const uint8_t* text, size_t size, bool) const override {
        const auto [begin, end] = kept(text, size);
        return begin == 0 && end == size;
    }

    void run(const uint8_t* text, size_t size, bool, std::string& out, const Origin* in_origins,
             std::vector<Origin>* origins) const override {
        const auto [begin, end] = kept(text, size);
        Copier(out, in_origins, origins).copy(text, begin, end);
    }

  private:
    std::pair<size_t, size_t> kept(const uint8_t* text, size_t size) const {
        const uint8_t *begin = text, *end = text + size;
        if (left_) begin = category::skip<category::space>(begin, end);
        while (right_ && end > begin) {
            const uint8_t* last = scanner::Utf8Source::before(end);
            if (!(category::at(last) & category::space)) break;
            end = last;
        }
        return {static_cast<size_t>(begin - text), static_cast<size_t>(end - text)};
    }

    const bool left_, right_;
};

// Puts a text before. That stands for the first character; where nothing is put, `tokenizers` forgets what the first
// character itself stands for.
class PrependStep final : public RewriteStep {
  public:
    explicit PrependStep(std::string prefix) : prefix_(std::move(prefix)) {}

    bool is_unchanged(const uint8_t*, size_t, bool) const override { return false; }

    size_t growth() const override { return prefix_.size() / 16 + 1; }  // of the shortest texts, which hardly count

    size_t new_size(const uint8_t*, size_t size) const override { return prefix_.size() + size; }

    void run(const uint8_t* text, size_t size, bool, std::string& out, const Origin* in_origins,
             std::vector<Origin>* origins) const override {
        Copier to(out, in_origins, origins);
        const size_t before = origins != nullptr ? origins->size() : 0;
        to.put(prefix_.data(), prefix_.size(), 0);
        to.copy(text, 0, size);
        if (!prefix_.empty() || origins == nullptr) return;
        for (size_t i = 0; i < unicode::utf8_size(*text); ++i) (*origins)[before + i].end = in_origins[0].begin;
    }

  private:
    const std::string prefix_;
};

// Puts one text for another; the new one stands for the last character of the old.
class ReplaceStep final : public RewriteStep {
  public:
    ReplaceStep(std::string pattern, std::string content)
        : pattern_(std::move(pattern)), content_(std::move(content)) {}

    bool is_unchanged(const uint8_t* text, size_t size, bool) const override { return find(text, size, 0) == size; }

    size_t growth() const override { return content_.size() / std::max<size_t>(1, pattern_.size()) + 1; }

    size_t new_size(const uint8_t* text, size_t size) const override {
        size_t made = size;
        if (content_.size() <= pattern_.size()) return made;
        Turns turns;
        for (size_t at = 0; (at = find(text, size, at)) < size; at += pattern_.size()) {
            turns.next();
            made += content_.size() - pattern_.size();
        }
        return made;
    }

    void run(const uint8_t* text, size_t size, bool, std::string& out, const Origin* in_origins,
             std::vector<Origin>* origins) const override {
        Copier to(out, in_origins, origins);
        size_t at = 0;
        Turns turns;
        for (size_t found; (found = find(text, size, at)) < size; at = found + pattern_.size()) {
            turns.next();
            to.copy(text, at, found);
            to.put(content_.data(), content_.size(), found + pattern_.size() - 1);
        }
        to.copy(text, at, size);
    }

  private:
    // The first place from `at` on; `size` when there is none.
    size_t find(const uint8_t* text, size_t size, size_t at) const {
        const size_t length = pattern_.size();
        while (length != 0 && at + length <= size) {
            const void* place = std::memchr(text + at, pattern_[0], size - at - length + 1);
            if (place == nullptr) break;
            at = static_cast<size_t>(static_cast<const uint8_t*>(place) - text);
            if (std::memcmp(place, pattern_.data(), length) == 0) return at;
            ++at;
        }
        return size;
    }

    const std::string pattern_, content_;
};

// Spells every byte in the printable alphabet.
class ByteLevelStep final : public RewriteStep {
  public:
    bool is_unchanged(const uint8_t*, size_t, bool) const override { return false; }

    void run(const uint8_t* text, size_t size, bool, std::string& out, const Origin* in_origins,
             std::vector<Origin>* origins) const override {
        Turns turns;
        for (size_t i = 0; i < size; ++i) {
            turns.next();
            const size_t before = out.size();
            append_mapped(text[i], out);
            if (origins != nullptr) origins->insert(origins->end(), out.size() - before, in_origins[i]);
        }
    }
};

// Spaces become a mark, and one is put before a text without: to every text, or to the one at the start of the
// document.
class MetaspaceStep final : public RewriteStep {
  public:
    enum class Prepend : int { always = 0, first = 1, never = 2 };

    MetaspaceStep(std::string mark, int prepend)
        : mark_(mark), prepend_(static_cast<Prepend>(prepend)), spaces_(" ", std::move(mark)) {}

    bool looks_at_start() const override { return prepend_ == Prepend::first; }

    bool is_unchanged(const uint8_t* text, size_t size, bool at_start) const override {
        return !needs_mark(text, size, at_start) && spaces_.is_unchanged(text, size, at_start);
    }

    void run(const uint8_t* text, size_t size, bool at_start, std::string& out, const Origin* in_origins,
             std::vector<Origin>* origins) const override {
        if (needs_mark(text, size, at_start)) Copier(out, in_origins, origins).put(mark_.data(), mark_.size(), 0);
        spaces_.run(text, size, at_start, out, in_origins, origins);
    }

  private:
    bool needs_mark(const uint8_t* text, size_t size, bool at_start) const {
        if (prepend_ == Prepend::never || (prepend_ == Prepend::first && !at_start)) return false;
        const bool marked = size >= mark_.size() && std::memcmp(text, mark_.data(), mark_.size()) == 0;
        return *text != ' ' && !marked;
    }

    const std::string mark_;
    const Prepend prepend_;
    const ReplaceStep spaces_;
};

}  // namespace textpipe
