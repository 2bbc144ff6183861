// Word counts: their columns read back are the same counts, lines counted by themselves are texts counted by themselves,
// and columns that nobody wrote are refused or read, never more than that.
#include <map>

#include "grammar_step.hpp"
#include "input.hpp"
#include "scanner.hpp"
#include "word_columns.hpp"
#include "word_counts.hpp"

using namespace textpipe;

namespace {

std::map<std::string, uint64_t> table_of(const WordCounts& counts) {
    std::map<std::string, uint64_t> table;
    counts.each([&](const Word& word) {
        CHECK(table.emplace(std::string(reinterpret_cast<const char*>(word.data), word.size), word.count).second);
    });
    return table;
}

void check_columns(const WordCounts& counts) {
    const WordColumns columns = to_columns(counts);
    const std::vector<Word> words = read_columns(bytes_of(columns.counts), bytes_of(columns.sizes), counts.num_words(),
                                                 bytes_of(columns.words), columns.words.size(), true);
    WordCounts again;
    add_words(again, words);
    CHECK(table_of(again) == table_of(counts));
}

WordCut cut_of(int grammar) {
    WordCut cut;
    cut.cutting.add({nullptr, std::make_shared<const GrammarStep>(grammar)});
    return cut;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Input input(data, size);
    if (input.coin()) {
        const size_t num_words = input.below(16);
        const std::string counts = input.bytes(8 * num_words), sizes = input.bytes(4 * num_words);
        if (sizes.size() < 4 * num_words) return 0;
        const Exact exact_counts(counts), exact_sizes(sizes), words(input.bytes());
        try {
            WordCounts made;
            add_words(made, read_columns(exact_counts.data, exact_sizes.data, num_words, words.data, words.size, input.coin()));
            check_columns(made);
        } catch (const std::invalid_argument&) {
        } catch (const std::overflow_error&) {
        }
        return 0;
    }
    const int grammar = static_cast<int>(input.below(4));
    const std::string text = input.text();
    const Exact exact(text);
    WordCounts by_lines, by_texts;
    WordCounter lines(by_lines, cut_of(grammar)), texts(by_texts, cut_of(grammar));
    lines.add_lines(exact.data, exact.size);
    for (size_t at = 0; at < text.size();) {
        const size_t newline = text.find('\n', at), stop = newline == std::string::npos ? text.size() : newline + 1;
        const Exact line(text.substr(at, stop - at));
        texts.add_text(line.data, line.size);
        at = stop;
    }
    lines.flush();
    texts.flush();
    CHECK(table_of(by_lines) == table_of(by_texts));
    check_columns(by_lines);
    return 0;
}
