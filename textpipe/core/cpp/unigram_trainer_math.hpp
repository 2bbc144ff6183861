// The two sums that training a unigram model spends its time on. Enters: float32 logarithms. Leaves: the same float32 results
// that the system's exp() and log1p() give. Promises: exactly those results: a table or a short polynomial is used only where
// its error provably cannot change the rounded result, else the system's function is called.
//
// Sources: the sums are those of the forward-backward algorithm in float32 (Kudo, Subword Regularization, ACL 2018).
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace textpipe::unigram {

// log(1 + exp(-t)) for 0 <= t < span, as cubics between knots; their error stays below `error`.
class SoftPlusTable {
public:
    static constexpr double knots = 32, error = 1e-9;
    static constexpr size_t span = 52;

    SoftPlusTable() {
        for (size_t i = 0; i < cubics_.size(); ++i) {
            const double t = static_cast<double>(i) / knots, u = static_cast<double>(i + 1) / knots;
            const double p = std::log1p(std::exp(-t)), q = std::log1p(std::exp(-u));
            const double slope_p = -1 / (1 + std::exp(t)) / knots, slope_q = -1 / (1 + std::exp(u)) / knots;
            cubics_[i] = {p, slope_p, 3 * (q - p) - 2 * slope_p - slope_q, 2 * (p - q) + slope_p + slope_q};
        }
    }

    double operator()(double t) const {
        const double scaled = t * knots;
        const auto i = static_cast<int32_t>(scaled);
        const double x = scaled - static_cast<double>(i);
        const Cubic& c = cubics_[static_cast<size_t>(i)];
        return c.a + x * (c.b + x * (c.c + x * c.d));
    }

private:
    struct Cubic {
        double a, b, c, d;
    };
    std::array<Cubic, span * static_cast<size_t>(knots)> cubics_{};
};

inline const SoftPlusTable soft_plus;

// log(exp(x) + exp(y)) as float32, the larger of the two when the other is smaller by more than exp(-50).
inline float log_sum_exp(float x, float y) {
    const float low = std::min(x, y), high = std::max(x, y);
    if (high > low + 50.0f) return high;
    const auto difference = static_cast<double>(low - high);
    const double sum = static_cast<double>(high) + soft_plus(-difference);
    const auto least = static_cast<float>(sum - SoftPlusTable::error), most = static_cast<float>(sum + SoftPlusTable::error);
    if (least == most) return least;
    return static_cast<float>(static_cast<double>(high) + std::log1p(std::exp(difference)));
}

// 2^(i/64) for i < 64.
class PowerTable {
public:
    PowerTable() {
        for (size_t i = 0; i < 64; ++i) powers_[i] = std::exp2(static_cast<double>(i) / 64);
    }
    double operator[](size_t i) const { return powers_[i]; }

private:
    std::array<double, 64> powers_{};
};

inline const PowerTable powers_of_two;

// exp(x) for -80 < x < 80, with a relative error below 1e-12.
inline double approximate_exp(double x) {
    constexpr double per_step = 0.010830424696249145;  // log(2) / 64
    constexpr double shift = 6755399441055744.0;       // adding it rounds to a whole number
    const double shifted = x * (1 / per_step) + shift;
    const double k = shifted - shift, r = x - k * per_step;
    const auto steps = static_cast<int64_t>(k);
    const auto exponent = static_cast<uint64_t>((steps >> 6) + 1023) << 52;
    double scale;
    std::memcpy(&scale, &exponent, 8);
    const double polynomial = 1 + r * (1 + r * (0.5 + r * (1.0 / 6 + r * (1.0 / 24))));
    return scale * powers_of_two[static_cast<size_t>(steps & 63)] * polynomial;
}

// sum += weight * exp(x) in float64, rounded to float32.
inline void add_exp(float& sum, double weight, float x) {
    const auto exponent = static_cast<double>(x);
    if (exponent > -80 && exponent < 80) {
        const double term = weight * approximate_exp(exponent), whole = static_cast<double>(sum) + term;
        const double slack = term * 1e-11 + whole * 1e-15;
        const auto least = static_cast<float>(whole - slack), most = static_cast<float>(whole + slack);
        if (least == most) {
            sum = least;
            return;
        }
    }
    sum = static_cast<float>(static_cast<double>(sum) + weight * std::exp(exponent));
}

// The derivative of log gamma, by its asymptotic series after a shift to x >= 7.
inline double digamma(double x) {
    double result = 0;
    for (; x < 7; ++x) result -= 1 / x;
    x -= 0.5;
    const double y = 1 / x, y2 = y * y, y4 = y2 * y2;
    result += std::log(x) + (1.0 / 24) * y2 - (7.0 / 960) * y4 + (31.0 / 8064) * y4 * y2 - (127.0 / 30720) * y4 * y4;
    return result;
}

}  // namespace textpipe::unigram
