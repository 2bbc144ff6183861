// The Unicode normalization forms and lower case. Enters: valid UTF-8 and, when wanted, the origin of each of its
// bytes. Leaves: the normalized UTF-8 and the origin of each of its bytes. Promises: NFC, NFD, NFKC and NFKD of UAX
// #15 for Unicode 9; linear time, runs of thousands of combining marks included; text already normalized is seen at
// reading speed.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "steps.hpp"
#include "stopping.hpp"
#include "unicode.hpp"

namespace textpipe {

enum class NormalForm : int { nfc = 0, nfd = 1, nfkc = 2, nfkd = 3, lowercase = 4 };

class Normalization {
  public:
    static constexpr size_t look_bytes = 1 << 16;  // after so many the flag of the job is looked at

    // Is the text sure to stay as it is?
    static bool is_unchanged(NormalForm form, const uint8_t* p, size_t size) {
        if (form == NormalForm::lowercase) return false;
        static constexpr uint8_t flag_of[] = {1, 2, 4, 8};
        const uint8_t flag = flag_of[static_cast<int>(form)];
        const bool composed = form == NormalForm::nfc || form == NormalForm::nfkc;
        const uint8_t* end = p + size;
        uint8_t last_class = 0;
        for (const uint8_t* look = p; p < end;) {
            p = skip_ascii(p, end, last_class);
            if (p == end) break;
            if (p >= look) {
                Stopping::look();
                look = p + std::min<size_t>(static_cast<size_t>(end - p), look_bytes);
            }
            unsigned length;
            const uint32_t c = unicode::decode(p, length);
            p += length;
            if (composed && c - hangul_first < hangul_count) {
                last_class = 0;
                continue;
            }
            if (unicode::form_flags(c) & flag) return false;
            const uint8_t ccc = unicode::combining_class(c);
            if (ccc != 0 && ccc < last_class) return false;
            last_class = ccc;
        }
        return true;
    }

    // Append the normalized text to `out`. With `origins`, in_origins has one entry a byte of the input.
    void run(NormalForm form, const uint8_t* text, size_t size, std::string& out, const Origin* in_origins,
             std::vector<Origin>* origins) {
        out_ = &out;
        origins_ = origins;
        in_origins_ = in_origins;
        in_ = text;
        in_end_ = text + size;
        cursor_ = text;
        if (form == NormalForm::lowercase) return lower(text, in_end_);
        composed_ = form == NormalForm::nfc || form == NormalForm::nfkc;
        compatible_ = form == NormalForm::nfkc || form == NormalForm::nfkd;
        has_starter_ = false;
        marks_.clear();
        Turns turns;
        for (const uint8_t* p = text; p < in_end_;) {
            turns.next();
            unsigned length;
            const uint32_t c = unicode::decode(p, length);
            p += length;
            decompose(c);
        }
        flush();
    }

  private:
    // `change` tells where a character comes from: 0 replaces one of the input, 1 is added after it, -n swallows n
    // more.
    struct Unit {
        uint32_t c;
        uint8_t ccc;
        int32_t change;
    };
    static constexpr uint32_t hangul_first = 0xAC00, hangul_count = 11172;
    static constexpr uint32_t lead_first = 0x1100, vowel_first = 0x1161, tail_first = 0x11A7;
    static constexpr uint32_t lead_count = 19, vowel_count = 21, tail_count = 28;

    static const uint8_t* skip_ascii(const uint8_t* p, const uint8_t* end, uint8_t& last_class) {
        const uint8_t* start = p;
        for (uint64_t block; end - p >= 8; p += 8) {
            std::memcpy(&block, p, 8);
            if (block & 0x8080808080808080u) break;
        }
        while (p < end && *p < 0x80) ++p;
        if (p != start) last_class = 0;
        return p;
    }

    void decompose(uint32_t c) {
        if (c - hangul_first < hangul_count) {
            const uint32_t index = c - hangul_first, tail = index % tail_count;
            if (composed_) return add({c, 0, 0});  // recomposes to itself; a following consonant is still tried
            add({lead_first + index / (vowel_count * tail_count), 0, 0});
            add({vowel_first + index % (vowel_count * tail_count) / tail_count, 0, 1});
            if (tail != 0) add({tail_first + tail, 0, 1});
            return;
        }
        using namespace unicode;
        const uint32_t entry =
            compatible_ ? look_up(compatible_index, compatible_pages, c) : look_up(canonical_index, canonical_pages, c);
        if (entry == 0) return add({c, combining_class(c), 0});
        for (uint32_t i = decomposition_start[entry]; i < decomposition_start[entry + 1]; ++i) {
            const uint32_t part = decomposition_pool[i];
            add({part, combining_class(part), i == decomposition_start[entry] ? 0 : 1});
        }
    }

