// Finds added tokens in text. Enters: the tokens with their matching rules, once; then UTF-8 text. Leaves: the text
// cut into stretches, each plain or one added token. Promises: at each place the longest token that starts there, as
// `tokenizers` finds them, with the white space its lstrip and rstrip rules take in; linear in the text, whatever the
// tokens have in common.
//
// The tokens are a trie. Where its path ends, the text read since the path began is known, and so are the tokens found in
// it and the shorter path that is left: a state keeps both, and no byte is read twice. (Aho and Corasick's failure links,
// with the tokens passed on the way as in Song et al., "Fast WordPiece Tokenization", 2021.)
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <numeric>
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
    // The first of two tokens with the same content wins. Call finish() after the last.
    void add(std::string_view content, AddedToken token) {
        if (content.empty()) return;
        uint32_t node = 0;
        for (const char c : content) {
            const uint64_t key = edge(node, static_cast<uint8_t>(c));
            const auto found = edges_.find(key);
            if (found != edges_.end()) {
                node = found->second;
            } else {
                const uint32_t made = static_cast<uint32_t>(states_.size());
                states_.push_back({0, states_[node].depth + 1, no_id});
                token_at_.push_back(no_id);
                edges_.emplace(key, made);
                node = made;
            }
        }
        if (token_at_[node] != no_id) return;
        keeps_seams_ = keeps_seams_ && !token.lstrip && content.find('\n') == std::string_view::npos;
        token_at_[node] = static_cast<uint32_t>(tokens_.size());
        tokens_.push_back(token);
        const uint8_t first = static_cast<uint8_t>(content[0]);
        if (!starts_[first]) {
            starts_[first] = true;
            only_start_ = num_starts_++ == 0 ? first : 0;
        }
    }

    bool empty() const { return tokens_.empty(); }

    // Are the tokens in a text those in its parts, when it is parted at seams?
    bool keeps_seams() const { return keeps_seams_; }

    void finish() { Links(*this).make(); }

    // Cut text into stretches, in order; `skip_special` leaves special tokens as plain text. When `stop` is set while it
    // works, what comes out is not wanted any more.
    void split(const uint8_t* text, size_t size, bool skip_special, std::vector<Stretch>& out,
               const std::atomic<bool>* stop_flag = nullptr) const {
        size_t done = 0, space_begin = 1, space_end = 0;
        each_match(text, size, stop_flag, [&](uint32_t found, size_t begin, size_t stop) {
            const AddedToken& token = tokens_[found];
            if (skip_special && token.special) return;
            const bool touched = ends_with_word(text, begin) || starts_with_word(text + stop, text + size);
            if (token.single_word && touched) return;
            if (token.rstrip) {
                // Within white space already walked through the end is known: each run is walked once.
                if (stop < space_begin || stop > space_end) {
                    space_begin = stop;
                    space_end = static_cast<size_t>(strip_right(text + stop, text + size) - text);
                }
                stop = space_end;
            }
            if (token.lstrip) {
                if (stop <= done) return;  // all of it is white space that the token before has taken
                begin = begin > done ? strip_left(text, begin, done) : done;
            }
            if (done < begin) out.push_back({no_id, done, begin});
            out.push_back({token.id, begin, stop});
            done = stop;
        });
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

    // Call take(token, begin, end) for the tokens in the text, without regard to their rules.
    template <class Take>
    void each_match(const uint8_t* text, size_t size, const std::atomic<bool>* stop, Take&& take) const {
        std::vector<Passed> passed;
        size_t pause = size_t{1} << 16;
        for (size_t i = 0, node = 0;;) {
            if (i >= pause) {
                if (stop != nullptr && stop->load(std::memory_order_relaxed)) return;
                pause = i + (size_t{1} << 16);
            }
            if (node == 0) {
                const size_t end = std::min(size, pause);
                if ((i = next_start(text, i, end)) == size) return;
                if (i == end) continue;
            }
            const uint32_t next = i < size ? child(static_cast<uint32_t>(node), text[i]) : no_id;
            if (next != no_id) {
                node = next;
                ++i;
                continue;
            }
            const State& state = states_[node];
            list_passed(state.passed, passed);
            const size_t begin = i - state.depth;
            for (const Passed& match : passed) take(match.token, begin + match.begin, begin + match.end);
            node = state.rest;
        }
    }

    // A place in the trie; what follows holds where the text does not go on as the trie does.
    struct State {
        uint32_t rest;    // the state of what is left once these are taken,
        uint32_t depth;
        uint32_t passed;  // the last of the tokens passed, or no_id
    };
    // A token in the path of a state, as bytes of it, and the one before in the list.
    struct Passed {
        uint32_t token, begin, end, before;
    };

    uint32_t child(uint32_t node, uint8_t byte) const {
        const auto found = edges_.find(edge(node, byte));
        return found == edges_.end() ? no_id : found->second;
    }

    // In the order of the text.
    void list_passed(uint32_t last, std::vector<Passed>& out) const {
        out.clear();
        for (; last != no_id; last = passed_[last].before) out.push_back(passed_[last]);
        std::reverse(out.begin(), out.end());
    }

    // Makes `rest` and `passed` of every state, from the shallow to the deep.
    class Links {
      public:
        explicit Links(AddedTokens& tokens)
            : tokens_(tokens), states_(tokens.states_), nodes_(states_.size()) {
            for (const auto& [key, child] : tokens.edges_) {
                nodes_[child].parent = static_cast<uint32_t>(key >> 8);
                nodes_[child].byte = static_cast<uint8_t>(key);
            }
        }

        void make() {
            tokens_.passed_.clear();
            std::vector<uint32_t> order(states_.size());
            std::iota(order.begin(), order.end(), 0);
            const auto shallower = [&](uint32_t a, uint32_t b) { return states_[a].depth < states_[b].depth; };
            std::stable_sort(order.begin(), order.end(), shallower);
            for (const uint32_t node : order)
                if (node != 0) link(node);
        }

      private:
        struct Node {
            uint32_t parent = 0, fail = 0;  // fail: the longest path that this one ends with
            uint32_t ending = no_id;        // the longest token that it ends with,
            uint32_t ending_size = 0;
            uint32_t token = no_id, begin = 0;  // the first token in it, of several the longest
            uint32_t rest = 0, passed = no_id;  // what is left once that one is taken and those after it, and the list of them
            uint8_t byte = 0;
        };

        void link(uint32_t at) {
            Node& node = nodes_[at];
            State& state = states_[at];
            const Node& parent = nodes_[node.parent];
            if (node.parent != 0) {
                uint32_t fail = parent.fail, next;
                while ((next = tokens_.child(fail, node.byte)) == no_id && fail != 0) fail = nodes_[fail].fail;
                node.fail = next == no_id ? 0 : next;
            }
            const bool is_token = tokens_.token_at_[at] != no_id;
            node.ending = is_token ? tokens_.token_at_[at] : nodes_[node.fail].ending;
            node.ending_size = is_token ? state.depth : nodes_[node.fail].ending_size;
            node.token = parent.token;
            node.begin = parent.begin;
            const uint32_t ending_begin = state.depth - node.ending_size;
            const bool is_new = node.ending != no_id && (node.token == no_id || ending_begin <= node.begin);
            if (is_new) {
                node.token = node.ending;
                node.begin = ending_begin;
                node.passed = pass(node.token, node.begin, state.depth, no_id);
            } else if (node.token != no_id) {
                node.passed = parent.passed;
                node.rest = step(parent.rest, node.byte, state.depth - 1, node.passed);
            }
            state.passed = no_id;
            state.rest = node.fail;
            // Does all that is left hold the first token still?
            if (node.token == no_id || state.depth - states_[node.fail].depth <= node.begin) return;
            state.rest = node.rest;
            state.passed = node.passed;
        }

        // From `rest`, what is left before the byte, to what is left after it; the tokens passed join the list.
        uint32_t step(uint32_t rest, uint8_t byte, uint32_t size_before, uint32_t& list) {
            std::vector<Passed> passed;
            for (;;) {
                const uint32_t next = tokens_.child(rest, byte);
                if (next != no_id || rest == 0) return next == no_id ? 0 : next;
                const uint32_t begin = size_before - states_[rest].depth;
                tokens_.list_passed(states_[rest].passed, passed);
                for (const Passed& match : passed) list = pass(match.token, begin + match.begin, begin + match.end, list);
                rest = states_[rest].rest;
            }
        }

        uint32_t pass(uint32_t token, uint32_t begin, uint32_t end, uint32_t before) {
            tokens_.passed_.push_back({token, begin, end, before});
            return static_cast<uint32_t>(tokens_.passed_.size() - 1);
        }

        AddedTokens& tokens_;
        std::vector<State>& states_;
        std::vector<Node> nodes_;
    };

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
    std::vector<State> states_{{0, 0, no_id}};
    std::vector<Passed> passed_;
    std::vector<AddedToken> tokens_;
    bool starts_[256] = {};
    unsigned num_starts_ = 0;
    uint8_t only_start_ = 0;
    bool keeps_seams_ = true;
};

}  // namespace textpipe
