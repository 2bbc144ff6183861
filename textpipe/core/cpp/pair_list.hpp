// Pairs of strings in a row. Enters: two strings at a time. Leaves: views of them, by their number in the row.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace textpipe {

class PairList {
  public:
    void add(std::string_view left, std::string_view right) {
        bytes_.append(left);
        ends_.push_back(bytes_.size());
        bytes_.append(right);
        ends_.push_back(bytes_.size());
    }
    size_t size() const { return ends_.size() / 2; }
    std::string_view left(size_t rank) const { return part(2 * rank); }
    std::string_view right(size_t rank) const { return part(2 * rank + 1); }

  private:
    std::string_view part(size_t number) const {
        const size_t begin = number == 0 ? 0 : ends_[number - 1];
        return {bytes_.data() + begin, ends_[number] - begin};
    }

    std::string bytes_;
    std::vector<size_t> ends_;
};

}  // namespace textpipe