    void add(Unit unit) {
        if (unit.ccc != 0) {
            marks_.push_back(unit);
            return;
        }
        settle_marks();
        if (composed_ && has_starter_ && marks_.empty()) {
            if (const uint32_t composed = compose(starter_.c, unit.c)) {
                starter_ = {composed, 0, starter_.change + unit.change - 1};
                return;
            }
        }
        flush_settled();
        starter_ = unit;
        has_starter_ = true;
    }

    void flush() {
        settle_marks();
        flush_settled();
        has_starter_ = false;
    }

    void flush_settled() {
        if (has_starter_) emit(starter_);
        for (const Unit& mark : marks_) emit(mark);
        marks_.clear();
    }

    // Put the marks after the starter into canonical order and compose what composes.
    void settle_marks() {
        if (marks_.empty()) return;
        sort_marks();
        if (!composed_ || !has_starter_) return;
        size_t kept = 0;
        for (size_t i = 0; i < marks_.size(); ++i) {
            const Unit mark = marks_[i];
            const bool blocked = kept > 0 && marks_[kept - 1].ccc >= mark.ccc;
            const uint32_t composed = blocked ? 0 : compose(starter_.c, mark.c);
            if (composed != 0)
                starter_ = {composed, 0, starter_.change + mark.change - 1};
            else
                marks_[kept++] = mark;
        }
        marks_.resize(kept);
    }

    // Stable by combining class: insertion for the usual one to four, counting for the hostile rest.
    void sort_marks() {
        const size_t count = marks_.size();
        if (count <= 16) {
            for (size_t i = 1; i < count; ++i)
                for (size_t j = i; j > 0 && marks_[j - 1].ccc > marks_[j].ccc; --j) std::swap(marks_[j - 1], marks_[j]);
            return;
        }
        std::array<size_t, 257> starts{};
        for (const Unit& mark : marks_) ++starts[mark.ccc + 1u];
        for (size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
        sorted_.resize(count);
        for (const Unit& mark : marks_) sorted_[starts[mark.ccc]++] = mark;
        marks_.swap(sorted_);
    }

    static uint32_t compose(uint32_t first, uint32_t second) {
        if (first - lead_first < lead_count && second - vowel_first < vowel_count)
            return hangul_first + ((first - lead_first) * vowel_count + (second - vowel_first)) * tail_count;
        if (first - hangul_first < hangul_count && (first - hangul_first) % tail_count == 0 &&
            second - tail_first - 1 < tail_count - 1)
            return first + (second - tail_first);
        if (!(unicode::form_flags(second) & 1)) return 0;
        using namespace unicode;
        const uint64_t key = static_cast<uint64_t>(first) << 21 | second;
        const uint64_t* end = composition_key + sizeof composition_key / sizeof *composition_key;
        const uint64_t* found = std::lower_bound(composition_key, end, key);
        return found != end && *found == key ? composition_value[found - composition_key] : 0;
    }

    void lower(const uint8_t* p, const uint8_t* end) {
        using namespace unicode;
        Turns turns;
        while (p < end) {
            turns.next();
            unsigned length;
            const uint32_t c = decode(p, length);
            p += length;
            if (c == 0x130) {  // the one letter whose lower case is two characters
                emit({'i', 0, 0});
                emit({0x307, 230, 1});
                continue;
            }
            emit({unicode::lower(c), 0, 0});
        }
    }

    void emit(const Unit& unit) {
        uint8_t buffer[4];
        const size_t size = static_cast<size_t>(unicode::encode(unit.c, buffer) - buffer);
        out_->append(reinterpret_cast<const char*>(buffer), size);
        if (origins_ == nullptr) return;
        Origin origin{0, 0};
        if (unit.change > 0) {
            if (cursor_ > in_) origin = in_origins_[cursor_ - in_ - 1];
        } else {
            if (cursor_ < in_end_) origin = in_origins_[cursor_ - in_];
            for (int32_t n = unit.change; n <= 0 && cursor_ < in_end_; ++n) cursor_ += unicode::utf8_size(*cursor_);
        }
        origins_->insert(origins_->end(), size, origin);
    }

    std::string* out_ = nullptr;
    std::vector<Origin>* origins_ = nullptr;
    const Origin* in_origins_ = nullptr;
    const uint8_t *in_ = nullptr, *in_end_ = nullptr, *cursor_ = nullptr;
    bool composed_ = false, compatible_ = false, has_starter_ = false;
    Unit starter_{0, 0, 0};
    std::vector<Unit> marks_, sorted_;
};

class NormalFormStep final : public RewriteStep {
  public:
    explicit NormalFormStep(int form) : form_(static_cast<NormalForm>(form)) {}

    bool is_unchanged(const uint8_t* text, size_t size, bool) const override {
        return Normalization::is_unchanged(form_, text, size);
    }
    void run(const uint8_t* text, size_t size, bool, std::string& out, const Origin* in_origins,
             std::vector<Origin>* origins) const override {
        Normalization().run(form_, text, size, out, in_origins, origins);
    }
    bool keeps_seams() const override { return true; }

  private:
    const NormalForm form_;
};

}  // namespace textpipe
