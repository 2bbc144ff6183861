// The whole native program over documents made up by the fuzzer: ids with places are the ids without, the second time
// (out of the cache) gives what the first gave, two threads give what one gives, and texts in parts of a few characters
// give what whole ones give. Places lie in the text, in order.
#include "batch.hpp"
#include "bpe_model.hpp"
#include "byte_alphabet.hpp"
#include "grammar_step.hpp"
#include "input.hpp"
#include "normalization.hpp"
#include "scanner.hpp"

using namespace textpipe;

namespace {

// Bytes, and merges that spell a few Korean syllables and English words.
ModelPointer make_model(bool ignore_merges) {
    BpeOptions options;
    options.ignore_merges = ignore_merges;
    auto model = std::make_shared<BpeModel>(options);
    std::vector<std::string> pieces;
    for (unsigned byte = 0; byte < 256; ++byte) append_mapped(static_cast<uint8_t>(byte), pieces.emplace_back());
    std::vector<MergeTable::Merge> merges;
    for (const char* word : {"안녕하세요", " 한국어", " the", "'s", "ing", "ㅋㅋㅋㅋ", "한글", "\n\n", "    "}) {
        uint32_t left = static_cast<uint8_t>(word[0]);
        for (const char* p = word + 1; *p != 0; ++p) {
            const uint32_t right = static_cast<uint8_t>(*p), made = static_cast<uint32_t>(pieces.size());
            const std::string joined = pieces[left] + pieces[right];
            const auto known = std::find(pieces.begin(), pieces.end(), joined);
            const uint32_t id = known == pieces.end() ? made : static_cast<uint32_t>(known - pieces.begin());
            if (known == pieces.end()) pieces.push_back(joined);
            merges.push_back({left, right, id});
            left = id;
        }
    }
    model->reserve(pieces.size(), merges.size());
    for (uint32_t id = 0; id < pieces.size(); ++id) model->add_piece(id, pieces[id]);
    for (const auto& merge : merges) model->add_merge(merge.left, merge.right, merge.id);
    model->finish(true);
    return model;
}

std::vector<uint32_t> encode(Encoder& encoder, const std::vector<TextView>& views, bool skip_special, size_t threads,
                             std::vector<int64_t>& offsets) {
    EncodeJob<uint32_t> job(encoder, views, skip_special, true);
    if (threads == 0) {
        job.run();
    } else {
        job.start(threads);
        while (!job.wait(1000)) {}
    }
    CHECK(job.bad_document() == -1);
    offsets.assign(views.size() + 1, -1);
    const size_t num_ids = job.num_ids();
    const std::unique_ptr<uint32_t, void (*)(void*)> ids(job.release(offsets.data()), std::free);
    return {ids.get(), ids.get() + num_ids};
}

// A program as the fuzzer wants it.
void fill(Program& program, Input& input, uint8_t flags) {
    program.byte_level = true;
    if (flags & 2) program.cutting.add({std::make_shared<const PrefixSpace>(), nullptr});
    program.cutting.add({nullptr, std::make_shared<const GrammarStep>(static_cast<int>(input.below(4)))});
    if (flags & 4) program.normalization.push_back(std::make_shared<const NormalFormStep>(static_cast<int>(input.below(5))));
    for (size_t count = input.below(4); count > 0; --count) {
        const uint8_t rule = input.byte();
        AddedTokens& table = rule & 1 ? program.raw : program.normalized;
        const uint32_t id = 1000 + static_cast<uint32_t>(count);
        table.add(input.text(1 + rule / 32), {id, (rule & 2) != 0, (rule & 4) != 0, (rule & 8) != 0, (rule & 16) != 0});
    }
    program.raw.finish();
    program.normalized.finish();
    if (flags & 8) program.before = {7}, program.after = {8, 9};
}

std::vector<uint32_t> characters_of(const std::string& text) {
    std::vector<uint32_t> characters;
    unsigned size = 0;
    for (const uint8_t *p = bytes_of(text), *end = p + text.size(); p < end; p += size)
        characters.push_back(unicode::decode(p, size));
    return characters;
}

// Ids, begins, ends and words of all tokens, four rows.
std::vector<uint32_t> rows_of(const SpansJob& job, std::vector<int64_t>& places) {
    std::vector<uint32_t> rows(4 * job.num_ids() + 1);
    job.copy(rows.data(), places.data());
    return rows;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const ModelPointer models[] = {make_model(false), make_model(true)};
    Input input(data, size);
    const uint8_t flags = input.byte();
    Encoder encoder(models[flags & 1], size_t{1} << 16, size_t{1} << 30);
    Encoder parting(models[flags & 1], size_t{1} << 16, 2 + flags / 64);
    Input same = input;
    fill(*parting.program, same, flags);
    fill(*encoder.program, input, flags);
    const Program& program = *encoder.program;
    const bool skip_special = flags & 16;
    std::vector<std::string> texts;
    while (!input.empty() && texts.size() < 4) texts.push_back(input.text(input.coin() ? 40 : 4000));
    std::vector<std::unique_ptr<Exact>> held;
    std::vector<TextView> views;
    for (const std::string& text : texts) {
        held.push_back(std::make_unique<Exact>(text));
        views.push_back({held.back()->data, held.back()->size, 0});
    }
    std::vector<int64_t> offsets, again_offsets;
    const std::vector<uint32_t> ids = encode(encoder, views, skip_special, 0, offsets);
    CHECK(encode(encoder, views, skip_special, flags & 32 ? 2 : 0, again_offsets) == ids && offsets == again_offsets);
    std::vector<uint32_t> placed;
    SpansJob job(encoder, views, skip_special);
    job.run();
    const size_t count = job.num_ids();
    std::vector<int64_t> places(views.size() + 1, -1), parted_places = places;
    const std::vector<uint32_t> rows = rows_of(job, places);
    std::vector<std::vector<uint32_t>> characters;
    std::vector<TextView> wide;
    for (const std::string& text : texts) {
        characters.push_back(characters_of(text));
        wide.push_back({characters.back().data(), characters.back().size(), 4});
    }
    CHECK(encode(parting, wide, skip_special, flags & 32 ? 2 : 0, again_offsets) == ids && offsets == again_offsets);
    SpansJob parts(parting, wide, skip_special);
    parts.run();
    CHECK(rows_of(parts, parted_places) == rows && parted_places == places);
    CHECK(places.back() == static_cast<int64_t>(count));
    for (size_t run = 0; run < job.num_runs(); ++run)
        CHECK(job.added(run).tokens.size() == job.added(run).texts.size());
    for (size_t i = 0; i < views.size(); ++i) {
        placed.insert(placed.end(), program.before.begin(), program.before.end());
        placed.insert(placed.end(), rows.data() + places[i], rows.data() + places[i + 1]);
        placed.insert(placed.end(), program.after.begin(), program.after.end());
        const uint32_t length = texts[i].empty() ? 0 : own_origins(texts[i]).back().end;
        for (auto j = static_cast<size_t>(places[i]); j < static_cast<size_t>(places[i + 1]); ++j) {
            const uint32_t first = rows[count + j], last = rows[2 * count + j];
            CHECK(first <= last && last <= length);
        }
    }
    CHECK(placed == ids);
    return 0;
}
