// One token more of a few texts, through all blocks of a decoder. Enters: a table of its weights, which stay where they are;
// the keys and values so far, and those of a source; an id of each row. Leaves: hidden states, and the new keys and values in
// their places. Promises: nothing is kept of a step but threads; steps at the same time wait for each other; whoever calls has
// checked that ids, places and sizes fit the table.
//
// For so few rows most of a framework's time is spent between the products; here they follow each other.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "decoder_kernels.hpp"
#include "team.hpp"

namespace textpipe::decoder {

struct Heads {
    Matrix query, key, value, output;
};

struct Block {
    Norm attention_norm, source_norm, feed_forward_norm;
    Heads attention, source_attention;
    Matrix up, gate, down;  // without gate in most
};

struct Decoder {
    size_t width = 0, heads = 0, kv_heads = 0, head_width = 0, inner = 0;
    bool norm_first = false, has_source = false;
    Bend bend = Bend::relu;
    const float* embedding = nullptr;  // (entries, width)
    float embedding_scale = 1.0f;
    const float* added = nullptr;      // (width), to every token
    const float* positions = nullptr;  // (context, width)
    const float* turns = nullptr;      // (head_width / 2): by which angle a position turns each pair of a head's numbers
    std::vector<Block> blocks;
    Norm final_norm;  // without weight in some
};

// Keys and values (layer, row, kv_head, capacity, head_width), of which `length` positions are written. A row begins at the
// position padding[row], or at the first.
struct Past {
    float* keys = nullptr;
    float* values = nullptr;
    size_t rows = 0, capacity = 0, length = 0;
    const int64_t* padding = nullptr;
};

// Keys and values of a source for each block, and how many positions of each row's are real.
struct SourceHeads {
    const float* keys;
    const float* values;
    size_t key_strides[3], value_strides[3];  // from row to row, head to head and position to position
};
struct Source {
    std::vector<SourceHeads> blocks;
    const int64_t* lengths;
};

class DecoderStep {
  public:
    DecoderStep(Decoder decoder, size_t num_threads, bool plain)
        : decoder_(std::move(decoder)), num_threads_(num_threads), kernels_(kernels(plain)) {}

    // Writes states (row, width); `source` is null for a decoder that reads none.
    void run(const Past& past, const Source* source, const int64_t* tokens, float* states) {
        const std::lock_guard<std::mutex> hold(mutex_);  // the team takes work from one at a time
        Room room(decoder_, past.rows);
        embed(past, tokens, room);
        for (size_t layer = 0; layer < decoder_.blocks.size(); ++layer) {
            const Block& block = decoder_.blocks[layer];
            around(block.attention_norm, room, [&](const float* x) { attend_to_past(block.attention, layer, past, x, room); });
            if (source != nullptr)
                around(block.source_norm, room,
                       [&](const float* x) { attend_to_source(block.source_attention, source->blocks[layer], *source, x, room); });
            around(block.feed_forward_norm, room, [&](const float* x) { feed_forward(block, x, room); });
        }
        if (decoder_.final_norm.weight != nullptr)
            kernels_.norm(decoder_.final_norm, room.stream.data(), past.rows, states);
        else
            std::copy(room.stream.begin(), room.stream.end(), states);
    }

  private:
    // What is computed on the way, of all rows.
    struct Room {
        Room(const Decoder& decoder, size_t rows)
            : rows(rows),
              stream(rows * decoder.width),
              normed(rows * decoder.width),
              given(rows * decoder.width),
              queries(rows * decoder.width),
              found(rows * decoder.width),
              keys(rows * decoder.kv_heads * decoder.head_width),
              values(keys.size()),
              inner(rows * decoder.inner),
              gate(decoder.bend == Bend::swiglu ? inner.size() : 0),
              cosines(decoder.turns == nullptr ? 0 : rows * decoder.head_width / 2),
              sines(cosines.size()) {}

        size_t rows;
        std::vector<float> stream, normed, given, queries, found, keys, values, inner, gate, cosines, sines;
    };

    // A part that adds what it gives to the stream, normalised before it or after it.
    template <class Part>
    void around(const Norm& norm, Room& room, Part&& part) {
        if (decoder_.norm_first) kernels_.norm(norm, room.stream.data(), room.rows, room.normed.data());
        part(decoder_.norm_first ? room.normed.data() : room.stream.data());
        for (size_t i = 0; i < room.stream.size(); ++i) room.stream[i] += room.given[i];
        if (!decoder_.norm_first) kernels_.norm(norm, room.stream.data(), room.rows, room.stream.data());
    }

    static size_t padding(const Past& past, size_t row) {
        return past.padding == nullptr ? 0 : static_cast<size_t>(past.padding[row]);
    }

