// What the encoder asks of the steps between text and words. Enters: valid UTF-8. Leaves: rewritten text with the origin
// of each byte, or the places of its pieces. Promises: a step is fixed once built and shared by all threads.
//
// A normalizer is a list of RewriteSteps; a pre-tokenizer a list of both kinds, a rewrite there applying to each piece
// by itself. Python holds either as a NativeStep (core/_native.pxd).
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace textpipe {

// The characters of the original text a byte stands for: [begin, end).
struct Origin {
    uint32_t begin, end;
};

// Bytes of the text.
struct Piece {
    uint32_t begin, end;
};

// No longer may a text become: places in it are 32 bits wide.
constexpr size_t longest_text = size_t{1} << 30;

// Nor so many times as long, and so many bytes more: replacements one after the other would otherwise make of a short
// text a word that takes all memory to encode.
constexpr size_t most_growth = 64;
constexpr size_t grown_bytes = size_t{16} << 20;

inline void check_growth(size_t before, size_t after) {
    if (after > std::min(longest_text, most_growth * before + grown_bytes))
        throw std::overflow_error("rewriting makes a text longer than there may be");
}

// A seam is the place after a newline that stands alone between a letter, or a mark that ends a sentence, and a letter;
// letters are those of ASCII and Hangul syllables. Many steps do the same to a text as to what lies on both sides of a
// seam by itself, so that a long text can be taken in parts.

class RewriteStep {
  public:
    RewriteStep() = default;
    RewriteStep(const RewriteStep&) = delete;
    RewriteStep& operator=(const RewriteStep&) = delete;
    virtual ~RewriteStep() = default;

    // Is the text sure to stay as it is? May say no when unsure; asked for every text, so it should be quick.
    // `at_start` tells whether the text begins where the document does.
    virtual bool is_unchanged(const uint8_t* text, size_t size, bool at_start) const = 0;

    // Does what the step makes depend on `at_start`? Where the text begins is then told by its origins.
    virtual bool looks_at_start() const { return false; }

    // Is what becomes of a text what becomes of its parts, when it is parted at seams?
    virtual bool keeps_seams() const { return false; }

    // About how many times as long a text may become.
    virtual size_t growth() const { return 1; }

    // How many bytes run() would append, where that may be many times as many as there are; counted without making them.
    virtual size_t new_size(const uint8_t* /*text*/, size_t size) const { return size; }

    // Append the new text to `out`. With `origins`, in_origins has one entry a byte of the input, and one is appended
    // for each byte written; otherwise both are null. The text is never empty.
    virtual void run(const uint8_t* text, size_t size, bool at_start, std::string& out, const Origin* in_origins,
                     std::vector<Origin>* origins) const = 0;
};

class CutStep {
  public:
    CutStep() = default;
    CutStep(const CutStep&) = delete;
    CutStep& operator=(const CutStep&) = delete;
    virtual ~CutStep() = default;

    // Write the pieces of the text from byte `at` on, in order, none empty, no two overlapping; what lies between them
    // is dropped. At most `room` of them, which is at least 64; returns how many, and sets `at` to where the next call
    // goes on, to `size` when all is done. `at` is 0 at first and then what the last call left.
    virtual size_t cut(const uint8_t* text, size_t size, size_t& at, Piece* out, size_t room) const = 0;

    // Is a text cut at every seam, and otherwise as its parts by themselves?
    virtual bool keeps_seams() const { return false; }

    // The step that cuts every line of a text, its newline with it, as this one cuts a text; null where there is none.
    virtual std::shared_ptr<const CutStep> by_lines() const { return nullptr; }
};

using RewritePointer = std::shared_ptr<const RewriteStep>;
using CutPointer = std::shared_ptr<const CutStep>;

// One of the two.
struct Step {
    RewritePointer rewrite;
    CutPointer cut;
};

// Puts a space before a text that begins without one.
class PrefixSpace final : public RewriteStep {
  public:
    bool is_unchanged(const uint8_t* text, size_t, bool) const override { return *text == ' '; }

    void run(const uint8_t* text, size_t size, bool, std::string& out, const Origin* in_origins,
             std::vector<Origin>* origins) const override {
        if (*text != ' ') {
            out += ' ';
            if (origins != nullptr) origins->push_back(in_origins[0]);
        }
        out.append(reinterpret_cast<const char*>(text), size);
        if (origins != nullptr) origins->insert(origins->end(), in_origins, in_origins + size);
    }
};

}  // namespace textpipe