    void embed(const Past& past, const int64_t* tokens, Room& room) const {
        const size_t width = decoder_.width, pairs = decoder_.head_width / 2;
        for (size_t row = 0; row < past.rows; ++row) {
            const size_t place = past.length - padding(past, row);
            const float* entry = decoder_.embedding + static_cast<size_t>(tokens[row]) * width;
            float* x = room.stream.data() + row * width;
            for (size_t i = 0; i < width; ++i) x[i] = entry[i] * decoder_.embedding_scale;
            if (decoder_.added != nullptr)
                for (size_t i = 0; i < width; ++i) x[i] += decoder_.added[i];
            if (decoder_.positions != nullptr)
                for (size_t i = 0; i < width; ++i) x[i] += decoder_.positions[place * width + i];
            if (decoder_.turns == nullptr) continue;
            for (size_t i = 0; i < pairs; ++i) {
                const float angle = static_cast<float>(place) * decoder_.turns[i];
                room.cosines[row * pairs + i] = std::cos(angle);
                room.sines[row * pairs + i] = std::sin(angle);
            }
        }
    }

    void attend_to_past(const Heads& heads, size_t layer, const Past& past, const float* x, Room& room) {
        product(heads.query, x, room.rows, room.queries);
        product(heads.key, x, room.rows, room.keys);
        product(heads.value, x, room.rows, room.values);
        if (decoder_.turns != nullptr) {
            turn(room.queries, decoder_.heads, room);
            turn(room.keys, decoder_.kv_heads, room);
        }
        const size_t width = decoder_.head_width, groups = decoder_.kv_heads, shared = decoder_.heads / groups;
        in_parts(room.rows * groups, shared * (past.length + 1) * width, [&](size_t first, size_t last) {
            std::vector<float> scores(past.length + 1);
            for (size_t head = first; head < last; ++head) {
                float* keys = past.keys + (layer * room.rows * groups + head) * past.capacity * width;
                float* values = past.values + (layer * room.rows * groups + head) * past.capacity * width;
                std::copy_n(room.keys.data() + head * width, width, keys + past.length * width);
                std::copy_n(room.values.data() + head * width, width, values + past.length * width);
                const size_t from = padding(past, head / groups), queries = head * shared * width;
                kernels_.attend({room.queries.data() + queries, shared, keys + from * width, width, values + from * width, width,
                                 past.length + 1 - from, width, room.found.data() + queries},
                                scores.data());
            }
        });
        product(heads.output, room.found.data(), room.rows, room.given);
    }

    void attend_to_source(const Heads& heads, const SourceHeads& read, const Source& source, const float* x, Room& room) {
        product(heads.query, x, room.rows, room.queries);
        const size_t width = decoder_.head_width, num_heads = decoder_.heads;
        const size_t longest = static_cast<size_t>(*std::max_element(source.lengths, source.lengths + room.rows));
        in_parts(room.rows * num_heads, longest * width, [&](size_t first, size_t last) {
            std::vector<float> scores(longest);
            for (size_t head = first; head < last; ++head) {
                const size_t row = head / num_heads, own = head % num_heads;
                kernels_.attend({room.queries.data() + head * width, 1,
                                 read.keys + row * read.key_strides[0] + own * read.key_strides[1], read.key_strides[2],
                                 read.values + row * read.value_strides[0] + own * read.value_strides[1],
                                 read.value_strides[2], static_cast<size_t>(source.lengths[row]), width,
                                 room.found.data() + head * width},
                                scores.data());
            }
        });
        product(heads.output, room.found.data(), room.rows, room.given);
    }

    void feed_forward(const Block& block, const float* x, Room& room) {
        product(block.up, x, room.rows, room.inner);
        if (decoder_.bend == Bend::swiglu) product(block.gate, x, room.rows, room.gate);
        kernels_.bend(decoder_.bend, room.inner.data(), room.gate.data(), room.inner.size());
        product(block.down, room.inner.data(), room.rows, room.given);
    }

    // Numbers i and i + K/2 of each head are a pair.
    void turn(std::vector<float>& x, size_t heads, const Room& room) const {
        const size_t pairs = decoder_.head_width / 2;
        for (size_t head = 0; head < room.rows * heads; ++head) {
            float* first = x.data() + head * 2 * pairs;
            float* second = first + pairs;
            const float* cosines = room.cosines.data() + head / heads * pairs;
            const float* sines = room.sines.data() + head / heads * pairs;
            for (size_t i = 0; i < pairs; ++i) {
                const float one = first[i], other = second[i];
                first[i] = one * cosines[i] - other * sines[i];
                second[i] = other * cosines[i] + one * sines[i];
            }
        }
    }

    void product(const Matrix& matrix, const float* x, size_t rows, std::vector<float>& y) {
        in_parts(matrix.out, matrix.in * rows, [&](size_t first, size_t last) {
            kernels_.product(matrix, x, rows, first, last, y.data());
        });
    }

    // Calls work(first, last) for all of 0 … count, of which each takes `cost` multiplications: by threads, when they are many.
    template <class Work>
    void in_parts(size_t count, size_t cost, Work&& work) {
        constexpr size_t least = size_t{1} << 17;  // some ten microseconds
        const size_t parts = std::min({num_threads_, count, count * cost / least});
        if (parts <= 1) return work(0, count);
        if (!team_) team_ = std::make_unique<Team>(num_threads_);
        team_->run(parts, [&](size_t part) { work(count * part / parts, count * (part + 1) / parts); });
    }

    const Decoder decoder_;
    const size_t num_threads_;
    const Kernels& kernels_;
    std::mutex mutex_;
    std::unique_ptr<Team> team_;  // from the first step on that is worth one
};

}  // namespace textpipe::decoder
